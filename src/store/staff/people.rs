//! Managing people and their factors in the open vault, and reading the audit log.
//!
//! The store checks the role of whoever has the vault open by itself and does not rely on the screen.
//! Nobody who came in with a one-time code may do anything before they have chosen a PIN.
//!
//! Every act is in the audit log. Its entry is written before the act's one commit point, so that a
//! kill may leave an entry too many and never one too few.

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::cart::{Cart, Person};
use crate::open::emergency;
use crate::open::options::Options;
use crate::open::setup::Store;
use crate::record::entry::Entry;
use crate::staff::rotation::{Failure, Taken};
use crate::vault::Vault;
use crate::vault::{audit, entries, patients, people};
use crate::worker::record::Opened;
use crate::worker::{Phase, Worker};
use wardkeep_model::access::OperatorId;
use wardkeep_model::access::factor::Attempt;
use wardkeep_model::access::factor::{TemplateId, TokenKind};
use wardkeep_model::access::lockout::TRIES_MAX;
use wardkeep_model::access::policy::{Permission, Policy};
use wardkeep_model::confidential::Phi;
use wardkeep_model::keeping::{
    Administered, Administration, AdministrationFault as Fault, AuditAct, AuditEntry, AuditRow,
    FactorId, FactorKind, FactorRow, Outcome, PersonRow, StoreFault,
};
use wardkeep_model::moment::Moment;

/// Most entries of the audit log in one answer.
const AUDIT_MAX: u32 = 1_000;

/// What an act needs beside the store.
#[derive(Clone, Copy)]
pub(crate) struct Desk<'a> {
    pub options: &'a Options,
    pub now: Moment,
}

impl Desk<'_> {
    /// The cart's local date.
    pub(crate) fn today(&self) -> Date {
        self.now.wall.to_zoned(TimeZone::system()).date()
    }

    pub(crate) fn policy(&self) -> &Policy {
        &self.options.policy
    }
}

impl Worker {
    /// Does what IT or an auditor asks, if their role allows it. A revocation waits until what was
    /// recorded while locked is in the vault.
    pub(crate) fn administer(&mut self, attempt: Attempt, what: Administration, now: Moment) {
        self.flush();
        if what.waits_for_import() && self.is_importing() {
            match &self.revocation {
                Some(_) => self.refuse(attempt, Fault::Store(StoreFault::InUse)),
                None => self.revocation = Some((attempt, what, now)),
            }
            return;
        }
        if let Some(fault) = self.fault.filter(|_| !what.reads()) {
            return self.refuse(attempt, Fault::Store(fault));
        }
        let Phase::Ready(store) = &mut self.phase else {
            return self.refuse(attempt, Fault::NotAllowed);
        };
        let was_open = store.open.is_some();
        let epoch = store.ring.epoch;
        let act = what.act();
        let done = store.administer(Desk { options: &self.options, now }, what);
        let is_open = store.open.is_some();
        if let Err(refused) = &done {
            let entry = store.not_done(act, *refused, now);
            self.record(Entry::Audit(Box::new(entry)));
        }
        let answer = match done {
            Err(Refused::Fault(fault)) => Err(fault),
            Err(Refused::Unclear(fault)) => {
                self.start();
                if self.epoch() > epoch { Ok(Administered::Revoked) } else { Err(fault.into()) }
            }
            Ok(administered) => Ok(administered),
        };
        self.answer(Outcome::Administered(attempt, answer));
        if was_open && !is_open {
            self.answer(Outcome::Closed);
        }
    }

    fn epoch(&self) -> u64 {
        match &self.phase {
            Phase::Ready(store) => store.ring.epoch,
            Phase::Empty(_) | Phase::Stopped(_) => 0,
        }
    }

    fn refuse(&self, attempt: Attempt, fault: Fault) {
        self.answer(Outcome::Administered(attempt, Err(fault)));
    }

    /// Does the revocation that waited for the import.
    pub(crate) fn revoke_after_import(&mut self) {
        if !self.is_importing()
            && let Some((attempt, what, now)) = self.revocation.take()
        {
            self.administer(attempt, what, now);
        }
    }

    /// The vault closes before the revocation's turn came.
    pub(crate) fn refuse_revocation(&mut self) {
        if let Some((attempt, _, _)) = self.revocation.take() {
            self.refuse(attempt, Fault::NotAllowed);
        }
    }
}

/// Why an act was not done.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Refused {
    /// Nothing has changed.
    Fault(Fault),
    /// The store has to be opened anew to know; the vault is closed.
    Unclear(StoreFault),
}

