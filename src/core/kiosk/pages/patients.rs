//! Choosing and adding the patient at this bed.

use wardkeep_model::access::policy::Permission;
use wardkeep_model::alarm::limits::AgeGroup;
use wardkeep_model::confidential::Phi;
use wardkeep_model::encounter::{FormError, Patient, PatientForm, SubjectId};
use wardkeep_model::keeping::{AuditAct, Command as StoreCommand, Draft, NotAdded};
use wardkeep_model::notice::Notice;
use wardkeep_model::untrusted;

use crate::kiosk::Effect;
use crate::kiosk::desk::{Desk, Scene};
use crate::kiosk::gate::Need;
use crate::kiosk::open::{Drafts, Open};
use crate::kiosk::pages::Front;
use crate::kiosk::pages::kept::Kept;
use crate::kiosk::pages::search;
use crate::kiosk::view::{PatientBanner, PatientRow, Patients};
use wardkeep_model::moment::ClockState;

/// What people do with patients.
#[derive(Clone, Debug, PartialEq)]
pub enum Intent {
    /// List only those whose name or number has every word of this.
    Search(Phi<String>),
    /// Put this patient at this bed.
    Choose(SubjectId),
    /// This patient, who was at this bed, has left it: nobody is.
    Discharge(SubjectId),
    /// Add a patient and put them at this bed.
    Add(PatientForm),
    /// The form was changed; kept as a draft until it is saved or cancelled.
    Draft(PatientForm),
}

pub(in crate::kiosk) fn need(intent: &Intent) -> Need {
    match intent {
        Intent::Search(_)
        | Intent::Choose(_)
        | Intent::Discharge(_)
        | Intent::Add(_)
        | Intent::Draft(_) => Need::Role(Permission::Care),
    }
}

pub(in crate::kiosk) fn handle(
    open: &mut Open,
    desk: &mut Desk<'_>,
    intent: Intent,
) -> Vec<Effect> {
    match intent {
        Intent::Search(text) => {
            if let Front::Patients(list) = &mut open.front {
                list.search = text;
                list.lines.forget();
            }
            vec![]
        }
        Intent::Choose(id) => {
            let Front::Patients(list) = &open.front else { return vec![] };
            let listed = list.rows.iter().flatten().find(|patient| patient.id == id).cloned();
            listed.map_or_else(Vec::new, |patient| choose(open, desk, patient))
        }
        Intent::Discharge(id) => discharge(open, desk, id),
        Intent::Add(form) => add(open, desk, form),
        Intent::Draft(form) => {
            open.drafts.typed = match form == PatientForm::default() {
                true => None,
                false => drafted(open, desk, form),
            };
            vec![]
        }
    }
}

/// Puts a patient at this bed.
fn choose(open: &mut Open, desk: &mut Desk<'_>, patient: Patient) -> Vec<Effect> {
    let mut effects = Vec::new();
    if desk.monitor.subject() != Some(patient.id) {
        effects.extend(released(desk));
        let group = AgeGroup::of(*patient.born.reveal(), desk.site.today(desk.now));
        desk.monitor.put(desk.now, patient.id, desk.site.config.alarms.sets.of_ward(group));
        effects.push(desk.save_cart());
        effects.push(desk.audit(AuditAct::PatientChosen, None));
    }
    open.patient = Some(patient);
    open.front = Front::Bedside;
    effects
}

/// Every device that is assigned is somebody's no more: said of the patient whose they were.
fn released(desk: &Desk<'_>) -> Vec<Effect> {
    let assigned = desk.monitor.devices().filter(|(_, device)| device.assignment.is_some());
    assigned.map(|(id, _)| desk.audit(AuditAct::DeviceReleased, Some(id))).collect()
}

/// Nobody is at this bed any more. A touch that was meant for somebody else does nothing.
fn discharge(open: &mut Open, desk: &mut Desk<'_>, id: SubjectId) -> Vec<Effect> {
    if desk.monitor.subject() != Some(id) {
        return vec![];
    }
    let mut effects = released(desk);
    effects.push(desk.audit(AuditAct::PatientDischarged, None));
    let limits = desk.site.config.alarms.sets.of_ward(AgeGroup::default());
    desk.monitor.vacate(limits);
    open.patient = None;
    desk.notify(Notice::PatientLeft);
    effects.push(desk.save_cart());
    effects
}

/// What was typed, as the draft of whoever is logged in. It goes on being about the same patient: pressed
/// twice, or saved again after a fault, it adds nobody else.
fn drafted(open: &Open, desk: &mut Desk<'_>, form: PatientForm) -> Option<Box<Draft>> {
    let operator = desk.session.operator()?.id;
    let id = open.drafts.typed.as_ref().map(|draft| draft.id);
    let id = id.unwrap_or_else(|| desk.site.new_subject());
    Some(Box::new(Draft { operator, id, form }))
}

