//! Current Time Service, 0x1805: Current Time (2A2B), the plain Date Time (2A08) and Local Time
//! Information (2A0F); and both times as bytes, to set a device's clock.
//!
//! A device's clock is read to compare it with ours; it is no vital sign.

use jiff::civil::DateTime;

use crate::vitals::gatt::cursor::Cursor;
use crate::vitals::gatt::decoded::{DecodeError, Decoded};
use crate::vitals::gatt::event::{Quantity, Topic};
use crate::vitals::gatt::stamp::YEARS;
use crate::vitals::nomenclature::Unit;
use crate::vitals::sfloat::Reading;

/// Reads a Date Time: year, month, day, hours, minutes, seconds.
pub(super) fn date_time(cursor: &mut Cursor<'_>, decoded: &mut Decoded) -> Result<(), DecodeError> {
    let stamp = cursor.stamp("date time")?;
    decoded.stamp(stamp);
    Ok(())
}

/// Reads a Current Time: Date Time, day of week, 1/256 seconds and the reason of the last adjustment.
/// Fractions of a second are dropped: no decision needs them.
pub(super) fn current_time(
    cursor: &mut Cursor<'_>,
    decoded: &mut Decoded,
) -> Result<(), DecodeError> {
    date_time(cursor, decoded)?;
    decoded.is_clock = true;
    cursor.u8("day of week")?;
    cursor.u8("fractions of a second")?;
    cursor.u8("adjust reason")?;
    Ok(())
}

/// Reads what local time is ahead of UTC: time zone in quarters of an hour, then what daylight saving adds.
pub(super) fn zone(cursor: &mut Cursor<'_>, decoded: &mut Decoded) -> Result<(), DecodeError> {
    const QUARTER_MIN: i64 = 15;
    let minutes = |quarters: i64| Reading::of(quarters * QUARTER_MIN, 0);
    match cursor.i8("time zone")? {
        i8::MIN => decoded.label(Topic::Zone, "unknown"),
        zone @ -48..=56 => {
            decoded.quantity(Quantity::TimeZone, minutes(i64::from(zone)), Unit::Minute);
        }
        _ => decoded.label(Topic::Zone, "reserved"),
    }
    match cursor.u8("dst offset")? {
        u8::MAX => decoded.label(Topic::Daylight, "unknown"),
        dst @ (0 | 2 | 4 | 8) => {
            decoded.quantity(Quantity::DaylightSaving, minutes(i64::from(dst)), Unit::Minute);
        }
        _ => decoded.label(Topic::Daylight, "reserved"),
    }
    Ok(())
}

/// Why a clock is set (Current Time, Adjust Reason).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adjusted {
    /// By a person.
    Manually = 1 << 0,
    /// From a clock that is known to be right.
    ByReference = 1 << 1,
    /// The time zone has changed.
    Zone = 1 << 2,
    /// Daylight saving has begun or ended.
    Daylight = 1 << 3,
}

/// A local time as a Date Time (2A08), least significant byte first. `None` outside the years 1582 to 9999,
/// which it cannot hold.
pub fn encode_date_time(time: DateTime) -> Option<[u8; 7]> {
    let year = u16::try_from(time.year()).ok().filter(|_| YEARS.contains(&time.year()))?;
    let [low, high] = year.to_le_bytes();
    let parts = [time.month(), time.day(), time.hour(), time.minute(), time.second()];
    let [month, day, hour, minute, second] = parts.map(i8::cast_unsigned);
    Some([low, high, month, day, hour, minute, second])
}

/// A local time as a Current Time (2A2B): Date Time, day of week (Monday is 1), 1/256 seconds rounded down and
/// the reason. `None` as [`encode_date_time`].
pub fn encode(time: DateTime, reason: Adjusted) -> Option<[u8; 10]> {
    let [low, high, month, day, hour, minute, second] = encode_date_time(time)?;
    let weekday = time.weekday().to_monday_one_offset().cast_unsigned();
    let fraction = i64::from(time.subsec_nanosecond()) * 256 / 1_000_000_000;
    let fraction = u8::try_from(fraction).expect("less than a second is less than 256 of it");
    Some([low, high, month, day, hour, minute, second, weekday, fraction, reason as u8])
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::vitals::gatt::testing::{Expect, assert_decodes};

    #[test]
    fn zones_are_quarters_of_an_hour() {
        let said = |events| Expect { events, ..Expect::NOTHING };
        assert_decodes(
            0x2A0F,
            &[
                ("04 04", said(&["time-zone 60 min", "daylight-saving 60 min"])),
                ("ed 00", said(&["time-zone -285 min", "daylight-saving 0 min"])),
                ("38 02", said(&["time-zone 840 min", "daylight-saving 30 min"])),
                ("d0 08", said(&["time-zone -720 min", "daylight-saving 120 min"])),
                ("80 ff", said(&["time-zone unknown", "daylight-saving unknown"])),
                ("39 01", said(&["time-zone reserved", "daylight-saving reserved"])),
                (
                    "04 04 00",
                    said(&["time-zone 60 min", "daylight-saving 60 min", "trailing-bytes"]),
                ),
                ("04", Expect { error: Some("truncated dst offset"), ..Expect::NOTHING }),
                ("", Expect { error: Some("truncated time zone"), ..Expect::NOTHING }),
            ],
        );
    }

    #[test]
    fn a_clock_is_set_to_a_local_time_with_its_day_of_the_week() {
        let saturday = date(2024, 6, 15).at(17, 17, 27, 500_000_000);
        assert_eq!(
            encode(saturday, Adjusted::ByReference),
            Some([0xE8, 0x07, 6, 15, 17, 17, 27, 6, 128, 2])
        );
        for (day, weekday) in [(17, 1), (18, 2), (19, 3), (20, 4), (21, 5), (22, 6), (23, 7)] {
            let bytes = encode(date(2024, 6, day).at(0, 0, 0, 999_999_999), Adjusted::Manually);
            let [.., said, fraction, reason] = bytes.expect("a year of four digits");
            assert_eq!((said, fraction, reason), (weekday, 255, 1));
        }
        let reasons =
            [Adjusted::Manually, Adjusted::ByReference, Adjusted::Zone, Adjusted::Daylight];
        assert_eq!(reasons.map(|reason| reason as u8), [1, 2, 4, 8]);
    }

    #[test]
    fn only_years_that_fit_are_written() {
        let first = date(1582, 1, 1).at(0, 0, 0, 0);
        assert_eq!(encode_date_time(first), Some([0x2E, 0x06, 1, 1, 0, 0, 0]));
        assert_eq!(encode_date_time(date(1581, 12, 31).at(23, 59, 59, 0)), None);
        assert_eq!(encode(date(-5, 1, 1).at(0, 0, 0, 0), Adjusted::Zone), None);
    }

    proptest::proptest! {
        /// What is written is read as the same time.
        #[test]
        fn times_round_trip(
            (year, month, day) in (1582_i16..=9999, 1_i8..=12, 1_i8..=28),
            (hour, minute, second) in (0_i8..24, 0_i8..60, 0_i8..60),
        ) {
            let time = date(year, month, day).at(hour, minute, second, 0);
            let mut decoded = Decoded::default();
            let bytes = encode(time, Adjusted::Zone).expect("a year that fits");
            current_time(&mut Cursor::new(&bytes), &mut decoded).expect("ten bytes");
            proptest::prop_assert_eq!(decoded.time, Some(time));
        }
    }
}
