//! The vault: a SQLCipher database under a raw 256-bit key.
//!
//! Never a plain database: the cipher is asserted before a file is made or opened. One connection, in
//! this thread; WAL with full synchronisation, so a committed row survives a power cut; temporary
//! data stays in memory; deleted content is overwritten.
//!
//! Times are integers in microseconds since 1970 (the whole range of a device's calendar fits);
//! numbers of 64 bits are stored bit by bit as signed. What rows say of patients and people is sealed
//! once more before the database library sees it ([`crate::vault::patient_keys`]).

use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Transaction, params};
use zeroize::Zeroizing;

use crate::crypto::{Key, derive};
use crate::freshness::Freshness;
use crate::freshness::head;
use crate::inbox::segment::Entry;
use crate::keys::ring::VaultKeys;
use crate::vault::fault::VaultFault;
use crate::vault::patient_keys::PatientKeys;
use crate::vault::{CipherFacts, Cursor};
use crate::vault::{audit, patients, rows, trends, waves};
use wardkeep_model::encounter::{Patient, SubjectId};
use wardkeep_model::keeping::emergency::PastNumeric;
use wardkeep_model::keeping::{AuditEntry, StoreFault};
use wardkeep_model::vitals::Observation;

/// What leads from each version of the schema to the next, in one transaction each.
const MIGRATIONS: [Migration; 3] = [
    |transaction, _| Ok(transaction.execute_batch(FIRST)?),
    |transaction, _| Ok(transaction.execute_batch(PEOPLE)?),
    |transaction, keys| {
        rows::upgrade(transaction, keys)?;
        audit::upgrade(transaction)?;
        waves::upgrade(transaction)?;
        trends::upgrade(transaction)?;
        head::upgrade(transaction)
    },
];

