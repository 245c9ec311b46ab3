//! Derives every root of a log anew, entry by entry, and compares it with what was signed.
//!
//! Held are the right edge of the tree, the log's keys, and one checkpoint: the one that is reached next. What
//! an entry shows is told before what a checkpoint shows, so a checkpoint that does not fit waits for the
//! entries to end.

use std::io::{self, BufRead};

use base64ct::{Base64, Encoding};

use crate::log::checkpoint::{Note, NoteError, Signed, VerifierKey};
use crate::log::file::parts::{Head, LogRow, Parts};
use crate::log::file::reader::{NoFile, open};
use crate::log::file::{Flaw, Problem, Verified};
use crate::log::merkle::{Frontier, Hash, leaf};
use crate::record::audit_line;
use wardkeep_model::keeping::AuditAct;

/// By what a log is judged.
#[derive(Clone, Copy)]
pub struct Judge<'a> {
    /// Keys that are trusted; one of them has to have signed.
    pub trusted: &'a [VerifierKey],
    /// Checkpoints that were kept elsewhere.
    pub witnesses: &'a [Vec<u8>],
    /// Every entry has to be covered by a checkpoint. Not so while the log is still being written.
    pub sealed: bool,
}

/// Verifies a log that is in memory against keys that are trusted, and checkpoints that were kept elsewhere.
///
/// # Errors
/// What is wrong first; nothing in the file is to be believed then.
pub fn verify(
    file: &[u8],
    trusted: &[VerifierKey],
    witnesses: &[Vec<u8>],
) -> Result<Verified, Flaw> {
    // Reading memory does not fail.
    verify_from(|| Ok(file), trusted, witnesses).unwrap_or(Err(Flaw::of(Problem::Unreadable)))
}

/// As [`verify`], a log of any length, read line by line. `reader` is asked twice for a reader of the whole
/// file.
///
/// # Errors
/// As reading; the inner one as [`verify`].
pub fn verify_from<R: BufRead>(
    reader: impl FnMut() -> io::Result<R>,
    trusted: &[VerifierKey],
    witnesses: &[Vec<u8>],
) -> io::Result<Result<Verified, Flaw>> {
    match open(reader)? {
        Ok((head, mut file)) => {
            examine(&head, &mut file, Judge { trusted, witnesses, sealed: true })
        }
        Err(NoFile::Short) => Ok(Err(Flaw::of(Problem::Truncated))),
        Err(NoFile::Other) => Ok(Err(Flaw::of(Problem::Unreadable))),
    }
}

/// Verifies a log, wherever its parts lie.
///
/// # Errors
/// As reading the parts; the inner one as [`verify`].
pub fn examine<P: Parts>(
    head: &Head,
    parts: &mut P,
    judge: Judge<'_>,
) -> Result<Result<Verified, Flaw>, P::Error> {
    let mut log = Examined::new(head, judge);
    log.compare(parts)?;
    loop {
        let expected = log.tree.size() + 1;
        let entry = match parts.row()?.map(|row| Entry::read(row, expected)) {
            None => break,
            Some(Err(flaw)) => return Ok(Err(flaw)),
            Some(Ok(entry)) => entry,
        };
        if entry.seq != expected {
            let is_moved = entry.seq < expected || is_behind(parts, expected)?;
            let problem = if is_moved { Problem::Reordered } else { Problem::Deleted };
            return Ok(Err(Flaw::at(problem, expected)));
        }
        if let Some(key) = entry.names {
            log.chain.name(entry.seq, &key);
        }
        log.tree.push(entry.leaf);
        log.compare(parts)?;
    }
    log.end(parts)?;
    Ok(log.verdict(parts.is_whole()))
}

