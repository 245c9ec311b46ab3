//! What the Bluetooth driver costs, with 1, 8 and 20 devices over the pretended BlueZ on a private bus: how long a
//! notification takes from BlueZ's signal on D-Bus to the driver's event, and processor time.
//!
//! Each device notifies ten times a second, as a strap or an oximeter does at most, with the radio scanning and the
//! times of a cart. Processor time is that of the driver's own threads; the pretended daemon and the bus are
//! processes and threads of their own. Prints a table.

#![expect(clippy::print_stdout, reason = "a benchmark reports by printing")]

use std::collections::BTreeMap;
use std::fs;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::{Instant, interval, timeout};
use wardkeep_hardware::ble::Timing;
use wardkeep_model::ports::{Event, Link};
use wardkeep_model::vitals::{DeviceId, DeviceKind};

use kit::bluez::private_bus::isolated_program;
use kit::bluez::ward::Ward;
use kit::bluez::{DeviceSpec, FakeBluez};

const WARDS: [u8; 3] = [1, 8, 20];
/// Notifications of each device.
const ROUNDS: u16 = 300;
const EVERY: Duration = Duration::from_millis(100);
/// Linux counts a thread's time in these.
const TICKS_A_SECOND: f64 = 100.0;

fn main() {
    isolated_program(|mut bus| async move {
        bus.start();
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        println!("load average {}", load.trim());
        println!("| devices | p50 | p95 | p99 | longest | processor, ms a device and second |");
        println!("|---|---|---|---|---|---|");
        for devices in WARDS {
            measure(devices).await;
        }
    });
}

/// Seconds of processor time that the driver's threads have used.
fn driver_s() -> f64 {
    let mut ticks = 0.0;
    for thread in fs::read_dir("/proc/self/task").expect("Linux").flatten() {
        let Ok(stat) = fs::read_to_string(thread.path().join("stat")) else { continue };
        let Some((_, rest)) = stat.rsplit_once(')') else { continue };
        if !stat.contains("(ble)") {
            continue;
        }
        // utime and stime, proc(5).
        let fields = rest.split_whitespace().skip(11).take(2);
        ticks += fields.filter_map(|field| field.parse::<f64>().ok()).sum::<f64>();
    }
    ticks / TICKS_A_SECOND
}

type Sent = Arc<Mutex<BTreeMap<(DeviceId, u16), Instant>>>;

/// Lets each device notify its number of the round, each at a time of its own.
async fn send(fake: Arc<FakeBluez>, devices: Vec<DeviceId>, sent: Sent) {
    let count = u32::try_from(devices.len()).unwrap_or(1);
    let mut ticks = interval(EVERY / count);
    for round in 0..ROUNDS {
        let [low, high] = round.to_le_bytes();
        for device in &devices {
            ticks.tick().await;
            sent.lock().expect("not poisoned").insert((*device, round), Instant::now());
            assert!(fake.notify(*device, 0x2A37, &[0x01, low, high]).await, "subscribed");
        }
    }
}

async fn measure(devices: u8) {
    let fake = FakeBluez::start().await;
    let ids: Vec<DeviceId> = (1..=devices)
        .map(|last| {
            let strap = DeviceSpec::heart_rate(last, "Strap");
            let device = strap.device;
            fake.add_device(strap);
            device
        })
        .collect();
    let mut ward = Ward::with(fake.clone(), 4096, Timing::default());
    for device in &ids {
        ward.seen(*device).await;
        ward.connect(*device, DeviceKind::HeartRate);
    }
    let mut live = 0;
    while live < ids.len() {
        let is_live = |event: &Event| matches!(event, Event::Link(_, Link::Live));
        ward.expect("a link", is_live).await;
        live += 1;
    }
    ward.listen(Duration::from_secs(3)).await;
    ward.log.clear();

    let (used, started) = (driver_s(), Instant::now());
    let sent = Arc::new(Mutex::new(BTreeMap::new()));
    let sending = tokio::spawn(send(fake.clone(), ids.clone(), sent.clone()));
    let mut latencies = Vec::with_capacity(usize::from(ROUNDS) * ids.len());
    while latencies.len() < latencies.capacity() {
        let Ok((came, event)) = timeout(Duration::from_secs(20), ward.next()).await else {
            panic!("a notification did not come")
        };
        let Event::Frame { device, payload, .. } = event else { continue };
        let [_, low, high] = payload[..] else { continue };
        let key = (device, u16::from_le_bytes([low, high]));
        if let Some(sent) = sent.lock().expect("not poisoned").remove(&key) {
            latencies.push(came.duration_since(sent));
        }
    }
    sending.await.expect("no panic");
    let (used, took) = (driver_s() - used, started.elapsed().as_secs_f64());
    latencies.sort_unstable();
    let at = |percent: usize| latencies[(latencies.len() * percent / 100).min(latencies.len() - 1)];
    println!(
        "| {devices} | {:.2?} | {:.2?} | {:.2?} | {:.2?} | {:.2} |",
        at(50),
        at(95),
        at(99),
        at(100),
        used / took / f64::from(devices) * 1_000.0,
    );
    let (driver, task) = ward.stop_listening();
    drop(driver);
    task.await.expect("no panic");
    fake.stop_daemon().await;
}
