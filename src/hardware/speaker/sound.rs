//! Alarm sounds as samples, and when the next one is due (IEC 60601-1-8, 6.3.3).
//!
//! Everything here is pure: [`burst`] makes samples, `Cadence` is told what is wanted and what the
//! loudspeaker did, and says when to play. The driver and `wardkeepctl alarm render` share both, so
//! what biomed staff measure in the file is what the cart plays.
//!
//! ```text
//! high    ***   **      ***   **     two groups of 3 + 2
//! medium  * * *
//! low     * *
//! ```
//!
//! S-9: a condition that begins, or a higher priority, is due in the same step; a running medium or
//! low burst is shorter than 0.8 s, so that waiting for its end still leaves time.

use std::io::{self, Write};
use std::ops::RangeInclusive;
use std::time::Duration;

use wardkeep_model::alarm::Priority;
use wardkeep_model::moment::BootTime;

/// Pulse length t_d, between the 90 % points (75-200 ms for high, 125-250 ms for medium and low).
const PULSE: Duration = Duration::from_millis(140);
/// Full length of the linear attack: 10 % to 90 % takes 19.6 ms, which is 14 % of [`PULSE`] (10-20 %
/// are asked for, and every instrument smooths, which makes it look longer).
const ATTACK: Duration = Duration::from_micros(24_500);
/// Full length of the linear release: 90 % to 10 % takes 14 ms.
const RELEASE: Duration = Duration::from_micros(17_500);

/// Spacing t_s inside a group of a high burst (50-125 ms).
const HIGH_SPACING: Duration = Duration::from_millis(100);
/// Spacing between the two parts of a group: twice the spacing and a pulse left out.
const HIGH_REST: Duration = Duration::from_millis(2 * 100 + 140);
/// Spacing between the two groups (0.35-1.30 s).
const HIGH_PAUSE: Duration = Duration::from_millis(700);
/// Spacing of medium and low bursts (125-250 ms).
const SLOW_SPACING: Duration = Duration::from_millis(160);

/// Spacings of the first group of a high burst; the least of it that may be heard.
const HIGH_GROUP: &[Duration] = &[HIGH_SPACING, HIGH_SPACING, HIGH_REST, HIGH_SPACING];
const HIGH: &[Duration] = &[
    HIGH_SPACING,
    HIGH_SPACING,
    HIGH_REST,
    HIGH_SPACING,
    HIGH_PAUSE,
    HIGH_SPACING,
    HIGH_SPACING,
    HIGH_REST,
    HIGH_SPACING,
];
const MEDIUM: &[Duration] = &[SLOW_SPACING, SLOW_SPACING];
const LOW: &[Duration] = &[SLOW_SPACING];

/// Fundamental: C4, the note of the general alarm melody (150-1000 Hz).
const FUNDAMENTAL_HZ: f64 = 261.63;
/// Amplitudes of the fundamental and its harmonics. Five lie in 300-4000 Hz within 10 dB of it, so
/// that the note is still heard from a small loudspeaker that cannot play the fundamental.
const PARTIALS: [f64; 6] = [1.0, 0.7, 0.6, 0.5, 0.4, 0.35];
/// Largest sample of a burst, of full scale: loud, with room for a resampler to overshoot.
const PEAK: f64 = 0.85;

/// Shortest silence between two bursts of different priorities, when the lower one follows: the
/// shortest interval between bursts in the standard.
pub(super) const CHANGE_GAP: Duration = Duration::from_millis(2_500);

/// Silence from the end of a burst to the begin of the next one of the same priority.
///
/// The more urgent, the shorter. A low burst repeats too (it may, after more than 15 s): a battery
/// that runs flat must not depend on somebody having been in the room at its first sound.
pub fn interval(priority: Priority) -> Duration {
    match priority {
        Priority::High => Duration::from_secs(4),
        Priority::Medium => Duration::from_secs(10),
        Priority::Low => Duration::from_secs(30),
    }
}

/// One burst at `rate_hz` samples per second, mono, in -1.0..=1.0; it begins and ends in silence.
pub fn burst(rate_hz: u32, priority: Priority) -> Vec<f32> {
    let spacings = match priority {
        Priority::High => HIGH,
        Priority::Medium => MEDIUM,
        Priority::Low => LOW,
    };
    pulses(rate_hz, spacings)
}

