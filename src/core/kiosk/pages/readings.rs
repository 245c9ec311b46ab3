//! Spot readings that nobody has claimed: the one that has just come in is asked about at the bedside, the others
//! wait in a tray.
//!
//! S-6: a reading is filed because somebody touched a button that says whose it becomes; the button's word is
//! held against who is at this bed when it arrives. Nothing is filed by nearness, by value or by itself.

use std::collections::BTreeSet;
use std::time::Duration;

use wardkeep_model::access::policy::Permission;
use wardkeep_model::confidential::Phi;
use wardkeep_model::encounter::SubjectId;
use wardkeep_model::keeping::{Command as StoreCommand, FiledSpot, SpotAct, Spots, WaitingSpot};
use wardkeep_model::moment::BootTime;
use wardkeep_model::notice::Notice;
use wardkeep_model::vitals::nomenclature::{
    Absent, BODY_FAT, BODY_HEIGHT, BODY_MASS_INDEX, BODY_WEIGHT, DIASTOLIC, MEAN_PRESSURE, Mdc,
    PULSE_RATE_CUFF, PULSE_RATE_OXIMETER, SPO2, SYSTOLIC, Status,
};
use wardkeep_model::vitals::parameter::{Family, Parameter};
use wardkeep_model::vitals::spot::{SpotReading, SpotTimes, SpotValue};
use wardkeep_model::vitals::{ClockConfidence, RecordId};

use crate::kiosk::Effect;
use crate::kiosk::desk::{Desk, Scene};
use crate::kiosk::gate::Need;
use crate::kiosk::open::Open;
use crate::kiosk::pad::ceil_seconds;
use crate::kiosk::pages::patients;
use crate::kiosk::view::readings::{
    AskedReading, Because, JustFiled, SpotLine, SpotRemark, SpotTime, SpotWhat, Tray, TrayLine,
};

/// A reading that came longer ago is not asked about by itself: whoever is here now may not know of it.
const ASKED_FOR: Duration = Duration::from_secs(15 * 60);
/// A filing can be taken back with one touch for so long.
const UNDO_FOR: Duration = Duration::from_secs(10);
/// After an answer the next question takes none for so long: the second tap of two finds nothing.
const REST: Duration = Duration::from_millis(1_500);

/// What people do with readings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    /// It is this patient's, who is at this bed.
    File(RecordId, SubjectId),
    /// It is not.
    Refuse(RecordId),
    /// Not now.
    Later(RecordId),
    /// Look at it in the tray.
    Choose(RecordId),
    /// It is nobody's.
    Discard(RecordId),
    /// The last filing was a mistake.
    Undo(RecordId),
    /// An earlier one was.
    TakeBack(RecordId),
}

pub(in crate::kiosk) fn need(intent: &Intent) -> Need {
    match intent {
        Intent::File(..)
        | Intent::Refuse(_)
        | Intent::Later(_)
        | Intent::Choose(_)
        | Intent::Discard(_)
        | Intent::Undo(_)
        | Intent::TakeBack(_) => Need::Role(Permission::Care),
    }
}

/// What a session knows of readings.
#[derive(Default)]
pub(in crate::kiosk) struct Known {
    spots: Spots,
    /// Those that somebody does not want to be asked about in this session.
    later: BTreeSet<RecordId>,
    chosen: Option<RecordId>,
    /// When the last question was answered.
    answered: Option<BootTime>,
    /// What was filed last, and until when that can be taken back.
    filed: Option<(RecordId, SubjectId, BootTime)>,
}

impl Known {
    /// The vault has told.
    pub(in crate::kiosk) fn told(&mut self, spots: Spots) -> Vec<Effect> {
        self.spots = spots;
        let is_listed = |record| self.waiting(record).is_some() || self.filed(record).is_some();
        if self.chosen.is_some_and(|record| !is_listed(record)) {
            self.chosen = None;
        }
        vec![]
    }

    fn filed(&self, record: RecordId) -> Option<&FiledSpot> {
        self.spots.filed.iter().find(|one| one.reading.record == record)
    }

    fn waiting(&self, record: RecordId) -> Option<&WaitingSpot> {
        self.spots.waiting.iter().find(|one| one.reading.record == record)
    }

    /// How many wait.
    pub(in crate::kiosk) fn count(&self) -> usize {
        self.spots.waiting.len()
    }
}

