//! Spot readings: what a frame of a device that measures when asked becomes, and when it was measured.
//!
//! Devices keep bad time: they lose it with their batteries, drift, and know nothing of zones. A stamp counts by
//! how long before its receipt the device says it was, on the device's own clock as it was read at this connection;
//! what that does not explain has no time, and is never taken for "now".

use jiff::SignedDuration;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use wardkeep_model::confidential::Phi;
use wardkeep_model::moment::Moment;
use wardkeep_model::vitals::gatt::{Counter, Decoded, Event, cts};
use wardkeep_model::vitals::nomenclature::Status;
use wardkeep_model::vitals::spot::{SpotFrame, SpotReading, SpotTimes, SpotValue};
use wardkeep_model::vitals::{
    Characteristic, ClockConfidence, DeviceId, DeviceKind, Format, Provenance, RecordId,
};

/// Stamps of an earlier year are those of a clock that was never set.
const FIRST_YEAR: i16 = 2010;
/// A device's clock that was not read is right if it differs by no more than this from ours.
pub(super) const CLOCKS_AGREE: SignedDuration = SignedDuration::from_secs(120);
/// What a device claims to have measured before that is not believed.
const OLDEST: SignedDuration = SignedDuration::from_hours(400 * 24);

/// PLX Spot-Check Measurement: also an oximeter that is worn has stored ones.
const PLX_SPOT_CHECK: Characteristic = Characteristic(0x2A5E);
/// Current Time: the device's own clock.
pub(super) const CURRENT_TIME: Characteristic = Characteristic(0x2A2B);

/// How far a device's clock is ahead of the one of the bed's zone, by what it showed when it was read.
pub(super) fn ahead(shown: DateTime, now: Moment, zone: &TimeZone) -> SignedDuration {
    shown.duration_since(local(now, zone))
}

/// What a device's clock is set to; nothing where it cannot hold the time.
pub(super) fn clock(now: Moment, zone: &TimeZone) -> Option<Vec<u8>> {
    Some(cts::encode(local(now, zone), cts::Adjusted::ByReference)?.to_vec())
}

fn local(now: Moment, zone: &TimeZone) -> DateTime {
    now.wall.to_zoned(zone.clone()).datetime()
}

/// Whether a frame is a measurement that somebody has to claim.
pub(super) fn is_spot(kind: DeviceKind, format: Format) -> bool {
    !kind.is_continuous() || format == Format::Profile(PLX_SPOT_CHECK)
}

/// When something was measured that was received now. Of what is undatable not even the device says it.
pub(super) fn times(
    (stamp, is_undatable): (Option<DateTime>, bool),
    received: Moment,
    zone: &TimeZone,
    clock: Option<SignedDuration>,
) -> SpotTimes {
    let offset_s = clock.map(|ahead| ahead.as_secs());
    let unknown = SpotTimes {
        stamp,
        received: received.wall,
        offset_s,
        effective: None,
        clock: ClockConfidence::Unknown,
    };
    if is_undatable {
        return unknown;
    }
    let Some(stamped) = stamp else {
        let effective = Some(received.wall);
        return SpotTimes { effective, clock: ClockConfidence::Live, ..unknown };
    };
    let here = local(received, zone);
    let shows = clock.and_then(|ahead| here.checked_add(ahead).ok());
    let age = shows.unwrap_or(here).duration_since(stamped);
    let is_known = match shows {
        Some(_) => -CLOCKS_AGREE <= age && age <= OLDEST,
        // Nobody asked what it shows: it is believed where it agrees with ours.
        None => age.abs() <= CLOCKS_AGREE,
    };
    if !is_known || stamped.year() < FIRST_YEAR {
        return unknown;
    }
    // By a moment ahead is not later than now.
    let effective = received.wall.checked_sub(age.max(SignedDuration::ZERO)).ok();
    SpotTimes { effective, clock: ClockConfidence::Corrected, ..unknown }
}

/// Who measured, and what this cart knows of it.
pub(super) struct From<'a> {
    pub(super) record: RecordId,
    pub(super) device: DeviceId,
    pub(super) kind: DeviceKind,
    pub(super) name: String,
    pub(super) provenance: Provenance,
    pub(super) frame: (Format, &'a [u8]),
}

/// Whether a value is the measurement, and not one on the way to it.
pub(super) fn is_settled(status: &[Status]) -> bool {
    !status.contains(&Status::Intermediate)
}

