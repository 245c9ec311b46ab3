//! A look at a store while a kiosk has it: only what the kiosk does not change while it is read, and nothing is
//! written, not even a copy. What cannot be looked at this way is said.

use std::time::Duration;

use crate::cart::Cart;
use crate::disk::{durable, layout};
use crate::inbox::chain::Walk;
use crate::inbox::segment::{Lane, Piece, SEGMENT_LEN_MAX, open_segment, pieces};
use crate::keys::keyslot::{Slot, SlotOwner};
use crate::keys::ring::Keyring;
use crate::keys::vault_keys::VaultKeys;
use crate::machine::device_secret::DeviceKeys;
use crate::open::options::Options;
use crate::tools::check::looks::{Checks, Looked, Wrong, another_cart, nothing_found};
use crate::tools::check::pages as damage;
use crate::tools::words::{REPORTED, RESTORE, way_out};
use crate::vault::raw::Image;
use crate::vault::raw::map::DamagedPage;
use wardkeep_model::keeping::{FindingKind, StoreFault};

/// What is being written reads as damaged; what stays so is.
const TRIES: u32 = 3;
const AGAIN_AFTER: Duration = Duration::from_millis(400);
/// What only a stopped kiosk leaves alone.
const NOT_NOW: [&str; 12] = [
    "locked-part",
    "freshness",
    "structure",
    "patient-keys",
    "patients",
    "observations",
    "people",
    "trends",
    "audit",
    "drafts",
    "emergency-card",
    "inbox",
];
const RUNNING: &str =
    "a kiosk runs on this store; stop it (`systemctl stop wardkeep`) and check again";

/// Looks at what can be looked at.
pub fn look(checks: &mut Checks<'_>, options: &Options, keys: Option<&VaultKeys>) {
    let store = layout::store(options.state_dir());
    let secret = checks.device_secret(options);
    if let Some(device) = secret {
        checks.look("cart", || {
            again(|| {
                let read = Cart::load(&store, &device).map_err(another_cart(&store, &device))?;
                nothing_found(&read.findings).map(|()| 2)
            })
        });
        checks.look("keyring", || {
            again(|| {
                let read =
                    Keyring::load(&store, &device, &[]).map_err(another_cart(&store, &device))?;
                nothing_found(&read.findings).map(|()| read.content.recipients())
            })
        });
        checks.look("slots", || again(|| slots(options, &device)));
        if let Some(keys) = keys {
            checks.look("closed-segments", || again(|| segments(options, &device, keys)));
        }
    }
    if let Some(keys) = keys {
        checks.look("cipher", || pages(options, keys));
    }
    for name in NOT_NOW {
        checks.skip(name, RUNNING);
    }
}

/// The answer, or the last one of several where something is wrong.
fn again(mut look: impl FnMut() -> Looked) -> Looked {
    for _ in 1..TRIES {
        if let Ok(count) = look() {
            return Ok(count);
        }
        std::thread::sleep(AGAIN_AFTER);
    }
    look()
}

fn slots(options: &Options, device: &DeviceKeys) -> Looked {
    let store = layout::store(options.state_dir());
    let wrong = || another_cart(&store, device);
    let cart = Cart::load(&store, device).map_err(wrong())?.content;
    let ring = Keyring::load(&store, device, &[]).map_err(wrong())?.content;
    let mut count = 0;
    for person in &cart.people {
        let owner = SlotOwner { device: ring.device, operator: person.id, epoch: ring.epoch };
        for token in &person.tokens {
            Slot::read(&store.join(layout::SLOTS), device, &owner, &token.slot).map_err(
                |fault| {
                    Wrong::of(
                        format!("a key slot of {} does not open: {fault}", person.initials),
                        RESTORE,
                    )
                },
            )?;
            count += 1;
        }
    }
    Ok(count)
}

/// Authenticates every record of the segments that the kiosk does not write any more.
fn segments(options: &Options, device: &DeviceKeys, keys: &VaultKeys) -> Looked {
    let inbox = layout::store(options.state_dir()).join(layout::INBOX);
    let keys = keys.inbox_keys();
    let (mut count, mut forged) = (0, 0_u64);
    for lane in Lane::ALL {
        let mut closed = lane.segments(&inbox).map_err(Wrong::damaged(RESTORE))?;
        closed.pop();
        let mut walk = None;
        for (_, path) in closed {
            // One that is gone was imported meanwhile.
            let read = durable::read(&path, SEGMENT_LEN_MAX).map_err(Wrong::damaged(RESTORE))?;
            let Some(bytes) = read else { continue };
            let Ok((header, records)) = open_segment(&device.inbox(), &bytes) else {
                forged += 1;
                continue;
            };
            for (piece, _) in pieces(records, header.first_seq) {
                let tagged = match &piece {
                    Piece::Record(record) => {
                        let key = Walk::along(&mut walk, &header, &keys);
                        let key = key.and_then(|walk| walk.key(record.front.seq));
                        key.is_some_and(|key| record.is_tagged(key))
                    }
                    Piece::Junk(_) => false,
                };
                count += u64::from(tagged);
                forged += u64::from(!tagged);
            }
        }
    }
    if forged == 0 {
        return Ok(count);
    }
    let problem = format!("{forged} sealed records are altered or made up");
    Err(Wrong::of(problem, way_out(FindingKind::RecordsForged)))
}

/// A page counts as damaged if it is in several looks.
fn pages(options: &Options, keys: &VaultKeys) -> Looked {
    let vault = layout::store(options.state_dir()).join(layout::VAULT);
    let look = || -> Result<(u64, Vec<DamagedPage>), StoreFault> {
        Ok(damage::damaged(&Image::open(&vault, keys)?))
    };
    let (mut pages, mut damaged) = look().map_err(Wrong::damaged(RESTORE))?;
    for _ in 1..TRIES {
        if damaged.is_empty() {
            return Ok(pages);
        }
        std::thread::sleep(AGAIN_AFTER);
        let again = look().map_err(Wrong::damaged(RESTORE))?;
        let stays = |page: &DamagedPage| again.1.iter().any(|other| other.page == page.page);
        damaged.retain(stays);
        pages = again.0;
    }
    if damaged.is_empty() {
        return Ok(pages);
    }
    let way = if damaged.iter().all(|page| page.of.as_deref() == Some("free")) {
        REPORTED
    } else {
        RESTORE
    };
    Err(Wrong::of(damage::sentence(pages, &damaged), way))
}
