//! PIN tries against a whole store: counted before they are tested, the same for every badge, and not
//! given back by a restart, a kill or a changed clock.

use std::fs;
use std::path::Path;
use std::time::Duration;

use kit::store::*;
use wardkeep_model::access::factor::Attempt;
use wardkeep_model::access::factor::{Badge, Token};
use wardkeep_model::access::lockout::Admission;
use wardkeep_model::access::policy::Pair;
use wardkeep_model::keeping::{
    AuditAct, AuditResult, Command, Found, Outcome, Refusal, StoreFault, Unlocked,
};
use wardkeep_model::moment::{BootTime, Moment};

/// The n-th of many different wrong PINs.
fn wrong(number: u8) -> [u8; 6] {
    [9, 9, 9, number / 100, number / 10 % 10, number % 10]
}

fn left(tries_left: u8) -> Admission {
    Admission::Try { tries_left }
}

fn wait(seconds: u64) -> Admission {
    Admission::Wait(Duration::from_secs(seconds))
}

fn refused(answer: Result<Box<Unlocked>, Refusal>) -> Refusal {
    answer.map(|_| ()).expect_err("nothing may open the vault here")
}

/// Uses up tries with different wrong PINs, far enough apart; gives all answers.
fn fail(rig: &mut Rig, badge: &Badge, numbers: std::ops::Range<u8>) -> Vec<Refusal> {
    numbers
        .map(|number| {
            let now = at(1_000 * (u64::from(number) + 1));
            refused(rig.unlock_at((badge.clone(), &wrong(number)), now))
        })
        .collect()
}

fn identify(rig: &mut Rig, badge: Badge, now: Moment) -> Admission {
    rig.send(Command::Identify(Attempt(0), Token::Badge(badge), now));
    let outcome = rig.next();
    let Outcome::Identified(_, identified) = outcome else { panic!("{outcome:?}") };
    identified.admission
}

#[test]
fn s4_wrong_pin_unknown_badge_and_random_badge_get_the_same_answers() {
    let dir = tempfile::tempdir().unwrap();
    let (mut rig, _) = Rig::first_start(dir.path());
    let known = fail(&mut rig, &badge(), 0..10);
    let unknown = fail(&mut rig, &other_badge(), 0..10);
    assert_eq!(known, unknown);
    let expected = [left(9), left(8), left(7), wait(5), wait(30), wait(60), wait(300)];
    let expected: Vec<_> = expected
        .into_iter()
        .chain([wait(300), wait(300), Admission::Exhausted])
        .map(Refusal::WrongFactors)
        .collect();
    assert_eq!(known, expected);
    for one in [badge(), other_badge()] {
        assert_eq!(identify(&mut rig, one, at(99_999)), Admission::Exhausted);
    }
    rig.stop();
}

#[test]
fn s5_one_persons_errors_do_not_slow_another() {
    let dir = tempfile::tempdir().unwrap();
    let (mut rig, _) = Rig::first_start(dir.path());
    fail(&mut rig, &other_badge(), 0..10);
    assert_eq!(identify(&mut rig, badge(), at(0)), left(10));
    rig.unlock(at(0));
    rig.stop();
}

#[test]
fn every_tap_of_an_exhausted_badge_is_in_the_audit_log() {
    let dir = tempfile::tempdir().unwrap();
    let (mut rig, phrase) = Rig::first_start(dir.path());
    fail(&mut rig, &other_badge(), 0..10);
    for seconds in [99_999, 100_009] {
        assert_eq!(identify(&mut rig, other_badge(), at(seconds)), Admission::Exhausted);
    }
    assert_eq!(identify(&mut rig, badge(), at(100_019)), left(10));
    rig.unlock(at(100_029));
    rig.stop();
    let audit = contents(dir.path(), &phrase).audit().unwrap();
    let refused: Vec<_> = audit
        .iter()
        .filter(|(_, entry)| entry.act == AuditAct::UnlockRefused)
        .map(|(_, entry)| (entry.pair, entry.result))
        .collect();
    let tried = (Some(Pair::BadgePin), AuditResult::Refused);
    let tapped = (None, AuditResult::Refused);
    assert_eq!(refused, [vec![tried; 10], vec![tapped; 2]].concat());
}

#[test]
fn s5_exhausted_tries_stay_exhausted_after_restarts_and_for_the_right_pin() {
    let dir = tempfile::tempdir().unwrap();
    let (mut rig, _) = Rig::first_start(dir.path());
    fail(&mut rig, &badge(), 0..6);
    rig.stop();
    let mut rig = Rig::restart(dir.path());
    fail(&mut rig, &badge(), 6..10);
    rig.stop();
    for days in 1..4 {
        let mut rig = Rig::restart(dir.path());
        let answer = refused(rig.unlock_at((badge(), RIGHT_PIN), at(days * 86_400)));
        assert_eq!(answer, Refusal::NotAdmitted(Admission::Exhausted));
        rig.stop();
    }
}

#[test]
fn s5_the_right_pin_has_to_wait_too_and_a_restarted_machine_waits_in_full() {
    let dir = tempfile::tempdir().unwrap();
    let (mut rig, _) = Rig::first_start(dir.path());
    let now = at(1_000 * 7);
    assert_eq!(fail(&mut rig, &badge(), 0..7).pop(), Some(Refusal::WrongFactors(wait(300))));
    let early = refused(rig.unlock_at((badge(), RIGHT_PIN), now + Duration::from_secs(299)));
    assert_eq!(early, Refusal::NotAdmitted(wait(1)));
    rig.stop();

    // The machine was restarted: its boot clock is young, whatever the wall clock says.
    let young = Moment { boot: BootTime(Duration::from_secs(20)), wall: at(9_999_999).wall };
    let mut rig = Rig::restart(dir.path());
    assert_eq!(identify(&mut rig, badge(), young), wait(300));
    rig.stop();
    let mut rig = Rig::restart(dir.path());
    assert_eq!(identify(&mut rig, badge(), young + Duration::from_secs(10)), wait(290));
    rig.unlock(young + Duration::from_secs(300));
    assert_eq!(identify(&mut rig, badge(), young), left(10), "a success clears the tries");
    rig.stop();
}

