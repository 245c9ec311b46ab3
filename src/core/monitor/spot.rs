//! Spot readings: what a frame of a device that measures when asked becomes, and when it was measured.
//!
//! Devices keep bad time: they lose it with their batteries, drift, and know nothing of zones. A stamp counts by
//! how long before its receipt the device says it was, on the device's own clock as it was read at this connection;
//! what that does not explain has no time, and is never taken for "now". Of a clock that was set, what it showed
//! before counts for what it stamped before; a stamp that both explain, while any may still come, has none.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::effect::Effect;
use crate::pairing::Ahead;
use wardkeep_model::confidential::Phi;
use wardkeep_model::keeping::{AuditAct, AuditEntry, AuditResult, Command as StoreCommand};
use wardkeep_model::moment::Moment;
use wardkeep_model::ports::WriteFault;
use wardkeep_model::vitals::gatt::{Counter, Decoded, Event, cts};
use wardkeep_model::vitals::nomenclature::Status;
use wardkeep_model::vitals::spot::{SpotContext, SpotFrame, SpotReading, SpotTimes, SpotValue};
use wardkeep_model::vitals::{
    Characteristic, ClockConfidence, DeviceId, DeviceKind, Format, Provenance, RecordId,
};

/// Stamps of an earlier year are those of a clock that was never set.
const FIRST_YEAR: i16 = 2010;
/// A device's clock that was not read is right if it differs by no more than this from ours.
pub(super) const CLOCKS_AGREE: SignedDuration = SignedDuration::from_secs(120);
/// What a device has stored comes within this time after its clock was set, if not before.
const SETTLED: SignedDuration = SignedDuration::from_secs(60);
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

/// What the log is to say of a clock that was set, or did not take the time.
pub(super) fn clock_set(device: DeviceId, is_set: bool, at: Timestamp) -> Effect {
    let result = if is_set { AuditResult::Done } else { AuditResult::Failed };
    let entry = AuditEntry::of(AuditAct::DeviceClockSet, at);
    let entry = AuditEntry { device: Some(device), result, ..entry };
    Effect::Store(StoreCommand::Audit(Box::new(entry)))
}

/// The device has answered that it takes the time. "Data field ignored" means that it knows no zones, or no
/// fractions (Current Time Service 1.1, 3.1.2.2).
pub(super) fn is_clock_taken(answer: Result<(), WriteFault>) -> bool {
    matches!(answer, Ok(()) | Err(WriteFault::Att(0x80)))
}

