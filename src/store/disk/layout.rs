//! The name of every file and folder on the disk, in one place.
//!
//! | path in the state directory | what it is | form | written by |
//! |---|---|---|---|
//! | `lock` | who holds the directory | empty, locked | [`crate::disk::durable`] |
//! | `device-secret` | this machine's secret, where no credential is used | 32 random bytes | `machine/device_secret` |
//! | `.tmp-<name>` | a file that was being written; never read | - | `disk/durable` |
//! | `.tmp-backup/`, `.tmp-check/` | copies that a backup or a check makes and removes | as `store/` | `backup`, `tools/check` |
//! | `damaged/<second>-<n>-<name>` | damaged files whose second copy took their place | as they were | `disk/set_aside` |
//! | `damaged-<day>-<n>/` | whole stores that were set aside | as `store/` | `disk/set_aside` |
//! | `store.new/` | a first start or a restore that is not finished; never live | as `store/` | `open/setup`, `backup/restore` |
//! | `store.new/from/` | a backup's vault until it is under the new keys | as `store/` | `backup/restore` |
//! | `store/keyring`, `.copy` | the master key, sealed to each person | JSON, entries with a MAC | `keys/ring` |
//! | `store/cart`, `.copy` | what must be known with nobody there | state file | `cart` |
//! | `store/slots/<slot>.slot` | a person's key under two factors | state file | `keys/keyslot` |
//! | `store/emergency` | one patient for one enrolled token | state file | `open/emergency` |
//! | `store/checkpoint` | the last checkpoint that somebody was given | signed note | `staff/log_acts` |
//! | `store/drafts/<n>.draft` | an unsaved form, sealed to its writer | HPKE | `open/draft` |
//! | `store/vault.db`, `-wal` | the encrypted tables and their log | SQLCipher | `vault` |
//! | `store/vault.db-wal.older` | a log that hid a newer database | SQLCipher | `freshness` |
//! | `store/vault.head` | which commit was acknowledged last | state file in two slots | `freshness/head` |
//! | `store/vault.pages` | which version of each page is the acknowledged one | a tree of tags with MACs | `freshness/pages` |
//! | `store/vault.pages0`, `1` | the same, by programs before 0.2; read once | tags with a MAC | `freshness/pages/earlier` |
//! | `store/inbox/head` | where the chains are, and what the inbox remembers | state file | `inbox/state` |
//! | `store/inbox/<n>.seg`, `.wave` | sealed values and audit entries; waveforms | segment | `inbox/lane` |
//! | `store/inbox/reserve` | room that is held back | zeros | `worker/space` |
//! | `store/cart.seen`, `keyring.seen`, `vault.seen`, `inbox/seen` | what every part was at | state file in two slots, synced now and then | `inbox/seen` |
//! | `store/inbox/<segment>[.<n>].bad` | a segment in which something was forged | as it was | `import` |
//! | `store/epoch-<e>/` | a change of keys that is not finished | as `store/`, the inbox's head beside the rest | `staff/rotation` |
//!
//! A state file is [`crate::disk::state_file`]. Numbers in names are hexadecimal, so that they sort.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use jiff::civil::Date;

/// Who holds the state directory.
pub const LOCK: &str = "lock";
/// The live store.
pub const STORE: &str = "store";
/// A store that is not finished.
pub const UNFINISHED: &str = "store.new";
/// The device secret's file, where no credential is used.
pub const DEVICE_SECRET: &str = "device-secret";
/// Front of the names of files that were being written when the program was killed.
pub const TEMPORARY: &str = ".tmp-";
/// Where damaged files are kept aside; also the front of the names of stores that were set aside.
pub const DAMAGED: &str = "damaged";
/// The copy that a backup makes and removes.
pub const BACKUP_SCRATCH: &str = ".tmp-backup";
/// The copy that a check makes and removes.
pub const CHECK_SCRATCH: &str = ".tmp-check";
/// What the state directory may hold before the first start; `lost+found` when it is a mount point.
pub const EXPECTED: [&str; 5] = [LOCK, STORE, UNFINISHED, DEVICE_SECRET, "lost+found"];

/// A small file that lies there twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copies {
    /// The copy that is written first.
    pub first: &'static str,
    /// The other one.
    pub second: &'static str,
}

