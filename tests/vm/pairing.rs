//! Pairing: what people are asked, what becomes of their answers, and what is kept.

use kit::bluez::ward::Ward;
use wardkeep_model::ports::{
    Command, Event, Link, PairingAnswer, PairingFault, PairingStep, Passkey, Want,
};
use wardkeep_model::vitals::{DeviceId, DeviceKind};

use crate::bench::Bench;
use crate::devices::{CLIP, CUFF, EAR, SCALE};

/// What each device measures by, and one of its values.
const TEMPERATURE: (DeviceKind, u16, &[u8]) =
    (DeviceKind::Thermometer, 0x2A1C, &[0, 0x6D, 0x01, 0, 0xFF]);
const PRESSURE: (DeviceKind, u16, &[u8]) = (DeviceKind::Cuff, 0x2A35, &[0, 120, 0, 80, 0, 93, 0]);
const OXYGEN: (DeviceKind, u16, &[u8]) = (DeviceKind::PulseOximeter, 0x2A5F, &[0, 97, 0, 72, 0]);
const WEIGHT: (DeviceKind, u16, &[u8]) = (DeviceKind::Scale, 0x2A9D, &[0, 0x98, 0x3A]);

/// A driver that sees the device.
async fn ward_that_sees(bench: &Bench, device: DeviceId) -> Ward {
    let mut ward = bench.ward();
    ward.seen(device).await;
    ward
}

/// Opens a window.
async fn open(ward: &mut Ward, device: DeviceId) {
    ward.order(Command::Pair(device));
    assert_eq!(ward.step(device).await, PairingStep::Started);
}

fn answer(ward: &Ward, device: DeviceId, answer: PairingAnswer) {
    ward.order(Command::AnswerPairing(device, answer));
}

fn passkey(number: u32) -> Passkey {
    Passkey::new(number).expect("six digits")
}

/// The number on the device's display, once there is one.
async fn shown(bench: &Bench, device: DeviceId) -> u32 {
    bench.until("a number on the device", async || bench.toy(device).shows.is_some()).await;
    bench.toy(device).shows.expect("shown")
}

/// Links to the bonded device: nobody is asked anything, the link is encrypted, and a value arrives.
async fn measures(bench: &Bench, ward: &mut Ward, device: DeviceId, by: (DeviceKind, u16, &[u8])) {
    let (kind, number, value) = by;
    let bonds = bench.toy(device).bonds;
    ward.want(device, Want { is_bonded: true, releases: false, ..Want::of(kind) });
    ward.link(device, Link::Live).await;
    let toy = bench.toy(device);
    assert!(toy.encrypted && toy.bonds == bonds, "{toy:?}");
    assert!(bench.send(device, number, value));
    assert_eq!(ward.frame(device, number).await, value);
}

/// Gives the link up, and waits until the device is free.
async fn lets_go(bench: &Bench, ward: &mut Ward, device: DeviceId) {
    ward.disconnect(device);
    ward.link(device, Link::Down).await;
    bench.until("it to be let go", async || !bench.toy(device).connected).await;
}

/// A device that gives nothing without a bond is not bonded by the attempt to link to it: that takes a window.
pub async fn without_a_window_nothing_is_bonded(bench: &Bench) {
    let mut ward = ward_that_sees(bench, EAR).await;
    ward.want(EAR, Want { releases: false, ..Want::of(TEMPERATURE.0) });
    assert_eq!(ward.step(EAR).await, PairingStep::Needed);
    assert!(bench.is_unknown(EAR).await);
    assert_eq!(ward.count(|event| matches!(event, Event::Link(_, Link::Live))), 0);
    bench.until("it to be let go", async || !bench.toy(EAR).connected).await;
    ward.end().await;
}

