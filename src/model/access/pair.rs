//! Two factors that open together, and how much they prove.

use serde::{Deserialize, Serialize};

/// Which factors opened a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pair {
    /// PIV card and its PIN.
    CardPin,
    /// Badge and PIN.
    BadgePin,
    /// Inside a shift: card and finger.
    CardFinger,
    /// Inside a shift: badge and finger.
    BadgeFinger,
    /// Inside a shift, where the site allows it: card alone.
    CardAlone,
    /// Inside a shift, where the site allows it: badge alone.
    BadgeAlone,
}

impl Pair {
    /// All pairs there are. Finger and PIN without a token is none of them.
    pub const ALL: [Pair; 6] = [
        Pair::CardPin,
        Pair::BadgePin,
        Pair::CardFinger,
        Pair::BadgeFinger,
        Pair::CardAlone,
        Pair::BadgeAlone,
    ];

    /// Opens only what a full login of the same shift left behind.
    pub fn needs_shift(self) -> bool {
        match self {
            Pair::CardPin | Pair::BadgePin => false,
            Pair::CardFinger | Pair::BadgeFinger | Pair::CardAlone | Pair::BadgeAlone => true,
        }
    }

    /// One of them is a finger.
    pub fn uses_finger(self) -> bool {
        match self {
            Pair::CardFinger | Pair::BadgeFinger => true,
            Pair::CardPin | Pair::BadgePin | Pair::CardAlone | Pair::BadgeAlone => false,
        }
    }

    /// How much it proves.
    pub fn level(self) -> Level {
        match self {
            Pair::CardPin => Level::Strong,
            Pair::BadgePin | Pair::BadgeFinger | Pair::CardFinger => Level::Copyable,
            Pair::CardAlone | Pair::BadgeAlone => Level::Single,
        }
    }
}

/// What a login proved; the screen says it plainly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// One thing that can be copied, inside a shift.
    Single,
    /// Two factors, one of which (a badge's number, a card without its PIN) can be copied.
    Copyable,
    /// A key that cannot leave its card, and the card's PIN.
    Strong,
}
