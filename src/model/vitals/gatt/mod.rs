//! GATT measurement frames to observations. Every decoder is total: any bytes give an answer.
//!
//! One file per profile reads its frame field by field. What it finds goes through one gate,
//! `Decoded::offer`, which charts a number only if the device stands by it, it is a number at all,
//! and a living patient can have it.
//!
//! S-7: nothing that is withheld is also charted, and with an error nothing is charted. Reserved flag
//! bits are ignored, trailing bytes are tolerated and named, missing bytes reject the frame.

mod bas;
mod bcs;
mod blp;
pub mod cgm;
pub mod cts;
mod cursor;
mod decoded;
mod e2e;
mod ess;
mod ets;
mod event;
mod ghs;
mod gls;
mod gls_context;
mod hrs;
mod hts;
mod idd;
pub mod join;
mod pam;
mod plx;
mod quality;
mod quirk;
pub mod racp;
mod remark;
mod rsc;
pub mod segments;
mod stamp;
#[cfg(test)]
pub(in crate::vitals) mod testing;
#[cfg(test)]
mod tests;
mod wss;

use crate::vitals::Characteristic;

pub use self::decoded::{Charted, DecodeError, Decoded, Withheld};
pub use self::event::{Counter, Event, Note, Quantity, Topic};
pub use self::quirk::Quirks;
pub use self::remark::{Remark, Said, Samples};

// What vendors' protocols are read with as well.
pub(in crate::vitals) use self::bas::level as battery_level;
pub(in crate::vitals) use self::blp::is_believable;
pub(in crate::vitals) use self::cursor::Cursor;
pub(in crate::vitals) use self::quality::{Bit, Meaning, Quality};
pub(in crate::vitals) use self::stamp::Stamp;

/// Longest attribute value (Bluetooth Core, Vol 3 Part F, 3.2.9).
pub const FRAME_LEN_MAX: usize = 512;

/// Longest frame of a characteristic: an attribute, or a record put together of several.
fn len_max(characteristic: Characteristic) -> usize {
    match characteristic.0 {
        0x2B40 | 0x2B8B | 0x2BDD => segments::RECORD_LEN_MAX,
        _ => FRAME_LEN_MAX,
    }
}

/// Decodes one frame of `characteristic` from a device that follows its profile.
///
/// # Errors
/// The frame is truncated, its size or checksum wrong, or its characteristic unknown; then nothing of
/// it may be charted.
pub fn decode(characteristic: Characteristic, payload: &[u8]) -> Result<Decoded, DecodeError> {
    decode_with_quirks(characteristic, payload, Quirks::default())
}

/// Decodes one frame of `characteristic` from a device with known deviations ([`Quirks::of`]).
///
/// # Errors
/// As [`decode`].
pub fn decode_with_quirks(
    characteristic: Characteristic,
    payload: &[u8],
    quirks: Quirks,
) -> Result<Decoded, DecodeError> {
    if payload.len() > len_max(characteristic) {
        return Err(DecodeError::Size { field: "frame" });
    }
    let mut cursor = Cursor::new(payload);
    let mut decoded = Decoded::default();
    read(characteristic, &mut cursor, quirks, &mut decoded)?;
    cursor.finish(&mut decoded);
    Ok(decoded)
}

