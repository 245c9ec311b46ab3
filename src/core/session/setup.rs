//! First start: the store, the first IT admin (badge and PIN) and the recovery key, in six steps.
//!
//! Nothing is written before the second PIN agrees with the first, so leaving at any step leaves no
//! half-made store (S-4: the PIN is only ever handed to the store, which derives a key from it).

use wardkeep_model::access::Role;
use wardkeep_model::access::factor::{Badge, Pin};
use wardkeep_model::access::guessable::{self, Known};
use wardkeep_model::access::naming::checked_name;
use wardkeep_model::confidential::Phi;
use wardkeep_model::keeping::{NewOperator, RecoveryPhrase};
use wardkeep_model::notice::Notice;

/// A step of the wizard, named by what it waits for.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// For somebody to begin.
    Welcome,
    /// For name and initials.
    Name,
    /// For a badge.
    Badge,
    /// For a PIN.
    Pin,
    /// For the same PIN again.
    Repeat,
    /// For the store.
    Working,
    /// For the recovery words to be written down.
    Recovery(RecoveryPhrase),
    /// For nothing: the store is there.
    Done,
}

/// What happens during the first start.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// Go on from the welcome page.
    Begin,
    /// Name and initials.
    Named(Phi<String>, String),
    /// A badge was tapped.
    Badge(Badge),
    /// A PIN was typed.
    Pin(Pin),
    /// Back to the welcome page.
    Cancel,
    /// The store is made.
    Made(RecoveryPhrase),
    /// The store could not be made.
    NotMade,
    /// The words were written down.
    WrittenDown,
}

/// What the wizard wants done.
#[derive(Clone, Debug)]
pub(crate) enum Effect {
    /// Make the store.
    Initialise(Box<NewOperator>),
    /// Tell the operator.
    Notify(Notice),
}

/// The wizard.
#[derive(Debug)]
pub(crate) struct Setup {
    step: Step,
    name: Phi<String>,
    initials: String,
    badge: Option<Badge>,
    first: Option<Pin>,
    prompts: u64,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            step: Step::Welcome,
            name: Phi::default(),
            initials: String::new(),
            badge: None,
            first: None,
            prompts: 0,
        }
    }
}

impl Setup {
    /// What it waits for.
    pub(crate) fn step(&self) -> &Step {
        &self.step
    }

    /// Counts PIN prompts.
    pub(crate) fn prompt(&self) -> u64 {
        self.prompts
    }

    /// Advances the wizard; an event that does not fit the step changes nothing.
    /// A PIN is held against what these places are called.
    pub(crate) fn handle(&mut self, event: Event, places: &[String]) -> Option<Effect> {
        match (&self.step, event) {
            (Step::Welcome, Event::Begin) => self.go(Step::Name),
            (Step::Name, Event::Named(name, initials)) => self.named(name, &initials),
            (Step::Badge, Event::Badge(badge)) => {
                if badge.is_random() {
                    return Some(Effect::Notify(Notice::BadgeRandom));
                }
                self.badge = Some(badge);
                self.go(Step::Pin)
            }
            (Step::Pin, Event::Pin(pin)) => {
                let known = Known { badge: self.badge.as_ref(), places };
                if let Some(why) = guessable::weakness(&pin, known) {
                    self.prompts += 1;
                    return Some(Effect::Notify(Notice::PinGuessable(why)));
                }
                self.first = Some(pin);
                self.go(Step::Repeat)
            }
            (Step::Repeat, Event::Pin(pin)) => self.repeated(pin),
            (Step::Working, Event::Made(words)) => self.go(Step::Recovery(words)),
            (Step::Working, Event::NotMade) => {
                *self = Self::default();
                Some(Effect::Notify(Notice::StoreNotMade))
            }
            (Step::Recovery(_), Event::WrittenDown) => self.go(Step::Done),
            (Step::Name | Step::Badge | Step::Pin | Step::Repeat, Event::Cancel) => {
                *self = Self::default();
                None
            }
            // Out of place: a late answer, or a badge tapped on the wrong page.
            (
                Step::Welcome
                | Step::Name
                | Step::Badge
                | Step::Pin
                | Step::Repeat
                | Step::Working
                | Step::Recovery(_)
                | Step::Done,
                Event::Begin
                | Event::Named(..)
                | Event::Badge(_)
                | Event::Pin(_)
                | Event::Cancel
                | Event::Made(_)
                | Event::NotMade
                | Event::WrittenDown,
            ) => None,
        }
    }

