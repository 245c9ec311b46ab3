//! The samples that go to the sound device: silence, a burst, perhaps its follower, silence again.
//!
//! It runs on the sound card's thread and never waits: the driver's thread leaves its [`Orders`] in
//! atomics. Nothing here knows the sound system, so that every cut and every follower is tested
//! sample by sample.

use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::speaker::sound;
use wardkeep_model::alarm::Priority;

/// Silence before a burst: sound servers swallow some milliseconds when a stream begins, and the first
/// pulse has to keep its attack.
const LEAD: Duration = Duration::from_millis(30);
/// Silence between a burst and a higher one that follows it at once (S-9 leaves no more).
const JOIN: Duration = Duration::from_millis(100);
/// Longest wait for what the device says it still holds.
const DRAIN_MAX: Duration = Duration::from_millis(500);

/// What the driver's thread asks of a running [`Feed`].
#[derive(Clone, Default)]
pub(super) struct Orders {
    /// The burst may end where it [`sound::cuts`].
    pub(super) cut: Arc<AtomicBool>,
    pub(super) follower: Arc<OnceLock<Arc<Burst>>>,
    /// The answer: the follower has begun.
    pub(super) followed: Arc<AtomicBool>,
}

/// Samples of one burst.
pub(super) struct Burst {
    pub(super) priority: Priority,
    samples: Vec<f32>,
    /// Positions at which it may end.
    cuts: RangeInclusive<usize>,
}

impl Burst {
    pub(super) fn new(rate_hz: u32, priority: Priority) -> Self {
        let samples = sound::burst(rate_hz, priority);
        Self { priority, samples, cuts: sound::cuts(rate_hz, priority) }
    }
}

/// Silence, a burst, perhaps its follower, and silence again.
#[derive(Clone)]
pub(super) struct Feed {
    /// Silent samples to give before the burst.
    lead: usize,
    burst: Arc<Burst>,
    position: usize,
    /// Silent samples given since the burst.
    silence: usize,
    /// Silent samples between a burst and its follower.
    join: usize,
    /// The end was heard and said: nothing begins any more.
    pub(super) ended: bool,
    orders: Orders,
}

impl Feed {
    pub(super) fn new(rate_hz: u32, priority: Priority, orders: Orders) -> Self {
        Self {
            lead: sound::length(rate_hz, LEAD),
            burst: Arc::new(Burst::new(rate_hz, priority)),
            position: 0,
            silence: 0,
            join: sound::length(rate_hz, JOIN),
            ended: false,
            orders,
        }
    }

    pub(super) fn next(&mut self) -> f32 {
        if self.lead > 0 {
            self.lead -= 1;
            return 0.0;
        }
        let may_end = self.burst.cuts.contains(&self.position);
        if may_end && self.orders.cut.load(Ordering::Relaxed) {
            self.position = self.burst.samples.len();
        }
        if let Some(sample) = self.burst.samples.get(self.position) {
            self.position += 1;
            return *sample;
        }
        if self.silence >= self.join && !self.ended && self.take_follower() {
            return self.next();
        }
        self.silence += 1;
        0.0
    }

    fn take_follower(&mut self) -> bool {
        let Some(follower) = self.orders.follower.get() else { return false };
        if self.orders.followed.swap(true, Ordering::Release) {
            return false;
        }
        self.burst = Arc::clone(follower);
        (self.position, self.silence) = (0, 0);
        true
    }

