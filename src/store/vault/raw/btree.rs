//! What is on a page of a database (SQLite's file format, 1.6 and 2.1): which kind it is, which pages are
//! below it, and its rows. Total over any bytes.

use std::ops::Range;

use crate::crypto::page::USABLE;

/// Where the first page's content begins: behind the file's header.
pub const FILE_HEADER: usize = 100;
/// More cells than fit a page.
const CELLS_MAX: usize = USABLE / 4;
/// A row that claims to be longer is none.
const PAYLOAD_MAX: u64 = 64 * 1024 * 1024;

/// What a page is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Rows of a table, by number.
    TableLeaf,
    /// Pages of a table.
    TableInterior,
    /// Entries of an index, or rows of a table without row numbers.
    IndexLeaf,
    /// The same, with pages between them.
    IndexInterior,
}

/// A page of a tree.
#[derive(Clone, Copy, Debug)]
pub struct Node<'a> {
    content: &'a [u8],
    /// What it is.
    pub kind: Kind,
    at: usize,
    cells: usize,
}

/// A page below another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Child {
    /// Its number.
    pub page: u32,
    /// The greatest row number in it; none of the last one, and none in an index.
    pub last: Option<i64>,
}

/// A row, or an entry of an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// Its number; none in an index.
    pub row: Option<i64>,
    /// Where in the page its record begins.
    pub here: Range<usize>,
    /// Length of the whole record.
    pub len: usize,
    /// The page on which it goes on.
    pub overflow: Option<u32>,
}

impl<'a> Node<'a> {
    /// A page's content as a page of a tree; `None` if it is none.
    pub fn parse(number: u32, content: &'a [u8]) -> Option<Self> {
        let at = if number == 1 { FILE_HEADER } else { 0 };
        let kind = match *content.get(at)? {
            0x0d => Kind::TableLeaf,
            0x05 => Kind::TableInterior,
            0x0a => Kind::IndexLeaf,
            0x02 => Kind::IndexInterior,
            _ => return None,
        };
        let cells = usize::from(u16::from_be_bytes(two(content, at + 3)?));
        (cells <= CELLS_MAX).then_some(Self { content, kind, at, cells })
    }

    fn is_interior(&self) -> bool {
        matches!(self.kind, Kind::TableInterior | Kind::IndexInterior)
    }

    /// Where its cells begin, in their order.
    fn places(&self) -> impl Iterator<Item = usize> + 'a {
        let (content, first) = (self.content, self.at + if self.is_interior() { 12 } else { 8 });
        let places = (0..self.cells).filter_map(move |cell| two(content, first + 2 * cell));
        places.map(|place| usize::from(u16::from_be_bytes(place)))
    }

    /// The pages below it, in their order.
    pub fn children(&self) -> Vec<Child> {
        if !self.is_interior() {
            return Vec::new();
        }
        let mut children = Vec::with_capacity(self.cells + 1);
        for place in self.places() {
            let Some(page) = four(self.content, place) else { continue };
            let last = match self.kind {
                Kind::TableInterior => {
                    varint(self.content, place + 4).map(|(last, _)| last.cast_signed())
                }
                Kind::TableLeaf | Kind::IndexLeaf | Kind::IndexInterior => None,
            };
            children.push(Child { page, last });
        }
        children.extend(four(self.content, self.at + 8).map(|page| Child { page, last: None }));
        children
    }

    /// Its rows or entries, in their order. Those that make no sense are left out.
    pub fn cells(&self) -> Vec<Cell> {
        self.places().filter_map(|place| self.cell(place)).collect()
    }

    fn cell(&self, place: usize) -> Option<Cell> {
        let (mut at, mut row) = (place, None);
        let (len, row_after) = match self.kind {
            Kind::TableInterior => return None,
            Kind::IndexInterior => {
                at += 4;
                (varint(self.content, at)?, false)
            }
            Kind::IndexLeaf => (varint(self.content, at)?, false),
            Kind::TableLeaf => (varint(self.content, at)?, true),
        };
        at += len.1;
        if row_after {
            let (number, length) = varint(self.content, at)?;
            (row, at) = (Some(number.cast_signed()), at + length);
        }
        let len = usize::try_from(Some(len.0).filter(|len| *len <= PAYLOAD_MAX)?).ok()?;
        let local = local(len, row_after);
        let here = at..at.checked_add(local)?;
        self.content.get(here.clone())?;
        let overflow = if local < len { Some(four(self.content, here.end)?) } else { None };
        Some(Cell { row, here, len, overflow })
    }
}

/// How much of a record lies on its own page (1.6, with the usable size of a page of ours).
fn local(len: usize, is_table: bool) -> usize {
    let most = if is_table { USABLE - 35 } else { (USABLE - 12) * 64 / 255 - 23 };
    if len <= most {
        return len;
    }
    let least = (USABLE - 12) * 32 / 255 - 23;
    let split = least + (len - least) % (USABLE - 4);
    if split <= most { split } else { least }
}

