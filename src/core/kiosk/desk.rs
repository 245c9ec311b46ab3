//! What the machines and pages work with beside their own state.

use jiff::civil::Date;

use wardkeep_model::access::factor::Attempt;
use wardkeep_model::access::policy::Permission;
use wardkeep_model::keeping::{
    AuditAct, AuditEntry, CartState, Command as StoreCommand, OpenFinding,
};
use wardkeep_model::moment::Moment;
use wardkeep_model::notice::Notice;
use wardkeep_model::vitals::DeviceId;

use crate::alarms::Alarms;
use crate::config::Language;
use crate::kiosk::Effect;
use crate::kiosk::health::Health;
use crate::kiosk::notices::Notices;
use crate::kiosk::site::Surroundings;
use crate::monitor::Monitor;
use crate::session::Session;

/// Attempts and prompts of the wizards count from here: the session's own never come near.
pub(super) const WIZARD_FROM: u64 = 1 << 32;
/// Questions to the store outside of a wizard count from here.
const ASKED_FROM: u64 = 1 << 33;

/// Numbers that go on from session to session, so that a late answer finds nobody.
#[derive(Debug)]
pub(super) struct Counts {
    /// Last one given to an attempt or a prompt of a wizard.
    pub(super) wizard: u64,
    /// Accepted forms.
    pub(super) forms: u64,
    asked: u64,
}

impl Default for Counts {
    fn default() -> Self {
        Self { wizard: WIZARD_FROM, forms: 0, asked: ASKED_FROM }
    }
}

impl Counts {
    /// A question to the store.
    pub(super) fn next_attempt(&mut self) -> Attempt {
        self.asked += 1;
        Attempt(self.asked)
    }
}

/// What is looked at to show a page.
#[derive(Clone, Copy)]
pub(super) struct Scene<'a> {
    pub(super) now: Moment,
    pub(super) site: &'a Surroundings,
    pub(super) health: &'a Health,
    pub(super) monitor: &'a Monitor,
    pub(super) alarms: &'a Alarms,
    pub(super) session: &'a Session,
    pub(super) counts: &'a Counts,
    pub(super) open_findings: &'a [OpenFinding],
}

impl Scene<'_> {
    pub(super) fn today(&self) -> Date {
        self.site.today(self.now)
    }

    /// A session is open whose role may do this.
    pub(super) fn may(&self, permission: Permission) -> bool {
        self.session.role().is_some_and(|role| role.may(permission))
    }
}

/// What a page has at hand to do what it was asked.
pub(super) struct Desk<'a> {
    pub(super) now: Moment,
    pub(super) site: &'a mut Surroundings,
    pub(super) monitor: &'a mut Monitor,
    pub(super) session: &'a Session,
    pub(super) notices: &'a mut Notices,
    pub(super) counts: &'a mut Counts,
    pub(super) language: Language,
    /// What the session rests on was taken away: it is to be locked.
    pub(super) locks: bool,
}

impl Desk<'_> {
    pub(super) fn notify(&mut self, notice: Notice) {
        self.notices.tell(self.now, notice);
    }

    /// A session is open whose role may do this.
    pub(super) fn may(&self, permission: Permission) -> bool {
        self.session.role().is_some_and(|role| role.may(permission))
    }

    pub(super) fn save_cart(&self) -> Effect {
        save_cart(self.now, self.monitor, self.language)
    }

    /// An entry for the audit log by whoever is logged in.
    pub(super) fn audit(&self, act: AuditAct, device: Option<DeviceId>) -> Effect {
        audit(self.now, self.session, self.monitor, act, device)
    }
}

/// What the cart has to remember.
pub(super) fn save_cart(now: Moment, monitor: &Monitor, language: Language) -> Effect {
    let cart = CartState {
        subject: monitor.subject(),
        devices: monitor.known(),
        language: language.tag().to_owned(),
        limits: Some(monitor.limits()),
        alive: monitor.watches_over().then_some(now.wall),
        inventory: monitor.inventory().known(),
        bed: monitor.bed().to_owned(),
    };
    Effect::Store(StoreCommand::SaveCart(Box::new(cart)))
}

/// An entry for the audit log by whoever is logged in, about whoever is at this bed.
pub(super) fn audit(
    now: Moment,
    session: &Session,
    monitor: &Monitor,
    act: AuditAct,
    device: Option<DeviceId>,
) -> Effect {
    let operator = session.operator().map(|operator| operator.id);
    let entry = AuditEntry::of(act, now.wall);
    let entry = AuditEntry { operator, subject: monitor.subject(), device, ..entry };
    Effect::Store(StoreCommand::Audit(Box::new(entry)))
}

/// An entry for the audit log about what nobody did.
pub(super) fn audit_of_machine(
    now: Moment,
    monitor: &Monitor,
    act: AuditAct,
    detail: Option<String>,
) -> Effect {
    let subject = monitor.subject();
    let entry = AuditEntry { subject, detail, ..AuditEntry::of(act, now.wall) };
    Effect::Store(StoreCommand::Audit(Box::new(entry)))
}
