//! Factors against a whole store, without its thread: cards, codes, last days, policies, tallies, and
//! what an unknown token costs.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use jiff::ToSpan;
use jiff::civil::Date;

use super::*;
use crate::crypto::{STRETCHED, key_pair};
use crate::disk::durable::StateDir;
use crate::inbox::segment::Lane;
use crate::machine::device_secret::SecretFile;
use crate::open::first_start::initialise;
use crate::open::locked::Loaded;
use crate::open::options::Options;
use crate::record::entry::Entry;
use jiff::tz::TimeZone;
use wardkeep_model::access::Role;
use wardkeep_model::access::factor::{Badge, CardId, CardPeer, Pin, ReaderFamily};
use wardkeep_model::access::policy::Policy;
use wardkeep_model::confidential::{Phi, Secret};
use wardkeep_model::keeping::{AuditAct, AuditEntry, Finding, FindingKind, NewOperator};
use wardkeep_model::moment::Moment;

const PIN: [u8; 6] = [4, 7, 1, 1, 8, 2];
const CARD: CardId = CardId([0xc4; 32]);

struct Bench {
    dir: tempfile::TempDir,
    policy: Policy,
    store: Option<Box<Locked>>,
    private: Key,
    id: OperatorId,
}

fn badge(number: u8) -> Badge {
    Badge::new(ReaderFamily::PcscUid, &[number, 0xb2, 0xb3, 0xb4]).unwrap()
}

fn with_pin(number: u8, digits: [u8; 6]) -> Evidence {
    Evidence::BadgePin(badge(number), digits.into_iter().collect::<Pin>())
}

fn right() -> Evidence {
    with_pin(1, PIN)
}

fn wrong(number: u8, digit: u8) -> Evidence {
    with_pin(number, [9, 9, 9, 9, 9, digit])
}

fn card(secret: u8) -> Evidence {
    Evidence::Card(CARD, Secret::new(vec![secret; 32]))
}

fn tap(number: u8) -> Evidence {
    Evidence::Tap(Token::Badge(badge(number)))
}

fn start() -> Clocks {
    let wall = "2026-07-01T12:00:00Z".parse().unwrap();
    Clocks { now: Moment { boot: BootTime(Duration::from_secs(900)), wall }, slept: Duration::ZERO }
}

fn later(seconds: u64) -> Clocks {
    Clocks { now: start().now + Duration::from_secs(seconds), ..start() }
}

fn load(dir: &Path, policy: Policy) -> Box<Locked> {
    let options = Options::new(dir)
        .with_device_secret(SecretFile::new(dir))
        .with_policy(policy)
        .with_cost_for_tests();
    let state = StateDir::take_again(dir).unwrap();
    let Loaded::Store(store) = Locked::load(state, &options, Moment::read()).unwrap() else {
        panic!("no store")
    };
    store
}

