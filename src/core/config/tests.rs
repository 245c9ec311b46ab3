//! Settings as sites write them, and the pages that describe them.

use proptest::prelude::*;

use wardkeep_model::vitals::decimal::Decimal;

use super::*;
use crate::alarms::limits::LimitSet;
use crate::inventory::LeastFirmware;

#[test]
fn reads_every_setting() {
    let (config, ignored) = Config::parse(
        "[cart]\nbed = \"Bed 12\"\nward = \"4B\"\nlanguage = \"de\"\ntext_percent = 150\n[session]\nidle_s = 60\n\
         [devices]\nassignment_h = 12\nadapter = \"00:1a:7D:DA:71:13\"\n\
         reading_h = 6\nbattery_days = 10\nunseen_days = 20\ncalibration_days = 0\n\
         firmware = [\"UA-651 BLE 1.05\"]\n[alarms]\nheart_rate_low = 45\nheart_rate_high = 130\n\
         spo2_low = 88\ndesaturation = 78\n[login]\nbadge_pin = false\nfinger = false\n\
         tap_alone = true\nshift_min = 60\nemergency = false\ntwo_person = true\nleft_behind_min = 5\n\
         [cards]\ntrust = \"/srv/trust\"\ncrl_days = 3\ncrl = false\nkey_usage = false\n\
         policies = [\"2.16.840.1.101.3.2.1.3.13\"]\n\
         [readers]\nkeyboard_badge = \"16c0:27db\"\nonly = [\"ACS ACR1252\"]\n\
         [retention]\nwaveforms_h = 48\nnumerics_d = 14\nminutes_d = 730\n[store]\nwitness = \"/media/witness/cart-12\"\n",
    );
    assert_eq!(ignored, vec![]);
    assert_eq!((config.bed.as_str(), config.ward.as_str()), ("Bed 12", "4B"));
    assert_eq!((config.language, config.text_percent), (Language::German, 150));
    assert_eq!(config.idle, Duration::from_secs(60));
    assert_eq!(config.assignment, Duration::from_secs(12 * 3600));
    assert_eq!(config.adapter, Some(DeviceId([0x00, 0x1A, 0x7D, 0xDA, 0x71, 0x13])));
    assert_eq!(config.reading, Duration::from_secs(6 * 3600));
    let least = LeastFirmware { model: "UA-651 BLE".into(), version: "1.05".into() };
    let upkeep = UpkeepRules {
        battery_days: 10,
        unseen_days: 20,
        calibration_days: 0,
        firmware: vec![least],
    };
    assert_eq!(config.upkeep, upkeep);
    let adult = config.alarms.sets.of(AgeGroup::Adult).ward;
    assert_eq!(adult.rate.low, Some(Decimal::from(45)));
    assert_eq!(adult.saturation.extreme_low, Some(Decimal::from(78)));
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
    let cards = Cards {
        trust: PathBuf::from("/srv/trust"),
        crl_age,
        crl_required: false,
        key_usage_required: false,
        policies: vec!["2.16.840.1.101.3.2.1.3.13".into()],
    };
    assert_eq!(config.cards, cards);
    assert_eq!(config.keyboard_badge, Some((0x16c0, 0x27db)));
    assert_eq!(config.readers, AllowedReaders(vec!["ACS ACR1252".into()]));
    let day = Duration::from_secs(24 * 3600);
    let retention = Retention { waveforms: 2 * day, numerics: 14 * day, minutes: 730 * day };
    assert_eq!(config.retention, retention);
    assert_eq!(config.witness, Some(PathBuf::from("/media/witness/cart-12")));
}

