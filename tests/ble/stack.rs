//! The Bluetooth driver against a pretended BlueZ, through the real btleplug, libdbus and dbus-daemon:
//! finding devices, linking, and what travels over a link.

use std::time::Duration;

use tokio::time::Instant;
use wardkeep_hardware::ble::Timing;
use wardkeep_model::ports::{Event, Link, RadioHealth};
use wardkeep_model::vitals::DeviceKind;

use kit::bluez::private_bus::{PrivateBus, isolated};
use kit::bluez::ward::{Ward, is_frame, short, strap, until};
use kit::bluez::{DeviceSpec, FakeBluez};
use kit::bluez::{ServiceSpec, characteristic};

/// 72 beats a minute, contact detected (Heart Rate Service 3.1).
const BEAT: [u8; 2] = [0x06, 72];
/// 97 %, 72 a minute (Pulse Oximeter Service 3.1).
const OXYGEN: [u8; 5] = [0x00, 0x61, 0x00, 0x48, 0x00];

#[test]
fn both_kinds_are_found_linked_and_heard() {
    isolated("stack::both_kinds_are_found_linked_and_heard", |mut bus: PrivateBus| async move {
        bus.start();
        let fake = FakeBluez::start().await;
        let (strap, clip) = (DeviceSpec::heart_rate(1, "Strap"), DeviceSpec::oximeter(2, "Clip"));
        let (beats, oxygen) = (strap.device, clip.device);
        fake.add_device(strap);
        fake.add_device(clip);
        let mut ward = Ward::start(fake.clone());
        ward.radio(RadioHealth::Ready).await;
        ward.seen(beats).await;
        ward.seen(oxygen).await;
        let kinds: Vec<_> = ward.log.iter().filter_map(kind_seen).collect();
        assert!(kinds.contains(&("Strap".to_owned(), DeviceKind::HeartRate, -55)), "{kinds:?}");
        assert!(kinds.contains(&("Clip".to_owned(), DeviceKind::PulseOximeter, -55)), "{kinds:?}");

        ward.go_live(beats, DeviceKind::HeartRate).await;
        assert_eq!(ward.frame(beats, 0x2A19).await, [87], "the battery is read once");
        ward.go_live(oxygen, DeviceKind::PulseOximeter).await;
        assert_eq!(ward.frame(oxygen, 0x2A19).await, [87]);
        assert!(fake.notify(beats, 0x2A37, &BEAT).await);
        assert_eq!(ward.frame(beats, 0x2A37).await, BEAT);
        assert!(fake.notify(oxygen, 0x2A5F, &OXYGEN).await);
        assert_eq!(ward.frame(oxygen, 0x2A5F).await, OXYGEN);
        assert!(
            fake.notify(oxygen, 0x2A5E, &OXYGEN).await,
            "spot checks are subscribed to as well"
        );
        assert_eq!(ward.frame(oxygen, 0x2A5E).await, OXYGEN);
        assert!(fake.notify(beats, 0x2A19, &[86]).await);
        assert_eq!(ward.frame(beats, 0x2A19).await, [86]);
    });
}

fn kind_seen(event: &Event) -> Option<(String, DeviceKind, i16)> {
    let Event::Seen { name, kind, rssi, .. } = event else { return None };
    Some((name.clone(), *kind, *rssi))
}

#[test]
fn a_device_is_seen_at_most_once_in_its_time_and_gone_when_it_falls_silent() {
    let name = "stack::a_device_is_seen_at_most_once_in_its_time_and_gone_when_it_falls_silent";
    isolated(name, |mut bus| async move {
        bus.start();
        let fake = FakeBluez::start().await;
        let device = strap(&fake);
        let started = Instant::now();
        let mut ward = Ward::start(fake.clone());
        for _ in 0..3 {
            ward.seen(device).await;
        }
        ward.listen(Duration::from_millis(600)).await;
        // Heard every 100 ms, reported every 200 ms.
        let seen = ward.count(|event| matches!(event, Event::Seen { .. })) as u128;
        let times = started.elapsed().as_millis() / 200;
        assert!(seen <= times + 1, "{seen} sightings in {times} times");
        fake.advertising(device, false);
        ward.expect("gone", |event| matches!(event, Event::Gone(it) if *it == device)).await;
        fake.advertising(device, true);
        ward.seen(device).await;
    });
}