impl Bench {
    fn new(policy: Policy) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let options = Options::new(dir.path())
            .with_device_secret(SecretFile::new(dir.path()))
            .with_cost_for_tests();
        let first = NewOperator {
            initials: "AB".into(),
            name: Phi::new("A B".into()),
            role: Role::It,
            badge: badge(1),
            pin: PIN.into_iter().collect(),
        };
        let state = StateDir::take(dir.path()).unwrap();
        initialise(&state, &options, &first, start().now).unwrap();
        drop(state);
        let store = load(dir.path(), Policy { shift: Duration::ZERO, ..Policy::default() });
        let entered = store.unlock(&right(), start()).ok().unwrap();
        let LogIn { open, unlocked, private } = entered;
        let id = unlocked.operator.id;
        drop(open);
        let store = Some(load(dir.path(), policy));
        Self { dir, policy, store, private, id }
    }

    /// Enrols another token of the person.
    fn enrol(&mut self, evidence: &Evidence, peer: Option<CardPeer>) {
        let store = self.store();
        let owner = store.owner(self.id);
        let slot = SlotInfo::new(evidence.pair()).unwrap();
        let kek = store.kek(evidence, &owner, &slot).unwrap();
        let (slots, keys) = (store.slots(), &store.keys);
        keyslot::write(&slots, keys, &owner, &slot, (&kek, &self.private)).unwrap();
        let index = store.keys.token_index(&evidence.token());
        let since = start().now.wall;
        self.person().tokens.push(TokenSlot { index, slot, peer, since });
        self.store_mut().save_cart().unwrap();
    }

    fn person(&mut self) -> &mut Person {
        let id = self.id;
        self.store_mut().cart.people.iter_mut().find(|person| person.id == id).unwrap()
    }

    fn store(&self) -> &Locked {
        self.store.as_ref().unwrap()
    }

    fn store_mut(&mut self) -> &mut Locked {
        self.store.as_mut().unwrap()
    }

    /// Unlocks and locks again.
    fn try_at(&mut self, evidence: &Evidence, clocks: Clocks) -> Result<Unlocked, Refusal> {
        match self.store.take().unwrap().unlock(evidence, clocks) {
            Ok(LogIn { open, unlocked, .. }) => {
                self.store = Some(open.give_up());
                Ok(unlocked)
            }
            Err((store, refusal)) => {
                self.store = Some(store);
                Err(refusal)
            }
        }
    }

    fn opens(&mut self, evidence: &Evidence, clocks: Clocks) -> bool {
        self.try_at(evidence, clocks).is_ok()
    }

    fn restart(mut self) -> Self {
        let Self { dir, policy, store, .. } = self;
        drop(store);
        self.store = Some(load(dir.path(), policy));
        Self { dir, ..self }
    }

    fn admission(&mut self, token: &Token, clocks: Clocks) -> Admission {
        self.store_mut().identify(token, clocks).unwrap().admission
    }
}

fn refused(answer: Result<Unlocked, Refusal>) -> Refusal {
    answer.expect_err("nothing may open here")
}

fn left(tries_left: u8) -> Admission {
    Admission::Try { tries_left }
}

#[test]
fn s4_a_card_opens_with_what_it_agreed_on_and_with_nothing_else() {
    let mut bench = Bench::new(Policy::default());
    let peer = CardPeer(vec![4; 65]);
    bench.enrol(&card(5), Some(peer.clone()));
    let identified = bench.store_mut().identify(&Token::Card(CARD), start()).unwrap();
    assert_eq!((identified.admission, identified.peer), (left(10), Some(peer)));
    let unlocked = bench.try_at(&card(5), start()).unwrap();
    assert_eq!((unlocked.operator.id, unlocked.must_choose_pin), (bench.id, false));
    assert_eq!(bench.try_at(&card(6), start()), Err(Refusal::WrongFactors(left(9))));
    let other = Evidence::Card(CardId([1; 32]), Secret::new(vec![5; 32]));
    assert_eq!(bench.try_at(&other, start()), Err(Refusal::WrongFactors(left(9))));
    let mut bench = bench.restart();
    assert_eq!(bench.admission(&Token::Card(CARD), start()), left(9));
    assert!(bench.opens(&card(5), start()));
    assert_eq!(bench.admission(&Token::Card(CARD), start()), left(10));
}

#[test]
fn s4_an_unknown_card_is_asked_like_a_known_one() {
    let mut bench = Bench::new(Policy::default());
    let unknown = |number: u8| Token::Card(CardId([number; 32]));
    let mut ask = |token: &Token| bench.store_mut().identify(token, start()).unwrap();
    let first = ask(&unknown(1));
    assert_eq!((first.admission, &first.shift), (left(10), &None));
    let point = first.peer.clone().unwrap().0;
    assert_eq!((point.len(), point[0]), (65, 4));
    p256::PublicKey::from_sec1_bytes(&point).expect("a point on the curve");
    assert_eq!(ask(&unknown(1)), first, "the same at every ask");
    assert_ne!(ask(&unknown(2)).peer, first.peer);
    assert_eq!(ask(&Token::Badge(badge(1))), ask(&Token::Badge(badge(9))));
    let mut bench = bench.restart();
    assert_eq!(
        bench.store_mut().identify(&unknown(1), start()).unwrap(),
        first,
        "after a restart too"
    );
}

