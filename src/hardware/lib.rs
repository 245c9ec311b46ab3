//! Drivers: what sends the core's events ([`wardkeep_model::ports::Event`]) and takes its commands.
//! Drivers never decode: a GATT frame travels as bytes and is decoded in the core.

#![warn(clippy::indexing_slicing)]

pub mod ble;
pub mod card;
pub mod fingerprint;
pub mod outlet;
pub mod pcsc;
pub mod presence;
pub mod speaker;
pub mod trust;
pub mod usb_badge;
