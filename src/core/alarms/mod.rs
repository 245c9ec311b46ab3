//! Alarm conditions: which are present, since when, how urgent, and who has seen them.
//!
//! The kiosk tells at every step what is measured ([`Reading`]) and which facts hold ([`Fact`]); this machine
//! turns them into conditions after their delay, keeps them until they are over, and picks the one for the
//! strip. Every change of a condition's life is an [`Entry`] for the log.
//!
//! S-9: a condition is signalled in the very step in which its delay has passed, and
//! [`Alarms::next_deadline`] makes that step happen on time. S-12: it is over when its value says so, or when
//! somebody has seen it; never because the value, the link or the assignment is gone. The sound's pauses
//! are bounded, each and in sum, and a condition that begins during one ends it.

pub mod burden;
mod condition;
mod gauge;
mod life;
pub mod limits;
mod pause;
pub mod rehearsal;
mod text;

pub use self::condition::{Condition, LifeSign};
pub use self::life::{Entry, LogEvent, Present, Seen, Shown};
pub use self::pause::{AUDIO_PAUSE_MAX, BUDGET_WINDOW};
pub use self::text::{AlarmText, Crossed, Standing};

use std::collections::BTreeMap;
use std::time::Duration;

use wardkeep_model::alarm::limits::Limits;
use wardkeep_model::alarm::{AlarmState, Kind, Priority, Sound};
use wardkeep_model::moment::{BootTime, Moment};
use wardkeep_model::vitals::DeviceKind;
use wardkeep_model::vitals::decimal::Decimal;
use wardkeep_model::vitals::parameter::Parameter;

use self::condition::Origin;
use self::gauge::{Crossing, Place};
use self::life::{Conditions, Holding};
use self::limits::{Level, LimitSets, Side, levels};
use self::pause::Pauses;

/// A reminder is wanted for so long: the loudspeaker plays one burst.
const REMINDER: Duration = Duration::from_secs(2);

/// What the site has decided about alarms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rules {
    /// Limits of the values, by age.
    pub sets: LimitSets,
    /// Physiological conditions of at least this priority stay until somebody has seen them.
    pub latch: Option<Priority>,
    /// How long the sound may be paused in any hour, altogether.
    pub pause_budget: Duration,
    /// After how long somebody else is called to what nobody has seen.
    pub escalate: Duration,
    /// How often what was seen and is still there is reminded of.
    pub remind: Option<Duration>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            sets: LimitSets::default(),
            latch: None,
            pause_budget: Duration::from_secs(2 * 120),
            escalate: Duration::from_secs(180),
            remind: Some(Duration::from_secs(600)),
        }
    }
}

/// What is known of a parameter at this moment, in its own unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reading {
    /// Its current value.
    Value(Decimal),
    /// It is measured, and there is no current value.
    NoValue,
    /// Nothing measures it.
    NotMeasured,
}

/// What a device says of a sign of life.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sign {
    /// Which.
    pub of: LifeSign,
    /// How long it has to be gone.
    pub delay: Duration,
    /// It is gone, it is not, or nobody can know.
    pub is_gone: Option<bool>,
    /// Something measures it.
    pub is_measured: bool,
}

/// Something technical that holds now.
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
    /// The values of this kind of device are missing because of it: it is as urgent as what they were last.
    pub silences: Option<DeviceKind>,
    /// How much of it there is; more of it is a new alarm.
    pub amount: u64,
}

impl Fact {
    /// Something that is a condition at once.
    pub fn at_once(condition: Condition, priority: Priority, text: AlarmText) -> Self {
        Self { condition, priority, text, delay: Duration::ZERO, silences: None, amount: 0 }
    }
}

/// Everything that is known at a moment.
#[derive(Debug)]
pub struct Known {
    /// The limits in force.
    pub limits: Limits,
    /// Of each parameter.
    pub readings: Vec<(Parameter, Reading)>,
    /// Of what is no number.
    pub signs: Vec<Sign>,
    /// Of what monitors.
    pub facts: Vec<Fact>,
}

/// One end of a parameter, or a sign: its extreme and its limit, and the last value beyond one of them.
#[derive(Debug, Default)]
struct Gauge {
    crossings: [Crossing; 2],
    beyond: Option<(Decimal, Decimal)>,
}

/// How one end of a parameter, or a sign of life, stands.
struct Verdict {
    /// It is a condition, of this priority and in these words.
    found: Option<(Priority, AlarmText)>,
    standing: Standing,
    /// Nothing measures it any more.
    is_released: bool,
    /// It had been as good as over, and is there again.
    is_again: bool,
}

