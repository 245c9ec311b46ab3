//! Wardkeep: a bedside vitals kiosk that locks behind two hardware factors.
//!
//! The core is pure: events and the time go in, effects come out. [`wardkeep_core::kiosk`] composes it,
//! `app` (the shell) performs the effects, [`wardkeep_hardware`] drivers and the simulator send events,
//! [`wardkeep_store`] keeps every observation, and the screen is a projection
//! ([`wardkeep_core::kiosk::view::View`]).
//!
//! | room | what belongs there |
//! |---|---|
//! | [`app`] | the shell: owns the core, performs its effects, assembles the program |
//! | [`bridge`] | the screen's side: the only place that names what is generated from `ui/` |
//! | [`ctl`] | `wardkeepctl`: the command line |
//! | `bench` | the simulator's own window (feature `sim`) |
//! | `tour` | a picture of every screen (feature `sim`) |
//!
//! What the program promises stands in the table of [`wardkeep_core`].

#![warn(clippy::indexing_slicing)]

pub mod app;
#[cfg(feature = "sim")]
pub mod bench;
pub mod bridge;
pub mod ctl;
#[cfg(feature = "gui")]
mod glyphs;
#[cfg(feature = "sim")]
pub mod ready_ward;
pub mod settings;
#[cfg(feature = "sim")]
pub mod simulated;
pub mod text;
#[cfg(feature = "sim")]
pub mod tour;
