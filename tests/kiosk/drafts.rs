//! What was typed and not saved: it waits for the person who typed it, and for nobody else.

use kit::kiosk::register::ADA;
use kit::kiosk::{Bedside, PIN};
use wardkeep_core::kiosk::intent::Intent;
use wardkeep_core::kiosk::page::Page;
use wardkeep_core::kiosk::view::Screen;
use wardkeep_model::access::Role;
use wardkeep_model::confidential::Phi;
use wardkeep_model::encounter::PatientForm;

fn typed(family: &str) -> PatientForm {
    PatientForm { family: Phi::new(family.into()), ..PatientForm::default() }
}

#[test]
fn s1_a_draft_waits_for_its_writer_and_is_never_shown_to_another() {
    let mut bedside = Bedside::monitoring();
    bedside.intent(Intent::Open(Page::Patients));
    bedside.intent(Intent::DraftPatient(typed("Ay")));
    bedside.intent(Intent::DraftPatient(typed("Aydin")));
    // Bea takes over.
    bedside.tap(2);
    bedside.type_pin(PIN);
    assert_eq!(bedside.store.drafts.len(), 1);
    assert_eq!(bedside.store.drafts[0].operator, ADA);
    assert!(matches!(bedside.view().screen, Screen::Bedside(_)), "nothing of hers is under way");
    bedside.intent(Intent::Open(Page::Patients));
    assert_eq!(bedside.shown_form(), None);
    bedside.intent(Intent::Lock);
    assert_eq!(bedside.store.drafts.len(), 1, "Bea typed nothing");
    // Ada comes back and finds the form, although a patient is at this bed.
    bedside.unlock();
    assert_eq!(bedside.shown_form(), Some(typed("Aydin")));
    bedside.intent(Intent::Lock);
    bedside.unlock();
    assert_eq!(bedside.shown_form(), Some(typed("Aydin")), "still not saved");
}

#[test]
fn s1_a_draft_leaves_the_core_with_the_session() {
    let mut bedside = Bedside::unlocked();
    bedside.intent(Intent::DraftPatient(typed("Aydin")));
    bedside.intent(Intent::Lock);
    bedside.store.role = Role::It;
    bedside.tap(2);
    bedside.type_pin(PIN);
    bedside.intent(Intent::Lock);
    assert_eq!(bedside.store.drafts.len(), 1, "it was given up once, at its writer's lock");
}

#[test]
fn a_draft_ends_when_the_form_is_cancelled_or_saved() {
    for save in [true, false] {
        let mut bedside = Bedside::unlocked();
        bedside.intent(Intent::DraftPatient(typed("Aydin")));
        bedside.intent(Intent::Lock);
        bedside.unlock();
        assert_eq!(bedside.shown_form(), Some(typed("Aydin")));
        if save {
            let given = Phi::new("Cem".into());
            bedside.intent(Intent::AddPatient(PatientForm { given, ..typed("Aydin") }));
        } else {
            bedside.intent(Intent::Cancel);
        }
        bedside.intent(Intent::Open(Page::Patients));
        assert_eq!(bedside.shown_form(), None);
        bedside.intent(Intent::Lock);
        assert!(bedside.store.drafts.is_empty());
    }
}

#[test]
fn a_form_left_for_another_page_is_there_again() {
    let mut bedside = Bedside::unlocked();
    bedside.intent(Intent::DraftPatient(typed("Aydin")));
    bedside.intent(Intent::Open(Page::Devices));
    bedside.intent(Intent::Open(Page::Patients));
    assert_eq!(bedside.shown_form(), Some(typed("Aydin")));
    bedside.intent(Intent::DraftPatient(PatientForm::default()));
    bedside.intent(Intent::Lock);
    assert!(bedside.store.drafts.is_empty(), "an emptied form is none");
}

#[test]
fn nobody_drafts_on_a_locked_screen() {
    let mut bedside = Bedside::locked();
    bedside.intent(Intent::DraftPatient(typed("Aydin")));
    bedside.unlock();
    assert_eq!(bedside.shown_form(), None);
}