/// All alarm conditions of this bed.
#[derive(Debug)]
pub struct Alarms {
    rules: Rules,
    /// In force when it was last told.
    limits: Limits,
    gauges: BTreeMap<Condition, Gauge>,
    /// How long each sign has to hold.
    delays: BTreeMap<LifeSign, Duration>,
    /// Technical facts that wait for their delay.
    pending: BTreeMap<Condition, BootTime>,
    conditions: Conditions,
    pauses: Pauses,
    /// The sound was paused when it was last told.
    was_paused: bool,
    /// When something was reminded of last, and the number of that.
    reminded: Option<(BootTime, u64)>,
}

impl Default for Alarms {
    fn default() -> Self {
        Self::new(Rules::default())
    }
}

impl Alarms {
    /// Nothing is present.
    pub fn new(rules: Rules) -> Self {
        Self {
            limits: Limits::default(),
            gauges: BTreeMap::new(),
            delays: BTreeMap::new(),
            pending: BTreeMap::new(),
            conditions: Conditions::default(),
            pauses: Pauses::new(rules.pause_budget),
            was_paused: false,
            reminded: None,
            rules,
        }
    }

    /// What the site has decided.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// States everything that is known now.
    pub fn update(&mut self, now: Moment, known: Known) {
        self.limits = known.limits;
        for (parameter, reading) in known.readings {
            for side in Side::ALL {
                self.judge(now, parameter, side, reading);
            }
        }
        for sign in known.signs {
            self.judge_sign(now, sign);
        }
        self.technical(now, known.facts);
        if self.conditions.escalate(now, self.rules.escalate) {
            self.pauses.end(now.boot);
        }
        self.remind(now.boot);
        let is_paused = self.audio_paused(now.boot).is_some();
        if self.was_paused && !is_paused {
            self.conditions.log(now, LogEvent::Resumed);
        }
        self.was_paused = is_paused;
    }

    /// Holds one end of a parameter against its limits.
    fn judge(&mut self, now: Moment, parameter: Parameter, side: Side, reading: Reading) {
        let condition = match side {
            Side::Low => Condition::Low(parameter),
            Side::High => Condition::High(parameter),
        };
        let levels = levels(&self.limits, parameter, side);
        let Gauge { crossings, beyond } = self.gauges.entry(condition).or_default();
        let (mut crossed, mut is_again): (Option<Level>, bool) = (None, false);
        let mut standing = match reading {
            Reading::Value(_) => Standing::Was,
            Reading::NoValue | Reading::NotMeasured => Standing::ValueLost,
        };
        for (crossing, level) in crossings.iter_mut().zip(levels) {
            let Some(level) = level else {
                // A limit that was taken away is crossed by nothing.
                *crossing = Crossing::default();
                continue;
            };
            match reading {
                Reading::Value(value) => {
                    let place = level.place(value);
                    is_again |= crossing.value(now.boot, place, level.delay);
                    if place == Place::Outside && standing != Standing::Is {
                        (standing, *beyond) = (Standing::Is, Some((value, level.limit)));
                    }
                }
                Reading::NoValue | Reading::NotMeasured => {
                    crossing.no_value(now.boot, level.delay, level.is_extreme);
                }
            }
            if crossing.is_crossed() {
                crossed = crossed.or(Some(level));
            }
        }
        let words = |(value, limit): (Decimal, Decimal)| {
            let (value, limit) = (value.to_string(), limit.to_string());
            let crossed = Crossed { parameter, value, limit, standing };
            match side {
                Side::Low => AlarmText::Low(crossed),
                Side::High => AlarmText::High(crossed),
            }
        };
        let found = crossed.zip(beyond.map(words)).map(|(level, text)| (level.priority, text));
        let is_released = reading == Reading::NotMeasured;
        self.settle(now, condition, Verdict { found, standing, is_released, is_again });
    }

    /// The same of a sign of life.
    fn judge_sign(&mut self, now: Moment, sign: Sign) {
        let Sign { of, delay, is_gone, is_measured } = sign;
        self.delays.insert(of, delay);
        let condition = Condition::Gone(of);
        let Gauge { crossings: [crossing, _], .. } = self.gauges.entry(condition).or_default();
        let standing = match is_gone {
            Some(true) => Standing::Is,
            Some(false) => Standing::Was,
            None => Standing::ValueLost,
        };
        let is_again = match is_gone {
            Some(true) => crossing.value(now.boot, Place::Outside, delay),
            Some(false) => crossing.value(now.boot, Place::Inside, delay),
            None => {
                crossing.no_value(now.boot, delay, true);
                false
            }
        };
        let text = AlarmText::Gone(of, standing);
        let found = crossing.is_crossed().then_some((Priority::High, text));
        let verdict = Verdict { found, standing, is_released: !is_measured, is_again };
        self.settle(now, condition, verdict);
    }

