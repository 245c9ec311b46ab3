//! Attacks on a log, by hand and by chance.

mod streams;

use proptest::prelude::*;

use super::*;
use crate::crypto::Key;
use crate::log::checkpoint::Signer;
use crate::log::merkle::Frontier;
use crate::record::audit_line;
use wardkeep_model::access::OperatorId;
use wardkeep_model::keeping::{AuditAct, AuditEntry};

const ENTRIES: u64 = 24;
/// Sizes at which the first key signs; the last one covers the entry that names the second.
const FIRST_KEY: [u64; 3] = [5, 9, 14];
const ROTATED: u64 = 14;
const SECOND_KEY: [u64; 3] = [14, 20, 24];

fn signer(seed: u8, log: Option<&Signer>) -> Signer {
    Signer::new(Key::from_slice(&[seed; 32]).unwrap(), log.map(|first| first.key().name()))
}

/// A log of two keys.
struct Log {
    keys: Vec<String>,
    lines: Vec<String>,
    notes: Vec<String>,
    first: VerifierKey,
    second: VerifierKey,
}

fn entry(seq: u64, next: &Signer) -> AuditEntry {
    let at = jiff::Timestamp::from_second(1_800_000_000 + i64::try_from(seq).unwrap()).unwrap();
    let (act, detail) = match seq {
        ROTATED => (AuditAct::KeysRotated, Some(next.key().to_string())),
        3 => (AuditAct::DeviceAssigned, Some("Pulse\u{202e} oximeter".to_owned())),
        seq if seq % 2 == 0 => (AuditAct::Unlocked, None),
        _ => (AuditAct::Locked, None),
    };
    AuditEntry { operator: Some(OperatorId(7)), detail, ..AuditEntry::of(act, at) }
}

fn write(keys: &[String], lines: &[String], notes: &[String]) -> String {
    let count = |parts: &[String]| u64::try_from(parts.len()).unwrap();
    let mut file = Vec::new();
    let mut log = LogWriter::begin(&mut file, keys, (count(lines), count(notes))).unwrap();
    lines.iter().for_each(|line| log.entry(line).unwrap());
    notes.iter().for_each(|note| log.checkpoint(note).unwrap());
    log.finish().unwrap();
    String::from_utf8(file).unwrap()
}

fn root(lines: &[String]) -> [u8; 32] {
    let mut tree = Frontier::default();
    lines.iter().for_each(|line| tree.push(leaf(line.as_bytes())));
    tree.root()
}

fn noted(signer: &Signer, lines: &[String], sizes: &[u64]) -> Vec<String> {
    let covered = |size: u64| &lines[..usize::try_from(size).unwrap()];
    sizes.iter().map(|size| signer.sign(*size, &root(covered(*size)))).collect()
}

impl Log {
    fn new() -> Self {
        let first = signer(1, None);
        let second = signer(2, Some(&first));
        let lines: Vec<String> =
            (1..=ENTRIES).map(|seq| audit_line::write(seq, &entry(seq, &second))).collect();
        let mut notes = noted(&first, &lines, &FIRST_KEY);
        notes.extend(noted(&second, &lines, &SECOND_KEY));
        let keys = vec![first.key().to_string(), second.key().to_string()];
        let (first, second) = (first.key().clone(), second.key().clone());
        Self { keys, lines, notes, first, second }
    }

    fn text(&self) -> String {
        write(&self.keys, &self.lines, &self.notes)
    }

    fn verdict(&self) -> Result<Verified, (Problem, Option<u64>)> {
        self.judged(&[])
    }

    fn judged(&self, witnesses: &[&str]) -> Result<Verified, (Problem, Option<u64>)> {
        let witnesses: Vec<Vec<u8>> =
            witnesses.iter().map(|note| note.as_bytes().to_vec()).collect();
        let verdict = verify(self.text().as_bytes(), std::slice::from_ref(&self.first), &witnesses);
        verdict.map_err(|flaw| (flaw.problem, flaw.entry))
    }
}

fn problem(file: &str, key: &VerifierKey) -> Option<(Problem, Option<u64>)> {
    let verdict = verify(file.as_bytes(), std::slice::from_ref(key), &[]);
    verdict.err().map(|flaw| (flaw.problem, flaw.entry))
}

