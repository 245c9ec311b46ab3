//! Puts a view on the screen. Properties compare before they notify and rows change in place, so only
//! what differs is painted.
//!
//! S-1: [`conceal`] empties everything that holds patient data, and runs for every view without an
//! open session; a view that shows a patient's screen without one is shown as the lock screen.

use slint::{ComponentHandle, Model, SharedString};

use crate::bridge::vocabulary::access;
use crate::bridge::window::Inner;
use crate::bridge::{emergency, enrolment, lines, oversight, people, qr, records, vocabulary};
use wardkeep_core::config::Language;
use wardkeep_core::kiosk::view::access::Enrolment;
use wardkeep_core::kiosk::view::{
    Bedside, Devices, FirstStart, Lock, Patients, PinPrompt, Screen, View,
};
use wardkeep_model::ports::{ReaderHealth, ReaderKind};
use wardkeep_ui::{self as ui, AppWindow};

/// Shows `view`.
pub fn apply(inner: &Inner, window: &AppWindow, view: &View) {
    speak(inner, window, view.language);
    frame(inner, window, view);
    match pad_of(&view.screen).filter(|_| view.open.is_some() || !needs_session(&view.screen)) {
        Some(pad) => pin(inner, window, &pad),
        None => leave_pin(inner, window),
    }
    first_start(inner, window, &view.screen);
    if let (Screen::Trouble(trouble), None) = (&view.screen, &view.open) {
        records::show_trouble(inner, window, trouble);
    } else {
        records::leave_trouble(inner);
    }
    if let Screen::Lock(lock) = &view.screen {
        show_lock(inner, window, lock);
    }
    // S-1: the one page with patient data and no session; every other screen empties it.
    if let (Screen::Emergency(step), None) = (&view.screen, &view.open) {
        emergency::show(inner, window, step);
    } else {
        emergency::leave(inner, window);
    }
    if view.open.is_some() {
        leave_others(inner, window, &view.screen);
        show_open(inner, window, &view.screen);
    } else {
        conceal(inner, window);
    }
}

/// Pages of an open session.
fn show_open(inner: &Inner, window: &AppWindow, screen: &Screen) {
    match screen {
        Screen::Bedside(bedside) => show_bedside(inner, window, bedside),
        Screen::Devices(devices) => show_devices(inner, window, devices),
        Screen::Patients(patients) => show_patients(inner, window, patients),
        Screen::People(list) => people::show_list(inner, window, list),
        Screen::Person(page) => people::show_person(inner, window, page),
        Screen::Enrolment(step) => enrolment::show(inner, window, step),
        Screen::Audit(audit) => oversight::show_audit(inner, window, audit),
        Screen::Cart(cart) => oversight::show_cart(inner, window, cart),
        Screen::Account(account) => oversight::show_account(window, account),
        Screen::Starting
        | Screen::FirstStart(_)
        | Screen::Lock(_)
        | Screen::Pin(_)
        | Screen::Emergency(_)
        | Screen::Trouble(_) => {}
    }
}

/// Empties every page of an open session but the one that is shown.
fn leave_others(inner: &Inner, window: &AppWindow, screen: &Screen) {
    if !matches!(screen, Screen::Bedside(_)) {
        leave_bedside(inner);
    }
    if !matches!(screen, Screen::Devices(_)) {
        leave_devices(inner);
    }
    if !matches!(screen, Screen::Patients(_)) {
        leave_patients(inner, window);
    }
    if !matches!(screen, Screen::People(_)) {
        people::leave_list(inner, window);
    }
    if !matches!(screen, Screen::Person(_)) {
        people::leave_person(inner, window);
    }
    if !matches!(screen, Screen::Enrolment(_)) {
        enrolment::leave(inner, window);
    }
    if !matches!(screen, Screen::Audit(_)) {
        oversight::leave_audit(inner, window);
    }
    if !matches!(screen, Screen::Account(_)) {
        oversight::leave_account(window);
    }
}

/// Whether a screen belongs to an open session, so that without one the lock screen stands in for it.
fn needs_session(screen: &Screen) -> bool {
    match screen {
        Screen::Bedside(_)
        | Screen::Devices(_)
        | Screen::Patients(_)
        | Screen::People(_)
        | Screen::Person(_)
        | Screen::Enrolment(_)
        | Screen::Audit(_)
        | Screen::Cart(_)
        | Screen::Account(_) => true,
        Screen::Starting
        | Screen::FirstStart(_)
        | Screen::Lock(_)
        | Screen::Pin(_)
        | Screen::Emergency(_)
        | Screen::Trouble(_) => false,
    }
}

