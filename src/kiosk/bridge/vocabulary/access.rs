//! Staff, their factors, the emergency view and the audit log in the screen's words.

use wardkeep_core::kiosk::view::access::{Enrolment, PersonState};
use wardkeep_core::session::FingerPrompt;
use wardkeep_core::session::enrolment::EnrolKind;
use wardkeep_model::access::Role;
use wardkeep_model::access::factor::{Finger, TokenKind};
use wardkeep_model::access::policy::{Level, Pair};
use wardkeep_model::keeping::emergency::EmergencyReason;
use wardkeep_model::keeping::{AuditAct, Protection};
use wardkeep_model::ports::FingerAdvice;
use wardkeep_ui as ui;

/// What a login proved.
pub(crate) fn level(level: Level) -> ui::LevelWord {
    match level {
        Level::Single => ui::LevelWord::Single,
        Level::Copyable => ui::LevelWord::Copyable,
        Level::Strong => ui::LevelWord::Strong,
    }
}

/// Which two factors.
pub(crate) fn pair(pair: Pair) -> ui::PairWord {
    match pair {
        Pair::CardPin => ui::PairWord::CardPin,
        Pair::BadgePin => ui::PairWord::BadgePin,
        Pair::CardFinger => ui::PairWord::CardFinger,
        Pair::BadgeFinger => ui::PairWord::BadgeFinger,
        Pair::CardAlone => ui::PairWord::CardAlone,
        Pair::BadgeAlone => ui::PairWord::BadgeAlone,
    }
}

/// What was presented.
pub(crate) fn token(kind: TokenKind) -> ui::TokenWord {
    match kind {
        TokenKind::Badge => ui::TokenWord::Badge,
        TokenKind::Card => ui::TokenWord::Card,
    }
}

/// The finger prompt beside the PIN pad, or none.
pub(crate) fn finger_prompt(prompt: Option<FingerPrompt>) -> ui::FingerHint {
    match prompt {
        None => ui::FingerHint::None,
        Some(FingerPrompt::Waiting) => ui::FingerHint::Waiting,
        Some(FingerPrompt::NotMatched) => ui::FingerHint::NotMatched,
        Some(FingerPrompt::Retry(hint)) => advice(hint),
        Some(FingerPrompt::Off) => ui::FingerHint::Off,
    }
}

/// How a finger is laid on better.
pub(crate) fn advice(advice: FingerAdvice) -> ui::FingerHint {
    match advice {
        FingerAdvice::Again => ui::FingerHint::Again,
        FingerAdvice::Longer => ui::FingerHint::Longer,
        FingerAdvice::Centre => ui::FingerHint::Centre,
        FingerAdvice::Lift => ui::FingerHint::Lift,
    }
}

/// Name of a finger.
pub(crate) fn finger(finger: Finger) -> ui::FingerName {
    match finger {
        Finger::RightIndex => ui::FingerName::RightIndex,
        Finger::LeftIndex => ui::FingerName::LeftIndex,
        Finger::RightThumb => ui::FingerName::RightThumb,
        Finger::LeftThumb => ui::FingerName::LeftThumb,
        Finger::RightMiddle => ui::FingerName::RightMiddle,
        Finger::LeftMiddle => ui::FingerName::LeftMiddle,
    }
}

/// The finger that was chosen.
pub(crate) fn chosen_finger(finger: ui::FingerName) -> Finger {
    match finger {
        ui::FingerName::RightIndex => Finger::RightIndex,
        ui::FingerName::LeftIndex => Finger::LeftIndex,
        ui::FingerName::RightThumb => Finger::RightThumb,
        ui::FingerName::LeftThumb => Finger::LeftThumb,
        ui::FingerName::RightMiddle => Finger::RightMiddle,
        ui::FingerName::LeftMiddle => Finger::LeftMiddle,
    }
}

/// A kind of factor.
pub(crate) fn factor(kind: EnrolKind) -> ui::FactorWord {
    match kind {
        EnrolKind::Badge => ui::FactorWord::Badge,
        EnrolKind::Card => ui::FactorWord::Card,
        EnrolKind::Finger => ui::FactorWord::Finger,
        EnrolKind::Pin => ui::FactorWord::Pin,
    }
}

/// The kind of factor whose button was touched.
pub(crate) fn chosen_factor(word: ui::FactorWord) -> Option<EnrolKind> {
    match word {
        ui::FactorWord::Badge => Some(EnrolKind::Badge),
        ui::FactorWord::Card => Some(EnrolKind::Card),
        ui::FactorWord::Finger => Some(EnrolKind::Finger),
        ui::FactorWord::Pin => Some(EnrolKind::Pin),
        ui::FactorWord::None => None,
    }
}

/// How a person stands.
pub(crate) fn standing(state: PersonState) -> ui::StandingWord {
    match state {
        PersonState::Ready => ui::StandingWord::Ready,
        PersonState::NoFactors => ui::StandingWord::NoFactors,
        PersonState::Code => ui::StandingWord::Code,
        PersonState::Expired => ui::StandingWord::Expired,
        PersonState::Exhausted => ui::StandingWord::Exhausted,
    }
}

