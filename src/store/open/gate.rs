//! What trying factors needs beside the cart compartment: in memory only, gone with the program.

use std::collections::VecDeque;
use std::fs;

use crate::cart::Counter;
use crate::crypto::{KdfCost, Key, mac, random};
use crate::open::options::Options;
use crate::open::shift::Shifts;
use wardkeep_model::access::OperatorId;
use wardkeep_model::access::factor::Evidence;
use wardkeep_model::access::lockout::BootId;
use wardkeep_model::access::policy::Policy;
use wardkeep_model::keeping::StoreFault;

const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";
const WRONG_MAX: usize = 1024;

/// What the tries need beside the cart compartment; nothing of it is ever written.
pub struct Gate {
    pub(super) cost: KdfCost,
    pub(super) policy: Policy,
    pub(super) boot: BootId,
    tag_key: Key,
    wrong: VecDeque<(Counter, [u8; 32])>,
    pub(super) shifts: Shifts,
    /// Slots that were found to be of an earlier epoch.
    older: Vec<[u8; 16]>,
}

impl Gate {
    /// Nothing was tried yet.
    ///
    /// # Errors
    /// `Io` without random numbers.
    pub fn new(options: &Options) -> Result<Self, StoreFault> {
        let boot = match boot_id() {
            Some(boot) => boot,
            // An unknown start of the machine counts as another one: delays restart in full.
            None => BootId(u128::from_be_bytes(random()?)),
        };
        let (cost, policy, tag_key) = (options.cost, options.policy, Key::random()?);
        Ok(Self {
            cost,
            policy,
            boot,
            tag_key,
            wrong: VecDeque::new(),
            shifts: Shifts::default(),
            older: Vec::new(),
        })
    }

    /// What a try is remembered as.
    pub(super) fn tag(&self, index: &[u8; 32], evidence: &Evidence) -> [u8; 32] {
        let secret: &[u8] = match evidence {
            Evidence::BadgePin(_, pin) => pin.ascii(),
            Evidence::Card(_, secret) => secret.expose(),
            Evidence::Finger(..) | Evidence::Tap(_) => &[],
        };
        mac(&self.tag_key, &[index, secret])
    }

    /// These factors were wrong.
    pub(super) fn remember_wrong(&mut self, counter: Counter, tag: [u8; 32]) {
        if self.wrong.len() >= WRONG_MAX {
            self.wrong.pop_front();
        }
        self.wrong.push_back((counter, tag));
    }

    /// Forgets which factors were wrong.
    pub(super) fn forget_wrong(&mut self, counter: Counter) {
        self.wrong.retain(|(wrong, _)| *wrong != counter);
    }

    /// Whether these factors were wrong already.
    pub(super) fn was_wrong(&self, counter: Counter, tag: [u8; 32]) -> bool {
        self.wrong.contains(&(counter, tag))
    }

    /// Whether a slot is found to be of an earlier epoch for the first time.
    pub(super) fn is_first_older(&mut self, slot: [u8; 16]) -> bool {
        let is_first = !self.older.contains(&slot);
        if is_first {
            self.older.push(slot);
        }
        is_first
    }

    /// Ends a person's shift, and forgets which PINs were wrong: after a revocation, a new PIN, or a
    /// taken finger.
    pub(super) fn end_shift(&mut self, operator: OperatorId) {
        self.shifts.end(operator);
        self.forget_wrong(Counter::Person(operator));
    }
}

fn boot_id() -> Option<BootId> {
    let text = fs::read_to_string(BOOT_ID).ok()?;
    u128::from_str_radix(&text.trim().replace('-', ""), 16).ok().map(BootId)
}