/// Whether an entry of this number comes later.
fn is_behind<P: Parts>(parts: &mut P, wanted: u64) -> Result<bool, P::Error> {
    while let Some(row) = parts.row()? {
        let seq = row.line.and_then(|line| audit_line::read(str::from_utf8(line).ok()?));
        if seq.is_some_and(|(seq, _)| seq == wanted) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// An entry that is written as it should be.
struct Entry {
    leaf: Hash,
    seq: u64,
    /// The key that signs from here on.
    names: Option<VerifierKey>,
}

impl Entry {
    fn read(row: LogRow<'_>, expected: u64) -> Result<Self, Flaw> {
        let unusual = Flaw::at(Problem::NotCanonical, expected);
        let line = row.line.ok_or(unusual)?;
        let leaf = leaf(line);
        if row.hash.is_some_and(|hash| Base64::encode_string(&leaf).as_bytes() != hash) {
            return Err(Flaw::at(Problem::Edited, expected));
        }
        let parsed = str::from_utf8(line).ok().and_then(audit_line::read);
        let (seq, entry) = parsed.ok_or(unusual)?;
        let detail = entry.detail.filter(|_| entry.act == AuditAct::KeysRotated);
        Ok(Self { leaf, seq, names: detail.and_then(|detail| detail.parse().ok()) })
    }
}

/// A checkpoint that was kept elsewhere.
struct Witness {
    /// `None` if it is none.
    note: Option<Note>,
    /// The root of the log where the witness saw it.
    root: Option<Hash>,
}

/// A log as far as it was read.
struct Examined<'a> {
    judge: Judge<'a>,
    tree: Frontier,
    chain: Chain<'a>,
    /// The checkpoint that is reached next.
    ahead: Option<Note>,
    /// How many checkpoints were read.
    checkpoints: u64,
    /// The first checkpoint that does not fit; those after it are counted, no more.
    flaw: Option<Flaw>,
    witnesses: Vec<Witness>,
}

impl<'a> Examined<'a> {
    fn new(head: &'a Head, judge: Judge<'a>) -> Self {
        let note = |bytes: &Vec<u8>| Note::parse(str::from_utf8(bytes).ok()?).ok();
        let witness = |bytes| Witness { note: note(bytes), root: None };
        Self {
            judge,
            tree: Frontier::default(),
            chain: Chain::new(head),
            ahead: None,
            checkpoints: 0,
            flaw: None,
            witnesses: judge.witnesses.iter().map(witness).collect(),
        }
    }

    /// Compares the log as it is up to here with the checkpoints and witnesses that saw it so.
    fn compare<P: Parts>(&mut self, parts: &mut P) -> Result<(), P::Error> {
        let size = self.tree.size();
        for witness in &mut self.witnesses {
            if witness.note.as_ref().is_some_and(|note| note.size == size) {
                witness.root = Some(self.tree.root());
            }
        }
        while self.flaw.is_none() {
            let note = match self.ahead.take() {
                Some(note) => note,
                None => match self.next_note(parts)? {
                    Some(note) => note,
                    None => break,
                },
            };
            if note.size > size {
                self.ahead = Some(note);
                break;
            }
            self.flaw = self.chain.accept(&note, self.tree.root()).err();
        }
        Ok(())
    }

    /// The next checkpoint, unless it is none.
    fn next_note<P: Parts>(&mut self, parts: &mut P) -> Result<Option<Note>, P::Error> {
        let Some(note) = parts.note()? else { return Ok(None) };
        self.checkpoints += 1;
        let problem = match note {
            Ok(note) => return Ok(Some(note)),
            Err(NoteError::Unsigned) => Problem::SignaturesStripped,
            Err(NoteError::Text | NoteError::Key) => Problem::CheckpointEdited,
        };
        self.flaw = Some(Flaw::at(problem, self.chain.sealed + 1));
        Ok(None)
    }

    /// Reads what checkpoints are left when the entries have ended: they saw more than there is.
    fn end<P: Parts>(&mut self, parts: &mut P) -> Result<(), P::Error> {
        if let Some(note) = self.ahead.take() {
            let there = self.tree.size();
            let missing = Flaw::within(Problem::Truncated, there + 1, note.size);
            let accepted = self.chain.accept(&note, note.root);
            self.flaw = Some(accepted.err().unwrap_or(missing));
        }
        while parts.note()?.is_some() {
            self.checkpoints += 1;
        }
        Ok(())
    }

    fn verdict(self, is_whole: bool) -> Result<Verified, Flaw> {
        let Self { judge, tree, chain, checkpoints, flaw, witnesses, .. } = self;
        let (there, covered) = (tree.size(), chain.sealed);
        let (entries, stated) = chain.head.stated.unwrap_or((there, checkpoints));
        if there > entries {
            return Err(Flaw::within(Problem::Unsealed, entries + 1, there));
        }
        if there < entries || !is_whole {
            return Err(Flaw::within(Problem::Truncated, there + 1, entries));
        }
        chain.is_named()?;
        if judge.sealed && checkpoints == 0 {
            return Err(Flaw::at(Problem::SignaturesStripped, 1));
        }
        flaw.map_or(Ok(()), Err)?;
        if checkpoints != stated {
            return Err(Flaw::at(Problem::SignaturesStripped, covered + 1));
        }
        for witness in &witnesses {
            agrees(witness, chain.head, judge.trusted, entries)?;
        }
        if !chain.signed_by_any(judge.trusted) && (judge.sealed || checkpoints > 0) {
            return Err(Flaw::of(Problem::ReSigned));
        }
        if judge.sealed && covered < entries {
            return Err(Flaw::within(Problem::Unsealed, covered + 1, entries));
        }
        Ok(Verified {
            origin: chain.head.origin.clone(),
            entries,
            sealed: covered,
            checkpoints,
            root: tree.root(),
            key: chain.in_turn().map(ToString::to_string).unwrap_or_default(),
        })
    }
}

/// The keys of a log, each used in its turn.
struct Chain<'a> {
    head: &'a Head,
    /// The entries that name each key but the first.
    named: Vec<u64>,
    /// The first thing that is wrong with the keys themselves.
    flaw: Option<Flaw>,
    /// How many of the keys have signed something.
    begun: usize,
    /// How many entries the checkpoints up to here cover.
    sealed: u64,
}

