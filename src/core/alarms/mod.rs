//! Alarm conditions: which are present, since when, how urgent, acknowledged or not.
//!
//! The kiosk states at every step which facts hold ([`Fact`]); this machine turns them into
//! conditions after their delay, keeps them until they end, and picks the one for the strip.
//!
//! S-9: a condition is signalled in the very step in which its delay has passed, and
//! [`Alarms::next_deadline`] makes that step happen on time. A pause of the sound is bounded, and a
//! condition that begins during the pause ends it.

pub mod limits;
mod text;

pub use self::text::AlarmText;

use std::collections::BTreeMap;
use std::time::Duration;

use wardkeep_model::alarm::Priority;
use wardkeep_model::moment::{BootTime, Moment};
use wardkeep_model::vitals::DeviceId;
use wardkeep_model::vitals::parameter::Parameter;

/// Longest pause of the alarm sound.
pub const AUDIO_PAUSE_MAX: Duration = Duration::from_secs(120);

/// Identity of a condition: the same one cannot be present twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Condition {
    /// A parameter is below its limit. Physiological.
    Low(Parameter),
    /// A parameter is above its limit. Physiological.
    High(Parameter),
    /// An assigned device is out of reach. Technical.
    LinkLost(DeviceId),
    /// An assigned device gives no value. Technical.
    NoValue(DeviceId),
    /// A device's battery is low. Technical.
    Battery(DeviceId),
    /// Alarms cannot be heard. Technical.
    NoSound,
    /// An assignment ran out. Technical.
    AssignmentEnded(DeviceId),
    /// Observations are not being kept. Technical.
    NotRecording,
    /// Waveforms are not being kept. Technical.
    NoWaveforms,
    /// Observations or events were lost. Technical.
    RecordsLost,
    /// Monitoring without records has ended by itself. Technical.
    WatchEnded,
    /// A badge or card lies in its reader and nobody is there. Technical.
    TokenLeftBehind,
}

/// Something that holds now.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    /// Which condition it is.
    pub condition: Condition,
    /// How urgent.
    pub priority: Priority,
    /// How the strip words it.
    pub text: AlarmText,
    /// How long it has to hold before it is a condition.
    pub delay: Duration,
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
    /// Somebody acknowledged it: steady and silent.
    pub acknowledged: bool,
}

/// An alarm signal for the ear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sound {
    /// Which burst.
    pub priority: Priority,
    /// Counts onsets: a new number means that a condition began and has to be heard at once.
    pub onset: u64,
}

/// All alarm conditions of this bed.
#[derive(Debug, Default)]
pub struct Alarms {
    pending: BTreeMap<Condition, BootTime>,
    present: BTreeMap<Condition, Present>,
    audio_paused_until: Option<BootTime>,
    onsets: u64,
}

impl Alarms {
    /// States everything that holds now. What is not among the facts has ended.
    pub fn update(&mut self, now: Moment, facts: Vec<Fact>) {
        let holds = |condition: &Condition| facts.iter().any(|fact| fact.condition == *condition);
        self.pending.retain(|condition, _| holds(condition));
        self.present.retain(|condition, _| holds(condition));
        for fact in facts {
            let due = *self.pending.entry(fact.condition).or_insert(now.boot + fact.delay);
            // A fact that became more urgent has to be signalled by its own, shorter delay.
            let due = due.min(now.boot + fact.delay);
            self.pending.insert(fact.condition, due);
            if let Some(present) = self.present.get_mut(&fact.condition) {
                if fact.priority > present.priority {
                    self.onsets += 1;
                    present.acknowledged = false;
                    self.audio_paused_until = None;
                }
                present.priority = fact.priority;
                present.text = fact.text;
            } else if now.boot >= due {
                self.audio_paused_until = None;
                self.onsets += 1;
                let Fact { condition, priority, text, delay: _ } = fact;
                let present = Present { priority, text, onset: now, acknowledged: false };
                self.present.insert(condition, present);
            }
        }
        if self.audio_paused_until.is_some_and(|until| now.boot >= until) {
            self.audio_paused_until = None;
        }
    }

    /// Acknowledges what is present; true if there was anything to acknowledge.
    pub fn acknowledge(&mut self) -> bool {
        let mut any = false;
        for present in self.present.values_mut() {
            any |= !present.acknowledged;
            present.acknowledged = true;
        }
        any
    }

    /// Pauses the sound for [`AUDIO_PAUSE_MAX`]; true if there was something to pause.
    pub fn pause_audio(&mut self, now: BootTime) -> bool {
        let sounding = self.present.values().any(|present| !present.acknowledged);
        if sounding {
            self.audio_paused_until = Some(now + AUDIO_PAUSE_MAX);
        }
        sounding
    }

    /// What is to be heard now: nothing while paused or while everything present is acknowledged.
    pub fn sound(&self, now: BootTime) -> Option<Sound> {
        if self.audio_paused(now).is_some() {
            return None;
        }
        let unseen = self.present.values().filter(|present| !present.acknowledged);
        let priority = unseen.map(|present| present.priority).max()?;
        Some(Sound { priority, onset: self.onsets })
    }

