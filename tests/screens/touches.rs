//! Touches become intents: one touch, one intent, with what was meant.

use std::time::Duration;

use i_slint_backend_testing::mock_elapsed_time;
use slint::ComponentHandle;
use slint::platform::PointerEventButton;
use wardkeep::tour::samples::{self, concealed, open};
use wardkeep_core::config::Language;
use wardkeep_core::kiosk::intent::Intent;
use wardkeep_core::kiosk::page::Page;
use wardkeep_core::kiosk::pages::{devices, patients};
use wardkeep_core::kiosk::view::{Bedside, FirstStart, PinPrompt, PinPurpose, Screen, View};
use wardkeep_core::kiosk::{alarm, first_start, frame, login};
use wardkeep_model::alarm::Priority;
use wardkeep_model::confidential::{Phi, Secret};
use wardkeep_model::encounter::PatientForm;
use wardkeep_model::encounter::{Sex, SubjectId};
use wardkeep_model::notice::Notice;
use wardkeep_model::ports::ReaderHealth;
use wardkeep_model::vitals::DeviceId;
use wardkeep_ui as ui;

use kit::screens::{Desk, LANDSCAPE, PORTRAIT};

fn bedside() -> View {
    open(Screen::Bedside(samples::bedside()))
}

fn device(last_byte: u8) -> DeviceId {
    DeviceId([0xC0, 0x26, 0xDA, 0x00, 0x00, last_byte])
}

#[test]
fn frame_controls_send_their_intent_in_both_orientations() {
    let mut desk = Desk::new(LANDSCAPE);
    let alarm = Some(samples::alarm(Priority::Medium, samples::low_oxygen("88")));
    let shown = alarm.as_ref().and_then(|strip| strip.unseen.as_ref()).expect("unseen").shown;
    let view = View { alarm, notice: Some(Notice::ConfigIgnored), ..bedside() };
    for size in [LANDSCAPE, PORTRAIT] {
        desk.turn(size);
        desk.show(&view);
        for (label, intent) in [
            ("Lock", Intent::Frame(frame::Intent::Lock)),
            ("Acknowledge", Intent::Alarm(alarm::Intent::Acknowledge(shown))),
            ("Pause sound", Intent::Alarm(alarm::Intent::PauseAudio)),
            ("Dismiss notice", Intent::Frame(frame::Intent::DismissNotice)),
            ("Bedside", Intent::Frame(frame::Intent::Open(Page::Bedside))),
            ("Devices", Intent::Frame(frame::Intent::Open(Page::Devices))),
            ("Patients", Intent::Frame(frame::Intent::Open(Page::Patients))),
        ] {
            desk.tap(label);
            assert_eq!(desk.sent(), [intent], "{label}");
        }
    }
}

#[test]
fn an_acknowledged_and_paused_alarm_offers_neither_again() {
    let desk = Desk::new(LANDSCAPE);
    let mut strip = samples::alarm(Priority::High, samples::low_oxygen("79"));
    let unseen = strip.unseen.take();
    (strip.acknowledged, strip.audio_paused_s) = (true, Some(118));
    desk.show(&View { alarm: Some(strip.clone()), ..bedside() });
    assert!(desk.labelled("Acknowledge").is_empty());
    assert!(desk.labelled("Pause sound").is_empty());
    assert_eq!(desk.the("Sound paused").accessible_value().unwrap(), "1:58");
    // Something lesser that nobody has seen can be acknowledged all the same.
    strip.unseen = unseen;
    desk.show(&View { alarm: Some(strip), ..bedside() });
    assert_eq!(desk.labelled("Acknowledge").len(), 1);
}

#[test]
fn empty_states_lead_on() {
    let mut desk = Desk::new(LANDSCAPE);
    let none = Bedside { tiles: vec![], waves: vec![], has_patient: false, has_device: false };
    desk.show(&open(Screen::Bedside(none.clone())));
    desk.tap("Choose a patient");
    desk.show(&open(Screen::Bedside(Bedside { has_patient: true, ..none })));
    desk.tap("Show devices");
    assert_eq!(
        desk.sent(),
        [
            Intent::Frame(frame::Intent::Open(Page::Patients)),
            Intent::Frame(frame::Intent::Open(Page::Devices))
        ]
    );
}

