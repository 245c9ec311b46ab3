//! Trends: what a patient's values were over a time, packed so that a year is read at once.

use rusqlite::Transaction;

use super::StoreFault;

/// Adds what version 3 of the schema needs for trends.
pub fn upgrade(_transaction: &Transaction<'_>) -> Result<(), StoreFault> {
    Ok(())
}
