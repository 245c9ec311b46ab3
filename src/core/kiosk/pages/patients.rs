//! Choosing and adding the patient at this bed.

use wardkeep_model::access::policy::Permission;
use wardkeep_model::alarm::limits::AgeGroup;
use wardkeep_model::confidential::Phi;
use wardkeep_model::encounter::{FormError, Patient, PatientForm, SubjectId};
use wardkeep_model::keeping::{AuditAct, BedLimits, Command as StoreCommand, Draft};
use wardkeep_model::notice::Notice;

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
    /// Add a patient and put them at this bed.
    Add(PatientForm),
    /// The form was changed; kept as a draft until it is saved or cancelled.
    Draft(PatientForm),
}

pub(in crate::kiosk) fn need(intent: &Intent) -> Need {
    match intent {
        Intent::Search(_) | Intent::Choose(_) | Intent::Add(_) | Intent::Draft(_) => {
            Need::Role(Permission::Care)
        }
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
        Intent::Add(form) => add(desk, &form),
        Intent::Draft(form) => {
            let operator = desk.session.operator().map(|operator| operator.id);
            let operator = operator.filter(|_| form != PatientForm::default());
            open.drafts.typed = operator.map(|operator| Box::new(Draft { operator, form }));
            vec![]
        }
    }
}

/// Puts a patient at this bed.
fn choose(open: &mut Open, desk: &mut Desk<'_>, patient: Patient) -> Vec<Effect> {
    let mut effects = Vec::new();
    if desk.monitor.subject() != Some(patient.id) {
        // Said of the patient whose devices they were.
        let assigned = desk.monitor.devices().filter(|(_, device)| device.assignment.is_some());
        let released = |(id, _)| desk.audit(AuditAct::DeviceReleased, Some(id));
        effects.extend(assigned.map(released));
        let group = AgeGroup::of(*patient.born.reveal(), desk.site.today(desk.now));
        let limits = desk.site.config.alarms.sets.of(group).ward;
        desk.monitor.put(patient.id, BedLimits { group, limits });
        effects.push(desk.save_cart());
        effects.push(desk.audit(AuditAct::PatientChosen, None));
    }
    open.patient = Some(patient);
    open.front = Front::Bedside;
    effects
}

fn add(desk: &mut Desk<'_>, form: &PatientForm) -> Vec<Effect> {
    let id = desk.site.new_subject();
    match Patient::from_form(id, form, desk.site.today(desk.now)) {
        Ok(patient) => vec![Effect::Store(StoreCommand::AddPatient(Box::new(patient)))],
        Err(FormError::Incomplete) => {
            desk.notify(Notice::PatientIncomplete);
            vec![]
        }
        Err(FormError::BirthDate) => {
            desk.notify(Notice::BirthDateWrong);
            vec![]
        }
    }
}

/// The store has added a patient.
pub(in crate::kiosk) fn added(
    open: &mut Open,
    desk: &mut Desk<'_>,
    patient: Patient,
) -> Vec<Effect> {
    if !desk.may(Permission::Care) {
        return vec![];
    }
    desk.counts.forms += 1;
    open.drafts = Drafts::default();
    let mut effects = vec![desk.audit(AuditAct::PatientCreated, None)];
    effects.extend(choose(open, desk, patient));
    effects
}

/// The chooser's list.
#[derive(Default)]
pub(in crate::kiosk) struct List {
    /// By family name; `None` until the store has told.
    rows: Option<Vec<Patient>>,
    /// Those of them that the search leaves.
    lines: Kept<PatientRow>,
    search: Phi<String>,
}

impl List {
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
