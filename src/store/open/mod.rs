//! The locked store, and opening it.

pub(crate) mod age;
pub(crate) mod anchoring;
pub(crate) mod draft;
pub(crate) mod emergency;
pub(crate) mod epoch;
pub(crate) mod first_start;
mod gate;
pub(crate) mod locked;
pub(crate) mod opened;
pub(crate) mod options;
pub(crate) mod recipients;
pub(crate) mod rekey;
pub(crate) mod shift;
mod trust;
pub(crate) mod unlock;
