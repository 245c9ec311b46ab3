//! Every state of the session against every event: the whole policy as one table.

use std::time::Duration;

use kit::kiosk::{PIN, badge, card, pin, sensor, template};
use wardkeep_core::session::{Effect, Emergency, Event, Session, State};
use wardkeep_model::access::factor::Attempt;
use wardkeep_model::access::factor::{CardPeer, TemplateId, Token};
use wardkeep_model::access::lockout::Admission;
use wardkeep_model::access::policy::Policy;
use wardkeep_model::access::{Operator, OperatorId, Role};
use wardkeep_model::confidential::{Phi, Secret};
use wardkeep_model::keeping::emergency::EmergencyReason;
use wardkeep_model::keeping::{EmergencyRefusal, Identified, Refusal, Shift};
use wardkeep_model::moment::BootTime;
use wardkeep_model::ports::{CardCommand, CardRefusal, FingerCommand, FingerEvent, Proof};

const START: BootTime = BootTime(Duration::from_secs(1000));

fn operator() -> Operator {
    let name = Phi::new("Ada Kern".into());
    Operator { id: OperatorId(9), initials: "AK".into(), name, role: Role::Nurse }
}

/// A machine, the last attempt it named, and what it wanted last.
struct Bench {
    session: Session,
    asked: Attempt,
    effects: Vec<Effect>,
}

impl Bench {
    fn new() -> Self {
        let mut session = Session::new(Duration::from_secs(120), Policy::default(), vec![]);
        let effects = session.handle(START, Event::Sensor(Some(sensor("A"))));
        Self { session, asked: Attempt(0), effects }
    }

    fn send(mut self, event: Event) -> Self {
        self.handle(START, event);
        self
    }

    fn handle(&mut self, now: BootTime, event: Event) {
        self.effects = self.session.handle(now, event);
        for effect in &self.effects {
            self.asked = match effect {
                Effect::Identify(attempt, _)
                | Effect::Unlock(attempt, _)
                | Effect::ChoosePin(attempt, _)
                | Effect::OpenEmergency(attempt, ..)
                | Effect::Card(
                    CardCommand::Prove { attempt, .. } | CardCommand::Enrol { attempt, .. },
                )
                | Effect::Finger(
                    FingerCommand::Identify { attempt, .. } | FingerCommand::Enrol { attempt, .. },
                ) => *attempt,
                Effect::Finger(FingerCommand::Stop)
                | Effect::FingerMissed(_)
                | Effect::Reveal(_)
                | Effect::RevealEmergency
                | Effect::Conceal
                | Effect::Notify(_) => continue,
            };
        }
    }

    /// A prompt beside which a finger is waited for.
    fn partial(own: Token) -> Self {
        let bench = Self::new().send(Event::Presented(own));
        let identified = Identified {
            admission: Admission::Try { tries_left: 10 },
            peer: Some(CardPeer(vec![4; 65])),
            shift: Some(Shift { templates: vec![template(1, "A")], tap: false }),
        };
        let asked = bench.asked;
        bench.send(Event::Identified(asked, identified))
    }

    fn typed(self) -> Self {
        self.send(Event::PinSubmitted(pin(PIN)))
    }

    /// The card proves itself.
    fn proved(self) -> Self {
        let asked = self.asked;
        self.send(Event::CardProved(asked, Proof(Secret::new(vec![1; 32]))))
    }

    fn unlocked(self, must_choose_pin: bool) -> Self {
        let attempt = self.asked;
        self.send(Event::Unlocked { attempt, operator: operator(), must_choose_pin })
    }

    fn reason(own: Token) -> Self {
        Self::new().send(Event::EmergencyAsked).send(Event::Presented(own))
    }

    fn opening(own: Token) -> Self {
        Self::reason(own).send(Event::ReasonChosen(EmergencyReason::LifeThreatening))
    }

    fn emergency(own: Token) -> Self {
        let bench = Self::opening(own);
        let asked = bench.asked;
        bench.send(Event::EmergencyOpened(asked))
    }

