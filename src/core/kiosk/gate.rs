//! Who may do what: every intent is checked here before it acts (the table is [`Role::may`]).
//!
//! S-1: what needs a session is ignored without one. What needs a role is refused with a notice.
//!
//! [`Role::may`]: wardkeep_model::access::Role::may

use wardkeep_model::access::Role;
use wardkeep_model::access::policy::Permission;
use wardkeep_model::moment::Moment;
use wardkeep_model::notice::Notice;
use wardkeep_model::vitals::DeviceId;

use crate::kiosk::Kiosk;
use crate::kiosk::intent::Intent;
use crate::kiosk::page::Page;

/// The pages of the rail, in its order. One's own page is reached through the operator chip.
const RAIL: [Page; 6] =
    [Page::Bedside, Page::Patients, Page::Devices, Page::People, Page::Audit, Page::Cart];

/// What an intent takes.
enum Need {
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

/// What a page takes.
fn page_permission(page: Page) -> Option<Permission> {
    match page {
        Page::Bedside | Page::Patients => Some(Permission::SeePatients),
        Page::Devices => Some(Permission::ConnectDevices),
        Page::People => Some(Permission::ManagePeople),
        Page::Audit => Some(Permission::ReadAudit),
        Page::Cart => Some(Permission::SeeCart),
        Page::Account => None,
    }
}

/// The pages that a role may open, in the order of the rail.
pub(super) fn pages(role: Role) -> Vec<Page> {
    let open = |page: &Page| page_permission(*page).is_none_or(|needed| role.may(needed));
    RAIL.into_iter().filter(open).collect()
}

impl Kiosk {
    /// Whether this may be done now; a refusal is told.
    pub(super) fn is_allowed(&mut self, now: Moment, intent: &Intent) -> bool {
        let role = self.session.operator().map(|operator| operator.role);
        let (permission, without_session) = match self.need(intent) {
            Need::Nothing => return true,
            Need::Session => return role.is_some(),
            Need::Role(permission) => (permission, false),
            Need::RoleIfOpen(permission) => (permission, true),
        };
        let Some(role) = role else { return without_session };
        let allowed = role.may(permission);
        if !allowed {
            self.notify(now, Notice::NotAllowed);
        }
        allowed
    }

    /// A session is open whose role may do this.
    pub(super) fn may(&self, permission: Permission) -> bool {
        self.session.operator().is_some_and(|operator| operator.role.may(permission))
    }

    fn need(&self, intent: &Intent) -> Need {
        match intent {
            Intent::Activity
            | Intent::SubmitPin(_)
            | Intent::Cancel
            | Intent::Lock
            | Intent::SetLanguage(_)
            | Intent::BeginSetup
            | Intent::NameAdmin { .. }
            | Intent::RecoveryWritten
            | Intent::BeginEmergency
            | Intent::ChooseReason(_)
            | Intent::DismissNotice
            | Intent::BeginWatch
            | Intent::EndWatch => Need::Nothing,
            // Nobody can log in, and nothing that is measured is kept or named.
            Intent::Connect(_) | Intent::Release(_) if self.is_watching() => Need::Nothing,
            Intent::AcknowledgeAlarms | Intent::PauseAudio => {
                Need::RoleIfOpen(Permission::HandleAlarms)
            }
            Intent::Open(page) => page_permission(*page).map_or(Need::Session, Need::Role),
            Intent::Connect(_) => Need::Role(Permission::ConnectDevices),
            Intent::Release(id) => Need::Role(self.release_permission(*id)),
            Intent::Assign(_)
            | Intent::ChoosePatient(_)
            | Intent::AddPatient(_)
            | Intent::DraftPatient(_) => Need::Role(Permission::Care),
            Intent::SearchPeople(_)
            | Intent::OpenPerson(_)
            | Intent::AddPerson(_)
            | Intent::Enrol(_)
            | Intent::ChooseFinger(_)
            | Intent::IssueCode
            | Intent::EnrolmentDone
            | Intent::RevokeFactor(_)
            | Intent::RevokePerson => Need::Role(Permission::ManagePeople),
            Intent::ShowCheckpoint => Need::Role(Permission::ReadAudit),
            Intent::ChangeOwnPin | Intent::DismissFinding => Need::Session,
        }
    }

    /// Whoever connected a device may let go of it again, unless it measures a patient.
    pub(super) fn release_permission(&self, id: DeviceId) -> Permission {
        match self.pairing.get(id).and_then(|device| device.assignment) {
            Some(_) => Permission::Care,
            None => Permission::ConnectDevices,
        }
    }
}
