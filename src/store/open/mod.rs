//! The locked store, and opening it.

pub(crate) mod draft;
pub(crate) mod emergency;
pub(crate) mod options;
pub(crate) mod setup;
pub(crate) mod shift;
pub(crate) mod unlock;
