//! Files that survive a kill: written whole or not at all, twice where one copy is too few, set aside and never
//! deleted where they are damaged. What each is called is in `layout`, the form of the small ones in `state_file`,
//! where all of it may lie in `place`.

pub(crate) mod durable;
pub(crate) mod layout;
pub(crate) mod new_file;
pub(crate) mod place;
pub(crate) mod read_at;
pub(crate) mod set_aside;
pub(crate) mod state_file;
pub(crate) mod two_copies;
pub(crate) mod two_slots;
