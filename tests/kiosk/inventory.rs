//! The devices of a cart over weeks: what is known of each, who has to do what, and the page of one.

use std::time::Duration;

use jiff::SignedDuration;
use jiff::civil::date;
use kit::kiosk::{Bedside, OXIMETER, STRAP, heart_rate};
use wardkeep_core::alarms::Condition;
use wardkeep_core::inventory::Task;
use wardkeep_core::kiosk::frame;
use wardkeep_core::kiosk::page::Page;
use wardkeep_core::kiosk::pages::inventory::{DeviceForm, Intent};
use wardkeep_core::kiosk::pages::{devices, pairing, patients};
use wardkeep_core::kiosk::view::inventory::{DeviceClock, DevicePage, Inventory, LastSeen};
use wardkeep_core::kiosk::view::{Owner, Screen};
use wardkeep_model::access::Role;
use wardkeep_model::confidential::Phi;
use wardkeep_model::encounter::PatientForm;
use wardkeep_model::keeping::{AuditAct, InventoryEntry};
use wardkeep_model::notice::Notice;
use wardkeep_model::ports::{Command, Event, Link, WriteFault};
use wardkeep_model::vitals::{Characteristic, DeviceId, DeviceKind};

const CUFF: DeviceId = DeviceId([0xC0, 0, 0, 0, 0, 0x41]);
const SECOND: Duration = Duration::from_secs(1);
const ALERT: Characteristic = Characteristic(0x2A06);

/// A monitored bed with a cuff beside it, that says who it is.
fn with_cuff() -> Bedside {
    let mut bedside = Bedside::monitoring();
    bedside.advertise(CUFF, DeviceKind::Cuff);
    bedside.intent(devices::Intent::Connect(CUFF));
    bedside.hardware(Event::Link(CUFF, Link::Live));
    for (number, said) in [(0x2A29, "A&D"), (0x2A24, "UA-651BLE"), (0x2A25, "0417")] {
        send(&mut bedside, CUFF, number, said.as_bytes());
    }
    bedside
}

fn send(bedside: &mut Bedside, device: DeviceId, number: u16, payload: &[u8]) {
    let (characteristic, received) = (Characteristic(number), bedside.now());
    let payload = payload.to_vec();
    bedside.hardware(Event::Frame { device, characteristic, payload, received });
}

/// Somebody of IT is logged in now.
fn as_it(bedside: &mut Bedside) {
    bedside.intent(frame::Intent::Lock);
    bedside.store.role = Role::It;
    bedside.unlock();
}

fn list(bedside: &mut Bedside) -> Inventory {
    bedside.intent(frame::Intent::Open(Page::Inventory));
    let Screen::Inventory(page) = bedside.view().screen else { panic!("no list") };
    *page
}

fn page(bedside: &mut Bedside, id: DeviceId) -> DevicePage {
    bedside.intent(Intent::Open(id));
    let Screen::Device(page) = bedside.view().screen else { panic!("no page") };
    *page
}

fn remembered(bedside: &Bedside, id: DeviceId) -> InventoryEntry {
    let cart = bedside.store.cart.as_ref().expect("a cart");
    cart.inventory.iter().find(|entry| entry.id == id).expect("an entry").clone()
}

fn label(text: &str, due: &str) -> DeviceForm {
    DeviceForm { label: text.into(), calibration_due: due.into() }
}

#[test]
fn what_a_device_says_is_in_the_list_written_down_and_there_after_a_restart() {
    let mut bedside = with_cuff();
    send(&mut bedside, CUFF, 0x2A19, &[41]);
    send(&mut bedside, CUFF, 0x2A2B, &[0xEA, 0x07, 11, 22, 14, 40, 0, 7, 0, 0]);
    bedside.wait(25 * SECOND);
    let entry = remembered(&bedside, CUFF);
    assert_eq!(
        (entry.identity.model.as_str(), entry.identity.serial.as_str()),
        ("UA-651BLE", "0417")
    );
    assert_eq!(entry.battery.last().map(|one| one.percent), Some(41));
    // Eight minutes ahead, and it was set at once.
    let row = list(&mut bedside).rows.into_iter().find(|row| row.facts.id == CUFF).expect("a row");
    assert_eq!((row.facts.clock, row.facts.seen), (DeviceClock::Set(480), LastSeen::Now));
    let cart = bedside.store.cart.clone().expect("a cart");
    let mut again = Bedside::resumed(cart);
    again.unlock();
    let row = list(&mut again).rows.into_iter().find(|row| row.facts.id == CUFF).expect("a row");
    assert_eq!(row.facts.identity, entry.identity);
    assert!(matches!(row.facts.seen, LastSeen::Ago(_)), "it is not linked yet");
}

