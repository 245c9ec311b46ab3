//! The session's transitions. S-1: every path that is not written out ends in `Locked`.

use std::time::Duration;

use super::Operator;
use super::factor::{Badge, Pin, Token};
use super::policy::Pair;
use crate::moment::BootTime;
use crate::notice::Notice;
use crate::store::{Admission, Attempt, Refusal};

/// A PIN prompt that nobody touches ends after this.
pub const PARTIAL_IDLE_MAX: Duration = Duration::from_secs(30);
/// A PIN prompt ends after this even if somebody keeps touching it.
const PARTIAL_MAX: Duration = Duration::from_secs(120);
/// The store has this long to answer an unlock.
pub const UNLOCKING_MAX: Duration = Duration::from_secs(10);
/// Taps of the same badge within this time are one tap.
pub const REPEAT_TAP_MAX: Duration = Duration::from_secs(3);
/// A badge that stays in the field this long was laid down, not tapped: taking it away locks.
pub const PLACED_AFTER: Duration = Duration::from_secs(3);
/// Default time without a touch until an open session locks.
pub const IDLE_DEFAULT: Duration = Duration::from_secs(120);

/// Where the session stands. States hold evidence and deadlines, never a PIN.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    /// Nobody is logged in.
    Locked,
    /// A badge was tapped; its PIN is wanted.
    Partial {
        /// The badge.
        badge: Badge,
        /// The store's question about it.
        attempt: Attempt,
        /// Tries left; `None` until the store has answered.
        tries_left: Option<u8>,
        /// A PIN may be tried from here on.
        admitted_from: BootTime,
        /// The last PIN was refused.
        refused: bool,
        /// Nobody touched the pad since `idle_deadline - PARTIAL_IDLE_MAX`.
        idle_deadline: BootTime,
        /// End of the prompt whatever happens.
        deadline: BootTime,
    },
    /// Both factors are with the store.
    Unlocking {
        /// The badge.
        badge: Badge,
        /// The store's question.
        attempt: Attempt,
        /// The store has to answer before this.
        deadline: BootTime,
        /// End of the prompt, should the PIN be wrong.
        prompt_deadline: BootTime,
    },
    /// Patient data is visible.
    Open {
        /// Who.
        operator: Operator,
        /// What they have: the badge or card that opened it.
        token: Token,
        /// With which factors.
        pair: Pair,
        /// Since when.
        since: BootTime,
        /// When this token was last presented.
        tapped: BootTime,
        /// Locks at this time unless touched.
        idle_deadline: BootTime,
    },
}

/// What happens to a session.
#[derive(Clone, Debug)]
pub enum Event {
    /// A badge entered the field.
    BadgePresented(Badge),
    /// No badge is in the field.
    BadgeRemoved,
    /// A PIN was typed.
    PinSubmitted(Pin),
    /// The prompt was cancelled.
    Cancelled,
    /// The lock button was pressed.
    LockPressed,
    /// Somebody touched the screen.
    Activity,
    /// The store's answer to `Identify`.
    Identified(Attempt, Admission),
    /// The store's answer to `Unlock`: the vault is open.
    Unlocked(Attempt, Operator),
    /// The store's answer to `Unlock`: refused.
    Refused(Attempt, Refusal),
    /// Time passed.
    Tick,
}

/// What the session wants done.
#[must_use]
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Ask the store whether the badge may try a PIN.
    Identify(Attempt, Badge),
    /// Have the store derive the key.
    Unlock(Attempt, Badge, Pin),
    /// Show patient data to this person.
    Reveal(Operator),
    /// Hide patient data and close the vault.
    Conceal,
    /// Tell the operator.
    Notify(Notice),
}

/// The machine.
#[derive(Debug)]
pub struct Session {
    state: State,
    attempts: u64,
    idle: Duration,
    /// The badge in the field, and since when.
    field: Option<(Badge, BootTime)>,
}

