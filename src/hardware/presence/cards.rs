//! Which smart cards are in which contact readers, and what the core is told about them.
//!
//! Pure, like [`crate::presence::badges`], and beside it: a badge in the field and a card in a reader do not
//! disturb each other. The rules for several contact readers:
//!
//! - the card that is read first counts, and counts until it leaves;
//! - a card that came in meanwhile is not reported; when the first one leaves, it has to be inserted
//!   anew. Presenting it by itself would open or switch a session that nobody asked for;
//! - a card that cannot be read is reported once, unless another one counts, and keeps no other
//!   reader from being used;
//! - a card that counts and leaves is always reported (S-1: a session that must end with its card ends).

use std::collections::BTreeMap;

use crate::presence::badges::Slot;
use wardkeep_model::access::refusal::ReaderRefusal;
use wardkeep_model::ports::{CardFault, CardSeen, Event, FactorEvent};

/// What is in one reader.
#[derive(Clone, Debug)]
enum Stay {
    /// A card; who it is, is not known yet.
    Unread,
    /// A card that was read since the last settling.
    Read(Box<CardSeen>),
    /// The card that counts.
    Presented,
    /// A card that could not be read; whether the core was told.
    Faulty(CardFault, bool),
    /// A card that came second.
    PassedOver,
}

/// All contact readers of one driver. Report every change, then ask [`Inserted::settle`] for the events.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inserted {
    stays: BTreeMap<Slot, Stay>,
    /// The presented card left since the last settling.
    removed: bool,
    /// A card of whose fault the core was told left since the last settling.
    relieved: bool,
    /// A card left unread since the last settling.
    missed: bool,
    /// What was refused since the last call of [`Inserted::refused`].
    refused: Vec<(Slot, ReaderRefusal)>,
}

impl Inserted {
    /// A card came into this reader; whatever was there before has left.
    pub(crate) fn insert(&mut self, slot: Slot) {
        self.pull(slot);
        self.stays.insert(slot, Stay::Unread);
    }

    /// The reading of the card in this reader has ended.
    pub(crate) fn name(&mut self, slot: Slot, seen: Result<CardSeen, CardFault>) {
        if let Some(stay @ Stay::Unread) = self.stays.get_mut(&slot) {
            *stay = match seen {
                Ok(seen) => Stay::Read(Box::new(seen)),
                Err(fault) => Stay::Faulty(fault, false),
            };
        }
    }

    /// This reader is empty.
    pub(crate) fn pull(&mut self, slot: Slot) {
        match self.stays.remove(&slot) {
            Some(Stay::Presented) => self.removed = true,
            Some(Stay::Faulty(_, true)) => self.relieved = true,
            Some(Stay::Unread | Stay::Read(_) | Stay::Faulty(_, false)) => self.missed = true,
            Some(Stay::PassedOver) | None => {}
        }
    }

    /// Every reader is gone, for instance because the reader service died.
    pub(crate) fn clear(&mut self) {
        let told = |stay: &Stay| matches!(stay, Stay::Presented | Stay::Faulty(_, true));
        self.removed |= self.stays.values().any(told);
        self.stays.clear();
    }

    /// The reader whose card counts.
    pub(crate) fn presented(&self) -> Option<Slot> {
        self.stays.iter().find(|(_, stay)| matches!(stay, Stay::Presented)).map(|(slot, _)| *slot)
    }

    /// Brings what the core was told into agreement with what is there.
    #[must_use]
    pub(crate) fn settle(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        let missed = std::mem::take(&mut self.missed);
        let relieved = std::mem::take(&mut self.relieved);
        if std::mem::take(&mut self.removed) {
            events.push(FactorEvent::CardRemoved);
        }
        if self.presented().is_none() {
            let silent = events.is_empty();
            if relieved && silent {
                events.push(FactorEvent::CardRemoved);
            }
            if let Some(seen) = self.present() {
                events.push(FactorEvent::CardPresented(seen));
            } else if let Some(fault) = self.next_fault() {
                events.push(FactorEvent::CardUnreadable(fault));
            } else if missed && silent && self.stays.is_empty() {
                events.push(FactorEvent::CardUnreadable(CardFault::LeftTooSoon));
            }
        }
        if self.presented().is_some() {
            self.pass_over();
        }
        events.into_iter().map(Event::Factor).collect()
    }

    /// Makes a card that was read the one that counts.
    fn present(&mut self) -> Option<CardSeen> {
        let stay = self.stays.values_mut().find(|stay| matches!(stay, Stay::Read(_)))?;
        match std::mem::replace(stay, Stay::Presented) {
            Stay::Read(seen) => Some(*seen),
            Stay::Unread | Stay::Presented | Stay::Faulty(..) | Stay::PassedOver => None,
        }
    }

    /// What was refused, and in which reader, since the last call.
    pub(crate) fn refused(&mut self) -> Vec<(Slot, ReaderRefusal)> {
        std::mem::take(&mut self.refused)
    }

    /// A fault that the core was not told of; now it is.
    fn next_fault(&mut self) -> Option<CardFault> {
        let refused = &mut self.refused;
        self.stays.iter_mut().find_map(|(slot, stay)| match stay {
            Stay::Faulty(fault, told @ false) => {
                *told = true;
                refused.extend(fault.kept().map(|what| (*slot, what)));
                Some(*fault)
            }
            Stay::Unread
            | Stay::Read(_)
            | Stay::Presented
            | Stay::Faulty(..)
            | Stay::PassedOver => None,
        })
    }

