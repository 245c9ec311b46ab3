//! How one entry is written: what is sealed while locked, what a row holds, what the log says.

pub(crate) mod audit_line;
pub(crate) mod codec;
pub(crate) mod entry;
pub(crate) mod words;
