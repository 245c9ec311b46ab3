//! Whether this store is the one that it was: what is outside the disk is asked, and what lies on the disk is
//! looked at again while the program runs.
//!
//! S-5, S-8: what this run wrote, counted or used up is known to it, whatever lies in the files since.

use crate::cart::Cart;
use crate::disk::two_copies::Newer;
use crate::keys::ring::Keyring;
use crate::open::locked::{Locked, numbered};
use wardkeep_model::access::policy::Pair;
use wardkeep_model::keeping::{Finding, FindingKind, Refusal, StoreFault, Suspicion};
use wardkeep_model::moment::{BootTime, Moment};

impl Locked {
    /// Writes the cart compartment with a try that was counted, and counts it outside the disk as well.
    ///
    /// # Errors
    /// The try must not be made: it could be taken back.
    pub(super) fn save_counted(&mut self) -> Result<(), Refusal> {
        self.anchoring.note(&mut self.cart);
        self.save_cart().map_err(Refusal::Damaged)?;
        if self.anchoring.advance(&self.cart, self.inbox.noted()) {
            Ok(())
        } else {
            Err(Refusal::Suspected(Suspicion::CounterSilent))
        }
    }

    /// Compares the store with what is outside the disk and moves that on; what is wrong.
    pub fn anchor(&mut self, now: Moment) -> Vec<Finding> {
        let findings = self.anchoring.compare(&self.cart, now.boot);
        let wrong = |finding: &&Finding| {
            matches!(finding.kind, FindingKind::StoreOlder | FindingKind::AnchorReset)
        };
        if let Some(wrong) = findings.iter().find(wrong) {
            self.cart.suspected.get_or_insert(*wrong);
        }
        self.keep_findings(&findings, now);
        let trusted = self.cart.suspected.is_none();
        if trusted {
            self.anchoring.begin(&mut self.cart);
        }
        let moves = trusted && self.anchoring.note(&mut self.cart);
        let saved = if moves || !findings.is_empty() { self.save_cart() } else { Ok(()) };
        if let Err(fault) = saved {
            // The old count stands, and a later try moves it.
            tracing::warn!(%fault, "the store could not be anchored outside the disk");
            return findings;
        }
        if trusted {
            self.anchoring.advance(&self.cart, self.inbox.noted());
        }
        findings
    }

    /// Whether it is time for [`Locked::anchor`].
    pub fn anchor_is_due(&self, now: BootTime) -> bool {
        self.anchoring.is_due(now, self.inbox.noted())
    }

    /// Whether these factors may be tried on a store that something outside it speaks against.
    ///
    /// # Errors
    /// Why not.
    pub(super) fn trusted_for(&self, pair: Pair) -> Result<(), Refusal> {
        if self.cart.suspected.is_some() {
            return Err(Refusal::Suspected(Suspicion::StoreOlder));
        }
        // A card counts its own tries.
        if pair == Pair::BadgePin && self.anchoring.is_silent(&self.cart) {
            return Err(Refusal::Suspected(Suspicion::CounterSilent));
        }
        Ok(())
    }

    /// Whether the files are still those that this program wrote last; those that are not are written again and
    /// told. What was put back under a running program does not become what it goes on with.
    ///
    /// # Errors
    /// As reading or writing files.
    pub fn look_again(&mut self) -> Result<Vec<Finding>, StoreFault> {
        let dir = self.dir();
        let mut findings = Vec::new();
        let read = Cart::load(&dir, &self.keys);
        let cart = put_back(read, |cart| cart.generation, (FindingKind::CartOlder, self.saved))?;
        if !cart.is_empty() {
            self.cart.write(&dir, &self.keys)?;
        }
        let read = Keyring::load(&dir, &self.keys, &[]);
        let expected = (FindingKind::KeyringOlder, self.ring.generation);
        let keyring = put_back(read, |ring| ring.generation, expected)?;
        if !keyring.is_empty() {
            self.ring.save(&dir)?;
        }
        let inbox = self.inbox.look_again(&self.keys, &self.ring)?;
        findings.extend(cart.into_iter().chain(keyring).chain(inbox));
        Ok(findings)
    }
}

/// What is wrong with two copies that were written last under this number.
fn put_back<T>(
    read: Result<Newer<T>, StoreFault>,
    number: impl Fn(&T) -> u64,
    (kind, expected): (FindingKind, u64),
) -> Result<Vec<Finding>, StoreFault> {
    let found = match read {
        Ok(Newer { content, findings, .. }) if number(&content) >= expected => return Ok(findings),
        Ok(Newer { content, .. }) => Some(number(&content)),
        Err(StoreFault::Damaged | StoreFault::WrongDeviceSecret) => None,
        Err(fault) => return Err(fault),
    };
    Ok(vec![numbered(kind, (found, Some(expected)))])
}
