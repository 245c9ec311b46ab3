//! First start, a nurse enrolled by IT, badge, PIN, patient, devices, live values, lock, more values, unlock, power cut, and
//! then everything is looked for in the store.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use wardkeep_model::confidential::Secret;
use wardkeep_model::keeping::RecoveryPhrase;
use wardkeep_model::moment::Moment;
use wardkeep_model::vitals::nomenclature::{HEART_RATE, PULSE_RATE_OXIMETER, SPO2};
use wardkeep_model::vitals::{Observation, Value};
use wardkeep_store::{Options, RecoveredVault, open_with_recovery};

use kit::house::{House, Kiosk, PICTURES, until};

const IT_BADGE: [u8; 7] = [0x04, 0xA1, 0xB2, 0xC3, 0xD4, 0xE5, 0x80];
const NURSE_BADGE: [u8; 7] = [0x04, 0xB7, 0x5E, 0x21, 0x90, 0x66, 0x81];
const STRANGE_BADGE: [u8; 4] = [0xDE, 0xAD, 0x51, 0x13];
const ADMIN_PIN: &str = "281564";
const PIN: &str = "471108";
const WRONG: &str = "935270";
const ADMIN: &str = "Quintilia Zephyrin";
const NURSE: &str = "Wilhelmina Xanthopoulos";
const FAMILY: &str = "Okonkwo-Brandtwald";
const GIVEN: &str = "Margarethe";
/// The patient as the screen names them.
pub const FULL_NAME: &str = "OKONKWO-BRANDTWALD, Margarethe";
const MRN: &str = "MRN-77120934";

/// So often somebody logs in before everything has to be taken over.
const LOGINS_MAX: usize = 5;
/// The lock screen while both devices are live.
const LIVE: &str = "2 of 2 devices live";
/// What the devices measured, in order: heart rate, SpO2, pulse rate.
type Sent = Vec<(u8, u8, u8)>;

pub fn tell(house: &mut House) {
    let mut sent = Sent::new();
    let mut kiosk = house.power_on();
    let words = first_start(house, &mut kiosk);
    enrol(house, &mut kiosk);
    strangers(house, &mut kiosk);
    unlock(house, &mut kiosk);
    admit(&mut kiosk);
    monitor(house, &mut kiosk, &mut sent);
    lock_and_record(house, &mut kiosk, &mut sent);
    loss(house, &mut kiosk, &mut sent);
    reader_dies(house, &mut kiosk);
    second_instance(house);
    power_cut(house, kiosk, &mut sent);
    taken_over(house, &words, sent.len());
    everything_is_there_once(house, &words, &sent);
    nothing_is_readable(house, &words);
}

pub fn first_start(house: &House, kiosk: &mut Kiosk) -> RecoveryPhrase {
    kiosk.press("Begin");
    kiosk.fill("Full name", ADMIN);
    kiosk.press("Continue");
    kiosk.sees("Tap your badge");
    house.tap(&IT_BADGE);
    choose(kiosk, ADMIN_PIN);
    kiosk.sees("Word 24");
    let words: Vec<String> = (1..=24)
        .map(|n| kiosk.value(&format!("Word {n}")).expect("24 words are on the screen"))
        .collect();
    kiosk.hold("I have written it down");
    kiosk.sees("Tap your badge");
    Secret::new(words.join(" "))
}

/// Somebody types a new PIN twice.
fn choose(kiosk: &mut Kiosk, pin: &str) {
    kiosk.sees("Choose a PIN");
    kiosk.pin(pin);
    kiosk.press("Continue");
    kiosk.sees("Type the PIN again");
    kiosk.pin(pin);
    kiosk.press("Continue");
}

/// The first IT person logs in, on the page of people.
pub fn log_in_as_it(house: &House, kiosk: &mut Kiosk) {
    house.tap(&IT_BADGE);
    kiosk.sees("Enter your PIN");
    kiosk.pin(ADMIN_PIN);
    kiosk.press("Unlock");
    kiosk.shows("Operator", "QZ");
}

/// IT adds a nurse, whose badge is tapped twice and who types a PIN twice. IT itself sees no patient.
pub fn enrol(house: &House, kiosk: &mut Kiosk) {
    log_in_as_it(house, kiosk);
    assert_eq!(kiosk.ask(&["press", "Patients"]), None, "patients are not for IT");
    kiosk.press("Add a person");
    kiosk.fill("Full name", NURSE);
    kiosk.press("Continue");
    kiosk.sees("Badge: tap 1 of 2");
    house.tap_twice(&NURSE_BADGE, || kiosk.sees("Badge: tap 2 of 2"));
    choose(kiosk, PIN);
    kiosk.press("That is all");
    kiosk.press("Lock");
    kiosk.sees("Tap your badge");
}

