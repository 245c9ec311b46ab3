//! Every step of a change of keys, as a kill there leaves the disk and as a fault there leaves the
//! program. What is on disk is what a killed process leaves: the state directory is copied before each
//! change.

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::crypto::{Key, key_pair};
use crate::disk::durable::{StateDir, steps};
use crate::keys::ring::{Keyring, Recipient};
use crate::keys::vault_keys::VaultKeys;
use crate::machine::device_secret::{DeviceKeys, DeviceSecret, SecretFile};
use crate::open::first_start::initialise;
use crate::open::locked::{Loaded, Locked};
use crate::open::opened::{Open, Store};
use crate::open::options::Options;
use crate::open::shift::Clocks;
use crate::open::unlock::LogIn;
use crate::record::entry::Entry;
use crate::staff::acts;
use crate::staff::desk::Desk;
use crate::staff::rotate::{Failure, change, is_due};
use crate::tools::recovered::open_with_recovery;
use crate::vault::people;
use crate::vault::{Vault, audit, entries};
use wardkeep_model::access::factor::CardEnrolment;
use wardkeep_model::access::factor::{Badge, CardId, CardPeer, Evidence, Pin, ReaderFamily};
use wardkeep_model::access::{OperatorId, Role};
use wardkeep_model::confidential::{Phi, Secret};
use wardkeep_model::keeping::{
    Administered, Administration, AuditAct, AuditEntry, NewOperator, NewPerson, NewPin,
    RecoveryPhrase, StoreFault,
};
use wardkeep_model::moment::Moment;

const ENTRIES: usize = 50;

fn badge(number: u8) -> Badge {
    Badge::new(ReaderFamily::PcscUid, &[4, 1, 2, 3, 4, 5, number]).unwrap()
}

fn pin() -> Pin {
    [4, 7, 1, 1, 8, 2].into_iter().collect()
}

fn with_badge(number: u8) -> Evidence {
    Evidence::BadgePin(badge(number), pin())
}

fn with_card() -> Evidence {
    Evidence::Card(CardId([3; 32]), Secret::new(vec![7; 32]))
}

fn options(dir: &Path) -> Options {
    Options::new(dir).with_device_secret(SecretFile::new(dir)).with_cost_for_tests()
}

fn load(dir: &Path) -> Result<Box<Locked>, StoreFault> {
    match Locked::load(StateDir::take_again(dir)?, &options(dir), Moment::read())? {
        Loaded::Store(store) => Ok(store),
        Loaded::Nothing(_) => panic!("no store"),
    }
}

/// Logs in, with nothing in the inbox.
fn open(store: Box<Locked>, evidence: &Evidence) -> Result<Box<Open>, Box<Locked>> {
    let clocks = Clocks::at(Moment::read());
    match store.unlock(evidence, clocks) {
        Ok(LogIn { mut open, .. }) => {
            open.set_imported();
            Ok(open)
        }
        Err((store, _)) => Err(store),
    }
}

/// Why it was not done.
#[derive(Debug)]
enum Refused {
    /// Nothing has changed.
    Fault,
    /// It is noted, and the keys are those of before.
    Noted,
    /// Only the disk knows.
    Unclear,
}

fn administer(
    mut open: Box<Open>,
    dir: &Path,
    what: Administration,
) -> (Store, Result<Administered, Refused>) {
    let options = options(dir);
    let now = Moment::read();
    match acts::administer(&mut open, Desk { options: &options, now }, what) {
        Ok(Administered::Revoked) if is_due(open.locked()) => {
            let (store, done) = change(open, now);
            let done = done.map_err(|failure| match failure {
                Failure::Undone(_) => Refused::Noted,
                Failure::Unclear(_) => Refused::Unclear,
            });
            (store, done.map(|()| Administered::Revoked))
        }
        done => (Store::Open(open), done.map_err(|_| Refused::Fault)),
    }
}

/// What has to succeed, and leaves the vault open.
fn done(open: Box<Open>, dir: &Path, what: Administration) -> (Box<Open>, Administered) {
    let (store, done) = administer(open, dir, what);
    let Store::Open(open) = store else { panic!("closed") };
    (open, done.unwrap())
}

/// A store with an IT person (badge 1), a nurse who will be taken away (badge 2), and one who stays
/// and is absent (badge 3 and a card).
struct Ward {
    dir: tempfile::TempDir,
    phrase: RecoveryPhrase,
    leaves: OperatorId,
    stays: OperatorId,
}

