//! Everything that can be read of a damaged vault, row by row, into a new one of the same keys.
//!
//! ```text
//!  pages (authentic ones)  ->  rows  ->  new tables  ->  rows that do not open are taken out
//!                                                     ->  the audit log numbered as before
//!  indexes, pages above    ->  the list of what is gone
//! ```
//!
//! Nothing is invented: a row comes off an authentic page of the vault, and has to open where it is sealed. A
//! page whose table nobody can name any more, because the page above it is damaged, gives its rows to the
//! table that they fit. Three small tables can be read back from their indexes, because without them no
//! observation opens: whose device and whose patient a row's numbers mean.
//!
//! What is bound to the old machine's readers does not come, as in a restore: badges, cards, fingers.

mod layout;
pub(in crate::vault) mod lost;
mod unopened;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use rusqlite::types::Value as Parameter;

use crate::keys::vault_keys::{Held, VaultKeys};
use crate::record::audit_line;
use crate::vault::audit::refill::{self, SignedLog};
use crate::vault::database::Vault;
use crate::vault::database::fault::VaultFault;
use crate::vault::database::meta;
use crate::vault::raw::btree::{Kind, Node, Value, record};
use crate::vault::raw::map::{DamagedPage, Map, Owner};
use crate::vault::raw::{Image, Page};
use crate::vault::rows::columns::from_effective;
use crate::vault::rows::taken;
use crate::vault::salvage::layout::Layout;
use crate::vault::salvage::lost::{Named, Numbers};
use crate::vault::trends::recent;
use crate::vault::{patient_keys, rows, schema};
use wardkeep_model::access::OperatorId;
use wardkeep_model::keeping::StoreFault;

pub use crate::vault::salvage::lost::{LostRows, SalvagedTable};

/// Rows that are put into the new vault in one transaction.
const ROWS_AT_ONCE: usize = 4_096;
/// Tables whose rows are the vault's own, or mean nothing in another store.
const LEFT: [&str; 5] = ["commits", "recipients", "tokens", "templates", recent::NAME];
/// The audit log's own tables: they come whole or not at all.
const LOG: [&str; 3] = ["audit_tree", "audit_keys", "audit_checkpoints"];
/// Tables that every row of observations needs, and the indexes that say the same.
const MIRRORS: [(&str, &str); 3] = [
    ("sqlite_autoindex_sources_1", "sources"),
    ("sqlite_autoindex_subjects_1", "subjects"),
    ("series_of_patient", "series"),
];
/// Indexes whose entries end with a row's number: of which table, and which value is its time.
const INDEXES: [(&str, &str, Option<usize>); 9] = [
    ("observations_of_series", rows::NAME, Some(1)),
    ("waves_of_subject", "waves", Some(2)),
    ("sqlite_autoindex_waves_1", "waves", None),
    ("alarms_of_subject", "alarms", Some(1)),
    ("sqlite_autoindex_alarms_1", "alarms", None),
    ("spots_of_subject", "spots", Some(1)),
    ("spots_by_state", "spots", Some(1)),
    ("sqlite_autoindex_spots_1", "spots", None),
    ("sqlite_autoindex_spots_2", "spots", None),
];
/// Tables of which every single row is accounted for.
const COUNTED: [&str; 4] = [rows::NAME, "waves", "alarms", "spots"];

/// What came of a damaged vault.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SalvagedRows {
    /// Every table that something came of, or that something was lost of.
    pub tables: Vec<SalvagedTable>,
    /// Damaged pages.
    pub pages: Vec<DamagedPage>,
    /// Pages in all.
    pub page_count: u32,
    /// The audit log is as it was signed.
    pub log_is_whole: bool,
}

/// Reads everything that is authentic in a vault's files into a new vault of the same keys. `progress` is told
/// how many of how many pages were read.
///
/// # Errors
/// `Later` if a later program wrote it, `Damaged` if an earlier one did whose rows lay otherwise, or if none
/// of its pages is authentic; otherwise as writing the new vault.
pub fn salvage(
    image: &Image,
    (vault, keys): (&mut Vault, &VaultKeys),
    now: Timestamp,
    progress: &mut dyn FnMut(u32, u32),
) -> Result<SalvagedRows, StoreFault> {
    let pages = image.pages();
    let map = Map::of(image, &mut |page| progress(page / 4, pages));
    match map.version {
        Some(version) if version > schema::newest() => return Err(StoreFault::Later),
        Some(version) if version < schema::AS_NOW => return Err(StoreFault::Damaged),
        Some(_) | None => {}
    }
    if map.damaged.len() >= map.pages() as usize {
        return Err(StoreFault::Damaged);
    }
    let mut run = Run::begin(image, &map, (vault, keys))?;
    for page in 1..=map.pages() {
        run.read_rows(page)?;
        progress(pages / 4 + page / 2, pages);
    }
    run.put()?;
    run.mirror()?;
    let mut tables = run.finish()?;
    let (log, is_whole) = refill::refill(run.vault, keys, run.log, now)?;
    tables.insert("audit".into(), log);
    settle_packing(run.vault)?;
    progress(pages, pages);
    for damaged in &map.damaged {
        let tree = map.trees.iter().find(|tree| Some(&tree.name) == damaged.of.as_ref());
        if let Some(tree) = tree {
            let table = tables.entry(tree.table.clone()).or_default();
            table.damaged_pages += 1;
        }
    }
    let named = tables.into_iter().filter(|(name, _)| !LOG.contains(&name.as_str()));
    let named = named.map(|(name, table)| SalvagedTable { table: name, ..table });
    let page_count = map.pages();
    Ok(SalvagedRows {
        tables: named.collect(),
        pages: map.damaged,
        page_count,
        log_is_whole: is_whole,
    })
}

