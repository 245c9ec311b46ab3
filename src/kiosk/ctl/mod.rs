//! Verbs of `wardkeepctl`: JSON on stdout, sentences on stderr, exit 0 / 1 failed / 2 usage.

pub mod alarm;
pub mod audit;
pub mod decode;
pub mod doctor;
pub mod people;
pub mod store;
pub mod terminal;
