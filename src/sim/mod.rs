//! The simulated bedside and everything that only exists with it (feature `sim`).

pub mod samples;
pub mod stops;
pub mod tour;
