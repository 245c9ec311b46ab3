//! Two copies of a small file: one damaged file costs nothing, and an older one beside a newer is told.
//!
//! Each write replaces the first copy and, once that is durable, the second. So after a kill the second
//! may be one write behind, never more, and never ahead. Anything else was done by somebody with the
//! disk, or by the disk itself: a file that does not authenticate is kept aside and replaced
//! ([`FindingKind::CopyUsed`]); an older one is overruled and reported with both numbers.
//!
//! S-8: which one is newer is told by a number that both are authenticated with.

use std::path::{Path, PathBuf};

use crate::disk::durable;
use crate::disk::layout::Copies;
use crate::disk::state_file::Unread;
use wardkeep_model::keeping::{Finding, FindingKind, StoreFault};

/// How to read a kind of file.
pub struct Format<'a, T> {
    /// Longest content.
    pub max: u64,
    /// Reads and authenticates it.
    pub parse: &'a dyn Fn(&[u8]) -> Result<T, Unread>,
    /// Rises with every write.
    pub number: fn(&T) -> u64,
    /// What an older file is reported as.
    pub older: FindingKind,
}

/// The newer of two copies.
pub struct Newer<T> {
    /// What it says.
    pub content: T,
    /// What is wrong with the other, if anything.
    pub findings: Vec<Finding>,
    /// Files that do not authenticate.
    pub damaged: Vec<PathBuf>,
    /// One of the two is not what it should be: both have to be written.
    pub differs: bool,
}

/// Replaces the first copy and then the second; durable when it returns.
///
/// # Errors
/// As writing the first; then the old content is still there.
pub fn write(dir: &Path, name: Copies, content: &[u8]) -> Result<(), StoreFault> {
    let Copies { first, second } = name;
    durable::replace(dir, first, content)?;
    if let Err(fault) = durable::replace(dir, second, content) {
        tracing::warn!(%fault, "a second copy could not be written");
        // Better none than one that falls two writes behind and looks as if it was put back.
        durable::remove(&dir.join(second))?;
    }
    Ok(())
}

enum Read<T> {
    Good(T),
    Bad(StoreFault),
    Missing,
}

/// Reads both copies; there may be several places where the second one waits.
///
/// # Errors
/// `Damaged` if none of them authenticates, `Later` if a later program wrote one of them, or why the first
/// one cannot be read.
pub fn read<T>(
    first: &Path,
    seconds: &[PathBuf],
    format: &Format<'_, T>,
) -> Result<Newer<T>, StoreFault> {
    let (mut damaged, mut later) = (Vec::new(), false);
    let mut read = |path: &Path| {
        let read = read_one(path, format);
        match read {
            Read::Bad(StoreFault::Later) => later = true,
            Read::Bad(_) => damaged.push(path.to_owned()),
            Read::Good(_) | Read::Missing => {}
        }
        read
    };
    let one = read(first);
    let mut other = Read::Missing;
    for path in seconds {
        other = newer(other, read(path), format.number);
    }
    if later {
        // What it knows would be lost if the other copy took its place.
        return Err(StoreFault::Later);
    }
    let number = |read: &Read<T>| match read {
        Read::Good(content) => Some((format.number)(content)),
        Read::Bad(_) | Read::Missing => None,
    };
    let numbers = (number(&one), number(&other));
    // A store of an earlier program has no second copy; a first copy that is gone was taken away.
    let gone = u64::from(matches!(one, Read::Missing));
    let mut findings = Vec::new();
    match numbers {
        (Some(found), Some(expected)) if found < expected => {
            findings.push(between(format.older, found, expected));
        }
        (Some(expected), Some(found)) if found + 1 < expected => {
            findings.push(between(format.older, found, expected));
        }
        (Some(_) | None, Some(_) | None) => {}
    }
    let bad = u64::try_from(damaged.len()).unwrap_or(u64::MAX).saturating_add(gone);
    if bad > 0 {
        findings.push(Finding::of(FindingKind::CopyUsed, bad));
    }
    let differs = numbers.0 != numbers.1;
    let content = match (one, other) {
        (Read::Good(one), Read::Good(_)) if numbers.0 >= numbers.1 => one,
        (_, Read::Good(other)) => other,
        (Read::Good(one), Read::Bad(_) | Read::Missing) => one,
        (Read::Bad(fault), Read::Bad(_) | Read::Missing) => return Err(fault),
        (Read::Missing, Read::Bad(_) | Read::Missing) => return Err(StoreFault::Damaged),
    };
    Ok(Newer { content, findings, damaged, differs })
}

