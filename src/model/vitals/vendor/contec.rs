//! `contec-cms50d`: the Contec CMS50D-BT, whose frames may come two or three in one notification.
//!
//! ```text
//! numbers EB 01 | status | pulse | SpO2 | 7F 00 | check
//! wave    EB 00 | strength(4), beep at bit 6 | pleth | bar | check
//! ```
//!
//! The check is the sum of what stands before it, modulo 128: it fits every frame and both commands that
//! were recorded (`tobiasisenberg/OxiVis`, issue 2, which has the layout).
//!
//! S-7: bit 1 of the status stands for a finger in the device, in the words of that issue "probably". A frame
//! without it charts nothing, whatever its numbers: better no reading than one of nobody.

use crate::vitals::gatt::{Cursor, DecodeError, Decoded, Quality, Said, Samples};
use crate::vitals::nomenclature::*;
use crate::vitals::vendor::about::{About, Endpoint};
use crate::vitals::vendor::oximeter::{offer, unless};
use crate::vitals::vendor::wire::{Piece, agree, fixed, sum};

pub(super) const ABOUT: About = About {
    word: "contec-cms50d",
    device: "Contec CMS50D-BT",
    measures: &[SPO2, PULSE_RATE_OXIMETER],
    needs: &[],
    endpoint: Endpoint {
        service: "0000ff12-0000-1000-8000-00805f9b34fb",
        notify: &["0000ff02-0000-1000-8000-00805f9b34fb"],
        write: &["0000ff01-0000-1000-8000-00805f9b34fb"],
        start: STREAM,
    },
};

/// To be written again within a minute, or the device falls silent.
pub(super) const STREAM: &[u8] = &[0x9B, 0x01, 0x1C];

const MARKER: u8 = 0xEB;
const NUMBERS: u8 = 0x01;
const WAVE: u8 = 0x00;
const FINGER: u8 = 1 << 1;
const STRENGTH: u8 = 0x0F;
const CHECK_MASK: u8 = 0x7F;
const NO_SPO2: u16 = 0x7F;

pub(super) fn read(cursor: &mut Cursor<'_>, decoded: &mut Decoded) -> Result<(), DecodeError> {
    let mut newest = None;
    let (mut pleth, mut strength) = (Samples::NONE, None);
    loop {
        fixed(cursor, MARKER, "marker")?;
        match cursor.u8("type")? {
            NUMBERS => {
                let body = cursor.bytes::<6>("numbers")?;
                let [status, pulse, spo2, ..] = body;
                check(NUMBERS, &body)?;
                newest = Some((status, pulse, spo2));
            }
            WAVE => {
                let body = cursor.bytes::<4>("wave")?;
                let [first, wave, ..] = body;
                check(WAVE, &body)?;
                pleth.add(i64::from(wave));
                strength = Some(first & STRENGTH);
            }
            _ => return Err(DecodeError::Unknown { field: "type" }),
        }
        if cursor.rest().first() != Some(&MARKER) {
            break;
        }
    }
    if let Some((status, pulse, spo2)) = newest {
        let mut quality = Quality::default();
        if status & FINGER == 0 {
            quality.withhold(Absent::NotOnUser);
        }
        let spo2 = unless(u16::from(spo2), NO_SPO2, Absent::Invalid);
        offer(decoded, spo2, Ok(u16::from(pulse)), &quality);
    }
    if let Some(strength) = strength {
        decoded.say("signal-strength", Said::Count(i64::from(strength)));
        decoded.say("pleth", Said::Samples(pleth, "1"));
    }
    Ok(())
}

fn check(kind: u8, body: &[u8]) -> Result<(), DecodeError> {
    let (sent, before) = body.split_last().ok_or(DecodeError::Crc)?;
    let head = MARKER.wrapping_add(kind);
    agree(head.wrapping_add(sum(before)) & CHECK_MASK, *sent)
}

/// One of the frames that follow each other.
pub(super) fn piece(bytes: &[u8]) -> Piece {
    let fits = |frame: &[u8]| match frame {
        [MARKER, kind, body @ ..] => check(*kind, body).is_ok(),
        _ => false,
    };
    match *bytes {
        [MARKER, NUMBERS, ..] => Piece::of(bytes, 8, fits, Piece::Run(8)),
        [MARKER, WAVE, ..] => Piece::of(bytes, 6, fits, Piece::Run(6)),
        [] | [MARKER] => Piece::More,
        _ => Piece::Wrong,
    }
}

#[cfg(test)]
pub(super) mod tests;
