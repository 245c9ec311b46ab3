//! What is left of keys, PINs and badge numbers in this process's memory once they are not needed.
//!
//! All writable memory of the process is searched, which is what a core image would hold. The values
//! searched for are made by a process of their own, or arrive masked: this process never has a clear
//! copy beside the store's. `WARDKEEP_LOCKS=100` repeats as often. What Rust frees is wiped by the
//! allocator, here as in both programs.

#![expect(clippy::print_stdout, reason = "the counts are the proof")]

use std::path::{Path, PathBuf};
use std::process::Command as Process;
use std::time::Duration;

use tokio::sync::mpsc;
use zeroize::Zeroizing;

use crate::StoreHandle;
use crate::cart::Cart;
use crate::crypto::{KdfCost, Key, random, stretch};
use crate::disk::layout;
use crate::keys::keyslot::{self, Slot, SlotOwner};
use crate::keys::ring::{Keyring, Recipient};
use crate::keys::vault_keys::VaultKeys;
use crate::machine::device_secret::{DeviceKeys, DeviceSecret, SecretFile};
use crate::open::options::Options;
use wardkeep_model::access::factor::Attempt;
use wardkeep_model::access::factor::{
    Badge, Evidence, Finger, Pin, ReaderFamily, Sensor, Template, TemplateId, Token,
};
use wardkeep_model::access::policy::Policy;
use wardkeep_model::access::{OperatorId, Role};
use wardkeep_model::confidential::{Phi, Secret};
use wardkeep_model::keeping::{
    Administered, Administration, Command, NewOperator, NewPerson, NewPin, Outcome, Refusal,
};
use wardkeep_model::moment::Moment;

mod batches;
mod patients;
mod search;
mod versions;

use search::{Canary, MASK, alone, found, found_in_files};

#[global_allocator]
static WIPING: zeroizing_alloc::ZeroAlloc<std::alloc::System> =
    zeroizing_alloc::ZeroAlloc(std::alloc::System);

const ORACLE: &str = "WARDKEEP_TEST_ORACLE";
const K_DB_AS_TEXT: [&str; 4] = ["K_db-text-1", "K_db-text-2", "K_db-text-3", "K_db-text-4"];

/// A badge and a PIN that occur nowhere else, kept masked.
struct Factors {
    uid: Vec<u8>,
    pin: Vec<u8>,
}

impl Factors {
    fn random() -> Self {
        let uid = random::<10>().unwrap().to_vec();
        let pin = random::<8>().unwrap().iter().map(|byte| (byte % 10) ^ MASK).collect();
        Self { uid, pin }
    }

    fn badge(&self) -> Badge {
        let uid: Zeroizing<Vec<u8>> = Zeroizing::new(self.uid.iter().map(|b| b ^ MASK).collect());
        Badge::new(ReaderFamily::PcscUid, &uid).unwrap()
    }

    fn pin(&self) -> Pin {
        self.pin.iter().map(|digit| digit ^ MASK).collect()
    }

    fn canaries(&self, whose: &str) -> [Canary; 2] {
        [
            Canary { name: format!("{whose} UID"), masked: self.uid.clone() },
            Canary::of(&format!("{whose} PIN"), self.pin.iter().map(|d| (d ^ MASK) + b'0')),
        ]
    }
}

fn hex(bytes: impl IntoIterator<Item = u8>) -> String {
    bytes.into_iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    digits.map(|two| u8::from_str_radix(str::from_utf8(two).unwrap(), 16).unwrap()).collect()
}

/// What an oracle finds out with what it was told.
struct Told {
    path: PathBuf,
    vault: VaultKeys,
    private: Key,
    share: Key,
    second: Key,
    kek: Key,
}

