//! Record Access Control Point (2A52): a device's answers to a request for stored records.

use crate::vitals::gatt::cursor::Cursor;
use crate::vitals::gatt::decoded::{DecodeError, Decoded};
use crate::vitals::gatt::event::{Counter, Topic};

const NUMBER_OF_RECORDS: u8 = 5;
const RESPONSE: u8 = 6;

/// Reads an answer: how many records there are, or how a request ended. Other opcodes are no answers
/// and are named as such; their operands are not read.
pub(super) fn answer(cursor: &mut Cursor<'_>, decoded: &mut Decoded) -> Result<(), DecodeError> {
    let opcode = cursor.u8("opcode")?;
    cursor.u8("operator")?;
    match opcode {
        NUMBER_OF_RECORDS => {
            // Counts of one, two and four bytes are all seen in the field.
            let count = match cursor.rest().len() {
                1 => u32::from(cursor.u8("number of records")?),
                2 | 3 => u32::from(cursor.u16("number of records")?),
                _ => cursor.u32("number of records")?,
            };
            decoded.count(Counter::Records, count);
        }
        RESPONSE => {
            cursor.u8("request opcode")?;
            decoded.label(Topic::RecordAccess, outcome(cursor.u8("response code")?));
        }
        _ => decoded.label(Topic::RecordAccess, "no-answer"),
    }
    Ok(())
}

fn outcome(code: u8) -> &'static str {
    match code {
        1 => "success",
        2 => "opcode-not-supported",
        3 => "invalid-operator",
        4 => "operator-not-supported",
        5 => "invalid-operand",
        6 => "no-records-found",
        7 => "abort-unsuccessful",
        8 => "procedure-not-completed",
        9 => "operand-not-supported",
        _ => "reserved",
    }
}

#[cfg(test)]
mod tests {
    use crate::vitals::gatt::testing::{Expect, assert_decodes};

    #[test]
    fn answers() {
        assert_decodes(
            0x2A52,
            &[
                ("05 00 0c 00", Expect { events: &["records 12"], ..Expect::NOTHING }),
                ("05 00 0c", Expect { events: &["records 12"], ..Expect::NOTHING }),
                ("05 00 0c 00 01 00", Expect { events: &["records 65548"], ..Expect::NOTHING }),
                ("06 00 01 01", Expect { events: &["record-access success"], ..Expect::NOTHING }),
                (
                    "06 00 01 06",
                    Expect { events: &["record-access no-records-found"], ..Expect::NOTHING },
                ),
                ("06 00 01 63", Expect { events: &["record-access reserved"], ..Expect::NOTHING }),
                ("05 00", Expect { error: Some("truncated number of records"), ..Expect::NOTHING }),
                ("06 00 01", Expect { error: Some("truncated response code"), ..Expect::NOTHING }),
            ],
        );
    }
}