impl Session {
    /// A locked session that locks again after `idle` without a touch.
    pub fn new(idle: Duration) -> Self {
        Self { state: State::Locked, attempts: 0, idle, field: None }
    }

    /// Where it stands.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Patient data may be shown.
    pub fn is_open(&self) -> bool {
        matches!(self.state, State::Open { .. })
    }

    /// Who is logged in.
    pub fn operator(&self) -> Option<&Operator> {
        match &self.state {
            State::Open { operator, .. } => Some(operator),
            State::Locked | State::Partial { .. } | State::Unlocking { .. } => None,
        }
    }

    /// With which factors they logged in.
    pub fn pair(&self) -> Option<Pair> {
        match &self.state {
            State::Open { pair, .. } => Some(*pair),
            State::Locked | State::Partial { .. } | State::Unlocking { .. } => None,
        }
    }

    /// Since when they are logged in.
    pub fn since(&self) -> Option<BootTime> {
        match &self.state {
            State::Open { since, .. } => Some(*since),
            State::Locked | State::Partial { .. } | State::Unlocking { .. } => None,
        }
    }

    /// Counts prompts: a new number means that whatever was typed is to be forgotten.
    pub fn prompt(&self) -> u64 {
        self.attempts
    }

    /// When [`Event::Tick`] is due at the latest.
    pub fn next_deadline(&self) -> Option<BootTime> {
        match &self.state {
            State::Locked => None,
            State::Partial { idle_deadline, deadline, .. } => Some(*idle_deadline.min(deadline)),
            State::Unlocking { deadline, .. } => Some(*deadline),
            State::Open { idle_deadline, .. } => Some(*idle_deadline),
        }
    }

    /// Advances the machine by one event.
    pub fn handle(&mut self, now: BootTime, event: Event) -> Vec<Effect> {
        let mut effects = self.expire(now);
        if let Event::BadgePresented(badge) = &event {
            self.field = Some((badge.clone(), now));
        }
        // Fail closed: a panic below leaves the session locked.
        let current = std::mem::replace(&mut self.state, State::Locked);
        let (next, more) = match current {
            State::Locked => self.while_locked(now, event),
            State::Partial { .. } => self.while_partial(current, now, event),
            State::Unlocking { .. } => self.while_unlocking(current, now, event),
            State::Open { .. } => self.while_open(current, now, event),
        };
        self.state = next;
        effects.extend(more);
        effects
    }

    /// Applies deadlines that have passed before anything else is looked at.
    fn expire(&mut self, now: BootTime) -> Vec<Effect> {
        if self.next_deadline().is_none_or(|deadline| now < deadline) {
            return vec![];
        }
        match std::mem::replace(&mut self.state, State::Locked) {
            State::Locked => vec![],
            State::Partial { .. } => vec![Effect::Notify(Notice::PinTimedOut)],
            State::Unlocking { .. } => vec![Effect::Conceal, Effect::Notify(Notice::VaultDamaged)],
            State::Open { .. } => vec![Effect::Conceal, Effect::Notify(Notice::LockedIdle)],
        }
    }

    fn while_locked(&mut self, now: BootTime, event: Event) -> (State, Vec<Effect>) {
        match event {
            Event::BadgePresented(badge) => self.prompt_for(badge, now),
            Event::BadgeRemoved => {
                self.field = None;
                (State::Locked, vec![])
            }
            // A late answer to an attempt that was abandoned: its vault was told to close already.
            Event::Identified(..)
            | Event::Unlocked(..)
            | Event::Refused(..)
            | Event::PinSubmitted(_)
            | Event::Cancelled
            | Event::LockPressed
            | Event::Activity
            | Event::Tick => (State::Locked, vec![]),
        }
    }

