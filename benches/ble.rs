//! How long a notification takes from BlueZ's signal on D-Bus to the driver's event.
//!
//! Prints the median and the 95th percentile of 200 notifications, sent 10 ms apart over a live link
//! with the radio scanning, as at the bedside.

#![expect(clippy::print_stdout, reason = "a benchmark reports by printing")]

use std::time::Duration;

use tokio::time::{Instant, sleep};
use wardkeep_hardware::ble::Timing;
use wardkeep_model::vitals::DeviceKind;

use kit::bluez::private_bus::isolated_program;
use kit::bluez::ward::{Ward, strap};
use kit::bluez::{DeviceSpec, FakeBluez};

const NOTIFICATIONS: usize = 200;

fn main() {
    isolated_program(|mut bus| async move {
        bus.start();
        let fake = FakeBluez::start().await;
        let device = strap(&fake);
        // Four more in the room keep the driver as busy as a ward does.
        for last in 2..6 {
            fake.add_device(DeviceSpec::oximeter(last, "Clip"));
        }
        let mut ward = Ward::with(fake.clone(), 4096, Timing::default());
        ward.seen(device).await;
        ward.go_live(device, DeviceKind::HeartRate).await;
        ward.frame(device, 0x2A19).await;
        let mut latencies = Vec::with_capacity(NOTIFICATIONS);
        for number in 0..NOTIFICATIONS {
            let value = u8::try_from(number % 200).unwrap_or(0);
            let sent = Instant::now();
            assert!(fake.notify(device, 0x2A37, &[0x06, value]).await, "subscribed");
            assert_eq!(ward.frame(device, 0x2A37).await, [0x06, value]);
            latencies.push(sent.elapsed());
            sleep(Duration::from_millis(10)).await;
        }
        latencies.sort_unstable();
        println!(
            "notification on D-Bus to event: median {:?}, 95th percentile {:?}, longest {:?} of {NOTIFICATIONS}",
            latencies[NOTIFICATIONS / 2],
            latencies[NOTIFICATIONS * 95 / 100],
            latencies[NOTIFICATIONS - 1],
        );
    });
}