#[test]
fn a_battery_is_foretold_over_weeks_and_releases_and_asks_for_somebody_in_time() {
    let mut bedside = with_cuff();
    for day in 0..10_u8 {
        if day > 0 {
            bedside.set_wall(SignedDuration::from_hours(24));
        }
        send(&mut bedside, CUFF, 0x2A19, &[80 - 5 * day]);
        bedside.wait(25 * SECOND);
        if day == 4 {
            bedside.unlock();
            bedside.intent(devices::Intent::Release(CUFF));
            assert_eq!(list(&mut bedside).tasks, []);
            bedside.intent(devices::Intent::Connect(CUFF));
            bedside.hardware(Event::Link(CUFF, Link::Live));
        }
    }
    bedside.unlock();
    let found = list(&mut bedside);
    let task = found.tasks.iter().find(|line| line.id == CUFF).expect("a task");
    assert!(matches!(task.task, Task::BatteryEnds { days: 4..=6, percent: 35 }), "{task:?}");
    let row = found.rows.iter().find(|row| row.facts.id == CUFF).expect("a row");
    assert_eq!(row.tasks, [task.number]);
    assert_eq!(page(&mut bedside, CUFF).battery.len(), 10);
}

#[test]
fn s6_a_label_is_given_by_it_names_the_device_everywhere_and_is_found_by_a_scan() {
    let mut bedside = with_cuff();
    bedside.intent(Intent::Describe(CUFF, label("Cuff 03", "2027-09-01")));
    assert_eq!(bedside.notice(), Some(Notice::NotAllowed), "a nurse writes no labels");
    as_it(&mut bedside);
    let before = page(&mut bedside, CUFF).written;
    for (form, notice) in [
        (label("Cuff\u{202E}03", ""), Notice::LabelWrong),
        (label("Cuff 03", "soon"), Notice::DayWrong),
        (label("Cuff 03", "01.09.2027"), Notice::DeviceDescribed),
    ] {
        bedside.intent(Intent::Describe(CUFF, form));
        assert_eq!(bedside.notice(), Some(notice));
    }
    bedside.intent(Intent::Describe(STRAP, label("cuff  03", "")));
    assert_eq!(bedside.notice(), Some(Notice::LabelTaken));
    let Screen::Device(shown) = bedside.view().screen else { panic!("no page") };
    assert_eq!((shown.written, shown.label.as_str()), (before + 1, "Cuff 03"));
    assert_eq!(remembered(&bedside, CUFF).calibration_due, Some(date(2027, 9, 1)));
    let acts = bedside.store.audit.iter().filter(|one| one.act == AuditAct::DeviceDescribed);
    assert_eq!(acts.count(), 1);
    for scanned in ["CUFF 03", "0417"] {
        list(&mut bedside);
        bedside.intent(Intent::Find(scanned.into()));
        let Screen::Device(found) = bedside.view().screen else { panic!("not found") };
        assert_eq!(found.facts.id, CUFF, "{scanned}");
    }
    list(&mut bedside);
    bedside.intent(Intent::Find("Cuff 04".into()));
    assert_eq!(bedside.notice(), Some(Notice::DeviceNotFound));
    // The question whose reading it is names the label.
    bedside.intent(frame::Intent::Lock);
    bedside.store.role = Role::Nurse;
    bedside.unlock();
    bedside.intent(frame::Intent::Open(Page::Bedside));
    send(&mut bedside, CUFF, 0x2A35, &[0, 118, 0, 76, 0, 90, 0]);
    let Screen::Reading(asked) = bedside.view().screen else { panic!("no question") };
    assert_eq!(asked.device, "Cuff 03");
}

