//! What was typed and not saved: it waits for the person who typed it, and for nobody else.

use kit::kiosk::register::ADA;
use kit::kiosk::{Bedside, PIN};
use wardkeep_core::kiosk::frame;
use wardkeep_core::kiosk::page::Page;
use wardkeep_core::kiosk::pages::patients;
use wardkeep_core::kiosk::view::Screen;
use wardkeep_model::access::Role;
use wardkeep_model::confidential::Phi;
use wardkeep_model::encounter::{PatientForm, SubjectId};
use wardkeep_model::keeping::{AuditAct, NotAdded, Outcome, StoreFault};
use wardkeep_model::notice::Notice;

fn typed(family: &str) -> PatientForm {
    PatientForm { family: Phi::new(family.into()), ..PatientForm::default() }
}

#[test]
fn s1_a_draft_waits_for_its_writer_and_is_never_shown_to_another() {
    let mut bedside = Bedside::monitoring();
    bedside.intent(frame::Intent::Open(Page::Patients));
    bedside.intent(patients::Intent::Draft(typed("Ay")));
    bedside.intent(patients::Intent::Draft(typed("Aydin")));
    // Bea takes over.
    bedside.tap(2);
    bedside.type_pin(PIN);
    assert_eq!(bedside.store.drafts.len(), 1);
    assert_eq!(bedside.store.drafts[0].operator, ADA);
    assert!(matches!(bedside.view().screen, Screen::Bedside(_)), "nothing of hers is under way");
    bedside.intent(frame::Intent::Open(Page::Patients));
    assert_eq!(bedside.shown_form(), None);
    bedside.intent(frame::Intent::Lock);
    assert_eq!(bedside.store.drafts.len(), 1, "Bea typed nothing");
    // Ada comes back and finds the form, although a patient is at this bed.
    bedside.unlock();
    assert_eq!(bedside.shown_form(), Some(typed("Aydin")));
    bedside.intent(frame::Intent::Lock);
    bedside.unlock();
    assert_eq!(bedside.shown_form(), Some(typed("Aydin")), "still not saved");
}

#[test]
fn s1_a_draft_leaves_the_core_with_the_session() {
    let mut bedside = Bedside::unlocked();
    bedside.intent(patients::Intent::Draft(typed("Aydin")));
    bedside.intent(frame::Intent::Lock);
    bedside.store.role = Role::It;
    bedside.tap(2);
    bedside.type_pin(PIN);
    bedside.intent(frame::Intent::Lock);
    assert_eq!(bedside.store.drafts.len(), 1, "it was given up once, at its writer's lock");
}

#[test]
fn a_draft_ends_when_the_form_is_cancelled_or_saved() {
    for save in [true, false] {
        let mut bedside = Bedside::unlocked();
        bedside.intent(patients::Intent::Draft(typed("Aydin")));
        bedside.intent(frame::Intent::Lock);
        bedside.unlock();
        assert_eq!(bedside.shown_form(), Some(typed("Aydin")));
        if save {
            let given = Phi::new("Cem".into());
            bedside.intent(patients::Intent::Add(PatientForm { given, ..typed("Aydin") }));
        } else {
            bedside.intent(frame::Intent::Cancel);
        }
        bedside.intent(frame::Intent::Open(Page::Patients));
        assert_eq!(bedside.shown_form(), None);
        bedside.intent(frame::Intent::Lock);
        assert!(bedside.store.drafts.is_empty());
    }
}

#[test]
fn a_form_left_for_another_page_is_there_again() {
    let mut bedside = Bedside::unlocked();
    bedside.intent(patients::Intent::Draft(typed("Aydin")));
    bedside.intent(frame::Intent::Open(Page::Devices));
    bedside.intent(frame::Intent::Open(Page::Patients));
    assert_eq!(bedside.shown_form(), Some(typed("Aydin")));
    bedside.intent(patients::Intent::Draft(PatientForm::default()));
    bedside.intent(frame::Intent::Lock);
    assert!(bedside.store.drafts.is_empty(), "an emptied form is none");
}