impl<F: Into<Fault>> From<F> for Refused {
    fn from(fault: F) -> Self {
        Refused::Fault(fault.into())
    }
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Undone(fault) => Refused::Fault(fault.into()),
            Failure::Unclear(fault) => Refused::Unclear(fault),
        }
    }
}

impl Store {
    /// Does one act for whoever has the vault open.
    pub(crate) fn administer(
        &mut self,
        desk: Desk<'_>,
        what: Administration,
    ) -> Result<Administered, Refused> {
        self.permit(&what)?;
        match what {
            Administration::ListPeople => Ok(Administered::People(self.list()?)),
            Administration::ReadAudit(limit) => Ok(Administered::Audit(self.read_audit(limit)?)),
            Administration::ExportAudit | Administration::Checkpoint => {
                Ok(self.hand_out_log(desk, &what)?)
            }
            Administration::AuditKey => Ok(self.audit_key()?),
            Administration::AddPerson(new, voucher) => Ok(self.add_person(desk, new, voucher)?),
            Administration::EnrolBadge(person, badge, pin) => {
                Ok(self.enrol_badge(desk, person, (badge, pin))?)
            }
            Administration::EnrolCard(person, card) => Ok(self.enrol_card(desk, person, card)?),
            Administration::EnrolFinger(person, template) => {
                Ok(self.enrol_finger(desk, person, template)?)
            }
            Administration::SetPin(person, pin) => Ok(self.set_pin(desk, person, pin)?),
            Administration::ChangeOwnPin(pin) => Ok(self.change_own_pin(desk, &pin)?),
            Administration::RevokeFactor(person, factor) => {
                self.revoke_factor(desk, person, factor)
            }
            Administration::RevokePerson(person) => {
                self.known(person)?;
                let act = AuditAct::PersonRevoked;
                self.take_away(desk, Taken::Person(person), act)
            }
            Administration::BackUp(order) => Ok(self.back_up(desk, &order)?),
            Administration::Shred(mrn) => Ok(self.shred(desk, &mrn)?),
        }
    }

    fn permit(&self, what: &Administration) -> Result<(), Fault> {
        let opened = self.open.as_ref().ok_or(Fault::NotAllowed)?;
        let Some(operator) = opened.operator() else {
            // The recovery words: everything but what belongs to a person.
            return what.permission().map(|_| ()).ok_or(Fault::NotAllowed);
        };
        let person = self.cart.person(operator).ok_or(Fault::NotAllowed)?;
        match what.permission() {
            None => Ok(()),
            Some(_) if person.code_since.is_some() => Err(Fault::NotAllowed),
            Some(permission) if person.role.may(permission) => Ok(()),
            Some(_) => Err(Fault::NotAllowed),
        }
    }

    pub(crate) fn known(&self, person: OperatorId) -> Result<&Person, Fault> {
        self.cart.person(person).ok_or(Fault::Unknown)
    }

    pub(crate) fn vault(&mut self) -> Result<&mut Vault, Fault> {
        Ok(self.open.as_mut().ok_or(Fault::NotAllowed)?.vault())
    }

    /// An entry about a person, by whoever has the vault open.
    pub(crate) fn entry(&self, act: AuditAct, person: OperatorId, now: Moment) -> AuditEntry {
        let operator = self.open.as_ref().and_then(Opened::operator);
        AuditEntry { operator, person: Some(person), ..AuditEntry::of(act, now.wall) }
    }

    /// Writes an entry before the act's commit.
    pub(crate) fn audit(&mut self, mut entry: AuditEntry) -> Result<(), Fault> {
        self.stamp(&mut entry, Moment::read());
        entries::append(self.vault()?, &[Entry::Audit(Box::new(entry))])?;
        Ok(())
    }

    /// Destroys the data key of the patient with this number, and what the cart compartment and the
    /// emergency card have of them.
    fn shred(&mut self, desk: Desk<'_>, mrn: &Phi<String>) -> Result<Administered, Fault> {
        let mrn = mrn.reveal().trim();
        let patients = patients::all(self.vault()?)?;
        let mut found = patients.iter().filter(|one| !mrn.is_empty() && one.mrn.reveal() == mrn);
        let subject = match (found.next(), found.next()) {
            (Some(patient), None) => patient.id,
            (Some(_), Some(_)) => return Err(Fault::SeveralPatients),
            (None, _) => return Err(Fault::NoPatient),
        };
        let operator = self.open.as_ref().and_then(Opened::operator);
        let entry = AuditEntry::of(AuditAct::PatientShredded, desk.now.wall);
        let entry = AuditEntry { operator, subject: Some(subject), ..entry };
        let mut cart = self.cart.clone();
        let is_here = cart.state.subject == Some(subject);
        cart.state.subject = cart.state.subject.filter(|here| *here != subject);
        for device in &mut cart.state.devices {
            device.assignment = device.assignment.filter(|given| given.subject != subject);
        }
        if cart != self.cart {
            self.commit_cart(cart)?;
        }
        if is_here {
            emergency::remove(&self.state.store())?;
        }
        patients::shred(self.vault()?, subject, entry)?;
        Ok(Administered::Shredded(subject))
    }

