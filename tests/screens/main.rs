//! The screen without a display: found by accessible label, drawn with real fonts and real pixels.

mod layout;
mod privacy;
mod pump;
mod records;
mod staff;
mod theme;
mod touches;
mod tour;
mod words;
