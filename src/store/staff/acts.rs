//! Doing what IT or an auditor asks, if the role of whoever has the vault open allows it.
//!
//! The store checks the role by itself and does not rely on the screen. Nobody who came in with a one-time
//! code may do anything before they have chosen a PIN.
//!
//! Every act is in the audit log. Its entry is written before the act's one commit point, so that a
//! kill may leave an entry too many and never one too few.

use jiff::tz::TimeZone;

use crate::backup::back_up;
use crate::cart::{Cart, Taken};
use crate::open::opened::Open;
use crate::staff::desk::Desk;
use crate::staff::people::known;
use crate::staff::{enrol, findings, log, people as staff_people};
use crate::vault::people;
use wardkeep_model::access::OperatorId;
use wardkeep_model::access::factor::TemplateId;
use wardkeep_model::access::policy::Permission;
use wardkeep_model::keeping::{
    Administered, Administration, AdministrationFault as Fault, AuditAct, AuditEntry, AuditResult,
    FactorId,
};
use wardkeep_model::moment::Moment;

/// Does one act for whoever has the vault open. After a revocation the keys have still to change: see
/// [`crate::staff::rotate`].
///
/// # Errors
/// Why not; then nothing has changed.
pub fn administer(
    open: &mut Open,
    desk: Desk<'_>,
    what: Administration,
) -> Result<Administered, Fault> {
    permit(open, &what)?;
    match what {
        Administration::ListPeople => Ok(Administered::People(staff_people::list(open)?)),
        Administration::ReadAudit(limit) => Ok(Administered::Audit(log::read(open, limit)?)),
        Administration::ExportAudit(out) => log::export(open, desk, &out),
        Administration::Checkpoint => log::checkpoint(open, desk),
        Administration::AuditKey => log::key(open),
        Administration::AcknowledgeFindings => findings::acknowledge(open, desk),
        Administration::AddPerson(new, voucher) => enrol::add_person(open, desk, new, voucher),
        Administration::EnrolBadge(person, badge, pin) => {
            enrol::badge(open, desk, person, (badge, pin))
        }
        Administration::EnrolCard(person, card) => enrol::card(open, desk, person, card),
        Administration::EnrolFinger(person, template) => {
            enrol::finger(open, desk, person, template)
        }
        Administration::SetPin(person, pin) => enrol::set_pin(open, desk, person, pin),
        Administration::ChangeOwnPin(pin) => enrol::change_own_pin(open, desk, &pin),
        Administration::RevokeFactor(person, factor) => revoke_factor(open, desk, person, factor),
        Administration::RevokePerson(person) => {
            known(open, person)?;
            take_away(open, desk, (Taken::Person(person), AuditAct::PersonRevoked))
        }
        Administration::BackUp(order) => back_up(open, &order, desk.now),
        Administration::Shred(mrn) => staff_people::shred(open, desk, &mrn),
    }
}

fn permit(open: &Open, what: &Administration) -> Result<(), Fault> {
    let Some(operator) = open.operator() else {
        // The recovery words: everything but what belongs to a person.
        return what.permission().map(|_| ()).ok_or(Fault::NotAllowed);
    };
    let person = open.locked().cart().person(operator).ok_or(Fault::NotAllowed)?;
    match what.permission() {
        None => Ok(()),
        Some(_) if person.code_since.is_some() => Err(Fault::NotAllowed),
        Some(permission) if person.role.may(permission) => Ok(()),
        Some(_) => Err(Fault::NotAllowed),
    }
}

fn revoke_factor(
    open: &mut Open,
    desk: Desk<'_>,
    operator: OperatorId,
    factor: FactorId,
) -> Result<Administered, Fault> {
    let slot = factor.0.to_be_bytes();
    let person = known(open, operator)?;
    if person.tokens.iter().any(|token| token.slot.id == slot) {
        return take_away(open, desk, (Taken::Token(operator, slot), AuditAct::FactorRevoked));
    }
    // A finger gives no key: its template goes, and with it the share it could open.
    let template = TemplateId(factor.0);
    if !people::template_rows(open.vault(), operator)?.iter().any(|row| row.template.id == template)
    {
        return Err(Fault::Unknown);
    }
    let entry = open.entry(AuditAct::FactorRevoked, operator, desk.now);
    open.audit(entry, desk.now)?;
    people::remove_templates(open.vault_mut(), operator, Some(template))?;
    open.locked_mut().end_shift(operator);
    Ok(Administered::Revoked)
}

/// From here on they are refused, though the keys have still to change: durable, so that no kill forgets it.
fn take_away(
    open: &mut Open,
    desk: Desk<'_>,
    (taken, act): (Taken, AuditAct),
) -> Result<Administered, Fault> {
    let mut left = open.locked().cart().clone();
    left.take_away(taken);
    let can_manage = |cart: &Cart| {
        let today = desk.now.wall.to_zoned(TimeZone::system()).date();
        cart.people.iter().any(|person| {
            person.role.may(Permission::ManagePeople)
                && !person.tokens.is_empty()
                && person.is_valid(today)
        })
    };
    if can_manage(open.locked().cart()) && !can_manage(&left) {
        return Err(Fault::LastAdministrator);
    }
    let entry = open.entry(act, taken.operator(), desk.now);
    open.audit(entry, desk.now)?;
    open.locked_mut().commit_cart(left)?;
    open.takes_away(taken.operator());
    let locked = open.locked_mut();
    locked.end_shift(taken.operator());
    if let Err(fault) = locked.sweep() {
        // Nobody finds its slot; the next start removes the file.
        tracing::warn!(%fault, "what was taken away could not be removed");
    }
    Ok(Administered::Revoked)
}

/// What the log says of an act that was not done.
pub fn not_done(
    operator: Option<OperatorId>,
    (act, person): (AuditAct, Option<OperatorId>),
    fault: Fault,
    now: Moment,
) -> AuditEntry {
    let result = match fault {
        Fault::Store(_) | Fault::KeysUnchanged(_) => AuditResult::Failed,
        Fault::NotAllowed
        | Fault::Unknown
        | Fault::TokenInUse
        | Fault::TokenRandom
        | Fault::PinGuessable(_)
        | Fault::NameIncomplete
        | Fault::NameDeceptive
        | Fault::NoBadge
        | Fault::LastAdministrator
        | Fault::VoucherNeeded
        | Fault::VoucherWrong
        | Fault::TooMany
        | Fault::Exists
        | Fault::NoPatient
        | Fault::SeveralPatients => AuditResult::Refused,
    };
    AuditEntry { operator, person, result, ..AuditEntry::of(act, now.wall) }
}
