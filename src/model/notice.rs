//! Sentences for the operator: each notice is one fact and one piece of advice.
//!
//! The core names the notice, the screen words it in the operator's language. No notice carries
//! patient data, a badge number or a device's internals (S-10).

use crate::access::guessable::Weakness;
use crate::access::naming::NameFault;
use crate::access::policy::Permission;

/// How much a notice asks of whoever reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Level {
    /// Something was done, or has changed by itself.
    Done,
    /// It did not work, and they can do something about it.
    Hint,
    /// Something is broken or missing that IT has to see to.
    Fault,
}

/// Who has to see a notice. For anybody else it is gone: what was wrong with somebody's form means nothing
/// at the locked screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Audience {
    /// Whoever stands there.
    Everybody,
    /// A logged-in person whose role may do this.
    Role(Permission),
}

/// What follows from which notice it is; its words are the screen's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// How much it asks.
    pub level: Level,
    /// Who has to see it.
    pub audience: Audience,
}

impl Row {
    const fn done(audience: Audience) -> Self {
        Self { level: Level::Done, audience }
    }

    const fn hint(audience: Audience) -> Self {
        Self { level: Level::Hint, audience }
    }

    const fn fault(audience: Audience) -> Self {
        Self { level: Level::Fault, audience }
    }
}

