//! `polar-pmd`: the measurement data of Polar straps and armbands (H10, OH1, Verity Sense).
//!
//! ```text
//! kind(6) | ns since 2000 (8) | compressed(1), layout(7) | samples
//! compressed  one whole sample of each channel, then blocks: bits | count | changes, low bits first
//! ```
//!
//! Kinds, layouts and frames: `polarofficial/polar-ble-sdk` (PmdDataFrame.kt, model/*.kt and their tests).
//!
//! S-7: waveforms are counted and measured out, nothing of them is charted. A pulse interval with movement
//! or without skin contact is only counted as refused (PPIData.md: such a sample is to be discarded).

use jiff::SignedDuration;
use jiff::civil;

use crate::vitals::gatt::{Cursor, DecodeError, Decoded, Said, Samples, Stamp};
use crate::vitals::vendor::about::{About, Endpoint};
use crate::vitals::vendor::wire::take;

pub(super) const ABOUT: About = About {
    word: "polar-pmd",
    device: "Polar H10, OH1, Verity Sense: waveforms",
    measures: &[],
    needs: &[],
    endpoint: Endpoint {
        service: "fb005c80-02e7-f387-1cad-8acd2d8df0c8",
        notify: &["fb005c82-02e7-f387-1cad-8acd2d8df0c8"],
        write: &["fb005c81-02e7-f387-1cad-8acd2d8df0c8"],
        // ECG of 130 samples a second at 14 bits; each stream has to be stopped again.
        start: &[0x02, 0x00, 0x00, 0x01, 0x82, 0x00, 0x01, 0x01, 0x0E, 0x00],
    },
};

const KIND_MASK: u8 = 0x3F;
const COMPRESSED: u8 = 1 << 7;
const ECG: u8 = 0;
const PPG: u8 = 1;
const ACC: u8 = 2;
const PPI: u8 = 3;

/// Words of the channels of one sample, in their order. Neighbours of one word are told as one.
type Channels = &'static [&'static str];
const AXES: Channels = &["acc-x", "acc-y", "acc-z"];
const PPG_4: Channels = &["ppg", "ppg", "ppg", "ambient"];
const PPG_2: Channels = &["ppg", "ppg", "status"];
const PPG_16: Channels = &[
    "ppg", "ppg", "ppg", "ppg", "ppg", "ppg", "ppg", "ppg", "ppg", "ppg", "ppg", "ppg", "ppg",
    "ppg", "ppg", "ppg", "status",
];
const PPG_20: Channels = &[
    "ppg", "ppg", "ppg", "ppg", "ppg", "ppg", "ppg", "ppg", "ppg", "ppg", "ppg", "ppg", "ppg",
    "ppg", "ppg", "ppg", "ppg", "ppg", "ppg", "ppg", "status",
];
const PPG_24: Channels = &[
    "ppg", "ppg", "ppg", "ppg", "ppg", "ppg", "ppg", "ppg", "ppg", "ppg", "ppg", "ppg", "ppg",
    "ppg", "ppg", "ppg", "ppg", "ppg", "ppg", "ppg", "ppg", "ppg", "ppg", "ppg", "status",
];

/// How the samples of a frame lie in it.
struct Layout {
    channels: Channels,
    bytes: usize,
    unit: &'static str,
}

pub(super) fn read(cursor: &mut Cursor<'_>, decoded: &mut Decoded) -> Result<(), DecodeError> {
    let kind = cursor.u8("measurement type")? & KIND_MASK;
    let nanoseconds = u64::from_le_bytes(cursor.bytes("time stamp")?);
    let frame = cursor.u8("frame type")?;
    decoded.stamp(stamp(nanoseconds));
    if kind > PPI {
        return Err(DecodeError::Unknown { field: "measurement type" });
    }
    match (kind, frame) {
        (ECG, 1 | 2) => return packed_ecg(cursor, frame, decoded),
        (PPI, 0) => return intervals(cursor, decoded),
        _ => {}
    }
    let layout = layout(kind, frame).ok_or(DecodeError::Unknown { field: "frame type" })?;
    let mut told = vec![Samples::NONE; layout.channels.len()];
    if frame & COMPRESSED == 0 {
        raw(cursor, &layout, &mut told)?;
    } else {
        compressed(cursor, &layout, &mut told)?;
    }
    tell(&layout, &told, decoded);
    Ok(())
}

/// The strap's own clock; zero is one that never ran.
fn stamp(nanoseconds: u64) -> Stamp {
    let Ok(nanoseconds) = i64::try_from(nanoseconds) else { return Stamp::Impossible };
    if nanoseconds == 0 {
        return Stamp::Unknown;
    }
    let epoch = civil::date(2000, 1, 1).at(0, 0, 0, 0);
    let time = epoch.checked_add(SignedDuration::from_nanos(nanoseconds));
    time.map_or(Stamp::Impossible, Stamp::Known)
}

fn layout(kind: u8, frame: u8) -> Option<Layout> {
    let (channels, bytes, unit): (Channels, usize, &str) = match (kind, frame) {
        (ECG, 0) => (&["ecg"], 3, "uV"),
        (ECG, 3) => (&["ecg", "ecg-2", "status"], 3, "1"),
        (ACC, 0) => (AXES, 1, "m[g]"),
        (ACC, 1 | 0x81) => (AXES, 2, "m[g]"),
        (ACC, 2) => (AXES, 3, "m[g]"),
        (ACC, 0x80) => (AXES, 2, "1"),
        (PPG, 0 | 0x80) => (PPG_4, 3, "1"),
        (PPG, 0x87) => (PPG_16, 3, "1"),
        (PPG, 0x88) => (PPG_24, 3, "1"),
        (PPG, 0x8A) => (PPG_20, 3, "1"),
        (PPG, 0x8D) => (PPG_2, 3, "1"),
        _ => return None,
    };
    Some(Layout { channels, bytes, unit })
}

