//! What a trend is read from: the values of a time in one piece of bytes, at one resolution.
//!
//! | resolution | an entry is | a block is | an entry's bytes, big-endian |
//! |---|---|---|---|
//! | single | one value | an hour | offset u32 in ms, value f32 |
//! | minute | all values of a minute | a day | number u16, count u32, min f32, max f32, sum f64 |
//! | hour | all values of an hour | 30 days | the same |
//!
//! Blocks begin at whole multiples of their length since 1970. Minutes and hours lie in order; single
//! values lie in the order in which they came. Sums are 64 bits wide, so that a mean does not depend on
//! the order. Whatever is read is checked: each function is total.

use zeroize::Zeroizing;

/// Microseconds of an hour.
const HOUR_US: i64 = 3_600_000_000;

/// How fine a block is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resolution {
    /// Single values, to the millisecond.
    Single,
    /// Aggregates of a minute.
    Minute,
    /// Aggregates of an hour.
    Hour,
}

impl Resolution {
    /// All of them, finest first.
    pub const ALL: [Resolution; 3] = [Resolution::Single, Resolution::Minute, Resolution::Hour];

    /// Its number in the table.
    pub fn number(self) -> u8 {
        match self {
            Resolution::Single => 0,
            Resolution::Minute => 1,
            Resolution::Hour => 2,
        }
    }

    /// Length of an entry, in microseconds.
    pub fn entry_us(self) -> i64 {
        match self {
            Resolution::Single => 1_000,
            Resolution::Minute => 60_000_000,
            Resolution::Hour => HOUR_US,
        }
    }

    /// Length of a block, in microseconds.
    fn block_us(self) -> i64 {
        match self {
            Resolution::Single => HOUR_US,
            Resolution::Minute => 24 * HOUR_US,
            Resolution::Hour => 30 * 24 * HOUR_US,
        }
    }

    /// Start of the entry that an instant falls into.
    pub fn entry_of(self, at_us: i64) -> i64 {
        at_us - at_us.rem_euclid(self.entry_us())
    }

    /// Start of the block that an instant falls into.
    pub fn block_of(self, at_us: i64) -> i64 {
        at_us - at_us.rem_euclid(self.block_us())
    }

    fn entry_len(self) -> usize {
        match self {
            Resolution::Single => 8,
            Resolution::Minute | Resolution::Hour => 22,
        }
    }
}

/// What is kept of several values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Aggregate {
    /// How many; never none.
    pub count: u32,
    /// Least.
    pub min: f32,
    /// Greatest.
    pub max: f32,
    /// All together.
    pub sum: f64,
}

impl Aggregate {
    /// Of one value.
    pub fn of(value: f32) -> Self {
        Self { count: 1, min: value, max: value, sum: f64::from(value) }
    }

    /// Adds others.
    pub fn merge(&mut self, other: Aggregate) {
        self.count = self.count.saturating_add(other.count);
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.sum += other.sum;
    }
}

/// The values of one block.
pub struct Block {
    resolution: Resolution,
    start_us: i64,
    bytes: Zeroizing<Vec<u8>>,
}

impl Block {
    /// A block without values and with room for so many.
    pub fn empty(resolution: Resolution, start_us: i64, room: usize) -> Self {
        let bytes = Zeroizing::new(Vec::with_capacity(room * resolution.entry_len()));
        Self { resolution, start_us, bytes }
    }

    /// A block as it was kept, with room for so many more values; `None` if it is not one.
    pub fn parse(resolution: Resolution, start_us: i64, bytes: &[u8], room: usize) -> Option<Self> {
        let len = resolution.entry_len();
        // At once as long as it will be: growing would leave a copy behind.
        let mut whole = Vec::with_capacity(bytes.len() + room * len);
        whole.extend_from_slice(bytes);
        let block = Self { resolution, start_us, bytes: Zeroizing::new(whole) };
        let end_us = start_us + resolution.block_us();
        let mut before = i64::MIN;
        for entry in block.bytes.chunks(len) {
            let (at_us, values) = block.entry(entry)?;
            let in_order = resolution == Resolution::Single || at_us > before;
            let sound = values.count > 0 && values.min <= values.max && values.sum.is_finite();
            if !in_order || !sound || at_us >= end_us {
                return None;
            }
            before = at_us;
        }
        Some(block)
    }

    /// When it begins.
    pub fn start_us(&self) -> i64 {
        self.start_us
    }

