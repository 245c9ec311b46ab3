//! What a card's operating system does around the applet: lengths, chaining, selection, reset.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::os::linux::net::TcpStreamExt;

use iso7816::command::FromSliceError;
use iso7816::{Command, Instruction, Status};
use piv_authenticator::{Authenticator, Options};
use trussed::virt::Client;

use crate::backend::Dispatch;

/// Longest command and answer, in bytes: what the applet's own firmware takes.
const LENGTH_MAX: usize = 7609;
/// Answer to reset of a card with contacts that speaks T=1 (a YubiKey's).
const ATR: [u8; 23] = [
    0x3B, 0xFD, 0x13, 0x00, 0x00, 0x81, 0x31, 0xFE, 0x15, 0x80, 0x73, 0xC0, 0x21, 0xC0, 0x57, 0x59,
    0x75, 0x62, 0x69, 0x4B, 0x65, 0x79, 0x40,
];
/// SELECT by the whole application identifier (SP 800-73-4 part 1, 2.2).
const SELECT: [u8; 15] =
    [0x00, 0xA4, 0x04, 0x00, 0x09, 0xA0, 0x00, 0x00, 0x03, 0x08, 0x00, 0x00, 0x10, 0x00, 0x00];
/// VERIFY with P1 = FF: the PIN counts as not verified (SP 800-73-4 part 2, 3.2.1).
const FORGET_PIN: [u8; 4] = [0x00, 0x20, 0xFF, 0x80];
/// vpcd asks for the answer to reset; its other controls (off, on, reset) want no answer.
const CONTROL_ATR: u8 = 4;

/// A card with the applet on it.
pub struct Card<'a> {
    applet: Authenticator<Client<'a, Dispatch>>,
    /// A chained command that is not complete.
    chain: Option<Command<LENGTH_MAX>>,
    answer: heapless::Vec<u8, LENGTH_MAX>,
    /// How much of the answer was fetched.
    sent: usize,
}

impl<'a> Card<'a> {
    pub fn new(client: Client<'a, Dispatch>) -> Self {
        let applet = Authenticator::new(client, Options::default());
        Self { applet, chain: None, answer: heapless::Vec::new(), sent: 0 }
    }

    /// Answers one command APDU, status words last.
    pub fn transmit(&mut self, apdu: &[u8]) -> Vec<u8> {
        let (mut answer, status) = match self.respond(widened(apdu)) {
            Ok((answer, status)) => (answer, status),
            Err(status) => (Vec::new(), status),
        };
        answer.extend_from_slice(&<[u8; 2]>::from(status));
        answer
    }

    fn respond(&mut self, apdu: &[u8]) -> Result<(Vec<u8>, Status), Status> {
        let command: Command<LENGTH_MAX> = apdu.try_into().map_err(|error| match error {
            FromSliceError::InvalidClass => Status::ClassNotSupported,
            _ => Status::WrongLength,
        })?;
        let is_last = command.class().chain().last_or_only();
        let wanted = expected(&command);
        let command = match self.chain.take() {
            Some(mut whole) => {
                whole.extend_from_command(&command).map_err(|_| Status::WrongLength)?;
                whole
            }
            None => command,
        };
        if !is_last {
            self.chain = Some(command);
            return Ok((Vec::new(), Status::Success));
        }
        if command.instruction() != Instruction::GetResponse {
            self.answer.clear();
            self.sent = 0;
            self.applet.respond(command.as_view(), &mut self.answer)?;
        }
        let rest = &self.answer[self.sent..];
        let part = rest[..wanted.min(rest.len())].to_vec();
        self.sent += part.len();
        let left = self.answer.len() - self.sent;
        let status = match u8::try_from(left) {
            Ok(0) => Status::Success,
            Ok(left) => Status::MoreAvailable(left),
            Err(_) => Status::MoreAvailable(u8::MAX),
        };
        Ok((part, status))
    }

    /// Power off or reset. The applet's own deselection forgets nothing.
    fn reset(&mut self) {
        self.chain = None;
        self.answer.clear();
        self.sent = 0;
        let forgot = self.transmit(&FORGET_PIN);
        assert_eq!(forgot, [0x90, 0x00], "the applet keeps a verified PIN over a reset");
    }

    /// Lies in the virtual reader at `port` until the reader or the process ends.
    pub fn serve(&mut self, port: u16) -> std::io::Result<()> {
        let mut reader = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        reader.set_nodelay(true)?;
        loop {
            let mut length = [0; 2];
            receive(&mut reader, &mut length)?;
            let mut frame = vec![0; usize::from(u16::from_be_bytes(length))];
            receive(&mut reader, &mut frame)?;
            let answer = match frame.as_slice() {
                [CONTROL_ATR] => ATR.to_vec(),
                [] => continue,
                [_] => {
                    self.reset();
                    continue;
                }
                apdu => self.transmit(apdu),
            };
            let length = u16::try_from(answer.len()).expect("an answer is 7,611 bytes at most");
            reader.write_all(&[&length.to_be_bytes(), answer.as_slice()].concat())?;
        }
    }
}

/// Cards select an application by the beginning of its name; the applet wants nine bytes of it.
fn widened(apdu: &[u8]) -> &[u8] {
    match apdu {
        [0x00, 0xA4, 0x04, 0x00, 5, name @ ..] if name.get(..5) == SELECT.get(5..10) => &SELECT,
        _ => apdu,
    }
}

/// Bytes of answer that fit. Without Le everything does, as with T=1.
fn expected(command: &Command<LENGTH_MAX>) -> usize {
    match command.expected() {
        0 => 256,
        expected => expected,
    }
}

/// Acknowledges at once: the reader sends length and content apart, and a delayed acknowledgement
/// between them costs 40 ms a command. The option does not last.
fn receive(reader: &mut TcpStream, buffer: &mut [u8]) -> std::io::Result<()> {
    reader.set_quickack(true)?;
    reader.read_exact(buffer)?;
    reader.set_quickack(true)
}
