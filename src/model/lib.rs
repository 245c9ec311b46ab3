//! The words of Wardkeep: data that every floor shares, and pure functions of it. Nothing here keeps
//! state, performs I/O (but for the one place that reads the clocks) or knows who uses it.

#![warn(clippy::indexing_slicing)]

pub mod access;
pub mod alarm;
pub mod confidential;
pub mod encounter;
pub mod keeping;
pub mod moment;
pub mod notice;
pub mod ports;
pub mod telemetry;
pub mod untrusted;
pub mod vitals;
