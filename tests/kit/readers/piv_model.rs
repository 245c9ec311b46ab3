//! A PIV card as the standard describes it (SP 800-73-4 part 2), with switches for what real cards do
//! differently. It answers APDUs in memory; tests bend its answers to make hostile ones.

use p256::ecdsa::signature::hazmat::PrehashSigner;
use p256::ecdsa::{DerSignature, SigningKey};
use p256::elliptic_curve::Generate;
use p256::elliptic_curve::sec1::ToSec1Point;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, PublicKeyData, SerialNumber, SignatureAlgorithm,
};
use tempfile::TempDir;
use wardkeep_hardware::trust::Trust;
use wardkeep_model::access::cards::Cards;
use wardkeep_model::access::factor::Pin;

/// The PIN of every model, as typed.
pub const PIN: [u8; 6] = [4, 7, 1, 1, 2, 0];
/// Its tries.
pub const TRIES: u8 = 3;

/// A PIN of these digits.
pub fn pin(digits: &[u8]) -> Pin {
    let mut pin = Pin::default();
    digits.iter().for_each(|digit| pin.push(*digit));
    pin
}

/// A hospital with an authority that issues cards, and a trust directory on disk.
pub struct Site {
    folder: TempDir,
    authority: CertifiedIssuer<'static, KeyPair>,
    issued: u64,
}

impl Default for Site {
    fn default() -> Self {
        Self::new()
    }
}

impl Site {
    /// Founds one.
    pub fn new() -> Self {
        let mut params = CertificateParams::new(vec![]).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().expect("random numbers");
        let authority = CertifiedIssuer::self_signed(params, key).expect("a certificate");
        let folder = tempfile::tempdir().expect("a folder");
        let roots = folder.path().join("roots");
        std::fs::create_dir(&roots).expect("a folder");
        std::fs::write(roots.join("root.pem"), authority.pem()).expect("a file");
        Self { folder, authority, issued: 0 }
    }

    /// What a kiosk of this hospital trusts.
    pub fn trust(&self) -> Trust {
        let trust = self.folder.path().to_owned();
        Trust::load(&Cards { trust, crl_required: false, ..Cards::default() })
    }

    /// Issues a card with keys of its own.
    pub fn issue(&mut self) -> Model {
        let sign = SigningKey::generate();
        let certificate = self.certificate_of(&sign);
        let agree = Agree::P256(p256::ecdh::EphemeralSecret::generate());
        let mut model = Model {
            tries: TRIES,
            verified: false,
            sign,
            agree,
            objects: [object(&certificate), vec![]],
            chunk: 256,
            corrects: false,
            tells_tries: true,
            known_as: 11,
            waiting: vec![],
            chain: vec![],
            asked: vec![],
        };
        self.give_agreement(&mut model, false);
        model
    }

    /// A certificate for the same key once more: another serial number, so another certificate.
    pub fn certify_again(&mut self, model: &mut Model) {
        model.objects[0] = object(&self.certificate_of(&model.sign.clone()));
    }

    /// Gives the card a key for key agreement, on P-384 if so wanted.
    pub fn give_agreement(&mut self, model: &mut Model, larger: bool) {
        let (agree, point, algorithm) = if larger {
            let key = p384::ecdh::EphemeralSecret::generate();
            let point = key.public_key().to_sec1_point(false).as_bytes().to_vec();
            (Agree::P384(key), point, &rcgen::PKCS_ECDSA_P384_SHA384)
        } else {
            let key = p256::ecdh::EphemeralSecret::generate();
            let point = key.public_key().to_sec1_point(false).as_bytes().to_vec();
            (Agree::P256(key), point, &rcgen::PKCS_ECDSA_P256_SHA256)
        };
        let certificate = self.certify(Point(point, algorithm), KeyUsagePurpose::KeyAgreement);
        model.agree = agree;
        model.objects[1] = object(&certificate);
    }

    fn certificate_of(&mut self, sign: &SigningKey) -> Vec<u8> {
        let point = sign.verifying_key().to_sec1_point(false).as_bytes().to_vec();
        let key = Point(point, &rcgen::PKCS_ECDSA_P256_SHA256);
        self.certify(key, KeyUsagePurpose::DigitalSignature)
    }

