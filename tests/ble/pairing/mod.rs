//! Pairing through the real driver: who may be paired and when, what people are asked, and what they are
//! told when it does not work.

mod breaks;
mod ends;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use wardkeep_hardware::ble::Timing;
use wardkeep_model::ports::{
    Command, Link, PairingAnswer, PairingFault, PairingStep, Passkey, Want,
};
use wardkeep_model::vitals::{DeviceId, DeviceKind};

use kit::bluez::private_bus::{PrivateBus, isolated};
use kit::bluez::ward::{Ward, short, until};
use kit::bluez::{Bond, DeviceSpec, FakeBluez, Refuses, Style};

const NUMBER: u32 = 271_828;
const OXYGEN: [u8; 5] = [0x00, 0x61, 0x00, 0x48, 0x00];
const REJECTED: &str = "org.bluez.Error.Rejected";

fn passkey(number: u32) -> Passkey {
    Passkey::new(number).expect("six digits")
}

fn failed(fault: PairingFault) -> PairingStep {
    PairingStep::Failed(fault)
}

/// An oximeter that is paired like this.
fn clip(fake: &FakeBluez, style: Style) -> DeviceId {
    let clip = DeviceSpec { style, ..DeviceSpec::oximeter(1, "Clip") };
    let device = clip.device;
    fake.add_device(clip);
    device
}

/// A driver that has seen an oximeter that is paired like this.
async fn ward_with(style: Style) -> (Arc<FakeBluez>, Ward, DeviceId) {
    ward_at(style, short()).await
}

async fn ward_at(style: Style, timing: Timing) -> (Arc<FakeBluez>, Ward, DeviceId) {
    let fake = FakeBluez::start().await;
    let device = clip(&fake, style);
    let mut ward = Ward::with(fake.clone(), 4096, timing);
    ward.seen(device).await;
    (fake, ward, device)
}

/// Opens a window.
async fn open(ward: &mut Ward, device: DeviceId) {
    ward.order(Command::Pair(device));
    assert_eq!(ward.step(device).await, PairingStep::Started);
}

fn answer(ward: &Ward, device: DeviceId, answer: PairingAnswer) {
    ward.order(Command::AnswerPairing(device, answer));
}

/// Pairs once more, now that nothing is in the way: whatever went wrong has left nothing behind.
async fn can_be_paired(ward: &mut Ward, fake: &FakeBluez, device: DeviceId) {
    open(ward, device).await;
    loop {
        match ward.step(device).await {
            PairingStep::CompareNumber(_) => answer(ward, device, PairingAnswer::Confirm(true)),
            PairingStep::TypePasskey => {
                answer(ward, device, PairingAnswer::Passkey(passkey(NUMBER)));
            }
            PairingStep::ShowPasskey { .. } => {}
            PairingStep::Bonded(identity) => break assert_eq!(identity, device),
            step @ (PairingStep::Started
            | PairingStep::Forgotten
            | PairingStep::Needed
            | PairingStep::Failed(_)) => panic!("{step:?}"),
        }
    }
    assert_eq!((fake.bond(device), fake.is_trusted(device)), (Bond::Kept, true));
}

#[test]
fn numbers_that_are_the_same_are_a_bond_and_the_link_takes_it_over() {
    let name = "pairing::numbers_that_are_the_same_are_a_bond_and_the_link_takes_it_over";
    isolated(name, |mut bus: PrivateBus| async move {
        bus.start();
        let (fake, mut ward, device) = ward_with(Style::Compare(NUMBER)).await;
        let agent = fake.agent().expect("registered before anybody pairs");
        assert_eq!(agent.capability, "KeyboardDisplay");
        open(&mut ward, device).await;
        assert_eq!(ward.step(device).await, PairingStep::CompareNumber(passkey(NUMBER)));
        answer(&ward, device, PairingAnswer::Confirm(true));
        assert_eq!(ward.step(device).await, PairingStep::Bonded(device));
        assert_eq!((fake.bond(device), fake.is_trusted(device)), (Bond::Kept, true));
        // Some devices talk over the connection that they were paired by and over no other.
        let want = Want { is_bonded: true, ..Want::of(DeviceKind::PulseOximeter) };
        ward.want(device, want);
        ward.link(device, Link::Live).await;
        assert!(fake.notify(device, 0x2A5F, &OXYGEN).await);
        assert_eq!(ward.frame(device, 0x2A5F).await, OXYGEN);
        ward.listen(short().hand_over * 2).await;
        assert_eq!(fake.connects(device), 1);
        assert_eq!(ward.links(device), [Link::Connecting, Link::Live]);
    });
}

