//! While the card or the store works on what was given, and while a newcomer chooses a PIN.

use crate::session::machine::{
    Effect, Event, PARTIAL_IDLE_MAX, PARTIAL_MAX, Prompt, Session, State, Step, UNLOCKING_MAX,
    Watch, locked,
};
use wardkeep_model::access::Operator;
use wardkeep_model::access::factor::Attempt;
use wardkeep_model::access::factor::{Evidence, Pin, Token, TokenKind};
use wardkeep_model::access::lockout::Admission;
use wardkeep_model::access::policy::Pair;
use wardkeep_model::keeping::{AdministrationFault, Refusal};
use wardkeep_model::moment::BootTime;
use wardkeep_model::notice::Notice;
use wardkeep_model::ports::{CardRefusal, Distrust, Proof};

/// A person who came with a one-time code chooses a PIN. The vault is open, nothing is shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Choosing {
    /// Who.
    pub operator: Operator,
    /// What they have.
    pub token: Token,
    /// With which factors they came.
    pub pair: Pair,
    /// What they typed first; it has to be typed again.
    pub first: Option<Pin>,
    /// The store is writing it.
    pub sent: Option<Attempt>,
    /// Ends at this time unless touched.
    pub idle_deadline: BootTime,
    /// Ends at this time whatever happens.
    pub deadline: BootTime,
}

/// What a card that did not prove itself means to the operator.
fn card_notice(refusal: CardRefusal) -> Notice {
    match refusal {
        CardRefusal::WrongPin { .. } => Notice::CardPinWrong,
        CardRefusal::LastTry => Notice::CardLastTry,
        CardRefusal::Blocked => Notice::CardBlocked,
        CardRefusal::NoKey => Notice::CardNoKey,
        CardRefusal::Changed => Notice::CardChanged,
        CardRefusal::Gone => Notice::CardPulled,
        CardRefusal::Broken => Notice::CardUnreadable,
        CardRefusal::NotTrusted(why) => match why {
            Distrust::Expired | Distrust::NotYetValid => Notice::CardExpired,
            Distrust::Revoked => Notice::CardRevoked,
            Distrust::ListMissing | Distrust::ListStale => Notice::RevocationListOld,
            Distrust::NoIssuers
            | Distrust::UnknownIssuer
            | Distrust::WrongPurpose
            | Distrust::Malformed => Notice::CardNotTrusted,
        },
    }
}

impl Session {
    pub(super) fn while_proving(
        &mut self,
        (prompt, attempt, deadline): (Prompt, Attempt, BootTime),
        now: BootTime,
        event: Event,
    ) -> Step {
        match event {
            Event::CardProved(answered, Proof(secret)) if answered == attempt => {
                match prompt.token {
                    Token::Card(card) => self.unlock(prompt, Evidence::Card(card, secret), now),
                    Token::Badge(_) => locked(Notice::CardChanged),
                }
            }
            Event::CardRefused(answered, refusal) if answered == attempt => match refusal {
                CardRefusal::WrongPin { tries_left } => {
                    let again = Again { tries_left: Some(tries_left), from: now, refused: true };
                    self.ask_again(prompt, again, Notice::CardPinWrong)
                }
                CardRefusal::LastTry
                | CardRefusal::Blocked
                | CardRefusal::NotTrusted(_)
                | CardRefusal::NoKey
                | CardRefusal::Changed
                | CardRefusal::Gone
                | CardRefusal::Broken => locked(card_notice(refusal)),
            },
            // Between its PIN and its proof it is another card.
            Event::Presented(Token::Card(other)) if prompt.token != Token::Card(other) => {
                locked(Notice::CardChanged)
            }
            Event::Presented(other) if other != prompt.token => self.prompt_for(other, now),
            Event::Cancelled => (State::Locked, vec![]),
            Event::Presented(_)
            | Event::BadgeRemoved
            | Event::CardRemoved
            | Event::PinSubmitted(_)
            | Event::LockPressed
            | Event::EmergencyAsked
            | Event::ReasonChosen(_)
            | Event::Activity
            | Event::Identified(..)
            | Event::Unlocked { .. }
            | Event::Refused(..)
            | Event::PinChosen(..)
            | Event::EmergencyOpened(_)
            | Event::EmergencyRefused(..)
            | Event::CardProved(..)
            | Event::CardRefused(..)
            | Event::Finger(_)
            | Event::Sensor(_)
            | Event::Tick => (State::Proving { prompt, attempt, deadline }, vec![]),
        }
    }

