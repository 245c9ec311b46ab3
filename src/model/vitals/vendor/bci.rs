//! `bci`: the five-byte packets of BerryMed BM1000 and other oximeters, a hundred a second, several in one
//! notification.
//!
//! ```text
//! 1 beep probe-off no-signal strength(4) | 0 pleth(7)
//! 0 pulse-bit-7 searching no-finger bar(4) | 0 pulse(7) | 0 SpO2(7)
//! ```
//!
//! Layout: the manufacturer's BCI protocol 1.2, in `atick-faisal/berry-oximeter`.
//!
//! S-7: the newest packet of a notification speaks for it. Whatever it says of the probe, the finger or the
//! search is said before any number is looked at.

use crate::vitals::gatt::{Bit, Cursor, DecodeError, Decoded, Meaning, Quality, Said, Samples};
use crate::vitals::nomenclature::*;
use crate::vitals::vendor::about::{About, Endpoint};
use crate::vitals::vendor::oximeter::{offer, unless};
use crate::vitals::vendor::wire::Piece;

pub(super) const ABOUT: About = About {
    word: "bci",
    device: "BerryMed and other oximeters with BCI packets",
    measures: &[SPO2, PULSE_RATE_OXIMETER],
    needs: &[],
    endpoint: Endpoint {
        service: "49535343-fe7d-4ae5-8fa9-9fafd205e455",
        notify: &["49535343-1e4d-4bd9-ba61-23c647249616"],
        write: &[],
        start: &[],
    },
};

/// Set on the first byte of a packet, and on no other.
const SYNC: u8 = 1 << 7;
const PACKET: usize = 5;
const STRENGTH: u8 = 0x0F;
const PULSE_BIT_7: u8 = 1 << 6;

/// The first byte below the third, graver reasons first.
const STATUS: &[Bit] = &[
    (5, Meaning::Withhold(Absent::Disconnected)), // probe unplugged
    (12, Meaning::Withhold(Absent::NotOnUser)),   // no finger
    (4, Meaning::Withhold(Absent::Unavailable)),  // no signal
    (13, Meaning::Withhold(Absent::Unavailable)), // searching for a pulse
];

const NO_SPO2: u16 = 0x7F;
const NO_PULSE: u16 = 0xFF;

pub(super) fn read(cursor: &mut Cursor<'_>, decoded: &mut Decoded) -> Result<(), DecodeError> {
    let mut pleth = Samples::NONE;
    loop {
        let packet = cursor.bytes::<5>("packet")?;
        let [first, wave, bar, low, spo2] = packet;
        if !is_in_step(&packet) {
            return Err(DecodeError::Invalid { field: "sync bit" });
        }
        // Zero stands for no wave.
        if wave != 0 {
            pleth.add(i64::from(wave));
        }
        if cursor.rest().is_empty() {
            let status = u16::from_le_bytes([first, bar]);
            let quality = Quality::of(u32::from(status), STATUS);
            let high = if bar & PULSE_BIT_7 != 0 { 0x80 } else { 0 };
            let pulse = unless(u16::from(low | high), NO_PULSE, Absent::Invalid);
            let spo2 = unless(u16::from(spo2), NO_SPO2, Absent::Invalid);
            offer(decoded, spo2, pulse, &quality);
            decoded.say("signal-strength", Said::Count(i64::from(first & STRENGTH)));
            decoded.say("pleth", Said::Samples(pleth, "1"));
            return Ok(());
        }
    }
}

/// The sync bit is where it belongs, as far as the packet has come.
fn is_in_step(packet: &[u8]) -> bool {
    packet.iter().enumerate().all(|(at, byte)| (byte & SYNC != 0) == (at == 0))
}

/// One of the packets that follow each other, cut anywhere.
pub(super) fn piece(bytes: &[u8]) -> Piece {
    let begun = bytes.get(..PACKET.min(bytes.len())).unwrap_or_default();
    match (is_in_step(begun), begun.len()) {
        (false, _) => Piece::Wrong,
        (true, PACKET) => Piece::Run(PACKET),
        (true, _) => Piece::More,
    }
}

#[cfg(test)]
pub(super) mod tests;
