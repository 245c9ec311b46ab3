//! The few cryptographic operations the store is made of, each one call into a library.
//!
//! | here | is |
//! |---|---|
//! | [`derive`] | HKDF-SHA256 (RFC 5869) |
//! | [`mac`], [`mac_fits`] | HMAC-SHA256 (RFC 2104), compared in constant time |
//! | [`seal`], [`open`] | XChaCha20-Poly1305 with a random nonce in front |
//! | [`seal_as`], [`open_as`] | the same with a nonce that the caller vouches for |
//! | [`seal_to`], [`open_with`] | HPKE base mode (RFC 9180): X25519, HKDF-SHA256, ChaCha20-Poly1305 |
//! | [`batch`] | the same agreement for several pieces, each sealed by [`seal_as`] under the secret it exports |
//! | [`stretch`] | Argon2id (RFC 9106) |
//!
//! Nothing is composed by hand beyond these, but for [`page`], which reads what SQLCipher wrote where SQLCipher
//! stops. Keys are wiped on drop.

pub(crate) mod batch;
pub(crate) mod page;

use std::fmt;
use std::ops::Deref;

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use hpke::rand_core::UnwrapErr;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, Zeroizing};

use wardkeep_model::keeping::{Cause, StoreFault};

/// A 256-bit secret, wiped on drop. It lives on the heap because moving a value leaves its bytes
/// behind on the stack. It cannot be written down by accident: where a key is part of something that is
/// sealed as a whole, its field says `#[serde(with = "crate::crypto::inside_a_seal")]`.
#[derive(Clone)]
#[cfg_attr(test, derive(PartialEq))]
pub struct Key(Box<[u8; 32]>);

impl Key {
    fn filled_by(fill: impl FnOnce(&mut [u8])) -> Self {
        let mut key = Self(Box::new([0; 32]));
        fill(key.0.as_mut_slice());
        key
    }

    /// A new random key.
    pub fn random() -> Result<Self, StoreFault> {
        let mut filled = Ok(());
        let key = Self::filled_by(|bytes| filled = getrandom::fill(bytes));
        filled.map(|()| key).map_err(no_random)
    }

    /// No key: what is written over one.
    pub fn zero() -> Self {
        Self::filled_by(|_| {})
    }

    /// A key out of opened bytes; `None` unless there are exactly 32.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        (bytes.len() == 32).then(|| Self::filled_by(|key| key.copy_from_slice(bytes)))
    }
}

impl Deref for Key {
    type Target = [u8; 32];
    fn deref(&self) -> &[u8; 32] {
        &self.0
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[key]")
    }
}

/// How a key is written into something that is sealed as a whole.
pub mod inside_a_seal {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Key;

    /// Writes the key's bytes.
    ///
    /// # Errors
    /// As the serialiser.
    pub fn serialize<S: Serializer>(key: &Key, into: S) -> Result<S::Ok, S::Error> {
        key.0.serialize(into)
    }

    /// Reads the key's bytes.
    ///
    /// # Errors
    /// As the deserialiser.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Key, D::Error> {
        Box::<[u8; 32]>::deserialize(from).map(Key)
    }
}

/// An X25519 public key.
pub type PublicKey = [u8; 32];

type Dh = hpke::kem::X25519HkdfSha256;
type HpkeKdf = hpke::kdf::HkdfSha256;
type HpkeAead = hpke::aead::ChaCha20Poly1305;

/// Bytes of a nonce of XChaCha20.
pub const NONCE_LEN: usize = 24;
const ENC_LEN: usize = 32;
/// More than any of the calls here uses, without optimisation too.
const STACK_WIPED: usize = 64 * 1024;
/// More than whatever the store's thread does; a quarter of its stack.
const DEEP_STACK_WIPED: usize = 512 * 1024;

/// Cost of the PIN's key derivation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KdfCost {
    memory_kib: u32,
    passes: u32,
}

impl KdfCost {
    /// 64 MiB, three passes, one lane.
    pub const FULL: KdfCost = KdfCost { memory_kib: 64 * 1024, passes: 3 };
    /// 64 KiB, one pass: for tests only, it protects nothing.
    pub const FOR_TESTS: KdfCost = KdfCost { memory_kib: 64, passes: 1 };
}

/// The system gives no random numbers.
pub(crate) fn no_random(error: getrandom::Error) -> StoreFault {
    let errno = error.raw_os_error();
    tracing::warn!(errno, "the system gives no random numbers");
    Cause::note(errno.map(Cause::System));
    StoreFault::Io
}

/// Bytes from the operating system.
pub fn random<const N: usize>() -> Result<[u8; N], StoreFault> {
    let mut bytes = [0_u8; N];
    getrandom::fill(&mut bytes).map_err(no_random)?;
    Ok(bytes)
}

/// HKDF-SHA256 over the concatenation of `info`.
pub fn derive(salt: &[u8], ikm: &[u8], info: &[&[u8]]) -> Key {
    let key = Key::filled_by(|key| expand(salt, ikm, info, key));
    wipe_stack();
    key
}

