//! The cart compartment: what the kiosk must know after a power cut with nobody there.
//!
//! One AEAD file under the device secret, in two copies ([`crate::disk::two_copies`]): links and assignments by
//! opaque subject, the people's slots and initials, the keyed badge index and the lockout tallies. No
//! patient data and no names.
//!
//! S-5: the tallies live here, and [`Cart::save`] is durable when it returns. Known and unknown badges
//! are counted in the same way. A restored older copy of this file cannot hide that it is older, and
//! gives no try back: `generation` rises with every write, and the head of the inbox remembers it with
//! the tallies. Older copies of all of them put back together do give tries back; only a counter outside
//! the disk could tell, and without one the protection is called reduced.

use std::path::Path;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::crypto::{Key, PublicKey};
use crate::disk::layout::CART;
use crate::disk::state_file::{Kind, StateFile};
use crate::disk::two_copies::{self, Format, Newer};
use crate::keys::keyslot::SlotInfo;
use crate::machine::anchor::Outside;
use crate::machine::device_secret::DeviceKeys;
use wardkeep_model::access::factor::CardPeer;
use wardkeep_model::access::lockout::{BootId, Tally};
use wardkeep_model::access::{OperatorId, Role};
use wardkeep_model::keeping::{CartState, Finding, FindingKind, OpenFinding, StoreFault};
use wardkeep_model::moment::BootTime;

const PLACE: &[u8] = b"wardkeep cart v1";
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
    /// The one-time code has been used. To be reset with `code_since`.
    #[serde(default)]
    pub code_used: bool,
    /// What they have: badges and cards.
    pub tokens: Vec<TokenSlot>,
    /// The store's age at which their time is over, whatever the wall clock says ([`StoreAge`]).
    #[serde(default)]
    pub over_at_us: Option<i64>,
    /// The store's age at which the one-time code is over.
    #[serde(default)]
    pub code_over_at_us: Option<i64>,
}

impl Person {
    /// Whether they may log in on this day.
    pub fn is_valid(&self, today: Date) -> bool {
        self.valid_until.is_none_or(|last| today <= last)
    }

    /// Whether they have a badge, and so a PIN.
    pub fn has_badge(&self) -> bool {
        self.tokens.iter().any(|token| token.peer.is_none())
    }
}

/// How long the store has lived ([`crate::open::age`]), and what the wall clock said then; both in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreAge {
    /// The age.
    pub us: i64,
    /// Time since 1970; zero before it was noted for the first time.
    pub wall_us: i64,
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

/// What tries are counted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Counter {
    /// A person's PIN, over all their badges.
    Person(OperatorId),
    /// One card, or a token that nobody enrolled.
    Token([u8; 32]),
}

/// With what a token opens the emergency card, alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmergencyKey {
    /// Keyed index of the token.
    pub index: [u8; 32],
    /// The card is sealed to this.
    pub public: PublicKey,
    /// The private key, sealed under the token's share.
    pub sealed: Vec<u8>,
}

/// Tries as they are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    counter: Counter,
    tally: Tally,
}

impl Counted {
    /// Tries since the last success.
    pub fn failures(&self) -> u8 {
        self.tally.failures()
    }

    /// Whether both count the tries of the same person or token.
    pub fn is_of_same(&self, other: &Counted) -> bool {
        self.counter == other.counter
    }
}

/// Who or what is taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Taken {
    /// A person with everything they have.
    Person(OperatorId),
    /// One token of a person, by its slot.
    Token(OperatorId, [u8; 16]),
}

impl Taken {
    /// Whose it is, or who.
    pub fn operator(self) -> OperatorId {
        match self {
            Taken::Person(operator) | Taken::Token(operator, _) => operator,
        }
    }
}

/// The cart compartment's content.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cart {
    /// How often it was written.
    pub generation: u64,
    /// The part that the core owns.
    pub state: CartState,
    /// The epoch of the keyring that it was written with; zero stands for the first. A keyring of
    /// another epoch has been put back.
    #[serde(default)]
    pub epoch: u64,
    /// The number of the keyring that it was written with. A keyring with a lower one was put back.
    #[serde(default)]
    pub keyring: u64,
    /// The count of the security chip that this was written at ([`crate::Anchor`]).
    #[serde(default)]
    pub anchored: Option<u64>,
    /// The count of the witness that this was written at.
    #[serde(default)]
    pub witnessed: Option<u64>,
    /// How often what was seen of every part had durably been written down ([`crate::inbox::seen`]); zero before
    /// that was done at all.
    #[serde(default)]
    pub seen: u64,
    /// How long the store has lived.
    #[serde(default)]
    pub age: StoreAge,
    /// Findings that nobody has acknowledged, one of a kind.
    #[serde(default)]
    pub open_findings: Vec<OpenFinding>,
    /// Why nobody may log in before IT has looked at the store: something outside it knows a later one.
    #[serde(default)]
    pub suspected: Option<Finding>,
    /// Everybody who may unlock.
    pub people: Vec<Person>,
    /// One per token.
    #[serde(default)]
    pub emergency: Vec<EmergencyKey>,
    /// Who and what was taken away while the keys are still those of before: refused, and nowhere else in
    /// here. The change of keys forgets them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leaving: Vec<Taken>,
    counted: Vec<Counted>,
}

