//! What SQLite finds wrong with its own trees, with the names of tables and indexes instead of page numbers.

use crate::vault::database::Vault;
use crate::vault::database::fault::VaultFault;

/// What is told; SQLite stops there.
const TOLD_MAX: u32 = 20;
/// Memory for pages while everything is looked at, in KiB: the entries of an index lie all over a table.
const CACHE_KIB: u32 = 256 * 1024;

/// Lets SQLite compare tables, indexes and free pages, and looks at what rows refer to. How many tables there are,
/// and what is wrong.
///
/// # Errors
/// As reading a file.
pub fn structure(vault: &Vault) -> Result<(u64, Vec<String>), VaultFault> {
    let connection = &vault.connection;
    connection.execute_batch(&format!("PRAGMA cache_size = -{CACHE_KIB}"))?;
    let mut statement =
        connection.prepare("SELECT name, rootpage FROM sqlite_schema WHERE rootpage > 0")?;
    let trees = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let trees: Vec<(String, u32)> = trees.collect::<Result<_, _>>()?;
    let mut statement = connection.prepare(&format!("PRAGMA integrity_check({TOLD_MAX})"))?;
    let said = statement.query_map([], |row| row.get(0))?;
    let said: Vec<String> = said.collect::<Result<_, _>>()?;
    let mut wrong: Vec<String> =
        said.iter().filter(|line| *line != "ok").map(|line| named(line, &trees)).collect();
    let mut statement = connection.prepare("SELECT \"table\" FROM pragma_foreign_key_check")?;
    let referring = statement.query_map([], |row| row.get::<_, String>(0))?;
    for table in referring {
        wrong.push(format!("a row of {} refers to one that is not there", table?));
    }
    let tables = "SELECT count(*) FROM sqlite_schema WHERE type = 'table'";
    let tables: i64 = connection.query_row(tables, [], |row| row.get(0))?;
    Ok((tables.unsigned_abs(), wrong))
}

/// SQLite names a tree by the page that it begins with.
fn named(line: &str, trees: &[(String, u32)]) -> String {
    let rest = line.strip_prefix("Tree ").and_then(|rest| rest.split_once(' '));
    let tree = rest.and_then(|(root, rest)| {
        let root: u32 = root.parse().ok()?;
        let (name, _) = trees.iter().find(|(_, of)| *of == root)?;
        Some(format!("{name}: {rest}"))
    });
    // What a value is, is never told.
    tree.unwrap_or_else(|| line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trees_are_named() {
        let trees = [("observations".to_owned(), 17)];
        let said = named("Tree 17 page 20 cell 3: Rowid 9 out of order", &trees);
        assert_eq!(said, "observations: page 20 cell 3: Rowid 9 out of order");
        assert_eq!(named("Tree 18 page 2: x", &trees), "Tree 18 page 2: x");
        assert_eq!(named("Page 3: never used", &trees), "Page 3: never used");
    }
}
