//! One PC/SC reader: its class, what is on it, and the work of the thread that talks to it.
//!
//! Owned by the driver in [`crate::pcsc`], which explains the rules.

use std::ffi::{CStr, CString};
use std::time::Duration;

use pcsc::{ReaderState, State};

use crate::card::apdu;
use crate::card::proof::{Ended, Look};
use crate::pcsc::card_thread::{
    CardThread, Progress, ReadingFault, Report, SILENCE_MAX, SharedTrust, Task,
};
use crate::pcsc::class::{Class, class};
use crate::presence::badges::Slot;
use wardkeep_model::access::factor::{Attempt, Badge, READER_CHARS_MAX};
use wardkeep_model::access::refusal::ReaderRefusal;
use wardkeep_model::moment::BootTime;
use wardkeep_model::ports::{
    CardCommand, CardFault, CardRefusal, CardSeen, FactorEvent, ReaderKind,
};
use wardkeep_model::untrusted;

/// pcscd sees a card leave up to 400 ms late: so long a vanished one gets the benefit of the doubt.
const RETRY_AFTER: Duration = Duration::from_millis(200);
/// A badge that has just come into the field may answer that it has no number yet.
const SETTLED_AFTER: Duration = Duration::from_millis(40);
/// Readings of one card, the first included.
const TRIES_MAX: u8 = 4;
/// A card that was lost in the middle of an order and is still reported by then is not gone but broken.
const LOST_MAX: Duration = Duration::from_millis(800);

/// What can lie on a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Thing {
    /// A contactless card, or one that does not answer: taken for a badge.
    Badge,
    /// A card with contacts.
    Card,
}

/// What changed on a reader between two looks at it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Change {
    /// This left.
    pub(super) left: Option<Thing>,
    /// And then this came.
    pub(super) came: Option<Thing>,
}

/// What has come of the work with the thing on a reader.
#[derive(Debug)]
pub(super) enum Found {
    /// A badge, or something that will not give a number.
    Badge(Option<Badge>),
    /// Who the card says it is.
    Card(Result<CardSeen, CardFault>),
}

/// What the core wants of the card, not answered yet.
#[derive(Debug)]
enum Order {
    /// The thread of an earlier work has to end first, by this time.
    Waiting(Box<CardCommand>, BootTime),
    /// A thread is at it.
    Running(Attempt),
    /// The card was lost on the way; by this time it has left, or is broken.
    Lost(Attempt, BootTime),
}

impl Order {
    fn attempt(&self) -> Attempt {
        match self {
            Order::Waiting(command, _) => command.attempt(),
            Order::Running(attempt) | Order::Lost(attempt, _) => *attempt,
        }
    }
}

/// One reader as the driver knows it.
#[derive(Debug)]
pub(super) struct Reader {
    /// Its place among the readers.
    pub(super) slot: Slot,
    /// Its name in PC/SC.
    pub(super) name: CString,
    /// What kind of reader it is taken for.
    pub(super) kind: ReaderKind,
    /// It works.
    pub(super) usable: bool,
    /// The daemon refused the last card to this account.
    pub(super) refused: bool,
    kind_is_certain: bool,
    /// Event counter at which the thing on it was laid down, and what it is.
    thing: Option<(u32, Thing)>,
    /// It answers to reset like a card with contacts, in a reader that has none: left alone.
    is_odd: bool,
    /// This reader was looked at before.
    is_known: bool,
    /// What is on it was there before anybody could have come.
    is_resident: bool,
    /// The card that was read there.
    look: Option<Box<Look>>,
    work: Option<CardThread>,
    /// What the work is about still lies there, and its report still counts.
    work_counts: bool,
    order: Option<Order>,
    answers: Vec<FactorEvent>,
    /// What was refused here since the last call of [`Reader::refused`].
    refused_here: Vec<ReaderRefusal>,
    due: Option<BootTime>,
    tries: u8,
}

impl Reader {
    /// A reader just found; `None` for a socket that holds no card of a person.
    pub(super) fn new(slot: Slot, name: CString) -> Option<Self> {
        let (kind, kind_is_certain) = match class(&name.to_string_lossy()) {
            Class::Contactless => (ReaderKind::Badge, true),
            Class::Contact => (ReaderKind::SmartCard, true),
            Class::Unknown => (ReaderKind::Badge, false),
            Class::Internal => return None,
        };
        Some(Self {
            slot,
            name,
            kind,
            usable: true,
            refused: false,
            kind_is_certain,
            thing: None,
            is_odd: false,
            is_known: false,
            is_resident: false,
            look: None,
            work: None,
            work_counts: false,
            order: None,
            answers: Vec::new(),
            refused_here: Vec::new(),
            due: None,
            tries: 0,
        })
    }

