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
    /// Records sealed while locked are missing or forged.
    BacklogDamaged,
}
