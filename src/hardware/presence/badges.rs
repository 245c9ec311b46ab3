//! Which badges lie on which readers, and what the core is told about it.
//!
//! Pure: the driver reports what every reader sees, [`Field`] returns the events. It exists so that
//! the rules for several readers are one table that tests can run through without a reader:
//!
//! - one badge alone in the field is presented once;
//! - two at the same time are a fault, whoever came first, because nobody can say whose tap counts;
//! - what gives no number is told once, and takes nobody's place then: it may lie there for ever;
//! - when one of two leaves, the other is presented unless it had been presented before;
//! - a presented badge that leaves is always reported, whatever else still lies there (S-1: a
//!   session that must end with its badge ends).

use std::collections::BTreeMap;

use wardkeep_model::access::factor::Badge;
use wardkeep_model::access::refusal::ReaderRefusal;
use wardkeep_model::ports::{BadgeFault, Event};

/// A reader, numbered by its driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Slot(pub u32);

/// What lies on one reader.
#[derive(Clone, Debug)]
enum Lay {
    /// Something is there; its number is not known yet.
    Unread,
    /// A badge.
    Badge(Badge),
    /// Something without a usable number; whether the core was told.
    Faulty { told: bool },
}

/// All readers of one driver. Report every change, then ask [`Field::settle`] for the events.
#[derive(Clone, Debug, Default)]
pub(crate) struct Field {
    lays: BTreeMap<Slot, Lay>,
    /// The badge that was presented and is still there.
    presented: Option<Slot>,
    /// A presented badge left since the last settling.
    removed: bool,
    /// Something left unread since the last settling.
    missed: bool,
    /// A fault was reported and something still lies there.
    faulted: bool,
    /// Two badges were reported and still are two.
    crowded: bool,
    /// What was refused since the last call of [`Field::refused`].
    refused: Vec<(Slot, ReaderRefusal)>,
}

impl Field {
    /// Something entered the field of this reader; whatever lay there before has left.
    pub(crate) fn lay(&mut self, slot: Slot) {
        self.lift(slot);
        self.lays.insert(slot, Lay::Unread);
    }

    /// The reading of what lies there succeeded, or failed for good.
    pub(crate) fn name(&mut self, slot: Slot, badge: Option<Badge>) {
        if let Some(lay @ Lay::Unread) = self.lays.get_mut(&slot) {
            *lay = badge.map_or(Lay::Faulty { told: false }, Lay::Badge);
        }
    }

    /// The field of this reader is empty.
    pub(crate) fn lift(&mut self, slot: Slot) {
        self.missed |= matches!(self.lays.remove(&slot), Some(Lay::Unread));
        if self.presented == Some(slot) {
            self.presented = None;
            self.removed = true;
        }
    }

    /// Every reader is gone, for instance because the reader service died.
    pub(crate) fn clear(&mut self) {
        self.lays.clear();
        self.removed |= self.presented.take().is_some();
    }

    /// Brings what the core was told into agreement with what lies there.
    #[must_use]
    pub(crate) fn settle(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        let missed = std::mem::take(&mut self.missed);
        if std::mem::take(&mut self.removed) {
            events.push(Event::BadgeRemoved);
        }
        let counts = |lay: &&Lay| !matches!(lay, Lay::Faulty { told: true });
        let crowded = self.lays.values().filter(counts).count() > 1;
        if crowded && !self.crowded {
            self.faulted = true;
            events.push(Event::BadgeUnreadable(BadgeFault::Two));
            let newest = self.lays.keys().rfind(|slot| Some(**slot) != self.presented);
            self.refused.extend(newest.map(|slot| (*slot, ReaderRefusal::TwoBadges)));
        }
        self.crowded = crowded;
        if self.lays.is_empty() {
            if self.faulted && events.is_empty() {
                events.push(Event::BadgeRemoved);
            } else if missed && events.is_empty() {
                events.push(Event::BadgeUnreadable(BadgeFault::LeftTooSoon));
            }
            self.faulted = false;
        }
        if !crowded {
            events.extend(self.settle_single());
        }
        events
    }

    /// What was refused, and on which reader, since the last call.
    pub(crate) fn refused(&mut self) -> Vec<(Slot, ReaderRefusal)> {
        std::mem::take(&mut self.refused)
    }

