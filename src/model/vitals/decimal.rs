//! Exact decimals: `mantissa x 10^exponent` with the device's own digits, so 36.70 stays 36.70.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An exact decimal; the exponent tells the precision the device sent. Equality and order are
/// numeric: `36.70 == 36.7`.
#[derive(Clone, Copy, Debug)]
pub struct Decimal {
    mantissa: i64,
    exponent: i8,
}

impl Decimal {
    /// `mantissa x 10^exponent`.
    pub const fn new(mantissa: i64, exponent: i8) -> Self {
        Self { mantissa, exponent }
    }

    /// Mantissa and exponent, as they were given.
    pub const fn parts(self) -> (i64, i8) {
        (self.mantissa, self.exponent)
    }

    /// The same digits with the decimal point moved `places` to the right.
    #[must_use]
    pub const fn shifted(self, places: i8) -> Self {
        Self { mantissa: self.mantissa, exponent: self.exponent.saturating_add(places) }
    }

    /// The same number without zeros at the end of its fraction.
    #[must_use]
    pub const fn without_trailing_zeros(self) -> Self {
        let Self { mut mantissa, mut exponent } = self;
        while exponent < 0 && mantissa % 10 == 0 {
            mantissa /= 10;
            exponent += 1;
        }
        Self { mantissa, exponent }
    }

    /// The sum, or none where it has too many digits.
    pub fn plus(self, other: Self) -> Option<Self> {
        let exponent = self.exponent.min(other.exponent);
        let aligned = |one: Self| {
            let steps = u32::try_from(i16::from(one.exponent) - i16::from(exponent)).ok()?;
            10_i64.checked_pow(steps)?.checked_mul(one.mantissa)
        };
        Some(Self { mantissa: aligned(self)?.checked_add(aligned(other)?)?, exponent })
    }

    /// The difference, or none where it has too many digits.
    pub fn minus(self, other: Self) -> Option<Self> {
        self.plus(Self { mantissa: other.mantissa.checked_neg()?, exponent: other.exponent })
    }

    /// The nearest number with this exponent; for reckoning, never for what a device sent.
    pub fn nearest(value: f64, exponent: i8) -> Option<Self> {
        let mantissa = (value / 10_f64.powi(exponent.into())).round();
        // What 53 bits hold exactly.
        let fits = mantissa.abs() <= 9_007_199_254_740_992.0;
        #[expect(clippy::cast_possible_truncation, reason = "a whole number that fits")]
        fits.then_some(Self { mantissa: mantissa as i64, exponent })
    }

    /// Digits after the decimal point.
    pub fn decimals(self) -> u32 {
        u32::from(self.exponent.min(0).unsigned_abs())
    }

    /// The nearest binary number, for drawing only.
    pub fn to_f64(self) -> f64 {
        self.to_string().parse().unwrap_or(f64::NAN)
    }
}

impl From<i64> for Decimal {
    fn from(whole: i64) -> Self {
        Self::new(whole, 0)
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.mantissa < 0 { "-" } else { "" };
        let digits = self.mantissa.unsigned_abs().to_string();
        if self.exponent >= 0 {
            let zeros =
                if self.mantissa == 0 { 0 } else { usize::from(self.exponent.unsigned_abs()) };
            return write!(f, "{sign}{digits}{}", "0".repeat(zeros));
        }
        let places = usize::from(self.exponent.unsigned_abs());
        let padded = format!("{digits:0>width$}", width = places + 1);
        let (whole, fraction) = padded.split_at(padded.len() - places);
        write!(f, "{sign}{whole}.{fraction}")
    }
}

/// The text is not a plain decimal number of at most 18 digits.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a decimal number")]
pub struct NotADecimal;

impl FromStr for Decimal {
    type Err = NotADecimal;
    fn from_str(text: &str) -> Result<Self, NotADecimal> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let unsigned = whole.strip_prefix('-').unwrap_or(whole);
        let digits = || unsigned.bytes().chain(fraction.bytes());
        let well_formed = !unsigned.is_empty()
            && (text.contains('.') != fraction.is_empty())
            && digits().all(|b| b.is_ascii_digit())
            && digits().count() <= 18;
        if !well_formed {
            return Err(NotADecimal);
        }
        let mantissa: i64 = format!("{whole}{fraction}").parse().map_err(|_| NotADecimal)?;
        let exponent = i8::try_from(fraction.len()).map_err(|_| NotADecimal)?;
        Ok(Self::new(mantissa, -exponent))
    }
}

