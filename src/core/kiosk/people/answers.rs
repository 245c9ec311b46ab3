//! What the store answers about people. An answer counts only for the question that is still waited
//! for; a change that nobody waits for any more only makes the list be read again.

use wardkeep_model::access::factor::Attempt;
use wardkeep_model::keeping::{Administered, AdministrationFault};
use wardkeep_model::moment::Moment;
use wardkeep_model::notice::Notice;

use crate::kiosk::view::records::Checkpoint;
use crate::kiosk::{Effect, Kiosk};
use crate::session::enrolment;

impl Kiosk {
    pub(in crate::kiosk) fn people_answered(
        &mut self,
        now: Moment,
        attempt: Attempt,
        answer: Result<Administered, AdministrationFault>,
    ) -> Vec<Effect> {
        if !self.session.is_open() {
            return vec![];
        }
        if self.people.asked.list == Some(attempt) {
            self.people.asked.list = None;
            return self.listed(now, answer);
        }
        if self.people.asked.audit == Some(attempt) {
            self.people.asked.audit = None;
            return self.audited(now, answer);
        }
        if self.people.asked.checkpoint == Some(attempt) {
            self.people.asked.checkpoint = None;
            return self.signed(now, answer);
        }
        if let Some((_, whom)) =
            self.people.asked.revocation.take_if(|(asked, _)| *asked == attempt)
        {
            return match answer {
                Ok(_) => self.revoked(now, whom),
                Err(fault) => self.not_administered(now, fault),
            };
        }
        let is_change = matches!(
            answer,
            Ok(Administered::Added(_) | Administered::Enrolled(_) | Administered::Revoked)
        );
        if self.is_enrolling() && self.waits_for(attempt) {
            return self.in_enrolment(now, enrolment::Event::Administered(attempt, answer));
        }
        if is_change { self.refresh(now) } else { vec![] }
    }

    fn waits_for(&self, attempt: Attempt) -> bool {
        let step = self.people.wizard.as_ref().map(enrolment::Enrolment::step);
        matches!(step, Some(enrolment::Step::Writing(asked, _)) if *asked == attempt)
    }

    fn listed(
        &mut self,
        now: Moment,
        answer: Result<Administered, AdministrationFault>,
    ) -> Vec<Effect> {
        match answer {
            Ok(Administered::People(rows)) => self.people.rows = Some(rows),
            Ok(
                Administered::Added(_)
                | Administered::Enrolled(_)
                | Administered::Revoked
                | Administered::Audit(_)
                | Administered::BackedUp(_)
                | Administered::Shredded(_)
                | Administered::AuditExport(_)
                | Administered::Checkpoint(_)
                | Administered::AuditKey(_),
            ) => {}
            Err(fault) => return self.not_administered(now, fault),
        }
        vec![]
    }

    fn audited(
        &mut self,
        now: Moment,
        answer: Result<Administered, AdministrationFault>,
    ) -> Vec<Effect> {
        match answer {
            Ok(Administered::Audit(mut rows)) => {
                rows.sort_by_key(|row| std::cmp::Reverse(row.seq));
                self.people.audit = Some(rows);
            }
            Ok(
                Administered::Added(_)
                | Administered::Enrolled(_)
                | Administered::Revoked
                | Administered::People(_)
                | Administered::BackedUp(_)
                | Administered::Shredded(_)
                | Administered::AuditExport(_)
                | Administered::Checkpoint(_)
                | Administered::AuditKey(_),
            ) => {}
            Err(fault) => return self.not_administered(now, fault),
        }
        vec![]
    }

    fn signed(
        &mut self,
        now: Moment,
        answer: Result<Administered, AdministrationFault>,
    ) -> Vec<Effect> {
        self.people.checkpoint = match answer {
            Ok(Administered::Checkpoint(text)) => Checkpoint::Shown(text),
            Ok(
                Administered::Added(_)
                | Administered::Enrolled(_)
                | Administered::Revoked
                | Administered::People(_)
                | Administered::Audit(_)
                | Administered::BackedUp(_)
                | Administered::Shredded(_)
                | Administered::AuditExport(_)
                | Administered::AuditKey(_),
            ) => Checkpoint::Hidden,
            Err(fault) => {
                self.people.checkpoint = Checkpoint::Hidden;
                return self.not_administered(now, fault);
            }
        };
        vec![]
    }

    /// Tells why the store did not do what was asked.
    fn not_administered(&mut self, now: Moment, fault: AdministrationFault) -> Vec<Effect> {
        let notice = match fault {
            // The list on the screen is out of date.
            AdministrationFault::Unknown => return self.refresh(now),
            AdministrationFault::NotAllowed => Notice::NotAllowed,
            AdministrationFault::TokenInUse => Notice::TokenInUse,
            AdministrationFault::TokenRandom => Notice::BadgeNotUsable,
            AdministrationFault::PinGuessable => Notice::PinGuessable,
            AdministrationFault::NameIncomplete => Notice::NameIncomplete,
            AdministrationFault::LastAdministrator => Notice::LastAdministrator,
            AdministrationFault::VoucherNeeded | AdministrationFault::VoucherWrong => {
                Notice::VoucherWrong
            }
            AdministrationFault::TooMany => Notice::TooMany,
            AdministrationFault::Store(_)
            | AdministrationFault::Exists
            | AdministrationFault::NoPatient
            | AdministrationFault::SeveralPatients => Notice::NotWritten,
        };
        self.notify(now, notice);
        vec![]
    }
}
