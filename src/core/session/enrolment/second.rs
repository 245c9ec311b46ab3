//! The second person: where the site wants it, nobody makes an IT person alone.
//!
//! The store judges the voucher's two factors; a wrong PIN there counts against the voucher as at the
//! lock screen (S-5).

use crate::session::enrolment::{Effect, Enrolment, Goal, Step, Voucher, VoucherToken, card};
use wardkeep_model::access::factor::Attempt;
use wardkeep_model::access::factor::{Badge, CardId, Evidence, Pin, Token};
use wardkeep_model::access::lockout::Admission;
use wardkeep_model::keeping::{Administration, Identified};
use wardkeep_model::notice::Notice;
use wardkeep_model::ports::{CardCommand, CardRefusal, Proof};

impl Enrolment {
    pub(super) fn second_badge(&mut self, badge: Badge) -> Vec<Effect> {
        if self.start.own == Some(Token::Badge(badge.clone())) {
            return vec![Effect::Notify(Notice::VoucherWrong)];
        }
        let token = VoucherToken::Badge(badge);
        self.go(Step::SecondPin(Voucher { token, tries_left: None }))
    }

    pub(super) fn second_card(&mut self, card: CardId) -> Vec<Effect> {
        if self.start.own == Some(Token::Card(card)) {
            return vec![Effect::Notify(Notice::VoucherWrong)];
        }
        let attempt = self.attempt();
        self.step = Step::SecondKnown(card, attempt);
        vec![Effect::Identify(attempt, Token::Card(card))]
    }

    pub(super) fn second_known(
        &mut self,
        answered: Attempt,
        identified: Identified,
    ) -> Vec<Effect> {
        let Step::SecondKnown(card, attempt) = &self.step else { return vec![] };
        if *attempt != answered {
            return vec![];
        }
        let card = *card;
        let refused = match identified.admission {
            Admission::Try { .. } => None,
            Admission::Wait(_) => Some(Notice::TryLater),
            Admission::Exhausted => Some(Notice::TriesExhausted),
        };
        match (refused, identified.peer) {
            (None, Some(peer)) => {
                let token = VoucherToken::Card(card, peer);
                self.go(Step::SecondPin(Voucher { token, tries_left: None }))
            }
            (None, None) => self.go_with(Step::SecondPerson, Notice::VoucherWrong),
            (Some(notice), _) => self.go_with(Step::SecondPerson, notice),
        }
    }

    pub(super) fn vouch(&mut self, voucher: Voucher, pin: Pin) -> Vec<Effect> {
        if !pin.is_complete() {
            return self.go(Step::SecondPin(voucher));
        }
        match &voucher.token {
            VoucherToken::Badge(badge) => {
                let evidence = Evidence::BadgePin(badge.clone(), pin);
                self.vouched(evidence)
            }
            VoucherToken::Card(card, peer) => {
                let (card, peer, attempt) = (*card, peer.clone(), self.attempt());
                self.step = Step::SecondTest(voucher, attempt);
                vec![Effect::Card(CardCommand::Prove { attempt, card, pin, peer })]
            }
        }
    }

    pub(super) fn second_proved(&mut self, answered: Attempt, proof: Proof) -> Vec<Effect> {
        let Step::SecondTest(voucher, attempt) = &self.step else { return vec![] };
        let VoucherToken::Card(card, _) = voucher.token else { return vec![] };
        if *attempt != answered {
            return vec![];
        }
        self.vouched(Evidence::Card(card, proof.0))
    }

    fn vouched(&mut self, evidence: Evidence) -> Vec<Effect> {
        let Goal::Person { new, .. } = &self.goal else { return self.go(Step::Over) };
        let add = Administration::AddPerson(new.clone(), Some(evidence));
        self.administer(add, None)
    }

    pub(super) fn second_refused(&mut self, voucher: Voucher, refusal: CardRefusal) -> Vec<Effect> {
        match refusal {
            CardRefusal::WrongPin { tries_left } => {
                let again = Voucher { tries_left: Some(tries_left), ..voucher };
                self.go_with(Step::SecondPin(again), Notice::CardPinWrong)
            }
            CardRefusal::LastTry
            | CardRefusal::Blocked
            | CardRefusal::NotTrusted(_)
            | CardRefusal::NoKey
            | CardRefusal::Changed
            | CardRefusal::Gone
            | CardRefusal::Broken => self.go_with(Step::SecondPerson, card::notice(refusal)),
        }
    }

    /// A card that is inserted is the second person's.
    pub(super) fn waits_for_second(&self) -> bool {
        matches!(
            self.step,
            Step::SecondPerson | Step::SecondKnown(..) | Step::SecondPin(_) | Step::SecondTest(..)
        )
    }

    /// Another card than the one that is waited for takes its place.
    pub(super) fn second_presented(&mut self, card: CardId) -> Vec<Effect> {
        if self.second_token() == Some(card) { vec![] } else { self.second_card(card) }
    }

    /// The voucher's card is gone; a voucher with a badge does not mind.
    pub(super) fn second_removed(&mut self) -> Vec<Effect> {
        if self.second_token().is_none() {
            return vec![];
        }
        self.go_with(Step::SecondPerson, Notice::CardPulled)
    }

    fn second_token(&self) -> Option<CardId> {
        match &self.step {
            Step::SecondKnown(card, _) => Some(*card),
            Step::SecondPin(voucher) | Step::SecondTest(voucher, _) => match voucher.token {
                VoucherToken::Card(card, _) => Some(card),
                VoucherToken::Badge(_) => None,
            },
            Step::Badge(_)
            | Step::Pin(_)
            | Step::Repeat(..)
            | Step::Card
            | Step::CardPin(_)
            | Step::CardTest(..)
            | Step::FingerChoice
            | Step::Finger(_)
            | Step::SecondPerson
            | Step::Writing(..)
            | Step::Code(_)
            | Step::Done
            | Step::Over => None,
        }
    }
}
