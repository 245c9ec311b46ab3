//! The conditions that are present, each through its life, and what happened to them.

use std::collections::BTreeMap;
use std::time::Duration;

use wardkeep_model::access::OperatorId;
use wardkeep_model::alarm::{AlarmChange, AlarmState, Kind, Priority};
use wardkeep_model::moment::{BootTime, Moment};

use crate::alarms::condition::Condition;
use crate::alarms::text::AlarmText;

/// What was acknowledged before its value was lost for so long is to be seen again when it comes back.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(10);

/// Who has seen a condition, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// When.
    pub at: Moment,
    /// Identity and initials of who was logged in, if anybody was.
    pub by: Option<(OperatorId, String)>,
}

/// A condition that is present.
#[derive(Clone, Debug, PartialEq)]
pub struct Present {
    /// How urgent.
    pub priority: Priority,
    /// How the strip words it, with the latest value.
    pub text: AlarmText,
    /// When it was determined.
    pub onset: Moment,
    /// Where in its life.
    pub state: AlarmState,
    /// Who has acknowledged it: steady and silent.
    pub seen: Option<Seen>,
    /// Nobody has seen it for too long.
    pub escalated: bool,
    /// When there was a value last.
    active: BootTime,
    /// Number of the onset, or of the last change for the worse, and when that was.
    number: u64,
    signalled: BootTime,
    amount: u64,
}

impl Present {
    /// Somebody has seen it.
    pub fn is_acknowledged(&self) -> bool {
        self.seen.is_some()
    }
}

/// A condition as somebody saw it: what is acknowledged is this, and nothing that came after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shown {
    /// Which.
    pub condition: Condition,
    /// Of its onset, or of its last change for the worse.
    pub number: u64,
}

/// A line for the alarm log.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// When.
    pub at: Moment,
    /// What happened.
    pub event: LogEvent,
}

/// What happened to a condition, or to the sound.
#[derive(Clone, Debug, PartialEq)]
pub enum LogEvent {
    /// To a condition.
    Condition {
        /// Which.
        condition: Condition,
        /// What.
        change: AlarmChange,
        /// How urgent it is from then on.
        priority: Priority,
        /// How it was worded then.
        text: AlarmText,
    },
    /// The sound was paused for so long.
    Paused(Duration),
    /// The sound is back.
    Resumed,
}

/// How a condition holds at this moment.
pub(super) struct Holding {
    pub(super) state: AlarmState,
    pub(super) priority: Priority,
    pub(super) text: AlarmText,
    /// How much of it there is; more of it is a new alarm.
    pub(super) amount: u64,
    /// It had been as good as over, and is there again.
    pub(super) is_again: bool,
}

/// Everything that is present.
#[derive(Debug, Default)]
pub(super) struct Conditions {
    present: BTreeMap<Condition, Present>,
    onsets: u64,
    log: Vec<Entry>,
}

impl Conditions {
    pub(super) fn iter(&self) -> impl Iterator<Item = (Condition, &Present)> {
        self.present.iter().map(|(condition, present)| (*condition, present))
    }

    pub(super) fn get(&self, condition: Condition) -> Option<&Present> {
        self.present.get(&condition)
    }

    /// Number of the last onset.
    pub(super) fn onsets(&self) -> u64 {
        self.onsets
    }

    /// As it stands on the strip.
    pub(super) fn shown(&self, condition: Condition) -> Option<Shown> {
        self.get(condition).map(|present| Shown { condition, number: present.number })
    }

