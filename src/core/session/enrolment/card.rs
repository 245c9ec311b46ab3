//! Enrolling a smart card: inserted, its PIN typed, its key tested, before the store hears of it.

use crate::session::enrolment::{Effect, Enrolment, Goal, Prompted, Step};
use wardkeep_model::access::factor::{Attempt, CardEnrolment};
use wardkeep_model::access::factor::{Pin, Token};
use wardkeep_model::keeping::Administration;
use wardkeep_model::notice::Notice;
use wardkeep_model::ports::{CardCommand, CardFault, CardRefusal, CardSeen, Distrust};

impl Enrolment {
    pub(super) fn card_presented(&mut self, seen: CardSeen) -> Vec<Effect> {
        self.start.inserted = Some(seen.clone());
        if self.waits_for_second() {
            return self.second_presented(seen.card);
        }
        let is_wanted = match self.prompted() {
            // Another card without news of the first one leaving: the subject shown has to change.
            Some(prompted) => prompted.seen.card != seen.card,
            None => matches!(self.step, Step::Card),
        };
        if is_wanted { self.ask_card_pin(seen) } else { vec![] }
    }

    fn prompted(&self) -> Option<&Prompted> {
        if let Step::CardPin(prompted) | Step::CardTest(prompted, _) = &self.step {
            Some(prompted)
        } else {
            None
        }
    }

    pub(super) fn ask_card_pin(&mut self, seen: CardSeen) -> Vec<Effect> {
        if self.start.own == Some(Token::Card(seen.card)) {
            return self.go_with(Step::Card, Notice::TokenInUse);
        }
        self.go(Step::CardPin(Prompted { seen, tries_left: None }))
    }

    pub(super) fn card_unreadable(&mut self, fault: CardFault) -> Vec<Effect> {
        vec![Effect::Notify(match fault {
            CardFault::LeftTooSoon => Notice::CardLeftTooSoon,
            CardFault::NotPiv => Notice::CardNotPiv,
            CardFault::Unreadable => Notice::CardUnreadable,
        })]
    }

    pub(super) fn card_removed(&mut self) -> Vec<Effect> {
        self.start.inserted = None;
        if self.prompted().is_some() {
            return self.go_with(Step::Card, Notice::CardPulled);
        }
        self.second_removed()
    }

    pub(super) fn test_card(&mut self, prompted: Prompted, pin: Pin) -> Vec<Effect> {
        if !pin.is_complete() {
            // Too short for any card: trying it would cost one of the card's own tries.
            return self.go(Step::CardPin(prompted));
        }
        let (attempt, card) = (self.attempt(), prompted.seen.card);
        self.step = Step::CardTest(prompted, attempt);
        vec![Effect::Card(CardCommand::Enrol { attempt, card, pin })]
    }

    pub(super) fn card_tested(
        &mut self,
        answered: Attempt,
        enrolment: CardEnrolment,
    ) -> Vec<Effect> {
        let (Step::CardTest(prompted, attempt), Goal::Factor(person, _)) = (&self.step, &self.goal)
        else {
            return vec![];
        };
        if *attempt != answered {
            return vec![];
        }
        if prompted.seen.card != enrolment.card {
            return self.go_with(Step::Card, Notice::CardChanged);
        }
        let what = Administration::EnrolCard(*person, enrolment);
        self.administer(what, None)
    }

    pub(super) fn card_refused(&mut self, answered: Attempt, refusal: CardRefusal) -> Vec<Effect> {
        if let Step::SecondTest(voucher, attempt) = &self.step
            && *attempt == answered
        {
            let voucher = voucher.clone();
            return self.second_refused(voucher, refusal);
        }
        let Step::CardTest(prompted, attempt) = &self.step else { return vec![] };
        if *attempt != answered {
            return vec![];
        }
        match refusal {
            CardRefusal::WrongPin { tries_left } => {
                let (seen, tries_left) = (prompted.seen.clone(), Some(tries_left));
                let again = Step::CardPin(Prompted { seen, tries_left });
                self.go_with(again, Notice::CardPinWrong)
            }
            CardRefusal::LastTry
            | CardRefusal::Blocked
            | CardRefusal::NotTrusted(_)
            | CardRefusal::NoKey
            | CardRefusal::Changed
            | CardRefusal::Gone
            | CardRefusal::Broken => self.go_with(Step::Card, notice(refusal)),
        }
    }
}

/// What to tell the person whose card did not prove itself.
pub(super) fn notice(refusal: CardRefusal) -> Notice {
    match refusal {
        CardRefusal::WrongPin { .. } => Notice::CardPinWrong,
        CardRefusal::LastTry => Notice::CardLastTry,
        CardRefusal::Blocked => Notice::CardBlocked,
        CardRefusal::NotTrusted(Distrust::Expired | Distrust::NotYetValid) => Notice::CardExpired,
        CardRefusal::NotTrusted(Distrust::Revoked) => Notice::CardRevoked,
        CardRefusal::NotTrusted(Distrust::ListMissing | Distrust::ListStale) => {
            Notice::RevocationListOld
        }
        CardRefusal::NotTrusted(
            Distrust::NoIssuers
            | Distrust::UnknownIssuer
            | Distrust::WrongPurpose
            | Distrust::Malformed,
        ) => Notice::CardNotTrusted,
        CardRefusal::NoKey => Notice::CardNoKey,
        CardRefusal::Changed => Notice::CardChanged,
        CardRefusal::Gone => Notice::CardPulled,
        CardRefusal::Broken => Notice::CardUnreadable,
    }
}