impl Cart {
    /// Everybody's tokens.
    pub fn tokens(&self) -> impl Iterator<Item = &TokenSlot> {
        self.people.iter().flat_map(|person| &person.tokens)
    }

    /// The person of this identity.
    pub fn person(&self, id: OperatorId) -> Option<&Person> {
        self.people.iter().find(|person| person.id == id)
    }

    /// Takes somebody or something away, in memory: from the next [`Cart::save`] on they are refused, whatever
    /// becomes of the keys.
    pub fn take_away(&mut self, taken: Taken) {
        self.forget_tries(taken.operator());
        match taken {
            Taken::Person(operator) => self.people.retain(|person| person.id != operator),
            Taken::Token(operator, slot) => {
                for person in self.people.iter_mut().filter(|person| person.id == operator) {
                    person.tokens.retain(|token| token.slot.id != slot);
                }
            }
        }
        let left: Vec<[u8; 32]> = self.tokens().map(|token| token.index).collect();
        self.emergency.retain(|key| left.contains(&key.index));
        self.leaving.push(taken);
    }

    /// The compartment as it lies on disk.
    ///
    /// # Errors
    /// `Io` if the operating system gives no random numbers.
    pub fn sealed(&self, keys: &DeviceKeys) -> Result<Vec<u8>, StoreFault> {
        file(&keys.cart()).seal_value(self)
    }

    /// Reads and opens the newer copy of the compartment.
    ///
    /// # Errors
    /// `Damaged` if both are missing, altered or of another machine, `Later` if a later program wrote one.
    pub fn load(dir: &Path, keys: &DeviceKeys) -> Result<Newer<Self>, StoreFault> {
        let key = keys.cart();
        let parse = |sealed: &[u8]| file(&key).open_value::<Self>(sealed);
        let older = FindingKind::CartOlder;
        let format = Format {
            max: Kind::Cart.len_max(),
            parse: &parse,
            number: |cart| cart.generation,
            older,
        };
        two_copies::read(&dir.join(CART.first), &[dir.join(CART.second)], &format)
    }

    /// Writes both copies of the compartment; durable when it returns.
    ///
    /// # Errors
    /// As writing a file; then the old content is still there, or the first copy has the new one.
    pub fn save(&mut self, dir: &Path, keys: &DeviceKeys) -> Result<(), StoreFault> {
        self.generation += 1;
        self.write(dir, keys)
    }

    /// Writes both copies as they are numbered; durable when it returns.
    ///
    /// # Errors
    /// As [`Cart::save`].
    pub fn write(&self, dir: &Path, keys: &DeviceKeys) -> Result<(), StoreFault> {
        two_copies::write(dir, CART, &self.sealed(keys)?)
    }

    /// The count that this was written at, of what is asked outside the store.
    pub fn outside(&self, outside: Outside) -> Option<u64> {
        match outside {
            Outside::Chip => self.anchored,
            Outside::Witness => self.witnessed,
        }
    }

    /// The same, to be changed in memory.
    pub fn outside_mut(&mut self, outside: Outside) -> &mut Option<u64> {
        match outside {
            Outside::Chip => &mut self.anchored,
            Outside::Witness => &mut self.witnessed,
        }
    }

    /// Keeps a finding until somebody acknowledges it; more of a kind are added up. In memory.
    pub fn keep_finding(&mut self, finding: &Finding, at: Timestamp) {
        match self.open_findings.iter_mut().find(|open| open.finding.kind == finding.kind) {
            Some(open) => open.add(finding, at),
            None => self.open_findings.push(OpenFinding::new(*finding, at)),
        }
    }

    /// Whose token this is, and its slot.
    pub fn token(&self, index: &[u8; 32]) -> Option<(&Person, &TokenSlot)> {
        self.people.iter().find_map(|person| {
            let token = person.tokens.iter().find(|token| token.index == *index)?;
            Some((person, token))
        })
    }

    /// The tallies that count something against somebody, for the inbox to remember.
    pub fn counted(&self) -> Vec<Counted> {
        let counts =
            |counted: &&Counted| counted.tally.failures() > 0 && self.is_enrolled(counted.counter);
        self.counted.iter().filter(counts).copied().collect()
    }

    /// Takes over what the inbox remembers of a newer compartment than this one: nobody gets a
    /// try back by putting an older file in its place. In memory.
    pub fn catch_up(&mut self, generation: u64, remembered: &[Counted]) {
        self.generation = self.generation.max(generation);
        for Counted { counter, tally } in remembered {
            let here = self.tally(*counter).map_or(0, |tally| tally.failures());
            if here < tally.failures() {
                self.set_tally(*counter, *tally);
            }
        }
    }

