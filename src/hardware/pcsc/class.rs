//! What kind of reader it is, by its name: PC/SC itself does not say.

/// What a reader's name says about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Reads badges in its field.
    Contactless,
    /// Takes cards with contacts.
    Contact,
    /// Holds a security module, never a person's card.
    Internal,
    /// The name does not tell.
    Unknown,
}

/// Words of the name, whole ones: a maker called Samsung sells no security modules.
pub(super) fn class(name: &str) -> Class {
    let name = name.to_ascii_lowercase();
    let has = |words: &[&str]| {
        name.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| words.contains(&word))
    };
    if has(&["sam"]) {
        Class::Internal
    } else if has(&["picc", "contactless", "cl", "nfc", "rfid"]) {
        Class::Contactless
    } else if has(&["icc", "contact"]) {
        Class::Contact
    } else {
        Class::Unknown
    }
}

/// Whether a reader of this PC/SC name takes cards with contacts; `None` if the name does not tell.
pub fn takes_cards(name: &str) -> Option<bool> {
    match class(name) {
        Class::Contact => Some(true),
        Class::Contactless | Class::Internal => Some(false),
        Class::Unknown => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_tells_the_class_where_it_can() {
        for (name, expected) in [
            ("ACS ACR1281 1S Dual Reader [ACR1281 1S Dual Reader PICC] 01 00", Class::Contactless),
            ("ACS ACR1281 1S Dual Reader [ACR1281 1S Dual Reader ICC] 00 00", Class::Contact),
            ("ACS ACR1281 1S Dual Reader [ACR1281 1S Dual Reader SAM] 02 00", Class::Internal),
            (
                "Identiv uTrust 4701 F Dual Interface Reader [uTrust 4701 F CL Reader] 00 01",
                Class::Contactless,
            ),
            (
                "Identiv uTrust 4701 F Dual Interface Reader [uTrust 4701 F Contact Reader] 00 00",
                Class::Contact,
            ),
            ("Identive CLOUD 4700 F Contactless Reader 00 00", Class::Contactless),
            ("HID Global OMNIKEY 5022 Smart Card Reader 00 00", Class::Unknown),
            ("Samsung Reader 00 00", Class::Unknown),
            ("", Class::Unknown),
        ] {
            assert_eq!(class(name), expected, "{name}");
        }
    }
}