#[test]
fn s5_the_same_wrong_pin_counts_once_and_the_right_one_always_works() {
    let dir = tempfile::tempdir().unwrap();
    let (mut rig, _) = Rig::first_start(dir.path());
    for _ in 0..20 {
        let answer = refused(rig.unlock_at((badge(), WRONG_PIN), at(0)));
        assert_eq!(answer, Refusal::WrongFactors(left(9)));
    }
    rig.unlock(at(0));
    rig.close();
    let answer = refused(rig.unlock_at((badge(), WRONG_PIN), at(0)));
    assert_eq!(answer, Refusal::WrongFactors(left(9)), "counted again after a success");
    rig.stop();
}

#[test]
fn s5_a_try_is_on_disk_before_the_pin_is_tested() {
    let dir = tempfile::tempdir().unwrap();
    let (mut rig, _) = Rig::first_start(dir.path());
    // With a directory in the temporary file's place the try cannot be stored, so it is not made:
    // even the right PIN does not open.
    let obstacle = dir.path().join("store/.tmp-cart");
    fs::create_dir(&obstacle).unwrap();
    let answer = refused(rig.unlock_at((badge(), RIGHT_PIN), at(0)));
    assert_eq!(answer, Refusal::Damaged(StoreFault::Io));
    fs::remove_dir(&obstacle).unwrap();
    rig.unlock(at(0));
    rig.stop();
}

#[test]
fn s5_a_cart_file_put_back_is_noted() {
    let dir = tempfile::tempdir().unwrap();
    let (rig, phrase) = Rig::first_start(dir.path());
    rig.stop();
    let cart = dir.path().join("store/cart");
    let copy = fs::read(&cart).unwrap();
    let mut rig = Rig::restart(dir.path());
    fail(&mut rig, &badge(), 0..9);
    rig.stop();
    fs::write(&cart, copy).unwrap();
    let mut rig = Rig::restart(dir.path());
    rig.unlock(at(50_000));
    rig.stop();
    let audit = contents(dir.path(), &phrase).audit().unwrap();
    assert!(audit.iter().any(|(_, entry)| entry.act == AuditAct::StoreFinding), "{audit:?}");
}

#[test]
fn an_untouched_cart_file_raises_no_suspicion() {
    let dir = tempfile::tempdir().unwrap();
    let (mut rig, phrase) = Rig::first_start(dir.path());
    for day in 0..3 {
        rig.unlock_at((badge(), WRONG_PIN), at(day)).unwrap_err();
        rig.unlock(at(day));
        rig.stop();
        rig = Rig::restart(dir.path());
    }
    rig.stop();
    let audit = contents(dir.path(), &phrase).audit().unwrap();
    assert!(audit.iter().all(|(_, entry)| entry.act == AuditAct::UnlockRefused), "{audit:?}");
}

fn only_file(dir: &Path, suffix: &str) -> std::path::PathBuf {
    let mut found = files(dir);
    found.retain(|path| path.to_string_lossy().ends_with(suffix));
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

#[test]
fn s4_a_damaged_slot_is_called_damaged_and_costs_no_try() {
    let dir = tempfile::tempdir().unwrap();
    let (mut rig, _) = Rig::first_start(dir.path());
    let slot = only_file(&dir.path().join("store/slots"), ".slot");
    let whole = fs::read(&slot).unwrap();
    let mut flipped = whole.clone();
    flipped[30] ^= 1;
    for content in [&flipped[..], &whole[..whole.len() - 1], &[]] {
        fs::write(&slot, content).unwrap();
        let answer = refused(rig.unlock_at((badge(), RIGHT_PIN), at(0)));
        assert_eq!(answer, Refusal::Damaged(StoreFault::Damaged));
    }
    fs::remove_file(&slot).unwrap();
    refused(rig.unlock_at((badge(), RIGHT_PIN), at(0)));
    fs::write(&slot, whole).unwrap();
    assert_eq!(identify(&mut rig, badge(), at(0)), left(10));
    rig.unlock(at(0));
    rig.stop();
}

#[test]
fn s4_a_swapped_public_key_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (rig, _) = Rig::first_start(dir.path());
    rig.stop();
    let path = dir.path().join("store/keyring");
    let copy = dir.path().join("store/keyring.copy");
    let ring = fs::read_to_string(&path).unwrap();
    for (field, which) in [("inbox", 0), ("public", 0), ("public", 1), ("sealed", 0), ("sealed", 1)]
    {
        let (at, name) = ring.match_indices(&format!("\"{field}\":[")).nth(which).unwrap();
        let (before, rest) = ring.split_at(at + name.len());
        let (byte, after) = rest.split_once(',').unwrap();
        let other = byte.parse::<u8>().unwrap() ^ 1;
        for path in [&path, &copy] {
            fs::write(path, format!("{before}{other},{after}")).unwrap();
        }
        let (rig, first) = Rig::start(options(dir.path()));
        let broken = matches!(first, Outcome::Found(Found::Broken(StoreFault::Damaged, _)));
        assert!(broken, "{field}: {first:?}");
        rig.stop();
    }
    fs::write(&path, &ring).unwrap();
    let mut rig = Rig::restart(dir.path());
    rig.unlock(at(0));
    rig.stop();
}
