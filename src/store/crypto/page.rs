//! Pages of a database as SQLCipher 4 writes them, read without it: each is authenticated and decrypted by
//! itself, so that one that is damaged takes nothing with it.
//!
//! ```text
//!  page (4096) = ciphertext 4016 | IV 16 | HMAC-SHA512 64 over ciphertext, IV and the page's number
//!  ciphertext  = AES-256-CBC under the raw key
//!  HMAC key    = PBKDF2-HMAC-SHA512 (2 rounds) of the raw key, salted with the salt, each byte ^ 0x3a
//! ```
//!
//! The first page begins with the salt, which is not encrypted. Tests compare this with SQLCipher.

use aes::Aes256;
use aes::cipher::{BlockCipherDecrypt, KeyInit};
use hmac::{Hmac, Mac};
use sha2::Sha512;
use zeroize::Zeroizing;

use crate::crypto::Key;

/// Bytes of a page.
pub const PAGE: usize = 4096;
/// Bytes of a page that SQLite uses.
pub const USABLE: usize = PAGE - IV - TAG;
/// Bytes of the salt.
pub const SALT: usize = 16;
const IV: usize = 16;
const TAG: usize = 64;
const BLOCK: usize = 16;
const HMAC_SALT_MASK: u8 = 0x3a;
/// What the first page begins with once it is decrypted (SQLite's file format, 1.3).
const MAGIC: [u8; SALT] = *b"SQLite format 3\0";

/// Opens the pages of one database.
pub struct PageCipher {
    // On the heap, which is wiped when it is freed.
    cipher: Box<Aes256>,
    mac: Box<Hmac<Sha512>>,
}

impl PageCipher {
    /// For the pages of a database with this raw key and salt.
    pub fn new(key: &Key, salt: &[u8; SALT]) -> Self {
        let salt = salt.map(|byte| byte ^ HMAC_SALT_MASK);
        let mac_key = two_rounds(key, &salt);
        let mac_key = mac_key.first_chunk::<32>().unwrap_or(&[0; 32]);
        Self {
            cipher: Box::new(Aes256::new(key.as_slice().try_into().unwrap_or(&[0; 32].into()))),
            mac: Box::new(keyed(mac_key)),
        }
    }

    /// Whether a page was written under this key, as the page of this number.
    pub fn is_authentic(&self, number: u32, page: &[u8; PAGE]) -> bool {
        let (signed, tag) = page.split_at(PAGE - TAG);
        let signed = signed.get(front(number)..).unwrap_or_default();
        let mac = self.mac.clone().chain_update(signed).chain_update(number.to_le_bytes());
        mac.verify_slice(tag).is_ok()
    }

    /// What SQLite sees of an authentic page; `None` if it is none.
    pub fn open(&self, number: u32, page: &[u8; PAGE]) -> Option<Zeroizing<Vec<u8>>> {
        self.is_authentic(number, page).then(|| self.decrypted(number, page))
    }

    fn decrypted(&self, number: u32, page: &[u8; PAGE]) -> Zeroizing<Vec<u8>> {
        let (sealed, rest) = page.split_at(USABLE);
        let sealed = sealed.get(front(number)..).unwrap_or_default();
        let iv = rest.get(..IV).unwrap_or_default();
        let mut plain = Zeroizing::new(Vec::with_capacity(USABLE));
        if front(number) > 0 {
            plain.extend_from_slice(&MAGIC);
        }
        let mut before = iv;
        for sealed in sealed.chunks_exact(BLOCK) {
            let Ok(mut block) = aes::Block::try_from(sealed) else { break };
            self.cipher.decrypt_block(&mut block);
            plain.extend(block.iter().zip(before).map(|(byte, before)| byte ^ before));
            before = sealed;
        }
        plain
    }
}

/// Bytes of a page that are neither encrypted nor authenticated.
fn front(number: u32) -> usize {
    if number == 1 { SALT } else { 0 }
}

fn keyed(key: &[u8]) -> Hmac<Sha512> {
    <Hmac<Sha512> as hmac::KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length")
}

/// The first block of PBKDF2 (RFC 8018, 5.2) with two rounds.
fn two_rounds(key: &Key, salt: &[u8]) -> Zeroizing<[u8; TAG]> {
    let round = |parts: &[&[u8]]| -> Zeroizing<[u8; TAG]> {
        let mut mac = keyed(key.as_slice());
        for part in parts {
            mac.update(part);
        }
        Zeroizing::new(mac.finalize().into_bytes().into())
    };
    let first = round(&[salt, &1_u32.to_be_bytes()]);
    let mut both = round(&[first.as_slice()]);
    both.iter_mut().zip(first.iter()).for_each(|(byte, other)| *byte ^= other);
    both
}
