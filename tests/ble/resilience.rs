//! The Bluetooth driver when things break: links, the controller, the daemon, the bus.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use wardkeep_hardware::ble::Timing;
use wardkeep_model::ports::{Event, Link, RadioHealth};
use wardkeep_model::vitals::{DeviceId, DeviceKind};

use kit::bluez::private_bus::{PrivateBus, isolated};
use kit::bluez::ward::{Ward, short, strap, suspend, until};
use kit::bluez::{DeviceSpec, FakeBluez, Stream};

const BEAT: [u8; 2] = [0x06, 72];
/// The longest a dead link may look alive.
const NOTICED: Duration = Duration::from_secs(5);

/// A strap that sends ten readings a second.
async fn live_strap(fake: &Arc<FakeBluez>, timing: Timing) -> (Ward, DeviceId, Stream) {
    let device = strap(fake);
    let beats = fake.stream(device, 0x2A37, Duration::from_millis(100), vec![BEAT.to_vec()]);
    let mut ward = Ward::with(fake.clone(), 4096, timing);
    ward.seen(device).await;
    ward.go_live(device, DeviceKind::HeartRate).await;
    ward.frame(device, 0x2A37).await;
    (ward, device, beats)
}

/// Waits for the loss, checks that it was noticed in time, then for frames over the next link.
async fn lost_and_back(ward: &mut Ward, device: DeviceId, broken: Instant) {
    ward.link(device, Link::Lost).await;
    assert!(broken.elapsed() < NOTICED, "noticed after {:?}", broken.elapsed());
    ward.link(device, Link::Live).await;
    assert_eq!(ward.frame(device, 0x2A37).await, BEAT);
}

#[test]
fn a_dropped_link_is_noticed_and_made_again() {
    isolated(
        "resilience::a_dropped_link_is_noticed_and_made_again",
        |mut bus: PrivateBus| async move {
            bus.start();
            let fake = FakeBluez::start().await;
            // No silence watchdog: the signal itself must be noticed.
            let timing = Timing { silence: Duration::from_secs(60), ..short() };
            let (mut ward, device, _beats) = live_strap(&fake, timing).await;
            for _ in 0..3 {
                fake.drop_link(device).await;
                lost_and_back(&mut ward, device, Instant::now()).await;
            }
            assert_eq!(fake.connects(device), 4);
        },
    );
}

#[test]
fn what_an_earlier_link_left_behind_does_not_end_the_next() {
    let name = "resilience::what_an_earlier_link_left_behind_does_not_end_the_next";
    isolated(name, |mut bus| async move {
        bus.start();
        let fake = FakeBluez::start().await;
        fake.tells_late();
        let (mut ward, device, _beats) = live_strap(&fake, short()).await;
        fake.drop_link(device).await;
        lost_and_back(&mut ward, device, Instant::now()).await;
        // A device that is still there may have lost a part of what BlueZ shows of it.
        fake.lose_battery(device).await;
        ward.listen(Duration::from_millis(500)).await;
        assert_eq!(ward.links(device), [Link::Connecting, Link::Live, Link::Lost, Link::Live]);
        assert_eq!(fake.connects(device), 2);
    });
}

#[test]
fn a_link_that_vanishes_without_a_signal_is_noticed() {
    isolated(
        "resilience::a_link_that_vanishes_without_a_signal_is_noticed",
        |mut bus| async move {
            bus.start();
            let fake = FakeBluez::start().await;
            let (mut ward, device, _beats) = live_strap(&fake, short()).await;
            fake.vanish(device).await;
            let broken = Instant::now();
            ward.link(device, Link::Lost).await;
            assert!(broken.elapsed() < NOTICED, "noticed after {:?}", broken.elapsed());
            fake.advertising(device, true);
            ward.link(device, Link::Live).await;
            assert_eq!(ward.frame(device, 0x2A37).await, BEAT);
        },
    );
}

