//! What IT does: people, their factors, keys that change, the log handed out.

pub(crate) mod enrol;
pub(crate) mod log_acts;
pub(crate) mod people;
pub(crate) mod rotation;
