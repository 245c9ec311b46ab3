//! How long each fault of Bluetooth is: until it is noticed, and until the next value after the device can be reached
//! again, with the times of a cart, over the pretended BlueZ on a private bus. Prints a table.

#![expect(clippy::print_stdout, reason = "a benchmark reports by printing")]

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use wardkeep_hardware::ble::Timing;
use wardkeep_model::ports::{Command, Link, PairingStep, Want};
use wardkeep_model::vitals::{DeviceId, DeviceKind};

use kit::bluez::private_bus::{PrivateBus, isolated_program};
use kit::bluez::ward::{Ward, clock, strap, suspend, until};
use kit::bluez::{Bond, DeviceSpec, FakeBluez};

/// Times that each is tried; the longest counts.
const RUNS: usize = 3;

#[derive(Clone, Copy, Debug)]
enum Fault {
    Dropped,
    Vanished,
    Removed,
    SwitchedOff,
    Replugged,
    DaemonRestarted,
    BusRestarted,
    DaemonHangs,
    ScanEnded,
    NothingTold,
    Suspended,
    BondLost,
}

const FAULTS: [(Fault, &str); 12] = [
    (Fault::Dropped, "the link is cut"),
    (Fault::Vanished, "the link is cut and BlueZ does not say so"),
    (Fault::Removed, "BlueZ forgets the device"),
    (Fault::SwitchedOff, "the adapter is switched off by somebody"),
    (Fault::Replugged, "the adapter is pulled out and put back after 2 s"),
    (Fault::DaemonRestarted, "bluetoothd is restarted"),
    (Fault::BusRestarted, "the system bus and bluetoothd are restarted"),
    (Fault::DaemonHangs, "bluetoothd hangs for 5 s"),
    (Fault::ScanEnded, "the scan ended without a word, the device comes back"),
    (Fault::NothingTold, "bluetoothd tells nothing of what it hears"),
    (Fault::Suspended, "the machine was suspended for an hour"),
    (Fault::BondLost, "the bond is lost, and somebody pairs the device again"),
];

fn main() {
    isolated_program(|mut bus| async move {
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        println!("load average {}", load.trim());
        println!("| fault | noticed after | a value again, after the device can be reached |");
        println!("|---|---|---|");
        for (fault, name) in FAULTS {
            let mut longest = (Duration::ZERO, Duration::ZERO);
            for _ in 0..RUNS {
                bus.start();
                let (noticed, live) = measure(fault, &mut bus).await;
                longest = (longest.0.max(noticed), longest.1.max(live));
                bus.stop();
            }
            let (noticed, live) = (longest.0.as_secs_f64(), longest.1.as_secs_f64());
            println!("| {name} | {noticed:.1} s | {live:.1} s |");
        }
    });
}

/// How long it took to notice the fault, and to have a value again.
async fn measure(fault: Fault, bus: &mut PrivateBus) -> (Duration, Duration) {
    let fake = FakeBluez::start().await;
    let device = strap(&fake);
    // A neighbour's, which nobody wants.
    fake.add_device(DeviceSpec::oximeter(2, "Clip"));
    let is_bonded = matches!(fault, Fault::BondLost);
    if is_bonded {
        fake.set_bond(device, Bond::Kept);
    }
    let beat = || fake.stream(device, 0x2A37, Duration::from_millis(100), vec![vec![0x06, 72]]);
    let mut beats = Some(beat());
    let mut ward = Ward::with(fake.clone(), 65_536, Timing { clock, ..Timing::default() });
    ward.seen(device).await;
    ward.want(device, Want { is_bonded, releases: false, ..Want::of(DeviceKind::HeartRate) });
    ward.link(device, Link::Live).await;
    ward.frame(device, 0x2A37).await;
    // A daemon that hangs passes nothing on.
    beats.take_if(|_| matches!(fault, Fault::DaemonHangs));
    let broken = Instant::now();
    let reachable = break_it(fault, &fake, &mut ward, (device, bus)).await;
    let noticed = match reachable {
        // It was waited for.
        (_, Some(noticed)) => noticed,
        (_, None) => {
            ward.link(device, Link::Lost).await;
            broken.elapsed()
        }
    };
    let beats = beats.unwrap_or_else(beat);
    ward.link(device, Link::Live).await;
    ward.frame(device, 0x2A37).await;
    let live = reachable.0.elapsed();
    drop(beats);
    let (driver, task) = ward.stop_listening();
    drop(driver);
    task.await.expect("no panic");
    fake.stop_daemon().await;
    (noticed, live)
}

/// Since when the device can be reached again; and after what time it was noticed, if that was waited for.
async fn break_it(
    fault: Fault,
    fake: &Arc<FakeBluez>,
    ward: &mut Ward,
    (device, bus): (DeviceId, &mut PrivateBus),
) -> (Instant, Option<Duration>) {
    let broken = Instant::now();
    match fault {
        Fault::Dropped => fake.drop_link(device).await,
        Fault::Vanished => {
            fake.vanish(device).await;
            fake.advertising(device, true);
        }
        Fault::Removed => fake.remove_object(device).await,
        Fault::SwitchedOff => fake.power(false).await,
        Fault::Replugged => {
            fake.unplug_adapter().await;
            sleep(Duration::from_secs(2)).await;
            fake.plug_adapter().await;
            return (Instant::now(), None);
        }
        Fault::DaemonRestarted => {
            fake.stop_daemon().await;
            fake.start_daemon().await;
        }
        Fault::BusRestarted => {
            bus.stop();
            fake.crash_daemon();
            bus.start();
            fake.start_daemon().await;
        }
        Fault::DaemonHangs => {
            let hangs = Duration::from_secs(5);
            fake.hang(hangs);
            return (broken + hangs, None);
        }
        Fault::ScanEnded => {
            fake.vanish(device).await;
            ward.link(device, Link::Lost).await;
            let noticed = broken.elapsed();
            fake.remove_object(device).await;
            fake.stop_hearing();
            fake.advertising(device, true);
            return (Instant::now(), Some(noticed));
        }
        Fault::NothingTold => fake.stop_telling(),
        Fault::Suspended => {
            fake.vanish(device).await;
            fake.advertising(device, true);
            suspend(3_600);
        }
        Fault::BondLost => {
            fake.set_bond(device, Bond::None);
            fake.drop_link(device).await;
            while !matches!(ward.step(device).await, PairingStep::Failed(_)) {}
            let noticed = broken.elapsed();
            until("it to be let go", || !fake.is_connected(device)).await;
            ward.order(Command::Pair(device));
            return (Instant::now(), Some(noticed));
        }
    }
    (Instant::now(), None)
}
