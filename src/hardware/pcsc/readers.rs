//! The readers that are plugged in, and what the core is told of what is on them.
//!
//! Owned by the driver in [`crate::pcsc`], which explains the rules.

use std::ffi::CString;

use pcsc::{Context, Error, PNP_NOTIFICATION, ReaderState, State};

use crate::pcsc::card_thread::SharedTrust;
use crate::pcsc::reader::{Found, Reader, Thing, shown};
use crate::presence::badges::{Field, Slot};
use crate::presence::cards::Inserted;
use wardkeep_model::access::readers::AllowedReaders;
use wardkeep_model::access::refusal::ReaderRefusal;
use wardkeep_model::moment::BootTime;
use wardkeep_model::ports::{
    CardCommand, CardRefusal, Event, FactorEvent, ReaderHealth, ReaderKind,
};

/// All readers of one connection to pcscd.
pub(super) struct Readers {
    readers: Vec<Reader>,
    /// What pcscd reported last: one entry per reader and one that announces readers.
    states: Vec<ReaderState>,
    slots_used: u32,
    badges: Field,
    cards: Inserted,
    trust: SharedTrust,
    allowed: AllowedReaders,
    /// Readers that the site does not allow: nothing is read there.
    barred: Vec<CString>,
    /// Answers that are not sent yet.
    answers: Vec<FactorEvent>,
    /// What was refused, for the audit log, and at which reader.
    refused: Vec<(String, ReaderRefusal)>,
}

impl Readers {
    /// No reader is known yet.
    pub(super) fn new(trust: SharedTrust, allowed: AllowedReaders) -> Self {
        Self {
            readers: Vec::new(),
            states: Vec::new(),
            slots_used: 0,
            badges: Field::default(),
            cards: Inserted::default(),
            trust,
            allowed,
            barred: Vec::new(),
            answers: Vec::new(),
            refused: Vec::new(),
        }
    }

    /// Brings the readers into agreement with pcscd's list.
    ///
    /// # Errors
    /// pcscd gives none.
    pub(super) fn list(&mut self, context: &Context) -> Result<(), Error> {
        let names = match context.list_readers_owned() {
            // The list grew between asking for its length and asking for it: next time, then.
            Err(Error::InsufficientBuffer) => return Ok(()),
            names => names?,
        };
        for reader in self.readers.extract_if(.., |reader| !names.contains(&reader.name)) {
            self.badges.lift(reader.slot);
            self.cards.pull(reader.slot);
            self.answers.extend(reader.unplugged());
        }
        self.states.retain(|state| names.iter().any(|name| name.as_c_str() == state.name()));
        self.barred.retain(|barred| names.contains(barred));
        for name in names {
            if !self.allowed.allows(&name.to_string_lossy()) {
                if !self.barred.contains(&name) {
                    self.refused.push((shown(&name), ReaderRefusal::ReaderNotAllowed));
                    self.barred.push(name);
                }
                continue;
            }
            if self.states.iter().any(|state| state.name() == name.as_c_str()) {
                continue;
            }
            if let Some(reader) = Reader::new(Slot(self.slots_used), name.clone()) {
                self.slots_used = self.slots_used.wrapping_add(1);
                self.readers.push(reader);
                self.states.push(ReaderState::new(name, State::UNAWARE));
            }
        }
        self.states.push(ReaderState::new(PNP_NOTIFICATION(), State::UNAWARE));
        Ok(())
    }

    /// What pcscd is to compare with, and where it reports what is different.
    pub(super) fn states(&mut self) -> &mut [ReaderState] {
        &mut self.states
    }

    /// A thread is at work: [`Readers::look`] should be called soon.
    pub(super) fn is_busy(&self) -> bool {
        !self.answers.is_empty()
            || !self.refused.is_empty()
            || self.readers.iter().any(Reader::is_busy)
    }

    /// Takes an order for the card that counts.
    pub(super) fn order(&mut self, now: BootTime, command: CardCommand) {
        let presented = self.cards.presented();
        if let Some(reader) = self.readers.iter_mut().find(|reader| Some(reader.slot) == presented)
        {
            reader.order(now, command);
        } else {
            self.answers.push(FactorEvent::CardRefused(command.attempt(), CardRefusal::Gone));
        }
    }

    /// Takes in what pcscd reported and what the threads have brought. An order's answer comes before
    /// the news that its card has left.
    pub(super) fn look(&mut self, now: BootTime) -> Vec<Event> {
        for state in &mut self.states {
            let name = state.name();
            if let Some(reader) = self.readers.iter_mut().find(|r| r.name.as_c_str() == name) {
                let slot = reader.slot;
                let change = reader.observe(now, state);
                match change.left {
                    Some(Thing::Badge) => self.badges.lift(slot),
                    Some(Thing::Card) => self.cards.pull(slot),
                    None => {}
                }
                match change.came {
                    Some(Thing::Badge) => self.badges.lay(slot),
                    Some(Thing::Card) => self.cards.insert(slot),
                    None => {}
                }
                state.sync_current_state();
            }
        }
        for reader in &mut self.readers {
            match reader.tick(now, &self.trust) {
                // What has always been there, and is nobody's, is left out of everything.
                Some(Found::Badge(None) | Found::Card(Err(_))) if reader.is_resident() => {}
                Some(Found::Badge(badge)) => {
                    if reader.is_resident() {
                        self.badges.lay(reader.slot);
                    }
                    self.badges.name(reader.slot, badge);
                }
                Some(Found::Card(seen)) => {
                    if reader.is_resident() {
                        self.cards.insert(reader.slot);
                    }
                    self.cards.name(reader.slot, seen);
                }
                None => {}
            }
            self.answers.extend(reader.take_answers());
            let (name, refused) = (reader.shown(), reader.refused());
            self.refused.extend(refused.into_iter().map(|what| (name.clone(), what)));
        }
        self.settle()
    }

    /// Every reader is gone: pcscd does not answer.
    #[must_use]
    pub(super) fn unplugged(mut self) -> Vec<Event> {
        for reader in self.readers.drain(..) {
            self.answers.extend(reader.unplugged());
        }
        self.badges.clear();
        self.cards.clear();
        self.settle()
    }

    fn settle(&mut self) -> Vec<Event> {
        let mut events: Vec<Event> = self.answers.drain(..).map(Event::Factor).collect();
        events.extend(self.badges.settle());
        events.extend(self.cards.settle());
        let refused = [self.badges.refused(), self.cards.refused()].concat();
        let named = refused.into_iter().filter_map(|(slot, what)| {
            let reader = self.readers.iter().find(|reader| reader.slot == slot)?;
            Some((reader.shown(), what))
        });
        let told = self.refused.drain(..).chain(named);
        events.extend(told.map(|(reader, what)| Event::ReaderRefused { reader, what }));
        events
    }

    /// Whether readers of this kind can be used.
    pub(super) fn health(&self, kind: ReaderKind) -> ReaderHealth {
        let mut of_kind = self.readers.iter().filter(|reader| reader.kind == kind && reader.usable);
        let Some(first) = of_kind.next() else { return ReaderHealth::NotFitted };
        if first.refused || of_kind.any(|reader| reader.refused) {
            ReaderHealth::Refused
        } else {
            ReaderHealth::Ready
        }
    }
}
