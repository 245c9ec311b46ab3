//! Logs that come in pieces, that do not end, that change while they are read, and that cannot be read.

use std::io::{BufRead, BufReader, Read};

use super::*;

/// As [`verify`], through a reader that gives few bytes at a time.
fn verify_in_pieces(
    file: &[u8],
    key: &VerifierKey,
    witnesses: &[Vec<u8>],
    piece: usize,
) -> Result<Verified, Flaw> {
    let reader = || Ok(BufReader::with_capacity(piece, file));
    verify_from(reader, std::slice::from_ref(key), witnesses).unwrap()
}

proptest! {
    /// What is said of a log does not depend on where it is cut into reads.
    #[test]
    fn a_log_is_judged_alike_in_pieces(
        bytes in prop::collection::vec(any::<u8>(), 0..9),
        from in any::<prop::sample::Index>(),
        removed in 0_usize..400,
        piece in 1_usize..9,
    ) {
        let log = Log::new();
        let mut spliced = log.text().into_bytes();
        let at = from.index(spliced.len());
        let end = spliced.len().min(at + removed);
        spliced.splice(at..end, bytes);
        let witnesses = [log.notes[1].clone().into_bytes()];
        let whole = verify(&spliced, std::slice::from_ref(&log.first), &witnesses);
        prop_assert_eq!(verify_in_pieces(&spliced, &log.first, &witnesses, piece), whole);
    }
}

/// A reader of a log that never ends: more of a line than any memory holds, or more lines.
struct Endless<'a> {
    front: &'a [u8],
    over_and_over: &'a [u8],
    left: usize,
    at: &'a [u8],
}

impl Read for Endless<'_> {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        unreachable!("only whole buffers are taken")
    }
}

impl BufRead for Endless<'_> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        if !self.front.is_empty() {
            return Ok(self.front);
        }
        if self.at.is_empty() && self.left > 0 {
            self.left -= 1;
            self.at = self.over_and_over;
        }
        Ok(self.at)
    }

    fn consume(&mut self, amount: usize) {
        let part = if self.front.is_empty() { &mut self.at } else { &mut self.front };
        *part = &part[amount..];
    }
}

#[test]
fn s8_a_line_or_a_checkpoint_without_an_end_is_refused_and_not_held() {
    let log = Log::new();
    let text = log.text();
    let (before, rest) = text.split_once("\n\n").unwrap();
    let (entries, notes) = rest.split_once("\n\n").unwrap();
    let piece = vec![b'x'; 1024 * 1024];
    let signatures = "\u{2014} somebody AAAA\n".repeat(64 * 1024);
    let endless = |front: String, over: &[u8]| {
        let reader =
            || Ok(Endless { front: front.as_bytes(), over_and_over: over, left: 64, at: b"" });
        verify_from(reader, std::slice::from_ref(&log.first), &[]).unwrap().unwrap_err().problem
    };
    assert_eq!(endless(String::new(), &piece), Problem::Unreadable);
    assert_eq!(endless(format!("{before}\nkey "), &piece), Problem::Unreadable);
    assert_eq!(endless(before.replace("entries", "key "), b"key x\n"), Problem::Unreadable);
    assert_eq!(endless(format!("{before}\n\n"), &piece), Problem::NotCanonical);
    assert_eq!(endless(format!("{before}\n\n{entries}\n\n"), &piece), Problem::Truncated);
    let note: String = notes.split_inclusive('\n').take(5).collect();
    let front = format!("{before}\n\n{entries}\n\n{note}");
    assert_eq!(endless(front, signatures.as_bytes()), Problem::Truncated);
}

/// Somebody writes to the file between the two readers: entries that no checkpoint was compared with.
#[test]
fn s8_a_log_that_changes_while_it_is_read_is_refused() {
    let (log, mut shorter) = (Log::new(), Log::new());
    shorter.lines.remove(23);
    let files = [log.text(), shorter.text()];
    for order in [[0, 1], [1, 0]] {
        let mut readers = order.iter().map(|file: &usize| files[*file].as_bytes());
        let reader = || Ok(readers.next().unwrap());
        let verdict = verify_from(reader, std::slice::from_ref(&log.first), &[]).unwrap();
        assert_eq!(verdict.unwrap_err().problem, Problem::Truncated);
    }
}

#[test]
fn a_reader_that_fails_is_no_verdict() {
    let log = Log::new();
    let text = log.text();
    for readable in [0, 40, text.len() / 2, text.len() - 2] {
        let reader = || {
            let failing = std::fs::File::open("/").unwrap();
            Ok(BufReader::new(text.as_bytes()[..readable].chain(failing)))
        };
        assert!(verify_from(reader, std::slice::from_ref(&log.first), &[]).is_err());
    }
}
