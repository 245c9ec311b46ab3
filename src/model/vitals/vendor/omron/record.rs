//! `omron-record`: one slot of a cuff's memory, by the model it is from.
//!
//! The two words of bits are `movement irregular month(4) day(5) hour(5)` and `position(2) battery(1) cuff(1)
//! minute(6) second(6)`. Layouts: `eigger/hass-omron` (record_parsers.py and its test, with captures) and
//! `userx14/omblepy` (deviceSpecific); the cuff bit, clear while the cuff sits badly: `omblepy` issue 21, of
//! the bit-packed layout.

use crate::vitals::gatt::{Counter, Cursor, DecodeError, Decoded, Quality};
use crate::vitals::nomenclature::*;
use crate::vitals::vendor::about::About;
use crate::vitals::vendor::cuff::{self, Cuff};
use crate::vitals::vendor::device::Device;
use crate::vitals::vendor::omron::catalog::Layout;
use crate::vitals::vendor::omron::{ENDPOINT, empty, family, is_blank, stamp, stored};
use crate::vitals::vendor::wire::take;

pub(in crate::vitals::vendor) const ABOUT: About = About {
    word: "omron-record",
    device: "Omron cuffs (HEM), their memory",
    measures: &[SYSTOLIC, DIASTOLIC, PULSE_RATE_CUFF],
    needs: &["model"],
    endpoint: ENDPOINT,
};

/// Systolic pressure is stored less this.
const SYSTOLIC_BASE: u16 = 25;
/// A larger one marks a slot that holds nothing.
const SYSTOLIC_MAX: u8 = 0xE1;
const YEAR_MASK: u8 = 0x3F;

/// One record before it is judged.
#[derive(Clone, Copy, Debug)]
struct Entry {
    systolic: u8,
    diastolic: u8,
    pulse: u8,
    year: u8,
    /// Month, day, hour, minute, second.
    clock: [u8; 5],
    moved: bool,
    irregular: bool,
    loose: bool,
    failed: bool,
}

pub(in crate::vitals::vendor) fn read(
    cursor: &mut Cursor<'_>,
    device: &Device,
    decoded: &mut Decoded,
) -> Result<(), DecodeError> {
    let family = family(device)?;
    let slot = take(cursor, family.len, "record")?;
    if is_blank(slot) {
        empty(decoded);
        return Ok(());
    }
    let mut inner = Cursor::new(slot);
    let entry = match family.record {
        Layout::ByteAligned => byte_aligned(&mut inner)?,
        Layout::BitPacked => bit_packed(&mut inner)?,
        Layout::Dated => dated(&mut inner)?,
        Layout::Watch => watch(&mut inner, decoded)?,
    };
    let never = entry.diastolic == 0 && entry.pulse == 0 && entry.year == 0;
    if entry.systolic > SYSTOLIC_MAX || never && entry.clock == [0; 5] {
        empty(decoded);
    } else {
        judge(entry, decoded);
    }
    Ok(())
}

fn byte_aligned(cursor: &mut Cursor<'_>) -> Result<Entry, DecodeError> {
    let [systolic, diastolic, pulse, year] = cursor.bytes("record")?;
    let (first, second) = (cursor.u16("record")?, cursor.u16("record")?);
    Ok(entry([systolic, diastolic, pulse, year], first, second))
}

fn bit_packed(cursor: &mut Cursor<'_>) -> Result<Entry, DecodeError> {
    const CUFF_FITS: u16 = 1 << 12;
    let [diastolic, systolic, year, pulse] = cursor.bytes("record")?;
    let first = cursor.bytes("record").map(u16::from_be_bytes)?;
    let second = cursor.bytes("record").map(u16::from_be_bytes)?;
    let loose = second & CUFF_FITS == 0;
    Ok(Entry { loose, ..entry([systolic, diastolic, pulse, year], first, second) })
}

fn entry([systolic, diastolic, pulse, year]: [u8; 4], first: u16, second: u16) -> Entry {
    let bits = |word: u16, shift: u32, count: u32| {
        let [low, _] = (word >> shift & ((1 << count) - 1)).to_le_bytes();
        low
    };
    let (month, day, hour) = (bits(first, 10, 4), bits(first, 5, 5), bits(first, 0, 5));
    Entry {
        systolic,
        diastolic,
        pulse,
        year: year & YEAR_MASK,
        clock: [month, day, hour, bits(second, 6, 6), bits(second, 0, 6)],
        moved: first & 1 << 15 != 0,
        irregular: first & 1 << 14 != 0,
        loose: false,
        failed: false,
    }
}

fn dated(cursor: &mut Cursor<'_>) -> Result<Entry, DecodeError> {
    let [year, clock @ ..] = cursor.bytes::<6>("record")?;
    let [systolic, diastolic, pulse, _, _, flags] = cursor.bytes("record")?;
    let (irregular, moved) = (flags & 0b0011 != 0, flags & 0b1100 != 0);
    Ok(Entry {
        systolic,
        diastolic,
        pulse,
        year,
        clock,
        moved,
        irregular,
        loose: false,
        failed: false,
    })
}

fn watch(cursor: &mut Cursor<'_>, decoded: &mut Decoded) -> Result<Entry, DecodeError> {
    let entry = byte_aligned(cursor)?;
    cursor.bytes::<2>("record")?;
    let sequence = cursor.u16("record")?;
    cursor.bytes::<5>("record")?;
    let error = cursor.u8("record")?;
    decoded.count(Counter::Sequence, u32::from(sequence));
    Ok(Entry { failed: error != 0, ..entry })
}

fn judge(entry: Entry, decoded: &mut Decoded) {
    let stamp = stamp(entry.year, entry.clock);
    decoded.stamp(stamp);
    let mut quality: Quality = stored(stamp);
    for (is, status) in [
        (entry.moved, Status::BodyMovement),
        (entry.irregular, Status::IrregularPulse),
        (entry.loose, Status::CuffTooLoose),
    ] {
        if is {
            quality.status.push(status);
        }
    }
    if entry.failed {
        quality.withhold(Absent::MeasurementFailed);
    }
    let cuff = Cuff {
        systolic: u16::from(entry.systolic) + SYSTOLIC_BASE,
        diastolic: u16::from(entry.diastolic),
        pulse: u16::from(entry.pulse),
    };
    cuff::offer(decoded, cuff, &quality);
}

#[cfg(test)]
pub(in crate::vitals::vendor) mod tests;
