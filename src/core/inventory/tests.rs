//! Entries over links, frames, labels and time.

use super::*;

use jiff::civil::date;
use wardkeep_model::vitals::Characteristic;
use wardkeep_model::vitals::gatt;

const CUFF: DeviceId = DeviceId([0xC0, 0, 0, 0, 0, 1]);
const STRAP: DeviceId = DeviceId([0xC0, 0, 0, 0, 0, 2]);

fn at(seconds: u64) -> Moment {
    let begin: Timestamp = "2026-11-30T10:00:00Z".parse().expect("a time");
    let since = Duration::from_secs(seconds);
    Moment { boot: BootTime(Duration::from_secs(1_000) + since), wall: begin + since }
}

fn with(id: DeviceId, kind: DeviceKind) -> Inventory {
    let mut inventory = Inventory::default();
    inventory.link(at(0), (id, kind, "Device"), Link::Live);
    inventory
}

fn send(inventory: &mut Inventory, now: Moment, id: DeviceId, number: u16, payload: &[u8]) {
    let what = Characteristic(number);
    let read = gatt::decode(what, payload);
    let frame = (id, Format::Profile(what), payload);
    inventory.frame(now, frame, &read, &TimeZone::UTC);
}

#[test]
fn what_a_device_says_is_kept_counted_and_written_down_soon() {
    let mut inventory = with(CUFF, DeviceKind::Cuff);
    assert!(inventory.take_due(at(20).boot) && !inventory.take_due(at(21).boot));
    send(&mut inventory, at(30), CUFF, 0x2A25, b"0417");
    send(&mut inventory, at(31), CUFF, 0x2A19, &[41]);
    assert!(!inventory.take_due(at(49).boot));
    assert_eq!(inventory.next_deadline(), Some(at(50).boot));
    assert!(inventory.take_due(at(50).boot));
    send(&mut inventory, at(60), CUFF, 0x2A19, &[41]);
    assert_eq!(inventory.next_deadline(), None, "no news");
    send(&mut inventory, at(61), CUFF, 0x2A35, &[0]);
    send(&mut inventory, at(62), CUFF, 0x2A35, &[0, 0xFF, 7, 0xFF, 7, 0xFF, 7]);
    send(&mut inventory, at(63), CUFF, 0x1234, &[0]);
    send(&mut inventory, at(64), STRAP, 0x2A19, &[90]);
    let entry = inventory.get(CUFF).expect("an entry");
    assert_eq!(entry.identity.serial, "0417");
    assert_eq!(
        entry.battery.last().map(|one| (one.day, one.percent)),
        Some((date(2026, 11, 30), 41))
    );
    let counts = entry.counts;
    assert_eq!((counts.frames, counts.unreadable, counts.failed), (5, 1, 1));
    assert!(inventory.get(STRAP).is_none(), "it was never linked");
    assert_eq!(Inventory::resume(&inventory.known()).known(), inventory.known());
}

#[test]
fn a_link_that_is_cut_counts_when_it_is_back() {
    let mut inventory = with(STRAP, DeviceKind::HeartRate);
    let strap = (STRAP, DeviceKind::HeartRate, "");
    for (seconds, link) in [
        (10, Link::Lost),
        (12, Link::Connecting),
        (15, Link::Lost),
        (24, Link::Live),
        (30, Link::Live),
    ] {
        inventory.link(at(seconds), strap, link);
    }
    let counts = inventory.get(STRAP).expect("an entry").counts;
    assert_eq!((counts.cuts, counts.longest_cut_s), (1, 14));
    // A cuff lets its link go after each measurement.
    let mut inventory = with(CUFF, DeviceKind::Cuff);
    inventory.link(at(1), (CUFF, DeviceKind::Cuff, ""), Link::Lost);
    inventory.link(at(9), (CUFF, DeviceKind::Cuff, ""), Link::Live);
    assert_eq!(inventory.get(CUFF).expect("an entry").counts.cuts, 0);
}

#[test]
fn s6_a_label_is_one_devices_and_finds_it_however_it_is_written() {
    let mut inventory = with(CUFF, DeviceKind::Cuff);
    inventory.link(at(0), (STRAP, DeviceKind::HeartRate, "Strap"), Link::Live);
    let due = Some(date(2027, 9, 1));
    assert_eq!(inventory.describe(CUFF, "  Cuff  03 ", due), Ok(()));
    assert_eq!(inventory.describe(STRAP, "cuff 03", None), Err(LabelFault::Taken));
    assert_eq!(inventory.describe(STRAP, "Cuff\u{202E}03", None), Err(LabelFault::NoLabel));
    assert_eq!(inventory.describe(STRAP, &"x".repeat(41), None), Err(LabelFault::NoLabel));
    assert_eq!(inventory.describe(CUFF, "Cuff 03", due), Ok(()), "its own");
    send(&mut inventory, at(1), STRAP, 0x2A25, b"C2A1");
    for (scanned, found) in
        [("CUFF 03", Some(CUFF)), ("c2a1", Some(STRAP)), ("", None), (" ", None), ("Cuff", None)]
    {
        assert_eq!(inventory.find(scanned), found, "{scanned:?}");
    }
    send(&mut inventory, at(1), CUFF, 0x2A25, b"C2A1");
    assert_eq!(inventory.find("c2a1"), None, "two have it");
    inventory.forget(CUFF);
    assert!(inventory.get(CUFF).is_none() && inventory.find("cuff 03").is_none());
}

#[test]
fn s11_the_inventory_is_bounded_and_what_has_a_label_stays() {
    let mut inventory = with(CUFF, DeviceKind::Cuff);
    assert_eq!(inventory.describe(CUFF, "Cuff 03", None), Ok(()));
    for number in 0..200_u8 {
        let id = DeviceId([0xD0, 0, 0, 0, 0, number]);
        inventory.link(at(u64::from(number) + 1), (id, DeviceKind::HeartRate, ""), Link::Live);
    }
    assert_eq!(inventory.known().len(), INVENTORY_MAX);
    assert_eq!(inventory.label(CUFF), Some("Cuff 03"));
    assert!(inventory.get(DeviceId([0xD0, 0, 0, 0, 0, 199])).is_some());
}
