//! Drivers: what sends the core's events ([`wardkeep_model::ports::Event`]) and takes its commands.
//! Drivers never decode: a GATT frame travels as bytes and is decoded in the core.

#![warn(clippy::indexing_slicing)]

pub mod apdu;
pub mod ble;
pub mod card_work;
pub mod dialogue;
pub mod field;
pub mod fingerprint;
pub mod hid_reader;
pub mod inserted;
pub mod keyboard_badge;
pub mod outlet;
pub mod pcprox;
pub mod piv;
mod reader;
mod readers;
pub mod smartcard;
pub mod speaker;
pub mod tlv;
pub mod trust;
mod work;
