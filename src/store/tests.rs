//! What is left of keys and PINs in this process's memory once they are not needed any more.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::time::Duration;

use jiff::Timestamp;

use super::durable::StateDir;
use super::handle::Options;
use super::setup::{Loaded, Store, initialise};
use super::shift::Clocks;
use super::{Attempt, Command, NewOperator, Outcome, device_secret::SecretFile};
use crate::confidential::Phi;
use crate::moment::{BootTime, Moment};
use crate::session::Role;
use crate::session::factor::{Badge, Evidence, Pin, ReaderFamily};

const MASK: u8 = 0x5c;
const NOW: Moment = Moment { boot: BootTime(Duration::ZERO), wall: Timestamp::UNIX_EPOCH };

/// How often a pattern, given masked so that it is not found in itself, occurs in this process.
fn occurrences(masked: &[u8]) -> usize {
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let memory = File::open("/proc/self/mem").unwrap();
    let mut found = 0;
    let mut chunk = vec![0_u8; 1 << 20];
    for line in maps.lines().filter(|line| line.contains(" rw")) {
        let (from, to) = line.split(' ').next().unwrap().split_once('-').unwrap();
        let mut at = u64::from_str_radix(from, 16).unwrap();
        let end = u64::from_str_radix(to, 16).unwrap();
        while at < end {
            let len = chunk.len().min(usize::try_from(end - at).unwrap());
            let Ok(read) = memory.read_at(&mut chunk[..len], at) else { break };
            let read_bytes = &chunk[..read];
            let first = masked[0] ^ MASK;
            let is_pattern = |from: &[u8]| {
                from.len() >= masked.len() && masked.iter().zip(from).all(|(a, b)| *a ^ MASK == *b)
            };
            found += read_bytes
                .iter()
                .enumerate()
                .filter(|(index, byte)| **byte == first && is_pattern(&read_bytes[*index..]))
                .count();
            let overlap = if at + read as u64 >= end { 0 } else { masked.len() };
            at += (read - overlap) as u64;
            chunk.fill(0);
        }
    }
    found
}

fn masked(bytes: impl IntoIterator<Item = u8>) -> Vec<u8> {
    bytes.into_iter().map(|byte| byte ^ MASK).collect()
}

fn masked_hex(key: &[u8]) -> Vec<u8> {
    let digit = |value: u8| if value < 10 { b'0' + value } else { b'a' + value - 10 };
    masked(key.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]))
}

fn ready() -> (tempfile::TempDir, Box<Store>, (Badge, Pin)) {
    let dir = tempfile::tempdir().unwrap();
    let options = Options::new(dir.path())
        .with_device_secret(SecretFile::new(dir.path()))
        .with_cost_for_tests();
    let badge = Badge::new(ReaderFamily::PcscUid, &[1, 2, 3, 4]).unwrap();
    let pin: Pin = [4, 7, 1, 1, 8, 2].into_iter().collect();
    let first = NewOperator {
        initials: "AB".into(),
        name: Phi::new("A B".into()),
        role: Role::It,
        badge: badge.clone(),
        pin: pin.clone(),
    };
    let state = StateDir::take(dir.path()).unwrap();
    initialise(&state, &options, &first, NOW).unwrap();
    let Loaded::Store(store) = Store::load(state, &options).unwrap() else { panic!("no store") };
    (dir, store, (badge, pin))
}

#[test]
fn s3_after_a_lock_no_vault_key_is_left_in_memory() {
    let (_dir, mut store, (badge, pin)) = ready();
    store.unlock(&Evidence::BadgePin(badge, pin), Clocks::at(NOW)).unwrap();
    let opened = store.open.take().unwrap();
    let (vault, keys) = opened.into_parts();
    let (raw, hex) = {
        let database = keys.database();
        (masked(database.iter().skip(16).copied()), masked_hex(database.as_slice()))
    };
    // The second half alone: the allocator writes over the first bytes of what it gets back.
    let inbox = masked(keys.inbox().0.iter().skip(16).copied());
    let master = masked(keys.master_for_tests().iter().skip(16).copied());
    assert!(occurrences(&master) > 0, "the search finds the key that is there while open");
    let all = [raw, hex, inbox, master];
    let before = all.each_ref().map(|key| occurrences(key));
    vault.close().unwrap();
    drop(keys);
    let left = all.each_ref().map(|key| occurrences(key));
    assert_eq!(left, [0; 4], "K_db, K_db as text, SK_inbox, VMK; while open: {before:?}");
}

#[test]
fn s10_after_an_unlock_no_pin_is_left_in_memory() {
    let digits = [9, 3, 7, 1, 8, 2, 6, 4];
    let pattern = masked(digits.iter().map(|digit| digit + b'0'));
    let dir = tempfile::tempdir().unwrap();
    let options = Options::new(dir.path())
        .with_device_secret(SecretFile::new(dir.path()))
        .with_cost_for_tests();
    let (sender, mut outcomes) = tokio::sync::mpsc::channel(16);
    let (handle, thread) = super::spawn(options, sender).unwrap();
    outcomes.blocking_recv().unwrap();
    let badge = Badge::new(ReaderFamily::PcscUid, &[1, 2, 3, 4]).unwrap();
    let first = NewOperator {
        initials: "AB".into(),
        name: Phi::new("A B".into()),
        role: Role::It,
        badge: badge.clone(),
        pin: digits.into_iter().collect(),
    };
    handle.try_send(Command::Initialise(Box::new(first), NOW)).unwrap();
    let evidence = Evidence::BadgePin(badge, digits.into_iter().collect());
    let unlock = Command::Unlock(Attempt(1), evidence, NOW);
    assert!(occurrences(&pattern) > 0, "the search finds a PIN that is there");
    handle.try_send(unlock).unwrap();
    while !matches!(outcomes.blocking_recv().unwrap(), Outcome::Imported(_)) {}
    assert_eq!(occurrences(&pattern), 0);
    drop(handle);
    thread.join().unwrap();
}
