//! The PIN pad, wherever one is shown.

use std::time::Duration;

use wardkeep_model::access::factor::TokenKind;
use wardkeep_model::moment::Moment;

use crate::kiosk::view::{PinPrompt, PinPurpose};
use crate::session::Prompt;

/// Failures of a badge that are shown from the third on: ten tries, so seven left.
const TRIES_LEFT_SHOWN: u8 = 7;

/// A pad for the PIN of a badge, on which nothing was typed.
pub(super) fn empty(purpose: PinPurpose, prompt: u64, busy: bool) -> PinPrompt {
    PinPrompt {
        purpose,
        token: TokenKind::Badge,
        finger: None,
        prompt,
        refused: false,
        tries_left: None,
        wait_s: None,
        busy,
    }
}

/// The pad of a login that waits for its PIN.
pub(super) fn of_login(now: Moment, prompt: &Prompt, number: u64) -> PinPrompt {
    let wait = prompt.admitted_from.since(now.boot);
    let token = prompt.token.kind();
    let tries_left = match token {
        TokenKind::Badge => prompt.tries_left.filter(|left| *left <= TRIES_LEFT_SHOWN),
        // A card has few tries and nobody here can give them back.
        TokenKind::Card => prompt.tries_left,
    };
    PinPrompt {
        token,
        finger: prompt.finger.shown,
        refused: prompt.refused,
        tries_left,
        wait_s: (!wait.is_zero()).then(|| ceil_seconds(wait)),
        ..empty(PinPurpose::Unlock, number, false)
    }
}

pub(super) fn ceil_seconds(length: Duration) -> u64 {
    length.as_secs() + u64::from(length.subsec_nanos() > 0)
}
