//! Enrolling a smart card: inserted, its PIN typed, its key tested, before the store hears of it.

use wardkeep_model::access::factor::{Attempt, CardEnrolment, Pin, Token};
use wardkeep_model::keeping::Administration;
use wardkeep_model::notice::Notice;
use wardkeep_model::ports::{CardCommand, CardFault, CardRefusal, CardSeen};

use crate::session::card::notice;
use crate::session::enrolment::progress::Progress;
use crate::session::enrolment::second;
use crate::session::enrolment::step::{Effect, Goal, Prompted, Step};

pub(super) fn presented(so_far: &mut Progress, seen: CardSeen) -> Vec<Effect> {
    so_far.start.inserted = Some(seen.clone());
    if second::is_awaited(so_far) {
        return second::presented(so_far, seen.card);
    }
    let is_wanted = match prompted(so_far) {
        // Another card without news of the first one leaving: the subject shown has to change.
        Some(prompted) => prompted.seen.card != seen.card,
        None => matches!(so_far.step, Step::Card),
    };
    if is_wanted { ask_pin(so_far, seen) } else { vec![] }
}

fn prompted(so_far: &Progress) -> Option<&Prompted> {
    if let Step::CardPin(prompted) | Step::CardTest(prompted, _) = &so_far.step {
        Some(prompted)
    } else {
        None
    }
}

pub(super) fn ask_pin(so_far: &mut Progress, seen: CardSeen) -> Vec<Effect> {
    if so_far.start.own == Some(Token::Card(seen.card)) {
        return so_far.go_with(Step::Card, Notice::TokenInUse);
    }
    so_far.go(Step::CardPin(Prompted { seen, tries_left: None }))
}

pub(super) fn unreadable(fault: CardFault) -> Vec<Effect> {
    vec![Effect::Notify(match fault {
        CardFault::LeftTooSoon => Notice::CardLeftTooSoon,
        CardFault::NotPiv => Notice::CardNotPiv,
        CardFault::Unreadable => Notice::CardUnreadable,
    })]
}

pub(super) fn removed(so_far: &mut Progress) -> Vec<Effect> {
    so_far.start.inserted = None;
    if prompted(so_far).is_some() {
        return so_far.go_with(Step::Card, Notice::CardPulled);
    }
    second::removed(so_far)
}

pub(super) fn test(so_far: &mut Progress, prompted: Prompted, pin: Pin) -> Vec<Effect> {
    if !pin.is_complete() {
        // Too short for any card: trying it would cost one of the card's own tries.
        return so_far.go(Step::CardPin(prompted));
    }
    let (attempt, card) = (so_far.attempt(), prompted.seen.card);
    so_far.step = Step::CardTest(prompted, attempt);
    vec![Effect::Card(CardCommand::Enrol { attempt, card, pin })]
}

pub(super) fn tested(
    so_far: &mut Progress,
    answered: Attempt,
    enrolment: CardEnrolment,
) -> Vec<Effect> {
    let (Step::CardTest(prompted, attempt), Goal::Factor(person, _)) = (&so_far.step, &so_far.goal)
    else {
        return vec![];
    };
    if *attempt != answered {
        return vec![];
    }
    if prompted.seen.card != enrolment.card {
        return so_far.go_with(Step::Card, Notice::CardChanged);
    }
    let what = Administration::EnrolCard(*person, enrolment);
    so_far.administer(what, None)
}

pub(super) fn refused(
    so_far: &mut Progress,
    answered: Attempt,
    refusal: CardRefusal,
) -> Vec<Effect> {
    if let Step::SecondTest(voucher, attempt) = &so_far.step
        && *attempt == answered
    {
        let voucher = voucher.clone();
        return second::refused(so_far, voucher, refusal);
    }
    let Step::CardTest(prompted, attempt) = &so_far.step else { return vec![] };
    if *attempt != answered {
        return vec![];
    }
    match refusal {
        CardRefusal::WrongPin { tries_left } => {
            let (seen, tries_left) = (prompted.seen.clone(), Some(tries_left));
            let again = Step::CardPin(Prompted { seen, tries_left });
            so_far.go_with(again, Notice::CardPinWrong)
        }
        CardRefusal::LastTry
        | CardRefusal::Blocked
        | CardRefusal::NotTrusted(_)
        | CardRefusal::NoKey
        | CardRefusal::Changed
        | CardRefusal::Gone
        | CardRefusal::Broken => so_far.go_with(Step::Card, notice(refusal)),
    }
}
