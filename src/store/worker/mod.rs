//! The store's thread.
//!
//! | file | is |
//! |---|---|
//! | [`handle`] | how the rest of the program holds it |
//! | [`thread`] | the loop, its start and its end |
//! | [`commands`] | what each command does |
//! | [`keeping`] | what is recorded, and when it is durable |
//! | [`phase`] | what it has: nothing, a locked store, or an open one |
//! | [`importing`], [`backlog`], [`bursts`], [`background`], [`space`], [`upkeep`], [`answers`] | small things, each with a state |

mod answers;
mod background;
mod backlog;
mod bursts;
mod commands;
pub(crate) mod handle;
mod importing;
mod keeping;
mod phase;
mod rekeying;
mod space;
mod thread;
mod upkeep;
