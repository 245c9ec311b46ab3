//! The test kit: what the targets in `tests/` and `benches/` stand on, by subject.
//!
//! | module | what it is for |
//! |---|---|
//! | [`clock`] | boot time and wall time, stepped each by itself |
//! | [`kiosk`] | a bedside without hardware around the real core |
//! | [`screens`] | the kiosk's window without a display |
//! | [`walk`] | what on the screen nobody could read or touch |
//! | [`store`] | a real store, its state directory, and people at IT's desk |
//! | [`readers`] | pcscd, badges, cards, those who issue cards, and USB devices out of a recording |
//! | [`fingers`] | libfprint's virtual readers |
//! | [`frames`] | what the decoders of profiles are tested with |
//! | [`vendors`] | what pretended devices of vendors' own protocols send and answer |
//! | [`bluez`] | a pretended BlueZ on a private bus, and the driver beside it |
//! | [`house`] | everything around a kiosk that runs in a window of its own |
//! | [`namespace`], [`process`] | processes and namespaces of a test's own |
//! | [`memory_scan`] | what is left in the memory of this process |
//!
//! A helper that fails fails its test: it panics and says why.

pub mod bluez;
pub mod clock;
pub mod fingers;
pub mod frames;
pub mod house;
pub mod kiosk;
pub mod memory_scan;
pub mod namespace;
pub mod process;
pub mod readers;
pub mod screens;
pub mod store;
pub mod vendors;
pub mod walk;
