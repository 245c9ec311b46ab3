//! A device's own time stamp, seven bytes (Date Time, 0x2A08).

use std::ops::RangeInclusive;

use jiff::civil::DateTime;

/// Years below and above are reserved (Date Time, 0x2A08).
pub(super) const YEARS: RangeInclusive<i16> = 1582..=9999;

/// Local wall time without a zone, as far as the device knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::vitals) enum Stamp {
    /// A full date and time.
    Known(DateTime),
    /// The device says that it does not know the year, month or day (zero).
    Unknown,
    /// No such date or time exists.
    Impossible,
}

impl Stamp {
    /// What these bytes say: year, least significant byte first, then month to second.
    pub(in crate::vitals) fn of([low, high, month, day, hour, minute, second]: [u8; 7]) -> Self {
        let year = u16::from_le_bytes([low, high]);
        if year == 0 || month == 0 || day == 0 {
            return Stamp::Unknown;
        }
        civil(year, [month, day, hour, minute, second]).map_or(Stamp::Impossible, Stamp::Known)
    }
}

fn civil(year: u16, parts: [u8; 5]) -> Option<DateTime> {
    let year = i16::try_from(year).ok().filter(|year| YEARS.contains(year))?;
    let mut signed = [0_i8; 5];
    for (to, from) in signed.iter_mut().zip(parts) {
        *to = i8::try_from(from).ok()?;
    }
    let [month, day, hour, minute, second] = signed;
    DateTime::new(year, month, day, hour, minute, second, 0).ok()
}
