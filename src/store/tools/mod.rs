//! What is done without a kiosk: looking into a store, mending it, measuring it.

pub(crate) mod accept;
pub(crate) mod bare;
pub(crate) mod check;
pub(crate) mod import;
pub(crate) mod inspect;
pub(crate) mod recovered;
pub(crate) mod remains;
pub(crate) mod rescue;
pub(crate) mod salvage;
pub(crate) mod words;