fn frame(inner: &Inner, window: &AppWindow, view: &View) {
    let frame = window.global::<ui::Frame>();
    let kind = if needs_session(&view.screen) && view.open.is_none() {
        ui::ScreenKind::Lock
    } else {
        vocabulary::screen(&view.screen)
    };
    frame.set_screen(kind);
    frame.set_open(view.open.is_some());
    let open = view.open.as_ref();
    frame.set_operator(open.map(|open| lines::operator(&open.operator)).unwrap_or_default());
    let pages = open.map(|open| open.pages.iter().map(|page| vocabulary::place(*page)).collect());
    lines::sync(&inner.models.pages, pages.unwrap_or_default());
    let enrolling = open.and_then(|open| open.enrolling.as_ref());
    frame.set_enrolling(enrolling.map(|name| name.reveal().into()).unwrap_or_default());
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
    frame.set_notice(vocabulary::notices::notice(view.notice));
    records::frame(window, view);
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

/// S-1: forgets every patient text, row and sample, and every name of staff.
pub fn conceal(inner: &Inner, window: &AppWindow) {
    let frame = window.global::<ui::Frame>();
    frame.set_patient(ui::PatientLine::default());
    frame.set_operator(ui::OperatorLine::default());
    frame.set_enrolling(SharedString::default());
    leave_bedside(inner);
    leave_devices(inner);
    leave_patients(inner, window);
    people::leave_list(inner, window);
    people::leave_person(inner, window);
    enrolment::leave(inner, window);
    oversight::leave_audit(inner, window);
    oversight::leave_account(window);
}

fn show_lock(inner: &Inner, window: &AppWindow, lock: &Lock) {
    let global = window.global::<ui::Lock>();
    let health = |kind| lock.readers.iter().find(|(is, _)| *is == kind).map(|(_, health)| *health);
    let badge = health(ReaderKind::Badge).unwrap_or(ReaderHealth::NotFitted);
    global.set_badge_reader(vocabulary::health(badge));
    global.set_card_offered(lock.ways.card);
    global.set_emergency_offered(lock.ways.emergency);
    global.set_radio(vocabulary::radio(lock.radio));
    global.set_devices_live(lines::count(lock.devices_live));
    global.set_devices_known(lines::count(lock.devices_known));
    let readers = lock.readers.iter().map(|(reader, health)| ui::ReaderLine {
        reader: vocabulary::reader(*reader),
        health: vocabulary::health(*health),
    });
    lines::sync(&inner.models.readers, readers.collect());
}

/// The PIN pad of a screen, and what its words depend on besides the prompt.
#[derive(Clone, Copy)]
struct Pad<'a> {
    prompt: PinPrompt,
    handed_over: bool,
    first_login: bool,
    subject: &'a str,
}

fn pad_of(screen: &Screen) -> Option<Pad<'_>> {
    let plain = |prompt: &PinPrompt| Pad {
        prompt: *prompt,
        handed_over: false,
        first_login: false,
        subject: "",
    };
    match screen {
        Screen::Pin(prompt) => Some(Pad { first_login: true, ..plain(prompt) }),
        Screen::FirstStart(FirstStart::Pin(prompt))
        | Screen::Enrolment(Enrolment::SecondPin(prompt)) => Some(plain(prompt)),
        Screen::Enrolment(Enrolment::Pin { prompt, code_offered }) => {
            Some(Pad { handed_over: *code_offered, ..plain(prompt) })
        }
        Screen::Enrolment(Enrolment::CardPin { subject, prompt }) => {
            Some(Pad { subject: subject.reveal(), ..plain(prompt) })
        }
        Screen::FirstStart(
            FirstStart::Welcome { .. }
            | FirstStart::Name
            | FirstStart::Badge { .. }
            | FirstStart::Working
            | FirstStart::Recovery(_),
        )
        | Screen::Enrolment(
            Enrolment::Badge { .. }
            | Enrolment::Code(_)
            | Enrolment::Card { .. }
            | Enrolment::FingerChoice { .. }
            | Enrolment::Finger { .. }
            | Enrolment::SecondPerson { .. }
            | Enrolment::Working
            | Enrolment::Done { .. },
        )
        | Screen::Starting
        | Screen::Lock(_)
        | Screen::Bedside(_)
        | Screen::Devices(_)
        | Screen::Patients(_)
        | Screen::Emergency(_)
        | Screen::People(_)
        | Screen::Person(_)
        | Screen::Audit(_)
        | Screen::Cart(_)
        | Screen::Account(_)
        | Screen::Trouble(_) => None,
    }
}

fn pin(inner: &Inner, window: &AppWindow, shown: &Pad<'_>) {
    let prompt = shown.prompt;
    let mut pad = inner.pad.borrow_mut();
    pad.show(prompt);
    let global = window.global::<ui::Pin>();
    global.set_purpose(vocabulary::purpose(prompt.purpose));
    global.set_token(access::token(prompt.token));
    global.set_finger(access::finger_prompt(prompt.finger));
    global.set_handed_over(shown.handed_over);
    global.set_first_login(shown.first_login);
    global.set_subject(shown.subject.into());
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
    window.global::<ui::Pin>().set_subject(SharedString::default());
    inner.count_digits(window);
}

fn first_start(inner: &Inner, window: &AppWindow, screen: &Screen) {
    let global = window.global::<ui::FirstStart>();
    if let Screen::FirstStart(
        FirstStart::Welcome { badge_reader } | FirstStart::Badge { badge_reader },
    ) = screen
    {
        global.set_badge_reader(vocabulary::health(*badge_reader));
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
    if let Some(draft) = &patients.draft {
        inner.resume_form(window, draft);
    }
    *inner.patients.borrow_mut() = patients.rows.clone();
    inner.list_patients(window);
}

fn leave_patients(inner: &Inner, window: &AppWindow) {
    inner.draft_taken.set(false);
    if inner.forms_saved.take().is_some() {
        inner.empty_form(window);
        window.global::<ui::Patients>().set_search(SharedString::default());
    }
    inner.patients.borrow_mut().clear();
    lines::sync(&inner.models.patients, Vec::new());
}
