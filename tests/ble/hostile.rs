//! Devices that are not what they were, controllers that are full, and a ward full of devices that look
//! the same.

mod slots;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use wardkeep_hardware::ble::Timing;
use wardkeep_model::ports::{
    Command, Event, Link, PairingFault, PairingStep, RadioHealth, TableDigest, Want, WriteFault,
};
use wardkeep_model::vitals::{Characteristic, DeviceId, DeviceKind};

use kit::bluez::private_bus::{PrivateBus, isolated};
use kit::bluez::ward::{Ward, is_frame, short, strap, until};
use kit::bluez::{Bond, DeviceSpec, FakeBluez, characteristic};

const BEAT: [u8; 2] = [0x06, 72];
const OXYGEN: [u8; 5] = [0x00, 0x61, 0x00, 0x48, 0x00];
const LOST: PairingStep = PairingStep::Failed(PairingFault::LostBond);

fn bonded() -> Want {
    Want { is_bonded: true, ..Want::of(DeviceKind::HeartRate) }
}

/// A strap with a bond, seen and not linked.
async fn bonded_strap(bond: Bond) -> (Arc<FakeBluez>, Ward, DeviceId) {
    let fake = FakeBluez::start().await;
    let device = strap(&fake);
    fake.set_bond(device, bond);
    let mut ward = Ward::start(fake.clone());
    ward.seen(device).await;
    (fake, ward, device)
}

fn frames(ward: &Ward, device: DeviceId) -> usize {
    ward.count(|event| matches!(event, Event::Frame { device: of, .. } if *of == device))
}

/// The lost bond is told once, nothing is heard of the device, and it is left alone until it is paired.
async fn lost_and_paired_again(ward: &mut Ward, fake: &FakeBluez, device: DeviceId) {
    assert_eq!(ward.step(device).await, LOST);
    let heard = frames(ward, device);
    let lost = Instant::now();
    ward.listen(Duration::from_millis(800)).await;
    assert_eq!(frames(ward, device), heard);
    let told = |event: &Event| matches!(event, Event::Pairing(_, step) if *step == LOST);
    assert_eq!(ward.count(told), 1, "{:#?}", ward.log);
    // One tap.
    ward.order(Command::Pair(device));
    assert_eq!(ward.step(device).await, PairingStep::Started);
    assert_eq!(ward.step(device).await, PairingStep::Bonded(device));
    ward.link(device, Link::Live).await;
    assert!(fake.notify(device, 0x2A37, &BEAT).await);
    assert_eq!(ward.frame(device, 0x2A37).await, BEAT);
    told_time("lost bond mended after", lost);
}

#[test]
fn a_bonded_device_that_comes_back_without_its_bond_is_not_heard() {
    let name = "hostile::a_bonded_device_that_comes_back_without_its_bond_is_not_heard";
    isolated(name, |mut bus: PrivateBus| async move {
        bus.start();
        let (fake, mut ward, device) = bonded_strap(Bond::None).await;
        let mut spec = DeviceSpec::heart_rate(1, "Strap");
        spec.stored = vec![(0x2A37, BEAT.to_vec())];
        fake.add_device(spec);
        ward.want(device, bonded());
        assert_eq!(ward.step(device).await, LOST);
        assert_eq!(frames(&ward, device), 0, "{:#?}", ward.log);
        ward.listen(Duration::from_millis(600)).await;
        assert_eq!(frames(&ward, device), 0, "{:#?}", ward.log);
        assert!(!fake.is_subscribed(device) && !fake.is_connected(device));
        assert_eq!(ward.links(device), [Link::Connecting]);
        assert_eq!(fake.connects(device), 1, "not tried again and again");
        assert_eq!(ward.count(|event| matches!(event, Event::Table(..))), 0);
    });
}

#[test]
fn a_bond_that_is_lost_while_the_device_is_linked_is_told_and_mended_by_one_tap() {
    let name =
        "hostile::a_bond_that_is_lost_while_the_device_is_linked_is_told_and_mended_by_one_tap";
    isolated(name, |mut bus| async move {
        bus.start();
        let (fake, mut ward, device) = bonded_strap(Bond::Kept).await;
        ward.want(device, bonded());
        ward.link(device, Link::Live).await;
        // BlueZ drops its keys when encryption fails.
        fake.set_bond(device, Bond::None);
        fake.drop_link(device).await;
        lost_and_paired_again(&mut ward, &fake, device).await;
    });
}

