//! One USB badge reader at work: asking a pcProx, reading what a keyboard types.

use std::thread;
use std::time::Duration;

use crate::presence::badges::{Field, Slot};
use crate::usb_badge::keyboard_badge::{Typed, Typing};
use crate::usb_badge::pcprox::{self, Change, Feature, Hold, Look, Question, Report};
use crate::usb_badge::usb::{Claimed, UsbError, UsbId};
use wardkeep_model::moment::Moment;
use wardkeep_model::ports::Event;

/// Faults in a row after which a reader is let go, to be claimed anew.
const FAULTS_MAX: u8 = 5;
/// Between a question and its answer; the reader needs a moment.
const SETTLE: Duration = Duration::from_millis(1);

/// Which way a reader is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Model {
    PcProx,
    Keyboard,
}

impl Model {
    /// What the site says of a reader goes before what is known of it.
    pub(super) fn of(id: UsbId, keyboard_badge: Option<UsbId>) -> Option<Self> {
        if Some(id) == keyboard_badge {
            Some(Model::Keyboard)
        } else {
            (id == pcprox::USB_ID).then_some(Model::PcProx)
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Model::PcProx => "pcProx",
            Model::Keyboard => "keyboard reader",
        }
    }

    /// With its USB number.
    pub(super) fn shown(self, (vendor, product): UsbId) -> String {
        format!("{} {vendor:04x}:{product:04x}", self.name())
    }
}

/// What was read of a reader so far.
enum Reading {
    PcProx(Hold),
    Keyboard(Typing),
}

/// A reader that is claimed.
pub(super) struct Station {
    /// Bus and address: another device at the same place has another address.
    place: (u8, u8),
    slot: Slot,
    claimed: Claimed,
    reading: Reading,
    /// For people: what it is and its USB number.
    name: String,
    /// The site lets badges be presented there.
    is_allowed: bool,
    /// It types what it reads, whatever it is told.
    types: bool,
    faults: u8,
}

impl Station {
    /// Prepares a reader: a pcProx is told not to type, a keyboard to report in the boot form.
    pub(super) fn connect(
        place: (u8, u8),
        slot: Slot,
        (model, id): (Model, UsbId),
        is_allowed: bool,
        claimed: Claimed,
    ) -> Result<Self, UsbError> {
        let mut types = false;
        let reading = match model {
            Model::PcProx => {
                let firmware = ask(&claimed, Question::Device)?;
                let firmware = pcprox::firmware(&firmware).unwrap_or_default();
                let silent = silence(&claimed)?;
                types = !silent;
                tracing::info!(firmware, silent, "pcProx badge reader");
                Reading::PcProx(Hold::default())
            }
            Model::Keyboard => {
                claimed.use_boot_reports()?;
                Reading::Keyboard(Typing::default())
            }
        };
        let name = model.shown(id);
        Ok(Self { place, slot, claimed, reading, name, is_allowed, types, faults: 0 })
    }

    /// Where it is plugged in: bus and address.
    pub(super) fn place(&self) -> (u8, u8) {
        self.place
    }

    /// Its number in the field.
    pub(super) fn slot(&self) -> Slot {
        self.slot
    }

    /// What it is and its USB number, for people.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// It types what it reads, whatever it is told.
    pub(super) fn types(&self) -> bool {
        self.types
    }

    /// The site lets badges be presented there. Of another one everything is taken in and dropped.
    pub(super) fn is_allowed(&self) -> bool {
        self.is_allowed
    }

    /// Reading it takes time while nothing happens.
    pub(super) fn waits(&self) -> bool {
        matches!(self.reading, Reading::Keyboard(_)) && self.faults == 0
    }

    /// Looks what the reader has; false if it is to be let go.
    pub(super) fn attend(
        &mut self,
        patience: Duration,
        field: &mut Field,
        events: &mut Vec<Event>,
    ) -> bool {
        let done = match &mut self.reading {
            Reading::PcProx(hold) => read(&self.claimed).map(|look| {
                if !self.is_allowed {
                    return;
                }
                settle(hold.observe(look), (self.slot, &self.name), field);
            }),
            Reading::Keyboard(typing) => read_keys(&self.claimed, patience, typing).map(|all| {
                for typed in all.into_iter().filter(|_| self.is_allowed) {
                    tap(typed, (self.slot, &self.name), field, events);
                }
            }),
        };
        match done {
            Ok(()) => {
                self.faults = 0;
                true
            }
            Err(UsbError::Gone | UsbError::Refused) => false,
            Err(error @ UsbError::Fault(_)) => {
                tracing::debug!(%error, "badge reader");
                self.faults += 1;
                self.faults < FAULTS_MAX
            }
        }
    }
}

/// Takes a pcProx's change into the field.
fn settle(change: Change, (slot, name): (Slot, &str), field: &mut Field) {
    match change {
        Change::None => {}
        Change::Laid(badge) => {
            field.lay(slot);
            field.name(slot, Some(badge.at(name)));
        }
        Change::Unreadable => {
            field.lay(slot);
            field.name(slot, None);
        }
        Change::Lifted => field.lift(slot),
    }
}

/// A number that was typed: a badge that comes and leaves.
fn tap(typed: Typed, (slot, name): (Slot, &str), field: &mut Field, events: &mut Vec<Event>) {
    field.lay(slot);
    field.name(
        slot,
        match typed {
            Typed::Badge(badge) => Some(badge.at(name)),
            Typed::Unreadable => None,
        },
    );
    events.extend(field.settle());
    field.lift(slot);
    events.extend(field.settle());
}

/// Everything a keyboard types until it pauses.
fn read_keys(
    claimed: &Claimed,
    patience: Duration,
    typing: &mut Typing,
) -> Result<Vec<Typed>, UsbError> {
    let report = claimed.interrupt(patience)?;
    let now = Moment::read().boot;
    let typed = match report {
        Some(report) => typing.report(now, &report),
        None => typing.idle(now),
    };
    Ok(typed.into_iter().collect())
}

/// Asks and takes the answer.
fn ask<F: Feature>(reader: &F, question: Question) -> Result<Report, F::Error> {
    reader.put(&question.report())?;
    thread::sleep(SETTLE);
    reader.get()
}

/// What lies on a pcProx.
fn read<F: Feature>(reader: &F) -> Result<Look, F::Error> {
    let bits = ask(reader, Question::Bits)?;
    let nothing = Report::default();
    if *bits == *nothing {
        return Ok(pcprox::look(&bits, &nothing, &nothing));
    }
    let count = ask(reader, Question::BitCount)?;
    let again = ask(reader, Question::Bits)?;
    Ok(pcprox::look(&bits, &count, &again))
}

/// Stops a pcProx from typing; whether it says that it will not.
fn silence<F: Feature>(reader: &F) -> Result<bool, F::Error> {
    let settings = ask(reader, Question::Settings)?;
    let Some(reports) = pcprox::silence(&settings) else {
        return Ok(*settings != *Report::default());
    };
    for report in &reports {
        reader.put(report)?;
        thread::sleep(SETTLE);
    }
    let [_, wanted, _] = &reports;
    Ok(*ask(reader, Question::Settings)? == **wanted)
}

#[cfg(test)]
mod tests;
