//! Verbs of `wardkeepctl`: JSON on stdout, sentences on stderr, exit 0 / 1 failed / 2 usage.

pub mod alarm;
pub mod audit;
pub mod decode;
pub mod doctor;
#[cfg(all(feature = "store", feature = "hardware"))]
pub mod people;
#[cfg(feature = "store")]
pub mod store;
pub mod terminal;
