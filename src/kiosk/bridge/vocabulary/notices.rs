//! Which sentences a notice stands for.

use wardkeep_model::notice::Notice;
use wardkeep_ui as ui;

/// A sentence for the operator, or none.
pub(crate) fn notice(notice: Option<Notice>) -> ui::NoticeWord {
    notice.map_or(ui::NoticeWord::None, word)
}

fn word(notice: Notice) -> ui::NoticeWord {
    match notice {
        Notice::BadgeOrPinWrong => ui::NoticeWord::BadgeOrPinWrong,
        Notice::TriesExhausted => ui::NoticeWord::TriesExhausted,
        Notice::TryLater => ui::NoticeWord::TryLater,
        Notice::BadgeLeftTooSoon => ui::NoticeWord::BadgeLeftTooSoon,
        Notice::BadgePulled => ui::NoticeWord::BadgePulled,
        Notice::TwoBadges => ui::NoticeWord::TwoBadges,
        Notice::BadgeUnreadable => ui::NoticeWord::BadgeUnreadable,
        Notice::PinTimedOut => ui::NoticeWord::PinTimedOut,
        Notice::LockedIdle => ui::NoticeWord::LockedIdle,
        Notice::LockedByBadge => ui::NoticeWord::LockedByBadge,
        Notice::LockedForOther => ui::NoticeWord::LockedForOther,
        Notice::VaultDamaged => ui::NoticeWord::VaultDamaged,
        Notice::PinsDiffer => ui::NoticeWord::PinsDiffer,
        Notice::PinGuessable => ui::NoticeWord::PinGuessable,
        Notice::NameIncomplete => ui::NoticeWord::NameIncomplete,
        Notice::BadgeNotUsable => ui::NoticeWord::BadgeNotUsable,
        Notice::StoreNotMade => ui::NoticeWord::StoreNotMade,
        Notice::ConfigIgnored => ui::NoticeWord::ConfigIgnored,
        Notice::PatientIncomplete => ui::NoticeWord::PatientIncomplete,
        Notice::BirthDateWrong => ui::NoticeWord::BirthDateWrong,
        Notice::CardLeftTooSoon => ui::NoticeWord::CardLeftTooSoon,
        Notice::CardNotPiv => ui::NoticeWord::CardNotPiv,
        Notice::CardUnreadable => ui::NoticeWord::CardUnreadable,
        Notice::CardPulled => ui::NoticeWord::CardPulled,
        Notice::CardChanged => ui::NoticeWord::CardChanged,
        Notice::CardPinWrong => ui::NoticeWord::CardPinWrong,
        Notice::CardLastTry => ui::NoticeWord::CardLastTry,
        Notice::CardBlocked => ui::NoticeWord::CardBlocked,
        Notice::CardNoKey => ui::NoticeWord::CardNoKey,
        Notice::CardNotTrusted => ui::NoticeWord::CardNotTrusted,
        Notice::CardExpired => ui::NoticeWord::CardExpired,
        Notice::CardRevoked => ui::NoticeWord::CardRevoked,
        Notice::RevocationListOld => ui::NoticeWord::RevocationListOld,
        Notice::CardWanted => ui::NoticeWord::CardWanted,
        Notice::FingerNotMatched => ui::NoticeWord::FingerNotMatched,
        Notice::FingerOff => ui::NoticeWord::FingerOff,
        Notice::FingerNotFitted => ui::NoticeWord::FingerNotFitted,
        Notice::FingerInUse => ui::NoticeWord::FingerInUse,
        Notice::FingerNotTaken => ui::NoticeWord::FingerNotTaken,
        Notice::ShiftOver => ui::NoticeWord::ShiftOver,
        Notice::PersonExpired => ui::NoticeWord::PersonExpired,
        Notice::BadgesDiffer => ui::NoticeWord::BadgesDiffer,
        Notice::TokenInUse => ui::NoticeWord::TokenInUse,
        Notice::PersonAdded => ui::NoticeWord::PersonAdded,
        Notice::FactorRevoked => ui::NoticeWord::FactorRevoked,
        Notice::PersonRevoked => ui::NoticeWord::PersonRevoked,
        Notice::PinChanged => ui::NoticeWord::PinChanged,
        Notice::LastAdministrator => ui::NoticeWord::LastAdministrator,
        Notice::VoucherWrong => ui::NoticeWord::VoucherWrong,
        Notice::DayWrong => ui::NoticeWord::DayWrong,
        Notice::TooMany => ui::NoticeWord::TooMany,
        Notice::NotWritten => ui::NoticeWord::NotWritten,
        Notice::NotAllowed => ui::NoticeWord::NotAllowed,
        Notice::EmergencyUnknown => ui::NoticeWord::EmergencyUnknown,
        Notice::EmergencyNothing => ui::NoticeWord::EmergencyNothing,
        Notice::EmergencyOver => ui::NoticeWord::EmergencyOver,
        Notice::StoreBroken => ui::NoticeWord::StoreBroken,
        Notice::StoreBack => ui::NoticeWord::StoreBack,
    }
}
