//! What IT does: people, their factors, keys that change, the log handed out.
//!
//! Every act is a function over an open store; [`acts`] says who may do which. After a revocation [`rotate`] changes
//! the keys.

pub(crate) mod acts;
pub(crate) mod copying;
pub(crate) mod desk;
mod enrol;
mod findings;
mod log;
mod people;
pub(crate) mod rotate;
