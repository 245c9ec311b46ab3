//! Derives every root of a log anew and compares it with what was signed.

use base64ct::{Base64, Encoding};

use crate::log::checkpoint::{Note, NoteError, Signed, VerifierKey};
use crate::log::file::reader::{LogFile, NoFile, read};
use crate::log::file::{FILE_LEN_MAX, Flaw, Problem, Verified};
use crate::log::merkle::{Frontier, Hash, leaf};
use crate::record::audit_line;
use wardkeep_model::keeping::AuditAct;

/// A key that an entry names as the next one.
struct Named {
    entry: u64,
    key: VerifierKey,
}

/// Verifies a log against keys that are trusted, and checkpoints that were kept elsewhere.
///
/// # Errors
/// What is wrong first; nothing in the file is to be believed then.
pub fn verify(
    file: &[u8],
    trusted: &[VerifierKey],
    witnesses: &[Vec<u8>],
) -> Result<Verified, Flaw> {
    examine(file, trusted, witnesses, true)
}

/// Verifies a log that is still being written: entries at its end need no checkpoint.
///
/// # Errors
/// As [`verify`].
pub fn verify_open(file: &[u8], trusted: &VerifierKey) -> Result<Verified, Flaw> {
    examine(file, std::slice::from_ref(trusted), &[], false)
}

fn examine(
    file: &[u8],
    trusted: &[VerifierKey],
    witnesses: &[Vec<u8>],
    sealed: bool,
) -> Result<Verified, Flaw> {
    if u64::try_from(file.len()).is_ok_and(|len| len > FILE_LEN_MAX) {
        return Err(Flaw::of(Problem::Unreadable));
    }
    let log = read(file).map_err(|why| match why {
        NoFile::Short if !file.is_empty() => Flaw::of(Problem::Truncated),
        NoFile::Short | NoFile::Other => Flaw::of(Problem::Unreadable),
    })?;
    let (leaves, named) = entries(&log)?;
    let mut chain = Chain::new(&log, named)?;
    if sealed && log.notes.is_empty() {
        return Err(Flaw::at(Problem::SignaturesStripped, 1));
    }
    let mut tree = Frontier::default();
    for note in &log.notes {
        let first = tree.size() + 1;
        let note = note.as_ref().map_err(|error| match error {
            NoteError::Unsigned => Flaw::at(Problem::SignaturesStripped, first),
            NoteError::Text | NoteError::Key => Flaw::at(Problem::CheckpointEdited, first),
        })?;
        chain.accept(note, first)?;
        covers(&mut tree, &leaves, note)?;
    }
    let count = u64::try_from(log.notes.len()).unwrap_or(u64::MAX);
    if count != log.checkpoints {
        return Err(Flaw::at(Problem::SignaturesStripped, tree.size() + 1));
    }
    let covered = tree.size();
    for witness in witnesses {
        agrees(witness, &log, trusted, &leaves)?;
    }
    if !chain.signed_by_any(trusted) && (sealed || count > 0) {
        return Err(Flaw::of(Problem::ReSigned));
    }
    if sealed && covered < log.entries {
        return Err(Flaw::within(Problem::Unsealed, covered + 1, log.entries));
    }
    grow(&mut tree, &leaves, log.entries);
    Ok(Verified {
        origin: log.origin.clone(),
        entries: log.entries,
        sealed: covered,
        checkpoints: count,
        root: tree.root(),
        key: chain.in_turn().map(ToString::to_string).unwrap_or_default(),
    })
}

/// Judges each entry by itself and the order of all; gives their hashes, and the keys they name.
fn entries(log: &LogFile<'_>) -> Result<(Vec<Hash>, Vec<Named>), Flaw> {
    let (mut leaves, mut named) = (Vec::with_capacity(log.rows.len()), Vec::new());
    for (expected, (hash, text)) in (1_u64..).zip(&log.rows) {
        let found = leaf(text);
        if Base64::encode_string(&found).as_bytes() != *hash {
            return Err(Flaw::at(Problem::Edited, expected));
        }
        let parsed = std::str::from_utf8(text).ok().and_then(audit_line::read);
        let (seq, entry) = parsed.ok_or(Flaw::at(Problem::NotCanonical, expected))?;
        if seq != expected {
            let elsewhere = log.rows.iter().any(|(_, text)| number(text) == Some(expected));
            let problem =
                if elsewhere || seq < expected { Problem::Reordered } else { Problem::Deleted };
            return Err(Flaw::at(problem, expected));
        }
        if entry.act == AuditAct::KeysRotated
            && let Some(Ok(key)) = entry.detail.map(|detail| detail.parse())
        {
            named.push(Named { entry: seq, key });
        }
        leaves.push(found);
    }
    let there = u64::try_from(leaves.len()).unwrap_or(u64::MAX);
    if there > log.entries {
        return Err(Flaw::within(Problem::Unsealed, log.entries + 1, there));
    }
    if there < log.entries || !log.ended {
        return Err(Flaw::within(Problem::Truncated, there.saturating_add(1), log.entries));
    }
    Ok((leaves, named))
}

fn number(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text).ok().and_then(audit_line::read).map(|(seq, _)| seq)
}

