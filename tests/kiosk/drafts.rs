//! What was typed and not saved: it waits for the person who typed it, and for nobody else.

use kit::kiosk::register::ADA;
use kit::kiosk::{Bedside, PIN};
use wardkeep_core::kiosk::frame;
use wardkeep_core::kiosk::page::Page;
use wardkeep_core::kiosk::pages::patients;
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
