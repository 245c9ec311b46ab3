//! Controllers that carry no more links: who keeps a place, who gives one up, and who is next.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use wardkeep_hardware::ble::Timing;
use wardkeep_model::ports::{Event, Link, Want};
use wardkeep_model::vitals::{DeviceId, DeviceKind};

use kit::bluez::private_bus::isolated;
use kit::bluez::ward::{Ward, short};
use kit::bluez::{DeviceSpec, FakeBluez};

use super::told_time;

const BEAT: [u8; 2] = [0x06, 72];
const LIMIT: &str = "le-connection-concurrent-connection-limit";

/// Straps on a controller that carries two of them, the first two live.
async fn full_ward(says: &'static str, wants: [Want; 3]) -> (Arc<FakeBluez>, Ward, [DeviceId; 3]) {
    let fake = FakeBluez::start().await;
    let devices = [1, 2, 3].map(|last| {
        let strap = DeviceSpec::heart_rate(last, "Strap");
        let device = strap.device;
        fake.add_device(strap);
        device
    });
    fake.limit_slots(2, says);
    let mut ward = Ward::start(fake.clone());
    for (device, want) in devices.into_iter().zip(wants).take(2) {
        ward.want(device, want);
        ward.link(device, Link::Live).await;
    }
    let [.., third] = devices;
    ward.seen(third).await;
    ward.want(third, wants[2]);
    (fake, ward, devices)
}

async fn no_room(ward: &mut Ward, device: DeviceId, no_room: bool) {
    let wanted =
        |event: &Event| matches!(event, Event::NoRoom(of, it) if (*of, *it) == (device, no_room));
    ward.expect(&format!("no room for {device:?}: {no_room}"), wanted).await;
}

#[test]
fn a_full_controller_is_told_and_what_is_assigned_keeps_its_place() {
    let name = "hostile::slots::a_full_controller_is_told_and_what_is_assigned_keeps_its_place";
    isolated(name, |mut bus| async move {
        bus.start();
        let keeps = Want::of(DeviceKind::HeartRate);
        for says in [LIMIT, "le-connection-abort-by-local"] {
            let (fake, mut ward, [first, second, third]) = full_ward(says, [keeps; 3]).await;
            no_room(&mut ward, third, true).await;
            ward.listen(Duration::from_millis(600)).await;
            assert_eq!(ward.links(third), [Link::Connecting], "{says}");
            for kept in [first, second] {
                assert_eq!(ward.links(kept), [Link::Connecting, Link::Live], "{says}");
            }
            // A place that is given up is taken at once.
            ward.disconnect(first);
            no_room(&mut ward, third, false).await;
            assert_eq!(ward.links(third).last(), Some(&Link::Live), "{says}");
            let (driver, task) = ward.stop_listening();
            drop(driver);
            task.await.expect("no panic");
            fake.stop_daemon().await;
        }
    });
}

#[test]
fn what_measures_nobody_gives_way_the_longest_unused_first() {
    let name = "hostile::slots::what_measures_nobody_gives_way_the_longest_unused_first";
    isolated(name, |mut bus| async move {
        bus.start();
        let keeps = Want::of(DeviceKind::HeartRate);
        let yields = Want { yields: true, ..keeps };
        let (fake, mut ward, [first, second, third]) =
            full_ward(LIMIT, [yields, yields, yields]).await;
        // Whoever may give way itself takes nobody's place.
        no_room(&mut ward, third, true).await;
        ward.listen(Duration::from_millis(400)).await;
        assert_eq!(ward.links(second), [Link::Connecting, Link::Live]);
        assert!(fake.notify(first, 0x2A37, &BEAT).await);
        ward.frame(first, 0x2A37).await;
        // It is assigned meanwhile, which does not make its link anew.
        ward.disconnect(third);
        ward.link(third, Link::Down).await;
        let started = Instant::now();
        ward.want(third, keeps);
        ward.link(second, Link::Lost).await;
        no_room(&mut ward, second, true).await;
        ward.link(third, Link::Live).await;
        told_time("a place was given up after", started);
        assert_eq!(ward.links(first), [Link::Connecting, Link::Live], "it was used last");
        assert_eq!(fake.connects(first), 1);
        // Assigned: it keeps its place from now on, over the same link.
        ward.want(first, keeps);
        ward.want(second, keeps);
        ward.listen(Duration::from_millis(400)).await;
        assert_eq!(ward.links(first), [Link::Connecting, Link::Live]);
        assert_eq!(ward.links(third).last(), Some(&Link::Live));
    });
}