#[test]
fn a_device_that_has_lost_its_key_is_told_by_the_reason_of_its_disconnection() {
    let name = "hostile::a_device_that_has_lost_its_key_is_told_by_the_reason_of_its_disconnection";
    isolated(name, |mut bus| async move {
        bus.start();
        let (fake, mut ward, device) = bonded_strap(Bond::LostByDevice).await;
        ward.want(device, bonded());
        lost_and_paired_again(&mut ward, &fake, device).await;
        assert!(fake.connects(device) <= 4, "{} tries", fake.connects(device));
    });
}

#[test]
fn a_device_that_is_near_and_fails_again_and_again_may_have_lost_its_key() {
    let name = "hostile::a_device_that_is_near_and_fails_again_and_again_may_have_lost_its_key";
    isolated(name, |mut bus| async move {
        bus.start();
        let (fake, mut ward, device) = bonded_strap(Bond::LostUnsaid).await;
        ward.want(device, bonded());
        lost_and_paired_again(&mut ward, &fake, device).await;
        // It was only a guess: it comes back by itself as well.
        fake.set_bond(device, Bond::LostUnsaid);
        fake.drop_link(device).await;
        assert_eq!(ward.step(device).await, LOST);
        fake.set_bond(device, Bond::Kept);
        ward.link(device, Link::Live).await;
    });
}

#[test]
fn a_device_that_gives_nothing_without_a_bond_says_so() {
    isolated("hostile::a_device_that_gives_nothing_without_a_bond_says_so", |mut bus| async move {
        bus.start();
        let fake = FakeBluez::start().await;
        let strap = DeviceSpec { needs_bond: true, ..DeviceSpec::heart_rate(1, "Strap") };
        let device = strap.device;
        fake.add_device(strap);
        let mut ward = Ward::start(fake.clone());
        ward.seen(device).await;
        ward.connect(device, DeviceKind::HeartRate);
        assert_eq!(ward.step(device).await, PairingStep::Needed);
        assert_eq!(ward.links(device), [Link::Connecting]);
        ward.order(Command::Pair(device));
        assert_eq!(ward.step(device).await, PairingStep::Started);
        assert_eq!(ward.step(device).await, PairingStep::Bonded(device));
        ward.link(device, Link::Live).await;
        assert!(fake.notify(device, 0x2A37, &BEAT).await);
        assert_eq!(ward.frame(device, 0x2A37).await, BEAT);
    });
}

/// The same of a device that the kernel wants to pair by itself to get it: outside a window that is refused, and
/// nobody waits for what will not come.
#[test]
fn a_device_that_is_paired_by_a_mere_link_is_not_and_says_so() {
    let name = "hostile::a_device_that_is_paired_by_a_mere_link_is_not_and_says_so";
    isolated(name, |mut bus| async move {
        bus.start();
        let fake = FakeBluez::start().await;
        let strap = DeviceSpec::heart_rate(1, "Strap");
        let strap = DeviceSpec { needs_bond: true, pairs_unasked: true, ..strap };
        let device = strap.device;
        fake.add_device(strap);
        let mut ward = Ward::start(fake.clone());
        ward.seen(device).await;
        let wanted = Instant::now();
        ward.connect(device, DeviceKind::HeartRate);
        assert_eq!(ward.step(device).await, PairingStep::Needed);
        assert!(wanted.elapsed() < short().setup / 2, "after {:?}", wanted.elapsed());
        ward.listen(Duration::from_millis(500)).await;
        assert_eq!((fake.asked(device), fake.bond(device)), (1, Bond::None));
        assert!(!fake.is_connected(device), "it is let go");
        assert_eq!(ward.links(device), [Link::Connecting]);
        ward.order(Command::Pair(device));
        assert_eq!(ward.step(device).await, PairingStep::Started);
        assert_eq!(ward.step(device).await, PairingStep::Bonded(device));
        ward.link(device, Link::Live).await;
    });
}

async fn table_of(ward: &mut Ward, device: DeviceId) -> TableDigest {
    let ours = |event: &Event| matches!(event, Event::Table(of, _) if *of == device);
    ward.expect("a table", ours).await;
    match ward.log.back() {
        Some(Event::Table(_, table)) => *table,
        other => panic!("not a table: {other:?}"),
    }
}

