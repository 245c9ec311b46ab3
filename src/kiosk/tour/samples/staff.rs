//! Views of an invented staff: people, factors, enrolment, audit, cart, and an emergency.

use wardkeep_core::kiosk::page::Page;
use wardkeep_core::kiosk::view::access::{
    Account, Audit, AuditLine, Cart, Emergency, EmergencyPage, FactorLine, FactorWord, PastRow,
    People, PersonLine, PersonPage, PersonState,
};
use wardkeep_core::kiosk::view::records::Checkpoint;
use wardkeep_core::kiosk::view::time::TimeOfDay;
use wardkeep_core::kiosk::view::{
    OpenFrame, OperatorChip, PinPrompt, Screen, Tile, TileState, View,
};
use wardkeep_core::session::enrolment::EnrolKind;
use wardkeep_model::access::factor::{Finger, TokenKind};
use wardkeep_model::access::policy::{Level, Pair};
use wardkeep_model::access::refusal::{Distrust, ReaderRefusal};
use wardkeep_model::access::{OperatorId, Role};
use wardkeep_model::confidential::Phi;
use wardkeep_model::encounter::{PatientForm, Sex};
use wardkeep_model::keeping::emergency::EmergencyReason;
use wardkeep_model::keeping::{AuditAct, AuditResult, FactorId, Protection};
use wardkeep_model::ports::ReaderHealth;
use wardkeep_model::vitals::parameter::Parameter;

use crate::tour::samples::{concealed, margaret, missing, pin, tile};

/// A view with this screen and an IT person, to whom no patient is shown.
pub fn open_it(screen: Screen) -> View {
    let operator = OperatorChip {
        initials: "DT".into(),
        role: Role::It,
        level: Level::Strong,
        since: TimeOfDay::at(14, 5),
        minutes_left: 6,
    };
    let pages = vec![Page::Devices, Page::People, Page::Audit, Page::Cart];
    // The core names the person whose factor is being enrolled.
    let enrolling = matches!(screen, Screen::Enrolment(_)).then(|| Phi::new(LONG_NAME.into()));
    let (patient, taking_over, encrypting, finding) = (None, None, None, None);
    let open = OpenFrame {
        operator,
        patient,
        pages,
        enrolling,
        taking_over,
        encrypting,
        finding,
        waiting: 0,
        just_filed: None,
    };
    View { open: Some(open), ..concealed(screen) }
}

/// A PIN prompt for a card.
pub fn card_pin() -> PinPrompt {
    PinPrompt { token: TokenKind::Card, ..pin() }
}

/// Somebody with a badge, a card and two fingers.
pub fn person(id: u128, name: &str, initials: &str, role: Role) -> PersonLine {
    PersonLine {
        id: OperatorId(id),
        name: Phi::new(name.into()),
        initials: initials.into(),
        role,
        state: PersonState::Ready,
        counts: (1, 1, 2),
        valid_until: String::new(),
    }
}

/// A name of eighty letters.
pub const LONG_NAME: &str =
    "Maximiliane Theodora Philippa Wolfeschlegelsteinhausen-Bergerdorff von Hohenlohe";

/// Six people, one in each state and one with a long name.
pub fn people() -> People {
    let until = |day: &str, line: PersonLine| PersonLine { valid_until: day.into(), ..line };
    let state = |state, counts, line: PersonLine| PersonLine { state, counts, ..line };
    let rows = vec![
        until("2027-03-31", person(1, "Adaeze Kirchner", "AK", Role::Nurse)),
        state(
            PersonState::Exhausted,
            (1, 0, 0),
            until("2027-06-30", person(2, "Bernd Maier-Leibnitz", "BM", Role::Nurse)),
        ),
        state(PersonState::Code, (1, 0, 0), person(3, "Chiara Santangelo", "CS", Role::Caregiver)),
        person(4, "Dewi Tan", "DT", Role::It),
        state(
            PersonState::Expired,
            (2, 0, 1),
            until("2026-10-31", person(5, LONG_NAME, "MTW", Role::Nurse)),
        ),
        state(PersonState::NoFactors, (0, 0, 0), person(6, "Zoë Lindqvist", "ZL", Role::Auditor)),
    ];
    People {
        total: rows.len(),
        rows: rows.into(),
        search: Phi::default(),
        loading: false,
        two_person: false,
        saved: 0,
    }
}

/// As [`people`], twice over and more than fit on a screen.
pub fn many_people() -> People {
    let mut many = people();
    let again: Vec<_> = many.rows.iter().cloned().cycle().take(14).collect();
    many.rows =
        (1_u128..).zip(again).map(|(id, line)| PersonLine { id: OperatorId(id), ..line }).collect();
    many.total = many.rows.len();
    many
}

/// The subject of an invented certificate.
pub const SUBJECT: &str = "CN=KIRCHNER.ADAEZE.4711, OU=Pflegedienst, O=Musterklinikum, C=DE";

/// A page of somebody with a badge, a card and a finger; the fingerprint reader is missing.
pub fn person_page() -> PersonPage {
    let factor = |id, word, since: &str| FactorLine { id: FactorId(id), word, since: since.into() };
    PersonPage {
        person: PersonLine {
            counts: (1, 1, 1),
            valid_until: "2027-03-31".into(),
            ..person(1, "Adaeze Kirchner", "AK", Role::Nurse)
        },
        factors: vec![
            factor(11, FactorWord::Badge, "2026-09-01"),
            factor(12, FactorWord::Card(Phi::new(SUBJECT.into())), "2026-09-01"),
            factor(13, FactorWord::Finger(Finger::RightIndex), "2026-11-20"),
        ],
        readers: [
            (EnrolKind::Badge, ReaderHealth::Ready),
            (EnrolKind::Card, ReaderHealth::Ready),
            (EnrolKind::Finger, ReaderHealth::NoLibrary),
        ],
        is_self: false,
        busy: false,
    }
}