    fn list(&mut self) -> Result<Vec<PersonRow>, Fault> {
        let cart = &self.cart;
        let vault = self.open.as_mut().ok_or(Fault::NotAllowed)?.vault();
        let mut rows = Vec::new();
        for person in &cart.people {
            rows.push(row(vault, cart, person)?);
        }
        rows.sort_by_cached_key(|row| row.name.reveal().to_lowercase());
        Ok(rows)
    }

    fn read_audit(&mut self, limit: u32) -> Result<Vec<AuditRow>, Fault> {
        let vault = self.vault()?;
        let names = people::names(vault)?;
        let name = |id: Option<OperatorId>| -> Option<Phi<String>> {
            names.iter().find(|(known, _)| Some(*known) == id).map(|(_, name)| name.clone())
        };
        let entries = audit::newest(vault, limit.min(AUDIT_MAX))?;
        let row = |(seq, entry): (u64, AuditEntry)| AuditRow {
            seq,
            operator: name(entry.operator),
            person: name(entry.person),
            entry,
        };
        Ok(entries.into_iter().map(row).collect())
    }

    fn revoke_factor(
        &mut self,
        desk: Desk<'_>,
        operator: OperatorId,
        factor: FactorId,
    ) -> Result<Administered, Refused> {
        let slot = factor.0.to_be_bytes();
        let person = self.known(operator)?;
        if person.tokens.iter().any(|token| token.slot.id == slot) {
            return self.take_away(desk, Taken::Token(operator, slot), AuditAct::FactorRevoked);
        }
        // A finger gives no key: its template goes, and with it the share it could open.
        let template = TemplateId(factor.0);
        let vault = self.vault()?;
        if !people::template_rows(vault, operator)?.iter().any(|row| row.template.id == template) {
            return Err(Fault::Unknown.into());
        }
        let entry = self.entry(AuditAct::FactorRevoked, operator, desk.now);
        self.audit(entry)?;
        people::remove_templates(self.vault()?, operator, Some(template))?;
        self.end_shift(operator);
        Ok(Administered::Revoked)
    }

    fn take_away(
        &mut self,
        desk: Desk<'_>,
        taken: Taken,
        act: AuditAct,
    ) -> Result<Administered, Refused> {
        let mut left = self.cart.clone();
        taken.leave_out(&mut left);
        let can_manage = |cart: &Cart| {
            let today = desk.today();
            cart.people.iter().any(|person| {
                person.role.may(Permission::ManagePeople)
                    && !person.tokens.is_empty()
                    && person.is_valid(today)
            })
        };
        if can_manage(&self.cart) && !can_manage(&left) {
            return Err(Fault::LastAdministrator.into());
        }
        let entry = self.entry(act, taken.operator(), desk.now);
        self.rotate(desk.policy(), (taken, vec![entry]), desk.now)?;
        Ok(Administered::Revoked)
    }
}

fn row(vault: &Vault, cart: &Cart, person: &Person) -> Result<PersonRow, StoreFault> {
    let tokens = people::tokens(vault, person.id)?;
    let mut factors = Vec::new();
    for token in &person.tokens {
        let known = tokens.iter().find(|row| row.slot == token.slot.id);
        let known = known.ok_or(StoreFault::Damaged)?;
        let kind = match known.kind {
            TokenKind::Badge => FactorKind::Badge,
            TokenKind::Card => FactorKind::Card(known.subject.clone().unwrap_or_default()),
        };
        let id = FactorId(u128::from_be_bytes(token.slot.id));
        factors.push(FactorRow { id, kind, since: token.since });
    }
    for row in people::template_rows(vault, person.id)? {
        let (id, kind) = (FactorId(row.template.id.0), FactorKind::Finger(row.template.finger));
        factors.push(FactorRow { id, kind, since: row.since });
    }
    factors.sort_by_key(|factor| factor.since);
    let failures =
        cart.tally(crate::cart::Counter::Person(person.id)).map_or(0, |tally| tally.failures());
    Ok(PersonRow {
        id: person.id,
        name: people::operator_name(vault, person.id)?,
        initials: person.initials.clone(),
        role: person.role,
        valid_until: person.valid_until,
        factors,
        tries_left: TRIES_MAX.saturating_sub(failures),
        has_code: person.code_since.is_some(),
    })
}