#[test]
fn a_paired_device_that_nobody_wants_is_let_go() {
    isolated("pairing::a_paired_device_that_nobody_wants_is_let_go", |mut bus| async move {
        bus.start();
        let (fake, mut ward, device) = ward_with(Style::JustWorks).await;
        open(&mut ward, device).await;
        assert_eq!(ward.step(device).await, PairingStep::Bonded(device));
        assert!(fake.is_connected(device), "somebody may want it");
        until("it to be let go", || !fake.is_connected(device)).await;
        assert_eq!(fake.bond(device), Bond::Kept);
    });
}

#[test]
fn a_passkey_that_the_device_shows_is_typed_here() {
    isolated("pairing::a_passkey_that_the_device_shows_is_typed_here", |mut bus| async move {
        bus.start();
        let (fake, mut ward, device) = ward_with(Style::TypeHere(NUMBER)).await;
        open(&mut ward, device).await;
        assert_eq!(ward.step(device).await, PairingStep::TypePasskey);
        // An answer to another question answers nothing.
        answer(&ward, device, PairingAnswer::Confirm(true));
        answer(&ward, device, PairingAnswer::Passkey(passkey(NUMBER + 1)));
        assert_eq!(ward.step(device).await, failed(PairingFault::WrongPasskey));
        assert_eq!(fake.bond(device), Bond::None);
        until("it to be let go", || !fake.is_connected(device)).await;
        ward.seen(device).await;
        can_be_paired(&mut ward, &fake, device).await;
    });
}

/// The digits that were shown as typed, and the step after them.
async fn shown(ward: &mut Ward, device: DeviceId) -> (Vec<u8>, PairingStep) {
    let mut digits = Vec::new();
    loop {
        let step = ward.step(device).await;
        let PairingStep::ShowPasskey { passkey: it, entered } = step else {
            return (digits, step);
        };
        assert_eq!(it, passkey(NUMBER));
        digits.push(entered);
    }
}

#[test]
fn digits_that_are_typed_on_the_device_are_shown_as_they_come() {
    let name = "pairing::digits_that_are_typed_on_the_device_are_shown_as_they_come";
    isolated(name, |mut bus| async move {
        bus.start();
        let (fake, mut ward, device) = ward_with(Style::TypeThere(NUMBER, true)).await;
        open(&mut ward, device).await;
        let (shown, last) = shown(&mut ward, device).await;
        assert_eq!(last, PairingStep::Bonded(device));
        assert!(shown.is_sorted() && shown.last() == Some(&6), "{shown:?}");
        assert_eq!(fake.bond(device), Bond::Kept);
    });
}

#[test]
fn a_passkey_that_is_mistyped_on_the_device_is_told_as_wrong() {
    let name = "pairing::a_passkey_that_is_mistyped_on_the_device_is_told_as_wrong";
    isolated(name, |mut bus| async move {
        bus.start();
        let (_fake, mut ward, device) = ward_with(Style::TypeThere(NUMBER, false)).await;
        open(&mut ward, device).await;
        let (_, last) = shown(&mut ward, device).await;
        assert_eq!(last, failed(PairingFault::WrongPasskey));
    });
}

#[test]
fn just_works_needs_no_answer_but_a_window() {
    isolated("pairing::just_works_needs_no_answer_but_a_window", |mut bus| async move {
        bus.start();
        let (fake, mut ward, device) = ward_with(Style::Authorize).await;
        let refused = fake.ask_agent("RequestAuthorization", (fake.path(device),)).await;
        assert_eq!(refused, Err(REJECTED.to_owned()));
        can_be_paired(&mut ward, &fake, device).await;
    });
}