/// Rows that were packed must not be packed twice. What was summed of those that were not is left: some of the rows
/// may be gone.
fn settle_packing(vault: &mut Vault) -> Result<(), VaultFault> {
    let is_known = meta::get(&vault.connection, "trend_packed_id")?.is_some();
    vault.write(|transaction, _| {
        recent::nothing_is_summed(transaction)?;
        if is_known {
            return Ok(());
        }
        let (blocks, last): (bool, i64) = transaction.query_row(
            "SELECT EXISTS (SELECT 1 FROM trend_blocks),
                 (SELECT coalesce(max(id), 0) FROM observations)",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        if blocks { meta::set(transaction, "trend_packed_id", last) } else { Ok(()) }
    })
}

struct Run<'a> {
    image: &'a Image,
    map: &'a Map,
    vault: &'a mut Vault,
    keys: &'a VaultKeys,
    layouts: Vec<Layout>,
    /// Rows that wait for the next transaction, by the number of their layout.
    waiting: Vec<(usize, Vec<Parameter>)>,
    kept: BTreeMap<String, u64>,
    numbers: BTreeMap<&'static str, Numbers>,
    log: SignedLog,
}

impl<'a> Run<'a> {
    fn begin(
        image: &'a Image,
        map: &'a Map,
        (vault, keys): (&'a mut Vault, &'a VaultKeys),
    ) -> Result<Self, VaultFault> {
        let mut layouts = Layout::all(&vault.connection)?;
        layouts.retain(|layout| !LEFT.contains(&layout.table.as_str()));
        let numbers = COUNTED.map(|table| (table, Numbers::default())).into();
        let (waiting, kept, log) = (Vec::new(), BTreeMap::new(), SignedLog::default());
        Ok(Self { image, map, vault, keys, layouts, waiting, kept, numbers, log })
    }

    /// The rows of a page, if it has some.
    fn read_rows(&mut self, number: u32) -> Result<(), VaultFault> {
        let of = match self.map.owner(number) {
            Owner::Tree(tree) => match self.map.trees.get(tree) {
                Some(tree) if !tree.is_index() => Some(tree.name.clone()),
                Some(_) | None => return Ok(()),
            },
            Owner::Unknown => None,
            Owner::Overflow(_) | Owner::Free => return Ok(()),
        };
        let Page::Whole(page) = self.image.page(number) else { return Ok(()) };
        let Some(node) = Node::parse(number, &page) else { return Ok(()) };
        if node.kind == Kind::TableInterior {
            return Ok(());
        }
        for cell in node.cells() {
            let Some(values) = self.image.payload(&page, &cell) else { continue };
            if let Some(values) = record(&values) {
                self.take(of.as_deref(), cell.row, &values)?;
            }
        }
        Ok(())
    }

    /// Keeps a row of a table, or of the one that it fits.
    fn take(
        &mut self,
        of: Option<&str>,
        number: Option<i64>,
        values: &[Value],
    ) -> Result<(), VaultFault> {
        let fitting = self.layouts.iter().enumerate().find_map(|(place, layout)| {
            let row =
                layout.row(number, values).filter(|_| of.is_none_or(|of| of == layout.table))?;
            fits(self.vault, self.keys, &layout.table, &row).then_some((place, row))
        });
        let Some((place, row)) = fitting else { return Ok(()) };
        let table = self.layouts.get(place).map(|layout| layout.table.as_str()).unwrap_or_default();
        if LOG.contains(&table) {
            self.log.add(table, row);
            return Ok(());
        }
        self.waiting.push((place, row));
        if self.waiting.len() >= ROWS_AT_ONCE { self.put() } else { Ok(()) }
    }