#[test]
fn limits_are_set_by_age_and_the_hospital_bounds_what_people_may_change() {
    let (config, ignored) = Config::parse(
        "[alarms]\ntemperature_high = 38.2\n\
         [alarms.range]\nheart_rate_high = [100, 140]\n\
         [alarms.neonate]\nspo2_low = 88\nspo2_high = 96\ndesaturation = 80\n\
         [alarms.neonate.range]\nspo2_low = [86, 90]\n",
    );
    assert_eq!(ignored, vec![]);
    let (adult, neonate) =
        (config.alarms.sets.of(AgeGroup::Adult), config.alarms.sets.of(AgeGroup::Neonate));
    assert_eq!(adult.ward.temperature.high, Some(Decimal::new(382, -1)));
    assert_eq!(neonate.ward.saturation.high, Some(Decimal::from(96)));
    assert_eq!(adult.ward.saturation, Limits::default().saturation);
    let range = |set: &LimitSet, of, side| set.range(of, side).map(|span| span.to_string());
    assert_eq!(range(adult, LimitKey::Rate, Side::High).as_deref(), Some("100\u{2013}140"));
    assert_eq!(range(neonate, LimitKey::Saturation, Side::Low).as_deref(), Some("86\u{2013}90"));
    for (text, says) in [
        ("[alarms.adolescent]\nspo2_low = 88\n", "alarms.adolescent: there is no such setting"),
        ("[alarms.neonate]\nlatch = true\n", "alarms.neonate.latch: there is no such setting"),
        ("[alarms.range]\nspo2 = [1, 2]\n", "alarms.range.spo2: there is no such setting"),
        (
            "[alarms.range]\nspo2_low = [90, 90]\n",
            "alarms.range.spo2_low: expected two numbers, the lower one first, as [40, 60]",
        ),
        (
            "[alarms.neonate]\nspo2_low = 80\n",
            "alarms.neonate.desaturation is not below alarms.neonate.spo2_low",
        ),
        ("[alarms]\nspo2_low = 90.5\n", "alarms.spo2_low: expected a whole number"),
        ("[alarms]\ntemperature_high = 48.2\n", "alarms.temperature_high: 48 is outside 36..=42"),
    ] {
        let (config, ignored) = Config::parse(text);
        assert_eq!(config, Config::default(), "{text}");
        let said: Vec<String> = ignored.iter().map(ToString::to_string).collect();
        assert_eq!(said, [says], "{text}");
    }
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
        ("[login]\nfinger = 1\n", "login.finger: expected true or false"),
        ("[cards]\ntrust = \"trust\"\n", "cards.trust: expected an absolute path"),
        (
            "[readers]\nkeyboard_badge = \"+6c0:27db\"\n",
            "readers.keyboard_badge: expected vendor and product as \"vvvv:pppp\"",
        ),
        (
            "[devices]\nfirmware = [\"UA-651BLE\"]\n",
            "devices.firmware: expected up to 16 models, each with its oldest firmware, as [\"UA-651BLE 1.05\"]",
        ),
        (
            "[devices]\nadapter = \"hci1\"\n",
            "devices.adapter: expected six hexadecimal bytes, as \"00:1A:7D:DA:71:13\"",
        ),
        (
            "[devices]\nadapter = \"00:1A:7D:DA:71:+3\"\n",
            "devices.adapter: expected six hexadecimal bytes, as \"00:1A:7D:DA:71:13\"",
        ),
        (
            "[cart]\nbed = \"a\\u0007b\"\n",
            "cart.bed: expected a text of up to 24 characters that all can be seen",
        ),
        ("[cart]\nlanguage = \"xx\"\n", "cart.language: expected \"en\" or \"de\""),
        ("[cart]\ntext_percent = 110\n", "cart.text_percent: expected 100, 125, 150 or 200"),
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

/// A file of the repository, wherever below it this crate stands.
fn shipped(path: &str) -> String {
    let crate_root = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs the tests");
    let mut places = std::path::Path::new(&crate_root).ancestors();
    let found = places.find_map(|place| std::fs::read_to_string(place.join(path)).ok());
    found.unwrap_or_else(|| panic!("{path} is not in the repository"))
}

/// A setting as `packaging/config.toml` has it, with the comment above it.
struct Written {
    key: String,
    /// What it says behind the sign; `None` where uncommenting it is no default.
    default: Option<String>,
    comment: String,
}

fn written(file: &str) -> Vec<Written> {
    let (mut settings, mut section, mut comment) = (Vec::new(), "", String::new());
    for line in file.lines() {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']');
        }
        let content = line.strip_prefix('#').unwrap_or_default();
        match content.trim_start().split_once(" = ") {
            Some((name, value)) if !name.contains(' ') => {
                let default = (!content.starts_with(' ')).then(|| value.to_owned());
                let key = format!("{section}.{name}");
                settings.push(Written { key, default, comment: std::mem::take(&mut comment) });
            }
            _ if content.is_empty() => comment.clear(),
            _ => comment.push_str(content),
        }
    }
    settings
}

#[test]
fn lists_of_readers_and_policies_are_taken_whole_or_not_at_all() {
    for (text, is_taken) in [
        ("[readers]\nonly = []", true),
        ("[readers]\nonly = [\"ACS\", \"0c27:3bfa\"]", true),
        ("[readers]\nonly = \"ACS\"", false),
        ("[readers]\nonly = [\"\"]", false),
        ("[readers]\nonly = [\"ACS\", 7]", false),
        ("[cards]\npolicies = [\"2.16.840.1.101.3.2.1.3.13\", \"1.3.6\", \"2.999.0\"]", true),
        ("[cards]\npolicies = [\"2.16.840.1.101.3.2.1.3.13\", \"PIV\"]", false),
        ("[cards]\npolicies = [\"3.1.2\"]", false),
        ("[cards]\npolicies = [\"1.40.2\"]", false),
        ("[cards]\npolicies = [\"1.3\"]", false),
        ("[cards]\npolicies = [\"1.3.06\"]", false),
        ("[cards]\npolicies = [\"1.3..6\"]", false),
        ("[cards]\npolicies = [\"1.3.4294967296\"]", false),
    ] {
        let (config, ignored) = Config::parse(text);
        assert_eq!(ignored.is_empty(), is_taken, "{text}");
        assert!(is_taken || config == Config::default(), "{text}");
    }
    let many = format!("[readers]\nonly = [{}]", "\"a\", ".repeat(17));
    assert_eq!(Config::parse(&many).1.len(), 1);
}

