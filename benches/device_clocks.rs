//! How wrong the times of five meters' readings are as they are stamped, and as they are filed: before and after
//! this cart sets their clocks. The core alone, with pretended meters of which the right time is known. Prints a table.

#![expect(clippy::print_stdout, reason = "a benchmark reports by printing")]

use std::time::Duration;

use jiff::civil::{DateTime, date};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use wardkeep_core::kiosk::pages::devices;
use wardkeep_model::ports::{Command, Event, Link};
use wardkeep_model::vitals::gatt::{cts, decode};
use wardkeep_model::vitals::{Characteristic, DeviceId, DeviceKind};

use kit::kiosk::Bedside;

const METER: DeviceId = DeviceId([0xC0, 0, 0, 0, 0, 0x61]);
const CLOCK: Characteristic = Characteristic(0x2A2B);
const RECORDS: Characteristic = Characteristic(0x2A52);
const GLUCOSE: Characteristic = Characteristic(0x2A18);
const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// A meter is read once a day, and measures every two hours.
const DAY: Duration = Duration::from_secs(24 * 3_600);
const EVERY: SignedDuration = SignedDuration::from_hours(2);

/// A meter whose clock is known.
struct Meter {
    name: &'static str,
    /// How far it is ahead at `since`, and how much it gains in a day from then on.
    ahead: SignedDuration,
    since: Timestamp,
    gains_a_day: SignedDuration,
    number: u16,
}

impl Meter {
    fn shows(&self, at: Timestamp) -> DateTime {
        let passed = at.duration_since(self.since).as_secs_f64();
        let gained = self.gains_a_day.as_secs_f64() * passed / DAY.as_secs_f64();
        let shows = at + self.ahead + SignedDuration::from_secs_f64(gained);
        shows.to_zoned(TimeZone::UTC).datetime()
    }

    fn error(&self, at: Timestamp) -> SignedDuration {
        self.shows(at).duration_since(at.to_zoned(TimeZone::UTC).datetime())
    }

    fn is_set(&mut self, shown: DateTime, at: Timestamp) {
        self.ahead = shown.duration_since(at.to_zoned(TimeZone::UTC).datetime());
        self.since = at;
    }
}

/// The largest errors of a day's readings.
#[derive(Default)]
struct Errors {
    stamped: SignedDuration,
    filed: SignedDuration,
    without_time: usize,
    readings: usize,
}

fn five(now: Timestamp) -> [Meter; 5] {
    let meter = |name, ahead, since, gains_a_day| Meter {
        name,
        ahead,
        since,
        gains_a_day: SignedDuration::from_secs(gains_a_day),
        number: 0,
    };
    // Its battery was changed yesterday, before everything that it has stored.
    let reset = now - SignedDuration::from_hours(25);
    let factory = date(2000, 1, 1).at(0, 0, 0, 0);
    let since_2000 = factory.duration_since(reset.to_zoned(TimeZone::UTC).datetime());
    [
        meter("its battery was changed, it began at 2000", since_2000, reset, 0),
        meter("an hour ahead", HOUR, now, 0),
        meter("in another zone, five hours behind", HOUR * -5, now, 0),
        meter(
            "gains 20 s a day, was right a month ago",
            SignedDuration::ZERO,
            now - SignedDuration::from_hours(24 * 30),
            20,
        ),
        meter("right", SignedDuration::ZERO, now, 0),
    ]
}

fn main() {
    println!(
        "| meter | its clock | a stamp, at most | filed, at most | without a time | \
         its clock after it was set | a stamp of the next day | filed |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    let now = Bedside::monitoring().now().wall;
    for mut meter in five(now) {
        let mut bedside = Bedside::monitoring();
        bedside.advertise(METER, DeviceKind::GlucoseMeter);
        bedside.intent(devices::Intent::Connect(METER));
        let before = meter.error(bedside.now().wall);
        let first = connection(&mut bedside, &mut meter);
        let after = meter.error(bedside.now().wall);
        bedside.wait(DAY);
        let second = connection(&mut bedside, &mut meter);
        println!(
            "| {} | {} s | {} s | {} s | {} of {} | {} s | {} s | {} s |",
            meter.name,
            before.as_secs(),
            first.stamped.as_secs(),
            first.filed.as_secs(),
            first.without_time,
            first.readings,
            after.as_secs(),
            second.stamped.as_secs(),
            second.filed.as_secs(),
        );
    }
}

/// The meter is linked: its clock is read, it hands over what it measured in the last day, and its clock is set.
fn connection(bedside: &mut Bedside, meter: &mut Meter) -> Errors {
    bedside.radio.clear();
    bedside.hardware(Event::Link(METER, Link::Live));
    show(bedside, meter);
    let mut errors = Errors::default();
    for ago in (1..=12).rev() {
        let measured = bedside.now().wall - EVERY * ago;
        let stamp = meter.shows(measured);
        meter.number += 1;
        let mut record = vec![0x06];
        record.extend(meter.number.to_le_bytes());
        record.extend(stamp.year().to_le_bytes());
        record.extend(
            [stamp.month(), stamp.day(), stamp.hour(), stamp.minute(), stamp.second()]
                .map(i8::cast_unsigned),
        );
        record.extend([78, 0xC0, 0x12]);
        send(bedside, GLUCOSE, record);
        let times = bedside.store.spots.last().expect("kept").reading.times;
        errors.stamped = errors.stamped.max(meter.error(measured).abs());
        errors.readings += 1;
        match times.effective {
            Some(at) => errors.filed = errors.filed.max(at.duration_since(measured).abs()),
            None => errors.without_time += 1,
        }
        bedside.wait(Duration::from_millis(200));
    }
    send(bedside, RECORDS, vec![6, 0, 1, 1]);
    let set = bedside.radio.iter().find_map(|command| {
        let Command::Write(METER, CLOCK, bytes) = command else { return None };
        Some(bytes.clone())
    });
    if let Some(bytes) = set {
        let shown = decode(CLOCK, &bytes).ok().and_then(|decoded| decoded.time);
        meter.is_set(shown.expect("a time"), bedside.now().wall);
        bedside.hardware(Event::Wrote(METER, CLOCK, Ok(())));
        show(bedside, meter);
    }
    bedside.hardware(Event::Link(METER, Link::Lost));
    errors
}

/// Its clock is read.
fn show(bedside: &mut Bedside, meter: &Meter) {
    let shown = cts::encode(meter.shows(bedside.now().wall), cts::Adjusted::ByReference);
    send(bedside, CLOCK, shown.expect("a time").to_vec());
}

fn send(bedside: &mut Bedside, characteristic: Characteristic, payload: Vec<u8>) {
    let received = bedside.now();
    bedside.hardware(Event::Frame { device: METER, characteristic, payload, received });
}
