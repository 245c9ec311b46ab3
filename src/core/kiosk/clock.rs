//! What is known of the clocks: whether the wall clock was ever set, that it was set while somebody was
//! watched, and that nobody was watched for a while.
//!
//! Nothing at the bed depends on the wall clock. It is told where it says something wrong, because people
//! read it and records carry it.

use std::time::Duration;

use jiff::SignedDuration;

use wardkeep_model::alarm::Priority;
use wardkeep_model::moment::{BootTime, ClockState, Moment};

use crate::alarms::{AlarmText, Condition, Fact};

/// A difference like this between the two clocks is a step; time servers correct smaller ones slowly.
const STEP_MIN: SignedDuration = SignedDuration::from_millis(1_500);
/// The clocks drift apart by this much where somebody corrects the wall clock slowly.
const SLEW_MIN: SignedDuration = SignedDuration::from_millis(20);
/// That the clock was set is said on the lock screen for so long.
const STEPPED_FOR: Duration = Duration::from_secs(600);
/// The core is asked once a second: after so long without, it did not watch.
pub(super) const UNWATCHED_MIN: Duration = Duration::from_secs(5);

/// What was noticed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Noticed {
    /// The wall clock was set by so much.
    pub(super) step: Option<SignedDuration>,
    /// Nobody was watched for so long.
    pub(super) unwatched: Option<Duration>,
}

/// Both clocks, as the core was told of them.
#[derive(Debug, Default)]
pub(super) struct Clocks {
    last: Option<Moment>,
    /// What the wall clock has drifted from the other since it was set last.
    drift: SignedDuration,
    /// When it was set last.
    stepped: Option<BootTime>,
    /// The longest stretch without anybody watching that nobody has seen, and how many there were.
    unwatched: Option<Duration>,
    gaps: u64,
}

impl Clocks {
    /// What both clocks show.
    pub(super) fn observe(&mut self, now: Moment) -> Noticed {
        let Some(last) = self.last.replace(now) else { return Noticed::default() };
        let passed = now.boot.since(last.boot);
        let by_wall = now.wall.duration_since(last.wall);
        let apart = by_wall.saturating_sub(SignedDuration::try_from(passed).unwrap_or_default());
        let mut noticed = Noticed::default();
        if apart.abs() >= STEP_MIN {
            self.drift = SignedDuration::ZERO;
            self.stepped = Some(now.boot);
            noticed.step = Some(apart);
        } else {
            self.drift = self.drift.saturating_add(apart);
        }
        if passed >= UNWATCHED_MIN {
            self.miss(passed);
            noticed.unwatched = Some(passed);
        }
        noticed
    }

    /// Nobody was watched for so long.
    pub(super) fn miss(&mut self, length: Duration) {
        self.unwatched = Some(self.unwatched.unwrap_or_default().max(length));
        self.gaps += 1;
    }

    /// How the wall clock stands.
    pub(super) fn state(&self, now: Moment) -> ClockState {
        if !ClockState::is_possible(now.wall) {
            ClockState::NeverSet
        } else if self.stepped.is_some_and(|at| now.boot.since(at) < STEPPED_FOR) {
            ClockState::Stepped
        } else if self.drift.abs() >= SLEW_MIN {
            ClockState::Slewing
        } else {
            ClockState::Set
        }
    }

    /// What of it may be an alarm condition.
    pub(super) fn facts(&self, now: Moment) -> Vec<Fact> {
        let mut facts = Vec::new();
        if self.state(now) == ClockState::NeverSet {
            let (condition, text) = (Condition::ClockUnset, AlarmText::ClockUnset);
            facts.push(Fact::at_once(condition, Priority::Low, text));
        }
        if let Some(length) = self.unwatched {
            let text = AlarmText::Unwatched { length };
            let fact = Fact::at_once(Condition::Unwatched, Priority::Medium, text);
            facts.push(Fact { amount: self.gaps, ..fact });
        }
        facts
    }

    /// Somebody has seen this condition.
    pub(super) fn acknowledge(&mut self, condition: Condition) {
        if condition == Condition::Unwatched {
            self.unwatched = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn at(boot_ms: u64, wall_ms: i64) -> Moment {
        let wall = Timestamp::from_millisecond(1_800_000_000_000 + wall_ms).expect("in range");
        Moment { boot: BootTime(Duration::from_millis(boot_ms)), wall }
    }

    #[test]
    fn a_step_is_noticed_once_and_said_for_a_while() {
        let mut clocks = Clocks::default();
        assert_eq!(clocks.observe(at(0, 0)), Noticed::default());
        assert_eq!(clocks.observe(at(1_000, 1_000)), Noticed::default());
        let back = clocks.observe(at(2_000, 2_000 - 3_600_000));
        assert_eq!(back.step, Some(SignedDuration::from_hours(-1)));
        let now = at(3_000, 3_000 - 3_600_000);
        assert_eq!(clocks.observe(now), Noticed::default());
        assert_eq!(clocks.state(now), ClockState::Stepped);
        assert_eq!(clocks.facts(now), vec![], "nothing at the bed depends on it");
        let later = at(700_000, 700_000 - 3_600_000);
        assert_eq!(clocks.state(later), ClockState::Set);
    }

    #[test]
    fn a_clock_that_is_corrected_slowly_is_no_step() {
        let mut clocks = Clocks::default();
        for second in 0..200_u64 {
            let slewed = i64::try_from(second / 2).expect("small");
            let boot = second * 1_000;
            let noticed = clocks.observe(at(boot, i64::try_from(boot).expect("small") + slewed));
            assert_eq!(noticed.step, None);
        }
        assert_eq!(clocks.state(at(199_000, 199_100)), ClockState::Slewing);
    }

    #[test]
    fn a_clock_that_was_never_set_is_an_alarm_and_its_setting_is_none() {
        let mut clocks = Clocks::default();
        let unset = Moment { wall: Timestamp::UNIX_EPOCH, ..at(0, 0) };
        clocks.observe(unset);
        assert_eq!(clocks.state(unset), ClockState::NeverSet);
        assert_eq!(clocks.facts(unset).len(), 1);
        let set = at(1_000, 0);
        assert!(clocks.observe(set).step.is_some(), "for the audit log");
        assert_eq!((clocks.state(set), clocks.facts(set)), (ClockState::Stepped, vec![]));
    }

    #[test]
    fn a_stretch_without_anybody_watching_is_noticed() {
        let mut clocks = Clocks::default();
        clocks.observe(at(0, 0));
        assert_eq!(clocks.observe(at(60_000, 60_000)).unwatched, Some(Duration::from_secs(60)));
        assert!(matches!(clocks.facts(at(60_000, 60_000)).as_slice(), [fact]
            if fact.condition == Condition::Unwatched));
    }
}
