//! Makes a blank card somebody's, as an issuer's desk does: PIN, keys made on the card, certificates.

use std::io::BufRead;

use des::TdesEde3;
use des::cipher::{BlockEncrypt, KeyInit};

use crate::card::Card;

/// The PIN of a blank card, padded (SP 800-73-4 part 2, 2.4.3).
const BLANK_PIN: [u8; 8] = *b"123456\xFF\xFF";
/// The management key of a blank card: 01 to 08, three times.
const MANAGEMENT_KEY: [u8; 24] =
    [1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8];

/// A slot and where its certificate is kept (SP 800-73-4 part 1, table 3).
struct Slot {
    number: u8,
    object: u8,
}

const AUTHENTICATION: Slot = Slot { number: 0x9A, object: 0x05 };
const KEY_MANAGEMENT: Slot = Slot { number: 0x9D, object: 0x0B };

/// What the card is to become.
pub struct Wishes {
    pub pin: String,
    /// Algorithms of the two keys (SP 800-78-4, table 6-2).
    pub sign: u8,
    pub agree: u8,
    /// Keys to make and throw away first: the random numbers are the same on every blank card.
    pub draws: usize,
}

/// Prints both public keys as the card gives them, in hexadecimal, one a line; then takes both
/// certificates in the same form and order from standard input.
pub fn issue(card: &mut Card<'_>, wishes: &Wishes) {
    command(card, 0x24, [0x00, 0x80], &[BLANK_PIN, padded(&wishes.pin)].concat());
    authenticate(card);
    for _ in 0..wishes.draws {
        generate(card, &AUTHENTICATION, wishes.sign);
    }
    println!("{}", hex(&generate(card, &AUTHENTICATION, wishes.sign)));
    println!("{}", hex(&generate(card, &KEY_MANAGEMENT, wishes.agree)));
    let mut lines = std::io::stdin().lock().lines();
    for slot in [AUTHENTICATION, KEY_MANAGEMENT] {
        let line = lines.next().expect("a certificate for each key").expect("standard input");
        keep(card, &slot, &bytes(&line));
    }
}

/// One command in extended form; anything but 9000 ends the program.
fn command(card: &mut Card<'_>, instruction: u8, [p1, p2]: [u8; 2], content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).expect("a short content").to_be_bytes();
    let head = [0x00, instruction, p1, p2, 0x00];
    let mut answer = card.transmit(&[&head, length.as_slice(), content, &[0x00, 0x00]].concat());
    let status = answer.split_off(answer.len() - 2);
    assert_eq!(status, [0x90, 0x00], "instruction {instruction:02X} {p1:02X} {p2:02X}");
    answer
}

/// The card gives a challenge and takes it back encrypted with the management key.
fn authenticate(card: &mut Card<'_>) {
    let asked = command(card, 0x87, [0x03, 0x9B], &[0x7C, 0x02, 0x81, 0x00]);
    let challenge: [u8; 8] = asked[4..].try_into().expect("a challenge of one block");
    let mut block = challenge.into();
    TdesEde3::new(&MANAGEMENT_KEY.into()).encrypt_block(&mut block);
    let answer = [&[0x7C, 0x0A, 0x82, 0x08], block.as_slice()].concat();
    command(card, 0x87, [0x03, 0x9B], &answer);
}

fn generate(card: &mut Card<'_>, slot: &Slot, algorithm: u8) -> Vec<u8> {
    command(card, 0x47, [0x00, slot.number], &[0xAC, 0x03, 0x80, 0x01, algorithm])
}

/// Lays a certificate into its slot (SP 800-73-4 part 1, table 10).
fn keep(card: &mut Card<'_>, slot: &Slot, certificate: &[u8]) {
    let object = [object(0x70, certificate), object(0x71, &[0x00]), object(0xFE, &[])].concat();
    let address = [0x5C, 0x03, 0x5F, 0xC1, slot.object];
    command(card, 0xDB, [0x3F, 0xFF], &[&address, self::object(0x53, &object).as_slice()].concat());
}

/// A BER-TLV object with a length of three bytes.
fn object(tag: u8, content: &[u8]) -> Vec<u8> {
    let [high, low] = u16::try_from(content.len()).expect("a short object").to_be_bytes();
    [&[tag, 0x82, high, low], content].concat()
}

fn padded(pin: &str) -> [u8; 8] {
    let mut padded = [0xFF; 8];
    padded[..pin.len()].copy_from_slice(pin.as_bytes());
    padded
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal");
    (0..hex.len()).step_by(2).map(digits).collect()
}
