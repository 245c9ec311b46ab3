//! Everybody who may log in: the list, one person's page, adding, taking away.
//!
//! The gate has let every intent here pass, and the store checks the role again. Names of staff are held
//! only while the page is in front, and go with the session (S-1, S-10). A revocation counts at once:
//! whoever takes away what their own session rests on is locked out with the store's answer.

mod form;

use jiff::civil::Date;

use wardkeep_model::access::factor::{Attempt, Finger, Token};
use wardkeep_model::access::policy::{Permission, Policy};
use wardkeep_model::access::{OperatorId, Role};
use wardkeep_model::confidential::Phi;
use wardkeep_model::keeping::{
    Administered, Administration, AdministrationFault, FactorId, FactorKind, FactorRow, PersonRow,
    StoreFault,
};
use wardkeep_model::notice::Notice;
use wardkeep_model::ports::ReaderKind;

use crate::kiosk::Effect;
use crate::kiosk::desk::{Desk, Scene};
use crate::kiosk::gate::Need;
use crate::kiosk::open::{Open, Revocation, ask};
use crate::kiosk::pages::Front;
use crate::kiosk::pages::kept::Kept;
use crate::kiosk::pages::search;
use crate::kiosk::view::Screen;
use crate::kiosk::view::access::{
    FactorLine, FactorWord, People, PersonLine, PersonPage, PersonState,
};
use crate::session::enrolment::{self, EnrolKind, Goal};

pub use self::form::PersonForm;

/// What people do about people.
#[derive(Clone, Debug, PartialEq)]
pub enum Intent {
    /// Searched for people.
    Search(Phi<String>),
    /// Opened one person's page.
    Open(OperatorId),
    /// Add a person, and go on with enrolling their badge.
    Add(PersonForm),
    /// Enrol a factor of the person whose page is open, or one more.
    Enrol(EnrolKind),
    /// Take this factor of the person whose page is open away.
    RevokeFactor(FactorId),
    /// Take the person whose page is open away.
    RevokePerson,
}

pub(in crate::kiosk) fn need(intent: &Intent) -> Need {
    match intent {
        Intent::Search(_)
        | Intent::Open(_)
        | Intent::Add(_)
        | Intent::Enrol(_)
        | Intent::RevokeFactor(_)
        | Intent::RevokePerson => Need::Role(Permission::ManagePeople),
    }
}

pub(in crate::kiosk) fn handle(
    open: &mut Open,
    desk: &mut Desk<'_>,
    intent: Intent,
) -> Vec<Effect> {
    if open.wizard.is_running()
        && let Intent::Enrol(kind) = intent
    {
        return open.in_enrolment(desk, enrolment::Event::Next(kind));
    }
    let Front::People(staff) = &mut open.front else { return vec![] };
    match intent {
        Intent::Search(text) => {
            staff.search = text;
            staff.lines.forget();
            vec![]
        }
        Intent::Open(id) if staff.person(id).is_some() => {
            staff.opened = Some(id);
            open.in_enrolment(desk, enrolment::Event::Cancel)
        }
        Intent::Open(_) => vec![],
        Intent::Add(form) => add(open, desk, &form),
        Intent::Enrol(kind) => {
            let Some(person) = staff.opened().filter(|_| open.revocation.is_none()) else {
                return vec![];
            };
            let (id, fingers) = (person.id, fingers(person));
            open.begin_enrolment(desk, Goal::Factor(id, kind), fingers)
        }
        Intent::RevokeFactor(factor) => {
            let Some((what, whom)) = factor_revocation(staff, desk, factor) else { return vec![] };
            revoke(open, desk, what, whom)
        }
        Intent::RevokePerson => {
            let Some(id) = staff.opened().map(|person| person.id) else { return vec![] };
            revoke(open, desk, Administration::RevokePerson(id), Revocation::Person(id))
        }
    }
}

fn add(open: &mut Open, desk: &mut Desk<'_>, form: &PersonForm) -> Vec<Effect> {
    if open.wizard.is_running() {
        return vec![];
    }
    match form::new_person(form, desk.site.today(desk.now)) {
        Ok(new) => {
            let vouched = new.role == Role::It && desk.site.config.policy.two_person;
            open.begin_enrolment(desk, Goal::Person { new, vouched }, vec![])
        }
        Err(notice) => {
            desk.notify(notice);
            vec![]
        }
    }
}

fn factor_revocation(
    staff: &Staff,
    desk: &Desk<'_>,
    factor: FactorId,
) -> Option<(Administration, Revocation)> {
    let rests = |kind: &FactorKind| match (kind, desk.session.token()) {
        (FactorKind::Badge, Some(Token::Badge(_))) => true,
        (FactorKind::Card(_), Some(Token::Card(_))) => true,
        (FactorKind::Finger(_), _) => desk.session.pair().is_some_and(|pair| pair.uses_finger()),
        (FactorKind::Badge | FactorKind::Card(_), _) => false,
    };
    let person = staff.opened()?;
    let row = person.factors.iter().find(|row| row.id == factor)?;
    let is_self = desk.session.operator().is_some_and(|own| own.id == person.id);
    // Which of several badges opened the session is not known here: any of them locks it.
    let rests = is_self && rests(&row.kind);
    Some((Administration::RevokeFactor(person.id, factor), Revocation::Factor { rests }))
}

fn revoke(
    open: &mut Open,
    desk: &mut Desk<'_>,
    what: Administration,
    whom: Revocation,
) -> Vec<Effect> {
    if open.revocation.is_some() || open.wizard.is_running() {
        return vec![];
    }
    let attempt = desk.counts.next_attempt();
    open.revocation = Some((attempt, whom));
    desk.notices.clear();
    vec![ask(desk, attempt, what)]
}