/// The range that a comment or a page gives.
fn range(text: &str) -> Option<RangeInclusive<i64>> {
    let (_, range) = text.split_once("Range: ")?;
    let (min, max) = range.split_once('.')?.0.split_once(" to ")?;
    Some(min.parse().expect("a number")..=max.parse().expect("a number"))
}

/// What the setting is refused with when it has this value, if it is.
fn refusal(key: &str, value: i64) -> Option<String> {
    let (section, name) = key.split_once('.').expect("a section");
    let (_, ignored) = Config::parse(&format!("[{section}]\n{name} = {value}\n"));
    let found = ignored.iter().find(|why| matches!(why, Ignored::OutOfRange { .. }));
    found.map(ToString::to_string)
}

#[test]
fn the_shipped_file_changes_nothing() {
    let file = shipped("packaging/config.toml");
    assert_eq!(Config::parse(&file), (Config::default(), vec![]), "as it is");
    for written in written(&file) {
        let Some(value) = written.default else { continue };
        let (section, name) = written.key.split_once('.').expect("a section");
        let alone = Config::parse(&format!("[{section}]\n{name} = {value}\n"));
        assert_eq!(alone, (Config::default(), vec![]), "{}", written.key);
    }
    let is_setting = |line: &str| line.starts_with(|c: char| c.is_ascii_lowercase());
    let bare = |line| str::strip_prefix(line, "#").filter(|bare| is_setting(bare));
    let all: Vec<&str> = file.lines().map(|line| bare(line).unwrap_or(line)).collect();
    assert_eq!(all.iter().filter(|line| is_setting(line)).count(), SETTINGS.len() - 5);
    assert_eq!(Config::parse(&all.join("\n")), (Config::default(), vec![]), "uncommented");
}

#[test]
fn the_shipped_file_and_the_manual_name_every_setting_once_with_its_range() {
    let known: Vec<&str> = SETTINGS.iter().map(|(key, _)| *key).collect();
    let file = written(&shipped("packaging/config.toml"));
    let keys: Vec<&str> = file.iter().map(|written| written.key.as_str()).collect();
    assert_eq!(keys, known, "packaging/config.toml");
    let manual = shipped("packaging/man/wardkeep.toml.5");
    let (_, list) = manual.split_once(".It Va ").expect("a list of settings");
    let list = list.split_once("\n.El\n").expect("the end of the list").0.replace("\\&", "");
    let entries: Vec<(&str, &str)> =
        list.split("\n.It Va ").filter_map(|entry| entry.split_once('\n')).collect();
    let keys: Vec<&str> = entries.iter().map(|(key, _)| *key).collect();
    assert_eq!(keys, known, "packaging/man/wardkeep.toml.5");
    for ((key, takes), (written, (_, entry))) in SETTINGS.iter().zip(file.iter().zip(entries)) {
        let told = entry.rsplit_once("Default:").map(|(_, told)| told.trim_start());
        let told = told.map(|told| told.trim_start_matches(".Ql ").trim_end_matches([' ', '.']));
        assert_eq!(told, written.default.as_deref(), "{key} in the manual");
        let enforced = match takes {
            Takes::Whole(range, _) | Takes::Limit(.., range) => Some(range),
            Takes::Label(_)
            | Takes::Language(_)
            | Takes::Flag(_)
            | Takes::TextSize(_)
            | Takes::Directory(_)
            | Takes::UsbId(_)
            | Takes::Address(_)
            | Takes::Names(_)
            | Takes::Firmware
            | Takes::Policies(_) => None,
        };
        assert_eq!(range(&written.comment).as_ref(), enforced, "{key} in the file");
        assert_eq!(range(entry).as_ref(), enforced, "{key} in the manual");
        let Some(range) = range(&written.comment) else { continue };
        let (min, max) = (*range.start(), *range.end());
        for value in [min - 1, max + 1] {
            let says = format!("{key}: {value} is outside {min}..={max}");
            assert_eq!(refusal(key, value), Some(says));
        }
        assert_eq!((refusal(key, min), refusal(key, max)), (None, None), "{key}");
    }
}

proptest! {
    #[test]
    fn any_text_gives_a_usable_configuration(text in "\\PC{0,400}") {
        let (config, _) = Config::parse(&text);
        prop_assert!(config.idle >= Duration::from_secs(30));
        for group in AgeGroup::ALL {
            let ward = config.alarms.sets.of(group).ward;
            prop_assert!(LimitKey::ALL.iter().all(|of| ward.of(*of).crossed().is_none()));
        }
    }
}
