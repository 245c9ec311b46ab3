//! Devices that deviate from their profile, as data: a name and what it does differently.
//!
//! A row needs a capture that shows the deviation. A cuff without a row whose pulse would be possible
//! only with its bytes exchanged is not guessed at: its pulse is withheld and
//! [`crate::vitals::gatt::Note::PulseByteOrderSuspect`] offers the quirk to a person.

/// Deviations that the decoders know how to undo.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quirks {
    /// The cuff sends pulse and measurement status big-endian, and the user index although its flag is
    /// clear.
    pub swapped_cuff_tail: bool,
}

struct Row {
    /// How the model is spelt in advertised names and in Device Information, upper case.
    spellings: &'static [&'static str],
    quirks: Quirks,
}

/// BM85: four frames recorded from one (blood-pressure-monitor-fl, pull requests 735 and 737).
const ROWS: &[Row] =
    &[Row { spellings: &["BM85", "BM 85", "BM-85"], quirks: Quirks { swapped_cuff_tail: true } }];

impl Quirks {
    /// The deviations of a device with this advertised name and this model number.
    pub fn of(name: Option<&str>, model: Option<&str>) -> Self {
        let said = [name, model].map(|text| text.unwrap_or_default().to_ascii_uppercase());
        let row = ROWS.iter().find(|row| {
            row.spellings.iter().any(|model| said.iter().any(|text| names_model(text, model)))
        });
        row.map(|row| row.quirks).unwrap_or_default()
    }
}

/// Whether `text` holds `model` and not a longer number that begins like it: BM850 is no BM85.
fn names_model(text: &str, model: &str) -> bool {
    text.match_indices(model).any(|(at, found)| {
        let after = text.get(at + found.len()..).unwrap_or_default();
        !after.starts_with(|c: char| c.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_found_in_name_or_model() {
        for (name, model, swapped) in [
            (Some("BM85"), None, true),
            (None, Some("Beurer BM 85"), true),
            (Some("bm-85 1F3A"), None, true),
            (Some("BM850"), None, false),
            (Some("BM54"), Some("BM54"), false),
            (None, None, false),
        ] {
            assert_eq!(Quirks::of(name, model).swapped_cuff_tail, swapped, "{name:?} {model:?}");
        }
    }
}
