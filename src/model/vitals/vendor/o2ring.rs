//! `o2ring`: Wellue and Viatom rings and clips (O2Ring, KidsO2, OxyLink), which answer commands.
//!
//! ```text
//! 55 | result | not result | block (2) | length (2) | payload | CRC-8
//! live (0x17)  SpO2 | pulse (2) | steps (4) | battery | charging | motion | perfusion 0.1 % | lead | alarms
//! wave (0x1B)  SpO2 | pulse (2) | battery | charging | perfusion | lead | - (3) | length (2) | samples
//! ```
//!
//! Framing and offsets: `MackeyStingray/o2r` (o2pkt.py, o2state.py). Widths and the lead's states: the
//! manufacturer's `viatomEcho/LepuBle` (OxyBleResponse.kt).
//!
//! An answer does not tell which command it answers: it is known by its length, and a block of a file by its
//! number. S-7: off the finger, and while both numbers are zero (`ecostech/viatom-ble`: the ring still
//! settles), nothing is charted. Motion is told and withholds nothing: a ring worn well reports it too.

use jiff::civil::DateTime;

use crate::vitals::gatt::{
    Cursor, DecodeError, Decoded, Note, Quality, Said, Samples, Stamp, battery_level,
};
use crate::vitals::nomenclature::*;
use crate::vitals::vendor::about::{About, Endpoint};
use crate::vitals::vendor::oximeter::{Number, offer, offer_index};
use crate::vitals::vendor::wire::{Piece, agree, crc8, fixed, take};

pub(super) const ABOUT: About = About {
    word: "o2ring",
    device: "Viatom and Wellue rings and clips",
    measures: &[SPO2, PULSE_RATE_OXIMETER, PERFUSION_INDEX],
    needs: &[],
    endpoint: Endpoint {
        service: "14839ac4-7d7e-415c-9a42-167340cf2339",
        notify: &["0734594a-a8e7-4b1a-a6b1-cd5243059a57"],
        write: &["8b00ace7-eb0b-49b0-bbe9-9aee0a26e1a3"],
        // Each live reading is asked for.
        start: LIVE,
    },
};

/// What a live reading is asked for with.
pub(super) const LIVE: &[u8] = &[0xAA, 0x17, 0xE8, 0x00, 0x00, 0x00, 0x00, 0x1B];

const MARKER: u8 = 0x55;
const SUCCESS: u8 = 0;
/// Bytes of a frame beside its payload.
const FRAME: usize = 8;
const LIVE_LENS: [usize; 2] = [12, 13];
const WAVE_HEAD: usize = 12;

/// What both live answers hold.
struct Live {
    spo2: u8,
    pulse: u16,
    charging: u8,
    index: u8,
    lead: u8,
}

pub(super) fn read(cursor: &mut Cursor<'_>, decoded: &mut Decoded) -> Result<(), DecodeError> {
    let whole = cursor.rest();
    fixed(cursor, MARKER, "marker")?;
    let result = cursor.u8("result")?;
    fixed(cursor, !result, "result complement")?;
    let block = cursor.u16("block")?;
    let len = usize::from(cursor.u16("length")?);
    let payload = take(cursor, len, "payload")?;
    let sent = cursor.u8("crc")?;
    let checked = whole.get(..whole.len() - cursor.rest().len() - 1).unwrap_or_default();
    agree(crc8(checked), sent)?;
    if result != SUCCESS {
        decoded.say("refused", Said::Count(i64::from(result)));
        return Ok(());
    }
    let mut inner = Cursor::new(payload);
    if block == 0 && LIVE_LENS.contains(&len) {
        live(&mut inner, decoded)
    } else if payload.first() == Some(&b'{') {
        settings(payload, decoded);
        Ok(())
    } else if block == 0 && payload.get(10..WAVE_HEAD).is_some_and(|sent| announces(sent, len)) {
        wave(&mut inner, decoded)
    } else {
        decoded.say("data-bytes", Said::Count(i64::from(u16::try_from(len).unwrap_or(u16::MAX))));
        Ok(())
    }
}