// Not inlined: what it leaves on the stack has to lie below its caller's frame.
#[inline(never)]
fn expand(salt: &[u8], ikm: &[u8], info: &[&[u8]], key: &mut [u8]) {
    Hkdf::<Sha256>::new(Some(salt), ikm)
        .expand_multi_info(info, key)
        .expect("32 bytes are within HKDF's limit of 255 hashes");
}

/// Overwrites what the calls before left below this frame: hashes pass their result on by moving it,
/// ciphers work on copies of each block, and a build without optimisation leaves a copy at each move.
#[inline(never)]
pub fn wipe_stack() {
    let below = [0xa5_u8; STACK_WIPED];
    std::hint::black_box(&below);
}

/// As [`wipe_stack`], after whole commands and the import.
#[inline(never)]
pub fn wipe_deep_stack() {
    let below = [0xa5_u8; DEEP_STACK_WIPED];
    std::hint::black_box(&below);
}

#[cfg(test)]
thread_local! {
    /// How often this thread has stretched a PIN.
    pub static STRETCHED: std::cell::Cell<u32> = const { std::cell::Cell::new(0) };
}

/// Argon2id of a PIN.
pub fn stretch(pin: &[u8], salt: &[u8; 16], cost: KdfCost) -> Result<Key, StoreFault> {
    #[cfg(test)]
    STRETCHED.set(STRETCHED.get() + 1);
    let params = Params::new(cost.memory_kib, cost.passes, 1, Some(32));
    let params = params.map_err(StoreFault::Io.because("parameters of Argon2id"))?;
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut stretched = Ok(());
    let key = Key::filled_by(|key| stretched = argon.hash_password_into(pin, salt, key));
    stretched.map(|()| key).map_err(StoreFault::Io.because("Argon2id"))
}

fn keyed(key: &[u8; 32], parts: &[&[u8]]) -> Hmac<Sha256> {
    let mut state = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(key)
        .expect("HMAC takes keys of any length");
    for part in parts {
        state.update(part);
    }
    state
}

/// HMAC-SHA256 over the concatenation of `parts`.
pub fn mac(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    keyed(key, parts).finalize().into_bytes().into()
}

/// HMAC-SHA256 as a key, over parts that are secret: neither is left on the stack.
pub fn mac_key(key: &[u8; 32], parts: &[&[u8]]) -> Key {
    let made = Key::filled_by(|made| fill_mac(key, parts, made));
    wipe_stack();
    made
}

#[inline(never)]
fn fill_mac(key: &[u8; 32], parts: &[&[u8]], made: &mut [u8]) {
    made.copy_from_slice(&keyed(key, parts).finalize().into_bytes());
}

/// Whether `tag` is the HMAC of `parts`, in constant time.
pub fn mac_fits(key: &[u8; 32], parts: &[&[u8]], tag: &[u8]) -> bool {
    keyed(key, parts).verify_slice(tag).is_ok()
}

/// SHA-256 over the concatenation of `parts`.
pub fn hash(parts: &[&[u8]]) -> [u8; 32] {
    let mut state = Sha256::new();
    for part in parts {
        state.update(part);
    }
    state.finalize().into()
}

/// Encrypts and authenticates; the result is nonce, ciphertext, tag.
pub fn seal(key: &[u8; 32], aad: &[u8], plain: &[u8]) -> Result<Vec<u8>, StoreFault> {
    let nonce = random::<NONCE_LEN>()?;
    let cipher = XChaCha20Poly1305::new(key.into());
    let sealed = cipher
        .encrypt(&XNonce::from(nonce), Payload { msg: plain, aad })
        .map_err(StoreFault::Io.because("sealing"))?;
    Ok([nonce.as_slice(), &sealed].concat())
}

/// Opens what [`seal`] made; `None` if key, associated data or content differ.
pub fn open(key: &[u8; 32], aad: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, msg) = sealed.split_first_chunk::<NONCE_LEN>()?;
    let cipher = XChaCha20Poly1305::new(key.into());
    cipher.decrypt(&XNonce::from(*nonce), Payload { msg, aad }).ok().map(Zeroizing::new)
}

/// Encrypts a buffer where it is and puts the tag behind it. **A nonce may never be used twice with the
/// same key for different content.**
pub fn seal_as(
    key: &[u8; 32],
    nonce: &[u8; NONCE_LEN],
    aad: &[u8],
    buffer: &mut Zeroizing<Vec<u8>>,
) -> Result<(), StoreFault> {
    let cipher = XChaCha20Poly1305::new(key.into());
    let sealed = cipher.encrypt_in_place(nonce.into(), aad, &mut **buffer);
    sealed.map_err(StoreFault::Io.because("sealing in place"))
}