    /// What a physiological condition comes to.
    fn settle(&mut self, now: Moment, condition: Condition, verdict: Verdict) {
        let Verdict { found, standing, is_released, is_again } = verdict;
        let before = self.conditions.get(condition);
        // Nothing measures it any more, and nobody has to be told: it was seen, or never signalled.
        let is_nobodys = is_released && before.is_none_or(Present::is_acknowledged);
        match found {
            Some((priority, text)) if !is_nobodys => {
                let is_lost = standing == Standing::ValueLost;
                let state = if is_lost { AlarmState::ValueLost } else { AlarmState::Active };
                // Without a value it cannot have become less urgent.
                let least = before.filter(|_| is_lost).map_or(priority, |one| one.priority);
                let priority = priority.max(least);
                let holding = Holding { state, priority, text, amount: 0, is_again };
                self.hold(now, condition, holding);
            }
            Some(_) => {
                self.gauges.remove(&condition);
                self.conditions.end(now, condition, self.rules.latch);
            }
            None => self.conditions.end(now, condition, self.rules.latch),
        }
    }

    fn technical(&mut self, now: Moment, facts: Vec<Fact>) {
        let holds = |condition: Condition| {
            condition.kind() == Kind::Physiological
                || facts.iter().any(|fact| fact.condition == condition)
        };
        self.pending.retain(|condition, _| holds(*condition));
        let over = self.conditions.iter().map(|(one, _)| one).filter(|one| !holds(*one));
        let over: Vec<_> = over.collect();
        over.into_iter().for_each(|condition| self.conditions.end(now, condition, None));
        for fact in facts {
            let Fact { condition, priority, text, delay, silences, amount } = fact;
            // A fact that became more urgent has to be signalled by its own, shorter delay.
            let due = self.pending.entry(condition).or_insert(now.boot + delay);
            *due = (*due).min(now.boot + delay);
            if now.boot >= *due {
                let lost = silences.and_then(|kind| self.lost_of(kind));
                let priority = lost.map_or(priority, |lost| lost.max(priority));
                let state = AlarmState::Active;
                let holding = Holding { state, priority, text, amount, is_again: false };
                self.hold(now, condition, holding);
            }
        }
    }

    /// How urgent the values of this kind of device were when they were lost.
    fn lost_of(&self, kind: DeviceKind) -> Option<Priority> {
        let lost = self.conditions.iter().filter(|(condition, present)| {
            let is_of_kind = match condition.origin() {
                Origin::Limit(parameter, _) => parameter.row().is_of(kind),
                Origin::Life(LifeSign::Pulse) => kind == DeviceKind::PulseOximeter,
                Origin::Life(LifeSign::Breath) => kind == DeviceKind::Patch,
                Origin::Device(_) | Origin::Cart => false,
            };
            is_of_kind && present.state == AlarmState::ValueLost
        });
        lost.map(|(_, present)| present.priority).max()
    }

    fn hold(&mut self, now: Moment, condition: Condition, holding: Holding) {
        if self.conditions.hold(now, condition, holding) {
            self.pauses.end(now.boot);
        }
    }

    /// Another patient, or none: what was wrong with the one before is theirs.
    pub fn part_with_patient(&mut self, now: Moment) {
        self.gauges.clear();
        let theirs = self.conditions.iter().map(|(condition, _)| condition);
        let theirs: Vec<_> = theirs.filter(|one| one.kind() == Kind::Physiological).collect();
        theirs.into_iter().for_each(|condition| self.conditions.end(now, condition, None));
    }

    /// Somebody has seen this condition; true if that is new. One that changed for the worse since it
    /// was shown is not the one that was seen.
    pub fn acknowledge(&mut self, shown: Shown, seen: Seen) -> bool {
        let now = seen.at;
        let Some(state) = self.conditions.acknowledge(shown, seen) else { return false };
        if state != AlarmState::Active {
            // If the value comes back as it was, it is a condition anew.
            self.gauges.remove(&shown.condition);
            self.conditions.end(now, shown.condition, None);
        }
        true
    }

    /// Pauses the sound; how long, or `None` if there was nothing to pause or the hour's budget is used
    /// up.
    pub fn pause_audio(&mut self, now: Moment) -> Option<Duration> {
        let sounds = self.conditions.iter().any(|(_, present)| !present.is_acknowledged());
        let length = sounds.then(|| self.pauses.begin(now.boot)).flatten()?;
        self.conditions.log(now, LogEvent::Paused(length));
        self.was_paused = true;
        Some(length)
    }

