//! The cipher of the database: asserted before a file is made or opened, and given its key.
//!
//! There is no third way: no build ever stores anything in a database that is not encrypted.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use zeroize::Zeroizing;

use crate::crypto::{Key, derive};
use crate::keys::vault_keys::VaultKeys;
use crate::vault::database::fault::VaultFault;
use wardkeep_model::keeping::StoreFault;

/// What the encrypted database is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CipherFacts {
    /// SQLite's version, e.g. `3.53.4`.
    pub sqlite_version: String,
    /// SQLCipher's version, never empty.
    pub cipher_version: String,
    /// Library that does the cryptography, e.g. `openssl`.
    pub provider: String,
}

/// What the encrypted database of this build is made of.
///
/// # Errors
/// `NoCipher` if there is none, or not with the provider that is required.
pub fn cipher_facts() -> Result<CipherFacts, StoreFault> {
    // One thread at a time: the first use of SQLCipher in a process also sets its cipher library up.
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let connection =
        Connection::open_in_memory().map_err(StoreFault::NoCipher.because("opening a database"))?;
    set_key(&connection, &Key::random()?, Salt::Derived)?;
    Ok(assert_cipher(&connection)?)
}

/// Fails where the connection is not encrypted as it must be.
pub(in crate::vault) fn assert_cipher(connection: &Connection) -> Result<CipherFacts, VaultFault> {
    let ask = |sql: &str| -> Result<String, VaultFault> {
        let answer = connection.query_row(sql, [], |row| row.get(0)).optional();
        answer
            .map_err(StoreFault::NoCipher.because("asking for the cipher"))?
            .ok_or(VaultFault::Store(StoreFault::NoCipher))
    };
    let facts = CipherFacts {
        sqlite_version: ask("SELECT sqlite_version()")?,
        cipher_version: ask("PRAGMA cipher_version")?,
        provider: ask("PRAGMA cipher_provider")?,
    };
    let complete = !facts.cipher_version.is_empty() && facts.provider == "openssl";
    if complete { Ok(facts) } else { Err(StoreFault::NoCipher.into()) }
}

/// Where the cipher's salt comes from.
#[derive(Clone, Copy)]
pub(in crate::vault) enum Salt {
    /// The key. What begins the file then does not matter: a power cut may leave it torn while the log
    /// has it whole.
    Derived,
    /// The beginning of the file, as in databases of versions 1 and 2.
    InFile,
}

/// A key with the salt that it gives, as SQLCipher takes it in a statement.
pub(in crate::vault) fn raw_key(key: &Key) -> Zeroizing<String> {
    literal(key, &salt_of(key))
}

/// SQLCipher's notation of a raw key.
fn literal(key: &Key, salt: &[u8]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(128));
    text.push_str("x'");
    for byte in key.iter().chain(salt) {
        write!(text, "{byte:02x}").expect("a string takes any text");
    }
    text.push('\'');
    text
}

/// The salt that a key gives.
pub(in crate::vault) fn salt_of(key: &Key) -> [u8; 16] {
    let mut salt = [0; 16];
    let derived = derive(b"", key.as_slice(), &[b"database salt"]);
    salt.iter_mut().zip(derived.iter()).for_each(|(to, from)| *to = *from);
    salt
}

/// Gives a connection its key.
///
/// # Errors
/// As the database.
pub(in crate::vault) fn set_key(
    connection: &Connection,
    key: &Key,
    salt: Salt,
) -> Result<(), VaultFault> {
    // SQLCipher writes to stderr by itself otherwise.
    connection.execute_batch("PRAGMA cipher_log_level = NONE;")?;
    let derived = salt_of(key);
    let salt = match salt {
        Salt::Derived => derived.as_slice(),
        Salt::InFile => &[],
    };
    let said = connection.execute_batch(&sentence("key", key, salt));
    said.map_err(|error| {
        // The code alone: the error's text may quote the statement, and the statement is the key.
        tracing::warn!(code = ?error.sqlite_error_code(), "the cipher took no key");
        VaultFault::Store(VaultFault::Database(error).class())
    })?;
    // What the library reads of a statement it frees without wiping it (S-3). The same sentence about
    // nothing, which it ignores, takes the same places.
    Ok(connection.execute_batch(&sentence("kez", &Key::zero(), salt))?)
}

fn sentence(pragma: &str, key: &Key, salt: &[u8]) -> Zeroizing<String> {
    let mut sentence = Zeroizing::new(String::with_capacity(128));
    for part in ["PRAGMA ", pragma, " = \"", &literal(key, salt), "\";"] {
        sentence.push_str(part);
    }
    sentence
}

/// Opens a database that takes the key, and changes nothing.
pub(in crate::vault) fn connect(path: &Path, keys: &VaultKeys) -> Result<Connection, VaultFault> {
    match connect_with(path, keys, Salt::Derived) {
        Err(fault) if fault.class() == StoreFault::Damaged => {
            connect_with(path, keys, Salt::InFile)
        }
        other => other,
    }
}

fn connect_with(path: &Path, keys: &VaultKeys, salt: Salt) -> Result<Connection, VaultFault> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    set_key(&connection, &keys.database(), salt)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    // Exclusive before the first read: the log's index is in memory and no file of it is believed.
    connection.execute_batch(
        "PRAGMA locking_mode = EXCLUSIVE;
         PRAGMA wal_autocheckpoint = 0;",
    )?;
    // The first read: a wrong key or an altered file shows here, before anything is written.
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Ok(connection)
}
