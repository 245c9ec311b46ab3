//! Smart cards of real people: an issuing desk, and the independent card of `tests/piv_card`.
//!
//! A card is a file with everything it keeps; inserting it starts a process that lies in a virtual
//! reader, pulling it ends that process. The desk makes the keys on the card, certifies them and keeps
//! the trust directory, with fresh lists, for the real clock.
//!
//! Needs a running [`super::pcscd`]. Call [`program`] before the namespaces are entered: there is no network inside, and the first build may need it.

use std::cell::{Cell, RefCell};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use jiff::Timestamp;
use rcgen::{CertificateParams, SignatureAlgorithm};
use rustix::process::{Pid, Signal};
use tempfile::TempDir;
use wardkeep_hardware::trust::card_id;
use wardkeep_model::access::cards::Cards;
use wardkeep_model::access::factor::{CardId, Pin};
use wardkeep_model::moment::Moment;

use crate::readers::issuers::{
    Authority, Made, TrustFolder, authority, below, card, days, list, root,
};

/// PIN of every card, unless a test wants another.
pub const PIN: &str = "135790";
/// Tries that a card gives.
pub const TRIES: u8 = 3;

/// What keeps the card from being built on this machine, if anything.
pub fn missing() -> Option<&'static str> {
    let libraries = std::fs::read_dir("/usr/lib").into_iter().flatten().filter_map(Result::ok);
    let has =
        libraries.map(|entry| entry.path().join("lib/libclang.so.1")).any(|file| file.exists());
    if has { None } else { Some("libclang is not installed (libclang-dev)") }
}

/// Builds the card where it is not built yet, and says where it is.
///
/// It has a target directory of its own below the one of the running test, so neither waits for the
/// other's lock.
pub fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(build)
}

fn build() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own binary");
    // target/debug/deps/test-0123
    let target = test.ancestors().nth(3).expect("cargo's layout").join("piv_card");
    let program = target.join("debug/piv_card");
    if crate::process::is_inside() {
        return program;
    }
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("piv_card/Cargo.toml");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--locked", "--quiet", "--manifest-path"])
        .arg(manifest)
        .env("CARGO_TARGET_DIR", target)
        .output()
        .expect("cargo starts");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    program
}

/// The kinds of key a card makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// ECC on P-256.
    P256,
    /// ECC on P-384.
    P384,
    /// RSA of 2048 bits.
    Rsa2048,
}

impl Key {
    fn name(self) -> &'static str {
        match self {
            Key::P256 => "p256",
            Key::P384 => "p384",
            Key::Rsa2048 => "rsa2048",
        }
    }

    fn algorithm(self) -> &'static SignatureAlgorithm {
        match self {
            Key::P256 => &rcgen::PKCS_ECDSA_P256_SHA256,
            Key::P384 => &rcgen::PKCS_ECDSA_P384_SHA384,
            Key::Rsa2048 => &rcgen::PKCS_RSA_SHA256,
        }
    }

    /// What a card tells of a public key (SP 800-73-4 part 2, table 11), as a certificate holds it.
    fn public(self, template: &[u8]) -> Vec<u8> {
        match self {
            // 7F49 L { 86 L point }, one byte each.
            Key::P256 | Key::P384 => template[5..].to_vec(),
            // 7F49 82 L { 81 82 L modulus, 82 L exponent }, and the exponent is 65537.
            Key::Rsa2048 => {
                let [modulus, exponent] = [&template[9..9 + 256], &[1, 0, 1]];
                assert!(template.ends_with(exponent), "another public exponent");
                let head = [0x30, 0x82, 0x01, 0x0A, 0x02, 0x82, 0x01, 0x01, 0x00];
                [&head, modulus, &[0x02, 0x03], exponent].concat()
            }
        }
    }
}

/// The desk that issues cards: an authority below a root, and the trust directory of a site.
pub struct Desk {
    sub: Authority,
    trust: TrustFolder,
    /// Where the cards' files are.
    drawer: TempDir,
    issued: Cell<usize>,
    revoked: RefCell<Vec<u64>>,
}