/// Where in [`burst`] it may end when its condition has ended: in the pause between the groups of a
/// high burst, which is the half that has to be heard; at the end of the others.
pub(super) fn cuts(rate_hz: u32, priority: Priority) -> RangeInclusive<usize> {
    let half = pulses(rate_hz, HIGH_GROUP).len();
    let whole = burst(rate_hz, priority).len();
    match priority {
        Priority::High => half..=whole - half,
        Priority::Medium | Priority::Low => whole..=whole,
    }
}

/// What the loudspeaker plays while a condition lasts: two bursts and the interval between them.
pub fn two_bursts(rate_hz: u32, priority: Priority) -> Vec<f32> {
    let first = burst(rate_hz, priority);
    let mut samples = first.clone();
    samples.resize(samples.len() + length(rate_hz, interval(priority)), 0.0);
    samples.extend(first);
    samples
}

/// Writes a mono WAV file with 16-bit PCM samples (RIFF, format tag 1).
///
/// # Errors
/// What `out` says, or `InvalidInput` when the samples do not fit into a WAV file (4 GiB).
pub fn write_wav(out: &mut impl Write, rate_hz: u32, samples: &[f32]) -> io::Result<()> {
    const HEADER_AFTER_SIZE: u32 = 36;
    let too_long = || io::Error::new(io::ErrorKind::InvalidInput, "too long for a WAV file");
    let bytes = u32::try_from(samples.len()).ok().and_then(|count| count.checked_mul(2));
    let bytes = bytes.ok_or_else(too_long)?;
    let riff_size = bytes.checked_add(HEADER_AFTER_SIZE).ok_or_else(too_long)?;
    let bytes_per_second = rate_hz.checked_mul(2).ok_or_else(too_long)?;
    out.write_all(b"RIFF")?;
    out.write_all(&riff_size.to_le_bytes())?;
    out.write_all(b"WAVEfmt ")?;
    out.write_all(&16_u32.to_le_bytes())?; // Length of the format chunk.
    out.write_all(&1_u16.to_le_bytes())?; // PCM.
    out.write_all(&1_u16.to_le_bytes())?; // Channels.
    out.write_all(&rate_hz.to_le_bytes())?;
    out.write_all(&bytes_per_second.to_le_bytes())?;
    out.write_all(&2_u16.to_le_bytes())?; // Bytes per frame.
    out.write_all(&16_u16.to_le_bytes())?; // Bits per sample.
    out.write_all(b"data")?;
    out.write_all(&bytes.to_le_bytes())?;
    for sample in samples {
        out.write_all(&pcm16(*sample).to_le_bytes())?;
    }
    Ok(())
}

#[expect(clippy::cast_possible_truncation, reason = "a float to integer cast saturates")]
fn pcm16(sample: f32) -> i16 {
    (sample * f32::from(i16::MAX)).round() as i16
}

/// Samples per channel in a stretch of time.
pub(super) fn length(rate_hz: u32, time: Duration) -> usize {
    let samples = time.as_nanos() * u128::from(rate_hz) / 1_000_000_000;
    usize::try_from(samples).unwrap_or(usize::MAX)
}

/// Pulses with these spacings between them.
fn pulses(rate_hz: u32, spacings: &[Duration]) -> Vec<f32> {
    let pulse = pulse(rate_hz);
    // A spacing counts from 90 % of a release to 90 % of the next attack, so that 90 % of each
    // belongs to it.
    let slopes = (ATTACK + RELEASE) * 9 / 10;
    let mut samples = pulse.clone();
    for spacing in spacings {
        let silence = length(rate_hz, spacing.saturating_sub(slopes));
        samples.resize(samples.len() + silence, 0.0);
        samples.extend(&pulse);
    }
    samples
}

