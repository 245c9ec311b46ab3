//! Measures alarm sounds the way a laboratory would: from the samples alone, by envelope and
//! spectrum, with no knowledge of how they were made.

/// One pulse, times in seconds from the first sample.
#[derive(Clone, Copy, Debug)]
pub struct Pulse {
    pub rise_10: f64,
    pub rise_90: f64,
    pub fall_90: f64,
    pub fall_10: f64,
    /// Root mean square of the loudest period.
    pub level: f64,
}

impl Pulse {
    /// t_d.
    pub fn length(&self) -> f64 {
        self.fall_90 - self.rise_90
    }
    /// t_r.
    pub fn rise(&self) -> f64 {
        self.rise_90 - self.rise_10
    }
    /// t_f.
    pub fn fall(&self) -> f64 {
        self.fall_10 - self.fall_90
    }
}

/// t_s between each pulse and the next.
pub fn spacings(pulses: &[Pulse]) -> Vec<f64> {
    pulses.windows(2).map(|pair| pair[1].rise_90 - pair[0].fall_90).collect()
}

/// The sample at a time.
#[expect(clippy::cast_possible_truncation, reason = "rounding down to a sample is meant")]
pub fn index_at(seconds: f64, rate_hz: f64) -> usize {
    (seconds * rate_hz) as usize
}

/// Root mean square over a window of `window_s` around each sample.
fn envelope(samples: &[f32], rate_hz: f64, window_s: f64) -> Vec<f64> {
    let half = index_at(window_s / 2.0, rate_hz);
    let mut sums = vec![0.0];
    for sample in samples {
        sums.push(sums[sums.len() - 1] + f64::from(*sample).powi(2));
    }
    (0..samples.len())
        .map(|index| {
            let (from, to) = (index.saturating_sub(half), (index + half).min(samples.len()));
            ((sums[to] - sums[from]).max(0.0) / (2.0 * half as f64)).sqrt()
        })
        .collect()
}

/// All pulses louder than a tenth of the loudest.
pub fn pulses(samples: &[f32], rate_hz: u32) -> Vec<Pulse> {
    let rate = f64::from(rate_hz);
    let first_pass = envelope(samples, rate, 0.02);
    let loudest = (0..samples.len()).max_by(|a, b| first_pass[*a].total_cmp(&first_pass[*b]));
    let Some(loudest) = loudest.filter(|index| first_pass[*index] > 0.001) else { return vec![] };
    // A window of one period of the note neither ripples nor smears.
    let steady = &samples[loudest.saturating_sub(2_000)..(loudest + 2_000).min(samples.len())];
    let envelope = envelope(samples, rate, 1.0 / fundamental(steady, rate_hz));
    let peak = envelope.iter().copied().fold(0.0, f64::max);
    let mut found = Vec::new();
    let mut index = 0;
    while index < envelope.len() {
        if envelope[index] < 0.1 * peak {
            index += 1;
            continue;
        }
        let begin = index;
        while index < envelope.len() && envelope[index] >= 0.1 * peak {
            index += 1;
        }
        found.push(pulse(&envelope, begin, index, rate));
    }
    found
}

/// The pulse in `begin..end`, with its own plateau as 100 %.
fn pulse(envelope: &[f64], begin: usize, end: usize, rate: f64) -> Pulse {
    let mut levels = envelope[begin..end].to_vec();
    levels.sort_by(f64::total_cmp);
    let level = levels[levels.len() / 2];
    let first = |share: f64| {
        let index = (begin..end).find(|i| envelope[*i] >= share * level).expect("reaches it");
        between(envelope, index.saturating_sub(1), index, share * level) / rate
    };
    let last = |share: f64| {
        let index = (begin..end).rev().find(|i| envelope[*i] >= share * level).expect("reaches it");
        between(envelope, index, (index + 1).min(envelope.len() - 1), share * level) / rate
    };
    Pulse {
        rise_10: first(0.1),
        rise_90: first(0.9),
        fall_90: last(0.9),
        fall_10: last(0.1),
        level,
    }
}

/// Where the line from sample `a` to sample `b` crosses `level`.
fn between(envelope: &[f64], a: usize, b: usize, level: f64) -> f64 {
    let step = envelope[b] - envelope[a];
    if step == 0.0 { b as f64 } else { a as f64 + (level - envelope[a]) / step }
}

/// Amplitude at one frequency (Goertzel, with a Hann window).
pub fn amplitude(samples: &[f32], rate_hz: u32, frequency_hz: f64) -> f64 {
    let count = samples.len() as f64;
    let omega = std::f64::consts::TAU * frequency_hz / f64::from(rate_hz);
    let (mut one, mut two) = (0.0, 0.0);
    for (index, sample) in samples.iter().enumerate() {
        let hann = 0.5 - 0.5 * (std::f64::consts::TAU * index as f64 / count).cos();
        let zero = f64::from(*sample) * hann + 2.0 * omega.cos() * one - two;
        (two, one) = (one, zero);
    }
    let power = one * one + two * two - 2.0 * omega.cos() * one * two;
    power.max(0.0).sqrt() * 4.0 / count
}

/// The lowest frequency with a spectral peak within 30 dB of the strongest one, in Hz.
pub fn fundamental(samples: &[f32], rate_hz: u32) -> f64 {
    const STEP_HZ: usize = 8;
    let at = |hz: f64| amplitude(samples, rate_hz, hz);
    let coarse: Vec<f64> = (0..500).map(|step| at((step * STEP_HZ) as f64)).collect();
    let strongest = coarse.iter().copied().fold(0.0, f64::max);
    let lowest = (5..coarse.len() - 5).find(|index| {
        let here = coarse[*index];
        here > strongest * 0.03 && coarse[index - 5..=index + 5].iter().all(|near| *near <= here)
    });
    let centre = lowest.expect("a peak") * STEP_HZ;
    let fine = (centre - STEP_HZ..=centre + STEP_HZ).map(|hz| hz as f64);
    fine.max_by(|a, b| at(*a).total_cmp(&at(*b))).expect("not empty")
}

/// Ratio in dB.
pub fn decibels(ratio: f64) -> f64 {
    20.0 * ratio.log10()
}