/// Characteristics with a decoder, for support tables and tests.
pub const SUPPORTED: &[Characteristic] = &[
    Characteristic(0x2A08),
    Characteristic(0x2A0F),
    Characteristic(0x2A18),
    Characteristic(0x2A19),
    Characteristic(0x2A1C),
    Characteristic(0x2A1D),
    Characteristic(0x2A1E),
    Characteristic(0x2A2B),
    Characteristic(0x2A34),
    Characteristic(0x2A35),
    Characteristic(0x2A36),
    Characteristic(0x2A37),
    Characteristic(0x2A38),
    Characteristic(0x2A49),
    Characteristic(0x2A51),
    Characteristic(0x2A52),
    Characteristic(0x2A53),
    Characteristic(0x2A54),
    Characteristic(0x2A5E),
    Characteristic(0x2A5F),
    Characteristic(0x2A60),
    Characteristic(0x2A6D),
    Characteristic(0x2A6E),
    Characteristic(0x2A6F),
    Characteristic(0x2A9B),
    Characteristic(0x2A9C),
    Characteristic(0x2A9D),
    Characteristic(0x2A9E),
    Characteristic(0x2AA7),
    Characteristic(0x2AA8),
    Characteristic(0x2AA9),
    Characteristic(0x2AAA),
    Characteristic(0x2AAB),
    Characteristic(0x2AAC),
    Characteristic(0x2B20),
    Characteristic(0x2B21),
    Characteristic(0x2B34),
    Characteristic(0x2B35),
    Characteristic(0x2B40),
    Characteristic(0x2B8B),
    Characteristic(0x2BDD),
    Characteristic(0x2BF2),
];

fn read(
    characteristic: Characteristic,
    cursor: &mut Cursor<'_>,
    quirks: Quirks,
    decoded: &mut Decoded,
) -> Result<(), DecodeError> {
    match characteristic.0 {
        0x2A08 => cts::date_time(cursor, decoded),
        0x2A0F => cts::zone(cursor, decoded),
        0x2A18 => gls::measurement(cursor, decoded),
        0x2A19 => bas::level(cursor, decoded),
        0x2A1C => hts::temperature(cursor, decoded),
        0x2A1D => hts::temperature_type(cursor, decoded),
        0x2A1E => hts::intermediate_temperature(cursor, decoded),
        0x2A2B => cts::current_time(cursor, decoded),
        0x2A34 => gls_context::context(cursor, decoded),
        0x2A35 => blp::measurement(cursor, quirks, decoded),
        0x2A36 => blp::intermediate_cuff(cursor, decoded),
        0x2A37 => hrs::measurement(cursor, decoded),
        0x2A38 => hrs::location(cursor, decoded),
        0x2A49 => blp::features(cursor, decoded),
        0x2A51 => gls::features(cursor, decoded),
        0x2A52 => racp::answer(cursor, decoded),
        0x2A53 => rsc::measurement(cursor, decoded),
        0x2A54 => rsc::features(cursor, decoded),
        0x2A5E => plx::spot_check(cursor, decoded),
        0x2A5F => plx::continuous(cursor, decoded),
        0x2A60 => plx::features(cursor, decoded),
        0x2A6D => ess::pressure(cursor, decoded),
        0x2A6E => ess::temperature(cursor, decoded),
        0x2A6F => ess::humidity(cursor, decoded),
        0x2A9B => bcs::features(cursor, decoded),
        0x2A9C => bcs::measurement(cursor, decoded),
        0x2A9D => wss::measurement(cursor, decoded),
        0x2A9E => wss::features(cursor, decoded),
        0x2AA7 => cgm::measurement(cursor, decoded),
        0x2AA8 => cgm::session::feature(cursor, decoded),
        0x2AA9 => cgm::session::status(cursor, decoded),
        0x2AAA => cgm::session::start_time(cursor, decoded),
        0x2AAB => cgm::session::run_time(cursor, decoded),
        0x2AAC => cgm::control::answer(cursor, decoded),
        0x2B20 => idd::status_changed(cursor, decoded),
        0x2B21 => idd::status(cursor, decoded),
        0x2B34 => blp::enhanced_measurement(cursor, decoded),
        0x2B35 => blp::enhanced_intermediate_cuff(cursor, decoded),
        0x2B40 => pam::steps(cursor, decoded),
        0x2B8B => ghs::live(cursor, decoded),
        0x2BDD => ghs::stored(cursor, decoded),
        0x2BF2 => ets::current(cursor, decoded),
        _ => Err(DecodeError::Unsupported),
    }
}
