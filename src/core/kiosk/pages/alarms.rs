//! Every alarm condition, and what was wrong in the last day.

use std::time::Duration;

use jiff::Timestamp;

use wardkeep_model::access::policy::Permission;
use wardkeep_model::alarm::{AlarmRecord, Kind};
use wardkeep_model::confidential::Phi;
use wardkeep_model::keeping::{Command as StoreCommand, History, HistoryQuery};
use wardkeep_model::vitals::DeviceId;
use wardkeep_model::vitals::parameter::Parameter;

use crate::alarms::burden::{Burden, Episode, Load, burden};
use crate::kiosk::Effect;
use crate::kiosk::desk::{Desk, Scene};
use crate::kiosk::pages::kept::Kept;
use crate::kiosk::site::wall_of;
use crate::kiosk::view::alarms::{AlarmRow, Alarms, BurdenOf, BurdenView, Past, PastAlarm};

/// How far back the log is looked at.
pub(super) const DAY: Duration = Duration::from_secs(24 * 3_600);

/// What the page holds: the last day, once the store has told.
#[derive(Default)]
pub(in crate::kiosk) struct Days {
    asked: Option<HistoryQuery>,
    log: Option<Vec<AlarmRecord>>,
    rows: Kept<PastAlarm>,
}

impl Days {
    /// Asks for the last day of whoever is at this bed.
    pub(in crate::kiosk) fn begin(desk: &mut Desk<'_>) -> (Self, Option<Effect>) {
        if !desk.may(Permission::SeePatients) {
            return (Self::default(), None);
        }
        let (asked, effect) = ask(desk, false);
        let log = asked.is_none().then(Vec::new);
        (Self { asked, log, rows: Kept::default() }, effect)
    }

    /// The store has answered.
    pub(in crate::kiosk) fn told(&mut self, query: HistoryQuery, history: History) {
        if self.asked.take_if(|asked| *asked == query).is_some() {
            self.log = Some(history.alarms);
            self.rows.forget();
        }
    }

    pub(in crate::kiosk) fn view(&self, scene: Scene<'_>) -> Alarms {
        let past = scene.may(Permission::SeePatients).then(|| self.past(scene));
        Alarms { now: present(scene), past }
    }

    fn past(&self, scene: Scene<'_>) -> Past {
        let can_change = scene.may(Permission::Care) && scene.monitor.subject().is_some();
        let Some(log) = &self.log else {
            return Past { loading: true, can_change, ..Past::default() };
        };
        let now = scene.now.wall;
        let burden = burden(log, now);
        let rows = burden.episodes.iter().map(|episode| past_alarm(scene, episode));
        let rows = self.rows.of(scene.today(), rows);
        Past { loading: false, rows, burden: reckoned(scene, &burden, now), can_change }
    }
}

/// Asks the store for the last day; nobody at this bed has none.
pub(super) fn ask(
    desk: &mut Desk<'_>,
    with_values: bool,
) -> (Option<HistoryQuery>, Option<Effect>) {
    let Some(subject) = desk.monitor.subject() else { return (None, None) };
    let until = desk.now.wall;
    let since = until.checked_sub(DAY).unwrap_or(Timestamp::MIN);
    let attempt = desk.counts.next_attempt();
    let query = HistoryQuery { attempt, subject, since, until, with_values };
    (Some(query), Some(Effect::Store(StoreCommand::History(query))))
}

/// Conditions that are present: the patient's, then the equipment's.
pub(in crate::kiosk) fn present(scene: Scene<'_>) -> Vec<AlarmRow> {
    let names = scene.session.role().is_some();
    let wall = |at| scene.site.time_of_day(wall_of(scene.now, at));
    let row = |(shown, present): (crate::alarms::Shown, &crate::alarms::Present)| AlarmRow {
        shown,
        kind: shown.condition.kind(),
        priority: present.priority,
        text: present.text.clone(),
        state: present.state,
        since: wall(present.onset.boot),
        lasts: scene.now.boot.since(present.onset.boot),
        seen: present.seen.as_ref().map(|seen| {
            let by = seen.by.as_ref().filter(|_| names).map(|(_, initials)| initials.clone());
            (wall(seen.at.boot), by.unwrap_or_default())
        }),
        escalated: present.escalated,
    };
    let mut rows: Vec<_> = scene.alarms.ranked().into_iter().map(row).collect();
    rows.sort_by_key(|row| row.kind == Kind::Technical);
    rows
}

fn past_alarm(scene: Scene<'_>, episode: &Episode) -> PastAlarm {
    let device = episode.id.split_once(':').and_then(|(_, name)| name.parse::<DeviceId>().ok());
    PastAlarm {
        id: episode.id.clone(),
        device: device.map(|device| scene.monitor.name(device)),
        kind: episode.kind,
        priority: episode.priority,
        crossed: episode.crossed.clone().map(Phi::new),
        from: scene.site.time_of_day(episode.from),
        length: episode.length(scene.now.wall),
        is_present: episode.to.is_none(),
        seen: episode.seen.as_ref().map(|(_, initials)| initials.clone()),
    }
}

fn reckoned(scene: Scene<'_>, burden: &Burden, now: Timestamp) -> BurdenView {
    let since = now.checked_sub(DAY).unwrap_or(Timestamp::MIN);
    let part = |at: Timestamp| {
        let passed = at.duration_since(since).as_secs_f32() / DAY.as_secs_f32();
        passed.clamp(0.0, 1.0)
    };
    let marks = |wanted: &dyn Fn(&Episode) -> bool| {
        let mine = burden.episodes.iter().filter(|episode| wanted(episode));
        mine.map(|one| (part(one.from), part(one.to.unwrap_or(now)))).collect()
    };
    let of_parameter = |(parameter, load): &(Parameter, Load)| {
        let is_its = |one: &Episode| one.limit().is_some_and(|(of, _)| of == *parameter);
        BurdenOf { parameter: Some(*parameter), load: *load, spans: marks(&is_its) }
    };
    let mut lines: Vec<_> = burden.parameters.iter().map(of_parameter).collect();
    if burden.equipment.count > 0 {
        let spans = marks(&|one| one.kind == Kind::Technical);
        lines.push(BurdenOf { parameter: None, load: burden.equipment, spans });
    }
    let limits = scene.monitor.limits().limits;
    BurdenView {
        whole: burden.whole,
        late: burden.late,
        lines,
        noisiest: burden.noisiest.and_then(|(parameter, side)| {
            let limit = limits.of(parameter.row().limits?).of(side.bound())?;
            Some((parameter, side, limit.to_string()))
        }),
        unanswered: burden.unanswered,
    }
}
