//! Current Time Service, 0x1805: Current Time (2A2B) and the plain Date Time (2A08).
//!
//! A device's clock is read to compare it with ours; it is no vital sign.

use crate::vitals::gatt::cursor::Cursor;
use crate::vitals::gatt::decoded::{DecodeError, Decoded};

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
    cursor.u8("day of week")?;
    cursor.u8("fractions of a second")?;
    cursor.u8("adjust reason")?;
    Ok(())
}