    fn go(&mut self, step: Step) -> Option<Effect> {
        self.step = step;
        self.prompts += 1;
        None
    }

    fn named(&mut self, name: Phi<String>, initials: &str) -> Option<Effect> {
        let (name, initials) = match checked_name(&name, initials) {
            Ok(checked) => checked,
            Err(fault) => return Some(Effect::Notify(fault.into())),
        };
        self.name = name;
        self.initials = initials;
        self.go(Step::Badge)
    }

    fn repeated(&mut self, pin: Pin) -> Option<Effect> {
        if self.first.take().is_none_or(|first| first != pin) {
            self.go(Step::Pin);
            return Some(Effect::Notify(Notice::PinsDiffer));
        }
        let Some(badge) = self.badge.take() else {
            *self = Self::default();
            return None;
        };
        self.go(Step::Working);
        Some(Effect::Initialise(Box::new(NewOperator {
            initials: self.initials.clone(),
            name: self.name.clone(),
            role: Role::It,
            badge,
            pin,
        })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wardkeep_model::access::factor::ReaderFamily;

    fn badge(uid: &[u8]) -> Badge {
        Badge::new(ReaderFamily::PcscUid, uid).expect("a UID")
    }

    fn pin(digits: &[u8]) -> Pin {
        digits.iter().copied().collect()
    }

    fn at_pin() -> Setup {
        let mut setup = Setup::default();
        assert!(setup.handle(Event::Begin, &[]).is_none());
        let named = Event::Named(Phi::new("Ada Kern".into()), "ak".into());
        assert!(setup.handle(named, &[]).is_none());
        assert!(setup.handle(Event::Badge(badge(&[4, 1, 2, 3])), &[]).is_none());
        setup
    }

    #[test]
    fn two_equal_pins_make_the_store() {
        let mut setup = at_pin();
        assert!(setup.handle(Event::Pin(pin(&[4, 7, 1, 1, 0, 8])), &[]).is_none());
        match setup.handle(Event::Pin(pin(&[4, 7, 1, 1, 0, 8])), &[]) {
            Some(Effect::Initialise(new)) => assert_eq!(new.initials, "AK"),
            other => panic!("expected Initialise, got {other:?}"),
        }
        assert!(matches!(setup.step(), Step::Working));
    }

    #[test]
    fn s4_different_pins_make_nothing() {
        let mut setup = at_pin();
        assert!(setup.handle(Event::Pin(pin(&[4, 7, 1, 1, 0, 8])), &[]).is_none());
        let effect = setup.handle(Event::Pin(pin(&[4, 7, 1, 1, 0, 9])), &[]);
        assert!(matches!(effect, Some(Effect::Notify(Notice::PinsDiffer))));
        assert!(matches!(setup.step(), Step::Pin));
    }

    #[test]
    fn guessable_pins_and_random_badges_are_refused() {
        for digits in [[0; 6], [1, 2, 3, 4, 5, 6], [6, 5, 4, 3, 2, 1], [1, 2, 1, 2, 1, 2]] {
            let mut setup = at_pin();
            let effect = setup.handle(Event::Pin(pin(&digits)), &[]);
            assert!(matches!(effect, Some(Effect::Notify(Notice::PinGuessable(_)))), "{digits:?}");
        }
        let mut setup = Setup::default();
        assert!(setup.handle(Event::Begin, &[]).is_none());
        let named = Event::Named(Phi::new("Ada Kern".into()), "AK".into());
        assert!(setup.handle(named, &[]).is_none());
        let effect = setup.handle(Event::Badge(badge(&[8, 1, 2, 3])), &[]);
        assert!(matches!(effect, Some(Effect::Notify(Notice::BadgeRandom))));
    }
}