    /// Whatever else is there came second.
    fn pass_over(&mut self) {
        for stay in self.stays.values_mut().filter(|stay| !matches!(stay, Stay::Presented)) {
            *stay = Stay::PassedOver;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use wardkeep_model::access::factor::CardId;
    use wardkeep_model::confidential::Phi;

    const A: Slot = Slot(0);
    const B: Slot = Slot(1);

    /// The card that the tests put into this reader.
    fn card(slot: Slot) -> CardSeen {
        let number = u8::try_from(slot.0).expect("few readers");
        CardSeen { card: CardId([number; 32]), subject: Phi::default(), valid_until: None }
    }

    /// Short names of events, `P0` for the card of slot 0.
    fn told(events: &[Event]) -> String {
        let words: Vec<String> = events
            .iter()
            .map(|event| {
                if let Event::Factor(FactorEvent::CardPresented(seen)) = event {
                    return format!("P{}", seen.card.0[0]);
                }
                if let Event::Factor(FactorEvent::CardUnreadable(fault)) = event {
                    let left = *fault == CardFault::LeftTooSoon;
                    return if left { "left" } else { "bad" }.to_owned();
                }
                let removed = matches!(event, Event::Factor(FactorEvent::CardRemoved));
                if removed { "R".to_owned() } else { format!("{event:?}") }
            })
            .collect();
        words.join(" ")
    }

    /// `+0` inserted, `=0` read, `!0` unreadable, `-0` pulled, `x` service gone; a comma joins what
    /// happened between two looks.
    fn run(script: &str) -> String {
        let mut cards = Inserted::default();
        let mut all = Vec::new();
        for look in script.split_whitespace() {
            look.split(',').for_each(|step| apply(&mut cards, step));
            all.extend(cards.settle());
        }
        told(&all)
    }

    fn apply(cards: &mut Inserted, step: &str) {
        let slot = if step.ends_with('1') { B } else { A };
        match step.chars().next() {
            Some('+') => cards.insert(slot),
            Some('=') => cards.name(slot, Ok(card(slot))),
            Some('!') => cards.name(slot, Err(CardFault::NotPiv)),
            Some('-') => cards.pull(slot),
            _ => cards.clear(),
        }
    }

    #[test]
    fn the_core_is_told_what_is_inserted() {
        for (script, events) in [
            ("+0 =0 -0", "P0 R"),
            ("+0 =0 -0 +0 =0", "P0 R P0"),
            ("+0 -0", "left"),
            ("+0 -0 =0", "left"),
            ("+0 !0 -0", "bad R"),
            ("+0,=0,-0", "left"),
            ("-0 =0 !0 x", ""),
            // Swapped between two looks at the reader.
            ("+0 =0 +0 =0", "P0 R P0"),
            ("+0 =0 -0,+1 =1", "P0 R P1"),
            // The one that is read first counts until it leaves; the other one has to come again.
            ("+0 +1 =1 =0", "P1"),
            ("+0 +1 =1 =0 -1", "P1 R"),
            ("+0 =0 +1 =1 -0", "P0 R"),
            ("+0 =0 +1 =1 -0 -1 +1 =1", "P0 R P1"),
            ("+0 =0 +1 -0 =1", "P0 R"),
            ("+0 =0 +1 =1 -1 -0", "P0 R"),
            ("+0 +1 =0,=1 -1 -0", "P0 R"),
            // What cannot be read keeps nobody from the other reader, and does not disturb.
            ("+0 !0 +1 =1 -1", "bad P1 R"),
            ("+0 !0 +1 =1 -0 -1", "bad P1 R"),
            ("+0 =0 +1 !1 -1 -0", "P0 R"),
            ("+0 !0 +1 !1 -0 -1", "bad bad R R"),
            ("+0 +1 -0 =1", "P1"),
            // The reader service dies.
            ("+0 =0 x", "P0 R"),
            ("+0 x +0 =0", "P0"),
            ("+0 !0 x", "bad R"),
        ] {
            assert_eq!(run(script), events, "{script}");
        }
    }

    proptest! {
        /// S-1: whatever happens in two readers, the core never believes in a card that is gone, and
        /// never gets a second card without the removal of the first.
        #[test]
        fn s1_a_card_is_believed_only_while_it_is_inserted(
            steps in prop::collection::vec(
                prop::sample::select(vec!["+0", "+1", "=0", "=1", "!0", "!1", "-0", "-1", "x"]),
                0..60,
            )
        ) {
            let mut cards = Inserted::default();
            let mut believed: Option<u8> = None;
            for step in steps {
                apply(&mut cards, step);
                for event in cards.settle() {
                    if let Event::Factor(FactorEvent::CardPresented(seen)) = event {
                        prop_assert_eq!(believed, None, "second card at {}", step);
                        believed = Some(seen.card.0[0]);
                    } else if matches!(event, Event::Factor(FactorEvent::CardRemoved)) {
                        believed = None;
                    }
                }
                prop_assert_eq!(believed.map(|number| Slot(u32::from(number))), cards.presented());
            }
        }
    }
}
