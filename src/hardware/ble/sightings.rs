//! Which devices are near: when each was last heard and last reported.
//!
//! Pure: advertisements and the time go in, decisions come out. Bounded: advertised addresses cost an
//! attacker nothing. Strangers, which are no device of use here, have a bound of their own, and the one
//! unheard longest gives way: however many there are, a device that is switched on is looked at.

use std::collections::BTreeMap;
use std::time::Duration;

use wardkeep_model::moment::BootTime;
use wardkeep_model::vitals::DeviceId;

/// Devices of use that are remembered at once.
pub(super) const SIGHTINGS_MAX: usize = 256;
/// Strangers that are: more than are ever near, so that each is looked at no more often than it has to be.
const STRANGERS_MAX: usize = 2048;

#[derive(Debug)]
struct Sighting {
    heard: BootTime,
    /// When it was last looked at more closely.
    examined: Option<BootTime>,
    /// Whether the core was told of it.
    reported: bool,
}

/// Devices heard lately.
#[derive(Debug)]
pub(super) struct Sightings {
    devices: BTreeMap<DeviceId, Sighting>,
    seen_every: Duration,
    gone_after: Duration,
}

impl Sightings {
    pub(super) fn new(seen_every: Duration, gone_after: Duration) -> Self {
        Self { devices: BTreeMap::new(), seen_every, gone_after }
    }

    /// Notes an advertisement. True if it is time to look at the device and report it.
    pub(super) fn heard(&mut self, device: DeviceId, now: BootTime) -> bool {
        if !self.devices.contains_key(&device) {
            let strangers = || self.devices.iter().filter(|(_, sighting)| !sighting.reported);
            if strangers().count() >= STRANGERS_MAX {
                let oldest = strangers().min_by_key(|(_, sighting)| sighting.heard);
                if let Some(oldest) = oldest.map(|(id, _)| *id) {
                    self.devices.remove(&oldest);
                }
            }
        }
        let new = Sighting { heard: now, examined: None, reported: false };
        let sighting = self.devices.entry(device).or_insert(new);
        sighting.heard = now;
        let due = sighting.examined.is_none_or(|then| now.since(then) >= self.seen_every);
        if due {
            sighting.examined = Some(now);
        }
        due
    }

    /// There is room for one more device of use, or this one has its room already.
    pub(super) fn has_room(&self, device: DeviceId) -> bool {
        let reported = |sighting: &Sighting| sighting.reported;
        self.devices.get(&device).is_some_and(reported)
            || self.devices.values().filter(|sighting| reported(sighting)).count() < SIGHTINGS_MAX
    }

    /// Notes that the core was told of the device.
    pub(super) fn reported(&mut self, device: DeviceId) {
        if let Some(sighting) = self.devices.get_mut(&device) {
            sighting.reported = true;
        }
    }

    /// Forgets devices that fell silent and returns those the core knew of. A linked device stops
    /// advertising, so it counts as heard.
    pub(super) fn gone(
        &mut self,
        now: BootTime,
        is_linked: impl Fn(DeviceId) -> bool,
    ) -> Vec<DeviceId> {
        for (device, sighting) in &mut self.devices {
            if is_linked(*device) {
                sighting.heard = now;
            }
        }
        let gone_after = self.gone_after;
        let silent = self.devices.extract_if(.., |_, s| now.since(s.heard) >= gone_after);
        silent.filter(|(_, sighting)| sighting.reported).map(|(device, _)| device).collect()
    }

    /// Forgets every device, because nothing can be heard any more, and returns those the core knew of.
    pub(super) fn clear(&mut self) -> Vec<DeviceId> {
        let devices = std::mem::take(&mut self.devices);
        devices.into_iter().filter(|(_, s)| s.reported).map(|(device, _)| device).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: DeviceId = DeviceId([0, 0, 0, 0, 0, 1]);

    fn at(millis: u64) -> BootTime {
        BootTime(Duration::from_millis(millis))
    }

    fn sightings() -> Sightings {
        Sightings::new(Duration::from_secs(1), Duration::from_secs(10))
    }

    #[test]
    fn is_due_at_most_once_a_second() {
        let mut sightings = sightings();
        let due: Vec<u64> =
            (0..30).map(|n| n * 100).filter(|t| sightings.heard(ONE, at(*t))).collect();
        assert_eq!(due, [0, 1000, 2000]);
    }

    #[test]
    fn is_gone_after_ten_silent_seconds_unless_linked() {
        let mut sightings = sightings();
        sightings.heard(ONE, at(0));
        sightings.reported(ONE);
        assert!(sightings.gone(at(9_999), |_| false).is_empty());
        assert!(sightings.gone(at(30_000), |_| true).is_empty());
        assert!(sightings.gone(at(39_999), |_| false).is_empty());
        assert_eq!(sightings.gone(at(40_000), |_| false), [ONE]);
        assert!(sightings.gone(at(60_000), |_| false).is_empty());
    }

    #[test]
    fn what_was_never_reported_does_not_leave() {
        let mut sightings = sightings();
        sightings.heard(ONE, at(0));
        assert!(sightings.gone(at(20_000), |_| false).is_empty());
        sightings.heard(ONE, at(20_000));
        assert!(sightings.clear().is_empty());
    }

    #[test]
    fn s11_however_many_strangers_there_are_a_device_is_looked_at() {
        let mut sightings = sightings();
        sightings.heard(ONE, at(0));
        sightings.reported(ONE);
        for number in 0..10_000_u32 {
            let [a, b, c, d] = number.to_be_bytes();
            assert!(sightings.heard(DeviceId([0, 1, a, b, c, d]), at(number.into())));
        }
        assert_eq!(sightings.devices.len(), STRANGERS_MAX + 1);
        assert!(sightings.devices.contains_key(&ONE), "strangers give way, devices do not");
        let newcomer = DeviceId([7; 6]);
        assert!(sightings.heard(newcomer, at(10_000)) && sightings.has_room(newcomer));
    }

    #[test]
    fn s11_devices_of_use_are_bounded_too() {
        let mut sightings = sightings();
        for number in 0..300_u32 {
            let [a, b, c, d] = number.to_be_bytes();
            let device = DeviceId([0, 1, a, b, c, d]);
            sightings.heard(device, at(0));
            if sightings.has_room(device) {
                sightings.reported(device);
            }
        }
        let reported = sightings.devices.values().filter(|sighting| sighting.reported).count();
        assert_eq!(reported, SIGHTINGS_MAX);
        assert!(sightings.has_room(DeviceId([0, 1, 0, 0, 0, 0])), "who has room keeps it");
    }
}
