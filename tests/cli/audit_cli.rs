//! The audit log of a real store, exported, attacked in seven ways and judged by the built program.

#![expect(clippy::unwrap_used, reason = "a failed step of a test has to end it")]

use std::fs;
use std::path::Path;
use std::process::{Command as Program, Stdio};

use kit::store::desk::*;
use kit::store::*;
use serde_json::Value as Json;
use wardkeep_model::access::Role;
use wardkeep_model::keeping::{
    Administered, Administration, AdministrationFault as Fault, AuditAct, AuditEntry, AuditResult,
    Command,
};
use wardkeep_store::administer_with_recovery;
use wardkeep_store::log::file::{VerifierKey, verify};

/// A log of four sessions, in the third of which the keys changed, and what was noted of it.
struct Story {
    dir: tempfile::TempDir,
    log: String,
    older: String,
    first_key: String,
    last_key: String,
    witness: String,
}

fn text(answer: Administered) -> String {
    let (Administered::Checkpoint(text) | Administered::AuditKey(text)) = answer else {
        panic!("{answer:?}")
    };
    text
}

trait Take {
    fn take(&mut self, what: Administration) -> String;
    /// The log, as it is written into a file.
    fn export(&mut self) -> String;
}

impl Take for Rig {
    fn export(&mut self) -> String {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("log.txt");
        let done = self.administer(Administration::ExportAudit(out.clone())).unwrap();
        let Administered::AuditExported(done) = done else { panic!("{done:?}") };
        let text = fs::read_to_string(&out).unwrap();
        let entries = text.lines().filter(|line| line.contains("{\"seq\"")).count();
        let counted = (u64::try_from(entries).unwrap(), u64::try_from(text.len()).unwrap());
        assert_eq!((done.entries, done.bytes), counted);
        text
    }

    fn take(&mut self, what: Administration) -> String {
        text(self.administer(what).unwrap())
    }
}

fn story() -> Story {
    let dir = tempfile::tempdir().unwrap();
    let (mut rig, _) = Rig::first_start(dir.path());
    let act = |rig: &Rig, second| {
        let detail = Some("Oxi\u{202e}meter".to_owned());
        let entry = AuditEntry::of(AuditAct::DeviceAssigned, at(second).wall);
        rig.send(Command::Audit(Box::new(AuditEntry { detail, ..entry })));
    };
    rig.log_in(it());
    (0..6).for_each(|second| act(&rig, second));
    rig.close();
    act(&rig, 7);
    rig.log_in(it());
    let first_key = rig.take(Administration::AuditKey);
    let nurse = rig.enrol("Nora Quist", Role::Nurse, 3, RIGHT_PIN);
    let older = rig.export();
    rig.close();
    rig.log_in(it());
    rig.revoke(nurse).unwrap();
    (8..12).for_each(|second| act(&rig, second));
    rig.close();
    rig.log_in(it());
    let witness = rig.take(Administration::Checkpoint);
    let log = rig.export();
    let last_key = rig.take(Administration::AuditKey);
    rig.stop();
    Story { dir, log, older, first_key, last_key, witness }
}

fn wardkeepctl(words: &[&str]) -> (Option<i32>, String, String) {
    let run = Program::new(env!("CARGO_BIN_EXE_wardkeepctl"))
        .args(words)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (run.status.code(), text(run.stdout), text(run.stderr))
}

