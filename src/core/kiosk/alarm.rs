//! What people do about alarms, logged in or at the locked screen.

use wardkeep_model::access::policy::Permission;

use crate::kiosk::gate::Need;

/// What people do about alarms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    /// Acknowledged the present alarm conditions.
    Acknowledge,
    /// Paused the alarm sound, for a bounded time.
    PauseAudio,
}

pub(super) fn need(intent: &Intent) -> Need {
    match intent {
        Intent::Acknowledge | Intent::PauseAudio => Need::RoleIfOpen(Permission::HandleAlarms),
    }
}
