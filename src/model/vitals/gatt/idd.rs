//! Insulin Delivery Service, 0x183A: IDD Status Changed (2B20) and IDD Status (2B21). Read only: nothing
//! here can command a pump.
//!
//! The two states are coded so that no single flipped bit makes one of the other; what is no code rejects
//! the frame. With end-to-end protection a counter and a checksum follow the fields.

use crate::vitals::gatt::cursor::Cursor;
use crate::vitals::gatt::decoded::{DecodeError, Decoded};
use crate::vitals::gatt::e2e::{self, COUNTER_AND_CRC_LEN};
use crate::vitals::gatt::event::{Note, Quantity, Topic};
use crate::vitals::nomenclature::Unit;

const RESERVOIR_ATTACHED: u8 = 1 << 0;

/// IDD Status Changed.
const CHANGES: &[(u32, &str)] = &[
    (0, "therapy-control-state"),
    (1, "operational-state"),
    (2, "reservoir"),
    (3, "annunciation"),
    (4, "total-daily-insulin"),
    (5, "active-basal-rate"),
    (6, "active-bolus"),
    (7, "history"),
];

const THERAPY_CONTROL: &[(u8, &str)] =
    &[(0x0F, "undetermined"), (0x33, "stop"), (0x3C, "pause"), (0x55, "run")];

const OPERATIONAL_STATES: &[(u8, &str)] = &[
    (0x0F, "undetermined"),
    (0x33, "off"),
    (0x3C, "standby"),
    (0x55, "preparing"),
    (0x5A, "priming"),
    (0x66, "waiting"),
    (0x96, "ready"),
];

/// Reads what has changed since the flags were last cleared.
pub(super) fn status_changed(
    cursor: &mut Cursor<'_>,
    decoded: &mut Decoded,
) -> Result<(), DecodeError> {
    let mut fields = e2e::checked(cursor, 2, COUNTER_AND_CRC_LEN, "status changed")?;
    let flags = fields.u16("status changed")?;
    decoded.set_bits(Topic::Changed, u32::from(flags), CHANGES);
    Ok(())
}

/// Reads both states and what is left in the reservoir.
pub(super) fn status(cursor: &mut Cursor<'_>, decoded: &mut Decoded) -> Result<(), DecodeError> {
    let mut fields = e2e::checked(cursor, 5, COUNTER_AND_CRC_LEN, "idd status")?;
    let therapy = state(&mut fields, THERAPY_CONTROL, "therapy control state")?;
    let operation = state(&mut fields, OPERATIONAL_STATES, "operational state")?;
    let reservoir = fields.sfloat("reservoir remaining amount")?;
    let flags = fields.u8("flags")?;
    decoded.label(Topic::TherapyControl, therapy);
    decoded.label(Topic::OperationalState, operation);
    decoded.quantity(Quantity::InsulinReservoir, reservoir, Unit::InternationalUnit);
    if flags & RESERVOIR_ATTACHED == 0 {
        decoded.note(Note::NoReservoir);
    }
    Ok(())
}

fn state(
    fields: &mut Cursor<'_>,
    codes: &[(u8, &'static str)],
    field: &'static str,
) -> Result<&'static str, DecodeError> {
    let code = fields.u8(field)?;
    let known = codes.iter().find(|(known, _)| *known == code);
    known.map(|(_, word)| *word).ok_or(DecodeError::Invalid { field })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vitals::gatt::testing::{Expect, assert_decodes, with_crc};

    #[test]
    fn s7_a_pumps_status_holds_no_vital() {
        let running =
            &["therapy-control run", "operational-state ready", "insulin-reservoir 120.5 [iU]"];
        let said = |events| Expect { events, ..Expect::NOTHING };
        let protected = with_crc("55 96 b5 f4 01 07");
        assert_decodes(
            0x2B21,
            &[
                ("55 96 b5 f4 01", said(running)),
                ("55 96 b5 f4 ff", said(running)), // reserved bits
                (&protected, said(running)),
                (
                    "33 0f ff 07 00",
                    said(&[
                        "therapy-control stop",
                        "operational-state undetermined",
                        "insulin-reservoir not-a-number",
                        "no-reservoir",
                    ]),
                ),
            ],
        );
        let changed = with_crc("81 ff 07");
        let changes = said(&["changed therapy-control-state", "changed history"]);
        assert_decodes(0x2B20, &[("81 00", changes), ("81 ff", changes), (&changed, changes)]);
    }

    #[test]
    fn an_unknown_state_rejects_the_frame() {
        let rejected = |error| Expect { error: Some(error), ..Expect::NOTHING };
        assert_decodes(
            0x2B21,
            &[
                ("00 96 b5 f4 01", rejected("invalid therapy control state")),
                ("54 96 b5 f4 01", rejected("invalid therapy control state")),
                ("96 96 b5 f4 01", rejected("invalid therapy control state")),
                ("55 97 b5 f4 01", rejected("invalid operational state")),
                ("55", rejected("truncated operational state")),
                ("55 96 b5", rejected("truncated reservoir remaining amount")),
                ("55 96 b5 f4", rejected("truncated flags")),
                ("55 96 b5 f4 01 07", rejected("truncated checksum")),
                ("55 96 b5 f4 01 07 00 00", rejected("crc crc")),
                ("55 96 b5 f4 01 07 00 00 00", rejected("size idd status")),
            ],
        );
        assert_decodes(0x2B20, &[("81", rejected("truncated status changed"))]);
    }

    /// No single flipped bit makes another state.
    #[test]
    fn codes_of_a_list_differ_in_more_than_one_bit() {
        for codes in [THERAPY_CONTROL, OPERATIONAL_STATES] {
            for (index, (one, _)) in codes.iter().enumerate() {
                for (other, _) in &codes[..index] {
                    assert!((one ^ other).count_ones() >= 4, "{one:02x} {other:02x}");
                }
            }
        }
    }
}
