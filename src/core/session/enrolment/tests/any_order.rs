//! Whatever people, readers and the store do, in any order.

use proptest::prelude::*;

use wardkeep_model::access::guessable::Weakness;
use wardkeep_model::access::lockout::Admission;
use wardkeep_model::keeping::{Administered, AdministrationFault, Identified, NewPin};
use wardkeep_model::ports::{
    CardRefusal, FactorEvent, FingerAdvice, FingerCommand, FingerEvent, FingerFault, Proof,
};

use super::*;
use crate::session::enrolment::Step;

/// Everything that can happen; attempts are the newest one, or a stale one.
#[derive(Clone, Debug)]
enum Op {
    Tap(u8),
    Lift,
    Pin(u8),
    Code,
    Choose(u8),
    Next(u8),
    Finish,
    Cancel,
    Card(u8),
    CardGone,
    CardAnswer(u8, bool),
    Finger(u8, bool),
    Identified(bool),
    Store(u8, bool),
}

fn any_op() -> impl Strategy<Value = Op> {
    prop_oneof![
        5 => (1_u8..3).prop_map(Op::Tap),
        5 => Just(Op::Lift),
        6 => (0_u8..3).prop_map(Op::Pin),
        1 => Just(Op::Code),
        3 => (0_u8..6).prop_map(Op::Choose),
        2 => (0_u8..4).prop_map(Op::Next),
        2 => Just(Op::Finish),
        1 => Just(Op::Cancel),
        2 => (1_u8..3).prop_map(Op::Card),
        1 => Just(Op::CardGone),
        3 => (0_u8..4, any::<bool>()).prop_map(|(n, fresh)| Op::CardAnswer(n, fresh)),
        4 => (0_u8..5, any::<bool>()).prop_map(|(n, fresh)| Op::Finger(n, fresh)),
        2 => any::<bool>().prop_map(Op::Identified),
        4 => (0_u8..7, any::<bool>()).prop_map(|(n, fresh)| Op::Store(n, fresh)),
    ]
}

fn kind(n: u8) -> EnrolKind {
    match n {
        0 => EnrolKind::Badge,
        1 => EnrolKind::Card,
        2 => EnrolKind::Finger,
        _ => EnrolKind::Pin,
    }
}

fn event(op: &Op, count: u64, wanted: Finger) -> Event {
    let at = |fresh: bool| if fresh { Attempt(count) } else { Attempt(count.saturating_sub(1)) };
    match *op {
        Op::Tap(n) => Event::Badge(badge(n)),
        Op::Lift => Event::BadgeLifted,
        Op::Pin(0) => Event::Pin(pin([1, 1, 1, 1, 1, 1])),
        Op::Pin(1) => Event::Pin(pin(RIGHT)),
        Op::Pin(_) => Event::Pin(pin(OTHER)),
        Op::Code => Event::IssueCode,
        Op::Choose(n) => Event::ChooseFinger(Finger::ALL[usize::from(n)]),
        Op::Next(n) => Event::Next(kind(n)),
        Op::Finish => Event::Finish,
        Op::Cancel => Event::Cancel,
        Op::Card(n) => Event::Factor(FactorEvent::CardPresented(card(n))),
        Op::CardGone => Event::Factor(FactorEvent::CardRemoved),
        Op::CardAnswer(n, fresh) => Event::Factor(match n {
            0 => FactorEvent::CardRefused(at(fresh), CardRefusal::WrongPin { tries_left: 3 }),
            1 => FactorEvent::CardProved(at(fresh), Proof(Secret::new(vec![1]))),
            n => FactorEvent::CardEnrolled(at(fresh), agreed(n - 1)),
        }),
        Op::Finger(n, fresh) => Event::Factor(FactorEvent::Finger(match n {
            0 => FingerEvent::Stage(at(fresh), 3, 5),
            1 => FingerEvent::Retry(at(fresh), FingerAdvice::Lift),
            2 => FingerEvent::Failed(at(fresh), FingerFault::Broken),
            3 => FingerEvent::Enrolled(at(fresh), template(Finger::LeftMiddle)),
            _ => FingerEvent::Enrolled(at(fresh), template(wanted)),
        })),
        Op::Identified(fresh) => {
            let admission = Admission::Try { tries_left: 9 };
            let peer = Some(CardPeer(vec![4; 65]));
            Event::Identified(at(fresh), Identified { admission, peer, shift: None })
        }
        Op::Store(n, fresh) => Event::Administered(
            at(fresh),
            match n {
                0 => Ok(Administered::Added(OperatorId(77))),
                1 => Ok(Administered::Enrolled(None)),
                2 => Ok(Administered::Enrolled(Some(Secret::new("12345678".into())))),
                3 => Err(AdministrationFault::TokenInUse),
                4 => Err(AdministrationFault::PinGuessable(Weakness::Run)),
                5 => Err(AdministrationFault::VoucherNeeded),
                _ => Err(AdministrationFault::Unknown),
            },
        ),
    }
}

/// What was tapped, typed and chosen so far, kept without the wizard.
#[derive(Default)]
struct Witness {
    taps: Vec<(u8, bool)>,
    pins: Vec<u8>,
    is_added: bool,
    is_cancelled: bool,
    is_proved: bool,
}