#[test]
fn with_the_real_times_a_silent_end_is_noticed_within_five_seconds() {
    let name = "resilience::with_the_real_times_a_silent_end_is_noticed_within_five_seconds";
    isolated(name, |mut bus| async move {
        bus.start();
        let fake = FakeBluez::start().await;
        let (mut ward, device, _beats) = live_strap(&fake, Timing::default()).await;
        fake.vanish(device).await;
        let broken = Instant::now();
        ward.link(device, Link::Lost).await;
        assert!(broken.elapsed() < NOTICED, "noticed after {:?}", broken.elapsed());
    });
    let timing = Timing::default();
    assert!(timing.silence + timing.question < NOTICED, "also when BlueZ does not answer");
}

#[test]
fn a_removed_device_is_noticed_and_linked_again() {
    isolated("resilience::a_removed_device_is_noticed_and_linked_again", |mut bus| async move {
        bus.start();
        let fake = FakeBluez::start().await;
        // No silence watchdog: the removal itself must be noticed.
        let timing = Timing { silence: Duration::from_secs(60), ..short() };
        let (mut ward, device, _beats) = live_strap(&fake, timing).await;
        fake.remove_object(device).await;
        lost_and_back(&mut ward, device, Instant::now()).await;
    });
}

#[test]
fn a_controller_that_is_switched_off_is_switched_on_again() {
    isolated(
        "resilience::a_controller_that_is_switched_off_is_switched_on_again",
        |mut bus| async move {
            bus.start();
            let fake = FakeBluez::start().await;
            let (mut ward, device, _beats) = live_strap(&fake, short()).await;
            fake.busy_on_power(2);
            fake.power(false).await;
            let broken = Instant::now();
            ward.radio(RadioHealth::Off).await;
            assert!(broken.elapsed() < NOTICED, "noticed after {:?}", broken.elapsed());
            ward.radio(RadioHealth::Ready).await;
            assert!(fake.is_scanning());
            ward.link(device, Link::Live).await;
            assert_eq!(ward.links(device), [Link::Connecting, Link::Live, Link::Lost, Link::Live]);
            ward.frame(device, 0x2A37).await;
        },
    );
}

#[test]
fn a_controller_that_is_busy_switching_on_is_asked_again() {
    isolated(
        "resilience::a_controller_that_is_busy_switching_on_is_asked_again",
        |mut bus| async move {
            bus.start();
            let fake = FakeBluez::start().await;
            fake.busy_on_power(4);
            let mut ward = Ward::start(fake.clone());
            ward.radio(RadioHealth::Off).await;
            ward.radio(RadioHealth::Ready).await;
            assert_eq!(fake.busy_left(), 0);
            assert!(fake.is_scanning());
        },
    );
}

#[test]
fn a_controller_may_come_late_and_leave() {
    isolated("resilience::a_controller_may_come_late_and_leave", |mut bus| async move {
        bus.start();
        let fake = FakeBluez::without_adapter().await;
        // No watchdog may help: the removal itself must be noticed.
        let long = Duration::from_secs(60);
        let timing = Timing { silence: long, scan_watchdog: long, ..short() };
        let mut ward = Ward::with(fake.clone(), 4096, timing);
        ward.radio(RadioHealth::NoAdapter).await;
        let device = strap(&fake);
        ward.connect(device, DeviceKind::HeartRate);
        ward.link(device, Link::Connecting).await;
        fake.plug_adapter().await;
        ward.radio(RadioHealth::Ready).await;
        ward.link(device, Link::Live).await;
        fake.unplug_adapter().await;
        ward.radio(RadioHealth::NoAdapter).await;
        fake.plug_adapter().await;
        ward.radio(RadioHealth::Ready).await;
        ward.link(device, Link::Live).await;
        assert_eq!(ward.links(device), [Link::Connecting, Link::Live, Link::Lost, Link::Live]);
    });
}

#[test]
fn the_daemon_may_be_restarted() {
    isolated("resilience::the_daemon_may_be_restarted", |mut bus| async move {
        bus.start();
        let fake = FakeBluez::start().await;
        // No watchdog may help: the daemon's end itself must be noticed.
        let long = Duration::from_secs(60);
        let timing = Timing { silence: long, scan_watchdog: long, ..short() };
        let (mut ward, device, _beats) = live_strap(&fake, timing).await;
        for _ in 0..2 {
            let broken = Instant::now();
            fake.stop_daemon().await;
            ward.link(device, Link::Lost).await;
            ward.radio(RadioHealth::ServiceDown).await;
            assert!(broken.elapsed() < NOTICED, "noticed after {:?}", broken.elapsed());
            fake.start_daemon().await;
            ward.radio(RadioHealth::Ready).await;
            ward.link(device, Link::Live).await;
            assert_eq!(ward.frame(device, 0x2A37).await, BEAT);
        }
    });
}

