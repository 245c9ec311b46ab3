//! `omron-clock`: the block of a cuff's memory that its clock runs in, by the model it is from.
//!
//! Blocks: `eigger/hass-omron` (omron_driver.py and tests/test_eeprom_time.py, with captures), `userx14/
//! omblepy`. It is the cuff's own wall time: written after a change, it has to be read back.

use crate::vitals::gatt::{Cursor, DecodeError, Decoded};
use crate::vitals::vendor::about::About;
use crate::vitals::vendor::device::Device;
use crate::vitals::vendor::omron::catalog::Clock;
use crate::vitals::vendor::omron::{ENDPOINT, family, stamp};
use crate::vitals::vendor::wire::{agree, sum, take};

pub(in crate::vitals::vendor) const ABOUT: About = About {
    word: "omron-clock",
    device: "Omron cuffs (HEM), their clock",
    measures: &[],
    needs: &["model"],
    endpoint: ENDPOINT,
};

pub(in crate::vitals::vendor) fn read(
    cursor: &mut Cursor<'_>,
    device: &Device,
    decoded: &mut Decoded,
) -> Result<(), DecodeError> {
    let clock = family(device)?.clock;
    let (len, at, sum_at) = match clock {
        Clock::Linear | Clock::Mixed => (10, 2, Some(9)),
        Clock::LinearAt8 | Clock::MixedAt8 => (16, 8, Some(14)),
        Clock::Prefix => (16, 0, None),
    };
    let block = take(cursor, len, "clock")?;
    if let Some((before, [sent, ..])) = sum_at.and_then(|at| block.split_at_checked(at)) {
        agree(sum(before), *sent)?;
    }
    let mut inner = Cursor::new(block.get(at..).unwrap_or_default());
    let [a, b, c, d, e, f] = inner.bytes("clock")?;
    decoded.stamp(match clock {
        Clock::Linear | Clock::LinearAt8 | Clock::Prefix => stamp(a, [b, c, d, e, f]),
        Clock::Mixed | Clock::MixedAt8 => stamp(b, [a, d, c, f, e]),
    });
    Ok(())
}

#[cfg(test)]
pub(in crate::vitals::vendor) mod tests;