/// A badge nobody enrolled and a wrong PIN are told the same, and neither opens anything.
fn strangers(house: &House, kiosk: &mut Kiosk) {
    let mut told = Vec::new();
    for (badge, pin) in [(&STRANGE_BADGE[..], PIN), (&NURSE_BADGE[..], WRONG)] {
        house.tap(badge);
        kiosk.sees("Enter your PIN");
        kiosk.pin(pin);
        kiosk.press("Unlock");
        kiosk.sees("Notice");
        told.push(kiosk.value("Notice"));
        assert_eq!(kiosk.value("Operator"), None);
        kiosk.press("Cancel");
        kiosk.sees("Tap your badge");
    }
    assert_eq!(told[0], told[1]);
    assert!(told[0].as_ref().is_some_and(|notice| notice.contains("not right")), "{told:?}");
}

pub fn unlock(house: &House, kiosk: &mut Kiosk) {
    house.tap(&NURSE_BADGE);
    kiosk.sees("Enter your PIN");
    kiosk.pin(PIN);
    kiosk.press("Unlock");
    kiosk.shows("Operator", "WX");
}

pub fn admit(kiosk: &mut Kiosk) {
    kiosk.sees("There are no patients yet");
    kiosk.press("New patient");
    kiosk.fill("Family name", FAMILY);
    kiosk.fill("Given name", GIVEN);
    kiosk.fill("Date of birth", "1944-03-02");
    kiosk.fill("Patient number", MRN);
    kiosk.press("Save");
    kiosk.shows("Patient", FULL_NAME);
}

fn monitor(house: &House, kiosk: &mut Kiosk, sent: &mut Sent) {
    house.bluez.add_device(house.strap.clone());
    house.bluez.add_device(house.clip.clone());
    kiosk.press("Devices");
    for name in ["Heart strap 07", "Oximeter 21"] {
        kiosk.press(&format!("Connect {name}"));
        kiosk.press(&format!("Assign {name}"));
    }
    until("both devices are heard", || house.is_heard());
    kiosk.press("Bedside");
    measure(house, sent, (72, 97, 71));
    kiosk.shows("Heart rate", "72 /min");
    kiosk.shows("SpO2", "97 %");
    kiosk.shows("Pulse rate", "71 /min");
    if let Some(directory) = std::env::var_os(PICTURES) {
        kiosk.picture(&Path::new(&directory).join("story-bedside.png"));
    }
}

fn measure(house: &House, sent: &mut Sent, values: (u8, u8, u8)) {
    house.measure(values.0, values.1, values.2);
    sent.push(values);
}

/// S-1, S-2, S-3: locked, nothing of the patient is on the screen, and recording goes on.
fn lock_and_record(house: &House, kiosk: &mut Kiosk, sent: &mut Sent) {
    kiosk.press("Lock");
    kiosk.sees("Tap your badge");
    for label in ["Patient", "Operator", "Heart rate", "SpO2", FULL_NAME] {
        assert_eq!(kiosk.value(label), None, "{label} on the lock screen");
    }
    for n in 0..20 {
        measure(house, sent, (80 + n, 95, 80 + n));
    }
    unlock(house, kiosk);
    kiosk.shows("Patient", FULL_NAME);
    measure(house, sent, (73, 96, 72));
    kiosk.shows("Heart rate", "73 /min");
}

/// S-7: a lost link turns the tile to dashes, and the driver comes back by itself.
fn loss(house: &House, kiosk: &mut Kiosk, sent: &mut Sent) {
    house.bluez.advertising(house.strap.device, false);
    house.runtime.block_on(house.bluez.drop_link(house.strap.device));
    kiosk.shows("Heart rate", "--");
    until("an alarm names the strap", || {
        kiosk.value("Alarm").is_some_and(|alarm| alarm.contains("Heart strap 07"))
    });
    house.bluez.advertising(house.strap.device, true);
    until("the strap is heard again", || house.is_heard());
    measure(house, sent, (74, 96, 73));
    kiosk.shows("Heart rate", "74 /min");
    kiosk.press("Lock");
    kiosk.sees("Tap your badge");
}

fn reader_dies(house: &mut House, kiosk: &mut Kiosk) {
    house.pcscd.kill();
    until("the dead reader service is told", || {
        kiosk.value("Badge").is_some_and(|state| state != "ready")
    });
    house.pcscd.restart();
    kiosk.shows("Badge", "ready");
    unlock(house, kiosk);
    kiosk.press("Lock");
    kiosk.sees("Tap your badge");
}

/// A second program on the same store touches nothing and says why.
fn second_instance(house: &House) {
    let mut second = house.power_on();
    second.sees("Wardkeep is already running on this cart.");
    second.asked_to_close();
    second.sees("Wardkeep is already running on this cart.");
    second.loses_its_screen();
}

