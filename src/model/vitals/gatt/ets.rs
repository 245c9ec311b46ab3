//! Elapsed Time Service, 0x183F: Current Elapsed Time (2BF2), and the nine bytes of time in it that a
//! generic health sensor stamps its observations with.
//!
//! A stamp is local time, UTC with or without what local time is ahead of it, or ticks. Only the first two
//! tell the time at the device; of the others nobody knows how old what they stamp is
//! ([`Decoded::is_undatable`]).

use jiff::SignedDuration;
use jiff::civil::date;

use crate::vitals::gatt::cursor::Cursor;
use crate::vitals::gatt::decoded::{DecodeError, Decoded};
use crate::vitals::gatt::event::{Note, Quantity, Topic};
use crate::vitals::gatt::stamp::Stamp;
use crate::vitals::nomenclature::Unit;
use crate::vitals::sfloat::Reading;

const TICKS: u8 = 1 << 0;
const UTC: u8 = 1 << 1;
const RESOLUTION_SHIFT: u8 = 2;
const OFFSET_USED: u8 = 1 << 4;
const CURRENT_TIMELINE: u8 = 1 << 5;

const QUARTER_MIN: i64 = 15;
/// The offset of a device that does not know it.
const OFFSET_UNKNOWN: i8 = i8::MIN;

/// Who set the clock, from 0.
const SOURCES: &[&str] = &[
    "unknown",
    "network-time",
    "satellite",
    "radio-signal",
    "manual",
    "atomic-clock",
    "cellular-network",
    "not-synchronized",
];

/// Flags, count since 2000 or ticks, who set the clock, and what local time is ahead of UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Elapsed {
    flags: u8,
    count: u64,
    source: u8,
    offset: i8,
}

impl Elapsed {
    /// Reads the nine bytes.
    pub(super) fn read(
        cursor: &mut Cursor<'_>,
        field: &'static str,
    ) -> Result<Elapsed, DecodeError> {
        let [flags, a, b, c, d, e, f, source, offset] = cursor.bytes(field)?;
        let count = u64::from_le_bytes([a, b, c, d, e, f, 0, 0]);
        Ok(Self { flags, count, source, offset: offset.cast_signed() })
    }

    /// Makes it the frame's time, as far as it is one.
    pub(super) fn tell(self, decoded: &mut Decoded) {
        if self.flags & TICKS != 0 {
            decoded.note(Note::TickCounter);
        } else {
            decoded.stamp(self.stamp());
            if self.flags & UTC != 0 && self.offset_quarters().is_none() {
                decoded.note(Note::TimeIsUtc);
                decoded.is_undatable = true;
            }
        }
        if self.flags & CURRENT_TIMELINE == 0 {
            decoded.note(Note::OtherTimeline);
            decoded.is_undatable = true;
        }
    }

    fn offset_quarters(self) -> Option<i64> {
        let is_known = self.flags & OFFSET_USED != 0 && self.offset != OFFSET_UNKNOWN;
        is_known.then_some(i64::from(self.offset))
    }

    /// Local time where it is known, fractions of a second dropped; a count of zero is a clock that never ran.
    fn stamp(self) -> Stamp {
        const PER_SECOND: [u64; 4] = [1, 10, 1_000, 10_000];
        if self.count == 0 {
            return Stamp::Unknown;
        }
        let resolution = usize::from((self.flags >> RESOLUTION_SHIFT) & 0b11);
        let per_second = PER_SECOND.get(resolution).copied().unwrap_or(1);
        let seconds = i64::try_from(self.count / per_second).expect("48 bits fit in 63");
        let ahead_min = match self.flags & UTC {
            0 => 0,
            _ => self.offset_quarters().unwrap_or(0) * QUARTER_MIN,
        };
        let since = SignedDuration::from_secs(seconds + ahead_min * 60);
        let epoch = date(2000, 1, 1).at(0, 0, 0, 0);
        epoch.checked_add(since).map_or(Stamp::Impossible, Stamp::Known)
    }
}

