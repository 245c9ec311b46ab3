//! What a store had acknowledged, and whether a store that was started after a power cut keeps it.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use kit::store::desk::*;
use kit::store::*;
use wardkeep_model::access::factor::Attempt;
use wardkeep_model::access::factor::{Evidence, Token};
use wardkeep_model::access::lockout::Admission;
use wardkeep_model::confidential::Phi;
use wardkeep_model::encounter::Patient;
use wardkeep_model::keeping::{
    AuditAct, AuditEntry, CartState, Command, Found, Outcome, RecoveryPhrase, Unlocked,
};
use wardkeep_model::moment::Moment;
use wardkeep_model::vitals::nomenclature::PLETH;
use wardkeep_model::vitals::wave::WaveSegment;
use wardkeep_store::RecoveredVault;

/// A stretch of the pulse wave, of the patient whose values [`observation`] makes.
pub fn wave(run: u64, seq: u64) -> WaveSegment {
    let value = observation(run, seq);
    WaveSegment {
        record: value.record,
        code: PLETH,
        rate_hz: 75,
        start: value.effective,
        samples: Phi::new((0..150).map(|at| (seq as u16).wrapping_mul(311) ^ (at * 97)).collect()),
        device: value.device,
        subject: value.subject,
        provenance: value.provenance,
    }
}

/// An audit entry of the process itself.
pub fn told() -> AuditEntry {
    AuditEntry::of(AuditAct::AudioPaused, at(0).wall)
}

/// Run number of the process's waveforms.
pub const WAVES: u64 = 60;
/// Run number of the records that are made after the cut.
const AFTERWARDS: u64 = 900;

/// Whether something must be so, must not be so, or may be either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Must {
    Be,
    NotBe,
    BeEither,
}

impl Must {
    fn is_kept(self, is: bool) -> bool {
        match self {
            Must::Be => is,
            Must::NotBe => !is,
            Must::BeEither => true,
        }
    }
}

/// Everything that was said up to a cut.
#[derive(Clone, Debug, Default)]
pub struct Promises {
    /// The words that were acknowledged with the store itself.
    pub phrase: Option<String>,
    /// Per run: how many records were sent, and how many of them were acknowledged.
    pub records: BTreeMap<u64, (u64, u64)>,
    /// The same of waveforms.
    pub waves: (u64, u64),
    /// Number of the cart's state that was acknowledged last, and of the one that was sent last.
    pub cart: (u64, u64),
    /// At most so many tries may be left.
    pub tries: Option<u8>,
    /// Badges and cards by number.
    pub tokens: BTreeMap<(String, u8), Must>,
    pub patients: BTreeMap<String, Must>,
    /// Audit entries of the process.
    pub audits: u64,
    /// The draft that has to be shown.
    pub draft: Option<String>,
}

impl Promises {
    /// Takes note of what the process said.
    pub fn hear(&mut self, line: &str) {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        let numbers: Vec<u64> = rest.split(' ').filter_map(|word| word.parse().ok()).collect();
        match verb {
            "phrase" => self.phrase = Some(rest.to_owned()),
            "sent" => self.records.entry(numbers[0]).or_default().0 = numbers[1],
            "kept" => self.records.entry(numbers[0]).or_default().1 = numbers[1],
            "cart-sent" => self.cart.1 = numbers[0],
            "cart-kept" => self.cart.0 = numbers[0],
            "tries" => self.tries = Some(u8::try_from(numbers[0]).unwrap()),
            "right-pin" => self.tries = None,
            "badge" | "card" => {
                let must = match rest.split_once(' ').unwrap().1 {
                    "opens" => Must::Be,
                    "is-refused" => Must::NotBe,
                    _ => Must::BeEither,
                };
                let number = u8::try_from(numbers[0]).unwrap();
                self.tokens.insert((verb.to_owned(), number), must);
            }
            "patient" => {
                self.patients.insert(rest.to_owned(), Must::Be);
            }
            "patient-shredding" => {
                self.patients.insert(rest.to_owned(), Must::BeEither);
            }
            "patient-shredded" => {
                self.patients.insert(rest.to_owned(), Must::NotBe);
            }
            "waves-sent" => self.waves.0 = numbers[0],
            "waves-kept" => self.waves.1 = numbers[0],
            "audits" => self.audits = numbers[0],
            "draft" => self.draft = Some(rest.to_owned()),
            "draft-shown" => self.draft = None,
            other => panic!("the process said {other}"),
        }
    }
}

/// Far after every delay that a wrong PIN brings.
fn later() -> Moment {
    Moment::read() + Duration::from_secs(1_000_000)
}

