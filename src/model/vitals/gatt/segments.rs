//! Records in segments: what the generic health sensor and the activity monitor send when a record is
//! longer than a packet, and how a link puts one together again.
//!
//! Each segment begins with a byte: bit 0 is set in the first of a record, bit 1 in the last, and six bits
//! count up from segment to segment and roll over. A record in one segment has both bits set, and is what
//! [`decode`](crate::vitals::gatt::decode) takes; so is what the [`Reassembler`] gives.
//!
//! S-7: a record of which a segment is missing is dropped whole. Whether the count starts anew with each
//! record is not told by every device, so a gap between two records is not seen here: the numbers of stored
//! records tell it.

use crate::vitals::gatt::cursor::Cursor;
use crate::vitals::gatt::decoded::DecodeError;

/// Longest record put together: the header, the number of a stored record, and as much as a record's own
/// length can say.
pub const RECORD_LEN_MAX: usize = 1 + 4 + 0xFFFF;

const FIRST: u8 = 1 << 0;
const LAST: u8 = 1 << 1;
const COUNT_SHIFT: u8 = 2;
const COUNT_MASK: u8 = 0x3F;

/// The first byte of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    is_first: bool,
    is_last: bool,
    count: u8,
}

impl Header {
    fn of(byte: u8) -> Self {
        let (is_first, is_last) = (byte & FIRST != 0, byte & LAST != 0);
        Self { is_first, is_last, count: byte >> COUNT_SHIFT }
    }

    /// Reads it.
    pub(super) fn read(cursor: &mut Cursor<'_>) -> Result<Self, DecodeError> {
        cursor.u8("segment header").map(Self::of)
    }

    /// The segment is a record.
    pub(super) fn is_whole(self) -> bool {
        self.is_first && self.is_last
    }
}

/// What is wrong with a segment, or with the record before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It has no header.
    Empty,
    /// It came twice; the second is ignored.
    Duplicate,
    /// Segments before it are lost, and the record with them.
    Lost,
    /// It belongs before the segment that came last; the record is dropped.
    OutOfOrder,
    /// Its record has not begun, or was dropped.
    NoRecord,
    /// It begins a record while the last segment of another was still to come; that one is dropped.
    Unfinished,
    /// The record is longer than any can be, and is dropped.
    TooLong,
}

/// What became of a segment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Taken {
    /// A record that is whole, as one segment.
    pub whole: Option<Vec<u8>>,
    /// What is to be told.
    pub fault: Option<Fault>,
}

/// Puts the segments of one characteristic of one link together. It holds one record, at most
/// [`RECORD_LEN_MAX`] bytes; a new link needs a new one.
#[derive(Clone, Debug, Default)]
pub struct Reassembler {
    gathered: Option<Gathered>,
}

#[derive(Clone, Debug)]
struct Gathered {
    /// A header that says whole, and what the segments so far hold.
    record: Vec<u8>,
    /// The last segment, to know it again.
    last: Header,
    /// Where in the record it begins.
    last_at: usize,
}

impl Reassembler {
    /// Takes the next segment as it came.
    pub fn take(&mut self, segment: &[u8]) -> Taken {
        let Some((byte, part)) = segment.split_first() else { return fault(Fault::Empty) };
        let header = Header::of(*byte);
        if let Some(gathered) = &self.gathered
            && gathered.last == header
            && gathered.record.get(gathered.last_at..) == Some(part)
        {
            return fault(Fault::Duplicate);
        }
        if header.is_first {
            let unfinished = self.gathered.take().map(|_| Fault::Unfinished);
            let begun = Gathered { record: vec![FIRST | LAST], last: header, last_at: 1 };
            let taken = self.grow(begun, header, part);
            return Taken { fault: taken.fault.or(unfinished), ..taken };
        }
        let Some(gathered) = self.gathered.take() else { return fault(Fault::NoRecord) };
        match header.count.wrapping_sub(gathered.last.count) & COUNT_MASK {
            1 => self.grow(gathered, header, part),
            2..32 => fault(Fault::Lost),
            _ => fault(Fault::OutOfOrder),
        }
    }

    fn grow(&mut self, mut gathered: Gathered, header: Header, part: &[u8]) -> Taken {
        if gathered.record.len() + part.len() > RECORD_LEN_MAX {
            return fault(Fault::TooLong);
        }
        gathered.last_at = gathered.record.len();
        gathered.last = header;
        gathered.record.extend_from_slice(part);
        if header.is_last {
            return Taken { whole: Some(gathered.record), fault: None };
        }
        self.gathered = Some(gathered);
        Taken::default()
    }
}