#[test]
fn what_a_device_offers_is_told_with_each_link_and_changes_with_its_table() {
    let name = "hostile::what_a_device_offers_is_told_with_each_link_and_changes_with_its_table";
    isolated(name, |mut bus| async move {
        bus.start();
        let fake = FakeBluez::start().await;
        let device = strap(&fake);
        let twin = DeviceSpec::heart_rate(2, "Strap");
        let second = twin.device;
        fake.add_device(twin);
        let mut ward = Ward::start(fake.clone());
        ward.connect(device, DeviceKind::HeartRate);
        let first = table_of(&mut ward, device).await;
        ward.link(device, Link::Live).await;
        fake.drop_link(device).await;
        assert_eq!(table_of(&mut ward, device).await, first);
        fake.stop_daemon().await;
        fake.start_daemon().await;
        assert_eq!(table_of(&mut ward, device).await, first);
        ward.link(device, Link::Live).await;
        ward.connect(second, DeviceKind::HeartRate);
        assert_eq!(table_of(&mut ward, second).await, first, "of the same model");
        fake.drop_last_service(device);
        fake.drop_link(device).await;
        assert_ne!(table_of(&mut ward, device).await, first);
    });
}

#[test]
fn a_second_characteristic_of_one_number_changes_the_table_and_is_never_written() {
    let name =
        "hostile::a_second_characteristic_of_one_number_changes_the_table_and_is_never_written";
    isolated(name, |mut bus| async move {
        bus.start();
        let fake = FakeBluez::start().await;
        let (plain, mut odd) = (DeviceSpec::cuff(1, "Cuff"), DeviceSpec::cuff(2, "Cuff"));
        let (first, second) = (plain.device, odd.device);
        let twice = characteristic(0x2A52, &["write", "indicate"], &[]);
        odd.services[0].characteristics.push(twice);
        fake.add_device(plain);
        fake.add_device(odd);
        let mut ward = Ward::start(fake.clone());
        ward.connect(first, DeviceKind::Cuff);
        let usual = table_of(&mut ward, first).await;
        ward.connect(second, DeviceKind::Cuff);
        assert_ne!(table_of(&mut ward, second).await, usual);
        ward.link(second, Link::Live).await;
        ward.order(Command::Write(second, Characteristic(0x2A52), vec![1, 1]));
        let written = ward.wrote(second, 0x2A52).await;
        assert_eq!(written, Err(WriteFault::NoSuchCharacteristic));
        assert_eq!(fake.written(second), []);
    });
}

#[test]
fn three_oximeters_that_look_the_same_are_three() {
    isolated("hostile::three_oximeters_that_look_the_same_are_three", |mut bus| async move {
        bus.start();
        let fake = FakeBluez::start().await;
        let devices = [1, 2, 3].map(|last| {
            let clip = DeviceSpec::oximeter(last, "Clip");
            let device = clip.device;
            fake.add_device(clip);
            device
        });
        let [ours, second, third] = devices;
        let mut ward = Ward::start(fake.clone());
        for device in devices {
            ward.seen(device).await;
        }
        ward.order(Command::Pair(ours));
        assert_eq!(ward.step(ours).await, PairingStep::Started);
        assert_eq!(ward.step(ours).await, PairingStep::Bonded(ours));
        ward.want(ours, Want { is_bonded: true, ..Want::of(DeviceKind::PulseOximeter) });
        ward.link(ours, Link::Live).await;
        // The one that was paired goes, and its twins stay near.
        fake.vanish(ours).await;
        ward.link(ours, Link::Lost).await;
        ward.listen(Duration::from_millis(600)).await;
        for other in [second, third] {
            assert_eq!((fake.connects(other), fake.bond(other)), (0, Bond::None));
            assert_eq!(frames(&ward, other), 0);
        }
        fake.advertising(ours, true);
        ward.link(ours, Link::Live).await;
        assert!(fake.notify(ours, 0x2A5F, &OXYGEN).await);
        assert_eq!(ward.frame(ours, 0x2A5F).await, OXYGEN);
    });
}

