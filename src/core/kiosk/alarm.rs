//! The alarm system of the bed: which conditions are present, what people do about them, logged in or at
//! the locked screen, and what is kept of them.

use std::time::Duration;

use jiff::Timestamp;

use wardkeep_model::access::Operator;
use wardkeep_model::access::policy::Permission;
use wardkeep_model::alarm::{AlarmChange, AlarmRecord, Happened, Priority, Sound};
use wardkeep_model::confidential::Phi;
use wardkeep_model::encounter::SubjectId;
use wardkeep_model::keeping::{AuditAct, BedLimits, Command as StoreCommand};
use wardkeep_model::moment::{BootTime, ClockState, Moment};
use wardkeep_model::vitals::{DeviceId, RecordId};

use crate::alarms::{Alarms, Entry, Fact, Known, LogEvent, Rules, Seen, Shown};
use crate::kiosk::Effect;
use crate::kiosk::clock::{Clocks, Noticed, UNWATCHED_MIN};
use crate::kiosk::desk;
use crate::kiosk::gate::Need;
use crate::monitor::Monitor;
use crate::session::Session;

/// What people do about alarms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    /// Has seen this alarm condition.
    Acknowledge(Shown),
    /// Paused the alarm sound, for a bounded time.
    PauseAudio,
    /// Wants to see every condition, or no longer.
    List(bool),
    /// Wants to hear that alarms can be heard.
    TestSound,
}

pub(super) fn need(intent: &Intent) -> Need {
    match intent {
        Intent::Acknowledge(_) | Intent::PauseAudio | Intent::List(_) | Intent::TestSound => {
            Need::RoleIfOpen(Permission::HandleAlarms)
        }
    }
}

/// The list of alarms goes away by itself where nobody is logged in.
const LISTED_FOR: Duration = Duration::from_secs(60);

/// How exactly the end of watching is known after the program was started again.
const ALIVE_EVERY: Duration = Duration::from_secs(20);
/// A test of the sound is one burst of the medium priority, with time to begin.
const TESTED_FOR: Duration = Duration::from_secs(3);

/// The machine that watches, tells and keeps.
#[derive(Debug)]
pub(super) struct AlarmSystem {
    alarms: Alarms,
    log: Log,
    clocks: Clocks,
    /// The list of alarms stands before the lock screen until then.
    listed: Option<BootTime>,
    /// A burst to listen to: until when, and how many there were.
    test: (BootTime, u64),
    /// When it was last written down that somebody is watched; nothing before the store was found.
    alive: Option<BootTime>,
}

impl AlarmSystem {
    pub(super) fn new(settings: Rules, run: u64) -> Self {
        let log = Log { run, seq: 0, limits: None };
        Self {
            alarms: Alarms::new(settings),
            log,
            clocks: Clocks::default(),
            listed: None,
            test: <_>::default(),
            alive: None,
        }
    }

    pub(super) fn alarms(&self) -> &Alarms {
        &self.alarms
    }

    /// What is to be heard; a test only where nothing else is.
    pub(super) fn sound(&self, now: Moment) -> Option<Sound> {
        let (until, count) = self.test;
        let test = Sound { priority: Priority::Medium, onset: u64::MAX - count, is_reminder: true };
        self.alarms.sound(now.boot).or((now.boot < until).then_some(test))
    }

    /// Plays one burst, so that somebody hears that alarms can be heard.
    pub(super) fn test_sound(&mut self, now: Moment) {
        self.test = (now.boot + TESTED_FOR, self.test.1 + 1);
    }

    /// Whoever was watched when the program, or the machine, ended was watched by nobody since. A store that
    /// is found later on says nothing about that.
    pub(super) fn resume(
        &mut self,
        now: Moment,
        monitor: &Monitor,
        alive: Option<Timestamp>,
    ) -> Vec<Effect> {
        let is_begin = self.alive.is_none();
        self.alive = Some(now.boot);
        let since = alive.filter(|_| is_begin && monitor.watches_over());
        let gap = since.map(|since| now.wall.duration_since(since));
        let gap = gap.and_then(|gap| Duration::try_from(gap).ok());
        let Some(length) = gap.filter(|gap| *gap >= UNWATCHED_MIN) else { return vec![] };
        self.clocks.miss(length);
        self.log.unwatched(now, monitor, length)
    }

