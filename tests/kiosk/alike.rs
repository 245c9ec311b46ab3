//! Several devices of one kind on one patient: one is shown, all are recorded, and the screen says which it is and
//! why.

use std::time::Duration;

use kit::kiosk::{Bedside, OXIMETER, oximetry};
use wardkeep_core::kiosk::frame;
use wardkeep_core::kiosk::page::Page;
use wardkeep_core::kiosk::pages::devices::Intent;
use wardkeep_core::kiosk::view::{DeviceRow, OneOf, Screen, Tile};
use wardkeep_model::keeping::AuditAct;
use wardkeep_model::ports::{Event, Link};
use wardkeep_model::vitals::nomenclature::SPO2;
use wardkeep_model::vitals::parameter::Parameter;
use wardkeep_model::vitals::{DeviceId, DeviceKind};

const SECOND: Duration = Duration::from_secs(1);
const OTHER: DeviceId = DeviceId([0xC0, 0, 0, 0, 0, 0x21]);

/// The patient has a second oximeter, and both measure.
fn both() -> Bedside {
    let mut bedside = Bedside::monitoring();
    bedside.wait(SECOND);
    bedside.advertise(OTHER, DeviceKind::PulseOximeter);
    bedside.intent(Intent::Connect(OTHER));
    bedside.hardware(Event::Link(OTHER, Link::Live));
    bedside.intent(Intent::Assign(OTHER));
    measured(&mut bedside, Some(97), Some(91));
    bedside
}

/// A second passes; each of them measures, or does not.
fn measured(bedside: &mut Bedside, first: Option<u8>, second: Option<u8>) {
    bedside.wait(SECOND);
    for (id, spo2) in [(OXIMETER, first), (OTHER, second)] {
        if let Some(spo2) = spo2 {
            bedside.frame(id, oximetry(spo2, 70));
        }
    }
}

fn tile(bedside: &Bedside) -> Tile {
    let found = bedside.tiles().into_iter().find(|tile| tile.parameter == Parameter::SpO2);
    found.expect("a tile")
}

/// Digits, and why they are of this device.
fn shown(bedside: &Bedside) -> (Option<String>, Option<OneOf>) {
    let tile = tile(bedside);
    (tile.value.map(|value| value.reveal().clone()), tile.one_of)
}

fn row(bedside: &mut Bedside, id: DeviceId) -> DeviceRow {
    bedside.intent(frame::Intent::Open(Page::Devices));
    let Screen::Devices(page) = bedside.view().screen else { panic!("no devices") };
    bedside.intent(frame::Intent::Open(Page::Bedside));
    page.rows.into_iter().find(|row| row.id == id).expect("its row")
}

#[test]
fn s6_one_of_two_oximeters_is_shown_and_both_are_recorded() {
    let mut bedside = both();
    for _ in 0..5 {
        measured(&mut bedside, Some(97), Some(91));
        assert_eq!(shown(&bedside), (Some("97".into()), Some(OneOf::First)));
    }
    let recorded = |of: DeviceId| {
        let all = bedside.store.records.iter();
        all.filter(|one| one.device == of && one.code == SPO2 && one.subject.is_some()).count()
    };
    assert_eq!((recorded(OXIMETER), recorded(OTHER)), (6, 6));
    let (first, second) = (row(&mut bedside, OXIMETER), row(&mut bedside, OTHER));
    assert_eq!((first.is_shown, first.can_show), (Some(true), false));
    assert_eq!((second.is_shown, second.can_show), (Some(false), true));
}

#[test]
fn s7_what_is_not_shown_takes_no_value_off_the_screen() {
    let mut bedside = both();
    // No finger in the second one: neither number is there.
    let out = vec![0x00, 0xFF, 0x07, 0xFF, 0x07];
    bedside.frame(OTHER, out);
    assert_eq!(shown(&bedside).0, Some("97".into()));
    bedside.hardware(Event::Link(OTHER, Link::Lost));
    assert_eq!(shown(&bedside).0, Some("97".into()));
}

#[test]
fn s7_when_the_shown_one_falls_silent_the_other_takes_over_and_says_so() {
    let mut bedside = both();
    for second in 0..3 {
        measured(&mut bedside, None, Some(91));
        assert_eq!(shown(&bedside).0, Some("97".into()), "{second}: its number is still current");
    }
    measured(&mut bedside, None, Some(91));
    assert_eq!(shown(&bedside), (Some("91".into()), Some(OneOf::Instead)));
    measured(&mut bedside, Some(97), Some(92));
    assert_eq!(shown(&bedside).0, Some("92".into()), "nothing goes back by itself");

    bedside.intent(Intent::Show(OXIMETER));
    bedside.intent(Intent::Show(OXIMETER));
    measured(&mut bedside, Some(98), Some(92));
    assert_eq!(shown(&bedside), (Some("98".into()), Some(OneOf::Chosen)));
    let chosen = bedside.store.audit.iter().filter(|one| one.act == AuditAct::DeviceShown);
    assert_eq!(chosen.count(), 1, "and once");
    bedside.intent(Intent::Release(OTHER));
    measured(&mut bedside, Some(98), None);
    assert_eq!(shown(&bedside), (Some("98".into()), None), "there is no other");
}

#[test]
fn s9_a_second_device_that_is_lost_is_an_alarm_of_its_own() {
    let mut bedside = both();
    bedside.hardware(Event::Link(OTHER, Link::Lost));
    for _ in 0..5 {
        measured(&mut bedside, Some(97), None);
    }
    let strip = bedside.view().alarm.expect("a lost device is an alarm");
    assert!(format!("{strip:?}").contains("LinkLost"), "{strip:?}");
    assert_eq!(shown(&bedside).0, Some("97".into()));
}