    fn prompt_for(&mut self, badge: Badge, now: BootTime) -> (State, Vec<Effect>) {
        self.attempts += 1;
        let attempt = Attempt(self.attempts);
        let effects = vec![Effect::Identify(attempt, badge.clone())];
        let state = State::Partial {
            badge,
            attempt,
            tries_left: None,
            admitted_from: now,
            refused: false,
            idle_deadline: now + PARTIAL_IDLE_MAX,
            deadline: now + PARTIAL_MAX,
        };
        (state, effects)
    }

    fn while_partial(
        &mut self,
        current: State,
        now: BootTime,
        event: Event,
    ) -> (State, Vec<Effect>) {
        let State::Partial {
            badge,
            attempt,
            tries_left,
            admitted_from,
            refused,
            idle_deadline,
            deadline,
        } = current
        else {
            return (State::Locked, vec![]);
        };
        let keep = |idle_deadline, tries_left, admitted_from| State::Partial {
            badge: badge.clone(),
            attempt,
            tries_left,
            admitted_from,
            refused,
            idle_deadline,
            deadline,
        };
        match event {
            Event::BadgePresented(other) if other != badge => self.prompt_for(other, now),
            Event::BadgeRemoved if self.pulled(&badge, now) => {
                (State::Locked, vec![Effect::Notify(Notice::BadgePulled)])
            }
            Event::PinSubmitted(pin) if pin.is_complete() && now >= admitted_from => {
                self.attempts += 1;
                let attempt = Attempt(self.attempts);
                let effects = vec![Effect::Unlock(attempt, badge.clone(), pin)];
                let unlocking = State::Unlocking {
                    badge,
                    attempt,
                    deadline: now + UNLOCKING_MAX,
                    prompt_deadline: deadline,
                };
                (unlocking, effects)
            }
            Event::Identified(answered, admission) if answered == attempt => match admission {
                Admission::Try { tries_left } => {
                    (keep(idle_deadline, Some(tries_left), now), vec![])
                }
                Admission::Wait(delay) => (keep(idle_deadline, tries_left, now + delay), vec![]),
                Admission::Exhausted => {
                    (State::Locked, vec![Effect::Notify(Notice::TriesExhausted)])
                }
            },
            Event::Cancelled | Event::LockPressed => (State::Locked, vec![]),
            Event::Activity => (keep(now + PARTIAL_IDLE_MAX, tries_left, admitted_from), vec![]),
            Event::BadgePresented(_)
            | Event::BadgeRemoved
            | Event::PinSubmitted(_)
            | Event::Identified(..)
            | Event::Unlocked(..)
            | Event::Refused(..)
            | Event::Tick => (keep(idle_deadline, tries_left, admitted_from), vec![]),
        }
    }

    fn while_unlocking(
        &mut self,
        current: State,
        now: BootTime,
        event: Event,
    ) -> (State, Vec<Effect>) {
        let State::Unlocking { badge, attempt, deadline, prompt_deadline } = current else {
            return (State::Locked, vec![]);
        };
        match event {
            Event::Unlocked(answered, operator) if answered == attempt => {
                let effects = vec![Effect::Reveal(operator.clone())];
                let open = State::Open {
                    operator,
                    token: Token::Badge(badge),
                    pair: Pair::BadgePin,
                    since: now,
                    tapped: now,
                    idle_deadline: now + self.idle,
                };
                (open, effects)
            }
            Event::Refused(answered, refusal) if answered == attempt => {
                self.refused((badge, attempt), refusal, now, prompt_deadline)
            }
            Event::BadgePresented(other) if other != badge => {
                let (state, mut effects) = self.prompt_for(other, now);
                effects.insert(0, Effect::Conceal);
                (state, effects)
            }
            Event::BadgeRemoved if self.pulled(&badge, now) => {
                (State::Locked, vec![Effect::Conceal, Effect::Notify(Notice::BadgePulled)])
            }
            Event::Cancelled | Event::LockPressed => (State::Locked, vec![Effect::Conceal]),
            Event::BadgePresented(_)
            | Event::BadgeRemoved
            | Event::PinSubmitted(_)
            | Event::Identified(..)
            | Event::Unlocked(..)
            | Event::Refused(..)
            | Event::Activity
            | Event::Tick => {
                (State::Unlocking { badge, attempt, deadline, prompt_deadline }, vec![])
            }
        }
    }

