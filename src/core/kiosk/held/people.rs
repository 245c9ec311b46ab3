//! What the pages about people, the audit log and oneself hold; emptied at lock (S-1).

use wardkeep_model::access::OperatorId;
use wardkeep_model::access::factor::Attempt;
use wardkeep_model::confidential::Phi;
use wardkeep_model::keeping::{AuditRow, PersonRow};
use wardkeep_model::ports::CardSeen;

use crate::kiosk::view::records::Checkpoint;
use crate::session::enrolment::Enrolment;

/// Attempts and prompts of the wizards count from here: the session's own never come near.
pub(crate) const WIZARD_FROM: u64 = 1 << 32;
/// Questions to the store outside of a wizard count from here.
const ASKED_FROM: u64 = 1 << 33;

/// What these pages hold.
#[derive(Debug)]
pub(crate) struct People {
    /// Everybody, by name; `None` until the store has told.
    pub(crate) rows: Option<Vec<PersonRow>>,
    pub(crate) search: Phi<String>,
    /// Whose page is open.
    pub(crate) opened: Option<OperatorId>,
    pub(crate) wizard: Option<Enrolment>,
    pub(crate) audit: Option<Vec<AuditRow>>,
    pub(crate) checkpoint: Checkpoint,
    /// Counts accepted forms.
    pub(crate) saved: u64,
    /// Last number given to an attempt or a prompt of a wizard.
    pub(crate) count: u64,
    /// Last number given to a question to the store.
    pub(crate) asked_count: u64,
    pub(crate) asked: Asked,
    /// The badge in the field, and the card in the reader, came during an enrolment: the session does
    /// not know of them and must not hear of their leaving.
    pub(crate) has_guest_badge: bool,
    pub(crate) guest_card: Option<CardSeen>,
    /// The fingerprint reader's name; empty without one.
    pub(crate) sensor: String,
}

/// What the store has not answered yet.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    pub(crate) list: Option<Attempt>,
    pub(crate) audit: Option<Attempt>,
    pub(crate) checkpoint: Option<Attempt>,
    pub(crate) revocation: Option<(Attempt, Revocation)>,
}

impl Default for People {
    fn default() -> Self {
        Self {
            rows: None,
            search: Phi::default(),
            opened: None,
            wizard: None,
            audit: None,
            checkpoint: Checkpoint::Hidden,
            saved: 0,
            count: WIZARD_FROM,
            asked_count: ASKED_FROM,
            asked: Asked::default(),
            has_guest_badge: false,
            guest_card: None,
            sensor: String::new(),
        }
    }
}

impl People {
    pub(crate) fn next_attempt(&mut self) -> Attempt {
        self.asked_count += 1;
        Attempt(self.asked_count)
    }

    pub(crate) fn hide_checkpoint(&mut self) {
        self.checkpoint = Checkpoint::Hidden;
        self.asked.checkpoint = None;
    }

    pub(crate) fn person(&self, id: OperatorId) -> Option<&PersonRow> {
        self.rows.iter().flatten().find(|row| row.id == id)
    }

    pub(crate) fn opened(&self) -> Option<&PersonRow> {
        self.person(self.opened?)
    }
}

/// What is being taken away.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Revocation {
    Person(OperatorId),
    /// A factor; with it may go what the session rests on.
    Factor {
        rests: bool,
    },
}
