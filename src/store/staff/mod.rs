//! What IT does: people, their factors, keys that change, the log handed out.
//!
//! Every act is a function over an open store; [`acts`] says who may do which.

pub(crate) mod acts;
pub(crate) mod desk;
mod enrol;
mod findings;
mod log;
mod people;
pub(crate) mod rotate;
