//! What the pages show. S-1: every one of them exists only inside an open session, and the list and
//! the log only in the core of a session that may read them.

use jiff::Timestamp;
use jiff::civil::Date;

use wardkeep_model::access::factor::TokenKind;
use wardkeep_model::access::policy::{Pair, Policy};
use wardkeep_model::confidential::Phi;
use wardkeep_model::keeping::{AuditRow, FactorKind, FactorRow, Finding, PersonRow};
use wardkeep_model::moment::Moment;
use wardkeep_model::ports::ReaderKind;

use crate::kiosk::Kiosk;
use crate::kiosk::people::search;
use crate::kiosk::project::{pin_prompt, wall_of};
use crate::kiosk::view::access::{
    Account, Audit, AuditLine, Cart, Enrolment as EnrolmentPage, FactorLine, FactorWord, People,
    PersonLine, PersonPage, PersonState,
};
use crate::kiosk::view::records::FindingLine;
use crate::kiosk::view::{PinPrompt, PinPurpose, Screen};
use crate::session::enrolment::{EnrolKind, Enrolment, Goal, Step};

impl Kiosk {
    /// The list, or one of them.
    pub(in crate::kiosk) fn people_screen(&self, now: Moment) -> Screen {
        match self.people.opened() {
            Some(person) => Screen::Person(Box::new(self.person_page(now, person))),
            None => Screen::People(self.people_page(now)),
        }
    }

    /// The step of an enrolment that is under way; it is in front of every page.
    pub(in crate::kiosk) fn enrolment_page(&self) -> Option<EnrolmentPage> {
        self.people.wizard.as_ref().map(|wizard| self.step_page(wizard))
    }

    /// Whose factor is being enrolled, as far as the list tells; nobody's for one's own PIN.
    pub(in crate::kiosk) fn enrolling(&self) -> Option<Phi<String>> {
        match self.people.wizard.as_ref()?.goal() {
            Goal::Person { new, .. } => Some(new.name.clone()),
            Goal::Factor(id, _) => {
                let mut rows = self.people.rows.iter().flatten();
                rows.find(|row| row.id == *id).map(|row| row.name.clone())
            }
            Goal::OwnPin => None,
        }
    }

    fn people_page(&self, now: Moment) -> People {
        let today = self.today(now);
        let people = &self.people;
        let policy = &self.around.config.policy;
        let found = people
            .rows
            .iter()
            .flatten()
            .filter(|person| search::matches(person, people.search.reveal()));
        People {
            rows: found.map(|person| line(person, today, policy)).collect(),
            total: people.rows.as_ref().map_or(0, Vec::len),
            search: people.search.clone(),
            loading: people.rows.is_none(),
            two_person: policy.two_person,
            saved: people.saved,
        }
    }

    fn person_page(&self, now: Moment, person: &PersonRow) -> PersonPage {
        let own = self.session.operator().map(|operator| operator.id);
        let reader = |enrol, kind| (enrol, self.reader(kind));
        PersonPage {
            person: line(person, self.today(now), &self.around.config.policy),
            factors: person.factors.iter().map(|row| self.factor_line(row)).collect(),
            readers: [
                reader(EnrolKind::Badge, ReaderKind::Badge),
                reader(EnrolKind::Card, ReaderKind::SmartCard),
                reader(EnrolKind::Finger, ReaderKind::Finger),
            ],
            is_self: own == Some(person.id),
            busy: self.people.asked.revocation.is_some(),
        }
    }

    fn factor_line(&self, row: &FactorRow) -> FactorLine {
        let word = match &row.kind {
            FactorKind::Badge => FactorWord::Badge,
            FactorKind::Card(subject) => FactorWord::Card(subject.clone()),
            FactorKind::Finger(finger) => FactorWord::Finger(*finger),
        };
        FactorLine { id: row.id, word, since: self.local_day(row.since) }
    }

    fn local_day(&self, at: Timestamp) -> String {
        at.to_zoned(self.around.zone.clone()).date().to_string()
    }

