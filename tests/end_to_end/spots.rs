//! Devices that measure when asked, from the box to the store: a cuff is paired by comparing numbers, its reading is
//! filed by one touch, and a meter hands over fifty stored records with a cut in the middle.

use std::collections::BTreeSet;
use std::time::Duration;

use wardkeep_model::vitals::DeviceId;
use wardkeep_store::{Options, open_with_recovery};

use crate::story::{FULL_NAME, admit, enrol, first_start, unlock};
use kit::bluez::{DeviceSpec, Style};
use kit::house::{House, Kiosk, until};

const NUMBER: u32 = 482_917;
const RECORDS: u16 = 50;

pub fn tell(house: &mut House) {
    let state = house.scratch.path().join("spots");
    let mut kiosk = house.start_at(&state, false);
    let words = first_start(house, &mut kiosk);
    enrol(house, &mut kiosk);
    unlock(house, &mut kiosk);
    admit(&mut kiosk);
    let cuff = cuff(house, &mut kiosk);
    let meter = meter(house, &mut kiosk);
    kiosk.press("Lock");
    kiosk.sees("Tap your badge");
    kiosk.end();

    let options = Options::new(&state).on_any_disk();
    let mut vault = open_with_recovery(&options, &words)
        .expect("the store can be read")
        .expect("the words open it");
    let patient = vault.patients().expect("patients")[0].id;
    let filed = vault.filed_spots(patient).expect("filed readings");
    let digits = |index: usize| filed[0].reading.values.reveal()[index].value.to_string();
    assert_eq!((filed.len(), digits(0), digits(1)), (1, "118".into(), "76".into()));
    assert_eq!(filed[0].reading.device, cuff);
    let waiting = vault.waiting_spots().expect("waiting readings");
    let numbers: Vec<_> = waiting.iter().filter_map(|one| one.reading.sequence).collect();
    let distinct: BTreeSet<_> = numbers.iter().copied().collect();
    assert_eq!(numbers.len(), usize::from(RECORDS), "each is there");
    assert_eq!(distinct.len(), usize::from(RECORDS), "and once");
    assert!(waiting.iter().all(|one| one.reading.device == meter));
}

fn cuff(house: &House, kiosk: &mut Kiosk) -> DeviceId {
    let style = Style::Compare(NUMBER);
    let cuff = DeviceSpec { style, needs_bond: true, ..DeviceSpec::cuff(11, "Cuff 03") };
    let device = cuff.device;
    house.bluez.add_device(cuff);
    kiosk.press("Devices");
    kiosk.press("Pair Cuff 03");
    kiosk.sees("Number 482 917");
    kiosk.press("Yes, the same");
    kiosk.press("Done");
    kiosk.press("Bedside");
    let reading = [0x00, 118, 0, 76, 0, 90, 0];
    until("somebody listens to the cuff", || notify(house, device, 0x2A35, &reading));
    kiosk.press(&format!("Yes, file it for {FULL_NAME}"));
    kiosk.shows("Systolic", "118 mmHg");
    device
}

fn meter(house: &House, kiosk: &mut Kiosk) -> DeviceId {
    let meter = DeviceSpec::meter(12, "Meter 04");
    let device = meter.device;
    house.bluez.add_device(meter);
    kiosk.press("Devices");
    kiosk.press("Pair Meter 04");
    kiosk.press("Done");
    let asked = |times: usize| {
        let requests = house.bluez.written(device);
        requests.iter().filter(|(what, bytes)| *what == 0x2A52 && bytes[0] == 1).count() >= times
    };
    until("the meter is asked for its records", || asked(1));
    hand_over(house, device, 23);
    house.runtime.block_on(house.bluez.drop_link(device));
    until("it is asked again after the cut", || asked(2));
    hand_over(house, device, RECORDS);
    assert!(notify(house, device, 0x2A52, &[6, 0, 1, 1]));
    kiosk.sees("50 readings without an owner");
    device
}

/// The first records that the meter has stored.
fn hand_over(house: &House, device: DeviceId, count: u16) {
    for sequence in 1..=count {
        let [low, high] = sequence.to_le_bytes();
        let record = [0x06, low, high, 0xEA, 0x07, 6, 1, 8, 5, 0, 78, 0xC0, 0x12];
        assert!(notify(house, device, 0x2A18, &record), "record {sequence}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn notify(house: &House, device: DeviceId, number: u16, value: &[u8]) -> bool {
    house.runtime.block_on(house.bluez.notify(device, number, value))
}
