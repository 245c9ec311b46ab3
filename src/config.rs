//! The configuration file: site settings, each with a safe default and a range.
//!
//! A cart that will not open is a harm, so a wrong setting never stops the program: it is left at its
//! default, and the lock screen and `wardkeepctl doctor` say which setting was not used and why.

pub mod file;

use std::path::PathBuf;
use std::time::Duration;

use crate::alarms::limits::Limits;
use crate::bridge::intent::Language;
use crate::session::IDLE_DEFAULT;
use crate::session::policy::{Policy, SHIFT_MAX};
use crate::store::Retention;

/// Most characters of a label.
const LABEL_CHARS_MAX: usize = 24;

/// Site settings.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// `cart.bed`: label of the bed this cart stands at.
    pub bed: String,
    /// `cart.ward`: label of the ward or home; may be empty.
    pub ward: String,
    /// `cart.language`: `en` or `de`.
    pub language: Language,
    /// `session.idle_s`: seconds without a touch until the session locks, 30..=900.
    pub idle: Duration,
    /// `devices.assignment_h`: hours until an assignment has to be confirmed, 1..=72.
    pub assignment: Duration,
    /// `alarms.*`.
    pub limits: Limits,
    /// `login.*`.
    pub policy: Policy,
    /// `cards.*`.
    pub cards: Cards,
    /// `retention.*`: how long what was recorded is kept.
    pub retention: Retention,
    /// `readers.keyboard_badge`: USB vendor and product of a badge reader that behaves as a keyboard,
    /// as `vvvv:pppp` in hexadecimal.
    pub keyboard_badge: Option<(u16, u16)>,
}

/// Which smart cards are trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cards {
    /// `cards.trust`: directory of issuers' certificates (`roots/`), intermediate certificates
    /// (`intermediates/`) and revocation lists (`crls/`), PEM or DER.
    pub trust: PathBuf,
    /// `cards.crl_days`: oldest revocation list that still counts, in days since it was issued, 1..=90.
    pub crl_age: Duration,
    /// `cards.crl`: a card without a revocation list of its issuer is refused.
    pub crl_required: bool,
}

impl Default for Cards {
    fn default() -> Self {
        Self {
            trust: PathBuf::from("/etc/wardkeep/trust"),
            crl_age: Duration::from_secs(7 * 24 * 3600),
            crl_required: true,
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            bed: "Cart".to_owned(),
            ward: String::new(),
            language: Language::English,
            idle: IDLE_DEFAULT,
            assignment: Duration::from_secs(24 * 3600),
            limits: Limits::default(),
            policy: Policy::default(),
            cards: Cards::default(),
            retention: Retention::default(),
            keyboard_badge: None,
        }
    }
}

/// A setting that was not used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Ignored {
    /// The file is not TOML.
    #[error("the file is not valid TOML (line {line}); every setting is at its default")]
    Syntax {
        /// Line of the first error, from 1.
        line: usize,
    },
    /// No such setting.
    #[error("{key}: there is no such setting")]
    Unknown {
        /// Its full key.
        key: String,
    },
    /// Not of the right type.
    #[error("{key}: expected {expected}")]
    WrongType {
        /// Its full key.
        key: String,
        /// What was expected.
        expected: &'static str,
    },
    /// Outside its range.
    #[error("{key}: {value} is outside {min}..={max}")]
    OutOfRange {
        /// Its full key.
        key: String,
        /// What it says.
        value: i64,
        /// Least allowed.
        min: i64,
        /// Most allowed.
        max: i64,
    },
    /// Two limits contradict each other; both are at their default.
    #[error("{low} is not below {high}")]
    Contradiction {
        /// Key of the lower one.
        low: &'static str,
        /// Key of the upper one.
        high: &'static str,
    },
}

impl Config {
    /// Reads settings from TOML text; never fails, but says what it did not use.
    pub fn parse(text: &str) -> (Self, Vec<Ignored>) {
        let table: toml::Table = match text.parse() {
            Ok(table) => table,
            Err(error) => {
                let start = error.span().map_or(0, |span| span.start);
                let line = text.get(..start).unwrap_or_default().matches('\n').count() + 1;
                return (Self::default(), vec![Ignored::Syntax { line }]);
            }
        };
        let mut config = Self::default();
        let mut ignored = Vec::new();
        for (section, value) in &table {
            let Some(settings) = value.as_table() else {
                ignored.push(Ignored::Unknown { key: section.clone() });
                continue;
            };
            for (name, value) in settings {
                let key = format!("{section}.{name}");
                if let Err(why) = config.set(&key, value) {
                    ignored.push(why);
                }
            }
        }
        config.settle(&mut ignored);
        (config, ignored)
    }

