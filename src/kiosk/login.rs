//! Logging in and out: hands what people and readers do to the session machine, and performs what it
//! wants.
//!
//! S-1: patient data enters the core with [`session::Effect::Reveal`] and leaves it with
//! [`session::Effect::Conceal`], in the same step.

use super::{Effect, Kiosk, Phase};
use crate::bridge::intent::Page;
use crate::hardware::DeviceId;
use crate::moment::Moment;
use crate::session;
use crate::session::Role;
use crate::session::factor::{Evidence, Token};
use crate::session::setup::{self, Step};
use crate::store::{AuditAct, AuditEntry, Command as StoreCommand};

impl Kiosk {
    pub(super) fn in_session(&mut self, now: Moment, event: session::Event) -> Vec<Effect> {
        if !matches!(self.phase, Phase::Running) {
            return vec![];
        }
        let was = self.session.operator().map(|operator| operator.id);
        let mut effects = Vec::new();
        for effect in self.session.handle(now.boot, event) {
            match effect {
                session::Effect::Identify(attempt, badge) => {
                    effects.push(Effect::Store(StoreCommand::Identify(
                        attempt,
                        Token::Badge(badge),
                        now,
                    )));
                }
                session::Effect::Unlock(attempt, badge, pin) => {
                    effects.push(Effect::Store(StoreCommand::Unlock(
                        attempt,
                        Evidence::BadgePin(badge, pin),
                        now,
                    )));
                }
                session::Effect::Reveal(operator) => {
                    self.notice = None;
                    effects.push(self.audit(now, AuditAct::Unlocked, None));
                    effects.extend(self.open_page(self.start_page(operator.role)));
                }
                session::Effect::Conceal => {
                    self.patient = None;
                    self.patients = None;
                    if was.is_some() {
                        let locked = AuditEntry::of(AuditAct::Locked, now.wall);
                        let entry = AuditEntry { operator: was, ..locked };
                        effects.push(Effect::Store(StoreCommand::Audit(entry)));
                    }
                    let draft = self.take_draft();
                    effects.push(Effect::Store(StoreCommand::Close(draft, now)));
                }
                session::Effect::Notify(notice) => self.notify(now, notice),
            }
        }
        effects
    }

    pub(super) fn in_setup(&mut self, now: Moment, event: setup::Event) -> Vec<Effect> {
        let Phase::FirstStart(wizard) = &mut self.phase else { return vec![] };
        let effect = wizard.handle(event);
        let done = matches!(wizard.step(), Step::Done);
        let mut effects = Vec::new();
        match effect {
            Some(setup::Effect::Initialise(new)) => {
                effects.push(Effect::Store(StoreCommand::Initialise(new, now)));
            }
            Some(setup::Effect::Notify(notice)) => self.notify(now, notice),
            None => self.notice = None,
        }
        if done {
            self.phase = Phase::Running;
            effects.push(self.save_cart());
        }
        effects
    }

    pub(super) fn audit(&self, now: Moment, act: AuditAct, device: Option<DeviceId>) -> Effect {
        let operator = self.session.operator().map(|operator| operator.id);
        let entry =
            AuditEntry { operator, subject: self.subject, device, ..AuditEntry::of(act, now.wall) };
        Effect::Store(StoreCommand::Audit(entry))
    }

    /// Where a session of this role begins.
    fn start_page(&self, role: Role) -> Page {
        match role {
            Role::Nurse | Role::Caregiver if self.subject.is_some() => Page::Bedside,
            Role::Nurse | Role::Caregiver => Page::Patients,
            Role::It => Page::People,
            Role::Auditor => Page::Audit,
        }
    }
}