    /// What a token's tries are counted for: one person's badges share their PIN and so their tries,
    /// a card has a PIN of its own.
    pub fn counter(&self, index: &[u8; 32]) -> Counter {
        match self.token(index) {
            Some((person, token)) if token.peer.is_none() => Counter::Person(person.id),
            Some(_) | None => Counter::Token(*index),
        }
    }

    /// The tally as stored.
    pub fn tally(&self, counter: Counter) -> Option<Tally> {
        self.counted.iter().find(|counted| counted.counter == counter).map(|counted| counted.tally)
    }

    /// Stores a tally in memory; [`Cart::save`] makes it durable.
    pub fn set_tally(&mut self, counter: Counter, tally: Tally) {
        self.counted.retain(|counted| counted.counter != counter);
        self.counted.push(Counted { counter, tally });
        let known = |counted: &Counted| self.is_enrolled(counted.counter);
        let strangers = self.counted.iter().filter(|counted| !known(counted)).count();
        if strangers > STRANGERS_MAX
            && let Some(oldest) = self.counted.iter().position(|counted| !known(counted))
        {
            self.counted.remove(oldest);
        }
    }

    fn is_enrolled(&self, counter: Counter) -> bool {
        match counter {
            Counter::Person(id) => self.people.iter().any(|person| person.id == id),
            Counter::Token(index) => {
                self.token(&index).is_some_and(|(_, token)| token.peer.is_some())
            }
        }
    }

    /// Forgets the tries counted for a person's badges and cards, in memory; for IT.
    pub fn forget_tries(&mut self, operator: OperatorId) {
        let cards: Vec<[u8; 32]> = self
            .people
            .iter()
            .filter(|person| person.id == operator)
            .flat_map(|person| person.tokens.iter().map(|token| token.index))
            .collect();
        self.counted.retain(|counted| match counted.counter {
            Counter::Person(id) => id != operator,
            Counter::Token(index) => !cards.contains(&index),
        });
    }

    /// Forgets the tries counted for a token, in memory; for one that is being enrolled.
    pub fn forget_token(&mut self, index: &[u8; 32]) {
        self.counted.retain(|counted| counted.counter != Counter::Token(*index));
    }

    /// The tally, with a delay restarted in full after a restart of the machine. True if that has to
    /// be saved.
    pub fn rebased(&self, counter: Counter, now: BootTime, boot: BootId) -> (Tally, bool) {
        let mut tally = self.tally(counter).unwrap_or(Tally::new(now, boot));
        let changed = tally.rebase(now, boot);
        (tally, changed)
    }
}

/// The compartment's file.
fn file(key: &Key) -> StateFile<'_> {
    StateFile { kind: Kind::Cart, key, place: PLACE }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use wardkeep_model::access::policy::Pair;

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
        Person {
            id,
            initials,
            role,
            valid_until: None,
            code_since: None,
            code_used: false,
            tokens,
            over_at_us: None,
            code_over_at_us: None,
        }
    }

    #[test]
    fn s5_tallies_survive_and_a_killed_write_leaves_the_old_ones() {
        let dir = tempfile::tempdir().unwrap();
        let keys = DeviceKeys::new(Key::random().unwrap());
        let mut cart = Cart { people: vec![nurse([9; 32])], ..Cart::default() };
        cart.set_tally(Counter::Person(OperatorId(1)), once());
        cart.save(dir.path(), &keys).unwrap();
        fs::write(dir.path().join(".tmp-cart"), b"half of it").unwrap();
        let read = Cart::load(dir.path(), &keys).unwrap().content;
        assert_eq!(read, cart);
        assert_eq!(read.tally(Counter::Person(OperatorId(1))).unwrap().failures(), 1);
        assert_eq!(read.generation, 1);
    }

    #[test]
    fn every_altered_or_cut_cart_is_damaged() {
        let dir = tempfile::tempdir().unwrap();
        let keys = DeviceKeys::new(Key::random().unwrap());
        Cart { people: vec![nurse([9; 32])], ..Cart::default() }.save(dir.path(), &keys).unwrap();
        let path = dir.path().join(CART.first);
        let whole = fs::read(&path).unwrap();
        fs::remove_file(dir.path().join(CART.second)).unwrap();
        for index in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[index] ^= 4;
            for content in [&flipped[..], &whole[..index]] {
                fs::write(&path, content).unwrap();
                let read = Cart::load(dir.path(), &keys).map(|read| read.content);
                assert_eq!(read, Err(StoreFault::Damaged), "{index}");
            }
        }
    }

    #[test]
    fn s5_strangers_are_bounded_and_never_push_out_a_person() {
        let mut cart = Cart { people: vec![nurse([0xff; 32])], ..Cart::default() };
        let person = cart.counter(&[0xff; 32]);
        cart.set_tally(person, once());
        for number in 0..1_000_u32 {
            let mut badge = [0; 32];
            badge[..4].copy_from_slice(&number.to_be_bytes());
            cart.set_tally(cart.counter(&badge), once());
        }
        assert_eq!(cart.counted.len(), STRANGERS_MAX + 1);
        assert_eq!(cart.tally(person).unwrap().failures(), 1);
    }
}
