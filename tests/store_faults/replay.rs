//! Older files put back, one at a time and together, into a store that ran on: each is reported, with
//! both numbers, once; and what a power cut leaves is not.

#![expect(clippy::unwrap_used, reason = "a failed step of a test has to end it")]
#![expect(clippy::print_stdout, reason = "the counts are the proof")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use kit::store::desk::*;
use kit::store::*;
use wardkeep_model::access::Role;
use wardkeep_model::keeping::{AuditAct, Finding, FindingKind, Found, Outcome};

/// Files of a state directory, by their path in it.
type State = BTreeMap<PathBuf, Vec<u8>>;

/// The files at one instant: a store that runs may write meanwhile, so they are read until they are twice
/// the same.
fn state_of(dir: &Path) -> State {
    let relative = |path: &Path| path.strip_prefix(dir).unwrap().to_owned();
    let read = || -> Option<State> {
        files(dir).iter().map(|path| Some((relative(path), fs::read(path).ok()?))).collect()
    };
    let mut before = read();
    for _ in 0..1_000 {
        let after = read();
        if let Some(state) = after.clone().filter(|_| after == before) {
            return state;
        }
        before = after;
    }
    panic!("{} is written without end", dir.display());
}

fn put(state: &State) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    // As a store's directories are: what others could read is told by itself.
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o700)).unwrap();
    for (name, content) in state {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    dir
}

/// A store that had three sessions, with what was on disk while each was open and after it was closed.
struct History {
    open: Vec<State>,
    closed: Vec<State>,
}

fn history() -> History {
    let dir = tempfile::tempdir().unwrap();
    let (mut rig, _) = Rig::first_start(dir.path());
    let (mut open, mut closed) = (Vec::new(), Vec::new());
    for session in 0..3 {
        let from = session * 40 + 1;
        rig.record(1, from..=from + 9);
        rig.unlock(at(0));
        assert_eq!(rig.findings, [], "session {session}");
        rig.record(1, from + 10..=from + 39);
        rig.enrol(
            &format!("Nora {session}"),
            Role::Nurse,
            20 + u8::try_from(session).unwrap(),
            PIN,
        );
        open.push(state_of(dir.path()));
        rig.close();
        closed.push(state_of(dir.path()));
    }
    rig.stop();
    History { open, closed }
}

/// What the store says of a state up to the end of an unlock's import; then it is closed.
fn findings(dir: &Path) -> Vec<Finding> {
    let (mut rig, first) = Rig::start(options(dir));
    assert!(matches!(first, Outcome::Found(Found::Store(_))), "{first:?}");
    let unlocked = rig.unlock_at((badge(), RIGHT_PIN), at(0));
    unlocked.unwrap_or_else(|refusal| panic!("{refusal:?}, after {:?}", rig.findings));
    while !matches!(rig.next(), Outcome::Imported(_)) {}
    let mut found = rig.findings.clone();
    for outcome in rig.stop() {
        if let Outcome::Findings(more) = outcome {
            found.extend(more);
        }
    }
    found
}

fn kinds(findings: &[Finding]) -> Vec<FindingKind> {
    findings.iter().map(|finding| finding.kind).collect()
}

const CHECKPOINT: &str = "store/checkpoint";
const VAULT: &str = "store/vault.db";
const LOG: &str = "store/vault.db-wal";
const HEAD: &str = "store/vault.head";
const TABLE: &str = "store/vault.pages";
const CART: &str = "store/cart";
const CART_COPY: &str = "store/cart.copy";
const KEYRING: &str = "store/keyring";
const KEYRING_COPY: &str = "store/keyring.copy";
const INBOX: &str = "store/inbox/head";

/// The last state with some of its files from an earlier one. `None` if that changes nothing, or if it
/// is that earlier state as a whole, which only a counter outside the disk tells from a power cut.
fn mixed(now: &State, then: &State, names: &[&str]) -> Option<State> {
    let mut state = now.clone();
    for name in names {
        match then.get(Path::new(name)) {
            Some(content) => state.insert(PathBuf::from(name), content.clone()),
            None => state.remove(Path::new(name)),
        };
    }
    // The newest checkpoint lies there for people to copy; the store never reads it.
    let without = |state: &State| -> State {
        let kept = state.iter().filter(|(name, _)| *name != Path::new(CHECKPOINT));
        kept.map(|(name, content)| (name.clone(), content.clone())).collect()
    };
    let is_mixed = without(&state) != without(now) && without(&state) != without(then);
    is_mixed.then_some(state)
}