#[test]
fn the_daemon_may_come_late() {
    isolated("resilience::the_daemon_may_come_late", |mut bus| async move {
        bus.start();
        let fake = FakeBluez::start().await;
        fake.stop_daemon().await;
        let mut ward = Ward::start(fake.clone());
        ward.radio(RadioHealth::ServiceDown).await;
        ward.listen(Duration::from_millis(300)).await;
        fake.start_daemon().await;
        ward.radio(RadioHealth::Ready).await;
    });
}

#[test]
fn the_bus_may_come_late_and_may_die() {
    isolated("resilience::the_bus_may_come_late_and_may_die", |mut bus| async move {
        bus.start();
        let fake = FakeBluez::start().await;
        fake.stop_daemon().await;
        bus.stop();
        let mut ward = Ward::start(fake.clone());
        let device = strap(&fake);
        ward.radio(RadioHealth::ServiceDown).await;
        ward.connect(device, DeviceKind::HeartRate);
        ward.link(device, Link::Connecting).await;
        for _ in 0..2 {
            bus.start();
            fake.start_daemon().await;
            ward.radio(RadioHealth::Ready).await;
            ward.link(device, Link::Live).await;
            bus.stop();
            let broken = Instant::now();
            ward.link(device, Link::Lost).await;
            ward.radio(RadioHealth::ServiceDown).await;
            assert!(broken.elapsed() < NOTICED, "noticed after {:?}", broken.elapsed());
            fake.crash_daemon();
        }
        ward.disconnect(device);
        ward.link(device, Link::Down).await;
    });
}

#[test]
fn a_device_whose_services_never_resolve_is_let_go_and_tried_again() {
    let name = "resilience::a_device_whose_services_never_resolve_is_let_go_and_tried_again";
    isolated(name, |mut bus| async move {
        bus.start();
        let fake = FakeBluez::start().await;
        let device = strap(&fake);
        fake.never_resolves(device, true);
        let timing = Timing { connect: Duration::from_secs(2), ..short() };
        let mut ward = Ward::with(fake.clone(), 4096, timing);
        ward.seen(device).await;
        ward.connect(device, DeviceKind::HeartRate);
        until("a first try", || fake.is_connected(device)).await;
        until("letting go", || !fake.is_connected(device)).await;
        until("a second try", || fake.connects(device) >= 2).await;
        fake.never_resolves(device, false);
        ward.link(device, Link::Live).await;
        assert_eq!(ward.links(device), [Link::Connecting, Link::Live]);
    });
}

#[test]
fn a_daemon_that_hangs_is_noticed() {
    isolated("resilience::a_daemon_that_hangs_is_noticed", |mut bus| async move {
        bus.start();
        let fake = FakeBluez::start().await;
        let ms = Duration::from_millis;
        let timing = Timing { question: ms(400), release: ms(800), ..short() };
        let (mut ward, device, beats) = live_strap(&fake, timing).await;
        drop(beats);
        // It hangs for as long as a dead link may look alive: noticed before it answers again.
        let broken = Instant::now();
        fake.hang(NOTICED);
        ward.link(device, Link::Lost).await;
        assert!(broken.elapsed() < NOTICED, "noticed after {:?}", broken.elapsed());
        ward.link(device, Link::Live).await;
        assert!(broken.elapsed() >= NOTICED, "it did hang");
        let beats = fake.stream(device, 0x2A37, Duration::from_millis(100), vec![BEAT.to_vec()]);
        assert_eq!(ward.frame(device, 0x2A37).await, BEAT);
        drop(beats);
    });
}