#[test]
fn a_linked_device_is_not_gone_although_it_advertises_no_more() {
    isolated(
        "stack::a_linked_device_is_not_gone_although_it_advertises_no_more",
        |mut bus| async move {
            bus.start();
            let fake = FakeBluez::start().await;
            let device = strap(&fake);
            let mut ward = Ward::start(fake.clone());
            ward.seen(device).await;
            ward.go_live(device, DeviceKind::HeartRate).await;
            let gone = |ward: &Ward| ward.count(|event| matches!(event, Event::Gone(_)));
            let before = gone(&ward);
            ward.listen(Duration::from_millis(1800)).await;
            assert_eq!(gone(&ward), before);
            assert_eq!(ward.links(device), [Link::Connecting, Link::Live], "silent but connected");
        },
    );
}

#[test]
fn hostile_names_arrive_harmless_and_other_devices_not_at_all() {
    isolated(
        "stack::hostile_names_arrive_harmless_and_other_devices_not_at_all",
        |mut bus| async move {
            bus.start();
            let fake = FakeBluez::start().await;
            let mut hostile = DeviceSpec::heart_rate(1, "\u{1b}[2J\n\u{202e}");
            while hostile.name.len() < 247 {
                hostile.name.push('\u{7f}');
            }
            let mut gadget = DeviceSpec::heart_rate(2, "Gadget");
            gadget.advertised = vec![0x180F];
            let (hostile_id, gadget_id) = (hostile.device, gadget.device);
            fake.add_device(gadget);
            fake.add_device(hostile);
            let mut ward = Ward::start(fake.clone());
            ward.seen(hostile_id).await;
            ward.listen(Duration::from_millis(400)).await;
            for event in &ward.log {
                if let Event::Seen { device, name, .. } = event {
                    assert_ne!(*device, gadget_id);
                    assert!(
                        name.chars().count() <= 248 && !name.chars().any(char::is_control),
                        "{name:?}"
                    );
                    assert!(name.starts_with("\u{fffd}[2J \u{fffd}"), "{name:?}");
                }
            }
        },
    );
}

#[test]
fn two_devices_of_one_name_are_two_devices() {
    isolated("stack::two_devices_of_one_name_are_two_devices", |mut bus| async move {
        bus.start();
        let fake = FakeBluez::start().await;
        let (one, two) = (DeviceSpec::oximeter(1, "Clip"), DeviceSpec::oximeter(2, "Clip"));
        let (first, second) = (one.device, two.device);
        fake.add_device(one);
        fake.add_device(two);
        let mut ward = Ward::start(fake.clone());
        ward.seen(first).await;
        ward.go_live(second, DeviceKind::PulseOximeter).await;
        ward.go_live(first, DeviceKind::PulseOximeter).await;
        fake.notify(first, 0x2A5F, &[1]).await;
        assert_eq!(ward.frame(first, 0x2A5F).await, [1]);
        fake.notify(second, 0x2A5F, &[2]).await;
        assert_eq!(ward.frame(second, 0x2A5F).await, [2]);
        ward.disconnect(first);
        ward.link(first, Link::Down).await;
        fake.notify(second, 0x2A5F, &[3]).await;
        assert_eq!(ward.frame(second, 0x2A5F).await, [3]);
    });
}

#[test]
fn a_remembered_device_is_not_seen_but_linked_as_soon_as_it_appears() {
    let name = "stack::a_remembered_device_is_not_seen_but_linked_as_soon_as_it_appears";
    isolated(name, |mut bus| async move {
        bus.start();
        let fake = FakeBluez::start().await;
        let strap = DeviceSpec::heart_rate(1, "Strap");
        let device = strap.device;
        fake.remember_device(strap).await;
        let mut ward = Ward::start(fake.clone());
        ward.radio(RadioHealth::Ready).await;
        ward.connect(device, DeviceKind::HeartRate);
        ward.listen(Duration::from_millis(800)).await;
        assert_eq!(ward.count(|event| matches!(event, Event::Seen { .. })), 0);
        assert_eq!(ward.links(device), [Link::Connecting]);
        fake.advertising(device, true);
        ward.link(device, Link::Live).await;
    });
}