    fn set(&mut self, key: &str, value: &toml::Value) -> Result<(), Ignored> {
        let limits = &mut self.limits;
        match key {
            "cart.bed" => self.bed = label(key, value)?,
            "cart.ward" => self.ward = label(key, value)?,
            "cart.language" => {
                self.language = match value.as_str() {
                    Some("en") => Language::English,
                    Some("de") => Language::German,
                    Some(_) | None => {
                        return Err(wrong(key, "\"en\" or \"de\""));
                    }
                }
            }
            "session.idle_s" => {
                self.idle = Duration::from_secs(whole(key, value, 30, 900)?.unsigned_abs());
            }
            "login.badge_pin" => self.policy.badge_pin = yes(key, value)?,
            "login.finger" => self.policy.finger = yes(key, value)?,
            "login.tap_alone" => self.policy.tap_alone = yes(key, value)?,
            "login.shift_min" => {
                let longest = i64::try_from(SHIFT_MAX.as_secs() / 60).unwrap_or(i64::MAX);
                self.policy.shift = minutes(whole(key, value, 0, longest)?);
            }
            "login.emergency" => self.policy.emergency = yes(key, value)?,
            "login.two_person" => self.policy.two_person = yes(key, value)?,
            "login.left_behind_min" => self.policy.left_behind = minutes(whole(key, value, 1, 60)?),
            "cards.trust" => self.cards.trust = directory(key, value)?,
            "cards.crl_days" => self.cards.crl_age = days(whole(key, value, 1, 90)?),
            "cards.crl" => self.cards.crl_required = yes(key, value)?,
            "readers.keyboard_badge" => self.keyboard_badge = Some(usb_id(key, value)?),
            "devices.assignment_h" => self.assignment = hours(whole(key, value, 1, 72)?),
            "retention.waveforms_h" => self.retention.waveforms = hours(whole(key, value, 1, 168)?),
            "retention.numerics_d" => self.retention.numerics = days(whole(key, value, 1, 365)?),
            "retention.minutes_d" => self.retention.minutes = days(whole(key, value, 30, 1830)?),
            "alarms.heart_rate_low" => limits.heart_rate.low = Some(whole(key, value, 20, 150)?),
            "alarms.heart_rate_high" => limits.heart_rate.high = Some(whole(key, value, 60, 250)?),
            "alarms.spo2_low" => limits.spo2.low = Some(whole(key, value, 70, 98)?),
            "alarms.desaturation" => limits.desaturation = whole(key, value, 60, 90)?,
            _ => return Err(Ignored::Unknown { key: key.chars().take(60).collect() }),
        }
        Ok(())
    }

    /// Limits that cross each other would alarm always or never.
    fn settle(&mut self, ignored: &mut Vec<Ignored>) {
        let standard = Limits::default();
        if self.limits.heart_rate.low >= self.limits.heart_rate.high {
            self.limits.heart_rate = standard.heart_rate;
            let (low, high) = ("alarms.heart_rate_low", "alarms.heart_rate_high");
            ignored.push(Ignored::Contradiction { low, high });
        }
        if Some(self.limits.desaturation) >= self.limits.spo2.low {
            self.limits.spo2 = standard.spo2;
            self.limits.desaturation = standard.desaturation;
            let (low, high) = ("alarms.desaturation", "alarms.spo2_low");
            ignored.push(Ignored::Contradiction { low, high });
        }
    }
}

fn wrong(key: &str, expected: &'static str) -> Ignored {
    Ignored::WrongType { key: key.to_owned(), expected }
}

fn whole(key: &str, value: &toml::Value, min: i64, max: i64) -> Result<i64, Ignored> {
    let value = value.as_integer().ok_or_else(|| wrong(key, "a whole number"))?;
    if (min..=max).contains(&value) {
        Ok(value)
    } else {
        Err(Ignored::OutOfRange { key: key.to_owned(), value, min, max })
    }
}

fn yes(key: &str, value: &toml::Value) -> Result<bool, Ignored> {
    value.as_bool().ok_or_else(|| wrong(key, "true or false"))
}

fn minutes(count: i64) -> Duration {
    Duration::from_secs(count.unsigned_abs() * 60)
}

fn hours(count: i64) -> Duration {
    minutes(count * 60)
}

fn days(count: i64) -> Duration {
    hours(count * 24)
}

fn directory(key: &str, value: &toml::Value) -> Result<PathBuf, Ignored> {
    let path = value.as_str().map(PathBuf::from).filter(|path| path.is_absolute());
    path.ok_or_else(|| wrong(key, "an absolute path"))
}

fn usb_id(key: &str, value: &toml::Value) -> Result<(u16, u16), Ignored> {
    let part = |text: &str| {
        let hexadecimal = text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        hexadecimal.then(|| u16::from_str_radix(text, 16).ok()).flatten()
    };
    let id = value.as_str().and_then(|text| text.split_once(':'));
    id.and_then(|(vendor, product)| Some((part(vendor)?, part(product)?)))
        .ok_or_else(|| wrong(key, "vendor and product as \"vvvv:pppp\""))
}

