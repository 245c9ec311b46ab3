//! `xiaomi-s400`: what the Xiaomi S400 scale advertises, encrypted with the key it was bound with.
//!
//! ```text
//! [95 FE] | control (2) | product (2) | counter | sealed object | counter (3) | tag (4)
//! object  id (2) | length 9 | user | word (4) | time (4)
//! word    weight 0.1 kg (11 bits) | pulse - 50 (7) | impedance 0.1 Ohm (14), least significant bits first
//! ```
//!
//! AES-128-CCM with a tag of 4 bytes over one byte 0x11; the nonce is the address backwards, product,
//! counter and the second counter. Layout and vectors: `oliexdev/openScale` (S400Decryptor.kt), which has
//! them from `lswiderski/MiScaleBodyComposition`.
//!
//! S-7: a frame that is not authentic under this key and address says nothing at all. The scale sends two:
//! one with the weight, and one without it whose impedance is of the lower frequency.

use aes::Aes128;
use ccm::Ccm;
use ccm::aead::consts::{U4, U12};
use ccm::aead::{AeadInOut, KeyInit};

use crate::vitals::gatt::{Cursor, DecodeError, Decoded, Quality, Said};
use crate::vitals::nomenclature::*;
use crate::vitals::sfloat::Reading;
use crate::vitals::vendor::about::{About, Endpoint};
use crate::vitals::vendor::device::Device;
use crate::vitals::vendor::wire::fixed;

pub(super) const ABOUT: About = About {
    word: "xiaomi-s400",
    device: "Xiaomi S400 scale",
    measures: &[BODY_WEIGHT, PULSE_RATE_CUFF],
    needs: &["mac", "bind_key"],
    endpoint: Endpoint {
        service: "0000fe95-0000-1000-8000-00805f9b34fb",
        notify: &[],
        write: &[],
        start: &[],
    },
};

/// The service's own number, which some hosts leave in front of what it advertises.
const SERVICE: [u8; 2] = [0x95, 0xFE];
const SEALED: u16 = 1 << 3;
const OBJECT: u16 = 1 << 6;
const ASSOCIATED: [u8; 1] = [0x11];

const OBJECT_LEN: u8 = 9;
const WEIGHT_BITS: u32 = 11;
const PULSE_BITS: u32 = 7;
const PULSE_BASE: u32 = 50;

/// The frame's parts that are needed to open it.
struct Sealed {
    product: [u8; 2],
    counter: u8,
    object: [u8; 12],
    more_counter: [u8; 3],
    tag: [u8; 4],
}

pub(super) fn read(
    cursor: &mut Cursor<'_>,
    device: &Device,
    decoded: &mut Decoded,
) -> Result<(), DecodeError> {
    if cursor.rest().starts_with(&SERVICE) {
        cursor.bytes::<2>("service")?;
    }
    let control = cursor.u16("frame control")?;
    let product = cursor.bytes("product")?;
    let counter = cursor.u8("counter")?;
    if control & OBJECT == 0 {
        // It only says that it is there.
        cursor.bytes::<6>("address")?;
        decoded.say("no-measurement", Said::Nothing);
        return Ok(());
    }
    if control & SEALED == 0 {
        return Err(DecodeError::Unknown { field: "frame control" });
    }
    let object = cursor.bytes("object")?;
    let more_counter = cursor.bytes("counter")?;
    let tag = cursor.bytes("tag")?;
    let object = open(&Sealed { product, counter, object, more_counter, tag }, device)?;
    let mut inner = Cursor::new(&object);
    inner.u16("object id")?;
    fixed(&mut inner, OBJECT_LEN, "object length")?;
    let user = inner.u8("user")?;
    judge(inner.u32("measurement")?, decoded);
    decoded.user(user);
    // Not a wall time; the same measurement is advertised again and again with the same number.
    decoded.say("seconds-since-1970", Said::Count(i64::from(inner.u32("time stamp")?)));
    Ok(())
}

fn open(sealed: &Sealed, device: &Device) -> Result<[u8; 12], DecodeError> {
    let mac = device.mac.ok_or(DecodeError::Missing { field: "device.mac" })?;
    let missing = DecodeError::Missing { field: "device.bind_key" };
    let key = device.bind_key.as_ref().ok_or(missing)?;
    let [m0, m1, m2, m3, m4, m5] = mac.0;
    let ([p0, p1], [c0, c1, c2]) = (sealed.product, sealed.more_counter);
    let nonce = [m5, m4, m3, m2, m1, m0, p0, p1, sealed.counter, c0, c1, c2];
    let cipher: Ccm<Aes128, U4, U12> = Ccm::new(key.expose().into());
    let mut object = sealed.object;
    cipher
        .decrypt_inout_detached(
            &nonce.into(),
            &ASSOCIATED,
            object.as_mut_slice().into(),
            &sealed.tag.into(),
        )
        .map_err(|_| DecodeError::Authentication)?;
    Ok(object)
}

fn judge(word: u32, decoded: &mut Decoded) {
    let take = |shift: u32, bits: u32| (word >> shift) & ((1 << bits) - 1);
    let weight = take(0, WEIGHT_BITS);
    let pulse = take(WEIGHT_BITS, PULSE_BITS);
    let impedance = word >> (WEIGHT_BITS + PULSE_BITS);
    if weight == 0 && impedance == 0 {
        decoded.say("no-measurement", Said::Nothing);
    }
    if weight != 0 {
        let reading = Reading::of(i64::from(weight), -1);
        decoded.offer(BODY_WEIGHT, Unit::Kilogram, reading, &Quality::default());
    }
    // Zero and all ones stand for none.
    if (1..(1 << PULSE_BITS) - 1).contains(&pulse) {
        let reading = Reading::of(i64::from(pulse + PULSE_BASE), 0);
        decoded.offer(PULSE_RATE_CUFF, Unit::PerMinute, reading, &Quality::default());
    }
    if impedance != 0 {
        let reading = Reading::of(i64::from(impedance), -1);
        let word = if weight != 0 { "high-impedance" } else { "low-impedance" };
        decoded.say(word, Said::Quantity(reading, Unit::Ohm));
    }
}

#[cfg(test)]
pub(super) mod tests;