fn ward() -> Ward {
    let dir = tempfile::tempdir().unwrap();
    let first = NewOperator {
        initials: "AB".into(),
        name: Phi::new("A B".into()),
        role: Role::It,
        badge: badge(1),
        pin: pin(),
    };
    let state = StateDir::take(dir.path()).unwrap();
    let phrase = initialise(&state, &options(dir.path()), &first, Moment::read()).unwrap();
    drop(state);
    let mut store = Some(open(load(dir.path()).unwrap(), &with_badge(1)).ok().unwrap());
    let mut act = |what| {
        let (open, administered) = done(store.take().unwrap(), dir.path(), what);
        store = Some(open);
        administered
    };
    let mut add = |number| {
        let new = NewPerson {
            name: Phi::new("C D".into()),
            initials: "CD".into(),
            role: Role::Nurse,
            valid_until: None,
        };
        let added = act(Administration::AddPerson(new, None));
        let Administered::Added(id) = added else { panic!("{added:?}") };
        let enrol = Administration::EnrolBadge(id, badge(number), NewPin::Chosen(pin()));
        act(enrol);
        id
    };
    let (leaves, stays) = (add(2), add(3));
    let card = CardEnrolment {
        card: CardId([3; 32]),
        peer: CardPeer(vec![4; 65]),
        secret: Secret::new(vec![7; 32]),
        subject: Phi::default(),
    };
    act(Administration::EnrolCard(stays, card));
    let mut open = store.take().unwrap();
    append(&mut open, ENTRIES - 1);
    open.shut().1.unwrap();
    Ward { dir, phrase, leaves, stays }
}

fn append(open: &mut Open, count: usize) {
    let entry = Entry::Audit(Box::new(AuditEntry::of(AuditAct::AudioPaused, Moment::read().wall)));
    entries::append(open.vault_mut(), &vec![entry; count]).unwrap();
}

/// IT at work; the last entry is in the database's log only.
fn at_the_desk(dir: &Path) -> Box<Open> {
    let mut open = open(load(dir).unwrap(), &with_badge(1)).ok().unwrap();
    append(&mut open, 1);
    open
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Copies of a state directory, one before each change of the disk.
struct Snapshots {
    dirs: tempfile::TempDir,
    count: Rc<RefCell<usize>>,
}

impl Snapshots {
    /// Takes them while `act` runs.
    fn of(dir: &Path, act: impl FnOnce()) -> Self {
        let dirs = tempfile::tempdir().unwrap();
        let count = Rc::new(RefCell::new(0));
        let (from, to, number) = (dir.to_owned(), dirs.path().to_owned(), Rc::clone(&count));
        steps::watch(move || {
            let mut number = number.borrow_mut();
            copy(&from, &to.join(number.to_string()));
            *number += 1;
            Ok(())
        });
        act();
        steps::end();
        Self { dirs, count }
    }

    fn all(&self) -> Vec<PathBuf> {
        (0..*self.count.borrow()).map(|number| self.dirs.path().join(number.to_string())).collect()
    }
}

/// What was to be taken away.
#[derive(Clone, Copy, Debug)]
enum Case {
    Person,
    Badge,
}

impl Case {
    fn act(self, ward: &Ward, open: &Open) -> Administration {
        match self {
            Case::Person => Administration::RevokePerson(ward.leaves),
            Case::Badge => {
                let person = open.locked().cart().person(ward.stays).unwrap();
                let token = person.tokens.iter().find(|token| token.peer.is_none()).unwrap();
                let id = wardkeep_model::keeping::FactorId(u128::from_be_bytes(token.slot.id));
                Administration::RevokeFactor(ward.stays, id)
            }
        }
    }

    fn lost(self) -> Evidence {
        match self {
            Case::Person => with_badge(2),
            Case::Badge => with_badge(3),
        }
    }

    fn kept(self) -> [Evidence; 3] {
        match self {
            Case::Person => [with_badge(1), with_badge(3), with_card()],
            Case::Badge => [with_badge(1), with_badge(2), with_card()],
        }
    }
}

/// What a store is after a kill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Old,
    /// Whoever was taken away is refused; the keys are old.
    Noted,
    New,
}