/// One pulse, from silence to silence.
#[expect(clippy::cast_possible_truncation, reason = "f32 holds more bits than any sound card")]
#[expect(clippy::cast_precision_loss, reason = "a pulse has some thousand samples")]
fn pulse(rate_hz: u32) -> Vec<f32> {
    // t_d takes in the last tenth of the attack and the first of the release.
    let plateau = PULSE.saturating_sub((ATTACK + RELEASE) / 10);
    let attack = length(rate_hz, ATTACK);
    let release_at = attack + length(rate_hz, plateau);
    let end = release_at + length(rate_hz, RELEASE);
    let shape = |index: usize| {
        if index < attack {
            index as f64 / attack as f64
        } else if index < release_at {
            1.0
        } else {
            (end - index) as f64 / (end - release_at) as f64
        }
    };
    let rate = f64::from(rate_hz);
    let samples: Vec<f64> =
        (0..end).map(|index| shape(index) * tone(rate, index as f64 / rate)).collect();
    let loudest = samples.iter().fold(f64::MIN_POSITIVE, |most, sample| most.max(sample.abs()));
    samples.iter().map(|sample| (sample * PEAK / loudest) as f32).collect()
}

/// The note at a time in seconds; partials that the sample rate cannot carry are left out.
fn tone(rate_hz: f64, time_s: f64) -> f64 {
    let mut sum = 0.0;
    let mut frequency_hz = 0.0;
    for amplitude in PARTIALS {
        frequency_hz += FUNDAMENTAL_HZ;
        if frequency_hz < rate_hz / 2.0 {
            sum += amplitude * (std::f64::consts::TAU * frequency_hz * time_s).sin();
        }
    }
    sum
}

/// When the next burst is due, and whether the running one may end early.
#[derive(Debug, Default)]
pub(super) struct Cadence {
    wanted: Option<Priority>,
    playing: Option<Priority>,
    due: BootTime,
    last_end: Option<BootTime>,
}

impl Cadence {
    /// States the highest priority that has to be heard; `None` is silence.
    pub(super) fn want(&mut self, now: BootTime, wanted: Option<Priority>) {
        let before = std::mem::replace(&mut self.wanted, wanted);
        let Some(wanted) = wanted else { return };
        if before == Some(wanted) {
            return;
        }
        let apart = self.last_end.map_or(now, |end| end + CHANGE_GAP);
        self.due = if before > Some(wanted) { apart.max(now) } else { now };
    }

    /// Which burst is due next, and when; `None` while one is playing or nothing is wanted.
    pub(super) fn next(&self) -> Option<(Priority, BootTime)> {
        if self.playing.is_some() {
            return None;
        }
        self.wanted.map(|priority| (priority, self.due))
    }

    /// The priority that has to follow the running burst at once, because it is higher.
    pub(super) fn follower(&self) -> Option<Priority> {
        self.wanted.filter(|wanted| self.playing.is_some_and(|playing| *wanted > playing))
    }

    /// A burst of this priority has begun.
    pub(super) fn begin(&mut self, priority: Priority) {
        self.playing = Some(priority);
    }

    /// The running burst has come to its end, whole or cut.
    pub(super) fn end(&mut self, now: BootTime) {
        let Some(played) = self.playing.take() else { return };
        self.last_end = Some(now);
        let Some(wanted) = self.wanted else { return };
        self.due = match wanted.cmp(&played) {
            std::cmp::Ordering::Greater => now,
            std::cmp::Ordering::Equal => now + interval(wanted),
            std::cmp::Ordering::Less => now + CHANGE_GAP,
        };
    }

    /// The running burst was not heard: it is due again.
    pub(super) fn fail(&mut self, now: BootTime) {
        self.playing = None;
        self.due = now;
    }