impl Desk {
    /// Opens the desk, and trusts it.
    pub fn open() -> Self {
        let root = root(authority("Klinikum Root", now()));
        let sub = below(authority("Klinikum Cards", now()), &root);
        let trust = TrustFolder::new();
        trust.write("roots/klinikum.pem", root.pem());
        trust.write("intermediates/cards.der", sub.der());
        trust.write("crls/root.crl", list(&root, &[], days(now(), -3), days(now(), 30)));
        let drawer = tempfile::tempdir().expect("a temporary directory");
        let (issued, revoked) = (Cell::new(0), RefCell::new(Vec::new()));
        let desk = Self { sub, trust, drawer, issued, revoked };
        desk.publish();
        desk
    }

    /// The site's settings: this desk's trust directory, lists required and at most a week old.
    pub fn cards(&self) -> Cards {
        self.trust.cards()
    }

    /// The trust directory.
    pub fn trust(&self) -> &TrustFolder {
        &self.trust
    }

    /// Issues a card with keys on P-256.
    pub fn card(&self, name: &str) -> PivCard {
        self.card_of(name, [Key::P256, Key::P256], |_| ())
    }

    /// Issues a card with keys of these kinds, for signing and for agreement, and what `change` does
    /// to its authentication certificate.
    pub fn card_of(
        &self,
        name: &str,
        kinds: [Key; 2],
        change: impl FnOnce(&mut CertificateParams),
    ) -> PivCard {
        let number = self.issued.get();
        self.issued.set(number + 1);
        let serial = u64::try_from(number).expect("few cards") + 100;
        let state = self.drawer.path().join(format!("card-{number}"));
        let [sign, agree] = kinds.map(Key::name);
        let mut process = Command::new(program())
            .arg("issue")
            .arg(&state)
            .args([PIN, sign, agree, &number.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the card is built");
        let mut told = BufReader::new(process.stdout.take().expect("piped")).lines();
        let mut answer = process.stdin.take().expect("piped");
        let mut params = card(name, serial, now());
        let management = params.clone();
        change(&mut params);
        let mut key = |kind: Key| {
            let line = told.next().expect("a public key").expect("the card's output");
            Made { key: kind.public(&unhex(&line)), algorithm: kind.algorithm() }
        };
        let (signer, agreer) = (key(kinds[0]), key(kinds[1]));
        let certify = |params: CertificateParams, key| {
            params.signed_by(key, &self.sub).expect("a certificate").der().to_vec()
        };
        let certificate = certify(params, &signer);
        for der in [&certificate, &certify(management, &agreer)] {
            writeln!(answer, "{}", hex(der)).expect("the card takes its certificates");
        }
        drop(answer);
        assert!(process.wait().expect("our child").success(), "the card was not issued");
        PivCard { state, serial, certificate }
    }

    /// Revokes a card, and publishes a new list.
    pub fn revoke(&self, card: &PivCard) {
        self.revoked.borrow_mut().push(card.serial);
        self.publish();
    }

    fn publish(&self) {
        let bytes = list(&self.sub, &self.revoked.borrow(), days(now(), -1), days(now(), 6));
        self.trust.write("crls/cards.crl", bytes);
    }
}

/// A card in its owner's pocket.
#[derive(Debug)]
pub struct PivCard {
    state: PathBuf,
    serial: u64,
    certificate: Vec<u8>,
}

impl PivCard {
    /// Its identity.
    pub fn id(&self) -> CardId {
        card_id(&self.certificate).expect("a certificate")
    }

    /// Inserts it into the reader at `port`. pcscd notices within 400 ms.
    pub fn insert(&self, port: u16) -> Inserted {
        let mut command = Command::new(program());
        command.arg("serve").arg(&self.state).arg(port.to_string()).stderr(Stdio::null());
        Inserted(command.spawn().expect("the card is built"))
    }
}

/// A card in a reader. Dropping it pulls it, in whatever it is doing; pcscd notices within 400 ms.
#[derive(Debug)]
pub struct Inserted(Child);

impl Inserted {
    /// Pulls it.
    pub fn pull(self) {}

    /// The card keeps silent from here on.
    pub fn freeze(&self) {
        rustix::process::kill_process(Pid::from_child(&self.0), Signal::STOP).expect("our child");
    }
}

impl Drop for Inserted {
    fn drop(&mut self) {
        self.0.kill().expect("our child");
        self.0.wait().expect("our child");
    }
}

/// A PIN as it is typed.
pub fn pin(digits: &str) -> Pin {
    digits.bytes().map(|digit| digit - b'0').collect()
}

fn now() -> Timestamp {
    Moment::read().wall
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(hex: &str) -> Vec<u8> {
    let digits = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal");
    (0..hex.len()).step_by(2).map(digits).collect()
}