/// The store is whole, and in one of its states.
fn check(ward: &Ward, dir: &Path, case: Case, context: &str) -> State {
    let mut store = load(dir).unwrap_or_else(|fault| panic!("{context}: {fault:?}"));
    assert_eq!(store.findings(), [], "{context}: a kill or a fault is no attack");
    let is_new = store.ring().epoch == 2;
    assert!(is_new || store.ring().epoch == 1, "{context}");
    let state = match (is_new, is_due(&store)) {
        (false, false) => State::Old,
        (false, true) => State::Noted,
        (true, is_due) => {
            assert!(!is_due, "{context}: done once");
            State::New
        }
    };
    for evidence in case.kept() {
        let Ok(opened) = open(store, &evidence) else {
            panic!("{context}: {:?} is locked out", evidence.token())
        };
        let vault = opened.vault();
        let audit = audit::all(vault).unwrap();
        let kept = audit.iter().filter(|(_, entry)| entry.act == AuditAct::AudioPaused).count();
        assert_eq!(kept, ENTRIES, "{context}");
        let rotated = audit.iter().any(|(_, entry)| entry.act == AuditAct::KeysRotated);
        assert_eq!(rotated, is_new, "{context}: what is in force is in the log");
        let closed;
        (store, closed) = opened.shut();
        closed.unwrap();
    }
    let slots = store.cart().tokens().count();
    let lost = open(store, &case.lost());
    assert_eq!(lost.is_ok(), state == State::Old, "{context}: {state:?}");
    drop(lost);
    let left = fs::read_dir(dir.join("store/slots")).unwrap().count();
    assert_eq!(left, slots, "{context}: no slot of anybody else");
    let unfinished = fs::read_dir(dir.join("store"))
        .unwrap()
        .any(|entry| crate::disk::layout::is_epoch(&entry.unwrap().file_name()));
    assert!(!unfinished, "{context}");
    let words = Secret::new(ward.phrase.expose().clone());
    drop(StateDir::take_again(dir).unwrap());
    assert!(open_with_recovery(&options(dir), &words).unwrap().is_some(), "{context}");
    state
}

/// Whoever opens the vault next finishes what was noted.
fn finished(ward: &Ward, dir: &Path, case: Case, context: &str) {
    let opened = open(load(dir).unwrap(), &case.kept()[0]).ok().unwrap();
    let (store, done) = change(opened, Moment::read());
    assert_eq!(done, Ok(()), "{context}");
    drop(store);
    assert_eq!(check(ward, dir, case, context), State::New, "{context}");
}

fn every_kill(case: Case) {
    let ward = ward();
    let open = at_the_desk(ward.dir.path());
    let act = case.act(&ward, &open);
    let mut after = None;
    let snapshots = Snapshots::of(ward.dir.path(), || {
        after = Some(done(open, ward.dir.path(), act));
    });
    drop(after);
    let dirs = snapshots.all();
    let is_committed = |dir: &PathBuf| {
        let keys = DeviceKeys::new(SecretFile::new(dir).load().unwrap().unwrap());
        Keyring::load(&dir.join("store"), &keys, &[]).unwrap().content.epoch == 2
    };
    let first_new = dirs.iter().position(is_committed).unwrap();
    let mut outcomes = Vec::new();
    let mut again = 0;
    for (number, dir) in dirs.iter().enumerate() {
        // A second kill, while the first one is mended: on both sides of the commit.
        let copied = tempfile::tempdir().unwrap();
        copy(dir, copied.path());
        let context = format!("killed before step {number}");
        let state = check(&ward, dir, case, &context);
        if state == State::Noted && outcomes.last() == Some(&State::Old) || number + 1 == first_new
        {
            let noted = tempfile::tempdir().unwrap();
            copy(dir, noted.path());
            finished(&ward, noted.path(), case, &context);
        }
        outcomes.push(state);
        if number + 1 != first_new && number != first_new {
            continue;
        }
        let mending = Snapshots::of(copied.path(), || drop(load(copied.path()).unwrap()));
        for (second, dir) in mending.all().iter().enumerate() {
            let context = format!("killed before step {number}, then before {second}");
            assert_eq!(check(&ward, dir, case, &context), state, "{context}: the same side");
            again += 1;
        }
    }
    assert_eq!(check(&ward, ward.dir.path(), case, "not killed"), State::New);
    assert!(outcomes.len() > 30 && again > 15, "the steps are seen");
    assert!(outcomes.is_sorted(), "one commit point of each: {outcomes:?}");
    assert!([State::Old, State::Noted, State::New].iter().all(|state| outcomes.contains(state)));
}

#[test]
fn s4_a_kill_at_any_step_of_a_persons_revocation_leaves_the_old_or_the_new_state() {
    every_kill(Case::Person);
}

