//! What is said of factors, of how they are enrolled, and of what two of them prove.

use slint::SharedString;

use wardkeep_core::kiosk::view::access::FactorWord;
use wardkeep_core::session::FingerPrompt;
use wardkeep_core::session::enrolment::EnrolKind;
use wardkeep_model::access::factor::Finger;
use wardkeep_model::access::policy::{Level, Pair};
use wardkeep_model::ports::FingerAdvice;

use crate::bridge::words::{Said, Words, tr};

/// Name of a finger.
pub(in crate::bridge) fn finger(words: &Words, finger: Finger) -> SharedString {
    words.say(match finger {
        Finger::RightIndex => tr("Right index finger"),
        Finger::LeftIndex => tr("Left index finger"),
        Finger::RightThumb => tr("Right thumb"),
        Finger::LeftThumb => tr("Left thumb"),
        Finger::RightMiddle => tr("Right middle finger"),
        Finger::LeftMiddle => tr("Left middle finger"),
    })
}

/// The finger prompt beside the PIN pad.
pub(in crate::bridge) fn prompt(words: &Words, prompt: FingerPrompt) -> SharedString {
    match prompt {
        FingerPrompt::Waiting => words.say(tr("Lay your finger on the reader.")),
        FingerPrompt::NotMatched => words.say(tr("Not recognised. Lay it on again.")),
        FingerPrompt::Retry(hint) => advice(words, hint),
        FingerPrompt::Off => words.say(tr("The finger does not count for now: type the PIN.")),
    }
}

/// How a finger is laid on better.
fn advice(words: &Words, advice: FingerAdvice) -> SharedString {
    words.say(match advice {
        FingerAdvice::Again => tr("Not read. Lay it on once more."),
        FingerAdvice::Longer => tr("Too short. Leave it on a little longer."),
        FingerAdvice::Centre => tr("Lay it on the middle of the reader."),
        FingerAdvice::Lift => tr("Lift it, then lay it on again."),
    })
}

/// What to do next while a finger is enrolled.
pub(in crate::bridge) fn next(
    words: &Words,
    (done, total): (u8, u8),
    hint: Option<FingerAdvice>,
) -> SharedString {
    match hint {
        _ if total == 0 => words.say(tr("Waiting for the reader…")),
        Some(hint) => advice(words, hint),
        None => {
            let (now, total) = (u16::from(done) + 1, total.to_string());
            words.fill(tr("Lay the finger on: {0} of {1}"), &[&now.to_string(), &total])
        }
    }
}

/// Name of an enrolled factor, and what taking it away is called.
pub(in crate::bridge) fn factor(
    words: &Words,
    factor: &FactorWord,
) -> (SharedString, SharedString) {
    match factor {
        FactorWord::Badge => (words.say(tr("Badge")), words.say(tr("Take this badge away"))),
        FactorWord::Card(_) => (words.say(tr("Smart card")), words.say(tr("Take this card away"))),
        FactorWord::Finger(which) => {
            (finger(words, *which), words.say(tr("Take this finger away")))
        }
    }
}

/// What was just enrolled, and what else helps.
pub(in crate::bridge) fn enrolled(words: &Words, kind: EnrolKind, another_finger: bool) -> Said {
    let more = tr("They can log in. More can be enrolled at any time.");
    let (fact, advice) = match kind {
        EnrolKind::Badge => (tr("The badge is enrolled"), more),
        EnrolKind::Card => (tr("The card is enrolled"), more),
        EnrolKind::Finger => (tr("The finger is enrolled"), more),
        EnrolKind::Pin => (tr("The new PIN counts"), tr("Use it at the next login.")),
    };
    let advice = if another_finger {
        tr("A second finger helps when the first is wet, cut or gloved.")
    } else {
        advice
    };
    Said { fact: words.say(fact), advice: words.say(advice) }
}

/// The offer to enrol this kind of factor as well; none for a PIN, which comes with its badge.
pub(in crate::bridge) fn too(words: &Words, kind: EnrolKind) -> Option<SharedString> {
    match kind {
        EnrolKind::Badge => Some(words.say(tr("Enrol a badge too"))),
        EnrolKind::Card => Some(words.say(tr("Enrol a card too"))),
        EnrolKind::Finger => Some(words.say(tr("Enrol a finger too"))),
        EnrolKind::Pin => None,
    }
}

/// Two factors.
pub(in crate::bridge) fn pair(words: &Words, pair: Pair) -> SharedString {
    words.say(match pair {
        Pair::CardPin => tr("Card and PIN"),
        Pair::BadgePin => tr("Badge and PIN"),
        Pair::CardFinger => tr("Card and finger, inside a shift"),
        Pair::BadgeFinger => tr("Badge and finger, inside a shift"),
        Pair::CardAlone => tr("Card alone, inside a shift"),
        Pair::BadgeAlone => tr("Badge alone, inside a shift"),
    })
}

/// What a login proved, in the operator chip.
pub(in crate::bridge) fn level(words: &Words, level: Level) -> SharedString {
    words.say(match level {
        Level::Strong => tr("card + PIN"),
        Level::Copyable => tr("badge can be copied"),
        Level::Single => tr("tap only"),
    })
}

/// What that means.
pub(in crate::bridge) fn level_meaning(words: &Words, level: Level) -> SharedString {
    words.say(match level {
        Level::Strong => tr("Strong: the card's key cannot be copied, and its PIN was typed."),
        Level::Copyable => {
            tr("Two factors, but a badge can be copied: the other factor carries the weight.")
        }
        Level::Single => {
            tr("One tap inside a shift. Whoever holds the badge or card could have done it.")
        }
    })
}