#[test]
fn a_link_left_behind_by_an_earlier_run_is_taken_over() {
    isolated(
        "resilience::a_link_left_behind_by_an_earlier_run_is_taken_over",
        |mut bus| async move {
            bus.start();
            let fake = FakeBluez::start().await;
            fake.power(true).await;
            let strap = DeviceSpec::heart_rate(1, "Strap");
            let device = strap.device;
            fake.left_connected(strap).await;
            let mut ward = Ward::start(fake.clone());
            ward.go_live(device, DeviceKind::HeartRate).await;
            assert!(fake.notify(device, 0x2A37, &BEAT).await);
            assert_eq!(ward.frame(device, 0x2A37).await, BEAT);
        },
    );
}

#[test]
fn a_scan_that_hears_nothing_is_started_again() {
    isolated("resilience::a_scan_that_hears_nothing_is_started_again", |mut bus| async move {
        bus.start();
        let fake = FakeBluez::start().await;
        let mut ward = Ward::start(fake.clone());
        ward.radio(RadioHealth::Ready).await;
        until("restarts", || fake.scans_started() >= 3).await;
        let device = strap(&fake);
        ward.seen(device).await;
        let health = ward.count(|event| matches!(event, Event::Radio(_)));
        assert_eq!(health, 1, "the radio was ready all the time");
    });
}

#[test]
fn a_scan_that_ended_without_a_word_is_started_again_for_whoever_is_waited_for() {
    let name =
        "resilience::a_scan_that_ended_without_a_word_is_started_again_for_whoever_is_waited_for";
    isolated(name, |mut bus| async move {
        bus.start();
        let fake = FakeBluez::start().await;
        let (mut ward, device, _beats) = live_strap(&fake, short()).await;
        fake.vanish(device).await;
        ward.link(device, Link::Lost).await;
        fake.remove_object(device).await;
        fake.stop_hearing();
        let scans = fake.scans_started();
        fake.advertising(device, true);
        ward.link(device, Link::Live).await;
        assert!(fake.scans_started() > scans);
        assert_eq!(ward.frame(device, 0x2A37).await, BEAT);
    });
}

#[test]
fn a_daemon_that_hears_and_tells_nothing_is_asked_over_another_connection() {
    let name = "resilience::a_daemon_that_hears_and_tells_nothing_is_asked_over_another_connection";
    isolated(name, |mut bus| async move {
        bus.start();
        let fake = FakeBluez::start().await;
        // Somebody else's, who is always near.
        fake.add_device(DeviceSpec::oximeter(2, "Clip"));
        // Scanning anew does not help, and is not tried before.
        let timing = Timing { scan_watchdog: Duration::from_secs(2), ..short() };
        let (mut ward, device, _beats) = live_strap(&fake, timing).await;
        fake.stop_telling();
        let broken = Instant::now();
        ward.link(device, Link::Lost).await;
        ward.link(device, Link::Live).await;
        assert!(broken.elapsed() < NOTICED, "{:?}", broken.elapsed());
        ward.log.clear();
        assert_eq!(ward.frame(device, 0x2A37).await, BEAT);
        assert_eq!(ward.count(|event| matches!(event, Event::Radio(_))), 0, "it was there");
    });
}

#[test]
fn after_a_suspend_every_link_is_made_again() {
    isolated("resilience::after_a_suspend_every_link_is_made_again", |mut bus| async move {
        bus.start();
        let fake = FakeBluez::start().await;
        // Neither silence nor a signal may help.
        let long = Duration::from_secs(60);
        let timing = Timing { silence: long, scan_watchdog: long, ..short() };
        let (mut ward, device, _beats) = live_strap(&fake, timing).await;
        // Its link outlived the suspend, as far as BlueZ knows.
        suspend(1_800);
        let woken = Instant::now();
        lost_and_back(&mut ward, device, woken).await;
        assert_eq!(fake.connects(device), 1);
        // It did not.
        fake.vanish(device).await;
        suspend(8 * 3_600);
        let woken = Instant::now();
        ward.link(device, Link::Lost).await;
        assert!(woken.elapsed() < NOTICED, "noticed after {:?}", woken.elapsed());
        fake.advertising(device, true);
        ward.link(device, Link::Live).await;
        assert_eq!(ward.frame(device, 0x2A37).await, BEAT);
        let told = ward.count(|event| matches!(event, Event::Radio(RadioHealth::ServiceDown)));
        assert_eq!(told, 0, "nothing is wrong with the radio");
    });
}
