//! Whole shifts as scripts: the real core with a settable clock, everything around it in memory.

use std::time::Duration;

use kit::kiosk::{Bedside, OXIMETER, PIN, STRAP, WRONG, badge, heart_rate, oximetry, pin};
use wardkeep_core::alarms::AlarmText;
use wardkeep_core::kiosk::page::Page;
use wardkeep_core::kiosk::pages::{devices, patients};
use wardkeep_core::kiosk::view::{FirstStart, Screen, TileState};
use wardkeep_core::kiosk::{first_start, frame, login};
use wardkeep_core::session::UNLOCKING_MAX;
use wardkeep_model::alarm::Priority;
use wardkeep_model::confidential::Phi;
use wardkeep_model::encounter::PatientForm;
use wardkeep_model::keeping::{Found, Outcome, StoreFault};
use wardkeep_model::notice::Notice;
use wardkeep_model::ports::{BadgeFault, Command, Event, Link, SpeakerHealth};
use wardkeep_model::vitals::Value;

const SECOND: Duration = Duration::from_secs(1);

fn shows(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn badge_and_pin_open_the_session() {
    let mut bedside = Bedside::locked();
    assert!(bedside.is_lock_screen());
    bedside.hardware(Event::BadgePresented(badge(1)));
    assert!(matches!(bedside.view().screen, Screen::Pin(prompt) if !prompt.busy));
    bedside.intent(login::Intent::SubmitPin(pin(PIN)));
    assert!(bedside.store.vault_open);
    let open = bedside.view().open.expect("an open frame");
    assert_eq!(open.operator.initials, "AK");
    assert!(matches!(bedside.view().screen, Screen::Patients(_)), "no patient was chosen yet");
}

#[test]
fn a_wrong_pin_and_an_unknown_badge_look_alike() {
    let mut views = Vec::new();
    for (tapped, typed) in [(1, WRONG), (7, PIN)] {
        let mut bedside = Bedside::locked();
        bedside.hardware(Event::BadgePresented(badge(tapped)));
        bedside.intent(login::Intent::SubmitPin(pin(typed)));
        assert!(!bedside.store.vault_open);
        views.push(bedside.view());
    }
    assert_eq!(views[0], views[1]);
    assert_eq!(views[0].notice, Some(Notice::BadgeOrPinWrong));
    assert!(matches!(views[0].screen, Screen::Pin(prompt) if prompt.refused));
}

#[test]
fn s5_tries_are_named_from_the_third_failure_and_end_at_the_lock_screen() {
    let mut bedside = Bedside::locked();
    bedside.hardware(Event::BadgePresented(badge(1)));
    for failure in 1..=10 {
        bedside.intent(login::Intent::SubmitPin(pin(WRONG)));
        let left = (3..10).contains(&failure).then_some(10_u8.saturating_sub(failure));
        if let Screen::Pin(prompt) = bedside.view().screen {
            assert_eq!(prompt.tries_left, left, "after {failure} failures");
        } else {
            assert!(bedside.is_lock_screen() && failure == 10, "after {failure} failures");
        }
    }
    assert_eq!(bedside.view().notice, Some(Notice::TriesExhausted));
}

#[test]
fn s1_every_way_out_hides_the_patient() {
    type Act = fn(&mut Bedside);
    let leave: [(&str, Act); 5] = [
        ("lock button", |b| b.intent(frame::Intent::Lock)),
        ("same badge after 3 s", |b| {
            b.wait(4 * SECOND);
            b.hardware(Event::BadgePresented(badge(1)));
        }),
        ("another badge", |b| b.hardware(Event::BadgePresented(badge(2)))),
        ("nobody touches the screen", |b| b.wait(121 * SECOND)),
        ("a badge that lay on the reader is pulled", |b| {
            b.hardware(Event::BadgePresented(badge(1)));
            b.wait(4 * SECOND);
            b.hardware(Event::BadgeRemoved);
        }),
    ];
    for (how, act) in leave {
        let mut bedside = Bedside::monitoring();
        let patient = bedside.view().open.and_then(|open| open.patient);
        assert_eq!(patient.map(|p| p.family.reveal().clone()), shows("Okonkwo-Brandt"));
        act(&mut bedside);
        assert!(!bedside.store.vault_open, "{how}: the vault is closed");
        assert!(bedside.view().open.is_none(), "{how}");
        assert!(matches!(bedside.view().screen, Screen::Lock(_) | Screen::Pin(_)), "{how}");
        bedside.unlock();
        let patient = bedside.view().open.and_then(|open| open.patient);
        assert_eq!(patient.map(|p| p.given.reveal().clone()), shows("Margaret"), "{how}");
    }
}

#[test]
fn a_second_tap_within_three_seconds_is_one_tap() {
    let mut bedside = Bedside::unlocked();
    bedside.wait(2 * SECOND);
    bedside.hardware(Event::BadgePresented(badge(1)));
    bedside.hardware(Event::BadgeRemoved);
    assert!(bedside.view().open.is_some());
}

#[test]
fn s1_a_badge_pulled_while_the_key_is_derived_lands_locked_even_if_the_vault_opens_late() {
    let mut bedside = Bedside::locked();
    bedside.hardware(Event::BadgePresented(badge(1)));
    bedside.wait(4 * SECOND);
    bedside.prompt_store = false;
    bedside.intent(login::Intent::SubmitPin(pin(PIN)));
    bedside.hardware(Event::BadgeRemoved);
    bedside.prompt_store = true;
    bedside.deliver();
    assert!(bedside.is_lock_screen() && !bedside.store.vault_open);
    assert_eq!(bedside.view().notice, Some(Notice::BadgePulled));
}

#[test]
fn s1_a_store_that_never_answers_lands_locked() {
    let mut bedside = Bedside::locked();
    bedside.prompt_store = false;
    bedside.hardware(Event::BadgePresented(badge(1)));
    bedside.intent(login::Intent::SubmitPin(pin(PIN)));
    bedside.wait(UNLOCKING_MAX + SECOND);
    assert!(bedside.is_lock_screen());
    bedside.prompt_store = true;
    bedside.deliver();
    assert!(bedside.is_lock_screen() && !bedside.store.vault_open);
}

#[test]
fn unreadable_badges_are_explained_on_the_lock_screen() {
    for (fault, notice) in [
        (BadgeFault::LeftTooSoon, Notice::BadgeLeftTooSoon),
        (BadgeFault::Two, Notice::TwoBadges),
        (BadgeFault::Unreadable, Notice::BadgeUnreadable),
    ] {
        let mut bedside = Bedside::locked();
        bedside.hardware(Event::BadgeUnreadable(fault));
        assert!(bedside.is_lock_screen());
        assert_eq!(bedside.view().notice, Some(notice));
    }
}

#[test]
fn s7_numbers_turn_to_dashes_on_silence_loss_and_finger_out() {
    let mut bedside = Bedside::monitoring();
    bedside.frame(STRAP, heart_rate(72));
    bedside.frame(OXIMETER, oximetry(97, 71));
    assert_eq!(bedside.numbers(), [shows("72"), shows("97"), shows("71")]);

    bedside.hardware(Event::Link(STRAP, Link::Lost));
    assert_eq!(bedside.numbers(), [None, shows("97"), shows("71")]);
    assert_eq!(bedside.tiles()[0].state, TileState::LinkLost);
    assert_eq!(bedside.tiles()[0].last.as_ref().map(|v| v.reveal().as_str()), Some("72"));

    bedside.frame(OXIMETER, vec![0x00, 0xFF, 0x07, 0xFF, 0x07]);
    assert_eq!(bedside.numbers(), [None, None, None]);
    assert_eq!(bedside.tiles()[1].state, TileState::NoValue);

    bedside.frame(OXIMETER, oximetry(96, 70));
    bedside.wait(5 * SECOND);
    assert_eq!(bedside.numbers(), [None, None, None]);
    assert_eq!(bedside.tiles()[1].state, TileState::Stale);
}

#[test]
fn s2_monitoring_goes_on_while_locked() {
    let mut bedside = Bedside::monitoring();
    bedside.intent(frame::Intent::Lock);
    let before = bedside.store.records.len();
    for _ in 0..12 {
        bedside.frame(OXIMETER, oximetry(86, 71));
        bedside.wait(SECOND);
    }
    assert_eq!(bedside.store.records.len() - before, 24);
    assert!(bedside.store.records.iter().all(|record| record.subject.is_some()));
    let strip = bedside.view().alarm.expect("an alarm while locked");
    assert_eq!(strip.priority, Priority::Medium);
    assert!(matches!(strip.text, AlarmText::Low(one) if one.value == "86"));
}

#[test]
fn s6_values_are_filed_only_between_assign_and_release() {
    let mut bedside = Bedside::monitoring();
    bedside.frame(STRAP, heart_rate(70));
    bedside.intent(frame::Intent::Open(Page::Devices));
    bedside.intent(devices::Intent::Release(STRAP));
    assert!(bedside.radio.contains(&Command::Disconnect(STRAP)));
    bedside.frame(STRAP, heart_rate(71));
    bedside.advertise(STRAP, wardkeep_model::vitals::DeviceKind::HeartRate);
    bedside.intent(devices::Intent::Connect(STRAP));
    bedside.hardware(Event::Link(STRAP, Link::Live));
    bedside.frame(STRAP, heart_rate(72));
    let filed: Vec<_> = bedside
        .store
        .records
        .iter()
        .map(|record| match record.value.reveal() {
            Value::Measured(value) => (value.to_string(), record.subject.is_some()),
            Value::Absent(_) => panic!("no value was absent"),
        })
        .collect();
    assert_eq!(filed, [("70".to_owned(), true), ("72".to_owned(), false)]);
}

#[test]
fn s6_another_patient_at_the_bed_unassigns_every_device() {
    let mut bedside = Bedside::monitoring();
    bedside.intent(frame::Intent::Open(Page::Patients));
    let (family, given) = (Phi::new("Aydin".into()), Phi::new("Cem".into()));
    let form = PatientForm { family, given, ..PatientForm::default() };
    bedside.intent(patients::Intent::Add(form));
    bedside.frame(OXIMETER, oximetry(95, 80));
    assert!(bedside.store.records.iter().all(|record| record.subject.is_none()));
    assert_eq!(bedside.numbers(), [None, None, None]);
}

#[test]
fn patients_are_found_by_any_part_of_their_name_or_number() {
    let mut bedside = Bedside::monitoring();
    for (family, given, mrn) in
        [("Aydin", "Cem", "4470"), ("N\u{fa}\u{f1}ez", "Zo\u{eb}", "4502"), ("Berg", "Ida", "9917")]
    {
        bedside.intent(frame::Intent::Open(Page::Patients));
        bedside.intent(patients::Intent::Add(PatientForm {
            family: Phi::new(family.into()),
            given: Phi::new(given.into()),
            mrn: Phi::new(mrn.into()),
            ..PatientForm::default()
        }));
    }
    bedside.intent(frame::Intent::Open(Page::Patients));
    let all = bedside.store.patients.len();
    for (search, found) in
        [("nunez zoe", 1), ("450", 1), ("IDA", 1), ("ydi", 1), ("", all), ("ida 4502", 0)]
    {
        bedside.intent(patients::Intent::Search(Phi::new(search.into())));
        let Screen::Patients(page) = bedside.view().screen else { panic!("the page is left") };
        assert_eq!((page.rows.len(), page.total), (found, all), "{search}");
    }
}

#[test]
fn s2_monitoring_resumes_after_a_restart_with_nobody_there() {
    let before = Bedside::monitoring();
    let cart = before.store.cart.expect("a saved cart");
    let mut after = Bedside::resumed(cart);
    assert_eq!(after.radio.len(), 2, "both devices are connected again");
    for id in [STRAP, OXIMETER] {
        after.hardware(Event::Link(id, Link::Live));
    }
    after.frame(STRAP, heart_rate(180));
    after.wait(SECOND);
    after.frame(STRAP, heart_rate(181));
    after.wait(SECOND);
    after.frame(STRAP, heart_rate(182));
    after.wait(SECOND);
    after.frame(STRAP, heart_rate(183));
    assert!(after.is_lock_screen());
    assert!(after.store.records.iter().all(|record| record.subject.is_some()));
    let strip = after.view().alarm.expect("an alarm on the locked screen");
    assert!(matches!(strip.text, AlarmText::High(one) if one.value == "183"));
}

#[test]
fn s9_a_device_that_never_comes_back_after_a_restart_is_missed() {
    let before = Bedside::monitoring();
    let mut after = Bedside::resumed(before.store.cart.expect("a saved cart"));
    after.wait(5 * SECOND);
    let strip = after.view().alarm.expect("an alarm");
    assert!(matches!(strip.text, AlarmText::LinkLost { .. }));
}

#[test]
fn s9_link_loss_and_battery_are_signalled() {
    let mut bedside = Bedside::monitoring();
    bedside.hardware(Event::Frame {
        device: STRAP,
        characteristic: wardkeep_model::vitals::Characteristic(0x2A19),
        payload: vec![12],
        received: bedside.now(),
    });
    let strip = bedside.view().alarm.expect("battery alarm");
    assert!(matches!(strip.text, AlarmText::BatteryLow { percent: 12, .. }));
    bedside.hardware(Event::Link(OXIMETER, Link::Lost));
    bedside.wait(4 * SECOND);
    let strip = bedside.view().alarm.expect("link alarm");
    assert!(matches!(strip.text, AlarmText::LinkLost { .. }));
    assert_eq!((strip.priority, strip.others), (Priority::Medium, 1));
    bedside.acknowledge();
    assert!(bedside.view().alarm.is_some_and(|strip| strip.acknowledged));
}

#[test]
fn s8_lost_records_stay_on_the_strip_until_seen() {
    let mut bedside = Bedside::locked();
    bedside.event(wardkeep_core::kiosk::Event::RecordsLost(3));
    bedside.wait(60 * SECOND);
    let strip = bedside.view().alarm.expect("a technical alarm");
    assert_eq!(strip.text, AlarmText::RecordsLost { count: 3 });
    bedside.acknowledge();
    bedside.wait(SECOND);
    assert!(bedside.view().alarm.is_none());
}

#[test]
fn s11_waveform_samples_reach_the_screen_only_where_they_may() {
    let mut bedside = Bedside::monitoring();
    let wave = |device| Event::Wave { device, rate_hz: 125, samples: vec![0.5; 6] };
    bedside.hardware(wave(OXIMETER));
    assert_eq!(bedside.waves, 1);
    bedside.intent(frame::Intent::Open(Page::Devices));
    bedside.hardware(wave(OXIMETER));
    bedside.intent(frame::Intent::Lock);
    bedside.hardware(wave(OXIMETER));
    assert_eq!(bedside.waves, 1);
}

#[test]
fn s6_s7_a_value_from_the_devices_memory_is_neither_live_nor_filed() {
    let mut bedside = Bedside::monitoring();
    // 2A5F with a measurement status of bit 9: data from measurement storage.
    bedside.frame(OXIMETER, vec![0x04, 96, 0, 70, 0, 0x00, 0x02]);
    assert_eq!(bedside.numbers(), [None, None, None]);
    assert!(!bedside.store.records.is_empty());
    assert!(bedside.store.records.iter().all(|record| record.subject.is_none()));
}

#[test]
fn the_first_start_shows_the_recovery_words_until_they_are_written_down() {
    let mut bedside = Bedside::on_a_new_machine();
    bedside.intent(first_start::Intent::Begin);
    let name = wardkeep_model::confidential::Phi::new("Ada Kern".to_owned());
    bedside.intent(first_start::Intent::NameAdmin { name, initials: "AK".into() });
    bedside.hardware(Event::BadgePresented(badge(1)));
    bedside.intent(login::Intent::SubmitPin(pin(PIN)));
    bedside.intent(login::Intent::SubmitPin(pin(PIN)));
    assert!(matches!(bedside.view().screen, Screen::FirstStart(FirstStart::Recovery(_))));
    bedside.hardware(Event::BadgePresented(badge(1)));
    bedside.wait(600 * SECOND);
    assert!(matches!(bedside.view().screen, Screen::FirstStart(FirstStart::Recovery(_))));
    bedside.intent(first_start::Intent::RecoveryWritten);
    assert!(bedside.is_lock_screen());
}

#[test]
fn s9_a_speaker_that_does_not_answer_is_an_alarm() {
    let mut bedside = Bedside::locked();
    bedside.hardware(Event::Speaker(SpeakerHealth::NoDevice));
    assert!(bedside.view().alarm.is_some_and(|strip| strip.text == AlarmText::NoSound));
    bedside.hardware(Event::Speaker(SpeakerHealth::Ready));
    assert!(bedside.view().alarm.is_none());
}

#[test]
fn s8_a_store_that_recovers_leaves_assignments_alone() {
    let mut bedside = Bedside::monitoring();
    bedside.event(wardkeep_core::kiosk::Event::Store(Outcome::Fault(StoreFault::Full)));
    assert!(bedside.view().alarm.is_some_and(|strip| strip.text == AlarmText::NotRecording));
    bedside.event(wardkeep_core::kiosk::Event::Store(Outcome::Recovered));
    let stale = Found::Store(Box::default());
    bedside.event(wardkeep_core::kiosk::Event::Store(Outcome::Found(stale)));
    assert!(bedside.view().alarm.is_none());
    bedside.frame(STRAP, heart_rate(72));
    assert_eq!(bedside.numbers()[0], shows("72"));
}

#[test]
fn s1_a_session_shows_only_what_its_own_unlock_brought() {
    let mut bedside = Bedside::monitoring();
    bedside.intent(frame::Intent::Lock);
    bedside.store.patients.clear();
    bedside.unlock();
    assert!(bedside.view().open.is_some_and(|open| open.patient.is_none()));
}