pub(in crate::kiosk) fn handle(
    open: &mut Open,
    desk: &mut Desk<'_>,
    intent: Intent,
) -> Vec<Effect> {
    let (now, known) = (desk.now, &mut open.readings);
    let is_resting = known.answered.is_some_and(|at| now.boot.since(at) < REST);
    let act = match intent {
        Intent::Choose(record) => {
            known.chosen = Some(record);
            return vec![];
        }
        Intent::Later(record) => {
            known.later.insert(record);
            return vec![];
        }
        Intent::File(record, subject) => {
            let is_here = desk.monitor.subject() == Some(subject);
            if is_resting || !is_here || known.waiting(record).is_none() {
                return vec![];
            }
            known.filed = Some((record, subject, now.boot + UNDO_FOR));
            SpotAct::File(record, subject)
        }
        Intent::Refuse(record) if is_resting || known.waiting(record).is_none() => return vec![],
        Intent::Refuse(record) => SpotAct::Refuse(record),
        Intent::Discard(record) => SpotAct::Discard(record),
        Intent::TakeBack(record) => return take_back(known, desk, record),
        Intent::Undo(record) => {
            let is_it = |(filed, _, until): &mut (RecordId, SubjectId, BootTime)| {
                *filed == record && now.boot < *until
            };
            if known.filed.take_if(is_it).is_none() {
                return vec![];
            }
            // Whoever took it back looks at it again before anything else is asked.
            known.later.insert(record);
            desk.notify(Notice::ReadingPutBack);
            SpotAct::PutBack(record)
        }
    };
    known.answered = Some(now.boot);
    if let SpotAct::Refuse(record) = act {
        known.later.insert(record);
        desk.notify(Notice::ReadingWaits);
    } else {
        // What was answered is asked no more, however long the store takes.
        known.spots.waiting.retain(|one| one.reading.record != act.record());
    }
    vec![Effect::Store(StoreCommand::Spot(act, now))]
}

/// A reading that was filed to the patient who is here is somebody else's: it waits for whoever that is, and the
/// log keeps both.
fn take_back(known: &mut Known, desk: &mut Desk<'_>, record: RecordId) -> Vec<Effect> {
    let at_bed = desk.monitor.subject();
    if known.filed(record).is_none_or(|one| Some(one.subject) != at_bed) {
        return vec![];
    }
    known.later.insert(record);
    known.spots.filed.retain(|one| one.reading.record != record);
    desk.notify(Notice::ReadingPutBack);
    let acts = [SpotAct::PutBack(record), SpotAct::Refuse(record)];
    acts.map(|act| Effect::Store(StoreCommand::Spot(act, desk.now))).into()
}

/// What is said of a measurement without a value.
pub(in crate::kiosk) fn failure(reason: Absent) -> Notice {
    if reason == Absent::ControlSolution {
        Notice::ControlSolution
    } else if reason == Absent::Implausible {
        Notice::MeasurementImplausible
    } else {
        Notice::MeasurementFailed
    }
}

/// What waited too long leaves the tray; the audit log says so.
pub(in crate::kiosk) fn expire(open: &mut Open, desk: &Desk<'_>) -> Vec<Effect> {
    let now = desk.now;
    let waits_for = desk.site.config.reading;
    let over = |one: &WaitingSpot| desk.monitor.spot_age(now, &one.reading) >= waits_for;
    let spots = &mut open.readings.spots;
    let expired: Vec<RecordId> =
        spots.waiting.iter().filter(|one| over(one)).map(|one| one.reading.record).collect();
    spots.waiting.retain(|one| !expired.contains(&one.reading.record));
    let act = |record| Effect::Store(StoreCommand::Spot(SpotAct::Expire(record), now));
    expired.into_iter().map(act).collect()
}

