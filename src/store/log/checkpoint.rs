//! Signed checkpoints of the audit log: C2SP's `tlog-checkpoint` inside a `signed-note`.
//!
//! ```text
//!  wardkeep.audit/6ba2...      origin: names the log by its first key
//!  1042                        how many entries
//!  CsUYapGG...xq2I=            root of the tree over them (RFC 6962), base64
//!
//!  - wardkeep.audit/6ba2... base64(id of the key, 4 bytes | ed25519 signature of the three lines)
//! ```
//!
//! (The signature's line begins with an em dash, U+2014.) Nothing here is secret, and anybody with the
//! verifier key can check it, with this program or another.
//!
//! The origin is a hash of the log's first key. So whoever trusts a log's name trusts a key, and a
//! log that is signed anew with another key has another name.

use std::fmt;
use std::str::FromStr;

use base64ct::{Base64, Encoding};
use ed25519_dalek::{Signature, VerifyingKey};
use ed25519_dalek::{Signer as _, SigningKey};

use crate::crypto::hash;
use crate::crypto::{Key, wipe_stack};
use crate::log::merkle::Hash;

/// Front of every origin.
const ORIGIN: &str = "wardkeep.audit/";
/// Kind of key in a verifier key: ed25519.
const ED25519: u8 = 1;
/// Front of a signature's line.
const DASH: &str = "\u{2014} ";
/// Longest note that is read; it has room for a dozen witnesses' own signatures.
pub const NOTE_LEN_MAX: usize = 4 * 1024;

/// A text is not what it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Not a verifier key for ed25519.
    #[error("not a verifier key")]
    Key,
    /// Not a checkpoint.
    #[error("not a checkpoint")]
    Text,
    /// A checkpoint without a signature.
    #[error("checkpoint is not signed")]
    Unsigned,
}

/// What verifies a log's signatures: `name+hexadecimal id+base64(1 | public key)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    id: [u8; 4],
    public: [u8; 32],
}

impl VerifierKey {
    fn new(name: &str, public: [u8; 32]) -> Self {
        let [a, b, c, d, ..] = hash(&[name.as_bytes(), b"\n", &[ED25519], &public]);
        Self { name: name.to_owned(), id: [a, b, c, d], public }
    }

    /// Whose key it is: for a log's own key, the log's origin.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The origin of a log that begins with this key.
    pub fn origin(&self) -> String {
        origin(&self.public)
    }

    fn fits(&self, text: &[u8], signature: &[u8; 64]) -> bool {
        VerifyingKey::from_bytes(&self.public)
            .is_ok_and(|key| key.verify_strict(text, &Signature::from_bytes(signature)).is_ok())
    }
}

fn origin(public: &[u8; 32]) -> String {
    let digest = hash(&[b"wardkeep audit log\n", public]);
    let (half, _) = digest.split_at(16);
    let digits: String = half.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{ORIGIN}{digits}")
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d] = self.id;
        let key = [&[ED25519][..], &self.public].concat();
        let key = Base64::encode_string(&key);
        write!(f, "{}+{a:02x}{b:02x}{c:02x}{d:02x}+{key}", self.name)
    }
}

impl FromStr for VerifierKey {
    type Err = NoteError;
    fn from_str(text: &str) -> Result<Self, NoteError> {
        let mut parts = text.splitn(3, '+');
        let (name, _, key) = (parts.next(), parts.next(), parts.next());
        let (name, key) = name.zip(key).ok_or(NoteError::Key)?;
        let key = Base64::decode_vec(key).map_err(|_| NoteError::Key)?;
        let [ED25519, public @ ..] = key.as_slice() else { return Err(NoteError::Key) };
        let public: [u8; 32] = public.try_into().map_err(|_| NoteError::Key)?;
        let key = Self::new(name, public);
        // One spelling alone, and the id that belongs to name and key.
        let plain = !name.is_empty() && !name.contains(char::is_whitespace);
        if plain && key.to_string() == text { Ok(key) } else { Err(NoteError::Key) }
    }
}

/// What signs a log; wiped on drop.
pub struct Signer {
    seed: Key,
    key: VerifierKey,
}

impl Signer {
    /// The signer of a log that begins with this key, where `log` names none.
    pub fn new(seed: Key, log: Option<&str>) -> Self {
        let mut public = [0; 32];
        read_public(&seed, &mut public);
        wipe_stack();
        let key = VerifierKey::new(log.unwrap_or(&origin(&public)), public);
        Self { seed, key }
    }

