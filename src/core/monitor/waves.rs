//! Samples of assigned devices, gathered into stretches.
//!
//! A stretch ends when it is long enough, at a gap, and when its rate or its owner changes.

use std::collections::BTreeMap;
use std::time::Duration;

use wardkeep_model::encounter::SubjectId;
use wardkeep_model::moment::{BootTime, Moment};
use wardkeep_model::vitals::DeviceId;
use wardkeep_model::vitals::wave::FULL_SCALE;

/// Longest stretch.
const STRETCH_S_MAX: usize = 10;
/// Most samples of a stretch, so that it fits a record of the inbox at any rate.
const SAMPLES_MAX: usize = 2_048;
/// The next sample is late by this much: samples are missing, and a stretch has no holes.
const GAP_MIN: Duration = Duration::from_millis(500);

/// Where samples come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WaveSource {
    pub(crate) device: DeviceId,
    pub(crate) subject: SubjectId,
    pub(crate) rate_hz: u16,
}

/// Consecutive samples.
pub(crate) struct Stretch {
    pub(crate) source: WaveSource,
    pub(crate) start: Moment,
    pub(crate) samples: Vec<u16>,
}

impl Stretch {
    fn len_max(&self) -> usize {
        (usize::from(self.source.rate_hz) * STRETCH_S_MAX).min(SAMPLES_MAX)
    }

    /// When the next sample is due.
    fn ends(&self) -> BootTime {
        self.start.boot + length(self.samples.len(), self.source.rate_hz)
    }
}

/// What is gathered at present, one stretch a device.
#[derive(Default)]
pub(crate) struct Waves {
    open: BTreeMap<DeviceId, Stretch>,
}

impl Waves {
    /// Takes samples as they came; gives back the stretches that ended.
    pub(crate) fn take(
        &mut self,
        now: Moment,
        source: WaveSource,
        samples: &[f32],
    ) -> Vec<Stretch> {
        let mut ended = Vec::new();
        let follows =
            |open: &Stretch| open.source == source && now.boot.since(open.ends()) < GAP_MIN;
        if !self.open.get(&source.device).is_none_or(follows) {
            ended.extend(self.open.remove(&source.device));
        }
        for (index, sample) in samples.iter().enumerate() {
            if !sample.is_finite() {
                // No sample: what follows it is another stretch.
                ended.extend(self.open.remove(&source.device));
                continue;
            }
            let stretch = self.open.entry(source.device).or_insert_with(|| Stretch {
                source,
                start: now + length(index, source.rate_hz),
                samples: Vec::new(),
            });
            stretch.samples.push(quantised(*sample));
            if stretch.samples.len() >= stretch.len_max() {
                ended.extend(self.open.remove(&source.device));
            }
        }
        ended
    }

    /// Ends every stretch, whatever it lacks.
    pub(crate) fn end_all(&mut self) -> Vec<Stretch> {
        std::mem::take(&mut self.open).into_values().collect()
    }

    /// Ends the stretches that are silent or whose device has another owner, or none.
    pub(crate) fn end(
        &mut self,
        now: Moment,
        owner: impl Fn(DeviceId) -> Option<SubjectId>,
    ) -> Vec<Stretch> {
        let goes_on = |open: &Stretch| {
            owner(open.source.device) == Some(open.source.subject)
                && now.boot.since(open.ends()) < GAP_MIN
        };
        self.open.extract_if(.., |_, open| !goes_on(open)).map(|(_, stretch)| stretch).collect()
    }
}

/// How long so many samples are.
fn length(samples: usize, rate_hz: u16) -> Duration {
    let samples = u32::try_from(samples).unwrap_or(u32::MAX);
    Duration::from_secs(1) * samples / u32::from(rate_hz.max(1))
}

#[expect(clippy::cast_possible_truncation, reason = "the clamp keeps it within 16 bits")]
fn quantised(sample: f32) -> u16 {
    (sample.clamp(0.0, 1.0) * f32::from(FULL_SCALE)).round() as u16
}
