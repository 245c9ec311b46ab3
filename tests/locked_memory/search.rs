//! Searches the writable memory of another process.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;

const CHUNK: usize = 1 << 20;
/// Bytes shown around what was found: enough to see what kept it.
const AROUND: usize = 32;

/// One place where a needle was found.
#[expect(dead_code, reason = "what a failed search prints")]
#[derive(Debug)]
pub struct Hit {
    /// What was found.
    pub needle: String,
    /// Mapping it is in.
    pub mapping: String,
    /// What is around it.
    pub around: String,
}

/// Everything that is found in the memory of a process.
pub fn found(process: u32, needles: &[&str]) -> Vec<Hit> {
    let maps = fs::read_to_string(format!("/proc/{process}/maps")).expect("our own child");
    let memory = File::open(format!("/proc/{process}/mem")).expect("our own child");
    let mut hits = Vec::new();
    for mapping in maps.lines().filter(|line| line.contains(" rw")) {
        let (range, _) = mapping.split_once(' ').expect("a range");
        let (start, end) = range.split_once('-').expect("a range");
        let number = |text| u64::from_str_radix(text, 16).expect("a number");
        let (mut at, end) = (number(start), number(end));
        while at < end {
            let wanted = usize::try_from(end - at).map_or(CHUNK, |left| left.min(CHUNK));
            let mut chunk = vec![0; wanted];
            let Ok(read) = memory.read_at(&mut chunk, at) else { break };
            hits.extend(within(&chunk[..read], needles).map(|(needle, around)| Hit {
                needle: needle.to_owned(),
                mapping: mapping.to_owned(),
                around,
            }));
            let overlap = if at + read as u64 >= end { 0 } else { 64 };
            at += read as u64 - overlap;
        }
    }
    hits
}

fn within<'a>(chunk: &[u8], needles: &[&'a str]) -> impl Iterator<Item = (&'a str, String)> {
    needles
        .iter()
        .flat_map(move |needle| {
            let first = memchr(chunk, needle.as_bytes());
            first.into_iter().map(move |at| {
                let around =
                    at.saturating_sub(AROUND)..(at + needle.len() + AROUND).min(chunk.len());
                (*needle, chunk[around].escape_ascii().to_string())
            })
        })
        .collect::<Vec<_>>()
        .into_iter()
}

/// Every place of a needle.
fn memchr(chunk: &[u8], needle: &[u8]) -> Vec<usize> {
    let mut places = Vec::new();
    let mut from = 0;
    while let Some(step) = chunk[from..].iter().position(|byte| *byte == needle[0]) {
        let at = from + step;
        if chunk[at..].starts_with(needle) {
            places.push(at);
        }
        from = at + 1;
    }
    places
}
