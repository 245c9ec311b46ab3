//! Alarm limits of the patient at this bed: what is in force, what somebody wants, what that would have meant
//! in the last day, and why.

use std::collections::BTreeMap;

use wardkeep_model::access::policy::Permission;
use wardkeep_model::alarm::limits::Limits;
use wardkeep_model::alarm::{AlarmRecord, Happened, LimitReason};
use wardkeep_model::confidential::Phi;
use wardkeep_model::keeping::{AuditAct, AuditEntry, BedLimits, Command as StoreCommand};
use wardkeep_model::keeping::{History, HistoryQuery};
use wardkeep_model::moment::BootTime;
use wardkeep_model::notice::Notice;
use wardkeep_model::vitals::decimal::Decimal;
use wardkeep_model::vitals::parameter::{LimitKey, Parameter};

use crate::alarms::limits::{LimitSet, Side};
use crate::alarms::rehearsal::{Alarm, Rehearsal, Series, load};
use crate::kiosk::Effect;
use crate::kiosk::desk::{Desk, Scene};
use crate::kiosk::gate::Need;
use crate::kiosk::open::Open;
use crate::kiosk::pages::Front;
use crate::kiosk::pages::alarms::ask;
use crate::kiosk::view::alarms::{
    Changed, LimitRow, Limits as View, RehearsalView, Rehearsed, Stepper,
};
use crate::monitor::Monitor;

/// What people do about limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    /// One step down, or up.
    Step(LimitKey, Side, bool),
    /// Limits around what is measured now.
    Suggest,
    /// The ward's limits.
    Ward,
    /// Forget what is wanted.
    Keep,
    /// Use them: it is asked why.
    Use,
    /// Use them for this reason.
    Because(LimitReason),
}

pub(in crate::kiosk) fn need(intent: &Intent) -> Need {
    match intent {
        Intent::Step(..)
        | Intent::Suggest
        | Intent::Ward
        | Intent::Keep
        | Intent::Use
        | Intent::Because(_) => Need::Role(Permission::Care),
    }
}

/// What the page holds.
pub(in crate::kiosk) struct Draft {
    asked: Option<HistoryQuery>,
    wanted: Limits,
    asks_why: bool,
    /// Lines of the last day that say who changed limits, oldest first.
    changes: Vec<AlarmRecord>,
    /// What was measured in the last day; nothing until the store has told.
    series: Option<BTreeMap<Parameter, Series>>,
    rehearsals: BTreeMap<Parameter, Rehearsal>,
}

pub(in crate::kiosk) fn handle(
    open: &mut Open,
    desk: &mut Desk<'_>,
    intent: Intent,
) -> Vec<Effect> {
    let Front::Limits(draft) = &mut open.front else { return vec![] };
    let bed = desk.monitor.limits();
    let sets = desk.site.config.alarms.sets;
    let set = sets.of(bed.group);
    match intent {
        Intent::Step(key, side, up) => draft.step(set, (key, side), up),
        Intent::Suggest => draft.suggest(set, desk),
        Intent::Ward => draft.wanted = set.ward,
        Intent::Keep => (draft.wanted, draft.asks_why) = (bed.limits, false),
        Intent::Use => draft.asks_why = draft.wanted != bed.limits,
        Intent::Because(why) => return draft.apply(desk, why),
    }
    draft.rehearse(bed.limits);
    vec![]
}

impl Draft {
    /// What is in force is wanted; the last day is asked for.
    pub(in crate::kiosk) fn begin(desk: &mut Desk<'_>) -> (Self, Option<Effect>) {
        let (asked, effect) = ask(desk, true);
        let draft = Self {
            asked,
            wanted: desk.monitor.limits().limits,
            asks_why: false,
            changes: vec![],
            series: None,
            rehearsals: BTreeMap::new(),
        };
        (draft, effect)
    }