#[test]
fn language_is_chosen_on_lock_and_welcome() {
    let mut desk = Desk::new(PORTRAIT);
    desk.show(&concealed(Screen::Lock(samples::lock())));
    desk.tap("Deutsch");
    let welcome = FirstStart::Welcome { badge_reader: ReaderHealth::Ready };
    desk.show(&concealed(Screen::FirstStart(welcome)));
    desk.tap("English");
    assert_eq!(
        desk.sent(),
        [
            Intent::Frame(frame::Intent::SetLanguage(Language::German)),
            Intent::Frame(frame::Intent::SetLanguage(Language::English))
        ]
    );
}

#[test]
fn devices_are_linked_assigned_and_only_released_by_holding() {
    let mut desk = Desk::new(LANDSCAPE);
    desk.show(&open(Screen::Devices(samples::devices())));
    desk.tap("Connect Nonin 3230 502194");
    desk.tap("Assign Heart strap 07");
    desk.tap("Release Oximeter 21");
    assert_eq!(
        desk.sent(),
        [
            Intent::Devices(devices::Intent::Connect(device(4))),
            Intent::Devices(devices::Intent::Assign(device(2)))
        ]
    );
    desk.hold("Release Oximeter 21", Duration::from_millis(900));
    assert_eq!(desk.sent(), []);
    desk.hold("Release Oximeter 21", Duration::from_millis(1100));
    assert_eq!(desk.sent(), [Intent::Devices(devices::Intent::Release(device(1)))]);
}

#[test]
fn a_device_keeps_its_place_when_another_becomes_stronger() {
    let desk = Desk::new(LANDSCAPE);
    let mut devices = samples::devices();
    desk.show(&open(Screen::Devices(devices.clone())));
    let before = desk.the("Oximeter 21").absolute_position().y;
    devices.rows.reverse();
    desk.show(&open(Screen::Devices(devices)));
    assert_eq!(desk.the("Oximeter 21").absolute_position().y, before);
}

#[test]
fn pin_pad_sends_one_pin_with_the_digits_touched_and_keeps_none() {
    let mut desk = Desk::new(LANDSCAPE);
    desk.show(&concealed(Screen::Pin(samples::pin())));
    desk.tap("Unlock");
    for digit in ["4", "7", "9", "1", "1", "0"] {
        desk.tap(&format!("Digit {digit}"));
    }
    desk.tap("Delete");
    desk.tap("Digit 8");
    assert_eq!(desk.the("PIN").accessible_value().unwrap(), "6 digits entered");
    desk.tap("Unlock");
    desk.tap("Unlock");
    let pin = [4, 7, 9, 1, 1, 8].into_iter().collect();
    assert_eq!(desk.sent(), [Intent::Login(login::Intent::SubmitPin(pin))]);
    assert_eq!(desk.the("PIN").accessible_value().unwrap(), "0 digits entered");
    desk.tap("Cancel");
    assert_eq!(desk.sent(), [Intent::Frame(frame::Intent::Cancel)]);
}

#[test]
fn a_refused_pin_shakes_the_dots_once_and_not_when_motion_is_reduced() {
    let desk = Desk::new(LANDSCAPE);
    for reduced in [false, true] {
        desk.window.global::<ui::Theme>().set_reduce_motion(reduced);
        desk.show(&concealed(Screen::Starting));
        desk.show(&concealed(Screen::Pin(samples::pin())));
        desk.picture(); // The pad is made when it is first drawn.
        let refused = PinPrompt { refused: true, prompt: 2, ..samples::pin() };
        let view = concealed(Screen::Pin(refused));
        let moved = || {
            desk.bridge.apply(&view);
            desk.picture(); // An animation begins with the first frame that shows it.
            mock_elapsed_time(Duration::from_millis(40));
            let moving = desk.picture();
            desk.settle();
            moving.as_bytes() != desk.picture().as_bytes()
        };
        assert_eq!([moved(), moved()], [!reduced, false]);
    }
}