/// The keyring.
pub const KEYRING: Copies = Copies { first: "keyring", second: "keyring.copy" };
/// The cart compartment.
pub const CART: Copies = Copies { first: "cart", second: "cart.copy" };
/// Directory of the key slots.
pub const SLOTS: &str = "slots";
/// The emergency card.
pub const EMERGENCY: &str = "emergency";
/// The last checkpoint of the audit log that was given out.
pub const CHECKPOINT: &str = "checkpoint";
/// Room that is held back, in the inbox's directory.
pub const RESERVE: &str = "reserve";
/// Directory of unsaved forms.
pub const DRAFTS: &str = "drafts";
/// Directory of the inbox.
pub const INBOX: &str = "inbox";
/// The inbox's state, in its directory.
pub const INBOX_STATE: &str = "head";
/// What every part was at when it was seen last, beside each of them; below the store.
pub const SEEN: [&str; 4] = ["cart.seen", "keyring.seen", "vault.seen", "inbox/seen"];
/// The vault's database.
pub const VAULT: &str = "vault.db";
/// Where a restore puts the backup's vault.
pub const RESTORED_FROM: &str = "from";
/// Endings of the files that SQLite may leave beside a database.
pub const SQLITE_SUFFIXES: [&str; 3] = [LOG_SUFFIX, "-shm", "-journal"];
/// Extensions of our own files that belong to a database: its head and its table of pages.
pub const BESIDE_VAULT: [&str; 4] = [VAULT_HEAD, PAGES, PAGES_EVEN, PAGES_ODD];
/// Extension of a segment of values and audit entries.
pub const VALUES: &str = "seg";
/// Extension of a segment of waveforms.
pub const WAVES: &str = "wave";

const SLOT: &str = "slot";
const EPOCH: &str = "epoch-";
const LOG_SUFFIX: &str = "-wal";
const VAULT_HEAD: &str = "head";
const PAGES: &str = "pages";
const PAGES_EVEN: &str = "pages0";
const PAGES_ODD: &str = "pages1";

/// The name under which a file is written until it is whole.
pub fn temporary(name: &OsStr) -> OsString {
    let mut temporary = OsString::from(TEMPORARY);
    temporary.push(name);
    temporary
}

/// The name of a store that was set aside.
pub fn store_aside(day: Date, number: u32) -> String {
    format!("{DAMAGED}-{day}-{number}")
}

/// The name of a damaged file that was set aside at this second.
pub fn file_aside(second: i64, number: usize, name: &OsStr) -> OsString {
    let mut aside = OsString::from(format!("{second}-{number}-"));
    aside.push(name);
    aside
}

/// The live store of a state directory.
pub fn store(state_dir: &Path) -> PathBuf {
    state_dir.join(STORE)
}

/// The name of a key slot.
pub fn slot(id: [u8; 16]) -> String {
    format!("{:032x}.{SLOT}", u128::from_be_bytes(id))
}

/// Whether this is a key slot.
pub fn is_slot(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == SLOT)
}

/// The name of somebody's unsaved form.
pub fn draft(number: u64) -> String {
    format!("{number:016x}.draft")
}

/// The name of the folder in which the files of an epoch wait.
pub fn epoch(epoch: u64) -> String {
    format!("{EPOCH}{epoch:016x}")
}

/// Whether files of an epoch wait under this name.
pub fn is_epoch(name: &OsStr) -> bool {
    name.to_string_lossy().starts_with(EPOCH)
}

/// SQLite's log of a database.
pub fn log(database: &Path) -> PathBuf {
    with(database, LOG_SUFFIX)
}

/// Where a log goes that hid a newer database.
pub fn log_aside(database: &Path) -> PathBuf {
    with(database, "-wal.older")
}

/// Which commit of a database was acknowledged.
pub fn vault_head(database: &Path) -> PathBuf {
    database.with_extension(VAULT_HEAD)
}

/// The table of a database's pages.
pub fn pages(database: &Path) -> PathBuf {
    database.with_extension(PAGES)
}

/// The table of a database's pages of this generation, as programs before 0.2 wrote it.
pub fn pages_before(database: &Path, generation: u64) -> PathBuf {
    database.with_extension(if generation.is_multiple_of(2) { PAGES_EVEN } else { PAGES_ODD })
}