/// The role that was chosen in the form.
pub(crate) fn chosen_role(role: ui::RoleWord) -> Role {
    match role {
        ui::RoleWord::Nurse => Role::Nurse,
        ui::RoleWord::Caregiver => Role::Caregiver,
        ui::RoleWord::It => Role::It,
        ui::RoleWord::Auditor => Role::Auditor,
    }
}

/// Which step of an enrolment; none for those on the PIN pad.
pub(crate) fn step(step: &Enrolment) -> ui::EnrolStep {
    match step {
        Enrolment::Badge { .. } => ui::EnrolStep::Badge,
        Enrolment::Code(_) => ui::EnrolStep::Code,
        Enrolment::Card { .. } => ui::EnrolStep::Card,
        Enrolment::FingerChoice { .. } => ui::EnrolStep::FingerChoice,
        Enrolment::Finger { .. } => ui::EnrolStep::Finger,
        Enrolment::SecondPerson { .. } => ui::EnrolStep::Second,
        Enrolment::Working => ui::EnrolStep::Working,
        Enrolment::Done { .. } => ui::EnrolStep::Done,
        Enrolment::Pin { .. } | Enrolment::CardPin { .. } | Enrolment::SecondPin(_) => {
            ui::EnrolStep::None
        }
    }
}

/// Why the emergency view is wanted.
pub(crate) fn reason(reason: EmergencyReason) -> ui::ReasonWord {
    match reason {
        EmergencyReason::LifeThreatening => ui::ReasonWord::LifeThreatening,
        EmergencyReason::FactorFailed => ui::ReasonWord::FactorFailed,
        EmergencyReason::NobodyAvailable => ui::ReasonWord::NobodyAvailable,
    }
}

/// The reason whose button was touched.
pub(crate) fn chosen_reason(word: ui::ReasonWord) -> Option<EmergencyReason> {
    match word {
        ui::ReasonWord::LifeThreatening => Some(EmergencyReason::LifeThreatening),
        ui::ReasonWord::FactorFailed => Some(EmergencyReason::FactorFailed),
        ui::ReasonWord::NobodyAvailable => Some(EmergencyReason::NobodyAvailable),
        ui::ReasonWord::None => None,
    }
}

/// How the device secret is kept.
pub(crate) fn protection(protection: Option<Protection>) -> ui::ProtectionWord {
    match protection {
        None => ui::ProtectionWord::Unknown,
        Some(Protection::Reduced) => ui::ProtectionWord::Reduced,
        Some(Protection::Full) => ui::ProtectionWord::Full,
    }
}

/// What the audit log says happened.
pub(crate) fn act(act: AuditAct) -> ui::ActWord {
    match act {
        AuditAct::Unlocked => ui::ActWord::Unlocked,
        AuditAct::Locked => ui::ActWord::Locked,
        AuditAct::UnlockRefused => ui::ActWord::UnlockRefused,
        AuditAct::PatientCreated => ui::ActWord::PatientCreated,
        AuditAct::PatientChosen => ui::ActWord::PatientChosen,
        AuditAct::DeviceAssigned => ui::ActWord::DeviceAssigned,
        AuditAct::DeviceReleased => ui::ActWord::DeviceReleased,
        AuditAct::AlarmAcknowledged => ui::ActWord::AlarmAcknowledged,
        AuditAct::AudioPaused => ui::ActWord::AudioPaused,
        AuditAct::StoreCreated => ui::ActWord::StoreCreated,
        AuditAct::StoreFinding => ui::ActWord::StoreFinding,
        AuditAct::PatientShredded => ui::ActWord::PatientShredded,
        AuditAct::BackupWritten => ui::ActWord::BackupWritten,
        AuditAct::BackupRestored => ui::ActWord::BackupRestored,
        AuditAct::CheckpointExported => ui::ActWord::CheckpointExported,
        AuditAct::PersonAdded => ui::ActWord::PersonAdded,
        AuditAct::PersonRevoked => ui::ActWord::PersonRevoked,
        AuditAct::BadgeEnrolled => ui::ActWord::BadgeEnrolled,
        AuditAct::CardEnrolled => ui::ActWord::CardEnrolled,
        AuditAct::FingerEnrolled => ui::ActWord::FingerEnrolled,
        AuditAct::FactorRevoked => ui::ActWord::FactorRevoked,
        AuditAct::PinSet => ui::ActWord::PinSet,
        AuditAct::CodeIssued => ui::ActWord::CodeIssued,
        AuditAct::KeysRotated => ui::ActWord::KeysRotated,
        AuditAct::Vouched => ui::ActWord::Vouched,
        AuditAct::EmergencyOpened => ui::ActWord::EmergencyOpened,
        AuditAct::EmergencyRefused => ui::ActWord::EmergencyRefused,
        AuditAct::EmergencyEnded => ui::ActWord::EmergencyEnded,
        AuditAct::RecoveryUsed => ui::ActWord::RecoveryUsed,
        AuditAct::AccessRefused => ui::ActWord::AccessRefused,
    }
}
