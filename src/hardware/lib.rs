//! Drivers: what sends the core's events ([`wardkeep_model::ports::Event`]) and takes its commands.
//! Drivers never decode: a GATT frame travels as bytes and is decoded in the core.
//!
//! | room | what belongs there |
//! |---|---|
//! | [`ble`] | Bluetooth: finds the devices that can be used and keeps links to the wanted ones |
//! | [`pcsc`] | PC/SC: badges and smart cards in readers that pcscd serves |
//! | [`usb_badge`] | badge readers on USB that are no PC/SC readers: pcProx, and keyboards |
//! | [`fingerprint`] | fingers, through libfprint |
//! | [`speaker`] | alarm sounds, and the loudspeaker that plays them |
//! | [`card`] | what is said to a card, as bytes, and what its answers mean; no reader, no thread |
//! | [`trust`] | whether a card's certificate is believed, by what the site laid down |
//! | `presence` | what lies on several readers at once, as events; pure |
//! | `outlet` | a reader driver's bounded way to the core |
//! | `thread` | a driver's thread and its end |
//!
//! Which room may import which stands in `tests/guards/floors.rs`. S-1: what leaves a reader is always
//! told (`presence`). S-4: what a card has to prove (`card::proof`). S-9: an alarm is heard, or the
//! core is told that it is not (`speaker`). S-10: no number, PIN or template is logged. S-11: queues
//! are bounded, and what is lost is counted (`outlet`, `ble`).

#![warn(clippy::indexing_slicing)]

pub mod ble;
pub mod card;
pub mod fingerprint;
mod outlet;
pub mod pcsc;
mod presence;
pub mod speaker;
mod thread;
pub mod trust;
pub mod usb_badge;
