//! BER-TLV as PIV cards use it (SP 800-73-4 part 1, appendix; ISO/IEC 7816-4, 5.2.2), read strictly.
//!
//! Pure and total: definite lengths of at most two bytes, every element inside its template to the last
//! byte, nothing behind the last one. An object either is read whole or is [`Malformed`]; there is no
//! guessing, because parsers of card data that guessed have been the way into other programs.
//! A length in more bytes than it needs is accepted: cards write it.

/// The bytes are not what a card has to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed data object")]
pub(super) struct Malformed;

/// One element: its tag as sent, first byte most significant, and its value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Element<'a> {
    /// The tag, one to three bytes.
    pub(super) tag: u32,
    /// The value.
    pub(super) value: &'a [u8],
}

/// Reads elements one after another; an error is the last item.
#[derive(Clone)]
pub(super) struct Elements<'a>(&'a [u8]);

/// The elements of a template's value, or of a whole answer.
pub(super) fn elements(bytes: &[u8]) -> Elements<'_> {
    Elements(bytes)
}

/// The value of the only element in `bytes`.
///
/// # Errors
/// [`Malformed`] unless the bytes are exactly one element with this tag.
pub(super) fn only(bytes: &[u8], tag: u32) -> Result<&[u8], Malformed> {
    match one(bytes)? {
        (element, []) if element.tag == tag => Ok(element.value),
        _ => Err(Malformed),
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Result<Element<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let first = one(self.0);
        self.0 = first.map_or(&[], |(_, rest)| rest);
        Some(first.map(|(element, _)| element))
    }
}

/// The first element and what follows it.
fn one(bytes: &[u8]) -> Result<(Element<'_>, &[u8]), Malformed> {
    let (tag, rest) = tag(bytes)?;
    let (length, rest) = length(rest)?;
    let (value, rest) = rest.split_at_checked(length).ok_or(Malformed)?;
    Ok((Element { tag, value }, rest))
}

fn tag(bytes: &[u8]) -> Result<(u32, &[u8]), Malformed> {
    let (first, rest) = bytes.split_first().ok_or(Malformed)?;
    if first & 0x1F != 0x1F {
        return Ok((u32::from(*first), rest));
    }
    match rest {
        [second, rest @ ..] if second & 0x80 == 0 => {
            Ok((u32::from_be_bytes([0, 0, *first, *second]), rest))
        }
        [second, third, rest @ ..] if third & 0x80 == 0 => {
            Ok((u32::from_be_bytes([0, *first, *second, *third]), rest))
        }
        _ => Err(Malformed),
    }
}

fn length(bytes: &[u8]) -> Result<(usize, &[u8]), Malformed> {
    match bytes {
        [length @ 0..=0x7F, rest @ ..] => Ok((usize::from(*length), rest)),
        [0x81, length, rest @ ..] => Ok((usize::from(*length), rest)),
        [0x82, high, low, rest @ ..] => Ok((usize::from(u16::from_be_bytes([*high, *low])), rest)),
        _ => Err(Malformed),
    }
}

/// Appends an element with a tag of one byte. `value` has at most 65,535 bytes.
pub(super) fn push(bytes: &mut Vec<u8>, tag: u8, value: &[u8]) {
    bytes.push(tag);
    push_length(bytes, value.len());
    bytes.extend_from_slice(value);
}

/// Appends a length in the shortest form; at most 65,535.
pub(super) fn push_length(bytes: &mut Vec<u8>, length: usize) {
    let length = u16::try_from(length).unwrap_or(u16::MAX);
    match length.to_be_bytes() {
        [0, low @ 0..=0x7F] => bytes.push(low),
        [0, low] => bytes.extend_from_slice(&[0x81, low]),
        [high, low] => bytes.extend_from_slice(&[0x82, high, low]),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Tags and lengths of values, or `!` at what is malformed.
    fn shape(bytes: &[u8]) -> String {
        let words: Vec<String> = elements(bytes)
            .map(|element| match element {
                Ok(element) => format!("{:X}:{}", element.tag, element.value.len()),
                Err(Malformed) => "!".to_owned(),
            })
            .collect();
        words.join(" ")
    }

    #[test]
    fn elements_are_read_to_the_last_byte() {
        for (bytes, expected) in [
            (&[][..], ""),
            (&[0x53, 0x00], "53:0"),
            (&[0x70, 0x01, 0xAA, 0x71, 0x01, 0x00, 0xFE, 0x00], "70:1 71:1 FE:0"),
            (&[0x70, 0x81, 0x01, 0xAA], "70:1"),
            (&[0x70, 0x82, 0x00, 0x01, 0xAA], "70:1"),
            (&[0x5F, 0x50, 0x01, 0xAA], "5F50:1"),
            (&[0x7F, 0x81, 0x02, 0x00], "7F8102:0"),
            // Cut off: no length, half a length, half a value.
            (&[0x53], "!"),
            (&[0x53, 0x81], "!"),
            (&[0x53, 0x82, 0x00], "!"),
            (&[0x53, 0x02, 0xAA], "!"),
            (&[0x5F], "!"),
            (&[0x7F, 0x81], "!"),
            (&[0x7F, 0x81, 0x82, 0x03, 0x00], "!"),
            // Lengths that are indefinite, reserved, or longer than any object.
            (&[0x53, 0x80, 0x00, 0x00], "!"),
            (&[0x53, 0x83, 0x00, 0x00, 0x00], "!"),
            (&[0x53, 0xFF, 0x00], "!"),
            // Garbage behind.
            (&[0x53, 0x00, 0x00], "53:0 !"),
        ] {
            assert_eq!(shape(bytes), expected, "{bytes:02X?}");
        }
    }

    #[test]
    fn only_one_means_only_one() {
        assert_eq!(only(&[0x53, 0x01, 0xAA], 0x53), Ok(&[0xAA][..]));
        for bytes in [
            &[][..],
            &[0x53, 0x02, 0xAA],
            &[0x54, 0x01, 0xAA],
            &[0x53, 0x01, 0xAA, 0x00],
            &[0x53, 0x01, 0xAA, 0x53, 0x01, 0xAA],
        ] {
            assert_eq!(only(bytes, 0x53), Err(Malformed), "{bytes:02X?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        /// What is written is read again, whatever its length.
        #[test]
        fn written_elements_are_read(
            values in prop::collection::vec((any::<u8>(), prop::collection::vec(any::<u8>(), 0..400)), 0..5)
        ) {
            let mut bytes = Vec::new();
            let mut expected = Vec::new();
            for (tag, value) in &values {
                let tag = tag & 0xEF;
                push(&mut bytes, tag, value);
                expected.push((u32::from(tag), value.as_slice()));
            }
            let read: Result<Vec<_>, _> =
                elements(&bytes).map(|one| one.map(|one| (one.tag, one.value))).collect();
            prop_assert_eq!(read, Ok(expected));
        }

        /// Any bytes: reading ends, values lie inside and never overlap, and cutting the last byte
        /// of a well-formed object never goes unnoticed.
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut used = 0;
            let mut fine = true;
            for element in elements(&bytes) {
                prop_assert!(fine, "an error is the last item");
                match element {
                    Ok(element) => used += 2 + element.value.len(),
                    Err(Malformed) => fine = false,
                }
            }
            prop_assert!(used <= bytes.len());
            if let (true, [short @ .., _]) = (fine && elements(&bytes).count() == 1, bytes.as_slice()) {
                prop_assert!(elements(short).any(|element| element.is_err()) || short.is_empty());
            }
        }
    }
}
