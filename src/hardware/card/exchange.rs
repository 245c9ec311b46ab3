//! One logical command to a card: a chain for long data, `61xx` and `6Cxx` followed, all bounded.
//!
//! Pure and total: whatever a card answers, after at most [`EXCHANGES_MAX`] exchanges there is an answer
//! of at most [`OBJECT_MAX`] bytes or a named fault. The card is a closure.
//! S-10: answers are held in wiping buffers, and no fault carries an answer's bytes.

use zeroize::Zeroizing;

use crate::card::apdu::{self, ANSWER_MAX, Command, Status};

/// Exchanges that one command may take before the card is given up.
pub const EXCHANGES_MAX: usize = 300;
/// Longest object that is read from a card.
pub const OBJECT_MAX: usize = 64 * 1024;

/// An answer as the closure hands it over.
pub type Raw<E> = Result<Zeroizing<Vec<u8>>, E>;

/// Why a command got no answer. `E` is the way the transmission itself can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault<E> {
    /// The card did not answer.
    #[error("transmission failed")]
    Transmit(E),
    /// The card refused, or ended with a warning; with this status word.
    #[error("refused with status {0:04x}")]
    Refused(u16),
    /// An answer without a status word, longer than its command allows, or out of turn.
    #[error("answer makes no sense")]
    Malformed,
    /// The object is longer than any that is expected.
    #[error("answer is longer than {OBJECT_MAX} bytes")]
    TooLong,
    /// The card kept asking for one more exchange.
    #[error("no end after {EXCHANGES_MAX} exchanges")]
    Endless,
}

/// Sends one command and collects its whole answer.
///
/// # Errors
/// Any status but `9000` at the end, anything beyond the bounds, and any failure of `transmit`.
pub(super) fn ask<E>(
    mut transmit: impl FnMut(&[u8]) -> Raw<E>,
    command: &Command,
) -> Result<Zeroizing<Vec<u8>>, Fault<E>> {
    let mut exchanges = 0;
    let mut exchange = |bytes: &[u8]| {
        exchanges += 1;
        if exchanges > EXCHANGES_MAX {
            return Err(Fault::Endless);
        }
        transmit(bytes).map_err(Fault::Transmit)
    };
    let (links, last) = command.chain();
    for link in links {
        match split(&exchange(&link)?)? {
            ([], Status::Done) => {}
            (_, Status::Refused(word)) => return Err(Fault::Refused(word)),
            (_, Status::Done | Status::More(_) | Status::WrongLength(_)) => {
                return Err(Fault::Malformed);
            }
        }
    }
    // Answers that hold a secret fit in, so that growing leaves no copy of one behind.
    let mut object = Zeroizing::new(Vec::with_capacity(ANSWER_MAX));
    let mut command = last;
    loop {
        let answer = exchange(&command.bytes())?;
        let (data, status) = split(&answer)?;
        if object.len() + data.len() > OBJECT_MAX {
            return Err(Fault::TooLong);
        }
        object.extend_from_slice(data);
        command = match status {
            Status::Done => return Ok(object),
            Status::More(available) => Command::get_response(available),
            Status::WrongLength(length) if command.expects() && data.is_empty() => {
                command.expecting(length)
            }
            Status::WrongLength(_) => return Err(Fault::Malformed),
            Status::Refused(word) => return Err(Fault::Refused(word)),
        };
    }
}

