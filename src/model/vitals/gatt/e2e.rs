//! The checksum at the end of a value (E2E-CRC), of the glucose sensor's and the insulin pump's service.
//!
//! Whether a device sends it says its feature characteristic, which the frame does not hold; so its length
//! decides: as long as the fields, or longer by the checksum, and nothing else.

use crate::vitals::gatt::cursor::Cursor;
use crate::vitals::gatt::decoded::DecodeError;

/// Length of the checksum.
pub(super) const CRC_LEN: usize = 2;
/// Length of the insulin pump's counter and checksum.
pub(super) const COUNTER_AND_CRC_LEN: usize = 3;

/// Takes the rest of the frame and gives its `len` bytes of fields, with the checksum at its end, if there is
/// one, checked and off. A frame that is shorter is given as it is: the field it ends in has the name.
///
/// # Errors
/// The checksum does not fit, or what follows the fields is no `tail_len` bytes.
pub(super) fn checked<'a>(
    cursor: &mut Cursor<'a>,
    len: usize,
    tail_len: usize,
    field: &'static str,
) -> Result<Cursor<'a>, DecodeError> {
    let frame = cursor.rest();
    cursor.end();
    let Some((fields, tail)) = frame.split_at_checked(len) else { return Ok(Cursor::new(frame)) };
    if tail.len() == tail_len {
        check(frame)?;
    } else if tail.len() > tail_len {
        return Err(DecodeError::Size { field });
    } else if !tail.is_empty() {
        return Err(DecodeError::Truncated { field: "checksum" });
    }
    Ok(Cursor::new(fields))
}

/// Compares the last two bytes with the checksum of those before them.
///
/// # Errors
/// They are not that.
pub(super) fn check(whole: &[u8]) -> Result<(), DecodeError> {
    let (body, sent) = whole.split_last_chunk::<CRC_LEN>().ok_or(DecodeError::Crc)?;
    if crc16(body) == u16::from_le_bytes(*sent) { Ok(()) } else { Err(DecodeError::Crc) }
}

/// CRC-16/MCRF4XX: polynomial 0x1021 reflected, start 0xFFFF, no final exclusive or.
pub(super) fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xFFFF, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte), |crc, _| {
            if crc & 1 == 0 { crc >> 1 } else { (crc >> 1) ^ 0x8408 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksum_has_the_published_check_value() {
        assert_eq!(crc16(b"123456789"), 0x6F91);
    }

    #[test]
    fn a_value_ends_with_its_fields_or_with_its_checksum() {
        let [low, high] = crc16(&[1, 2]).to_le_bytes();
        let rest = |frame: &[u8]| {
            checked(&mut Cursor::new(frame), 2, CRC_LEN, "value").map(|body| body.rest().to_vec())
        };
        assert_eq!(rest(&[1, 2]), Ok(vec![1, 2]));
        assert_eq!(rest(&[1, 2, low, high]), Ok(vec![1, 2]));
        assert_eq!(rest(&[1, 3, low, high]), Err(DecodeError::Crc));
        assert_eq!(rest(&[1, 2, low]), Err(DecodeError::Truncated { field: "checksum" }));
        assert_eq!(rest(&[1, 2, low, high, 0]), Err(DecodeError::Size { field: "value" }));
        assert_eq!(rest(&[1]), Ok(vec![1]));
    }
}
