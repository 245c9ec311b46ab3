//! Bonds: keys that a device and this machine keep of each other, how people make them, and what may be
//! done over a link that rests on one.
//!
//! S-10: the numbers that people compare and type are [`Passkey`]s, which cannot be printed.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::vitals::{DeviceId, DeviceKind};

/// What is wanted of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Want {
    /// What the device measures.
    pub kind: DeviceKind,
    /// It was bonded: it may send nothing over a link that its bond does not protect.
    pub is_bonded: bool,
    /// The link is given up some seconds after the device's last measurement, so that the device can
    /// sleep, and made again when it has something to say.
    pub releases: bool,
    /// The link may be given up when the controller has no room for another device's: this one measures
    /// nobody.
    pub yields: bool,
}

impl Want {
    /// An unbonded link to a device of this kind, which nothing takes away. It is given up after a
    /// measurement unless the kind measures all the time.
    pub fn of(kind: DeviceKind) -> Self {
        Self { kind, is_bonded: false, releases: !kind.is_continuous(), yields: false }
    }
}

/// A number of six digits that a person compares or types (Core Specification Vol 3 Part H 2.3.5).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Passkey(u32);

impl Passkey {
    /// The highest there is.
    pub const MAX: u32 = 999_999;

    /// `None` where it has more than six digits.
    pub fn new(number: u32) -> Option<Self> {
        (number <= Self::MAX).then_some(Self(number))
    }

    /// The number, for the radio.
    pub fn number(self) -> u32 {
        self.0
    }

    /// All six digits, for the screen.
    pub fn digits(self) -> String {
        format!("{:06}", self.0)
    }
}

impl fmt::Debug for Passkey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[passkey]")
    }
}

/// What a person says while a device is paired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PairingAnswer {
    /// Both numbers are the same, or they are not.
    Confirm(bool),
    /// What the device shows.
    Passkey(Passkey),
    /// It is not to be paired after all.
    Cancel,
}

/// How far the pairing of a device has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PairingStep {
    /// The window is open: for this device alone, for a minute.
    Started,
    /// A person compares this number with the device's: [`PairingAnswer::Confirm`].
    CompareNumber(Passkey),
    /// A person types this number on the device.
    ShowPasskey {
        /// The number.
        passkey: Passkey,
        /// Digits that the device has taken so far, 0..=6.
        entered: u8,
    },
    /// A person types here what the device shows: [`PairingAnswer::Passkey`].
    TypePasskey,
    /// It is bonded, and this is its address from now on: another than it was paired by if that was a
    /// private one (Core Specification Vol 6 Part B 1.3.2.2).
    Bonded(DeviceId),
    /// Its bond is gone.
    Forgotten,
    /// The device gives nothing without a bond, and it has none.
    Needed,
    /// It did not work.
    Failed(PairingFault),
}

impl PairingStep {
    /// Where it is bonded, its address from now on.
    pub fn identity(self) -> Option<DeviceId> {
        match self {
            Self::Bonded(identity) => Some(identity),
            Self::Started
            | Self::CompareNumber(_)
            | Self::ShowPasskey { .. }
            | Self::TypePasskey
            | Self::Forgotten
            | Self::Needed
            | Self::Failed(_) => None,
        }
    }
}

/// Why there is no bond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PairingFault {
    /// The number that was typed is not the one that was shown.
    WrongPasskey,
    /// The person said that the numbers differ: something else may have answered.
    NumbersDiffer,
    /// The two could not agree on keys.
    AuthenticationFailed,
    /// The device refused after it had asked.
    Rejected,
    /// The connection ended while the two were at it: the device went away, or gave up.
    Left,
    /// The device refused at once, though it is near: it may be bonded to something else, or does not
    /// expect to be paired.
    BondedElsewhere,
    /// Nobody answered in time.
    TimedOut,
    /// The device was not heard, or did not answer.
    OutOfReach,
    /// The controller is doing something else, or another device is being paired.
    AdapterBusy,
    /// No controller works: none is there, or it or the Bluetooth daemon went away.
    NoAdapter,
    /// Somebody or something ended it.
    Cancelled,
    /// The bond does not hold any more: the device forgot it, or is not what it says. Pairing it again
    /// drops the old bond first.
    LostBond,
    /// The Bluetooth daemon gave a reason that says nothing to a person; the log has it.
    Unexplained,
}

/// Why nothing was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteFault {
    /// There is no live link.
    NotLinked,
    /// The device has no such characteristic, or more than one.
    NoSuchCharacteristic,
    /// Too much is being written already.
    Busy,
    /// The device takes it only over a bond.
    NotPaired,
    /// The characteristic cannot be written.
    NotPermitted,
    /// The device answered with this ATT error (Core Specification Vol 3 Part F 3.4.1.1): 0x80 to 0x9F
    /// mean what the service says, 0xFD that indications are off, 0xFE that it is still at the last
    /// procedure.
    Att(u8),
    /// No answer in time.
    TimedOut,
    /// The Bluetooth daemon failed; the log has the reason.
    Failed,
}

/// What a device offers, in short: SHA-256 over its services and characteristics, each with its UUID and
/// handle. Another one says that the device was changed, or is another.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableDigest(pub [u8; 32]);

impl fmt::Debug for TableDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, ..] = self.0;
        write!(f, "table-{a:02x}{b:02x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s10_a_passkey_has_six_digits_and_cannot_be_printed() {
        assert_eq!(Passkey::new(1_000_000), None);
        let passkey = Passkey::new(4_711).expect("six digits");
        assert_eq!(passkey.digits(), "004711");
        let step = PairingStep::ShowPasskey { passkey, entered: 2 };
        let answer = PairingAnswer::Passkey(passkey);
        let printed = format!("{step:?} {answer:?} {:?}", PairingStep::CompareNumber(passkey));
        assert!(!printed.contains("4711"), "{printed}");
    }
}
