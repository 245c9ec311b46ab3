//! `pc60fw`: Viatom PC-60FW and other oximeters of Shenzhen Creative; frames follow each other.
//!
//! ```text
//! AA 55 | token | length | type, payload | CRC-8/MAXIM over all before it
//! 0F 01  SpO2 | pulse (2) | perfusion 0.1 % | status | -
//! 0F 02  five samples of the pulse wave, bit 7 set once a beat
//! 0F 21  mode | step | -      F0 03  battery, 0 to 3
//! ```
//!
//! Framing: `sza2/viatom_pc60fw`; names of types and status bits: the manufacturer's `viatomEcho/LepuBle`
//! (PC60FwBleResponse.kt). Its SDK's page says that zero is invalid.
//!
//! S-7: a probe that is off and a pulse that is searched for give no reading. The newest numbers of a
//! notification speak for it.

use crate::vitals::gatt::{Bit, Cursor, DecodeError, Decoded, Meaning, Quality, Said, Samples};
use crate::vitals::nomenclature::*;
use crate::vitals::vendor::about::{About, Endpoint};
use crate::vitals::vendor::oximeter::{offer, offer_index, unless};
use crate::vitals::vendor::wire::{Piece, agree, crc8_maxim, fixed, take};

pub(super) const ABOUT: About = About {
    word: "pc60fw",
    device: "Viatom PC-60FW and its kin",
    measures: &[SPO2, PULSE_RATE_OXIMETER, PERFUSION_INDEX],
    needs: &[],
    endpoint: Endpoint {
        service: "6e400001-b5a3-f393-e0a9-e50e24dcca9e",
        notify: &["6e400003-b5a3-f393-e0a9-e50e24dcca9e"],
        write: &["6e400002-b5a3-f393-e0a9-e50e24dcca9e"],
        start: &[],
    },
};

const MARKER: [u8; 2] = [0xAA, 0x55];
const OXIMETER: u8 = 0x0F;
const EQUIPMENT: u8 = 0xF0;

/// The beat's mark, which lies over the sample.
const BEAT: u8 = 1 << 7;

const STATUS: &[Bit] = &[
    (1, Meaning::Withhold(Absent::NotOnUser)),   // probe off
    (2, Meaning::Withhold(Absent::Unavailable)), // searching for a pulse
];

/// Saturation, pulse, perfusion index and status.
type Numbers = (u8, u16, u8, u8);

pub(super) fn read(cursor: &mut Cursor<'_>, decoded: &mut Decoded) -> Result<(), DecodeError> {
    let (mut newest, mut pleth) = (None, Samples::NONE);
    loop {
        let whole = cursor.rest();
        fixed(cursor, MARKER[0], "marker")?;
        fixed(cursor, MARKER[1], "marker")?;
        let token = cursor.u8("token")?;
        let len = usize::from(cursor.u8("length")?);
        let checked = len.checked_sub(1).ok_or(DecodeError::Size { field: "length" })?;
        let body = take(cursor, checked, "payload")?;
        let sent = cursor.u8("crc")?;
        agree(crc8_maxim(whole.get(..4 + checked).unwrap_or_default()), sent)?;
        let mut body = Cursor::new(body);
        match (token, body.u8("type")?) {
            (OXIMETER, 0x01) => newest = Some(numbers(&mut body)?),
            (OXIMETER, 0x02) => {
                let samples = body.bytes::<5>("wave")?;
                samples.iter().for_each(|sample| pleth.add(i64::from(sample & !BEAT)));
            }
            (OXIMETER, 0x21) => work(&mut body, decoded)?,
            (EQUIPMENT, 0x03) => {
                decoded.say("battery-bars", Said::Count(i64::from(body.u8("battery")?)));
            }
            (OXIMETER | EQUIPMENT, kind) => decoded.say("other", Said::Count(i64::from(kind))),
            _ => return Err(DecodeError::Unknown { field: "token" }),
        }
        if cursor.rest().get(..MARKER.len()) != Some(&MARKER) {
            break;
        }
    }
    if let Some((spo2, pulse, index, status)) = newest {
        let quality = Quality::of(u32::from(status), STATUS);
        let valid = |raw| unless(raw, 0, Absent::Invalid);
        offer(decoded, valid(u16::from(spo2)), valid(pulse), &quality);
        offer_index(decoded, valid(u16::from(index)), -1, &quality);
    }
    if pleth.count() > 0 {
        decoded.say("pleth", Said::Samples(pleth, "1"));
    }
    Ok(())
}

/// One of the frames that follow each other.
pub(super) fn piece(bytes: &[u8]) -> Piece {
    let fits = |frame: &[u8]| {
        frame.split_last().is_some_and(|(sent, checked)| crc8_maxim(checked) == *sent)
    };
    match *bytes {
        [0xAA, 0x55, _, 0, ..] => Piece::Wrong,
        [0xAA, 0x55, _, len, ..] => {
            let len = 4 + usize::from(len);
            Piece::of(bytes, len, fits, Piece::Run(len))
        }
        [] | [0xAA] | [0xAA, 0x55] | [0xAA, 0x55, _] => Piece::More,
        _ => Piece::Wrong,
    }
}

fn numbers(body: &mut Cursor<'_>) -> Result<Numbers, DecodeError> {
    let spo2 = body.u8("spo2")?;
    let pulse = body.u16("pulse rate")?;
    Ok((spo2, pulse, body.u8("perfusion index")?, body.u8("status")?))
}

/// What the oximeter is doing, by its own words.
fn work(body: &mut Cursor<'_>, decoded: &mut Decoded) -> Result<(), DecodeError> {
    const MODES: &[&str] = &["reserved", "spot-check", "continuous", "menu"];
    const STEPS: &[&str] =
        &["idle", "preparing", "measuring", "result", "pulse-analysis", "finished"];
    for (word, names) in [("mode", MODES), ("step", STEPS)] {
        let choice = names.get(usize::from(body.u8(word)?)).copied().unwrap_or("reserved");
        decoded.say(word, Said::Choice(choice));
    }
    Ok(())
}

#[cfg(test)]
pub(super) mod tests;
