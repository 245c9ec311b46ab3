//! The second person: where the site wants it, nobody makes an IT person alone.
//!
//! The store judges the voucher's two factors; a wrong PIN there counts against the voucher as at the
//! lock screen (S-5).

use wardkeep_model::access::factor::{Attempt, Badge, CardId, Evidence, Pin, Token};
use wardkeep_model::access::lockout::Admission;
use wardkeep_model::keeping::{Administration, Identified};
use wardkeep_model::notice::Notice;
use wardkeep_model::ports::{CardCommand, CardRefusal, Proof};

use crate::session::card::notice as card_notice;
use crate::session::enrolment::progress::Progress;
use crate::session::enrolment::step::{Effect, Goal, Step, Voucher, VoucherToken};

pub(super) fn badge(so_far: &mut Progress, badge: Badge) -> Vec<Effect> {
    if so_far.start.own == Some(Token::Badge(badge.clone())) {
        return vec![Effect::Notify(Notice::VoucherWrong)];
    }
    let token = VoucherToken::Badge(badge);
    so_far.go(Step::SecondPin(Voucher { token, tries_left: None }))
}

pub(super) fn ask_card(so_far: &mut Progress, card: CardId) -> Vec<Effect> {
    if so_far.start.own == Some(Token::Card(card)) {
        return vec![Effect::Notify(Notice::VoucherWrong)];
    }
    let attempt = so_far.attempt();
    so_far.step = Step::SecondKnown(card, attempt);
    vec![Effect::Identify(attempt, Token::Card(card))]
}

pub(super) fn known(
    so_far: &mut Progress,
    answered: Attempt,
    identified: Identified,
) -> Vec<Effect> {
    let Step::SecondKnown(card, attempt) = &so_far.step else { return vec![] };
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
            so_far.go(Step::SecondPin(Voucher { token, tries_left: None }))
        }
        (None, None) => so_far.go_with(Step::SecondPerson, Notice::VoucherWrong),
        (Some(notice), _) => so_far.go_with(Step::SecondPerson, notice),
    }
}

pub(super) fn vouch(so_far: &mut Progress, voucher: Voucher, pin: Pin) -> Vec<Effect> {
    if !pin.is_complete() {
        return so_far.go(Step::SecondPin(voucher));
    }
    match &voucher.token {
        VoucherToken::Badge(badge) => {
            let evidence = Evidence::BadgePin(badge.clone(), pin);
            vouched(so_far, evidence)
        }
        VoucherToken::Card(card, peer) => {
            let (card, peer, attempt) = (*card, peer.clone(), so_far.attempt());
            so_far.step = Step::SecondTest(voucher, attempt);
            vec![Effect::Card(CardCommand::Prove { attempt, card, pin, peer })]
        }
    }
}

pub(super) fn proved(so_far: &mut Progress, answered: Attempt, proof: Proof) -> Vec<Effect> {
    let Step::SecondTest(voucher, attempt) = &so_far.step else { return vec![] };
    let VoucherToken::Card(card, _) = voucher.token else { return vec![] };
    if *attempt != answered {
        return vec![];
    }
    vouched(so_far, Evidence::Card(card, proof.0))
}

fn vouched(so_far: &mut Progress, evidence: Evidence) -> Vec<Effect> {
    let Goal::Person { new, .. } = &so_far.goal else { return so_far.go(Step::Over) };
    let add = Administration::AddPerson(new.clone(), Some(evidence));
    so_far.administer(add, None)
}

pub(super) fn refused(
    so_far: &mut Progress,
    voucher: Voucher,
    refusal: CardRefusal,
) -> Vec<Effect> {
    match refusal {
        CardRefusal::WrongPin { tries_left } => {
            let again = Voucher { tries_left: Some(tries_left), ..voucher };
            so_far.go_with(Step::SecondPin(again), Notice::CardPinWrong)
        }
        CardRefusal::LastTry
        | CardRefusal::Blocked
        | CardRefusal::NotTrusted(_)
        | CardRefusal::NoKey
        | CardRefusal::Changed
        | CardRefusal::Gone
        | CardRefusal::Broken => so_far.go_with(Step::SecondPerson, card_notice(refusal)),
    }
}

/// A card that is inserted is the second person's.
pub(super) fn is_awaited(so_far: &Progress) -> bool {
    matches!(
        so_far.step,
        Step::SecondPerson | Step::SecondKnown(..) | Step::SecondPin(_) | Step::SecondTest(..)
    )
}

/// Another card than the one that is waited for takes its place.
pub(super) fn presented(so_far: &mut Progress, card: CardId) -> Vec<Effect> {
    if token(so_far) == Some(card) { vec![] } else { ask_card(so_far, card) }
}

/// The voucher's card is gone; a voucher with a badge does not mind.
pub(super) fn removed(so_far: &mut Progress) -> Vec<Effect> {
    if token(so_far).is_none() {
        return vec![];
    }
    so_far.go_with(Step::SecondPerson, Notice::CardPulled)
}

fn token(so_far: &Progress) -> Option<CardId> {
    match &so_far.step {
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
