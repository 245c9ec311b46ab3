//! The simulated patient: four conditions of the body, moving smoothly from one to the next.
//!
//! Heart rate, oxygen saturation and perfusion approach the targets of the chosen [`State`]
//! exponentially, each at its own pace, and breathe: the heart quickens while the patient inhales
//! and the pulse wave rides on the chest. Beats are what the strap's RR intervals and the
//! oximeter's waveform are both made of, so the two agree with each other as on a real person.
//!
//! Pure: time is an argument and the seed decides everything else, so that the same script gives
//! the same patient twice.

use std::f64::consts::TAU;
use std::time::Duration;

use wardkeep_model::moment::BootTime;

/// Samples of the pulse wave, and of the ECG, per second.
pub const PLETH_RATE_HZ: u16 = 125;
/// One sample of the pulse wave.
const SAMPLE: Duration = Duration::from_millis(8);
const SAMPLE_S: f64 = 0.008;
/// A longer pause of the clock (a suspend) is skipped: nobody wants the waveform of last night.
const CATCH_UP_MAX: Duration = Duration::from_secs(2);
/// Without a beat for this long no instrument would still claim a rate.
const BEAT_WAIT_MAX_S: f64 = 2.5;

/// What the patient is going through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// At rest, nothing wrong.
    Calm,
    /// Hot, fast pulse, fast breathing.
    Fever,
    /// Oxygen saturation falls within half a minute.
    Desaturation,
    /// The heart stops, then the breathing.
    Arrest,
}

impl State {
    /// Every state, in the order in which a bench offers them.
    pub const ALL: [State; 4] = [State::Calm, State::Fever, State::Desaturation, State::Arrest];

    /// Where each value is heading.
    fn target(self) -> Truth {
        let (heart_rate_per_min, spo2_percent, breaths_per_min, temperature_celsius, perfusion) =
            match self {
                State::Calm => (72.0, 97.6, 14.0, 36.8, 0.80),
                State::Fever => (108.0, 95.4, 22.0, 39.2, 0.90),
                State::Desaturation => (118.0, 83.0, 28.0, 37.0, 0.45),
                State::Arrest => (0.0, 55.0, 0.0, 36.6, 0.0),
            };
        Truth { heart_rate_per_min, spo2_percent, breaths_per_min, temperature_celsius, perfusion }
    }

    /// Time constants in seconds, in the same places as the targets.
    fn pace(self) -> Truth {
        let (heart_rate_per_min, spo2_percent, breaths_per_min, temperature_celsius, perfusion) =
            match self {
                State::Calm => (6.0, 6.0, 6.0, 20.0, 4.0),
                State::Fever => (10.0, 10.0, 8.0, 20.0, 6.0),
                State::Desaturation => (8.0, 9.0, 6.0, 20.0, 8.0),
                State::Arrest => (4.0, 25.0, 5.0, 60.0, 2.5),
            };
        Truth { heart_rate_per_min, spo2_percent, breaths_per_min, temperature_celsius, perfusion }
    }
}

/// What is true of the patient at one instant, whatever an instrument makes of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Truth {
    /// Beats per minute, 0.0..=220.0; 0 means no heart beat.
    pub heart_rate_per_min: f64,
    /// Arterial oxygen saturation in percent, 50.0..=100.0.
    pub spo2_percent: f64,
    /// Breaths per minute, 0.0..=60.0.
    pub breaths_per_min: f64,
    /// Body temperature in degrees Celsius, 34.0..=42.0.
    pub temperature_celsius: f64,
    /// Strength of the pulse in the finger, 0.0..=1.0.
    pub perfusion: f64,
}

