//! Shift shares: what a full login leaves behind so that for some hours the person's token and their
//! finger, or where the site allows it the token alone, open the vault again.
//!
//! ```text
//!  salt    = 32 random bytes in a page that is locked into memory, one salt a person
//!  share   = HMAC(DS, family || uid) of a badge, HMAC(DS, "piv" || card id) of a card
//!  key     = HKDF(salt, ikm: share, info: "shift v1" || person)
//!  kept    = AEAD(key, SK_u), AEAD(key, template) for each finger
//! ```
//!
//! S-3 has its one exception here, and this is all of it: without the token nothing kept can be opened,
//! because its number is in no file and not in this memory; with the token, this memory and the device
//! secret it can. A card has not proved its PIN here: it is an identifier, like a badge.
//!
//! The salt is the part that must not be swapped out; the rest is noise without it, and a share ends
//! by wiping its salt. The page is locked through the crate `region`; if the system refuses, no share
//! is kept. Core images and debuggers are kept away from the whole process at its start
//! ([`crate::protect_memory`]).
//!
//! Another person's full login ends that the token alone opens it; with a finger it goes on.
//!
//! A share takes the token that logged in, and the person's others as far as the vault knows their
//! shares of the key. It ends with its time (boot time), when wall time was set,
//! when the machine slept too long, after five misses, with the person's end, and with the program.

use std::time::Duration;

use jiff::SignedDuration;
use region::LockGuard;
use zeroize::Zeroize;

use crate::crypto::{Key, derive, open, seal};
use crate::machine::device_secret::DeviceKeys;
use wardkeep_model::access::OperatorId;
use wardkeep_model::access::factor::{Finger, Sensor, Template, TemplateId, Token};
use wardkeep_model::access::policy::SHIFT_MAX;
use wardkeep_model::confidential::Secret;
use wardkeep_model::keeping::StoreFault;
use wardkeep_model::moment::{BootTime, Moment, slept};

/// People who may have a share at a time; whoever logged in longest ago makes room.
const PEOPLE_MAX: usize = 64;
/// Misses in a row until a share ends (SP 800-63B: 5).
const MISSES_MAX: u8 = 5;
/// Wall time that moved this much against boot time was set.
const CLOCK_SET_MIN: SignedDuration = SignedDuration::from_mins(5);
/// Sleep over all since the login, until a share ends.
const SLEEP_MAX: Duration = Duration::from_secs(15 * 60);
/// At most this long a share outlives its end.
const CHECK_EVERY: Duration = Duration::from_secs(30);

/// One instant, and how long the machine had slept until then.
#[derive(Clone, Copy, Debug)]
pub struct Clocks {
    /// The instant.
    pub now: Moment,
    /// How long the machine had slept.
    pub slept: Duration,
}

impl Clocks {
    /// This instant, with how long the machine has slept.
    pub fn at(now: Moment) -> Self {
        Self { now, slept: slept() }
    }
}

/// Every salt, in memory of its own that is never swapped out.
#[repr(align(4096))]
struct Page([[u8; 32]; PEOPLE_MAX]);

struct Salts {
    page: Box<Page>,
    _lock: LockGuard,
}

impl Salts {
    fn new() -> Result<Self, StoreFault> {
        let page = Box::new(Page([[0; 32]; PEOPLE_MAX]));
        let lock = region::lock(std::ptr::from_ref(page.as_ref()), size_of::<Page>());
        let lock = lock.map_err(StoreFault::Io.because("locking memory"))?;
        Ok(Self { page, _lock: lock })
    }

    /// Draws the salt of a place anew.
    fn draw(&mut self, place: usize) -> Result<(), StoreFault> {
        let salt = self.page.0.get_mut(place).ok_or(StoreFault::Full)?;
        getrandom::fill(salt).map_err(crate::crypto::no_random)
    }

    fn wipe(&mut self, place: usize) {
        if let Some(salt) = self.page.0.get_mut(place) {
            salt.zeroize();
        }
    }

    fn key(&self, place: usize, operator: OperatorId, share: &Key) -> Option<Key> {
        let salt = self.page.0.get(place)?;
        Some(derive(salt, share.as_slice(), &[b"shift v1", &operator.0.to_be_bytes()]))
    }
}

impl Drop for Salts {
    fn drop(&mut self) {
        self.page.0.zeroize();
    }
}

/// A template as it is kept: which it is, and its bytes sealed.
struct KeptTemplate {
    id: TemplateId,
    finger: Finger,
    sensor: Sensor,
    print: Vec<u8>,
}