#[test]
fn pin_pad_takes_nothing_while_a_delay_runs() {
    let mut desk = Desk::new(PORTRAIT);
    let waiting =
        PinPrompt { wait_s: Some(30), refused: true, tries_left: Some(4), ..samples::pin() };
    desk.show(&concealed(Screen::Pin(waiting)));
    desk.tap("Digit 7");
    assert_eq!(desk.the("PIN").accessible_value().unwrap(), "0 digits entered");
    assert_eq!(desk.the("Digit 7").accessible_enabled(), Some(false));
    assert_eq!(desk.labelled("You can try again in 0:30.").len(), 1);
    assert_eq!(desk.labelled("4 tries are left before IT has to help.").len(), 1);
    desk.tap("Cancel");
    assert_eq!(desk.sent(), [Intent::Frame(frame::Intent::Cancel)]);
}

#[test]
fn first_start_is_walked_with_the_touch_keyboard() {
    let mut desk = Desk::new(LANDSCAPE);
    let welcome =
        |badge_reader| concealed(Screen::FirstStart(FirstStart::Welcome { badge_reader }));
    desk.show(&welcome(ReaderHealth::NotFitted));
    desk.tap("Begin");
    assert_eq!(desk.sent(), [], "without a reader there is nothing to begin");
    desk.show(&welcome(ReaderHealth::Ready));
    desk.tap("Begin");
    desk.show(&concealed(Screen::FirstStart(FirstStart::Name)));
    desk.tap("Continue");
    for key in ["Key A", "Key d", "Key a", "Space", "Key K", "Key i", "Key x", "Erase", "Key m"] {
        desk.tap(key);
    }
    assert_eq!(desk.the("Full name").accessible_value().unwrap(), "Ada Kim");
    assert_eq!(desk.the("Initials").accessible_value().unwrap(), "AK");
    desk.tap("Continue");
    let prompt = PinPrompt { purpose: PinPurpose::Choose, ..samples::pin() };
    desk.show(&concealed(Screen::FirstStart(FirstStart::Pin(prompt))));
    for digit in ["2", "7", "1", "8", "2", "8"] {
        desk.tap(&format!("Digit {digit}"));
    }
    desk.tap("Continue");
    let words = Secret::new(samples::WORDS.into());
    desk.show(&concealed(Screen::FirstStart(FirstStart::Recovery(words))));
    assert_eq!(desk.the("Word 24").accessible_value().unwrap(), "actual");
    desk.hold("I have written it down", Duration::from_millis(1100));
    let admin = Intent::FirstStart(first_start::Intent::NameAdmin {
        name: Phi::new("Ada Kim".into()),
        initials: "AK".into(),
    });
    let pin = [2, 7, 1, 8, 2, 8].into_iter().collect();
    assert_eq!(
        desk.sent(),
        [
            Intent::FirstStart(first_start::Intent::Begin),
            admin,
            Intent::Login(login::Intent::SubmitPin(pin)),
            Intent::FirstStart(first_start::Intent::RecoveryWritten)
        ]
    );
}