    /// It is time to write down that somebody is watched, so that the end of it can be told.
    pub(super) fn says_alive(&mut self, now: Moment, monitor: &Monitor) -> bool {
        let last = *self.alive.get_or_insert(now.boot);
        let is_due = now.boot.since(last) >= ALIVE_EVERY && monitor.watches_over();
        if is_due {
            self.alive = Some(now.boot);
        }
        is_due
    }

    /// What is to be kept of how the clocks went on.
    pub(super) fn look_at_clocks(
        &mut self,
        now: Moment,
        monitor: &Monitor,
    ) -> (Noticed, Vec<Effect>) {
        let noticed = self.clocks.observe(now);
        let mut effects = Vec::new();
        if let Some(step) = noticed.step {
            let detail = format!("{:+} s", step.as_secs());
            let act = AuditAct::ClockStepped;
            effects.push(desk::audit_of_machine(now, monitor, act, Some(detail)));
        }
        if let Some(length) = noticed.unwatched {
            effects.extend(self.log.unwatched(now, monitor, length));
        }
        (noticed, effects)
    }

    pub(super) fn clock_state(&self, now: Moment) -> ClockState {
        self.clocks.state(now)
    }

    pub(super) fn clock_facts(&self, now: Moment) -> Vec<Fact> {
        self.clocks.facts(now)
    }

    /// Somebody else is at this bed, or nobody: what is present ends with the patient it was about.
    pub(super) fn part_with(
        &mut self,
        now: Moment,
        patient: Option<SubjectId>,
        monitor: &Monitor,
        session: &Session,
    ) -> Vec<Effect> {
        self.alarms.part_with_patient(now);
        self.log.alarms(&mut self.alarms, monitor, (patient, session.operator()))
    }

    /// Looks at everything once more.
    pub(super) fn update(
        &mut self,
        now: Moment,
        monitor: &Monitor,
        session: &Session,
        facts: Vec<Fact>,
    ) -> Vec<Effect> {
        self.listed = self.listed.filter(|until| now.boot < *until && session.is_locked());
        let known = Known {
            limits: monitor.limits().limits,
            readings: monitor.readings(now.boot),
            signs: monitor.signs(now.boot),
            facts,
        };
        self.alarms.update(now, known);
        self.log.alarms(&mut self.alarms, monitor, (monitor.subject(), session.operator()))
    }

    /// Which limits are in force is kept whenever they are others, and for a patient who comes.
    pub(super) fn limits(
        &mut self,
        now: Moment,
        monitor: &mut Monitor,
        session: &Session,
    ) -> Option<Effect> {
        self.log.limits(now, monitor, session.operator())
    }

    /// Somebody has seen this condition, and no other. False where it is none of the shown ones.
    pub(super) fn acknowledge(&mut self, now: Moment, shown: Shown, session: &Session) -> bool {
        let by = session.operator();
        let by = by.map(|operator| (operator.id, operator.initials.clone()));
        let is_shown = self.alarms.acknowledge(shown, Seen { at: now, by });
        if is_shown {
            self.clocks.acknowledge(shown.condition);
        }
        is_shown
    }

    /// For how long the sound is paused, if it could be.
    pub(super) fn pause_audio(&mut self, now: Moment) -> Option<Duration> {
        self.alarms.pause_audio(now)
    }

    /// The list before the lock screen is wanted, or no longer.
    pub(super) fn list(&mut self, now: Moment, is_wanted: bool) {
        self.listed = is_wanted.then_some(now.boot + LISTED_FOR);
    }

