//! Stops about who gets in: ways to log in, emergency, people, enrolment, audit, cart, account.

use wardkeep_core::alarms::AlarmText;
use wardkeep_core::kiosk::view::access::{
    Account, Audit, Cart, Emergency, EmergencyPage, Enrolment, People, PersonPage, PersonState,
    Ways,
};
use wardkeep_core::kiosk::view::{
    Bedside, Lock, Patients, PinPrompt, PinPurpose, Screen, TileState, View,
};
use wardkeep_core::session::FingerPrompt;
use wardkeep_core::session::enrolment::EnrolKind;
use wardkeep_model::access::factor::Finger;
use wardkeep_model::access::guessable::Weakness;
use wardkeep_model::access::policy::{Level, Pair};
use wardkeep_model::alarm::Priority;
use wardkeep_model::confidential::{Phi, Secret};
use wardkeep_model::keeping::Protection;
use wardkeep_model::notice::Notice;
use wardkeep_model::ports::{FingerAdvice, ReaderHealth, ReaderKind};
use wardkeep_model::vitals::parameter::Parameter;

use crate::tour::samples::staff::{
    SUBJECT, account, audit, card_pin, cart, draft, emergency_page, emergency_reason,
    emergency_token, many_people, newcomer, open_it, people, person_page,
};
use crate::tour::samples::{
    alarm, bedside, concealed, lock, long_name, low_oxygen, missing, open, patients, pin,
};
use crate::tour::stop::{Stop, stop, touch};

/// All of them.
pub(super) fn all() -> Vec<Stop> {
    let mut stops = ways();
    stops.extend(pads());
    stops.extend(emergencies());
    stops.extend(lists());
    stops.extend(persons());
    stops.extend(enrolments());
    stops.extend(pages());
    stops.extend(told());
    stops
}

fn every_reader() -> Lock {
    Lock {
        readers: vec![
            (ReaderKind::Badge, ReaderHealth::Ready),
            (ReaderKind::SmartCard, ReaderHealth::Ready),
            (ReaderKind::Finger, ReaderHealth::NoLibrary),
        ],
        ways: Ways { card: true, emergency: true },
        ..lock()
    }
}

fn ways() -> Vec<Stop> {
    let all = concealed(Screen::Lock(every_reader()));
    let mut card_only = every_reader();
    card_only.readers.retain(|(kind, _)| *kind != ReaderKind::Badge);
    card_only.readers.insert(0, (ReaderKind::Badge, ReaderHealth::NotFitted));
    let low = alarm(Priority::Medium, low_oxygen("88"));
    vec![
        stop("lock-ways", all.clone()),
        stop(
            "lock-left-behind",
            View { alarm: Some(alarm(Priority::Low, AlarmText::TokenLeftBehind)), ..all.clone() },
        ),
        stop("lock-ways-alarm", View { alarm: Some(low), simulated: true, ..all.clone() }),
        stop("lock-card-only", concealed(Screen::Lock(card_only))),
        Stop { day: true, ..stop("lock-ways-day", all) },
    ]
}

fn pads() -> Vec<Stop> {
    let shown = |prompt| concealed(Screen::Pin(prompt));
    let finger = |hint| PinPrompt { finger: Some(hint), ..pin() };
    let refused = PinPrompt { refused: true, tries_left: Some(2), ..card_pin() };
    let choose = PinPrompt { purpose: PinPurpose::Choose, ..pin() };
    vec![
        stop("pin-finger", shown(finger(FingerPrompt::Waiting))),
        stop("pin-finger-not-matched", shown(finger(FingerPrompt::NotMatched))),
        stop("pin-finger-advice", shown(finger(FingerPrompt::Retry(FingerAdvice::Centre)))),
        stop("pin-finger-off", shown(finger(FingerPrompt::Off))),
        stop("pin-card", shown(card_pin())),
        stop("pin-card-refused", shown(refused)),
        stop(
            "pin-card-finger",
            View {
                simulated: true,
                alarm: Some(alarm(Priority::High, low_oxygen("79"))),
                ..shown(PinPrompt { finger: Some(FingerPrompt::NotMatched), ..refused })
            },
        ),
        stop("pin-own", shown(choose)),
    ]
}

