//! What of a table is gone: by what its indexes still say of rows that are not there, and by the pages that
//! are damaged.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

/// Stretches of rows that are named; what is beyond is added to the last.
const STRETCHES_MAX: usize = 1_000;
/// Row numbers up to which every one is known by itself.
const NUMBERS_MAX: i64 = 1 << 32;

/// Rows that cannot be read, in a stretch of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct LostRows {
    /// The first number.
    pub first: i64,
    /// The last one.
    pub last: i64,
    /// How many of them there were.
    pub count: u64,
    /// When the earliest of them was measured or written, where an index says it.
    pub from: Option<Timestamp>,
    /// And the latest.
    pub until: Option<Timestamp>,
}

/// A table as it was salvaged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SalvagedTable {
    /// Its name.
    pub table: String,
    /// Rows that are in the new store.
    pub kept: u64,
    /// Rows that were there and cannot be read.
    pub lost: u64,
    /// Which.
    pub lost_rows: Vec<LostRows>,
    /// Rows of these numbers may have been there: nothing that is left tells.
    pub perhaps: Vec<(i64, i64)>,
    /// Rows that could be read and do not open: what opens them is gone.
    pub unopened: u64,
    /// Damaged pages of the table and its indexes.
    pub damaged_pages: u64,
}

/// Row numbers, each known by itself.
#[derive(Clone, Debug, Default)]
pub struct Numbers(Vec<u64>);

impl Numbers {
    /// Adds a number.
    pub fn add(&mut self, number: i64) {
        let Some((word, bit)) = place(number) else { return };
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        if let Some(word) = self.0.get_mut(word) {
            *word |= bit;
        }
    }

    /// Takes a number out.
    pub fn remove(&mut self, number: i64) {
        if let Some((word, bit)) = place(number)
            && let Some(word) = self.0.get_mut(word)
        {
            *word &= !bit;
        }
    }

    /// Whether it has a number.
    pub fn has(&self, number: i64) -> bool {
        place(number)
            .is_some_and(|(word, bit)| self.0.get(word).is_some_and(|word| word & bit != 0))
    }

    /// The stretches between a first and a last number that it does not have, bounded by the greatest that it
    /// has.
    pub fn missing(&self, first: i64, last: i64) -> Vec<(i64, i64)> {
        let end = i64::try_from(self.0.len()).unwrap_or(i64::MAX).saturating_mul(64);
        let (mut stretches, mut from) = (Vec::new(), None);
        for number in first.max(1)..=last.min(end) {
            match (self.has(number), from) {
                (false, None) => from = Some(number),
                (true, Some(begin)) => {
                    stretches.push((begin, number - 1));
                    from = None;
                }
                (false, Some(_)) | (true, None) => {}
            }
        }
        stretches.extend(from.map(|begin| (begin, last)));
        if from.is_none() && last > end {
            stretches.push((first.max(end + 1).max(1), last));
        }
        stretches.truncate(STRETCHES_MAX);
        stretches
    }
}

fn place(number: i64) -> Option<(usize, u64)> {
    let number = u64::try_from(number).ok().filter(|_| number < NUMBERS_MAX)?;
    Some((usize::try_from(number / 64).ok()?, 1 << (number % 64)))
}

/// Rows that are gone, by number, with the time that an index says.
#[derive(Clone, Debug, Default)]
pub struct Named(BTreeMap<i64, Option<i64>>);

impl Named {
    /// This row was there, and was of this time in microseconds.
    pub fn add(&mut self, number: i64, at_us: Option<i64>) {
        let time = self.0.entry(number).or_default();
        *time = time.or(at_us);
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        u64::try_from(self.0.len()).unwrap_or(u64::MAX)
    }

    /// Which.
    pub fn numbers(&self) -> impl Iterator<Item = i64> + '_ {
        self.0.keys().copied()
    }

    /// In stretches.
    pub fn stretches(&self) -> Vec<LostRows> {
        let mut stretches: Vec<LostRows> = Vec::new();
        for (number, at_us) in &self.0 {
            let at = at_us.and_then(|at| Timestamp::from_microsecond(at).ok());
            let is_full = stretches.len() >= STRETCHES_MAX;
            match stretches.last_mut() {
                Some(last) if is_full || last.last.saturating_add(1) == *number => {
                    last.last = *number;
                    last.count += 1;
                    last.from = last.from.into_iter().chain(at).min();
                    last.until = last.until.into_iter().chain(at).max();
                }
                Some(_) | None => stretches.push(LostRows {
                    first: *number,
                    last: *number,
                    count: 1,
                    from: at,
                    until: at,
                }),
            }
        }
        stretches
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_are_missing_come_in_stretches() {
        let mut numbers = Numbers::default();
        (1..=200)
            .filter(|number| !(50..60).contains(number))
            .for_each(|number| numbers.add(number));
        numbers.remove(7);
        assert_eq!(numbers.missing(1, 120), [(7, 7), (50, 59)]);
        assert_eq!(numbers.missing(55, 57), [(55, 57)]);
        assert_eq!(numbers.missing(190, 300), [(201, 300)]);
        assert_eq!(numbers.missing(400, 500), [(400, 500)]);
        numbers.add(-3);
        numbers.add(i64::MAX);
        assert!(!numbers.has(-3) && !numbers.has(i64::MAX) && numbers.has(200));
        let mut named = Named::default();
        for (number, at) in [(9, Some(5)), (8, None), (8, Some(2)), (12, Some(7))] {
            named.add(number, at);
        }
        let stretches = named.stretches();
        assert_eq!((stretches[0].first, stretches[0].last, stretches[0].count), (8, 9, 2));
        assert_eq!(stretches[0].from.map(Timestamp::as_microsecond), Some(2));
        assert_eq!((stretches[1].first, stretches.len(), named.count()), (12, 2, 3));
    }
}
