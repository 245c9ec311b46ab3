//! The configuration file: site settings, each with a safe default and a range.
//!
//! A cart that will not open is a harm, so a wrong setting never stops the program: it is left at its
//! default, and the lock screen and `wardkeepctl doctor` say which setting was not used and why.

mod ignored;
mod values;

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use wardkeep_model::access::cards::Cards;
use wardkeep_model::access::policy::{Policy, SHIFT_MAX};
use wardkeep_model::access::readers::AllowedReaders;
use wardkeep_model::alarm::Priority;
use wardkeep_model::alarm::limits::{AgeGroup, Bound, Limits};
use wardkeep_model::keeping::Retention;
use wardkeep_model::vitals::DeviceId;
use wardkeep_model::vitals::parameter::LimitKey;

use crate::alarms;
use crate::alarms::limits::Side;
use crate::inventory::UpkeepRules;
use crate::session::IDLE_DEFAULT;

pub use self::ignored::Ignored;
use self::values::{
    address, days, directory, firmware, hours, label, language, limit, minutes, names, policies,
    seconds, some, some_minutes, span, text_size, usb_id, whole, yes,
};

/// Longest shift in minutes.
const SHIFT_MIN_MAX: i64 = (SHIFT_MAX.as_secs() / 60).cast_signed();

/// Sizes of text that every screen is laid out for.
pub const TEXT_PERCENT: [i64; 4] = [100, 125, 150, 200];

/// Language of the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Language {
    /// `en`
    #[default]
    English,
    /// `de`
    German,
}

impl Language {
    /// All of them.
    pub const ALL: [Language; 2] = [Language::English, Language::German];

    /// IETF language tag; also the folder of the translation.
    pub fn tag(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::German => "de",
        }
    }

    /// The language of a tag; English for any other.
    pub fn from_tag(tag: &str) -> Self {
        Self::ALL.into_iter().find(|language| language.tag() == tag).unwrap_or_default()
    }
}

/// Site settings.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// `cart.bed`: label of the bed this cart stands at.
    pub bed: String,
    /// `cart.ward`: label of the ward or home; may be empty.
    pub ward: String,
    /// `cart.language`: `en` or `de`.
    pub language: Language,
    /// `cart.text_percent`: size of the text on the screen, one of [`TEXT_PERCENT`].
    pub text_percent: i64,
    /// `session.idle_s`: seconds without a touch until the session locks, 30..=900.
    pub idle: Duration,
    /// `devices.assignment_h`: hours until an assignment has to be confirmed, 1..=72.
    pub assignment: Duration,
    /// `devices.adapter`: address of the only Bluetooth controller that is used.
    pub adapter: Option<DeviceId>,
    /// `devices.reading_h`: hours that a reading waits for somebody to say whose it is, 1..=72.
    pub reading: Duration,
    /// `devices.battery_days`, `devices.unseen_days`, `devices.calibration_days`, `devices.firmware`.
    pub upkeep: UpkeepRules,
    /// `alarms.*`.
    pub alarms: alarms::Rules,
    /// `login.*`.
    pub policy: Policy,
    /// `cards.*`.
    pub cards: Cards,
    /// `retention.*`: how long what was recorded is kept.
    pub retention: Retention,
    /// `store.witness`: the file in which somebody outside this cart's disk counts along with the store.
    pub witness: Option<PathBuf>,
    /// `readers.keyboard_badge`: USB vendor and product of a badge reader that behaves as a keyboard,
    /// as `vvvv:pppp` in hexadecimal.
    pub keyboard_badge: Option<(u16, u16)>,
    /// `readers.only`: at which readers badges and cards are read.
    pub readers: AllowedReaders,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            bed: "Cart".to_owned(),
            ward: String::new(),
            language: Language::English,
            text_percent: 100,
            idle: IDLE_DEFAULT,
            assignment: Duration::from_secs(24 * 3600),
            adapter: None,
            reading: Duration::from_secs(12 * 3600),
            upkeep: UpkeepRules::default(),
            alarms: alarms::Rules::default(),
            policy: Policy::default(),
            cards: Cards::default(),
            retention: Retention::default(),
            witness: None,
            keyboard_badge: None,
            readers: AllowedReaders::default(),
        }
    }
}