/// Asks the store to add a patient. Until it answers the form is a draft, which outlives the session.
fn add(open: &mut Open, desk: &mut Desk<'_>, form: PatientForm) -> Vec<Effect> {
    let Some(draft) = drafted(open, desk, form) else { return vec![] };
    let patient = Patient::from_form(draft.id, &draft.form, desk.site.today(desk.now));
    let list = if let Front::Patients(list) = &mut open.front { Some(list) } else { None };
    let told = match &patient {
        Ok(patient) => {
            list.is_some_and(|list| list.looks_known(patient)).then_some(Notice::PatientLooksKnown)
        }
        Err(FormError::Incomplete) => Some(Notice::PatientIncomplete),
        Err(FormError::BirthDate) => Some(Notice::BirthDateWrong),
    };
    open.drafts.typed = Some(draft);
    match (patient, told) {
        (Ok(patient), None) => {
            vec![Effect::Store(StoreCommand::AddPatient(Box::new(patient), desk.now))]
        }
        (_, told) => {
            told.into_iter().for_each(|notice| desk.notify(notice));
            vec![]
        }
    }
}

/// The store has not added a patient: what was typed is there as it was.
pub(in crate::kiosk) fn not_added(desk: &mut Desk<'_>, why: NotAdded) {
    if desk.may(Permission::Care) {
        desk.notify(match why {
            NotAdded::NumberTaken => Notice::PatientNumberTaken,
            NotAdded::Fault(_) => Notice::PatientNotSaved,
        });
    }
}

/// The store has added a patient.
pub(in crate::kiosk) fn added(
    open: &mut Open,
    desk: &mut Desk<'_>,
    patient: Patient,
) -> Vec<Effect> {
    let is_awaited = open.drafts.typed.as_ref().is_some_and(|draft| draft.id == patient.id);
    if !desk.may(Permission::Care) || !is_awaited {
        return vec![];
    }
    desk.counts.forms += 1;
    open.drafts = Drafts::default();
    choose(open, desk, patient)
}

/// The chooser's list.
#[derive(Default)]
pub(in crate::kiosk) struct List {
    /// By family name; `None` until the store has told.
    rows: Option<Vec<Patient>>,
    /// Those of them that the search leaves.
    lines: Kept<PatientRow>,
    search: Phi<String>,
    /// Of whom it was said that they look like somebody who is here already.
    warned: Option<Patient>,
}

impl List {
    /// Somebody of this name and birth date is in the list, and it was not said of this form yet.
    fn looks_known(&mut self, patient: &Patient) -> bool {
        let called = |patient: &Patient| {
            let name = format!("{} {}", patient.family.reveal(), patient.given.reveal());
            (untrusted::comparable(&name), *patient.born.reveal())
        };
        let is_like = |other: &Patient| other.id != patient.id && called(other) == called(patient);
        let looks_known = self.rows.iter().flatten().any(is_like);
        if !looks_known || self.warned.as_ref() == Some(patient) {
            return false;
        }
        self.warned = Some(patient.clone());
        true
    }

    pub(in crate::kiosk) fn told(&mut self, patients: Vec<Patient>) {
        self.rows = Some(patients);
        self.lines.forget();
    }

    pub(in crate::kiosk) fn view(&self, scene: Scene<'_>, draft: Option<&PatientForm>) -> Patients {
        let here = scene.monitor.subject();
        let row = |patient: &Patient| PatientRow {
            id: patient.id,
            banner: banner(scene, patient),
            here: Some(patient.id) == here,
        };
        let found = |patient: &&Patient| {
            let name = format!("{} {}", patient.family.reveal(), patient.given.reveal());
            search::matches(&name, patient.mrn.reveal(), self.search.reveal())
        };
        let found = self.rows.iter().flatten().filter(found);
        Patients {
            rows: self.lines.of(scene.today(), found.map(row)),
            total: self.rows.as_ref().map_or(0, Vec::len),
            search: self.search.clone(),
            loading: self.rows.is_none(),
            saved: scene.counts.forms,
            draft: draft.cloned(),
        }
    }
}

/// Whom it is about, as on a wristband.
pub(in crate::kiosk) fn banner(scene: Scene<'_>, patient: &Patient) -> PatientBanner {
    PatientBanner {
        family: patient.family.clone(),
        given: patient.given.clone(),
        // A clock that was never set knows no age.
        age_years: ClockState::is_possible(scene.now.wall)
            .then(|| patient.age_years(scene.today()))
            .flatten()
            .map(Phi::new),
        sex: patient.sex.clone(),
        born: patient.born.reveal().map(|born| Phi::new(born.to_string())),
        mrn: patient.mrn.clone(),
    }
}