/// The number that a state of the cart carries.
pub fn cart_number(cart: &CartState) -> u64 {
    cart.language.strip_prefix("x-").and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// Starts the store and looks at everything that was promised. Panics with what is not so.
pub fn check(dir: &Path, promises: &Promises) {
    let (mut rig, first) = Rig::start(options(dir));
    let cart = match first {
        Outcome::Found(Found::Store(cart)) => cart,
        Outcome::Found(Found::Nothing) if promises.phrase.is_none() => {
            // The first start can be made again.
            rig.initialise();
            log_in(&mut rig);
            return finish(rig);
        }
        other => panic!("the store does not open: {other:?}"),
    };
    let found = cart_number(&cart);
    let (kept, sent) = promises.cart;
    assert!((kept..=sent).contains(&found), "cart {found}, acknowledged {kept}, sent {sent}");
    if let Some(most) = promises.tries {
        let left = tries_left(&mut rig);
        assert!(left <= most, "{left} tries are left, {most} were");
    }
    let unlocked = log_in(&mut rig);
    if let Some(draft) = &promises.draft {
        let shown = unlocked.draft.map(|draft| draft.form.family.reveal().clone());
        assert_eq!(shown.as_ref(), Some(draft), "the draft");
    }
    let patients = patients(&mut rig);
    for (family, must) in &promises.patients {
        let is_there = patients.contains(&patient(family));
        assert!(must.is_kept(is_there), "{family} is there: {is_there}, must: {must:?}");
    }
    rig.close();
    for (token, must) in &promises.tokens {
        let evidence = match token.0.as_str() {
            "card" => card(token.1),
            _ => badge_pin(token.1, PIN),
        };
        let opens = opens(&mut rig, evidence);
        assert!(must.is_kept(opens), "{token:?} opens: {opens}, must: {must:?}");
    }
    second_life(rig);
    let Some(phrase) = &promises.phrase else { return };
    content(dir, &RecoveryPhrase::new(phrase.clone()), promises);
}

fn tries_left(rig: &mut Rig) -> u8 {
    rig.send(Command::Identify(Attempt(9), Token::Badge(badge()), later()));
    let outcome = rig.next();
    let Outcome::Identified(_, identified) = outcome else { panic!("{outcome:?}") };
    match identified.admission {
        Admission::Try { tries_left } => tries_left,
        Admission::Exhausted => 0,
        Admission::Wait(left) => panic!("{left:?} to wait"),
    }
}

fn log_in(rig: &mut Rig) -> Box<Unlocked> {
    let unlocked = rig.show(it(), later()).unwrap_or_else(|refusal| panic!("IT: {refusal:?}"));
    imported(rig);
    unlocked
}

fn imported(rig: &mut Rig) {
    let outcome = rig.next();
    assert!(matches!(outcome, Outcome::Imported(_)), "{outcome:?}");
}

fn opens(rig: &mut Rig, evidence: Evidence) -> bool {
    let opened = rig.show(evidence, later()).is_ok();
    if opened {
        imported(rig);
        rig.close();
    }
    opened
}

fn patients(rig: &mut Rig) -> Vec<Patient> {
    rig.send(Command::ListPatients);
    let outcome = rig.next();
    let Outcome::Patients(patients) = outcome else { panic!("{outcome:?}") };
    patients
}

/// The store goes on: it records while locked and open, and finds nothing wrong by then.
fn second_life(mut rig: Rig) {
    rig.record(AFTERWARDS, 1..=2);
    log_in(&mut rig);
    rig.record(AFTERWARDS, 3..=4);
    finish(rig);
}

fn finish(rig: Rig) {
    assert_eq!(rig.lost, 0, "records were lost");
    assert!(rig.findings.is_empty(), "false alarm: {:?}", rig.findings);
    let rest = rig.stop();
    let is_bad = |outcome: &&Outcome| {
        matches!(outcome, Outcome::Fault(_) | Outcome::Lost(_) | Outcome::Findings(_))
    };
    assert!(!rest.iter().any(|outcome| is_bad(&outcome)), "{rest:?}");
}

/// Every acknowledged record is there once, no record twice, and each as it was made.
fn content(dir: &Path, phrase: &RecoveryPhrase, promises: &Promises) {
    let mut vault = contents(dir, phrase);
    waves(&mut vault, promises.waves);
    // Whatever was packed or summed of the rows is neither behind them nor before them.
    vault.check_trends().unwrap();
    let mut found: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for read in vault.observations().unwrap() {
        let record = read.record;
        assert!(read == observation(record.run, record.seq), "another value: {record:?}");
        found.entry(record.run).or_default().push(record.seq);
    }
    let mut expected = promises.records.clone();
    expected.insert(AFTERWARDS, (4, 4));
    for (run, (sent, kept)) in expected {
        let mut seqs = found.remove(&run).unwrap_or_default();
        seqs.sort_unstable();
        let all: Vec<u64> = (1..=seqs.len() as u64).collect();
        assert!(seqs == all, "run {run} has gaps or repetitions: {seqs:?}");
        let count = seqs.len() as u64;
        assert!((kept..=sent).contains(&count), "run {run}: {count} there, {kept} kept of {sent}");
    }
    assert!(found.is_empty(), "records that nobody made: {found:?}");
    let numbers: Vec<u64> = acts(&vault).iter().map(|(number, _)| *number).collect();
    let first = numbers.first().copied().unwrap_or(1);
    let all: Vec<u64> = (first..).take(numbers.len()).collect();
    assert_eq!(numbers, all, "the audit log has a gap");
    let told = acts(&vault).iter().filter(|(_, entry)| entry.act == told().act).count() as u64;
    assert!(told >= promises.audits, "{told} of {} audit entries", promises.audits);
}

fn waves(vault: &mut RecoveredVault, (sent, kept): (u64, u64)) {
    let first = wave(WAVES, 1);
    let time = (first.start - Duration::from_secs(60), first.start + Duration::from_secs(60));
    let found = vault.waves((first.subject.unwrap(), first.code), time).unwrap();
    let count = found.len() as u64;
    assert!((kept..=sent).contains(&count), "{count} waveforms there, {kept} kept of {sent}");
    let all = (1..=count).map(|seq| wave(WAVES, seq));
    assert!(found.into_iter().eq(all), "waveforms are missing, twice or others");
}