/// What a setting may be, and where it goes.
enum Takes {
    /// A text of up to 24 characters.
    Label(fn(&mut Config, String)),
    /// A language's tag.
    Language(fn(&mut Config, Language)),
    /// `true` or `false`.
    Flag(fn(&mut Config, bool)),
    /// One of [`TEXT_PERCENT`].
    TextSize(fn(&mut Config, i64)),
    /// A whole number in a range.
    Whole(RangeInclusive<i64>, fn(&mut Config, i64)),
    /// An alarm limit of adults, in a range; only a temperature has a decimal.
    Limit(LimitKey, Bound, RangeInclusive<i64>),
    /// An absolute path.
    Directory(fn(&mut Config, PathBuf)),
    /// A USB vendor and product.
    UsbId(fn(&mut Config, (u16, u16))),
    /// The address of a Bluetooth controller.
    Address(fn(&mut Config, DeviceId)),
    /// Names of readers.
    Names(fn(&mut Config, Vec<String>)),
    /// Models, each with the oldest firmware that is taken.
    Firmware,
    /// Object identifiers of certificate policies.
    Policies(fn(&mut Config, Vec<String>)),
}

/// Every setting there is, under its full key. `packaging/config.toml` and
/// `packaging/man/wardkeep.toml.5` describe them in this order, which a test below compares.
const SETTINGS: [(&str, Takes); 62] = {
    use Takes::{Address, Directory, Flag, Label, Limit, Names, Policies, UsbId, Whole};
    [
        ("cart.bed", Label(|to, text| to.bed = text)),
        ("cart.ward", Label(|to, text| to.ward = text)),
        ("cart.language", Takes::Language(|to, language| to.language = language)),
        ("cart.text_percent", Takes::TextSize(|to, n| to.text_percent = n)),
        ("session.idle_s", Whole(30..=900, |to, n| to.idle = seconds(n))),
        ("login.badge_pin", Flag(|to, yes| to.policy.badge_pin = yes)),
        ("login.finger", Flag(|to, yes| to.policy.finger = yes)),
        ("login.tap_alone", Flag(|to, yes| to.policy.tap_alone = yes)),
        ("login.shift_min", Whole(0..=SHIFT_MIN_MAX, |to, n| to.policy.shift = minutes(n))),
        ("login.emergency", Flag(|to, yes| to.policy.emergency = yes)),
        ("login.two_person", Flag(|to, yes| to.policy.two_person = yes)),
        ("login.left_behind_min", Whole(1..=60, |to, n| to.policy.left_behind = minutes(n))),
        ("cards.trust", Directory(|to, path| to.cards.trust = path)),
        ("cards.crl_days", Whole(1..=90, |to, n| to.cards.crl_age = days(n))),
        ("cards.crl", Flag(|to, yes| to.cards.crl_required = yes)),
        ("cards.key_usage", Flag(|to, yes| to.cards.key_usage_required = yes)),
        ("cards.policies", Policies(|to, oids| to.cards.policies = oids)),
        ("readers.only", Names(|to, names| to.readers = AllowedReaders(names))),
        ("readers.keyboard_badge", UsbId(|to, id| to.keyboard_badge = Some(id))),
        ("devices.assignment_h", Whole(1..=72, |to, n| to.assignment = hours(n))),
        ("devices.adapter", Address(|to, address| to.adapter = Some(address))),
        ("devices.reading_h", Whole(1..=72, |to, n| to.reading = hours(n))),
        ("devices.battery_days", Whole(1..=60, |to, n| to.upkeep.battery_days = some(n))),
        ("devices.unseen_days", Whole(1..=365, |to, n| to.upkeep.unseen_days = some(n))),
        ("devices.calibration_days", Whole(0..=90, |to, n| to.upkeep.calibration_days = some(n))),
        ("devices.firmware", Takes::Firmware),
        ("retention.waveforms_h", Whole(1..=168, |to, n| to.retention.waveforms = hours(n))),
        ("retention.numerics_d", Whole(1..=365, |to, n| to.retention.numerics = days(n))),
        ("retention.minutes_d", Whole(30..=1830, |to, n| to.retention.minutes = days(n))),
        ("store.witness", Directory(|to, path| to.witness = Some(path))),
        ("alarms.heart_rate_low", Limit(LimitKey::Rate, Bound::Low, 20..=150)),
        ("alarms.heart_rate_high", Limit(LimitKey::Rate, Bound::High, 60..=250)),
        ("alarms.spo2_low", Limit(LimitKey::Saturation, Bound::Low, 70..=98)),
        ("alarms.desaturation", Limit(LimitKey::Saturation, Bound::ExtremeLow, 60..=90)),
        ("alarms.spo2_high", Limit(LimitKey::Saturation, Bound::High, 90..=100)),
        ("alarms.heart_rate_extreme_low", Limit(LimitKey::Rate, Bound::ExtremeLow, 15..=100)),
        ("alarms.heart_rate_extreme_high", Limit(LimitKey::Rate, Bound::ExtremeHigh, 120..=300)),
        ("alarms.respiration_extreme_low", Limit(LimitKey::Respiration, Bound::ExtremeLow, 1..=30)),
        ("alarms.respiration_low", Limit(LimitKey::Respiration, Bound::Low, 4..=60)),
        ("alarms.respiration_high", Limit(LimitKey::Respiration, Bound::High, 15..=120)),
        (
            "alarms.respiration_extreme_high",
            Limit(LimitKey::Respiration, Bound::ExtremeHigh, 20..=150),
        ),
        ("alarms.systolic_extreme_low", Limit(LimitKey::Systolic, Bound::ExtremeLow, 20..=100)),
        ("alarms.systolic_low", Limit(LimitKey::Systolic, Bound::Low, 30..=150)),
        ("alarms.systolic_high", Limit(LimitKey::Systolic, Bound::High, 60..=240)),
        ("alarms.systolic_extreme_high", Limit(LimitKey::Systolic, Bound::ExtremeHigh, 80..=280)),
        ("alarms.diastolic_low", Limit(LimitKey::Diastolic, Bound::Low, 10..=100)),
        ("alarms.diastolic_high", Limit(LimitKey::Diastolic, Bound::High, 30..=160)),
        ("alarms.mean_extreme_low", Limit(LimitKey::Mean, Bound::ExtremeLow, 15..=80)),
        ("alarms.mean_low", Limit(LimitKey::Mean, Bound::Low, 20..=110)),
        ("alarms.mean_high", Limit(LimitKey::Mean, Bound::High, 40..=180)),
        (
            "alarms.temperature_extreme_low",
            Limit(LimitKey::Temperature, Bound::ExtremeLow, 25..=36),
        ),
        ("alarms.temperature_low", Limit(LimitKey::Temperature, Bound::Low, 28..=37)),
        ("alarms.temperature_high", Limit(LimitKey::Temperature, Bound::High, 36..=42)),
        (
            "alarms.temperature_extreme_high",
            Limit(LimitKey::Temperature, Bound::ExtremeHigh, 37..=44),
        ),
        ("alarms.glucose_extreme_low", Limit(LimitKey::Glucose, Bound::ExtremeLow, 1..=4)),
        ("alarms.glucose_low", Limit(LimitKey::Glucose, Bound::Low, 2..=6)),
        ("alarms.glucose_high", Limit(LimitKey::Glucose, Bound::High, 7..=25)),
        ("alarms.glucose_extreme_high", Limit(LimitKey::Glucose, Bound::ExtremeHigh, 10..=33)),
        ("alarms.latch", Flag(|to, yes| to.alarms.latch = yes.then_some(Priority::High))),
        ("alarms.pause_per_hour_s", Whole(120..=1200, |to, n| to.alarms.pause_budget = seconds(n))),
        ("alarms.escalate_s", Whole(30..=900, |to, n| to.alarms.escalate = seconds(n))),
        ("alarms.remind_min", Whole(0..=60, |to, n| to.alarms.remind = some_minutes(n))),
    ]
};

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
                let set = match (section.as_str(), value.as_table()) {
                    ("alarms", Some(table)) => {
                        config.set_group(&key, name, table, &mut ignored);
                        continue;
                    }
                    _ => config.set(&key, value),
                };
                ignored.extend(set.err());
            }
        }
        config.settle(&mut ignored);
        (config, ignored)
    }

    /// Keys of the settings that stand in the text and are used.
    pub fn used(text: &str) -> Vec<String> {
        let (_, ignored) = Self::parse(text);
        let table: toml::Table = text.parse().unwrap_or_default();
        let mut used = Vec::new();
        list_keys("", &table, &mut used);
        used.retain(|key| !ignored.iter().any(|one| one.is_about(key)));
        used
    }

    fn set(&mut self, key: &str, value: &toml::Value) -> Result<(), Ignored> {
        let Some((_, takes)) = SETTINGS.iter().find(|(known, _)| *known == key) else {
            return Err(unknown(key));
        };
        match takes {
            Takes::Label(set) => set(self, label(key, value)?),
            Takes::Language(set) => set(self, language(key, value)?),
            Takes::TextSize(set) => set(self, text_size(key, value)?),
            Takes::Flag(set) => set(self, yes(key, value)?),
            Takes::Whole(range, set) => set(self, whole(key, value, range)?),
            Takes::Directory(set) => set(self, directory(key, value)?),
            Takes::UsbId(set) => set(self, usb_id(key, value)?),
            Takes::Address(set) => set(self, address(key, value)?),
            Takes::Names(set) => set(self, names(key, value)?),
            Takes::Policies(set) => set(self, policies(key, value)?),
            Takes::Firmware => self.upkeep.firmware = firmware(key, value)?,
            Takes::Limit(of, bound, range) => {
                let limit = limit(key, *of, value, range)?;
                let adult = self.alarms.sets.of_mut(AgeGroup::Adult);
                adult.ward.of_mut(*of).set(*bound, Some(limit));
            }
        }
        Ok(())
    }

    /// Settings of one age group, or the hospital's ranges: `alarms.neonate`, `alarms.range`,
    /// `alarms.neonate.range`.
    fn set_group(
        &mut self,
        path: &str,
        name: &str,
        table: &toml::Table,
        ignored: &mut Vec<Ignored>,
    ) {
        if name == "range" {
            return self.set_ranges(path, AgeGroup::Adult, table, ignored);
        }
        let groups = [AgeGroup::Paediatric, AgeGroup::Neonate];
        let Some(group) = groups.into_iter().find(|group| group.name() == name) else {
            return ignored.push(unknown(path));
        };
        for (name, value) in table {
            let key = format!("{path}.{name}");
            if let Some(ranges) = value.as_table().filter(|_| name == "range") {
                self.set_ranges(&key, group, ranges, ignored);
                continue;
            }
            let of_adults = format!("alarms.{name}");
            let known = SETTINGS.iter().find(|(known, _)| *known == of_adults);
            let Some((_, Takes::Limit(of, bound, range))) = known else {
                ignored.push(unknown(&key));
                continue;
            };
            match limit(&key, *of, value, range) {
                Ok(limit) => {
                    self.alarms.sets.of_mut(group).ward.of_mut(*of).set(*bound, Some(limit));
                }
                Err(why) => ignored.push(why),
            }
        }
    }

    fn set_ranges(
        &mut self,
        path: &str,
        group: AgeGroup,
        table: &toml::Table,
        ignored: &mut Vec<Ignored>,
    ) {
        let both = LimitKey::ALL.into_iter().flat_map(|of| Side::ALL.map(|side| (of, side)));
        let both: Vec<_> = both.collect();
        for (name, value) in table {
            let key = format!("{path}.{name}");
            let is_it = |(of, side): &&(LimitKey, Side)| {
                *name == format!("{}_{}", of.name(), side.bound().name())
            };
            let Some((of, side)) = both.iter().find(is_it) else {
                ignored.push(unknown(&key));
                continue;
            };
            match span(&key, *of, value) {
                Ok(span) => self.alarms.sets.of_mut(group).set_range(*of, *side, span),
                Err(why) => ignored.push(why),
            }
        }
    }

    /// Limits that cross each other would alarm always or never.
    fn settle(&mut self, ignored: &mut Vec<Ignored>) {
        for group in AgeGroup::ALL {
            let usual = Limits::usual(group);
            let ward = &mut self.alarms.sets.of_mut(group).ward;
            for of in LimitKey::ALL {
                let Some((low, high)) = ward.of(of).crossed() else { continue };
                *ward.of_mut(of) = *usual.of(of);
                let key = |bound| limit_name(group, of, bound);
                ignored.push(Ignored::Contradiction { low: key(low), high: key(high) });
            }
        }
    }
}

/// Keys of everything in a table that is no table.
fn list_keys(path: &str, table: &toml::Table, keys: &mut Vec<String>) {
    for (name, value) in table {
        let key = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        match value.as_table() {
            Some(below) => list_keys(&key, below, keys),
            None => keys.push(key),
        }
    }
}

/// The key of a limit.
fn limit_name(group: AgeGroup, of: LimitKey, bound: Bound) -> String {
    let is_it = |(_, takes): &&(&str, Takes)| matches!(takes, Takes::Limit(one, other, _) if (*one, *other) == (of, bound));
    let adult = SETTINGS.iter().find(is_it).map_or("alarms", |(key, _)| *key);
    match group {
        AgeGroup::Adult => adult.to_owned(),
        AgeGroup::Paediatric | AgeGroup::Neonate => {
            adult.replace("alarms.", &format!("alarms.{}.", group.name()))
        }
    }
}

fn unknown(key: &str) -> Ignored {
    Ignored::Unknown { key: key.chars().take(60).collect() }
}

#[cfg(test)]
mod tests;
