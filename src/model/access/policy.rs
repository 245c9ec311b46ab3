//! Which factors open what, and what each role may do: the two tables of the login.
//!
//! The built-in table is the floor. A site may switch pairs off and shorten times, never the other
//! way round; the one exception it can ask for, a tap alone inside a shift, is bounded by the shift.
//! S-4: the only pairs that open a vault from nothing are two factors that derive its key.

use std::time::Duration;

use crate::access::Role;
use crate::access::factor::TokenKind;

pub use crate::access::pair::{Level, Pair};

/// Site policy: the table as far as the site has it switched on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// `login.badge_pin`: badge and PIN open; else only cards do.
    pub badge_pin: bool,
    /// `login.finger`: inside a shift a finger replaces the PIN.
    pub finger: bool,
    /// `login.tap_alone`: inside a shift the token alone opens. Off unless the site asks for it.
    pub tap_alone: bool,
    /// `login.shift_min`: how long a full login leaves a shift share; zero switches grace off.
    pub shift: Duration,
    /// `login.emergency`: the emergency view is offered.
    pub emergency: bool,
    /// `login.two_person`: another IT person has to vouch for a new IT person.
    pub two_person: bool,
    /// `login.left_behind_min`: a token that lies in its reader this long without a touch is called out.
    pub left_behind: Duration,
}

/// Longest shift share (SP 800-63B: 12 h over all).
pub const SHIFT_MAX: Duration = Duration::from_secs(12 * 3600);

impl Default for Policy {
    fn default() -> Self {
        Self {
            badge_pin: true,
            finger: true,
            tap_alone: false,
            shift: Duration::from_secs(4 * 3600),
            emergency: true,
            two_person: false,
            left_behind: Duration::from_secs(10 * 60),
        }
    }
}

impl Policy {
    /// Whether this pair may open a session here.
    pub fn allows(&self, pair: Pair) -> bool {
        let grace = !self.shift.is_zero();
        match pair {
            Pair::CardPin => true,
            Pair::BadgePin => self.badge_pin,
            Pair::CardFinger => grace && self.finger,
            Pair::BadgeFinger => grace && self.finger && self.badge_pin,
            Pair::CardAlone => grace && self.tap_alone,
            Pair::BadgeAlone => grace && self.tap_alone && self.badge_pin,
        }
    }

    /// Whether a token of this kind can open anything here.
    pub fn takes(&self, kind: TokenKind) -> bool {
        match kind {
            TokenKind::Badge => self.badge_pin,
            TokenKind::Card => true,
        }
    }
}

/// Something a person may do; see [`Role::may`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Permission {
    /// See live values, patients and their details.
    SeePatients,
    /// Put a patient at this bed, add one, assign and release devices.
    Care,
    /// Acknowledge alarms and pause their sound.
    HandleAlarms,
    /// Connect devices to this cart.
    ConnectDevices,
    /// Label the devices of this cart, set their calibration, forget them.
    MaintainDevices,
    /// Enrol and revoke people and factors.
    ManagePeople,
    /// See how this cart is set up and protected.
    SeeCart,
    /// Read the audit log.
    ReadAudit,
}

impl Permission {
    /// All, in the order of the table in docs/security.md.
    pub const ALL: [Permission; 8] = [
        Permission::SeePatients,
        Permission::Care,
        Permission::HandleAlarms,
        Permission::ConnectDevices,
        Permission::MaintainDevices,
        Permission::ManagePeople,
        Permission::SeeCart,
        Permission::ReadAudit,
    ];
}

impl Role {
    /// The table of roles: what each may see and do.
    pub fn may(self, permission: Permission) -> bool {
        use Permission as P;
        match self {
            Role::Nurse | Role::Caregiver => match permission {
                P::SeePatients | P::Care | P::HandleAlarms | P::ConnectDevices => true,
                P::MaintainDevices | P::ManagePeople | P::SeeCart | P::ReadAudit => false,
            },
            Role::It => match permission {
                P::HandleAlarms
                | P::ConnectDevices
                | P::MaintainDevices
                | P::ManagePeople
                | P::SeeCart
                | P::ReadAudit => true,
                P::SeePatients | P::Care => false,
            },
            Role::Auditor => match permission {
                P::ReadAudit | P::SeeCart => true,
                P::SeePatients
                | P::Care
                | P::HandleAlarms
                | P::ConnectDevices
                | P::MaintainDevices
                | P::ManagePeople => false,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s4_from_nothing_only_two_factors_that_derive_a_key_open() {
        let from_nothing: Vec<Pair> =
            Pair::ALL.into_iter().filter(|pair| !pair.needs_shift()).collect();
        assert_eq!(from_nothing, [Pair::CardPin, Pair::BadgePin]);
    }

    #[test]
    fn a_site_can_only_tighten_the_floor() {
        let floor = Policy::default();
        assert!(!floor.allows(Pair::BadgeAlone) && !floor.allows(Pair::CardAlone));
        for (policy, refused) in [
            (Policy { badge_pin: false, ..floor }, vec![Pair::BadgePin, Pair::BadgeFinger]),
            (Policy { finger: false, ..floor }, vec![Pair::BadgeFinger, Pair::CardFinger]),
            (Policy { shift: Duration::ZERO, ..floor }, vec![Pair::BadgeFinger, Pair::CardFinger]),
        ] {
            for pair in Pair::ALL {
                let expected = floor.allows(pair) && !refused.contains(&pair);
                assert_eq!(policy.allows(pair), expected, "{pair:?} under {policy:?}");
            }
        }
        let tap = Policy { tap_alone: true, ..floor };
        assert!(tap.allows(Pair::BadgeAlone) && tap.allows(Pair::CardAlone));
        let no_shift = Policy { shift: Duration::ZERO, ..tap };
        assert!(!no_shift.allows(Pair::BadgeAlone) && !no_shift.allows(Pair::CardAlone));
        assert!(Pair::ALL.into_iter().all(|pair| pair != Pair::CardPin || no_shift.allows(pair)));
    }
}
