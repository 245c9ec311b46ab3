//! What a driver tells of bonds: nothing of a device that is not what was paired counts, and a pairing
//! window is of whoever opened it.

use kit::kiosk::{Bedside, OXIMETER, STRAP, oximetry};
use wardkeep_core::kiosk::frame;
use wardkeep_core::kiosk::page::Page;
use wardkeep_core::kiosk::pages::{devices, pairing};
use wardkeep_core::kiosk::view::pairing::PairingStage;
use wardkeep_core::kiosk::view::{DeviceRow, Screen};
use wardkeep_model::keeping::CartState;
use wardkeep_model::ports::{
    Command, Event, Link, PairingAnswer, PairingFault, PairingStep, Passkey, TableDigest, Want,
};
use wardkeep_model::vitals::{Characteristic, DeviceId, DeviceKind};

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

fn cart(bedside: &Bedside) -> CartState {
    bedside.store.cart.clone().expect("remembered")
}

const IDENTITY: DeviceId = DeviceId([0xC0, 0, 0, 0, 1, 2]);

/// The rows of the page of devices, but for the strap's.
fn others(bedside: &mut Bedside) -> Vec<DeviceRow> {
    bedside.intent(frame::Intent::Open(Page::Devices));
    let Screen::Devices(page) = bedside.view().screen else { panic!("expected the devices") };
    bedside.intent(frame::Intent::Open(Page::Bedside));
    page.rows.into_iter().filter(|row| row.id != STRAP).collect()
}

#[test]
fn s6_what_was_known_of_a_device_moves_to_the_address_that_its_bond_gives_it() {
    let mut bedside = Bedside::monitoring();
    let before = row(&mut bedside);
    bedside.radio.clear();
    bedside.intent(pairing::Intent::Start(OXIMETER));
    told(&mut bedside, PairingStep::Started);
    // The radio hears it by its new address before it says why.
    bedside.advertise(IDENTITY, DeviceKind::PulseOximeter);
    told(&mut bedside, PairingStep::Bonded(IDENTITY));
    let Screen::Pairing(page) = bedside.view().screen else { panic!("the page goes with it") };
    assert_eq!((page.id, page.stage), (IDENTITY, PairingStage::Done));
    let want = Want { is_bonded: true, ..Want::of(DeviceKind::PulseOximeter) };
    let expected =
        [Command::Pair(OXIMETER), Command::Disconnect(OXIMETER), Command::Connect(IDENTITY, want)];
    assert_eq!(bedside.radio, expected);
    let [after] = others(&mut bedside).try_into().expect("one device");
    assert_eq!((after.id, &after.name, &after.owner), (IDENTITY, &before.name, &before.owner));
    assert_eq!(bedside.numbers()[1], None, "its link is made anew");

    bedside.hardware(Event::Link(OXIMETER, Link::Down));
    bedside.hardware(Event::Link(IDENTITY, Link::Live));
    bedside.frame(OXIMETER, oximetry(91, 60));
    assert_eq!(bedside.numbers()[1], None, "nobody has that address any more");
    let recorded = bedside.store.records.len();
    bedside.frame(IDENTITY, oximetry(97, 72));
    assert_eq!(bedside.numbers()[1].as_deref(), Some("97"));
    let subjects = bedside.store.records[recorded..].iter().map(|one| (one.device, one.subject));
    assert!(subjects.into_iter().all(|(of, whose)| of == IDENTITY && whose.is_some()));
    let known = cart(&bedside).devices.into_iter().find(|one| one.id == IDENTITY);
    let bond = known.and_then(|device| device.bond).expect("remembered");
    assert_eq!(bond.first_known, Some(OXIMETER));
    assert!(cart(&bedside).devices.iter().all(|one| one.id != OXIMETER));
    let mut inventory = cart(&bedside).inventory;
    inventory.retain(|entry| entry.kind == DeviceKind::PulseOximeter);
    let [entry] = inventory.try_into().expect("one entry");
    assert_eq!(entry.id, IDENTITY);
}

#[test]
fn s6_a_device_that_is_paired_again_by_another_address_is_the_one_that_was_known() {
    let mut bedside = Bedside::monitoring();
    told(&mut bedside, PairingStep::Bonded(OXIMETER));
    told(&mut bedside, LOST);
    // It shows itself by a private address until it is paired again.
    let private = DeviceId([0x7B, 0, 0, 0, 0, 9]);
    bedside.advertise(private, DeviceKind::PulseOximeter);
    bedside.intent(pairing::Intent::Start(private));
    assert_eq!(others(&mut bedside).len(), 2);
    bedside.hardware(Event::Pairing(private, PairingStep::Bonded(OXIMETER)));
    let [after] = others(&mut bedside).try_into().expect("one device");
    assert_eq!((after.id, after.is_changed), (OXIMETER, false));
    linked(&mut bedside, 3);
    assert!(counts(&mut bedside), "assigned as it was");
    assert_eq!(cart(&bedside).devices.len(), 2);
}

#[test]
fn s8_what_a_device_hands_over_again_after_it_was_paired_is_known_by_its_first_address() {
    let mut bedside = Bedside::monitoring();
    let (private, identity) = (DeviceId([0x7B, 0, 0, 0, 0, 8]), DeviceId([0xC0, 0, 0, 0, 1, 8]));
    bedside.advertise(private, DeviceKind::Cuff);
    bedside.intent(devices::Intent::Connect(private));
    let pressure = vec![0x02, 118, 0, 76, 0, 90, 0, 0xEA, 0x07, 11, 22, 14, 31, 0];
    let mut known = Vec::new();
    for device in [private, identity, identity] {
        bedside.hardware(Event::Link(device, Link::Live));
        let (received, payload) = (bedside.now(), pressure.clone());
        let characteristic = Characteristic(0x2A35);
        bedside.hardware(Event::Frame { device, characteristic, payload, received });
        let reading = &bedside.store.spots.last().expect("kept").reading;
        known.push((reading.device, reading.first_known));
        bedside.hardware(Event::Link(device, Link::Lost));
        // Of a bond that is made anew the first address counts as well.
        bedside.hardware(Event::Pairing(device, PairingStep::Bonded(identity)));
    }
    assert_eq!(known, [(private, None), (identity, Some(private)), (identity, Some(private))]);
}
