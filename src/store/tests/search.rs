//! Searches all writable memory of this process, which is what a core image would hold, and files.

use std::fs::{self, File};
use std::io::{BufRead, Cursor};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

pub const MASK: u8 = 0x5c;

/// Something that must not be found, masked so that it is not found in itself.
#[derive(Debug)]
pub struct Canary {
    pub name: String,
    pub masked: Vec<u8>,
}

impl Canary {
    pub fn of(name: &str, bytes: impl IntoIterator<Item = u8>) -> Self {
        Self { name: name.into(), masked: bytes.into_iter().map(|byte| byte ^ MASK).collect() }
    }

    fn is_at(&self, memory: &[u8]) -> bool {
        memory.len() >= self.masked.len()
            && self.masked.iter().zip(memory).all(|(masked, byte)| *masked ^ MASK == *byte)
    }

    pub fn count_in(&self, memory: &[u8]) -> usize {
        // Most of a memory is zeros: stopping at each of them takes minutes.
        let anchor = self.masked.iter().position(|masked| *masked != MASK).unwrap_or(0);
        let mut left = Cursor::new(memory);
        let mut found = 0;
        // The standard library's own search for one byte is fast in every build.
        while let Ok(skipped) = left.skip_until(self.masked[anchor] ^ MASK)
            && skipped > 0
        {
            let at = usize::try_from(left.position()).unwrap() - 1;
            let start = at.checked_sub(anchor);
            found += usize::from(start.is_some_and(|start| self.is_at(&memory[start..])));
        }
        found
    }
}

/// How often each canary occurs in this process's memory.
fn occurrences(canaries: &[Canary]) -> Vec<usize> {
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let memory = File::open("/proc/self/mem").unwrap();
    let longest = canaries.iter().map(|canary| canary.masked.len()).max().unwrap();
    let mut found = vec![0; canaries.len()];
    let mut chunk = vec![0_u8; 1 << 20];
    for line in maps.lines().filter(|line| line.contains(" rw")) {
        let (from, to) = line.split(' ').next().unwrap().split_once('-').unwrap();
        let mut at = u64::from_str_radix(from, 16).unwrap();
        let end = u64::from_str_radix(to, 16).unwrap();
        while at < end {
            let len = chunk.len().min(usize::try_from(end - at).unwrap());
            let Ok(read) = memory.read_at(&mut chunk[..len], at) else { break };
            for (found, canary) in found.iter_mut().zip(canaries) {
                *found += canary.count_in(&chunk[..read]);
            }
            let overlap = if at + read as u64 >= end { 0 } else { longest };
            at += (read - overlap) as u64;
            chunk.fill(0);
        }
    }
    found
}

/// Names and counts of what was found.
pub fn found(canaries: &[Canary]) -> Vec<(&str, usize)> {
    let counts = occurrences(canaries).into_iter();
    let named = canaries.iter().map(|canary| canary.name.as_str()).zip(counts);
    named.filter(|(_, count)| *count > 0).collect()
}

/// Names of what was found in any file below a directory.
pub fn found_in_files<'a>(dir: &Path, canaries: &'a [Canary]) -> Vec<&'a str> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(found_in_files(&path, canaries));
        } else {
            let content = fs::read(&path).unwrap();
            let hits = canaries.iter().filter(|canary| canary.count_in(&content) > 0);
            found.extend(hits.map(|canary| canary.name.as_str()));
        }
    }
    found
}

/// One search at a time: the other would see what this one has just read.
pub fn alone() -> MutexGuard<'static, ()> {
    static SEARCH: Mutex<()> = Mutex::new(());
    SEARCH.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn a_canary_is_found_wherever_it_lies_and_whatever_it_begins_with() {
    for needle in [&[0, 0, 7, 9][..], &[7, 0, 9], &[7], &[0, 0], &[0, 7, 7, 7]] {
        let canary = Canary::of("needle", needle.iter().copied());
        for at in [0, 1, 500, 1000 - needle.len()] {
            let mut memory = vec![0xFF; 1000];
            memory[at..at + needle.len()].copy_from_slice(needle);
            assert_eq!(canary.count_in(&memory), 1, "{needle:?} at {at}");
            assert_eq!(canary.count_in(&memory[..at + needle.len() - 1]), 0, "{needle:?} cut");
        }
    }
}
