//! The head: what tells the latest vault from an older copy of it, or of a part of it.

use rusqlite::Transaction;

use super::StoreFault;

/// Adds what version 3 of the schema needs for the chain of commits.
pub fn upgrade(_transaction: &Transaction<'_>) -> Result<(), StoreFault> {
    Ok(())
}
