//! Whatever IT does, in whatever order: who can log in with what is what a simple model says.

#![expect(clippy::unwrap_used, reason = "a failed step of a test has to end it")]

use kit::store::desk::*;
use kit::store::*;
use proptest::prelude::*;
use wardkeep_model::access::factor::Evidence;
use wardkeep_model::access::{OperatorId, Role};
use wardkeep_model::keeping::{
    Administered, Administration, AdministrationFault as Fault, FactorId, FactorKind, Outcome,
};

const PINS: [&[u8]; 3] = [&[2, 9, 4, 0, 7, 3], &[8, 3, 5, 0, 1, 6], &[5, 0, 2, 7, 7, 1, 9, 4]];
const BADGES: u8 = 6;
const CARDS: u8 = 3;
const TOKENS_MAX: usize = 4;

/// Everything IT may do; people are named by their place among those there are.
#[derive(Clone, Debug)]
enum Op {
    Add(bool),
    Badge(usize, u8, usize),
    Card(usize, u8),
    Pin(usize, usize),
    OwnPin(usize),
    TakeToken(usize, usize),
    TakePerson(usize),
    Relock,
    Restart,
}

fn any_op() -> impl Strategy<Value = Op> {
    let (who, pin) = (0..5_usize, 0..PINS.len());
    prop_oneof![
        2 => any::<bool>().prop_map(Op::Add),
        6 => (who.clone(), 0..BADGES, pin.clone()).prop_map(|(a, b, c)| Op::Badge(a, b, c)),
        3 => (who.clone(), 0..CARDS).prop_map(|(a, b)| Op::Card(a, b)),
        2 => (who.clone(), pin.clone()).prop_map(|(a, b)| Op::Pin(a, b)),
        1 => pin.prop_map(Op::OwnPin),
        3 => (who.clone(), 0..TOKENS_MAX).prop_map(|(a, b)| Op::TakeToken(a, b)),
        2 => who.prop_map(Op::TakePerson),
        1 => Just(Op::Relock),
        1 => Just(Op::Restart),
    ]
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Thing {
    Badge(u8),
    Card(u8),
}

#[derive(Clone, Debug)]
struct Person {
    id: OperatorId,
    is_it: bool,
    things: Vec<Thing>,
    pin: usize,
}

impl Person {
    fn evidence(&self, thing: Thing) -> Evidence {
        match thing {
            Thing::Badge(number) => badge_pin(number, PINS[self.pin]),
            Thing::Card(number) => card(number),
        }
    }
}

/// The model, and the store beside it. Somebody from IT is always logged in.
struct World {
    dir: tempfile::TempDir,
    rig: Option<Rig>,
    people: Vec<Person>,
    desk: OperatorId,
    seconds: u64,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (mut rig, _) = Rig::first_start(dir.path());
        rig.log_in(it());
        let first = rig.people()[0].id;
        let ida = rig.enrol("Ida Tamm", Role::It, 0, PINS[0]);
        rig.close();
        rig.log_in(badge_pin(0, PINS[0]));
        rig.revoke(first).unwrap();
        let person = Person { id: ida, is_it: true, things: vec![Thing::Badge(0)], pin: 0 };
        Self { dir, rig: Some(rig), people: vec![person], desk: ida, seconds: 1_000 }
    }

    fn rig(&mut self) -> &mut Rig {
        self.rig.as_mut().unwrap()
    }

    fn now(&mut self) -> wardkeep_model::moment::Moment {
        self.seconds += 600;
        at(self.seconds)
    }

    fn administer(&mut self, what: Administration) -> Result<Administered, Fault> {
        let now = self.now();
        self.rig().ask(what, now).0
    }

    fn owner(&self, thing: Thing) -> Option<&Person> {
        self.people.iter().find(|person| person.things.contains(&thing))
    }

    /// Somebody of IT logs in, the first who can.
    fn sit_down(&mut self) {
        let person = self.people.iter().find(|one| one.is_it && !one.things.is_empty()).unwrap();
        let (id, evidence) = (person.id, person.evidence(person.things[0]));
        let now = self.now();
        self.rig().show(evidence, now).unwrap();
        assert!(matches!(self.rig().next(), Outcome::Imported(_)));
        self.desk = id;
    }

    fn can_take(&self, person: usize, thing: Option<Thing>) -> bool {
        self.people.iter().enumerate().any(|(index, other)| {
            let kept = other.things.iter().filter(|one| thing.is_some() && Some(**one) != thing);
            let left = if index == person { kept.count() } else { other.things.len() };
            other.is_it && left > 0
        })
    }

    fn enrol(&mut self, who: usize, thing: Thing, what: Administration) -> bool {
        let expected = match self.owner(thing) {
            Some(_) => Err(Fault::TokenInUse),
            None if self.people[who].things.len() >= TOKENS_MAX => Err(Fault::TooMany),
            None => Ok(()),
        };
        assert_eq!(self.administer(what).map(|_| ()), expected);
        if expected.is_ok() {
            self.people[who].things.push(thing);
        }
        expected.is_ok()
    }

    fn apply(&mut self, op: &Op) {
        let who = |index: usize| index % self.people.len();
        match *op {
            Op::Add(is_it) => {
                let role = if is_it { Role::It } else { Role::Nurse };
                let added = self.administer(Administration::AddPerson(person("Nn Nn", role), None));
                let Ok(Administered::Added(id)) = added else { panic!("{added:?}") };
                self.people.push(Person { id, is_it, things: Vec::new(), pin: 0 });
            }
            Op::Badge(index, number, pin) => {
                let (who, id) = (who(index), self.people[who(index)].id);
                let what = Administration::EnrolBadge(id, nth_badge(number), chosen(PINS[pin]));
                if self.enrol(who, Thing::Badge(number), what) {
                    self.people[who].pin = pin;
                }
            }
            Op::Card(index, number) => {
                let (who, id) = (who(index), self.people[who(index)].id);
                let what = Administration::EnrolCard(id, card_enrolment(number));
                self.enrol(who, Thing::Card(number), what);
            }
            Op::Pin(index, pin) => {
                let who = who(index);
                let what = Administration::SetPin(self.people[who].id, chosen(PINS[pin]));
                self.set_pin(who, pin, what);
            }
            Op::OwnPin(pin) => {
                let who = self.people.iter().position(|one| one.id == self.desk).unwrap();
                let what = Administration::ChangeOwnPin(kit::store::pin(PINS[pin]));
                self.set_pin(who, pin, what);
            }
            Op::TakeToken(index, which) => {
                let who = who(index);
                self.take_token(who, which);
            }
            Op::TakePerson(index) => {
                let who = who(index);
                let what = Administration::RevokePerson(self.people[who].id);
                if self.take(who, None, what) {
                    self.people.remove(who);
                }
            }
            Op::Relock => {
                self.rig().close();
                self.sit_down();
            }
            Op::Restart => {
                self.rig.take().unwrap().stop();
                self.rig = Some(Rig::restart(self.dir.path()));
                self.sit_down();
            }
        }
    }

    fn set_pin(&mut self, who: usize, pin: usize, what: Administration) {
        let has_badge = self.people[who].things.iter().any(|one| matches!(one, Thing::Badge(_)));
        let expected = if has_badge { Ok(()) } else { Err(Fault::NoBadge) };
        assert_eq!(self.administer(what).map(|_| ()), expected);
        if has_badge {
            self.people[who].pin = pin;
        }
    }

    fn take_token(&mut self, who: usize, which: usize) {
        let person = self.people[who].clone();
        if person.things.is_empty() {
            let what = Administration::RevokeFactor(person.id, FactorId(77));
            assert_eq!(self.administer(what).map(|_| ()), Err(Fault::Unknown));
            return;
        }
        let thing = person.things[which % person.things.len()];
        let rows = self.rig().people();
        let factors = &rows.iter().find(|row| row.id == person.id).unwrap().factors;
        // Badges have no names in the list: the n-th that was enrolled is the n-th of the model.
        let same_kind = |other: &Thing| {
            matches!(
                (thing, other),
                (Thing::Badge(_), Thing::Badge(_)) | (Thing::Card(_), Thing::Card(_))
            )
        };
        let place = person.things.iter().filter(|one| same_kind(one)).position(|one| *one == thing);
        let of_kind = factors.iter().filter(|factor| match &factor.kind {
            FactorKind::Badge => matches!(thing, Thing::Badge(_)),
            FactorKind::Card(_) => matches!(thing, Thing::Card(_)),
            FactorKind::Finger(_) => false,
        });
        let id = of_kind.map(|factor| factor.id).nth(place.unwrap()).unwrap();
        if self.take(who, Some(thing), Administration::RevokeFactor(person.id, id)) {
            self.people[who].things.retain(|one| *one != thing);
        }
    }

    /// True if it was done. Whoever takes something of themselves away is out.
    fn take(&mut self, who: usize, thing: Option<Thing>, what: Administration) -> bool {
        let possible = self.can_take(who, thing);
        let expected = if possible { Ok(()) } else { Err(Fault::LastAdministrator) };
        assert_eq!(self.administer(what).map(|_| ()), expected);
        if possible && self.people[who].id == self.desk {
            assert!(matches!(self.rig().next(), Outcome::Closed));
            self.desk = OperatorId(0);
        }
        possible
    }

    /// Tries every token with the right PIN and with one wrong one.
    fn check(&mut self) {
        self.rig().close();
        let badges = (0..BADGES).map(Thing::Badge);
        for thing in badges.chain((0..CARDS).map(Thing::Card)) {
            let owner = self.owner(thing).cloned();
            let right = owner.as_ref().map(|owner| owner.pin).unwrap_or_default();
            for (pin, is_right) in [((right + 1) % PINS.len(), false), (right, true)] {
                let (evidence, expected) = match thing {
                    Thing::Badge(number) => (badge_pin(number, PINS[pin]), is_right),
                    Thing::Card(number) => (card(number), true),
                };
                let now = self.now();
                let opened = self.rig().opens_at(evidence, now);
                assert_eq!(opened, expected && owner.is_some(), "{thing:?} of {owner:?}");
            }
        }
        self.sit_down();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn s4_who_can_log_in_is_what_the_acts_say(ops in prop::collection::vec(any_op(), 1..24)) {
        let mut world = World::new();
        for (step, op) in ops.iter().enumerate() {
            world.apply(op);
            if world.desk == OperatorId(0) {
                world.sit_down();
            }
            if step % 8 == 7 {
                world.check();
            }
        }
        world.check();
        world.rig.take().unwrap().stop();
    }
}
