//! What one frame says, or why it says nothing.
//!
//! S-7: [`Decoded::offer`] is the one gate: a number is charted only if the device stands by it, it is a
//! number at all, and a living patient can have it.

use jiff::civil::DateTime;

use crate::vitals::decimal::Decimal;
use crate::vitals::gatt::event::{Counter, Event, Note, Quantity, Topic};
use crate::vitals::gatt::quality::Quality;
use crate::vitals::gatt::remark::{Remark, Said};
use crate::vitals::gatt::stamp::Stamp;
use crate::vitals::nomenclature::{Absent, Mdc, PULSE_RATE_OXIMETER, SPO2, Status, Unit};
use crate::vitals::plausible;
use crate::vitals::sfloat::Reading;

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
    /// That is what the device's clock shows, and no time of a measurement.
    pub is_clock: bool,
    /// Battery level in percent, from 2A19.
    pub battery_percent: Option<u8>,
    /// The sensor is on the patient and sees no pulse (PLX sensor status, bit 7).
    pub is_pulseless: bool,
    /// It has a stamp that no wall clock can be held against (UTC at a place that is not told, a clock
    /// that was set since): nobody knows how old the values are.
    pub is_undatable: bool,
}

impl Decoded {
    /// Charts the reading, or withholds it under the first reason that applies: the device's own
    /// judgement, then a pattern that is no number, then plausibility (S-7).
    pub fn offer_number(&mut self, code: Mdc, unit: Unit, value: Decimal) {
        self.offer(code, unit, Reading::Number(value), &Quality::default());
    }

    /// The same of a reading as a profile has it.
    pub(in crate::vitals) fn offer(
        &mut self,
        code: Mdc,
        unit: Unit,
        reading: Reading,
        quality: &Quality,
    ) {
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

    /// Adds a remark.
    pub(in crate::vitals) fn note(&mut self, note: Note) {
        self.events.push(Event::Note(note));
    }

    /// Adds a quantity that is not charted.
    pub(in crate::vitals) fn quantity(&mut self, what: Quantity, reading: Reading, unit: Unit) {
        self.events.push(Event::Quantity { what, reading, unit });
    }

    /// Adds a plain number.
    pub(in crate::vitals) fn count(&mut self, what: Counter, number: u32) {
        self.events.push(Event::Count { what, number });
    }

    /// Adds a choice from a profile's list.
    pub(in crate::vitals) fn label(&mut self, what: Topic, label: &'static str) {
        self.events.push(Event::Label { what, label });
    }

    /// Adds what only a vendor's protocol says.
    pub(in crate::vitals) fn say(&mut self, word: &'static str, said: Said) {
        self.events.push(Event::Vendor(Remark { word, said }));
    }

    /// Adds a choice for each bit that is set. Bits without a row are reserved and mean nothing.
    pub(super) fn set_bits(&mut self, what: Topic, bits: u32, table: &[(u32, &'static str)]) {
        for (_, label) in table.iter().filter(|(position, _)| bits & (1 << position) != 0) {
            self.label(what, label);
        }
    }

    /// A pulse beside a saturation that is none is no reading either: it is counted on the same light.
    pub(in crate::vitals) fn withhold_pulse_without_saturation(&mut self) {
        if self.observations.iter().any(|charted| charted.code == SPO2) {
            return;
        }
        let Some(reason) =
            self.withheld.iter().find(|held| held.code == SPO2).map(|held| held.reason)
        else {
            return;
        };
        let is_pulse = |charted: &mut Charted| charted.code == PULSE_RATE_OXIMETER;
        for pulse in self.observations.extract_if(.., is_pulse) {
            self.withheld.push(Withheld { code: pulse.code, reason });
        }
    }

    /// Names the user of a shared device; 0xFF stands for unknown in every profile.
    pub(in crate::vitals) fn user(&mut self, index: u8) {
        if index == 0xFF {
            self.note(Note::UserUnknown);
        } else {
            self.count(Counter::User, u32::from(index));
        }
    }

    /// Takes over the frame's own time.
    pub(in crate::vitals) fn stamp(&mut self, stamp: Stamp) {
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
    /// A field holds what its profile or protocol gives no meaning to, and without it nothing else has one.
    #[error("{field} has no meaning")]
    Invalid {
        /// Which field.
        field: &'static str,
    },
    /// No decoder for this characteristic.
    #[error("characteristic is not supported")]
    Unsupported,
    /// A vendor's frame is of a kind, or its device of a model, that no decoder is known for.
    #[error("{field} is not known")]
    Unknown {
        /// What is not known.
        field: &'static str,
    },
    /// The protocol cannot be read without something about its device that was not told.
    #[error("{field} was not told")]
    Missing {
        /// What has to be told.
        field: &'static str,
    },
    /// The frame was not encrypted with this key, or was altered on its way.
    #[error("frame is not authentic under this key")]
    Authentication,
}

impl DecodeError {
    /// The kind of error as a stable word.
    pub fn kind(self) -> &'static str {
        match self {
            DecodeError::Truncated { .. } => "truncated",
            DecodeError::Crc => "crc",
            DecodeError::Size { .. } => "size",
            DecodeError::Invalid { .. } => "invalid",
            DecodeError::Unsupported | DecodeError::Unknown { .. } => "unsupported",
            DecodeError::Missing { .. } => "missing",
            DecodeError::Authentication => "authentication",
        }
    }

    /// The part of the frame, or of what was told about its device, that is at fault.
    pub fn field(self) -> &'static str {
        match self {
            DecodeError::Truncated { field }
            | DecodeError::Size { field }
            | DecodeError::Invalid { field }
            | DecodeError::Unknown { field }
            | DecodeError::Missing { field } => field,
            DecodeError::Authentication => "bind_key",
            DecodeError::Crc => "crc",
            DecodeError::Unsupported => "characteristic",
        }
    }
}