/// A page of somebody who was just added.
pub fn newcomer() -> PersonPage {
    PersonPage {
        person: PersonLine {
            state: PersonState::NoFactors,
            counts: (0, 0, 0),
            ..person(6, LONG_NAME, "MTW", Role::Nurse)
        },
        factors: vec![],
        ..person_page()
    }
}

/// The emergency view over a patient with an allergy.
pub fn emergency_page() -> EmergencyPage {
    let past = (0_i8..90).map(|minutes_ago| {
        let minute = 14 * 60 + 30 - i16::from(minutes_ago);
        let digits = |text: String, keep: bool| Phi::new(if keep { text } else { String::new() });
        PastRow {
            at: TimeOfDay::at(
                i8::try_from(minute / 60).unwrap_or_default(),
                i8::try_from(minute % 60).unwrap_or_default(),
            ),
            rate: digits(format!("{}", 72 + minutes_ago % 7), minutes_ago % 11 != 5),
            spo2: digits(format!("{}", 97 - minutes_ago % 3), minutes_ago % 13 != 7),
        }
    });
    EmergencyPage {
        patient: margaret(),
        allergies: Phi::new("Penicillin, latex".into()),
        tiles: vec![
            tile(Parameter::HeartRate, "118"),
            Tile { ..tile(Parameter::SpO2, "91") },
            missing(Parameter::PulseRate, TileState::LinkLost, Some(("116", 42))),
        ],
        past: past.collect(),
        seconds_left: 14 * 60 + 58,
    }
}

/// The step at which a badge is wanted.
pub fn emergency_token() -> Emergency {
    Emergency::Token { badge_reader: ReaderHealth::Ready, card_reader: ReaderHealth::Ready }
}

/// The step at which a reason is wanted.
pub fn emergency_reason() -> Emergency {
    Emergency::Reason { reasons: EmergencyReason::ALL.to_vec(), busy: false }
}

/// A day's audit log.
pub fn audit() -> Audit {
    let line = |seq: u64, minute, act, operator: &str, person: &str| AuditLine {
        seq,
        day: "2026-11-22".into(),
        at: TimeOfDay::at(14, minute),
        act,
        operator: Phi::new(operator.into()),
        person: Phi::new(person.into()),
        pair: None,
        reason: None,
        result: AuditResult::Done,
        finding: None,
        refusal: None,
        times: None,
        detail: Phi::default(),
    };
    let dewi = "Dewi Tan";
    let rows = vec![
        line(30, 30, AuditAct::BadgeEnrolled, dewi, LONG_NAME),
        line(29, 29, AuditAct::PersonAdded, dewi, LONG_NAME),
        AuditLine { pair: Some(Pair::CardPin), ..line(28, 28, AuditAct::Unlocked, dewi, "") },
        AuditLine {
            reason: Some(EmergencyReason::FactorFailed),
            ..line(27, 12, AuditAct::EmergencyOpened, "Adaeze Kirchner", "")
        },
        AuditLine {
            result: AuditResult::Refused,
            refusal: Some(ReaderRefusal::NotTrusted(Distrust::Revoked)),
            times: Some(3),
            detail: Phi::new(
                "ACS ACR1281 1S Dual Reader [ACR1281 1S Dual Reader ICC] 00 00".into(),
            ),
            ..line(27, 11, AuditAct::ReaderRefused, "", "")
        },
        line(26, 11, AuditAct::UnlockRefused, "", ""),
        line(25, 9, AuditAct::AlarmAcknowledged, "Adaeze Kirchner", ""),
        AuditLine {
            pair: Some(Pair::BadgeFinger),
            ..line(24, 8, AuditAct::Unlocked, "Adaeze Kirchner", "")
        },
        line(23, 7, AuditAct::KeysRotated, dewi, ""),
        line(22, 7, AuditAct::PersonRevoked, dewi, "Bernd Maier-Leibnitz"),
    ];
    Audit {
        rows: rows.into(),
        loading: false,
        checkpoint: Checkpoint::Hidden,
        open: vec![],
        acknowledging: false,
    }
}

/// A cart with grace, and a file for its secret.
pub fn cart() -> Cart {
    Cart {
        protection: Some(Protection::Reduced),
        shift_min: 240,
        pairs: vec![Pair::CardPin, Pair::BadgePin, Pair::CardFinger, Pair::BadgeFinger],
        emergency: true,
        two_person: true,
        crl_days: 30,
        sensor: "Synaptics Prometheus 06cb:00bd".into(),
    }
}

/// A nurse's own page.
pub fn account() -> Account {
    Account {
        name: Phi::new("Adaeze Kirchner".into()),
        role: Role::Nurse,
        pair: Pair::BadgePin,
        level: Level::Copyable,
        since: TimeOfDay::at(14, 20),
        shift_until: Some(TimeOfDay::at(18, 20)),
        can_change_pin: true,
    }
}

/// A patient form that was not finished.
pub fn draft() -> PatientForm {
    PatientForm {
        family: Phi::new("Abernathy".into()),
        given: Phi::new("Zora".into()),
        born: Phi::new("1951-".into()),
        sex: Phi::new(Sex::Female),
        mrn: Phi::default(),
        allergies: Phi::new("Nuts".into()),
    }
}
