//! The pairing of a device on the screen.

use wardkeep_model::confidential::Secret;
use wardkeep_model::ports::PairingFault;
use wardkeep_model::vitals::{DeviceId, DeviceKind};

/// How far it has come, and what a person does next.
#[derive(Clone, Debug)]
pub enum PairingStage {
    /// The device is made ready, and is asked.
    Waiting,
    /// Compare this number with the device's.
    Compare(Secret<String>),
    /// Type this number on the device, which has taken so many digits.
    Show(Secret<String>, u8),
    /// Type here what the device shows; so many digits are typed, and somebody waits for an answer.
    Type {
        /// What was typed so far.
        digits: Secret<String>,
        /// It was sent to the device.
        is_sent: bool,
        /// Tries that are left, once one was wrong.
        tries_left: Option<u8>,
    },
    /// It is bonded.
    Done,
    /// It is not.
    Failed(PairingFault),
}

impl PartialEq for PairingStage {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Waiting, Self::Waiting) | (Self::Done, Self::Done) => true,
            (Self::Compare(a), Self::Compare(b)) => a.expose() == b.expose(),
            (Self::Show(a, n), Self::Show(b, m)) => (a.expose(), n) == (b.expose(), m),
            (
                Self::Type { digits: a, is_sent: b, tries_left: c },
                Self::Type { digits: d, is_sent: e, tries_left: f },
            ) => (a.expose(), b, c) == (d.expose(), e, f),
            (Self::Failed(a), Self::Failed(b)) => a == b,
            _ => false,
        }
    }
}

/// The page.
#[derive(Clone, Debug, PartialEq)]
pub struct PairingPage {
    /// Which device.
    pub id: DeviceId,
    /// What people call it.
    pub name: String,
    /// What it measures.
    pub kind: DeviceKind,
    /// How strong it is heard, where it is.
    pub is_near: bool,
    /// How far it has come.
    pub stage: PairingStage,
    /// Until the window closes, while it is open.
    pub seconds_left: Option<u64>,
}
