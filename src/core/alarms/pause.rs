//! Pauses of the sound. Each is bounded, and so is their sum: whoever pauses again and again cannot keep an
//! alarm silent (S-9).

use std::collections::VecDeque;
use std::time::Duration;

use wardkeep_model::moment::BootTime;

/// Longest pause of the alarm sound.
pub const AUDIO_PAUSE_MAX: Duration = Duration::from_secs(120);
/// The sum of pauses is bounded in each stretch of this length.
pub const BUDGET_WINDOW: Duration = Duration::from_secs(3_600);

/// What was paused of the last hour, and what is.
#[derive(Debug)]
pub(super) struct Pauses {
    budget: Duration,
    /// Begin and end of each, oldest first; the last may end in the future.
    past: VecDeque<(BootTime, BootTime)>,
}

impl Pauses {
    pub(super) fn new(budget: Duration) -> Self {
        Self { budget, past: VecDeque::new() }
    }

    /// How much longer the sound is paused.
    pub(super) fn left(&self, now: BootTime) -> Option<Duration> {
        let (_, until) = self.past.back()?;
        Some(until.since(now)).filter(|left| !left.is_zero())
    }

    /// When the pause ends.
    pub(super) fn deadline(&self, now: BootTime) -> Option<BootTime> {
        self.left(now).map(|left| now + left)
    }

    /// How much may be paused of the hour that ends now.
    pub(super) fn budget_left(&self, now: BootTime) -> Duration {
        let window = now - BUDGET_WINDOW;
        let used = |(from, to): &(BootTime, BootTime)| (*to).min(now).since((*from).max(window));
        self.budget.saturating_sub(self.past.iter().map(used).sum())
    }

    /// Begins a pause, or lengthens the one that is; `None` where the hour's budget is used up.
    pub(super) fn begin(&mut self, now: BootTime) -> Option<Duration> {
        self.end(now);
        let window = now - BUDGET_WINDOW;
        self.past.retain(|(_, until)| *until > window);
        let length = self.budget_left(now).min(AUDIO_PAUSE_MAX);
        if length.is_zero() {
            return None;
        }
        self.past.push_back((now, now + length));
        Some(length)
    }

    /// The sound is back before its time.
    pub(super) fn end(&mut self, now: BootTime) {
        if let Some((from, until)) = self.past.back_mut().filter(|(_, until)| *until > now) {
            *until = (*from).max(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: u64) -> BootTime {
        BootTime(Duration::from_secs(second))
    }

    #[test]
    fn s9_the_sum_of_pauses_in_any_hour_is_bounded() {
        let budget = Duration::from_secs(240);
        let mut pauses = Pauses::new(budget);
        let mut silent = Vec::new();
        for second in 0..20_000_u64 {
            if second % 7 == 0 {
                let _refused = pauses.begin(at(second)).is_none();
            }
            if second % 500 == 0 {
                pauses.end(at(second));
            }
            silent.push(pauses.left(at(second)).is_some());
            let hour = silent.iter().rev().take(3_600).filter(|silent| **silent).count();
            assert!(hour <= 241, "{hour} s of the hour before second {second}");
        }
        assert!(silent.iter().filter(|silent| **silent).count() > 5 * 230, "it can be used");
    }

    #[test]
    fn a_pause_that_is_ended_costs_what_it_lasted() {
        let mut pauses = Pauses::new(Duration::from_secs(240));
        assert_eq!(pauses.begin(at(0)), Some(AUDIO_PAUSE_MAX));
        pauses.end(at(10));
        assert_eq!(pauses.left(at(10)), None);
        assert_eq!(pauses.begin(at(20)), Some(AUDIO_PAUSE_MAX));
        assert_eq!(pauses.begin(at(140)), Some(Duration::from_secs(110)));
        assert_eq!(pauses.begin(at(250)), None, "used up");
        assert_eq!(pauses.begin(at(3_611)), Some(Duration::from_secs(10)));
    }
}