    /// The store has told of the last day.
    pub(in crate::kiosk) fn told(&mut self, query: HistoryQuery, history: History, bed: BedLimits) {
        if self.asked.take_if(|asked| *asked == query).is_none() {
            return;
        }
        let is_change =
            |one: &AlarmRecord| matches!(one.happened, Happened::Limits { why: Some(_), .. });
        self.changes = history.alarms.into_iter().filter(is_change).collect();
        let mut series: BTreeMap<Parameter, Series> = BTreeMap::new();
        for numeric in history.values {
            let Some(parameter) = Parameter::of(numeric.mdc) else { continue };
            let value = numeric.unit.reckon(*numeric.value.reveal(), parameter.row().unit);
            if let Some(value) = value {
                series.entry(parameter).or_default().push((numeric.at, value));
            }
        }
        self.series = Some(series);
        self.rehearse(bed.limits);
    }

    /// Nobody has to say why any more.
    pub(in crate::kiosk) fn step_back(&mut self) {
        self.asks_why = false;
    }

    fn step(&mut self, set: &LimitSet, (key, side): (LimitKey, Side), up: bool) {
        let limit = self.wanted.of_mut(key);
        let Some(value) = limit.of(side.bound()) else { return };
        let step = key.step();
        let next = if up { value.plus(step) } else { value.minus(step) };
        if let Some(next) = next.filter(|next| set.is_allowed(key, side, *next)) {
            let before = *limit;
            limit.set(side.bound(), Some(next));
            if limit.crossed().is_some() {
                *limit = before;
            }
        }
    }

    /// Around the values of now; what is not measured keeps its limits.
    fn suggest(&mut self, set: &LimitSet, desk: &Desk<'_>) {
        let group = desk.monitor.limits().group;
        for key in LimitKey::ALL {
            let Some(value) = measured(desk.monitor, desk.now.boot, key) else { continue };
            let [low, high] = set.suggested(group, key, value);
            let limit = self.wanted.of_mut(key);
            let before = *limit;
            limit.low = low.or(limit.low);
            limit.high = high.or(limit.high);
            if limit.crossed().is_some() {
                *limit = before;
            }
        }
    }

    /// Puts the wanted limits in force.
    fn apply(&mut self, desk: &mut Desk<'_>, why: LimitReason) -> Vec<Effect> {
        let bed = desk.monitor.limits();
        if !self.asks_why || self.wanted == bed.limits {
            return vec![];
        }
        self.asks_why = false;
        desk.monitor.change_limits(BedLimits { limits: self.wanted, ..bed }, why);
        desk.notify(Notice::LimitsChanged);
        let operator = desk.session.operator().map(|operator| operator.id);
        let entry = AuditEntry::of(AuditAct::LimitsChanged, desk.now.wall);
        let detail = Some(differences(&bed.limits, &self.wanted));
        let entry = AuditEntry { operator, subject: desk.monitor.subject(), detail, ..entry };
        self.rehearse(self.wanted);
        vec![desk.save_cart(), Effect::Store(StoreCommand::Audit(Box::new(entry)))]
    }

    fn rehearse(&mut self, in_force: Limits) {
        let series = self.series.iter().flatten();
        let rehearsed = series.map(|(parameter, series)| {
            (*parameter, Rehearsal::of(*parameter, series, &in_force, &self.wanted))
        });
        self.rehearsals = rehearsed.collect();
    }

    pub(in crate::kiosk) fn view(&self, scene: Scene<'_>) -> View {
        let bed = scene.monitor.limits();
        let set = scene.site.config.alarms.sets.of(bed.group);
        let keys = LimitKey::ALL.into_iter().filter_map(|key| Some((key, stands_for(scene, key)?)));
        let rows = keys.map(|(key, parameter)| self.row(scene, set, (key, parameter)));
        let any = LimitKey::ALL.into_iter();
        let is_measured = |key| measured(scene.monitor, scene.now.boot, key).is_some();
        View {
            rows: rows.collect(),
            is_drafted: self.wanted != bed.limits,
            asks_why: self.asks_why,
            rehearsal: self.rehearsal(scene),
            can_suggest: any.filter(|key| key.follows()).any(is_measured),
        }
    }

