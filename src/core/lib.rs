//! The core: pure machines. Events and the time go in, effects come out.

#![warn(clippy::indexing_slicing)]

pub mod alarms;
pub mod config;
pub mod kiosk;
pub mod pairing;
pub mod session;