impl Truth {
    /// Moves every value towards `state`; exact for any length of time.
    fn approach(&mut self, state: State, seconds: f64) {
        let (target, pace) = (state.target(), state.pace());
        let near = |value: f64, target: f64, pace_s: f64| {
            target + (value - target) * (-seconds / pace_s).exp()
        };
        self.heart_rate_per_min =
            near(self.heart_rate_per_min, target.heart_rate_per_min, pace.heart_rate_per_min);
        self.spo2_percent = near(self.spo2_percent, target.spo2_percent, pace.spo2_percent);
        self.breaths_per_min =
            near(self.breaths_per_min, target.breaths_per_min, pace.breaths_per_min);
        self.temperature_celsius =
            near(self.temperature_celsius, target.temperature_celsius, pace.temperature_celsius);
        self.perfusion = near(self.perfusion, target.perfusion, pace.perfusion);
    }
}

/// What happened in the body since the last look.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stretch {
    /// Pulse wave at [`PLETH_RATE_HZ`], oldest first, each 0.0..=1.0.
    pub pleth: Vec<f32>,
    /// ECG (lead II) at [`PLETH_RATE_HZ`], oldest first, each 0.0..=1.0; 0.3 is the isoelectric line.
    pub ecg: Vec<f32>,
    /// Length of every heart cycle that ended, in seconds, oldest first.
    pub beats_s: Vec<f64>,
}

/// One simulated patient.
#[derive(Clone, Debug)]
pub struct Patient {
    state: State,
    levels: Truth,
    /// Position in the heart cycle, the breath and two slow wanderings, each 0.0..1.0.
    heart: f64,
    breath: f64,
    wander: [f64; 2],
    lived_to: Option<BootTime>,
    since_beat_s: Option<f64>,
}

impl Patient {
    /// A calm patient; the seed decides where in breath and beat the story starts.
    pub fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        Self {
            state: State::Calm,
            levels: State::Calm.target(),
            heart: dice.roll(),
            breath: dice.roll(),
            wander: [dice.roll(), dice.roll()],
            lived_to: None,
            since_beat_s: None,
        }
    }

    /// What the patient is heading for.
    pub fn state(&self) -> State {
        self.state
    }

    /// Begins to move towards `state`.
    pub fn set_state(&mut self, state: State) {
        self.state = state;
    }

    /// A beat came within the last two and a half seconds, so there is a rate to speak of.
    pub fn is_beating(&self) -> bool {
        self.since_beat_s.is_some_and(|seconds| seconds <= BEAT_WAIT_MAX_S)
    }

    /// What is true at this instant.
    pub fn truth(&self) -> Truth {
        let [minute, quarter] = self.wander.map(wave);
        // Breathing moves the heart only while there is breathing and a heart beat to move.
        let heart_swing = 1.0 + 0.035 * self.chest() + 0.015 * minute;
        Truth {
            heart_rate_per_min: (self.levels.heart_rate_per_min * heart_swing).clamp(0.0, 220.0),
            spo2_percent: (self.levels.spo2_percent + 0.5 * quarter).clamp(50.0, 100.0),
            breaths_per_min: self.levels.breaths_per_min.clamp(0.0, 60.0),
            temperature_celsius: (self.levels.temperature_celsius + 0.05 * minute)
                .clamp(34.0, 42.0),
            perfusion: (self.levels.perfusion * (1.0 + 0.06 * self.chest())).clamp(0.0, 1.0),
        }
    }

    /// Lives on until `now` and says what happened on the way.
    pub fn advance(&mut self, now: BootTime) -> Stretch {
        let mut stretch = Stretch::default();
        let mut at = self.lived_to.unwrap_or(now);
        if now.since(at) > CATCH_UP_MAX {
            self.levels.approach(self.state, now.since(at).as_secs_f64());
            self.since_beat_s = None;
            at = now;
        }
        while now.since(at) >= SAMPLE {
            at = at + SAMPLE;
            self.live_one_sample(&mut stretch);
        }
        self.lived_to = Some(at);
        stretch
    }

    fn live_one_sample(&mut self, stretch: &mut Stretch) {
        self.levels.approach(self.state, SAMPLE_S);
        let truth = self.truth();
        let [minute, quarter] = self.wander;
        self.wander = [(minute + SAMPLE_S / 53.0).fract(), (quarter + SAMPLE_S / 17.0).fract()];
        self.breath = (self.breath + truth.breaths_per_min / 60.0 * SAMPLE_S).fract();

        let beats_per_s = truth.heart_rate_per_min / 60.0;
        let heart = self.heart + beats_per_s * SAMPLE_S;
        self.since_beat_s = self.since_beat_s.map(|seconds| seconds + SAMPLE_S);
        if heart >= 1.0 {
            // The beat fell inside this sample: what is past it belongs to the next cycle.
            let past_s = (heart - 1.0) / beats_per_s;
            if let Some(seconds) = self.since_beat_s.filter(|seconds| *seconds <= BEAT_WAIT_MAX_S) {
                stretch.beats_s.push(seconds - past_s);
            }
            self.since_beat_s = Some(past_s);
        }
        self.heart = heart.fract();
        stretch.pleth.push(narrow(self.pleth()));
        stretch.ecg.push(narrow(self.ecg()));
    }

    /// Chest movement, -1.0..=1.0; still when the breathing is.
    fn chest(&self) -> f64 {
        wave(self.breath) * (self.levels.breaths_per_min / 12.0).clamp(0.0, 1.0)
    }

    /// A heart that does not beat gives a line that wanders a little.
    fn ecg(&self) -> f64 {
        let beating = self.truth().heart_rate_per_min > 5.0;
        let drift = 0.012 * self.chest();
        if beating { (ecg_shape(self.heart) + drift).clamp(0.0, 1.0) } else { 0.3 + drift }
    }

    fn pleth(&self) -> f64 {
        let amplitude = 0.78 * self.truth().perfusion;
        (0.08 + 0.03 * self.chest() * self.levels.perfusion + amplitude * pulse_shape(self.heart))
            .clamp(0.0, 1.0)
    }
}