fn between(kind: FindingKind, found: u64, expected: u64) -> Finding {
    Finding { found: Some(found), expected: Some(expected), ..Finding::of(kind, 1) }
}

fn read_one<T>(path: &Path, format: &Format<'_, T>) -> Read<T> {
    match durable::read(path, format.max) {
        Ok(Some(content)) => {
            (format.parse)(&content).map_or_else(|unread| Read::Bad(unread.into()), Read::Good)
        }
        Ok(None) => Read::Missing,
        Err(fault) => Read::Bad(fault),
    }
}

fn newer<T>(one: Read<T>, other: Read<T>, number: fn(&T) -> u64) -> Read<T> {
    match (one, other) {
        (Read::Good(one), Read::Good(other)) => {
            Read::Good(if number(&other) > number(&one) { other } else { one })
        }
        (Read::Good(one), Read::Bad(_) | Read::Missing) => Read::Good(one),
        (Read::Bad(_) | Read::Missing, Read::Good(other)) => Read::Good(other),
        (Read::Bad(fault), Read::Bad(_) | Read::Missing) | (Read::Missing, Read::Bad(fault)) => {
            Read::Bad(fault)
        }
        (Read::Missing, Read::Missing) => Read::Missing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// A number in digits; a word of its own for what a later program wrote; anything else is damaged.
    fn read_both(dir: &Path) -> Result<Newer<u64>, StoreFault> {
        let parse = |content: &[u8]| match std::str::from_utf8(content) {
            Ok("later") => Err(Unread::Later(2)),
            Ok(digits) => digits.parse().map_err(|_| Unread::Damaged),
            Err(_) => Err(Unread::Damaged),
        };
        let older = FindingKind::CartOlder;
        let format = Format { max: 10, parse: &parse, number: |number| *number, older };
        read(&dir.join("it"), &[dir.join("it.copy")], &format)
    }

    #[test]
    fn s8_the_newer_authentic_copy_rules_and_only_a_kill_between_the_writes_is_forgiven() {
        use FindingKind::{CartOlder, CopyUsed};
        let older = |found, expected| (CartOlder, Some(found), Some(expected));
        let used = (CopyUsed, None, None);
        for (first, second, content, findings, differs) in [
            (Some("7"), Some("7"), 7, vec![], false),
            (Some("7"), Some("6"), 7, vec![], true),
            (Some("7"), None, 7, vec![], true),
            (Some("7"), Some("5"), 7, vec![older(5, 7)], true),
            (Some("6"), Some("7"), 7, vec![older(6, 7)], true),
            (Some("x"), Some("7"), 7, vec![used], true),
            (None, Some("7"), 7, vec![used], true),
            (Some("7"), Some("x"), 7, vec![used], true),
            (Some("7"), Some("far too long"), 7, vec![used], true),
        ] {
            let dir = tempfile::tempdir().unwrap();
            for (name, text) in [("it", first), ("it.copy", second)] {
                if let Some(text) = text {
                    fs::write(dir.path().join(name), text).unwrap();
                }
            }
            let read = read_both(dir.path()).unwrap();
            let found: Vec<_> =
                read.findings.iter().map(|it| (it.kind, it.found, it.expected)).collect();
            assert_eq!(
                (read.content, found, read.differs),
                (content, findings, differs),
                "{first:?} {second:?}"
            );
        }
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(read_both(dir.path()).err(), Some(StoreFault::Damaged));
        for (first, second) in [("later", "7"), ("7", "later"), ("later", "x")] {
            fs::write(dir.path().join("it"), first).unwrap();
            fs::write(dir.path().join("it.copy"), second).unwrap();
            assert_eq!(read_both(dir.path()).err(), Some(StoreFault::Later));
        }
        fs::write(dir.path().join("it"), "x").unwrap();
        fs::write(dir.path().join("it.copy"), "").unwrap();
        assert_eq!(read_both(dir.path()).err(), Some(StoreFault::Damaged));
    }
}
