//! Who may do what: every intent is checked here before it acts (the table is [`Role::may`]).
//!
//! S-1: what needs a session is ignored without one. What needs a role is refused with a notice.

use wardkeep_model::access::Role;
use wardkeep_model::access::policy::Permission;

use crate::kiosk::page::Page;

/// The pages of the rail, in its order. One's own page is reached through the operator chip, limits from the
/// alarms, readings and the list of all devices from the devices.
const RAIL: [Page; 7] = [
    Page::Bedside,
    Page::Alarms,
    Page::Patients,
    Page::Devices,
    Page::People,
    Page::Audit,
    Page::Cart,
];

/// What an intent takes.
pub(super) enum Need {
    /// Nothing: it is part of logging in, or concerns nobody's data.
    Nothing,
    /// A session of anybody's.
    Session,
    /// A session whose role may do this.
    Role(Permission),
    /// Anybody at a locked screen, or a session whose role may do this: an alarm must never wait for
    /// a login.
    RoleIfOpen(Permission),
}

/// What came of looking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It may be done.
    Allowed,
    /// Nobody is logged in: it is not heard.
    Ignored,
    /// Whoever is logged in may not do it, and is told so.
    Refused,
}

impl Need {
    /// Holds it against the role of whoever is logged in.
    pub(super) fn verdict(&self, role: Option<Role>) -> Verdict {
        match (self, role) {
            (Need::Nothing, _) | (Need::RoleIfOpen(_), None) | (Need::Session, Some(_)) => {
                Verdict::Allowed
            }
            (Need::Session | Need::Role(_), None) => Verdict::Ignored,
            (Need::Role(needed) | Need::RoleIfOpen(needed), Some(role)) => {
                if role.may(*needed) {
                    Verdict::Allowed
                } else {
                    Verdict::Refused
                }
            }
        }
    }
}

/// What a page takes.
pub(super) fn of_page(page: Page) -> Need {
    match page {
        Page::Bedside | Page::Patients => Need::Role(Permission::SeePatients),
        Page::Alarms => Need::Role(Permission::HandleAlarms),
        Page::Limits | Page::Readings => Need::Role(Permission::Care),
        Page::Devices | Page::Inventory => Need::Role(Permission::ConnectDevices),
        Page::People => Need::Role(Permission::ManagePeople),
        Page::Audit => Need::Role(Permission::ReadAudit),
        Page::Cart => Need::Role(Permission::SeeCart),
        Page::Account => Need::Session,
    }
}

/// The pages that a role may open, in the order of the rail.
pub(super) fn pages(role: Role) -> Vec<Page> {
    let may_open = |page: &Page| of_page(*page).verdict(Some(role)) == Verdict::Allowed;
    RAIL.into_iter().filter(may_open).collect()
}
