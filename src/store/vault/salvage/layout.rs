//! How the rows of each table lie on a page, as the schema of a new vault says it; a row that is found on a page
//! of which nobody knows whose it is belongs to the table that it fits.

use rusqlite::Connection;
use rusqlite::types::Value as Parameter;

use crate::vault::database::fault::VaultFault;
use crate::vault::raw::btree::Value;
use wardkeep_model::keeping::StoreFault;

/// A column, in the order in which rows are stored.
#[derive(Clone, Debug)]
struct Column {
    name: String,
    kind: Kind,
    may_be_null: bool,
    /// It is the row's number, which is not stored again.
    is_row: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Integer,
    Text,
    Blob,
}

/// A table's rows.
#[derive(Clone, Debug)]
pub struct Layout {
    /// The table.
    pub table: String,
    /// Its rows have no numbers, and lie as an index's entries do.
    pub without_rows: bool,
    columns: Vec<Column>,
    /// Puts a row into the table unless it is there.
    pub insert: String,
}

impl Layout {
    /// Every table of a database.
    ///
    /// # Errors
    /// As the database.
    pub fn all(connection: &Connection) -> Result<Vec<Self>, VaultFault> {
        let mut statement = connection.prepare(
            "SELECT name, wr FROM pragma_table_list
             WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
             ORDER BY name",
        )?;
        let tables = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let tables: Vec<(String, bool)> = tables.collect::<Result<_, _>>()?;
        tables.into_iter().map(|table| Self::of(connection, table)).collect()
    }

    fn of(
        connection: &Connection,
        (table, without_rows): (String, bool),
    ) -> Result<Self, VaultFault> {
        let mut statement = connection.prepare(
            "SELECT name, type, \"notnull\", pk FROM pragma_table_info(?1) ORDER BY cid",
        )?;
        let mut rows = statement.query([&table])?;
        let mut found: Vec<(i64, Column)> = Vec::new();
        while let Some(row) = rows.next()? {
            let (kind, not_null, key): (String, bool, i64) =
                (row.get(1)?, row.get(2)?, row.get(3)?);
            let kind = match kind.as_str() {
                "INTEGER" => Kind::Integer,
                "TEXT" => Kind::Text,
                "BLOB" => Kind::Blob,
                _ => return Err(StoreFault::Damaged.into()),
            };
            let is_row = !without_rows && key > 0 && kind == Kind::Integer;
            let may_be_null = !not_null && key == 0;
            found.push((key, Column { name: row.get(0)?, kind, may_be_null, is_row }));
        }
        if without_rows {
            // The key's columns come first, in the key's order.
            found.sort_by_key(|(key, _)| if *key == 0 { i64::MAX } else { *key });
        }
        let columns: Vec<Column> = found.into_iter().map(|(_, column)| column).collect();
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        let places: Vec<String> = (1..=columns.len()).map(|place| format!("?{place}")).collect();
        let insert = format!(
            "INSERT OR IGNORE INTO {table} ({}) VALUES ({})",
            names.join(", "),
            places.join(", ")
        );
        Ok(Self { table, without_rows, columns, insert })
    }

    /// A record as a row of this table; `None` if it cannot be one.
    pub fn row(&self, number: Option<i64>, values: &[Value]) -> Option<Vec<Parameter>> {
        if number.is_none() != self.without_rows || values.len() > self.columns.len() {
            return None;
        }
        // What a column that was added later holds in rows of before is not stored.
        let missing = std::iter::repeat(&Value::Null);
        let values = values.iter().chain(missing);
        self.columns.iter().zip(values).map(|(column, value)| column.take(number, value)).collect()
    }
}

impl Column {
    fn take(&self, number: Option<i64>, value: &Value) -> Option<Parameter> {
        match (value, self.kind) {
            (Value::Null, _) if self.is_row => number.map(Parameter::Integer),
            (Value::Null, _) if self.may_be_null => Some(Parameter::Null),
            (Value::Integer(number), Kind::Integer) if !self.is_row => {
                Some(Parameter::Integer(*number))
            }
            (Value::Text(text), Kind::Text) => {
                String::from_utf8(text.clone()).ok().map(Parameter::Text)
            }
            (Value::Blob(bytes), Kind::Blob) => Some(Parameter::Blob(bytes.clone())),
            (
                Value::Null | Value::Integer(_) | Value::Real(_) | Value::Text(_) | Value::Blob(_),
                Kind::Integer | Kind::Text | Kind::Blob,
            ) => None,
        }
    }
}
