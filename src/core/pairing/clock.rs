//! A device's own clock: how far it is from ours, that it was set, and whether that took.
//!
//! It is set at most once at a connection, and what it shows afterwards is read: at the same connection where the
//! device allows it, else at the next one. A device may say that it took the time and not have taken it. What it
//! stamped before it was set is reckoned by what it showed then.

use std::time::Duration;

use jiff::SignedDuration;

use wardkeep_model::moment::BootTime;

/// A clock that is farther from ours is set.
const OFF: SignedDuration = SignedDuration::from_secs(30);
/// No clock drifts by more than one part in so many: 86 seconds a day.
const DRIFT_MAX: i64 = 1_000;

/// When it was set, and what it showed before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Set {
    at: BootTime,
    before: SignedDuration,
    is_checked: bool,
}

/// One device's clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct DeviceClock {
    /// How far it is ahead of ours, as it was read at this connection.
    ahead: Option<SignedDuration>,
    /// It is one that can be set.
    can_be_set: bool,
    /// Somebody has tried to set it at this connection.
    is_tried: bool,
    /// When it was set last in this run.
    set: Option<Set>,
    /// It did not take the time, which was told.
    is_stubborn: bool,
}

/// How far a clock is ahead of ours, by what is known at this connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ahead {
    /// Now; nothing where nobody has read it.
    pub(crate) now: Option<SignedDuration>,
    /// Until so long ago, when it was set at this connection.
    pub(crate) before: Option<(SignedDuration, Duration)>,
}

impl DeviceClock {
    /// It was read. If it was set and nobody has looked since: whether that took, unless it is known not to.
    pub(super) fn read(
        &mut self,
        now: BootTime,
        ahead: SignedDuration,
        can_be_set: bool,
    ) -> Option<bool> {
        (self.ahead, self.can_be_set) = (Some(ahead), can_be_set);
        let set = self.set.as_mut().filter(|set| !set.is_checked)?;
        set.is_checked = true;
        let drifted = i64::try_from(now.since(set.at).as_secs()).unwrap_or(i64::MAX) / DRIFT_MAX;
        let took = ahead.abs() <= OFF.saturating_add(SignedDuration::from_secs(drifted));
        let was_stubborn = std::mem::replace(&mut self.is_stubborn, !took);
        (took || !was_stubborn).then_some(took)
    }

    /// It has to be set, and nobody has tried at this connection.
    pub(super) fn is_to_be_set(&self) -> bool {
        self.can_be_set && !self.is_tried && self.ahead.is_some_and(|ahead| ahead.abs() > OFF)
    }

    /// It is being set: what it shows after that nobody knows before it is read.
    pub(super) fn was_set(&mut self, now: BootTime) {
        if let Some(before) = self.ahead.take() {
            self.set = Some(Set { at: now, before, is_checked: false });
        }
        self.is_tried = true;
    }

    /// The device did not take the time: it goes on as before. True if that is news of the device.
    pub(super) fn was_not_set(&mut self, by_device: bool) -> bool {
        if let Some(set) = self.set.take_if(|set| !set.is_checked) {
            self.ahead = Some(set.before);
        }
        by_device && !std::mem::replace(&mut self.is_stubborn, true)
    }

    /// The link has ended. By the next one its battery may have been changed.
    pub(super) fn is_unlinked(&mut self) {
        (self.ahead, self.is_tried) = (None, false);
    }

    /// How far it is ahead of ours.
    pub(crate) fn ahead(&self, now: BootTime) -> Ahead {
        let set = self.set.filter(|_| self.is_tried);
        let before = set.map(|set| (set.before, now.since(set.at)));
        Ahead { now: self.ahead, before }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: u64) -> BootTime {
        BootTime(Duration::from_secs(second))
    }

    fn by(second: i64) -> SignedDuration {
        SignedDuration::from_secs(second)
    }

    #[test]
    fn a_clock_is_set_once_at_a_connection_and_what_it_shows_then_says_whether_it_took() {
        let mut clock = DeviceClock::default();
        assert!(!clock.is_to_be_set(), "nobody has read it");
        assert_eq!(clock.read(at(0), by(30), true), None);
        assert!(!clock.is_to_be_set());
        assert_eq!(clock.read(at(1), by(-3_600), true), None);
        assert!(clock.is_to_be_set());
        clock.was_set(at(2));
        assert!(!clock.is_to_be_set());
        assert_eq!(clock.ahead(at(5)).now, None);
        assert_eq!(clock.ahead(at(5)).before, Some((by(-3_600), Duration::from_secs(3))));
        assert_eq!(clock.read(at(3), by(-3_599), true), Some(false), "it said yes and did nothing");
        assert!(!clock.is_to_be_set(), "not again and again");
        clock.is_unlinked();
        assert_eq!(clock.read(at(9), by(-3_599), true), None, "that was told");
        assert!(clock.is_to_be_set());
        clock.was_set(at(10));
        assert_eq!(clock.read(at(11), by(-3_599), true), None, "nor was it told twice");
        clock.is_unlinked();
        clock.read(at(20), by(-3_599), true);
        clock.was_set(at(21));
        assert_eq!(clock.read(at(22), by(1), true), Some(true));
        assert_eq!(clock.ahead(at(22)).now, Some(by(1)));
    }

    #[test]
    fn what_cannot_be_read_back_is_read_at_the_next_connection() {
        for (ahead, days, took) in
            [(5, 0, true), (-86_400, 0, false), (600, 30, true), (600, 1, false)]
        {
            let mut clock = DeviceClock::default();
            clock.read(at(0), by(-86_400), true);
            clock.was_set(at(1));
            clock.is_unlinked();
            let later = at(days * 86_400 + 60);
            assert_eq!(clock.read(later, by(ahead), true), Some(took), "{ahead} after {days}");
        }
    }

    #[test]
    fn a_device_that_refuses_goes_on_by_its_own_time() {
        let mut clock = DeviceClock::default();
        clock.read(at(0), by(3_600), true);
        clock.was_set(at(1));
        assert!(!clock.was_not_set(false), "its link was cut");
        clock.is_unlinked();
        clock.read(at(0), by(3_600), true);
        clock.was_set(at(1));
        assert!(clock.was_not_set(true));
        assert_eq!(clock.ahead(at(2)), Ahead { now: Some(by(3_600)), before: None });
        assert!(!clock.is_to_be_set());
        clock.is_unlinked();
        clock.read(at(9), by(3_600), true);
        assert!(clock.is_to_be_set(), "it may have changed its mind");
        clock.was_set(at(10));
        assert!(!clock.was_not_set(true), "that is known");
        clock.was_set(at(11));
        assert_eq!(clock.read(at(12), by(0), true), Some(true));
    }
}
