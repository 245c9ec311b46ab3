//! What every transition knows beside its state: the rules of the site, the reader that is fitted, and
//! the numbers that were given out.

use std::time::Duration;

use wardkeep_model::access::factor::{Attempt, Sensor, Token, TokenKind};
use wardkeep_model::access::guessable::Known;
use wardkeep_model::access::policy::{Pair, Policy};
use wardkeep_model::moment::BootTime;

/// What a transition may read, and count on with.
#[derive(Debug)]
pub(super) struct Site {
    /// Without a touch for this long an open session locks.
    pub(super) idle: Duration,
    /// What the bed and the ward are called: no PINs.
    pub(super) places: Vec<String>,
    /// Which factors open here.
    pub(super) policy: Policy,
    /// The fingerprint reader that is fitted.
    pub(super) sensor: Option<Sensor>,
    /// What locked the session by being presented again, and when: the same tap may bounce, and where a
    /// tap alone opens it would open what it has just closed.
    pub(super) tapped_out: Option<(Token, BootTime)>,
    attempts: u64,
    prompts: u64,
}

impl Site {
    /// A site where nothing has been asked yet.
    pub(super) fn new(idle: Duration, policy: Policy, places: Vec<String>) -> Self {
        Self { idle, places, policy, sensor: None, tapped_out: None, attempts: 0, prompts: 0 }
    }

    /// Inside a shift this token needs nothing beside it here.
    pub(super) fn opens_alone(&self, token: &Token) -> bool {
        self.policy.allows(shift_pairs(token).1)
    }

    /// What everybody knows of whoever chooses a PIN for this.
    pub(super) fn known<'a>(&'a self, token: &'a Token) -> Known<'a> {
        let badge = match token {
            Token::Badge(badge) => Some(badge),
            Token::Card(_) => None,
        };
        Known { badge, places: &self.places }
    }

    /// Counts prompts.
    pub(super) fn prompt(&self) -> u64 {
        self.prompts
    }

    /// Whatever was typed so far is to be forgotten.
    pub(super) fn next_prompt(&mut self) {
        self.prompts += 1;
    }

    /// The number of another question.
    pub(super) fn next_attempt(&mut self) -> Attempt {
        self.attempts += 1;
        Attempt(self.attempts)
    }
}

/// The pair that this token makes with a finger, and alone.
pub(super) fn shift_pairs(token: &Token) -> (Pair, Pair) {
    match token.kind() {
        TokenKind::Badge => (Pair::BadgeFinger, Pair::BadgeAlone),
        TokenKind::Card => (Pair::CardFinger, Pair::CardAlone),
    }
}
