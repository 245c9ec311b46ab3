//! S-1, S-7 and S-10 on the screen itself.

use slint::{ComponentHandle, Model};
use wardkeep::bridge::WaveChunk;
use wardkeep::tour::samples::{self, concealed, open, staff};
use wardkeep::tour::stops::records;
use wardkeep_core::kiosk::view::access::{Emergency, Enrolment};
use wardkeep_core::kiosk::view::{Bedside, Screen, TileState, View};
use wardkeep_model::alarm::Priority;
use wardkeep_model::confidential::{Phi, Secret};
use wardkeep_model::ports::ReaderHealth;
use wardkeep_model::vitals::parameter::Parameter;
use wardkeep_model::vitals::wave::WaveKind;
use wardkeep_ui as ui;

use kit::memory_scan::Needle;
use kit::screens::{Desk, LANDSCAPE, PORTRAIT};

/// Whatever a patient's screen may say about a patient.
const PATIENT_WORDS: [&str; 9] =
    ["OKONKWO", "Margaret", "1944", "4471", "ABADI", "Soraya", "Zora", "97 %", "72 /min"];

fn patient_screens() -> Vec<View> {
    vec![
        open(Screen::Bedside(samples::bedside())),
        open(Screen::Devices(samples::devices())),
        open(Screen::Patients(samples::patients())),
        device_page(),
    ]
}

/// A device with what it sent last.
fn device_page() -> View {
    let stops = wardkeep::tour::stops::all();
    stops.into_iter().find(|stop| stop.name == "device").expect("a stop of the tour").view
}

#[test]
fn s1_after_locking_no_patient_text_is_left_anywhere() {
    let desk = Desk::new(LANDSCAPE);
    let locked = concealed(Screen::Lock(samples::lock()));
    for size in [LANDSCAPE, PORTRAIT] {
        desk.turn(size);
        desk.show(&locked);
        let untouched = desk.picture();
        for view in patient_screens() {
            desk.show(&view);
            assert!(PATIENT_WORDS.iter().any(|word| desk.spoken().contains(word)));
            if matches!(view.screen, Screen::Patients(_)) {
                desk.tap("New patient");
                desk.the("Family name").set_accessible_value("Zora");
                assert!(desk.spoken().contains("Zora"));
            }
            desk.tap("Patient");
            desk.show(&locked);
            let spoken = desk.spoken();
            for word in PATIENT_WORDS {
                assert!(!spoken.contains(word), "{word} is left after {:?}", view.screen);
            }
            assert_eq!(desk.picture().as_bytes(), untouched.as_bytes());
            assert_emptied(&desk);
        }
    }
}

/// Nothing is only hidden: the properties and models themselves are empty.
fn assert_emptied(desk: &Desk) {
    let patients = desk.window.global::<ui::Patients>();
    for text in [
        patients.get_family(),
        patients.get_given(),
        patients.get_born(),
        patients.get_mrn(),
        patients.get_allergies(),
        patients.get_search(),
    ] {
        assert_eq!(text, "");
    }
    assert!(!patients.get_adding());
    assert_eq!(patients.get_rows().row_count(), 0);
    assert_eq!(desk.window.global::<ui::Devices>().get_rows().row_count(), 0);
    assert_eq!(desk.window.global::<ui::Bedside>().get_vitals().row_count(), 0);
    assert_eq!(desk.window.global::<ui::Bedside>().get_waves().row_count(), 0);
    let device = desk.window.global::<ui::Device>();
    assert_eq!((device.get_frames().row_count(), device.get_facts().row_count()), (0, 0));
    assert_eq!(device.get_counts(), ui::NamedFact::default());
    assert_eq!([device.get_name(), device.get_about(), device.get_label()], ["", "", ""]);
    assert_eq!(desk.window.global::<ui::Inventory>().get_rows().row_count(), 0);
    assert_eq!(desk.window.global::<ui::Frame>().get_patient(), ui::PatientLine::default());
    assert_eq!(desk.window.global::<ui::Frame>().get_operator(), ui::OperatorLine::default());
    assert!(desk.bridge.lane_is_at_rest());
    assert_staff_emptied(desk);
}

