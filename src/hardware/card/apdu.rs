//! Command and answer APDUs of ISO/IEC 7816-4, and the reading of a badge's number.
//!
//! Pure and total: whatever bytes a card answers, they become a [`Badge`] or a named error, after at
//! most `EXCHANGES_MAX` exchanges. The card is a closure, so hostile answers need no reader in a test.
//! S-10: answers are held in wiping buffers, and no error carries an answer's bytes.

use zeroize::Zeroizing;

use wardkeep_model::access::factor::{Badge, NotABadge, ReaderFamily};

/// Longest answer to a short command: 256 bytes and the status word.
pub(crate) const ANSWER_MAX: usize = 258;
/// Exchanges that one reading may take before the card is given up.
pub(super) const EXCHANGES_MAX: usize = 4;
/// Most data that one short command carries.
pub(super) const DATA_MAX: usize = 255;
/// Bit of the class byte that says "more of this command follows".
const CHAINED: u8 = 0x10;
/// Longest badge number (ISO/IEC 14443-3 triple size UID).
const UID_MAX: usize = 10;

/// A command with short lengths: with or without data, with or without an expected answer (ISO/IEC
/// 7816-4 cases 1 to 4). Has no `Debug`: its data may be a PIN.
#[derive(Clone, Copy)]
pub(crate) struct Command<'a> {
    instruction: u8,
    parameters: [u8; 2],
    data: &'a [u8],
    expected: Option<u8>,
    class: u8,
    /// Bytes of the longest whole answer that makes sense.
    longest: usize,
}

impl<'a> Command<'a> {
    /// GET DATA for the UID, answered by the reader itself (PC/SC part 3, 3.2.2.1.3).
    pub(crate) const GET_UID: Command<'static> = Command {
        class: 0xFF,
        instruction: 0xCA,
        parameters: [0, 0],
        data: &[],
        expected: Some(0),
        longest: UID_MAX,
    };

    /// A command of class 00, with nothing to send and nothing expected.
    pub(crate) fn new(instruction: u8, parameters: [u8; 2]) -> Self {
        Self { class: 0x00, instruction, parameters, data: &[], expected: None, longest: 0 }
    }

    /// GET RESPONSE for the bytes a `61xx` announced.
    pub(crate) fn get_response(available: u8) -> Self {
        Self::new(0xC0, [0, 0]).expecting(available)
    }

    /// The same command with data. What is longer than one command can carry is sent as a chain
    /// (ISO/IEC 7816-4, 5.3.3).
    pub(crate) fn sending(self, data: &'a [u8]) -> Self {
        Self { data, ..self }
    }

    /// The same command with an expected length, for instance the one a `6Cxx` asked for; zero stands
    /// for 256.
    pub(crate) fn expecting(self, expected: u8) -> Self {
        Self { expected: Some(expected), ..self }
    }

    /// The same command, whose whole answer may have so many bytes, in one part or in several.
    pub(crate) fn of_at_most(self, longest: usize) -> Self {
        Self { longest, ..self }
    }

    /// Bytes of the longest whole answer that makes sense.
    pub(crate) fn longest(&self) -> usize {
        self.longest
    }

    /// An answer is expected, so that the card may correct its length.
    pub(crate) fn expects(&self) -> bool {
        self.expected.is_some()
    }

    /// The last command of the chain that carries the data, and the ones before it, as sent to the card.
    pub(crate) fn chain(&self) -> (impl Iterator<Item = Zeroizing<Vec<u8>>> + use<'a>, Self) {
        let full = self.data.len().saturating_sub(1) / DATA_MAX * DATA_MAX;
        let (before, last) = self.data.split_at(full);
        let link = Self { class: self.class | CHAINED, expected: None, ..*self };
        (before.chunks(DATA_MAX).map(move |data| link.sending(data).bytes()), self.sending(last))
    }

    /// As sent to the card; at most [`DATA_MAX`] bytes of its data.
    pub(crate) fn bytes(&self) -> Zeroizing<Vec<u8>> {
        // Never grown, so that no copy of a PIN is left behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(6 + DATA_MAX));
        bytes.extend_from_slice(&[self.class, self.instruction]);
        bytes.extend_from_slice(&self.parameters);
        let data = self.data.get(..DATA_MAX).unwrap_or(self.data);
        if let Ok(length @ 1..) = u8::try_from(data.len()) {
            bytes.push(length);
            bytes.extend_from_slice(data);
        }
        bytes.extend(self.expected);
        bytes
    }
}