    /// What is to be heard now: nothing while paused, and while everything present is acknowledged only a
    /// reminder.
    pub fn sound(&self, now: BootTime) -> Option<Sound> {
        if self.audio_paused(now).is_some() {
            return None;
        }
        let all = || self.conditions.iter().map(|(_, present)| present);
        let unseen = all().filter(|present| !present.is_acknowledged());
        if let Some(priority) = unseen.map(|present| present.priority).max() {
            let onset = self.conditions.onsets();
            return Some(Sound { priority, onset, is_reminder: false });
        }
        let (_, onset) = self.reminded.filter(|(at, _)| now.since(*at) < REMINDER)?;
        let priority = all().map(|present| present.priority).max()?;
        Some(Sound { priority, onset, is_reminder: true })
    }

    /// What was seen and may still harm the patient is reminded of now and then.
    fn remind(&mut self, now: BootTime) {
        let is_due = self.reminds_at().is_some_and(|due| now >= due);
        if is_due {
            let number = self.reminded.map_or(0, |(_, number)| number);
            self.reminded = Some((now, number + 1));
        }
    }

    fn reminds_at(&self) -> Option<BootTime> {
        let every = self.rules.remind?;
        let urgent = self.conditions.iter().filter(|(_, one)| one.priority >= Priority::Medium);
        let seen = urgent.filter_map(|(_, present)| present.seen.as_ref()).map(|seen| seen.at.boot);
        let first = seen.min()?;
        let last = self.reminded.map_or(first, |(at, _)| at.max(first));
        Some(last + every)
    }

    /// How long the sound stays paused.
    pub fn audio_paused(&self, now: BootTime) -> Option<Duration> {
        self.pauses.left(now)
    }

    /// How much of the hour's budget of pauses is left.
    pub fn pause_left(&self, now: BootTime) -> Duration {
        self.pauses.budget_left(now)
    }

    /// Conditions that are present, the one for the strip first: the most urgent, of those the patient's
    /// before the equipment's, of those the ones that nobody has seen, of those the newest.
    pub fn ranked(&self) -> Vec<(Shown, &Present)> {
        let shown = |(condition, present)| Some((self.conditions.shown(condition)?, present));
        let mut all: Vec<_> = self.conditions.iter().filter_map(shown).collect();
        all.sort_by_key(|(shown, present)| {
            let is_patient = shown.condition.kind() == Kind::Physiological;
            let (priority, unseen) = (present.priority, !present.is_acknowledged());
            std::cmp::Reverse((priority, is_patient, unseen, shown.number))
        });
        all
    }

    /// The priority of a condition on `parameter`, if one is present.
    pub fn on(&self, parameter: Parameter) -> Option<Priority> {
        let ends = [Condition::Low(parameter), Condition::High(parameter)];
        let present = ends.into_iter().filter_map(|condition| self.conditions.get(condition));
        present.map(|present| present.priority).max()
    }

    /// Somebody has acknowledged every condition on `parameter`.
    pub fn is_seen_on(&self, parameter: Parameter) -> bool {
        let ends = [Condition::Low(parameter), Condition::High(parameter)];
        let mut present = ends.into_iter().filter_map(|condition| self.conditions.get(condition));
        present.all(Present::is_acknowledged)
    }

    /// What happened since it was asked last.
    pub fn take_log(&mut self) -> Vec<Entry> {
        self.conditions.take_log()
    }

    /// When something changes by itself: a delay has passed, a value is back for good, the pause ends.
    pub fn next_deadline(&self, now: BootTime) -> Option<BootTime> {
        let waiting = self.pending.iter().filter(|(one, _)| self.conditions.get(**one).is_none());
        let crossings = self.gauges.iter().flat_map(|(condition, gauge)| {
            let delays = match condition.origin() {
                Origin::Limit(parameter, side) => self.delays_of(parameter, side),
                Origin::Life(sign) => [self.delays.get(&sign).copied(), None],
                Origin::Device(_) | Origin::Cart => [None, None],
            };
            let deadline =
                |(crossing, delay): (&Crossing, Option<Duration>)| crossing.deadline(delay?);
            gauge.crossings.iter().zip(delays).filter_map(deadline).collect::<Vec<_>>()
        });
        let reminder = self.reminded.map(|(at, _)| at + REMINDER);
        let deadlines = waiting.map(|(_, due)| *due).chain(crossings);
        let deadlines = deadlines.chain(self.conditions.escalates_at(self.rules.escalate));
        let deadlines = deadlines.chain(self.reminds_at()).chain(reminder);
        deadlines.filter(|due| *due > now).chain(self.pauses.deadline(now)).min()
    }

    fn delays_of(&self, parameter: Parameter, side: Side) -> [Option<Duration>; 2] {
        levels(&self.limits, parameter, side).map(|level| level.map(|level| level.delay))
    }
}

#[cfg(test)]
mod tests;