/// A device without buttons is bonded by the window alone.
pub async fn just_works_in_a_window(bench: &Bench) {
    let mut ward = ward_that_sees(bench, EAR).await;
    open(&mut ward, EAR).await;
    assert_eq!(ward.step(EAR).await, PairingStep::Bonded(EAR));
    assert!(bench.is_bonded(EAR).await);
    let connections = bench.toy(EAR).connections;
    measures(bench, &mut ward, EAR, TEMPERATURE).await;
    assert_eq!(bench.toy(EAR).connections, connections, "the link takes the connection over");
    ward.end().await;
}

/// Bonds the thermometer, unless a scenario before has.
async fn is_bonded(bench: &Bench, ward: &mut Ward) {
    if !bench.is_bonded(EAR).await {
        open(ward, EAR).await;
        assert_eq!(ward.step(EAR).await, PairingStep::Bonded(EAR));
    }
}

/// A bond serves a new driver, and again after bluetoothd has died.
pub async fn a_stored_bond_is_used_without_asking(bench: &Bench) {
    let mut ward = ward_that_sees(bench, EAR).await;
    is_bonded(bench, &mut ward).await;
    let bonds = bench.toy(EAR).bonds;
    ward.end().await;
    let mut ward = ward_that_sees(bench, EAR).await;
    measures(bench, &mut ward, EAR, TEMPERATURE).await;
    bench.kill_daemon();
    ward.link(EAR, Link::Lost).await;
    bench.start_daemon();
    ward.link(EAR, Link::Live).await;
    assert!(bench.toy(EAR).encrypted);
    assert!(bench.send(EAR, TEMPERATURE.1, TEMPERATURE.2));
    assert_eq!(ward.frame(EAR, TEMPERATURE.1).await, TEMPERATURE.2);
    assert!(bench.is_bonded(EAR).await);
    assert_eq!(bench.toy(EAR).bonds, bonds);
    assert_eq!(ward.count(|event| matches!(event, Event::Pairing(..))), 0);
    ward.end().await;
}

/// A device whose bond is gone is told as such and heard no more, until it is paired again.
pub async fn a_bond_that_is_lost_is_told(bench: &Bench) {
    let mut ward = ward_that_sees(bench, EAR).await;
    is_bonded(bench, &mut ward).await;
    bench.remove(EAR).await;
    ward.seen(EAR).await;
    ward.want(EAR, Want { is_bonded: true, releases: false, ..Want::of(TEMPERATURE.0) });
    assert_eq!(ward.step(EAR).await, PairingStep::Failed(PairingFault::LostBond));
    assert_eq!(ward.count(|event| matches!(event, Event::Link(_, Link::Live))), 0);
    open(&mut ward, EAR).await;
    assert_eq!(ward.step(EAR).await, PairingStep::Bonded(EAR));
    measures(bench, &mut ward, EAR, TEMPERATURE).await;
    lets_go(bench, &mut ward, EAR).await;
    ward.order(Command::Forget(EAR));
    assert_eq!(ward.step(EAR).await, PairingStep::Forgotten);
    assert!(bench.is_unknown(EAR).await);
    ward.end().await;
}

/// A no to two numbers is no bond; a yes is one. Both sides show the same number.
pub async fn numbers_are_compared(bench: &Bench) {
    let mut ward = ward_that_sees(bench, CUFF).await;
    for same in [false, true] {
        open(&mut ward, CUFF).await;
        let PairingStep::CompareNumber(number) = ward.step(CUFF).await else { panic!("a number") };
        assert_eq!(shown(bench, CUFF).await, number.number());
        answer(&ward, CUFF, PairingAnswer::Confirm(same));
        let step = ward.step(CUFF).await;
        if same {
            assert_eq!(step, PairingStep::Bonded(CUFF));
        } else {
            assert_eq!(step, PairingStep::Failed(PairingFault::NumbersDiffer));
        }
        assert_eq!(bench.is_bonded(CUFF).await, same);
        assert_eq!(bench.toy(CUFF).bonds, u32::from(same));
        bench.until("what was left to end", async || same || !bench.toy(CUFF).connected).await;
    }
    measures(bench, &mut ward, CUFF, PRESSURE).await;
    ward.end().await;
}

