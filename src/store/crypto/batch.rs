//! Sealing several pieces to a public key with one key agreement.
//!
//! ```text
//!  piece = encapsulated key 32 | XChaCha20-Poly1305(k, nonce = 0 16, number u64, piece)
//!  k     = HPKE's exported secret (RFC 9180, 5.3) of X25519 and HKDF-SHA256, base mode
//! ```
//!
//! Each piece carries the encapsulated key of its batch, so it opens wherever it lies and whatever became of the
//! others; that costs no more bytes than sealing each by itself ([`super::seal_to`]). A piece's number is its
//! nonce: within a batch they only rise.
//!
//! S-3: whoever holds a [`Sealer`] can open what it has sealed. So it is dropped, and its key wiped, before any of
//! that is kept.

use hpke::aead::ExportOnlyAead;
use hpke::rand_core::UnwrapErr;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable, setup_receiver};
use zeroize::Zeroizing;

use super::{Dh, HpkeKdf, Key, NONCE_LEN, PublicKey, open_as, seal_as, wipe_stack};
use wardkeep_model::keeping::StoreFault;

/// Bytes of an encapsulated key.
const ENC_LEN: usize = 32;
/// Bytes that sealing adds to a piece.
pub const ADDED_LEN: usize = ENC_LEN + 16;
/// What the exported secret is for.
const EXPORTED: &[u8] = b"pieces";

/// The sending end of one batch.
pub struct Sealer {
    public: PublicKey,
    enc: [u8; ENC_LEN],
    key: Key,
    /// The least number that was not used yet.
    next: u64,
}

impl Sealer {
    /// Begins a batch.
    ///
    /// # Errors
    /// `Damaged` if that is no public key.
    pub fn to(public: &PublicKey, info: &[u8]) -> Result<Self, StoreFault> {
        let made = agree(public, info);
        wipe_stack();
        made
    }

    /// Whether it seals to this key.
    pub fn is_to(&self, public: &PublicKey) -> bool {
        self.public == *public
    }

    /// Seals a piece under its number.
    ///
    /// # Errors
    /// `Io` if a number does not follow those before.
    pub fn seal(&mut self, number: u64, aad: &[u8], plain: &[u8]) -> Result<Vec<u8>, StoreFault> {
        if number < self.next {
            tracing::error!("a number was to be used twice within a batch");
            return Err(StoreFault::Io);
        }
        self.next = number.saturating_add(1);
        let mut piece = Zeroizing::new(Vec::with_capacity(plain.len() + ADDED_LEN - ENC_LEN));
        piece.extend_from_slice(plain);
        seal_as(&self.key, &nonce(number), aad, &mut piece)?;
        Ok([&self.enc[..], &piece].concat())
    }
}

// Not inlined: what it leaves on the stack has to lie below its caller's frame.
#[inline(never)]
fn agree(public: &PublicKey, info: &[u8]) -> Result<Sealer, StoreFault> {
    let recipient = <Dh as Kem>::PublicKey::from_bytes(public);
    let recipient = recipient.map_err(StoreFault::Damaged.because("reading a public key"))?;
    // The adapter panics if the kernel's generator fails, which Linux does not do after early boot.
    let mut generator = UnwrapErr(getrandom::SysRng);
    let (enc, context) = hpke::setup_sender_with_rng::<ExportOnlyAead, HpkeKdf, Dh>(
        &OpModeS::Base,
        &recipient,
        info,
        &mut generator,
    )
    .map_err(StoreFault::Damaged.because("agreeing on a key"))?;
    let key = exported(|key| context.export(EXPORTED, key));
    let key = key.map_err(StoreFault::Io.because("exporting a secret"))?;
    Ok(Sealer { public: *public, enc: enc.to_bytes().into(), key, next: 0 })
}

fn exported<E>(export: impl FnOnce(&mut [u8]) -> Result<(), E>) -> Result<Key, E> {
    let mut done = Ok(());
    let key = Key::filled_by(|key| done = export(key));
    done.map(|()| key)
}

/// The receiving end: opens pieces of any batch, quickly while they are of the same one.
pub struct Opener<'a> {
    secret: &'a Key,
    info: &'a [u8],
    last: Option<([u8; ENC_LEN], Key)>,
}

impl<'a> Opener<'a> {
    /// Opens what was sealed to this key.
    pub fn new(secret: &'a Key, info: &'a [u8]) -> Self {
        Self { secret, info, last: None }
    }