/// Something the operator has to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Notice {
    /// The badge is not enrolled or the PIN is wrong.
    BadgeOrPinWrong,
    /// PIN tries are used up.
    TriesExhausted,
    /// A delay runs before the next try.
    TryLater,
    /// The badge left before it was read.
    BadgeLeftTooSoon,
    /// The badge that lay on the reader was taken away.
    BadgePulled,
    /// Two badges at once.
    TwoBadges,
    /// The badge gave no usable number.
    BadgeUnreadable,
    /// Nobody finished the PIN in time.
    PinTimedOut,
    /// Locked: nobody touched the screen.
    LockedIdle,
    /// Locked by tapping the badge again.
    LockedByBadge,
    /// Locked: another badge was tapped; it may go on with its PIN.
    LockedForOther,
    /// The vault could not be opened although the factors were right.
    VaultDamaged,
    /// Nobody logs in: something outside this cart's disk knows later records than those on it.
    StoreSuspected,
    /// No PIN of a badge is tested: tries cannot be counted where nobody takes them back.
    CounterSilent,
    /// The two PINs differ.
    PinsDiffer,
    /// Everybody tries this PIN first.
    PinGuessable(Weakness),
    /// A name or initials are missing or too long.
    NameIncomplete,
    /// A name has characters that hide or reorder text.
    NameDeceptive,
    /// The badge is used by somebody already, or was read as a random number.
    BadgeNotUsable,
    /// The store could not be made.
    StoreNotMade,
    /// The configuration file has settings that were not used.
    ConfigIgnored,
    /// A required field of the patient form is empty or too long.
    PatientIncomplete,
    /// A patient with this number is here already.
    PatientNumberTaken,
    /// Somebody of this name and this date of birth is here already.
    PatientLooksKnown,
    /// What was typed about the patient could not be written.
    PatientNotSaved,
    /// The date of birth is not a date, or lies in the future.
    BirthDateWrong,
    /// The card left before it was read.
    CardLeftTooSoon,
    /// It is not a card that one can log in with.
    CardNotPiv,
    /// The card gave no sensible answer.
    CardUnreadable,
    /// The card was pulled out.
    CardPulled,
    /// Another card is in the reader than at first.
    CardChanged,
    /// The card says the PIN is wrong.
    CardPinWrong,
    /// One try is left on the card: it is not used here.
    CardLastTry,
    /// The card has blocked its PIN.
    CardBlocked,
    /// The card has no key that could open anything here.
    CardNoKey,
    /// The card's issuer is not trusted here, or its certificate is not for logging in.
    CardNotTrusted,
    /// The card's certificate has expired or is not valid yet.
    CardExpired,
    /// The card's issuer has revoked it.
    CardRevoked,
    /// The list of revoked cards is missing or too old.
    RevocationListOld,
    /// A badge was tapped where the site wants a card.
    CardWanted,
    /// The finger matched nobody.
    FingerNotMatched,
    /// After too many misses, or on another reader, the finger does not count.
    FingerOff,
    /// There is no fingerprint reader that works.
    FingerNotFitted,
    /// This finger is enrolled already.
    FingerInUse,
    /// The finger's enrolment was not finished.
    FingerNotTaken,
    /// The shift is over: badge or card, and PIN.
    ShiftOver,
    /// The person's time is over.
    PersonExpired,
    /// Two different badges were tapped.
    BadgesDiffer,
    /// The badge gives another number at every tap.
    BadgeRandom,
    /// The badge or card is enrolled already.
    TokenInUse,
    /// The person was added.
    PersonAdded,
    /// The factor was taken away.
    FactorRevoked,
    /// The person was taken away.
    PersonRevoked,
    /// Whatever was taken away is refused, and the vault is still under the keys of before.
    KeysUnchanged,
    /// The new PIN counts.
    PinChanged,
    /// Nobody could manage people any more.
    LastAdministrator,
    /// The second person's factors are wrong, or they are the same person.
    VoucherWrong,
    /// The day is not a date.
    DayWrong,
    /// As many people or factors as a cart holds.
    TooMany,
    /// The person has no badge and no card yet that a code could go with.
    NoToken,
    /// It was not done, because it could not be written.
    NotWritten,
    /// This role may not do that.
    NotAllowed,
    /// The sound was paused for as long as it may be within an hour.
    PauseUsedUp,
    /// A burst is played for whoever listens.
    SoundTested,
    /// The wall clock was set.
    ClockSet,
    /// Other alarm limits are in force.
    LimitsChanged,
    /// A spot reading that is not this patient's waits in the tray.
    ReadingWaits,
    /// A spot reading that was filed by mistake waits in the tray.
    ReadingPutBack,
    /// Nobody is at this bed any more.
    PatientLeft,
    /// The device was asked to show itself, and does.
    DeviceBlinks,
    /// The device cannot show itself.
    DeviceCannotBlink,
    /// No device of this cart has this label or serial number.
    DeviceNotFound,
    /// What was written about the device is kept.
    DeviceDescribed,
    /// Another device has this label.
    LabelTaken,
    /// The label is too long, or cannot be read.
    LabelWrong,
    /// Whose a spot reading is could not be written.
    ReadingNotFiled,
    /// A device could not complete its measurement.
    MeasurementFailed,
    /// A device measured its control solution.
    ControlSolution,
    /// A device sent a value that nobody alive has.
    MeasurementImplausible,
    /// The emergency view: this badge or card is not enrolled.
    EmergencyUnknown,
    /// The emergency view: nothing is kept about a patient at this bed.
    EmergencyNothing,
    /// The emergency view is over.
    EmergencyOver,
    /// Nobody can log in, because the store cannot be opened.
    StoreBroken,
    /// The store can be opened again.
    StoreBack,
}

impl From<NameFault> for Notice {
    fn from(fault: NameFault) -> Self {
        match fault {
            NameFault::Deceptive => Notice::NameDeceptive,
            NameFault::Name | NameFault::Initials => Notice::NameIncomplete,
        }
    }
}

