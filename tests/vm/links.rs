//! Links: what a device sends arrives, and a link that breaks comes back.

use kit::bluez::ward::{Ward, is_frame};
use wardkeep_model::ports::{Event, Link};
use wardkeep_model::vitals::{DeviceId, DeviceKind};

use crate::bench::Bench;
use crate::devices::STRAP;

/// Heart Rate Measurement.
const BEAT: u16 = 0x2A37;

/// A device is seen by its name and kind; what it sends arrives byte for byte and in order; given up, it is let
/// go and seen again.
pub async fn frames_arrive_as_they_were_sent(bench: &Bench) {
    let mut ward = bench.ward();
    ward.seen(STRAP).await;
    let Some(Event::Seen { name, kind, .. }) = ward.log.back() else { panic!("seen") };
    assert_eq!((name.as_str(), *kind), ("Strap", DeviceKind::HeartRate));
    ward.go_live(STRAP, DeviceKind::HeartRate).await;
    for beat in 61..=70 {
        assert!(bench.send(STRAP, BEAT, &[0, beat]));
    }
    for beat in 61..=70 {
        assert_eq!(ward.frame(STRAP, BEAT).await, [0, beat]);
    }
    assert_eq!(value(&mut ward, STRAP, 0x2A19).await, [87], "the battery was read");
    assert_eq!(value(&mut ward, STRAP, 0x2A24).await, b"HR-1", "and the model");
    ward.disconnect(STRAP);
    ward.link(STRAP, Link::Down).await;
    bench.until("it to be let go", async || !bench.toy(STRAP).connected).await;
    ward.seen(STRAP).await;
    assert_eq!(bench.toy(STRAP).connections, 1);
    ward.end().await;
}

/// A link that the device ends is told as lost and made again.
pub async fn a_link_that_breaks_comes_back(bench: &Bench) {
    let before = bench.toy(STRAP).connections;
    let mut ward = bench.ward();
    ward.seen(STRAP).await;
    ward.go_live(STRAP, DeviceKind::HeartRate).await;
    for beat in 80..82 {
        bench.hang_up(STRAP);
        ward.link(STRAP, Link::Lost).await;
        ward.link(STRAP, Link::Live).await;
        assert!(bench.send(STRAP, BEAT, &[0, beat]));
        assert_eq!(ward.frame(STRAP, BEAT).await, [0, beat]);
    }
    assert_eq!(bench.toy(STRAP).connections, before + 3);
    ward.end().await;
}

/// A value that was read, or will be.
async fn value(ward: &mut Ward, device: DeviceId, number: u16) -> Vec<u8> {
    let read = ward.log.iter().find(|event| is_frame(event, device, number));
    match read {
        Some(Event::Frame { payload, .. }) => payload.clone(),
        Some(_) | None => ward.frame(device, number).await,
    }
}