    fn certify(&mut self, key: Point, usage: KeyUsagePurpose) -> Vec<u8> {
        self.issued += 1;
        let mut params = CertificateParams::new(vec![]).expect("no names");
        params.serial_number = Some(SerialNumber::from(self.issued));
        params.key_usages = vec![usage];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.signed_by(&key, &self.authority).expect("a certificate").der().to_vec()
    }
}

/// A public key that rcgen has not made.
struct Point(Vec<u8>, &'static SignatureAlgorithm);

impl PublicKeyData for Point {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }
    fn algorithm(&self) -> &'static SignatureAlgorithm {
        self.1
    }
}

/// The key-management key.
pub enum Agree {
    /// On P-256.
    P256(p256::ecdh::EphemeralSecret),
    /// On P-384.
    P384(p384::ecdh::EphemeralSecret),
}

/// The card.
pub struct Model {
    /// Tries that are left.
    pub tries: u8,
    /// The PIN was shown since the last reset.
    pub verified: bool,
    sign: SigningKey,
    agree: Agree,
    /// Data objects 5FC105 and 5FC10B; empty if absent.
    pub objects: [Vec<u8>; 2],
    /// Bytes of one answer.
    pub chunk: usize,
    /// Answers `6Cxx` where the expected length is not the one it has.
    pub corrects: bool,
    /// Answers an empty VERIFY.
    pub tells_tries: bool,
    /// Length of the name by which it is selected.
    pub known_as: usize,
    waiting: Vec<u8>,
    chain: Vec<u8>,
    /// Every command, as received.
    pub asked: Vec<Vec<u8>>,
}

const NOT_FOUND: [u8; 2] = [0x6A, 0x82];
const PADDED: [u8; 8] = [b'4', b'7', b'1', b'1', b'2', b'0', 0xFF, 0xFF];

impl Model {
    /// A command with a PIN was among those received.
    pub fn saw_a_pin(&self) -> bool {
        self.asked.iter().any(|command| command[1] == 0x20 && command.len() > 5)
    }

    /// Its authentication certificate, as DER.
    pub fn certificate(&self) -> Vec<u8> {
        let length = self.objects[0].len();
        self.objects[0][8..length - 5].to_vec()
    }

    /// As a new card: nothing half done, all tries left.
    pub fn reset(&mut self) {
        (self.tries, self.verified) = (TRIES, false);
        self.waiting.clear();
        self.chain.clear();
        self.asked.clear();
    }

    /// What the card agrees on with this point.
    pub fn share(&self, point: &[u8]) -> Option<Vec<u8>> {
        Some(match &self.agree {
            Agree::P256(key) => {
                let peer = p256::PublicKey::from_sec1_bytes(point).ok()?;
                key.diffie_hellman(&peer).raw_secret_bytes().to_vec()
            }
            Agree::P384(key) => {
                let peer = p384::PublicKey::from_sec1_bytes(point).ok()?;
                key.diffie_hellman(&peer).raw_secret_bytes().to_vec()
            }
        })
    }

    /// Answers one command.
    pub fn answer(&mut self, command: &[u8]) -> Vec<u8> {
        self.asked.push(command.to_vec());
        let [class, instruction, p1, p2, rest @ ..] = command else { return vec![0x67, 0x00] };
        let (data, expected) = match rest {
            [] => (&[][..], None),
            [expected] => (&[][..], Some(*expected)),
            [length, rest @ ..] => match rest.split_at_checked(usize::from(*length)) {
                Some((data, [])) => (data, None),
                Some((data, [expected])) => (data, Some(*expected)),
                _ => return vec![0x67, 0x00],
            },
        };
        if *class == 0x10 {
            self.chain.extend_from_slice(data);
            return vec![0x90, 0x00];
        }
        let data = [std::mem::take(&mut self.chain), data.to_vec()].concat();
        match (*instruction, *p1, *p2) {
            (0xC0, 0, 0) => {}
            (0xA4, 4, 0) => self.waiting = self.select(&data),
            (0xCB, 0x3F, 0xFF) => self.waiting = self.read(&data),
            (0x20, p1, 0x80) => self.waiting = self.verify(p1, &data),
            (0x87, algorithm, key) => self.waiting = self.authenticate(algorithm, key, &data),
            _ => self.waiting = vec![0x6D, 0x00],
        }
        self.part(expected)
    }

