//! What the Slint compiler generates from the `.slint` files of the bench window, and nothing else. A crate
//! of its own, so that the kiosk's screens are the same with the simulator and without: they are compiled
//! once, and a package has nothing of the bench.

#![allow(clippy::all, reason = "generated code follows its generator's style")]

slint::include_modules!();