fn split<E>(answer: &[u8]) -> Result<(&[u8], Status), Fault<E>> {
    if answer.len() > ANSWER_MAX {
        return Err(Fault::Malformed);
    }
    apdu::parse(answer).map_err(|apdu::Truncated| Fault::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Asked = Vec<Vec<u8>>;

    /// What a card that gives these answers in turn and then falls silent makes of a command.
    fn dialogue(
        command: &Command,
        answers: &[&[u8]],
    ) -> (Result<Vec<u8>, Fault<&'static str>>, Asked) {
        let mut asked = Vec::new();
        let mut left = answers.iter();
        let answer = ask(
            |bytes| {
                asked.push(bytes.to_vec());
                left.next().map(|answer| Zeroizing::new(answer.to_vec())).ok_or("silent")
            },
            command,
        );
        (answer.map(|answer| answer.to_vec()), asked)
    }

    const READ: [u8; 2] = [0x3F, 0xFF];

    #[test]
    fn answers_in_parts_are_put_together() {
        let read = Command::new(0xCB, READ).expecting(0);
        for (answers, expected) in [
            (&[&[1, 2, 0x90, 0x00][..]][..], Ok(vec![1, 2])),
            (&[&[0x90, 0x00]], Ok(vec![])),
            (&[&[1, 0x61, 0x00], &[2, 0x61, 0x01], &[3, 0x90, 0x00]], Ok(vec![1, 2, 3])),
            (&[&[0x6C, 0x02], &[1, 2, 0x90, 0x00]], Ok(vec![1, 2])),
            (&[&[0x61, 0x02], &[0x6C, 0x01], &[1, 0x90, 0x00]], Ok(vec![1])),
            (&[&[1, 0x6C, 0x02]], Err(Fault::Malformed)),
            (&[&[]], Err(Fault::Malformed)),
            (&[&[0x90]], Err(Fault::Malformed)),
            (&[&[0x6A, 0x82]], Err(Fault::Refused(0x6A82))),
            (&[&[1, 0x62, 0x82]], Err(Fault::Refused(0x6282))),
            (&[&[1, 0x61, 0x01], &[0x69, 0x82]], Err(Fault::Refused(0x6982))),
            (&[&[0; 259]], Err(Fault::Malformed)),
            (&[&[0; 65_548]], Err(Fault::Malformed)),
            (&[], Err(Fault::Transmit("silent"))),
        ] {
            assert_eq!(dialogue(&read, answers).0, expected, "{answers:02X?}");
        }
    }

    #[test]
    fn a_command_that_expects_nothing_is_not_sent_again() {
        let pin = Command::new(0x20, [0x00, 0x80]).sending(&[0x31; 8]);
        let (answer, asked) = dialogue(&pin, &[&[0x6C, 0x08], &[0x90, 0x00]]);
        assert_eq!(answer, Err(Fault::Malformed));
        assert_eq!(asked.len(), 1, "a PIN is sent once");
    }

    #[test]
    fn a_chain_goes_on_only_while_the_card_follows() {
        let data = [7; 600];
        let sign = Command::new(0x87, [0x07, 0x9A]).sending(&data).expecting(0);
        let done = &[0x90, 0x00][..];
        for (answers, expected, commands) in [
            (&[done, done, &[5, 0x90, 0x00]][..], Ok(vec![5]), 3),
            (&[done, &[0x68, 0x84]], Err(Fault::Refused(0x6884)), 2),
            (&[&[1, 0x90, 0x00]], Err(Fault::Malformed), 1),
            (&[&[0x61, 0x01]], Err(Fault::Malformed), 1),
            (&[&[0x6C, 0x01]], Err(Fault::Malformed), 1),
        ] {
            let (answer, asked) = dialogue(&sign, answers);
            assert_eq!((answer, asked.len()), (expected, commands), "{answers:02X?}");
        }
    }

    #[test]
    fn s11_a_card_that_never_finishes_is_given_up() {
        let read = Command::new(0xCB, READ).expecting(0);
        let full = [&[0xAA; 256][..], &[0x61, 0x00]].concat();
        for (answer, fault, exchanges) in [
            (&[0x61, 0x00][..], Fault::Endless, EXCHANGES_MAX),
            (&[0xAA, 0x61, 0x01], Fault::Endless, EXCHANGES_MAX),
            (&[0x6C, 0xFF], Fault::Endless, EXCHANGES_MAX),
            (&full, Fault::TooLong, OBJECT_MAX / 256 + 1),
        ] {
            let (result, asked) = dialogue(&read, &[answer; 400]);
            assert_eq!(result, Err(fault));
            assert_eq!(asked.len(), exchanges);
        }
    }
}
