//! Which readers a site lets badges and cards be presented at.

/// `readers.only`: names of readers, or USB vendor and product as `vvvv:pppp`; without any every reader is allowed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedReaders(pub Vec<String>);

impl AllowedReaders {
    /// Whether a reader of this name is one of them. A name stands for every reader whose own begins with
    /// it, because PC/SC adds the number of the reader and of its slot.
    pub fn allows(&self, reader: &str) -> bool {
        let begins =
            |allowed: &String| reader.get(..allowed.len()).is_some_and(|start| start == allowed);
        self.0.is_empty() || self.0.iter().any(begins)
    }

    /// Whether a USB reader is one of them, by what it is called or by its vendor and product.
    pub fn allows_usb(&self, name: &str, (vendor, product): (u16, u16)) -> bool {
        let id = format!("{vendor:04x}:{product:04x}");
        self.allows(name) || self.0.iter().any(|allowed| allowed.eq_ignore_ascii_case(&id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stands_for_every_slot_of_its_reader() {
        let all = AllowedReaders::default();
        assert!(all.allows("anything") && all.allows_usb("pcProx", (1, 2)));
        let only = AllowedReaders(vec!["ACS ACR1252".into(), "0C27:3bfa".into()]);
        for (name, is_allowed) in [
            ("ACS ACR1252 Dual Reader [ACR1252 PICC] 00 00", true),
            ("ACS ACR1252", true),
            ("ACS ACR1281", false),
            ("", false),
            ("ACS ACR125\u{df}", false),
        ] {
            assert_eq!(only.allows(name), is_allowed, "{name}");
        }
        assert!(only.allows_usb("pcProx", (0x0c27, 0x3bfa)));
        assert!(!only.allows_usb("pcProx", (0x0c27, 0x3bfb)));
    }
}