/// Powers of ten up to here keep any mantissa within 128 bits.
const ALIGNABLE: u32 = 18;

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let steps = i32::from(self.exponent) - i32::from(other.exponent);
        if steps.unsigned_abs() > ALIGNABLE {
            return self.cmp_digits(*other);
        }
        // Both mantissas at the smaller exponent.
        let scale = 10_i128.pow(steps.unsigned_abs());
        let (mine, theirs) = (i128::from(self.mantissa), i128::from(other.mantissa));
        if steps >= 0 { (mine * scale).cmp(&theirs) } else { mine.cmp(&(theirs * scale)) }
    }
}

impl Decimal {
    /// Compares digit strings aligned at the decimal point: exact at any exponent, but slow.
    fn cmp_digits(self, other: Self) -> Ordering {
        let sign = self.mantissa.signum().cmp(&other.mantissa.signum());
        if sign != Ordering::Equal {
            return sign;
        }
        let (a, b) = (self.to_string(), other.to_string());
        let (a, b) = (a.trim_start_matches('-'), b.trim_start_matches('-'));
        let (aw, af) = a.split_once('.').unwrap_or((a, ""));
        let (bw, bf) = b.split_once('.').unwrap_or((b, ""));
        let magnitude = aw
            .len()
            .cmp(&bw.len())
            .then_with(|| aw.cmp(bw))
            .then_with(|| af.trim_end_matches('0').cmp(bf.trim_end_matches('0')));
        if self.mantissa < 0 { magnitude.reverse() } else { magnitude }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Decimal {}

impl Serialize for Decimal {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_the_digits_it_was_given() {
        for (mantissa, exponent, text) in [
            (3670, -2, "36.70"),
            (72, 0, "72"),
            (7, 1, "70"),
            (0, 3, "0"),
            (-5, -1, "-0.5"),
            (5, -3, "0.005"),
        ] {
            assert_eq!(Decimal::new(mantissa, exponent).to_string(), text);
            assert_eq!(text.parse::<Decimal>(), Ok(Decimal::new(mantissa, exponent)));
        }
    }

    #[test]
    fn orders_by_value() {
        let mut texts = ["100", "-0.5", "36.7", "9.99", "-12"];
        texts.sort_by_key(|text| text.parse::<Decimal>().expect("a decimal"));
        assert_eq!(texts, ["-12", "-0.5", "9.99", "36.7", "100"]);
        assert_eq!(Decimal::new(3670, -2), Decimal::new(367, -1));
    }

    proptest::proptest! {
        #[test]
        fn both_ways_to_compare_agree(
            (a, b) in (proptest::prelude::any::<i64>(), proptest::prelude::any::<i64>()),
            (small, tiny) in (-999_i64..=999, -99_i64..=99),
            (e, f) in (-30_i8..=30, -30_i8..=30),
        ) {
            for (left, right) in [(a, b), (small, tiny), (small * 10, small), (a, tiny)] {
                let (left, right) = (Decimal::new(left, e), Decimal::new(right, f));
                proptest::prop_assert_eq!(left.cmp(&right), left.cmp_digits(right));
            }
        }
    }

    #[test]
    fn sums_keep_the_finer_digits() {
        let sum = |a: &str, b: &str| {
            let of = |text: &str| text.parse::<Decimal>().unwrap();
            of(a).plus(of(b)).map(|sum| sum.to_string())
        };
        assert_eq!(sum("38.5", "-0.3").as_deref(), Some("38.2"));
        assert_eq!(sum("90", "2").as_deref(), Some("92"));
        assert_eq!(Decimal::new(9, 18).plus(Decimal::new(1, -18)), None);
        assert_eq!(Decimal::new(120, 0).minus(Decimal::new(3, 0)), Some(Decimal::from(117)));
        assert_eq!(Decimal::nearest(37.96, -1).map(|one| one.to_string()).as_deref(), Some("38.0"));
        assert_eq!(Decimal::nearest(f64::NAN, 0), None);
    }

    #[test]
    fn moving_the_point_keeps_the_digits() {
        assert_eq!(Decimal::new(120, -5).shifted(5).to_string(), "120");
        assert_eq!(Decimal::new(660, -4).shifted(3).to_string(), "66.0");
        assert_eq!(Decimal::new(812_500, -3).without_trailing_zeros().to_string(), "812.5");
        assert_eq!(Decimal::new(0, -3).without_trailing_zeros().to_string(), "0");
        assert_eq!(Decimal::new(700, 0).without_trailing_zeros().to_string(), "700");
    }

    #[test]
    fn refuses_what_is_no_plain_number() {
        for text in ["", "-", ".", "1.", ".5", "1e3", "+1", "1.2.3", "0x10", "1234567890123456789"]
        {
            assert_eq!(text.parse::<Decimal>(), Err(NotADecimal), "{text}");
        }
    }
}