/// What the status word at the end of an answer means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// `9000`.
    Done,
    /// `61xx`: this many more bytes wait, zero stands for 256.
    More(u8),
    /// `6Cxx`: ask again with this length.
    WrongLength(u8),
    /// Any other word: a warning or a refusal.
    Refused(u16),
}

impl From<[u8; 2]> for Status {
    fn from(word: [u8; 2]) -> Self {
        match word {
            [0x90, 0x00] => Status::Done,
            [0x61, available] => Status::More(available),
            [0x6C, length] => Status::WrongLength(length),
            other => Status::Refused(u16::from_be_bytes(other)),
        }
    }
}

/// The answer has no room for a status word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("answer ends before its status word")]
pub struct Truncated;

/// Splits an answer into its data and its status.
pub(crate) fn parse(answer: &[u8]) -> Result<(&[u8], Status), Truncated> {
    let (data, word) = answer.split_last_chunk::<2>().ok_or(Truncated)?;
    Ok((data, Status::from(*word)))
}

/// Why a card gave no badge number. `E` is the way the transmission itself can fail.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum UidError<E> {
    /// The card did not answer.
    #[error("transmission failed")]
    Transmit(E),
    /// The answer is too short to mean anything.
    #[error(transparent)]
    Truncated(#[from] Truncated),
    /// The card or the reader refused, with this status word.
    #[error("refused with status {0:04x}")]
    Refused(u16),
    /// More bytes than any badge number has.
    #[error("answer is longer than a badge number")]
    TooLong,
    /// The card kept asking for one more exchange.
    #[error("no number after {EXCHANGES_MAX} exchanges")]
    Endless,
    /// The number has a length that no badge has.
    #[error(transparent)]
    NotABadge(#[from] NotABadge),
}

/// Asks a contactless card for its number.
///
/// # Errors
/// Anything but a number of 4, 7 or 10 bytes with status `9000`, and any failure of `transmit`.
pub fn read_badge<E>(
    mut transmit: impl FnMut(&[u8]) -> Result<Zeroizing<Vec<u8>>, E>,
) -> Result<Badge, UidError<E>> {
    let mut uid = Zeroizing::new(Vec::with_capacity(UID_MAX));
    let mut command = Command::GET_UID;
    for _ in 0..EXCHANGES_MAX {
        let answer = transmit(&command.bytes()).map_err(UidError::Transmit)?;
        let (data, status) = parse(&answer)?;
        if uid.len() + data.len() > UID_MAX {
            return Err(UidError::TooLong);
        }
        uid.extend_from_slice(data);
        match status {
            Status::Done => return Ok(Badge::new(ReaderFamily::PcscUid, &uid)?),
            Status::More(available) => command = Command::get_response(available),
            Status::WrongLength(length) => command = command.expecting(length),
            Status::Refused(word) => return Err(UidError::Refused(word)),
        }
    }
    Err(UidError::Endless)
}

/// Whether an answer to reset comes from a contactless card.
///
/// A contactless reader builds it as `3B 8n 80 01`, n historical bytes and a check byte (PC/SC part 3,
/// 3.1.3.2.3.1). A contact card sends its own, and then GET DATA would reach the card instead of the
/// reader: the card could claim any number.
pub(crate) fn is_contactless(atr: &[u8]) -> bool {
    match atr {
        [0x3B, format, 0x80, 0x01, rest @ ..] if format & 0xF0 == 0x80 => {
            rest.len() == usize::from(format & 0x0F) + 1
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Card = UidError<&'static str>;

    /// A card that gives these answers in turn, then falls silent. Also counts what it was asked.
    fn dialogue(answers: &[&[u8]]) -> (Result<Badge, Card>, Vec<Vec<u8>>) {
        let mut asked = Vec::new();
        let mut left = answers.iter();
        let badge = read_badge(|command| {
            asked.push(command.to_vec());
            left.next().map(|answer| Zeroizing::new(answer.to_vec())).ok_or("silent")
        });
        (badge, asked)
    }

    fn badge(uid: &[u8]) -> Badge {
        Badge::new(ReaderFamily::PcscUid, uid).expect("a badge length")
    }

    #[test]
    fn numbers_of_badge_length_are_read() {
        for uid in [&[0x04, 0xA1, 0xB2, 0xC3][..], &[1, 2, 3, 4, 5, 6, 7], &[9; 10]] {
            let answer = [uid, &[0x90, 0x00]].concat();
            let (read, asked) = dialogue(&[&answer]);
            assert!(read.is_ok_and(|read| read == badge(uid)), "{} bytes", uid.len());
            assert_eq!(asked, [[0xFF, 0xCA, 0x00, 0x00, 0x00]]);
        }
    }

    #[test]
    fn other_answers_are_named_errors() {
        let long = [0xAA; 65_536];
        for (answer, error) in [
            (&[][..], UidError::Truncated(Truncated)),
            (&[0x90], UidError::Truncated(Truncated)),
            (&[0x90, 0x00], UidError::NotABadge(NotABadge(0))),
            (&[1, 2, 3, 0x90, 0x00], UidError::NotABadge(NotABadge(3))),
            (&[1, 2, 3, 4, 5, 0x90, 0x00], UidError::NotABadge(NotABadge(5))),
            (&[1, 2, 3, 4, 5, 6, 7, 8, 9, 0x90, 0x00], UidError::NotABadge(NotABadge(9))),
            (&[0xEE; 11], UidError::Refused(0xEEEE)),
            (&[0xEE; 13], UidError::TooLong),
            (&[0x6A, 0x81], UidError::Refused(0x6A81)),
            (&[1, 2, 3, 4, 0x63, 0x00], UidError::Refused(0x6300)),
            (&long[..255], UidError::TooLong),
            (&long[..], UidError::TooLong),
        ] {
            let (read, _) = dialogue(&[answer]);
            assert_eq!(read.err(), Some(error), "{} bytes", answer.len());
        }
    }

    #[test]
    fn length_corrections_are_followed() {
        let (read, asked) = dialogue(&[&[0x6C, 0x04], &[1, 2, 3, 4, 0x90, 0x00]]);
        assert!(read.is_ok_and(|read| read == badge(&[1, 2, 3, 4])));
        assert_eq!(asked, [[0xFF, 0xCA, 0, 0, 0], [0xFF, 0xCA, 0, 0, 4]]);

        let (read, asked) = dialogue(&[&[0x61, 0x07], &[1, 2, 3, 4, 5, 6, 7, 0x90, 0x00]]);
        assert!(read.is_ok_and(|read| read == badge(&[1, 2, 3, 4, 5, 6, 7])));
        assert_eq!(asked, [[0xFF, 0xCA, 0, 0, 0], [0x00, 0xC0, 0, 0, 7]]);

        let (read, _) = dialogue(&[&[1, 2, 3, 0x61, 0x04], &[4, 5, 6, 7, 0x90, 0x00]]);
        assert!(read.is_ok_and(|read| read == badge(&[1, 2, 3, 4, 5, 6, 7])), "in two parts");
    }

    #[test]
    fn s11_a_card_that_never_finishes_is_given_up() {
        for answer in [[0x61, 0x00], [0x6C, 0x00], [0x6C, 0xFF]] {
            let (read, asked) = dialogue(&[answer.as_slice(); 9]);
            assert_eq!(read.err(), Some(UidError::Endless));
            assert_eq!(asked.len(), EXCHANGES_MAX);
        }
        let (read, _) = dialogue(&[]);
        assert_eq!(read.err(), Some(UidError::Transmit("silent")));
    }

    #[test]
    fn s10_an_error_shows_no_byte_of_the_number() {
        let (read, _) = dialogue(&[&[0xC0, 0xFF, 0xEE, 0x90, 0x00]]);
        let shown = format!("{read:?}").to_lowercase();
        for byte in ["c0", "192", "ff", "255", "ee", "238"] {
            assert!(!shown.contains(byte), "{shown} shows {byte}");
        }
    }

    #[test]
    fn the_four_cases_are_encoded() {
        let verify = Command::new(0x20, [0x00, 0x80]);
        for (command, bytes) in [
            (verify, &[0x00, 0x20, 0x00, 0x80][..]),
            (verify.expecting(0), &[0x00, 0x20, 0x00, 0x80, 0x00]),
            (verify.sending(&[0x31, 0xFF]), &[0x00, 0x20, 0x00, 0x80, 0x02, 0x31, 0xFF]),
            (verify.sending(&[7]).expecting(9), &[0x00, 0x20, 0x00, 0x80, 0x01, 0x07, 0x09]),
        ] {
            assert_eq!(*command.bytes(), bytes);
            let (mut before, last) = command.chain();
            assert!(before.next().is_none(), "one command is enough");
            assert_eq!(*last.bytes(), bytes);
        }
    }

    #[test]
    fn long_data_becomes_a_chain() {
        for (length, links, last_length) in
            [(254, 0, 254), (255, 0, 255), (256, 1, 1), (510, 1, 255), (511, 2, 1)]
        {
            let data: Vec<u8> = (0..length).map(|byte: u32| byte.to_le_bytes()[0]).collect();
            let command = Command::new(0x87, [0x07, 0x9A]).sending(&data).expecting(0);
            let (before, last) = command.chain();
            let before: Vec<_> = before.collect();
            assert_eq!(before.len(), links, "{length} bytes");
            let mut sent = Vec::new();
            for link in &before {
                assert_eq!(link[..5], [0x10, 0x87, 0x07, 0x9A, 255]);
                assert_eq!(link.len(), 5 + 255, "a link expects no answer");
                sent.extend_from_slice(&link[5..]);
            }
            let last = last.bytes();
            assert_eq!(last[..4], [0x00, 0x87, 0x07, 0x9A]);
            assert_eq!(last[4], last_length);
            assert_eq!(last.last(), Some(&0), "the end expects an answer");
            sent.extend_from_slice(&last[5..last.len() - 1]);
            assert_eq!(sent, data);
        }
    }

    #[test]
    fn contact_cards_are_told_from_contactless_ones() {
        let mifare =
            [0x3B, 0x8F, 0x80, 0x01, 0x80, 0x4F, 0x0C, 0xA0, 0, 0, 3, 6, 3, 0, 1, 0, 0, 0, 0, 0x6A];
        for (atr, contactless) in [
            (&mifare[..], true),
            (&mifare[..19], false),
            (&[0x3B, 0x80, 0x80, 0x01, 0x01], true),
            (&[0x3B, 0x81, 0x80, 0x01, 0x80, 0x80], true),
            (&[0x3B, 0xDA, 0x18, 0xFF, 0x81, 0xB1, 0xFE, 0x75], false),
            (&[0x3B, 0x05, 0x00, 0x02, 0xF1, 0xD3, 0x80], false),
            (&[], false),
            (&[0x3B], false),
        ] {
            assert_eq!(is_contactless(atr), contactless, "{atr:02X?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(50_000))]

        /// Whatever a card says, reading ends, and only an answer of badge length is believed.
        #[test]
        fn any_dialogue_ends(
            answers in prop::collection::vec(
                (prop::collection::vec(any::<u8>(), 0..14), any::<[u8; 2]>(), 0..4_u8),
                0..6,
            )
        ) {
            let answers: Vec<Vec<u8>> = answers
                .into_iter()
                .map(|(data, [high, low], shape)| match shape {
                    0 => [data, vec![0x90, 0x00]].concat(),
                    1 => [data, vec![0x61, low]].concat(),
                    2 => [data, vec![0x6C, low]].concat(),
                    _ => [data, vec![high, low]].concat(),
                })
                .collect();
            let views: Vec<&[u8]> = answers.iter().map(Vec::as_slice).collect();
            let (read, asked) = dialogue(&views);
            prop_assert!(asked.len() <= EXCHANGES_MAX);
            if let Ok(read) = read {
                prop_assert!(matches!(read.uid().len(), 4 | 7 | 8 | 10));
            }
        }

        /// The status word is the last two bytes, the data all bytes before it.
        #[test]
        fn an_answer_is_split_without_loss(answer in prop::collection::vec(any::<u8>(), 0..300)) {
            match parse(&answer) {
                Ok((data, _)) => prop_assert_eq!(data.len() + 2, answer.len()),
                Err(Truncated) => prop_assert!(answer.len() < 2),
            }
        }
    }
}
