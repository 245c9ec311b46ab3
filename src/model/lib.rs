//! The words of Wardkeep: data that every floor shares, and pure functions of it. Nothing here keeps
//! state, performs I/O (but for the one place that reads the clocks) or knows who uses it.
//!
//! | room | what belongs there |
//! |---|---|
//! | [`keeping`] | what the store is asked and what it answers, the audit log's words included |
//! | [`ports`] | what drivers tell and what they are told, readers of factors included |
//! | [`access`] | who may log in, with which factors, and what they may then see and do |
//! | [`vitals`] | observations, their codes and units, live values, and the GATT decoders |
//! | [`encounter`] | the patient at the bed |
//! | [`alarm`] | how urgent a condition is |
//! | [`notice`] | every sentence that the operator can be told |
//! | [`moment`] | the two clocks, and the one place that reads them |
//! | [`confidential`] | what cannot be printed: patient data and secrets |
//! | [`telemetry`] | the log |

#![warn(clippy::indexing_slicing, unreachable_pub)]

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