fn fault(fault: Fault) -> Taken {
    Taken { whole: None, fault: Some(fault) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(first: bool, last: bool, count: u8) -> u8 {
        (u8::from(first) * FIRST) | (u8::from(last) * LAST) | (count << COUNT_SHIFT)
    }

    fn taken(reassembler: &mut Reassembler, segments: &[&[u8]]) -> Vec<Taken> {
        segments.iter().map(|segment| reassembler.take(segment)).collect()
    }

    fn whole(record: &[u8]) -> Taken {
        Taken { whole: Some(record.to_vec()), fault: None }
    }

    #[test]
    fn segments_make_a_record_over_the_end_of_the_count() {
        let mut reassembler = Reassembler::default();
        let segments: [&[u8]; 3] = [
            &[header(true, false, 62), 1, 2],
            &[header(false, false, 63), 3],
            &[header(false, true, 0), 4],
        ];
        let answers = taken(&mut reassembler, &segments);
        assert_eq!(answers, [Taken::default(), Taken::default(), whole(&[3, 1, 2, 3, 4])]);
        // One segment is a record by itself, whatever its count.
        let alone = [header(true, true, 9), 7];
        assert_eq!(reassembler.take(&alone), whole(&[3, 7]));
        assert_eq!(reassembler.take(&alone), whole(&[3, 7]), "a value that is measured twice");
    }

    /// S-7: a record with a hole is no record.
    #[test]
    fn s7_a_lost_or_misplaced_segment_drops_the_record() {
        let first: &[u8] = &[header(true, false, 5), 1];
        let last: &[u8] = &[header(false, true, 7), 3];
        for (segments, faults) in [
            (vec![first, last], vec![None, Some(Fault::Lost)]),
            (
                vec![first, &[header(false, false, 4), 9], last],
                vec![None, Some(Fault::OutOfOrder), Some(Fault::NoRecord)],
            ),
            // The same number with other bytes is not the same segment.
            (
                vec![first, &[header(false, false, 5), 9], last],
                vec![None, Some(Fault::OutOfOrder), Some(Fault::NoRecord)],
            ),
            (vec![last], vec![Some(Fault::NoRecord)]),
            (vec![first, &[], last], vec![None, Some(Fault::Empty), Some(Fault::Lost)]),
        ] {
            let answers = taken(&mut Reassembler::default(), &segments);
            assert!(answers.iter().all(|taken| taken.whole.is_none()), "{segments:?}");
            let told: Vec<_> = answers.iter().map(|taken| taken.fault).collect();
            assert_eq!(told, faults, "{segments:?}");
        }
    }

    #[test]
    fn a_repeated_segment_is_told_and_ignored() {
        let first: &[u8] = &[header(true, false, 0), 1];
        let middle: &[u8] = &[header(false, false, 1), 2];
        let last: &[u8] = &[header(false, true, 2), 3];
        let segments = [first, first, middle, middle, last];
        let answers = taken(&mut Reassembler::default(), &segments);
        let told: Vec<_> = answers.iter().map(|taken| taken.fault).collect();
        let twice = Some(Fault::Duplicate);
        assert_eq!(told, [None, twice, None, twice, None]);
        assert_eq!(
            answers.last().and_then(|taken| taken.whole.as_deref()),
            Some(&[3, 1, 2, 3][..])
        );
    }

    #[test]
    fn a_new_record_ends_an_unfinished_one() {
        let mut reassembler = Reassembler::default();
        let begun = [header(true, false, 0), 1];
        assert_eq!(reassembler.take(&begun), Taken::default());
        let next = reassembler.take(&[header(true, true, 1), 2]);
        assert_eq!(next, Taken { whole: Some(vec![3, 2]), fault: Some(Fault::Unfinished) });
        assert_eq!(reassembler.take(&[header(false, true, 2), 3]), fault(Fault::NoRecord));
    }

    #[test]
    fn a_record_without_an_end_is_dropped() {
        let mut reassembler = Reassembler::default();
        let part = [0; 500];
        let segment = |count: usize| {
            let count = u8::try_from(count % 64).expect("six bits");
            [&[header(count == 0, false, count)][..], &part].concat()
        };
        // Only the very first count of zero begins a record here.
        assert_eq!(reassembler.take(&segment(0)), Taken::default());
        let mut len = 1 + part.len();
        let mut count = 1;
        while len + part.len() <= RECORD_LEN_MAX {
            let mut bytes = segment(count);
            bytes[0] &= !FIRST;
            assert_eq!(reassembler.take(&bytes), Taken::default(), "{len}");
            len += part.len();
            count += 1;
        }
        let mut bytes = segment(count);
        bytes[0] &= !FIRST;
        assert_eq!(reassembler.take(&bytes), fault(Fault::TooLong));
    }

    proptest::proptest! {
        /// Any bytes: nothing is longer than a record, and nothing is whole that did not begin.
        #[test]
        fn any_segments_give_whole_records_or_none(
            segments in proptest::collection::vec(
                proptest::collection::vec(proptest::num::u8::ANY, 0..6),
                0..40,
            ),
        ) {
            let mut reassembler = Reassembler::default();
            let mut has_begun = false;
            for segment in &segments {
                has_begun |= segment.first().is_some_and(|byte| byte & FIRST != 0);
                let taken = reassembler.take(segment);
                if let Some(whole) = taken.whole {
                    proptest::prop_assert!(has_begun && whole.len() <= RECORD_LEN_MAX);
                    proptest::prop_assert_eq!(whole.first(), Some(&(FIRST | LAST)));
                    has_begun = false;
                }
            }
        }

        /// A record cut into segments is the same record again.
        #[test]
        fn what_was_cut_is_whole_again(
            record in proptest::collection::vec(proptest::num::u8::ANY, 1..300),
            (len, start) in (1_usize..40, 0_usize..64),
        ) {
            let parts: Vec<&[u8]> = record.chunks(len).collect();
            let mut reassembler = Reassembler::default();
            let mut last = Taken::default();
            for (index, part) in parts.iter().enumerate() {
                proptest::prop_assert_eq!(&last, &Taken::default());
                let count = u8::try_from((start + index) % 64).expect("six bits");
                let byte = header(index == 0, index + 1 == parts.len(), count);
                last = reassembler.take(&[&[byte][..], part].concat());
            }
            proptest::prop_assert_eq!(last, whole(&[&[3][..], &record].concat()));
        }
    }
}