#[test]
fn numbers_that_differ_are_no_bond() {
    isolated("pairing::numbers_that_differ_are_no_bond", |mut bus| async move {
        bus.start();
        let (fake, mut ward, device) = ward_with(Style::Compare(NUMBER)).await;
        open(&mut ward, device).await;
        assert_eq!(ward.step(device).await, PairingStep::CompareNumber(passkey(NUMBER)));
        answer(&ward, device, PairingAnswer::Confirm(false));
        assert_eq!(ward.step(device).await, failed(PairingFault::NumbersDiffer));
        assert_eq!(fake.bond(device), Bond::None);
        can_be_paired(&mut ward, &fake, device).await;
    });
}

#[test]
fn outside_a_window_and_for_others_the_agent_refuses_everything() {
    let name = "pairing::outside_a_window_and_for_others_the_agent_refuses_everything";
    isolated(name, |mut bus| async move {
        bus.start();
        let (fake, mut ward, device) = ward_with(Style::Compare(NUMBER)).await;
        let other = fake.path(DeviceId([0xAA, 0xBB, 0xCC, 0, 0, 9]));
        let ours = fake.path(device);
        for is_open in [false, true] {
            if is_open {
                open(&mut ward, device).await;
                let number = PairingStep::CompareNumber(passkey(NUMBER));
                assert_eq!(ward.step(device).await, number);
            }
            let about = if is_open { &other } else { &ours };
            let refused = Err(REJECTED.to_owned());
            let confirm = fake.ask_agent("RequestConfirmation", (about, NUMBER));
            assert_eq!(confirm.await, refused, "open: {is_open}");
            for method in ["RequestPasskey", "RequestAuthorization", "RequestPinCode"] {
                assert_eq!(fake.ask_agent(method, (about,)).await, refused, "{method} {is_open}");
            }
            let show = fake.ask_agent("DisplayPasskey", (about, NUMBER, 0_u16));
            assert_eq!(show.await, refused, "open: {is_open}");
            // These never, not even for the device of the window.
            for text in ["DisplayPinCode", "AuthorizeService"] {
                assert_eq!(fake.ask_agent(text, (&ours, "0000")).await, refused, "{text}");
            }
            let legacy = fake.ask_agent("RequestPinCode", (&ours,));
            assert_eq!(legacy.await, refused);
            let no_passkey = fake.ask_agent("RequestConfirmation", (&ours, 1_000_000_u32));
            assert_eq!(no_passkey.await, refused, "a passkey has six digits");
            // Nor for anybody who is not bluetoothd.
            let stranger = fake.ask_agent_as_a_stranger("RequestAuthorization", (&ours,));
            assert_eq!(stranger.await, refused, "open: {is_open}");
            fake.ask_agent_as_a_stranger("Cancel", ()).await.expect("answered");
        }
        answer(&ward, device, PairingAnswer::Confirm(true));
        assert_eq!(ward.step(device).await, PairingStep::Bonded(device), "nothing disturbed it");
        let closed = fake.ask_agent("RequestAuthorization", (&ours,)).await;
        assert_eq!(closed, Err(REJECTED.to_owned()), "the window is closed");
    });
}

#[test]
fn a_cancel_closes_the_window_for_good() {
    isolated("pairing::a_cancel_closes_the_window_for_good", |mut bus| async move {
        bus.start();
        let (fake, mut ward, device) = ward_with(Style::Compare(NUMBER)).await;
        open(&mut ward, device).await;
        assert_eq!(ward.step(device).await, PairingStep::CompareNumber(passkey(NUMBER)));
        answer(&ward, device, PairingAnswer::Cancel);
        assert_eq!(ward.step(device).await, failed(PairingFault::Cancelled));
        assert!(!fake.is_pairing(device) && !fake.is_connected(device), "BlueZ was told");
        answer(&ward, device, PairingAnswer::Confirm(true));
        ward.listen(Duration::from_millis(200)).await;
        assert_eq!(fake.bond(device), Bond::None);
        can_be_paired(&mut ward, &fake, device).await;
    });
}

#[test]
fn a_window_closes_when_nobody_answers() {
    isolated("pairing::a_window_closes_when_nobody_answers", |mut bus| async move {
        bus.start();
        let timing = Timing { window: Duration::from_millis(700), ..short() };
        let (fake, mut ward, device) = ward_at(Style::TypeHere(NUMBER), timing).await;
        let opened = Instant::now();
        open(&mut ward, device).await;
        assert_eq!(ward.step(device).await, PairingStep::TypePasskey);
        assert_eq!(ward.step(device).await, failed(PairingFault::TimedOut));
        assert!(opened.elapsed() >= Duration::from_millis(700));
        assert!(!fake.is_pairing(device) && fake.bond(device) == Bond::None);
    });
}

