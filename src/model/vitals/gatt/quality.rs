//! From a device's status bits to a judgement: withhold, and under which reason, or chart with remarks.

use crate::vitals::nomenclature::{Absent, Status};

/// What a device's status says about its values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::vitals) struct Quality {
    /// Why its values must be withheld, if they must.
    pub withhold: Option<Absent>,
    /// Remarks on values that may be charted.
    pub status: Vec<Status>,
}

/// What one status bit means.
#[derive(Clone, Copy, Debug)]
pub(in crate::vitals) enum Meaning {
    /// The value must not be charted (S-7).
    Withhold(Absent),
    /// The value may be charted with this remark.
    Remark(Status),
}

/// A status bit, by its position, and its meaning.
pub(in crate::vitals) type Bit = (u32, Meaning);

impl Quality {
    /// A judgement from status bits. Bits without a row are reserved and mean nothing. Among several
    /// reasons the first row wins, so a table lists the graver ones first.
    pub(in crate::vitals) fn of(bits: u32, table: &[Bit]) -> Self {
        let mut quality = Self::default();
        quality.add(bits, table);
        quality
    }

    /// Adds the judgement of further status bits; reasons found earlier stay in front.
    pub(in crate::vitals) fn add(&mut self, bits: u32, table: &[Bit]) {
        for (position, meaning) in table {
            if bits & (1 << position) != 0 {
                match meaning {
                    Meaning::Withhold(reason) => self.withhold(*reason),
                    Meaning::Remark(status) => self.status.push(*status),
                }
            }
        }
    }

    /// A judgement that withholds.
    pub(in crate::vitals) fn withheld(reason: Absent) -> Self {
        Self { withhold: Some(reason), status: Vec::new() }
    }

    /// Withholds, unless a graver reason was found before.
    pub(in crate::vitals) fn withhold(&mut self, reason: Absent) {
        self.withhold.get_or_insert(reason);
    }
}
