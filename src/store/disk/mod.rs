//! Files that survive a kill: written whole or not at all, twice where one copy is too few, set aside and never
//! deleted where they are damaged.

pub(crate) mod durable;
pub(crate) mod layout;
pub(crate) mod read_at;
pub(crate) mod set_aside;
pub(crate) mod two_copies;