    pub(super) fn while_unlocking(
        &mut self,
        (prompt, attempt, pair, deadline): (Prompt, Attempt, Pair, BootTime),
        now: BootTime,
        event: Event,
    ) -> Step {
        match event {
            Event::Unlocked { attempt: answered, operator, must_choose_pin }
                if answered == attempt =>
            {
                if must_choose_pin {
                    self.choose_pin((operator, prompt.token, pair), now)
                } else {
                    self.open((operator, prompt.token, pair), now)
                }
            }
            Event::Refused(answered, refusal) if answered == attempt => {
                self.refused(prompt, (pair, refusal), now)
            }
            Event::Presented(other) if other != prompt.token => self.prompt_for(other, now),
            Event::Cancelled => (State::Locked, vec![]),
            Event::Presented(_)
            | Event::BadgeRemoved
            | Event::CardRemoved
            | Event::PinSubmitted(_)
            | Event::LockPressed
            | Event::EmergencyAsked
            | Event::ReasonChosen(_)
            | Event::Activity
            | Event::Identified(..)
            | Event::Unlocked { .. }
            | Event::Refused(..)
            | Event::PinChosen(..)
            | Event::EmergencyOpened(_)
            | Event::EmergencyRefused(..)
            | Event::CardProved(..)
            | Event::CardRefused(..)
            | Event::Finger(_)
            | Event::Sensor(_)
            | Event::Tick => (State::Unlocking { prompt, attempt, pair, deadline }, vec![]),
        }
    }

    fn refused(&mut self, prompt: Prompt, (pair, refusal): (Pair, Refusal), now: BootTime) -> Step {
        let (admission, wrong) = match refusal {
            Refusal::Damaged(_) => return locked(Notice::VaultDamaged),
            Refusal::Expired => return locked(Notice::PersonExpired),
            Refusal::NotTaken => return locked(Notice::CardWanted),
            Refusal::ShiftOver => return self.without_shift(prompt, now),
            Refusal::WrongFactors(admission) => (admission, true),
            Refusal::NotAdmitted(admission) => (admission, false),
        };
        let (tries_left, from) = match admission {
            Admission::Exhausted => return locked(Notice::TriesExhausted),
            Admission::Try { tries_left } => (Some(tries_left), now),
            Admission::Wait(delay) => (None, now + delay),
        };
        match pair {
            // The card took its PIN: what it agreed on opens nothing here, and no other PIN will help.
            Pair::CardPin if wrong => return locked(Notice::CardNoKey),
            // Nothing was typed that could be wrong: what was alive is not any more.
            Pair::CardFinger | Pair::BadgeFinger | Pair::CardAlone | Pair::BadgeAlone if wrong => {
                return self.without_shift(Prompt { admitted_from: from, ..prompt }, now);
            }
            Pair::CardPin
            | Pair::BadgePin
            | Pair::CardFinger
            | Pair::BadgeFinger
            | Pair::CardAlone
            | Pair::BadgeAlone => {}
        }
        let tries_left = tries_left.filter(|_| prompt.token.kind() == TokenKind::Badge);
        let notice = if wrong { Notice::BadgeOrPinWrong } else { Notice::TryLater };
        self.ask_again(prompt, Again { tries_left, from, refused: wrong }, notice)
    }

    /// The shift is over: only a PIN opens.
    fn without_shift(&mut self, prompt: Prompt, now: BootTime) -> Step {
        let from = prompt.admitted_from.max(now);
        let again = Again { tries_left: prompt.tries_left, from, refused: false };
        let prompt = Prompt { finger: Watch::default(), ..prompt };
        self.ask_again(prompt, again, Notice::ShiftOver)
    }

    /// Back to the prompt. Where a finger did as well, the store is asked anew whether it still does.
    fn ask_again(&mut self, prompt: Prompt, again: Again, notice: Notice) -> Step {
        self.prompts += 1;
        let attempt = self.next_attempt();
        let mut effects = vec![Effect::Notify(notice)];
        if prompt.finger.is_on() {
            effects.push(Effect::Identify(attempt, prompt.token.clone()));
        }
        let idle_deadline = again.from + PARTIAL_IDLE_MAX;
        let prompt = Prompt {
            attempt,
            tries_left: again.tries_left,
            admitted_from: again.from,
            refused: again.refused,
            finger: Watch { attempt: None, shown: None, ..prompt.finger },
            idle_deadline,
            // A long delay must not outlive the prompt by so much that the pad can never be used.
            deadline: prompt.deadline.max(idle_deadline),
            ..prompt
        };
        (State::Partial(prompt), effects)
    }

