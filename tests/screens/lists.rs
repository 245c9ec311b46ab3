//! Long lists: what is not seen is not made, and a finger reaches the rest.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use i_slint_backend_testing::{AccessibleRole, ElementHandle, ElementQuery, mock_elapsed_time};
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
    let rows: Arc<[PatientRow]> = (1..=many).map(row).collect();
    open(Screen::Patients(Patients { total: rows.len(), rows, ..samples::patients() }))
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

/// The rows of a list that are seen, by what they say of themselves, and how far down they are.
fn rows(desk: &Desk) -> Vec<(String, f32)> {
    let rows = ElementQuery::from_root(&desk.window).match_descendants();
    let rows = rows.match_accessible_role(AccessibleRole::ListItem).find_all();
    let told = |row: &ElementHandle| {
        let texts = [row.accessible_label(), row.accessible_value()];
        texts.into_iter().flatten().map(|text| text.to_string() + " ").collect()
    };
    let mut rows: Vec<_> = rows.iter().map(|row| (told(row), row.absolute_position().y)).collect();
    // The query lists an element once for each of its bases.
    rows.dedup();
    rows
}

/// Steps of a finger that is drawn over the screen.
const STEPS: u16 = 8;

/// A finger that moves up (or down, below zero) by this much, and rests before it leaves. `each` is told how
/// far it has come.
fn drag(desk: &Desk, from: f32, up: f32, mut each: impl FnMut(u16)) {
    let (window, button) = (desk.window.window(), PointerEventButton::Left);
    let place =
        |step: u16| LogicalPosition::new(200.0, from - up * f32::from(step) / f32::from(STEPS));
    window.dispatch_event(WindowEvent::PointerMoved { position: place(0) });
    window.dispatch_event(WindowEvent::PointerPressed { position: place(0), button });
    for step in 1..=STEPS {
        mock_elapsed_time(Duration::from_millis(16));
        window.dispatch_event(WindowEvent::PointerMoved { position: place(step) });
        each(step);
    }
    mock_elapsed_time(Duration::from_millis(500));
    window.dispatch_event(WindowEvent::PointerReleased { position: place(STEPS), button });
    desk.settle();
}

#[test]
fn a_finger_reaches_the_end_of_a_long_list_and_chooses_there() {
    let mut desk = Desk::new(LANDSCAPE);
    desk.show(&patients(20));
    assert!(desk.labelled("Choose BERG 20, Ida").is_empty());
    for _ in 0..6 {
        drag(&desk, 760.0, 400.0, |_| drop(rows(&desk)));
    }
    desk.tap("Choose BERG 20, Ida");
    assert_eq!(desk.sent(), [Intent::Patients(patients::Intent::Choose(SubjectId(20)))]);
    // What is added below does not move what is seen.
    let before = rows(&desk);
    desk.show(&patients(25));
    assert_eq!(rows(&desk)[..before.len()], before);
    drag(&desk, 760.0, 200.0, |_| drop(rows(&desk)));
    assert_eq!(desk.labelled("Choose BERG 21, Ida").len(), 1);
}

/// Lines of the log are of different heights: they must follow the finger all the same, both ways.
#[test]
fn lines_of_different_heights_follow_the_finger() {
    let desk = Desk::new(LANDSCAPE);
    let some = [staff::audit().rows, meddled().rows].concat();
    let mut many: Vec<_> = some.iter().cloned().cycle().take(60).collect();
    for (number, line) in many.iter_mut().enumerate() {
        line.day = format!("line {number}");
    }
    desk.show(&staff::open_it(Screen::Audit(Audit { rows: many.into(), ..meddled() })));
    let (down, up) = ([(300.0, -400.0); 4], [(760.0, 400.0); 3]);
    let mut last = rows(&desk);
    let mut furthest = 0;
    for (from, way) in up.into_iter().chain(down) {
        drag(&desk, from, way, |step| {
            let now = rows(&desk);
            let wanted = -way / f32::from(STEPS);
            for (told, y) in &now {
                let Some((_, before)) = last.iter().find(|(other, _)| other == told) else {
                    continue;
                };
                let went = y - before;
                // It begins late; and at an end of the list there is no way further.
                let is_right = step < 3 || went == 0.0 || (went - wanted).abs() < 0.5;
                assert!(is_right, "{told} went {went} px in step {step}, not {wanted}");
            }
            furthest = furthest.max(number(&now[0].0));
            last = now;
        });
        last = rows(&desk);
    }
    assert!(furthest > 10, "line {furthest}");
    assert_eq!(number(&last[0].0), 0, "back at the beginning");
}

/// Of a line of the log that says `line 7`.
fn number(told: &str) -> u32 {
    let after = told.split("line ").nth(1).and_then(|rest| rest.split_whitespace().next());
    after.and_then(|number| number.parse().ok()).unwrap_or(u32::MAX)
}
