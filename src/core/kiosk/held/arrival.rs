//! What an unlock brought.

use wardkeep_model::encounter::Patient;
use wardkeep_model::keeping::Draft;

/// What an unlock brought, until it may be shown.
#[derive(Debug, Default)]
pub(crate) struct Arrival {
    pub(crate) patient: Option<Patient>,
    pub(crate) draft: Option<Draft>,
}