fn assert_staff_emptied(desk: &Desk) {
    let window = &desk.window;
    let people = window.global::<ui::People>();
    let typed = [people.get_name(), people.get_initials(), people.get_until(), people.get_search()];
    assert_eq!(typed, ["", "", "", ""]);
    assert!(!people.get_adding());
    assert_eq!((people.get_rows().row_count(), people.get_total()), (0, 0));
    let person = window.global::<ui::Person>();
    assert_eq!(person.get_person(), ui::PersonEntry::default());
    assert_eq!(person.get_factors().row_count(), 0);
    assert_eq!(window.global::<ui::Enrolment>().get_code(), "");
    assert_eq!(window.global::<ui::Enrolment>().get_fingers().row_count(), 0);
    assert_eq!(window.global::<ui::Pin>().get_subject(), "");
    assert_eq!(window.global::<ui::Audit>().get_rows().row_count(), 0);
    assert_eq!(window.global::<ui::Account>().get_name(), "");
    assert_eq!(window.global::<ui::Frame>().get_enrolling(), "");
    assert_eq!(window.global::<ui::Frame>().get_pages().row_count(), 0);
    let emergency = window.global::<ui::Emergency>();
    assert_eq!(emergency.get_patient(), ui::PatientLine::default());
    assert_eq!([emergency.get_allergies(), emergency.get_left()], ["", ""]);
    assert_eq!(emergency.get_vitals().row_count(), 0);
    assert_eq!(emergency.get_past().row_count(), 0);
    let frame = window.global::<ui::Frame>();
    assert_eq!(frame.get_taking_over(), ui::ProgressLine::default());
    assert_eq!([frame.get_finding(), frame.get_finding_advice()], ["", ""]);
    let trouble = window.global::<ui::Trouble>();
    assert_eq!((trouble.get_vitals().row_count(), trouble.get_rows().row_count()), (0, 0));
    let audit = window.global::<ui::Audit>();
    assert_eq!(audit.get_signed(), "");
    assert_eq!(audit.get_code().size().width, 0);
    assert!(!audit.get_signing());
}

/// Whatever a screen about staff may say about somebody.
const STAFF_WORDS: [&str; 8] = [
    "Kirchner",
    "KIRCHNER",
    "Santangelo",
    "Wolfeschlegel",
    "Dewi",
    "Quigley",
    "4071",
    "2027-03-31",
];

fn staff_screens() -> Vec<View> {
    let step = |step| staff::open_it(Screen::Enrolment(step));
    let subject = Phi::new(staff::SUBJECT.into());
    vec![
        staff::open_it(Screen::People(staff::people())),
        staff::open_it(Screen::Person(Box::new(staff::person_page()))),
        step(Enrolment::Badge { reader: ReaderHealth::Ready, again: true }),
        step(Enrolment::Pin { prompt: samples::pin(), code_offered: true }),
        step(Enrolment::Code(Secret::new("40718263".into()))),
        step(Enrolment::CardPin { subject, prompt: staff::card_pin() }),
        staff::open_it(Screen::Audit(staff::audit())),
        staff::open_it(Screen::Audit(records::meddled())),
        open(Screen::Account(staff::account())),
    ]
}

#[test]
fn s1_after_locking_no_name_of_staff_no_code_and_no_subject_is_left_anywhere() {
    let desk = Desk::new(LANDSCAPE);
    let locked = concealed(Screen::Lock(samples::lock()));
    for size in [LANDSCAPE, PORTRAIT] {
        desk.turn(size);
        desk.show(&locked);
        let untouched = desk.picture();
        for view in staff_screens() {
            desk.show(&view);
            let named = STAFF_WORDS.iter().any(|word| desk.spoken().contains(word));
            assert!(named, "{:?} says nothing about anybody", view.screen);
            if matches!(view.screen, Screen::People(_)) {
                desk.tap("Add a person");
                desk.the("Full name").set_accessible_value("Quigley");
                assert!(desk.spoken().contains("Quigley"));
            }
            desk.show(&locked);
            let spoken = desk.spoken();
            for word in STAFF_WORDS {
                assert!(!spoken.contains(word), "{word} is left after {:?}", view.screen);
            }
            assert_eq!(desk.picture().as_bytes(), untouched.as_bytes());
            assert_emptied(&desk);
        }
    }
}