/// What the program says of a log: exit status, problem, entry.
fn judged(
    dir: &Path,
    log: &str,
    key: &str,
    witnesses: &[&str],
) -> (Option<i32>, Option<String>, Option<u64>) {
    let file = dir.join("copy.txt");
    fs::write(&file, log).unwrap();
    let mut words = vec![
        "audit".to_owned(),
        "verify".into(),
        file.display().to_string(),
        "--key".into(),
        key.into(),
    ];
    for (number, witness) in witnesses.iter().enumerate() {
        let path = dir.join(format!("witness-{number}"));
        fs::write(&path, witness).unwrap();
        words.extend(["--witness".into(), path.display().to_string()]);
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (code, out, err) = wardkeepctl(&words);
    let answer: Json = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{err}"));
    assert_eq!(answer["ok"], Json::Bool(code == Some(0)), "{out}");
    // How long it has lasted is told where it lasts.
    let complaints = err.lines().filter(|line| !line.starts_with("Verifying: ")).count();
    assert_eq!(complaints == 0, code == Some(0), "{err}");
    (code, answer["problem"].as_str().map(str::to_owned), answer["entry"].as_u64())
}

fn named(problem: &str, entry: u64) -> (Option<i32>, Option<String>, Option<u64>) {
    (Some(1), Some(problem.to_owned()), Some(entry))
}

/// A log taken apart: before the entries, the entries, the checkpoints.
fn parts(log: &str) -> (String, Vec<String>, Vec<String>) {
    let (head, rest) = log.split_once("\n\n").unwrap();
    let (entries, rest) = rest.split_once("\n\n").unwrap();
    let notes = rest.strip_suffix("end\n").unwrap();
    let lines = notes.split_inclusive('\n').collect::<Vec<_>>();
    let notes = lines.chunks(6).map(|note| note[..5].concat()).collect();
    (head.to_owned(), entries.lines().map(str::to_owned).collect(), notes)
}

fn joined(head: &str, entries: &[String], notes: &[String]) -> String {
    let mut keys: Vec<&str> = head.lines().collect();
    let counts = [format!("entries {}", entries.len()), format!("checkpoints {}", notes.len())];
    let at = keys.len() - 2;
    keys.truncate(at);
    keys.extend(counts.iter().map(String::as_str));
    let notes: String = notes.iter().map(|note| format!("{note}\n")).collect();
    format!("{}\n\n{}\n\n{notes}end\n", keys.join("\n"), entries.join("\n"))
}

#[test]
fn s8_seven_ways_of_changing_the_past_have_their_names() {
    let story = story();
    let (dir, key) = (story.dir.path(), story.first_key.as_str());
    let (head, entries, notes) = parts(&story.log);
    assert_eq!(joined(&head, &entries, &notes), story.log, "taken apart and put together");
    let judge = |log: &str| judged(dir, log, key, &[]);
    assert_eq!(judge(&story.log), (Some(0), None, None));
    let last = entries.len() as u64;

    for at in [1, 4, last / 2, last - 1] {
        let index = usize::try_from(at).unwrap() - 1;
        let mut fewer = entries.clone();
        fewer.remove(index);
        assert_eq!(judge(&joined(&head, &fewer, &notes)), named("deleted", at));
        let mut edited = entries.clone();
        edited[index] = edited[index].replacen("\"at\":\"2", "\"at\":\"1", 1);
        assert_eq!(judge(&joined(&head, &edited, &notes)), named("edited", at));
        let mut moved = entries.clone();
        moved.swap(index, entries.len() - 1);
        assert_eq!(judge(&joined(&head, &moved, &notes)), named("reordered", at));
        let cut = &entries[..=index];
        let (code, problem, entry) = judge(&joined(&head, cut, &notes));
        // Where the cut takes the entry that names the second key, that key has nobody's word.
        let rotated = cut.iter().any(|line| line.contains("keys-rotated"));
        let name = if rotated { "truncated" } else { "re-signed" };
        assert_eq!((code, problem.as_deref()), (Some(1), Some(name)));
        assert!(!rotated || entry == Some(at + 1));
    }
    for bytes in [story.log.len() - 1, story.log.len() / 2, story.log.len() / 4] {
        let at = (0..=bytes).rev().find(|at| story.log.is_char_boundary(*at)).unwrap();
        let (code, problem, _) = judge(&story.log[..at]);
        assert_eq!((code, problem.as_deref()), (Some(1), Some("truncated")));
    }
    for stripped in 0..notes.len() {
        let mut bare = notes.clone();
        bare[stripped] = bare[stripped].lines().take(4).map(|line| format!("{line}\n")).collect();
        let (code, problem, _) = judge(&joined(&head, &entries, &bare));
        assert_eq!((code, problem.as_deref()), (Some(1), Some("signatures-stripped")));
    }
    assert_eq!(judge(&joined(&head, &entries, &[])), named("signatures-stripped", 1));

    // Older, and by itself as good as new: only a witness tells.
    assert_eq!(judge(&story.older).0, Some(0));
    let known = story.older.lines().filter(|line| line.contains("{\"seq\"")).count() as u64;
    let found = judged(dir, &story.older, key, &[&story.witness]);
    assert_eq!(found, named("replaced-by-older", known + 1));
    assert_eq!(judged(dir, &story.log, key, &[&story.witness, &notes[0]]).0, Some(0));
}

#[test]
fn s8_a_log_that_somebody_else_signed_is_named() {
    let (ours, theirs) = (story(), story());
    let dir = ours.dir.path();
    for key in [&ours.first_key, &ours.last_key] {
        assert_eq!(judged(dir, &ours.log, key, &[]).0, Some(0), "either key is followed");
        let (code, problem, _) = judged(dir, &theirs.log, key, &[]);
        assert_eq!((code, problem.as_deref()), (Some(1), Some("re-signed")));
    }
    assert_ne!(ours.first_key, ours.last_key);
    // Their checkpoints in place of ours, one after the other, under our name or theirs.
    let (head, entries, notes) = parts(&ours.log);
    let (_, _, foreign) = parts(&theirs.log);
    let name = |key: &str| key.split('+').next().unwrap().to_owned();
    for at in 0..notes.len() {
        let masked = foreign[at].replace(&name(&theirs.first_key), &name(&ours.first_key));
        let mut mixed = notes.clone();
        mixed[at] = masked;
        let (code, problem, _) = judged(dir, &joined(&head, &entries, &mixed), &ours.last_key, &[]);
        assert_eq!((code, problem.as_deref()), (Some(1), Some("re-signed")), "{at}");
    }
}

#[test]
fn the_program_says_what_it_needs() {
    let story = story();
    let file = story.dir.path().join("log.txt");
    fs::write(&file, &story.log).unwrap();
    let log = file.to_str().unwrap();
    let key = story.dir.path().join("key.txt");
    fs::write(&key, format!("{}\n", story.last_key)).unwrap();
    let (code, out, err) = wardkeepctl(&["audit", "verify", log, "--key", key.to_str().unwrap()]);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    let answer: Json = serde_json::from_str(&out).unwrap();
    assert_eq!(answer["key"], Json::from(story.last_key.as_str()));
    for (words, says) in [
        (&["audit", "verify", log][..], "--key is missing"),
        (&["audit", "verify", log, "--key", log], "is no verifier key"),
        (&["audit", "verify", "--key", &story.last_key], "LOG is missing"),
        (
            &["audit", "verify", log, "--key", &story.last_key, "--out", "x"],
            "--out does not belong",
        ),
        (&["audit"], "Usage: wardkeepctl audit"),
        (&["audit", "forget"], "After `wardkeepctl audit` comes verify, export"),
        (&["audit", "export"], "--out is missing"),
        (&["audit", "key", "--witness", "x"], "--witness does not belong"),
    ] {
        let (code, out, err) = wardkeepctl(words);
        assert_eq!((code, out.as_str()), (Some(2), ""), "{words:?}");
        assert!(err.contains(says), "{words:?}: {err}");
    }
    let (code, out, _) = wardkeepctl(&["audit", "verify", "/nowhere", "--key", &story.last_key]);
    assert_eq!(code, Some(1));
    assert!(out.contains("\"problem\":\"unreadable\""), "{out}");
}

#[test]
fn a_copy_replaces_nothing_and_none_is_left_half_written() {
    let dir = tempfile::tempdir().unwrap();
    let (mut rig, _) = Rig::first_start(dir.path());
    rig.log_in(it());
    let place = tempfile::tempdir().unwrap();
    let there = place.path().join("there.txt");
    fs::write(&there, "kept").unwrap();
    let export = |rig: &mut Rig, out: &Path| {
        rig.administer(Administration::ExportAudit(out.to_owned())).unwrap_err()
    };
    assert_eq!(export(&mut rig, &there), Fault::Exists);
    assert_eq!(fs::read_to_string(&there).unwrap(), "kept");
    let nowhere = export(&mut rig, &place.path().join("none/log.txt"));
    assert!(matches!(nowhere, Fault::Store(_)), "{nowhere:?}");
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);
    rig.stop();
}

