//! S-8, S-5: a witness in a file that is not on this disk does what a security chip does.

#![expect(clippy::unwrap_used, reason = "a failed step of a test has to end it")]

use std::fs;
use std::path::Path;

use kit::store::desk::*;
use kit::store::tree::{self, Tree};
use kit::store::*;
use wardkeep_model::access::Role;
use wardkeep_model::access::factor::{Evidence, Token};
use wardkeep_model::keeping::{FindingKind, Refusal, Suspicion};
use wardkeep_model::moment::Moment;
use wardkeep_store::{Options, Suspected};

const OLDER: Refusal = Refusal::Suspected(Suspicion::StoreOlder);
const SILENT: Refusal = Refusal::Suspected(Suspicion::CounterSilent);

fn watched(dir: &Path, witness: &Path) -> Options {
    options(dir).with_witness(Some(witness.to_owned()))
}

fn put_back(dir: &Path, tree: &Tree) {
    fs::remove_dir_all(dir).unwrap();
    fs::create_dir(dir).unwrap();
    tree::write(tree, dir);
}

/// What comes of a login, and the kinds that were told on the way.
fn login(options: Options, evidence: Evidence) -> (Option<Refusal>, Vec<FindingKind>) {
    let (mut rig, _) = Rig::start_alone(options);
    let refusal = rig.show(evidence, Moment::read()).err();
    let told = rig.stop_told().iter().map(|found| found.kind).collect();
    (refusal, told)
}

#[test]
fn s8_with_a_witness_an_older_store_lets_nobody_in_until_it_is_accepted() {
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str| home.path().join(name);
    let (dir, witness) = (at("state"), at("witness"));
    let (mut rig, _) = Rig::start_alone(watched(&dir, &witness));
    let words = rig.initialise();
    rig.log_in(it());
    let nurse = rig.enrol("Nora Quist", Role::Nurse, 1, PIN);
    rig.close();
    let then = rig.stop_and(&dir);
    // She is revoked, and everything is put back as it was before.
    let (mut rig, _) = Rig::start_alone(watched(&dir, &witness));
    rig.log_in(it());
    rig.revoke(nurse).unwrap();
    rig.close();
    let now = rig.stop_and(&dir);
    put_back(&dir, &then);
    for evidence in [badge_pin(1, PIN), it()] {
        let (refusal, told) = login(watched(&dir, &witness), evidence);
        assert_eq!(refusal, Some(OLDER));
        assert!(told.contains(&FindingKind::StoreOlder), "{told:?}");
        put_back(&dir, &then);
    }
    // Without its witness it is as suspicious: nobody could count the tries.
    let kept = fs::read(&witness).unwrap();
    let other = at("other");
    let (mut rig, _) = Rig::start_alone(watched(&at("another"), &other));
    rig.initialise();
    rig.log_in(it());
    rig.close();
    rig.stop();
    let foreign = fs::read(&other).unwrap();
    let edited = String::from_utf8(kept.clone()).unwrap().replacen(" ", " 1", 3).into_bytes();
    for content in [None, Some(foreign), Some(edited), Some(b"wardkeep witness 1".to_vec())] {
        match content {
            Some(content) => fs::write(&witness, content).unwrap(),
            None => fs::remove_file(&witness).unwrap(),
        }
        let (refusal, told) = login(watched(&dir, &witness), badge_pin(1, PIN));
        assert_eq!((refusal, told), (Some(SILENT), vec![FindingKind::AnchorSilent]));
        put_back(&dir, &then);
    }
    // The witness is back, and with it what it knows; the latest store opens as ever.
    fs::write(&witness, &kept).unwrap();
    assert_eq!(login(watched(&dir, &witness), badge_pin(1, PIN)).0, Some(OLDER));
    put_back(&dir, &now);
    assert_eq!(login(watched(&dir, &witness), it()), (None, vec![]));
    // Nothing better than the older one is left: IT takes it, with the words and a badge.
    put_back(&dir, &then);
    let suspected = Suspected::open(&watched(&dir, &witness), Moment::read()).unwrap();
    assert_eq!(suspected.against[0].kind, FindingKind::StoreOlder);
    suspected.accept(&words, &Token::Badge(badge()), Moment::read()).unwrap();
    kit::process::settle();
    assert_eq!(login(watched(&dir, &witness), it()).0, None);
}