impl Told {
    fn of(text: &str) -> Self {
        let [dir, uid, pin] = text.split(' ').collect::<Vec<_>>().try_into().unwrap();
        let (dir, factors) = (Path::new(dir), Factors { uid: from_hex(uid), pin: from_hex(pin) });
        let badge = factors.badge();
        let keys = DeviceKeys::new(SecretFile::new(dir).load().unwrap().unwrap());
        let store = layout::store(dir);
        let ring = Keyring::load(&store, &keys, &[]).unwrap().content;
        let cart = Cart::load(&store, &keys).unwrap().content;
        let (person, token) = cart.token(&keys.badge_index(&badge)).unwrap();
        let owner = SlotOwner { device: ring.device, operator: person.id, epoch: ring.epoch };
        let cost = KdfCost::FOR_TESTS;
        let second = stretch(factors.pin().ascii(), &token.slot.salt, cost).unwrap();
        let kek = keyslot::kek(&keys, (&badge, &factors.pin()), &owner, &token.slot, cost).unwrap();
        let slot = Slot::read(&store.join("slots"), &keys, &owner, &token.slot).unwrap();
        let private = slot.open(&kek).unwrap();
        let vault = ring.open(Recipient::Operator(person.id), &private).unwrap();
        let share = keys.badge_share(&badge);
        Self { path: store.join("vault.db"), vault, private, share, second, kek }
    }
}

/// Prints the keys of a store, masked, in a process of its own; does nothing in an ordinary run.
#[test]
fn oracle_process() {
    let Ok(told) = std::env::var(ORACLE) else { return };
    let Told { vault, private, share, second, kek, .. } = Told::of(&told);
    print("VMK", vault.master_for_tests());
    print("K_db", &vault.database());
    let text = hex(vault.database().iter().copied());
    // In pieces: what is freed may be written over in part.
    for (piece, name) in text.as_bytes().chunks(16).zip(K_DB_AS_TEXT) {
        println!("canary {name} {}", hex(piece.iter().map(|byte| byte ^ MASK)));
    }
    print("SK_inbox", &vault.inbox().0);
    print("SK_u", &private);
    print("F1", &share);
    print("F2", &second);
    print("KEK", &kek);
}

fn print(name: &str, key: &Key) {
    // The second half alone: the allocator writes over the first bytes of what it gets back.
    println!("canary {name} {}", hex(key.iter().skip(16).map(|byte| byte ^ MASK)));
}

/// What an oracle prints about a store.
fn asked(oracle: &str, dir: &Path, factors: &Factors) -> Vec<Canary> {
    let mut process = Process::new(std::env::current_exe().unwrap());
    process.args(["--exact", oracle, "--nocapture"]);
    let told =
        [dir.to_str().unwrap().to_owned(), hex(factors.uid.clone()), hex(factors.pin.clone())];
    let output = process.env(ORACLE, told.join(" ")).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().filter_map(|line| line.split_once("canary "));
    let canaries = lines.map(|(_, line)| {
        let (name, masked) = line.split_once(' ').unwrap();
        Canary { name: name.into(), masked: from_hex(masked) }
    });
    canaries.collect()
}

/// The keys of a store as canaries, the ones of an open vault first.
fn keys_of(dir: &Path, factors: &Factors) -> Vec<Canary> {
    let canaries = asked("tests::oracle_process", dir, factors);
    assert_eq!(canaries.len(), 11);
    canaries
}

/// A store as the program runs it.
struct Kiosk {
    dir: tempfile::TempDir,
    handle: StoreHandle,
    outcomes: mpsc::Receiver<Outcome>,
    thread: std::thread::JoinHandle<()>,
    factors: Factors,
}

