//! What a device says of a reading beside its values, and the second frame that completes one.

use wardkeep_core::kiosk::frame;
use wardkeep_core::kiosk::page::Page;
use wardkeep_core::kiosk::view::readings::SpotRemark;
use wardkeep_model::ports::{self, Link};
use wardkeep_model::vitals::spot::Meal;
use wardkeep_model::vitals::{DeviceId, DeviceKind};

use super::{
    CUFF, METER, SECOND, asked, clock, confirm, glucose, link, pressure, send, tray, with,
};
use kit::kiosk::Bedside;

/// What a meter, a cuff and a scale say beside their values, and the second frames that complete them.
#[test]
fn what_the_device_says_of_a_reading_stands_beside_it_and_is_kept_with_it() {
    use SpotRemark::{CuffLoose, IrregularPulse, Moved, User};
    let mut bedside = with(CUFF, DeviceKind::Cuff);
    // With a status and user 2: the patient moved, the cuff was loose, the pulse irregular.
    let mut doubtful = pressure(164, 102, 123);
    doubtful[0] = 0x18;
    doubtful.extend([2, 0x07, 0x00]);
    send(&mut bedside, CUFF, 0x2A35, doubtful);
    let remarks = confirm(&mut bedside).remarks;
    assert_eq!(remarks, [IrregularPulse, Moved, CuffLoose, User(2)]);
    bedside.wait(2 * SECOND);
    send(&mut bedside, CUFF, 0x2A35, pressure(118, 76, 90));
    assert_eq!(confirm(&mut bedside).remarks, []);

    link(&mut bedside, METER, DeviceKind::GlucoseMeter);
    send(&mut bedside, METER, 0x2A2B, clock(14, 32));
    let with_context = |sequence| {
        let mut measured = glucose(sequence, 78, 14);
        measured[0] |= 0x10;
        measured
    };
    let fasting = |sequence: u8| vec![0x02, sequence, 0, 3];
    send(&mut bedside, METER, 0x2A18, with_context(1));
    let kept = |bedside: &Bedside| {
        let ours = bedside.store.spots.iter().filter(|one| one.reading.device == METER);
        ours.map(|one| one.reading.clone()).collect::<Vec<_>>()
    };
    assert!(kept(&bedside).is_empty(), "its context comes next");
    send(&mut bedside, METER, 0x2A34, fasting(1));
    let [reading] = &kept(&bedside)[..] else { panic!("one reading") };
    let second = reading.second.as_ref().map(|second| second.reveal().payload.clone());
    assert_eq!(second, Some(fasting(1)), "as it came");
    assert_eq!(reading.context.reveal().meal, Some(Meal::Fasting));
    let row = tray(&mut bedside).rows.into_iter().find(|row| row.kind == DeviceKind::GlucoseMeter);
    assert_eq!(row.expect("it waits").remarks, [SpotRemark::Meal(Meal::Fasting)]);
    // What does not come is not waited for, nor what the device says it has sent.
    send(&mut bedside, METER, 0x2A18, with_context(2));
    let received = bedside.now().wall;
    bedside.wait(3 * SECOND);
    assert_eq!(kept(&bedside).len(), 2);
    assert_eq!(kept(&bedside)[1].times.received, received, "when it came, not when it was kept");
    send(&mut bedside, METER, 0x2A18, with_context(3));
    send(&mut bedside, METER, 0x2A52, vec![6, 0, 1, 1]);
    assert_eq!(kept(&bedside).len(), 3);
    // The meter is gone in between.
    send(&mut bedside, METER, 0x2A18, with_context(4));
    bedside.hardware(ports::Event::Link(METER, Link::Lost));
    bedside.wait(3 * SECOND);
    assert_eq!(kept(&bedside).len(), 4);
    assert!(kept(&bedside)[1..].iter().all(|one| one.second.is_none()));
}

#[test]
fn a_body_composition_in_two_packets_is_one_reading() {
    const SCALE: DeviceId = DeviceId([0xC0, 0, 0, 0, 0, 0x44]);
    let mut bedside = with(SCALE, DeviceKind::Scale);
    send(&mut bedside, SCALE, 0x2A9C, vec![0x0C, 0x10, 0xD7, 0, 1, 0x58, 0x1B]);
    assert!(asked(&bedside).is_none(), "the other half comes next");
    send(&mut bedside, SCALE, 0x2A9C, vec![0x04, 0x14, 0xD7, 0, 1, 0xB0, 0x36]);
    bedside.intent(frame::Intent::Open(Page::Bedside));
    let asked = confirm(&mut bedside);
    let digits: Vec<&str> = asked.lines.iter().map(|line| line.digits.reveal().as_str()).collect();
    assert_eq!(
        (&digits[..], &asked.remarks[..]),
        (&["21.5", "70.000"][..], &[SpotRemark::User(1)][..])
    );
    assert_eq!(bedside.store.spots.len(), 1);
}
