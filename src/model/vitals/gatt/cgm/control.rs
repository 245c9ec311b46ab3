//! CGM Specific Ops Control Point (2AAC): a sensor's answers.
//!
//! S-7: an alert level or the value of a calibration is a glucose concentration that nobody measured now;
//! all answers are events.

use crate::vitals::gatt::cursor::Cursor;
use crate::vitals::gatt::decoded::{DecodeError, Decoded};
use crate::vitals::gatt::e2e::{self, CRC_LEN};
use crate::vitals::gatt::event::{Counter, Quantity, Topic};
use crate::vitals::gatt::gls;
use crate::vitals::nomenclature::Unit;
use crate::vitals::sfloat::Reading;

const INTERVAL: u8 = 0x03;
const CALIBRATION: u8 = 0x06;
const RESPONSE: u8 = 0x1C;

/// Answers that hold one level: opcode, which level, its unit.
const LEVELS: &[(u8, Quantity, Unit)] = &[
    (0x09, Quantity::PatientHighLevel, Unit::MilligramPerDecilitre),
    (0x0C, Quantity::PatientLowLevel, Unit::MilligramPerDecilitre),
    (0x0F, Quantity::HypoLevel, Unit::MilligramPerDecilitre),
    (0x12, Quantity::HyperLevel, Unit::MilligramPerDecilitre),
    (0x15, Quantity::FallingLevel, Unit::MilligramPerDecilitreMinute),
    (0x18, Quantity::RisingLevel, Unit::MilligramPerDecilitreMinute),
];

/// What became of a calibration.
const CALIBRATION_STATUS: &[(u32, &str)] = &[(0, "rejected"), (1, "out-of-range"), (2, "pending")];

/// Reads an answer. What is no answer, a request among it, is rejected.
pub(in crate::vitals::gatt) fn answer(
    cursor: &mut Cursor<'_>,
    decoded: &mut Decoded,
) -> Result<(), DecodeError> {
    const OPCODE_LEN: usize = 1;
    let mut peek = *cursor;
    let opcode = peek.u8("opcode")?;
    let level = LEVELS.iter().find(|(answer, ..)| *answer == opcode);
    let operand_len = match opcode {
        INTERVAL => 1,
        CALIBRATION => 10,
        RESPONSE => 2,
        _ if level.is_some() => 2,
        _ => return Err(DecodeError::Invalid { field: "opcode" }),
    };
    let mut fields = e2e::checked(cursor, OPCODE_LEN + operand_len, CRC_LEN, "answer")?;
    fields.u8("opcode")?;
    match (opcode, level) {
        (_, Some((_, what, unit))) => {
            let level = fields.sfloat("alert level")?;
            decoded.quantity(*what, level, *unit);
        }
        (INTERVAL, None) => interval(fields.u8("communication interval")?, decoded),
        (CALIBRATION, None) => calibration(&mut fields, decoded)?,
        (_, None) => {
            fields.u8("request opcode")?;
            decoded.label(Topic::SensorControl, outcome(fields.u8("response code")?));
        }
    }
    Ok(())
}

/// Minutes; the ends of the range are words.
fn interval(minutes: u8, decoded: &mut Decoded) {
    match minutes {
        0 => decoded.label(Topic::Interval, "disabled"),
        0xFF => decoded.label(Topic::Interval, "fastest"),
        _ => {
            let minutes = Reading::of(i64::from(minutes), 0);
            decoded.quantity(Quantity::CommunicationInterval, minutes, Unit::Minute);
        }
    }
}

fn calibration(fields: &mut Cursor<'_>, decoded: &mut Decoded) -> Result<(), DecodeError> {
    let value = fields.sfloat("calibration value")?;
    decoded.quantity(Quantity::CalibrationGlucose, value, Unit::MilligramPerDecilitre);
    let time = fields.scaled("calibration time", 1, 0)?;
    decoded.quantity(Quantity::CalibrationTime, time, Unit::Minute);
    gls::specimen(fields.u8("type and sample location")?, decoded);
    let next = fields.scaled("next calibration time", 1, 0)?;
    decoded.quantity(Quantity::NextCalibration, next, Unit::Minute);
    let record = fields.u16("calibration record number")?;
    decoded.count(Counter::CalibrationRecord, u32::from(record));
    let status = fields.u8("calibration status")?;
    decoded.set_bits(Topic::Calibration, u32::from(status), CALIBRATION_STATUS);
    Ok(())
}

fn outcome(code: u8) -> &'static str {
    match code {
        1 => "success",
        2 => "opcode-not-supported",
        3 => "invalid-operand",
        4 => "procedure-not-completed",
        5 => "parameter-out-of-range",
        _ => "reserved",
    }
}

#[cfg(test)]
mod tests {
    use crate::vitals::gatt::testing::{Expect, assert_decodes, with_crc};

    #[test]
    fn s7_answers_hold_no_vital() {
        let with = with_crc("1c 1a 01");
        assert_decodes(
            0x2AAC,
            &[
                ("1c 1a 01", Expect { events: &["sensor-control success"], ..Expect::NOTHING }),
                (&with, Expect { events: &["sensor-control success"], ..Expect::NOTHING }),
                (
                    "1c 04 05",
                    Expect {
                        events: &["sensor-control parameter-out-of-range"],
                        ..Expect::NOTHING
                    },
                ),
                ("03 05", Expect { events: &["communication-interval 5 min"], ..Expect::NOTHING }),
                (
                    "03 ff",
                    Expect { events: &["communication-interval fastest"], ..Expect::NOTHING },
                ),
                (
                    "03 00",
                    Expect { events: &["communication-interval disabled"], ..Expect::NOTHING },
                ),
                (
                    "09 b4 00",
                    Expect { events: &["patient-high-level 180 mg/dL"], ..Expect::NOTHING },
                ),
                ("0f ff 07", Expect { events: &["hypo-level not-a-number"], ..Expect::NOTHING }),
                (
                    "15 e2 ff",
                    Expect { events: &["falling-level -3.0 mg/dL/min"], ..Expect::NOTHING },
                ),
                (
                    "06 78 00 0a 00 11 b4 00 02 00 04",
                    Expect {
                        events: &[
                            "calibration-glucose 120 mg/dL",
                            "calibration-time 10 min",
                            "sample-type capillary-whole-blood",
                            "sample-location finger",
                            "next-calibration 180 min",
                            "calibration-record 2",
                            "calibration pending",
                        ],
                        ..Expect::NOTHING
                    },
                ),
            ],
        );
    }

    #[test]
    fn what_is_no_answer_is_rejected_by_field() {
        let rejected = |error| Expect { error: Some(error), ..Expect::NOTHING };
        assert_decodes(
            0x2AAC,
            &[
                ("", rejected("truncated opcode")),
                ("1a", rejected("invalid opcode")), // a request
                ("ff 01", rejected("invalid opcode")),
                ("1c 1a", rejected("truncated response code")),
                ("09 b4", rejected("truncated alert level")),
                ("03", rejected("truncated communication interval")),
                ("06 78 00 0a 00 11 b4 00 02 00", rejected("truncated calibration status")),
                ("1c 1a 01 00", rejected("truncated checksum")),
                ("1c 1a 01 00 00", rejected("crc crc")),
                ("1c 1a 01 00 00 00", rejected("size answer")),
            ],
        );
    }
}