/// The reading that is asked about at the bedside: the first that came lately, of a time that is known, and of
/// which nobody has said that it is not this patient's.
pub(in crate::kiosk) fn asked(open: &Open, scene: Scene<'_>) -> Option<AskedReading> {
    let patient = open.patient.as_ref().filter(|_| scene.may(Permission::Care))?;
    let subject = scene.monitor.subject().filter(|id| *id == patient.id)?;
    let known = &open.readings;
    let is_asked = |one: &&WaitingSpot| {
        one.refused.is_none()
            && !known.later.contains(&one.reading.record)
            && scene.monitor.spot_age(scene.now, &one.reading) < ASKED_FOR
            && because(scene, one) == Because::Unasked
    };
    let WaitingSpot { reading, .. } = known.spots.waiting.iter().find(is_asked)?;
    let before = known
        .spots
        .filed
        .iter()
        .find(|one| one.subject == subject && one.reading.kind == reading.kind);
    Some(AskedReading {
        record: reading.record,
        subject,
        patient: patients::banner(scene, patient),
        lines: lines(reading.values.reveal()),
        remarks: remarks(reading),
        kind: reading.kind,
        device: reading.name.clone(),
        has_twins: twins(scene, reading),
        time: time(scene, reading.times),
        before: before
            .map(|one| (lines(one.reading.values.reveal()), time(scene, one.reading.times))),
        others: known.count() - 1,
        is_resting: known.answered.is_some_and(|at| scene.now.boot.since(at) < REST),
    })
}

/// Another device of its kind is near, so that the name has to be looked at.
fn twins(scene: Scene<'_>, reading: &SpotReading) -> bool {
    let is_twin = |(id, device): (_, &crate::pairing::Device)| {
        id != reading.device && device.kind == reading.kind && device.heard.is_some()
    };
    scene.monitor.devices().any(is_twin)
}

/// What was just filed and can still be taken back.
pub(in crate::kiosk) fn just_filed(open: &Open, scene: Scene<'_>) -> Option<JustFiled> {
    let (record, subject, until) = open.readings.filed?;
    let patient = open.patient.as_ref().filter(|patient| patient.id == subject)?;
    (scene.now.boot < until && scene.may(Permission::Care)).then(|| JustFiled {
        record,
        patient: patients::banner(scene, patient),
        seconds_left: ceil_seconds(until.since(scene.now.boot)),
    })
}

/// The page of those that wait.
pub(in crate::kiosk) fn view(open: &Open, scene: Scene<'_>) -> Tray {
    let Spots { waiting, filed } = &open.readings.spots;
    let at_bed = scene.monitor.subject();
    let patient = open.patient.as_ref().filter(|patient| Some(patient.id) == at_bed);
    let theirs = filed.iter().filter(|one| patient.is_some_and(|of| of.id == one.subject));
    let theirs = theirs.map(|one| filed_line(scene, &one.reading));
    let rows: Vec<TrayLine> = waiting.iter().map(|one| line(scene, one)).chain(theirs).collect();
    let chosen = open.readings.chosen.or_else(|| rows.first().map(|row| row.record));
    Tray {
        rows,
        chosen,
        patient: patient.map(|patient| (patient.id, patients::banner(scene, patient))),
        may_file: scene.may(Permission::Care),
    }
}

fn line(scene: Scene<'_>, waiting: &WaitingSpot) -> TrayLine {
    let reading = &waiting.reading;
    let waits_for = scene.site.config.reading;
    let left = waits_for.saturating_sub(scene.monitor.spot_age(scene.now, reading));
    let part = left.as_secs() * 100 / waits_for.as_secs().max(1);
    let left_percent = u8::try_from(part).unwrap_or(100);
    TrayLine { because: because(scene, waiting), left, left_percent, ..filed_line(scene, reading) }
}

fn filed_line(scene: Scene<'_>, reading: &SpotReading) -> TrayLine {
    TrayLine {
        record: reading.record,
        lines: lines(reading.values.reveal()),
        remarks: remarks(reading),
        kind: reading.kind,
        device: reading.name.clone(),
        because: Because::Filed,
        time: time(scene, reading.times),
        left: Duration::ZERO,
        left_percent: 0,
    }
}

fn because(scene: Scene<'_>, waiting: &WaitingSpot) -> Because {
    let times = waiting.reading.times;
    let before = scene.monitor.at_bed_since(scene.now);
    match (&waiting.refused, times.effective) {
        (Some((name, _)), _) => Because::Refused(name.clone()),
        (None, None) => Because::NoTime,
        (None, Some(at)) if before.is_some_and(|since| at < since) => Because::Before,
        (None, Some(_)) => Because::Unasked,
    }
}

