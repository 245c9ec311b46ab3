//! The view: what the screen shows now. S-1: patient data enters it from what is held for an open
//! session or an emergency view, and from nowhere else.

use std::time::Duration;

use wardkeep_model::access::policy::Permission;
use wardkeep_model::alarm::{Priority, Sound};
use wardkeep_model::moment::{BootTime, Moment};
use wardkeep_model::ports::{Link, ReaderHealth, ReaderKind, SpeakerHealth};
use wardkeep_model::vitals::DeviceId;

use crate::alarms::{AlarmText, Alarms as Watched, Condition, Fact};
use crate::kiosk::clerk::Phase;
use crate::kiosk::desk::Scene;
use crate::kiosk::held::Held;
use crate::kiosk::pad::ceil_seconds;
use crate::kiosk::pages::{Front, alarms, readings};
use crate::kiosk::site::wall_of;
use crate::kiosk::view::access::Ways;
use crate::kiosk::view::alarms::Alarms;
use crate::kiosk::view::{
    AlarmStrip, Lock, OpenFrame, OperatorChip, PinPrompt, PinPurpose, Screen, Unseen, View,
};
use crate::kiosk::{Kiosk, emergency, first_start, gate, pad, trouble};
use crate::session::{Choosing, State};

/// Ages on the screen move on this often.
const HEARTBEAT: Duration = Duration::from_secs(1);

impl Kiosk {
    /// A session is open: patient data is on the screen.
    pub fn is_open(&self) -> bool {
        self.session.is_open()
    }

    /// What is to be heard now (S-9).
    pub fn sound(&self, now: Moment) -> Option<Sound> {
        self.alarms.sound(now)
    }

    /// When [`Event::Tick`](crate::kiosk::Event::Tick) is due at the latest.
    pub fn next_deadline(&self, now: Moment) -> BootTime {
        let deadlines = [
            self.session.next_deadline(),
            self.session.left_behind_at().filter(|at| *at > now.boot),
            self.alarms.alarms().next_deadline(now.boot),
            self.monitor.next_deadline(now.boot),
            self.notices.deadline(),
            self.clerk.next_deadline(now.boot),
        ];
        let heartbeat = now.boot + HEARTBEAT;
        deadlines.into_iter().flatten().fold(heartbeat, BootTime::min)
    }

    /// A device is assigned to whoever is at this bed.
    pub fn is_assigned(&self, device: DeviceId) -> bool {
        let assigned = self.monitor.device(device).and_then(|device| device.assignment);
        assigned.is_some_and(|one| Some(one.subject) == self.monitor.subject())
    }

    /// The alarm conditions of this bed.
    pub fn alarms(&self) -> &Watched {
        self.alarms.alarms()
    }

    /// What holds now that may be an alarm condition.
    pub(super) fn facts(&self, now: Moment) -> Vec<Fact> {
        let mut facts = self.monitor.facts(now);
        let mute = match self.health.speaker {
            SpeakerHealth::Ready => None,
            SpeakerHealth::NoDevice => Some(AlarmText::NoSound),
            SpeakerHealth::Muted => Some(AlarmText::SoundMuted),
        };
        if let Some(text) = mute.filter(|_| !self.site.simulated) {
            facts.push(Fact::at_once(Condition::NoSound, Priority::Medium, text));
        }
        facts.extend(self.clerk.facts());
        facts.extend(self.alarms.clock_facts(now));
        if self.session.is_left_behind(now.boot) {
            let (condition, text) = (Condition::TokenLeftBehind, AlarmText::TokenLeftBehind);
            facts.push(Fact::at_once(condition, Priority::Low, text));
        }
        facts
    }

    /// The bedside is in front of somebody who may see it.
    pub(super) fn draws_waves(&self) -> bool {
        self.held.open().is_some_and(|open| matches!(open.front, Front::Bedside))
            && self.session.role().is_some_and(|role| role.may(Permission::SeePatients))
    }

    /// Projects the present state.
    pub fn view(&self, now: Moment) -> View {
        let scene = self.scene(now);
        View {
            clock: self.site.clock(now.wall),
            clock_state: self.alarms.clock_state(now),
            bed: self.site.config.bed.clone(),
            ward: self.site.config.ward.clone(),
            language: self.language,
            simulated: self.site.simulated,
            alarm: strip(scene),
            open: self.open_frame(scene),
            notice: self.notices.current(self.session.role()),
            screen: self.screen(scene),
        }
    }

