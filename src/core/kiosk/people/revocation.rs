//! Taking a factor or a person away. It counts at once: whoever takes away what their own session rests
//! on is locked out with the store's answer (S-1).

use wardkeep_model::access::factor::Token;
use wardkeep_model::keeping::{Administration, FactorId, FactorKind};
use wardkeep_model::moment::Moment;
use wardkeep_model::notice::Notice;

use crate::kiosk::held::Revocation;
use crate::kiosk::page::Page;
use crate::kiosk::people::ask;
use crate::kiosk::{Effect, Kiosk};
use crate::session;

impl Kiosk {
    pub(super) fn revoke_factor(&mut self, now: Moment, factor: FactorId) -> Vec<Effect> {
        let rests = |kind: &FactorKind| match (kind, self.own_token()) {
            (FactorKind::Badge, Some(Token::Badge(_))) => true,
            (FactorKind::Card(_), Some(Token::Card(_))) => true,
            (FactorKind::Finger(_), _) => {
                self.session.pair().is_some_and(|pair| pair.uses_finger())
            }
            (FactorKind::Badge | FactorKind::Card(_), _) => false,
        };
        let Some(person) = self.people.opened() else { return vec![] };
        let Some(row) = person.factors.iter().find(|row| row.id == factor) else { return vec![] };
        let is_self = self.session.operator().is_some_and(|own| own.id == person.id);
        // Which of several badges opened the session is not known here: any of them locks it.
        let rests = is_self && rests(&row.kind);
        let what = Administration::RevokeFactor(person.id, factor);
        self.revoke(now, what, Revocation::Factor { rests })
    }

    pub(super) fn revoke_person(&mut self, now: Moment) -> Vec<Effect> {
        let Some(person) = self.people.opened() else { return vec![] };
        let id = person.id;
        self.revoke(now, Administration::RevokePerson(id), Revocation::Person(id))
    }

    fn revoke(&mut self, now: Moment, what: Administration, whom: Revocation) -> Vec<Effect> {
        let busy = self.people.asked.revocation.is_some() || self.is_enrolling();
        if self.page != Page::People || busy {
            return vec![];
        }
        let attempt = self.people.next_attempt();
        self.people.asked.revocation = Some((attempt, whom));
        self.notice = None;
        vec![ask(attempt, what, now)]
    }

    /// Says what came of a revocation; taking away what the session rests on locks it at once.
    pub(super) fn revoked(&mut self, now: Moment, whom: Revocation) -> Vec<Effect> {
        let own = self.session.operator().map(|operator| operator.id);
        let (notice, locks) = match whom {
            Revocation::Person(id) => {
                self.people.opened = None;
                (Notice::PersonRevoked, own == Some(id))
            }
            Revocation::Factor { rests } => (Notice::FactorRevoked, rests),
        };
        let effects = if locks {
            self.in_session(now, session::Event::LockPressed)
        } else {
            self.refresh(now)
        };
        self.notify(now, notice);
        effects
    }
}
