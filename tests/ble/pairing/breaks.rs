//! Pairing when something else breaks: the controller, the daemon, the way to the core.

use std::io::Write;
use std::sync::Mutex;

use tokio::time::Instant;
use wardkeep_model::ports::{Command, Event, PairingFault, PairingStep, Want};
use wardkeep_model::vitals::{DeviceId, DeviceKind};

use kit::bluez::private_bus::isolated;
use kit::bluez::ward::{Ward, until};
use kit::bluez::{Bond, FakeBluez, Refuses, Style};

use super::{NUMBER, can_be_paired, clip, failed, open, passkey, ward_with};

#[test]
fn without_a_controller_it_is_said_at_once() {
    isolated("pairing::breaks::without_a_controller_it_is_said_at_once", |mut bus| async move {
        bus.start();
        let fake = FakeBluez::without_adapter().await;
        let device = DeviceId([0xAA, 0xBB, 0xCC, 0, 0, 1]);
        let mut ward = Ward::start(fake.clone());
        for _ in 0..2 {
            open(&mut ward, device).await;
            assert_eq!(ward.step(device).await, failed(PairingFault::NoAdapter));
            ward.order(Command::Forget(device));
            assert_eq!(ward.step(device).await, failed(PairingFault::NoAdapter));
            fake.stop_daemon().await;
        }
    });
}

#[test]
fn a_controller_that_is_pulled_out_ends_the_pairing() {
    isolated(
        "pairing::breaks::a_controller_that_is_pulled_out_ends_the_pairing",
        |mut bus| async move {
            bus.start();
            let (fake, mut ward, device) = ward_with(Style::Compare(NUMBER)).await;
            open(&mut ward, device).await;
            assert_eq!(ward.step(device).await, PairingStep::CompareNumber(passkey(NUMBER)));
            let broken = Instant::now();
            fake.unplug_adapter().await;
            assert_eq!(ward.step(device).await, failed(PairingFault::NoAdapter));
            told("adapter unplugged while pairing, told after", broken);
            fake.plug_adapter().await;
            ward.seen(device).await;
            can_be_paired(&mut ward, &fake, device).await;
            told("paired again after", broken);
        },
    );
}

#[test]
fn a_daemon_that_is_restarted_ends_the_pairing_and_finds_the_agent_again() {
    let name =
        "pairing::breaks::a_daemon_that_is_restarted_ends_the_pairing_and_finds_the_agent_again";
    isolated(name, |mut bus| async move {
        bus.start();
        let (fake, mut ward, device) = ward_with(Style::Compare(NUMBER)).await;
        for _ in 0..2 {
            open(&mut ward, device).await;
            assert_eq!(ward.step(device).await, PairingStep::CompareNumber(passkey(NUMBER)));
            let broken = Instant::now();
            fake.stop_daemon().await;
            assert_eq!(ward.step(device).await, failed(PairingFault::NoAdapter));
            told("daemon ended while pairing, told after", broken);
            fake.start_daemon().await;
            until("the agent", || fake.agent().is_some()).await;
            told("agent registered again after", broken);
            ward.seen(device).await;
        }
        can_be_paired(&mut ward, &fake, device).await;
    });
}

#[test]
fn s11_the_end_of_a_pairing_is_told_although_the_queue_was_full() {
    let name = "pairing::breaks::s11_the_end_of_a_pairing_is_told_although_the_queue_was_full";
    isolated(name, |mut bus| async move {
        bus.start();
        let fake = FakeBluez::start().await;
        let device = clip(&fake, Style::JustWorks);
        let mut ward = Ward::with_queue(fake.clone(), 2);
        ward.seen(device).await;
        ward.order(Command::Pair(device));
        until("a bond", || fake.bond(device) == Bond::Kept).await;
        until("a full queue", || ward.is_full()).await;
        let bonded = |event: &Event| matches!(event, Event::Pairing(_, PairingStep::Bonded(_)));
        ward.expect("the bond", bonded).await;
    });
}

/// What was logged.
static LOGGED: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Adds to what was logged.
struct Log;

impl Write for Log {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        LOGGED.lock().expect("not poisoned").extend(line);
        Ok(line.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn s10_no_passkey_is_logged_and_every_refusal_is_by_its_name() {
    let name = "pairing::breaks::s10_no_passkey_is_logged_and_every_refusal_is_by_its_name";
    isolated(name, |mut bus| async move {
        let everything = tracing::Level::TRACE;
        tracing_subscriber::fmt().with_max_level(everything).with_writer(|| Log).init();
        bus.start();
        for style in [Style::Compare(NUMBER), Style::TypeHere(NUMBER)] {
            let (fake, mut ward, device) = ward_with(style).await;
            can_be_paired(&mut ward, &fake, device).await;
            let outside = fake.ask_agent("RequestConfirmation", (fake.path(device), NUMBER));
            assert!(outside.await.is_err());
            let (driver, task) = ward.stop_listening();
            drop(driver);
            task.await.expect("no panic");
            fake.stop_daemon().await;
        }
        let (fake, mut ward, device) = ward_with(Style::TypeThere(NUMBER, false)).await;
        open(&mut ward, device).await;
        while ward.step(device).await != failed(PairingFault::WrongPasskey) {}
        fake.refuses_pairing(device, Some(Refuses::AtOnce));
        open(&mut ward, device).await;
        assert_eq!(ward.step(device).await, failed(PairingFault::BondedElsewhere));
        // And a link that cannot be made.
        fake.refuses_pairing(device, None);
        fake.limit_slots(0, "le-connection-concurrent-connection-limit");
        ward.want(device, Want::of(DeviceKind::PulseOximeter));
        let no_room = |event: &Event| matches!(event, Event::NoRoom(of, true) if *of == device);
        ward.expect("no room", no_room).await;
        let logged = String::from_utf8(LOGGED.lock().expect("not poisoned").clone());
        let logged = logged.expect("text");
        assert!(!logged.contains(&NUMBER.to_string()), "{logged}");
        for told in [
            "org.bluez.Error.AuthenticationFailed",
            "org.bluez.Error.AuthenticationRejected",
            "org.bluez.Error.Failed",
            "le-connection-concurrent-connection-limit",
            "a pairing window is open",
            "outside a pairing window",
        ] {
            assert!(logged.contains(told), "{told}: {logged}");
        }
    });
}

/// How long something took, in the test's output.
#[expect(clippy::print_stdout, reason = "the harness shows it if it is asked to")]
fn told(what: &str, since: Instant) {
    println!("{what} {:?}", since.elapsed());
}
