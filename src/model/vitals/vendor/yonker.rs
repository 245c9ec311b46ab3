//! `yonker-bp`: the result that Yonker cuffs (YK-IBPA1, YK-BPW5) send, fifteen bytes without a checksum.
//!
//! ```text
//! 81 | systolic | diastolic | pulse | - (2) | day | month | year - 2000 | hour | minute | - (4)
//! ```
//!
//! Layout: `derdilla/blood-pressure-monitor-fl`, issue 615 and its decoder. Frames of other kinds come while
//! the cuff inflates and are nobody's blood pressure.

use crate::vitals::gatt::{Cursor, DecodeError, Decoded, Quality};
use crate::vitals::nomenclature::*;
use crate::vitals::vendor::about::{About, Endpoint};
use crate::vitals::vendor::cuff::{Cuff, offer};
use crate::vitals::vendor::wire::stamp_2000;

pub(super) const ABOUT: About = About {
    word: "yonker-bp",
    device: "Yonker cuffs",
    measures: &[SYSTOLIC, DIASTOLIC, PULSE_RATE_CUFF],
    needs: &[],
    endpoint: Endpoint {
        service: "cdeacd80-5235-4c07-8846-93a37ee6b86d",
        notify: &["cdeacd81-5235-4c07-8846-93a37ee6b86d"],
        write: &[],
        start: &[],
    },
};

const RESULT: u8 = 0x81;

pub(super) fn read(cursor: &mut Cursor<'_>, decoded: &mut Decoded) -> Result<(), DecodeError> {
    if cursor.u8("type")? != RESULT {
        return Err(DecodeError::Unknown { field: "type" });
    }
    let [systolic, diastolic, pulse, ..] = cursor.bytes::<5>("pressures and pulse")?;
    let [day, month, year, hour, minute] = cursor.bytes::<5>("time stamp")?;
    cursor.bytes::<4>("end")?;
    decoded.stamp(stamp_2000(year, [month, day, hour, minute, 0]));
    let cuff = Cuff {
        systolic: u16::from(systolic),
        diastolic: u16::from(diastolic),
        pulse: u16::from(pulse),
    };
    offer(decoded, cuff, &Quality::default());
    Ok(())
}

#[cfg(test)]
pub(super) mod tests;
