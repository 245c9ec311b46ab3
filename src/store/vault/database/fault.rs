//! Why the database did not do what it was asked, on its way to becoming a [`StoreFault`].
//!
//! Inside the vault's tables the cause is kept; where it leaves them the log gets it, for IT, and the rest
//! of the program gets the class. SQLite's own texts may quote a value, so only its number is logged (S-10).

use std::fmt;

use rusqlite::ErrorCode;

use wardkeep_model::keeping::{AdministrationFault, Cause, StoreFault};

/// A failure in the vault's tables.
#[derive(thiserror::Error)]
pub enum VaultFault {
    /// SQLite or SQLCipher refused.
    #[error("database")]
    Database(#[from] rusqlite::Error),
    /// What was read makes no sense, or a file beside the database failed.
    #[error(transparent)]
    Store(#[from] StoreFault),
}

impl VaultFault {
    /// The class of the failure, as the rest of the program knows it.
    pub fn class(&self) -> StoreFault {
        let error = match self {
            VaultFault::Store(fault) => return *fault,
            VaultFault::Database(error) => error,
        };
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => StoreFault::Full,
            Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
                StoreFault::ReadOnly
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreFault::InUse,
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => StoreFault::Damaged,
            // A column of another type than the schema's, or a number out of range.
            None => StoreFault::Damaged,
            Some(_) => StoreFault::Io,
        }
    }
}

impl fmt::Debug for VaultFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.class())
    }
}

/// Equal are two that the rest of the program cannot tell apart.
impl PartialEq for VaultFault {
    fn eq(&self, other: &Self) -> bool {
        self.class() == other.class()
    }
}

impl From<VaultFault> for StoreFault {
    fn from(fault: VaultFault) -> Self {
        let class = fault.class();
        if let VaultFault::Database(error) = &fault {
            // The number alone: a text of SQLite may quote what a statement was given.
            let code = error.sqlite_error().map(|error| error.extended_code);
            tracing::warn!(?code, %class, "the database");
            Cause::note(code.map(Cause::Database));
        }
        class
    }
}

impl From<VaultFault> for AdministrationFault {
    fn from(fault: VaultFault) -> Self {
        AdministrationFault::Store(fault.into())
    }
}

impl From<std::io::Error> for VaultFault {
    fn from(error: std::io::Error) -> Self {
        VaultFault::Store(error.into())
    }
}
