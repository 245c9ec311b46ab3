//! What is said on the PIN pad.

use slint::SharedString;

use wardkeep_core::kiosk::view::PinPurpose;
use wardkeep_model::access::factor::TokenKind;

use crate::bridge::words::{Words, tr, trn};

/// Which PIN is wanted; in other words for somebody's first login.
pub(in crate::bridge) fn title(
    words: &Words,
    purpose: PinPurpose,
    token: TokenKind,
    first_login: bool,
) -> SharedString {
    words.say(match purpose {
        PinPurpose::Unlock => match token {
            TokenKind::Badge => tr("Enter your PIN"),
            TokenKind::Card => tr("Enter your card's PIN"),
        },
        PinPurpose::Choose if first_login => tr("Choose your PIN"),
        PinPurpose::Choose => tr("Choose a PIN"),
        PinPurpose::Repeat => tr("Type the PIN again"),
        PinPurpose::SignTest => tr("Enter the card's PIN"),
        PinPurpose::Vouch => match token {
            TokenKind::Badge => tr("Second person: enter your PIN"),
            TokenKind::Card => tr("Second person: enter your card's PIN"),
        },
    })
}

/// Why it is wanted; in other words where the cart has to be handed over.
pub(in crate::bridge) fn reason(
    words: &Words,
    purpose: PinPurpose,
    token: TokenKind,
    handed_over: bool,
) -> SharedString {
    words.say(match purpose {
        PinPurpose::Unlock => match token {
            TokenKind::Badge => tr("A badge can be copied, so your PIN protects the data."),
            TokenKind::Card => {
                tr("The card checks it. After too many wrong ones it blocks itself.")
            }
        },
        PinPurpose::Choose if handed_over => {
            tr("Hand the cart over: 6 to 8 digits that only this person knows.")
        }
        PinPurpose::Choose => {
            tr("6 to 8 digits. Nobody can read it or set it back to a known one.")
        }
        PinPurpose::Repeat => tr("So that no slip of the finger locks you out."),
        PinPurpose::SignTest => tr("Its owner types it. The card then shows that its key works."),
        PinPurpose::Vouch => tr("You confirm that the new person may manage people here."),
    })
}

/// What the pad's button does.
pub(in crate::bridge) fn act(words: &Words, purpose: PinPurpose) -> SharedString {
    words.say(match purpose {
        PinPurpose::Unlock => tr("Unlock"),
        PinPurpose::Choose | PinPurpose::Repeat | PinPurpose::SignTest | PinPurpose::Vouch => {
            tr("Continue")
        }
    })
}

/// How many tries are left.
pub(in crate::bridge) fn tries_left(words: &Words, token: TokenKind, left: u8) -> SharedString {
    let sentence = match token {
        TokenKind::Badge => trn(
            "{n} try is left before IT has to help.",
            "{n} tries are left before IT has to help.",
        ),
        TokenKind::Card => trn("{n} try is left on the card.", "{n} tries are left on the card."),
    };
    words.count(sentence, u64::from(left), &[])
}