fn emergencies() -> Vec<Stop> {
    let step = |step| concealed(Screen::Emergency(step));
    let opened = |page| step(Emergency::Open(Box::new(page)));
    let none = Emergency::Token {
        badge_reader: ReaderHealth::NotFitted,
        card_reader: ReaderHealth::NotFitted,
    };
    let card_only = Emergency::Token {
        badge_reader: ReaderHealth::NotFitted,
        card_reader: ReaderHealth::Ready,
    };
    let busy = Emergency::Reason {
        reasons: wardkeep_model::keeping::emergency::EmergencyReason::ALL.to_vec(),
        busy: true,
    };
    let crowded = EmergencyPage {
        patient: long_name(),
        allergies: Phi::new(
            "Penicillin, latex, nuts, iodinated contrast media, pollen of birch and hazel, bee \
             and wasp venom, acetylsalicylic acid"
                .into(),
        ),
        ..emergency_page()
    };
    let bare = EmergencyPage {
        allergies: Phi::default(),
        tiles: [Parameter::HeartRate, Parameter::SpO2, Parameter::PulseRate]
            .map(|parameter| missing(parameter, TileState::NoDevice, None))
            .to_vec(),
        past: vec![],
        seconds_left: 59,
        ..emergency_page()
    };
    let low = alarm(Priority::High, low_oxygen("79"));
    vec![
        stop("emergency-token", step(emergency_token())),
        stop("emergency-no-reader", step(none)),
        stop("emergency-card-only", step(card_only)),
        stop("emergency-reason", step(emergency_reason())),
        stop("emergency-busy", step(busy)),
        stop("emergency", opened(emergency_page())),
        stop("emergency-crowded", View { alarm: Some(low), simulated: true, ..opened(crowded) }),
        stop("emergency-bare", opened(bare)),
        Stop { day: true, ..stop("emergency-day", opened(emergency_page())) },
    ]
}

fn lists() -> Vec<Stop> {
    let at = |people| open_it(Screen::People(people));
    let nobody = People { rows: [].into(), total: 0, ..people() };
    let loading = People { loading: true, ..nobody.clone() };
    let two = People { two_person: true, ..people() };
    let add: fn(&crate::bridge::AppWindow) =
        |window| touch(window, &["Add a person", "Person hinzufügen"]);
    vec![
        stop("people", at(people())),
        stop("people-many", at(many_people())),
        stop("people-none", at(nobody)),
        stop("people-loading", at(loading)),
        Stop { touch: add, ..stop("people-new", at(people())) },
        Stop {
            touch: |window| {
                touch(window, &["Add a person", "Person hinzufügen"]);
                touch(window, &["IT"]);
            },
            ..stop(
                "people-new-it",
                View {
                    simulated: true,
                    alarm: Some(alarm(Priority::Medium, low_oxygen("88"))),
                    ..at(two)
                },
            )
        },
        Stop {
            touch: add,
            ..stop("people-new-day-wrong", View { notice: Some(Notice::DayWrong), ..at(people()) })
        },
        Stop {
            touch: add,
            ..stop(
                "people-new-incomplete",
                View { notice: Some(Notice::NameIncomplete), ..at(people()) },
            )
        },
    ]
}

fn persons() -> Vec<Stop> {
    let at = |page| open_it(Screen::Person(Box::new(page)));
    let own = PersonPage { is_self: true, ..person_page() };
    let busy = PersonPage { busy: true, ..person_page() };
    let mut exhausted = person_page();
    exhausted.person.state = PersonState::Exhausted;
    exhausted.factors.truncate(1);
    vec![
        stop("person", at(person_page())),
        stop("person-new", at(newcomer())),
        stop("person-self", at(own)),
        stop("person-busy", at(busy)),
        stop("person-exhausted", at(exhausted)),
    ]
}

fn enrolments() -> Vec<Stop> {
    let at = |step| open_it(Screen::Enrolment(step));
    let ready = ReaderHealth::Ready;
    let choose = PinPrompt { purpose: PinPurpose::Choose, ..pin() };
    let repeat = PinPrompt { purpose: PinPurpose::Repeat, ..pin() };
    let test = PinPrompt { purpose: PinPurpose::SignTest, ..card_pin() };
    let vouch = PinPrompt { purpose: PinPurpose::Vouch, ..pin() };
    let subject = Phi::new(SUBJECT.into());
    let finger =
        |done, total, advice| Enrolment::Finger { finger: Finger::RightIndex, done, total, advice };
    let offered = |prompt| Enrolment::Pin { prompt, code_offered: true };
    let crowded = View {
        simulated: true,
        alarm: Some(alarm(Priority::High, low_oxygen("79"))),
        notice: Some(Notice::PinGuessable(Weakness::Date)),
        ..at(offered(choose))
    };
    vec![
        stop("enrol-badge", at(Enrolment::Badge { reader: ready, again: false })),
        stop("enrol-badge-again", at(Enrolment::Badge { reader: ready, again: true })),
        stop(
            "enrol-badge-no-reader",
            at(Enrolment::Badge { reader: ReaderHealth::NotFitted, again: false }),
        ),
        stop("enrol-pin", at(offered(choose))),
        stop("enrol-pin-crowded", crowded),
        stop("enrol-pin-repeat", at(Enrolment::Pin { prompt: repeat, code_offered: false })),
        stop("enrol-code", at(Enrolment::Code(Secret::new("40718263".into())))),
        stop("enrol-card", at(Enrolment::Card { reader: ready })),
        stop("enrol-card-pin", at(Enrolment::CardPin { subject, prompt: test })),
        stop("enrol-finger-choice", at(Enrolment::FingerChoice { fingers: Finger::ALL.to_vec() })),
        stop("enrol-finger-waiting", at(finger(0, 0, None))),
        stop("enrol-finger", at(finger(2, 5, None))),
        stop("enrol-finger-advice", at(finger(3, 5, Some(FingerAdvice::Longer)))),
        stop("enrol-second", at(Enrolment::SecondPerson { badge_reader: ready })),
        stop("enrol-second-pin", at(Enrolment::SecondPin(vouch))),
        stop("enrol-working", at(Enrolment::Working)),
        stop(
            "enrol-done-badge",
            at(Enrolment::Done { kind: EnrolKind::Badge, another_finger: false }),
        ),
        stop(
            "enrol-done-finger",
            at(Enrolment::Done { kind: EnrolKind::Finger, another_finger: true }),
        ),
        stop("enrol-done-pin", at(Enrolment::Done { kind: EnrolKind::Pin, another_finger: false })),
    ]
}

