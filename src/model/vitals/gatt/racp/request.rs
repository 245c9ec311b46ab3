//! What is asked of a device that stores records.
//!
//! One request at a time, and only after its answers are subscribed to. Which filters a device knows says
//! its service: sequence numbers the glucose meter, time offsets the glucose sensor, record numbers the
//! generic health sensor (of 2023's draft), none the oximeter.
//!
//! A request to delete is written only once the records are on this machine's disk.

use jiff::civil::DateTime;

use super::NO_OPERATOR;
use crate::vitals::gatt::cts;

/// What to do with stored records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// Send them.
    Report(Records),
    /// Forget them.
    Delete(Records),
    /// Say how many there are.
    Count(Records),
    /// Stop sending.
    Abort,
}

/// Which records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Records {
    /// All of them.
    All,
    /// The oldest.
    First,
    /// The newest.
    Last,
    /// By the meter's number of the record.
    Sequence(Span<u16>),
    /// By the sensor's minutes since its session began.
    TimeOffset(Span<u16>),
    /// By the generic health sensor's number of the record.
    RecordNumber(Span<u32>),
    /// By the time that the meter showed to its user.
    UserTime(Span<WallTime>),
}

/// Both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span<T> {
    /// From here on.
    From(T),
    /// Up to here.
    UpTo(T),
    /// From the first to the second, which is not before it: a device refuses the reverse.
    Between(T, T),
}

/// A local time that a device can hold (Date Time, 2A08).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WallTime([u8; 7]);

impl WallTime {
    /// `None` outside the years 1582 to 9999.
    pub fn of(time: DateTime) -> Option<Self> {
        cts::encode_date_time(time).map(Self)
    }
}

impl Request {
    /// The value to write.
    pub fn encode(self) -> Vec<u8> {
        let (opcode, records) = match self {
            Request::Report(records) => (1, records),
            Request::Delete(records) => (2, records),
            Request::Abort => return vec![3, NO_OPERATOR],
            Request::Count(records) => (4, records),
        };
        let mut bytes = vec![opcode];
        records.encode(&mut bytes);
        bytes
    }
}

impl Records {
    /// Appends operator, filter and operand.
    fn encode(self, bytes: &mut Vec<u8>) {
        /// Sequence number, time offset or record number: the filter that a service has first.
        const BY_NUMBER: u8 = 1;
        const BY_USER_TIME: u8 = 2;
        match self {
            Records::All => bytes.push(1),
            Records::First => bytes.push(5),
            Records::Last => bytes.push(6),
            Records::Sequence(span) | Records::TimeOffset(span) => {
                span.encode(BY_NUMBER, |value| value.to_le_bytes().to_vec(), bytes);
            }
            Records::RecordNumber(span) => {
                span.encode(BY_NUMBER, |value| value.to_le_bytes().to_vec(), bytes);
            }
            Records::UserTime(span) => {
                span.encode(BY_USER_TIME, |WallTime(value)| value.to_vec(), bytes);
            }
        }
    }
}

impl<T> Span<T> {
    fn encode(self, filter: u8, value: impl Fn(T) -> Vec<u8>, bytes: &mut Vec<u8>) {
        let (operator, ends) = match self {
            Span::UpTo(last) => (2, vec![last]),
            Span::From(first) => (3, vec![first]),
            Span::Between(first, last) => (4, vec![first, last]),
        };
        bytes.extend([operator, filter]);
        bytes.extend(ends.into_iter().flat_map(value));
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::vitals::gatt::testing::bytes;

    #[test]
    fn requests_are_opcode_operator_filter_and_operand() {
        let time = WallTime::of(date(2024, 6, 15).at(17, 17, 27, 0)).expect("a year that fits");
        for (request, text) in [
            (Request::Report(Records::All), "01 01"),
            (Request::Report(Records::First), "01 05"),
            (Request::Report(Records::Last), "01 06"),
            (Request::Count(Records::All), "04 01"),
            (Request::Delete(Records::All), "02 01"),
            (Request::Abort, "03 00"),
            (Request::Report(Records::Sequence(Span::From(0x0102))), "01 03 01 02 01"),
            (Request::Count(Records::Sequence(Span::UpTo(7))), "04 02 01 07 00"),
            (Request::Delete(Records::Sequence(Span::Between(3, 9))), "02 04 01 03 00 09 00"),
            (Request::Report(Records::TimeOffset(Span::From(60))), "01 03 01 3c 00"),
            (
                Request::Report(Records::RecordNumber(Span::From(0x0001_0002))),
                "01 03 01 02 00 01 00",
            ),
            (Request::Report(Records::UserTime(Span::From(time))), "01 03 02 e8 07 06 0f 11 11 1b"),
            (
                Request::Report(Records::UserTime(Span::Between(time, time))),
                "01 04 02 e8 07 06 0f 11 11 1b e8 07 06 0f 11 11 1b",
            ),
        ] {
            assert_eq!(request.encode(), bytes(text), "{request:?}");
        }
        assert_eq!(WallTime::of(date(1500, 1, 1).at(0, 0, 0, 0)), None);
    }

    /// A value written without negotiation has at most 20 bytes.
    #[test]
    fn every_request_fits_in_one_packet() {
        let time = WallTime::of(date(9999, 12, 31).at(23, 59, 59, 0)).expect("a year that fits");
        let longest = Request::Delete(Records::UserTime(Span::Between(time, time)));
        assert!(longest.encode().len() <= 20);
    }
}
