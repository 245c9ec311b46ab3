//! Steps of enrolling a factor: shown, listened to, forgotten. The PIN steps are on the PIN pad.
//!
//! S-10: the one-time code and a card's subject are in a property only while their own step is shown.

use std::rc::Rc;

use slint::{ComponentHandle, ModelRc, SharedString, VecModel};

use crate::bridge::lines;
use crate::bridge::vocabulary::{self, access};
use crate::bridge::window::Inner;
use wardkeep_core::kiosk::intent::Intent;
use wardkeep_core::kiosk::view::access::Enrolment;
use wardkeep_ui::{self as ui, AppWindow};

/// Digits of a one-time code that stand together.
const GROUP: usize = 4;

/// Fingers to choose from.
#[derive(Default)]
pub struct Models {
    /// Suggested ones first.
    pub fingers: Rc<VecModel<ui::FingerName>>,
}

impl Models {
    /// Gives the screen its rows.
    pub fn hand_to(&self, window: &AppWindow) {
        window.global::<ui::Enrolment>().set_fingers(ModelRc::from(Rc::clone(&self.fingers)));
    }
}

/// Shows a step.
pub fn show(inner: &Inner, window: &AppWindow, step: &Enrolment) {
    let global = window.global::<ui::Enrolment>();
    forget_code(inner, window, step);
    global.set_step(access::step(step));
    match step {
        Enrolment::Badge { reader, again } => {
            global.set_reader(vocabulary::health(*reader));
            global.set_again(*again);
        }
        Enrolment::Card { reader } | Enrolment::SecondPerson { badge_reader: reader } => {
            global.set_reader(vocabulary::health(*reader));
        }
        Enrolment::Code(code) => global.set_code(grouped(code.expose())),
        Enrolment::FingerChoice { fingers } => {
            let names = fingers.iter().map(|finger| access::finger(*finger));
            lines::sync(&inner.models.enrolment.fingers, names.collect());
        }
        Enrolment::Finger { finger, done, total, advice } => {
            global.set_finger(access::finger(*finger));
            global.set_stages_done(i32::from(*done));
            global.set_stages(i32::from(*total));
            global.set_hint(advice.map_or(ui::FingerHint::None, access::advice));
        }
        Enrolment::Done { kind, another_finger } => {
            global.set_kind(access::factor(*kind));
            global.set_another_finger(*another_finger);
        }
        Enrolment::Pin { .. }
        | Enrolment::CardPin { .. }
        | Enrolment::SecondPin(_)
        | Enrolment::Working => {}
    }
}

/// Forgets the step and everything it showed.
pub fn leave(inner: &Inner, window: &AppWindow) {
    let global = window.global::<ui::Enrolment>();
    global.set_step(ui::EnrolStep::None);
    global.set_code(SharedString::default());
    lines::sync(&inner.models.enrolment.fingers, Vec::new());
}

/// Connects the screen.
pub fn connect(inner: &Rc<Inner>, window: &AppWindow) {
    let global = window.global::<ui::Enrolment>();
    let here = Rc::clone(inner);
    global.on_choose_finger(move |finger| {
        here.send(Intent::ChooseFinger(access::chosen_finger(finger)));
    });
    let here = Rc::clone(inner);
    global.on_enrol(move |kind| {
        if let Some(kind) = access::chosen_factor(kind) {
            here.send(Intent::Enrol(kind));
        }
    });
    let here = Rc::clone(inner);
    global.on_finished(move || here.send(Intent::EnrolmentDone));
    let here = Rc::clone(inner);
    window.global::<ui::Pin>().on_issue_code(move || here.send(Intent::IssueCode));
}

fn forget_code(inner: &Inner, window: &AppWindow, step: &Enrolment) {
    if !matches!(step, Enrolment::Code(_)) {
        window.global::<ui::Enrolment>().set_code(SharedString::default());
    }
    if !matches!(step, Enrolment::FingerChoice { .. }) {
        lines::sync(&inner.models.enrolment.fingers, Vec::new());
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
