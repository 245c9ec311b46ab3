//! How a text of any length is written, and the same text as a program of ours would have written it: both read
//! in pieces, and nothing of it held.

use std::io::{self, Read};

use encoding_rs::{Decoder, Encoding, UTF_8, WINDOWS_1252};

/// How the text was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// As every program here writes it.
    Utf8,
    /// In another encoding that was recognised, by its name.
    Otherwise(&'static str),
    /// In UTF-8 with bytes that are none.
    Mixed,
}

/// How a stream is written, found out by reading all of it once; nothing of it is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manner {
    encoding: &'static Encoding,
    pub(super) written: Written,
    /// What surrounds the text.
    has_mark: bool,
    has_returns: bool,
}

impl Manner {
    /// Reads any stream to its end.
    ///
    /// # Errors
    /// The stream fails.
    pub fn of(mut input: impl Read) -> io::Result<Self> {
        let mut first = Vec::new();
        input.by_ref().take(3).read_to_end(&mut first)?;
        let marked = Encoding::for_bom(&first).map(|(encoding, _)| encoding);
        let mut input = first.chain(input);
        let Some(encoding) = marked else { return Self::unmarked(input) };
        let mut decoding = Decoding::of(encoding, true);
        let mut has_returns = false;
        while let Some(text) = decoding.next(&mut input)? {
            has_returns |= text.contains(&b'\r');
        }
        let written = match (encoding == UTF_8, decoding.is_broken) {
            (true, false) => Written::Utf8,
            (true, true) => Written::Mixed,
            (false, _) => Written::Otherwise(encoding.name()),
        };
        Ok(Self { encoding, written, has_mark: true, has_returns })
    }

    fn unmarked(mut input: impl Read) -> io::Result<Self> {
        let (mut letters, mut piece) = (Letters::default(), [0; PIECE]);
        let (mut has_returns, mut is_binary) = (false, false);
        loop {
            let read = read_some(&mut input, &mut piece)?;
            let Some(piece) = piece.get(..read).filter(|piece| !piece.is_empty()) else { break };
            has_returns |= piece.contains(&b'\r');
            // A spreadsheet has no control characters beside those of lines; something binary has.
            is_binary |= piece.iter().any(|byte| matches!(byte, 0..=8 | 0x0E..=0x1F | 0x7F));
            letters.take(piece);
        }
        let is_broken = letters.is_broken || !letters.cut.is_empty();
        let (encoding, written) = match (is_broken, letters.are_utf8 || is_binary) {
            (false, _) => (UTF_8, Written::Utf8),
            (true, true) => (UTF_8, Written::Mixed),
            (true, false) => (WINDOWS_1252, Written::Otherwise(WINDOWS_1252.name())),
        };
        Ok(Self { encoding, written, has_mark: false, has_returns })
    }

    /// What is not as a program of ours would have written it, for a sentence; `None` if nothing is.
    pub fn changes(&self) -> Option<String> {
        let encoding = match self.written {
            Written::Utf8 => None,
            Written::Otherwise(name) => Some(format!("the encoding is {name}")),
            Written::Mixed => Some("some bytes are no UTF-8".to_owned()),
        };
        let mark = self.has_mark.then(|| "a byte order mark stands in front".to_owned());
        let ends = self.has_returns.then(|| "lines end with CR".to_owned());
        let changes: Vec<String> = [encoding, mark, ends].into_iter().flatten().collect();
        (!changes.is_empty()).then(|| changes.join(", "))
    }
}

/// Which letters beyond ASCII there are in bytes that come in pieces.
#[derive(Default)]
struct Letters {
    /// Some are UTF-8.
    are_utf8: bool,
    /// Some are not.
    is_broken: bool,
    /// The beginning of one that goes on in the next piece.
    cut: Vec<u8>,
}

impl Letters {
    fn take(&mut self, piece: &[u8]) {
        let bytes = [&std::mem::take(&mut self.cut)[..], piece].concat();
        let mut rest = &bytes[..];
        while let Err(error) = str::from_utf8(rest) {
            let (valid, from) = rest.split_at(error.valid_up_to());
            self.are_utf8 |= !valid.is_ascii();
            let Some(length) = error.error_len() else {
                self.cut = from.to_vec();
                return;
            };
            self.is_broken = true;
            rest = from.get(length..).unwrap_or_default();
        }
        self.are_utf8 |= !rest.is_ascii();
    }
}

/// Bytes that are read at a time.
const PIECE: usize = 8 * 1024;

