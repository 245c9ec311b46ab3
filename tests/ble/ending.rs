//! The Bluetooth driver's bounds and its end: full queues, released links, nothing left behind.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;
use wardkeep_hardware::ble::{self, Full};
use wardkeep_model::ports::{Command, Event, Link, RadioHealth, Want};
use wardkeep_model::vitals::{DeviceId, DeviceKind};
use zbus::Connection;

use kit::bluez::FakeBluez;
use kit::bluez::private_bus::{PrivateBus, isolated};
use kit::bluez::ward::{PATIENCE, Ward, is_frame, short, strap, until};

const BEAT: [u8; 2] = [0x06, 72];

#[test]
fn a_released_device_is_let_go_for_good() {
    isolated("ending::a_released_device_is_let_go_for_good", |mut bus: PrivateBus| async move {
        bus.start();
        let fake = FakeBluez::start().await;
        fake.disconnect_takes(Duration::from_millis(200));
        let device = strap(&fake);
        let mut ward = Ward::start(fake.clone());
        ward.seen(device).await;
        ward.go_live(device, DeviceKind::HeartRate).await;
        ward.disconnect(device);
        ward.link(device, Link::Down).await;
        assert!(!fake.is_connected(device), "down means that BlueZ has let it go");
        // It advertises again and is seen, but nobody wants it.
        ward.seen(device).await;
        ward.listen(Duration::from_millis(600)).await;
        assert_eq!(fake.connects(device), 1);
        assert_eq!(ward.links(device), [Link::Connecting, Link::Live, Link::Down]);

        ward.connect(device, DeviceKind::HeartRate);
        ward.link(device, Link::Live).await;
        ward.disconnect(device);
        ward.connect(device, DeviceKind::HeartRate);
        ward.link(device, Link::Down).await;
        ward.link(device, Link::Live).await;
    });
}

#[test]
fn a_connection_that_is_still_being_made_is_cancelled() {
    isolated("ending::a_connection_that_is_still_being_made_is_cancelled", |mut bus| async move {
        bus.start();
        let fake = FakeBluez::start().await;
        let device = strap(&fake);
        fake.never_resolves(device, true);
        let mut ward = Ward::start(fake.clone());
        ward.seen(device).await;
        ward.connect(device, DeviceKind::HeartRate);
        until("the connection", || fake.is_connected(device)).await;
        ward.disconnect(device);
        ward.link(device, Link::Down).await;
        assert!(!fake.is_connected(device));
    });
}

#[test]
fn s11_a_full_queue_is_reported_and_link_states_survive_it() {
    isolated(
        "ending::s11_a_full_queue_is_reported_and_link_states_survive_it",
        |mut bus| async move {
            bus.start();
            let fake = FakeBluez::start().await;
            let device = strap(&fake);
            let mut ward = Ward::with_queue(fake.clone(), 4);
            ward.seen(device).await;
            ward.go_live(device, DeviceKind::HeartRate).await;
            ward.frame(device, 0x2A19).await;
            ward.log.clear();
            // Nobody listens to the first frames. Each arrives or is counted, and sooner or later one finds
            // no room.
            let (mut sent, mut received, mut counted) = (0, 0, 0);
            while counted == 0 {
                for _ in 0..40 {
                    assert!(fake.notify(device, 0x2A37, &BEAT).await);
                }
                sent += 40;
                assert!(sent <= 4_000, "a queue of four is never full");
                tokio::time::sleep(Duration::from_millis(200)).await;
                while received + counted < sent {
                    let told =
                        |event: &Event| is_frame(event, device, 0x2A37) || lost(event).is_some();
                    ward.expect("frames or their number", told).await;
                    received = ward.count(|event| is_frame(event, device, 0x2A37)) as u64;
                    counted = ward.log.iter().filter_map(lost).sum();
                }
            }
            assert!(received > 0, "what finds room arrives");

            // It does not listen either while the link breaks and comes back.
            for _ in 0..10 {
                assert!(fake.notify(device, 0x2A37, &BEAT).await);
            }
            until("a full queue", || ward.is_full()).await;
            fake.drop_link(device).await;
            until("the next link", || fake.connects(device) >= 2 && fake.is_subscribed(device))
                .await;
            ward.log.clear();
            ward.link(device, Link::Live).await;
            ward.listen(Duration::from_millis(300)).await;
            assert_eq!(ward.links(device).last(), Some(&Link::Live), "{:#?}", ward.log);
        },
    );
}

fn lost(event: &Event) -> Option<u64> {
    let Event::Overrun { source: "bluetooth", lost } = event else { return None };
    Some(*lost)
}