#[test]
fn s5_a_persons_badges_share_one_tally_and_cards_have_their_own() {
    let mut bench = Bench::new(Policy::default());
    bench.enrol(&with_pin(2, PIN), None);
    bench.enrol(&card(5), Some(CardPeer(vec![4; 65])));
    for digit in 0..10 {
        let now = later(1_000 * u64::from(digit));
        refused(bench.try_at(&wrong(1 + digit % 2, digit), now));
    }
    let mut bench = bench.restart();
    for number in [1, 2] {
        let exhausted = Admission::Exhausted;
        assert_eq!(bench.admission(&Token::Badge(badge(number)), later(99_000)), exhausted);
        let answer = bench.try_at(&with_pin(number, PIN), later(99_000));
        assert_eq!(answer, Err(Refusal::NotAdmitted(exhausted)));
    }
    assert!(bench.opens(&card(5), later(99_000)), "the card still opens");
    assert_eq!(bench.admission(&Token::Badge(badge(9)), later(99_000)), left(10));
    let id = bench.id;
    bench.store_mut().cart.forget_tries(id);
    assert!(bench.opens(&with_pin(2, PIN), later(99_000)), "until IT forgets the tries");
}

#[test]
fn s5_an_unknown_token_costs_what_a_wrong_secret_costs() {
    let mut bench = Bench::new(Policy::default());
    bench.enrol(&card(5), Some(CardPeer(vec![4; 65])));
    let mut cost = |evidence: Evidence| {
        let (before, generation) = (files(bench.dir.path()), bench.store().cart.generation);
        let stretched = STRETCHED.get();
        refused(bench.try_at(&evidence, start()));
        let written = bench.store().cart.generation - generation;
        let after = files(bench.dir.path());
        let changed: Vec<PathBuf> = after
            .into_iter()
            .filter(|(path, stamp)| before.get(path) != Some(stamp))
            .map(|(path, _)| path.strip_prefix(bench.dir.path()).unwrap().to_owned())
            .collect();
        (STRETCHED.get() - stretched, written, changed)
    };
    let files = [
        "store/cart",
        "store/cart.copy",
        "store/cart.seen",
        "store/inbox/head",
        "store/inbox/seen",
        "store/keyring.seen",
        "store/vault.seen",
    ];
    let files = files.map(PathBuf::from).to_vec();
    assert_eq!(cost(wrong(1, 1)), (1, 1, files.clone()), "known badge, wrong PIN");
    assert_eq!(cost(wrong(9, 1)), (1, 1, files.clone()), "unknown badge");
    let again = (1, 0, vec![]);
    assert_eq!((cost(wrong(1, 1)), cost(wrong(9, 1))), (again.clone(), again), "repeated");
    let unknown = Evidence::Card(CardId([1; 32]), Secret::new(vec![6; 32]));
    assert_eq!(cost(card(6)), (0, 1, files.clone()), "known card, wrong secret");
    assert_eq!(cost(unknown), (0, 1, files), "unknown card");
}

/// Every file with what changes when it is written.
fn files(dir: &Path) -> BTreeMap<PathBuf, (u64, SystemTime)> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        let facts = entry.metadata().unwrap();
        if facts.is_dir() {
            found.extend(files(&entry.path()));
        } else {
            found.insert(entry.path(), (facts.ino(), facts.modified().unwrap()));
        }
    }
    found
}

