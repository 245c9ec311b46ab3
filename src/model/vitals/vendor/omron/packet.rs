//! `omron-packet`: how a block of an Omron device's memory travels. What lies in it is `omron-record`,
//! `omron-clock` or `omron-hbf`, by its address and the model.
//!
//! ```text
//! length | type (2) | address (2) | size | data | result or 00 | exclusive or of all before it
//! ```
//!
//! Types and framing: `userx14/omblepy` (README, omblepy.py) and `oliexdev/openScale` (OmronLib.kt), which
//! also tells that a device may announce more data than it sends: such memory is erased.

use crate::vitals::gatt::{Cursor, DecodeError, Decoded, Said};
use crate::vitals::vendor::about::About;
use crate::vitals::vendor::omron::{ENDPOINT, empty};
use crate::vitals::vendor::wire::{agree, take, u16_be, xor};

pub(in crate::vitals::vendor) const ABOUT: About = About {
    word: "omron-packet",
    device: "Omron cuffs and scales, blocks of their memory",
    measures: &[],
    needs: &[],
    endpoint: ENDPOINT,
};

/// Everything but data.
const FRAME_LEN: usize = 8;

const TYPES: &[(u16, &str)] = &[
    (0x0000, "open"),
    (0x0100, "read"),
    (0x01C0, "write"),
    (0x0F00, "close"),
    (0x8000, "opened"),
    (0x8100, "memory"),
    (0x81C0, "written"),
    (0x8F00, "closed"),
];
const MEMORY: u16 = 0x8100;
const ANSWER: u16 = 0x8000;

pub(in crate::vitals::vendor) fn read(
    cursor: &mut Cursor<'_>,
    decoded: &mut Decoded,
) -> Result<(), DecodeError> {
    let whole = cursor.rest();
    let len = usize::from(cursor.u8("length")?);
    let inside = len.checked_sub(FRAME_LEN).ok_or(DecodeError::Size { field: "length" })?;
    let kind = u16_be(cursor, "type")?;
    let address = u16_be(cursor, "address")?;
    let size = usize::from(cursor.u8("size")?);
    let data = take(cursor, inside, "data")?;
    let result = cursor.u8("result")?;
    cursor.u8("checksum")?;
    agree(xor(whole.get(..len).unwrap_or_default()), 0)?;
    let name = TYPES.iter().find(|(number, _)| *number == kind).map(|(_, name)| *name);
    decoded.say("type", Said::Choice(name.ok_or(DecodeError::Unknown { field: "type" })?));
    decoded.say("address", Said::Count(i64::from(address)));
    if kind == MEMORY {
        // Erased, or never sent: there is nothing in it.
        if size > data.len() || data.iter().all(|byte| *byte == 0xFF) {
            empty(decoded);
        } else {
            decoded.say("data-bytes", Said::Count(i64::try_from(size).unwrap_or(i64::MAX)));
        }
    }
    if kind & ANSWER != 0 && result != 0 {
        decoded.say("result", Said::Count(i64::from(result)));
    }
    Ok(())
}

#[cfg(test)]
pub(in crate::vitals::vendor) mod tests;
