//! What an open session holds, and what its pages share.

use wardkeep_model::access::OperatorId;
use wardkeep_model::access::factor::Attempt;
use wardkeep_model::encounter::{Patient, PatientForm};
use wardkeep_model::keeping::{Administration, Command as StoreCommand, Draft};

use crate::kiosk::Effect;
use crate::kiosk::desk::Desk;
use crate::kiosk::enrolling::Wizard;
use crate::kiosk::pages::{Front, KnownReadings};

/// All that an open session may show (S-1: concealing is dropping it).
pub(super) struct Open {
    /// Details of the patient at this bed, for a role that may see them.
    pub(super) patient: Option<Patient>,
    pub(super) drafts: Drafts,
    /// Spot readings that are nobody's, and the last ones of this patient.
    pub(super) readings: KnownReadings,
    /// The page in front, with what it holds.
    pub(super) front: Front,
    /// The wizard that stands before it.
    pub(super) wizard: Wizard,
    /// What is being taken away of the staff. It counts whatever page is open when the answer comes.
    pub(super) revocation: Option<(Attempt, Revocation)>,
}

impl Open {
    /// The list of people again, if it is on the screen.
    pub(super) fn refresh(&mut self, desk: &mut Desk<'_>) -> Vec<Effect> {
        let Front::People(staff) = &mut self.front else { return vec![] };
        vec![staff.ask(desk)]
    }
}

/// What an unlock brought.
#[derive(Debug, Default)]
pub(super) struct Arrival {
    pub(super) patient: Option<Patient>,
    pub(super) draft: Option<Draft>,
}

/// What a person has typed into the patient form and not saved: handed to the store when their session
/// ends, which seals it to them alone.
#[derive(Debug, Default)]
pub(super) struct Drafts {
    /// As typed last.
    pub(super) typed: Option<Box<Draft>>,
    /// As it was when the page was opened: the screen fills its form with it once.
    pub(super) shown: Option<PatientForm>,
}

/// What is being taken away.
#[derive(Clone, Copy, Debug)]
pub(super) enum Revocation {
    Person(OperatorId),
    /// A factor; with it may go what the session rests on.
    Factor {
        rests: bool,
    },
}

/// A question to the store about people.
pub(super) fn ask(desk: &Desk<'_>, attempt: Attempt, what: Administration) -> Effect {
    Effect::Store(StoreCommand::Administer(attempt, Box::new(what), desk.now))
}