/// Killed and started again with nobody there: within 10 s everything runs on, locked.
fn power_cut(house: &House, kiosk: Kiosk, sent: &mut Sent) {
    // What was acknowledged as durable is at most a second behind.
    std::thread::sleep(Duration::from_millis(1_500));
    kiosk.cut();
    let mut kiosk = house.power_on();
    let before = Moment::read();
    kiosk.begins("Devices", LIVE);
    let took = Moment::read().boot.since(before.boot);
    assert!(took < Duration::from_secs(10), "monitoring took {took:?} to resume");
    until("both devices are heard", || house.is_heard());
    for n in 0..10 {
        measure(house, sent, (130 + n, 94, 130 + n));
    }
    kiosk.sees("Tap your badge");
    until("an alarm on the locked screen", || {
        measure(house, sent, (150, 94, 150));
        kiosk.value("Alarm").is_some_and(|alarm| alarm.contains("150"))
    });
    unlock(house, &mut kiosk);
    kiosk.shows("Patient", FULL_NAME);
    kiosk.press("Lock");
    kiosk.sees("Tap your badge");
    kiosk.end();
}

/// A login that is ended at once leaves what it has not taken over yet to the next one.
fn taken_over(house: &House, words: &RecoveryPhrase, sent: usize) {
    for _ in 0..LOGINS_MAX {
        let vault = opened(house, words);
        let observations = vault.observations().expect("observations");
        drop(vault);
        let is_rate = |one: &&Observation| {
            one.code == HEART_RATE && matches!(one.value.reveal(), Value::Measured(_))
        };
        if observations.iter().filter(is_rate).count() >= sent {
            return;
        }
        let mut kiosk = house.power_on();
        kiosk.sees("Tap your badge");
        unlock(house, &mut kiosk);
        kiosk.shows("Patient", FULL_NAME);
        kiosk.press("Lock");
        kiosk.sees("Tap your badge");
        kiosk.end();
    }
}

fn opened(house: &House, words: &RecoveryPhrase) -> RecoveredVault {
    let options = Options::new(&house.state).on_any_disk();
    open_with_recovery(&options, words).expect("the store can be read").expect("the words open it")
}

/// S-6, S-8: every value that a device sent is in the vault, once, filed to the patient.
fn everything_is_there_once(house: &House, words: &RecoveryPhrase, sent: &Sent) {
    let vault = opened(house, words);
    let patients = vault.patients().expect("patients");
    assert_eq!(patients.len(), 1);
    assert_eq!(patients[0].family.reveal(), FAMILY);
    let observations = vault.observations().expect("observations");
    let identities: BTreeSet<_> = observations.iter().map(|o| (o.device, o.record)).collect();
    assert_eq!(identities.len(), observations.len(), "no record is there twice");
    let charted = |code| -> Vec<String> {
        let mut of_code: Vec<&Observation> =
            observations.iter().filter(|o| o.code == code).collect();
        of_code.sort_by_key(|o| o.received);
        let measured = of_code.iter().filter_map(|o| match o.value.reveal() {
            Value::Measured(value) => {
                assert_eq!(o.subject, Some(patients[0].id), "filed to the patient");
                Some(value.to_string())
            }
            Value::Absent(_) => None,
        });
        measured.collect()
    };
    let expected = |pick: fn(&(u8, u8, u8)) -> u8| -> Vec<String> {
        sent.iter().map(|s| pick(s).to_string()).collect()
    };
    assert_eq!(charted(HEART_RATE), expected(|s| s.0));
    assert_eq!(charted(SPO2), expected(|s| s.1));
    assert_eq!(charted(PULSE_RATE_OXIMETER), expected(|s| s.2));
}

/// S-3, S-4, S-10: no name, number, PIN, badge or key word in any file or log.
fn nothing_is_readable(house: &House, words: &RecoveryPhrase) {
    let mut needles: Vec<Vec<u8>> = [
        FAMILY,
        GIVEN,
        MRN,
        ADMIN,
        NURSE,
        PIN,
        ADMIN_PIN,
        "OKONKWO",
        "1944-03-02",
        "04B75E21906681",
    ]
    .map(|text| text.as_bytes().to_vec())
    .into();
    needles.extend([IT_BADGE.to_vec(), NURSE_BADGE.to_vec(), STRANGE_BADGE.to_vec()]);
    needles.push(words.expose().split(' ').take(3).collect::<Vec<_>>().join(" ").into_bytes());
    let mut haystacks: Vec<(String, Vec<u8>)> = files(&house.state)
        .into_iter()
        .map(|path| (path.display().to_string(), std::fs::read(&path).expect("a readable file")))
        .collect();
    assert!(haystacks.len() >= 4, "the store has files");
    haystacks.push(("the log".into(), house.log().into_bytes()));
    for (name, content) in &haystacks {
        for needle in &needles {
            let found = content.windows(needle.len()).any(|window| window == needle.as_slice());
            assert!(!found, "{name} holds one of the secrets");
            let in_name =
                name.as_bytes().windows(needle.len()).any(|window| window == needle.as_slice());
            assert!(!in_name, "a file name holds one of the secrets");
        }
        assert!(!content.starts_with(b"SQLite format 3"), "{name} is a plain database");
    }
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}