impl Notice {
    /// Every row.
    pub const fn row(self) -> Row {
        use Audience::{Everybody, Role};
        use Permission::{Care, ConnectDevices, MaintainDevices, ManagePeople};
        match self {
            Self::BadgeOrPinWrong => Row::hint(Everybody),
            Self::TriesExhausted => Row::fault(Everybody),
            Self::TryLater => Row::hint(Everybody),
            Self::BadgeLeftTooSoon => Row::hint(Everybody),
            Self::BadgePulled => Row::done(Everybody),
            Self::TwoBadges | Self::BadgeUnreadable => Row::hint(Everybody),
            Self::PinTimedOut => Row::hint(Everybody),
            Self::LockedIdle | Self::LockedByBadge => Row::done(Everybody),
            Self::LockedForOther => Row::done(Everybody),
            Self::VaultDamaged => Row::fault(Everybody),
            Self::StoreSuspected | Self::CounterSilent => Row::fault(Everybody),
            Self::PinsDiffer => Row::hint(Everybody),
            Self::PinGuessable(_) => Row::hint(Everybody),
            Self::NameIncomplete | Self::NameDeceptive => Row::hint(Everybody),
            Self::BadgeNotUsable => Row::hint(Everybody),
            Self::StoreNotMade => Row::fault(Everybody),
            Self::ConfigIgnored => Row::fault(Everybody),
            Self::PatientIncomplete => Row::hint(Role(Care)),
            Self::PatientNumberTaken | Self::PatientLooksKnown => Row::hint(Role(Care)),
            Self::PatientNotSaved => Row::fault(Role(Care)),
            Self::BirthDateWrong => Row::hint(Role(Care)),
            Self::CardLeftTooSoon => Row::hint(Everybody),
            Self::CardNotPiv => Row::hint(Everybody),
            Self::CardUnreadable => Row::hint(Everybody),
            Self::CardPulled => Row::done(Everybody),
            Self::CardChanged | Self::CardPinWrong | Self::CardLastTry => Row::hint(Everybody),
            Self::CardBlocked => Row::fault(Everybody),
            Self::CardNoKey | Self::CardNotTrusted => Row::fault(Everybody),
            Self::CardExpired | Self::CardRevoked => Row::fault(Everybody),
            Self::RevocationListOld => Row::fault(Everybody),
            Self::CardWanted => Row::hint(Everybody),
            Self::FingerNotMatched => Row::hint(Everybody),
            Self::FingerOff => Row::hint(Everybody),
            Self::FingerNotFitted => Row::fault(Everybody),
            Self::FingerInUse | Self::FingerNotTaken => Row::hint(Everybody),
            Self::ShiftOver => Row::done(Everybody),
            Self::PersonExpired => Row::fault(Everybody),
            Self::BadgesDiffer | Self::BadgeRandom => Row::hint(Everybody),
            Self::TokenInUse => Row::hint(Role(ManagePeople)),
            Self::PersonAdded => Row::done(Role(ManagePeople)),
            Self::FactorRevoked | Self::PersonRevoked => Row::done(Everybody),
            Self::KeysUnchanged => Row::fault(Everybody),
            Self::PinChanged => Row::done(Everybody),
            Self::LastAdministrator => Row::hint(Role(ManagePeople)),
            Self::VoucherWrong => Row::hint(Role(ManagePeople)),
            Self::DayWrong => Row::hint(Role(ManagePeople)),
            Self::TooMany | Self::NoToken => Row::hint(Role(ManagePeople)),
            Self::NotWritten => Row::fault(Everybody),
            Self::NotAllowed => Row::hint(Everybody),
            Self::PauseUsedUp => Row::hint(Everybody),
            Self::SoundTested => Row::done(Everybody),
            Self::ClockSet => Row::hint(Everybody),
            Self::LimitsChanged | Self::PatientLeft => Row::done(Role(Care)),
            Self::ReadingWaits | Self::ReadingPutBack => Row::done(Role(Care)),
            Self::ReadingNotFiled => Row::fault(Role(Care)),
            Self::MeasurementFailed | Self::ControlSolution | Self::MeasurementImplausible => {
                Row::hint(Role(Care))
            }
            Self::DeviceBlinks => Row::done(Role(ConnectDevices)),
            Self::DeviceCannotBlink | Self::DeviceNotFound => Row::hint(Role(ConnectDevices)),
            Self::DeviceDescribed => Row::done(Role(MaintainDevices)),
            Self::LabelTaken | Self::LabelWrong => Row::hint(Role(MaintainDevices)),
            Self::EmergencyUnknown | Self::EmergencyNothing => Row::hint(Everybody),
            Self::EmergencyOver => Row::done(Everybody),
            Self::StoreBroken => Row::fault(Everybody),
            Self::StoreBack => Row::done(Everybody),
        }
    }
}
