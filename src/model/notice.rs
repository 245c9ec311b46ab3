//! Sentences for the operator: each notice is one fact and one piece of advice.
//!
//! The core names the notice, the screen words it in the operator's language. No notice carries
//! patient data, a badge number or a device's internals (S-10).

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
    /// The two PINs differ.
    PinsDiffer,
    /// Everybody tries this PIN first.
    PinGuessable,
    /// A name or initials are missing or too long.
    NameIncomplete,
    /// The badge is used by somebody already, or was read as a random number.
    BadgeNotUsable,
    /// The store could not be made.
    StoreNotMade,
    /// The configuration file has settings that were not used.
    ConfigIgnored,
    /// A required field of the patient form is empty or too long.
    PatientIncomplete,
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
    /// The badge or card is enrolled already.
    TokenInUse,
    /// The person was added.
    PersonAdded,
    /// The factor was taken away.
    FactorRevoked,
    /// The person was taken away.
    PersonRevoked,
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
    /// It was not done, because it could not be written.
    NotWritten,
    /// This role may not do that.
    NotAllowed,
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
