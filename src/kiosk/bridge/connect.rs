//! Where the screen's callbacks become intents: one function for each screen. The screens about staff
//! and the emergency view connect themselves, beside what shows them.

use std::rc::Rc;
use std::str::FromStr;

use slint::platform::{Key, WindowEvent};
use slint::{ComponentHandle, SharedString};

use crate::bridge::window::Inner;
use crate::bridge::{emergency, enrolment, oversight, people, records, vocabulary};
use wardkeep_core::config::Language;
use wardkeep_core::kiosk::intent::Intent;
use wardkeep_model::confidential::Phi;
use wardkeep_model::encounter::SubjectId;
use wardkeep_model::vitals::DeviceId;
use wardkeep_ui::{self as ui, AppWindow};

/// Connects every screen.
pub fn all(inner: &Rc<Inner>, window: &AppWindow) {
    frame(inner, window);
    pin(inner, window);
    first_start(inner, window);
    devices(inner, window);
    patients(inner, window);
    emergency::connect(inner, window);
    people::connect(inner, window);
    enrolment::connect(inner, window);
    oversight::connect(inner, window);
    records::connect(inner, window);
    keyboard(inner, window);
    lane(inner, window);
}

fn frame(inner: &Rc<Inner>, window: &AppWindow) {
    let frame = window.global::<ui::Frame>();
    let send = |intent: Intent| {
        let inner = Rc::clone(inner);
        move || inner.send(intent.clone())
    };
    frame.on_lock(send(Intent::Lock));
    frame.on_acknowledge(send(Intent::AcknowledgeAlarms));
    frame.on_pause_sound(send(Intent::PauseAudio));
    frame.on_dismiss_notice(send(Intent::DismissNotice));
    frame.on_cancel(send(Intent::Cancel));
    let here = Rc::clone(inner);
    frame.on_activity(move || here.activity());
    let here = Rc::clone(inner);
    frame.on_open_page(move |page| here.send(Intent::Open(vocabulary::page(page))));
    let here = Rc::clone(inner);
    frame.on_speak_german(move |german| {
        here.send(Intent::SetLanguage(if german { Language::German } else { Language::English }));
    });
}

fn pin(inner: &Rc<Inner>, window: &AppWindow) {
    let global = window.global::<ui::Pin>();
    let here = Rc::clone(inner);
    global.on_digit(move |digit| {
        here.pad.borrow_mut().push(digit);
        recount(&here);
    });
    let here = Rc::clone(inner);
    global.on_erase(move || {
        here.pad.borrow_mut().erase();
        recount(&here);
    });
    let here = Rc::clone(inner);
    global.on_submit(move || {
        let pin = here.pad.borrow_mut().submit();
        recount(&here);
        if let Some(pin) = pin {
            here.send(Intent::SubmitPin(pin));
        }
    });
}

fn recount(inner: &Inner) {
    if let Some(window) = inner.window.upgrade() {
        inner.count_digits(&window);
    }
}

fn first_start(inner: &Rc<Inner>, window: &AppWindow) {
    let global = window.global::<ui::FirstStart>();
    let here = Rc::clone(inner);
    global.on_begin(move || here.send(Intent::BeginSetup));
    let here = Rc::clone(inner);
    global.on_written(move || here.send(Intent::RecoveryWritten));
    let here = Rc::clone(inner);
    global.on_name_admin(move |name, initials| {
        let (name, initials) = (name.trim(), initials.trim());
        here.send(Intent::NameAdmin {
            name: Phi::new(name.to_owned()),
            initials: initials.to_uppercase(),
        });
    });
    global.on_acceptable(|name, initials| people::acceptable(&name, &initials));
    global.on_initials_of(|name| people::initials_of(&name));
}

fn devices(inner: &Rc<Inner>, window: &AppWindow) {
    let global = window.global::<ui::Devices>();
    let to = |intent: fn(DeviceId) -> Intent| {
        let inner = Rc::clone(inner);
        move |id: SharedString| match DeviceId::from_str(&id) {
            Ok(device) => inner.send(intent(device)),
            Err(error) => tracing::error!(%error, "a device row without an address"),
        }
    };
    global.on_link(to(Intent::Connect));
    global.on_assign(to(Intent::Assign));
    global.on_release(to(Intent::Release));
}

fn patients(inner: &Rc<Inner>, window: &AppWindow) {
    let global = window.global::<ui::Patients>();
    let here = Rc::clone(inner);
    global.on_choose(move |id| match u128::from_str_radix(&id, 16) {
        Ok(id) => here.send(Intent::ChoosePatient(SubjectId(id))),
        Err(error) => tracing::error!(%error, "a patient row without an identity"),
    });
    let here = Rc::clone(inner);
    global.on_searched(move || {
        if let Some(window) = here.window.upgrade() {
            here.list_patients(&window);
        }
    });
    let here = Rc::clone(inner);
    global.on_leave_form(move || {
        if let Some(window) = here.window.upgrade() {
            here.empty_form(&window);
        }
        here.send(Intent::Cancel);
    });
    let here = Rc::clone(inner);
    global.on_drafted(move || {
        if let Some(window) = here.window.upgrade() {
            here.send(Intent::DraftPatient(here.patient_form(&window)));
        }
    });
    let here = Rc::clone(inner);
    global.on_save(move || {
        if let Some(window) = here.window.upgrade() {
            here.send(Intent::AddPatient(here.patient_form(&window)));
        }
    });
}

/// The touch keyboard types into whatever field has the focus, as a keyboard would.
fn keyboard(inner: &Rc<Inner>, window: &AppWindow) {
    let global = window.global::<ui::Keyboard>();
    let here = Rc::clone(inner);
    let strike = move |text: SharedString| {
        let Some(window) = here.window.upgrade() else { return };
        for event in
            [WindowEvent::KeyPressed { text: text.clone() }, WindowEvent::KeyReleased { text }]
        {
            if let Err(error) = window.window().dispatch_event_with_result(event) {
                tracing::error!(%error, "a key was not taken");
            }
        }
    };
    let erase = strike.clone();
    global.on_erase(move || erase(Key::Backspace.into()));
    global.on_strike(strike);
}

fn lane(inner: &Rc<Inner>, window: &AppWindow) {
    let lane = Rc::downgrade(&inner.lane);
    window.global::<ui::Wave>().on_resized(move |width, height| {
        if let Some(lane) = lane.upgrade() {
            lane.resize(pixels(width), u32::try_from(pixels(height)).unwrap_or(0));
        }
    });
}

#[expect(clippy::cast_possible_truncation, reason = "a length on a screen, never negative")]
fn pixels(length: f32) -> usize {
    length.max(0.0) as usize
}