#[test]
fn s1_a_page_that_is_left_leaves_no_name_and_no_code_to_the_next() {
    let desk = Desk::new(LANDSCAPE);
    let devices = staff::open_it(Screen::Devices(samples::devices()));
    for view in staff_screens() {
        desk.show(&view);
        desk.show(&devices);
        let spoken = desk.spoken();
        assert!(STAFF_WORDS.iter().all(|word| !spoken.contains(word)), "{:?}", view.screen);
        let frame = desk.window.global::<ui::Frame>();
        assert_eq!(frame.get_pages().row_count(), 4, "the session is open");
        assert_eq!(desk.window.global::<ui::Enrolment>().get_code(), "");
        assert_eq!(desk.window.global::<ui::People>().get_rows().row_count(), 0);
        assert_eq!(desk.window.global::<ui::Person>().get_factors().row_count(), 0);
        assert_eq!(desk.window.global::<ui::Audit>().get_rows().row_count(), 0);
        assert_eq!(desk.window.global::<ui::Account>().get_name(), "");
    }
}

#[test]
fn s1_a_staff_screen_without_a_session_is_the_lock_screen() {
    let desk = Desk::new(PORTRAIT);
    for view in staff_screens() {
        desk.show(&View { open: None, ..view });
        assert_eq!(desk.window.global::<ui::Frame>().get_screen(), ui::ScreenKind::Lock);
        assert!(STAFF_WORDS.iter().all(|word| !desk.spoken().contains(word)));
        assert_emptied(&desk);
    }
}

#[test]
fn s1_the_emergency_view_shows_one_patient_and_forgets_them_when_it_closes() {
    let desk = Desk::new(LANDSCAPE);
    let page = Emergency::Open(Box::new(staff::emergency_page()));
    let opened = concealed(Screen::Emergency(page));
    for next in [
        concealed(Screen::Lock(samples::lock())),
        concealed(Screen::Pin(samples::pin())),
        concealed(Screen::Emergency(staff::emergency_token())),
        concealed(Screen::Emergency(staff::emergency_reason())),
        concealed(Screen::Starting),
    ] {
        desk.show(&opened);
        assert_eq!(desk.the("Patient").accessible_value().unwrap(), "OKONKWO-BRANDT, Margaret");
        assert_eq!(desk.the("Allergies").accessible_value().unwrap(), "Penicillin, latex");
        assert_eq!(desk.the("EMERGENCY VIEW").accessible_value().unwrap(), "14:58");
        desk.show(&next);
        let spoken = desk.spoken();
        for word in PATIENT_WORDS.into_iter().chain(["Penicillin", "118 /min"]) {
            assert!(!spoken.contains(word), "{word} is left on {:?}", next.screen);
        }
        assert_emptied(&desk);
    }
}

#[test]
fn s1_an_emergency_page_inside_a_session_shows_no_patient() {
    let desk = Desk::new(LANDSCAPE);
    let page = Emergency::Open(Box::new(staff::emergency_page()));
    desk.show(&staff::open_it(Screen::Emergency(page)));
    assert!(PATIENT_WORDS.iter().all(|word| !desk.spoken().contains(word)));
}

#[test]
fn s1_an_unfinished_form_of_an_earlier_session_is_gone_after_locking() {
    let desk = Desk::new(PORTRAIT);
    let mut patients = samples::patients();
    patients.draft = Some(staff::draft());
    desk.show(&open(Screen::Patients(patients)));
    assert!(desk.spoken().contains("Zora") && desk.spoken().contains("Nuts"));
    desk.show(&concealed(Screen::Lock(samples::lock())));
    assert!(!desk.spoken().contains("Zora") && !desk.spoken().contains("Nuts"));
    assert_emptied(&desk);
}

