//! One end of a parameter over time: when it counts as crossed.
//!
//! A value has to be outside for its delay, and must be back for good before it is over, so that a value that
//! wavers around a limit is one alarm and neither ten nor none. Without a value nothing is over (S-12).

use std::time::Duration;

use wardkeep_model::moment::BootTime;

/// Inside by the parameter's margin for this long, it is over.
const CLEARLY: Duration = Duration::from_secs(3);
/// Inside at all for this long, it is over.
const BACK: Duration = Duration::from_secs(10);
/// What was outside for less than its delay is forgotten when there is no value for this long.
const FORGOTTEN: Duration = Duration::from_secs(30);

/// Where a value lies in relation to a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Beyond it.
    Outside,
    /// On it, or inside by less than the margin.
    Near,
    /// Inside by at least the margin.
    Inside,
}

/// One limit over time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Crossing {
    /// Since when values were outside, whatever came between for a moment.
    since: Option<BootTime>,
    /// Since when each value was inside, and since when clearly.
    back: Option<BootTime>,
    clearly: Option<BootTime>,
    lost: Option<BootTime>,
    crossed: bool,
}

impl Crossing {
    /// It counts as crossed.
    pub(super) fn is_crossed(self) -> bool {
        self.crossed
    }

    /// There is a value. True if it is outside again although it had been back for so long, part of it without
    /// a value, that it would have been over: whoever has seen it has seen what is past.
    pub(super) fn value(&mut self, now: BootTime, place: Place, delay: Duration) -> bool {
        self.lost = None;
        if place == Place::Outside {
            let is_again = self.crossed && self.is_over(now);
            (self.back, self.clearly) = (None, None);
            let since = *self.since.get_or_insert(now);
            self.crossed |= now >= since + delay;
            return is_again;
        }
        if self.since.is_some() {
            self.back.get_or_insert(now);
            self.clearly = (place == Place::Inside).then(|| self.clearly.unwrap_or(now));
            if self.is_over(now) {
                *self = Self::default();
            }
        }
        false
    }

    /// Values were back for so long, and none was outside.
    fn is_over(self, now: BootTime) -> bool {
        let for_so_long =
            |since: Option<BootTime>, length| since.is_some_and(|since| now >= since + length);
        for_so_long(self.back, BACK) || for_so_long(self.clearly, CLEARLY)
    }

    /// There is no value: nothing is over by that. Where somebody may die of it, what had begun goes on.
    pub(super) fn no_value(&mut self, now: BootTime, delay: Duration, is_extreme: bool) {
        let lost = *self.lost.get_or_insert(now);
        let Some(since) = self.since else { return };
        if !self.crossed && is_extreme {
            self.crossed = now >= since + delay;
        } else if !self.crossed && now >= lost + FORGOTTEN {
            *self = Self { lost: self.lost, ..Self::default() };
        }
    }

    /// When it changes by itself, while the value stays where it is.
    pub(super) fn deadline(self, delay: Duration) -> Option<BootTime> {
        let begins = self.since.filter(|_| !self.crossed && self.back.is_none());
        let over = [self.back.map(|at| at + BACK), self.clearly.map(|at| at + CLEARLY)];
        let over = over.map(|at| at.filter(|_| self.lost.is_none()));
        let forgotten = self.lost.filter(|_| self.since.is_some() && !self.crossed);
        let ends = over.into_iter().chain([forgotten.map(|at| at + FORGOTTEN)]);
        ends.flatten().chain(begins.map(|at| at + delay)).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DELAY: Duration = Duration::from_secs(10);

    fn at(second: u64) -> BootTime {
        BootTime(Duration::from_secs(second))
    }

    /// The seconds at which it began to count as crossed, and those at which it was over.
    fn changes(places: impl IntoIterator<Item = Place>) -> (Vec<u64>, Vec<u64>) {
        let (mut crossing, mut before) = (Crossing::default(), false);
        let (mut begun, mut over) = (vec![], vec![]);
        for (second, place) in (0..).zip(places) {
            crossing.value(at(second), place, DELAY);
            match (before, crossing.is_crossed()) {
                (false, true) => begun.push(second),
                (true, false) => over.push(second),
                _ => {}
            }
            before = crossing.is_crossed();
        }
        (begun, over)
    }

    #[test]
    fn s9_a_value_that_alternates_about_its_limit_is_one_alarm() {
        let places = (0..60).map(|second| match second % 2 {
            0 => Place::Outside,
            _ => Place::Near,
        });
        assert_eq!(changes(places), (vec![10], vec![]));
    }

    #[test]
    fn it_is_over_soon_when_clearly_inside_and_later_when_near() {
        let outside = [Place::Outside; 12];
        let clearly = outside.into_iter().chain([Place::Inside; 20]);
        assert_eq!(changes(clearly), (vec![10], vec![15]));
        let near = outside.into_iter().chain([Place::Near; 20]);
        assert_eq!(changes(near), (vec![10], vec![22]));
    }

    #[test]
    fn a_moment_outside_is_no_alarm() {
        let places = [Place::Outside; 3].into_iter().chain([Place::Inside; 20]);
        let often = places.cycle().take(23 * 5);
        assert_eq!(changes(often), (vec![], vec![]));
    }

    #[test]
    fn s9_what_was_back_before_its_value_was_lost_is_over_with_the_next_and_new_when_it_is_out_again()
     {
        let crossed = || {
            let mut crossing = Crossing::default();
            (0..=10).for_each(|second| {
                crossing.value(at(second), Place::Outside, DELAY);
            });
            crossing.value(at(11), Place::Inside, DELAY);
            crossing.no_value(at(12), DELAY, true);
            crossing
        };
        let mut back = crossed();
        assert!(back.is_crossed() && back.deadline(DELAY).is_none(), "not by having no value");
        assert!(!back.value(at(14), Place::Inside, DELAY) && !back.is_crossed());
        let mut out = crossed();
        assert!(out.value(at(14), Place::Outside, DELAY) && out.is_crossed(), "heard anew");
        assert!(!out.value(at(15), Place::Outside, DELAY), "once");
        // Back for a moment only: it is the same that goes on.
        let mut short = crossed();
        assert!(!short.value(at(13), Place::Outside, DELAY) && short.is_crossed());
    }

    #[test]
    fn s9_without_a_value_nothing_is_over_and_an_extreme_goes_on() {
        for (is_extreme, crossed) in [(true, true), (false, false)] {
            let mut crossing = Crossing::default();
            crossing.value(at(0), Place::Outside, DELAY);
            crossing.no_value(at(11), DELAY, is_extreme);
            assert_eq!(crossing.is_crossed(), crossed);
        }
        let mut crossing = Crossing::default();
        crossing.value(at(0), Place::Outside, Duration::ZERO);
        for second in 1..1000 {
            crossing.no_value(at(second), Duration::ZERO, false);
        }
        assert!(crossing.is_crossed());
    }
}
