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
mod cgm;
mod cts;
mod cursor;
mod event;
mod gls;
mod gls_context;
mod hrs;
mod hts;
mod plx;
mod quality;
mod quirk;
mod racp;
mod rsc;
mod wss;

use jiff::civil::DateTime;

use crate::vitals::Characteristic;
use crate::vitals::decimal::Decimal;
use crate::vitals::nomenclature::{Absent, Mdc, Status, Unit};
use crate::vitals::plausible;
use crate::vitals::sfloat::Reading;

pub use event::{Counter, Event, Note, Quantity, Topic};
pub use quirk::Quirks;

use cursor::{Cursor, Stamp};
use quality::Quality;

/// Longest attribute value (Bluetooth Core, Vol 3 Part F, 3.2.9).
pub const FRAME_LEN_MAX: usize = 512;

/// A value that may be charted (S-7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charted {
    /// What was measured.
    pub code: Mdc,
    /// The device's digits.
    pub value: Decimal,
    /// The device's unit.
    pub unit: Unit,
    /// Remarks on quality.
    pub status: Vec<Status>,
}

/// A value that must not be charted, and why (S-7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Withheld {
    /// What was measured.
    pub code: Mdc,
    /// Why it may not be charted.
    pub reason: Absent,
}

/// What one frame says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decoded {
    /// What may be charted.
    pub observations: Vec<Charted>,
    /// What must not be charted.
    pub withheld: Vec<Withheld>,
    /// What is no measurement of a vital sign.
    pub events: Vec<Event>,
    /// The frame's own time stamp: the device's local wall time, never ours.
    pub time: Option<DateTime>,
    /// Battery level in percent, from 2A19.
    pub battery_percent: Option<u8>,
}

impl Decoded {
    /// Charts the reading, or withholds it under the first reason that applies: the device's own
    /// judgement, then a pattern that is no number, then plausibility (S-7).
    fn offer(&mut self, code: Mdc, unit: Unit, reading: Reading, quality: &Quality) {
        let judged = match quality.withhold {
            Some(reason) => Err(reason),
            None => reading.number().and_then(|value| {
                let plausible = plausible::is_plausible(code, unit, value);
                plausible.then_some(value).ok_or(Absent::Implausible)
            }),
        };
        match judged {
            Ok(value) => {
                let status = quality.status.clone();
                self.observations.push(Charted { code, value, unit, status });
            }
            Err(reason) => self.withheld.push(Withheld { code, reason }),
        }
    }

    fn note(&mut self, note: Note) {
        self.events.push(Event::Note(note));
    }

    fn quantity(&mut self, what: Quantity, reading: Reading, unit: Unit) {
        self.events.push(Event::Quantity { what, reading, unit });
    }

    fn count(&mut self, what: Counter, number: u32) {
        self.events.push(Event::Count { what, number });
    }

    fn label(&mut self, what: Topic, label: &'static str) {
        self.events.push(Event::Label { what, label });
    }

    /// Names the user of a shared device; 0xFF stands for unknown in every profile.
    fn user(&mut self, index: u8) {
        if index == 0xFF {
            self.note(Note::UserUnknown);
        } else {
            self.count(Counter::User, u32::from(index));
        }
    }

    fn stamp(&mut self, stamp: Stamp) {
        match stamp {
            Stamp::Known(time) => self.time = Some(time),
            Stamp::Unknown => self.note(Note::TimeUnknown),
            Stamp::Impossible => self.note(Note::TimeImpossible),
        }
    }
}

/// Why a frame was rejected whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The frame ends inside a field.
    #[error("frame ends inside {field}")]
    Truncated {
        /// Which field.
        field: &'static str,
    },
    /// A checksum does not fit its record.
    #[error("checksum does not fit")]
    Crc,
    /// A length is not what the flags announce, or the frame is longer than an attribute can be.
    #[error("wrong size of {field}")]
    Size {
        /// Of what.
        field: &'static str,
    },
    /// No decoder for this characteristic.
    #[error("characteristic is not supported")]
    Unsupported,
}

impl DecodeError {
    /// The kind of error as a stable word.
    pub fn kind(self) -> &'static str {
        match self {
            DecodeError::Truncated { .. } => "truncated",
            DecodeError::Crc => "crc",
            DecodeError::Size { .. } => "size",
            DecodeError::Unsupported => "unsupported",
        }
    }

    /// The part of the frame that is at fault.
    pub fn field(self) -> &'static str {
        match self {
            DecodeError::Truncated { field } | DecodeError::Size { field } => field,
            DecodeError::Crc => "crc",
            DecodeError::Unsupported => "characteristic",
        }
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
    if payload.len() > FRAME_LEN_MAX {
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
    Characteristic(0x2A18),
    Characteristic(0x2A19),
    Characteristic(0x2A1C),
    Characteristic(0x2A1E),
    Characteristic(0x2A2B),
    Characteristic(0x2A34),
    Characteristic(0x2A35),
    Characteristic(0x2A36),
    Characteristic(0x2A37),
    Characteristic(0x2A52),
    Characteristic(0x2A53),
    Characteristic(0x2A5E),
    Characteristic(0x2A5F),
    Characteristic(0x2A9C),
    Characteristic(0x2A9D),
    Characteristic(0x2AA7),
    Characteristic(0x2B34),
    Characteristic(0x2B35),
];

fn read(
    characteristic: Characteristic,
    cursor: &mut Cursor<'_>,
    quirks: Quirks,
    decoded: &mut Decoded,
) -> Result<(), DecodeError> {
    match characteristic.0 {
        0x2A08 => cts::date_time(cursor, decoded),
        0x2A18 => gls::measurement(cursor, decoded),
        0x2A19 => bas::level(cursor, decoded),
        0x2A1C => hts::temperature(cursor, decoded),
        0x2A1E => hts::intermediate_temperature(cursor, decoded),
        0x2A2B => cts::current_time(cursor, decoded),
        0x2A34 => gls_context::context(cursor, decoded),
        0x2A35 => blp::measurement(cursor, quirks, decoded),
        0x2A36 => blp::intermediate_cuff(cursor, decoded),
        0x2A37 => hrs::measurement(cursor, decoded),
        0x2A52 => racp::answer(cursor, decoded),
        0x2A53 => rsc::measurement(cursor, decoded),
        0x2A5E => plx::spot_check(cursor, decoded),
        0x2A5F => plx::continuous(cursor, decoded),
        0x2A9C => bcs::measurement(cursor, decoded),
        0x2A9D => wss::measurement(cursor, decoded),
        0x2AA7 => cgm::measurement(cursor, decoded),
        0x2B34 => blp::enhanced_measurement(cursor, decoded),
        0x2B35 => blp::enhanced_intermediate_cuff(cursor, decoded),
        _ => Err(DecodeError::Unsupported),
    }
}

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
