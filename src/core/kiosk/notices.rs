//! The sentence for the operator: one at a time, for a while.

use std::time::Duration;

use wardkeep_model::access::Role;
use wardkeep_model::moment::{BootTime, Moment};
use wardkeep_model::notice::{Audience, Notice};

/// How long a notice stays on the screen.
const NOTICE_MAX: Duration = Duration::from_secs(12);

/// What is told now.
#[derive(Default)]
pub(super) struct Notices {
    told: Option<(Notice, BootTime)>,
}

impl Notices {
    pub(super) fn tell(&mut self, now: Moment, notice: Notice) {
        self.told = Some((notice, now.boot + NOTICE_MAX));
    }

    /// What was told is over.
    pub(super) fn clear(&mut self) {
        self.told = None;
    }

    pub(super) fn expire(&mut self, now: Moment) {
        self.told.take_if(|(_, until)| now.boot >= *until);
    }

    /// What is told to whoever is logged in with this role, or to whoever stands there.
    pub(super) fn current(&self, role: Option<Role>) -> Option<Notice> {
        let (notice, _) = self.told?;
        let is_theirs = match notice.row().audience {
            Audience::Everybody => true,
            Audience::Role(permission) => role.is_some_and(|role| role.may(permission)),
        };
        is_theirs.then_some(notice)
    }

    pub(super) fn deadline(&self) -> Option<BootTime> {
        self.told.map(|(_, until)| until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_is_for_those_whom_it_concerns() {
        let now = Moment { boot: BootTime::default(), wall: jiff::Timestamp::UNIX_EPOCH };
        let (nurse, it, nobody) = (Some(Role::Nurse), Some(Role::It), None);
        for (notice, theirs, not_theirs) in [
            (Notice::LockedIdle, &[nurse, it, nobody][..], &[][..]),
            (Notice::PatientIncomplete, &[nurse], &[it, nobody]),
            (Notice::LastAdministrator, &[it], &[nurse, nobody]),
        ] {
            let mut notices = Notices::default();
            notices.tell(now, notice);
            for role in theirs {
                assert_eq!(notices.current(*role), Some(notice), "{role:?}");
            }
            for role in not_theirs {
                assert_eq!(notices.current(*role), None, "{notice:?} to {role:?}");
            }
            notices.expire(now + NOTICE_MAX);
            assert_eq!(notices.deadline(), None);
        }
    }
}
