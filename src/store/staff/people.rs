//! Who works here: the list of people, and a patient who is destroyed.

use crate::cart::{Cart, Counter, Person};
use crate::open::emergency;
use crate::open::opened::Open;
use crate::staff::desk::Desk;
use crate::vault::{Vault, patients, people};
use wardkeep_model::access::OperatorId;
use wardkeep_model::access::factor::TokenKind;
use wardkeep_model::access::lockout::TRIES_MAX;
use wardkeep_model::confidential::Phi;
use wardkeep_model::keeping::{
    Administered, AdministrationFault as Fault, AuditAct, AuditEntry, FactorId, FactorKind,
    FactorRow, PersonRow, StoreFault,
};

/// A person who is here.
///
/// # Errors
/// `Unknown`.
pub fn known(open: &Open, person: OperatorId) -> Result<&Person, Fault> {
    open.locked().cart().person(person).ok_or(Fault::Unknown)
}

/// Everybody with their factors, by name.
///
/// # Errors
/// As reading the vault.
pub fn list(open: &Open) -> Result<Vec<PersonRow>, Fault> {
    let (cart, vault) = (open.locked().cart(), open.vault());
    let mut rows = Vec::new();
    for person in &cart.people {
        rows.push(row(vault, cart, person)?);
    }
    rows.sort_by_cached_key(|row| row.name.reveal().to_lowercase());
    Ok(rows)
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
    let failures = cart.tally(Counter::Person(person.id)).map_or(0, |tally| tally.failures());
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

/// Destroys the data key of the patient with this number, and what the cart compartment and the
/// emergency card have of them.
///
/// # Errors
/// `NoPatient` or `SeveralPatients`; otherwise as writing files.
pub fn shred(open: &mut Open, desk: Desk<'_>, mrn: &Phi<String>) -> Result<Administered, Fault> {
    let mrn = mrn.reveal().trim();
    let patients = patients::all(open.vault())?;
    let mut found = patients.iter().filter(|one| !mrn.is_empty() && one.mrn.reveal() == mrn);
    let subject = match (found.next(), found.next()) {
        (Some(patient), None) => patient.id,
        (Some(_), Some(_)) => return Err(Fault::SeveralPatients),
        (None, _) => return Err(Fault::NoPatient),
    };
    let operator = open.operator();
    let entry = AuditEntry::of(AuditAct::PatientShredded, desk.now.wall);
    let entry = AuditEntry { operator, subject: Some(subject), ..entry };
    let mut cart = open.locked().cart().clone();
    let is_here = cart.state.subject == Some(subject);
    cart.state.subject = cart.state.subject.filter(|here| *here != subject);
    for device in &mut cart.state.devices {
        device.assignment = device.assignment.filter(|given| given.subject != subject);
    }
    if cart != *open.locked().cart() {
        open.locked_mut().commit_cart(cart)?;
    }
    if is_here {
        emergency::remove(&open.locked().dir())?;
    }
    patients::shred(open.vault_mut(), subject, entry)?;
    Ok(Administered::Shredded(subject))
}
