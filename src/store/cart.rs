//! The cart compartment: what the kiosk must know after a power cut with nobody there.
//!
//! One AEAD file under the device secret: links and assignments by opaque subject, the people's slots
//! and initials, the keyed badge index and the lockout tallies. No patient data and no names.
//!
//! S-5: the tallies live here, and [`Cart::save`] is durable when it returns. Known and unknown badges
//! are counted in the same way. What a restored older copy of this file cannot hide is that it is
//! older: `generation` rises with every write and the vault remembers the highest one it saw.

use std::path::Path;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::device_secret::DeviceKeys;
use super::keyslot::SlotInfo;
use super::primitives::{open, seal};
use super::{CartState, StoreFault, durable};
use crate::moment::BootTime;
use crate::session::factor::CardPeer;
use crate::session::lockout::{BootId, Tally};
use crate::session::{OperatorId, Role};

const FILE: &str = "cart";
const FILE_MAX: u64 = 4 * 1024 * 1024;
const AAD: &[u8] = b"wardkeep cart v1";
/// Tallies of badges that nobody enrolled; the one counted longest ago makes room.
const STRANGERS_MAX: usize = 256;

/// A person who may unlock, once a token is enrolled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Opaque identity.
    pub id: OperatorId,
    /// Two or three letters.
    pub initials: String,
    /// What they may do.
    pub role: Role,
    /// Last day on which they may log in.
    pub valid_until: Option<Date>,
    /// The PIN of their badges is a one-time code that was issued at this time.
    pub code_since: Option<Timestamp>,
    /// What they have: badges and cards.
    pub tokens: Vec<TokenSlot>,
}

/// An enrolled token and the slot that it opens together with its PIN.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenSlot {
    /// Keyed index of the badge or the card.
    pub index: [u8; 32],
    /// The slot.
    pub slot: SlotInfo,
    /// What a card agrees with; `None` for a badge.
    pub peer: Option<CardPeer>,
    /// When it was enrolled.
    pub since: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Counted {
    badge: [u8; 32],
    tally: Tally,
}

/// The cart compartment's content.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cart {
    /// How often it was written.
    pub generation: u64,
    /// The part that the core owns.
    pub state: CartState,
    /// Everybody who may unlock.
    pub people: Vec<Person>,
    counted: Vec<Counted>,
}

impl Cart {
    /// Reads and opens the compartment.
    ///
    /// # Errors
    /// `Damaged` if it is missing, altered or of another machine.
    pub fn load(dir: &Path, keys: &DeviceKeys) -> Result<Self, StoreFault> {
        let sealed = durable::read(&dir.join(FILE), FILE_MAX)?.ok_or(StoreFault::Damaged)?;
        let content = open(&keys.cart(), AAD, &sealed).ok_or(StoreFault::Damaged)?;
        serde_json::from_slice(&content).map_err(|_| StoreFault::Damaged)
    }

    /// Writes the compartment; durable when it returns.
    ///
    /// # Errors
    /// As writing a file; then the old content is still there.
    pub fn save(&mut self, dir: &Path, keys: &DeviceKeys) -> Result<(), StoreFault> {
        self.generation += 1;
        let content = serde_json::to_vec(self).map_err(|_| StoreFault::Io)?;
        durable::replace(dir, FILE, &seal(&keys.cart(), AAD, &content)?)
    }

    /// Whose token this is, and its slot.
    pub fn token(&self, index: &[u8; 32]) -> Option<(&Person, &TokenSlot)> {
        self.people.iter().find_map(|person| {
            let token = person.tokens.iter().find(|token| token.index == *index)?;
            Some((person, token))
        })
    }

    /// The tally of a badge as stored.
    pub fn tally(&self, badge: &[u8; 32]) -> Option<Tally> {
        self.counted.iter().find(|counted| counted.badge == *badge).map(|counted| counted.tally)
    }

    /// Stores a tally in memory; [`Cart::save`] makes it durable.
    pub fn set_tally(&mut self, badge: &[u8; 32], tally: Tally) {
        self.counted.retain(|counted| counted.badge != *badge);
        self.counted.push(Counted { badge: *badge, tally });
        let known = |counted: &Counted| self.token(&counted.badge).is_some();
        let strangers = self.counted.iter().filter(|counted| !known(counted)).count();
        if strangers > STRANGERS_MAX
            && let Some(oldest) = self.counted.iter().position(|counted| !known(counted))
        {
            self.counted.remove(oldest);
        }
    }

    /// The tally of a badge, with a delay restarted in full after a restart of the machine. True if
    /// that has to be saved.
    pub fn rebased(&self, badge: &[u8; 32], now: BootTime, boot: BootId) -> (Tally, bool) {
        let mut tally = self.tally(badge).unwrap_or(Tally::new(now, boot));
        let changed = tally.rebase(now, boot);
        (tally, changed)
    }
}

#[cfg(test)]
mod tests {
    use super::super::primitives::Key;
    use super::*;
    use crate::session::policy::Pair;
    use std::fs;

    const BOOT: BootId = BootId(1);

    fn once() -> Tally {
        let mut tally = Tally::new(BootTime::default(), BOOT);
        tally.count(BootTime::default(), BOOT);
        tally
    }

    fn nurse(badge: [u8; 32]) -> Person {
        let slot = SlotInfo::new(Pair::BadgePin).unwrap();
        let since = Timestamp::UNIX_EPOCH;
        let tokens = vec![TokenSlot { index: badge, slot, peer: None, since }];
        let (id, initials, role) = (OperatorId(1), "ab".to_owned(), Role::Nurse);
        Person { id, initials, role, valid_until: None, code_since: None, tokens }
    }

    #[test]
    fn s5_tallies_survive_and_a_killed_write_leaves_the_old_ones() {
        let dir = tempfile::tempdir().unwrap();
        let keys = DeviceKeys::new(Key::random().unwrap());
        let mut cart = Cart { people: vec![nurse([9; 32])], ..Cart::default() };
        cart.set_tally(&[9; 32], once());
        cart.save(dir.path(), &keys).unwrap();
        fs::write(dir.path().join(".tmp-cart"), b"half of it").unwrap();
        let read = Cart::load(dir.path(), &keys).unwrap();
        assert_eq!(read, cart);
        assert_eq!(read.tally(&[9; 32]).unwrap().failures(), 1);
        assert_eq!(read.generation, 1);
    }

    #[test]
    fn every_altered_or_cut_cart_is_damaged() {
        let dir = tempfile::tempdir().unwrap();
        let keys = DeviceKeys::new(Key::random().unwrap());
        Cart { people: vec![nurse([9; 32])], ..Cart::default() }.save(dir.path(), &keys).unwrap();
        let path = dir.path().join(FILE);
        let whole = fs::read(&path).unwrap();
        for index in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[index] ^= 4;
            for content in [&flipped[..], &whole[..index]] {
                fs::write(&path, content).unwrap();
                assert_eq!(Cart::load(dir.path(), &keys), Err(StoreFault::Damaged), "{index}");
            }
        }
    }

    #[test]
    fn s5_strangers_are_bounded_and_never_push_out_a_person() {
        let mut cart = Cart { people: vec![nurse([0xff; 32])], ..Cart::default() };
        cart.set_tally(&[0xff; 32], once());
        for number in 0..1_000_u32 {
            let mut badge = [0; 32];
            badge[..4].copy_from_slice(&number.to_be_bytes());
            cart.set_tally(&badge, once());
        }
        assert_eq!(cart.counted.len(), STRANGERS_MAX + 1);
        assert_eq!(cart.tally(&[0xff; 32]).unwrap().failures(), 1);
    }
}