    /// Whether the end of the burst was heard, if a sample given now is heard after `delay` others.
    ///
    /// A portion of silence has to follow, because the last one is known to be taken only then. A device
    /// that tells nonsense about its delay is believed for [`DRAIN_MAX`].
    pub(super) fn is_heard(&self, delay: usize, rate_hz: u32) -> bool {
        let follows =
            self.orders.follower.get().is_some() && !self.orders.followed.load(Ordering::Relaxed);
        !follows
            && self.silence > 0
            && (delay <= self.silence || self.silence >= sound::length(rate_hz, DRAIN_MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn burst(samples: &[f32], cuts: RangeInclusive<usize>) -> Arc<Burst> {
        Arc::new(Burst { priority: Priority::High, samples: samples.to_vec(), cuts })
    }

    fn feed() -> Feed {
        let burst = burst(&[0.1, 0.2, 0.0, 0.4], 2..=3);
        Feed {
            lead: 0,
            burst,
            position: 0,
            silence: 0,
            join: 2,
            ended: false,
            orders: Orders::default(),
        }
    }

    fn take(feed: &mut Feed, count: usize) -> Vec<f32> {
        (0..count).map(|_| feed.next()).collect()
    }

    #[test]
    fn a_burst_is_fed_whole_between_silences() {
        assert_eq!(take(&mut Feed { lead: 1, ..feed() }, 6), [0.0, 0.1, 0.2, 0.0, 0.4, 0.0]);
    }

    #[test]
    fn a_burst_is_cut_where_it_may_be_and_nowhere_else() {
        for (cut_after, heard) in [
            (0, [0.1, 0.2, 0.0, 0.0]),
            (2, [0.1, 0.2, 0.0, 0.0]),
            (3, [0.1, 0.2, 0.0, 0.0]),
            (4, [0.1, 0.2, 0.0, 0.4]),
        ] {
            let mut feed = feed();
            let mut samples = take(&mut feed, cut_after);
            feed.orders.cut.store(true, Ordering::Relaxed);
            samples.extend(take(&mut feed, 4 - cut_after));
            assert_eq!(samples, heard, "cut after {cut_after}");
        }
        let mut wanted_again = feed();
        wanted_again.orders.cut.store(true, Ordering::Relaxed);
        assert_eq!(take(&mut wanted_again, 2), [0.1, 0.2]);
        wanted_again.orders.cut.store(false, Ordering::Relaxed);
        assert_eq!(take(&mut wanted_again, 2), [0.0, 0.4]);
    }

    #[test]
    fn s9_a_follower_begins_after_a_short_silence_and_only_once() {
        for late in [0, 4, 5, 6, 9] {
            let mut feed = feed();
            let mut samples = take(&mut feed, late);
            assert!(feed.orders.follower.set(burst(&[0.7, 0.8], 2..=2)).is_ok());
            assert!(!feed.is_heard(0, 48_000), "the follower is still to come");
            samples.extend(take(&mut feed, 12 - late));
            let silence = late.max(6) - 4;
            let begin = 4 + silence;
            assert_eq!(samples[..4], [0.1, 0.2, 0.0, 0.4]);
            assert!(samples[4..begin].iter().all(|sample| *sample == 0.0), "{samples:?}");
            assert_eq!(samples[begin..begin + 2], [0.7, 0.8], "set after {late}");
            assert!(samples[begin + 2..].iter().all(|sample| *sample == 0.0), "{samples:?}");
            assert!(feed.orders.followed.load(Ordering::Relaxed));
            assert!(feed.is_heard(0, 48_000));
        }
    }

    #[test]
    fn a_follower_that_comes_after_the_end_is_left_to_the_next_stream() {
        let mut feed = feed();
        take(&mut feed, 9);
        feed.ended = true;
        assert!(feed.orders.follower.set(burst(&[0.7], 1..=1)).is_ok());
        assert!(take(&mut feed, 9).iter().all(|sample| *sample == 0.0));
        assert!(!feed.orders.followed.load(Ordering::Relaxed));
    }

    #[test]
    fn a_burst_is_heard_when_the_device_holds_only_silence() {
        let mut feed = feed();
        take(&mut feed, 4);
        assert!(!feed.is_heard(0, 48_000), "the last portion is not taken yet");
        take(&mut feed, 100);
        assert!(!feed.is_heard(101, 48_000));
        assert!(feed.is_heard(100, 48_000));
        take(&mut feed, 24_000);
        assert!(feed.is_heard(usize::MAX, 48_000), "nonsense is not waited for");
    }
}