impl Witness {
    fn see(&mut self, op: &Op) {
        match op {
            Op::Tap(n) => self.taps.push((*n, false)),
            Op::Lift => {
                if let Some(last) = self.taps.last_mut() {
                    last.1 = true;
                }
            }
            Op::Pin(n) => self.pins.push(*n),
            Op::Cancel => self.is_cancelled = true,
            Op::CardAnswer(..) => self.is_proved = true,
            Op::Store(0, _) => self.is_added = true,
            Op::Code
            | Op::Choose(_)
            | Op::Next(_)
            | Op::Finish
            | Op::Card(_)
            | Op::CardGone
            | Op::Finger(..)
            | Op::Identified(_)
            | Op::Store(..) => {}
        }
    }

    /// The last PIN was typed at the two last prompts.
    fn typed_twice(&self, chosen: &Pin) -> bool {
        let digits = |n: u8| if n == 1 { RIGHT } else { OTHER };
        match self.pins.as_slice() {
            [.., first, second] => {
                first == second && *second != 0 && pin(digits(*second)) == *chosen
            }
            _ => false,
        }
    }

    /// This badge was tapped at least twice, and lifted between.
    fn tapped_twice(&self, enrolled: &Badge) -> bool {
        let taps: Vec<bool> =
            self.taps.iter().filter(|(n, _)| badge(*n) == *enrolled).map(|(_, up)| *up).collect();
        taps.len() >= 2 && taps[..taps.len() - 1].iter().any(|lifted| *lifted)
    }

    fn allows_pin(&self, pin: &NewPin) -> bool {
        match pin {
            NewPin::Chosen(pin) => self.typed_twice(pin),
            NewPin::OneTimeCode => true,
        }
    }

    fn allows(&self, person: OperatorId, what: &Administration) -> bool {
        use Administration as A;
        match what {
            A::AddPerson(new, None) => *new == new_person(),
            A::AddPerson(new, Some(_)) => {
                *new == new_person() && (!self.pins.is_empty() || self.is_proved)
            }
            A::EnrolBadge(of, badge, pin) => {
                *of == person && self.tapped_twice(badge) && self.allows_pin(pin)
            }
            A::EnrolCard(of, _) => *of == person && self.is_proved && !self.pins.is_empty(),
            A::EnrolFinger(of, _) => *of == person,
            A::SetPin(of, pin) => *of == person && self.allows_pin(pin),
            A::ChangeOwnPin(pin) => self.typed_twice(pin),
            A::ListPeople
            | A::RevokeFactor(..)
            | A::RevokePerson(_)
            | A::ReadAudit(_)
            | A::ExportAudit(_)
            | A::Checkpoint
            | A::AuditKey
            | A::AcknowledgeFindings
            | A::BackUp(_)
            | A::Shred(_) => false,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn s4_nothing_is_enrolled_but_for_the_right_person_with_proof(
        goal in 0_u8..6,
        ops in prop::collection::vec(any_op(), 0..60),
    ) {
        let goal = match goal {
            0 => Goal::Person { new: new_person(), vouched: false },
            1 => Goal::Person { new: new_person(), vouched: true },
            5 => Goal::OwnPin,
            n => Goal::Factor(ADA, kind(n - 2)),
        };
        let person = if matches!(goal, Goal::Person { .. }) { OperatorId(77) } else { ADA };
        let is_own = goal == Goal::OwnPin;
        let mut desk = Desk::of(goal);
        let mut seen = Witness::default();
        let mut is_reading = false;
        let mut wanted_finger = Finger::RightIndex;
        for op in ops {
            let before = desk.wanted.len();
            let was_over = matches!(desk.wizard.step(), Step::Over);
            if let Step::Finger(stages) = desk.wizard.step() {
                wanted_finger = stages.finger;
            }
            let was_cancelled = seen.is_cancelled;
            seen.see(&op);
            let count = desk.wizard.count();
            desk.on(event(&op, count, wanted_finger));
            for effect in &desk.wanted[before..] {
                prop_assert!(!was_over && !was_cancelled, "{effect:?} from a wizard that is over");
                match effect {
                    Effect::Administer(_, what) => {
                        prop_assert!(seen.allows(person, what), "{what:?} after {op:?}");
                        if let Administration::EnrolFinger(_, taken) = &**what {
                            prop_assert_eq!(taken.finger, wanted_finger);
                        }
                        let own = matches!(**what, Administration::ChangeOwnPin(_));
                        prop_assert_eq!(own, is_own);
                        let adds = matches!(**what, Administration::AddPerson(..));
                        prop_assert!(adds || seen.is_added || person == ADA);
                    }
                    Effect::Finger(FingerCommand::Enrol { .. }) => is_reading = true,
                    Effect::Finger(FingerCommand::Stop) => is_reading = false,
                    Effect::Finger(FingerCommand::Identify { .. }) => prop_assert!(false),
                    Effect::Identify(..)
                    | Effect::Card(_)
                    | Effect::Notify(_)
                    | Effect::Added(_)
                    | Effect::Refresh => {}
                }
            }
            // The reader's own end of the work needs no stop.
            if matches!(op, Op::Finger(2..=4, true)) {
                is_reading &= matches!(desk.wizard.step(), Step::Finger(_));
            }
            prop_assert_eq!(is_reading, matches!(desk.wizard.step(), Step::Finger(_)));
            prop_assert!(!seen.is_cancelled || matches!(desk.wizard.step(), Step::Over));
            // Attempts and prompts never repeat.
            prop_assert!(desk.wizard.count() >= count);
        }
    }
}
