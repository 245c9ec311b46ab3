//! Omron cuffs and scales whose memory is read block by block over four channels: the blocks' framing, and
//! what lies in the memory, by model.
//!
//! S-7: what is read is of the past and says so. A slot that was never written, or only in part, gives no
//! reading; a record whose date cannot be is a record that cannot be trusted.

mod catalog;
pub(super) mod clock;
pub(super) mod hbf;
pub(super) mod packet;
pub(super) mod record;

use self::catalog::Family;
use crate::vitals::gatt::{DecodeError, Decoded, Quality, Said, Stamp};
use crate::vitals::nomenclature::{Absent, Status};
use crate::vitals::vendor::about::Endpoint;
use crate::vitals::vendor::device::Device;
use crate::vitals::vendor::wire::stamp_2000;

/// `userx14/omblepy`: after the key is written to b305b680-aee7-11e1-a730-0002a5d5c51b, a session is opened
/// with the start; a packet is spread over the channels, 16 bytes each. Newer models have one channel of each
/// kind, in service 0xFE4A.
const ENDPOINT: Endpoint = Endpoint {
    service: "ecbe3980-c9a2-11e1-b1bd-0002a5d5c51b",
    notify: &[
        "49123040-aee8-11e1-a74d-0002a5d5c51b",
        "4d0bf320-aee8-11e1-a0d9-0002a5d5c51b",
        "5128ce60-aee8-11e1-b84b-0002a5d5c51b",
        "560f1420-aee8-11e1-8184-0002a5d5c51b",
    ],
    write: &[
        "db5b55e0-aee7-11e1-965e-0002a5d5c51b",
        "e0b8a060-aee7-11e1-92f4-0002a5d5c51b",
        "0ae12b00-aee8-11e1-a192-0002a5d5c51b",
        "10e1ba60-aee8-11e1-89e5-0002a5d5c51b",
    ],
    start: &[0x08, 0x00, 0x00, 0x00, 0x00, 0x10, 0x00, 0x18],
};

const MODEL: &str = "device.model";

fn model(device: &Device) -> Result<&str, DecodeError> {
    device.model.as_deref().ok_or(DecodeError::Missing { field: MODEL })
}

fn family(device: &Device) -> Result<&'static Family, DecodeError> {
    catalog::family(model(device)?).ok_or(DecodeError::Unknown { field: MODEL })
}

/// Seconds come up to 63 from these clocks (`omblepy`); whatever else is impossible is.
fn stamp(year: u8, [month, day, hour, minute, second]: [u8; 5]) -> Stamp {
    stamp_2000(year, [month, day, hour, minute, second.min(59)])
}

/// What may be said of values that lie in the memory with this stamp.
fn stored(stamp: Stamp) -> Quality {
    let mut quality = Quality { withhold: None, status: vec![Status::FromStorage] };
    if stamp == Stamp::Impossible {
        quality.withhold(Absent::Invalid);
    }
    quality
}

/// Whether a slot was never written: erased memory is all ones, or was wiped to zeros.
fn is_blank(slot: &[u8]) -> bool {
    slot.iter().all(|byte| *byte == 0xFF) || slot.iter().all(|byte| *byte == 0)
}

fn empty(decoded: &mut Decoded) {
    decoded.say("empty-slot", Said::Nothing);
}
