//! What somebody with the disk can do: keep a store's files of any moment, put any of them back, cut, flip, replace.

use std::fs;
use std::path::{Path, PathBuf};

use super::tree::Tree;

/// Files that belong together: one part of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Who the master key is sealed to.
    Keyring,
    /// People, tries, devices.
    Cart,
    /// Key slots.
    Slots,
    /// Sealed records, and where their chains are.
    Inbox,
    /// Database, log, head and tables of pages.
    Vault,
    /// The four files in which the parts remember each other.
    Seen,
}

/// All of them.
pub const PARTS: [Part; 6] =
    [Part::Keyring, Part::Cart, Part::Slots, Part::Inbox, Part::Vault, Part::Seen];

impl Part {
    /// The part of a file; `None` for what the store reads nowhere, or shows with its own time.
    pub fn of(path: &Path) -> Option<Self> {
        let path = path.strip_prefix("store").ok()?;
        let name = path.file_name()?.to_str()?;
        let in_dir = |dir: &str| path.starts_with(dir);
        Some(match name {
            "cart.seen" | "keyring.seen" | "vault.seen" | "seen" => Part::Seen,
            "keyring" | "keyring.copy" => Part::Keyring,
            "cart" | "cart.copy" => Part::Cart,
            _ if in_dir("slots") => Part::Slots,
            // Room that is held back says nothing.
            "reserve" => return None,
            _ if in_dir("inbox") => Part::Inbox,
            _ if name.starts_with("vault.") => Part::Vault,
            _ => return None,
        })
    }

    /// Its word in a table.
    pub fn word(self) -> &'static str {
        match self {
            Part::Keyring => "keyring",
            Part::Cart => "cart",
            Part::Slots => "slots",
            Part::Inbox => "inbox",
            Part::Vault => "vault",
            Part::Seen => "seen",
        }
    }
}

/// The files of now, with those of some parts as they were then.
pub fn put_back(now: &Tree, then: &Tree, parts: &[Part]) -> Tree {
    let is_put_back = |path: &Path| Part::of(path).is_some_and(|part| parts.contains(&part));
    let mut mixed: Tree = now
        .iter()
        .filter(|(path, content)| content.is_none() || !is_put_back(path))
        .map(|(path, content)| (path.clone(), content.clone()))
        .collect();
    let old = then.iter().filter(|(path, content)| content.is_some() && is_put_back(path));
    mixed.extend(old.map(|(path, content)| (path.clone(), content.clone())));
    mixed
}

/// Whether two stores differ in anything that the store reads.
pub fn differ(one: &Tree, other: &Tree) -> bool {
    let read = |tree: &Tree| -> Vec<(PathBuf, Vec<u8>)> {
        let files = tree.iter().filter(|(path, _)| Part::of(path).is_some());
        files.filter_map(|(path, content)| Some((path.clone(), content.clone()?))).collect()
    };
    read(one) != read(other)
}

/// Every set of parts but the empty one.
pub fn subsets() -> Vec<Vec<Part>> {
    (1..1_usize << PARTS.len())
        .map(|set| {
            let chosen = |(at, part): (usize, &Part)| (set >> at & 1 == 1).then_some(*part);
            PARTS.iter().enumerate().filter_map(chosen).collect()
        })
        .collect()
}

/// Removes the lock's file, which a copy of a running store has.
pub fn unlock(dir: &Path) {
    let lock = dir.join("lock");
    if lock.exists() {
        fs::remove_file(lock).unwrap();
    }
}
