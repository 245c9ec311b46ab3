//! The device secret: what ties a store to this machine.
//!
//! It takes part in every key slot and alone opens the cart compartment. Best it comes from systemd
//! (`LoadCredentialEncrypted=`, sealed to the TPM and the host); else it is a root-only file beside the
//! store, which a copy of the disk contains: that is [`Protection::Reduced`] and the program says so.
//!
//! S-4: without it neither a PIN nor a badge number can be tested against a copied disk.

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};

use p256::elliptic_curve::ops::Reduce;
use p256::elliptic_curve::sec1::ToSec1Point;
use p256::{FieldBytes, NonZeroScalar, PublicKey};

use crate::crypto::{Key, derive, mac, mac_key};
use crate::disk::durable;
use crate::disk::layout::DEVICE_SECRET;
use wardkeep_model::access::OperatorId;
use wardkeep_model::access::factor::{Badge, CardPeer, Token};
use wardkeep_model::keeping::{Protection, StoreFault};

/// Name of the systemd credential.
const CREDENTIAL: &str = "wardkeep-device-secret";
const LEN_MIN: usize = 32;
const LEN_MAX: u64 = 4096;
/// Stands where a badge's reader family stands.
const PIV: &[u8] = b"piv";

/// Where the device secret comes from. A TPM source may follow.
pub trait DeviceSecret: fmt::Debug + Send {
    /// The secret; `None` if there is none yet.
    ///
    /// # Errors
    /// `WrongDeviceSecret` if it is too short or too long to be one; otherwise as reading a file.
    fn load(&self) -> Result<Option<Key>, StoreFault>;

    /// Makes a secret at first start, if the source can.
    ///
    /// # Errors
    /// `WrongDeviceSecret` if it has to be made by other means; otherwise as writing a file.
    fn create(&self) -> Result<Key, StoreFault>;

    /// How well it is kept.
    fn protection(&self) -> Protection;
}

/// A credential that systemd placed in `$CREDENTIALS_DIRECTORY`.
#[derive(Debug)]
pub struct Credential {
    path: PathBuf,
}

impl Credential {
    /// A credential at this path, at least 32 bytes of key material.
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }
}

impl DeviceSecret for Credential {
    fn load(&self) -> Result<Option<Key>, StoreFault> {
        from_file(&self.path)
    }

    fn create(&self) -> Result<Key, StoreFault> {
        Err(StoreFault::WrongDeviceSecret)
    }

    fn protection(&self) -> Protection {
        Protection::Full
    }
}

/// A file of the state directory that only its owner can read.
#[derive(Debug)]
pub struct SecretFile {
    dir: PathBuf,
}

impl SecretFile {
    /// The file in this state directory.
    pub fn new(state_dir: &Path) -> Self {
        Self { dir: state_dir.to_owned() }
    }
}

impl DeviceSecret for SecretFile {
    fn load(&self) -> Result<Option<Key>, StoreFault> {
        from_file(&self.dir.join(DEVICE_SECRET))
    }

    fn create(&self) -> Result<Key, StoreFault> {
        let material = Key::random()?;
        durable::replace(&self.dir, DEVICE_SECRET, material.as_slice())?;
        Ok(condense(material.as_slice()))
    }

    fn protection(&self) -> Protection {
        Protection::Reduced
    }
}

/// The credential if the service manager gave one, else the file.
pub fn from_environment(state_dir: &Path) -> Box<dyn DeviceSecret> {
    choose(std::env::var_os("CREDENTIALS_DIRECTORY").as_deref(), state_dir)
}

fn choose(credentials: Option<&OsStr>, state_dir: &Path) -> Box<dyn DeviceSecret> {
    match credentials.map(|dir| Path::new(dir).join(CREDENTIAL)).filter(|path| path.exists()) {
        Some(path) => Box::new(Credential::new(path)),
        None => Box::new(SecretFile::new(state_dir)),
    }
}

fn from_file(path: &Path) -> Result<Option<Key>, StoreFault> {
    let material = match durable::read(path, LEN_MAX) {
        Ok(Some(material)) => zeroize::Zeroizing::new(material),
        Ok(None) => return Ok(None),
        Err(StoreFault::Damaged) => return Err(StoreFault::WrongDeviceSecret),
        Err(fault) => return Err(fault),
    };
    if material.len() < LEN_MIN {
        return Err(StoreFault::WrongDeviceSecret);
    }
    Ok(Some(condense(&material)))
}

fn condense(material: &[u8]) -> Key {
    derive(b"wardkeep device secret v1", material, &[])
}

/// Everything derived from the device secret, one method per use so that no key serves two.
pub struct DeviceKeys {
    secret: Key,
}

impl DeviceKeys {
    /// Keys of this secret.
    pub fn new(secret: Key) -> Self {
        Self { secret }
    }

    fn key(&self, info: &[&[u8]]) -> Key {
        derive(b"", self.secret.as_slice(), info)
    }