#[test]
fn s8_every_file_put_back_alone_or_with_others_is_reported_once() {
    let History { open, closed } = history();
    let now = closed.last().unwrap();
    let (vault, head) = (FindingKind::VaultOlder, FindingKind::HeadOlder);
    let (cart, inbox) = (FindingKind::CartOlder, FindingKind::InboxOlder);
    let keyring = FindingKind::KeyringOlder;
    let whole = [VAULT, LOG, HEAD, TABLE];
    let cases: [(&[&str], &[FindingKind]); 14] = [
        (&[VAULT], &[vault]),
        (&[VAULT, LOG], &[vault]),
        (&[HEAD], &[head]),
        (&[TABLE], &[head]),
        (&[HEAD, TABLE], &[head]),
        (&[VAULT, LOG, TABLE], &[vault]),
        (&whole, &[vault]),
        (&[CART], &[cart]),
        (&[CART, CART_COPY], &[cart]),
        (&[KEYRING], &[keyring]),
        (&[KEYRING, KEYRING_COPY], &[keyring]),
        (&[INBOX], &[inbox]),
        (&[VAULT, LOG, HEAD, TABLE, INBOX], &[inbox]),
        (&[VAULT, LOG, HEAD, TABLE, CART, CART_COPY], &[cart, vault]),
    ];
    let (mut trials, mut reported) = (0, 0);
    for (names, expected) in cases {
        for (age, then) in closed.iter().rev().skip(1).chain(&open).enumerate() {
            let Some(state) = mixed(now, then, names) else { continue };
            trials += 1;
            let dir = put(&state);
            let found = findings(dir.path());
            for kind in expected {
                if *kind == cart && then[Path::new(CART)] == now[Path::new(CART)] {
                    continue;
                }
                // A log that makes the older file whole again leaves its pages or its table to tell.
                let logged = *kind == vault && names.contains(&LOG);
                let is = |it: &FindingKind| {
                    it == kind || logged && [FindingKind::PagesReplaced, head].contains(it)
                };
                assert!(kinds(&found).iter().any(is), "{names:?} of {age}: {found:?}");
            }
            for finding in found.iter().filter(|it| expected.contains(&it.kind)) {
                let both = finding.found.zip(finding.expected);
                // A head may be older without a commit in between.
                let older = |(found, expected)| {
                    found < expected || finding.kind == head && found == expected
                };
                assert!(both.is_some_and(older), "{finding:?}");
            }
            reported += 1;
            // Once: it is in the audit log, and the state was taken over.
            let again = findings(dir.path());
            assert_eq!(again, [], "{names:?} of {age}, the second time");
        }
    }
    println!("files put back: {trials} trials, {reported} reported");
    assert!(trials > 35, "{trials}");
    assert_eq!(reported, trials);
}

#[test]
fn s8_what_a_power_cut_leaves_raises_no_alarm() {
    let History { open, closed } = history();
    for state in open.iter().chain(&closed) {
        let dir = put(state);
        assert_eq!(findings(dir.path()), []);
        assert_eq!(findings(dir.path()), [], "nor the time after");
    }
}

#[test]
fn s8_a_cut_log_is_reported_with_and_without_its_index() {
    let dir = tempfile::tempdir().unwrap();
    let (mut rig, phrase) = Rig::first_start(dir.path());
    rig.unlock(at(0));
    for run in 0..12 {
        rig.record(run, 1..=20);
        rig.people();
        rig.send(wardkeep_model::keeping::Command::Retry);
    }
    rig.people();
    let whole = state_of(dir.path());
    rig.stop();
    let log = &whole[Path::new(LOG)];
    let mut reported = 0;
    for percent in 0..100 {
        for index in [false, true] {
            let mut state = whole.clone();
            let len = log.len() * percent / 100;
            state.insert(LOG.into(), log[..len].to_vec());
            if index {
                state.insert("store/vault.db-shm".into(), vec![0x5a; 32 * 1024]);
            }
            let dir = put(&state);
            let found = findings(dir.path());
            let older: Vec<&Finding> =
                found.iter().filter(|finding| finding.kind == FindingKind::VaultOlder).collect();
            let [older] = older[..] else { panic!("{percent} %: {found:?}") };
            assert!(older.found < older.expected, "{percent} %: {older:?}");
            reported += 1;
            if percent % 50 == 0 {
                let audit = contents(dir.path(), &phrase).audit().unwrap();
                let entries = audit.iter().filter(|(_, entry)| entry.act == AuditAct::StoreFinding);
                assert_eq!(entries.count(), 1, "{percent} %");
            }
        }
    }
    println!("log of {} bytes cut at every 1 %: {reported} of 200 reported", log.len());
    assert_eq!(reported, 200);
}

#[test]
fn s8_a_slot_of_an_earlier_epoch_is_reported() {
    let dir = tempfile::tempdir().unwrap();
    let (mut rig, _) = Rig::first_start(dir.path());
    rig.log_in(it());
    rig.enrol("Nora Quist", Role::Nurse, 1, PIN);
    let otto = rig.enrol("Otto Berg", Role::Nurse, 2, PIN);
    let before = state_of(dir.path());
    rig.revoke(otto).unwrap();
    rig.close();
    rig.stop();
    let now = state_of(dir.path());
    let slots: Vec<&PathBuf> = before
        .keys()
        .filter(|name| name.starts_with("store/slots") && now.contains_key(*name))
        .collect();
    assert_eq!(slots.len(), 2);
    for slot in slots {
        let mut state = now.clone();
        state.insert(slot.clone(), before[slot].clone());
        let dir = put(&state);
        let (mut rig, _) = Rig::start(options(dir.path()));
        let opens = [rig.opens(it()), rig.opens(badge_pin(1, PIN)), rig.opens(it())];
        assert_ne!(opens[0], opens[1], "one of the two slots");
        assert_eq!(opens[0], opens[2]);
        let found: Vec<_> =
            rig.findings.iter().filter(|it| it.kind == FindingKind::SlotOlder).collect();
        assert_eq!(found.len(), 1, "once: {:?}", rig.findings);
        assert_eq!((found[0].found, found[0].expected), (Some(1), Some(2)));
        rig.stop();
    }
}