/// The window keeps the text of the field that had the focus last, for input methods, until another has it.
#[test]
fn s3_what_was_typed_last_is_not_in_memory_after_locking() {
    let mut desk = Desk::new(LANDSCAPE);
    let typed = "Quittensorbet und Haselnuss";
    let needle = Needle::of(typed.as_bytes());
    desk.show(&open(Screen::Patients(samples::patients())));
    desk.tap("New patient");
    desk.tap("Allergies");
    desk.the("Allergies").set_accessible_value(typed);
    // Drawn, a field hands its text to the window.
    drop(desk.picture());
    drop(desk.everything_sent());
    assert!(needle.count() > 0, "it is typed and shown");
    desk.bridge.apply(&concealed(Screen::Lock(samples::lock())));
    // Whoever walks the tree first drops the form, before its field has seen that it is empty.
    drop(desk.all());
    desk.settle();
    drop(desk.picture());
    drop(desk.everything_sent());
    desk.forget_input_method_requests();
    assert_eq!(needle.count(), 0);
}

#[test]
fn s1_a_patient_screen_without_a_session_is_the_lock_screen() {
    let desk = Desk::new(LANDSCAPE);
    for view in patient_screens() {
        desk.show(&View { open: None, ..view });
        assert_eq!(
            desk.labelled("Tap your badge").len() + desk.labelled("Badge reader ready").len(),
            1
        );
        assert!(PATIENT_WORDS.iter().all(|word| !desk.spoken().contains(word)));
        assert_emptied(&desk);
    }
}

#[test]
fn s1_the_recovery_words_are_gone_after_their_step() {
    let desk = Desk::new(PORTRAIT);
    let words = wardkeep_model::confidential::Secret::new(samples::WORDS.into());
    let recovery = wardkeep_core::kiosk::view::FirstStart::Recovery(words);
    desk.show(&concealed(Screen::FirstStart(recovery)));
    assert!(desk.spoken().contains("acoustic"));
    desk.show(&concealed(Screen::Lock(samples::lock())));
    assert!(!desk.spoken().contains("acoustic"));
    let first_start = desk.window.global::<ui::FirstStart>();
    assert_eq!(first_start.get_words().row_count(), 0);
    assert_eq!(first_start.get_code().size().width, 0);
}

#[test]
fn s1_the_lane_moves_only_while_it_is_shown_and_fed() {
    let desk = Desk::new(LANDSCAPE);
    assert!(desk.bridge.lane_is_at_rest());
    desk.show(&open(Screen::Bedside(samples::bedside())));
    let blank = desk.picture();
    for samples in samples::pleth(75, 72.0).chunks(75) {
        desk.waves.try_send(wave_of(WaveKind::Pleth, samples)).unwrap();
    }
    for _ in 0..60 {
        desk.bridge.sweep_one_frame();
    }
    assert_ne!(desk.picture().as_bytes(), blank.as_bytes());
    let mut unfed = samples::bedside();
    unfed.waves = vec![];
    desk.show(&open(Screen::Bedside(unfed)));
    assert!(desk.bridge.lane_is_at_rest());
    desk.show(&open(Screen::Bedside(samples::bedside())));
    assert_eq!(desk.picture().as_bytes(), blank.as_bytes(), "the old trace is forgotten");
}

fn wave_of(kind: WaveKind, samples: &[f32]) -> WaveChunk {
    WaveChunk { kind, rate_hz: 75, samples: samples.to_vec() }
}

#[test]
fn s1_what_waits_for_a_lane_that_nobody_draws_is_forgotten_with_the_others() {
    let desk = Desk::new(LANDSCAPE);
    let both = Bedside { waves: WaveKind::ALL.to_vec(), ..samples::bedside() };
    let both = open(Screen::Bedside(both));
    desk.show(&both);
    let blank = desk.picture();
    desk.show(&open(Screen::Bedside(samples::bedside())));
    for samples in samples::ecg(75, 72.0).chunks(75) {
        desk.waves.try_send(wave_of(WaveKind::Ecg, samples)).unwrap();
        desk.waves.try_send(wave_of(WaveKind::Pleth, samples)).unwrap();
        desk.bridge.sweep_one_frame();
    }
    desk.show(&concealed(Screen::Lock(samples::lock())));
    assert!(desk.bridge.lane_is_at_rest());
    desk.show(&both);
    for _ in 0..60 {
        desk.bridge.sweep_one_frame();
    }
    assert_eq!(desk.picture().as_bytes(), blank.as_bytes());
}