    fn letter(&self) -> char {
        match self.session.state() {
            State::Locked => 'L',
            State::Partial(_) => 'P',
            State::Proving { .. } => 'V',
            State::Unlocking { .. } => 'U',
            State::ChoosingPin(_) => 'C',
            State::Open { .. } => 'O',
            State::Emergency(Emergency::Token { .. }) => 'T',
            State::Emergency(Emergency::Reason { .. }) => 'R',
            State::Emergency(Emergency::Opening { .. }) => 'N',
            State::Emergency(Emergency::Open { .. }) => 'E',
        }
    }
}

/// The columns of the table: what happens, and how many seconds after the state was reached.
fn columns(own: &Token, asked: Attempt) -> Vec<(&'static str, u64, Event)> {
    let unlocked =
        |attempt| Event::Unlocked { attempt, operator: operator(), must_choose_pin: false };
    let wrong = Refusal::WrongFactors(Admission::Try { tries_left: 9 });
    let identified = Identified {
        admission: Admission::Try { tries_left: 9 },
        peer: Some(CardPeer(vec![4; 65])),
        shift: None,
    };
    vec![
        ("same token at once", 1, Event::Presented(own.clone())),
        ("same token later", 4, Event::Presented(own.clone())),
        ("another badge", 1, Event::Presented(Token::Badge(badge(2)))),
        ("another card", 1, Event::Presented(Token::Card(card(2)))),
        ("badge taken away", 4, Event::BadgeRemoved),
        ("card pulled", 1, Event::CardRemoved),
        ("PIN", 1, Event::PinSubmitted(pin(PIN))),
        ("cancel", 1, Event::Cancelled),
        ("lock", 1, Event::LockPressed),
        ("emergency", 1, Event::EmergencyAsked),
        ("reason", 1, Event::ReasonChosen(EmergencyReason::FactorFailed)),
        ("touch", 1, Event::Activity),
        ("identified", 1, Event::Identified(asked, identified)),
        ("unlocked", 1, unlocked(asked)),
        ("refused", 1, Event::Refused(asked, wrong)),
        ("PIN written", 1, Event::PinChosen(asked, Ok(()))),
        ("emergency opened", 1, Event::EmergencyOpened(asked)),
        ("emergency refused", 1, Event::EmergencyRefused(asked, EmergencyRefusal::Unknown)),
        ("card proved", 1, Event::CardProved(asked, Proof(Secret::new(vec![1; 32])))),
        ("card PIN wrong", 1, Event::CardRefused(asked, CardRefusal::WrongPin { tries_left: 2 })),
        ("finger matched", 1, Event::Finger(FingerEvent::Matched(asked, TemplateId(1)))),
        ("sensor unplugged", 1, Event::Sensor(None)),
        ("nothing", 1, Event::Tick),
        ("late answer", 1, unlocked(Attempt(999))),
    ]
}

/// A state, and where each column leads from it.
type Row = (&'static str, fn(Token) -> Bench, Token, &'static str);

