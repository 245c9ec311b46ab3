//! The PIN pad. Its digits are in [`PinPad`] and nowhere else; the screen is told how many there are.
//!
//! S-10: the pad is wiped whenever it leaves the screen.

use std::cell::RefCell;
use std::rc::Rc;

use slint::{ComponentHandle, SharedString};

use wardkeep_core::kiosk::view::access::Enrolment;
use wardkeep_core::kiosk::view::{FirstStart, PinPrompt, Screen};
use wardkeep_core::kiosk::{enrolling, login};
use wardkeep_core::session::FingerPrompt;
use wardkeep_model::access::factor::TokenKind;
use wardkeep_model::notice::Notice;
use wardkeep_ui::{self as ui, AppWindow};

use crate::bridge::pin_pad::PinPad;
use crate::bridge::port::Port;
use crate::bridge::screens::Adapter;
use crate::bridge::words::{Words, factors, notices, pin as said};
use crate::bridge::{lines, times};

/// The PIN pad of a screen, and what its words depend on besides the prompt.
#[derive(Clone, Copy)]
struct Pad<'a> {
    prompt: PinPrompt,
    handed_over: bool,
    first_login: bool,
    subject: &'a str,
}

/// The pad that this screen has, if it has one.
fn pad_of(screen: &Screen) -> Option<Pad<'_>> {
    let plain = |prompt: &PinPrompt| Pad {
        prompt: *prompt,
        handed_over: false,
        first_login: false,
        subject: "",
    };
    if let Screen::Pin(prompt) = screen {
        return Some(Pad { first_login: true, ..plain(prompt) });
    }
    if let Screen::FirstStart(FirstStart::Pin(prompt)) = screen {
        return Some(plain(prompt));
    }
    let Screen::Enrolment(step) = screen else { return None };
    match step {
        Enrolment::SecondPin(prompt) => Some(plain(prompt)),
        Enrolment::Pin { prompt, code_offered } => {
            Some(Pad { handed_over: *code_offered, ..plain(prompt) })
        }
        Enrolment::CardPin { subject, prompt } => {
            Some(Pad { subject: subject.reveal(), ..plain(prompt) })
        }
        Enrolment::Badge { .. }
        | Enrolment::Code(_)
        | Enrolment::Card { .. }
        | Enrolment::FingerChoice { .. }
        | Enrolment::Finger { .. }
        | Enrolment::SecondPerson { .. }
        | Enrolment::Working
        | Enrolment::Done { .. } => None,
    }
}

/// The pad on the screen.
pub(super) struct Pin {
    /// Digits being typed.
    pad: Rc<RefCell<PinPad>>,
}

impl Pin {
    /// Connects the keys.
    pub(super) fn connect(port: &Rc<Port>, window: &AppWindow) -> Self {
        let global = window.global::<ui::Pin>();
        let pad = Rc::new(RefCell::new(PinPad::default()));
        let (here, digits) = (Rc::clone(port), Rc::clone(&pad));
        global.on_digit(move |digit| {
            digits.borrow_mut().push(digit);
            recount(&here, &digits.borrow());
        });
        let (here, digits) = (Rc::clone(port), Rc::clone(&pad));
        global.on_erase(move || {
            digits.borrow_mut().erase();
            recount(&here, &digits.borrow());
        });
        let (here, digits) = (Rc::clone(port), Rc::clone(&pad));
        global.on_submit(move || {
            let pin = digits.borrow_mut().submit();
            recount(&here, &digits.borrow());
            if let Some(pin) = pin {
                here.send(login::Intent::SubmitPin(pin));
            }
        });
        let here = Rc::clone(port);
        global.on_issue_code(move || here.send(enrolling::Intent::IssueCode));
        Self { pad }
    }
}

impl Adapter for Pin {
    fn show(&self, window: &AppWindow, screen: &Screen, words: &Words) -> bool {
        let Some(shown) = pad_of(screen) else { return false };
        let prompt = shown.prompt;
        let (purpose, token) = (prompt.purpose, prompt.token);
        let mut pad = self.pad.borrow_mut();
        pad.show(prompt);
        let global = window.global::<ui::Pin>();
        global.set_title(said::title(words, purpose, token, shown.first_login));
        global.set_reason(said::reason(words, purpose, token, shown.handed_over));
        global.set_act(said::act(words, purpose));
        let finger = prompt.finger.map(|finger| factors::prompt(words, finger));
        global.set_finger(finger.unwrap_or_default());
        global.set_finger_off(prompt.finger == Some(FingerPrompt::Off));
        global.set_finger_waiting(prompt.finger == Some(FingerPrompt::Waiting));
        global.set_handed_over(shown.handed_over);
        global.set_subject(shown.subject.into());
        let refusal =
            refusal(&prompt).map(|notice| notices::notice(words, notice)).unwrap_or_default();
        global.set_refusal(refusal.fact);
        global.set_refusal_advice(refusal.advice);
        let tries = prompt.tries_left.map(|left| said::tries_left(words, token, left));
        global.set_tries_left(tries.unwrap_or_default());
        global.set_wait(prompt.wait_s.map(times::countdown).unwrap_or_default());
        global.set_busy(prompt.busy);
        global.set_shakes(pad.shakes());
        count_digits(window, &pad);
        true
    }

    /// S-10: wipes the digits.
    fn leave(&self, window: &AppWindow) {
        self.pad.borrow_mut().leave();
        window.global::<ui::Pin>().set_subject(SharedString::default());
        count_digits(window, &self.pad.borrow());
    }
}

/// What the last try was refused for.
fn refusal(prompt: &PinPrompt) -> Option<Notice> {
    prompt.refused.then_some(match prompt.token {
        TokenKind::Badge => Notice::BadgeOrPinWrong,
        TokenKind::Card => Notice::CardPinWrong,
    })
}

fn recount(port: &Port, pad: &PinPad) {
    if let Some(window) = port.window() {
        count_digits(&window, pad);
    }
}

/// Tells the screen how many digits there are.
fn count_digits(window: &AppWindow, pad: &PinPad) {
    let global = window.global::<ui::Pin>();
    global.set_entered(lines::count(pad.entered()));
    global.set_complete(pad.is_complete());
}
