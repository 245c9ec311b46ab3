//! S-5 as a property: whatever happens to the program, its clocks and its files, at most ten wrong
//! PINs of a person are tested. And the one limit that a disk alone cannot lift, stated as a test.

#![expect(clippy::unwrap_used, reason = "a failed step of a test has to end it")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kit::store::*;
use proptest::prelude::*;
use wardkeep_model::access::factor::Attempt;
use wardkeep_model::access::factor::{Badge, Token};
use wardkeep_model::access::lockout::Admission;
use wardkeep_model::keeping::{Command, Outcome, Refusal, StoreFault};
use wardkeep_model::moment::{BootTime, Moment};

/// What may happen between two tries.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// A PIN that was never typed before.
    NewWrongPin,
    /// The last one again.
    SameWrongPin,
    /// Of a badge that nobody enrolled.
    Stranger,
    /// Time passes.
    Wait(u64),
    /// Somebody sets the wall clock.
    SetClock(i64),
    /// The program starts again.
    Restart,
    /// The machine starts again: its boot clock is young.
    Reboot,
    /// Somebody copies the store's files.
    Copy,
    /// Somebody puts the copied cart file back while the program is off.
    PutCartBack,
    /// Somebody puts the copied head of the inbox back while the program is off.
    PutHeadBack,
    /// Somebody deletes the head of the inbox while the program is off.
    DeleteHead,
    /// A second program is started on the same directory, and tries.
    SecondInstance,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => Just(Step::NewWrongPin),
        1 => Just(Step::SameWrongPin),
        1 => Just(Step::Stranger),
        4 => (0_u64..600).prop_map(Step::Wait),
        1 => (-400_000_000_i64..400_000_000).prop_map(Step::SetClock),
        1 => Just(Step::Restart),
        1 => Just(Step::Reboot),
        1 => Just(Step::Copy),
        1 => Just(Step::PutCartBack),
        1 => Just(Step::PutHeadBack),
        1 => Just(Step::DeleteHead),
        1 => Just(Step::SecondInstance),
    ]
}

const CART: &str = "store/cart";
const COPY: &str = "store/cart.copy";
const HEAD: &str = "store/inbox/head";
/// In which the parts of a store remember each other.
const SEEN: [&str; 4] = ["cart.seen", "keyring.seen", "vault.seen", "inbox/seen"];

struct Attacker {
    dir: tempfile::TempDir,
    rig: Option<Rig>,
    now: Moment,
    pins: u32,
    tested: u32,
    copies: BTreeMap<&'static str, Vec<u8>>,
    /// Which of the two files was tampered with; both together are the stated limit.
    tampered: Option<&'static str>,
}