/// The keys of a log, each used in its turn.
struct Chain<'a> {
    keys: &'a [VerifierKey],
    origin: &'a str,
    named: Vec<Named>,
    /// How many of the keys have signed something.
    begun: usize,
    /// How many entries the key in turn has sealed.
    sealed: u64,
}

impl<'a> Chain<'a> {
    /// The log's name is its first key's, and every other key is named by an entry.
    fn new(log: &'a LogFile<'_>, named: Vec<Named>) -> Result<Self, Flaw> {
        let is_origin = log.keys.first().is_some_and(|key| key.origin() == log.origin);
        let is_named = log.keys.iter().all(|key| key.name() == log.origin);
        if !is_origin || !is_named {
            return Err(Flaw::of(Problem::ReSigned));
        }
        let others = log.keys.get(1..).unwrap_or_default();
        if let Some((at, _)) = others
            .iter()
            .enumerate()
            .find(|(at, key)| named.get(*at).map(|named| &named.key) != Some(key))
        {
            let problem = if at < named.len() { Problem::KeyOrder } else { Problem::ReSigned };
            return Err(Flaw {
                entry: named.get(at).map(|named| named.entry),
                ..Flaw::of(problem)
            });
        }
        if let Some(unused) = named.get(others.len()) {
            return Err(Flaw::at(Problem::KeyOrder, unused.entry));
        }
        Ok(Self { keys: &log.keys, origin: &log.origin, named, begun: 0, sealed: 0 })
    }

    /// Whether the key in turn, or the one it handed over to, has signed this.
    fn accept(&mut self, note: &Note, first: u64) -> Result<(), Flaw> {
        let flaw = |problem| Err(Flaw::within(problem, first, note.size));
        let turn = self.begun.saturating_sub(1);
        // Ours carry one signature; anything more is not covered by anything.
        if note.origin != self.origin || note.signatures() != 1 || note.size < self.sealed {
            return flaw(Problem::CheckpointEdited);
        }
        let signed =
            self.keys.iter().enumerate().find_map(|(at, key)| match note.is_signed_by(key) {
                Signed::No => None,
                signed @ (Signed::Yes | Signed::Wrong) => Some((at, signed)),
            });
        match signed {
            None => flaw(Problem::ReSigned),
            Some((_, Signed::Wrong | Signed::No)) => flaw(Problem::CheckpointEdited),
            Some((at, Signed::Yes)) if at == turn => {
                self.begun = at + 1;
                self.sealed = note.size;
                Ok(())
            }
            Some((at, Signed::Yes)) => {
                let handed_over = at == turn + 1
                    && self.begun == at
                    && self.named.get(turn).is_some_and(|named| named.entry <= self.sealed);
                if !handed_over {
                    return flaw(Problem::KeyOrder);
                }
                self.begun = at + 1;
                self.sealed = note.size;
                Ok(())
            }
        }
    }

    fn signed_by_any(&self, trusted: &[VerifierKey]) -> bool {
        self.keys.iter().take(self.begun).any(|key| trusted.contains(key))
    }

    fn in_turn(&self) -> Option<&VerifierKey> {
        self.keys.get(self.begun.saturating_sub(1))
    }
}

fn grow(tree: &mut Frontier, leaves: &[Hash], size: u64) {
    let at = |size: u64| usize::try_from(size).unwrap_or(usize::MAX);
    let more = leaves.get(at(tree.size())..at(size)).unwrap_or_default();
    more.iter().for_each(|leaf| tree.push(*leaf));
}

/// Whether the entries are those that a checkpoint covers.
fn covers(tree: &mut Frontier, leaves: &[Hash], note: &Note) -> Result<(), Flaw> {
    let (sealed, there) = (tree.size(), u64::try_from(leaves.len()).unwrap_or(u64::MAX));
    if note.size > there {
        return Err(Flaw::within(Problem::Truncated, there.saturating_add(1), note.size));
    }
    grow(tree, leaves, note.size);
    if tree.root() == note.root {
        Ok(())
    } else {
        Err(Flaw::within(Problem::Edited, sealed + 1, note.size))
    }
}

/// Whether a checkpoint that was kept elsewhere is one of this log.
fn agrees(
    witness: &[u8],
    log: &LogFile<'_>,
    trusted: &[VerifierKey],
    leaves: &[Hash],
) -> Result<(), Flaw> {
    let unusable = Flaw::of(Problem::WitnessUnreadable);
    let note = std::str::from_utf8(witness).map_err(|_| unusable)?;
    let note = Note::parse(note).map_err(|_| unusable)?;
    if note.origin != log.origin {
        return Err(unusable);
    }
    let signed: Vec<Signed> =
        log.keys.iter().chain(trusted).map(|key| note.is_signed_by(key)).collect();
    if signed.contains(&Signed::Wrong) {
        return Err(unusable);
    }
    if note.size > log.entries {
        // Perhaps signed with a key that the log does not know yet.
        return Err(Flaw::within(Problem::ReplacedByOlder, log.entries + 1, note.size));
    }
    if !signed.contains(&Signed::Yes) {
        return Err(unusable);
    }
    let mut tree = Frontier::default();
    grow(&mut tree, leaves, note.size);
    if tree.root() == note.root { Ok(()) } else { Err(Flaw::within(Problem::Forked, 1, note.size)) }
}