    /// Puts what waits into the vault.
    fn put(&mut self) -> Result<(), VaultFault> {
        let Self { vault, layouts, waiting, kept, numbers, .. } = self;
        let done = vault.write_rows(|transaction, _| {
            let mut done = Vec::new();
            for (place, row) in waiting.iter() {
                let Some(layout) = layouts.get(*place) else { continue };
                let mut statement = transaction.prepare_cached(&layout.insert)?;
                if statement.execute(rusqlite::params_from_iter(row))? > 0 {
                    done.push((layout.table.as_str(), transaction.last_insert_rowid()));
                }
            }
            let rows = u64::try_from(done.len()).unwrap_or(u64::MAX);
            Ok((done, rows))
        })?;
        for (table, number) in done {
            *kept.entry(table.to_owned()).or_default() += 1;
            if let Some(numbers) = numbers.get_mut(table) {
                numbers.add(number);
            }
        }
        self.waiting.clear();
        Ok(())
    }

    /// Reads back from their indexes what rows of the mirrored tables are missing.
    fn mirror(&mut self) -> Result<(), VaultFault> {
        let mut found = Vec::new();
        self.each_entry(|name, values| {
            let table = match name {
                Some(name) => {
                    MIRRORS.iter().find(|(index, _)| *index == name).map(|(_, table)| *table)
                }
                None => match values {
                    [Value::Blob(device), Value::Integer(_), Value::Integer(_)]
                        if device.len() == 6 =>
                    {
                        Some("sources")
                    }
                    [Value::Blob(subject), Value::Integer(_)] if subject.len() == 16 => {
                        Some("subjects")
                    }
                    [
                        Value::Integer(_) | Value::Null,
                        Value::Integer(_),
                        Value::Integer(_),
                        Value::Integer(_),
                    ] => Some("series"),
                    _ => None,
                },
            };
            let row = match (table, values) {
                (Some("series"), [patient, mdc, source, Value::Integer(number)]) => {
                    let row = [&Value::Null, source, patient, mdc].map(Value::clone);
                    Some((*number, row.to_vec()))
                }
                (Some(_), [rest @ .., Value::Integer(number)]) => {
                    Some((*number, [&[Value::Null], rest].concat()))
                }
                _ => None,
            };
            found.extend(table.zip(row));
        });
        for (table, (number, values)) in found {
            self.take(Some(table), Some(number), &values)?;
        }
        self.put()
    }

    /// Every entry of an index that can be read, with the index's name where it is known.
    fn each_entry(&self, mut each: impl FnMut(Option<&str>, &[Value])) {
        for number in 1..=self.map.pages() {
            let name = match self.map.owner(number) {
                Owner::Tree(tree) => match self.map.trees.get(tree) {
                    Some(tree) if tree.is_index() => Some(tree.name.as_str()),
                    Some(_) | None => continue,
                },
                Owner::Unknown => None,
                Owner::Overflow(_) | Owner::Free => continue,
            };
            let Page::Whole(page) = self.image.page(number) else { continue };
            let Some(node) = Node::parse(number, &page) else { continue };
            if !matches!(node.kind, Kind::IndexLeaf | Kind::IndexInterior) {
                continue;
            }
            for cell in node.cells() {
                let values = self.image.payload(&page, &cell).and_then(|bytes| record(&bytes));
                if let Some(values) = values {
                    each(name, &values);
                }
            }
        }
    }

    /// Takes out what does not open, and lists what is gone.
    fn finish(&mut self) -> Result<BTreeMap<String, SalvagedTable>, VaultFault> {
        let mut tables: BTreeMap<String, SalvagedTable> = BTreeMap::new();
        for (table, kept) in &self.kept {
            tables.entry(table.clone()).or_default().kept = *kept;
        }
        let mut unopened: Vec<(&str, u64)> = vec![
            ("patients", unopened::of_patients(self.vault)?),
            ("trend_blocks", unopened::of_trends(self.vault)?),
        ];
        for table in COUNTED {
            let rows = unopened::of_rows(self.vault, table)?;
            unopened.push((table, u64::try_from(rows.len()).unwrap_or(u64::MAX)));
            if let Some(numbers) = self.numbers.get_mut(table) {
                rows.into_iter().for_each(|row| numbers.remove(row));
            }
        }
        for (table, count) in unopened {
            let table = tables.entry(table.to_owned()).or_default();
            table.unopened = count;
            table.kept = table.kept.saturating_sub(count);
        }
        self.vault.write(|transaction, _| taken::take_all(transaction))?;
        let named = self.named();
        for table in COUNTED {
            let of = tables.entry(table.to_owned()).or_default();
            let gone = named.get(table).cloned().unwrap_or_default();
            (of.lost, of.lost_rows) = (gone.count(), gone.stretches());
            of.perhaps = self.perhaps(table, &gone);
        }
        // Records of somebody whose row was never there are no loss.
        let may_be_lost = |page: &DamagedPage| page.of.as_deref().is_none_or(|of| of == "patients");
        let is_lost = self.map.damaged.iter().any(may_be_lost);
        let lost = if is_lost { patients_without_names(self.vault)? } else { 0 };
        tables.entry("patients".to_owned()).or_default().lost = lost;
        Ok(tables)
    }