#[test]
fn the_log_goes_on_over_changes_of_keys_and_restarts() {
    let story = story();
    let trusted: VerifierKey = story.first_key.parse().unwrap();
    let verified = verify(story.log.as_bytes(), &[trusted], &[]).unwrap();
    assert_eq!(verified.sealed, verified.entries);
    assert_eq!(verified.key, story.last_key);
    // The copy beside the vault is a checkpoint of the same log.
    let copy = fs::read_to_string(story.dir.path().join("store/checkpoint")).unwrap();
    assert!(story.log.contains(&copy) || copy.lines().next() == story.witness.lines().next());
    assert!(
        story.log.is_ascii()
            || story.log.matches(|letter: char| !letter.is_ascii()).all(|dash| dash == "\u{2014}")
    );
    assert!(story.log.contains("\\u202e"), "untrusted text is there, escaped");
    let mut rig = Rig::restart(story.dir.path());
    rig.log_in(it());
    let later = rig.export();
    rig.stop();
    let (_, before, notes) = parts(&story.log);
    let (_, after, _) = parts(&later);
    assert_eq!(after[..before.len()], before[..]);
    let witnesses: Vec<Vec<u8>> = notes.into_iter().map(String::into_bytes).collect();
    let trusted: VerifierKey = story.last_key.parse().unwrap();
    verify(later.as_bytes(), &[trusted], &witnesses).unwrap();
}