#[test]
fn s4_a_kill_at_any_step_of_a_badges_revocation_leaves_the_old_or_the_new_state() {
    every_kill(Case::Badge);
}

#[test]
fn s4_a_fault_at_any_step_is_told_truly() {
    let ward = ward();
    for number in 0.. {
        let dir = tempfile::tempdir().unwrap();
        copy(ward.dir.path(), dir.path());
        let open = at_the_desk(dir.path());
        let act = Case::Person.act(&ward, &open);
        let mut step = 0;
        let hit = Rc::new(RefCell::new(false));
        let was_hit = Rc::clone(&hit);
        steps::watch(move || {
            step += 1;
            *was_hit.borrow_mut() |= step == number + 1;
            if step == number + 1 { Err(StoreFault::Io) } else { Ok(()) }
        });
        let (store, answer) = administer(open, dir.path(), act.clone());
        steps::end();
        let context = format!("fault at step {number}");
        let epoch = match &store {
            Store::Open(open) => open.locked().ring().epoch,
            Store::Locked(locked) => locked.ring().epoch,
        };
        match (answer, store) {
            (Ok(_), _) => assert_eq!(epoch, 2, "{context}"),
            // Nothing has changed: the session goes on, and a second try succeeds.
            (Err(Refused::Fault), Store::Open(open)) => {
                assert_eq!((epoch, is_due(open.locked())), (1, false), "{context}");
                drop(done(open, dir.path(), act));
            }
            // They are refused: the session goes on, and the keys change at a second try.
            (Err(Refused::Noted), Store::Open(open)) => {
                assert_eq!((epoch, is_due(open.locked())), (1, true), "{context}");
                assert_eq!(change(open, Moment::read()).1, Ok(()), "{context}");
            }
            (Err(Refused::Fault | Refused::Noted), Store::Locked(_)) => {
                panic!("{context}: closed")
            }
            (Err(Refused::Unclear), Store::Locked(_)) => {}
            (Err(Refused::Unclear), Store::Open(_)) => panic!("{context}: not closed"),
        }
        check(&ward, dir.path(), Case::Person, &context);
        if !*hit.borrow() {
            assert!(number > 30, "the steps are seen");
            break;
        }
    }
}

#[test]
fn s4_no_key_of_the_last_epoch_opens_the_next() {
    let ward = ward();
    let open = open(load(ward.dir.path()).unwrap(), &with_badge(1)).ok().unwrap();
    let old_inbox = open.keys().inbox().1;
    let old = VaultKeys::with_master_for_tests(open.keys().master_for_tests());
    let old_private = people::private_key(open.vault(), open.keys(), ward.stays).unwrap();
    let act = Case::Badge.act(&ward, &open);
    let (open, _) = done(open, ward.dir.path(), act);
    assert_ne!(open.locked().ring().inbox, old_inbox);
    let recipient = Recipient::Operator(ward.stays);
    let reopened = open.locked().ring().open(recipient, &old_private);
    assert!(reopened.is_none(), "the lost badge's key pair");
    let (store, closed) = open.shut();
    closed.unwrap();
    let vault = Vault::open(&store.vault_path(), &old);
    assert_eq!(vault.map(|_| ()), Err(StoreFault::Damaged.into()));
}

/// Whoever has the disk and the device secret puts their own key in the place of somebody's.
#[test]
fn s3_the_next_keys_are_sealed_to_nobody_whom_the_vault_does_not_know() {
    let ward = ward();
    let dir = ward.dir.path();
    let mut open = open(load(dir).unwrap(), &with_badge(1)).ok().unwrap();
    let (thief, foreign) = key_pair(&Key::random().unwrap());
    let stays = Recipient::Operator(ward.stays);
    let locked = open.locked_mut();
    let ring = locked.ring();
    let forged = ring.forged(locked.keys(), ring.inbox, Some((stays, foreign)));
    locked.replace_ring(forged).unwrap();
    assert_eq!(open.locked().ring().public(stays), Some(foreign));
    let (store, revoked) = administer(open, dir, Administration::RevokePerson(ward.leaves));
    revoked.unwrap();
    drop(store);
    let locked = load(dir).unwrap();
    assert_ne!(locked.ring().public(stays), Some(foreign));
    assert!(locked.ring().open(stays, &thief).is_none(), "the new master key is not theirs");
    let findings = self::open(locked, &with_badge(3)).ok().unwrap().locked_mut().take_findings();
    assert!(findings.is_empty(), "{findings:?}");
}