    fn step_page(&self, wizard: &Enrolment) -> EnrolmentPage {
        let badge_reader = self.reader(ReaderKind::Badge);
        let card_reader = self.reader(ReaderKind::SmartCard);
        let pad = |purpose, busy| pin_prompt(purpose, wizard.count(), busy);
        let card_pad = |purpose, tries_left: Option<u8>, busy: bool| PinPrompt {
            token: TokenKind::Card,
            refused: tries_left.is_some() && !busy,
            tries_left,
            ..pad(purpose, busy)
        };
        match wizard.step() {
            Step::Badge(first) => {
                EnrolmentPage::Badge { reader: badge_reader, again: first.is_some() }
            }
            Step::Pin(_) => {
                let code_offered = matches!(wizard.goal(), Goal::Factor(..));
                EnrolmentPage::Pin { prompt: pad(PinPurpose::Choose, false), code_offered }
            }
            Step::Repeat(..) => {
                let prompt = pad(PinPurpose::Repeat, false);
                EnrolmentPage::Pin { prompt, code_offered: false }
            }
            Step::Card => EnrolmentPage::Card { reader: card_reader },
            Step::CardPin(prompted) => EnrolmentPage::CardPin {
                subject: prompted.seen.subject.clone(),
                prompt: card_pad(PinPurpose::SignTest, prompted.tries_left, false),
            },
            Step::CardTest(prompted, _) => EnrolmentPage::CardPin {
                subject: prompted.seen.subject.clone(),
                prompt: card_pad(PinPurpose::SignTest, prompted.tries_left, true),
            },
            Step::FingerChoice => EnrolmentPage::FingerChoice { fingers: wizard.free_fingers() },
            Step::Finger(stages) => EnrolmentPage::Finger {
                finger: stages.finger,
                done: stages.done,
                total: stages.total,
                advice: stages.advice,
            },
            Step::SecondPerson => EnrolmentPage::SecondPerson { badge_reader },
            Step::SecondKnown(..) => {
                EnrolmentPage::SecondPin(card_pad(PinPurpose::Vouch, None, true))
            }
            Step::SecondPin(voucher) | Step::SecondTest(voucher, _) => {
                let busy = matches!(wizard.step(), Step::SecondTest(..));
                EnrolmentPage::SecondPin(match voucher.token.kind() {
                    TokenKind::Badge => pad(PinPurpose::Vouch, busy),
                    TokenKind::Card => card_pad(PinPurpose::Vouch, voucher.tries_left, busy),
                })
            }
            Step::Writing(..) | Step::Over => EnrolmentPage::Working,
            Step::Code(code) => EnrolmentPage::Code(code.clone()),
            Step::Done => {
                let kind = match wizard.goal() {
                    Goal::Factor(_, kind) => *kind,
                    Goal::Person { .. } => EnrolKind::Badge,
                    Goal::OwnPin => EnrolKind::Pin,
                };
                EnrolmentPage::Done { kind, another_finger: wizard.suggests_another_finger() }
            }
        }
    }

    pub(in crate::kiosk) fn audit_page(&self) -> Audit {
        let line = |row: &AuditRow| AuditLine {
            seq: row.seq,
            day: self.local_day(row.entry.at),
            at: self.hour_minute(row.entry.at),
            act: row.entry.act,
            operator: row.operator.clone().unwrap_or_default(),
            person: row.person.clone().unwrap_or_default(),
            pair: row.entry.pair,
            reason: row.entry.reason,
            result: row.entry.result,
            finding: row.entry.finding.as_ref().map(|finding| self.finding_line(finding)),
            detail: Phi::new(row.entry.detail.clone().unwrap_or_default()),
        };
        Audit {
            rows: self.people.audit.iter().flatten().map(line).collect(),
            loading: self.people.audit.is_none(),
            checkpoint: self.people.checkpoint.clone(),
        }
    }

    fn finding_line(&self, finding: &Finding) -> FindingLine {
        let Finding { kind, count, found, expected, span } = *finding;
        let span = span.map(|(from, to)| (self.local(from), self.local(to)));
        FindingLine { kind, count, found, expected, span }
    }

    pub(in crate::kiosk) fn cart_page(&self) -> Cart {
        let config = &self.around.config;
        let policy = &config.policy;
        Cart {
            protection: self.around.protection,
            shift_min: policy.shift.as_secs() / 60,
            pairs: Pair::ALL.into_iter().filter(|pair| policy.allows(*pair)).collect(),
            emergency: policy.emergency,
            two_person: policy.two_person,
            crl_days: config.cards.crl_age.as_secs() / (24 * 3600),
            sensor: self.people.sensor.clone(),
        }
    }

    pub(in crate::kiosk) fn account_page(&self, now: Moment) -> Option<Account> {
        let operator = self.session.operator()?;
        let pair = self.session.pair()?;
        let since = wall_of(now, self.session.since()?);
        let policy = &self.around.config.policy;
        // A full login begins a shift; when the one that a finger or a tap went on with ends, only the
        // store knows.
        let begins_shift = !pair.needs_shift() && grace(policy);
        let ends = begins_shift.then(|| since.checked_add(policy.shift).ok()).flatten();
        Some(Account {
            name: operator.name.clone(),
            role: operator.role,
            pair,
            level: pair.level(),
            since: self.hour_minute(since),
            shift_until: ends.map(|at| self.hour_minute(at)),
            can_change_pin: self.has_own_pin(),
        })
    }
}

/// Something reopens inside a shift here.
fn grace(policy: &Policy) -> bool {
    Pair::ALL.into_iter().any(|pair| pair.needs_shift() && policy.allows(pair))
}

fn line(person: &PersonRow, today: Date, policy: &Policy) -> PersonLine {
    let count =
        |of: fn(&FactorKind) -> bool| person.factors.iter().filter(|row| of(&row.kind)).count();
    let badges = count(|kind| matches!(kind, FactorKind::Badge));
    let cards = count(|kind| matches!(kind, FactorKind::Card(_)));
    let fingers = count(|kind| matches!(kind, FactorKind::Finger(_)));
    let opening = cards + if policy.badge_pin { badges } else { 0 };
    let state = if person.valid_until.is_some_and(|day| day < today) {
        PersonState::Expired
    } else if opening == 0 {
        PersonState::NoFactors
    } else if person.tries_left == 0 {
        PersonState::Exhausted
    } else if person.has_code {
        PersonState::Code
    } else {
        PersonState::Ready
    };
    PersonLine {
        id: person.id,
        name: person.name.clone(),
        initials: person.initials.clone(),
        role: person.role,
        state,
        counts: (badges, cards, fingers),
        valid_until: person.valid_until.map(|day| day.to_string()).unwrap_or_default(),
    }
}
