//! A device's services and characteristics as BlueZ lists them, and their digest.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};
use uuid::Uuid;

use wardkeep_model::ports::TableDigest;

/// Services and characteristics by where they stand below the device: BlueZ writes the handle into the
/// path, as in `service000a/char000c`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Table(BTreeMap<String, Uuid>);

impl Table {
    /// Adds what stands at `place`, e.g. `service000a` or `service000a/char000c`.
    pub(super) fn add(&mut self, place: &str, uuid: Uuid) {
        self.0.insert(place.to_owned(), uuid);
    }

    /// Nothing was listed.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Where this characteristic of one of these services stands, if it is there once.
    pub(super) fn place(&self, services: &[Uuid], characteristic: Uuid) -> Option<&str> {
        let mut found = self.0.iter().filter(|(place, uuid)| {
            let service = place.split_once('/').and_then(|(service, _)| self.0.get(service));
            **uuid == characteristic && service.is_some_and(|one| services.contains(one))
        });
        let (place, _) = found.next()?;
        found.next().is_none().then_some(place.as_str())
    }

    /// Every place with its UUID, in the order of the places: the same table always gives the same.
    pub(super) fn digest(&self) -> TableDigest {
        let mut hash = Sha256::new();
        for (place, uuid) in &self.0 {
            // A place holds no zero byte, so where it ends is unambiguous.
            hash.update(place.as_bytes());
            hash.update([0]);
            hash.update(uuid.as_bytes());
        }
        TableDigest(hash.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ble::profile::sig;

    fn table(rows: &[(&str, u16)]) -> Table {
        let mut table = Table::default();
        for (place, number) in rows {
            table.add(place, sig(*number));
        }
        table
    }

    const OXIMETER: [(&str, u16); 4] = [
        ("service000a", 0x1822),
        ("service000a/char000b", 0x2A5F),
        ("service0020", 0x180F),
        ("service0020/char0021", 0x2A19),
    ];

    #[test]
    fn the_order_of_listing_changes_nothing_and_everything_else_does() {
        let digest = |rows: &[(&str, u16)]| table(rows).digest();
        let mut backwards = OXIMETER;
        backwards.reverse();
        assert_eq!(digest(&OXIMETER), digest(&backwards));
        for at in 0..OXIMETER.len() {
            let mut moved = OXIMETER;
            moved[at].0 = "service0030/char0031";
            let mut other = OXIMETER;
            other[at].1 ^= 1;
            let mut fewer = OXIMETER.to_vec();
            fewer.remove(at);
            for changed in [&moved[..], &other, &fewer] {
                assert_ne!(digest(changed), digest(&OXIMETER), "{changed:?}");
            }
        }
        assert!(table(&[]).is_empty() && !table(&OXIMETER).is_empty());
    }

    #[test]
    fn a_characteristic_is_found_in_its_service_and_only_if_there_is_one() {
        let mut rows = OXIMETER.to_vec();
        let place = |rows: &[(&str, u16)]| {
            table(rows).place(&[sig(0x1822)], sig(0x2A5F)).map(str::to_owned)
        };
        assert_eq!(place(&rows).as_deref(), Some("service000a/char000b"));
        rows.push(("service0020/char0022", 0x2A5F));
        assert_eq!(place(&rows).as_deref(), Some("service000a/char000b"), "another's is another's");
        rows.push(("service000a/char000d", 0x2A5F));
        assert_eq!(place(&rows), None);
        assert_eq!(table(&rows).place(&[sig(0x1822)], sig(0x2A52)), None);
    }
}
