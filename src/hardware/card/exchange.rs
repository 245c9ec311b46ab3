//! One logical command to a card: a chain for long data, `61xx` and `6Cxx` followed, all bounded.
//!
//! Pure and total: a command says how long its answer may be, and with that how many exchanges it takes:
//! the links of its chain, one correction of the length, and parts of at least [`PART_MIN`] bytes. Whatever
//! a card answers, after at most so many there is an answer or a named fault. The card is a closure.
//! S-10: answers are held in wiping buffers, and no fault carries an answer's bytes.

use zeroize::Zeroizing;

use crate::card::apdu::{self, ANSWER_MAX, Command, Status};

/// Longest object that is read from a card: a certificate in its container takes 2 to 4 KiB.
pub const OBJECT_MAX: usize = 16 * 1024;
/// Shortest part, on average, in which a card may give a long answer.
pub const PART_MIN: usize = 64;
/// Exchanges of the command with the longest answer.
pub const EXCHANGES_MAX: usize = 2 + OBJECT_MAX / PART_MIN;

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
    /// The answer is longer than any that the command has.
    #[error("answer is longer than its command has")]
    TooLong,
    /// The card kept asking for one more exchange.
    #[error("no end after as many exchanges as the command takes")]
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
    let (links, last) = command.chain();
    for link in links {
        match split(&transmit(&link).map_err(Fault::Transmit)?)? {
            ([], Status::Done) => {}
            (_, Status::Refused(word)) => return Err(Fault::Refused(word)),
            (_, Status::Done | Status::More(_) | Status::WrongLength(_)) => {
                return Err(Fault::Malformed);
            }
        }
    }
    // Answers that hold a secret fit in, so that growing leaves no copy of one behind.
    let mut object = Zeroizing::new(Vec::with_capacity(ANSWER_MAX));
    let (expects, longest) = (command.expects(), command.longest());
    let exchanges = 1 + if expects { 1 + longest.div_ceil(PART_MIN) } else { 0 };
    let mut command = last;
    for _ in 0..exchanges {
        let answer = transmit(&command.bytes()).map_err(Fault::Transmit)?;
        let (data, status) = split(&answer)?;
        if object.len() + data.len() > longest {
            return Err(Fault::TooLong);
        }
        object.extend_from_slice(data);
        command = match status {
            Status::Done => return Ok(object),
            Status::More(_) if !expects => return Err(Fault::Malformed),
            Status::More(available) => Command::get_response(available),
            Status::WrongLength(length) if command.expects() && data.is_empty() => {
                command.expecting(length)
            }
            Status::WrongLength(_) => return Err(Fault::Malformed),
            Status::Refused(word) => return Err(Fault::Refused(word)),
        };
    }
    Err(Fault::Endless)
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
        let read = Command::new(0xCB, READ).expecting(0).of_at_most(300);
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
    fn a_command_that_expects_nothing_is_one_exchange() {
        let pin = Command::new(0x20, [0x00, 0x80]).sending(&[0x31; 8]);
        for answer in [[0x6C, 0x08], [0x61, 0x08]] {
            let (answer, asked) = dialogue(&pin, &[&answer, &[0x90, 0x00]]);
            assert_eq!(answer, Err(Fault::Malformed));
            assert_eq!(asked.len(), 1, "a PIN is sent once");
        }
        let (answer, _) = dialogue(&pin, &[&[7, 0x90, 0x00]]);
        assert_eq!(answer, Err(Fault::TooLong));
    }

    #[test]
    fn a_chain_goes_on_only_while_the_card_follows() {
        let data = [7; 600];
        let sign = Command::new(0x87, [0x07, 0x9A]).sending(&data).expecting(0).of_at_most(512);
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
        // What a command may take follows from how long its answer may be.
        for (longest, most) in [(0, 2), (64, 3), (1024, 18), (OBJECT_MAX, EXCHANGES_MAX)] {
            let read = read.of_at_most(longest);
            for (answer, fault, exchanges) in [
                (&[0x61, 0x00][..], Fault::Endless, most),
                (&[0x6C, 0xFF], Fault::Endless, most),
                (&full, Fault::TooLong, longest / 256 + 1),
            ] {
                let (result, asked) = dialogue(&read, &[answer; 400]);
                assert_eq!(result, Err(fault), "{longest}");
                assert_eq!(asked.len(), exchanges, "{longest}");
            }
        }
        let (result, asked) = dialogue(&read.of_at_most(1024), &[&[0xAA, 0x61, 0x01][..]; 400]);
        assert_eq!((result, asked.len()), (Err(Fault::Endless), 18), "a byte at a time");
    }
}
