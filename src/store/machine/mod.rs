//! What this machine gives: its secret, its counter, and memory that is not written to disk.

pub(crate) mod anchor;
pub mod device_secret;
pub(crate) mod memory;
pub mod tpm;
pub(crate) mod witness;
