//! Every row of the IEC 60601-1-8 sound tables (6.3.3.1, tables 3 and 4), measured from the samples
//! and from the rendered WAV file.

use std::ops::RangeInclusive;
use std::path::Path;
use std::process::ExitCode;

use crate::measure::{amplitude, decibels, fundamental, index_at, pulses, spacings};
use wardkeep::ctl;
use wardkeep_hardware::speaker::sound::{burst, interval, two_bursts};
use wardkeep_model::alarm::Priority::{self, High, Low, Medium};

const RATES_HZ: [u32; 3] = [22_050, 44_100, 48_000];
const ALL: [Priority; 3] = [High, Medium, Low];

fn assert_in(value: f64, range: RangeInclusive<f64>, what: &str) {
    assert!(range.contains(&value), "{what}: {value} is not in {range:?}");
}

#[test]
fn pulses_per_burst() {
    for (priority, count) in [(High, 10), (Medium, 3), (Low, 2)] {
        for rate_hz in RATES_HZ {
            assert_eq!(pulses(&burst(rate_hz, priority), rate_hz).len(), count, "{priority:?}");
        }
    }
}

#[test]
fn pulse_length_and_slopes() {
    for priority in ALL {
        let length = if priority == High { 0.075..=0.200 } else { 0.125..=0.250 };
        for rate_hz in RATES_HZ {
            let pulses = pulses(&burst(rate_hz, priority), rate_hz);
            let shortest_spacing = spacings(&pulses).into_iter().fold(f64::MAX, f64::min);
            for pulse in &pulses {
                assert_in(pulse.length(), length.clone(), "t_d");
                assert_in(pulse.rise() / pulse.length(), 0.10..=0.20, "rise / t_d");
                assert_in(pulse.fall(), 0.001..=shortest_spacing - pulse.rise(), "fall");
                assert_in(pulse.length() / pulses[0].length(), 0.95..=1.05, "t_d alike");
            }
        }
    }
}

#[test]
fn spacings_of_a_high_burst() {
    for rate_hz in RATES_HZ {
        let pulses = pulses(&burst(rate_hz, High), rate_hz);
        let spacings = spacings(&pulses);
        let x = spacings[0];
        for index in [0, 1, 3, 5, 6, 8] {
            assert_in(spacings[index], 0.050..=0.125, "x");
            assert_in(spacings[index] / x, 0.95..=1.05, "x alike");
        }
        for index in [2, 7] {
            let rest = 2.0 * x + pulses[0].length();
            assert_in(spacings[index] / rest, 0.97..=1.03, "3rd to 4th and 8th to 9th: 2x + t_d");
        }
        assert_in(spacings[4], 0.35..=1.30, "5th to 6th");
    }
}

#[test]
fn spacings_of_medium_and_low_bursts() {
    for priority in [Medium, Low] {
        for spacing in spacings(&pulses(&burst(48_000, priority), 48_000)) {
            assert_in(spacing, 0.125..=0.250, "y");
        }
    }
}

#[test]
fn the_spectrum_of_the_first_and_the_last_pulse() {
    for priority in ALL {
        for rate_hz in RATES_HZ {
            let samples = burst(rate_hz, priority);
            let pulses = pulses(&samples, rate_hz);
            for pulse in [pulses[0], pulses[pulses.len() - 1]] {
                let at = |seconds: f64| index_at(seconds, f64::from(rate_hz));
                let plateau = &samples[at(pulse.rise_90)..at(pulse.fall_90)];
                let pitch = fundamental(plateau, rate_hz);
                assert_in(pitch, 150.0..=1000.0, "fundamental");
                let reference = amplitude(plateau, rate_hz, pitch);
                let harmonics = (2..).map(|n| f64::from(n) * pitch).take_while(|hz| *hz <= 4000.0);
                let heard = harmonics.filter(|hz| *hz >= 300.0).filter(|hz| {
                    decibels(amplitude(plateau, rate_hz, *hz) / reference).abs() <= 15.0
                });
                assert!(heard.count() >= 4, "{priority:?}: at least four harmonics");
            }
        }
    }
}

#[test]
fn the_level_within_a_burst_and_of_full_scale() {
    for priority in ALL {
        let samples = burst(48_000, priority);
        let pulses = pulses(&samples, 48_000);
        for pulse in &pulses {
            assert_in(decibels(pulse.level / pulses[0].level), -10.0..=10.0, "pulse to pulse");
        }
        let peak = samples.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
        assert_in(f64::from(peak), 0.5..=0.95, "loud, not clipped");
        assert_eq!(samples[0], 0.0, "begins in silence");
        assert!(samples[samples.len() - 1].abs() < 0.01, "ends in silence");
    }
}

#[test]
fn a_burst_leaves_time_to_start_a_higher_one_within_a_second() {
    for priority in [Medium, Low] {
        assert!(burst(48_000, priority).len() < 48_000 * 8 / 10, "S-9: {priority:?}");
    }
}

/// Begin to begin, and end to begin: both readings of "between bursts" hold.
#[test]
fn between_bursts() {
    for (priority, allowed, count) in
        [(High, 2.5..=15.0, 10), (Medium, 2.5..=30.0, 3), (Low, 15.1..=600.0, 2)]
    {
        let pulses = pulses(&two_bursts(8_000, priority), 8_000);
        assert_eq!(pulses.len(), 2 * count);
        let gap = pulses[count].rise_90 - pulses[count - 1].fall_90;
        let repeat = pulses[count].rise_90 - pulses[0].rise_90;
        assert_in(gap, allowed.clone(), "end to begin");
        assert_in(repeat, allowed, "begin to begin");
        assert_in(gap - interval(priority).as_secs_f64(), 0.0..=0.05, "the published interval");
    }
    assert!(interval(High) < interval(Medium) && interval(Medium) < interval(Low));
}

fn render(priority: &str, out: &Path) -> ExitCode {
    let words = ["wardkeepctl", "alarm", "render", "--priority", priority, "--out"];
    let words = words.map(std::ffi::OsString::from).into_iter();
    ctl::run(words.chain([out.as_os_str().to_owned()]))
}

#[test]
fn the_rendered_file_holds_what_the_kiosk_plays() {
    let folder = tempfile::tempdir().unwrap();
    for (word, priority) in [("high", High), ("medium", Medium), ("low", Low)] {
        let out = folder.path().join(format!("{word}.wav"));
        assert_eq!(render(word, &out), ExitCode::SUCCESS);
        let mut wav = hound::WavReader::open(&out).unwrap();
        let spec = wav.spec();
        assert_eq!((spec.channels, spec.sample_rate, spec.bits_per_sample), (1, 48_000, 16));
        assert_eq!(spec.sample_format, hound::SampleFormat::Int);
        let samples: Vec<f32> =
            wav.samples::<i16>().map(|sample| f32::from(sample.unwrap()) / 32_767.0).collect();
        let expected = two_bursts(48_000, priority);
        assert_eq!(samples.len(), expected.len());
        let worst = samples.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst <= 0.5 / 32_767.0 + 1e-6, "{word}: {worst}");
    }
}

#[test]
fn a_file_that_cannot_be_written_is_a_failure() {
    assert_eq!(render("high", Path::new("/nonexistent/alarm.wav")), ExitCode::FAILURE);
    assert_eq!(render("loud", Path::new("/nonexistent/alarm.wav")), ExitCode::from(2));
}