    fn scene(&self, now: Moment) -> Scene<'_> {
        Scene {
            now,
            site: &self.site,
            health: &self.health,
            monitor: &self.monitor,
            alarms: self.alarms.alarms(),
            session: &self.session,
            counts: &self.counts,
            open_findings: self.clerk.open_findings(),
        }
    }

    fn open_frame(&self, scene: Scene<'_>) -> Option<OpenFrame> {
        let State::Open { operator, pair, since, idle_deadline, .. } = self.session.state() else {
            return None;
        };
        let open = self.held.open();
        Some(OpenFrame {
            operator: OperatorChip {
                initials: operator.initials.clone(),
                role: operator.role,
                level: pair.level(),
                since: self.site.time_of_day(wall_of(scene.now, *since)),
                minutes_left: ceil_seconds(idle_deadline.since(scene.now.boot)).div_ceil(60),
            },
            patient: open.and_then(|open| open.banner(scene)),
            pages: gate::pages(operator.role),
            enrolling: open.and_then(|open| open.enrolling()),
            taking_over: self.clerk.taking_over(scene.now.boot),
            encrypting: self.clerk.encrypting(scene.now.boot),
            finding: self.clerk.finding(),
            waiting: open.map_or(0, |open| open.readings.count()),
            just_filed: open.and_then(|open| readings::just_filed(open, scene)),
        })
    }

    fn screen(&self, scene: Scene<'_>) -> Screen {
        if let Some(trouble) = trouble::view(scene, &self.clerk) {
            return Screen::Trouble(trouble);
        }
        match &self.clerk.phase {
            // Trouble has its own screen.
            Phase::Starting | Phase::Trouble(..) => Screen::Starting,
            Phase::FirstStart(setup) => Screen::FirstStart(first_start::view(setup, scene.health)),
            Phase::Running => self.session_screen(scene),
        }
    }

    fn session_screen(&self, scene: Scene<'_>) -> Screen {
        let number = self.session.prompt();
        match self.session.state() {
            State::Locked if self.alarms.is_listed() => {
                Screen::Alarms(Alarms { now: alarms::present(scene), past: None })
            }
            State::Locked => Screen::Lock(lock_page(scene)),
            State::Partial(prompt) => Screen::Pin(pad::of_login(scene.now, prompt, number)),
            State::Proving { prompt, .. } | State::Unlocking { prompt, .. } => {
                let token = prompt.token.kind();
                Screen::Pin(PinPrompt { token, ..pad::empty(PinPurpose::Unlock, number, true) })
            }
            State::ChoosingPin(Choosing { token, first, sent, .. }) => {
                let purpose = match first {
                    Some(_) => PinPurpose::Repeat,
                    None => PinPurpose::Choose,
                };
                let busy = sent.is_some();
                let token = token.kind();
                Screen::Pin(PinPrompt { token, ..pad::empty(purpose, number, busy) })
            }
            State::Emergency(step) => {
                let card = match &self.held {
                    Held::Emergency(card) => Some(card.as_ref()),
                    Held::Nothing | Held::Arrived(_) | Held::Session(_) => None,
                };
                Screen::Emergency(emergency::view(scene, step, card))
            }
            // Without what is held there is nothing to show.
            State::Open { .. } => self
                .held
                .open()
                .map_or_else(|| Screen::Lock(lock_page(scene)), |open| open.view(scene)),
        }
    }
}

fn strip(scene: Scene<'_>) -> Option<AlarmStrip> {
    let ranked = scene.alarms.ranked();
    let (_, first) = ranked.first()?;
    let unseen = ranked.iter().find(|(_, present)| !present.is_acknowledged());
    Some(AlarmStrip {
        priority: first.priority,
        text: first.text.clone(),
        since: scene.site.time_of_day(wall_of(scene.now, first.onset.boot)),
        acknowledged: first.is_acknowledged(),
        escalated: first.escalated,
        unseen: unseen.map(|(shown, present)| Unseen {
            shown: *shown,
            priority: present.priority,
            text: present.text.clone(),
        }),
        others: ranked.len() - 1,
        audio_paused_s: scene.alarms.audio_paused(scene.now.boot).map(ceil_seconds),
    })
}

fn lock_page(scene: Scene<'_>) -> Lock {
    let known = || scene.monitor.devices().filter(|(_, device)| device.known);
    Lock {
        readers: scene.health.readers(),
        ways: Ways {
            card: scene.health.reader(ReaderKind::SmartCard) == ReaderHealth::Ready,
            emergency: scene.site.config.policy.emergency,
        },
        radio: scene.health.radio,
        devices_live: known().filter(|(_, device)| device.link == Link::Live).count(),
        devices_known: known().count(),
    }
}
