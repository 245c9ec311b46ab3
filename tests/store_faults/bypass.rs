//! An open vault that takes nothing is bypassed, and what it took before it was acknowledged is there once.

#![expect(clippy::unwrap_used, reason = "a failed step of a test has to end it")]
#![expect(clippy::wildcard_enum_match_arm, reason = "only some outcomes matter to a test")]

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use kit::store::desk::it;
use kit::store::tree;
use kit::store::*;
use wardkeep_model::access::factor::{Attempt, Token};
use wardkeep_model::keeping::{
    AuditAct, AuditEntry, CartState, Command, FindingKind, Outcome, StoreFault,
};

/// The log of the open vault without its header; the database library, which has read it, goes on writing behind it.
struct HeadlessLog {
    file: File,
    header: [u8; 32],
}

impl HeadlessLog {
    fn of(dir: &Path) -> Self {
        let found = files(&dir.join("store"));
        let path = found.into_iter().find(|path| path.to_string_lossy().ends_with("-wal")).unwrap();
        let file = File::options().read(true).write(true).open(path).unwrap();
        let mut header = [0; 32];
        file.read_exact_at(&mut header, 0).unwrap();
        file.write_all_at(&[0; 32], 0).unwrap();
        Self { file, header }
    }

    fn mend(self) {
        self.file.write_all_at(&self.header, 0).unwrap();
    }
}

/// Receives until there is an answer of this kind.
fn until(rig: &mut Rig, is_it: impl Fn(&Outcome) -> bool) {
    loop {
        match rig.next() {
            outcome if is_it(&outcome) => return,
            Outcome::Lost(lost) => rig.lost += lost,
            _ => {}
        }
    }
}

/// Waits until everything that was sent is taken and written.
fn flushed(rig: &mut Rig) {
    rig.send(Command::Retry);
    rig.send(Command::Identify(Attempt(99), Token::Badge(badge()), at(50)));
    until(rig, |outcome| matches!(outcome, Outcome::Identified(..)));
}

fn told(rig: &Rig, act: AuditAct) {
    rig.send(Command::Audit(Box::new(AuditEntry::of(act, at(0).wall))));
}

#[test]
fn s8_what_the_vault_took_before_it_could_be_acknowledged_is_there_once() {
    let dir = tempfile::tempdir().unwrap();
    let (mut rig, phrase) = Rig::first_start(dir.path());
    rig.unlock(at(0));
    told(&rig, AuditAct::AudioPaused);
    flushed(&mut rig);
    let log = HeadlessLog::of(dir.path());
    told(&rig, AuditAct::AlarmAcknowledged);
    // A whole batch, which is written at once.
    rig.record(1, 1..=300);
    until(&mut rig, |outcome| matches!(outcome, Outcome::Fault(StoreFault::Io)));
    log.mend();
    until(&mut rig, |outcome| matches!(outcome, Outcome::Recovered));
    rig.record(1, 301..=320);
    rig.close();
    assert_eq!(rig.lost, 0);
    rig.stop();
    let vault = contents(dir.path(), &phrase);
    let acknowledged =
        acts(&vault).iter().filter(|(_, entry)| entry.act == AuditAct::AlarmAcknowledged).count();
    assert_eq!(acknowledged, 1);
    assert_eq!(seqs(&vault), (1..=320).collect::<Vec<_>>());
}

#[test]
fn s2_an_open_vault_that_takes_nothing_is_closed_and_recording_goes_on() {
    let (dir, killed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (mut rig, _) = Rig::first_start(dir.path());
    rig.unlock(at(0));
    let _log = HeadlessLog::of(dir.path());
    rig.record(1, 1..=300);
    // Whoever had it open is locked out, and told why.
    until(&mut rig, |outcome| matches!(outcome, Outcome::Fault(StoreFault::Io)));
    for run in 0..20 {
        rig.record(2, 300 * run + 1..=300 * (run + 1));
    }
    let cart = CartState { language: "de".into(), ..CartState::default() };
    rig.send(Command::SaveCart(Box::new(cart)));
    flushed(&mut rig);
    assert_eq!(rig.lost, 0, "6,000 records while the vault took nothing");
    // Killed now, everything that was recorded since is in the inbox, and the cart knows its language.
    tree::write(&tree::at_one_instant(dir.path()), killed.path());
    let (mut after, first) = Rig::start_alone(options(killed.path()));
    let state = match first {
        Outcome::Found(found) => format!("{found:?}"),
        other => panic!("{other:?}"),
    };
    assert!(state.contains("\"de\""), "{state}");
    let evidence = it();
    let unlocked = after.show(evidence, at(100));
    let imported = match unlocked {
        Ok(_) => match after.next() {
            Outcome::Imported(import) => import.imported,
            other => panic!("{other:?}"),
        },
        Err(refusal) => panic!("{refusal:?}"),
    };
    assert!(imported >= 6000, "{imported} records were in the inbox");
    let wrong =
        [FindingKind::RecordsForged, FindingKind::RecordsRepeated, FindingKind::RecordsMoved];
    assert_eq!(after.found(&wrong), 0, "{:?}", after.findings);
    assert_eq!(after.found(&[FindingKind::RecordsMissing]), 0, "{:?}", after.findings);
    after.stop();
    rig.stop();
}