#[test]
fn a_device_wanted_before_it_was_ever_seen_is_linked_when_it_appears() {
    let name = "stack::a_device_wanted_before_it_was_ever_seen_is_linked_when_it_appears";
    isolated(name, |mut bus| async move {
        bus.start();
        let fake = FakeBluez::start().await;
        let clip = DeviceSpec::oximeter(1, "Clip");
        let device = clip.device;
        // No retry may help: the advertisement itself must start the connection.
        let long = Duration::from_secs(60);
        let timing = Timing { retry_first: long, retry_max: long, ..short() };
        let mut ward = Ward::with(fake.clone(), 4096, timing);
        ward.connect(device, DeviceKind::PulseOximeter);
        ward.link(device, Link::Connecting).await;
        ward.listen(Duration::from_millis(500)).await;
        fake.add_device(clip);
        ward.link(device, Link::Live).await;
        assert_eq!(fake.connects(device), 1);
    });
}

#[test]
fn odd_values_pass_unchanged_and_bounded() {
    isolated("stack::odd_values_pass_unchanged_and_bounded", |mut bus| async move {
        bus.start();
        let fake = FakeBluez::start().await;
        let device = strap(&fake);
        let mut ward = Ward::start(fake.clone());
        ward.seen(device).await;
        ward.go_live(device, DeviceKind::HeartRate).await;
        for value in [vec![], vec![0xFF], vec![0x55; 20], vec![0xA5; 512]] {
            fake.notify(device, 0x2A37, &value).await;
            assert_eq!(ward.frame(device, 0x2A37).await, value);
        }
        fake.notify(device, 0x2A37, &[7; 60_000]).await;
        assert_eq!(ward.frame(device, 0x2A37).await, [7; 512]);
    });
}

#[test]
fn a_reading_sent_at_the_moment_of_subscription_is_not_missed() {
    isolated(
        "stack::a_reading_sent_at_the_moment_of_subscription_is_not_missed",
        |mut bus| async move {
            bus.start();
            let fake = FakeBluez::start().await;
            let mut clip = DeviceSpec::oximeter(1, "Clip");
            clip.stored = vec![(0x2A5E, OXYGEN.to_vec())];
            let device = clip.device;
            fake.add_device(clip);
            let mut ward = Ward::start(fake.clone());
            ward.seen(device).await;
            ward.go_live(device, DeviceKind::PulseOximeter).await;
            assert_eq!(ward.frame(device, 0x2A5E).await, OXYGEN);
        },
    );
}

#[test]
fn repeated_numbers_do_not_confuse_a_link() {
    isolated("stack::repeated_numbers_do_not_confuse_a_link", |mut bus| async move {
        bus.start();
        let fake = FakeBluez::start().await;
        let mut strap = DeviceSpec::heart_rate(1, "Strap");
        let twice = characteristic(0x2A37, &["notify"], &[]);
        if let Some(service) = strap.services.first_mut() {
            service.characteristics.push(twice);
        }
        // The measurement's number inside another service is somebody else's.
        strap.services.push(ServiceSpec {
            number: 0x1822,
            characteristics: vec![characteristic(0x2A37, &["notify"], &[])],
        });
        let device = strap.device;
        fake.add_device(strap);
        let mut ward = Ward::start(fake.clone());
        ward.seen(device).await;
        ward.go_live(device, DeviceKind::HeartRate).await;
        assert!(fake.notify(device, 0x2A37, &BEAT).await);
        assert_eq!(ward.frame(device, 0x2A37).await, BEAT);
        ward.listen(Duration::from_millis(200)).await;
        assert_eq!(ward.count(|event| is_frame(event, device, 0x2A37)), 1);
    });
}

#[test]
fn a_device_without_anything_to_measure_is_never_live() {
    isolated("stack::a_device_without_anything_to_measure_is_never_live", |mut bus| async move {
        bus.start();
        let fake = FakeBluez::start().await;
        let mut strap = DeviceSpec::heart_rate(1, "Strap");
        strap.services.retain(|service| service.number != 0x180D);
        let device = strap.device;
        fake.add_device(strap);
        let mut ward = Ward::start(fake.clone());
        ward.seen(device).await;
        ward.connect(device, DeviceKind::HeartRate);
        let tried = fake.clone();
        until("two tries", || tried.connects(device) >= 2).await;
        ward.listen(Duration::from_millis(100)).await;
        assert_eq!(ward.links(device), [Link::Connecting]);
    });
}
