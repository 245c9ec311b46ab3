//! A list of people as CSV: what IT imports, judged row by row.
//!
//! Pure and total. Columns by name, in any order: `name`, `role`, and optionally `initials` and
//! `valid_until` (`YYYY-MM-DD`). UTF-8, comma or semicolon, with or without quotes.

use jiff::civil::Date;
use serde::Deserialize;

use crate::ctl::args::Words;
use wardkeep_model::access::Role;
use wardkeep_model::access::naming::{NameFault, checked_name};
use wardkeep_model::confidential::Phi;
use wardkeep_model::keeping::NewPerson;

/// Most rows of one list.
pub const ROWS_MAX: usize = 500;
/// Largest file, in bytes.
pub const BYTES_MAX: u64 = 1024 * 1024;

/// Why a list cannot be read at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListError {
    /// There is no column of this name in the first line.
    #[error("the first line has no column \"{0}\"")]
    ColumnMissing(&'static str),
    /// It has no rows.
    #[error("the list is empty")]
    Empty,
    /// It has too many rows.
    #[error("the list has more than {ROWS_MAX} people")]
    TooLong,
}

/// Why one row is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RowError {
    /// It is not CSV, or not UTF-8.
    #[error("the line cannot be read")]
    Malformed,
    /// The name is missing or too long.
    #[error("the name is missing, too long, or has control characters")]
    Name,
    /// No such role.
    #[error("the role is not nurse, caregiver, it or auditor")]
    Role,
    /// Not one to three letters.
    #[error("initials are one to three letters")]
    Initials,
    /// Not a day, or past.
    #[error("valid_until is not a coming day as YYYY-MM-DD")]
    Day,
    /// A row further up has the same name.
    #[error("the name is in the list already")]
    Repeated,
}

/// One row of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Line in the file, from 1.
    pub line: u64,
    /// The person, or why they are not added.
    pub person: Result<NewPerson, RowError>,
}

#[derive(Deserialize)]
struct Columns {
    name: String,
    role: String,
    #[serde(default)]
    initials: Option<String>,
    #[serde(default)]
    valid_until: Option<String>,
}

/// Reads a list.
///
/// # Errors
/// The list as a whole cannot be used; what is wrong with single rows stands in the rows.
pub fn read(content: &[u8], today: Date) -> Result<Vec<Row>, ListError> {
    let content = content.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(content);
    // The reader counts a line only once it has met its line feed.
    let lines = content.split(|byte| *byte == b'\n');
    let lines: Vec<&[u8]> = lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line)).collect();
    let content = lines.join(&b'\n');
    let head = content.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let delimiter = if head.contains(&b';') { b';' } else { b',' };
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .trim(csv::Trim::All)
        .flexible(true)
        .from_reader(content.as_slice());
    let headers = reader.byte_headers().cloned().unwrap_or_default();
    for column in ["name", "role"] {
        if !headers.iter().any(|header| header == column.as_bytes()) {
            return Err(ListError::ColumnMissing(column));
        }
    }
    let mut rows: Vec<Row> = Vec::new();
    let mut record = csv::StringRecord::new();
    let text_headers = csv::StringRecord::from_byte_record_lossy(headers);
    loop {
        let line = reader.position().line();
        let person = match reader.read_record(&mut record) {
            Ok(false) => break,
            Ok(true) => {
                let parsed = record.deserialize::<Columns>(Some(&text_headers));
                parsed.map_err(|_| RowError::Malformed).and_then(|columns| person(columns, today))
            }
            Err(_) => Err(RowError::Malformed),
        };
        if rows.len() >= ROWS_MAX {
            return Err(ListError::TooLong);
        }
        let line = record.position().map_or(line, csv::Position::line);
        let repeated = person.as_ref().is_ok_and(|new| {
            rows.iter().flat_map(|row| &row.person).any(|one| same_name(one, new))
        });
        let person = if repeated { Err(RowError::Repeated) } else { person };
        rows.push(Row { line, person });
    }
    if rows.is_empty() { Err(ListError::Empty) } else { Ok(rows) }
}

fn same_name(one: &NewPerson, other: &NewPerson) -> bool {
    one.name.reveal().to_lowercase() == other.name.reveal().to_lowercase()
}

fn person(columns: Columns, today: Date) -> Result<NewPerson, RowError> {
    let role = role(&columns.role).ok_or(RowError::Role)?;
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    let day = given(columns.valid_until).map(|text| text.parse::<Date>()).transpose();
    let valid_until = day.map_err(|_| RowError::Day)?;
    if valid_until.is_some_and(|day| day < today) {
        return Err(RowError::Day);
    }
    named(&columns.name, given(columns.initials).as_deref(), role, valid_until)
}

