//! The two floating-point formats of IEEE 11073-20601: SFLOAT (16 bits) and FLOAT (32 bits).
//!
//! Exponent and mantissa are two's complement; the value is `mantissa x 10^exponent` and keeps the
//! device's digits. Five patterns with exponent zero are no numbers. They become [`Reading`] variants
//! here, at the first touch, so that 2047 can never be mistaken for a pressure (S-7).

use std::fmt;

use crate::vitals::decimal::Decimal;
use crate::vitals::nomenclature::Absent;

/// A number, or which special pattern stood in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// The device's digits.
    Number(Decimal),
    /// NaN.
    NotANumber,
    /// NRes: not at this resolution.
    NotAtThisResolution,
    /// +INF.
    PositiveInfinity,
    /// -INF.
    NegativeInfinity,
    /// The pattern reserved for later.
    Reserved,
}

impl Reading {
    /// `mantissa x 10^exponent`.
    pub const fn of(mantissa: i64, exponent: i8) -> Self {
        Reading::Number(Decimal::new(mantissa, exponent))
    }

    /// The number, if it is one; otherwise the reason why it may not be charted.
    ///
    /// # Errors
    /// The pattern is one of the five specials.
    pub fn number(self) -> Result<Decimal, Absent> {
        match self {
            Reading::Number(number) => Ok(number),
            Reading::NotANumber => Err(Absent::NotANumber),
            Reading::NotAtThisResolution => Err(Absent::NotAtThisResolution),
            Reading::PositiveInfinity => Err(Absent::PositiveInfinity),
            Reading::NegativeInfinity => Err(Absent::NegativeInfinity),
            Reading::Reserved => Err(Absent::Reserved),
        }
    }

    /// The same reading with the decimal point moved `places` to the right: a scale of the same unit
    /// (kg/L to mg/dL), which changes no digit.
    #[must_use]
    pub fn shifted(self, places: i8) -> Self {
        match self {
            Reading::Number(number) => Reading::Number(number.shifted(places)),
            Reading::NotANumber
            | Reading::NotAtThisResolution
            | Reading::PositiveInfinity
            | Reading::NegativeInfinity
            | Reading::Reserved => self,
        }
    }
}

impl fmt::Display for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.number() {
            Ok(number) => write!(f, "{number}"),
            Err(absent) => f.write_str(absent.word()),
        }
    }
}

/// Decodes an SFLOAT: exponent in the top 4 bits, mantissa in the low 12.
pub fn sfloat(raw: u16) -> Reading {
    match raw {
        0x07FF => Reading::NotANumber,
        0x0800 => Reading::NotAtThisResolution,
        0x07FE => Reading::PositiveInfinity,
        0x0802 => Reading::NegativeInfinity,
        0x0801 => Reading::Reserved,
        _ => {
            // Shift the 12-bit sign into the 16-bit one; arithmetic shift carries it back.
            let mantissa = ((raw << 4).cast_signed()) >> 4;
            let exponent = raw.cast_signed() >> 12;
            let exponent = i8::try_from(exponent).expect("four signed bits fit in eight");
            Reading::of(i64::from(mantissa), exponent)
        }
    }
}

/// Decodes a FLOAT: exponent in the top byte, mantissa in the low three.
pub fn float(raw: u32) -> Reading {
    match raw {
        0x007F_FFFF => Reading::NotANumber,
        0x0080_0000 => Reading::NotAtThisResolution,
        0x007F_FFFE => Reading::PositiveInfinity,
        0x0080_0002 => Reading::NegativeInfinity,
        0x0080_0001 => Reading::Reserved,
        _ => {
            let mantissa = ((raw << 8).cast_signed()) >> 8;
            let [.., exponent] = raw.to_le_bytes();
            Reading::of(i64::from(mantissa), exponent.cast_signed())
        }
    }
}

/// Encodes an SFLOAT, for simulated peripherals and tests. `None` if the mantissa does not fit in
/// 12 signed bits, the exponent not in 4, or the pair is one of the specials.
pub fn encode_sfloat(mantissa: i16, exponent: i8) -> Option<u16> {
    if !(-2048..=2047).contains(&mantissa) || !(-8..=7).contains(&exponent) {
        return None;
    }
    let raw = (i16::from(exponent).cast_unsigned() << 12) | (mantissa.cast_unsigned() & 0x0FFF);
    matches!(sfloat(raw), Reading::Number(_)).then_some(raw)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sfloat_keeps_the_digits_of_the_device() {
        for (raw, text) in [
            (0x0061, "97"),
            (0xF3D4, "98.0"),    // 980e-1
            (0xF16F, "36.7"),    // 367e-1
            (0x1007, "70"),      // 7e1
            (0x0FFB, "-5"),      // -5e0
            (0xFFFB, "-0.5"),    // -5e-1
            (0xB078, "0.00120"), // 120e-5
            (0xF7FF, "204.7"),   // the NaN mantissa is a number under another exponent
            (0x0803, "-2045"),   // next to the specials
            (0x07FD, "2045"),
            (0x8001, "0.00000001"),
            (0x7001, "10000000"),
        ] {
            assert_eq!(sfloat(raw).to_string(), text, "{raw:04x}");
        }
    }

    #[test]
    fn s7_the_five_specials_are_no_numbers() {
        for (raw, wide, absent) in [
            (0x07FF, 0x007F_FFFF, Absent::NotANumber),
            (0x0800, 0x0080_0000, Absent::NotAtThisResolution),
            (0x07FE, 0x007F_FFFE, Absent::PositiveInfinity),
            (0x0802, 0x0080_0002, Absent::NegativeInfinity),
            (0x0801, 0x0080_0001, Absent::Reserved),
        ] {
            assert_eq!(sfloat(raw).number(), Err(absent));
            assert_eq!(float(wide).number(), Err(absent));
            assert_eq!(sfloat(raw).to_string(), absent.word());
            assert_eq!(sfloat(raw).shifted(5), sfloat(raw));
        }
    }

    #[test]
    fn float_keeps_the_digits_of_the_device() {
        for (raw, text) in [
            (0xFF00_016F_u32, "36.7"),
            (0xFE00_0E56, "36.70"),
            (0xFFFF_FFFB, "-0.5"),
            (0x0000_0025, "37"),
            (0x0100_0004, "40"),
        ] {
            assert_eq!(float(raw).to_string(), text, "{raw:08x}");
        }
    }

    #[test]
    fn every_pattern_round_trips_or_is_special() {
        let mut specials = 0;
        for raw in 0..=u16::MAX {
            let mantissa = ((raw << 4).cast_signed()) >> 4;
            let exponent = i8::try_from(raw.cast_signed() >> 12).expect("four bits");
            match sfloat(raw) {
                Reading::Number(_) => assert_eq!(encode_sfloat(mantissa, exponent), Some(raw)),
                Reading::NotANumber
                | Reading::NotAtThisResolution
                | Reading::PositiveInfinity
                | Reading::NegativeInfinity
                | Reading::Reserved => {
                    specials += 1;
                    assert_eq!(encode_sfloat(mantissa, exponent), None);
                }
            }
        }
        assert_eq!(specials, 5);
        assert_eq!(encode_sfloat(2048, 0), None);
        assert_eq!(encode_sfloat(1, 8), None);
    }
}
