//! Facts to lines: each state of the machine gives one line that says what to do.

use std::time::Duration;

use jiff::Timestamp;

use super::*;
use crate::ctl::doctor::probe::playback;
use wardkeep_model::keeping::{Cause, Retention, StoreFault, Unfit};
use wardkeep_model::moment::BootTime;
use wardkeep_store::MemoryFacts;

const DAY: Duration = Duration::from_secs(24 * 3600);

fn healthy() -> Facts {
    Facts {
        readers: Readers::Listed(vec!["ACS ACR122U 00 00".into()]),
        factors: fitted(),
        bluetooth: Bluetooth::Adapters(vec![("hci0".into(), true)]),
        tpm: true,
        store: Ok(StoreFacts {
            exists: true,
            sealed_secret: true,
            slots: 3,
            inbox_bytes: 4096,
            cipher: "SQLite 3.53.4".into(),
        }),
        state: ("/var/lib/wardkeep".into(), None),
        keeping: Keeping {
            retention: Retention::default(),
            free: Some(12 << 30),
            memory: MemoryFacts { undumpable: true, lock_limit: None, swap: true },
            counter: Counter::Works,
            has_witness: false,
        },
        slots: vec![],
        settings_file: None,
        used: vec!["cart.bed".into()],
        ignored: Vec::new(),
        now: moment("2026-11-22T14:32:00Z", 60),
        sound: vec!["Analog".into()],
        font: Some("/usr/share/fonts/truetype/noto/NotoSans-Regular.ttf".into()),
        scripts: vec![("Latin", true), ("Han", true)],
        is_synchronised: Some(true),
        display: Some("DISPLAY=:0".into()),
    }
}

/// A cart with every kind of reader.
fn fitted() -> Factors {
    Factors {
        usb_badges: vec![("pcProx 0c27:3bfa".into(), true)],
        card_readers: vec!["SCM Contact 00 00".into()],
        finger: Finger::Ready("synaptics".into()),
        finger_plugged: true,
        trust: Issuers {
            directory: "/etc/wardkeep/trust".into(),
            roots: 1,
            intermediates: 1,
            lists: 2,
            ages: Some((DAY, 90 * DAY)),
            faults: Vec::new(),
            age_max: 7 * DAY,
            lists_required: true,
        },
        ..Factors::default()
    }
}

fn moment(wall: &str, boot_s: u64) -> Moment {
    let wall: Timestamp = wall.parse().expect("a timestamp");
    Moment { boot: BootTime(Duration::from_secs(boot_s)), wall }
}

/// Names of the lines that fail.
fn failing(facts: &Facts) -> Vec<&'static str> {
    Report::of(facts).checks.iter().filter(|check| !check.ok).map(|check| check.name).collect()
}

#[test]
fn a_healthy_machine_passes() {
    let report = Report::of(&healthy());
    assert!(report.ok, "{}", report.sentences());
    assert_eq!(report.checks.len(), 20);
}

