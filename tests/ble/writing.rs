//! What is read of a device once, written to it, and how it is let go so that it can sleep.

use std::sync::Arc;
use std::time::Duration;

use wardkeep_hardware::ble::Timing;
use wardkeep_model::ports::{Command, Event, Link, Want, WriteFault};
use wardkeep_model::vitals::{Characteristic, DeviceId, DeviceKind};

use kit::bluez::private_bus::{PrivateBus, isolated};
use kit::bluez::ward::{Ward, is_frame, short, until};
use kit::bluez::{Bond, DeviceSpec, FakeBluez};

/// 118 over 76 mmHg (Blood Pressure Service 3.1).
const PRESSURE: [u8; 7] = [0x00, 0x76, 0x00, 0x4C, 0x00, 0x5A, 0x00];
const REPORT_ALL: [u8; 2] = [1, 1];

async fn live_cuff(cuff: DeviceSpec, timing: Timing) -> (Arc<FakeBluez>, Ward, DeviceId) {
    let fake = FakeBluez::start().await;
    let device = cuff.device;
    fake.add_device(cuff);
    let mut ward = Ward::with(fake.clone(), 4096, timing);
    ward.seen(device).await;
    ward.want(device, Want::of(DeviceKind::Cuff));
    ward.link(device, Link::Live).await;
    (fake, ward, device)
}

fn write(ward: &Ward, device: DeviceId, number: u16, bytes: &[u8]) {
    ward.order(Command::Write(device, Characteristic(number), bytes.to_vec()));
}

/// Where a frame of this characteristic stands in the log.
fn at(ward: &Ward, device: DeviceId, number: u16) -> usize {
    let place = ward.log.iter().position(|event| is_frame(event, device, number));
    place.unwrap_or_else(|| panic!("no {number:04x}"))
}

#[test]
fn what_a_device_says_of_itself_is_read_once_and_its_clock_before_anything_it_measured() {
    let name = "writing::what_a_device_says_of_itself_is_read_once_and_its_clock_before_anything_it_measured";
    isolated(name, |mut bus: PrivateBus| async move {
        bus.start();
        let mut cuff = DeviceSpec::cuff(1, "Cuff");
        cuff.stored = vec![(0x2A35, PRESSURE.to_vec())];
        let (_fake, mut ward, device) = live_cuff(cuff, short()).await;
        assert_eq!(ward.frame(device, 0x2A35).await, PRESSURE);
        assert!(at(&ward, device, 0x2A2B) < at(&ward, device, 0x2A35), "the clock comes first");
        assert!(at(&ward, device, 0x2A49) < at(&ward, device, 0x2A35), "and its features");
        let table = ward.log.iter().position(|event| matches!(event, Event::Table(..)));
        assert!(table.is_some_and(|table| table < at(&ward, device, 0x2A2B)), "after its table");
        for number in [0x2A19, 0x2A24, 0x2A25, 0x2A26, 0x2A29, 0x2A50] {
            if ward.count(|event| is_frame(event, device, number)) == 0 {
                ward.frame(device, number).await;
            }
        }
        ward.listen(Duration::from_millis(200)).await;
        for number in [0x2A24, 0x2A25, 0x2A2B, 0x2A49] {
            assert_eq!(ward.count(|event| is_frame(event, device, number)), 1, "{number:04x}");
        }
    });
}

#[test]
fn a_write_is_answered_and_the_device_s_answer_comes_through() {
    let name = "writing::a_write_is_answered_and_the_device_s_answer_comes_through";
    isolated(name, |mut bus| async move {
        bus.start();
        let (fake, mut ward, device) = live_cuff(DeviceSpec::cuff(1, "Cuff"), short()).await;
        write(&ward, device, 0x2A52, &REPORT_ALL);
        // A control point answers only whoever is subscribed to it: with 0xFD else.
        assert_eq!(ward.wrote(device, 0x2A52).await, Ok(()));
        assert!(fake.notify(device, 0x2A52, &[6, 0, 1, 1]).await);
        assert_eq!(ward.frame(device, 0x2A52).await, [6, 0, 1, 1]);
        write(&ward, device, 0x2A2B, &[7; 10]);
        assert_eq!(ward.wrote(device, 0x2A2B).await, Ok(()));
        let expected = [(0x2A52, REPORT_ALL.to_vec()), (0x2A2B, vec![7; 10])];
        assert_eq!(fake.written(device), expected);
    });
}

#[test]
fn each_reason_for_not_writing_is_told() {
    isolated("writing::each_reason_for_not_writing_is_told", |mut bus| async move {
        bus.start();
        let mut cuff = DeviceSpec::cuff(1, "Cuff");
        cuff.refused_writes = vec![(0x2A52, 0xFE), (0x2A2B, 0x80)];
        let (fake, mut ward, device) = live_cuff(cuff, short()).await;
        for (number, fault) in [
            (0x2A52, WriteFault::Att(0xFE)),
            (0x2A2B, WriteFault::Att(0x80)),
            (0x2A49, WriteFault::NotPermitted),
            (0x2AAC, WriteFault::NoSuchCharacteristic),
            // It is there, in a service that nobody writes to.
            (0x2A24, WriteFault::NoSuchCharacteristic),
        ] {
            write(&ward, device, number, &[1]);
            assert_eq!(ward.wrote(device, number).await, Err(fault), "{number:04x}");
        }
        assert_eq!(fake.written(device), []);
        ward.disconnect(device);
        ward.link(device, Link::Down).await;
        write(&ward, device, 0x2A52, &REPORT_ALL);
        assert_eq!(ward.wrote(device, 0x2A52).await, Err(WriteFault::NotLinked));
        let nobody = DeviceId([9; 6]);
        write(&ward, nobody, 0x2A52, &REPORT_ALL);
        assert_eq!(ward.wrote(nobody, 0x2A52).await, Err(WriteFault::NotLinked));
    });
}

