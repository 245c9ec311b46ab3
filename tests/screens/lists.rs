//! Long lists: what is not seen is not made, and a finger reaches the rest.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use i_slint_backend_testing::{AccessibleRole, mock_elapsed_time};
use slint::platform::{PointerEventButton, WindowEvent};
use slint::{ComponentHandle, LogicalPosition, Model, ModelRc, ModelTracker};
use wardkeep::tour::samples::{self, open, staff};
use wardkeep::tour::stops::records::meddled;
use wardkeep_core::kiosk::intent::Intent;
use wardkeep_core::kiosk::pages::patients;
use wardkeep_core::kiosk::view::access::Audit;
use wardkeep_core::kiosk::view::{PatientRow, Patients, Screen, View};
use wardkeep_model::encounter::{Sex, SubjectId};
use wardkeep_ui as ui;

use kit::screens::{Desk, LANDSCAPE, PORTRAIT};

fn patients(many: u128) -> View {
    let row = |number: u128| PatientRow {
        id: SubjectId(number),
        banner: samples::patient(&format!("Berg {number}"), "Ida", None, Sex::Female, ""),
        here: false,
    };
    let rows = (1..=many).map(row).collect();
    open(Screen::Patients(Patients { rows, ..samples::patients() }))
}

/// Five hundred rows, and which of them were asked for.
#[derive(Clone, Default)]
struct Asked(Rc<RefCell<BTreeSet<usize>>>);

impl Model for Asked {
    type Data = ui::PatientChoice;

    fn row_count(&self) -> usize {
        500
    }

    fn row_data(&self, row: usize) -> Option<ui::PatientChoice> {
        self.0.borrow_mut().insert(row);
        Some(ui::PatientChoice::default())
    }

    fn model_tracker(&self) -> &dyn ModelTracker {
        &()
    }
}

#[test]
fn only_the_rows_on_the_screen_are_made() {
    let desk = Desk::new(PORTRAIT);
    desk.show(&patients(9));
    let asked = Asked::default();
    desk.window.global::<ui::Patients>().set_rows(ModelRc::new(asked.clone()));
    desk.settle();
    drop(desk.picture());
    let rows = asked.0.borrow().len();
    assert!((5..30).contains(&rows), "{rows} of 500 rows");
}

/// The rows of a list, by what they say of themselves, and how far down they are.
fn rows(desk: &Desk) -> Vec<(String, f32)> {
    let mut rows: Vec<(String, f32)> = Vec::new();
    for row in desk.all() {
        if row.accessible_role() == Some(AccessibleRole::ListItem) {
            let told = row.accessible_label().unwrap_or_default();
            let told = format!("{told} {}", row.accessible_value().unwrap_or_default());
            rows.push((told, row.absolute_position().y));
        }
    }
    // The query lists an element once for each of its bases.
    rows.dedup();
    rows
}

/// A finger that moves up (or down, below zero) by this much, and rests before it leaves.
fn drag(desk: &Desk, from: f32, up: f32) {
    const STEPS: u16 = 20;
    let (window, button) = (desk.window.window(), PointerEventButton::Left);
    let place =
        |step: u16| LogicalPosition::new(200.0, from - up * f32::from(step) / f32::from(STEPS));
    window.dispatch_event(WindowEvent::PointerMoved { position: place(0) });
    window.dispatch_event(WindowEvent::PointerPressed { position: place(0), button });
    for step in 1..=STEPS {
        let before = rows(desk);
        mock_elapsed_time(Duration::from_millis(16));
        window.dispatch_event(WindowEvent::PointerMoved { position: place(step) });
        drop(desk.picture());
        let after = rows(desk);
        let went =
            |(told, y): &(String, f32)| Some(after.iter().find(|(other, _)| other == told)?.1 - y);
        // The first steps are not yet a movement; at an end of the list there is none.
        let wanted = -up / f32::from(STEPS);
        for went in before.iter().filter_map(went).filter(|_| step > 3) {
            assert!(went == 0.0 || (went - wanted).abs() < 0.5, "step {step}: {went} px");
        }
    }
    mock_elapsed_time(Duration::from_millis(500));
    window.dispatch_event(WindowEvent::PointerReleased { position: place(STEPS), button });
    desk.settle();
}

#[test]
fn a_finger_reaches_the_end_of_a_long_list_and_chooses_there() {
    let mut desk = Desk::new(LANDSCAPE);
    desk.show(&patients(40));
    assert!(desk.labelled("Choose BERG 40, Ida").is_empty());
    for _ in 0..12 {
        drag(&desk, 760.0, 400.0);
    }
    desk.tap("Choose BERG 40, Ida");
    assert_eq!(desk.sent(), [Intent::Patients(patients::Intent::Choose(SubjectId(40)))]);
    // What is added below does not move what is seen.
    let before = rows(&desk);
    desk.show(&patients(45));
    assert_eq!(rows(&desk)[..before.len()], before);
    drag(&desk, 760.0, 200.0);
    assert_eq!(desk.labelled("Choose BERG 42, Ida").len(), 1);
}

/// Lines of the log are of different heights: they must follow the finger all the same, both ways.
#[test]
fn lines_of_different_heights_follow_the_finger() {
    let desk = Desk::new(LANDSCAPE);
    let some = [staff::audit().rows, meddled().rows].concat();
    let mut rows: Vec<_> = some.iter().cloned().cycle().take(60).collect();
    for (number, line) in rows.iter_mut().enumerate() {
        line.day = format!("line {number}");
    }
    desk.show(&staff::open_it(Screen::Audit(Audit { rows: rows.into(), ..meddled() })));
    for _ in 0..5 {
        drag(&desk, 760.0, 400.0);
    }
    assert!(!desk.spoken().contains("line 0 ") && desk.spoken().contains("line 30 "));
    for _ in 0..6 {
        drag(&desk, 300.0, -400.0);
    }
    assert!(desk.spoken().contains("line 0 "));
}