/// A person from a typed name; initials are made from the name when there are none.
///
/// # Errors
/// The name or the initials cannot be used.
pub fn named(
    name: &str,
    initials: Option<&str>,
    role: Role,
    valid_until: Option<Date>,
) -> Result<NewPerson, RowError> {
    let name = Phi::new(name.trim().to_owned());
    let initials = initials.unwrap_or_default();
    let checked = checked_name(&name, initials);
    let (name, initials) = checked.map_err(|fault| match fault {
        NameFault::Name => RowError::Name,
        NameFault::Initials => RowError::Initials,
    })?;
    Ok(NewPerson { name, initials, role, valid_until })
}

/// The words of the roles.
pub const ROLES: Words<Role> = &[
    ("nurse", Role::Nurse),
    ("caregiver", Role::Caregiver),
    ("it", Role::It),
    ("auditor", Role::Auditor),
];

/// The role that a list names, in small or large letters.
fn role(word: &str) -> Option<Role> {
    ROLES.iter().find(|(known, _)| known.eq_ignore_ascii_case(word)).map(|(_, role)| *role)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    const TODAY: Date = date(2026, 11, 22);

    fn told(text: &str) -> Vec<(u64, String)> {
        let rows = read(text.as_bytes(), TODAY).expect("a list");
        let word = |row: Row| match row.person {
            Ok(new) => format!("{} {:?} {:?}", new.initials, new.role, new.valid_until),
            Err(fault) => fault.to_string(),
        };
        rows.into_iter().map(|row| (row.line, word(row))).collect()
    }

    #[test]
    fn rows_are_judged_one_by_one() {
        let list = "role;Name;x\n";
        assert_eq!(read(list.as_bytes(), TODAY), Err(ListError::ColumnMissing("name")));
        assert_eq!(read(b"", TODAY), Err(ListError::ColumnMissing("name")));
        assert_eq!(read(b"name,role\n", TODAY), Err(ListError::Empty));
        assert_eq!(
            told(
                "name,role,initials,valid_until\n\"Kone, Amara\",Nurse,AK,\nJörg Weißmüller,IT,,2027-01-31\n\
                 ,nurse,,\nBea Ott,porter,,\nCy Dorn,auditor,ABCD,\nDi Falk,nurse,,2026-11-21\n\
                 Di Falk,nurse,,31.12.2027\njörg weissmüller,nurse,,\nJÖRG WEIßMÜLLER,nurse,,\nEv\n"
            ),
            [
                (2, "AK Nurse None".to_owned()),
                (3, "JW It Some(2027-01-31)".to_owned()),
                (4, RowError::Name.to_string()),
                (5, RowError::Role.to_string()),
                (6, RowError::Initials.to_string()),
                (7, RowError::Day.to_string()),
                (8, RowError::Day.to_string()),
                (9, "JW Nurse None".to_owned()),
                (10, RowError::Repeated.to_string()),
                (11, RowError::Malformed.to_string()),
            ]
        );
    }

    #[test]
    fn a_spreadsheet_s_semicolons_and_byte_order_mark_are_read() {
        assert_eq!(
            told("\u{FEFF}name;role\r\nAmara Kone;caregiver\r\n"),
            [(2, "AK Caregiver None".to_owned())]
        );
    }

    #[test]
    fn a_line_that_is_not_utf_8_spoils_only_itself() {
        let rows = read(b"name,role\nA\xFF B,nurse\nCy Dorn,nurse\n", TODAY).expect("a list");
        assert_eq!(rows[0].person, Err(RowError::Malformed));
        assert!(rows[1].person.is_ok());
    }

    #[test]
    fn more_people_than_a_cart_holds_are_refused_as_a_whole() {
        let mut list = String::from("name,role\n");
        (0..=ROWS_MAX).for_each(|n| list.push_str(&format!("Person {n},nurse\n")));
        assert_eq!(read(list.as_bytes(), TODAY), Err(ListError::TooLong));
    }

    proptest! {
        #[test]
        fn any_bytes_are_judged(content in prop::collection::vec(any::<u8>(), 0..600)) {
            if let Ok(rows) = read(&content, TODAY) {
                prop_assert!(rows.len() <= ROWS_MAX);
            }
        }

        #[test]
        fn any_rows_are_judged(body in "([a-zA-Z;, \"\\PC]{0,40}\n){0,12}") {
            if let Ok(rows) = read(format!("name,role\n{body}").as_bytes(), TODAY) {
                prop_assert!(!rows.is_empty());
            }
        }
    }
}