#[test]
fn a_write_without_the_bond_that_it_needs_is_told_apart() {
    isolated(
        "writing::a_write_without_the_bond_that_it_needs_is_told_apart",
        |mut bus| async move {
            bus.start();
            let cuff = DeviceSpec { needs_bond: true, ..DeviceSpec::cuff(1, "Cuff") };
            let device = cuff.device;
            let fake = FakeBluez::start().await;
            fake.add_device(cuff);
            fake.set_bond(device, Bond::Kept);
            let mut ward = Ward::start(fake.clone());
            ward.seen(device).await;
            ward.want(device, Want::of(DeviceKind::Cuff));
            ward.link(device, Link::Live).await;
            fake.set_bond(device, Bond::None);
            write(&ward, device, 0x2A52, &REPORT_ALL);
            assert_eq!(ward.wrote(device, 0x2A52).await, Err(WriteFault::NotPaired));
        },
    );
}

#[test]
fn a_device_that_has_measured_is_let_go_and_taken_again_when_somebody_wakes_it() {
    let name =
        "writing::a_device_that_has_measured_is_let_go_and_taken_again_when_somebody_wakes_it";
    isolated(name, |mut bus| async move {
        bus.start();
        let (fake, mut ward, device) = live_cuff(DeviceSpec::cuff(1, "Cuff"), short()).await;
        ward.listen(short().idle * 2).await;
        assert!(fake.is_connected(device), "it has measured nothing yet");
        assert!(fake.notify(device, 0x2A35, &PRESSURE).await);
        ward.link(device, Link::Lost).await;
        until("it to be let go", || !fake.is_connected(device)).await;
        // It advertises for a while before it sleeps.
        ward.listen(Duration::from_millis(600)).await;
        assert_eq!(fake.connects(device), 1, "left alone");
        fake.advertising(device, false);
        ward.listen(short().gone_after + Duration::from_millis(300)).await;
        fake.advertising(device, true);
        ward.link(device, Link::Live).await;
        assert_eq!(fake.connects(device), 2);
    });
}

#[test]
fn a_device_that_never_falls_silent_is_taken_again_after_a_rest() {
    let name = "writing::a_device_that_never_falls_silent_is_taken_again_after_a_rest";
    isolated(name, |mut bus| async move {
        bus.start();
        let rest_first = Duration::from_millis(700);
        let timing = Timing { rest_first, ..short() };
        let (fake, mut ward, device) = live_cuff(DeviceSpec::cuff(1, "Cuff"), timing).await;
        assert!(fake.notify(device, 0x2A35, &PRESSURE).await);
        ward.link(device, Link::Lost).await;
        let waited = ward.link(device, Link::Live).await;
        assert!(waited >= rest_first, "after {waited:?}");
    });
}

#[test]
fn a_write_keeps_the_link_and_a_device_that_measures_all_the_time_is_never_let_go() {
    let name =
        "writing::a_write_keeps_the_link_and_a_device_that_measures_all_the_time_is_never_let_go";
    isolated(name, |mut bus| async move {
        bus.start();
        let idle = Duration::from_millis(1_500);
        let timing = Timing { idle, ..short() };
        let (fake, mut ward, device) = live_cuff(DeviceSpec::cuff(1, "Cuff"), timing).await;
        let clip = DeviceSpec::oximeter(2, "Clip");
        let second = clip.device;
        fake.add_device(clip);
        ward.want(second, Want::of(DeviceKind::PulseOximeter));
        ward.link(second, Link::Live).await;
        assert!(fake.notify(second, 0x2A5F, &[0, 0x61, 0, 0x48, 0]).await);
        assert!(fake.notify(device, 0x2A35, &PRESSURE).await);
        ward.frame(device, 0x2A35).await;
        let measured = tokio::time::Instant::now();
        ward.listen(idle / 2).await;
        write(&ward, device, 0x2A2B, &[7; 10]);
        ward.link(device, Link::Lost).await;
        assert!(measured.elapsed() >= idle + idle / 2, "the write counts as use");
        assert_eq!(ward.links(second), [Link::Connecting, Link::Live]);
        assert!(fake.is_connected(second));
        until("the cuff to be let go", || !fake.is_connected(device)).await;
    });
}

#[test]
fn a_clock_that_was_set_is_read_and_shows_whether_it_took_the_time() {
    let name = "writing::a_clock_that_was_set_is_read_and_shows_whether_it_took_the_time";
    isolated(name, |mut bus| async move {
        bus.start();
        let noon = [0xEA, 7, 11, 30, 12, 0, 0, 1, 0, 2];
        for (stubborn, shown) in
            [(vec![], noon.to_vec()), (vec![0x2A2B], vec![0xEA, 7, 6, 1, 8, 30, 0, 1, 0, 0])]
        {
            let cuff = DeviceSpec { stubborn, ..DeviceSpec::cuff(1, "Cuff") };
            let (fake, mut ward, device) = live_cuff(cuff, short()).await;
            write(&ward, device, 0x2A2B, &noon);
            assert_eq!(ward.wrote(device, 0x2A2B).await, Ok(()));
            assert_eq!(ward.frame(device, 0x2A2B).await, shown);
            // What is no clock is not read.
            write(&ward, device, 0x2A52, &REPORT_ALL);
            assert_eq!(ward.wrote(device, 0x2A52).await, Ok(()));
            ward.listen(Duration::from_millis(200)).await;
            assert_eq!(ward.count(|event| is_frame(event, device, 0x2A52)), 0);
            let (driver, task) = ward.stop_listening();
            drop(driver);
            task.await.expect("no panic");
            fake.stop_daemon().await;
        }
    });
}