    /// What verifies its signatures.
    pub fn key(&self) -> &VerifierKey {
        &self.key
    }

    /// A checkpoint of the signer's log as a signed note.
    pub fn sign(&self, size: u64, root: &Hash) -> String {
        let text = text(&self.key.name, size, root);
        let mut signed = self.key.id.to_vec();
        sign(&self.seed, text.as_bytes(), &mut signed);
        wipe_stack();
        format!("{text}\n{DASH}{} {}\n", self.key.name, Base64::encode_string(&signed))
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "signer of {}", self.key)
    }
}

// Not inlined: what they leave on the stack has to lie below their caller's frame.
#[inline(never)]
fn read_public(seed: &Key, public: &mut [u8; 32]) {
    *public = SigningKey::from_bytes(seed).verifying_key().to_bytes();
}

#[inline(never)]
fn sign(seed: &Key, text: &[u8], signed: &mut Vec<u8>) {
    signed.extend(SigningKey::from_bytes(seed).sign(text).to_bytes());
}

fn text(origin: &str, size: u64, root: &Hash) -> String {
    format!("{origin}\n{size}\n{}\n", Base64::encode_string(root))
}

/// A checkpoint with its signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Which log.
    pub origin: String,
    /// How many entries it had.
    pub size: u64,
    /// Root of the tree over them.
    pub root: Hash,
    signatures: Vec<NoteSignature>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct NoteSignature {
    name: String,
    id: [u8; 4],
    signature: [u8; 64],
}

/// Whether a key has signed a note.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signed {
    /// It has.
    Yes,
    /// There is no signature of this key.
    No,
    /// There is one that does not fit.
    Wrong,
}

impl Note {
    /// Reads a note in the one way of writing it.
    ///
    /// # Errors
    /// [`NoteError::Unsigned`] if only the signatures are missing.
    pub fn parse(note: &str) -> Result<Self, NoteError> {
        if note.len() > NOTE_LEN_MAX {
            return Err(NoteError::Text);
        }
        let mut lines = note.split_inclusive('\n');
        let mut line = || lines.next().and_then(|line| line.strip_suffix('\n'));
        let (origin, size, root) =
            (line().unwrap_or_default(), line().unwrap_or_default(), line().unwrap_or_default());
        let blank = line();
        let size: u64 = size.parse().map_err(|_| NoteError::Text)?;
        let root = Base64::decode_vec(root).map_err(|_| NoteError::Text)?;
        let root: Hash = root.try_into().map_err(|_| NoteError::Text)?;
        if origin.is_empty() || !note.starts_with(&text(origin, size, &root)) {
            return Err(NoteError::Text);
        }
        let mut signatures = Vec::new();
        for line in lines {
            let line = line.strip_suffix('\n').and_then(|line| line.strip_prefix(DASH));
            signatures.push(NoteSignature::parse(line.ok_or(NoteError::Text)?)?);
        }
        match blank {
            Some("") if !signatures.is_empty() => {
                Ok(Self { origin: origin.to_owned(), size, root, signatures })
            }
            None | Some("") => Err(NoteError::Unsigned),
            Some(_) => Err(NoteError::Text),
        }
    }

    /// The note's first lines, which are signed.
    fn text(&self) -> String {
        text(&self.origin, self.size, &self.root)
    }

    /// How many have signed it: the log, and perhaps witnesses.
    pub fn signatures(&self) -> usize {
        self.signatures.len()
    }

    /// Whether `key` has signed it.
    pub(super) fn is_signed_by(&self, key: &VerifierKey) -> Signed {
        let own = |found: &&NoteSignature| found.id == key.id && found.name == key.name;
        match self.signatures.iter().find(own) {
            Some(found) if key.fits(self.text().as_bytes(), &found.signature) => Signed::Yes,
            Some(_) => Signed::Wrong,
            None => Signed::No,
        }
    }
}