    /// Outer layer of the key slots of an epoch.
    pub fn outer(&self, epoch: u64) -> Key {
        self.key(&[b"outer", &epoch.to_be_bytes()])
    }

    /// Authenticates public keys and what is sealed to them.
    pub fn public(&self) -> Key {
        self.key(&[b"pub"])
    }

    /// The cart compartment.
    pub fn cart(&self) -> Key {
        self.key(&[b"cart"])
    }

    /// Head and segment headers of the inbox.
    pub fn inbox(&self) -> Key {
        self.key(&[b"inbox"])
    }

    /// Tokens that stand for the patient at the bed in the clear part of sealed records.
    pub fn bed(&self) -> Key {
        self.key(&[b"bed"])
    }

    /// Keyed look-up of a badge: `HMAC(HKDF(DS, "idx"), family || uid)`. No badge number is stored.
    pub fn badge_index(&self, badge: &Badge) -> [u8; 32] {
        *mac_key(&self.key(&[b"idx"]), &[badge.family.tag(), badge.uid()])
    }

    /// Keyed look-up of any token.
    pub fn token_index(&self, token: &Token) -> [u8; 32] {
        match token {
            Token::Badge(badge) => self.badge_index(badge),
            Token::Card(card) => mac(&self.key(&[b"idx"]), &[PIV, &card.0]),
        }
    }

    /// The badge's share of the key-encryption key: `HMAC(DS, family || uid)`.
    pub fn badge_share(&self, badge: &Badge) -> Key {
        mac_key(&self.secret, &[badge.family.tag(), badge.uid()])
    }

    /// Any token's share of a shift's key and of its emergency key: as [`DeviceKeys::badge_share`], of a card
    /// `HMAC(DS, "piv" || card id)`. It proves that the token was shown, nothing more.
    pub fn token_share(&self, token: &Token) -> Key {
        match token {
            Token::Badge(badge) => self.badge_share(badge),
            Token::Card(card) => mac_key(&self.secret, &[PIV, &card.0]),
        }
    }

    /// A witness outside the disk.
    pub fn witness(&self) -> Key {
        self.key(&[b"witness"])
    }

    /// The emergency card's file.
    pub fn emergency(&self) -> Key {
        self.key(&[b"emergency"])
    }

    /// Name of a person's draft, which tells nobody whose it is.
    pub fn draft_name(&self, operator: OperatorId) -> [u8; 32] {
        mac(&self.key(&[b"draft"]), &[&operator.0.to_be_bytes()])
    }

    /// A salt for a badge that nobody enrolled, so that its PIN costs the same time.
    pub fn stranger_salt(&self, index: &[u8; 32]) -> [u8; 16] {
        let mut salt = [0_u8; 16];
        for (to, from) in salt.iter_mut().zip(mac(&self.key(&[b"stranger"]), &[index])) {
            *to = from;
        }
        salt
    }

    /// What a card that nobody enrolled is asked to agree with: a point on P-256, the same at every
    /// ask, so that it answers and fails like a card with the wrong key.
    pub fn stranger_peer(&self, index: &[u8; 32]) -> CardPeer {
        let seed = derive(index, self.key(&[b"stranger"]).as_slice(), &[b"peer"]);
        let seed = FieldBytes::from(*seed);
        let scalar = <NonZeroScalar as Reduce<FieldBytes>>::reduce(&seed);
        CardPeer(PublicKey::from_secret_scalar(&scalar).to_sec1_point(false).as_bytes().to_vec())
    }
}

impl fmt::Debug for DeviceKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[device keys]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_credential_is_preferred_and_a_file_means_reduced_protection() {
        let credentials = tempfile::tempdir().unwrap();
        let state = tempfile::tempdir().unwrap();
        let directory = Some(credentials.path().as_os_str());
        assert_eq!(choose(directory, state.path()).protection(), Protection::Reduced);
        assert_eq!(choose(None, state.path()).protection(), Protection::Reduced);

        fs::write(credentials.path().join(CREDENTIAL), [7; 32]).unwrap();
        let source = choose(directory, state.path());
        assert_eq!(source.protection(), Protection::Full);
        assert!(source.load().unwrap().is_some());
        assert_eq!(source.create().unwrap_err(), StoreFault::WrongDeviceSecret);
    }

    #[test]
    fn the_file_is_made_once_and_read_again() {
        let state = tempfile::tempdir().unwrap();
        let source = SecretFile::new(state.path());
        assert!(source.load().unwrap().is_none());
        let made = source.create().unwrap();
        assert_eq!(source.load().unwrap().unwrap(), made);
        for wrong in [vec![1; 31], vec![1; 5000], vec![]] {
            fs::write(state.path().join(DEVICE_SECRET), wrong).unwrap();
            assert_eq!(source.load().unwrap_err(), StoreFault::WrongDeviceSecret);
        }
    }
}