/// An answer: its length is in it, and it may be longer than a packet.
pub(super) fn piece(bytes: &[u8]) -> Piece {
    let fits =
        |frame: &[u8]| frame.split_last().is_some_and(|(sent, checked)| crc8(checked) == *sent);
    match *bytes {
        [MARKER, result, complement, ..] if complement != !result => Piece::Wrong,
        [MARKER, _, _, _, _, low, high, ..] => {
            let len = FRAME + usize::from(u16::from_le_bytes([low, high]));
            Piece::of(bytes, len, fits, Piece::Whole(len))
        }
        [] | [MARKER, ..] => Piece::More,
        _ => Piece::Wrong,
    }
}

/// Whether these two bytes announce the samples that a payload of this length has room for.
fn announces(sent: &[u8], len: usize) -> bool {
    <[u8; 2]>::try_from(sent)
        .is_ok_and(|sent| usize::from(u16::from_le_bytes(sent)) + WAVE_HEAD == len)
}

fn live(cursor: &mut Cursor<'_>, decoded: &mut Decoded) -> Result<(), DecodeError> {
    let (spo2, pulse) = (cursor.u8("spo2")?, cursor.u16("pulse rate")?);
    let steps = cursor.u32("steps")?;
    battery_level(cursor, decoded)?;
    let charging = cursor.u8("charging state")?;
    let motion = cursor.u8("motion")?;
    let (index, lead) = (cursor.u8("perfusion index")?, cursor.u8("lead state")?);
    judge(&Live { spo2, pulse, charging, index, lead }, decoded);
    decoded.say("motion", Said::Count(i64::from(motion)));
    if steps != 0 {
        decoded.say("steps", Said::Count(i64::from(steps)));
    }
    Ok(())
}

fn wave(cursor: &mut Cursor<'_>, decoded: &mut Decoded) -> Result<(), DecodeError> {
    let (spo2, pulse) = (cursor.u8("spo2")?, cursor.u16("pulse rate")?);
    battery_level(cursor, decoded)?;
    let charging = cursor.u8("charging state")?;
    let (index, lead) = (cursor.u8("perfusion index")?, cursor.u8("lead state")?);
    cursor.bytes::<5>("wave length")?;
    judge(&Live { spo2, pulse, charging, index, lead }, decoded);
    let mut pleth = Samples::NONE;
    cursor.rest().iter().for_each(|sample| pleth.add(i64::from(*sample)));
    decoded.say("pleth", Said::Samples(pleth, "1"));
    Ok(())
}

fn judge(live: &Live, decoded: &mut Decoded) {
    let mut quality = Quality::default();
    // The high half counts down from ten while the ring waits for a finger.
    match live.lead & 0x0F {
        0 => quality.withhold(Absent::NotOnUser),
        1 => {}
        _ => quality.withhold(Absent::SensorFault),
    }
    if live.spo2 == 0 && live.pulse == 0 {
        quality.withhold(Absent::Calibrating);
    }
    let valid = |raw: u16, none: &[u16]| -> Number {
        if none.contains(&raw) { Err(Absent::Invalid) } else { Ok(raw) }
    };
    let spo2 = valid(u16::from(live.spo2), &[0, 0xFF]);
    offer(decoded, spo2, valid(live.pulse, &[0, 0xFF, 0xFFFF]), &quality);
    offer_index(decoded, valid(u16::from(live.index), &[0]), -1, &quality);
    match live.charging {
        0 => {}
        1 => decoded.say("charging", Said::Nothing),
        2 => decoded.say("charged", Said::Nothing),
        _ => decoded.say("charging-state", Said::Count(i64::from(live.charging))),
    }
}

/// The answer to 0x14 is a text of settings; the clock in it is the ring's own wall time.
fn settings(payload: &[u8], decoded: &mut Decoded) {
    const KEY: &str = "\"CurTIME\":\"";
    decoded.say("settings", Said::Nothing);
    let text = String::from_utf8_lossy(payload);
    if let Some((_, after)) = text.split_once(KEY) {
        let written = after.split('"').next().unwrap_or_default();
        match DateTime::strptime("%Y-%m-%d,%H:%M:%S", written) {
            Ok(time) => decoded.stamp(Stamp::Known(time)),
            Err(_) => decoded.note(Note::TimeImpossible),
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