    /// Tells the core of the only thing that lies there, once.
    fn settle_single(&mut self) -> Option<Event> {
        let told = |lay: &Lay| matches!(lay, Lay::Faulty { told: true });
        let (slot, lay) = self.lays.iter_mut().find(|(_, lay)| !told(lay))?;
        match lay {
            Lay::Badge(badge) if self.presented.is_none() => {
                self.presented = Some(*slot);
                self.faulted = false;
                Some(Event::BadgePresented(badge.clone()))
            }
            Lay::Faulty { told: told @ false } => {
                *told = true;
                self.faulted = true;
                self.refused.push((*slot, ReaderRefusal::NoNumber));
                Some(Event::BadgeUnreadable(BadgeFault::Unreadable))
            }
            Lay::Unread | Lay::Badge(_) | Lay::Faulty { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use wardkeep_model::access::factor::ReaderFamily;

    const A: Slot = Slot(0);
    const B: Slot = Slot(1);

    /// The badge that the tests lay on this reader.
    fn badge(slot: Slot) -> Badge {
        let number = u8::try_from(slot.0).expect("few readers");
        Badge::new(ReaderFamily::PcscUid, &[number, 1, 2, 3]).expect("a badge length")
    }

    /// Short names of events, `P0` for the badge of slot 0.
    fn told(events: &[Event]) -> String {
        let words: Vec<String> = events
            .iter()
            .map(|event| {
                if let Event::BadgePresented(badge) = event {
                    return format!("P{}", badge.uid()[0]);
                }
                format!("{event:?}")
                    .replace("BadgeUnreadable(LeftTooSoon)", "left")
                    .replace("BadgeUnreadable(Two)", "two")
                    .replace("BadgeUnreadable(Unreadable)", "bad")
                    .replace("BadgeRemoved", "R")
            })
            .collect();
        words.join(" ")
    }

    /// `+0` laid, `=0` read, `!0` unreadable, `-0` lifted, `x` service gone; a comma joins what
    /// happened between two looks.
    fn run(script: &str) -> String {
        let mut field = Field::default();
        let mut all = Vec::new();
        for look in script.split_whitespace() {
            look.split(',').for_each(|step| apply(&mut field, step));
            all.extend(field.settle());
        }
        told(&all)
    }

    fn apply(field: &mut Field, step: &str) {
        let slot = if step.ends_with('1') { B } else { A };
        match step.chars().next() {
            Some('+') => field.lay(slot),
            Some('=') => field.name(slot, Some(badge(slot))),
            Some('!') => field.name(slot, None),
            Some('-') => field.lift(slot),
            _ => field.clear(),
        }
    }

    #[test]
    fn the_core_is_told_what_lies_there() {
        for (script, events) in [
            ("+0 =0 -0", "P0 R"),
            ("+0 =0 -0 +0 =0", "P0 R P0"),
            ("+0 -0", "left"),
            ("+0 -0 =0", "left"),
            ("+0 !0 -0", "bad R"),
            ("-0 =0 !0 x", ""),
            // Swapped between two looks at the reader.
            ("+0 =0 +0 =0", "P0 R P0"),
            ("+0 =0 -0,+1 =1", "P0 R P1"),
            ("+0 +0 =0", "P0"),
            ("+0 +1 =0 =1 +0", "two"),
            // Two at once: nobody is presented until one of them is taken away.
            ("+0 +1 =0 =1", "two"),
            ("+0 +1 =0 =1 -0", "two P1"),
            ("+0 +1 =0 =1 -0 -1", "two P1 R"),
            ("+0 +1 -0 -1", "two R"),
            ("+0 +1 -0 =1", "two P1"),
            ("+0 +1 =0 !1 -0", "two bad"),
            // What has no number and was told of takes nobody's place.
            ("+1 !1 +0 =0 -0 +0 =0 -0", "bad P0 R P0 R"),
            ("+1 !1 +0 =0 -0 -1", "bad P0 R"),
            ("+0 =0 +1 !1 -0", "P0 two R bad"),
            // A second badge beside a presented one.
            ("+0 =0 +1 =1", "P0 two"),
            ("+0 =0 +1 =1 -1", "P0 two"),
            ("+0 =0 +1 =1 -1 -0", "P0 two R"),
            ("+0 =0 +1 =1 -0", "P0 two R P1"),
            ("+0 =0 +1 -1 +1", "P0 two two"),
            // The reader service dies.
            ("+0 =0 x", "P0 R"),
            ("+0 x +0 =0", "P0"),
            ("+0 !0 x", "bad R"),
            ("+0 =0 +1 x", "P0 two R"),
        ] {
            assert_eq!(run(script), events, "{script}");
        }
    }

    proptest! {
        /// S-1: whatever happens on two readers, the core never believes in a badge that is gone,
        /// never gets a second badge without the removal of the first, and never one out of two.
        #[test]
        fn s1_a_badge_is_believed_only_while_it_lies_there(
            steps in prop::collection::vec(
                prop::sample::select(vec!["+0", "+1", "=0", "=1", "!0", "!1", "-0", "-1", "x"]),
                0..60,
            )
        ) {
            let mut field = Field::default();
            let mut believed: Option<u8> = None;
            for step in steps {
                apply(&mut field, step);
                for event in field.settle() {
                    if let Event::BadgePresented(badge) = event {
                        prop_assert_eq!(believed, None, "second badge at {}", step);
                        let number = |lay: &&Lay| matches!(lay, Lay::Badge(_) | Lay::Unread);
                        let several = field.lays.values().filter(number).count();
                        prop_assert_eq!(several, 1, "one of several at {}", step);
                        believed = badge.uid().first().copied();
                    } else if matches!(event, Event::BadgeRemoved) {
                        believed = None;
                    }
                }
                if let Some(number) = believed {
                    prop_assert!(field.lays.contains_key(&Slot(u32::from(number))), "{}", step);
                }
            }
            prop_assert!(believed.is_none() || !field.lays.is_empty());
        }
    }
}
