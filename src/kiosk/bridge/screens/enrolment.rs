//! Steps of enrolling a factor: shown, listened to, forgotten. The PIN steps are on the PIN pad.
//!
//! S-10: the one-time code and a card's subject are in a property only while their own step is shown.

use std::rc::Rc;

use slint::{ComponentHandle, ModelRc, SharedString, VecModel};

use wardkeep_core::kiosk::enrolling;
use wardkeep_core::kiosk::pages::people;
use wardkeep_core::kiosk::view::Screen;
use wardkeep_core::kiosk::view::access as view;
use wardkeep_core::session::enrolment::EnrolKind;
use wardkeep_model::access::factor::Finger;
use wardkeep_ui::{self as ui, AppWindow};

use crate::bridge::lines;
use crate::bridge::port::Port;
use crate::bridge::screens::Adapter;
use crate::bridge::words::{Words, factors, readers};

/// Digits of a one-time code that stand together.
const GROUP: usize = 4;

/// Rows of the enrolment.
#[derive(Default)]
pub(super) struct Enrolment {
    /// Fingers to choose from, suggested ones first.
    fingers: Rc<VecModel<ui::FingerLine>>,
    /// What else can be enrolled.
    offers: Rc<VecModel<ui::OfferLine>>,
}

impl Enrolment {
    /// Connects the screen.
    pub(super) fn connect(port: &Rc<Port>, window: &AppWindow) -> Self {
        let (global, rows) = (window.global::<ui::Enrolment>(), Self::default());
        global.set_fingers(ModelRc::from(Rc::clone(&rows.fingers)));
        global.set_offers(ModelRc::from(Rc::clone(&rows.offers)));
        let here = Rc::clone(port);
        global.on_choose_finger(move |place| {
            if let Some(finger) = lines::at(&Finger::ALL, place) {
                here.send(enrolling::Intent::ChooseFinger(finger));
            }
        });
        let here = Rc::clone(port);
        global.on_enrol(move |factor| {
            if let Some(kind) = chosen_factor(factor) {
                here.send(people::Intent::Enrol(kind));
            }
        });
        let here = Rc::clone(port);
        global.on_finished(move || here.send(enrolling::Intent::Done));
        rows
    }

    fn show_done(&self, window: &AppWindow, kind: EnrolKind, another_finger: bool, words: &Words) {
        let global = window.global::<ui::Enrolment>();
        let told = factors::enrolled(words, kind, another_finger);
        global.set_enrolled(told.fact);
        global.set_enrolled_advice(told.advice);
        global.set_another_finger(another_finger);
        lines::sync(&self.offers, offers(kind, words));
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

impl Adapter for Enrolment {
    fn show(&self, window: &AppWindow, screen: &Screen, words: &Words) -> bool {
        let Screen::Enrolment(step) = screen else { return false };
        let global = window.global::<ui::Enrolment>();
        let set_reader = |reader| global.set_trouble(readers::trouble(words, reader));
        self.forget_code(window, step);
        let shown = match step {
            view::Enrolment::Badge { reader, again } => {
                set_reader(*reader);
                global.set_again(*again);
                ui::EnrolStep::Badge
            }
            view::Enrolment::Card { reader } => {
                set_reader(*reader);
                ui::EnrolStep::Card
            }
            view::Enrolment::SecondPerson { badge_reader } => {
                set_reader(*badge_reader);
                ui::EnrolStep::Second
            }
            view::Enrolment::Code(code) => {
                global.set_code(grouped(code.expose()));
                ui::EnrolStep::Code
            }
            view::Enrolment::FingerChoice { fingers } => {
                let icons = window.global::<ui::Icons>();
                let fingers = fingers.iter().map(|finger| line(*finger, words, &icons));
                lines::sync(&self.fingers, fingers.collect());
                ui::EnrolStep::FingerChoice
            }
            view::Enrolment::Finger { finger, done, total, advice } => {
                global.set_finger(factors::finger(words, *finger));
                global.set_stages_done(i32::from(*done));
                global.set_stages(i32::from(*total));
                global.set_next(factors::next(words, (*done, *total), *advice));
                ui::EnrolStep::Finger
            }
            view::Enrolment::Working => ui::EnrolStep::Working,
            view::Enrolment::Done { kind, another_finger } => {
                self.show_done(window, *kind, *another_finger, words);
                ui::EnrolStep::Done
            }
            // The PIN pad has a screen of its own.
            view::Enrolment::Pin { .. }
            | view::Enrolment::CardPin { .. }
            | view::Enrolment::SecondPin(_) => return false,
        };
        global.set_step(shown);
        true
    }

    /// Forgets the step and everything it showed.
    fn leave(&self, window: &AppWindow) {
        let global = window.global::<ui::Enrolment>();
        global.set_step(ui::EnrolStep::None);
        global.set_code(SharedString::default());
        lines::sync(&self.fingers, Vec::new());
    }
}

/// The kind of factor whose button was touched.
pub(super) fn chosen_factor(factor: ui::Factor) -> Option<EnrolKind> {
    match factor {
        ui::Factor::Badge => Some(EnrolKind::Badge),
        ui::Factor::Card => Some(EnrolKind::Card),
        ui::Factor::Finger => Some(EnrolKind::Finger),
        ui::Factor::Pin => Some(EnrolKind::Pin),
        ui::Factor::None => None,
    }
}

/// What can be enrolled besides a factor that just was; nothing after a PIN.
fn offers(kind: EnrolKind, words: &Words) -> Vec<ui::OfferLine> {
    let all = [
        (EnrolKind::Badge, ui::Factor::Badge),
        (EnrolKind::Card, ui::Factor::Card),
        (EnrolKind::Finger, ui::Factor::Finger),
    ];
    let others = all.into_iter().filter(|(other, _)| kind != EnrolKind::Pin && kind != *other);
    let line = |(other, factor)| Some(ui::OfferLine { factor, text: factors::too(words, other)? });
    others.filter_map(line).collect()
}

/// A finger to choose, by its place in [`Finger::ALL`]. The left hand's are at the left, each kind of
/// finger in its own row, whatever is left of them.
fn line(finger: Finger, words: &Words, icons: &ui::Icons<'_>) -> ui::FingerLine {
    let (column, row, icon) = match finger {
        Finger::LeftIndex => (0, 0, icons.get_hand_left_index()),
        Finger::RightIndex => (1, 0, icons.get_hand_right_index()),
        Finger::LeftThumb => (0, 1, icons.get_hand_left_thumb()),
        Finger::RightThumb => (1, 1, icons.get_hand_right_thumb()),
        Finger::LeftMiddle => (0, 2, icons.get_hand_left_middle()),
        Finger::RightMiddle => (1, 2, icons.get_hand_right_middle()),
    };
    let place = lines::place(&Finger::ALL, finger);
    ui::FingerLine { place, name: factors::finger(words, finger), icon, column, row }
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