#[test]
fn an_alarm_line_above_the_lane_does_not_erase_the_trace() {
    let desk = Desk::new(LANDSCAPE);
    let calm = open(Screen::Bedside(samples::bedside()));
    desk.show(&calm);
    for samples in samples::pleth(75, 72.0).chunks(75) {
        desk.waves.try_send(wave_of(WaveKind::Pleth, samples)).unwrap();
    }
    for _ in 0..60 {
        desk.bridge.sweep_one_frame();
    }
    let before = desk.picture();
    let alarm = Some(samples::alarm(Priority::Low, samples::low_oxygen("89")));
    desk.show(&View { alarm, ..calm.clone() });
    desk.show(&calm);
    // The timer has gone on drawing meanwhile: only the part that was drawn before is compared.
    let row = |picture: &slint::SharedPixelBuffer<slint::Rgba8Pixel>| {
        let lane = picture.as_slice().chunks(1280).skip(150).take(190);
        lane.flat_map(|line| line[150..300].to_vec()).collect::<Vec<_>>()
    };
    assert_eq!(row(&before), row(&desk.picture()));
}

#[test]
fn s7_a_tile_without_a_value_shows_dashes_and_the_age_of_the_last_one() {
    let desk = Desk::new(LANDSCAPE);
    for (state, last, says) in [
        (TileState::Stale, Some(("97", 12)), "12 s ago: 97 %"),
        (
            TileState::LinkLost,
            Some(("97", 150)),
            "Oximeter 21 out of range, reconnecting · 2 min ago: 97 %",
        ),
        (TileState::NoValue, None, "Oximeter 21 gives no value: check the sensor"),
        (TileState::Connecting, None, "Oximeter 21: connecting"),
        (TileState::NoDevice, None, "no device"),
    ] {
        let mut bedside = samples::bedside();
        bedside.tiles[1] = samples::missing(Parameter::SpO2, state, last);
        desk.show(&open(Screen::Bedside(bedside)));
        let tile = desk.the("SpO2");
        assert_eq!(tile.accessible_value().unwrap(), "--");
        let description = tile.accessible_description().unwrap();
        assert!(description.ends_with(says), "{description}");
    }
}

#[test]
fn s7_a_current_value_carries_source_and_age() {
    let desk = Desk::new(LANDSCAPE);
    let mut bedside = samples::bedside();
    bedside.tiles[0].weak_signal = true;
    bedside.tiles[1].age = Some(std::time::Duration::from_secs(9));
    desk.show(&open(Screen::Bedside(bedside)));
    let heart = desk.the("Heart rate");
    assert_eq!(heart.accessible_value().unwrap(), "72 /min");
    assert_eq!(heart.accessible_description().unwrap(), "Heart strap 07 · now · weak signal");
    assert_eq!(desk.the("SpO2").accessible_description().unwrap(), "Oximeter 21 · 9 s ago");
}

#[test]
fn s10_the_pin_pad_never_names_what_was_typed() {
    let desk = Desk::new(PORTRAIT);
    desk.show(&concealed(Screen::Pin(samples::pin())));
    let before = desk.spoken();
    for digit in ["4", "7", "4", "7"] {
        desk.tap(&format!("Digit {digit}"));
    }
    let counted = desk.spoken().replace("4 digits entered", "0 digits entered");
    assert_eq!(counted, before, "only the count of digits may differ");
    desk.show(&concealed(Screen::Lock(samples::lock())));
    desk.show(&concealed(Screen::Pin(samples::pin())));
    assert_eq!(desk.the("PIN").accessible_value().unwrap(), "0 digits entered");
}