/// Reads the device's clock, whether it wants to be set, and what it does by itself.
pub(super) fn current(cursor: &mut Cursor<'_>, decoded: &mut Decoded) -> Result<(), DecodeError> {
    const NEEDS_SETTING: u8 = 1 << 0;
    const CAPABILITIES: &[(u32, &str)] =
        &[(0, "applies-daylight-saving"), (1, "applies-time-zone")];
    let elapsed = Elapsed::read(cursor, "elapsed time")?;
    let status = cursor.u8("clock status")?;
    let capabilities = cursor.u8("clock capabilities")?;
    elapsed.tell(decoded);
    let source = SOURCES.get(usize::from(elapsed.source)).copied();
    decoded.label(Topic::TimeSource, source.unwrap_or("reserved"));
    if let Some(quarters) = elapsed.offset_quarters() {
        let minutes = Reading::of(quarters * QUARTER_MIN, 0);
        decoded.quantity(Quantity::TimeZone, minutes, Unit::Minute);
    }
    if status & NEEDS_SETTING != 0 {
        decoded.note(Note::ClockNeedsSetting);
    }
    decoded.set_bits(Topic::Feature, u32::from(capabilities), CAPABILITIES);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::vitals::Characteristic;
    use crate::vitals::gatt::decode;
    use crate::vitals::gatt::testing::{Expect, assert_decodes, bytes};

    /// 2024-06-15T17:17:27 is 771_787_047 s after 2000, 0x2e008927.
    #[test]
    fn a_clock_counts_from_2000_in_four_resolutions() {
        let at = |time, events| Expect { time: Some(time), events, ..Expect::NOTHING };
        let local = at("2024-06-15T17:17:27", &["time-source not-synchronized"]);
        assert_decodes(
            0x2BF2,
            &[
                ("20 27 89 00 2e 00 00 07 00 00 00", local),
                ("24 86 5b 05 cc 01 00 07 00 00 00", local),
                ("28 58 c0 17 b2 b3 00 07 00 00 00", local),
                ("2c 70 83 ed f4 04 07 07 00 00 00", local),
                ("e0 27 89 00 2e 00 00 07 00 fe fc", local), // reserved bits
                (
                    // UTC, and two hours ahead of it.
                    "32 07 6d 00 2e 00 00 01 08 01 03",
                    at(
                        "2024-06-15T17:17:27",
                        &[
                            "time-source network-time",
                            "time-zone 120 min",
                            "clock-needs-setting",
                            "feature applies-daylight-saving",
                            "feature applies-time-zone",
                        ],
                    ),
                ),
                (
                    "20 00 00 00 00 00 00 09 00 00 00",
                    Expect { events: &["time-unknown", "time-source reserved"], ..Expect::NOTHING },
                ),
                (
                    "20 ff ff ff ff ff ff 00 00 00 00",
                    Expect {
                        events: &["time-impossible", "time-source unknown"],
                        ..Expect::NOTHING
                    },
                ),
                (
                    "20 27 89 00 2e 00 00 07 00 00",
                    Expect { error: Some("truncated clock capabilities"), ..Expect::NOTHING },
                ),
                (
                    "20 27 89 00 2e 00 00 07 00",
                    Expect { error: Some("truncated clock status"), ..Expect::NOTHING },
                ),
                ("20 27", Expect { error: Some("truncated elapsed time"), ..Expect::NOTHING }),
            ],
        );
    }

    /// S-7: a stamp that no wall clock can be held against says nothing of an age.
    #[test]
    fn s7_a_stamp_without_a_place_or_a_timeline_is_undatable() {
        for (frame, event, undatable) in [
            ("20 27 89 00 2e 00 00 07 00 00 00", "", false),
            ("32 07 6d 00 2e 00 00 07 08 00 00", "", false),
            ("22 27 89 00 2e 00 00 07 08 00 00", "time-is-utc", true), // offset not used
            ("32 27 89 00 2e 00 00 07 80 00 00", "time-is-utc", true), // offset not known
            ("00 27 89 00 2e 00 00 07 00 00 00", "other-timeline", true),
            ("01 27 89 00 2e 00 00 07 00 00 00", "other-timeline", true),
            ("21 27 89 00 2e 00 00 07 00 00 00", "tick-counter", false),
        ] {
            let decoded = decode(Characteristic(0x2BF2), &bytes(frame)).expect("eleven bytes");
            assert_eq!(decoded.is_undatable, undatable, "{frame}");
            let told = decoded.events.iter().any(|one| one.word() == event);
            assert!(told || event.is_empty(), "{frame}: {:?}", decoded.events);
        }
    }
}