    /// Compares what pcscd reports with what was known.
    pub(super) fn observe(&mut self, now: BootTime, state: &ReaderState) -> Change {
        let seen = state.event_state();
        self.usable = !seen.intersects(State::UNKNOWN | State::UNAVAILABLE);
        let is_first_look = !std::mem::replace(&mut self.is_known, true);
        let count = (self.usable && seen.contains(State::PRESENT)).then(|| state.event_count());
        if count == self.thing.map(|(count, _)| count) {
            return Change::default();
        }
        let left = self.thing.take().map(|(_, thing)| thing);
        self.is_resident = is_first_look;
        self.forget();
        let Some(count) = count else { return Change { left, came: None } };
        let thing = self.thing_of(state.atr());
        if !self.kind_is_certain && !state.atr().is_empty() {
            self.kind = match thing {
                Thing::Badge => ReaderKind::Badge,
                Thing::Card => ReaderKind::SmartCard,
            };
        }
        self.thing = Some((count, thing));
        self.is_odd = thing == Thing::Badge && !may_be_badge(state.atr());
        self.due = Some(now);
        self.tries = 0;
        // A security module, or a tag that holds the reader down: a state, and nobody's tap. It has come only
        // if it turns out to be somebody's.
        Change { left, came: (!is_first_look).then_some(thing) }
    }

    /// What is on it was there when the reader was looked at first, and has not come until it is read.
    pub(super) fn is_resident(&self) -> bool {
        self.is_resident
    }

    /// What an answer to reset is of. Where the reader's name tells, a card cannot say otherwise: in a
    /// field nothing is shown a PIN, in a contact reader nothing claims a badge's number.
    fn thing_of(&self, atr: &[u8]) -> Thing {
        match (self.kind_is_certain, self.kind) {
            (true, ReaderKind::SmartCard) => Thing::Card,
            (true, ReaderKind::Badge | ReaderKind::Finger) => Thing::Badge,
            (false, _) if may_be_badge(atr) => Thing::Badge,
            (false, _) => Thing::Card,
        }
    }

    /// Whatever lay there has left: nothing about it counts any more.
    fn forget(&mut self) {
        self.due = None;
        self.look = None;
        self.work_counts = false;
        if let Some(work) = &self.work {
            work.abandon();
        }
        if let Some(order) = self.order.take() {
            self.refuse(order.attempt(), CardRefusal::Gone);
        }
    }

    /// The reader was unplugged, or its daemon died.
    pub(super) fn unplugged(mut self) -> Vec<FactorEvent> {
        self.forget();
        self.answers
    }

    /// Takes an order for the card that was read here. An order before it is abandoned.
    pub(super) fn order(&mut self, now: BootTime, command: CardCommand) {
        if let Some(order) = self.order.take() {
            self.work_counts = false;
            if let Some(work) = &self.work {
                work.abandon();
            }
            self.refuse(order.attempt(), CardRefusal::Gone);
        }
        match &self.look {
            None => self.refuse(command.attempt(), CardRefusal::Gone),
            Some(look) if look.seen.card != command.card() => {
                self.refuse(command.attempt(), CardRefusal::Changed);
            }
            Some(_) => self.order = Some(Order::Waiting(command.into(), now + SILENCE_MAX)),
        }
    }

    fn refuse(&mut self, attempt: Attempt, refusal: CardRefusal) {
        self.refused_here.extend(refusal.kept());
        self.answers.push(FactorEvent::CardRefused(attempt, refusal));
    }

    /// Its name, for people.
    pub(super) fn shown(&self) -> String {
        shown(&self.name)
    }

    /// What was refused here since the last call.
    pub(super) fn refused(&mut self) -> Vec<ReaderRefusal> {
        std::mem::take(&mut self.refused_here)
    }

    /// The answers to orders since the last call.
    pub(super) fn take_answers(&mut self) -> Vec<FactorEvent> {
        std::mem::take(&mut self.answers)
    }

    /// Something is going on: [`Reader::tick`] should be called soon.
    pub(super) fn is_busy(&self) -> bool {
        self.due.is_some() || self.order.is_some() || (self.work.is_some() && self.work_counts)
    }

    /// Starts due work and collects what is finished.
    pub(super) fn tick(&mut self, now: BootTime, trust: &SharedTrust) -> Option<Found> {
        let mut found = self.collect(now);
        if self.work.is_none() {
            found = found.or(self.start_due(now, trust));
        }
        self.press_order(now);
        found
    }

