//! The prompt: begun for a token, asked again after a refusal, answered with both factors.
//!
//! Never a list of people: the token says who.

use wardkeep_model::access::factor::{Evidence, Token};
use wardkeep_model::moment::BootTime;
use wardkeep_model::notice::Notice;

use crate::session::machine::event::Effect;
use crate::session::machine::limits::{PARTIAL_IDLE_MAX, PARTIAL_MAX, UNLOCKING_MAX};
use crate::session::machine::site::Site;
use crate::session::machine::state::{Prompt, State, Step, Watch, locked};

/// How the prompt stands after a refusal.
pub(super) struct Again {
    /// Tries left, where they are known.
    pub(super) tries_left: Option<u8>,
    /// A PIN may be tried from here on.
    pub(super) from: BootTime,
    /// What was typed was refused.
    pub(super) refused: bool,
}

/// Asks for this token's second factor.
pub(super) fn begin(token: Token, now: BootTime, site: &mut Site) -> Step {
    if !site.policy.takes(token.kind()) {
        return locked(Notice::CardWanted);
    }
    site.next_prompt();
    let attempt = site.next_attempt();
    let effects = vec![Effect::Identify(attempt, token.clone())];
    let prompt = Prompt {
        token,
        attempt,
        peer: None,
        tries_left: None,
        admitted_from: now,
        refused: false,
        finger: Watch::default(),
        idle_deadline: now + PARTIAL_IDLE_MAX,
        deadline: now + PARTIAL_MAX,
    };
    (State::Partial(prompt), effects)
}

/// Hands both factors to the store. S-4: which pairs may is the policy's to say.
pub(super) fn unlock(prompt: Prompt, evidence: Evidence, now: BootTime, site: &mut Site) -> Step {
    let pair = evidence.pair();
    if !site.policy.allows(pair) {
        return locked(Notice::CardWanted);
    }
    site.next_prompt();
    let attempt = site.next_attempt();
    let deadline = now + UNLOCKING_MAX;
    let unlocking = State::Unlocking { prompt, attempt, pair, deadline };
    (unlocking, vec![Effect::Unlock(attempt, evidence)])
}

/// The shift is over: only a PIN opens.
pub(super) fn without_shift(prompt: Prompt, now: BootTime, site: &mut Site) -> Step {
    let from = prompt.admitted_from.max(now);
    let how = Again { tries_left: prompt.tries_left, from, refused: false };
    let prompt = Prompt { finger: Watch::default(), ..prompt };
    again(prompt, how, Notice::ShiftOver, site)
}

/// Back to the prompt. Where a finger did as well, the store is asked anew whether it still does.
pub(super) fn again(prompt: Prompt, again: Again, notice: Notice, site: &mut Site) -> Step {
    site.next_prompt();
    let attempt = site.next_attempt();
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