type Migration = fn(&Transaction<'_>, &mut PatientKeys) -> Result<(), VaultFault>;

const FIRST: &str = "
    CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE operators (id BLOB PRIMARY KEY, name TEXT NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE patients (
        id BLOB PRIMARY KEY, family TEXT NOT NULL, given TEXT NOT NULL, born TEXT,
        sex TEXT NOT NULL, mrn TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE observations (
        id INTEGER PRIMARY KEY,
        device BLOB NOT NULL, run INTEGER NOT NULL, seq INTEGER NOT NULL,
        mdc INTEGER NOT NULL, value TEXT, absent TEXT, unit TEXT NOT NULL,
        effective_us INTEGER NOT NULL, received_us INTEGER NOT NULL,
        device_time TEXT, clock TEXT NOT NULL, status TEXT NOT NULL,
        subject BLOB, provenance TEXT NOT NULL,
        UNIQUE (device, run, seq),
        CHECK ((value IS NULL) <> (absent IS NULL))
    ) STRICT;
    CREATE INDEX observations_of_subject ON observations (subject, mdc, effective_us);
    CREATE TABLE audit (
        seq INTEGER PRIMARY KEY, act TEXT NOT NULL, operator BLOB, subject BLOB, device BLOB,
        at_us INTEGER NOT NULL
    ) STRICT;
    CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
        BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
    CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit
        BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
";

/// People with several factors, and what an audit entry says of them.
///
/// `operators.private` and `tokens.kek` let IT give a person who is not there another badge or PIN,
/// and take a factor away. They widen nothing: whoever has the vault open has its master key already,
/// under which they are sealed once more, so that no key is ever in the database library's memory.
/// A person who left keeps the name, so that the audit log goes on naming them.
const PEOPLE: &str = "
    ALTER TABLE patients ADD COLUMN allergies TEXT NOT NULL DEFAULT '';
    ALTER TABLE operators ADD COLUMN private BLOB;
    CREATE TABLE tokens (
        slot BLOB PRIMARY KEY, operator BLOB NOT NULL, kind TEXT NOT NULL, subject TEXT,
        share BLOB, kek BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE templates (
        id BLOB PRIMARY KEY, operator BLOB NOT NULL, finger TEXT NOT NULL, sensor TEXT NOT NULL,
        print BLOB NOT NULL, since_us INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    ALTER TABLE audit ADD COLUMN person BLOB;
    ALTER TABLE audit ADD COLUMN pair TEXT;
    ALTER TABLE audit ADD COLUMN reason TEXT;
";

/// See [`crate::vault::cipher_facts`].
pub fn cipher_facts() -> Result<CipherFacts, VaultFault> {
    // One thread at a time: the first use of SQLCipher in a process also sets its cipher library up.
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let connection = Connection::open_in_memory().map_err(|_| StoreFault::NoCipher)?;
    set_key(&connection, &Key::random()?, Salt::Derived)?;
    assert_cipher(&connection)
}

fn assert_cipher(connection: &Connection) -> Result<CipherFacts, VaultFault> {
    let ask = |sql: &str| -> Result<String, VaultFault> {
        let answer = connection.query_row(sql, [], |row| row.get(0)).optional();
        answer
            .map_err(|_| VaultFault::Store(StoreFault::NoCipher))?
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
enum Salt {
    /// The key. What begins the file then does not matter: a power cut may leave it torn while the log
    /// has it whole.
    Derived,
    /// The beginning of the file, as in databases of versions 1 and 2.
    InFile,
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

fn salt_of(key: &Key) -> [u8; 16] {
    let mut salt = [0; 16];
    let derived = derive(b"", key.as_slice(), &[b"database salt"]);
    salt.iter_mut().zip(derived.iter()).for_each(|(to, from)| *to = *from);
    salt
}

fn set_key(connection: &Connection, key: &Key, salt: Salt) -> Result<(), VaultFault> {
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
fn connect(path: &Path, keys: &VaultKeys) -> Result<Connection, VaultFault> {
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

/// The open vault.
#[derive(Debug)]
pub struct Vault {
    pub(crate) connection: Connection,
    pub(crate) patients: PatientKeys,
    // Dropped after the connection.
    pub(crate) freshness: Freshness,
}

impl Vault {
    /// Makes a vault where there is none.
    ///
    /// # Errors
    /// `NoCipher` without SQLCipher; otherwise as writing a file.
    pub fn create(path: &Path, keys: &VaultKeys) -> Result<Self, VaultFault> {
        cipher_facts()?;
        // SQLite would leave the mode to the umask.
        crate::disk::durable::create_new(path)?;
        Self::open(path, keys)
    }

    /// Opens a vault that is there.
    ///
    /// # Errors
    /// `Damaged` if it is missing, altered, of a later version or has another key.
    pub fn open(path: &Path, keys: &VaultKeys) -> Result<Self, VaultFault> {
        Self::open_if(path, keys, false)
    }

    /// Opens a vault without its head, out of something that authenticates it by itself.
    ///
    /// # Errors
    /// As [`Vault::open`].
    pub fn open_exported(path: &Path, keys: &VaultKeys) -> Result<Self, VaultFault> {
        Self::open_if(path, keys, true)
    }

    fn open_if(path: &Path, keys: &VaultKeys, vouched: bool) -> Result<Self, VaultFault> {
        if !path.exists() {
            return Err(StoreFault::Damaged.into());
        }
        let mut freshness = Freshness::look(path, keys, vouched)?;
        let mut connected = connect(path, keys);
        let row = match &connected {
            Ok(connection) => head::read(connection).map_err(StoreFault::from),
            Err(fault) => Err(fault.class()),
        };
        if let Some(aside) = freshness.set_log_aside(row)? {
            drop(connected);
            connected = connect(path, keys);
            let row = connected.as_ref().ok().and_then(|connection| head::read(connection).ok());
            if !freshness.is_at(row.flatten()) {
                // The log was not what was wrong, or not alone.
                drop(connected);
                aside.undo()?;
                connected = connect(path, keys);
            }
        }
        let connection = connected?;
        assert_cipher(&connection)?;
        connection.execute_batch(
            "PRAGMA journal_mode = WAL;
             PRAGMA synchronous = FULL;
             PRAGMA foreign_keys = ON;
             PRAGMA secure_delete = ON;
             PRAGMA trusted_schema = OFF;
             PRAGMA cell_size_check = ON;
             PRAGMA temp_store = MEMORY;",
        )?;
        let mut vault = Self { connection, patients: PatientKeys::new(keys), freshness };
        vault.migrate()?;
        vault.compare_first()?;
        Ok(vault)
    }

    fn migrate(&mut self) -> Result<(), VaultFault> {
        let version: u32 =
            self.connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        let done = usize::try_from(version).unwrap_or(usize::MAX);
        let Some(missing) = MIGRATIONS.get(done..) else {
            // Written by a later program; reading it as if it were ours could lose what it added.
            return Err(StoreFault::Damaged.into());
        };
        if (1..MIGRATIONS.len()).contains(&done) {
            self.wipe_library_memory()?;
        }
        self.freshness.begin(head::read(&self.connection)?)?;
        for (migrate, version) in missing.iter().zip(version + 1..) {
            self.write(|transaction, keys| {
                migrate(transaction, keys)?;
                Ok(transaction.pragma_update(None, "user_version", version)?)
            })?;
        }
        Ok(())
    }

    /// Lets the database library wipe what it frees, for as long as this process runs: earlier versions
    /// kept names and values in the clear inside the database, and their rows are about to be read.
    /// Slow, and it cannot be undone; not in unit tests, which search the memory of their one process.
    fn wipe_library_memory(&self) -> Result<(), VaultFault> {
        if cfg!(test) {
            return Ok(());
        }
        Ok(self.connection.execute_batch("PRAGMA cipher_memory_security = ON;")?)
    }

    /// Keeps entries in one transaction. Gives back how many were refused because another
    /// observation already has their identity.
    ///
    /// # Errors
    /// As writing a file; then none of them was kept.
    pub fn append(&mut self, entries: &[Entry]) -> Result<u64, VaultFault> {
        let refused = self.write_rows(|transaction, keys| {
            let refused = insert(transaction, keys, entries)?;
            Ok((refused, (entries.len() as u64).saturating_sub(refused)))
        })?;
        self.freshness.reported();
        Ok(refused)
    }

    /// How far the inbox was imported.
    pub fn cursor(&self) -> Result<Cursor, VaultFault> {
        Ok(Cursor {
            next_seq: self.meta("inbox_next_seq")?.unwrap_or(1),
            next_wave: self.meta("inbox_next_wave")?.unwrap_or(1),
            waves_given_up: self.meta("inbox_waves_given_up")?.unwrap_or(0),
            at: self.meta("inbox_at")?.unwrap_or(0).cast_signed(),
            last_segment: self.meta("inbox_last_segment")?.unwrap_or(0),
        })
    }

    /// Keeps the entries of a segment and moves the cursor, in one transaction.
    ///
    /// # Errors
    /// As writing a file; then neither was done.
    pub fn import(&mut self, entries: &[Entry], cursor: Cursor) -> Result<(), VaultFault> {
        self.write_rows(|transaction, keys| {
            let refused = insert(transaction, keys, entries)?;
            if refused > 0 {
                tracing::warn!(refused, "imported observations whose identity is taken");
            }
            set_meta(transaction, "inbox_next_seq", cursor.next_seq)?;
            set_meta(transaction, "inbox_next_wave", cursor.next_wave)?;
            set_meta(transaction, "inbox_waves_given_up", cursor.waves_given_up)?;
            set_meta(transaction, "inbox_at", cursor.at.cast_unsigned())?;
            set_meta(transaction, "inbox_last_segment", cursor.last_segment)?;
            Ok(((), (entries.len() as u64).saturating_sub(refused)))
        })
    }

    fn meta(&self, name: &str) -> Result<Option<u64>, VaultFault> {
        let value: Option<i64> = self
            .connection
            .query_row("SELECT value FROM meta WHERE name = ?1", [name], |row| row.get(0))
            .optional()?;
        Ok(value.map(i64::cast_unsigned))
    }

    /// Adds a patient.
    pub fn add_patient(&mut self, patient: &Patient) -> Result<(), VaultFault> {
        self.write(|transaction, keys| patients::insert(transaction, keys, patient))
    }

    /// All patients by family name.
    pub fn patients(&self) -> Result<Vec<Patient>, VaultFault> {
        patients::all(&self.connection, &self.patients)
    }

    /// One patient.
    pub fn patient(&self, id: SubjectId) -> Result<Option<Patient>, VaultFault> {
        patients::one(&self.connection, &self.patients, id)
    }

    /// All observations in the order in which they were kept.
    pub fn observations(&self) -> Result<Vec<Observation>, VaultFault> {
        rows::observations(&self.connection, &self.patients)
    }

    /// Destroys a patient's data key and everything under it, and says so in the audit log. Neither the
    /// database nor its log holds anything of it when this returns; done again, it changes nothing.
    ///
    /// # Errors
    /// As writing a file; then it has to be done again.
    pub fn shred(&mut self, subject: SubjectId, entry: AuditEntry) -> Result<(), VaultFault> {
        self.write(|transaction, keys| {
            patients::destroy(transaction, keys, subject)?;
            insert(transaction, keys, &[Entry::Audit(Box::new(entry))])
        })?;
        self.settle().map(drop)
    }

    /// What a patient's devices measured after `since` and up to `until`, oldest first.
    pub fn numerics(
        &self,
        subject: SubjectId,
        (since, until): (Timestamp, Timestamp),
    ) -> Result<Vec<PastNumeric>, VaultFault> {
        rows::numerics(&self.connection, &self.patients, subject, (since, until))
    }

    /// Writes everything into a database of another key at `path`, where nothing is yet; durable when
    /// it returns. The database itself is not changed.
    ///
    /// # Errors
    /// As writing a file; what is at `path` then is of no use.
    pub fn export(&self, path: &Path, keys: &VaultKeys) -> Result<(), VaultFault> {
        let file = crate::disk::durable::create_new(path)?;
        let text = path.to_str().ok_or(StoreFault::Io)?;
        let version: u32 =
            self.connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        let attached = self.connection.execute(
            "ATTACH DATABASE ?1 AS next KEY ?2",
            params![text, literal(&keys.database(), &salt_of(&keys.database())).as_str()],
        );
        attached?;
        let exported = self.fill_next(version);
        self.connection.execute_batch("DETACH DATABASE next")?;
        exported?;
        file.sync_all()?;
        self.freshness.copy_to(path, keys)
    }

    fn fill_next(&self, version: u32) -> Result<(), VaultFault> {
        // Nobody reads the file before it is whole and synced, so it needs no journal of its own.
        self.connection.execute_batch(
            "PRAGMA next.journal_mode = OFF;
             PRAGMA next.synchronous = OFF;",
        )?;
        self.connection.query_row("SELECT sqlcipher_export('next')", [], |_| Ok(()))?;
        for table in [
            "observations",
            "sources",
            "subjects",
            "waves",
            "trend_blocks",
            "audit",
            "patients",
            "patient_keys",
            "operators",
            "tokens",
            "templates",
        ] {
            let count = |schema: &str| -> Result<i64, VaultFault> {
                let sql = format!("SELECT count(*) FROM {schema}.{table}");
                Ok(self.connection.query_row(&sql, [], |row| row.get(0))?)
            };
            if count("main")? != count("next")? {
                return Err(StoreFault::Damaged.into());
            }
        }
        Ok(self.connection.execute_batch(&format!("PRAGMA next.user_version = {version}"))?)
    }
}

fn insert(
    transaction: &Transaction<'_>,
    keys: &mut PatientKeys,
    entries: &[Entry],
) -> Result<u64, VaultFault> {
    let mut refused = 0;
    let mut observations = rows::Inserter::new(transaction)?;
    for entry in entries {
        match entry {
            Entry::Observation(observation) => {
                refused += u64::from(!observations.insert(keys, observation, None)?);
            }
            Entry::Wave(wave) => waves::insert(transaction, keys, wave)?,
            Entry::Audit(entry) => audit::append(transaction, entry)?,
        }
    }
    Ok(refused)
}

fn set_meta(transaction: &Transaction<'_>, name: &str, value: u64) -> Result<(), VaultFault> {
    transaction
        .prepare_cached("INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)")?
        .execute(params![name, value.cast_signed()])?;
    Ok(())
}

#[cfg(test)]
mod tests;
