//! Whether there is a pulse: what an oximeter's frames say of it, and whether its wave is flat.

use std::collections::VecDeque;
use std::time::Duration;

use wardkeep_model::moment::BootTime;

/// What a frame said counts for so long.
const FRESH: Duration = Duration::from_secs(4);
/// A wave has to be flat for so long.
const WINDOW: Duration = Duration::from_secs(3);
/// Samples that are this close together are flat, of 0.0..=1.0.
const FLAT: f32 = 0.05;

/// Of one oximeter.
#[derive(Debug, Default)]
pub(super) struct Pulse {
    /// When a frame came last, and whether it said that there is none.
    frame: Option<(BootTime, bool)>,
    /// Least and greatest sample of each stretch, oldest first.
    wave: VecDeque<(BootTime, f32, f32)>,
}

impl Pulse {
    pub(super) fn frame(&mut self, now: BootTime, is_pulseless: bool) {
        self.frame = Some((now, is_pulseless));
    }

    pub(super) fn wave(&mut self, now: BootTime, samples: &[f32]) {
        let least = samples.iter().copied().fold(f32::INFINITY, f32::min);
        let most = samples.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        self.wave.push_back((now, least, most));
        self.wave.retain(|(at, ..)| now.since(*at) <= WINDOW);
    }

    /// The sensor is on the patient, sees no pulse, and no wave says otherwise.
    pub(super) fn is_gone(&self, now: BootTime) -> bool {
        let said = self.frame.is_some_and(|(at, gone)| gone && now.since(at) < FRESH);
        said && self.is_flat(now) != Some(false)
    }

    /// Whether the wave is flat, if there is one.
    fn is_flat(&self, now: BootTime) -> Option<bool> {
        let lately = self.wave.iter().filter(|(at, ..)| now.since(*at) <= WINDOW);
        let span = lately.map(|(_, least, most)| (*least, *most));
        let (least, most) = span.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))?;
        Some(most - least < FLAT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> BootTime {
        BootTime(Duration::from_millis(ms))
    }

    #[test]
    fn a_pulse_is_gone_when_the_device_says_so_and_no_wave_says_otherwise() {
        let mut pulse = Pulse::default();
        assert!(!pulse.is_gone(at(0)));
        pulse.frame(at(0), true);
        assert!(pulse.is_gone(at(0)) && !pulse.is_gone(at(4_000)), "it grows old");
        pulse.wave(at(0), &[0.1, 0.9]);
        assert!(!pulse.is_gone(at(1)), "the wave beats");
        for n in 1..=40 {
            pulse.frame(at(n * 100), true);
            pulse.wave(at(n * 100), &[0.50, 0.51]);
        }
        assert!(pulse.is_gone(at(4_000)));
        pulse.frame(at(4_100), false);
        assert!(!pulse.is_gone(at(4_100)));
    }
}
