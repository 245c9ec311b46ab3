//! Everybody who may log in, as a store that answers in memory keeps them.

use jiff::Timestamp;
use wardkeep_model::access::factor::{Badge, CardId, Evidence};
use wardkeep_model::access::{OperatorId, Role};
use wardkeep_model::confidential::{Phi, Secret};
use wardkeep_model::keeping::{
    Administered, Administration, AdministrationFault, AuditRow, FactorId, FactorKind, FactorRow,
    NewPerson, NewPin, PersonRow,
};

use super::memory::{PIN, badge, pin};

/// The one-time code that every code is.
pub const CODE: &str = "48201937";
/// Person 1, who is logged in.
pub const ADA: OperatorId = OperatorId(9);
/// Person 2.
pub const BEA: OperatorId = OperatorId(10);

/// The people of a cart.
pub struct Register {
    /// Their rows.
    pub people: Vec<PersonRow>,
    /// The rows of the audit log that are shown.
    pub audit: Vec<AuditRow>,
    /// Another IT person has to vouch for a new one.
    pub two_person: bool,
    /// What was asked, oldest first, without reading.
    pub asked: Vec<Administration>,
    /// Badges and cards in use.
    badges: Vec<Badge>,
    cards: Vec<CardId>,
    next: u128,
}

impl Default for Register {
    fn default() -> Self {
        let mut register = Self {
            people: vec![],
            audit: vec![],
            two_person: false,
            asked: vec![],
            badges: vec![badge(1), badge(2)],
            cards: vec![],
            next: 500,
        };
        register.insert(ADA, ("Ada Kern", "AK"), Role::It);
        register.insert(BEA, ("Bea Lund", "BL"), Role::It);
        register
    }
}

impl Register {
    /// Adds a person with a badge.
    pub fn insert(&mut self, id: OperatorId, (name, initials): (&str, &str), role: Role) {
        let first = self.factor(FactorKind::Badge);
        self.people.push(PersonRow {
            id,
            name: Phi::new(name.into()),
            initials: initials.into(),
            role,
            valid_until: None,
            factors: vec![first],
            tries_left: 10,
            has_code: false,
        });
    }

    /// One of them.
    pub fn person(&self, id: OperatorId) -> &PersonRow {
        self.people.iter().find(|row| row.id == id).expect("a person of the register")
    }

    fn factor(&mut self, kind: FactorKind) -> FactorRow {
        self.next += 1;
        let since: Timestamp = "2026-11-22T23:30:00Z".parse().expect("a timestamp");
        FactorRow { id: FactorId(self.next), kind, since }
    }

    /// Answers what IT asks.
    pub fn administer(
        &mut self,
        what: Administration,
    ) -> Result<Administered, AdministrationFault> {
        if !matches!(what, Administration::ListPeople | Administration::ReadAudit(_)) {
            self.asked.push(what.clone());
        }
        match what {
            Administration::ListPeople => {
                let mut people = self.people.clone();
                people.sort_by_key(|row| row.name.clone());
                Ok(Administered::People(people))
            }
            Administration::ReadAudit(rows) => {
                let rows = usize::try_from(rows).expect("a number of rows");
                let newest = self.audit.iter().rev().take(rows);
                Ok(Administered::Audit(newest.cloned().collect()))
            }
            Administration::Checkpoint => {
                Ok(Administered::Checkpoint("wardkeep/cart/1\n3\nAAAA\n".into()))
            }
            Administration::AddPerson(new, voucher) => self.add(&new, voucher),
            Administration::EnrolBadge(id, badge, new_pin) => {
                if self.badges.contains(&badge) {
                    return Err(AdministrationFault::TokenInUse);
                }
                self.badges.push(badge);
                self.enrol(id, FactorKind::Badge)?;
                self.give_pin(id, &new_pin)
            }
            Administration::EnrolCard(id, card) => {
                if self.cards.contains(&card.card) {
                    return Err(AdministrationFault::TokenInUse);
                }
                self.cards.push(card.card);
                self.enrol(id, FactorKind::Card(card.subject))
            }
            Administration::EnrolFinger(id, print) => {
                self.enrol(id, FactorKind::Finger(print.finger))
            }
            Administration::SetPin(id, new_pin) => self.give_pin(id, &new_pin),
            Administration::RevokeFactor(id, factor) => {
                let person = self.find(id)?;
                person.factors.retain(|row| row.id != factor);
                Ok(Administered::Revoked)
            }
            Administration::RevokePerson(id) => {
                self.find(id)?;
                let others = self.people.iter().filter(|row| row.id != id);
                if others.filter(|row| row.role == Role::It).count() == 0 {
                    return Err(AdministrationFault::LastAdministrator);
                }
                self.people.retain(|row| row.id != id);
                Ok(Administered::Revoked)
            }
            Administration::ChangeOwnPin(_)
            | Administration::ExportAudit(_)
            | Administration::AuditKey
            | Administration::AcknowledgeFindings
            | Administration::BackUp(_)
            | Administration::Shred(_) => Err(AdministrationFault::NotAllowed),
        }
    }

    fn find(&mut self, id: OperatorId) -> Result<&mut PersonRow, AdministrationFault> {
        self.people.iter_mut().find(|row| row.id == id).ok_or(AdministrationFault::Unknown)
    }

    fn enrol(
        &mut self,
        id: OperatorId,
        kind: FactorKind,
    ) -> Result<Administered, AdministrationFault> {
        let row = self.factor(kind);
        self.find(id)?.factors.push(row);
        Ok(Administered::Enrolled(None))
    }

    fn give_pin(
        &mut self,
        id: OperatorId,
        new_pin: &NewPin,
    ) -> Result<Administered, AdministrationFault> {
        let code = matches!(new_pin, NewPin::OneTimeCode);
        self.find(id)?.has_code = code;
        Ok(Administered::Enrolled(code.then(|| Secret::new(CODE.into()))))
    }

    fn add(
        &mut self,
        new: &NewPerson,
        voucher: Option<Evidence>,
    ) -> Result<Administered, AdministrationFault> {
        if new.role == Role::It && self.two_person {
            match voucher {
                None => return Err(AdministrationFault::VoucherNeeded),
                Some(Evidence::BadgePin(tapped, typed))
                    if tapped == badge(2) && typed == pin(PIN) => {}
                Some(Evidence::Card(card, secret)) if *secret.expose() == card.0 => {}
                Some(_) => return Err(AdministrationFault::VoucherWrong),
            }
        }
        self.next += 1;
        let id = OperatorId(self.next);
        self.insert(id, (new.name.reveal(), &new.initials), new.role);
        let added = self.find(id)?;
        added.valid_until = new.valid_until;
        added.factors.clear();
        Ok(Administered::Added(id))
    }
}