#[test]
fn nobody_drafts_on_a_locked_screen() {
    let mut bedside = Bedside::locked();
    bedside.intent(patients::Intent::Draft(typed("Aydin")));
    bedside.unlock();
    assert_eq!(bedside.shown_form(), None);
}

fn whole(family: &str, mrn: &str) -> PatientForm {
    PatientForm { given: Phi::new("Cem".into()), mrn: Phi::new(mrn.into()), ..typed(family) }
}

/// How often this was written, by whom.
fn created(bedside: &Bedside) -> Vec<Option<wardkeep_model::access::OperatorId>> {
    let entries = bedside.store.audit.iter();
    entries
        .filter(|entry| entry.act == AuditAct::PatientCreated)
        .map(|entry| entry.operator)
        .collect()
}

#[test]
fn one_act_has_one_result_whatever_happens_at_the_same_moment() {
    type Meanwhile = fn(&mut Bedside);
    let meanwhile: [(&str, Meanwhile); 4] = [
        ("nothing", |_| {}),
        ("a lock", |bedside| bedside.intent(frame::Intent::Lock)),
        ("a second press", |bedside| {
            bedside.intent(patients::Intent::Add(whole("Aydin", "77")));
        }),
        ("another person", |bedside| {
            bedside.tap(2);
            bedside.type_pin(PIN);
        }),
    ];
    for (what, happens) in meanwhile {
        let mut bedside = Bedside::unlocked();
        bedside.intent(patients::Intent::Draft(whole("Aydin", "77")));
        bedside.prompt_store = false;
        bedside.intent(patients::Intent::Add(whole("Aydin", "77")));
        happens(&mut bedside);
        bedside.prompt_store = true;
        bedside.deliver();
        assert_eq!(bedside.store.patients.len(), 1, "{what}");
        assert_eq!(created(&bedside), [Some(ADA)], "{what}: whose act it was");
        bedside.intent(frame::Intent::Lock);
        assert!(bedside.store.drafts.is_empty(), "{what}: saved, and no draft");
    }
}

#[test]
fn what_was_not_saved_is_a_draft_and_is_said_so() {
    let mut bedside = Bedside::unlocked();
    bedside.intent(patients::Intent::Draft(whole("Aydin", "77")));
    bedside.prompt_store = false;
    bedside.intent(patients::Intent::Add(whole("Aydin", "77")));
    bedside.answers.clear();
    bedside.prompt_store = true;
    let fault = NotAdded::Fault(StoreFault::Io);
    bedside.told(Outcome::PatientNotAdded(SubjectId(0), fault));
    assert_eq!(bedside.notice(), Some(Notice::PatientNotSaved));
    bedside.store.patients.clear();
    bedside.intent(frame::Intent::Lock);
    assert_eq!(bedside.store.drafts.len(), 1);
    bedside.unlock();
    assert_eq!(bedside.shown_form(), Some(whole("Aydin", "77")));
}

#[test]
fn a_number_is_one_patient_s_and_a_likeness_is_said_once() {
    let mut bedside = Bedside::unlocked();
    bedside.intent(patients::Intent::Add(whole("Aydin", "MRN 77")));
    bedside.intent(frame::Intent::Open(Page::Patients));
    bedside.intent(patients::Intent::Add(whole("Berg", " mrn  77 ")));
    assert_eq!(bedside.notice(), Some(Notice::PatientNumberTaken));
    assert_eq!(bedside.store.patients.len(), 1);
    bedside.intent(patients::Intent::Add(whole("AYDIN", "78")));
    assert_eq!(bedside.notice(), Some(Notice::PatientLooksKnown));
    assert_eq!(bedside.store.patients.len(), 1);
    bedside.intent(patients::Intent::Add(whole("AYDIN", "78")));
    assert_eq!(bedside.store.patients.len(), 2, "somebody else, by their word");
}