/// Opens what [`seal_as`] made, in the buffer; `None` if key, nonce, associated data or content differ.
pub fn open_as(
    key: &[u8; 32],
    nonce: &[u8; NONCE_LEN],
    aad: &[u8],
    buffer: &mut Zeroizing<Vec<u8>>,
) -> Option<()> {
    let cipher = XChaCha20Poly1305::new(key.into());
    cipher.decrypt_in_place(nonce.into(), aad, &mut **buffer).ok()
}

/// The X25519 key pair of a seed (RFC 9180, 7.1.3).
pub fn key_pair(seed: &Key) -> (Key, PublicKey) {
    let (secret, public) = Dh::derive_keypair(seed.as_slice());
    let key = Key::filled_by(|key| secret.write_exact(key));
    (key, public.to_bytes().into())
}

/// Seals to a public key; the result is the encapsulated key, ciphertext, tag.
pub fn seal_to(
    public: &PublicKey,
    info: &[u8],
    aad: &[u8],
    plain: &[u8],
) -> Result<Vec<u8>, StoreFault> {
    let public = <Dh as Kem>::PublicKey::from_bytes(public);
    let public = public.map_err(StoreFault::Damaged.because("reading a public key"))?;
    // The adapter panics if the kernel's generator fails, which Linux does not do after early boot.
    let mut generator = UnwrapErr(getrandom::SysRng);
    let (enc, sealed) = hpke::single_shot_seal_with_rng::<HpkeAead, HpkeKdf, Dh>(
        &OpModeS::Base,
        &public,
        info,
        plain,
        aad,
        &mut generator,
    )
    .map_err(StoreFault::Damaged.because("sealing to a public key"))?;
    Ok([enc.to_bytes().as_slice(), &sealed].concat())
}

/// Opens what [`seal_to`] made; `None` if key, info, associated data or content differ.
pub fn open_with(
    secret: &Key,
    info: &[u8],
    aad: &[u8],
    sealed: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let (enc, ciphertext) = sealed.split_at_checked(ENC_LEN)?;
    let secret = <Dh as Kem>::PrivateKey::from_bytes(secret.as_slice()).ok()?;
    let enc = <Dh as Kem>::EncappedKey::from_bytes(enc).ok()?;
    hpke::single_shot_open::<HpkeAead, HpkeKdf, Dh>(
        &OpModeR::Base,
        &secret,
        &enc,
        info,
        ciphertext,
        aad,
    )
    .ok()
    .map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hkdf_matches_rfc_5869_case_1() {
        let salt: Vec<u8> = (0..=12).collect();
        let info: Vec<u8> = (0xf0..=0xf9).collect();
        let (first, second) = info.split_at(4);
        let key = derive(&salt, &[0x0b; 22], &[first, second]);
        assert_eq!(&key[..6], &[0x3c, 0xb2, 0x5f, 0x25, 0xfa, 0xac]);
        assert_eq!(&key[28..], &[0xec, 0xc4, 0xc5, 0xbf]);
    }

    #[test]
    fn hmac_matches_rfc_4231_case_2_and_refuses_others() {
        let mut key = [0_u8; 32];
        key[..4].copy_from_slice(b"Jefe");
        let tag = mac(&key, &[b"what do ya ", b"want for nothing?"]);
        assert_eq!(&tag[..4], &[0x5b, 0xdc, 0xc1, 0x46]);
        assert!(mac_fits(&key, &[b"what do ya want for nothing?"], &tag));
        assert!(!mac_fits(&key, &[b"what do ya want for nothing!"], &tag));
        assert!(!mac_fits(&key, &[b"what do ya want for nothing?"], &tag[..16]));
    }

    #[test]
    fn sealed_bytes_open_only_whole_and_in_their_context() {
        let key = Key::random().unwrap();
        let (secret, public) = key_pair(&key);
        let symmetric = seal(&key, b"here", b"content").unwrap();
        let sealed = seal_to(&public, b"use", b"here", b"content").unwrap();
        assert_eq!(open(&key, b"here", &symmetric).unwrap().as_slice(), b"content");
        assert_eq!(open_with(&secret, b"use", b"here", &sealed).unwrap().as_slice(), b"content");
        assert!(open(&key, b"there", &symmetric).is_none());
        assert!(open_with(&secret, b"use", b"there", &sealed).is_none());
        assert!(open_with(&secret, b"other", b"here", &sealed).is_none());
        for index in 0..symmetric.len() {
            let mut flipped = symmetric.clone();
            flipped[index] ^= 1;
            assert!(open(&key, b"here", &flipped).is_none(), "byte {index}");
            assert!(open(&key, b"here", &symmetric[..index]).is_none(), "length {index}");
        }
        for index in 0..sealed.len() {
            let mut flipped = sealed.clone();
            flipped[index] ^= 1;
            assert!(open_with(&secret, b"use", b"here", &flipped).is_none(), "byte {index}");
            assert!(open_with(&secret, b"use", b"here", &sealed[..index]).is_none(), "{index}");
        }
    }
}