impl NoteSignature {
    /// Reads a signature's line after its dash. A witness's may be longer than ours.
    fn parse(line: &str) -> Result<Self, NoteError> {
        let (name, encoded) = line.rsplit_once(' ').ok_or(NoteError::Unsigned)?;
        if encoded.is_empty() {
            return Err(NoteError::Unsigned);
        }
        let bytes = Base64::decode_vec(encoded).map_err(|_| NoteError::Text)?;
        let (id, rest) = bytes.split_first_chunk().ok_or(NoteError::Text)?;
        let signature = rest.last_chunk().ok_or(NoteError::Text)?;
        let spelled = Base64::encode_string(&bytes) == encoded && !name.is_empty();
        if spelled {
            Ok(Self { name: name.to_owned(), id: *id, signature: *signature })
        } else {
            Err(NoteError::Text)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer(seed: u8) -> Signer {
        Signer::new(Key::from_slice(&[seed; 32]).unwrap(), None)
    }

    #[test]
    fn a_key_and_a_signature_of_gos_notes_are_understood() {
        // The example of golang.org/x/mod/sumdb/note, and the key of the Go checksum database.
        let neumann = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
        let key: VerifierKey = neumann.parse().unwrap();
        let line = "PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgK\
                    vqfqdngotpRZb6KE6RyyBwJnAM=";
        let text =
            b"If you think cryptography is the answer to your problem,\nthen you don't know \
                     what your problem is.\n";
        let signed = NoteSignature::parse(line).unwrap();
        assert_eq!((signed.name.as_str(), signed.id), (key.name(), key.id));
        assert!(key.fits(text, &signed.signature));
        assert!(!key.fits(&text[1..], &signed.signature));
        let go = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8";
        assert_eq!(go.parse::<VerifierKey>().unwrap().to_string(), go);
        for wrong in [
            &go[1..],
            &go.replace("033de0ae", "033de0af"),
            &go.replace("+Ac4z", "+As4z"),
            &go.replace("Ac4zctda", "Ac4zctdb"),
            "sum.golang.org+033de0ae",
            "",
        ] {
            assert_eq!(wrong.parse::<VerifierKey>(), Err(NoteError::Key), "{wrong}");
        }
    }

    #[test]
    fn the_public_key_of_a_seed_is_rfc_8032s() {
        let seed = [
            0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec,
            0x2c, 0xc4, 0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03,
            0x1c, 0xae, 0x7f, 0x60,
        ];
        let public = Signer::new(Key::from_slice(&seed).unwrap(), None).key.public;
        assert_eq!(public[..6], [0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1]);
        assert_eq!(public[30..], [0x51, 0x1a]);
    }

    #[test]
    fn a_signed_checkpoint_reads_back_and_only_its_own_key_fits() {
        let note = signer(7).sign(1042, &[9; 32]);
        let (own, other) = (signer(7), signer(8));
        let parsed = Note::parse(&note).unwrap();
        assert_eq!((parsed.size, parsed.root), (1042, [9; 32]));
        assert_eq!(parsed.origin, own.key().origin());
        assert_eq!(parsed.is_signed_by(own.key()), Signed::Yes);
        assert_eq!(parsed.is_signed_by(other.key()), Signed::No);
        // A witness's signature beside it changes nothing.
        let witness =
            format!("{note}{DASH}witness.example/w1 {}\n", Base64::encode_string(&[3; 76]));
        let both = Note::parse(&witness).unwrap();
        assert_eq!((both.signatures(), both.is_signed_by(own.key())), (2, Signed::Yes));
        let next = Signer::new(Key::from_slice(&[8; 32]).unwrap(), Some(own.key().name()));
        assert_eq!(next.key().name(), own.key().name());
        assert_ne!(next.key().origin(), own.key().origin());
    }

    #[test]
    fn any_changed_byte_of_a_note_is_refused() {
        let (note, key) = (signer(7).sign(1042, &[9; 32]), signer(7).key().clone());
        for at in 0..note.len() {
            for flip in [0x01, 0x10, 0x20, 0x80] {
                let mut bytes = note.clone().into_bytes();
                bytes[at] ^= flip;
                let Ok(text) = String::from_utf8(bytes) else { continue };
                let taken = Note::parse(&text).is_ok_and(|note| {
                    note.is_signed_by(&key) == Signed::Yes && note.origin == key.origin()
                });
                assert!(!taken, "byte {at} ^ {flip:#x}");
            }
        }
        let unsigned: String = note.split_inclusive('\n').take(4).collect();
        assert_eq!(Note::parse(&unsigned), Err(NoteError::Unsigned));
        assert_eq!(Note::parse(&"x".repeat(NOTE_LEN_MAX + 1)), Err(NoteError::Text));
    }
}
