//! A vault as a long time of use leaves it, written at once: what benchmarks stand on.
//!
//! Rows and blocks are those of recording and packing; what retention would have deleted is not written in the
//! first place.

use jiff::Timestamp;

use crate::freshness::pages::PAGE;
use crate::record::entry::Entry;
use crate::vault::database::Vault;
use crate::vault::database::fault::VaultFault;
use crate::vault::{entries, retention, trends};
use wardkeep_model::encounter::SubjectId;
use wardkeep_model::vitals::nomenclature::{Mdc, Unit};

/// Entries of one transaction.
const AT_ONCE: usize = 50_000;

/// A patient's values of a code on a day, as the packed trends have them.
#[derive(Debug)]
pub struct PackedDay<'a> {
    /// Whose, of what, in which unit.
    pub of: (SubjectId, Mdc, Unit),
    /// Instants in microseconds since 1970, and values.
    pub values: &'a [(i64, f32)],
    /// They are young enough for single values to be kept.
    pub singles: bool,
}

/// Keeps a day: what there are rows of, and what is packed, at this age of the store and time of the wall clock.
/// All rows count as packed then; without anything packed they wait for it. Gives back how many entries were
/// refused.
///
/// # Errors
/// As writing a file.
pub fn keep_day(
    vault: &mut Vault,
    rows: &[Entry],
    packed: &[PackedDay<'_>],
    (age_us, wall): (i64, Timestamp),
) -> Result<u64, VaultFault> {
    let mut refused = 0;
    for some in rows.chunks(AT_ONCE) {
        refused += entries::append(vault, some)?;
    }
    vault.write(|transaction, keys| {
        for PackedDay { of, values, singles } in packed {
            trends::add_straight(transaction, keys, *of, (values, *singles), age_us)?;
        }
        if !packed.is_empty() {
            trends::all_packed(transaction)?;
        }
        retention::mark_age(transaction, age_us, wall)
    })?;
    Ok(refused)
}

/// Leaves the rows that are not packed as a program before version 7 of the schema did, which summed none.
///
/// # Errors
/// As writing a file.
pub fn forget_sums(vault: &mut Vault) -> Result<(), VaultFault> {
    vault.write(|transaction, _| trends::recent::nothing_is_summed(transaction))
}

/// How large a vault is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Bytes of all pages.
    pub whole: u64,
    /// Bytes of pages that are free.
    pub free: u64,
}

/// How large a vault is.
///
/// # Errors
/// As reading the database.
pub fn size(vault: &Vault) -> Result<Size, VaultFault> {
    let ask = |what: &str| -> Result<u64, VaultFault> {
        let asked = format!("PRAGMA {what}");
        let count: i64 = vault.connection.query_row(&asked, [], |row| row.get(0))?;
        Ok(count.unsigned_abs())
    };
    let page = PAGE as u64;
    Ok(Size { whole: page * ask("page_count")?, free: page * ask("freelist_count")? })
}