/// Straps on a controller that carries one of them, which has it, while all others wait in their order.
async fn waiting_ward(wants: &[Want], timing: Timing) -> (Arc<FakeBluez>, Ward, Vec<DeviceId>) {
    let fake = FakeBluez::start().await;
    fake.limit_slots(1, LIMIT);
    let mut ward = Ward::with(fake.clone(), 4096, timing);
    let mut devices = Vec::new();
    for (last, want) in (1..).zip(wants) {
        let strap = DeviceSpec::heart_rate(last, "Strap");
        let device = strap.device;
        fake.add_device(strap);
        ward.seen(device).await;
        ward.want(device, *want);
        if devices.is_empty() {
            ward.link(device, Link::Live).await;
        } else {
            no_room(&mut ward, device, true).await;
        }
        devices.push(device);
    }
    (fake, ward, devices)
}

#[test]
fn who_waits_gets_a_place_in_turn_and_what_is_assigned_goes_first() {
    let name = "hostile::slots::who_waits_gets_a_place_in_turn_and_what_is_assigned_goes_first";
    isolated(name, |mut bus| async move {
        bus.start();
        let keeps = Want::of(DeviceKind::HeartRate);
        let yields = Want { yields: true, ..keeps };
        // Nobody may lose a turn by being tried meanwhile.
        let timing = Timing { full_retry: Duration::from_secs(60), ..short() };
        let (fake, mut ward, devices) =
            waiting_ward(&[keeps, yields, yields, keeps, keeps], timing).await;
        let mut turns = Vec::new();
        for _ in 1..devices.len() {
            let has = turns.last().copied().unwrap_or(devices[0]);
            ward.disconnect(has);
            let live = |event: &Event| matches!(event, Event::Link(_, Link::Live));
            ward.expect("the next one", live).await;
            let Some(Event::Link(next, _)) = ward.log.back() else { panic!("a link") };
            turns.push(*next);
        }
        let [_, second, third, fourth, fifth] = devices[..] else { panic!("five") };
        assert_eq!(turns, [fourth, fifth, second, third]);
        // Each was refused when it came, and never again.
        let refused: Vec<u32> = devices.iter().map(|device| fake.slotless(*device)).collect();
        assert!(refused.iter().all(|times| *times <= 1), "{refused:?}");
    });
}

#[test]
fn a_place_is_free_when_its_device_was_let_go_and_not_before() {
    let name = "hostile::slots::a_place_is_free_when_its_device_was_let_go_and_not_before";
    isolated(name, |mut bus| async move {
        bus.start();
        let keeps = Want::of(DeviceKind::HeartRate);
        let timing = Timing { full_retry: Duration::from_secs(60), ..short() };
        let (fake, mut ward, devices) = waiting_ward(&[keeps, keeps], timing).await;
        let [first, second] = devices[..] else { panic!("two") };
        let lingers = Duration::from_millis(700);
        fake.lingers(lingers);
        let released = Instant::now();
        ward.disconnect(first);
        ward.link(second, Link::Live).await;
        assert!(released.elapsed() >= lingers && !fake.is_connected(first));
        assert_eq!(fake.slotless(second), 1, "it was not tried before there was a place");
    });
}

#[test]
fn a_daemon_that_never_lets_go_is_not_waited_for_for_ever() {
    let name = "hostile::slots::a_daemon_that_never_lets_go_is_not_waited_for_for_ever";
    isolated(name, |mut bus| async move {
        bus.start();
        let keeps = Want::of(DeviceKind::HeartRate);
        let (release, long) = (Duration::from_millis(600), Duration::from_secs(60));
        let timing = Timing { full_retry: long, release, ..short() };
        let (fake, mut ward, devices) = waiting_ward(&[keeps, keeps], timing).await;
        let [first, second] = devices[..] else { panic!("two") };
        fake.lingers(Duration::from_secs(120));
        ward.disconnect(first);
        ward.link(first, Link::Down).await;
        assert!(fake.is_connected(first), "as BlueZ has it");
        // The place was asked for all the same, and is not there.
        kit::bluez::ward::until("a try", || fake.slotless(second) == 2).await;
        fake.drop_link(first).await;
    });
}

#[test]
fn a_device_that_has_left_keeps_nobody_waiting() {
    isolated("hostile::slots::a_device_that_has_left_keeps_nobody_waiting", |mut bus| async move {
        bus.start();
        let keeps = Want::of(DeviceKind::HeartRate);
        let timing = Timing { full_retry: Duration::from_secs(60), ..short() };
        let (fake, mut ward, devices) = waiting_ward(&[keeps, keeps, keeps], timing).await;
        let [first, second, third] = devices[..] else { panic!("three") };
        fake.advertising(second, false);
        ward.listen(short().gone_after + Duration::from_millis(300)).await;
        ward.disconnect(first);
        ward.link(third, Link::Live).await;
        // It comes back and waits where it did.
        fake.advertising(second, true);
        ward.seen(second).await;
        ward.disconnect(third);
        ward.link(second, Link::Live).await;
    });
}