/// What one token opens.
struct Door {
    index: [u8; 32],
    private: Vec<u8>,
    templates: Vec<KeptTemplate>,
}

struct Share {
    operator: OperatorId,
    place: usize,
    made: Clocks,
    ends: BootTime,
    misses: u8,
    /// The token alone opens it: nobody else has logged in with two factors since.
    alone: bool,
    doors: Vec<Door>,
}

impl Share {
    fn is_over(&self, clocks: Clocks) -> bool {
        let boot = signed(clocks.now.boot) - signed(self.made.now.boot);
        let wall = clocks.now.wall.duration_since(self.made.now.wall);
        clocks.now.boot >= self.ends
            || (wall - boot).abs() > CLOCK_SET_MIN
            || clocks.slept.saturating_sub(self.made.slept) > SLEEP_MAX
    }
}

fn signed(at: BootTime) -> SignedDuration {
    SignedDuration::try_from(at.0).unwrap_or(SignedDuration::MAX)
}

/// A token that opens a share: its look-up, and its share of the key.
pub struct ShiftOpener {
    /// Its look-up.
    pub index: [u8; 32],
    /// Its share.
    pub share: Key,
}

/// Who a share is made for, what opens it, and for how long.
pub struct Grant {
    /// The person.
    pub operator: OperatorId,
    /// Their tokens.
    pub(super) openers: Vec<ShiftOpener>,
    /// How long it lasts.
    pub length: Duration,
}

/// A share that a token opened.
pub struct Reopened {
    /// Whose it is.
    pub operator: OperatorId,
    /// Their private key.
    pub private: Key,
}

/// All live shift shares.
#[derive(Default)]
pub struct Shifts {
    salts: Option<Salts>,
    shares: Vec<Share>,
    checked: BootTime,
}

impl Shifts {
    /// Leaves a share for the person of a full login. What another token of theirs opens stays.
    ///
    /// # Errors
    /// No memory could be locked, or there are no random numbers; then there is no share.
    pub fn keep(
        &mut self,
        grant: &Grant,
        content: (&Key, &[Template]),
        clocks: Clocks,
    ) -> Result<(), StoreFault> {
        self.end_over(clocks);
        let opens = |door: &Door| grant.openers.iter().any(|opener| opener.index == door.index);
        // One token belongs to one person, whatever it did before.
        self.end_where(|share| share.operator != grant.operator && share.doors.iter().any(opens));
        let place = self.place_for(grant.operator, clocks)?;
        let made = self.doors(place, grant, content);
        if made.is_err() {
            self.end(grant.operator);
        }
        let made = made?;
        // Whoever stands at the cart now may hold the badge of whoever stood here before.
        for share in &mut self.shares {
            share.alone = share.operator == grant.operator;
        }
        for share in self.shares.iter_mut().filter(|share| share.operator == grant.operator) {
            share.made = clocks;
            share.ends = clocks.now.boot + grant.length.min(SHIFT_MAX);
            share.misses = 0;
            share.doors.retain(|door| !opens(door));
        }
        let share = self.shares.iter_mut().find(|share| share.operator == grant.operator);
        share.ok_or(StoreFault::Full)?.doors.extend(made);
        Ok(())
    }

    fn doors(
        &self,
        place: usize,
        grant: &Grant,
        (private, templates): (&Key, &[Template]),
    ) -> Result<Vec<Door>, StoreFault> {
        let salts = self.salts.as_ref().ok_or(StoreFault::Io)?;
        let doors = grant.openers.iter().map(|opener| {
            let key = salts.key(place, grant.operator, &opener.share).ok_or(StoreFault::Full)?;
            door(&key, opener.index, private, templates)
        });
        doors.collect()
    }

    /// The place of the person's salt; draws one for a person without.
    fn place_for(&mut self, operator: OperatorId, clocks: Clocks) -> Result<usize, StoreFault> {
        if let Some(share) = self.shares.iter().find(|share| share.operator == operator) {
            return Ok(share.place);
        }
        if self.shares.len() >= PEOPLE_MAX {
            let oldest = self.shares.iter().min_by_key(|share| share.made.now.boot);
            let oldest = oldest.map(|share| share.operator);
            self.end_where(|share| Some(share.operator) == oldest);
        }
        let taken = |place: &usize| self.shares.iter().any(|share| share.place == *place);
        let place = (0..PEOPLE_MAX).find(|place| !taken(place)).ok_or(StoreFault::Full)?;
        let salts = match &mut self.salts {
            Some(salts) => salts,
            empty @ None => empty.insert(Salts::new()?),
        };
        salts.draw(place)?;
        let ends = clocks.now.boot;
        let doors = Vec::new();
        self.shares.push(Share {
            operator,
            place,
            made: clocks,
            ends,
            misses: 0,
            alone: true,
            doors,
        });
        Ok(place)
    }

