//! The screen without a display: found by accessible label, drawn with real fonts and real pixels.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

#[path = "screens/desk.rs"]
mod desk;
#[path = "screens/layout.rs"]
mod layout;
#[path = "screens/privacy.rs"]
mod privacy;
#[path = "screens/records.rs"]
mod records;
#[path = "screens/staff.rs"]
mod staff;
#[path = "screens/theme.rs"]
mod theme;
#[path = "screens/touches.rs"]
mod touches;
#[path = "screens/words.rs"]
mod words;
