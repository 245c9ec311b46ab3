//! What a device offers that nobody has a decoder for, as it is handed on.

use std::time::Duration;

use wardkeep_hardware::ble::{ReportFault, ReportOrder, report};
use wardkeep_model::vitals::DeviceId;

use kit::bluez::private_bus::{PrivateBus, isolated};
use kit::bluez::{DeviceSpec, FakeBluez};

const BEAT: [u8; 2] = [0x00, 72];

fn order(device: DeviceId, with_frames: bool) -> ReportOrder {
    ReportOrder { device, listens: Duration::from_millis(1_200), with_frames }
}

#[test]
fn s10_a_report_has_the_table_and_how_it_speaks_and_nothing_that_says_whose_it_is() {
    let name =
        "report::s10_a_report_has_the_table_and_how_it_speaks_and_nothing_that_says_whose_it_is";
    isolated(name, |mut bus: PrivateBus| async move {
        bus.start();
        let fake = FakeBluez::start().await;
        fake.power(true).await;
        let cuff = DeviceSpec::cuff(7, "Cuff of Margaret");
        let device = cuff.device;
        fake.remember_device(cuff).await;
        fake.advertising(device, true);
        let beating = fake.stream(device, 0x2A35, Duration::from_millis(100), vec![BEAT.to_vec()]);
        let told = report(order(device, false)).await.expect("a report");
        drop(beating);
        let all = || told.services.iter().flat_map(|service| &service.characteristics);
        let pressure = all().find(|one| one.uuid.to_string().starts_with("00002a35"));
        let pressure = pressure.expect("its measurement");
        assert!(pressure.flags.iter().any(|flag| flag == "indicate" || flag == "notify"));
        let spoken = pressure.spoken.as_ref().expect("it notifies");
        assert!(spoken.frames >= 3, "{spoken:?}");
        assert_eq!(spoken.lengths.keys().copied().collect::<Vec<_>>(), [2]);
        assert!(spoken.over >= Duration::from_millis(100) && spoken.kept.is_empty());
        assert!(told.about.iter().any(|(name, text)| *name == "model" && !text.is_empty()));
        let said = format!("{told:?}");
        for secret in ["Margaret", &device.to_string(), &device.to_string().replace(':', "_")] {
            assert!(!said.contains(secret), "{secret}: {said}");
        }
        assert!(!fake.is_connected(device), "it is let go again");
        let beating = fake.stream(device, 0x2A35, Duration::from_millis(100), vec![BEAT.to_vec()]);
        let told = report(order(device, true)).await.expect("a report");
        drop(beating);
        let all = told.services.iter().flat_map(|service| &service.characteristics);
        let kept: Vec<_> =
            all.filter_map(|one| one.spoken.as_ref()).flat_map(|one| &one.kept).collect();
        assert!(kept.iter().any(|frame| **frame == BEAT), "they were asked for");
    });
}

#[test]
fn without_a_report_it_says_why() {
    isolated("report::without_a_report_it_says_why", |mut bus: PrivateBus| async move {
        bus.start();
        let nobody = DeviceId([9; 6]);
        let none = report(order(nobody, false)).await;
        assert!(matches!(none, Err(ReportFault::NoBluetooth(_))), "{none:?}");
        let fake = FakeBluez::start().await;
        let none = report(order(nobody, false)).await;
        assert!(matches!(none, Err(ReportFault::NotHeard)), "{none:?}");
        drop(fake);
    });
}
