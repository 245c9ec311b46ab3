//! Record Access Control Point (2A52): a device's answers to a request for stored records, and the requests.

mod request;

pub use self::request::{Records, Request, Span, WallTime};

use crate::vitals::gatt::cursor::Cursor;
use crate::vitals::gatt::decoded::{DecodeError, Decoded};
use crate::vitals::gatt::event::{Counter, Topic};

const NUMBER_OF_RECORDS: u8 = 5;
const RESPONSE: u8 = 6;
const COMBINED_REPORT: u8 = 8;
/// The operator of an answer.
const NO_OPERATOR: u8 = 0;

/// Reads an answer: how many records there are or were sent, or how a request ended. What is no answer is
/// rejected.
pub(super) fn answer(cursor: &mut Cursor<'_>, decoded: &mut Decoded) -> Result<(), DecodeError> {
    let opcode = cursor.u8("opcode")?;
    if !matches!(opcode, NUMBER_OF_RECORDS | RESPONSE | COMBINED_REPORT) {
        return Err(DecodeError::Invalid { field: "opcode" });
    }
    if cursor.u8("operator")? != NO_OPERATOR {
        return Err(DecodeError::Invalid { field: "operator" });
    }
    if opcode == RESPONSE {
        cursor.u8("request opcode")?;
        decoded.label(Topic::RecordAccess, outcome(cursor.u8("response code")?));
    } else {
        let count = count(cursor)?;
        decoded.count(Counter::Records, count);
    }
    Ok(())
}

/// Counts of one, two and four bytes are all seen in the field.
fn count(cursor: &mut Cursor<'_>) -> Result<u32, DecodeError> {
    const FIELD: &str = "number of records";
    match cursor.rest().len() {
        0 | 1 => cursor.u8(FIELD).map(u32::from),
        2 => cursor.u16(FIELD).map(u32::from),
        3 | 4 => cursor.u32(FIELD),
        _ => Err(DecodeError::Size { field: FIELD }),
    }
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
        let said = |events| Expect { events, ..Expect::NOTHING };
        assert_decodes(
            0x2A52,
            &[
                ("05 00 0c 00", said(&["records 12"])),
                ("05 00 0c", said(&["records 12"])),
                ("05 00 0c 00 01 00", said(&["records 65548"])),
                ("08 00 0c 00 00 00", said(&["records 12"])),
                ("06 00 01 01", said(&["record-access success"])),
                ("06 00 01 06", said(&["record-access no-records-found"])),
                ("06 00 01 63", said(&["record-access reserved"])),
                ("06 00 01 01 00", said(&["record-access success", "trailing-bytes"])),
            ],
        );
    }

    #[test]
    fn what_is_no_answer_is_rejected_by_field() {
        let rejected = |error| Expect { error: Some(error), ..Expect::NOTHING };
        assert_decodes(
            0x2A52,
            &[
                ("", rejected("truncated opcode")),
                ("05", rejected("truncated operator")),
                ("05 00", rejected("truncated number of records")),
                ("05 00 0c 00 01", rejected("truncated number of records")),
                ("05 00 0c 00 01 00 00", rejected("size number of records")),
                ("06 00", rejected("truncated request opcode")),
                ("06 00 01", rejected("truncated response code")),
                ("05 01 0c 00", rejected("invalid operator")),
                ("06 01 01 01", rejected("invalid operator")),
                ("01 01", rejected("invalid opcode")), // a request
                ("00 00 01 01", rejected("invalid opcode")),
                ("09 00 01", rejected("invalid opcode")),
            ],
        );
    }
}