#[test]
fn eight_devices_at_once_come_back_after_everything_breaks() {
    let name = "hostile::eight_devices_at_once_come_back_after_everything_breaks";
    isolated(name, |mut bus| async move {
        bus.start();
        let fake = FakeBluez::start().await;
        let mut wanted = Vec::new();
        for last in 1..=8 {
            let (spec, kind, number) = match last % 3 {
                0 => (DeviceSpec::cuff(last, "Cuff"), DeviceKind::Cuff, 0x2A35),
                1 => (DeviceSpec::heart_rate(last, "Strap"), DeviceKind::HeartRate, 0x2A37),
                _ => (DeviceSpec::oximeter(last, "Clip"), DeviceKind::PulseOximeter, 0x2A5F),
            };
            wanted.push((spec.device, kind, number));
            fake.add_device(spec);
        }
        let mut ward = Ward::start(fake.clone());
        for (device, kind, _) in &wanted {
            ward.connect(*device, *kind);
        }
        all_live(&mut ward, &wanted, 1).await;
        let streams: Vec<_> = wanted
            .iter()
            .map(|(device, _, number)| {
                fake.stream(*device, *number, Duration::from_millis(100), vec![vec![7; 7]])
            })
            .collect();
        for (device, _, number) in &wanted {
            ward.frame(*device, *number).await;
        }
        for (round, what) in (2..).zip(["daemon restart", "adapter replug", "power off"]) {
            let broken = Instant::now();
            match what {
                "daemon restart" => {
                    fake.stop_daemon().await;
                    fake.start_daemon().await;
                }
                "adapter replug" => {
                    fake.unplug_adapter().await;
                    ward.radio(RadioHealth::NoAdapter).await;
                    fake.plug_adapter().await;
                }
                _ => fake.power(false).await,
            }
            all_live(&mut ward, &wanted, round).await;
            told_time(&format!("eight links live again after a {what},"), broken);
        }
        drop(streams);
    });
}

/// Waits until each has been live so many times.
async fn all_live(ward: &mut Ward, wanted: &[(DeviceId, DeviceKind, u16)], times: usize) {
    let lives =
        |ward: &Ward, device| ward.links(device).iter().filter(|link| **link == Link::Live).count();
    for (device, ..) in wanted {
        while lives(ward, *device) < times {
            ward.link(*device, Link::Live).await;
        }
    }
}

#[test]
fn a_device_that_vanishes_while_it_is_linked_is_taken_when_it_appears() {
    let name = "hostile::a_device_that_vanishes_while_it_is_linked_is_taken_when_it_appears";
    isolated(name, |mut bus| async move {
        bus.start();
        let fake = FakeBluez::start().await;
        let device = strap(&fake);
        fake.never_resolves(device, true);
        let timing = Timing { connect: Duration::from_secs(2), ..short() };
        let mut ward = Ward::with(fake.clone(), 4096, timing);
        ward.connect(device, DeviceKind::HeartRate);
        until("a connection", || fake.is_connected(device)).await;
        fake.advertising(device, false);
        fake.remove_object(device).await;
        fake.never_resolves(device, false);
        ward.listen(Duration::from_millis(300)).await;
        let appeared = Instant::now();
        fake.advertising(device, true);
        ward.link(device, Link::Live).await;
        told_time("a device that had vanished is live after", appeared);
        assert!(fake.notify(device, 0x2A37, &BEAT).await);
        assert_eq!(ward.frame(device, 0x2A37).await, BEAT);
        assert_eq!(ward.count(|event| is_frame(event, device, 0x2A37)), 1);
    });
}

#[test]
fn the_controller_that_the_site_names_is_used_and_no_other() {
    let name = "hostile::the_controller_that_the_site_names_is_used_and_no_other";
    isolated(name, |mut bus| async move {
        bus.start();
        let fake = FakeBluez::start().await;
        let other = DeviceId([0x00, 0x11, 0x22, 0x33, 0x44, 0x66]);
        let mut ward = Ward::at(fake.clone(), 4096, short(), Some(other));
        ward.radio(RadioHealth::NoAdapter).await;
        fake.plug_other_adapter().await;
        ward.radio(RadioHealth::Ready).await;
        assert!(fake.is_other_scanning() && !fake.is_scanning());
    });
}

/// How long something took, in the test's output.
#[expect(clippy::print_stdout, reason = "the harness shows it if it is asked to")]
fn told_time(what: &str, since: Instant) {
    println!("{what} {:?}", since.elapsed());
}