/// The reading of a frame with a value that settled.
pub(super) fn reading(from: From<'_>, decoded: &Decoded, times: SpotTimes) -> SpotReading {
    let charted = decoded.observations.iter().filter(|one| is_settled(&one.status));
    let values: Vec<SpotValue> = charted.map(SpotValue::from).collect();
    let sequence = decoded.events.iter().find_map(|event| match event {
        Event::Count { what: Counter::Sequence, number } => u16::try_from(*number).ok(),
        Event::Count { .. }
        | Event::Note(_)
        | Event::Quantity { .. }
        | Event::Label { .. }
        | Event::Vendor(_) => None,
    });
    let (format, payload) = from.frame;
    SpotReading {
        record: from.record,
        device: from.device,
        kind: from.kind,
        name: from.name,
        frame: Phi::new(SpotFrame { format, payload: payload.to_vec() }),
        values: Phi::new(values),
        sequence,
        times,
        provenance: from.provenance,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;
    use jiff::civil::date;

    use super::*;
    use wardkeep_model::moment::BootTime;

    fn now() -> Moment {
        let wall: Timestamp = "2026-11-30T12:00:00Z".parse().expect("a time");
        Moment { boot: BootTime(Duration::from_secs(9_000)), wall }
    }

    fn by(seconds: i64) -> Option<SignedDuration> {
        Some(SignedDuration::from_secs(seconds))
    }

    #[test]
    fn s7_when_it_was_measured_is_what_the_devices_own_clock_explains_or_unknown() {
        let berlin = TimeZone::get("Europe/Berlin").expect("a zone");
        let noon = date(2026, 11, 30).at(13, 0, 0, 0);
        let minute = 60;
        let hour = 3_600;
        let reset = noon.duration_since(date(2000, 1, 1).at(0, 10, 0, 0)).as_secs();
        let cases = [
            // Stamp, clock, age in seconds if it is known.
            ("agrees", noon, None, Some(0)),
            (
                "a minute ago by a clock that agrees",
                date(2026, 11, 30).at(12, 59, 0, 0),
                None,
                Some(60),
            ),
            (
                "two hours ago by a clock nobody has read",
                date(2026, 11, 30).at(11, 0, 0, 0),
                None,
                None,
            ),
            (
                "two hours ago by a right clock",
                date(2026, 11, 30).at(11, 0, 0, 0),
                by(0),
                Some(2 * hour),
            ),
            (
                "an hour ahead all year",
                date(2026, 11, 30).at(13, 30, 0, 0),
                by(hour),
                Some(30 * minute),
            ),
            ("in the zone of London", date(2026, 11, 30).at(11, 59, 0, 0), by(-hour), Some(minute)),
            ("in the future", date(2026, 11, 30).at(15, 0, 0, 0), by(0), None),
            ("in the future of a clock", date(2026, 11, 30).at(14, 1, 30, 0), by(hour), Some(0)),
            ("after a change of batteries", date(2000, 1, 1).at(0, 5, 0, 0), by(-reset), None),
            ("before a change of batteries", date(2026, 11, 30).at(11, 0, 0, 0), by(-reset), None),
            ("years ago", date(2019, 11, 30).at(11, 0, 0, 0), by(0), None),
            ("never set", date(1970, 1, 1).at(0, 0, 0, 0), None, None),
        ];
        for (name, stamp, clock, age) in cases {
            let told = times((Some(stamp), false), now(), &berlin, clock);
            let found = told.effective.map(|at| now().wall.duration_since(at).as_secs());
            assert_eq!(found, age, "{name}");
            let grade = match age {
                Some(_) => ClockConfidence::Corrected,
                None => ClockConfidence::Unknown,
            };
            assert_eq!(
                (told.clock, told.stamp, told.received),
                (grade, Some(stamp), now().wall),
                "{name}"
            );
            assert_eq!(told.offset_s, clock.map(|ahead| ahead.as_secs()), "{name}");
        }
        let plain = times((None, false), now(), &berlin, None);
        assert_eq!((plain.effective, plain.clock), (Some(now().wall), ClockConfidence::Live));
        for stamp in [None, Some(noon)] {
            let told = times((stamp, true), now(), &berlin, by(0));
            assert_eq!((told.effective, told.clock), (None, ClockConfidence::Unknown), "{stamp:?}");
        }
    }

    #[test]
    fn a_clock_is_read_against_the_zone_of_the_bed() {
        let berlin = TimeZone::get("Europe/Berlin").expect("a zone");
        let shown = date(2026, 11, 30).at(13, 0, 5, 0);
        assert_eq!(ahead(shown, now(), &berlin), SignedDuration::from_secs(5));
        let extreme = ahead(DateTime::MIN, now(), &berlin);
        assert_eq!(
            times((Some(DateTime::MAX), false), now(), &berlin, Some(extreme)).effective,
            None
        );
    }
}