#[test]
fn one_device_is_paired_at_a_time() {
    isolated("pairing::one_device_is_paired_at_a_time", |mut bus| async move {
        bus.start();
        let (fake, mut ward, device) = ward_with(Style::Compare(NUMBER)).await;
        let other = DeviceSpec::oximeter(2, "Clip");
        let second = other.device;
        fake.add_device(other);
        ward.seen(second).await;
        open(&mut ward, device).await;
        assert_eq!(ward.step(device).await, PairingStep::CompareNumber(passkey(NUMBER)));
        ward.order(Command::Pair(second));
        assert_eq!(ward.step(second).await, failed(PairingFault::AdapterBusy));
        // What is said of the other, and saying it twice, changes nothing.
        answer(&ward, second, PairingAnswer::Cancel);
        ward.order(Command::Pair(device));
        answer(&ward, device, PairingAnswer::Confirm(true));
        assert_eq!(ward.step(device).await, PairingStep::Bonded(device));
        assert_eq!(fake.bond(second), Bond::None);
    });
}

#[test]
fn each_way_to_refuse_has_its_own_word() {
    isolated("pairing::each_way_to_refuse_has_its_own_word", |mut bus| async move {
        bus.start();
        let (fake, mut ward, device) = ward_with(Style::JustWorks).await;
        for (how, fault) in [
            (Refuses::AtOnce, PairingFault::BondedElsewhere),
            (Refuses::ByHangingUp, PairingFault::BondedElsewhere),
            (Refuses::Busy(100), PairingFault::AdapterBusy),
        ] {
            fake.refuses_pairing(device, Some(how));
            open(&mut ward, device).await;
            assert_eq!(ward.step(device).await, failed(fault), "{how:?}");
        }
        // Busy for a moment is no reason to trouble anybody.
        fake.refuses_pairing(device, Some(Refuses::Busy(2)));
        can_be_paired(&mut ward, &fake, device).await;
    });
}

#[test]
fn without_an_agent_there_is_no_bond() {
    isolated("pairing::without_an_agent_there_is_no_bond", |mut bus| async move {
        bus.start();
        let (fake, mut ward, device) = ward_with(Style::JustWorks).await;
        until("an agent", || fake.agent().is_some()).await;
        fake.refuse_agents();
        open(&mut ward, device).await;
        assert_eq!(ward.step(device).await, failed(PairingFault::Unexplained));
        assert_eq!(fake.bond(device), Bond::None);
    });
}

#[test]
fn a_device_that_is_not_there_is_out_of_reach() {
    isolated("pairing::a_device_that_is_not_there_is_out_of_reach", |mut bus| async move {
        bus.start();
        let (fake, mut ward, device) = ward_with(Style::JustWorks).await;
        // Never heard.
        let nobody = DeviceId([0xAA, 0xBB, 0xCC, 0, 0, 9]);
        open(&mut ward, nobody).await;
        assert_eq!(ward.step(nobody).await, failed(PairingFault::OutOfReach));
        // Heard once, and gone when it matters.
        fake.advertising(device, false);
        fake.pair_reaches(Duration::from_millis(300));
        open(&mut ward, device).await;
        assert_eq!(ward.step(device).await, failed(PairingFault::OutOfReach));
        // One that BlueZ forgets and hears again.
        fake.remove_object(device).await;
        fake.advertising(device, true);
        can_be_paired(&mut ward, &fake, device).await;
    });
}

#[test]
fn a_slow_device_is_waited_for() {
    isolated("pairing::a_slow_device_is_waited_for", |mut bus| async move {
        bus.start();
        let (fake, mut ward, device) = ward_with(Style::Compare(NUMBER)).await;
        fake.advertising(device, false);
        open(&mut ward, device).await;
        ward.listen(Duration::from_millis(800)).await;
        fake.advertising(device, true);
        assert_eq!(ward.step(device).await, PairingStep::CompareNumber(passkey(NUMBER)));
        ward.listen(Duration::from_millis(800)).await;
        answer(&ward, device, PairingAnswer::Confirm(true));
        assert_eq!(ward.step(device).await, PairingStep::Bonded(device));
    });
}