impl Kiosk {
    fn start(policy: Policy) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let options = Options::new(dir.path())
            .with_device_secret(SecretFile::new(dir.path()))
            .with_policy(policy)
            .with_cost_for_tests();
        let (sender, outcomes) = mpsc::channel(64);
        let (handle, thread) = crate::spawn(options, sender).unwrap();
        let mut kiosk = Self { dir, handle, outcomes, thread, factors: Factors::random() };
        let first = NewOperator {
            initials: "AB".into(),
            name: Phi::new("A B".into()),
            role: Role::It,
            badge: kiosk.factors.badge(),
            pin: kiosk.factors.pin(),
        };
        kiosk.send(Command::Initialise(Box::new(first), Moment::read()));
        kiosk.until(|outcome| matches!(outcome, Outcome::Initialised(_)));
        kiosk.until(|outcome| matches!(outcome, Outcome::Found(_)));
        kiosk
    }

    fn send(&self, command: Command) {
        self.handle.try_send(command).unwrap();
    }

    fn until(&mut self, mut wanted: impl FnMut(&Outcome) -> bool) -> Outcome {
        loop {
            let outcome = self.outcomes.blocking_recv().expect("the store runs");
            if wanted(&outcome) {
                return outcome;
            }
        }
    }

    fn show(&self, evidence: Evidence) {
        self.send(Command::Unlock(Attempt(1), evidence, Moment::read()));
    }

    fn right(&self) -> Evidence {
        Evidence::BadgePin(self.factors.badge(), self.factors.pin())
    }

    fn unlock(&mut self, evidence: Evidence) -> OperatorId {
        self.show(evidence);
        let outcome = self.until(|outcome| matches!(outcome, Outcome::Unlocked(..)));
        let Outcome::Unlocked(_, unlocked) = outcome else { unreachable!("waited for") };
        self.until(|outcome| matches!(outcome, Outcome::Imported(_)));
        unlocked.operator.id
    }

    fn lock(&mut self) {
        self.send(Command::Close(None, Moment::read()));
        self.until(|outcome| matches!(outcome, Outcome::Closed));
    }

    fn administer(&mut self, what: Administration) -> Administered {
        self.send(Command::Administer(Attempt(9), Box::new(what), Moment::read()));
        let done = self.until(|outcome| matches!(outcome, Outcome::Administered(..)));
        let Outcome::Administered(_, Ok(done)) = done else { panic!("{done:?}") };
        done
    }

    fn canaries(&self) -> Vec<Canary> {
        let mut canaries = keys_of(self.dir.path(), &self.factors);
        canaries.extend(self.factors.canaries("own"));
        canaries
    }

    fn stop(self) {
        drop(self.handle);
        self.thread.join().unwrap();
    }
}

fn locks(otherwise: u32) -> u32 {
    std::env::var("WARDKEEP_LOCKS").map_or(otherwise, |text| text.parse().unwrap())
}

const NO_GRACE: Policy = Policy {
    badge_pin: true,
    finger: true,
    tap_alone: false,
    shift: Duration::ZERO,
    emergency: true,
    two_person: false,
    left_behind: Duration::from_secs(600),
};

#[test]
fn s3_s10_with_grace_off_nothing_is_left_after_success_failure_cancel_pull_and_lock() {
    let _alone = alone();
    let mut kiosk = Kiosk::start(NO_GRACE);
    let mut canaries = kiosk.canaries();
    let stranger = Factors::random();
    canaries.extend(stranger.canaries("unknown"));
    let held = (kiosk.factors.badge(), kiosk.factors.pin());
    assert_eq!(found(&canaries).len(), 2, "the search finds what is there");
    drop(held);
    assert_eq!(found(&canaries), [], "after the first start");
    let mut searches = 0;
    for _ in 0..locks(10) {
        kiosk.unlock(kiosk.right());
        let open = found(&canaries);
        assert!(open.iter().any(|(name, _)| *name == "VMK"), "the search finds what is there");
        // The open vault holds its own keys and, as rows, what the people's slots are made of.
        let of_vault = ["VMK", "K_db", "SK_inbox", "SK_u", "F1", "KEK"];
        let of_vault = |name| of_vault.contains(name) || K_DB_AS_TEXT.contains(name);
        let beside = open.iter().filter(|(name, _)| !of_vault(name));
        assert_eq!(beside.collect::<Vec<_>>(), Vec::<&(&str, usize)>::new(), "success");
        kiosk.lock();
        assert_eq!(found(&canaries), [], "lock");

        kiosk.show(Evidence::BadgePin(kiosk.factors.badge(), stranger.pin()));
        kiosk.until(|outcome| matches!(outcome, Outcome::Refused(_, Refusal::WrongFactors(_))));
        kiosk.show(Evidence::BadgePin(stranger.badge(), stranger.pin()));
        kiosk.until(|outcome| matches!(outcome, Outcome::Refused(..)));
        assert_eq!(found(&canaries), [], "failure");

        let token = Token::Badge(kiosk.factors.badge());
        kiosk.send(Command::Identify(Attempt(2), token, Moment::read()));
        kiosk.until(|outcome| matches!(outcome, Outcome::Identified(..)));
        assert_eq!(found(&canaries), [], "cancel");

        // The badge is pulled while the key is derived: the lock is on its way already.
        kiosk.show(kiosk.right());
        kiosk.lock();
        assert_eq!(found(&canaries), [], "pull");
        let files = found_in_files(kiosk.dir.path(), &canaries);
        assert_eq!(files, Vec::<&str>::new(), "no file holds any of it");
        searches += 6;
    }
    println!("S-3, S-10: {} locks, {searches} searches, 0 hits", 2 * locks(10));
    kiosk.stop();
}