fn read_some(input: &mut impl Read, piece: &mut [u8]) -> io::Result<usize> {
    loop {
        match input.read(piece) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}

/// A stream on its way into UTF-8.
struct Decoding {
    decoder: Decoder,
    raw: Vec<u8>,
    text: Vec<u8>,
    /// Something had to be replaced.
    is_broken: bool,
    is_over: bool,
}

impl Decoding {
    fn of(encoding: &'static Encoding, has_mark: bool) -> Self {
        let decoder = if has_mark {
            encoding.new_decoder_with_bom_removal()
        } else {
            encoding.new_decoder_without_bom_handling()
        };
        // With this much room a piece is decoded whole.
        let room = decoder.max_utf8_buffer_length(PIECE).unwrap_or(4 * PIECE);
        Self { decoder, raw: vec![0; PIECE], text: vec![0; room], is_broken: false, is_over: false }
    }

    /// The next piece, perhaps an empty one; `None` at the end.
    fn next(&mut self, input: &mut impl Read) -> io::Result<Option<&[u8]>> {
        if self.is_over {
            return Ok(None);
        }
        let read = read_some(input, &mut self.raw)?;
        self.is_over = read == 0;
        let raw = self.raw.get(..read).unwrap_or_default();
        let (_, _, written, broken) =
            self.decoder.decode_to_utf8(raw, &mut self.text, self.is_over);
        self.is_broken |= broken;
        Ok(self.text.get(..written))
    }
}

/// A stream as a program of ours would have written it: in UTF-8, its lines ending with a line feed.
pub struct Plain<R> {
    input: R,
    decoding: Decoding,
    /// The last letter was CR: a line feed that follows belongs to it.
    ended_with_return: bool,
    text: Vec<u8>,
    given: usize,
}

impl<R: Read> Plain<R> {
    /// Of a stream that is written in this manner.
    pub fn new(input: R, manner: &Manner) -> Self {
        let decoding = Decoding::of(manner.encoding, manner.has_mark);
        Self { input, decoding, ended_with_return: false, text: Vec::new(), given: 0 }
    }
}

impl<R: Read> Read for Plain<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.text.len() {
            let Some(text) = self.decoding.next(&mut self.input)? else { return Ok(0) };
            (self.given, self.text) = (0, Vec::with_capacity(text.len()));
            for byte in text {
                let after_return = std::mem::replace(&mut self.ended_with_return, *byte == b'\r');
                match byte {
                    b'\r' => self.text.push(b'\n'),
                    b'\n' if after_return => {}
                    byte => self.text.push(*byte),
                }
            }
        }
        let mut rest = self.text.get(self.given..).unwrap_or_default();
        let read = rest.read(buffer)?;
        self.given += read;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// What is found out and read of a stream does not depend on where it is cut into reads, and is what
        /// the library says of the whole.
        #[test]
        fn a_stream_is_read_as_the_whole_is(
            text in "\u{feff}?([a-c\u{e4}\u{20ac}\u{1f600}]{0,3}(\n|\r\n|\r)?){0,5}",
            bytes in prop::collection::vec(any::<u8>(), 0..6),
            at in any::<prop::sample::Index>(),
            front in prop::sample::select(vec![
                &b""[..], b"\xEF\xBB\xBF", b"\xFF\xFE", b"\xFE\xFF",
            ]),
            cut in 1_usize..5,
        ) {
            struct Bits<'a>(&'a [u8], usize);
            impl Read for Bits<'_> {
                fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                    let most = self.1.min(buffer.len());
                    self.0.read(&mut buffer[..most])
                }
            }
            let mut whole = text.into_bytes();
            let at = at.index(whole.len() + 1);
            whole.splice(at..at, bytes);
            whole.splice(0..0, front.iter().copied());
            let manner = Manner::of(Bits(&whole, cut)).unwrap();
            prop_assert_eq!(manner, Manner::of(&whole[..]).unwrap());
            let mut read = String::new();
            Plain::new(Bits(&whole, cut), &manner).read_to_string(&mut read).unwrap();
            let (decoded, encoding, broken) = match Encoding::for_bom(&whole) {
                Some((encoding, mark)) => {
                    let (text, broken) = encoding.decode_without_bom_handling(&whole[mark..]);
                    (text, encoding, broken)
                }
                None => {
                    let (text, broken) = manner.encoding.decode_without_bom_handling(&whole);
                    (text, manner.encoding, broken)
                }
            };
            prop_assert_eq!(&read, &decoded.replace("\r\n", "\n").replace('\r', "\n"));
            prop_assert_eq!(encoding, manner.encoding);
            prop_assert_eq!(manner.has_returns, decoded.contains('\r'));
            if encoding == UTF_8 {
                prop_assert_eq!(manner.written == Written::Mixed, broken);
            }
        }
    }
}