#[test]
fn pairing_anew_drops_the_old_bond_first_and_the_link_comes_back() {
    let name = "pairing::pairing_anew_drops_the_old_bond_first_and_the_link_comes_back";
    isolated(name, |mut bus| async move {
        bus.start();
        let (fake, mut ward, device) = ward_with(Style::Compare(NUMBER)).await;
        can_be_paired(&mut ward, &fake, device).await;
        let want = Want { is_bonded: true, ..Want::of(DeviceKind::PulseOximeter) };
        ward.want(device, want);
        ward.link(device, Link::Live).await;
        open(&mut ward, device).await;
        ward.link(device, Link::Lost).await;
        assert_eq!(ward.step(device).await, PairingStep::CompareNumber(passkey(NUMBER)));
        assert_eq!(fake.bond(device), Bond::None, "the old one is gone");
        let connects = fake.connects(device);
        ward.listen(Duration::from_millis(400)).await;
        assert_eq!(fake.connects(device), connects, "the link keeps away");
        answer(&ward, device, PairingAnswer::Confirm(true));
        assert_eq!(ward.step(device).await, PairingStep::Bonded(device));
        ward.link(device, Link::Live).await;
        assert!(fake.notify(device, 0x2A5F, &OXYGEN).await);
        assert_eq!(ward.frame(device, 0x2A5F).await, OXYGEN);
        assert_eq!(fake.connects(device), connects);
    });
}

#[test]
fn a_forgotten_device_has_no_bond() {
    isolated("pairing::a_forgotten_device_has_no_bond", |mut bus| async move {
        bus.start();
        let (fake, mut ward, device) = ward_with(Style::JustWorks).await;
        can_be_paired(&mut ward, &fake, device).await;
        ward.order(Command::Forget(device));
        assert_eq!(ward.step(device).await, PairingStep::Forgotten);
        assert_eq!((fake.bond(device), fake.is_trusted(device)), (Bond::None, false));
        // There was none: so there is none.
        ward.order(Command::Forget(DeviceId([9; 6])));
        assert_eq!(ward.step(DeviceId([9; 6])).await, PairingStep::Forgotten);
        // Forgetting what is being paired ends that.
        open(&mut ward, device).await;
        ward.order(Command::Forget(device));
        let steps = [ward.step(device).await, ward.step(device).await];
        let ended = [failed(PairingFault::Cancelled), PairingStep::Forgotten];
        let was_bonded = [PairingStep::Bonded(device), PairingStep::Forgotten];
        assert!(steps == ended || steps == was_bonded, "{steps:?}");
        assert_eq!(fake.bond(device), Bond::None);
    });
}

#[test]
fn a_private_address_becomes_the_identity() {
    isolated("pairing::a_private_address_becomes_the_identity", |mut bus| async move {
        bus.start();
        let fake = FakeBluez::start().await;
        let identity = DeviceId([0xAA, 0xBB, 0xCC, 1, 0, 1]);
        let clip = DeviceSpec { identity: Some(identity), ..DeviceSpec::oximeter(1, "Clip") };
        let private = clip.device;
        fake.add_device(clip);
        // No silence watchdog: the drop itself must be noticed, though its path has the old address.
        let timing = Timing { silence: Duration::from_secs(60), ..short() };
        let mut ward = Ward::with(fake.clone(), 4096, timing);
        ward.seen(private).await;
        open(&mut ward, private).await;
        assert_eq!(ward.step(private).await, PairingStep::Bonded(identity));
        let want = Want { is_bonded: true, ..Want::of(DeviceKind::PulseOximeter) };
        ward.want(identity, want);
        ward.link(identity, Link::Live).await;
        fake.drop_link(private).await;
        ward.link(identity, Link::Lost).await;
        ward.link(identity, Link::Live).await;
        assert!(fake.notify(private, 0x2A5F, &OXYGEN).await);
        assert_eq!(ward.frame(identity, 0x2A5F).await, OXYGEN);
        ward.disconnect(identity);
        ward.link(identity, Link::Down).await;
        ward.seen(identity).await;
    });
}