    fn row(
        &self,
        scene: Scene<'_>,
        set: &LimitSet,
        (key, parameter): (LimitKey, Parameter),
    ) -> LimitRow {
        let in_force = scene.monitor.limits().limits;
        let stepper = |side: Side| {
            let bound = side.bound();
            let value = self.wanted.of(key).of(bound)?;
            let ward = set.ward.of(key).of(bound)?;
            let span = set.range(key, side)?;
            let before = in_force.of(key).of(bound).filter(|before| *before != value);
            Some(Stepper {
                value: value.to_string(),
                in_force: before.map(|before| before.to_string()),
                range: span.to_string(),
                ward: ward.to_string(),
                can_less: value > span.least,
                can_more: value < span.most,
            })
        };
        let numeric = scene.monitor.live().current(scene.now.boot, parameter);
        let now = numeric.map(|one| format!("{} {}", one.value, one.unit.symbol()));
        LimitRow {
            key,
            parameter,
            now: Phi::new(now.unwrap_or_default()),
            low: stepper(Side::Low),
            high: stepper(Side::High),
            changed: self.changed(scene, key),
        }
    }

    /// Who changed a limit last.
    fn changed(&self, scene: Scene<'_>, key: LimitKey) -> Option<Changed> {
        let limits = |record: &AlarmRecord| match &record.happened {
            Happened::Limits { limits, .. } => Some(*limits.of(key)),
            Happened::Condition { .. }
            | Happened::Paused(_)
            | Happened::Resumed
            | Happened::Unwatched(_) => None,
        };
        let mine = self.changes.iter().enumerate().rev().find(|(place, record)| {
            let before = place.checked_sub(1).and_then(|place| self.changes.get(place));
            before.is_none_or(|before| limits(before) != limits(record))
        });
        let (_, record) = mine?;
        let Happened::Limits { why: Some(why), .. } = &record.happened else { return None };
        let time = scene.site.time_of_day(record.at);
        let at = format!("{} {time}", scene.site.local_day(record.at));
        Some(Changed { by: record.initials.clone(), at, why: *why })
    }

    fn rehearsal(&self, scene: Scene<'_>) -> RehearsalView {
        let mut view = RehearsalView { loading: self.series.is_none(), ..RehearsalView::default() };
        let told = |alarm: &Alarm, length| {
            let at = scene.site.time_of_day(alarm.from);
            let unit = alarm.parameter.row().unit.symbol();
            let value = Phi::new(format!("{} {unit}", alarm.value));
            Rehearsed { at, parameter: alarm.parameter, value, length }
        };
        for (parameter, rehearsal) in &self.rehearsals {
            let (before, after) = (load(&rehearsal.in_force), load(&rehearsal.drafted));
            view.whole.0.count += before.count;
            view.whole.0.length += before.length;
            view.whole.1.count += after.count;
            view.whole.1.length += after.length;
            if before.count + after.count > 0 {
                view.lines.push((*parameter, before, after));
            }
            view.silent.extend(rehearsal.silent().map(|alarm| told(alarm, alarm.length)));
            view.later.extend(rehearsal.later().map(|(alarm, by)| told(alarm, by)));
        }
        view
    }
}

/// The parameter that a limit stands beside: the first that is measured, or always shown.
fn stands_for(scene: Scene<'_>, key: LimitKey) -> Option<Parameter> {
    let mut mine = Parameter::all().filter(|parameter| parameter.row().limits == Some(key));
    mine.find(|one| one.row().is_basic || scene.monitor.source_of(*one).is_some())
}

/// What is measured now, in the unit of the limit.
fn measured(monitor: &Monitor, now: BootTime, key: LimitKey) -> Option<Decimal> {
    let mut mine = Parameter::all().filter(|parameter| parameter.row().limits == Some(key));
    mine.find_map(|parameter| {
        let numeric = monitor.live().current(now, parameter)?;
        numeric.unit.reckon(numeric.value, parameter.row().unit)
    })
}

/// `heart_rate high 120 -> 130`.
fn differences(before: &Limits, after: &Limits) -> String {
    let both = LimitKey::ALL.into_iter().flat_map(|key| Side::ALL.map(|side| (key, side.bound())));
    let digits = |limit: Option<Decimal>| limit.map_or("-".to_owned(), |one| one.to_string());
    let changed = both.filter_map(|(key, bound)| {
        let (old, new) = (before.of(key).of(bound), after.of(key).of(bound));
        let told = format!("{} {} {} -> {}", key.name(), bound.name(), digits(old), digits(new));
        (old != new).then_some(told)
    });
    changed.collect::<Vec<_>>().join(", ")
}
