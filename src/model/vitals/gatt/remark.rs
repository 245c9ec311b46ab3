//! What only a vendor's own protocol says besides vitals: a word, and what follows it.
//!
//! The program tells none of these apart, people read them: each protocol's file names its own words.
//!
//! S-7: nothing in here is a charted value. Waveforms are counted and measured out, never kept.

use std::fmt;

use crate::vitals::nomenclature::Unit;
use crate::vitals::sfloat::Reading;

/// Something that one protocol alone says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remark {
    /// What it is about, a stable word.
    pub word: &'static str,
    /// What is said of it.
    pub said: Said,
}

/// What is said of a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// The word says all.
    Nothing,
    /// A plain number.
    Count(i64),
    /// A quantity that is not charted.
    Quantity(Reading, Unit),
    /// A choice from the protocol's list.
    Choice(&'static str),
    /// A run of samples, and the UCUM unit of each: `1` where the protocol gives them none.
    Samples(Samples, &'static str),
}

/// How many samples a frame holds, and between which values they lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Samples {
    count: u32,
    low: i64,
    high: i64,
}

impl Samples {
    /// No samples yet.
    pub const NONE: Self = Self { count: 0, low: i64::MAX, high: i64::MIN };

    /// Counts one more sample.
    pub fn add(&mut self, sample: i64) {
        self.count = self.count.saturating_add(1);
        self.low = self.low.min(sample);
        self.high = self.high.max(sample);
    }

    /// Counts another channel's samples as well.
    pub fn join(&mut self, other: Self) {
        self.count = self.count.saturating_add(other.count);
        self.low = self.low.min(other.low);
        self.high = self.high.max(other.high);
    }

    /// How many there are.
    pub fn count(self) -> u32 {
        self.count
    }
}

/// What follows the word, with a space before each part: nothing, a number, a number and its unit, a
/// choice, or the count of samples, their smallest and largest value and their unit.
impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Said::Nothing => Ok(()),
            Said::Count(number) => write!(f, " {number}"),
            Said::Quantity(reading, unit) => match reading.number() {
                Ok(number) => write!(f, " {number} {}", unit.ucum()),
                Err(absent) => write!(f, " {}", absent.word()),
            },
            Said::Choice(choice) => write!(f, " {choice}"),
            Said::Samples(Samples { count: 0, .. }, _) => f.write_str(" 0"),
            Said::Samples(Samples { count, low, high }, unit) => {
                write!(f, " {count} {low}..{high} {unit}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_follows_its_word() {
        let mut samples = Samples::NONE;
        assert_eq!(Said::Samples(samples, "uV").to_string(), " 0");
        [3, -7, 5].into_iter().for_each(|sample| samples.add(sample));
        for (said, text) in [
            (Said::Nothing, ""),
            (Said::Count(-4), " -4"),
            (Said::Quantity(Reading::of(1205, -1), Unit::Kilogram), " 120.5 kg"),
            (Said::Quantity(Reading::NotANumber, Unit::Kilogram), " not-a-number"),
            (Said::Choice("charged"), " charged"),
            (Said::Samples(samples, "uV"), " 3 -7..5 uV"),
        ] {
            assert_eq!(said.to_string(), text);
        }
    }
}