fn time(scene: Scene<'_>, times: SpotTimes) -> SpotTime {
    let Some(at) = times.effective else {
        return SpotTime::Unknown(scene.site.time_of_day(times.received));
    };
    let local = scene.site.local(at);
    if local.at.date() != scene.today() {
        return SpotTime::Earlier(local);
    }
    let ago = Duration::try_from(scene.now.wall.duration_since(at)).unwrap_or_default();
    match times.clock {
        ClockConfidence::Live => SpotTime::Live(scene.site.time_of_day(at), ago),
        ClockConfidence::Corrected => SpotTime::Sure(scene.site.time_of_day(at), ago),
        ClockConfidence::Unknown => SpotTime::Unknown(scene.site.time_of_day(times.received)),
    }
}

/// A reading's values as people read them: a pressure is one pair.
fn lines(values: &[SpotValue]) -> Vec<SpotLine> {
    let of = |code: Mdc| values.iter().find(|one| one.code == code);
    let mut lines = Vec::new();
    if let (Some(systolic), Some(diastolic)) = (of(SYSTOLIC), of(DIASTOLIC))
        && systolic.unit == diastolic.unit
    {
        let digits = format!("{}/{}", systolic.value, diastolic.value);
        lines.push(spot_line(SpotWhat::BloodPressure, systolic, digits));
    }
    let is_paired = !lines.is_empty();
    for one in values {
        if is_paired && [SYSTOLIC, DIASTOLIC].contains(&one.code) {
            continue;
        }
        lines.push(spot_line(what(one.code), one, one.value.to_string()));
    }
    lines
}

/// What its device says of a reading, each thing once: first what speaks against the values.
fn remarks(reading: &SpotReading) -> Vec<SpotRemark> {
    const SAID: [(Status, SpotRemark); 8] = [
        (Status::IrregularPulse, SpotRemark::IrregularPulse),
        (Status::BodyMovement, SpotRemark::Moved),
        (Status::CuffTooLoose, SpotRemark::CuffLoose),
        (Status::ImproperPosition, SpotRemark::ArmHeldWrongly),
        (Status::PulseAboveRange, SpotRemark::PulseBeyond),
        (Status::PulseBelowRange, SpotRemark::PulseBeyond),
        (Status::EarlyEstimate, SpotRemark::Estimate),
        (Status::DeviceAlert, SpotRemark::DeviceAlert),
    ];
    let values = reading.values.reveal();
    let said = |status: &Status| values.iter().any(|value| value.status.contains(status));
    let mut remarks: Vec<SpotRemark> =
        SAID.iter().filter(|(status, _)| said(status)).map(|(_, remark)| *remark).collect();
    remarks.dedup();
    let is_weak = |status: &Status| status.is_weak_signal() && *status != Status::BodyMovement;
    if values.iter().flat_map(|value| &value.status).any(is_weak) {
        remarks.push(SpotRemark::WeakSignal);
    }
    let context = reading.context.reveal();
    remarks.extend(said(&Status::AlternateSite).then_some(SpotRemark::AlternateSite));
    remarks.extend(context.meal.map(SpotRemark::Meal));
    remarks.extend(context.user.map(SpotRemark::User));
    remarks
}

fn spot_line(what: SpotWhat, value: &SpotValue, digits: String) -> SpotLine {
    let family: Option<Family> = Parameter::of(value.code).map(|one| one.row().family);
    SpotLine { what, family, digits: Phi::new(digits), unit: value.unit.symbol() }
}

fn what(code: Mdc) -> SpotWhat {
    match code {
        SYSTOLIC | DIASTOLIC => SpotWhat::BloodPressure,
        MEAN_PRESSURE => SpotWhat::MeanPressure,
        PULSE_RATE_CUFF | PULSE_RATE_OXIMETER => SpotWhat::Pulse,
        SPO2 => SpotWhat::Saturation,
        BODY_WEIGHT => SpotWhat::Weight,
        BODY_HEIGHT => SpotWhat::Height,
        BODY_MASS_INDEX => SpotWhat::MassIndex,
        BODY_FAT => SpotWhat::BodyFat,
        code if code.is_glucose() => SpotWhat::Glucose,
        code => match Parameter::of(code) {
            Some(Parameter::Temperature) => SpotWhat::Temperature,
            Some(_) | None => SpotWhat::Other,
        },
    }
}