/// A signed integer of up to four bytes, least significant first.
fn signed(bytes: &[u8]) -> i64 {
    let value = bytes.iter().rev().fold(0, |value: i64, byte| value << 8 | i64::from(*byte));
    extend(value, u32::try_from(bytes.len() * 8).unwrap_or(32))
}

/// Carries the sign of a number of so many bits into the whole integer.
fn extend(value: i64, bits: u32) -> i64 {
    let unused = 64 - bits;
    value << unused >> unused
}

fn raw(cursor: &mut Cursor<'_>, layout: &Layout, told: &mut [Samples]) -> Result<(), DecodeError> {
    while !cursor.rest().is_empty() {
        for (channel, word) in told.iter_mut().zip(layout.channels) {
            // The status beside a sample is a byte of bits, whatever the width of the sample.
            let len = if *word == "status" { 1 } else { layout.bytes };
            channel.add(signed(take(cursor, len, "sample")?));
        }
    }
    Ok(())
}

fn compressed(
    cursor: &mut Cursor<'_>,
    layout: &Layout,
    told: &mut [Samples],
) -> Result<(), DecodeError> {
    let mut latest = Vec::with_capacity(told.len());
    for channel in told.iter_mut() {
        let sample = signed(take(cursor, layout.bytes, "reference sample")?);
        channel.add(sample);
        latest.push(sample);
    }
    while !cursor.rest().is_empty() {
        let width = cursor.u8("change width")?;
        let count = usize::from(cursor.u8("change count")?);
        if !(1..=32).contains(&width) {
            return Err(DecodeError::Invalid { field: "change width" });
        }
        let bits = usize::from(width) * count * latest.len();
        let mut block = Bits::new(take(cursor, bits.div_ceil(8), "changes")?);
        for _ in 0..count {
            for (sample, channel) in latest.iter_mut().zip(told.iter_mut()) {
                *sample += block.signed(u32::from(width));
                channel.add(*sample);
            }
        }
    }
    Ok(())
}

/// Bits of a block, the least significant of each byte first.
struct Bits<'a> {
    bytes: std::slice::Iter<'a, u8>,
    held: u64,
    count: u32,
}

impl<'a> Bits<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { bytes: bytes.iter(), held: 0, count: 0 }
    }

    /// The next signed number of so many bits, at most 32; a block is as long as its numbers need.
    fn signed(&mut self, bits: u32) -> i64 {
        while self.count < bits {
            let byte = self.bytes.next().copied().unwrap_or_default();
            self.held |= u64::from(byte) << self.count;
            self.count += 8;
        }
        let value = self.held & ((1 << bits) - 1);
        self.held >>= bits;
        self.count -= bits;
        extend(value.cast_signed(), bits)
    }
}

/// Tells each run of channels that share a word as one.
fn tell(layout: &Layout, told: &[Samples], decoded: &mut Decoded) {
    let mut channels = layout.channels.iter().zip(told).peekable();
    while let Some((word, first)) = channels.next() {
        let mut all = *first;
        while let Some((_, more)) = channels.next_if(|(next, _)| *next == word) {
            all.join(*more);
        }
        if *word != "status" {
            decoded.say(word, Said::Samples(all, layout.unit));
        }
    }
}

/// ECG whose third byte also holds flags: 14 bits and contact, or 18 bits and tags.
fn packed_ecg(
    cursor: &mut Cursor<'_>,
    frame: u8,
    decoded: &mut Decoded,
) -> Result<(), DecodeError> {
    let mask = if frame == 1 { 0x3FFF } else { 0x3_FFFF };
    let mut told = Samples::NONE;
    while !cursor.rest().is_empty() {
        told.add(i64::from(cursor.u24("sample")? & mask));
    }
    decoded.say("ecg", Said::Samples(told, "uV"));
    Ok(())
}

/// Intervals between pulses, each with the rate, its own error and what spoke against it.
fn intervals(cursor: &mut Cursor<'_>, decoded: &mut Decoded) -> Result<(), DecodeError> {
    const MOVED: u8 = 1 << 0;
    const CONTACT: u8 = 1 << 1;
    const CONTACT_KNOWN: u8 = 1 << 2;
    let (mut told, mut refused) = (Samples::NONE, 0_i64);
    while !cursor.rest().is_empty() {
        cursor.u8("pulse rate")?;
        let interval = cursor.u16("interval")?;
        cursor.u16("interval error")?;
        let flags = cursor.u8("interval flags")?;
        let touches = flags & CONTACT_KNOWN == 0 || flags & CONTACT != 0;
        if flags & MOVED == 0 && touches {
            told.add(i64::from(interval));
        } else {
            refused += 1;
        }
    }
    decoded.say("ppi", Said::Samples(told, "ms"));
    if refused > 0 {
        decoded.say("ppi-refused", Said::Count(refused));
    }
    Ok(())
}

#[cfg(test)]
pub(super) mod tests;