fn label(key: &str, value: &toml::Value) -> Result<String, Ignored> {
    let text = value.as_str().map(str::trim);
    let fits = |text: &&str| {
        text.chars().count() <= LABEL_CHARS_MAX && !text.chars().any(char::is_control)
    };
    text.filter(fits).map(str::to_owned).ok_or_else(|| wrong(key, "a text of up to 24 characters"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_every_setting() {
        let (config, ignored) = Config::parse(
            "[cart]\nbed = \"Bed 12\"\nward = \"4B\"\nlanguage = \"de\"\n[session]\nidle_s = 60\n\
             [devices]\nassignment_h = 12\n[alarms]\nheart_rate_low = 45\nheart_rate_high = 130\n\
             spo2_low = 88\ndesaturation = 78\n[login]\nbadge_pin = false\nfinger = false\n\
             tap_alone = true\nshift_min = 60\nemergency = false\ntwo_person = true\nleft_behind_min = 5\n\
             [cards]\ntrust = \"/srv/trust\"\ncrl_days = 3\ncrl = false\n\
             [readers]\nkeyboard_badge = \"16c0:27db\"\n\
             [retention]\nwaveforms_h = 48\nnumerics_d = 14\nminutes_d = 730\n",
        );
        assert_eq!(ignored, vec![]);
        assert_eq!((config.bed.as_str(), config.ward.as_str()), ("Bed 12", "4B"));
        assert_eq!(config.language, Language::German);
        assert_eq!(config.idle, Duration::from_secs(60));
        assert_eq!(config.assignment, Duration::from_secs(12 * 3600));
        assert_eq!(config.limits.heart_rate.low, Some(45));
        assert_eq!(config.limits.desaturation, 78);
        let policy = Policy {
            badge_pin: false,
            finger: false,
            tap_alone: true,
            shift: Duration::from_secs(3600),
            emergency: false,
            two_person: true,
            left_behind: Duration::from_secs(300),
        };
        assert_eq!(config.policy, policy);
        let crl_age = Duration::from_secs(3 * 24 * 3600);
        let cards = Cards { trust: PathBuf::from("/srv/trust"), crl_age, crl_required: false };
        assert_eq!(config.cards, cards);
        assert_eq!(config.keyboard_badge, Some((0x16c0, 0x27db)));
        let day = Duration::from_secs(24 * 3600);
        let retention = Retention { waveforms: 2 * day, numerics: 14 * day, minutes: 730 * day };
        assert_eq!(config.retention, retention);
    }

    #[test]
    fn a_wrong_setting_is_named_and_left_at_its_default() {
        for (text, says) in [
            ("[cart]\ncolour = 1\n", "cart.colour: there is no such setting"),
            ("idle = 3\n", "idle: there is no such setting"),
            ("[session]\nidle_s = 0\n", "session.idle_s: 0 is outside 30..=900"),
            (
                "[session]\nidle_s = 9223372036854775807\n",
                "session.idle_s: 9223372036854775807 is outside 30..=900",
            ),
            ("[session]\nidle_s = \"long\"\n", "session.idle_s: expected a whole number"),
            ("[session]\nidle_s = nan\n", "session.idle_s: expected a whole number"),
            ("[login]\nshift_min = 721\n", "login.shift_min: 721 is outside 0..=720"),
            ("[retention]\nwaveforms_h = 169\n", "retention.waveforms_h: 169 is outside 1..=168"),
            ("[retention]\nnumerics_d = 0\n", "retention.numerics_d: 0 is outside 1..=365"),
            ("[retention]\nminutes_d = 29\n", "retention.minutes_d: 29 is outside 30..=1830"),
            (
                "[retention]\nminutes_d = 9223372036854775807\n",
                "retention.minutes_d: 9223372036854775807 is outside 30..=1830",
            ),
            ("[login]\nfinger = 1\n", "login.finger: expected true or false"),
            ("[cards]\ntrust = \"trust\"\n", "cards.trust: expected an absolute path"),
            (
                "[readers]\nkeyboard_badge = \"+6c0:27db\"\n",
                "readers.keyboard_badge: expected vendor and product as \"vvvv:pppp\"",
            ),
            ("[cart]\nbed = \"a\\u0007b\"\n", "cart.bed: expected a text of up to 24 characters"),
            ("[cart]\nlanguage = \"xx\"\n", "cart.language: expected \"en\" or \"de\""),
            (
                "[alarms]\nheart_rate_low = 120\nheart_rate_high = 110\n",
                "alarms.heart_rate_low is not below alarms.heart_rate_high",
            ),
            (
                "[cart]\nbed = \n",
                "the file is not valid TOML (line 2); every setting is at its default",
            ),
        ] {
            let (config, ignored) = Config::parse(text);
            assert_eq!(config, Config::default(), "{text}");
            let said: Vec<String> = ignored.iter().map(ToString::to_string).collect();
            assert_eq!(said, [says], "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_gives_a_usable_configuration(text in "\\PC{0,400}") {
            let (config, _) = Config::parse(&text);
            prop_assert!(config.idle >= Duration::from_secs(30));
            prop_assert!(config.limits.heart_rate.low < config.limits.heart_rate.high);
        }
    }
}
