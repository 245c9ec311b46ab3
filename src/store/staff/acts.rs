//! Doing what IT or an auditor asks, if the role of whoever has the vault open allows it.
//!
//! The store checks the role by itself and does not rely on the screen. Nobody who came in with a one-time
//! code may do anything before they have chosen a PIN.
//!
//! Every act is in the audit log. Its entry is written before the act's one commit point, so that a
//! kill may leave an entry too many and never one too few.

use jiff::tz::TimeZone;

use crate::backup::back_up;
use crate::cart::Cart;
use crate::open::opened::{Open, Store};
use crate::open::rekey::Taken;
use crate::staff::desk::Desk;
use crate::staff::people::known;
use crate::staff::rotate::{Failure, rotate};
use crate::staff::{enrol, findings, log, people as staff_people};
use crate::vault::people;
use wardkeep_model::access::OperatorId;
use wardkeep_model::access::factor::TemplateId;
use wardkeep_model::access::policy::Permission;
use wardkeep_model::keeping::{
    Administered, Administration, AdministrationFault as Fault, AuditAct, AuditEntry, AuditResult,
    FactorId, StoreFault,
};
use wardkeep_model::moment::Moment;

/// Why an act was not done.
#[derive(Clone, Copy, Debug)]
pub enum Refused {
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

/// How an act goes on.
enum Done {
    /// It is done.
    Done(Administered),
    /// Under new keys.
    TakesAway(Taken, AuditAct),
}

/// Does one act for whoever has the vault open.
///
/// # Errors
/// Why not, beside the store: it is locked where the vault could not be opened under its new keys, or
/// whoever had it open was taken away.
pub fn administer(
    mut open: Box<Open>,
    desk: Desk<'_>,
    what: Administration,
) -> (Store, Result<Administered, Refused>) {
    match act(&mut open, desk, what) {
        Ok(Done::Done(administered)) => (Store::Open(open), Ok(administered)),
        Ok(Done::TakesAway(taken, act)) => take_away(open, desk, (taken, act)),
        Err(fault) => (Store::Open(open), Err(fault.into())),
    }
}

fn act(open: &mut Open, desk: Desk<'_>, what: Administration) -> Result<Done, Fault> {
    permit(open, &what)?;
    let done = |administered| Ok(Done::Done(administered));
    match what {
        Administration::ListPeople => done(Administered::People(staff_people::list(open)?)),
        Administration::ReadAudit(limit) => done(Administered::Audit(log::read(open, limit)?)),
        Administration::ExportAudit(out) => done(log::export(open, desk, &out)?),
        Administration::Checkpoint => done(log::checkpoint(open, desk)?),
        Administration::AuditKey => done(log::key(open)?),
        Administration::AcknowledgeFindings => done(findings::acknowledge(open, desk)?),
        Administration::AddPerson(new, voucher) => {
            done(enrol::add_person(open, desk, new, voucher)?)
        }
        Administration::EnrolBadge(person, badge, pin) => {
            done(enrol::badge(open, desk, person, (badge, pin))?)
        }
        Administration::EnrolCard(person, card) => done(enrol::card(open, desk, person, card)?),
        Administration::EnrolFinger(person, template) => {
            done(enrol::finger(open, desk, person, template)?)
        }
        Administration::SetPin(person, pin) => done(enrol::set_pin(open, desk, person, pin)?),
        Administration::ChangeOwnPin(pin) => done(enrol::change_own_pin(open, desk, &pin)?),
        Administration::RevokeFactor(person, factor) => revoke_factor(open, desk, person, factor),
        Administration::RevokePerson(person) => {
            known(open, person)?;
            Ok(Done::TakesAway(Taken::Person(person), AuditAct::PersonRevoked))
        }
        Administration::BackUp(order) => done(back_up(open, &order, desk.now)?),
        Administration::Shred(mrn) => done(staff_people::shred(open, desk, &mrn)?),
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
) -> Result<Done, Fault> {
    let slot = factor.0.to_be_bytes();
    let person = known(open, operator)?;
    if person.tokens.iter().any(|token| token.slot.id == slot) {
        return Ok(Done::TakesAway(Taken::Token(operator, slot), AuditAct::FactorRevoked));
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
    Ok(Done::Done(Administered::Revoked))
}

fn take_away(
    open: Box<Open>,
    desk: Desk<'_>,
    (taken, act): (Taken, AuditAct),
) -> (Store, Result<Administered, Refused>) {
    let cart = open.locked().cart();
    let mut left = cart.clone();
    taken.leave_out(&mut left);
    let can_manage = |cart: &Cart| {
        let today = desk.now.wall.to_zoned(TimeZone::system()).date();
        cart.people.iter().any(|person| {
            person.role.may(Permission::ManagePeople)
                && !person.tokens.is_empty()
                && person.is_valid(today)
        })
    };
    if can_manage(cart) && !can_manage(&left) {
        return (Store::Open(open), Err(Fault::LastAdministrator.into()));
    }
    let entry = open.entry(act, taken.operator(), desk.now);
    let (store, done) = rotate(open, (taken, vec![entry]), desk.now);
    (store, done.map(|()| Administered::Revoked).map_err(Refused::from))
}

/// What the log says of an act that was not done.
pub fn not_done(
    operator: Option<OperatorId>,
    (act, person): (AuditAct, Option<OperatorId>),
    refused: Refused,
    now: Moment,
) -> AuditEntry {
    let result = match refused {
        Refused::Fault(Fault::Store(_)) | Refused::Unclear(_) => AuditResult::Failed,
        Refused::Fault(_) => AuditResult::Refused,
    };
    AuditEntry { operator, person, result, ..AuditEntry::of(act, now.wall) }
}
