//! The logged-in person's own page.

use wardkeep_model::access::factor::Token;
use wardkeep_model::access::policy::{Pair, Policy};

use crate::kiosk::Effect;
use crate::kiosk::desk::{Desk, Scene};
use crate::kiosk::gate::Need;
use crate::kiosk::open::Open;
use crate::kiosk::pages::Front;
use crate::kiosk::site::wall_of;
use crate::kiosk::view::access::Account;
use crate::session::Session;
use crate::session::enrolment::Goal;

/// What people do on their own page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    /// Change one's own PIN.
    ChangePin,
}

pub(in crate::kiosk) fn need(intent: &Intent) -> Need {
    match intent {
        Intent::ChangePin => Need::Session,
    }
}

pub(in crate::kiosk) fn handle(
    open: &mut Open,
    desk: &mut Desk<'_>,
    intent: Intent,
) -> Vec<Effect> {
    match intent {
        Intent::ChangePin => {
            let is_here = matches!(open.front, Front::Account);
            if !is_here || open.wizard.is_running() || !has_own_pin(desk.session) {
                return vec![];
            }
            open.begin_enrolment(desk, Goal::OwnPin, vec![])
        }
    }
}

/// The page; `None` without a session.
pub(in crate::kiosk) fn view(scene: Scene<'_>) -> Option<Account> {
    let operator = scene.session.operator()?;
    let pair = scene.session.pair()?;
    let since = wall_of(scene.now, scene.session.since()?);
    let policy = &scene.site.config.policy;
    // A full login begins a shift; when the one that a finger or a tap went on with ends, only the
    // store knows.
    let begins_shift = !pair.needs_shift() && grace(policy);
    let ends = begins_shift.then(|| since.checked_add(policy.shift).ok()).flatten();
    Some(Account {
        name: operator.name.clone(),
        role: operator.role,
        pair,
        level: pair.level(),
        since: scene.site.time_of_day(since),
        shift_until: ends.map(|at| scene.site.time_of_day(at)),
        can_change_pin: has_own_pin(scene.session),
    })
}

/// They came with a badge, so there is a PIN for it.
fn has_own_pin(session: &Session) -> bool {
    matches!(session.token(), Some(Token::Badge(_)))
}

/// Something reopens inside a shift here.
fn grace(policy: &Policy) -> bool {
    Pair::ALL.into_iter().any(|pair| pair.needs_shift() && policy.allows(pair))
}
