//! The page on which a device is paired, what the cart remembers of it, and what a meter is asked over its link.

use std::time::Duration;

use kit::kiosk::Bedside;
use wardkeep_core::kiosk::frame;
use wardkeep_core::kiosk::page::Page;
use wardkeep_core::kiosk::pages::pairing::Intent;
use wardkeep_core::kiosk::view::Screen;
use wardkeep_core::kiosk::view::pairing::PairingStage;
use wardkeep_model::access::Role;
use wardkeep_model::keeping::AuditAct;
use wardkeep_model::ports::{
    Command, Event, Link, PairingAnswer, PairingFault, PairingStep, Passkey, TableDigest,
    WriteFault,
};
use wardkeep_model::vitals::{Characteristic, DeviceId, DeviceKind};

const CUFF: DeviceId = DeviceId([0xC0, 0, 0, 0, 0, 0x41]);
const METER: DeviceId = DeviceId([0xC0, 0, 0, 0, 0, 0x43]);
const SECOND: Duration = Duration::from_secs(1);
const RACP: Characteristic = Characteristic(0x2A52);
const CLOCK: Characteristic = Characteristic(0x2A2B);

fn number() -> Passkey {
    Passkey::new(482_917).expect("six digits")
}

fn told(bedside: &mut Bedside, step: PairingStep) {
    bedside.hardware(Event::Pairing(CUFF, step));
}

/// A nurse has touched "Pair" in the cuff's row.
fn begun() -> Bedside {
    let mut bedside = Bedside::monitoring();
    bedside.advertise(CUFF, DeviceKind::Cuff);
    bedside.intent(frame::Intent::Open(Page::Devices));
    let Screen::Devices(page) = bedside.view().screen else { panic!("no devices") };
    let row = page.rows.into_iter().find(|row| row.id == CUFF).expect("the cuff");
    assert!(row.can_pair && !row.can_connect && !row.can_assign);
    bedside.radio.clear();
    bedside.intent(Intent::Start(CUFF));
    bedside
}

fn stage(bedside: &Bedside) -> Option<PairingStage> {
    let Screen::Pairing(page) = bedside.view().screen else { return None };
    Some(page.stage)
}

fn answers(bedside: &Bedside) -> Vec<PairingAnswer> {
    let answer = |command: &Command| {
        let Command::AnswerPairing(CUFF, answer) = command else { return None };
        Some(*answer)
    };
    bedside.radio.iter().filter_map(answer).collect()
}

#[test]
fn numbers_are_compared_once_and_the_bond_is_remembered() {
    let mut bedside = begun();
    let pairs = bedside.radio.iter().filter(|command| **command == Command::Pair(CUFF)).count();
    assert_eq!(pairs, 1);
    assert_eq!(stage(&bedside), Some(PairingStage::Waiting));
    told(&mut bedside, PairingStep::CompareNumber(number()));
    let Some(PairingStage::Compare(shown)) = stage(&bedside) else { panic!("no number") };
    assert_eq!(shown.expose(), "482917");
    bedside.intent(Intent::Confirm(true));
    bedside.intent(Intent::Confirm(false));
    assert_eq!(answers(&bedside), [PairingAnswer::Confirm(true)], "the first touch counts");
    told(&mut bedside, PairingStep::Bonded(CUFF));
    bedside.hardware(Event::Table(CUFF, TableDigest([7; 32])));
    assert_eq!(stage(&bedside), Some(PairingStage::Done));
    let cart = bedside.store.cart.clone().expect("it was saved");
    let bond = cart.devices.iter().find(|device| device.id == CUFF).and_then(|device| device.bond);
    assert_eq!(bond.map(|bond| (bond.table, bond.is_changed)), Some((Some([7; 32]), false)));
    assert!(bedside.store.audit.iter().any(|entry| entry.act == AuditAct::DevicePairing));

    // After a power cut it is still the device that was paired, or it is not used.
    let mut resumed = Bedside::resumed(cart);
    let wanted =
        |command: &Command| matches!(command, Command::Connect(CUFF, want) if want.is_bonded);
    assert!(resumed.radio.iter().any(wanted));
    resumed.hardware(Event::Table(CUFF, TableDigest([8; 32])));
    resumed.hardware(Event::Link(CUFF, Link::Live));
    let payload = vec![0x00, 118, 0, 76, 0, 90, 0];
    let (characteristic, received) = (Characteristic(0x2A35), resumed.now());
    resumed.hardware(Event::Frame { device: CUFF, characteristic, payload, received });
    assert!(resumed.store.spots.is_empty(), "another table: another device, or a changed one");
}

#[test]
fn what_the_device_shows_is_typed_and_a_wrong_number_can_be_tried_three_times() {
    let mut bedside = begun();
    for wrong in 0..3 {
        told(&mut bedside, PairingStep::TypePasskey);
        for digit in [6, 0, 2, 4, 1, 9, 7] {
            bedside.intent(Intent::Digit(digit));
        }
        bedside.intent(Intent::Erase);
        bedside.intent(Intent::Submit);
        let before = answers(&bedside).len();
        bedside.intent(Intent::Digit(9));
        let Some(PairingStage::Type { digits, is_sent: false, tries_left }) = stage(&bedside)
        else {
            panic!("it was sent with five digits")
        };
        assert_eq!((digits.expose().as_str(), before), ("602419", wrong));
        assert_eq!(tries_left, [None, Some(2), Some(1)][wrong]);
        bedside.intent(Intent::Submit);
        bedside.intent(Intent::Submit);
        told(&mut bedside, PairingStep::Failed(PairingFault::WrongPasskey));
        bedside.intent(Intent::Start(CUFF));
    }
    let passkey = PairingAnswer::Passkey(Passkey::new(602_419).expect("six digits"));
    assert_eq!(answers(&bedside), [passkey; 3]);
    let tried = bedside.radio.iter().filter(|command| **command == Command::Pair(CUFF)).count();
    assert_eq!(tried, 3, "no fourth window");
    assert_eq!(stage(&bedside), Some(PairingStage::Failed(PairingFault::WrongPasskey)));
}