/// Longer than what any reader holds, with all that a mail program may do to it.
#[test]
fn a_log_of_many_lines_is_verified_however_it_was_rewritten() {
    let dir = tempfile::tempdir().unwrap();
    let (mut rig, _) = Rig::first_start(dir.path());
    rig.log_in(it());
    for second in 0..3_000 {
        let entry = AuditEntry::of(AuditAct::AlarmAcknowledged, at(second).wall);
        rig.send(Command::Audit(Box::new(entry)));
        if second % 500 == 0 {
            rig.take(Administration::Checkpoint);
        }
    }
    let (log, key) = (rig.export(), rig.take(Administration::AuditKey));
    rig.stop();
    assert!(log.len() > 512 * 1024, "{}", log.len());
    assert_eq!(judged(dir.path(), &log, &key, &[]).0, Some(0));
    for from in ["audio", "alarm"] {
        let cut = log.rfind("alarm-acknowledged").unwrap();
        let (front, back) = log.split_at(cut);
        let forged = format!("{front}{}", back.replacen("alarm", from, 1));
        assert_eq!(judged(dir.path(), &forged, &key, &[]).0 == Some(0), from == "alarm");
    }
    for copy in [log.replace('\n', "\r\n"), log.replace('\n', "\r")] {
        let file = dir.path().join("copy.txt");
        fs::write(&file, copy).unwrap();
        let words = ["audit", "verify", file.to_str().unwrap(), "--key", &key];
        let (code, out, err) = wardkeepctl(&words);
        assert_eq!(code, Some(0), "{err}");
        assert!(out.contains("lines end with CR"), "{out}");
    }
}