    /// A condition begins or goes on; true if it is to be heard anew.
    pub(super) fn hold(&mut self, now: Moment, condition: Condition, holding: Holding) -> bool {
        let Holding { state, priority, text, amount, is_again } = holding;
        let mut changes = Vec::new();
        let next = self.onsets + 1;
        let present = self.present.entry(condition).or_insert_with(|| {
            changes.push(AlarmChange::Began);
            Present {
                priority,
                text: text.clone(),
                onset: now,
                state,
                seen: None,
                escalated: false,
                active: now.boot,
                number: next,
                signalled: now.boot,
                amount,
            }
        });
        // It is found again after nobody could know of it: whoever has seen it did so long ago.
        let is_active = state == AlarmState::Active;
        let is_found = is_active
            && condition.kind() == Kind::Physiological
            && now.boot.since(present.active) >= FORGOTTEN_AFTER;
        if is_active {
            present.active = now.boot;
        }
        // What nobody has seen is loud as it is, and somebody else is called to it in time.
        let is_anew = (is_found || is_again) && present.seen.is_some();
        if is_anew || priority > present.priority || amount > present.amount {
            (present.seen, present.escalated) = (None, false);
            (present.number, present.signalled) = (next, now.boot);
        }
        if priority != present.priority {
            changes.push(AlarmChange::Became);
        }
        if state != present.state {
            changes.push(AlarmChange::Moved(state));
        }
        (present.priority, present.state, present.amount) = (priority, state, amount);
        present.text = text;
        let is_new = present.number == next;
        if is_new {
            self.onsets = next;
        }
        self.note(now, condition, &changes);
        is_new
    }

    /// What a condition was of is over. A latched one stays until it is seen.
    pub(super) fn end(&mut self, now: Moment, condition: Condition, latch: Option<Priority>) {
        let Some(present) = self.present.get_mut(&condition) else { return };
        let is_latched = condition.kind() == Kind::Physiological
            && latch.is_some_and(|least| present.priority >= least)
            && present.seen.is_none();
        if !is_latched {
            self.note(now, condition, &[AlarmChange::Ended]);
            self.present.remove(&condition);
        } else if present.state != AlarmState::Latched {
            present.state = AlarmState::Latched;
            self.note(now, condition, &[AlarmChange::Moved(AlarmState::Latched)]);
        }
    }

    /// Somebody has seen this; its state, if that is new. One that changed for the worse since it was shown is
    /// not the one that was seen.
    pub(super) fn acknowledge(&mut self, shown: Shown, seen: Seen) -> Option<AlarmState> {
        let at = seen.at;
        let present = self.present.get_mut(&shown.condition)?;
        if present.seen.is_some() || present.number != shown.number {
            return None;
        }
        (present.seen, present.escalated) = (Some(seen), false);
        let state = present.state;
        self.note(at, shown.condition, &[AlarmChange::Acknowledged]);
        Some(state)
    }

    /// Calls for somebody else where nobody has seen for so long what may harm the patient; true if it is to
    /// be heard anew.
    pub(super) fn escalate(&mut self, now: Moment, after: Duration) -> bool {
        let mut called = Vec::new();
        for (condition, present) in &mut self.present {
            if is_urgent(present) && !present.escalated && now.boot >= present.signalled + after {
                present.escalated = true;
                called.push(*condition);
            }
        }
        for condition in &called {
            self.note(now, *condition, &[AlarmChange::Escalated]);
        }
        self.onsets += u64::from(!called.is_empty());
        !called.is_empty()
    }

    /// When [`Conditions::escalate`] has something to do.
    pub(super) fn escalates_at(&self, after: Duration) -> Option<BootTime> {
        let waiting = self.present.values().filter(|one| is_urgent(one) && !one.escalated);
        waiting.map(|present| present.signalled + after).min()
    }

    fn note(&mut self, at: Moment, condition: Condition, changes: &[AlarmChange]) {
        let Some(present) = self.present.get(&condition) else { return };
        for change in changes {
            let (change, priority, text) = (*change, present.priority, present.text.clone());
            let event = LogEvent::Condition { condition, change, priority, text };
            self.log.push(Entry { at, event });
        }
    }

    pub(super) fn log(&mut self, at: Moment, event: LogEvent) {
        self.log.push(Entry { at, event });
    }

    /// What happened since it was asked last.
    pub(super) fn take_log(&mut self) -> Vec<Entry> {
        std::mem::take(&mut self.log)
    }
}

fn is_urgent(present: &Present) -> bool {
    present.seen.is_none() && present.priority >= Priority::Medium
}