/// A passkey that was mistyped is told as wrong and leaves no bond.
pub async fn a_wrong_passkey_is_no_bond(bench: &Bench) {
    let mut ward = ward_that_sees(bench, CLIP).await;
    open(&mut ward, CLIP).await;
    assert_eq!(ward.step(CLIP).await, PairingStep::TypePasskey);
    let wrong = (shown(bench, CLIP).await + 1) % (Passkey::MAX + 1);
    answer(&ward, CLIP, PairingAnswer::Passkey(passkey(wrong)));
    assert_eq!(ward.step(CLIP).await, PairingStep::Failed(PairingFault::WrongPasskey));
    assert!(bench.is_unknown(CLIP).await);
    assert_eq!(bench.toy(CLIP).bonds, 0);
    bench.until("it to be let go", async || !bench.toy(CLIP).connected).await;
    ward.end().await;
}

/// A passkey that the device shows is typed here; the bond serves the next link.
pub async fn a_passkey_is_typed_here(bench: &Bench) {
    let mut ward = ward_that_sees(bench, CLIP).await;
    open(&mut ward, CLIP).await;
    assert_eq!(ward.step(CLIP).await, PairingStep::TypePasskey);
    let number = shown(bench, CLIP).await;
    answer(&ward, CLIP, PairingAnswer::Passkey(passkey(number)));
    assert_eq!(ward.step(CLIP).await, PairingStep::Bonded(CLIP));
    assert!(bench.is_bonded(CLIP).await);
    measures(bench, &mut ward, CLIP, OXYGEN).await;
    bench.hang_up(CLIP);
    ward.link(CLIP, Link::Lost).await;
    measures(bench, &mut ward, CLIP, OXYGEN).await;
    assert_eq!(bench.toy(CLIP).bonds, 1);
    ward.end().await;
}

/// A passkey that is shown here is typed on the device, rightly at the second time.
pub async fn a_passkey_is_typed_there(bench: &Bench) {
    let mut ward = ward_that_sees(bench, SCALE).await;
    for rightly in [false, true] {
        open(&mut ward, SCALE).await;
        let step = ward.step(SCALE).await;
        let PairingStep::ShowPasskey { passkey, entered: 0 } = step else { panic!("{step:?}") };
        let number = passkey.number();
        bench.type_there(SCALE, if rightly { number } else { (number + 1) % (Passkey::MAX + 1) });
        let step = ward.step(SCALE).await;
        if rightly {
            assert_eq!(step, PairingStep::Bonded(SCALE));
        } else {
            assert_eq!(step, PairingStep::Failed(PairingFault::WrongPasskey));
        }
        assert_eq!(bench.is_bonded(SCALE).await, rightly);
        bench.until("what was left to end", async || rightly || !bench.toy(SCALE).connected).await;
    }
    measures(bench, &mut ward, SCALE, WEIGHT).await;
    ward.end().await;
}

/// A device that does not want to be paired says so at once; a window that is closed by a person leaves nothing.
pub async fn a_refusal_and_a_cancel_leave_nothing(bench: &Bench) {
    let mut ward = ward_that_sees(bench, CUFF).await;
    ward.order(Command::Forget(CUFF));
    assert_eq!(ward.step(CUFF).await, PairingStep::Forgotten);
    ward.seen(CUFF).await;
    bench.refuse(CUFF, true);
    open(&mut ward, CUFF).await;
    assert_eq!(ward.step(CUFF).await, PairingStep::Failed(PairingFault::BondedElsewhere));
    bench.refuse(CUFF, false);
    bench.until("it to be let go", async || !bench.toy(CUFF).connected).await;
    open(&mut ward, CUFF).await;
    let PairingStep::CompareNumber(_) = ward.step(CUFF).await else { panic!("a number") };
    answer(&ward, CUFF, PairingAnswer::Cancel);
    assert_eq!(ward.step(CUFF).await, PairingStep::Failed(PairingFault::Cancelled));
    bench.until("it to be let go", async || !bench.toy(CUFF).connected).await;
    assert!(bench.is_unknown(CUFF).await);
    ward.end().await;
}