#[test]
fn s11_commands_and_links_are_bounded() {
    isolated("ending::s11_commands_and_links_are_bounded", |bus| async move {
        drop(bus);
        // A runtime that never runs: nobody takes commands.
        let idle = Builder::new_current_thread().build().expect("a runtime");
        let (sender, _events) = mpsc::channel(4);
        let (driver, task) = ble::spawn(idle.handle(), sender, short(), None);
        let order = Command::Disconnect(DeviceId([0; 6]));
        let refused = (0..1000).filter(|_| driver.try_send(order.clone()) == Err(Full)).count();
        assert_eq!(refused, 1000 - 64);
        drop((driver, task));
        idle.shutdown_background();

        let fake_events = mpsc::channel(4096);
        let (driver, _task) =
            ble::spawn(&tokio::runtime::Handle::current(), fake_events.0, short(), None);
        let mut events = fake_events.1;
        for last in 0..40 {
            let device = DeviceId([0, 0, 0, 0, 0, last]);
            assert_eq!(
                driver.try_send(Command::Connect(device, Want::of(DeviceKind::HeartRate))),
                Ok(())
            );
        }
        let mut links = Vec::new();
        while links.len() < 40 {
            let event = tokio::time::timeout(PATIENCE, events.recv()).await;
            if let Ok(Some(Event::Link(_, link))) = event {
                links.push(link);
            } else {
                assert!(matches!(event, Ok(Some(_))), "{links:?}");
            }
        }
        assert_eq!(links.iter().filter(|link| **link == Link::Connecting).count(), 32);
        assert_eq!(links.iter().filter(|link| **link == Link::Down).count(), 8);
    });
}

/// A driver on a runtime of its own, with one live link.
async fn driver_apart(fake: &Arc<FakeBluez>) -> (Runtime, Ward, DeviceId) {
    let device = strap(fake);
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let mut ward = {
        let _inside = runtime.enter();
        Ward::start(fake.clone())
    };
    ward.radio(RadioHealth::Ready).await;
    ward.go_live(device, DeviceKind::HeartRate).await;
    assert!(driver_threads() > 0);
    (runtime, ward, device)
}

/// Threads of this process that belong to the driver.
fn driver_threads() -> usize {
    let threads = std::fs::read_dir("/proc/self/task").expect("Linux");
    let names =
        threads.filter_map(|thread| std::fs::read_to_string(thread.ok()?.path().join("comm")).ok());
    names.filter(|name| name.trim() == "ble").count()
}

/// Connections to the private bus.
async fn bus_clients(bus: &Connection) -> usize {
    let bus_name = "org.freedesktop.DBus";
    let reply = bus.call_method(Some(bus_name), "/", Some(bus_name), "ListNames", &()).await;
    let body = reply.expect("the bus answers").body().deserialize::<Vec<String>>();
    body.expect("names").iter().filter(|name| name.starts_with(':')).count()
}

async fn nothing_is_left(runtime: Runtime, bus: &Connection, clients: usize) {
    until("the driver's tasks to end", || runtime.metrics().num_alive_tasks() == 0).await;
    until("the driver's thread to end", || driver_threads() == 0).await;
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while bus_clients(bus).await > clients {
        assert!(tokio::time::Instant::now() < deadline, "connections to the bus are left");
    }
    runtime.shutdown_background();
}

#[test]
fn dropping_the_handle_disconnects_and_ends_everything() {
    isolated("ending::dropping_the_handle_disconnects_and_ends_everything", |mut bus| async move {
        bus.start();
        let fake = FakeBluez::start().await;
        let client = Connection::system().await.expect("the private bus");
        let clients = bus_clients(&client).await;
        let (runtime, mut ward, device) = driver_apart(&fake).await;
        assert!(bus_clients(&client).await > clients);
        let (unused, _) = mpsc::channel(1);
        let (other, _) = ble::spawn(runtime.handle(), unused, short(), None);
        drop(other);
        drop(std::mem::replace(&mut ward.driver, idle_handle()));
        ward.link(device, Link::Down).await;
        assert!(!fake.is_connected(device));
        tokio::time::timeout(PATIENCE, &mut ward.task).await.expect("in time").expect("no panic");
        nothing_is_left(runtime, &client, clients).await;
    });
}

/// The handle of a driver that never ran.
fn idle_handle() -> ble::BleHandle {
    let idle = Builder::new_current_thread().build().expect("a runtime");
    let (handle, _) = ble::spawn(idle.handle(), mpsc::channel(1).0, short(), None);
    idle.shutdown_background();
    handle
}

#[test]
fn a_core_that_is_gone_ends_the_driver() {
    isolated("ending::a_core_that_is_gone_ends_the_driver", |mut bus| async move {
        bus.start();
        let fake = FakeBluez::start().await;
        let client = Connection::system().await.expect("the private bus");
        let clients = bus_clients(&client).await;
        let (runtime, ward, device) = driver_apart(&fake).await;
        let (driver, task) = ward.stop_listening();
        tokio::time::timeout(PATIENCE, task).await.expect("in time").expect("no panic");
        assert!(!fake.is_connected(device));
        assert_eq!(driver.try_send(Command::Disconnect(device)), Err(Full));
        nothing_is_left(runtime, &client, clients).await;
    });
}

#[test]
fn a_driver_that_is_aborted_leaves_no_thread() {
    isolated("ending::a_driver_that_is_aborted_leaves_no_thread", |mut bus| async move {
        bus.start();
        let fake = FakeBluez::start().await;
        let client = Connection::system().await.expect("the private bus");
        let clients = bus_clients(&client).await;
        let (runtime, ward, _) = driver_apart(&fake).await;
        ward.task.abort();
        nothing_is_left(runtime, &client, clients).await;
    });
}
