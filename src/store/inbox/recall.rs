//! What the inbox notes of every part of the store, and takes over from what was noted.

use crate::cart::Counted;
use crate::inbox::Inbox;
use crate::inbox::seen::Seen;
use crate::inbox::state::State;
use crate::keys::ring::Keyring;
use crate::machine::device_secret::DeviceKeys;
use wardkeep_model::keeping::{Finding, FindingKind, StoreFault};

impl Inbox {
    /// Takes over what the files beside the store's parts say of later ones than these, and notes it.
    pub(super) fn recall(&mut self) {
        let Some(seen) = &self.recalled.seen else { return };
        let (found, expected) = (self.state.0, seen.state);
        if found < expected {
            let finding = Finding::of(FindingKind::InboxOlder, 1);
            let (found, expected) = (Some(found), Some(expected));
            self.recalled.findings.push(Finding { found, expected, ..finding });
        }
        self.state.0 = found.max(expected);
        self.cart_generation = self.cart_generation.max(seen.cart);
        for counted in &seen.counted {
            let known = |other: &&mut Counted| other.is_of_same(counted);
            match self.counted.iter_mut().find(known) {
                Some(other) if other.failures() >= counted.failures() => {}
                Some(other) => *other = *counted,
                None => self.counted.push(*counted),
            }
        }
        if seen.epoch == self.keyring.1 {
            self.vault = self.vault.later(seen.vault);
        }
    }

    /// What the files beside the store's parts say; what is wrong with them is given once.
    pub fn recalled(&mut self) -> (Option<&Seen>, Vec<Finding>) {
        let findings = std::mem::take(&mut self.recalled.findings);
        (self.recalled.seen.as_ref(), findings)
    }

    /// Writes down where everything is, and goes on from there. What was found wrong has to be kept before: it
    /// is not found a second time.
    ///
    /// # Errors
    /// As writing a file.
    pub fn begin(&mut self) -> Result<(), StoreFault> {
        self.write_state()?;
        let now = self.now();
        self.seen.write_anew(now);
        Ok(())
    }

    /// Where every part is.
    fn now(&self) -> Seen {
        let (keyring, epoch) = self.keyring;
        let now = Seen {
            cart: self.cart_generation,
            keyring,
            epoch,
            state: self.state.0,
            values: self.values.seen(),
            waves: self.waves.seen(),
            vault: self.vault,
            ..Seen::default()
        };
        now.with_counted(self.counted.clone())
    }

    /// Writes where every part is beside all of them, if something has changed.
    pub fn note(&mut self) {
        let now = self.now();
        self.seen.write(now);
    }

    /// How often that was done.
    pub fn noted(&self) -> u64 {
        self.seen.count()
    }

    /// How often that was done when it was synced last: what another file may durably say of it.
    pub fn noted_durably(&self) -> u64 {
        self.seen.synced()
    }

    /// A keyring of this number is live.
    pub fn remember_keyring(&mut self, generation: u64) {
        self.keyring.0 = generation;
    }

    /// Whether what this program wrote last lies there still; what does not is written again, and told.
    ///
    /// # Errors
    /// As reading or writing files.
    pub fn look_again(
        &mut self,
        keys: &DeviceKeys,
        ring: &Keyring,
    ) -> Result<Vec<Finding>, StoreFault> {
        let mut findings = self.seen.put_back()?;
        let found = State::number(&self.dir, keys, ring)?;
        if found.is_none_or(|found| found < self.state.0) {
            let finding = Finding::of(FindingKind::InboxOlder, 1);
            findings.push(Finding { found, expected: Some(self.state.0), ..finding });
        }
        if !findings.is_empty() {
            self.begin()?;
        }
        Ok(findings)
    }
}
