//! Environmental Sensing Service, 0x181A: Temperature (2A6E), Humidity (2A6F) and Pressure (2A6D) of a room.
//!
//! S-7: 37 degrees of a room are no fever. All three are events, under words of their own.

use crate::vitals::gatt::cursor::Cursor;
use crate::vitals::gatt::decoded::{DecodeError, Decoded};
use crate::vitals::gatt::event::Quantity;
use crate::vitals::nomenclature::Unit;
use crate::vitals::sfloat::Reading;

/// Reads a temperature in hundredths of a degree; 0x8000 is "not known".
pub(super) fn temperature(
    cursor: &mut Cursor<'_>,
    decoded: &mut Decoded,
) -> Result<(), DecodeError> {
    let reading = match cursor.i16("room temperature")? {
        i16::MIN => Reading::NotANumber,
        raw => Reading::of(i64::from(raw), -2),
    };
    decoded.quantity(Quantity::RoomTemperature, reading, Unit::Celsius);
    Ok(())
}

/// Reads a relative humidity in hundredths of a percent; 0xFFFF is "not known".
pub(super) fn humidity(cursor: &mut Cursor<'_>, decoded: &mut Decoded) -> Result<(), DecodeError> {
    let reading = match cursor.u16("room humidity")? {
        u16::MAX => Reading::NotANumber,
        raw => Reading::of(i64::from(raw), -2),
    };
    decoded.quantity(Quantity::RoomHumidity, reading, Unit::Percent);
    Ok(())
}

/// Reads an air pressure in tenths of a pascal.
pub(super) fn pressure(cursor: &mut Cursor<'_>, decoded: &mut Decoded) -> Result<(), DecodeError> {
    let reading = Reading::of(i64::from(cursor.u32("room pressure")?), -1);
    decoded.quantity(Quantity::RoomPressure, reading, Unit::Pascal);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::vitals::gatt::testing::{Expect, assert_decodes};

    #[test]
    fn s7_a_room_is_no_patient() {
        let said = |events| Expect { events, ..Expect::NOTHING };
        let rejected = |error| Expect { error: Some(error), ..Expect::NOTHING };
        assert_decodes(
            0x2A6E,
            &[
                ("74 0e", said(&["room-temperature 37.00 Cel"])),
                ("38 ff", said(&["room-temperature -2.00 Cel"])),
                ("00 80", said(&["room-temperature not-a-number"])),
                ("74 0e 00", said(&["room-temperature 37.00 Cel", "trailing-bytes"])),
                ("74", rejected("truncated room temperature")),
            ],
        );
        assert_decodes(
            0x2A6F,
            &[
                ("94 11", said(&["room-humidity 45.00 %"])),
                ("ff ff", said(&["room-humidity not-a-number"])),
                ("94", rejected("truncated room humidity")),
            ],
        );
        assert_decodes(
            0x2A6D,
            &[
                ("02 76 0f 00", said(&["room-pressure 101325.0 Pa"])),
                ("02 76 0f", rejected("truncated room pressure")),
            ],
        );
    }
}