#[test]
fn s4_a_last_day_ends_a_login_only_after_the_right_factors() {
    let mut bench = Bench::new(Policy { tap_alone: true, ..Policy::default() });
    let today = start().now.wall.to_zoned(TimeZone::system()).date();
    let mut until = |date: Date| {
        bench.person().valid_until = Some(date);
        (bench.try_at(&right(), start()).map(|_| ()), bench.try_at(&tap(1), start()).map(|_| ()))
    };
    assert_eq!(until(today), (Ok(()), Ok(())));
    // The share of the day before is alive, and goes with the refusal.
    let yesterday = today.checked_sub(1.day()).unwrap();
    assert_eq!(until(yesterday), (Err(Refusal::Expired), Err(Refusal::Expired)));
    assert_eq!(until(today.checked_add(1.day()).unwrap()), (Ok(()), Ok(())));
    bench.person().valid_until = Some(yesterday);
    assert_eq!(bench.try_at(&tap(1), start()), Err(Refusal::Expired));
    assert_eq!(bench.try_at(&tap(1), start()), Err(Refusal::ShiftOver));
    assert_eq!(bench.try_at(&wrong(1, 1), start()), Err(Refusal::WrongFactors(left(9))));
}

#[test]
fn s4_a_one_time_code_opens_once_within_three_days_and_leaves_no_shift() {
    let day = 24 * 3600;
    for (age, fresh) in [(0, true), (3 * day - 1, true), (3 * day, false), (400 * day, false)] {
        let mut bench = Bench::new(Policy { tap_alone: true, ..Policy::default() });
        bench.person().code_since = Some(start().now.wall);
        let now = later(age);
        let answer = bench.try_at(&right(), now).map(|unlocked| unlocked.must_choose_pin);
        assert_eq!(answer, if fresh { Ok(true) } else { Err(Refusal::Expired) }, "{age}");
        assert_eq!(bench.try_at(&tap(1), now), Err(Refusal::ShiftOver));
        assert_eq!(bench.try_at(&right(), now), Err(Refusal::Expired), "only once");
        let mut bench = bench.restart();
        if fresh {
            assert_eq!(bench.try_at(&right(), now), Err(Refusal::Expired), "after a restart too");
        }
        bench.person().code_since = None;
        assert!(bench.opens(&right(), now));
    }
    let mut bench = Bench::new(Policy::default());
    bench.person().code_since = Some(later(day).now.wall);
    assert_eq!(bench.try_at(&right(), start()), Err(Refusal::Expired), "the clock was set back");
    bench.enrol(&card(5), Some(CardPeer(vec![4; 65])));
    bench.person().code_since = Some(start().now.wall);
    let unlocked = bench.try_at(&card(5), start()).unwrap();
    assert!(!unlocked.must_choose_pin, "a card has a PIN of its own");
}

#[test]
fn s4_the_store_takes_only_what_the_policy_allows() {
    let floor = Policy::default();
    let token = || Token::Badge(badge(1));
    let finger = || Evidence::Finger(token(), TemplateId(1));
    let no_badges = Policy { badge_pin: false, tap_alone: true, ..floor };
    let no_shift = Policy { shift: Duration::ZERO, tap_alone: true, ..floor };
    let tests = [
        (floor, right(), Ok(())),
        (floor, tap(1), Err(Refusal::NotTaken)),
        (Policy { tap_alone: true, ..floor }, tap(1), Ok(())),
        (floor, finger(), Err(Refusal::ShiftOver)),
        (Policy { finger: false, ..floor }, finger(), Err(Refusal::NotTaken)),
        (no_badges, right(), Err(Refusal::NotTaken)),
        (no_badges, tap(1), Err(Refusal::NotTaken)),
        (no_badges, card(5), Ok(())),
        (no_shift, tap(1), Err(Refusal::NotTaken)),
        (no_shift, finger(), Err(Refusal::NotTaken)),
        (no_shift, right(), Ok(())),
    ];
    for (number, (policy, evidence, expected)) in tests.into_iter().enumerate() {
        let mut bench = Bench::new(policy);
        bench.enrol(&card(5), Some(CardPeer(vec![4; 65])));
        if policy.badge_pin {
            assert!(bench.opens(&right(), start()));
        }
        let generation = bench.store().cart.generation;
        let answer = bench.try_at(&evidence, start()).map(|_| ());
        assert_eq!(answer, expected, "case {number}");
        let uncounted = answer.is_err() && bench.store().cart.generation == generation;
        assert_eq!(uncounted, expected.is_err(), "what is not taken is not counted: {number}");
    }
}

