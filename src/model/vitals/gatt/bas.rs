//! Battery Service, 0x180F: Battery Level (2A19).

use crate::vitals::gatt::cursor::Cursor;
use crate::vitals::gatt::decoded::{DecodeError, Decoded};
use crate::vitals::gatt::event::{Note, Quantity};
use crate::vitals::nomenclature::Unit;
use crate::vitals::sfloat::Reading;

/// Reads a level in percent. Above 100 it is no level: unknown is safer than full.
pub(in crate::vitals) fn level(
    cursor: &mut Cursor<'_>,
    decoded: &mut Decoded,
) -> Result<(), DecodeError> {
    let percent = cursor.u8("battery level")?;
    if percent > 100 {
        decoded.note(Note::BatteryLevelInvalid);
    } else {
        decoded.battery_percent = Some(percent);
        let reading = Reading::of(i64::from(percent), 0);
        decoded.quantity(Quantity::BatteryLevel, reading, Unit::Percent);
    }
    Ok(())
}
