//! What is said of people who may log in.

use slint::SharedString;

use wardkeep_core::kiosk::view::access::{PersonLine, PersonState};
use wardkeep_model::access::Role;

use crate::bridge::words::{Said, Words, joined, tr, trn};

/// Name of a role.
pub(in crate::bridge) fn role(words: &Words, role: Role) -> SharedString {
    words.say(match role {
        Role::Nurse => tr("Nurse"),
        Role::Caregiver => tr("Caregiver"),
        Role::It => tr("IT"),
        Role::Auditor => tr("Auditor"),
    })
}

/// What to know before somebody is added in this role; may be empty.
pub(in crate::bridge) fn role_remark(words: &Words, role: Role, two_person: bool) -> SharedString {
    match role {
        Role::It if two_person => {
            words.say(tr("Another IT person has to confirm it: ask them to come."))
        }
        Role::Nurse | Role::Caregiver | Role::It | Role::Auditor => SharedString::default(),
    }
}

/// Their role, and until when they may log in.
pub(in crate::bridge) fn facts(words: &Words, person: &PersonLine) -> SharedString {
    let until = match person.valid_until.as_str() {
        "" => SharedString::default(),
        day => words.fill(tr("until {}"), &[day]),
    };
    joined(&[role(words, person.role), until])
}

/// What they have enrolled; empty for nothing.
pub(in crate::bridge) fn factors(words: &Words, person: &PersonLine) -> SharedString {
    let (badges, cards, fingers) = person.counts;
    let several = |sentence, count: usize| match u64::try_from(count) {
        Ok(0) | Err(_) => SharedString::default(),
        Ok(count) => words.count(sentence, count, &[]),
    };
    joined(&[
        several(trn("{n} badge", "{n} badges"), badges),
        several(trn("{n} card", "{n} cards"), cards),
        several(trn("{n} finger", "{n} fingers"), fingers),
    ])
}

/// How they stand, and what IT can do about it; nothing where nothing has to be done.
pub(in crate::bridge) fn standing(words: &Words, state: PersonState) -> Said {
    let (fact, advice) = match state {
        PersonState::Ready => (tr("ready"), None),
        PersonState::NoFactors => (
            tr("nothing enrolled yet"),
            Some(tr("They cannot log in yet: enrol a badge or a card.")),
        ),
        PersonState::Code => (
            tr("one-time code is out"),
            Some(tr("They choose their own PIN at the first login with the code.")),
        ),
        PersonState::Expired => (
            tr("access has ended"),
            Some(tr("They cannot log in any more. Add them again if they stay.")),
        ),
        PersonState::Exhausted => (
            tr("PIN tries used up"),
            Some(tr("They cannot log in with their badge: give a new PIN or a code.")),
        ),
    };
    let advice = advice.map(|advice| words.say(advice)).unwrap_or_default();
    Said { fact: words.say(fact), advice }
}