#[test]
fn a_device_shows_itself_or_says_that_it_cannot() {
    let mut bedside = with_cuff();
    assert!(page(&mut bedside, CUFF).can_blink);
    bedside.radio.clear();
    bedside.intent(Intent::Blink(CUFF));
    let asked =
        |command: &Command| matches!(command, Command::Write(CUFF, ALERT, level) if *level == [1]);
    assert_eq!(bedside.radio.iter().filter(|one| asked(one)).count(), 1);
    bedside.hardware(Event::Wrote(CUFF, ALERT, Ok(())));
    assert_eq!(bedside.notice(), Some(Notice::DeviceBlinks));
    bedside.hardware(Event::Wrote(CUFF, ALERT, Err(WriteFault::NoSuchCharacteristic)));
    assert_eq!(bedside.notice(), Some(Notice::DeviceCannotBlink));
    bedside.hardware(Event::Link(CUFF, Link::Lost));
    assert!(!page(&mut bedside, CUFF).can_blink);
    bedside.radio.clear();
    bedside.intent(Intent::Blink(CUFF));
    assert!(bedside.radio.is_empty(), "nobody hears it");
}

#[test]
fn s1_frames_are_shown_of_ones_own_patient_and_of_nobody_else() {
    let mut bedside = with_cuff();
    bedside.frame(STRAP, heart_rate(72));
    let strap = page(&mut bedside, STRAP);
    assert!(matches!(strap.owner, Owner::ThisPatient(_)));
    assert_eq!(strap.frames[0].read.reveal(), "72 /min");
    assert_eq!(page(&mut bedside, OXIMETER).frames, []);
    send(&mut bedside, CUFF, 0x2A19, &[90]);
    as_it(&mut bedside);
    assert_eq!(page(&mut bedside, STRAP).frames, [], "whose values they are is not IT's to see");
    let cuff = page(&mut bedside, CUFF).frames;
    assert_eq!(cuff[0].read.reveal(), "90 %", "nobody's");
    bedside.intent(frame::Intent::Lock);
    bedside.store.role = Role::Nurse;
    bedside.unlock();
    bedside.intent(frame::Intent::Open(Page::Patients));
    bedside.intent(patients::Intent::Add(PatientForm {
        family: Phi::new("Abadi".to_owned()),
        given: Phi::new("Soraya".to_owned()),
        mrn: Phi::new("4502".to_owned()),
        ..Default::default()
    }));
    let strap = page(&mut bedside, STRAP);
    assert_eq!((strap.owner, strap.frames), (Owner::Nobody, vec![]), "they were somebody else's");
}

#[test]
fn a_device_that_measures_somebody_is_not_forgotten_and_a_forgotten_one_is_gone() {
    let mut bedside = with_cuff();
    as_it(&mut bedside);
    assert!(!page(&mut bedside, STRAP).can_forget && page(&mut bedside, CUFF).can_forget);
    bedside.radio.clear();
    for id in [STRAP, CUFF] {
        bedside.intent(pairing::Intent::Forget(id));
    }
    assert_eq!(bedside.radio, [Command::Disconnect(CUFF), Command::Forget(CUFF)]);
    let cart = bedside.store.cart.clone().expect("a cart");
    assert!(cart.inventory.iter().all(|entry| entry.id != CUFF));
    assert!(cart.devices.iter().all(|device| device.id != CUFF));
    let Screen::Inventory(page) = bedside.view().screen else { panic!("its page is gone, too") };
    assert!(page.rows.iter().all(|row| row.facts.id != CUFF));
}

#[test]
fn s9_what_makes_values_doubtful_is_a_technical_alarm_until_it_is_put_right() {
    let mut bedside = with_cuff();
    let stands = |bedside: &Bedside| {
        let ranked = bedside.kiosk.alarms().ranked();
        ranked.iter().any(|(shown, _)| shown.condition == Condition::Upkeep(STRAP))
    };
    assert!(!stands(&bedside));
    as_it(&mut bedside);
    bedside.intent(Intent::Describe(STRAP, label("", "2026-11-21")));
    bedside.wait(SECOND);
    assert!(stands(&bedside), "its calibration was due yesterday");
    bedside.intent(Intent::Describe(STRAP, label("", "2026-11-22")));
    bedside.wait(SECOND);
    assert!(!stands(&bedside));
}
