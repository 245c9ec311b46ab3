//! The language of RF IDeas pcProx badge readers: 8-byte HID feature reports, report number 0.
//!
//! Pure: bytes in, meaning out. After the public description of the protocol by its reverse engineers
//! (micolous/pcprox, `protocol.md`); no vendor library is involved.
//!
//! - A question is written as a report and its answer is read as the next one.
//! - The bits of a badge and their number are two questions, so a badge that is swapped in between
//!   could be mixed of two; the bits are asked for before and after and have to agree.
//! - Parity is stripped by the reader and checked by nobody. The same bits in another count are
//!   another badge, so the count is part of the number.
//! - The reader also types the number as a keyboard. [`silence`] switches that off in its memory; its
//!   EEPROM is never written.
//! - The reader holds a number for a while after the badge left, and may look away for a moment while
//!   it lies there: [`Hold`] makes one tap of it.
//!
//! S-10: a number is only in a [`Badge`] and in reports that wipe themselves.

use zeroize::Zeroizing;

use wardkeep_model::access::factor::{Badge, ReaderFamily};

/// USB vendor and product number.
pub const USB_ID: (u16, u16) = (0x0c27, 0x3bfa);
/// Length of every report.
pub(super) const REPORT_BYTES: usize = 8;
/// What is written to and read from the reader. Wiped on drop: it may hold a badge's number.
pub type Report = Zeroizing<[u8; REPORT_BYTES]>;

/// Where feature reports go to and come from.
pub(super) trait Feature {
    /// Why one did not.
    type Error;
    /// Writes one.
    fn put(&self, report: &Report) -> Result<(), Self::Error>;
    /// Reads one.
    fn get(&self) -> Result<Report, Self::Error>;
}

/// `bHaltKBSnd` in the last byte of page 0: do not type.
const HALT_KEYBOARD: u8 = 0x80;
/// Looks in a row without a badge until it counts as gone.
const EMPTY_LOOKS: u8 = 2;
/// Looks in a row that make no sense until that is reported.
const GARBLED_LOOKS: u8 = 3;

/// What the reader can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Question {
    /// Which firmware it has.
    Device,
    /// Page 0 of its settings.
    Settings,
    /// The bits of the badge in its field.
    Bits,
    /// How many they are; answered only after [`Question::Bits`].
    BitCount,
}

impl Question {
    /// The report that asks it.
    pub(super) fn report(self) -> Report {
        let code = match self {
            Question::Device => 0x8a,
            Question::Settings => 0x80,
            Question::Bits => 0x8f,
            Question::BitCount => 0x8e,
        };
        Zeroizing::new([code, 0, 0, 0, 0, 0, 0, 0])
    }
}

/// The reports that stop the reader from typing, in order, given its settings; `None` if it is silent
/// already, or has given no settings that could be completed.
///
/// The last one ends the change. It carries the set of pages to burn into the EEPROM: none.
pub fn silence(settings: &Report) -> Option<[Report; 3]> {
    let mut silent = settings.clone();
    let [.., flags] = &mut *silent;
    if **settings == [0; REPORT_BYTES] || *flags & HALT_KEYBOARD != 0 {
        return None;
    }
    *flags |= HALT_KEYBOARD;
    Some([Question::Settings.report(), silent, Zeroizing::new([0x90, 0, 0, 0, 0, 0, 0, 0])])
}

/// Which firmware a reader has, as its maker writes it; `None` if it has not answered.
pub fn firmware(device: &Report) -> Option<String> {
    let [_, _, minor, major, ..] = **device;
    let told = **device != [0; REPORT_BYTES];
    told.then(|| format!("{major:02}.{}.{}", minor >> 4, minor & 0x0f))
}

/// What lies on the reader.
#[derive(Clone, Debug, PartialEq)]
pub enum Look {
    /// Nothing.
    Empty,
    /// A badge.
    Badge(Badge),
    /// Something whose answers do not fit together.
    Garbled,
}

/// What the answers to `Question::Bits`, `Question::BitCount` and the bits once more say.
pub fn look(bits: &Report, count: &Report, again: &Report) -> Look {
    let [told, repeated, ..] = **count;
    match (**bits == [0; REPORT_BYTES], **again == [0; REPORT_BYTES]) {
        (true, true) => return Look::Empty,
        (false, false) => {}
        (true, false) | (false, true) => return Look::Garbled,
    }
    if **bits != **again || told != repeated || told > 64 {
        return Look::Garbled;
    }
    let used = usize::from(told).div_ceil(8);
    let mut number = Zeroizing::new(Vec::with_capacity(1 + REPORT_BYTES));
    number.push(told);
    // The reader sends the least significant byte first.
    number.extend(bits.iter().take(used).rev());
    let spare = u32::from(told).next_multiple_of(8) - u32::from(told);
    let stray = number.get(1).is_some_and(|top| top.leading_zeros() < spare);
    let beyond = bits.iter().skip(used).any(|byte| *byte != 0);
    if stray || beyond {
        return Look::Garbled;
    }
    Badge::new(ReaderFamily::PcProx, &number).map_or(Look::Garbled, Look::Badge)
}

/// What has changed on the reader.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Nothing that counts.
    None,
    /// This badge was laid on it; whatever lay there before has left.
    Laid(Badge),
    /// What lies on it cannot be read; whatever was read before counts no more.
    Unreadable,
    /// It is empty again.
    Lifted,
}

/// Makes one tap of many looks.
#[derive(Debug, Default)]
pub struct Hold {
    lies: Lies,
    empty: u8,
    garbled: u8,
}

#[derive(Debug, Default)]
enum Lies {
    #[default]
    Nothing,
    Badge(Badge),
    Unreadable,
}

impl Hold {
    /// Takes in one look.
    pub fn observe(&mut self, look: Look) -> Change {
        match look {
            Look::Empty => {
                self.garbled = 0;
                self.empty = self.empty.saturating_add(1);
                if self.empty < EMPTY_LOOKS || matches!(self.lies, Lies::Nothing) {
                    return Change::None;
                }
                self.lies = Lies::Nothing;
                Change::Lifted
            }
            Look::Badge(badge) => {
                (self.empty, self.garbled) = (0, 0);
                if matches!(&self.lies, Lies::Badge(lying) if *lying == badge) {
                    return Change::None;
                }
                self.lies = Lies::Badge(badge.clone());
                Change::Laid(badge)
            }
            // A badge that was read well stays for a moment: it may be one that is being lifted or laid aside.
            // Of a reader that goes on like this nobody knows what lies on it.
            Look::Garbled => {
                self.empty = 0;
                self.garbled = self.garbled.saturating_add(1);
                if self.garbled < GARBLED_LOOKS || matches!(self.lies, Lies::Unreadable) {
                    return Change::None;
                }
                self.lies = Lies::Unreadable;
                Change::Unreadable
            }
        }
    }
}

#[cfg(test)]
mod tests;
