//! Which devices are watched without records.

use std::collections::BTreeMap;

use wardkeep_model::vitals::DeviceId;

/// The devices that are watched, at most one of a kind; and whether the watch itself linked them.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    pub(crate) devices: BTreeMap<DeviceId, bool>,
}
