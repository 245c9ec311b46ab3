//! The form for a new person: a name, initials made from it, and a last day.

use jiff::civil::Date;

use wardkeep_model::access::Role;
use wardkeep_model::access::naming::checked_name;
use wardkeep_model::confidential::Phi;
use wardkeep_model::encounter;
use wardkeep_model::keeping::NewPerson;
use wardkeep_model::notice::Notice;

/// The form for a new person, as typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonForm {
    /// Full name; required.
    pub name: Phi<String>,
    /// Two or three letters; made from the name when empty.
    pub initials: String,
    /// What they may do.
    pub role: Role,
    /// Last day, as `YYYY-MM-DD` or `DD.MM.YYYY`; empty for no end.
    pub valid_until: String,
}

/// Accepts a form as typed.
///
/// # Errors
/// What to tell the operator: the name is missing or too long, or the day is none or lies in the past.
pub(super) fn new_person(form: &PersonForm, today: Date) -> Result<NewPerson, Notice> {
    let checked = checked_name(&form.name, &form.initials);
    let (name, initials) = checked.map_err(Notice::from)?;
    let valid_until = match form.valid_until.trim() {
        "" => None,
        text => {
            // The last day counts in full, so it may be this one.
            let day = encounter::day(text).filter(|day| *day >= today);
            Some(day.ok_or(Notice::DayWrong)?)
        }
    };
    Ok(NewPerson { name, initials, role: form.role, valid_until })
}

#[cfg(test)]
mod tests {
    use super::*;
    use wardkeep_model::access::naming::NAME_CHARS_MAX;

    fn form(name: &str, initials: &str, valid_until: &str) -> PersonForm {
        PersonForm {
            name: Phi::new(name.to_owned()),
            initials: initials.to_owned(),
            role: Role::Nurse,
            valid_until: valid_until.to_owned(),
        }
    }

    #[test]
    fn forms_are_accepted_or_refused_by_field() {
        let today: Date = "2026-11-22".parse().expect("a date");
        let long = "x".repeat(NAME_CHARS_MAX + 1);
        for (name, initials, until, expected) in [
            (" Ada Kern ", "", "", Ok(("AK", None))),
            ("Ada Kern", "ak", "", Ok(("AK", None))),
            ("\u{d6}zlem Maria \u{e4}r\u{e9}nd", "", "", Ok(("\u{d6}\u{c4}", None))),
            ("Cher", "", "", Ok(("CH", None))),
            ("Q", "", "", Ok(("Q", None))),
            ("(Ada) -Kern", "", "", Ok(("AK", None))),
            ("Ada Kern", "", "2027-01-31", Ok(("AK", Some("2027-01-31")))),
            ("Ada Kern", "", " 31.01.2027 ", Ok(("AK", Some("2027-01-31")))),
            ("Ada Kern", "", "2026-11-22", Ok(("AK", Some("2026-11-22")))),
            ("Ada Kern", "", "2026-11-21", Err(Notice::DayWrong)),
            ("Ada Kern", "", "31.02.2027", Err(Notice::DayWrong)),
            ("Ada Kern", "", "soon", Err(Notice::DayWrong)),
            ("", "AK", "", Err(Notice::NameIncomplete)),
            ("--", "", "", Err(Notice::NameIncomplete)),
            ("Ada Kern", "ABCD", "", Err(Notice::NameIncomplete)),
            ("Ada\u{7}Kern", "AK", "", Err(Notice::NameDeceptive)),
            (long.as_str(), "X", "", Err(Notice::NameIncomplete)),
        ] {
            let new = new_person(&form(name, initials, until), today);
            let got = new.map(|new| (new.initials, new.valid_until.map(|day| day.to_string())));
            let wanted = expected.map(|(i, d)| (i.to_owned(), d.map(str::to_owned)));
            assert_eq!(got, wanted, "{name} {initials} {until}");
        }
        let new = new_person(&form(&"y".repeat(NAME_CHARS_MAX), "", ""), today);
        assert!(new.is_ok());
    }
}