    fn choose_pin(
        &mut self,
        (operator, token, pair): (Operator, Token, Pair),
        now: BootTime,
    ) -> Step {
        self.prompts += 1;
        let choosing = Choosing {
            operator,
            token,
            pair,
            first: None,
            sent: None,
            idle_deadline: now + PARTIAL_IDLE_MAX,
            deadline: now + PARTIAL_MAX,
        };
        (State::ChoosingPin(choosing), vec![])
    }

    pub(super) fn while_choosing(
        &mut self,
        mut choosing: Choosing,
        now: BootTime,
        event: Event,
    ) -> Step {
        match event {
            Event::PinSubmitted(pin) if choosing.sent.is_none() => {
                return self.pin_chosen(choosing, pin, now);
            }
            Event::PinChosen(answered, written) if choosing.sent == Some(answered) => {
                return self.pin_written(choosing, written, now);
            }
            Event::Presented(other) if other != choosing.token => {
                return self.prompt_for(other, now);
            }
            Event::Cancelled => return (State::Locked, vec![]),
            Event::Activity => choosing.idle_deadline = now + PARTIAL_IDLE_MAX,
            Event::Presented(_)
            | Event::BadgeRemoved
            | Event::CardRemoved
            | Event::PinSubmitted(_)
            | Event::LockPressed
            | Event::EmergencyAsked
            | Event::ReasonChosen(_)
            | Event::Identified(..)
            | Event::Unlocked { .. }
            | Event::Refused(..)
            | Event::PinChosen(..)
            | Event::EmergencyOpened(_)
            | Event::EmergencyRefused(..)
            | Event::CardProved(..)
            | Event::CardRefused(..)
            | Event::Finger(_)
            | Event::Sensor(_)
            | Event::Tick => {}
        }
        (State::ChoosingPin(choosing), vec![])
    }

    fn pin_chosen(&mut self, mut choosing: Choosing, pin: Pin, now: BootTime) -> Step {
        self.prompts += 1;
        let mut effects = vec![];
        match choosing.first.take() {
            None if !pin.is_complete() || pin.is_guessable() => {
                effects.push(Effect::Notify(Notice::PinGuessable));
            }
            None => choosing.first = Some(pin),
            Some(first) if first != pin => effects.push(Effect::Notify(Notice::PinsDiffer)),
            Some(_) => {
                let attempt = self.next_attempt();
                choosing.sent = Some(attempt);
                choosing.deadline = now + UNLOCKING_MAX;
                effects.push(Effect::ChoosePin(attempt, pin));
            }
        }
        (State::ChoosingPin(choosing), effects)
    }

    fn pin_written(
        &mut self,
        choosing: Choosing,
        written: Result<(), AdministrationFault>,
        now: BootTime,
    ) -> Step {
        let Choosing { operator, token, pair, .. } = choosing;
        match written {
            Ok(()) => {
                let (state, mut effects) = self.open((operator, token, pair), now);
                effects.push(Effect::Notify(Notice::PinChanged));
                (state, effects)
            }
            Err(AdministrationFault::PinGuessable) => {
                let (state, mut effects) = self.choose_pin((operator, token, pair), now);
                effects.push(Effect::Notify(Notice::PinGuessable));
                (state, effects)
            }
            Err(
                AdministrationFault::NotAllowed
                | AdministrationFault::Unknown
                | AdministrationFault::TokenInUse
                | AdministrationFault::TokenRandom
                | AdministrationFault::NameIncomplete
                | AdministrationFault::LastAdministrator
                | AdministrationFault::VoucherNeeded
                | AdministrationFault::VoucherWrong
                | AdministrationFault::TooMany
                | AdministrationFault::Exists
                | AdministrationFault::NoPatient
                | AdministrationFault::SeveralPatients
                | AdministrationFault::Store(_),
            ) => locked(Notice::NotWritten),
        }
    }
}

/// How the prompt stands after a refusal.
struct Again {
    tries_left: Option<u8>,
    from: BootTime,
    refused: bool,
}