#[test]
fn an_honest_log_is_believed_from_any_of_its_keys() {
    let log = Log::new();
    let verified = log.verdict().unwrap();
    assert_eq!((verified.entries, verified.sealed, verified.checkpoints), (24, 24, 6));
    assert_eq!(verified.root, root(&log.lines));
    assert_eq!(verified.key, log.second.to_string());
    assert_eq!(problem(&log.text(), &log.second), None);
    // Every checkpoint of its own is a witness it agrees with.
    for note in &log.notes {
        assert_eq!(log.judged(&[note]).unwrap().entries, ENTRIES);
    }
}

#[test]
fn s8_a_deleted_entry_is_named() {
    for at in [1, 2, 5, 13, 14, 23] {
        let mut log = Log::new();
        log.lines.remove(at - 1);
        let entry = Some(u64::try_from(at).unwrap());
        assert_eq!(log.verdict(), Err((Problem::Deleted, entry)));
        // Left in the head of the file as many as there were.
        let text = log.text().replace("entries 23", "entries 24");
        assert_eq!(problem(&text, &log.first), Some((Problem::Deleted, entry)));
    }
}

#[test]
fn s8_an_entry_that_is_deleted_and_the_rest_numbered_anew_does_not_pass() {
    for at in [1, 5, 13, 23] {
        let mut log = Log::new();
        log.lines.remove(at - 1);
        for (seq, text) in (1..).zip(&mut log.lines) {
            *text = audit_line::write(seq, &audit_line::read(text).unwrap().1);
        }
        let (found, entry) = log.verdict().unwrap_err();
        // Somewhere after the last checkpoint that still fits; at the very end nothing tells it from
        // a log that was cut.
        assert!(matches!(found, Problem::Edited | Problem::KeyOrder | Problem::Truncated), "{at}");
        assert!(entry.is_some_and(|entry| entry <= 24), "{at}: {entry:?}");
    }
}

#[test]
fn s8_an_edited_entry_is_named() {
    for at in [1_usize, 3, 9, 14, 24] {
        let entry = Some(u64::try_from(at).unwrap());
        let log = Log::new();
        let changed = log.lines[at - 1].replace("0000007\"", "0000009\"");
        assert_ne!(changed, log.lines[at - 1]);
        let text = log.text().replacen(&log.lines[at - 1], &changed, 1);
        assert_eq!(problem(&text, &log.first), Some((Problem::Edited, entry)));
        // With its hash made to fit, it lies after the last checkpoint that does not cover it.
        let mut log = Log::new();
        log.lines[at - 1] = changed;
        let (found, entry) = log.verdict().unwrap_err();
        let sealed = [0, 5, 9, 14, 20].into_iter().rfind(|size| *size < at).unwrap();
        assert_eq!((found, entry), (Problem::Edited, Some(u64::try_from(sealed).unwrap() + 1)));
    }
}

#[test]
fn s8_entries_out_of_their_order_are_named() {
    for (one, other) in [(1, 2), (3, 17), (13, 14), (23, 24), (1, 24)] {
        let mut log = Log::new();
        log.lines.swap(one - 1, other - 1);
        assert_eq!(log.verdict(), Err((Problem::Reordered, Some(u64::try_from(one).unwrap()))));
        // The numbers stay where they were, the acts change places.
        let mut log = Log::new();
        let (first, second) = (log.lines[one - 1].clone(), log.lines[other - 1].clone());
        let of = |text: &str| audit_line::read(text).unwrap().1;
        log.lines[one - 1] = audit_line::write(u64::try_from(one).unwrap(), &of(&second));
        log.lines[other - 1] = audit_line::write(u64::try_from(other).unwrap(), &of(&first));
        let (found, entry) = log.verdict().unwrap_err();
        assert!(matches!(found, Problem::Edited | Problem::KeyOrder), "{one}: {found:?}");
        assert!(entry.is_some());
    }
    // An entry that is there twice.
    let mut log = Log::new();
    log.lines.insert(4, log.lines[2].clone());
    assert_eq!(log.verdict(), Err((Problem::Reordered, Some(5))));
}

#[test]
fn s8_a_log_without_its_end_is_named() {
    for left in [0_usize, 1, 9, 14, 20, 23] {
        let mut log = Log::new();
        log.lines.truncate(left);
        if left < 14 {
            log.keys.truncate(1);
            log.notes.truncate(3);
        }
        let missing = Some(u64::try_from(left).unwrap() + 1);
        assert_eq!(log.verdict(), Err((Problem::Truncated, missing)), "{left}");
    }
    // Cut anywhere.
    let (log, text) = (Log::new(), Log::new().text());
    for at in 1..text.len() {
        if text.is_char_boundary(at) {
            let found = problem(&text[..at], &log.first).map(|(found, _)| found);
            assert_eq!(found, Some(Problem::Truncated), "byte {at}");
        }
    }
}