/// A name beside a database, out of [`SQLITE_SUFFIXES`].
pub fn with(database: &Path, suffix: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// The name of a segment; `lane` is [`VALUES`] or [`WAVES`].
pub fn segment(lane: &str, number: u64) -> String {
    format!("{number:016x}.{lane}")
}

/// The number of a segment of a lane; `None` if this is none.
pub fn segment_number(lane: &str, path: &Path) -> Option<u64> {
    let is_of_lane = path.extension().is_some_and(|extension| extension == lane);
    let stem = path.file_stem().filter(|_| is_of_lane)?;
    u64::from_str_radix(stem.to_str()?, 16).ok()
}

/// Where a segment with something forged in it is kept, and the ones of its name after it.
pub fn evidence(segment: &Path, again: u32) -> PathBuf {
    let mut name = segment.file_name().unwrap_or_else(|| OsStr::new("segment")).to_owned();
    if again > 0 {
        name.push(format!(".{again}"));
    }
    name.push(".bad");
    segment.with_file_name(name)
}

/// Whether this is such a segment.
pub fn is_evidence(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "bad")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// Every name as it would stand in the source of another file.
    const NAMES: [&str; 28] = [
        CHECKPOINT,
        RESERVE,
        LOCK,
        UNFINISHED,
        DEVICE_SECRET,
        TEMPORARY,
        DAMAGED,
        BACKUP_SCRATCH,
        CHECK_SCRATCH,
        KEYRING.first,
        KEYRING.second,
        CART.first,
        CART.second,
        SLOTS,
        EMERGENCY,
        DRAFTS,
        INBOX,
        INBOX_STATE,
        VAULT,
        RESTORED_FROM,
        VALUES,
        WAVES,
        SLOT,
        EPOCH,
        LOG_SUFFIX,
        PAGES_EVEN,
        PAGES_ODD,
        "mark",
    ];
    /// Names that are words too: of a check, of a thread, of a key.
    const WORDS: [(&str, &str); 8] = [
        ("tools/check/", DEVICE_SECRET),
        ("tools/check/", CART.first),
        ("tools/check/", KEYRING.first),
        ("tools/check/", SLOTS),
        ("tools/check/", DRAFTS),
        ("tools/check/", INBOX),
        ("machine/device_secret.rs", CART.first),
        // A column.
        ("vault/people.rs", SLOT),
    ];

    fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }

    #[test]
    fn no_other_file_of_the_store_names_a_file() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut files = Vec::new();
        sources(root, &mut files);
        assert!(files.len() > 50, "{}", files.len());
        let mut literals = Vec::new();
        for file in files {
            let short = file.strip_prefix(root).unwrap().to_string_lossy().into_owned();
            let text = fs::read_to_string(&file).unwrap();
            // What stands in tests is what somebody with the disk would write.
            let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
            if short == "disk/layout.rs" || short.ends_with("tests.rs") || short.contains("/tests/")
            {
                continue;
            }
            let lines: Vec<&str> =
                code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
            let is_word = |name: &&str| {
                WORDS.iter().any(|(front, word)| word == name && short.starts_with(front))
            };
            for name in NAMES.iter().filter(|name| !is_word(name)) {
                let plain = format!("\"{name}\"");
                // Bytes are a key's label, not a name.
                let without_bytes = |line: &&str| line.replace(&format!("b{plain}"), "");
                if lines.iter().any(|line| without_bytes(line).contains(&plain)) {
                    literals.push(format!("{short}: {name}"));
                }
            }
        }
        assert!(literals.is_empty(), "{literals:#?}");
    }

    #[test]
    fn names_are_what_they_always_were() {
        let (vault, segment) = (Path::new("store/vault.db"), Path::new("inbox/0a.seg"));
        for (name, expected) in [
            (PathBuf::from(slot([0xab; 16])), "abababababababababababababababab.slot"),
            (PathBuf::from(draft(7)), "0000000000000007.draft"),
            (PathBuf::from(epoch(2)), "epoch-0000000000000002"),
            (log(vault), "store/vault.db-wal"),
            (log_aside(vault), "store/vault.db-wal.older"),
            (vault_head(vault), "store/vault.head"),
            (pages(vault), "store/vault.pages"),
            (pages_before(vault, 2), "store/vault.pages0"),
            (pages_before(vault, 3), "store/vault.pages1"),
            (PathBuf::from(self::segment(VALUES, 10)), "000000000000000a.seg"),
            (evidence(segment, 0), "inbox/0a.seg.bad"),
            (evidence(segment, 2), "inbox/0a.seg.2.bad"),
            (PathBuf::from(temporary(OsStr::new("cart"))), ".tmp-cart"),
        ] {
            assert_eq!(name, Path::new(expected));
        }
        assert_eq!(segment_number(VALUES, segment), Some(10));
        assert_eq!(segment_number(WAVES, segment), None);
    }
}