    /// How long the sound stays paused.
    pub fn audio_paused(&self, now: BootTime) -> Option<Duration> {
        self.audio_paused_until.map(|until| until.since(now)).filter(|left| !left.is_zero())
    }

    /// The condition for the strip (not acknowledged before acknowledged, highest, then newest) and
    /// how many others are present.
    pub fn foremost(&self) -> Option<(&Present, usize)> {
        let rank = |present: &&Present| {
            (!present.acknowledged, present.priority, present.onset.boot, present.onset.wall)
        };
        let first = self.present.values().max_by_key(rank)?;
        Some((first, self.present.len() - 1))
    }

    /// The priority of a condition on `parameter`, if one is present.
    pub fn on(&self, parameter: Parameter) -> Option<Priority> {
        let low = self.present.get(&Condition::Low(parameter));
        let high = self.present.get(&Condition::High(parameter));
        low.into_iter().chain(high).map(|present| present.priority).max()
    }

    /// Conditions that are present.
    pub fn present(&self) -> impl Iterator<Item = (Condition, &Present)> {
        self.present.iter().map(|(condition, present)| (*condition, present))
    }

    /// When the next pending fact becomes a condition, or the pause ends.
    pub fn next_deadline(&self) -> Option<BootTime> {
        let waiting = self.pending.iter().filter(|(c, _)| !self.present.contains_key(c));
        waiting.map(|(_, due)| *due).chain(self.audio_paused_until).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: u64) -> Moment {
        Moment { boot: BootTime(Duration::from_secs(second)), wall: jiff::Timestamp::UNIX_EPOCH }
    }

    fn low_spo2(priority: Priority, delay: u64) -> Fact {
        Fact {
            condition: Condition::Low(Parameter::SpO2),
            priority,
            text: AlarmText::NotRecording,
            delay: Duration::from_secs(delay),
        }
    }

    fn battery() -> Fact {
        Fact {
            condition: Condition::Battery(DeviceId([0; 6])),
            priority: Priority::Low,
            text: AlarmText::NotRecording,
            delay: Duration::ZERO,
        }
    }

    #[test]
    fn s9_a_condition_is_present_exactly_when_its_delay_has_passed() {
        let mut alarms = Alarms::default();
        alarms.update(at(0), vec![low_spo2(Priority::Medium, 10)]);
        assert_eq!(alarms.next_deadline(), Some(at(10).boot));
        alarms.update(at(9), vec![low_spo2(Priority::Medium, 10)]);
        assert!(alarms.foremost().is_none());
        alarms.update(at(10), vec![low_spo2(Priority::Medium, 10)]);
        assert_eq!(alarms.on(Parameter::SpO2), Some(Priority::Medium));
    }

    #[test]
    fn s9_worsening_shortens_the_delay_and_undoes_the_acknowledgement() {
        let mut alarms = Alarms::default();
        alarms.update(at(0), vec![low_spo2(Priority::Medium, 10)]);
        alarms.update(at(1), vec![low_spo2(Priority::High, 3)]);
        alarms.update(at(4), vec![low_spo2(Priority::High, 3)]);
        assert_eq!(alarms.on(Parameter::SpO2), Some(Priority::High));

        let mut alarms = Alarms::default();
        alarms.update(at(0), vec![low_spo2(Priority::Medium, 0)]);
        assert!(alarms.acknowledge());
        alarms.update(at(1), vec![low_spo2(Priority::High, 0)]);
        assert!(alarms.foremost().is_some_and(|(present, _)| !present.acknowledged));
    }

    #[test]
    fn s9_a_pause_is_bounded_and_broken_by_a_new_condition() {
        let mut alarms = Alarms::default();
        assert!(!alarms.pause_audio(at(0).boot));
        alarms.update(at(0), vec![battery()]);
        assert!(alarms.pause_audio(at(0).boot));
        assert_eq!(alarms.sound(at(100).boot), None);
        assert_eq!(alarms.audio_paused(at(100).boot), Some(Duration::from_secs(20)));
        assert_eq!(alarms.audio_paused(at(120).boot), None);
        assert_eq!(alarms.next_deadline(), Some(at(120).boot));
        alarms.update(at(1), vec![battery(), low_spo2(Priority::Medium, 0)]);
        assert_eq!(alarms.audio_paused(at(1).boot), None);
        let heard = alarms.sound(at(1).boot);
        assert_eq!(heard, Some(Sound { priority: Priority::Medium, onset: 2 }));
        assert!(alarms.acknowledge());
        assert_eq!(alarms.sound(at(1).boot), None);
    }

    #[test]
    fn the_strip_shows_the_most_urgent_unacknowledged_condition() {
        let mut alarms = Alarms::default();
        alarms.update(at(0), vec![battery(), low_spo2(Priority::High, 0)]);
        assert!(alarms.foremost().is_some_and(|(p, n)| p.priority == Priority::High && n == 1));
        alarms.update(at(1), vec![battery()]);
        assert!(alarms.foremost().is_some_and(|(p, n)| p.priority == Priority::Low && n == 0));
        alarms.update(at(2), vec![]);
        assert!(alarms.foremost().is_none() && alarms.next_deadline().is_none());
    }
}