    /// As much of the answer as goes into one.
    fn part(&mut self, expected: Option<u8>) -> Vec<u8> {
        let length = self.waiting.len().saturating_sub(2);
        let wanted = match expected {
            None | Some(0) => 256,
            Some(expected) => usize::from(expected),
        };
        if self.corrects && length > 0 && length < wanted {
            return vec![0x6C, u8::try_from(length).expect("less than 256")];
        }
        let part = self.chunk.min(wanted);
        if length <= part {
            return std::mem::take(&mut self.waiting);
        }
        let left = u8::try_from(length - part).unwrap_or(0);
        let data: Vec<u8> = self.waiting.drain(..part).collect();
        [&data[..], &[0x61, left]].concat()
    }

    fn select(&mut self, name: &[u8]) -> Vec<u8> {
        let whole = [0xA0, 0, 0, 3, 8, 0, 0, 0x10, 0, 1, 0];
        if name != &whole[..self.known_as] {
            return NOT_FOUND.to_vec();
        }
        self.verified = false;
        [&[0x61, 0x0D, 0x4F, 0x0B][..], &whole, &[0x90, 0x00]].concat()
    }

    fn read(&self, list: &[u8]) -> Vec<u8> {
        let object = match list {
            [0x5C, 3, 0x5F, 0xC1, 0x05] => &self.objects[0],
            [0x5C, 3, 0x5F, 0xC1, 0x0B] => &self.objects[1],
            _ => return NOT_FOUND.to_vec(),
        };
        if object.is_empty() {
            return NOT_FOUND.to_vec();
        }
        [&object[..], &[0x90, 0x00]].concat()
    }

    fn verify(&mut self, p1: u8, pin: &[u8]) -> Vec<u8> {
        match (p1, pin) {
            (0xFF, []) => self.verified = false,
            (0x00, []) if !self.tells_tries => return vec![0x67, 0x00],
            (0x00, []) if self.verified => {}
            (0x00, []) => return vec![0x63, 0xC0 | self.tries],
            (0x00, _) if self.tries == 0 => return vec![0x69, 0x83],
            (0x00, pin) if *pin == PADDED => {
                (self.tries, self.verified) = (TRIES, true);
            }
            (0x00, _) => {
                (self.tries, self.verified) = (self.tries - 1, false);
                return vec![0x63, 0xC0 | self.tries];
            }
            _ => return vec![0x6A, 0x86],
        }
        vec![0x90, 0x00]
    }

    fn authenticate(&self, algorithm: u8, key: u8, template: &[u8]) -> Vec<u8> {
        if !self.verified {
            return vec![0x69, 0x82];
        }
        let value = match (algorithm, key, template) {
            (0x11, 0x9A, [0x7C, _, 0x82, 0, 0x81, 32, hash @ ..]) => {
                let signature: DerSignature = self.sign.sign_prehash(hash).expect("a hash");
                Some(signature.as_bytes().to_vec())
            }
            (0x11 | 0x14, 0x9D, [0x7C, _, 0x82, 0, 0x85, _, point @ ..]) => self.share(point),
            _ => None,
        };
        let Some(value) = value else { return vec![0x6A, 0x80] };
        let length = u8::try_from(value.len()).expect("a short value");
        [&[0x7C, length + 2, 0x82, length][..], &value, &[0x90, 0x00]].concat()
    }
}

/// A certificate as a data object.
pub fn object(certificate: &[u8]) -> Vec<u8> {
    let long = |tag: u8, value: &[u8]| {
        let length = u16::try_from(value.len()).expect("a small object").to_be_bytes();
        [&[tag, 0x82][..], &length, value].concat()
    };
    long(0x53, &[long(0x70, certificate), vec![0x71, 0x01, 0x00, 0xFE, 0x00]].concat())
}