#[test]
fn s10_leaving_and_locking_end_it_and_no_number_stays() {
    for leave in [frame::Intent::Open(Page::Bedside), frame::Intent::Lock] {
        let mut bedside = begun();
        told(&mut bedside, PairingStep::CompareNumber(number()));
        assert!(!format!("{:?}", bedside.view()).contains("482917"), "it cannot be printed");
        bedside.intent(leave);
        assert_eq!(answers(&bedside), [PairingAnswer::Cancel], "{leave:?}");
        assert_eq!(stage(&bedside), None);
        bedside.intent(Intent::Confirm(true));
        assert_eq!(answers(&bedside).len(), 1, "{leave:?}");
    }
}

#[test]
fn whoever_connects_devices_may_pair_them_and_nobody_else() {
    for (role, may) in [(Role::It, true), (Role::Caregiver, true), (Role::Auditor, false)] {
        let mut bedside = Bedside::unlocked_as(role);
        bedside.advertise(CUFF, DeviceKind::Cuff);
        bedside.intent(Intent::Start(CUFF));
        assert_eq!(bedside.radio.contains(&Command::Pair(CUFF)), may, "{role:?}");
    }
}

/// What was written to the meter.
fn written(bedside: &Bedside, what: Characteristic) -> Vec<Vec<u8>> {
    let bytes = |command: &Command| {
        let Command::Write(METER, to, bytes) = command else { return None };
        (*to == what).then(|| bytes.clone())
    };
    bedside.radio.iter().filter_map(bytes).collect()
}

fn send(bedside: &mut Bedside, characteristic: Characteristic, payload: Vec<u8>) {
    let received = bedside.now();
    bedside.hardware(Event::Frame { device: METER, characteristic, payload, received });
}

fn record(sequence: u16) -> Vec<u8> {
    let [low, high] = sequence.to_le_bytes();
    vec![0x06, low, high, 0xEA, 0x07, 11, 22, 12, 5, 0, 78, 0xC0, 0x12]
}

#[test]
fn a_meter_is_asked_for_what_it_has_stored_and_its_clock_is_set_when_all_is_here() {
    let mut bedside = Bedside::monitoring();
    bedside.advertise(METER, DeviceKind::GlucoseMeter);
    bedside.intent(wardkeep_core::kiosk::pages::devices::Intent::Connect(METER));
    bedside.hardware(Event::Link(METER, Link::Live));
    assert_eq!(written(&bedside, RACP), [vec![1, 1]]);
    // An hour behind.
    send(&mut bedside, CLOCK, vec![0xEA, 0x07, 11, 22, 13, 32, 0, 7, 0, 0]);
    for sequence in 1..=50 {
        send(&mut bedside, Characteristic(0x2A18), record(sequence));
        bedside.wait(SECOND);
        bedside.unlock();
        assert!(written(&bedside, CLOCK).is_empty(), "its stamps are by the old time");
    }
    send(&mut bedside, RACP, vec![6, 0, 1, 1]);
    bedside.wait(SECOND);
    assert_eq!(written(&bedside, RACP).len(), 1, "it has sent everything");
    let set = written(&bedside, CLOCK);
    assert_eq!(set.len(), 1);
    assert_eq!(set[0][..6], [0xEA, 0x07, 11, 22, 14, 32], "the time of the bed");
    bedside.hardware(Event::Wrote(METER, CLOCK, Err(WriteFault::Att(0x80))));
    bedside.wait(10 * SECOND);
    assert_eq!(written(&bedside, CLOCK).len(), 1, "once a connection");
    assert_eq!(bedside.store.spots.len(), 50);
    let corrected = bedside.store.spots[0].reading.times.effective.map(|at| at.to_string());
    assert_eq!(corrected.as_deref(), Some("2026-11-22T13:05:00Z"));
    assert!(
        !bedside.radio.iter().any(
            |command| matches!(command, Command::Write(_, RACP, bytes) if bytes.first() == Some(&2))
        ),
        "nothing is deleted"
    );

    // The next connection asks for what came since, and again where the device is silent.
    bedside.hardware(Event::Link(METER, Link::Lost));
    bedside.hardware(Event::Link(METER, Link::Live));
    assert_eq!(written(&bedside, RACP).last(), Some(&vec![1, 3, 1, 50, 0]));
    bedside.wait(11 * SECOND);
    assert_eq!(written(&bedside, RACP).last(), Some(&vec![3, 0]), "it is told to stop");
    bedside.wait(6 * SECOND);
    assert_eq!(written(&bedside, RACP).last(), Some(&vec![1, 3, 1, 50, 0]));
    bedside.hardware(Event::Wrote(METER, RACP, Err(WriteFault::Att(0xFE))));
    bedside.wait(6 * SECOND);
    assert_eq!(written(&bedside, RACP).len(), 5);
}