#[test]
fn s8_entries_that_nothing_seals_fail() {
    for (notes, sealed) in [(5, 20), (4, 14), (3, 14), (2, 9)] {
        let mut log = Log::new();
        log.notes.truncate(notes);
        let found = log.verdict();
        assert_eq!(found, Err((Problem::Unsealed, Some(sealed + 1))), "{notes}");
    }
}

#[test]
fn s8_an_older_log_is_shown_by_a_witness() {
    let now = Log::new();
    for (entries, keys, notes) in [(5, 1, 1), (9, 1, 2), (14, 2, 4), (20, 2, 5)] {
        let mut log = Log::new();
        log.lines.truncate(entries);
        log.keys.truncate(keys);
        log.notes.truncate(notes);
        let next = Some(u64::try_from(entries).unwrap() + 1);
        assert!(log.verdict().is_ok(), "by itself it is what was sealed then");
        for witness in &now.notes[notes..] {
            let found = log.judged(&[&log.notes[0], witness]);
            if witness.contains("\n14\n") && entries == 14 {
                continue;
            }
            assert_eq!(found, Err((Problem::ReplacedByOlder, next)), "{entries}");
        }
    }
}

#[test]
fn s8_another_history_is_shown_by_a_witness() {
    // Whoever has the keys goes back to an older log and writes on.
    let (first, now) = (signer(1, None), Log::new());
    let mut other = Log::new();
    other.lines.truncate(9);
    other.lines.push(audit_line::write(10, &entry(11, &first)));
    other.lines.extend((11..=16).map(|seq| audit_line::write(seq, &entry(3, &first))));
    other.keys.truncate(1);
    other.notes = noted(&first, &other.lines, &[5, 9, 16]);
    assert!(other.verdict().is_ok());
    assert!(other.judged(&[&now.notes[1]]).is_ok(), "before the two part");
    assert_eq!(other.judged(&[&now.notes[2]]), Err((Problem::Forked, Some(1))));
    let unusable = Err((Problem::WitnessUnreadable, None));
    assert_eq!(other.judged(&["not a checkpoint"]), unusable);
    let foreign = signer(9, None).sign(5, &root(&now.lines[..5]));
    assert_eq!(other.judged(&[&foreign]), unusable);
    let forged = now.notes[0].replace("\n5\n", "\n4\n");
    assert_eq!(other.judged(&[&forged]), unusable);
}

#[test]
fn s8_missing_signatures_are_named() {
    let seals = [0, 5, 9, 14, 14, 20];
    for (at, sealed) in seals.into_iter().enumerate() {
        let next = Some(sealed + 1);
        for kept in [3, 4] {
            let mut log = Log::new();
            log.notes[at] = log.notes[at].split_inclusive('\n').take(kept).collect();
            assert_eq!(log.verdict(), Err((Problem::SignaturesStripped, next)), "{at}");
        }
        let mut log = Log::new();
        let signature = log.notes[at].rsplit(' ').next().unwrap().to_owned();
        log.notes[at] = log.notes[at].replace(&signature, "\n");
        assert_eq!(log.verdict(), Err((Problem::SignaturesStripped, next)), "{at}");
        // A whole checkpoint, and the head of the file left as it was.
        let mut log = Log::new();
        log.notes.remove(at);
        let text = log.text().replace("checkpoints 5", "checkpoints 6");
        let found = problem(&text, &log.first).map(|(found, _)| found);
        let handover = [2].contains(&at);
        let expected = if handover { Problem::KeyOrder } else { Problem::SignaturesStripped };
        assert_eq!(found, Some(expected), "{at}");
    }
    let mut log = Log::new();
    log.notes.clear();
    assert_eq!(log.verdict(), Err((Problem::SignaturesStripped, Some(1))));
}