#[test]
fn each_fault_fails_its_own_line_only() {
    type Break = fn(&mut Facts);
    let faults: [(&str, Break); 43] = [
        ("badge-reader", |f| f.readers = Readers::ServiceDown),
        ("badge-reader", |f| f.readers = Readers::Refused),
        ("badge-reader", |f| {
            f.readers = Readers::Listed(Vec::new());
            factors(f).usb_badges.clear();
        }),
        ("badge-reader", |f| {
            f.readers = Readers::Listed(Vec::new());
            factors(f).pn533_holds = true;
        }),
        ("usb-badge", |f| factors(f).usb_badges = vec![("pcProx 0c27:3bfa".into(), false)]),
        ("usb-badge", |f| factors(f).missing_keyboard = Some((0x16c0, 0x27db))),
        ("card-reader", |f| factors(f).card_readers.clear()),
        ("fingerprint", |f| factors(f).finger = Finger::NoLibrary),
        ("fingerprint", |f| factors(f).finger = Finger::NotFitted),
        ("fingerprint", |f| factors(f).finger = Finger::Refused("synaptics".into())),
        ("trusted-issuers", |f| factors(f).trust.roots = 0),
        ("trusted-issuers", |f| {
            factors(f).trust.faults = vec!["roots/a: is not a certificate".into()];
        }),
        ("trusted-issuers", |f| factors(f).trust.ages = None),
        ("trusted-issuers", |f| factors(f).trust.ages = Some((8 * DAY, 8 * DAY))),
        ("trusted-issuers", |f| {
            factors(f).trust.intermediates = 0;
            factors(f).trust.ages = Some((DAY, 8 * DAY));
        }),
        ("bluetooth", |f| f.bluetooth = Bluetooth::NoBus),
        ("bluetooth", |f| f.bluetooth = Bluetooth::NoDaemon),
        ("bluetooth", |f| f.bluetooth = Bluetooth::Refused),
        ("bluetooth", |f| f.bluetooth = Bluetooth::Adapters(Vec::new())),
        ("bluetooth", |f| f.bluetooth = Bluetooth::Adapters(vec![("hci0".into(), false)])),
        ("tpm", |f| f.tpm = false),
        ("state-directory", |f| f.state.1 = Some(DirFault::Missing)),
        ("state-directory", |f| f.state.1 = Some(DirFault::NotADirectory)),
        ("state-directory", |f| f.state.1 = Some(DirFault::ReadOnly)),
        ("state-directory", |f| f.state.1 = Some(DirFault::OpenToOthers)),
        ("state-directory", |f| f.state.1 = Some(DirFault::Unfit(Unfit::ForeignOwner))),
        ("state-directory", |f| f.state.1 = Some(DirFault::Unfit(Unfit::OpenParent))),
        ("state-directory", |f| f.state.1 = Some(DirFault::Unfit(Unfit::Volatile))),
        ("state-directory", |f| f.state.1 = Some(DirFault::Unfit(Unfit::Network))),
        ("device-secret", |f| {
            f.store.as_mut().expect("healthy").sealed_secret = false;
        }),
        ("retention", |f| f.keeping.free = Some(511 << 20)),
        ("retention", |f| f.keeping.free = None),
        ("memory", |f| f.keeping.memory.undumpable = false),
        ("memory", |f| f.keeping.memory.lock_limit = Some(8 << 20)),
        ("tpm-counter", |f| f.keeping.counter = Counter::Missing),
        ("tpm-counter", |f| f.keeping.counter = Counter::Silent),
        ("configuration", |f| f.ignored = vec!["cart.bad: there is no such setting".into()]),
        ("clock", |f| f.now = moment("1970-01-01T00:00:09Z", 9)),
        ("clock", |f| f.now = moment("2126-01-01T00:00:00Z", 9)),
        ("clock", |f| f.now = moment("2026-11-22T14:32:00Z", 0)),
        ("sound", |f| f.sound.clear()),
        ("fonts", |f| f.font = None),
        ("display", |f| f.display = None),
    ];
    for (line, fault) in faults {
        let mut facts = healthy();
        fault(&mut facts);
        assert_eq!(failing(&facts), [line]);
    }
}

fn factors(facts: &mut Facts) -> &mut Factors {
    &mut facts.factors
}

/// Which readers a cart has is the site's choice.
#[test]
fn a_reader_that_is_not_fitted_is_no_fault() {
    let trust = Issuers { directory: "/etc/wardkeep/trust".into(), ..Issuers::default() };
    for finger in [Finger::NotFitted, Finger::NoLibrary] {
        let bare = Factors { finger, trust: trust.clone(), ..Factors::default() };
        let report = Report::of(&Facts { factors: bare, ..healthy() });
        assert!(report.ok, "{}", report.sentences());
    }
    let usb_only = Facts { readers: Readers::Listed(Vec::new()), ..healthy() };
    assert_eq!(failing(&usb_only), [""; 0]);
    let mut without_lists = healthy();
    factors(&mut without_lists).trust.lists_required = false;
    factors(&mut without_lists).trust.ages = None;
    assert_eq!(failing(&without_lists), [""; 0]);
}

#[test]
fn the_age_of_revocation_lists_is_told() {
    let sentences = Report::of(&healthy()).sentences();
    assert!(
        sentences.contains("roots: 1, intermediates: 1, lists: 2 (1 d to 90 d old)"),
        "{sentences}"
    );
}

#[test]
fn the_systems_list_of_fingerprint_readers_is_read() {
    let list = "# Supported by libfprint driver aes1610\nusb:v08FFp1600*\n ID_AUTOSUSPEND=1\n";
    assert!(factor_probe::is_known(list, "08ff", "1600"));
    assert!(!factor_probe::is_known(list, "08ff", "160"));
    assert!(!factor_probe::is_known(list, "08ff", "1601"));
}

#[test]
fn every_store_fault_has_its_cause_and_remedy() {
    let faults = [
        StoreFault::InUse,
        StoreFault::ReadOnly,
        StoreFault::Foreign,
        StoreFault::Unfit(Unfit::ForeignOwner),
        StoreFault::Unfit(Unfit::OpenParent),
        StoreFault::Unfit(Unfit::Volatile),
        StoreFault::Unfit(Unfit::Network),
        StoreFault::WrongDeviceSecret,
        StoreFault::Damaged,
        StoreFault::Later,
        StoreFault::Full,
        StoreFault::Io,
        StoreFault::NoCipher,
    ];
    let mut causes = std::collections::BTreeSet::new();
    for fault in faults {
        let cause = Some(Cause::System(5));
        let facts = Facts { store: Err((fault, cause)), ..healthy() };
        assert_eq!(failing(&facts), ["store", "device-secret"], "{fault:?}");
        let report = Report::of(&facts);
        let line = report.checks.iter().find(|check| check.name == "store").expect("a store line");
        assert!(line.remedy.is_some() && causes.insert(line.cause), "{fault:?}");
        assert!(line.detail.ends_with("(Input/output error (os error 5))"), "{}", line.detail);
    }
}

