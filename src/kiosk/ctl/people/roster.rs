//! A list of people as CSV: what IT imports, judged row by row.
//!
//! Pure and total. Columns by name, in any order: `name`, `role`, and optionally `initials` and
//! `valid_until` (`YYYY-MM-DD`). Any text that [`Text`] reads, with commas, semicolons or tabs, with or without
//! quotes.

use std::collections::HashSet;

use jiff::civil::Date;

use crate::ctl::args::Words;
use crate::text::Text;
use wardkeep_model::access::Role;
use wardkeep_model::access::naming::{NameFault, checked_name};
use wardkeep_model::confidential::Phi;
use wardkeep_model::keeping::NewPerson;
use wardkeep_model::untrusted;

/// Most rows of one list.
pub const ROWS_MAX: usize = 500;
/// Largest file, in bytes.
pub const BYTES_MAX: u64 = 1024 * 1024;

/// Why a list cannot be read at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListError {
    /// There is no column of this name in the first line.
    #[error("the first line has no column \"{missing}\"; its columns are {}", quoted(.found))]
    ColumnMissing {
        /// Which.
        missing: &'static str,
        /// Those that are there.
        found: Vec<String>,
    },
    /// It has no rows.
    #[error("the list is empty")]
    Empty,
    /// It has too many rows.
    #[error("the list has more than {ROWS_MAX} people")]
    TooLong,
}

fn quoted(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    if quoted.is_empty() { "none".to_owned() } else { quoted.join(", ") }
}

/// Why one row is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RowError {
    /// A field that begins with a quotation mark has no end.
    #[error("a quotation mark is not closed")]
    Quote,
    /// It is not UTF-8, in a list that is.
    #[error("a letter cannot be read: save the list as UTF-8")]
    Letter,
    /// A column is missing.
    #[error("the line has too few columns")]
    Short,
    /// The name is missing or too long.
    #[error("the name is missing or too long")]
    Name,
    /// The name has characters that deceive.
    #[error("the name has characters that hide or reorder text: type it again")]
    Deceptive,
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
    pub line: usize,
    /// The person, or why they are not added.
    pub person: Result<NewPerson, RowError>,
}

/// Which column is the n-th; those that nothing is known of are passed over.
struct Columns {
    name: usize,
    role: usize,
    initials: Option<usize>,
    valid_until: Option<usize>,
}

impl Columns {
    fn of(head: &[String]) -> Result<Self, ListError> {
        // As people and spreadsheets head them: "Valid until", "valid_until", "VALID-UNTIL".
        let plain = |name: &str| {
            let words = name.split(|c: char| c.is_whitespace() || c == '_' || c == '-');
            words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join("_").to_lowercase()
        };
        let place = |wanted: &str| head.iter().position(|name| plain(name) == wanted);
        let found = || head.iter().filter(|name| !name.is_empty()).cloned().collect();
        let needed = |missing| {
            place(missing).ok_or_else(|| ListError::ColumnMissing { missing, found: found() })
        };
        Ok(Self {
            name: needed("name")?,
            role: needed("role")?,
            initials: place("initials"),
            valid_until: place("valid_until"),
        })
    }
}

/// Reads a list. Every line is judged by itself: what is wrong with one says nothing of the next.
///
/// # Errors
/// The list as a whole cannot be used; what is wrong with single rows stands in the rows.
pub fn read(content: &[u8], today: Date) -> Result<Vec<Row>, ListError> {
    let text = Text::of(content);
    let mut lines = text.as_str().lines().zip(1..).peekable();
    // What spreadsheets write to tell each other the delimiter.
    let told = lines.next_if(|(line, _)| line.to_ascii_lowercase().starts_with("sep="));
    let told = told.and_then(|(line, _)| line.as_bytes().get(4).copied());
    let head = lines.find(|(line, _)| !line.trim().is_empty()).map_or("", |(line, _)| line);
    let delimiter = told.unwrap_or_else(|| {
        *[b';', b'\t'].iter().find(|one| head.as_bytes().contains(one)).unwrap_or(&b',')
    });
    let columns = Columns::of(&fields(head, delimiter).unwrap_or_default())?;
    let (mut rows, mut called) = (Vec::new(), HashSet::new());
    for (text, line) in lines {
        let person = match fields(text, delimiter) {
            Some(fields) if fields.iter().all(String::is_empty) => continue,
            Some(fields) => person(&fields, &columns, today),
            None => Err(RowError::Quote),
        };
        if rows.len() >= ROWS_MAX {
            return Err(ListError::TooLong);
        }
        let person = person.and_then(|new| {
            let is_new = called.insert(untrusted::comparable(new.name.reveal()));
            if is_new { Ok(new) } else { Err(RowError::Repeated) }
        });
        rows.push(Row { line, person });
    }
    if rows.is_empty() { Err(ListError::Empty) } else { Ok(rows) }
}

/// The fields of one line without blanks around them (RFC 4180); `None` if a quotation mark is not closed.
/// A name has no line breaks, so no field goes on in the next line.
fn fields(line: &str, delimiter: u8) -> Option<Vec<String>> {
    if !line.matches('"').count().is_multiple_of(2) {
        return None;
    }
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .trim(csv::Trim::All)
        .has_headers(false)
        .flexible(true)
        .from_reader(line.as_bytes());
    let mut record = csv::StringRecord::new();
    // A line without anything in it has no record.
    reader.read_record(&mut record).ok()?;
    Some(record.iter().map(str::to_owned).collect())
}