/// It is the device that did not take it, and not its link or the radio.
pub(super) fn refuses_clock(answer: Result<(), WriteFault>) -> bool {
    match answer {
        Ok(()) => false,
        Err(
            WriteFault::Att(_)
            | WriteFault::NoSuchCharacteristic
            | WriteFault::NotPermitted
            | WriteFault::NotPaired,
        ) => !is_clock_taken(answer),
        Err(
            WriteFault::NotLinked | WriteFault::Busy | WriteFault::TimedOut | WriteFault::Failed,
        ) => false,
    }
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
    clock: Ahead,
) -> SpotTimes {
    let unknown = SpotTimes {
        stamp,
        received: received.wall,
        offset_s: clock.now.map(|ahead| ahead.as_secs()),
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
    let age = age(stamped, local(received, zone), clock).filter(|_| stamped.year() >= FIRST_YEAR);
    let Some((age, ahead)) = age else { return unknown };
    // By a moment ahead is not later than now.
    let effective = received.wall.checked_sub(age.max(SignedDuration::ZERO)).ok();
    let offset_s = ahead.map(|ahead| ahead.as_secs());
    SpotTimes { effective, offset_s, clock: ClockConfidence::Corrected, ..unknown }
}

/// How long ago a stamp was, if that is known, and by how much its clock was ahead then.
fn age(
    stamped: DateTime,
    here: DateTime,
    clock: Ahead,
) -> Option<(SignedDuration, Option<SignedDuration>)> {
    let by = |ahead: SignedDuration| {
        let shows = here.checked_add(ahead).unwrap_or(here);
        let age = shows.duration_since(stamped);
        (-CLOCKS_AGREE <= age && age <= OLDEST).then_some((age, Some(ahead)))
    };
    let now = match clock.now {
        Some(ahead) => by(ahead),
        // Nobody asked what it shows: it is believed where it agrees with ours.
        None => {
            let age = here.duration_since(stamped);
            (age.abs() <= CLOCKS_AGREE).then_some((age, None))
        }
    };
    let Some((before, ago)) = clock.before else { return now };
    let ago = SignedDuration::try_from(ago).unwrap_or(SignedDuration::MAX);
    let since_then = |(age, _): &(SignedDuration, _)| *age <= ago.saturating_add(CLOCKS_AGREE);
    let now = now.filter(since_then);
    // One that nobody has read since may show the time that it was set to.
    let after = by(clock.now.unwrap_or_default()).filter(since_then);
    let before = by(before).filter(|(age, _)| age.saturating_add(CLOCKS_AGREE) >= ago);
    match (after, before) {
        (Some((one, _)), Some((other, _))) if (one - other).abs() > CLOCKS_AGREE => {
            now.filter(|_| ago >= SETTLED)
        }
        (Some(_), Some(_)) => now.or(before),
        (Some(_), None) => now,
        (None, before) => before,
    }
}

/// Who measured, and what this cart knows of it.
pub(super) struct From<'a> {
    pub(super) record: RecordId,
    pub(super) device: DeviceId,
    pub(super) first_known: Option<DeviceId>,
    pub(super) kind: DeviceKind,
    pub(super) name: String,
    pub(super) provenance: Provenance,
    pub(super) frame: (Format, &'a [u8]),
    pub(super) second: Option<(Format, &'a [u8])>,
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
    let frame = |(format, payload): (Format, &[u8])| {
        Phi::new(SpotFrame { format, payload: payload.to_vec() })
    };
    SpotReading {
        record: from.record,
        device: from.device,
        first_known: from.first_known,
        kind: from.kind,
        name: from.name,
        frame: frame(from.frame),
        second: from.second.map(frame),
        context: Phi::new(SpotContext::of(&decoded.events)),
        values: Phi::new(values),
        sequence,
        times,
        provenance: from.provenance,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

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

    fn shows(ahead: Option<SignedDuration>) -> Ahead {
        Ahead { now: ahead, before: None }
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
            let told = times((Some(stamp), false), now(), &berlin, shows(clock));
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
        let plain = times((None, false), now(), &berlin, Ahead::default());
        assert_eq!((plain.effective, plain.clock), (Some(now().wall), ClockConfidence::Live));
        for stamp in [None, Some(noon)] {
            let told = times((stamp, true), now(), &berlin, shows(by(0)));
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
            times((Some(DateTime::MAX), false), now(), &berlin, shows(Some(extreme))).effective,
            None
        );
    }

    #[test]
    fn s7_of_a_clock_that_was_set_each_stamp_counts_by_what_it_showed_then_or_has_no_time() {
        let berlin = TimeZone::get("Europe/Berlin").expect("a zone");
        let at = |hour, minute| date(2026, 11, 30).at(hour, minute, 0, 0);
        let (minute, hour) = (60, 3_600);
        let reset = at(13, 0).duration_since(date(2000, 1, 1).at(0, 10, 0, 0)).as_secs();
        // It is one o'clock, and the clock was set so many minutes ago.
        for (name, stamp, now_ahead, before, set_ago, age) in [
            ("after", at(12, 50), by(0), hour, 20, Some(10 * minute)),
            ("before, an hour ahead", at(13, 30), by(0), hour, 20, Some(30 * minute)),
            ("long before, an hour ahead", at(12, 30), by(0), hour, 20, Some(90 * minute)),
            // Now by the right time, or noon by the one an hour ahead.
            ("both explain it", at(13, 0), by(0), hour, 0, None),
            ("all that was stored is here", at(13, 0), by(0), hour, 1, Some(0)),
            ("before, by a reset clock", date(2026, 11, 30).at(0, 5, 0, 0), by(0), -reset, 1, None),
            ("an hour behind", at(11, 30), by(0), -hour, 10, Some(30 * minute)),
            ("in the future of both", at(16, 0), by(0), hour, 10, None),
            ("not read since, and agrees", at(12, 59), None, hour, 10, Some(minute)),
            ("not read since, of before", at(13, 30), None, hour, 10, Some(30 * minute)),
            ("not read since, and cannot be", at(12, 40), None, hour, 60, None),
            ("it did not take", at(13, 30), by(hour), hour, 10, Some(30 * minute)),
            ("just now", at(13, 0), by(0), 20, 0, Some(0)),
        ] {
            let set = Duration::from_secs(set_ago * 60);
            let clock = Ahead { now: now_ahead, before: by(before).map(|it| (it, set)) };
            let told = times((Some(stamp), false), now(), &berlin, clock);
            let found = told.effective.map(|at| now().wall.duration_since(at).as_secs());
            assert_eq!(found, age, "{name}");
        }
    }
}