#[test]
fn a_failing_line_names_cause_and_remedy_and_a_working_one_neither() {
    let facts = Facts {
        readers: Readers::ServiceDown,
        bluetooth: Bluetooth::NoDaemon,
        tpm: false,
        sound: Vec::new(),
        ..healthy()
    };
    for check in Report::of(&facts).checks {
        assert_eq!(check.cause.is_none(), check.ok, "{}", check.name);
        assert_eq!(check.remedy.is_none(), check.ok, "{}", check.name);
    }
}

#[test]
fn the_json_has_the_documented_shape() {
    let report = Report::of(&Facts { readers: Readers::ServiceDown, ..healthy() });
    let json = serde_json::to_value(&report).expect("serialisable");
    assert_eq!(json["ok"], false);
    let first = &json["checks"][0];
    assert_eq!(first["name"], "badge-reader");
    assert_eq!(first["ok"], false);
    assert_eq!(first["detail"], "pcscd does not answer");
    assert!(first["cause"].is_string() && first["remedy"].is_string());
    assert!(json["checks"][1]["cause"].is_null() && json["checks"][1]["remedy"].is_null());
    assert!(report.sentences().contains("FAIL badge-reader     pcscd does not answer\n"));
}

#[test]
fn a_reader_that_the_site_does_not_allow_is_named() {
    let slot = |name: &str, takes| SlotFacts {
        name: name.into(),
        takes,
        holds: "badge",
        answer_to_reset: vec![],
    };
    let slots = vec![slot("ACS 00", "badges"), slot("Other 00", NOT_ALLOWED)];
    let report = Report::of(&Facts { slots, ..healthy() });
    let line = report.checks.iter().find(|check| check.name == "reader-slots").unwrap();
    assert_eq!(line.detail, "ACS 00: badge; Other 00: not in `readers.only`");
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["slots"][1]["takes"], "not-allowed");
}

#[test]
fn a_store_that_is_not_made_yet_is_no_fault() {
    let mut facts = healthy();
    facts.store.as_mut().expect("healthy").exists = false;
    let report = Report::of(&facts);
    assert!(report.ok);
    assert!(report.sentences().contains("none yet"));
}

#[test]
fn playback_devices_are_told_from_microphones() {
    let table = "00-00: ALC256 Analog : ALC256 Analog : playback 1 : capture 1\n\
                 00-03: HDMI 0 : HDMI 0 : playback 1\n\
                 01-00: USB Mic : USB Mic : capture 1\n";
    assert_eq!(playback(table), ["ALC256 Analog", "HDMI 0"]);
    assert!(playback("").is_empty());
}

#[test]
fn the_machine_answers_within_bounds_and_leaves_nothing_behind() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let config = dir.path().join("config.toml");
    let facts = probe::facts(dir.path(), None);
    assert_eq!(facts.ignored, [""; 0]);
    let named = probe::facts(dir.path(), Some(&config));
    assert!(matches!(&named.ignored[..], [why] if why.contains("cannot be read")), "as the kiosk");
    // The temporary directory may be in memory.
    assert!(matches!(facts.state.1, None | Some(DirFault::Unfit(Unfit::Volatile))));
    assert_eq!(std::fs::read_dir(dir.path()).expect("readable").count(), 0);
    std::fs::write(&config, "[cart]\nbad = 1\n").expect("writable");
    let missing = probe::facts(&dir.path().join("missing"), Some(&config));
    assert_eq!(missing.state.1, Some(DirFault::Missing));
    assert_eq!(missing.ignored, ["cart.bad: there is no such setting"]);
}

/// Which files put back nobody notices is said where there is nothing that would.
#[test]
fn without_a_counter_it_is_said_what_goes_unnoticed_unless_there_is_a_witness() {
    let mut facts = healthy();
    facts.keeping.counter = Counter::Missing;
    let line = |facts: &Facts| {
        let all = Report::of(facts).checks;
        all.into_iter().find(|check| check.name == "tpm-counter").expect("it is looked at")
    };
    let without = line(&facts);
    let cause = without.cause.expect("it fails");
    assert!(!without.ok && cause.contains("All files that changed since some moment"), "{cause}");
    assert!(without.remedy.expect("a remedy").contains("store.witness"));
    facts.keeping.has_witness = true;
    assert!(line(&facts).ok);
}