fn person(fields: &[String], columns: &Columns, today: Date) -> Result<NewPerson, RowError> {
    let field = |place: usize| fields.get(place).map(String::as_str);
    let given = |place: Option<usize>| place.and_then(field).filter(|text| !text.is_empty());
    if fields.iter().any(|field| field.contains(char::REPLACEMENT_CHARACTER)) {
        return Err(RowError::Letter);
    }
    let name = field(columns.name).ok_or(RowError::Short)?;
    let role = role(field(columns.role).ok_or(RowError::Short)?).ok_or(RowError::Role)?;
    let day = given(columns.valid_until).map(str::parse::<Date>).transpose();
    let valid_until = day.map_err(|_| RowError::Day)?;
    if valid_until.is_some_and(|day| day < today) {
        return Err(RowError::Day);
    }
    named(name, given(columns.initials), role, valid_until)
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
    let name = Phi::new(name.to_owned());
    let initials = initials.unwrap_or_default();
    let checked = checked_name(&name, initials);
    let (name, initials) = checked.map_err(|fault| match fault {
        NameFault::Name => RowError::Name,
        NameFault::Deceptive => RowError::Deceptive,
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

    fn told(text: impl AsRef<[u8]>) -> Vec<(usize, String)> {
        let rows = read(text.as_ref(), TODAY).expect("a list");
        let word = |row: Row| match row.person {
            Ok(new) => format!("{} {:?} {:?}", new.initials, new.role, new.valid_until),
            Err(fault) => fault.to_string(),
        };
        rows.into_iter().map(|row| (row.line, word(row))).collect()
    }

    #[test]
    fn rows_are_judged_one_by_one() {
        let missing = |list: &str| read(list.as_bytes(), TODAY).unwrap_err().to_string();
        assert_eq!(
            missing("role;Full name;x\n"),
            "the first line has no column \"name\"; its columns are \"role\", \"Full name\", \"x\""
        );
        assert_eq!(missing(""), "the first line has no column \"name\"; its columns are none");
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
                (11, RowError::Short.to_string()),
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
        assert!(rows[0].person.is_ok(), "Windows-1252, if nothing else");
        let rows = read(
            "name,role\nA\u{f6},nurse\n"
                .bytes()
                .chain(*b"A\xFF B,nurse\nCy Dorn,nurse\n")
                .collect::<Vec<_>>()
                .as_slice(),
            TODAY,
        )
        .expect("a list");
        assert_eq!(rows[1].person, Err(RowError::Letter));
        assert!(rows[2].person.is_ok());
    }

    /// The cases of lists that other programs have lost rows or doubled people of.
    #[test]
    fn lists_from_elsewhere_are_read_line_by_line() {
        let (nurse, quote, role) =
            ("Nurse None", RowError::Quote.to_string(), RowError::Role.to_string());
        let people_1 =
            "name,role\n\"Kone, Amara,nurse\nBea Ott,nurse\nCy Dorn,it\nDi Falk,auditor\n";
        assert_eq!(
            told(people_1),
            [
                (2, quote),
                (3, format!("BO {nurse}")),
                (4, "CD It None".into()),
                (5, "DF Auditor None".into())
            ]
        );
        let people_2 = "name,role\nAmara Kone,nurse\nBea Ott,porter\n";
        assert_eq!(told(people_2), [(2, format!("AK {nurse}")), (3, role)]);
        let people_3 = "name,role\nJo\u{308}rg Kern,nurse\nJ\u{f6}rg  Kern,nurse\n";
        let repeated = RowError::Repeated.to_string();
        assert_eq!(told(people_3), [(2, format!("JK {nurse}")), (3, repeated)]);
        let people_4 = "name,role\n\u{202E}enoK aramA,nurse\nAmara Kone,nurse\n";
        assert_eq!(
            told(people_4),
            [(2, RowError::Deceptive.to_string()), (3, format!("AK {nurse}"))]
        );
        let people_5 = b"name;role;initials;valid_until\r\nJ\xF6rg Wei\xDFm\xFCller;nurse;;\r\nAmara Kone;nurse;;\r\n";
        assert_eq!(told(people_5), [(2, format!("JW {nurse}")), (3, format!("AK {nurse}"))]);
        let people_6 = "Name,Role,Initials,Valid until\nAmara Kone,nurse,,2027-01-31\n";
        assert_eq!(told(people_6), [(2, "AK Nurse Some(2027-01-31)".into())]);
        let people_7 = "name;role\r\nAmara Kone;nurse\r\n;\r\n;\r\n;;;;\r\n";
        assert_eq!(told(people_7), [(2, format!("AK {nurse}"))]);
        let people_8 = "name,role\rAmara Kone,nurse\rBea Ott,it\r";
        assert_eq!(told(people_8), [(2, format!("AK {nurse}")), (3, "BO It None".into())]);
        let tabs = "sep=\t\r\nName\tRole\r\nAmara Kone\tnurse\r\n";
        assert_eq!(told(tabs), [(3, format!("AK {nurse}"))]);
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
            let text = format!("name,role\n{body}");
            let Ok(rows) = read(text.as_bytes(), TODAY) else { return Ok(()) };
            // No row is lost: each line with something in it is answered.
            let answered: HashSet<usize> = rows.iter().map(|row| row.line).collect();
            for (line, number) in text.lines().zip(1..).skip(1) {
                let is_said = line.chars().any(|c| c.is_alphanumeric());
                prop_assert!(!is_said || answered.contains(&number), "{}", number);
            }
        }
    }
}