/// Says what came of a revocation, and whether the vault's keys could be changed; taking away what the session rests on locks it at once.
pub(in crate::kiosk) fn revoked(
    open: &mut Open,
    desk: &mut Desk<'_>,
    whom: Revocation,
    keys: Result<(), StoreFault>,
) -> Vec<Effect> {
    let own = desk.session.operator().map(|operator| operator.id);
    let (notice, locks) = match whom {
        Revocation::Person(id) => {
            if let Front::People(staff) = &mut open.front {
                staff.leave_person();
            }
            (Notice::PersonRevoked, own == Some(id))
        }
        Revocation::Factor { rests } => (Notice::FactorRevoked, rests),
    };
    desk.notify(if keys.is_ok() { notice } else { Notice::KeysUnchanged });
    desk.locks |= locks;
    if locks { vec![] } else { open.refresh(desk) }
}

/// What the page holds.
pub(in crate::kiosk) struct Staff {
    /// Everybody, by name; `None` until the store has told.
    rows: Option<Vec<PersonRow>>,
    /// Those of them that the search leaves.
    lines: Kept<PersonLine>,
    search: Phi<String>,
    /// Whose page is open.
    opened: Option<OperatorId>,
    asked: Option<Attempt>,
}

impl Staff {
    /// Asks for the list; what `before` shows of it stays until the answer comes.
    pub(in crate::kiosk) fn begin(desk: &mut Desk<'_>, before: &mut Front) -> (Self, Effect) {
        let rows = if let Front::People(staff) = before { staff.rows.take() } else { None };
        let (lines, search) = (Kept::default(), Phi::default());
        let mut staff = Self { rows, lines, search, opened: None, asked: None };
        let asked = staff.ask(desk);
        (staff, asked)
    }

    /// Asks for the list again.
    pub(in crate::kiosk) fn ask(&mut self, desk: &mut Desk<'_>) -> Effect {
        let attempt = desk.counts.next_attempt();
        self.asked = Some(attempt);
        ask(desk, attempt, Administration::ListPeople)
    }

    pub(in crate::kiosk) fn awaits(&self, attempt: Attempt) -> bool {
        self.asked == Some(attempt)
    }

    pub(in crate::kiosk) fn listed(
        &mut self,
        answer: Result<Administered, AdministrationFault>,
    ) -> Result<(), AdministrationFault> {
        self.asked = None;
        if let Administered::People(rows) = answer? {
            self.rows = Some(rows);
            self.lines.forget();
        }
        Ok(())
    }

    /// Opens the page of somebody who was just added.
    pub(in crate::kiosk) fn open(&mut self, id: OperatorId) {
        self.opened = Some(id);
    }

    /// Back to the list.
    pub(in crate::kiosk) fn leave_person(&mut self) {
        self.opened = None;
    }

    pub(in crate::kiosk) fn person(&self, id: OperatorId) -> Option<&PersonRow> {
        self.rows.iter().flatten().find(|row| row.id == id)
    }

    fn opened(&self) -> Option<&PersonRow> {
        self.person(self.opened?)
    }

    /// The list, or one of them.
    pub(in crate::kiosk) fn view(&self, scene: Scene<'_>, busy: bool) -> Screen {
        match self.opened() {
            Some(person) => Screen::Person(Box::new(person_page(scene, person, busy))),
            None => Screen::People(self.list(scene)),
        }
    }

    fn list(&self, scene: Scene<'_>) -> People {
        let today = scene.today();
        let policy = &scene.site.config.policy;
        let search = self.search.reveal();
        let found = self
            .rows
            .iter()
            .flatten()
            .filter(|person| search::matches(person.name.reveal(), &person.initials, search));
        People {
            rows: self.lines.of(today, found.map(|person| line(person, today, policy))),
            total: self.rows.as_ref().map_or(0, Vec::len),
            search: self.search.clone(),
            loading: self.rows.is_none(),
            two_person: policy.two_person,
            saved: scene.counts.forms,
        }
    }
}

fn person_page(scene: Scene<'_>, person: &PersonRow, busy: bool) -> PersonPage {
    let own = scene.session.operator().map(|operator| operator.id);
    let reader = |enrol, kind| (enrol, scene.health.reader(kind));
    let factor = |row: &FactorRow| FactorLine {
        id: row.id,
        word: match &row.kind {
            FactorKind::Badge => FactorWord::Badge,
            FactorKind::Card(subject) => FactorWord::Card(subject.clone()),
            FactorKind::Finger(finger) => FactorWord::Finger(*finger),
        },
        since: scene.site.local_day(row.since),
    };
    PersonPage {
        person: line(person, scene.today(), &scene.site.config.policy),
        factors: person.factors.iter().map(factor).collect(),
        readers: [
            reader(EnrolKind::Badge, ReaderKind::Badge),
            reader(EnrolKind::Card, ReaderKind::SmartCard),
            reader(EnrolKind::Finger, ReaderKind::Finger),
        ],
        is_self: own == Some(person.id),
        busy,
    }
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

fn fingers(person: &PersonRow) -> Vec<Finger> {
    let finger = |kind: &FactorKind| match kind {
        FactorKind::Finger(finger) => Some(*finger),
        FactorKind::Badge | FactorKind::Card(_) => None,
    };
    person.factors.iter().filter_map(|row| finger(&row.kind)).collect()
}