#[test]
fn s8_a_log_signed_with_another_key_is_named() {
    let thief = signer(66, None);
    // Everything anew, under the thief's own name.
    let mut log = Log::new();
    log.lines[13] = audit_line::write(14, &entry(13, &thief));
    log.keys = vec![thief.key().to_string()];
    log.notes = noted(&thief, &log.lines, &[5, 24]);
    assert_eq!(log.verdict(), Err((Problem::ReSigned, None)));
    // Under the log's name.
    let first = signer(1, None);
    let mut log = Log::new();
    let masked = signer(66, Some(&first));
    log.lines[13] = audit_line::write(14, &entry(13, &thief));
    log.keys = vec![masked.key().to_string()];
    log.notes = noted(&masked, &log.lines, &[5, 24]);
    assert_eq!(log.verdict(), Err((Problem::ReSigned, None)));
    // One checkpoint alone, with the key slipped into the head of the file or not.
    for (at, size) in FIRST_KEY.into_iter().chain(SECOND_KEY).enumerate() {
        for slipped in [false, true] {
            let mut log = Log::new();
            log.notes[at] = noted(&masked, &log.lines, &[size]).remove(0);
            if slipped {
                log.keys.push(masked.key().to_string());
            }
            let (found, _) = log.verdict().unwrap_err();
            assert_eq!(found, Problem::ReSigned, "{at} {slipped}");
        }
    }
    // A successor that nobody sealed: the thief adds an entry that names their key.
    let mut log = Log::new();
    let at = "2027-01-15T08:00:00Z".parse().unwrap();
    let detail = Some(masked.key().to_string());
    let rotated = AuditEntry { detail, ..AuditEntry::of(AuditAct::KeysRotated, at) };
    log.lines.push(audit_line::write(25, &rotated));
    log.keys.push(masked.key().to_string());
    log.notes.extend(noted(&masked, &log.lines, &[25]));
    assert_eq!(log.verdict(), Err((Problem::KeyOrder, Some(25))));
}

#[test]
fn keys_sign_in_their_turn_alone() {
    let first = signer(1, None);
    let mut log = Log::new();
    log.notes.extend(noted(&first, &log.lines, &[24]));
    assert_eq!(log.verdict(), Err((Problem::KeyOrder, Some(25))), "a key that handed over");
    let mut log = Log::new();
    log.notes.remove(2);
    assert_eq!(log.verdict(), Err((Problem::KeyOrder, Some(10))), "not handed over under a seal");
    let mut log = Log::new();
    log.keys.truncate(1);
    log.notes.truncate(3);
    assert_eq!(log.verdict(), Err((Problem::KeyOrder, Some(14))), "a key that was named is hidden");
    let mut log = Log::new();
    log.notes.swap(0, 1);
    assert_eq!(log.verdict(), Err((Problem::CheckpointEdited, Some(10))), "a checkpoint moved");
}

#[test]
fn what_is_no_log_is_said_to_be_none() {
    let log = Log::new();
    for nothing in ["", "x\n", "wardkeep audit log 2\norigin a\n", "\n\n\n"] {
        assert_eq!(problem(nothing, &log.first), Some((Problem::Unreadable, None)), "{nothing:?}");
    }
    let spaced = log.text().replace("entries 24", "entries 024");
    assert_eq!(problem(&spaced, &log.first), Some((Problem::Unreadable, None)));
    let mut loose = Log::new();
    loose.lines[6] = loose.lines[6].replace("\"act\"", " \"act\"");
    assert_eq!(loose.verdict(), Err((Problem::NotCanonical, Some(7))));
}

proptest! {
    #[test]
    fn s8_any_changed_byte_of_a_log_fails(at in any::<prop::sample::Index>(), to in any::<u8>()) {
        let log = Log::new();
        let mut bytes = log.text().into_bytes();
        let at = at.index(bytes.len());
        prop_assume!(bytes[at] != to);
        bytes[at] = to;
        for key in [log.first, log.second] {
            prop_assert!(verify(&bytes, &[key], &[]).is_err(), "byte {}", at);
        }
    }

    #[test]
    fn any_bytes_are_judged(bytes in prop::collection::vec(any::<u8>(), 0..300), cut in any::<prop::sample::Index>()) {
        let log = Log::new();
        let mut spliced = log.text().into_bytes();
        let at = cut.index(spliced.len());
        spliced.splice(at..at, bytes.iter().copied());
        let key = [log.first];
        prop_assert!(verify(&bytes, &key, &[]).is_err());
        prop_assert_eq!(verify(&spliced, &key, &[]).is_ok(), bytes.is_empty());
    }
}

/// Every byte, not only some: eight of its values.
#[test]
fn s8_no_byte_of_a_log_is_idle() {
    let log = Log::new();
    let text = log.text().into_bytes();
    for at in 0..text.len() {
        let mut bytes = text.clone();
        bytes[at] ^= 1 << (at % 8);
        let key = if at % 2 == 0 { &log.first } else { &log.second };
        assert!(verify(&bytes, std::slice::from_ref(key), &[]).is_err(), "byte {at}");
    }
}