    /// Somebody is reading it.
    pub(super) fn keep_listed(&mut self, now: Moment) {
        self.listed = self.listed.map(|_| now.boot + LISTED_FOR);
    }

    pub(super) fn is_listed(&self) -> bool {
        self.listed.is_some()
    }
}

/// The alarm log on its way to the store.
#[derive(Debug)]
struct Log {
    run: u64,
    /// Number of the last line.
    seq: u64,
    /// Of whom, and which limits, it says that they are in force.
    limits: Option<(SubjectId, BedLimits)>,
}

/// Whom a line is about, and who is logged in.
type Concerned<'a> = (Option<SubjectId>, Option<&'a Operator>);

impl Log {
    /// What the alarms have told is kept, unless nobody knows whose they are.
    fn alarms(&mut self, alarms: &mut Alarms, monitor: &Monitor, of: Concerned<'_>) -> Vec<Effect> {
        let mut effects = Vec::new();
        for Entry { at, event } in alarms.take_log() {
            if monitor.is_watching() {
                continue;
            }
            let is_call = matches!(&event, LogEvent::Condition { change, .. }
                if *change == AlarmChange::Escalated);
            effects.push(self.entry(at, event, of));
            if is_call {
                let act = AuditAct::AlarmEscalated;
                effects.push(desk::audit_of_machine(at, monitor, act, None));
            }
        }
        effects
    }

    /// Which limits are in force is kept whenever they are others, and for a patient who comes.
    fn limits(
        &mut self,
        now: Moment,
        monitor: &mut Monitor,
        operator: Option<&Operator>,
    ) -> Option<Effect> {
        let (subject, bed) = (monitor.subject()?, monitor.limits());
        if self.limits == Some((subject, bed)) {
            return None;
        }
        self.limits = Some((subject, bed));
        let BedLimits { group, limits } = bed;
        let why = monitor.take_reason();
        let of = (Some(subject), operator.filter(|_| why.is_some()));
        let happened = Happened::Limits { group, limits: Box::new(limits), why };
        Some(self.line(now, of, None, happened))
    }

    /// Nothing was watched and recorded for so long.
    fn unwatched(&mut self, now: Moment, monitor: &Monitor, length: Duration) -> Vec<Effect> {
        let of = (monitor.subject(), None);
        let kept = self.line(now, of, None, Happened::Unwatched(length));
        let (act, detail) = (AuditAct::MonitoringInterrupted, format!("{} s", length.as_secs()));
        vec![kept, desk::audit_of_machine(now, monitor, act, Some(detail))]
    }

    fn entry(&mut self, at: Moment, event: LogEvent, (subject, operator): Concerned<'_>) -> Effect {
        let by_nobody = (subject, None);
        match event {
            LogEvent::Condition { condition, change, priority, text } => {
                let crossed = text.crossed().map(|one| (one.value.clone(), one.limit.clone()));
                let happened = Happened::Condition {
                    id: condition.id(|device| device.to_string()),
                    kind: condition.kind(),
                    change,
                    priority,
                    crossed: crossed.map(Phi::new),
                };
                let operator = operator.filter(|_| change == AlarmChange::Acknowledged);
                self.line(at, (subject, operator), condition.device(), happened)
            }
            LogEvent::Paused(length) => {
                self.line(at, (subject, operator), None, Happened::Paused(length))
            }
            LogEvent::Resumed => self.line(at, by_nobody, None, Happened::Resumed),
        }
    }

    fn line(
        &mut self,
        at: Moment,
        (subject, operator): Concerned<'_>,
        device: Option<DeviceId>,
        happened: Happened,
    ) -> Effect {
        self.seq += 1;
        Effect::Store(StoreCommand::RecordAlarm(Box::new(AlarmRecord {
            record: RecordId { run: self.run, seq: self.seq },
            at: at.wall,
            since_boot: at.boot,
            subject,
            operator: operator.map(|operator| operator.id),
            initials: operator.map(|operator| operator.initials.clone()).unwrap_or_default(),
            device,
            happened,
        })))
    }
}