    /// The templates behind a token, if a share of its owner is alive.
    pub fn templates(
        &mut self,
        keys: &DeviceKeys,
        token: &Token,
        clocks: Clocks,
    ) -> Option<Vec<Template>> {
        let (_, door, key) = self.find(keys, token, clocks)?;
        let kept = door.templates.iter();
        kept.map(|kept| {
            let print = open(&key, &kept.id.0.to_be_bytes(), &kept.print)?;
            let print = Secret::new(print.to_vec());
            Some(Template { id: kept.id, finger: kept.finger, sensor: kept.sensor.clone(), print })
        })
        .collect()
    }

    /// Opens the share behind a token; with a finger only if the share knows its template.
    pub fn open(
        &mut self,
        keys: &DeviceKeys,
        (token, finger): (&Token, Option<TemplateId>),
        clocks: Clocks,
    ) -> Option<Reopened> {
        if finger.is_none() && !self.opens_alone(keys, token) {
            return None;
        }
        let (operator, door, key) = self.find(keys, token, clocks)?;
        let is_known = |id| door.templates.iter().any(|kept| kept.id == id);
        if !finger.is_none_or(is_known) {
            return None;
        }
        let private = open(&key, PRIVATE, &door.private)?;
        let private = Key::from_slice(&private)?;
        self.shares.iter_mut().filter(|share| share.operator == operator).for_each(|share| {
            share.misses = 0;
        });
        Some(Reopened { operator, private })
    }

    /// This token opens a share without a finger beside it.
    pub fn opens_alone(&self, keys: &DeviceKeys, token: &Token) -> bool {
        let index = keys.token_index(token);
        let has_it = |share: &&Share| share.doors.iter().any(|door| door.index == index);
        self.shares.iter().find(has_it).is_some_and(|share| share.alone)
    }

    fn find(
        &mut self,
        keys: &DeviceKeys,
        token: &Token,
        clocks: Clocks,
    ) -> Option<(OperatorId, &Door, Key)> {
        self.end_over(clocks);
        let index = keys.token_index(token);
        let of_token = |share: &Share| share.doors.iter().position(|door| door.index == index);
        let (share, door) = self.shares.iter().find_map(|share| Some((share, of_token(share)?)))?;
        let door = share.doors.get(door)?;
        let key = keys.token_share(token);
        let key = self.salts.as_ref()?.key(share.place, share.operator, &key)?;
        Some((share.operator, door, key))
    }

    /// Counts a miss against the share behind this token.
    pub fn missed(&mut self, index: &[u8; 32]) {
        for share in &mut self.shares {
            if share.doors.iter().any(|door| door.index == *index) {
                share.misses = share.misses.saturating_add(1);
            }
        }
        self.end_where(|share| share.misses >= MISSES_MAX);
    }

    /// Ends a person's share.
    pub fn end(&mut self, operator: OperatorId) {
        self.end_where(|share| share.operator == operator);
    }

    /// Ends what is over at this instant.
    pub fn end_over(&mut self, clocks: Clocks) {
        self.checked = clocks.now.boot;
        self.end_where(|share| share.is_over(clocks));
    }

    fn end_where(&mut self, mut ended: impl FnMut(&Share) -> bool) {
        let Self { salts, shares, .. } = self;
        shares.retain_mut(|share| {
            let ends = ended(share);
            if ends && let Some(salts) = salts {
                salts.wipe(share.place);
            }
            !ends
        });
    }

    /// When to look again whether a share is over; `None` while there is none.
    pub(super) fn check_at(&self) -> Option<BootTime> {
        (!self.shares.is_empty()).then_some(self.checked + CHECK_EVERY)
    }
}

const PRIVATE: &[u8] = b"SK_u";

fn door(
    key: &Key,
    index: [u8; 32],
    private: &Key,
    templates: &[Template],
) -> Result<Door, StoreFault> {
    let kept = templates.iter().map(|template| {
        let print = seal(key, &template.id.0.to_be_bytes(), template.print.expose())?;
        let Template { id, finger, sensor, .. } = template;
        Ok(KeptTemplate { id: *id, finger: *finger, sensor: sensor.clone(), print })
    });
    let templates = kept.collect::<Result<_, StoreFault>>()?;
    Ok(Door { index, private: seal(key, PRIVATE, private.as_slice())?, templates })
}

#[cfg(test)]
mod tests;
