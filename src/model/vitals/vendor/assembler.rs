//! Frames out of notifications: a long frame comes in several, and several short ones come in one.
//!
//! S-7: what has no checksum that fits, where the protocol has one, is no frame, and neither is a beginning
//! whose end does not follow at once: the next frame is looked for behind it. A record of a meter's memory
//! that does not say when it was measured is no frame without the answer that does.

use std::time::Duration;

use crate::moment::BootTime;
use crate::vitals::gatt::FRAME_LEN_MAX;
use crate::vitals::vendor::protocol::Protocol;
use crate::vitals::vendor::wire::Piece;
use crate::vitals::vendor::{bci, contec, o2ring, pc60fw, taidoc};

/// The rest of a frame follows its beginning within this, in the next packets of one transmission.
const GAP: Duration = Duration::from_millis(700);
/// A hundred packets a second say the same: one of a second is a value, and the others would fill the store.
const SAMPLED: Duration = Duration::from_secs(1);
/// A record is asked for as soon as its time was answered.
const STAMP_HELD: Duration = Duration::from_secs(5);

fn piece(protocol: Protocol, bytes: &[u8]) -> Piece {
    match protocol {
        Protocol::O2ring => o2ring::piece(bytes),
        Protocol::Pc60fw => pc60fw::piece(bytes),
        Protocol::Bci => bci::piece(bytes),
        Protocol::ContecCms50d => contec::piece(bytes),
        Protocol::Taidoc => taidoc::piece(bytes),
        // A notification is a frame.
        Protocol::Nonin3230
        | Protocol::OmronRecord
        | Protocol::OmronClock
        | Protocol::OmronPacket
        | Protocol::OmronHbf
        | Protocol::YonkerBp
        | Protocol::PolarPmd
        | Protocol::MgbScale
        | Protocol::XiaomiS400
        | Protocol::DexcomG6
        | Protocol::DexcomG7 => Piece::Whole(bytes.len()),
    }
}

/// Puts the frames of one link together. It holds less than a frame of [`FRAME_LEN_MAX`] and one more
/// notification; a new link needs a new one.
#[derive(Clone, Debug)]
pub struct Assembler {
    protocol: Protocol,
    /// A frame as far as it has come.
    part: Vec<u8>,
    came: BootTime,
    /// When a frame was given last of a protocol that says its numbers with each sample.
    sampled: Option<BootTime>,
    stamp: Option<(BootTime, Vec<u8>)>,
}

impl Assembler {
    /// For a device that speaks this.
    pub fn new(protocol: Protocol) -> Self {
        Self { protocol, part: Vec::new(), came: BootTime::default(), sampled: None, stamp: None }
    }

    /// Takes a notification; returns the frames that are whole, oldest first. Of a protocol that says its numbers
    /// with each sample the newest once a second.
    pub fn take(&mut self, now: BootTime, notification: &[u8]) -> Vec<Vec<u8>> {
        if now.since(self.came) > GAP {
            self.part.clear();
        }
        self.came = now;
        let mut bytes = std::mem::take(&mut self.part);
        bytes.extend(notification.iter().take(FRAME_LEN_MAX));
        let mut rest = bytes.as_slice();
        let (mut frames, mut run) = (Vec::new(), Vec::new());
        while !rest.is_empty() {
            let found = piece(self.protocol, rest);
            let len = match found {
                Piece::More if rest.len() < FRAME_LEN_MAX => break,
                Piece::More | Piece::Wrong => 1,
                Piece::Whole(len) | Piece::Run(len) | Piece::Stamp(len) | Piece::Stamped(len) => {
                    len
                }
            };
            let (frame, behind) = rest.split_at_checked(len.max(1)).unwrap_or((rest, &[]));
            rest = behind;
            let goes_on = matches!(found, Piece::Run(_)) && run.len() + len <= FRAME_LEN_MAX;
            if !goes_on && !run.is_empty() {
                frames.push(std::mem::take(&mut run));
            }
            match found {
                Piece::More | Piece::Wrong => {}
                Piece::Whole(_) => frames.push(frame.to_vec()),
                Piece::Run(_) => run.extend_from_slice(frame),
                Piece::Stamp(_) => self.stamp = Some((now, frame.to_vec())),
                Piece::Stamped(_) => frames.extend(self.stamped(now, frame)),
            }
        }
        if !run.is_empty() {
            frames.push(run);
        }
        self.part = rest.to_vec();
        if self.protocol == Protocol::Bci { self.newest(now, frames) } else { frames }
    }

    fn newest(&mut self, now: BootTime, frames: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
        let newest = frames.into_iter().next_back();
        let is_due = self.sampled.is_none_or(|then| now.since(then) >= SAMPLED);
        let given = newest.filter(|_| is_due);
        if given.is_some() {
            self.sampled = Some(now);
        }
        given.into_iter().collect()
    }

    fn stamped(&mut self, now: BootTime, record: &[u8]) -> Option<Vec<u8>> {
        let (at, mut frame) = self.stamp.take()?;
        frame.extend_from_slice(record);
        (now.since(at) <= STAMP_HELD).then_some(frame)
    }
}

#[cfg(test)]
mod tests;