impl Attacker {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (rig, _) = Rig::first_start(dir.path());
        let copies = BTreeMap::new();
        Self { dir, rig: Some(rig), now: at(0), pins: 0, tested: 0, copies, tampered: None }
    }

    fn pin(&self) -> Vec<u8> {
        let digits = format!("{:08}", 10_000_000 + self.pins);
        digits.bytes().map(|digit| digit - b'0').collect()
    }

    fn rig(&mut self) -> &mut Rig {
        self.rig.as_mut().unwrap()
    }

    fn type_pin(&mut self, badge: Badge) -> Refusal {
        let (pin, now) = (self.pin(), self.now);
        self.rig().unlock_at((badge, &pin), now).map(|_| ()).unwrap_err()
    }

    fn restart(&mut self, between: impl FnOnce(&Path)) {
        self.rig.take().unwrap().stop();
        between(self.dir.path());
        self.rig = Some(Rig::restart(self.dir.path()));
    }

    fn put_back(&mut self, name: &'static str) {
        let Some(copy) = self.copies.get(name).cloned() else { return };
        self.tamper(name, |path| fs::write(path, copy).unwrap());
    }

    fn tamper(&mut self, name: &'static str, how: impl FnOnce(&Path)) {
        if self.tampered.is_none_or(|tampered| tampered == name) {
            self.tampered = Some(name);
            self.restart(|dir| how(&dir.join(name)));
        }
    }

    fn perform(&mut self, step: Step) {
        match step {
            Step::NewWrongPin => {
                self.pins += 1;
                if matches!(self.type_pin(badge()), Refusal::WrongFactors(_)) {
                    self.tested += 1;
                }
            }
            // Tested again only if the program forgot it, which then counts it again.
            Step::SameWrongPin => {
                self.type_pin(badge());
            }
            Step::Stranger => {
                self.type_pin(other_badge());
            }
            Step::Wait(seconds) => self.now = self.now + Duration::from_secs(seconds),
            Step::SetClock(seconds) => {
                let moved = self.now.wall.checked_add(jiff::SignedDuration::from_secs(seconds));
                self.now.wall = moved.unwrap();
            }
            Step::Restart => self.restart(|_| {}),
            Step::Reboot => {
                self.restart(|_| {});
                self.now.boot = BootTime(Duration::from_secs(20));
            }
            Step::Copy => {
                for name in [CART, HEAD] {
                    self.copies.insert(name, fs::read(self.dir.path().join(name)).unwrap());
                }
            }
            Step::PutCartBack => self.put_back(CART),
            Step::PutHeadBack => self.put_back(HEAD),
            Step::DeleteHead => self.tamper(HEAD, |path| fs::remove_file(path).unwrap()),
            Step::SecondInstance => self.second_instance(),
        }
    }

    fn second_instance(&mut self) {
        self.pins += 1;
        let (mut second, first) = Rig::start(options(self.dir.path()));
        assert!(matches!(first, Outcome::Fault(StoreFault::InUse)), "{first:?}");
        let answer = second.unlock_at((badge(), &self.pin()), self.now).map(|_| ());
        assert_eq!(answer, Err(Refusal::Damaged(StoreFault::InUse)));
        second.stop();
    }

    /// Tries on with all patience until nothing more is tested.
    fn exhaust(&mut self) {
        for _ in 0..12 {
            self.now = self.now + Duration::from_secs(301);
            self.perform(Step::NewWrongPin);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn s5_at_most_ten_wrong_pins_are_tested_whatever_happens(
        steps in prop::collection::vec(step(), 1..40),
    ) {
        let mut attacker = Attacker::new();
        for step in steps {
            attacker.perform(step);
            prop_assert!(attacker.tested <= 10);
        }
        attacker.exhaust();
        let now = attacker.now;
        prop_assert!(attacker.tested <= 10, "{} were tested", attacker.tested);
        let answer = attacker.rig().unlock_at((badge(), RIGHT_PIN), now).map(|_| ());
        prop_assert_eq!(answer, Err(Refusal::NotAdmitted(Admission::Exhausted)));
        attacker.rig.take().unwrap().stop();
    }
}

fn admission(rig: &mut Rig, now: Moment) -> Admission {
    rig.send(Command::Identify(Attempt(0), Token::Badge(badge()), now));
    let outcome = rig.next();
    let Outcome::Identified(_, identified) = outcome else { panic!("{outcome:?}") };
    identified.admission
}

/// Uses up nine tries between a copy and the return of some files; gives what is left then.
fn left_after_putting_back(which: impl Fn(&Path) -> Vec<PathBuf>) -> Admission {
    let dir = tempfile::tempdir().unwrap();
    Rig::first_start(dir.path()).0.stop();
    let paths = which(dir.path());
    let copies: Vec<Vec<u8>> = paths.iter().map(|path| fs::read(path).unwrap()).collect();
    let mut rig = Rig::restart(dir.path());
    for number in 0..9 {
        let wrong = [9, 9, 9, 9, 9, number];
        let now = at(1_000 * u64::from(number));
        rig.unlock_at((badge(), &wrong), now).unwrap_err();
    }
    rig.stop();
    for (path, copy) in paths.iter().zip(copies) {
        fs::write(path, copy).unwrap();
    }
    let mut rig = Rig::restart(dir.path());
    let left = admission(&mut rig, at(50_000));
    rig.stop();
    left
}

fn sorted(dir: &Path) -> Vec<PathBuf> {
    let mut found = files(dir);
    found.sort();
    found
}

#[test]
fn s5_no_single_file_put_back_gives_a_try_back() {
    let dir = tempfile::tempdir().unwrap();
    Rig::first_start(dir.path()).0.stop();
    let count = files(dir.path()).len();
    assert!(count >= 6, "{count} files");
    for index in 0..count {
        let left = left_after_putting_back(|dir| vec![sorted(dir).remove(index)]);
        assert_eq!(left, Admission::Try { tries_left: 1 }, "file {index}");
    }
}

#[test]
fn s5_the_stated_limit_of_reduced_protection_is_all_copies_put_back_together() {
    // Without a counter outside the disk nothing can tell this from the past; the program says
    // "reduced protection" for it. When this fails there is such a counter: claim more.
    let counted = |dir: &Path| vec![dir.join(CART), dir.join(COPY), dir.join(HEAD)];
    let seen = |dir: &Path| SEEN.map(|name| dir.join("store").join(name)).to_vec();
    let left = left_after_putting_back(|dir| [counted(dir), seen(dir)].concat());
    assert_eq!(left, Admission::Try { tries_left: 10 });
    // As long as one of the files says so in which the parts remember each other, all tries stay counted.
    for (kept, name) in SEEN.iter().enumerate() {
        let left = left_after_putting_back(|dir| {
            let mut seen = seen(dir);
            seen.remove(kept);
            [counted(dir), seen].concat()
        });
        assert_eq!(left, Admission::Try { tries_left: 1 }, "{name} is kept");
    }
}