#[test]
fn every_entry_has_both_clocks_and_who_and_what_was_refused_is_in_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let (mut rig, words) = Rig::first_start(dir.path());
    rig.show(badge_pin(0, WRONG_PIN), at(1)).unwrap_err();
    rig.log_in(it());
    let nurse = rig.enrol("Nora Quist", Role::Nurse, 3, RIGHT_PIN);
    let me = rig.people().iter().find(|one| one.role == Role::It).unwrap().id;
    assert_eq!(rig.revoke(me).unwrap_err(), Fault::LastAdministrator);
    rig.close();
    rig.log_in(badge_pin(3, RIGHT_PIN));
    for what in [Administration::RevokePerson(me), Administration::ListPeople] {
        assert_eq!(rig.administer(what).unwrap_err(), Fault::NotAllowed);
    }
    rig.close();
    let out = dir.path().join("log.txt");
    let closed = rig.administer(Administration::ExportAudit(out.clone())).unwrap_err();
    assert_eq!((closed, out.exists()), (Fault::NotAllowed, false));
    rig.stop();
    let wrong = Administration::RevokePerson(wardkeep_model::access::OperatorId(5));
    let refused = administer_with_recovery(&options(dir.path()), &words, wrong);
    assert_eq!(refused.unwrap_err(), Fault::Unknown);
    let vault = contents(dir.path(), &words);
    let audit = vault.audit().unwrap();
    assert!(audit.iter().all(|(_, entry)| entry.boot.is_some() && entry.since_boot.is_some()));
    let refused: Vec<_> = audit
        .iter()
        .filter(|(_, entry)| entry.result == AuditResult::Refused)
        .map(|(_, entry)| (entry.act, entry.operator, entry.person))
        .collect();
    let nobody = wardkeep_model::access::OperatorId(5);
    assert_eq!(
        refused,
        [
            (AuditAct::UnlockRefused, None, refused[0].2),
            (AuditAct::PersonRevoked, Some(me), Some(me)),
            (AuditAct::PersonRevoked, Some(nurse), Some(me)),
            (AuditAct::AccessRefused, Some(nurse), None),
            (AuditAct::CheckpointExported, None, None),
            (AuditAct::PersonRevoked, None, Some(nobody)),
        ]
    );
}

/// audit-1: a mail program, a checkout or a shell changed line ends or encoding, not what the log says.
#[test]
fn audit_1_a_log_whose_line_ends_were_changed_is_verified_and_it_is_said() {
    let story = story();
    let dir = story.dir.path();
    let key = dir.join("key.txt");
    fs::write(&key, format!("\u{feff}{}\r\n", story.first_key.trim())).unwrap();
    let witness = dir.join("monday.txt");
    fs::write(&witness, story.witness.replace('\n', "\r\n")).unwrap();
    let utf16 = |text: &str| -> Vec<u8> {
        let units = text.encode_utf16().flat_map(u16::to_le_bytes);
        [0xFF, 0xFE].into_iter().chain(units).collect()
    };
    let returns = story.log.replace('\n', "\r\n");
    for (copy, changed) in [
        (returns.clone().into_bytes(), "lines end with CR"),
        (format!("\u{feff}{}", story.log).into_bytes(), "a byte order mark stands in front"),
        (utf16(&returns), "the encoding is UTF-16LE"),
    ] {
        let file = dir.join("copy.txt");
        fs::write(&file, &copy).unwrap();
        let paths = [&file, &key, &witness].map(|path| path.display().to_string());
        let [file, key, witness] = paths.each_ref().map(String::as_str);
        let words = ["audit", "verify", file, "--key", key, "--witness", witness];
        let (code, out, err) = wardkeepctl(&words);
        assert_eq!(code, Some(0), "{err}");
        assert!(err.contains(changed), "{err}");
        let answer: Json = serde_json::from_str(&out).unwrap();
        assert!(answer["changed"].as_str().is_some_and(|said| said.contains(changed)), "{out}");
    }
    // What was changed beside the line ends is found all the same.
    let forged = returns.replacen("device-assigned", "device-released", 1);
    assert_ne!(forged, returns);
    let file = dir.join("copy.txt");
    fs::write(&file, forged).unwrap();
    let paths = [&file, &key].map(|path| path.display().to_string());
    let (code, out, _) = wardkeepctl(&["audit", "verify", &paths[0], "--key", &paths[1]]);
    assert_eq!(code, Some(1));
    assert!(out.contains("\"problem\":\"edited\""), "{out}");
}