    /// Opens what [`Sealer::seal`] made; `None` if key, info, number, associated data or content differ.
    pub fn open(&mut self, number: u64, aad: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (enc, piece) = sealed.split_first_chunk::<ENC_LEN>()?;
        let key = match self.last.take() {
            Some((known, key)) if known == *enc => key,
            Some(_) | None => agreed(self.secret, self.info, enc)?,
        };
        let mut piece = Zeroizing::new(piece.to_vec());
        let opened = open_as(&key, &nonce(number), aad, &mut piece);
        self.last = Some((*enc, key));
        opened.map(|()| piece)
    }

    /// Key of the batch that was opened last.
    #[cfg(test)]
    pub fn key(&self) -> Option<&Key> {
        self.last.as_ref().map(|(_, key)| key)
    }
}

fn agreed(secret: &Key, info: &[u8], enc: &[u8; ENC_LEN]) -> Option<Key> {
    let secret = <Dh as Kem>::PrivateKey::from_bytes(secret.as_slice()).ok()?;
    let enc = <Dh as Kem>::EncappedKey::from_bytes(enc).ok()?;
    let context =
        setup_receiver::<ExportOnlyAead, HpkeKdf, Dh>(&OpModeR::Base, &secret, &enc, info).ok()?;
    exported(|key| context.export(EXPORTED, key)).ok()
}

fn nonce(number: u64) -> [u8; NONCE_LEN] {
    let mut nonce = [0; NONCE_LEN];
    let (_, end) = nonce.split_at_mut(NONCE_LEN - 8);
    end.copy_from_slice(&number.to_be_bytes());
    nonce
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::key_pair;

    fn piece(number: u64) -> Vec<u8> {
        number.to_be_bytes().repeat(number.try_into().unwrap())
    }

    fn batch(public: &PublicKey, numbers: &[u64]) -> Vec<(u64, Vec<u8>)> {
        let mut sealer = Sealer::to(public, b"use").unwrap();
        let mut seal = |number| sealer.seal(number, b"here", &piece(number)).unwrap();
        numbers.iter().map(|number| (*number, seal(*number))).collect()
    }

    #[test]
    fn each_piece_opens_by_itself_in_any_order_and_between_those_of_other_batches() {
        let (secret, public) = key_pair(&Key::random().unwrap());
        let mut pieces = batch(&public, &[0, 3, 4, 9]);
        let other = batch(&public, &[3, 4, 5]);
        assert_ne!(pieces[1].1, other[0].1);
        pieces.extend(other);
        for step in 1..pieces.len() {
            let mut opener = Opener::new(&secret, b"use");
            // 7 pieces: any step leads through all of them.
            for index in (0..pieces.len()).map(|index| index * step % pieces.len()) {
                let (number, sealed) = &pieces[index];
                let opened = opener.open(*number, b"here", sealed).unwrap();
                assert_eq!(*opened, piece(*number));
                assert_eq!(sealed.len(), opened.len() + ADDED_LEN);
            }
        }
    }

    #[test]
    fn a_piece_opens_only_whole_under_its_number_and_in_its_context() {
        let (secret, public) = key_pair(&Key::random().unwrap());
        let pieces = batch(&public, &[7, 8]);
        let (number, sealed) = &pieces[0];
        let mut opener = Opener::new(&secret, b"use");
        assert!(opener.open(8, b"here", sealed).is_none());
        assert!(opener.open(*number, b"there", sealed).is_none());
        assert!(Opener::new(&secret, b"other").open(*number, b"here", sealed).is_none());
        let (other, _) = key_pair(&Key::random().unwrap());
        assert!(Opener::new(&other, b"use").open(*number, b"here", sealed).is_none());
        for index in 0..sealed.len() {
            let mut flipped = sealed.clone();
            flipped[index] ^= 1;
            assert!(opener.open(*number, b"here", &flipped).is_none(), "byte {index}");
            assert!(opener.open(*number, b"here", &sealed[..index]).is_none(), "length {index}");
        }
        // A point that every secret agrees with in the same way.
        assert!(opener.open(*number, b"here", &[0; 60]).is_none());
        assert_eq!(*opener.open(8, b"here", &pieces[1].1).unwrap(), piece(8));
    }

    #[test]
    fn a_number_is_used_once_within_a_batch() {
        let (_, public) = key_pair(&Key::random().unwrap());
        let mut sealer = Sealer::to(&public, b"use").unwrap();
        assert!(sealer.seal(5, b"", b"one").is_ok());
        for number in [0, 4, 5] {
            assert_eq!(sealer.seal(number, b"", b"another"), Err(StoreFault::Io));
        }
        assert!(sealer.seal(6, b"", b"another").is_ok());
    }
}
