//! The tokens of `ui/theme.slint`: contrast, and the colours that belong to alarms alone.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

type Rgb = [f64; 3];

struct Themes {
    day: BTreeMap<String, Rgb>,
    night: BTreeMap<String, Rgb>,
}

fn ui() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../ui")
}

fn slint_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(slint_files(&path));
        } else if path.extension().is_some_and(|end| end == "slint") {
            files.push(path);
        }
    }
    files
}

fn color(text: &str) -> Option<Rgb> {
    let digits = text.trim().trim_end_matches(';').strip_prefix('#')?;
    let part = |at: usize| {
        u8::from_str_radix(digits.get(at..at + 2)?, 16).ok().map(|byte| f64::from(byte) / 255.0)
    };
    Some([part(0)?, part(2)?, part(4)?])
}

fn tokens() -> Themes {
    let mut themes = Themes { day: BTreeMap::new(), night: BTreeMap::new() };
    let source = std::fs::read_to_string(ui().join("theme.slint")).unwrap();
    for line in source.lines().filter(|line| line.contains("property <color>")) {
        let (head, value) = line.split_once(": day ?").unwrap();
        let name = head.split_whitespace().last().unwrap();
        let (day, night) = value.split_once(':').unwrap();
        themes.day.insert(name.into(), color(day).unwrap());
        themes.night.insert(name.into(), color(night).unwrap());
    }
    assert!(themes.day.len() >= 20, "{} tokens", themes.day.len());
    themes
}

/// WCAG 2.2 relative luminance.
fn luminance(color: Rgb) -> f64 {
    let [r, g, b] =
        color.map(
            |part| {
                if part <= 0.040_45 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
            },
        );
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

fn contrast(a: Rgb, b: Rgb) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

const NUMERALS: [(&str, &[&str]); 9] = [
    ("text", &["ground", "surface"]),
    ("heart", &["surface"]),
    ("oxygen", &["surface"]),
    ("breath", &["surface"]),
    ("pressure", &["surface"]),
    ("warmth", &["surface"]),
    ("sugar", &["surface"]),
    ("on-alarm", &["alarm-medium", "alarm-low"]),
    ("on-alarm-high-tile", &["alarm-high-tile"]),
];

const WORDS: [(&str, &[&str]); 6] = [
    ("text", &["ground", "surface", "raised", "pressed"]),
    ("muted", &["ground", "surface", "raised"]),
    ("on-action", &["action"]),
    ("on-alarm", &["alarm-high", "alarm-medium", "alarm-low"]),
    ("on-alarm-muted", &["alarm-medium", "alarm-low"]),
    ("on-alarm-button", &["alarm-button"]),
];

#[test]
fn contrast_is_seven_for_numerals_and_four_and_a_half_for_words() {
    let themes = tokens();
    for (theme, tokens) in [("day", &themes.day), ("night", &themes.night)] {
        for (pairs, least) in [(&NUMERALS[..], 7.0), (&WORDS[..], 4.5)] {
            for (ink, papers) in pairs {
                for paper in *papers {
                    let reached = contrast(tokens[*ink], tokens[*paper]);
                    assert!(reached >= least, "{theme}: {ink} on {paper} is {reached:.2}");
                }
            }
        }
    }
}

fn hue_and_saturation([r, g, b]: Rgb) -> (f64, f64) {
    let (most, least) = (r.max(g).max(b), r.min(g).min(b));
    let spread = most - least;
    if spread == 0.0 {
        return (0.0, 0.0);
    }
    let hue = if most == r {
        ((g - b) / spread).rem_euclid(6.0)
    } else if most == g {
        (b - r) / spread + 2.0
    } else {
        (r - g) / spread + 4.0
    };
    let light = (most + least) / 2.0;
    (hue * 60.0, spread / (1.0 - (2.0 * light - 1.0).abs()))
}

fn is_alarm_hue(color: Rgb) -> bool {
    let (hue, saturation) = hue_and_saturation(color);
    let red = !(15.0..=345.0).contains(&hue);
    saturation > 0.3 && (red || (42.0..=75.0).contains(&hue) || (165.0..=200.0).contains(&hue))
}

#[test]
fn red_yellow_and_cyan_belong_to_alarms_alone() {
    let themes = tokens();
    for tokens in [&themes.day, &themes.night] {
        for alarm in ["alarm-high", "alarm-medium", "alarm-low", "alarm-high-tile"] {
            assert!(is_alarm_hue(tokens[alarm]), "{alarm}");
        }
        for (name, color) in tokens.iter().filter(|(name, _)| !name.contains("alarm")) {
            assert!(!is_alarm_hue(*color), "{name} has the hue of an alarm");
        }
    }
}

#[test]
fn only_the_theme_names_a_colour_or_a_size_of_type() {
    for file in slint_files(&ui()) {
        // The bench is a workbench beside the kiosk, not the kiosk.
        if file.ends_with("theme.slint")
            || file.components().any(|part| part.as_os_str() == "bench")
        {
            continue;
        }
        let source = std::fs::read_to_string(&file).unwrap();
        for (number, line) in (1..).zip(source.lines()) {
            let code = line.split("//").next().unwrap_or_default();
            let named = code
                .split('#')
                .skip(1)
                .any(|rest| rest.chars().take_while(char::is_ascii_hexdigit).count() >= 3);
            assert!(!named, "{}:{number} names a colour", file.display());
            if let Some((_, size)) = code.split_once("font-size:") {
                assert!(
                    !size.trim().starts_with(|c: char| c.is_ascii_digit()),
                    "{}:{number} names a size",
                    file.display()
                );
            }
        }
    }
}
