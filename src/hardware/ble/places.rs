//! The controller's places for links: who has one, and who could give theirs up.
//!
//! How many there are is not told by BlueZ; it is found out when one more is refused.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wardkeep_model::moment::BootTime;
use wardkeep_model::vitals::DeviceId;

/// Live links, each with when it was of use last. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Places(Arc<Mutex<BTreeMap<DeviceId, BootTime>>>);

/// A live link's place until this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Places,
    device: DeviceId,
}

impl Places {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<DeviceId, BootTime>> {
        // Every change leaves it whole, so a panic elsewhere does not make it unusable.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A link is live.
    pub(super) fn take(&self, device: DeviceId, now: BootTime) -> Place {
        self.lock().insert(device, now);
        Place { places: self.clone(), device }
    }

    /// A link was of use: the device measured, or something was written to it.
    pub(super) fn used(&self, device: DeviceId, now: BootTime) {
        if let Some(used) = self.lock().get_mut(&device) {
            *used = now;
        }
    }

    /// When the link was of use last, or was made.
    pub(super) fn last_used(&self, device: DeviceId) -> Option<BootTime> {
        self.lock().get(&device).copied()
    }

    /// Links that are live.
    pub(super) fn taken(&self) -> usize {
        self.lock().len()
    }

    /// The link that was of no use for longest, of those that may be given up.
    pub(super) fn least_used(&self, yields: impl Fn(DeviceId) -> bool) -> Option<DeviceId> {
        let places = self.lock();
        let could = places.iter().filter(|(device, _)| yields(**device));
        could.min_by_key(|(_, used)| **used).map(|(device, _)| *device)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.lock().remove(&self.device);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_longest_unused_gives_way_and_only_if_it_may() {
        let at = |second| BootTime(Duration::from_secs(second));
        let device = |last| DeviceId([0, 0, 0, 0, 0, last]);
        let places = Places::default();
        let held = [1, 2, 3].map(|last| places.take(device(last), at(u64::from(last))));
        assert_eq!(places.least_used(|_| true), Some(device(1)));
        assert_eq!(places.least_used(|one| one != device(1)), Some(device(2)));
        assert_eq!(places.least_used(|_| false), None, "what is assigned stays");
        places.used(device(1), at(9));
        places.used(device(4), at(9));
        assert_eq!(places.least_used(|_| true), Some(device(2)));
        assert_eq!((places.taken(), places.last_used(device(1))), (3, Some(at(9))));
        drop(held);
        assert_eq!(places.taken(), 0);
    }
}