    fn refused(
        &mut self,
        (badge, attempt): (Badge, Attempt),
        refusal: Refusal,
        now: BootTime,
        deadline: BootTime,
    ) -> (State, Vec<Effect>) {
        let (admission, refused) = match refusal {
            Refusal::Damaged(_) => {
                return (
                    State::Locked,
                    vec![Effect::Conceal, Effect::Notify(Notice::VaultDamaged)],
                );
            }
            Refusal::Expired | Refusal::ShiftOver | Refusal::NotTaken => {
                return (State::Locked, vec![Effect::Notify(Notice::BadgeOrPinWrong)]);
            }
            Refusal::WrongFactors(admission) => (admission, true),
            Refusal::NotAdmitted(admission) => (admission, false),
        };
        let (tries_left, admitted_from) = match admission {
            Admission::Exhausted => {
                return (State::Locked, vec![Effect::Notify(Notice::TriesExhausted)]);
            }
            Admission::Try { tries_left } => (Some(tries_left), now),
            Admission::Wait(delay) => (None, now + delay),
        };
        self.attempts += 1;
        let notice = if refused { Notice::BadgeOrPinWrong } else { Notice::TryLater };
        let idle_deadline = admitted_from + PARTIAL_IDLE_MAX;
        let state = State::Partial {
            badge,
            attempt,
            tries_left,
            admitted_from,
            refused,
            idle_deadline,
            // A long delay must not outlive the prompt by so much that the pad can never be used.
            deadline: deadline.max(idle_deadline),
        };
        (state, vec![Effect::Notify(notice)])
    }

    fn while_open(&mut self, current: State, now: BootTime, event: Event) -> (State, Vec<Effect>) {
        let State::Open { operator, token, pair, since, tapped, idle_deadline } = current else {
            return (State::Locked, vec![]);
        };
        let locked = |notice: Option<Notice>| {
            let mut effects = vec![Effect::Conceal];
            effects.extend(notice.map(Effect::Notify));
            (State::Locked, effects)
        };
        let is_own = |badge: &Badge| matches!(&token, Token::Badge(own) if own == badge);
        let (tapped, idle_deadline) = match event {
            Event::BadgePresented(other) if !is_own(&other) => {
                let (state, asked) = self.prompt_for(other, now);
                let mut effects = vec![Effect::Conceal, Effect::Notify(Notice::LockedForOther)];
                effects.extend(asked);
                return (state, effects);
            }
            Event::BadgePresented(_) if now.since(tapped) < REPEAT_TAP_MAX => (now, idle_deadline),
            Event::BadgePresented(_) => return locked(Some(Notice::LockedByBadge)),
            Event::BadgeRemoved => {
                if let Token::Badge(own) = &token
                    && self.pulled(own, now)
                {
                    return locked(Some(Notice::BadgePulled));
                }
                (tapped, idle_deadline)
            }
            Event::LockPressed => return locked(None),
            Event::Activity => (tapped, now + self.idle),
            Event::PinSubmitted(_)
            | Event::Cancelled
            | Event::Identified(..)
            | Event::Unlocked(..)
            | Event::Refused(..)
            | Event::Tick => (tapped, idle_deadline),
        };
        (State::Open { operator, token, pair, since, tapped, idle_deadline }, vec![])
    }

    /// The badge left the field after it had been laid down there.
    fn pulled(&mut self, badge: &Badge, now: BootTime) -> bool {
        self.field
            .take()
            .is_some_and(|(laid, since)| laid == *badge && now.since(since) >= PLACED_AFTER)
    }
}