    /// The bytes to keep.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Adds a value of an instant within the block.
    pub fn add(&mut self, at_us: i64, value: f32) {
        let offset_us = at_us - self.start_us;
        let number = offset_us / self.resolution.entry_us();
        match self.resolution {
            Resolution::Single => {
                let offset = u32::try_from(number).expect("an hour has fewer milliseconds");
                self.bytes.extend_from_slice(&offset.to_be_bytes());
                self.bytes.extend_from_slice(&value.to_be_bytes());
            }
            Resolution::Minute | Resolution::Hour => {
                let number = u16::try_from(number).expect("a block has fewer than 2^16 entries");
                self.merge(number, Aggregate::of(value));
            }
        }
    }

    fn merge(&mut self, number: u16, mut values: Aggregate) {
        let len = self.resolution.entry_len();
        let key = number.to_be_bytes();
        let entries = self.bytes.chunks_exact(len);
        // Values come in order as a rule: the last entry is looked at first.
        let later =
            entries.clone().rev().take_while(|entry| entry.get(..2) > Some(&key[..])).count();
        let place = entries.len() - later;
        let found = place.checked_sub(1).and_then(|last| {
            let entry = entries.clone().nth(last)?;
            (entry.get(..2) == Some(&key[..])).then_some(entry)
        });
        let replaced = match found.map(|entry| self.entry(entry)) {
            Some(Some((_, present))) => {
                values.merge(present);
                (place - 1) * len..place * len
            }
            Some(None) | None => place * len..place * len,
        };
        let mut entry = [0_u8; 22];
        let parts = [
            &key[..],
            &values.count.to_be_bytes(),
            &values.min.to_be_bytes(),
            &values.max.to_be_bytes(),
            &values.sum.to_be_bytes(),
        ];
        let mut bytes = parts.into_iter().flatten();
        entry.fill_with(|| bytes.next().copied().unwrap_or_default());
        drop(self.bytes.splice(replaced, entry));
    }

    /// The entries with the instants at which they begin.
    pub fn entries(&self) -> impl Iterator<Item = (i64, Aggregate)> + '_ {
        let entries = self.bytes.chunks_exact(self.resolution.entry_len());
        entries.filter_map(|entry| self.entry(entry))
    }

    /// How many values there are.
    pub fn count(&self) -> u64 {
        match self.resolution {
            Resolution::Single => self.bytes.len() as u64 / 8,
            Resolution::Minute | Resolution::Hour => {
                self.entries().map(|(_, values)| u64::from(values.count)).sum()
            }
        }
    }

    /// One entry; `None` if it is not whole.
    fn entry(&self, bytes: &[u8]) -> Option<(i64, Aggregate)> {
        let (number, values) = match self.resolution {
            Resolution::Single => {
                let (number, rest) = bytes.split_first_chunk()?;
                let value = rest.first_chunk()?;
                (u32::from_be_bytes(*number), Aggregate::of(f32::from_be_bytes(*value)))
            }
            Resolution::Minute | Resolution::Hour => {
                let (number, rest) = bytes.split_first_chunk()?;
                let (count, rest) = rest.split_first_chunk()?;
                let (min, rest) = rest.split_first_chunk()?;
                let (max, rest) = rest.split_first_chunk()?;
                let sum = rest.first_chunk()?;
                let values = Aggregate {
                    count: u32::from_be_bytes(*count),
                    min: f32::from_be_bytes(*min),
                    max: f32::from_be_bytes(*max),
                    sum: f64::from_be_bytes(*sum),
                };
                (u32::from(u16::from_be_bytes(*number)), values)
            }
        };
        Some((self.start_us + i64::from(number) * self.resolution.entry_us(), values))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    proptest::proptest! {
        #[test]
        fn blocks_are_read_as_they_were_made_and_nothing_else_panics(
            values in proptest::collection::vec((0_i64..86_400_000_000, -300.0_f32..3_000.0), 0..60),
            bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200),
        ) {
            for resolution in Resolution::ALL {
                let mut block = Block::empty(resolution, 0, values.len());
                let mut expected: BTreeMap<i64, Aggregate> = BTreeMap::new();
                for (at_us, value) in &values {
                    let at_us = at_us % resolution.block_us();
                    block.add(at_us, *value);
                    let one = Aggregate::of(*value);
                    let entry = expected.entry(resolution.entry_of(at_us));
                    entry.and_modify(|all| all.merge(one)).or_insert(one);
                }
                let block = Block::parse(resolution, 0, block.bytes(), 0).expect("it was just made");
                proptest::prop_assert_eq!(block.count(), values.len() as u64);
                if resolution != Resolution::Single {
                    let same = block.entries().zip(&expected).all(|((at, found), (start, all))| {
                        at == *start && (found.count, found.min, found.max) == (all.count, all.min, all.max)
                    });
                    proptest::prop_assert!(same && block.entries().count() == expected.len());
                }
                if let Some(found) = Block::parse(resolution, 0, &bytes, 0) {
                    proptest::prop_assert_eq!(found.bytes(), &bytes[..]);
                }
            }
        }
    }
}
