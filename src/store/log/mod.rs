//! The signed audit log, without a database: its tree, its checkpoints, its file.

pub(crate) mod checkpoint;
pub mod file;
pub(crate) mod merkle;