    /// The running burst may end where it [`cuts`]: its priority is not the wanted one any more.
    pub(super) fn may_cut(&self) -> bool {
        self.playing.is_some() && self.playing != self.wanted
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Priority::{High, Low, Medium};

    fn at(milliseconds: u64) -> BootTime {
        BootTime(Duration::from_millis(milliseconds))
    }

    /// Plays whatever is due at `now` for `length` ms.
    fn play(cadence: &mut Cadence, now: u64, length: u64) -> Option<Priority> {
        let (priority, due) = cadence.next()?;
        if due > at(now) {
            return None;
        }
        cadence.begin(priority);
        cadence.end(at(now + length));
        Some(priority)
    }

    #[test]
    fn a_burst_repeats_after_its_interval() {
        for priority in [Low, Medium, High] {
            let mut cadence = Cadence::default();
            assert_eq!(cadence.next(), None);
            cadence.want(at(7), Some(priority));
            assert_eq!(cadence.next(), Some((priority, at(7))));
            assert_eq!(play(&mut cadence, 7, 800), Some(priority));
            let due = at(807) + interval(priority);
            assert_eq!(cadence.next(), Some((priority, due)));
            cadence.want(at(900), Some(priority));
            assert_eq!(cadence.next(), Some((priority, due)), "saying it again changes nothing");
            cadence.want(at(1_000), None);
            assert_eq!(cadence.next(), None);
        }
    }

    #[test]
    fn s9_a_higher_priority_is_due_at_once_and_after_a_running_burst() {
        let mut cadence = Cadence::default();
        cadence.want(at(0), Some(Low));
        assert_eq!(play(&mut cadence, 0, 400), Some(Low));
        cadence.want(at(1_000), Some(Medium));
        assert_eq!(cadence.next(), Some((Medium, at(1_000))));
        cadence.begin(Medium);
        cadence.want(at(1_100), Some(High));
        assert_eq!(cadence.next(), None, "the running burst completes");
        assert_eq!(cadence.follower(), Some(High));
        cadence.end(at(1_800));
        assert_eq!(cadence.next(), Some((High, at(1_800))));
    }

    #[test]
    fn s9_a_condition_that_begins_again_is_due_at_once() {
        let mut cadence = Cadence::default();
        cadence.want(at(0), Some(Low));
        assert_eq!(play(&mut cadence, 0, 400), Some(Low));
        cadence.want(at(500), None);
        cadence.want(at(600), Some(Low));
        assert_eq!(cadence.next(), Some((Low, at(600))));
    }

    #[test]
    fn a_lower_priority_keeps_apart_from_the_burst_before() {
        let mut cadence = Cadence::default();
        cadence.want(at(0), Some(High));
        cadence.begin(High);
        assert!(!cadence.may_cut());
        cadence.want(at(100), Some(Medium));
        assert!(cadence.may_cut());
        assert_eq!(cadence.follower(), None);
        cadence.end(at(1_400));
        assert_eq!(cadence.next(), Some((Medium, at(3_900))));
        cadence.want(at(2_000), Some(Low));
        assert_eq!(cadence.next(), Some((Low, at(3_900))));
        cadence.want(at(9_000), Some(High));
        cadence.want(at(9_001), Some(Low));
        assert_eq!(cadence.next(), Some((Low, at(9_001))), "long enough ago");
    }

    #[test]
    fn a_burst_that_was_not_heard_is_due_again() {
        let mut cadence = Cadence::default();
        cadence.want(at(0), Some(Medium));
        cadence.begin(Medium);
        cadence.fail(at(50));
        assert_eq!(cadence.next(), Some((Medium, at(50))));
    }

    #[test]
    fn a_high_burst_may_end_in_the_pause_between_its_groups_only() {
        for rate_hz in [8_000, 44_100, 48_000] {
            let burst = burst(rate_hz, High);
            let (from, to) = cuts(rate_hz, High).into_inner();
            assert!(burst[from..to].iter().all(|sample| *sample == 0.0));
            let half = length(rate_hz, Duration::from_millis(650));
            assert!(from.abs_diff(to).abs_diff(half) < half / 10, "{rate_hz}");
            assert!(burst[from - 9..from].iter().any(|sample| *sample != 0.0));
            assert!(burst[to..to + 9].iter().any(|sample| *sample != 0.0));
        }
        assert_eq!(cuts(48_000, Low), 22_933..=22_933, "the whole of a low burst");
        assert_eq!(burst(48_000, Low).len(), 22_933);
    }

    #[test]
    fn every_sample_rate_gives_a_burst_or_none() {
        for rate_hz in [0, 1, 100, 8_000, 11_025, 44_100, 192_000] {
            let samples = burst(rate_hz, High);
            assert!(samples.iter().all(|sample| sample.is_finite() && sample.abs() < 0.9));
            assert_eq!(samples.iter().any(|sample| *sample != 0.0), rate_hz >= 8_000, "{rate_hz}");
        }
    }

    #[test]
    fn a_wav_file_is_written_byte_by_byte_as_specified() {
        let mut file = Vec::new();
        write_wav(&mut file, 8_000, &[0.0, 1.0, -1.0, 2.0]).unwrap();
        let header = b"RIFF\x2c\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data\x08\0\0\0";
        assert_eq!(&file[..44], header);
        assert_eq!(&file[44..], b"\0\0\xff\x7f\x01\x80\xff\x7f");
    }
}