#[test]
fn s3_a_share_is_kept_only_where_it_opens_something() {
    let floor = Policy::default();
    let tap_alone = Policy { tap_alone: true, ..floor };
    for (policy, kept) in [
        (floor, false), // no finger is enrolled
        (tap_alone, true),
        (Policy { finger: false, ..tap_alone }, true),
        (Policy { shift: Duration::ZERO, ..tap_alone }, false),
    ] {
        let mut bench = Bench::new(policy);
        assert!(bench.opens(&right(), start()));
        assert_eq!(bench.store().gate.shifts.check_at().is_some(), kept, "{policy:?}");
        let shift = bench.store_mut().identify(&Token::Badge(badge(1)), start()).unwrap().shift;
        assert_eq!(shift, kept.then_some(Shift { templates: vec![], tap: true }));
        assert_eq!(bench.opens(&tap(1), later(60)), kept);
        let bench = bench.restart();
        assert!(bench.store().gate.shifts.check_at().is_none(), "a restart ends every share");
    }
}

#[test]
fn s3_a_share_of_a_token_or_person_that_is_gone_opens_nothing() {
    let mut bench = Bench::new(Policy { tap_alone: true, ..Policy::default() });
    assert!(bench.opens(&right(), start()) && bench.opens(&tap(1), start()));
    let tokens = std::mem::take(&mut bench.person().tokens);
    assert_eq!(bench.try_at(&tap(1), start()), Err(Refusal::ShiftOver));
    bench.person().tokens = tokens;
    assert_eq!(bench.try_at(&tap(1), start()), Err(Refusal::ShiftOver), "it is gone for good");
    assert!(bench.opens(&right(), start()) && bench.opens(&tap(1), start()));
    let id = bench.id;
    bench.store_mut().end_shift(id);
    assert_eq!(bench.try_at(&tap(1), start()), Err(Refusal::ShiftOver));
}

/// The device secret is a file on the same disk: whoever has both can write a keyring that authenticates.
#[test]
fn s3_a_foreign_key_of_the_inbox_is_replaced_and_what_was_sealed_to_it_is_named() {
    let bench = Bench::new(Policy::default());
    let own = bench.store().ring().inbox;
    let (_, foreign) = key_pair(&Key::random().unwrap());
    let store = bench.store();
    store.ring().forged(store.keys(), foreign, None).save(&store.dir()).unwrap();
    let mut bench = bench.restart();
    assert_eq!(bench.store().ring().inbox, foreign, "its tag fits");
    let (store, now) = (bench.store_mut(), start().now);
    for _ in 0..5 {
        let entry = AuditEntry::of(AuditAct::AudioPaused, now.wall);
        store.seal(&Entry::Audit(Box::new(entry)), now).unwrap();
    }
    store.inbox_mut().flush(Lane::Values, now).unwrap();
    bench.try_at(&right(), start()).unwrap();
    let findings = bench.store_mut().take_findings();
    let replaced = |found: &&Finding| found.kind == FindingKind::RecipientReplaced;
    let found = findings.iter().find(replaced).unwrap_or_else(|| panic!("{findings:?}"));
    let numbers = found.expected.unwrap() - found.found.unwrap();
    assert!(found.count >= 5 && found.count == numbers, "{found:?}");
    assert_eq!(bench.store().ring().inbox, own);
    let mut bench = bench.restart();
    assert_eq!(bench.store().ring().inbox, own, "on the disk as well");
    bench.try_at(&right(), start()).unwrap();
    assert!(!bench.store_mut().take_findings().iter().any(|found| replaced(&found)), "told once");
}
