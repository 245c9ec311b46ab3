//! What was opened and has not been concealed. S-1: all that a session or an emergency view may show of
//! patients and staff is in here, and concealing is dropping it.

use wardkeep_model::keeping::emergency::EmergencyCard;
use wardkeep_model::ports::PairingStep;
use wardkeep_model::vitals::DeviceId;

use crate::kiosk::open::{Arrival, Open};
use crate::kiosk::pages::Front;

/// What was opened.
#[derive(Default)]
pub(super) enum Held {
    /// Nothing.
    #[default]
    Nothing,
    /// What an unlock brought, until it may be shown.
    Arrived(Box<Arrival>),
    /// Everything of an open session.
    Session(Box<Open>),
    /// What the emergency view shows.
    Emergency(Box<EmergencyCard>),
}

impl Held {
    /// The open session's, while there is one.
    pub(super) fn open(&self) -> Option<&Open> {
        match self {
            Held::Session(open) => Some(open),
            Held::Nothing | Held::Arrived(_) | Held::Emergency(_) => None,
        }
    }

    /// The same, to change it.
    pub(super) fn open_mut(&mut self) -> Option<&mut Open> {
        match self {
            Held::Session(open) => Some(open),
            Held::Nothing | Held::Arrived(_) | Held::Emergency(_) => None,
        }
    }

    /// A driver tells how far a pairing has come: the page about the device goes where that does.
    pub(super) fn paired(&mut self, device: DeviceId, step: PairingStep) {
        if let Some(Open { front: Front::Pairing(window), .. }) = self.open_mut()
            && let Some(identity) = step.identity()
        {
            window.moves(device, identity);
        }
    }

    /// Gives up what an unlock brought.
    pub(super) fn take_arrival(&mut self) -> Arrival {
        match std::mem::take(self) {
            Held::Arrived(arrival) => *arrival,
            Held::Nothing | Held::Session(_) | Held::Emergency(_) => Arrival::default(),
        }
    }
}
