//! Puts a view on the screen. Properties compare before they notify and rows change in place, so only
//! what differs is painted.
//!
//! S-1: [`conceal`] empties everything that holds patient data, and runs for every view without an
//! open session; a view that shows a patient's screen without one is shown as the lock screen.

use slint::{ComponentHandle, Model, SharedString};

use crate::bridge::intent::Language;
use crate::bridge::ui::{self, AppWindow};
use crate::bridge::view::{Bedside, Devices, FirstStart, Lock, Patients, PinPrompt, Screen, View};
use crate::bridge::window::Inner;
use crate::bridge::{lines, qr, vocabulary};
use crate::hardware::{ReaderHealth, ReaderKind};

/// Shows `view`.
pub fn apply(inner: &Inner, window: &AppWindow, view: &View) {
    speak(inner, window, view.language);
    frame(window, view);
    match &view.screen {
        Screen::FirstStart(FirstStart::Pin(prompt)) | Screen::Pin(prompt) => {
            pin(inner, window, *prompt);
        }
        Screen::Starting
        | Screen::FirstStart(_)
        | Screen::Lock(_)
        | Screen::Bedside(_)
        | Screen::Devices(_)
        | Screen::Patients(_)
        | Screen::Emergency(_)
        | Screen::People(_)
        | Screen::Person(_)
        | Screen::Enrolment(_)
        | Screen::Audit(_)
        | Screen::Cart(_)
        | Screen::Account(_)
        | Screen::Trouble(_) => leave_pin(inner, window),
    }
    first_start(inner, window, &view.screen);
    if let Screen::Trouble(fault) = view.screen {
        window.global::<ui::Trouble>().set_fault(vocabulary::fault(fault));
    }
    if let Screen::Lock(lock) = &view.screen {
        show_lock(inner, window, lock);
    }
    if view.open.is_none() {
        conceal(inner, window);
        return;
    }
    match &view.screen {
        Screen::Bedside(bedside) => show_bedside(inner, window, bedside),
        Screen::Devices(devices) => show_devices(inner, window, devices),
        Screen::Patients(patients) => show_patients(inner, window, patients),
        Screen::Starting
        | Screen::FirstStart(_)
        | Screen::Lock(_)
        | Screen::Pin(_)
        | Screen::Emergency(_)
        | Screen::People(_)
        | Screen::Person(_)
        | Screen::Enrolment(_)
        | Screen::Audit(_)
        | Screen::Cart(_)
        | Screen::Account(_)
        | Screen::Trouble(_) => {}
    }
    if !matches!(view.screen, Screen::Bedside(_)) {
        leave_bedside(inner);
    }
    if !matches!(view.screen, Screen::Devices(_)) {
        leave_devices(inner);
    }
    if !matches!(view.screen, Screen::Patients(_)) {
        leave_patients(inner, window);
    }
}

fn frame(window: &AppWindow, view: &View) {
    let frame = window.global::<ui::Frame>();
    let needs_session =
        matches!(view.screen, Screen::Bedside(_) | Screen::Devices(_) | Screen::Patients(_));
    let kind = if needs_session && view.open.is_none() {
        ui::ScreenKind::Lock
    } else {
        vocabulary::screen(&view.screen)
    };
    frame.set_screen(kind);
    frame.set_open(view.open.is_some());
    let open = view.open.as_ref();
    frame.set_operator(open.map(|open| lines::operator(&open.operator)).unwrap_or_default());
    let patient = open.and_then(|open| open.patient.as_ref());
    frame.set_patient(patient.map(lines::patient).unwrap_or_default());
    frame.set_time(lines::time_of_day(view.clock.hour, view.clock.minute));
    frame.set_weekday(i32::from(view.clock.weekday));
    frame.set_day(i32::from(view.clock.day));
    frame.set_month(i32::from(view.clock.month));
    frame.set_bed((&view.bed).into());
    frame.set_ward((&view.ward).into());
    frame.set_simulated(view.simulated);
    frame.set_alarm(lines::alarm(view.alarm.as_ref()));
    frame.set_notice(vocabulary::notice(view.notice));
}

fn speak(inner: &Inner, window: &AppWindow, language: Language) {
    if inner.language.replace(Some(language)) == Some(language) {
        return;
    }
    window.global::<ui::Frame>().set_german(language == Language::German);
    if let Err(error) = slint::select_bundled_translation(language.tag()) {
        tracing::error!(language = language.tag(), %error, "translation is not in this build");
    }
}

/// S-1: forgets every patient text, row and sample.
pub fn conceal(inner: &Inner, window: &AppWindow) {
    let frame = window.global::<ui::Frame>();
    frame.set_patient(ui::PatientLine::default());
    frame.set_operator(ui::OperatorLine::default());
    leave_bedside(inner);
    leave_devices(inner);
    leave_patients(inner, window);
}