/// A value of a record.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// None.
    Null,
    /// An integer.
    Integer(i64),
    /// A number with a fraction.
    Real(f64),
    /// Text, whatever its bytes are.
    Text(Vec<u8>),
    /// Bytes.
    Blob(Vec<u8>),
}

/// The values of a record; `None` if it is none.
pub fn record(bytes: &[u8]) -> Option<Vec<Value>> {
    let (header, mut at) = varint(bytes, 0)?;
    let header = usize::try_from(header).ok().filter(|header| *header <= bytes.len())?;
    let (mut values, mut body) = (Vec::new(), header);
    while at < header {
        let (kind, length) = varint(bytes, at)?;
        at += length;
        let (value, length) = value(kind, bytes.get(body..)?)?;
        body += length;
        values.push(value);
    }
    (at == header && body == bytes.len()).then_some(values)
}

/// A value of this type at the beginning of some bytes, and how many of them it takes.
fn value(kind: u64, bytes: &[u8]) -> Option<(Value, usize)> {
    let integer = |length: usize| {
        let bytes = bytes.get(..length)?;
        let sign = if bytes.first().is_some_and(|byte| byte & 0x80 != 0) { -1_i64 } else { 0 };
        let number = bytes.iter().fold(sign, |number, byte| number << 8 | i64::from(*byte));
        Some((Value::Integer(number), length))
    };
    let some = |front: u64| {
        let length = usize::try_from((kind - front) / 2).ok()?;
        Some((bytes.get(..length)?.to_vec(), length))
    };
    match kind {
        0 => Some((Value::Null, 0)),
        1..=4 => integer(usize::try_from(kind).ok()?),
        5 => integer(6),
        6 => integer(8),
        7 => {
            let number = bytes.first_chunk::<8>()?;
            Some((Value::Real(f64::from_be_bytes(*number)), 8))
        }
        8 => Some((Value::Integer(0), 0)),
        9 => Some((Value::Integer(1), 0)),
        10 | 11 => None,
        blob if blob % 2 == 0 => some(12).map(|(bytes, length)| (Value::Blob(bytes), length)),
        _ => some(13).map(|(bytes, length)| (Value::Text(bytes), length)),
    }
}

/// SQLite's integers of one to nine bytes; the number and how many bytes it takes.
fn varint(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    let mut number = 0_u64;
    for length in 1..=9 {
        let byte = *bytes.get(at.checked_add(length - 1)?)?;
        if length == 9 {
            return Some((number << 8 | u64::from(byte), 9));
        }
        number = number << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((number, length));
        }
    }
    None
}

fn two(bytes: &[u8], at: usize) -> Option<[u8; 2]> {
    bytes.get(at..at.checked_add(2)?)?.try_into().ok()
}

/// A page's number; none is zero.
pub fn four(bytes: &[u8], at: usize) -> Option<u32> {
    let number = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
    Some(u32::from_be_bytes(number)).filter(|number| *number > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_values_are_read_as_the_file_format_says() {
        assert_eq!(varint(&[0x7f], 0), Some((127, 1)));
        assert_eq!(varint(&[0x81, 0x00], 0), Some((128, 2)));
        assert_eq!(varint(&[0xff; 9], 0), Some((u64::MAX, 9)));
        assert_eq!(varint(&[0xff; 8], 0), None);
        // Header of 6: null, one byte, two bytes, one, text of two; then the body.
        let bytes = [6, 0, 1, 2, 9, 17, 0xff, 0x01, 0x00, b'a', b'b'];
        let values = record(&bytes).unwrap();
        let expected = [
            Value::Null,
            Value::Integer(-1),
            Value::Integer(256),
            Value::Integer(1),
            Value::Text(b"ab".to_vec()),
        ];
        assert_eq!(values, expected);
        for len in 0..bytes.len() {
            assert_eq!(record(&bytes[..len]), None, "{len}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_a_page_that_panics(
            number in 1_u32..3,
            mut bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..USABLE),
            kind in proptest::sample::select(vec![0x0d_u8, 0x05, 0x0a, 0x02, 0]),
        ) {
            let at = if number == 1 { FILE_HEADER } else { 0 };
            if let Some(byte) = bytes.get_mut(at) {
                *byte = kind;
            }
            if let Some(node) = Node::parse(number, &bytes) {
                proptest::prop_assert!(node.children().len() <= CELLS_MAX + 1);
                for cell in node.cells() {
                    record(&bytes[cell.here.clone()]);
                    proptest::prop_assert!(cell.here.len() <= cell.len);
                }
            }
            record(&bytes);
        }
    }
}