fn rows() -> Vec<Row> {
    let (by_badge, by_card) = (Token::Badge(badge(1)), Token::Card(card(1)));
    let b = || by_badge.clone();
    let c = || by_card.clone();
    // Same token at once and later, other badge and card, badge away, card pulled; PIN, cancel, lock;
    // emergency, reason, touch; the store's six answers; the card's two; finger, sensor, nothing, late.
    vec![
        ("locked", |_| Bench::new(), b(), "PPPP LL LLL TLL LLLLLL LL LLLL"),
        ("prompt, badge", Bench::partial, b(), "PPPP LP ULL PPP PPPPPP PP UPPP"),
        ("prompt, card", Bench::partial, c(), "PPPP PL VLL PPP PPPPPP PP UPPP"),
        ("proving", |t| Bench::partial(t).typed(), c(), "VVPL VL VLL VVV VVVVVV UP VVVV"),
        ("unlocking, badge", |t| Bench::partial(t).typed(), b(), "UUPP LU ULL UUU UOPUUU UU UUUU"),
        (
            "unlocking, card",
            |t| Bench::partial(t).typed().proved(),
            c(),
            "UUPP UL ULL UUU UOLUUU UU UUUU",
        ),
        (
            "choosing",
            |t| Bench::partial(t).typed().unlocked(true),
            b(),
            "CCPP LC CLL CCC CCCCCC CC CCCC",
        ),
        (
            "writing the PIN",
            |t| Bench::partial(t).typed().unlocked(true).typed().typed(),
            b(),
            "CCPP LC CLL CCC CCCOCC CC CCCC",
        ),
        (
            "open, badge",
            |t| Bench::partial(t).typed().unlocked(false),
            b(),
            "OLPP LO OOL OOO OOOOOO OO OOOO",
        ),
        (
            "open, card",
            |t| Bench::partial(t).typed().proved().unlocked(false),
            c(),
            "OLPP OL OOL OOO OOOOOO OO OOOO",
        ),
        (
            "emergency, token",
            |_| Bench::new().send(Event::EmergencyAsked),
            b(),
            "RRRR TT TLL TTT TTTTTT TT TTTT",
        ),
        ("emergency, reason", Bench::reason, b(), "RPPP LR RLL RNR RRRRRR RR RRRR"),
        ("emergency, opening", Bench::opening, b(), "NPPP LN NLL NNN NNNNEL NN NNNN"),
        ("emergency, open", Bench::emergency, b(), "EPPP LE ELL EEE EEEEEE EE EEEE"),
        ("emergency, open, card", Bench::emergency, c(), "EPPP EL ELL EEE EEEEEE EE EEEE"),
    ]
}

#[test]
fn s1_every_event_in_every_state_leads_where_the_table_says() {
    for (state, reach, own, expected) in rows() {
        let expected: Vec<char> = expected.chars().filter(|letter| *letter != ' ').collect();
        let asked = reach(own.clone()).asked;
        let columns = columns(&own, asked);
        assert_eq!(columns.len(), expected.len(), "{state}");
        for ((event, after, what), expected) in columns.into_iter().zip(expected) {
            let mut bench = reach(own.clone());
            let before = bench.letter();
            let watched = is_watched(&bench);
            bench.handle(START + Duration::from_secs(after), what);
            assert_eq!(bench.letter(), expected, "{state}: {event}");
            // What may be open is closed, first of all, whenever it is left.
            let holds = |letter| "UCONE".contains(letter);
            let conceals = bench.effects.contains(&Effect::Conceal);
            assert_eq!(conceals, holds(before) && !holds(expected), "{state}: {event}");
            let shown = bench.effects.iter().position(|effect| {
                matches!(effect, Effect::Notify(_) | Effect::Identify(..) | Effect::Unlock(..))
            });
            let hidden = bench.effects.iter().position(|effect| *effect == Effect::Conceal);
            assert!(hidden.is_none() || shown.is_none() || hidden < shown, "{state}: {event}");
            // A reader that waits for a finger is stopped whenever its prompt is left.
            let stops = bench.effects.first() == Some(&Effect::Finger(FingerCommand::Stop));
            assert_eq!(stops, watched && !is_watched(&bench), "{state}: {event}");
            let due = bench.session.next_deadline();
            assert_eq!(due.is_none(), expected == 'L', "{state}: {event} has a deadline");
        }
    }
}

fn is_watched(bench: &Bench) -> bool {
    matches!(bench.session.state(), State::Partial(prompt) if prompt.finger.attempt.is_some())
}

#[test]
fn s1_every_state_ends_by_itself_and_locked() {
    for (state, reach, own, _) in rows() {
        let mut bench = reach(own);
        let held = "UCONE".contains(bench.letter());
        let Some(due) = bench.session.next_deadline() else {
            assert_eq!(bench.letter(), 'L', "{state}");
            continue;
        };
        bench.handle(due - Duration::from_millis(1), Event::Tick);
        assert_ne!(bench.letter(), 'L', "{state}");
        bench.handle(due, Event::Tick);
        assert_eq!(bench.letter(), 'L', "{state}");
        assert_eq!(bench.effects.contains(&Effect::Conceal), held, "{state}");
        assert!(bench.effects.iter().any(|effect| matches!(effect, Effect::Notify(_))), "{state}");
    }
}