fn show_lock(inner: &Inner, window: &AppWindow, lock: &Lock) {
    let global = window.global::<ui::Lock>();
    let health = |kind| lock.readers.iter().find(|(is, _)| *is == kind).map(|(_, health)| *health);
    let badge = health(ReaderKind::Badge).unwrap_or(ReaderHealth::NotFitted);
    global.set_badge_reader(vocabulary::health(badge));
    global.set_card_ready(health(ReaderKind::SmartCard) == Some(ReaderHealth::Ready));
    global.set_radio(vocabulary::radio(lock.radio));
    global.set_devices_live(lines::count(lock.devices_live));
    global.set_devices_known(lines::count(lock.devices_known));
    let readers = lock.readers.iter().map(|(reader, health)| ui::ReaderLine {
        reader: vocabulary::reader(*reader),
        health: vocabulary::health(*health),
    });
    lines::sync(&inner.models.readers, readers.collect());
}

fn pin(inner: &Inner, window: &AppWindow, prompt: PinPrompt) {
    let mut pad = inner.pad.borrow_mut();
    pad.show(prompt);
    let global = window.global::<ui::Pin>();
    global.set_purpose(vocabulary::purpose(prompt.purpose));
    global.set_refused(prompt.refused);
    global.set_tries_left(prompt.tries_left.map_or(-1, i32::from));
    global.set_wait(prompt.wait_s.map(lines::countdown).unwrap_or_default());
    global.set_busy(prompt.busy);
    global.set_shakes(pad.shakes());
    drop(pad);
    inner.count_digits(window);
}

fn leave_pin(inner: &Inner, window: &AppWindow) {
    inner.pad.borrow_mut().leave();
    inner.count_digits(window);
}

fn first_start(inner: &Inner, window: &AppWindow, screen: &Screen) {
    let global = window.global::<ui::FirstStart>();
    match screen {
        Screen::FirstStart(
            FirstStart::Welcome { badge_reader } | FirstStart::Badge { badge_reader },
        ) => global.set_badge_reader(vocabulary::health(*badge_reader)),
        Screen::FirstStart(FirstStart::Name | FirstStart::Pin(_) | FirstStart::Working)
        | Screen::FirstStart(FirstStart::Recovery(_))
        | Screen::Starting
        | Screen::Lock(_)
        | Screen::Pin(_)
        | Screen::Bedside(_)
        | Screen::Devices(_)
        | Screen::Patients(_)
        | Screen::Emergency(_)
        | Screen::People(_)
        | Screen::Person(_)
        | Screen::Enrolment(_)
        | Screen::Audit(_)
        | Screen::Cart(_)
        | Screen::Account(_)
        | Screen::Trouble(_) => {}
    }
    let shown = inner.models.words.row_count() > 0;
    if let Screen::FirstStart(FirstStart::Recovery(phrase)) = screen {
        if !shown {
            let theme = window.global::<ui::Theme>();
            global.set_code(qr::draw(phrase.expose(), theme.get_qr_ink(), theme.get_qr_ground()));
        }
        let numbered = (1..).zip(phrase.expose().split_whitespace());
        let words = numbered.map(|(number, word)| ui::RecoveryWord { number, word: word.into() });
        lines::sync(&inner.models.words, words.collect());
    } else if shown {
        global.set_code(slint::Image::default());
        lines::sync(&inner.models.words, Vec::new());
    }
    if !matches!(screen, Screen::FirstStart(_)) {
        global.set_name(SharedString::default());
        global.set_initials(SharedString::default());
    }
}

fn show_bedside(inner: &Inner, window: &AppWindow, bedside: &Bedside) {
    let global = window.global::<ui::Bedside>();
    global.set_wave(bedside.wave);
    global.set_has_patient(bedside.has_patient);
    global.set_has_device(bedside.has_device);
    lines::sync(&inner.models.vitals, bedside.tiles.iter().map(lines::tile).collect());
    if bedside.wave && bedside.has_patient && bedside.has_device {
        inner.lane.show();
    } else {
        inner.lane.hide();
    }
}

fn leave_bedside(inner: &Inner) {
    lines::sync(&inner.models.vitals, Vec::new());
    inner.lane.hide();
}

fn show_devices(inner: &Inner, window: &AppWindow, devices: &Devices) {
    let global = window.global::<ui::Devices>();
    global.set_radio(vocabulary::radio(devices.radio));
    global.set_has_patient(devices.has_patient);
    let rows =
        lines::steady(&inner.models.devices, devices.rows.iter().map(lines::device).collect());
    lines::sync(&inner.models.devices, rows);
}

fn leave_devices(inner: &Inner) {
    lines::sync(&inner.models.devices, Vec::new());
}

fn show_patients(inner: &Inner, window: &AppWindow, patients: &Patients) {
    let global = window.global::<ui::Patients>();
    global.set_loading(patients.loading);
    if inner.forms_saved.replace(Some(patients.saved)) != Some(patients.saved) {
        inner.empty_form(window);
    }
    *inner.patients.borrow_mut() = patients.rows.clone();
    inner.list_patients(window);
}

fn leave_patients(inner: &Inner, window: &AppWindow) {
    if inner.forms_saved.take().is_some() {
        inner.empty_form(window);
        window.global::<ui::Patients>().set_search(SharedString::default());
    }
    inner.patients.borrow_mut().clear();
    lines::sync(&inner.models.patients, Vec::new());
}
