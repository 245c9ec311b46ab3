//! What every act of IT needs beside the open store.

use crate::open::options::Options;
use wardkeep_model::moment::Moment;

/// What an act needs beside the store.
#[derive(Clone, Copy)]
pub struct Desk<'a> {
    /// How the store is run.
    pub options: &'a Options,
    /// When.
    pub now: Moment,
}