#[test]
fn s3_with_grace_on_a_lock_leaves_the_share_but_no_key() {
    let policy = Policy { shift: Duration::from_secs(3600), tap_alone: true, ..NO_GRACE };
    let _alone = alone();
    let mut kiosk = Kiosk::start(policy);
    let mut canaries = kiosk.canaries();
    let print = random::<48>().unwrap();
    canaries.push(Canary { name: "template".into(), masked: print[16..].to_vec() });
    let operator = kiosk.unlock(kiosk.right());
    let (id, finger) = (TemplateId(7), Finger::RightIndex);
    let sensor = Sensor { driver: "virtual".into(), device: "0".into(), serial: String::new() };
    let print = Secret::new(print.iter().map(|byte| byte ^ MASK).collect());
    let template = Template { id, finger, sensor, print };
    let enrol = Administration::EnrolFinger(operator, template);
    kiosk.send(Command::Administer(Attempt(3), Box::new(enrol), Moment::read()));
    kiosk.until(|outcome| matches!(outcome, Outcome::Administered(_, Ok(_))));
    kiosk.lock();
    kiosk.unlock(kiosk.right());
    kiosk.lock();
    for lock in 0..locks(10) {
        assert_eq!(found(&canaries), [], "the share is sealed");
        assert_eq!(found_in_files(kiosk.dir.path(), &canaries), Vec::<&str>::new());
        // And yet it is there: the templates for the reader, and the vault for the token.
        let token = Token::Badge(kiosk.factors.badge());
        let evidence = match lock % 2 {
            0 => Evidence::Tap(token.clone()),
            _ => Evidence::Finger(token.clone(), id),
        };
        kiosk.send(Command::Identify(Attempt(2), token, Moment::read()));
        let offered = kiosk.until(|outcome| matches!(outcome, Outcome::Identified(..)));
        assert!(found(&canaries).iter().any(|(name, _)| *name == "template"));
        drop(offered);
        kiosk.unlock(evidence);
        assert!(!found(&canaries).is_empty(), "the search finds what is there");
        kiosk.lock();
    }
    println!("S-3: {} locks with grace on, 0 hits", locks(10));
    kiosk.stop();
}

#[test]
fn s3_s10_after_people_came_and_went_no_key_of_either_epoch_is_left() {
    let _alone = alone();
    let mut kiosk = Kiosk::start(NO_GRACE);
    let mut canaries = kiosk.canaries();
    let leaver = Factors::random();
    canaries.extend(leaver.canaries("leaver's"));
    kiosk.unlock(kiosk.right());
    let new = NewPerson {
        name: Phi::new("C D".into()),
        initials: "CD".into(),
        role: Role::Nurse,
        valid_until: None,
    };
    let Administered::Added(id) = kiosk.administer(Administration::AddPerson(new, None)) else {
        panic!("nobody was added")
    };
    let pin = NewPin::Chosen(leaver.pin());
    kiosk.administer(Administration::EnrolBadge(id, leaver.badge(), pin));
    kiosk.administer(Administration::SetPin(id, NewPin::Chosen(leaver.pin())));
    assert!(found(&canaries).iter().any(|(name, _)| *name == "VMK"));
    canaries.extend(keys_of(kiosk.dir.path(), &leaver));
    kiosk.administer(Administration::RevokePerson(id));
    let next = kiosk.canaries();
    assert!(found(&next).iter().any(|(name, _)| *name == "VMK"), "the search finds what is there");
    assert_eq!(found(&canaries), [], "the last epoch is gone while the next one is open");
    kiosk.lock();
    assert_eq!(found(&next), [], "lock");
    kiosk.stop();
}