fn pages() -> Vec<Stop> {
    let strict = Cart {
        protection: Some(Protection::Full),
        shift_min: 0,
        pairs: vec![Pair::CardPin],
        emergency: false,
        two_person: false,
        crl_days: 0,
        sensor: String::new(),
    };
    let bare = Account {
        pair: Pair::CardPin,
        level: Level::Strong,
        shift_until: None,
        can_change_pin: false,
        ..account()
    };
    let resumed = Patients { draft: Some(draft()), ..patients() };
    vec![
        stop("audit", open_it(Screen::Audit(audit()))),
        stop("audit-empty", open_it(Screen::Audit(Audit { rows: [].into(), ..audit() }))),
        stop("cart", open_it(Screen::Cart(cart()))),
        stop("cart-strict", open_it(Screen::Cart(strict))),
        stop("account", open(Screen::Account(account()))),
        stop("account-card", open(Screen::Account(bare))),
        stop("patients-draft", open(Screen::Patients(resumed))),
    ]
}

/// Each notice on the screen where it is said.
fn told() -> Vec<Stop> {
    let locked = || concealed(Screen::Lock(every_reader()));
    let pad = || concealed(Screen::Pin(pin()));
    let card = || concealed(Screen::Pin(card_pin()));
    let everybody = || open_it(Screen::People(people()));
    let one = || open_it(Screen::Person(Box::new(person_page())));
    let badge = || {
        open_it(Screen::Enrolment(Enrolment::Badge { reader: ReaderHealth::Ready, again: false }))
    };
    let fingers =
        || open_it(Screen::Enrolment(Enrolment::FingerChoice { fingers: Finger::ALL.to_vec() }));
    let nurse = || open(Screen::Bedside(Bedside { waves: vec![], ..bedside() }));
    let token = || concealed(Screen::Emergency(emergency_token()));
    [
        ("told-card-left-too-soon", locked(), Notice::CardLeftTooSoon),
        ("told-card-not-piv", locked(), Notice::CardNotPiv),
        ("told-card-unreadable", locked(), Notice::CardUnreadable),
        ("told-card-pulled", locked(), Notice::CardPulled),
        ("told-card-changed", locked(), Notice::CardChanged),
        ("told-card-pin-wrong", card(), Notice::CardPinWrong),
        ("told-card-last-try", locked(), Notice::CardLastTry),
        ("told-card-blocked", locked(), Notice::CardBlocked),
        ("told-card-no-key", locked(), Notice::CardNoKey),
        ("told-card-not-trusted", locked(), Notice::CardNotTrusted),
        ("told-card-expired", locked(), Notice::CardExpired),
        ("told-card-revoked", locked(), Notice::CardRevoked),
        ("told-revocation-list-old", locked(), Notice::RevocationListOld),
        ("told-card-wanted", locked(), Notice::CardWanted),
        ("told-finger-not-matched", pad(), Notice::FingerNotMatched),
        ("told-finger-off", pad(), Notice::FingerOff),
        ("told-finger-not-fitted", fingers(), Notice::FingerNotFitted),
        ("told-finger-in-use", fingers(), Notice::FingerInUse),
        ("told-finger-not-taken", fingers(), Notice::FingerNotTaken),
        ("told-shift-over", pad(), Notice::ShiftOver),
        ("told-person-expired", locked(), Notice::PersonExpired),
        ("told-badges-differ", badge(), Notice::BadgesDiffer),
        ("told-token-in-use", badge(), Notice::TokenInUse),
        ("told-person-added", badge(), Notice::PersonAdded),
        ("told-factor-revoked", one(), Notice::FactorRevoked),
        ("told-person-revoked", everybody(), Notice::PersonRevoked),
        ("told-keys-unchanged", everybody(), Notice::KeysUnchanged),
        ("told-pin-changed", open(Screen::Account(account())), Notice::PinChanged),
        ("told-last-administrator", one(), Notice::LastAdministrator),
        ("told-voucher-wrong", everybody(), Notice::VoucherWrong),
        ("told-too-many", everybody(), Notice::TooMany),
        ("told-not-written", one(), Notice::NotWritten),
        ("told-not-allowed", nurse(), Notice::NotAllowed),
        ("told-emergency-unknown", token(), Notice::EmergencyUnknown),
        ("told-emergency-nothing", locked(), Notice::EmergencyNothing),
        ("told-emergency-over", locked(), Notice::EmergencyOver),
    ]
    .into_iter()
    .map(|(name, view, notice)| stop(name, View { notice: Some(notice), ..view }))
    .collect()
}