impl<'a> Chain<'a> {
    /// The log's name is its first key's.
    fn new(head: &'a Head) -> Self {
        let is_origin = head.keys.first().is_some_and(|key| key.origin() == head.origin);
        let is_named = head.keys.iter().all(|key| key.name() == head.origin);
        let flaw = (!is_origin || !is_named).then_some(Flaw::of(Problem::ReSigned));
        Self { head, named: Vec::new(), flaw, begun: 0, sealed: 0 }
    }

    /// An entry names a key: the next one of the head, and no other.
    fn name(&mut self, entry: u64, key: &VerifierKey) {
        if self.flaw.is_some() {
        } else if self.head.keys.get(self.named.len() + 1) == Some(key) {
            self.named.push(entry);
        } else {
            self.flaw = Some(Flaw::at(Problem::KeyOrder, entry));
        }
    }

    /// Every key but the first is named by an entry, and every entry names one.
    fn is_named(&self) -> Result<(), Flaw> {
        let is_short = self.named.len() + 1 < self.head.keys.len();
        let unnamed = is_short.then_some(Flaw::of(Problem::ReSigned));
        self.flaw.or(unnamed).map_or(Ok(()), Err)
    }

    /// Whether the key in turn, or the one it handed over to, has signed this, and over these entries.
    fn accept(&mut self, note: &Note, root: Hash) -> Result<(), Flaw> {
        let flaw = |problem| Err(Flaw::within(problem, self.sealed + 1, note.size));
        let turn = self.begun.saturating_sub(1);
        // Ours carry one signature; anything more is not covered by anything.
        if note.origin != self.head.origin || note.signatures() != 1 || note.size < self.sealed {
            return flaw(Problem::CheckpointEdited);
        }
        let signed =
            self.head.keys.iter().enumerate().find_map(|(at, key)| match note.is_signed_by(key) {
                Signed::No => None,
                signed @ (Signed::Yes | Signed::Wrong) => Some((at, signed)),
            });
        let at = match signed {
            None => return flaw(Problem::ReSigned),
            Some((_, Signed::Wrong | Signed::No)) => return flaw(Problem::CheckpointEdited),
            Some((at, Signed::Yes)) => at,
        };
        let handed_over = at == turn + 1
            && self.begun == at
            && self.named.get(turn).is_some_and(|entry| *entry <= self.sealed);
        if at != turn && !handed_over {
            return flaw(Problem::KeyOrder);
        }
        if note.root != root {
            return flaw(Problem::Edited);
        }
        self.begun = at + 1;
        self.sealed = note.size;
        Ok(())
    }

    fn signed_by_any(&self, trusted: &[VerifierKey]) -> bool {
        self.head.keys.iter().take(self.begun).any(|key| trusted.contains(key))
    }

    fn in_turn(&self) -> Option<&VerifierKey> {
        self.head.keys.get(self.begun.saturating_sub(1))
    }
}

/// Whether a checkpoint that was kept elsewhere is one of this log.
fn agrees(
    witness: &Witness,
    head: &Head,
    trusted: &[VerifierKey],
    entries: u64,
) -> Result<(), Flaw> {
    let unusable = Flaw::of(Problem::WitnessUnreadable);
    let note = witness.note.as_ref().ok_or(unusable)?;
    if note.origin != head.origin {
        return Err(unusable);
    }
    let mut is_signed = false;
    for key in head.keys.iter().chain(trusted) {
        match note.is_signed_by(key) {
            Signed::Yes => is_signed = true,
            Signed::No => {}
            Signed::Wrong => return Err(unusable),
        }
    }
    if note.size > entries {
        // Perhaps signed with a key that the log does not know yet.
        return Err(Flaw::within(Problem::ReplacedByOlder, entries + 1, note.size));
    }
    if !is_signed {
        return Err(unusable);
    }
    if witness.root == Some(note.root) {
        Ok(())
    } else {
        Err(Flaw::within(Problem::Forked, 1, note.size))
    }
}