#[test]
fn a_patient_is_chosen_or_typed_in() {
    let mut desk = Desk::new(PORTRAIT);
    desk.show(&open(Screen::Patients(samples::patients())));
    desk.tap("Choose ABADI, Soraya");
    assert_eq!(desk.sent(), [Intent::Patients(patients::Intent::Choose(SubjectId(1)))]);
    assert!(desk.labelled("Choose OKONKWO-BRANDT, Margaret").is_empty(), "she is here already");
    desk.tap("New patient");
    for key in ["Key B", "Key o"] {
        desk.tap(key);
    }
    desk.tap("Given name");
    desk.tap("Key J");
    desk.tap("Date of birth");
    for key in ["2", ".", "3", ".", "1", "9", "4", "4"] {
        desk.tap(&format!("Key {key}"));
    }
    desk.tap("Allergies");
    for key in ["Key N", "Key u", "Key t", "Key s"] {
        desk.tap(key);
    }
    assert_eq!(desk.sent().len(), 15, "one draft for each key");
    desk.tap("Female");
    desk.tap("Save");
    let form = PatientForm {
        family: Phi::new("Bo".into()),
        given: Phi::new("J".into()),
        born: Phi::new("2.3.1944".into()),
        sex: Phi::new(Sex::Female),
        mrn: Phi::default(),
        allergies: Phi::new("Nuts".into()),
    };
    let mut sent = desk.sent();
    assert_eq!(sent.pop(), Some(Intent::Patients(patients::Intent::Add(form.clone()))));
    assert_eq!(
        sent.pop(),
        Some(Intent::Patients(patients::Intent::Draft(form))),
        "each change is kept as a draft"
    );
    assert!(
        sent.iter().all(|intent| matches!(intent, Intent::Patients(patients::Intent::Draft(_)))),
        "{sent:?}"
    );
}

#[test]
fn an_accepted_form_is_emptied_and_closed() {
    let desk = Desk::new(LANDSCAPE);
    let patients = samples::patients();
    desk.show(&open(Screen::Patients(patients.clone())));
    desk.tap("New patient");
    desk.tap("Key B");
    desk.show(&open(Screen::Patients(patients.clone())));
    assert_eq!(
        desk.the("Family name").accessible_value().unwrap(),
        "B",
        "a view keeps what is typed"
    );
    let saved = wardkeep_core::kiosk::view::Patients { saved: 1, ..patients };
    desk.show(&open(Screen::Patients(saved)));
    assert!(desk.labelled("Family name").is_empty());
    desk.tap("New patient");
    assert_eq!(desk.the("Family name").accessible_value().unwrap(), "");
}

#[test]
fn a_long_list_can_be_searched() {
    let mut desk = Desk::new(LANDSCAPE);
    assert!(desk.labelled("Search by name or number").is_empty());
    let many = wardkeep_core::kiosk::view::Patients { total: 12, ..samples::patients() };
    desk.show(&open(Screen::Patients(many.clone())));
    desk.the("Search by name or number").set_accessible_value(" soR");
    let search = || Phi::new("soR".to_owned());
    assert_eq!(desk.sent(), [Intent::Patients(patients::Intent::Search(search()))]);
    let found = wardkeep_core::kiosk::view::Patients { rows: [].into(), search: search(), ..many };
    desk.show(&open(Screen::Patients(found)));
    assert_eq!(desk.labelled("Nobody is found. Try fewer letters.").len(), 1);
    // What is being typed stays as it is.
    assert_eq!(desk.the("Search by name or number").accessible_value().unwrap(), " soR");
}

#[test]
fn touching_anything_reports_activity_but_not_each_time() {
    let mut desk = Desk::new(LANDSCAPE);
    desk.show(&bedside());
    let tap = |desk: &Desk| {
        desk.the("SpO2").mock_single_click(PointerEventButton::Left);
        mock_elapsed_time(Duration::from_millis(10));
    };
    for _ in 0..5 {
        tap(&desk);
    }
    assert_eq!(desk.everything_sent(), [Intent::Frame(frame::Intent::Activity)]);
    desk.settle();
    tap(&desk);
    assert_eq!(desk.everything_sent(), [Intent::Frame(frame::Intent::Activity)]);
}

#[test]
fn s11_a_full_intent_queue_drops_the_tap_and_goes_on() {
    let mut desk = Desk::new(LANDSCAPE);
    desk.show(&bedside());
    for _ in 0..40 {
        desk.the("Lock").invoke_accessible_default_action();
    }
    assert_eq!(desk.sent().len(), 32);
    desk.tap("Lock");
    assert_eq!(desk.sent(), [Intent::Frame(frame::Intent::Lock)]);
}
