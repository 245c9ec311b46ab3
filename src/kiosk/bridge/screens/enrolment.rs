//! Steps of enrolling a factor: shown, listened to, forgotten. The PIN steps are on the PIN pad.
//!
//! S-10: the one-time code and a card's subject are in a property only while their own step is shown.

use std::rc::Rc;

use slint::{ComponentHandle, ModelRc, SharedString, VecModel};

use wardkeep_core::kiosk::enrolling;
use wardkeep_core::kiosk::pages::people;
use wardkeep_core::kiosk::view::access as view;
use wardkeep_ui::{self as ui, AppWindow};

use crate::bridge::lines;
use crate::bridge::port::Port;
use crate::bridge::vocabulary::{self, access};

/// Digits of a one-time code that stand together.
const GROUP: usize = 4;

/// Rows of the enrolment.
#[derive(Default)]
pub(super) struct Enrolment {
    /// Fingers to choose from, suggested ones first.
    fingers: Rc<VecModel<ui::FingerName>>,
}

impl Enrolment {
    /// Connects the screen.
    pub(super) fn connect(port: &Rc<Port>, window: &AppWindow) -> Self {
        let (global, rows) = (window.global::<ui::Enrolment>(), Self::default());
        global.set_fingers(ModelRc::from(Rc::clone(&rows.fingers)));
        let here = Rc::clone(port);
        global.on_choose_finger(move |finger| {
            here.send(enrolling::Intent::ChooseFinger(access::chosen_finger(finger)));
        });
        let here = Rc::clone(port);
        global.on_enrol(move |kind| {
            if let Some(kind) = access::chosen_factor(kind) {
                here.send(people::Intent::Enrol(kind));
            }
        });
        let here = Rc::clone(port);
        global.on_finished(move || here.send(enrolling::Intent::Done));
        rows
    }

    /// Shows a step.
    pub(super) fn show(&self, window: &AppWindow, step: &view::Enrolment) {
        let global = window.global::<ui::Enrolment>();
        self.forget_code(window, step);
        global.set_step(access::step(step));
        match step {
            view::Enrolment::Badge { reader, again } => {
                global.set_reader(vocabulary::health(*reader));
                global.set_again(*again);
            }
            view::Enrolment::Card { reader }
            | view::Enrolment::SecondPerson { badge_reader: reader } => {
                global.set_reader(vocabulary::health(*reader));
            }
            view::Enrolment::Code(code) => global.set_code(grouped(code.expose())),
            view::Enrolment::FingerChoice { fingers } => {
                let names = fingers.iter().map(|finger| access::finger(*finger));
                lines::sync(&self.fingers, names.collect());
            }
            view::Enrolment::Finger { finger, done, total, advice } => {
                global.set_finger(access::finger(*finger));
                global.set_stages_done(i32::from(*done));
                global.set_stages(i32::from(*total));
                global.set_hint(advice.map_or(ui::FingerHint::None, access::advice));
            }
            view::Enrolment::Done { kind, another_finger } => {
                global.set_kind(access::factor(*kind));
                global.set_another_finger(*another_finger);
            }
            view::Enrolment::Pin { .. }
            | view::Enrolment::CardPin { .. }
            | view::Enrolment::SecondPin(_)
            | view::Enrolment::Working => {}
        }
    }

    /// Forgets the step and everything it showed.
    pub(super) fn leave(&self, window: &AppWindow) {
        let global = window.global::<ui::Enrolment>();
        global.set_step(ui::EnrolStep::None);
        global.set_code(SharedString::default());
        lines::sync(&self.fingers, Vec::new());
    }

    fn forget_code(&self, window: &AppWindow, step: &view::Enrolment) {
        if !matches!(step, view::Enrolment::Code(_)) {
            window.global::<ui::Enrolment>().set_code(SharedString::default());
        }
        if !matches!(step, view::Enrolment::FingerChoice { .. }) {
            lines::sync(&self.fingers, Vec::new());
        }
    }
}

/// `12345678` as `1234 5678`.
fn grouped(code: &str) -> SharedString {
    let mut text = SharedString::default();
    for (place, digit) in code.chars().enumerate() {
        if place > 0 && place.is_multiple_of(GROUP) {
            text.push_str(" ");
        }
        text.push_str(digit.encode_utf8(&mut [0; 4]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_in_groups_of_four() {
        for (code, shown) in [
            ("", ""),
            ("123", "123"),
            ("1234", "1234"),
            ("12345678", "1234 5678"),
            ("123456789", "1234 5678 9"),
        ] {
            assert_eq!(grouped(code), shown);
        }
    }
}
