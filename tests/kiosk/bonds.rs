//! What a driver tells of bonds: nothing of a device that is not what was paired counts, and a pairing
//! window is of whoever opened it.

use kit::kiosk::{Bedside, OXIMETER, oximetry};
use wardkeep_core::kiosk::frame;
use wardkeep_core::kiosk::page::Page;
use wardkeep_core::kiosk::view::{DeviceRow, Screen};
use wardkeep_model::ports::{
    Command, Event, Link, PairingAnswer, PairingFault, PairingStep, Passkey, TableDigest,
};

const LOST: PairingStep = PairingStep::Failed(PairingFault::LostBond);

fn told(bedside: &mut Bedside, step: PairingStep) {
    bedside.hardware(Event::Pairing(OXIMETER, step));
}

/// The device is linked again, over this table.
fn linked(bedside: &mut Bedside, table: u8) {
    bedside.hardware(Event::Link(OXIMETER, Link::Lost));
    bedside.hardware(Event::Table(OXIMETER, TableDigest([table; 32])));
    bedside.hardware(Event::Link(OXIMETER, Link::Live));
}

/// Whether what it measures is shown and recorded.
fn counts(bedside: &mut Bedside) -> bool {
    let before = bedside.store.records.len();
    bedside.frame(OXIMETER, oximetry(97, 72));
    let recorded = bedside.store.records.len() > before;
    let [_, saturation, _] = bedside.numbers().try_into().expect("three numbers");
    assert_eq!(saturation.is_some(), recorded, "shown and recorded, or neither");
    recorded
}

fn row(bedside: &mut Bedside) -> DeviceRow {
    bedside.intent(frame::Intent::Open(Page::Devices));
    let Screen::Devices(page) = bedside.view().screen else { panic!("expected the devices") };
    let row = page.rows.into_iter().find(|row| row.id == OXIMETER).expect("its row");
    bedside.intent(frame::Intent::Open(Page::Bedside));
    row
}

#[test]
fn s7_what_is_not_the_device_that_was_paired_measures_nobody() {
    let mut bedside = Bedside::monitoring();
    bedside.radio.clear();
    told(&mut bedside, PairingStep::Bonded(OXIMETER));
    let protected =
        |command: &Command| matches!(command, Command::Connect(OXIMETER, want) if want.is_bonded);
    assert_eq!(bedside.radio.iter().filter(|command| protected(command)).count(), 1);
    linked(&mut bedside, 1);
    assert!(counts(&mut bedside));
    linked(&mut bedside, 2);
    assert!(!counts(&mut bedside) && row(&mut bedside).is_changed);
    linked(&mut bedside, 1);
    assert!(!counts(&mut bedside), "until somebody says so");
    told(&mut bedside, PairingStep::Bonded(OXIMETER));
    linked(&mut bedside, 2);
    assert!(counts(&mut bedside) && !row(&mut bedside).is_changed);

    told(&mut bedside, LOST);
    assert!(!counts(&mut bedside));
    assert_eq!(row(&mut bedside).pairing, Some(LOST));
    bedside.hardware(Event::NoRoom(OXIMETER, true));
    assert!(row(&mut bedside).has_no_room);
    bedside.hardware(Event::NoRoom(OXIMETER, false));
    linked(&mut bedside, 2);
    assert!(counts(&mut bedside), "the bond held after all");
    assert!(!row(&mut bedside).has_no_room && row(&mut bedside).pairing.is_none());
}

#[test]
fn locking_ends_the_pairing_that_is_under_way() {
    let mut bedside = Bedside::monitoring();
    bedside.radio.clear();
    let compare = PairingStep::CompareNumber(Passkey::new(4_711).expect("six digits"));
    told(&mut bedside, compare);
    assert_eq!(row(&mut bedside).pairing, Some(compare));
    let cancel = Command::AnswerPairing(OXIMETER, PairingAnswer::Cancel);
    assert!(!bedside.radio.contains(&cancel), "somebody is there");
    bedside.intent(frame::Intent::Lock);
    bedside.wait(std::time::Duration::from_secs(5));
    assert_eq!(bedside.radio, std::slice::from_ref(&cancel));
    told(&mut bedside, PairingStep::Failed(PairingFault::Cancelled));
    bedside.wait(std::time::Duration::from_secs(5));
    assert_eq!(bedside.radio, std::slice::from_ref(&cancel));
    // A driver that hears of it late is told again.
    told(&mut bedside, PairingStep::Started);
    assert_eq!(bedside.radio, [cancel.clone(), cancel]);
}
