//! Vendors' own protocols to observations, one file each. Every decoder is total: any bytes give an answer.
//!
//! A frame is what the device sent at once, or one record of its memory; the protocol is told, never guessed
//! at. What it says goes through the same gate as a profile's, `Decoded::offer`.
//!
//! S-7: a checksum that does not fit, a byte that cannot be there and a record of an unknown model give an
//! error, and with an error nothing is charted. Whatever a device says of its finger, probe, search, settling
//! or state is said before any number is looked at.

mod about;
mod assembler;
mod bci;
mod contec;
mod cuff;
mod device;
mod dexcom;
mod known;
mod mgb;
mod nonin;
mod o2ring;
mod omron;
mod oximeter;
mod pc60fw;
mod polar;
mod protocol;
mod s400;
mod taidoc;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod wire;
mod yonker;

use crate::vitals::gatt::{Cursor, DecodeError, Decoded, FRAME_LEN_MAX};

pub use self::about::Endpoint;
pub use self::assembler::Assembler;
pub use self::device::Device;
pub use self::known::{Asks, KNOWN, Known};
pub use self::protocol::Protocol;

/// Decodes one frame of `protocol` from `device`.
///
/// # Errors
/// The frame is truncated, of an unknown kind or not of this protocol at all, its size or checksum wrong; or
/// the protocol needs to know what `device` does not say. Then nothing of it may be charted.
pub fn decode(protocol: Protocol, device: &Device, frame: &[u8]) -> Result<Decoded, DecodeError> {
    if frame.len() > FRAME_LEN_MAX {
        return Err(DecodeError::Size { field: "frame" });
    }
    let mut cursor = Cursor::new(frame);
    let mut decoded = Decoded::default();
    read(protocol, device, &mut cursor, &mut decoded)?;
    cursor.finish(&mut decoded);
    Ok(decoded)
}

fn read(
    protocol: Protocol,
    device: &Device,
    cursor: &mut Cursor<'_>,
    decoded: &mut Decoded,
) -> Result<(), DecodeError> {
    match protocol {
        Protocol::Nonin3230 => nonin::read(cursor, decoded),
        Protocol::O2ring => o2ring::read(cursor, decoded),
        Protocol::Pc60fw => pc60fw::read(cursor, decoded),
        Protocol::Bci => bci::read(cursor, decoded),
        Protocol::ContecCms50d => contec::read(cursor, decoded),
        Protocol::Taidoc => taidoc::read(cursor, device, decoded),
        Protocol::OmronRecord => omron::record::read(cursor, device, decoded),
        Protocol::OmronClock => omron::clock::read(cursor, device, decoded),
        Protocol::OmronPacket => omron::packet::read(cursor, decoded),
        Protocol::OmronHbf => omron::hbf::read(cursor, device, decoded),
        Protocol::YonkerBp => yonker::read(cursor, decoded),
        Protocol::PolarPmd => polar::read(cursor, decoded),
        Protocol::MgbScale => mgb::read(cursor, decoded),
        Protocol::XiaomiS400 => s400::read(cursor, device, decoded),
        Protocol::DexcomG6 => dexcom::g6::read(cursor, decoded),
        Protocol::DexcomG7 => dexcom::g7::read(cursor, decoded),
    }
}