    /// Rows that an index names and that are not in the new vault.
    fn named(&self) -> BTreeMap<&'static str, Named> {
        let mut gone: BTreeMap<&'static str, Named> = BTreeMap::new();
        self.each_entry(|name, values| {
            let index = match name {
                Some(name) => INDEXES.iter().find(|(index, ..)| *index == name),
                // The only one of three integers.
                None => INDEXES.first().filter(|_| {
                    values.len() == 3
                        && values.iter().all(|value| matches!(value, Value::Integer(_)))
                }),
            };
            let Some((_, table, time)) = index else { return };
            let Some(Value::Integer(number)) = values.last() else { return };
            let at = time.and_then(|time| match values.get(time) {
                Some(Value::Integer(at)) if *table == rows::NAME => Some(from_effective(*at)),
                Some(Value::Integer(at)) => Some(*at),
                Some(_) | None => None,
            });
            if self.numbers.get(table).is_some_and(|numbers| !numbers.has(*number)) {
                gone.entry(*table).or_default().add(*number, at);
            }
        });
        gone
    }

    /// Numbers of rows that were perhaps on damaged pages: where an index is whole, it knows better.
    fn perhaps(&self, table: &str, gone: &Named) -> Vec<(i64, i64)> {
        let damaged: BTreeSet<&str> =
            self.map.damaged.iter().filter_map(|page| page.of.as_deref()).collect();
        let mut indexes =
            self.map.trees.iter().filter(|tree| tree.table == table && tree.is_index());
        if indexes.any(|index| !damaged.contains(index.name.as_str())) {
            return Vec::new();
        }
        let Some(mut known) = self.numbers.get(table).cloned() else { return Vec::new() };
        gone.numbers().for_each(|number| known.add(number));
        let of_table =
            self.map.damaged.iter().filter(|page| page.of.as_deref().is_none_or(|of| of == table));
        // A page below a damaged one may hold any row.
        let rows = of_table.map(|page| page.rows.unwrap_or((1, i64::MAX)));
        let mut perhaps: Vec<_> =
            rows.flat_map(|(first, last)| known.missing(first, last)).collect();
        perhaps.sort_unstable();
        perhaps.dedup();
        perhaps
    }
}

/// Whether a row of a table, unsealed or not, is what it should be. What is sealed by patients is looked at
/// once all keys are there.
fn fits(vault: &Vault, keys: &VaultKeys, table: &str, row: &[Parameter]) -> bool {
    match (table, row) {
        (patient_keys::NAME, [Parameter::Blob(subject), Parameter::Null]) => {
            vault.patients.unwraps(subject, None)
        }
        (patient_keys::NAME, [Parameter::Blob(subject), Parameter::Blob(sealed)]) => {
            vault.patients.unwraps(subject, Some(sealed))
        }
        ("operators", [Parameter::Blob(id), Parameter::Blob(name), private]) => {
            let Ok(id) = <[u8; 16]>::try_from(id.as_slice()) else { return false };
            let id = OperatorId(u128::from_be_bytes(id));
            let people = keys.people();
            let opens = people.held(Held::Name(id), name).is_ok();
            opens
                && match private {
                    Parameter::Blob(private) => people.held(Held::Private(id), private).is_ok(),
                    Parameter::Null => true,
                    Parameter::Integer(_) | Parameter::Real(_) | Parameter::Text(_) => false,
                }
        }
        ("audit", [Parameter::Integer(number), Parameter::Text(line)]) => {
            let read = audit_line::read(line).map(|(seq, _)| seq.cast_signed());
            read == Some(*number)
        }
        (patient_keys::NAME | "operators" | "audit", _) => false,
        _ => true,
    }
}

/// Patients that have a key and no name any more.
fn patients_without_names(vault: &Vault) -> Result<u64, VaultFault> {
    let sql = "SELECT count(*) FROM patient_keys LEFT JOIN patients ON id = subject
         WHERE length(subject) = 16 AND patient_keys.sealed NOT NULL AND id IS NULL
             AND subject IN (SELECT subject FROM subjects)";
    let count: i64 = vault.connection.query_row(sql, [], |row| row.get(0))?;
    Ok(count.unsigned_abs())
}

#[cfg(test)]
mod tests;