/// P, QRS and T over one heart cycle, 0.0..=1.0. The heart's electricity goes ahead of its pulse.
fn ecg_shape(phase: f64) -> f64 {
    let wave = |centre: f64, width: f64, height: f64| {
        let distance = (phase - centre + 0.5).rem_euclid(1.0) - 0.5;
        height * (-0.5 * (distance / width).powi(2)).exp()
    };
    let qrs = wave(0.975, 0.008, -0.10) + wave(0.0, 0.010, 0.65) + wave(0.025, 0.010, -0.16);
    (0.3 + wave(0.84, 0.022, 0.08) + qrs + wave(0.27, 0.045, 0.16)).clamp(0.0, 1.0)
}

/// One pulse over one heart cycle, 0.0..=1.0: steep rise, slower fall, dicrotic notch, second hump.
fn pulse_shape(phase: f64) -> f64 {
    let hump = |centre: f64, rise: f64, fall: f64| {
        // Distance around the cycle, so that the end of one beat meets the start of the next.
        let distance = (phase - centre + 0.5).rem_euclid(1.0) - 0.5;
        let width = if distance < 0.0 { rise } else { fall };
        (-0.5 * (distance / width).powi(2)).exp()
    };
    (hump(0.20, 0.065, 0.09) + 0.34 * hump(0.46, 0.07, 0.13)).min(1.0)
}

fn wave(phase: f64) -> f64 {
    (phase * TAU).sin()
}

#[expect(clippy::cast_possible_truncation, reason = "0.0..=1.0 fits; single precision is enough")]
fn narrow(value: f64) -> f32 {
    value as f32
}

/// Deterministic chance for scenery and packet loss (SplitMix64); never for secrets.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// The same seed gives the same rolls.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number, 0.0..1.0.
    pub fn roll(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let high = u32::try_from((mixed ^ (mixed >> 31)) >> 32).unwrap_or(0);
        f64::from(high) / (f64::from(u32::MAX) + 1.0)
    }
}