    /// The report of the thread, if it is there and still counts.
    fn collect(&mut self, now: BootTime) -> Option<Found> {
        let report = match self.work.as_mut()?.progress(now) {
            Progress::Running => return None,
            // The thread stays until the card answers or leaves; no second one is started.
            Progress::Overdue => None,
            Progress::Ended(report) => {
                self.work = None;
                report
            }
        };
        if !std::mem::take(&mut self.work_counts) {
            return None;
        }
        match report {
            Some(Report::Badge(badge)) => {
                let shown = self.shown();
                self.judge(now, badge.map(|badge| Found::Badge(Some(badge.at(&shown)))))
            }
            Some(Report::Look(look)) => self.judge_look(now, look),
            Some(Report::Order(event)) => {
                self.judge_order(now, event);
                None
            }
            None => self.give_up(),
        }
    }

    /// The work brought nothing, for good.
    fn give_up(&mut self) -> Option<Found> {
        if let Some(Order::Running(attempt)) = self.order {
            self.order = None;
            self.refuse(attempt, CardRefusal::Broken);
            return None;
        }
        self.unreadable()
    }

    fn unreadable(&self) -> Option<Found> {
        self.thing.map(|(_, thing)| match thing {
            Thing::Badge => Found::Badge(None),
            Thing::Card => Found::Card(Err(CardFault::Unreadable)),
        })
    }

    fn judge(&mut self, now: BootTime, reading: Result<Found, ReadingFault>) -> Option<Found> {
        self.refused = matches!(reading, Err(ReadingFault::Refused));
        match reading {
            Ok(found) => Some(found),
            Err(ReadingFault::Gone) if self.tries < TRIES_MAX => {
                self.due = Some(now + RETRY_AFTER);
                None
            }
            Err(ReadingFault::Unsettled) if self.tries < TRIES_MAX => {
                self.due = Some(now + SETTLED_AFTER * u32::from(self.tries));
                None
            }
            Err(
                ReadingFault::Gone
                | ReadingFault::Unsettled
                | ReadingFault::Unreadable
                | ReadingFault::Refused,
            ) => self.unreadable(),
        }
    }

    fn judge_look(
        &mut self,
        now: BootTime,
        look: Result<Box<Look>, Ended<ReadingFault, CardFault>>,
    ) -> Option<Found> {
        let reading = match look {
            Ok(look) => {
                let seen = look.seen.clone();
                self.look = Some(look);
                Ok(Found::Card(Ok(seen)))
            }
            Err(Ended::Judged(fault)) => Ok(Found::Card(Err(fault))),
            Err(Ended::Lost(fault)) => Err(fault),
        };
        self.judge(now, reading)
    }

    fn judge_order(
        &mut self,
        now: BootTime,
        event: Result<FactorEvent, Ended<ReadingFault, CardRefusal>>,
    ) {
        let Some(Order::Running(attempt)) = self.order.take() else { return };
        match event {
            Ok(event) => self.answers.push(event),
            Err(Ended::Judged(refusal)) => self.refuse(attempt, refusal),
            Err(Ended::Lost(ReadingFault::Gone)) => {
                self.order = Some(Order::Lost(attempt, now + LOST_MAX));
            }
            Err(Ended::Lost(
                fault
                @ (ReadingFault::Unsettled | ReadingFault::Unreadable | ReadingFault::Refused),
            )) => {
                self.refused = fault == ReadingFault::Refused;
                self.refuse(attempt, CardRefusal::Broken);
            }
        }
    }

    fn start_due(&mut self, now: BootTime, trust: &SharedTrust) -> Option<Found> {
        let task = if self.due.is_some_and(|due| due <= now) {
            self.due = None;
            self.tries += 1;
            match self.thing?.1 {
                Thing::Badge if self.is_odd => return self.unreadable(),
                Thing::Badge => Task::Badge,
                Thing::Card => Task::Look,
            }
        } else if let (Some(Order::Waiting(command, _)), Some(look)) = (&self.order, &self.look) {
            let task = Task::Order((**command).clone(), look.clone());
            self.order = Some(Order::Running(command.attempt()));
            task
        } else {
            return None;
        };
        match CardThread::start(now, &self.name, task, trust) {
            Ok(work) => {
                self.work = Some(work);
                self.work_counts = true;
                None
            }
            Err(error) => {
                tracing::error!(%error, "no thread to talk to a card");
                self.give_up()
            }
        }
    }

    /// Answers an order that has waited for too long.
    fn press_order(&mut self, now: BootTime) {
        if let Some(Order::Waiting(_, until) | Order::Lost(_, until)) = &self.order
            && *until <= now
            && let Some(order) = self.order.take()
        {
            self.refuse(order.attempt(), CardRefusal::Broken);
        }
    }
}

/// A reader's name as it may be shown.
pub(super) fn shown(name: &CStr) -> String {
    untrusted::named(&name.to_string_lossy(), READER_CHARS_MAX).unwrap_or_default()
}

/// An answer to reset in the contactless form, or none: two badges on one antenna are mute.
fn may_be_badge(atr: &[u8]) -> bool {
    atr.is_empty() || apdu::is_contactless(atr)
}
