//! Reads everything that a store shows, as people and the kiosk do, and then with the recovery words.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use kit::store::desk::*;
use kit::store::*;
use wardkeep_model::access::factor::Attempt;
use wardkeep_model::access::factor::{Evidence, Token};
use wardkeep_model::access::lockout::Admission;
use wardkeep_model::keeping::emergency::EmergencyReason;
use wardkeep_model::keeping::{
    Administered, Administration, AuditAct, AuditEntry, Command, Found, Outcome, PersonRow,
    RecoveryPhrase, TrendQuery,
};
use wardkeep_model::moment::Moment;
use wardkeep_model::vitals::nomenclature::{HEART_RATE, Unit};
use wardkeep_store::open_with_recovery;

/// Seconds of the reading, after everything that was recorded.
const READS_AT: u64 = 1_000_000;

/// What was read, by the name of each piece, and everything that was said to be wrong meanwhile.
///
/// A name that begins with `~` is of something that is made from many records: where some of them are
/// reported as gone, it is another.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    pub facts: BTreeMap<String, String>,
    pub alarms: Vec<String>,
}

impl Seen {
    fn fact(&mut self, name: impl Into<String>, value: &impl Serialize) {
        self.text(name, serde_json::to_string(value).unwrap());
    }

    fn text(&mut self, name: impl Into<String>, text: String) {
        let name = name.into();
        let again = (1..).map(|number| format!("{name} #{number}"));
        let name = again.into_iter().find(|name| !self.facts.contains_key(name)).unwrap();
        self.facts.insert(name, text);
    }

    /// Pieces that are not what they were, or that were not there.
    pub fn wrong<'a>(&'a self, before: &'a Seen) -> Vec<&'a String> {
        let is_wrong = |(name, value): &(&String, &String)| {
            let is_sum = name.starts_with('~') && !self.alarms.is_empty();
            !is_sum && before.facts.get(*name) != Some(value)
        };
        self.facts.iter().filter(is_wrong).map(|(name, _)| name).collect()
    }

    /// Pieces that are gone.
    pub fn gone<'a>(&self, before: &'a Seen) -> Vec<&'a String> {
        before.facts.keys().filter(|name| !self.facts.contains_key(*name)).collect()
    }
}

/// Far after every delay that a login brings, and the same in every reading.
fn later() -> Moment {
    at(READS_AT)
}

/// Reads the store of this directory, with the badges of these people.
pub fn read(dir: &Path, phrase: &RecoveryPhrase) -> Seen {
    let mut seen = Seen::default();
    let (mut rig, first) = Rig::start(options(dir));
    match first {
        Outcome::Found(Found::Store(cart)) => {
            seen.fact("cart", &*cart);
            as_kiosk(&mut rig, &mut seen);
        }
        other => seen.alarms.push(format!("{other:?}")),
    }
    let findings: Vec<String> = rig.findings.iter().map(|found| format!("{found:?}")).collect();
    seen.alarms.extend(findings);
    if rig.lost > 0 {
        seen.alarms.push(format!("{} lost", rig.lost));
    }
    for outcome in rig.stop() {
        match outcome {
            Outcome::Fault(_) | Outcome::Lost(_) | Outcome::Findings(_) => {
                seen.alarms.push(format!("{outcome:?}"));
            }
            _ => {}
        }
    }
    with_recovery_words(dir, phrase, &mut seen);
    seen
}

fn as_kiosk(rig: &mut Rig, seen: &mut Seen) {
    rig.send(Command::Identify(Attempt(9), Token::Badge(badge()), later()));
    match rig.next() {
        Outcome::Identified(_, identified) => match identified.admission {
            Admission::Try { tries_left } => seen.fact("tries left", &tries_left),
            other => seen.alarms.push(format!("{other:?}")),
        },
        other => return seen.alarms.push(format!("{other:?}")),
    }
    let reason = EmergencyReason::LifeThreatening;
    // A role with patients: IT has no emergency view.
    let nurse = Token::Badge(nth_badge(2));
    rig.send(Command::OpenEmergency(Attempt(9), nurse, reason, later()));
    match rig.next() {
        Outcome::Emergency(_, Ok(card)) => seen.fact("emergency card", &*card),
        other => seen.alarms.push(format!("{other:?}")),
    }
    for (name, evidence) in [("it", it()), ("nurse", badge_pin(2, PIN))] {
        if let Err(alarm) = as_person(rig, seen, (name, evidence)) {
            // The same fault is not told twice: nothing more is waited for.
            return seen.alarms.push(format!("{name}: {alarm:?}"));
        }
    }
}

fn as_person(
    rig: &mut Rig,
    seen: &mut Seen,
    (name, evidence): (&str, Evidence),
) -> Result<(), Outcome> {
    rig.send(Command::Unlock(Attempt(9), evidence, later()));
    let unlocked = match rig.next() {
        Outcome::Unlocked(_, unlocked) => unlocked,
        other => return Err(other),
    };
    seen.text(format!("operator {name}"), format!("{:?}", unlocked.operator));
    if let Some(patient) = &unlocked.patient {
        seen.fact(format!("patient at the bed for {name}"), patient);
    }
    if let Some(draft) = &unlocked.draft {
        seen.fact(format!("draft of {name}"), &draft.form);
    }
    match rig.next() {
        Outcome::Imported(import) => seen.fact(format!("~imported {name}"), &import.imported),
        other => return Err(other),
    }
    if name == "it" {
        let list = Box::new(Administration::ListPeople);
        rig.send(Command::Administer(Attempt(9), list, later()));
        match rig.next() {
            Outcome::Administered(_, Ok(Administered::People(people))) => {
                people.iter().for_each(|person| seen.person(person));
            }
            other => return Err(other),
        }
        rig.send(Command::Trend(trend()));
        match rig.next() {
            Outcome::Trend(_, trend) => seen.text("~trend", format!("{trend:?}")),
            other => return Err(other),
        }
    }
    rig.send(Command::Close(None, later()));
    match rig.next() {
        Outcome::Closed => Ok(()),
        other => Err(other),
    }
}

impl Seen {
    fn person(&mut self, person: &PersonRow) {
        let text = format!("{} {person:?}", person.name.reveal());
        self.text(format!("person {:?}", person.id), text);
    }
}

/// All records that were ever made.
fn trend() -> TrendQuery {
    let made = observation(1, 0).effective;
    TrendQuery {
        subject: observation(1, 1).subject.unwrap(),
        code: HEART_RATE,
        unit: Unit::PerMinute,
        since: made - Duration::from_secs(1),
        until: made + Duration::from_secs(1),
        columns: 8,
    }
}

fn with_recovery_words(dir: &Path, phrase: &RecoveryPhrase, seen: &mut Seen) {
    let vault = match open_with_recovery(&options(dir), phrase) {
        Ok(Some(vault)) => vault,
        Ok(None) => return seen.alarms.push("the recovery words do not fit".into()),
        Err(fault) => return seen.alarms.push(format!("recovery: {fault}")),
    };
    match vault.patients() {
        Ok(patients) => patients.iter().for_each(|patient| seen.fact("patient", patient)),
        Err(fault) => seen.alarms.push(format!("patients: {fault}")),
    }
    match vault.observations() {
        Ok(observations) => observations.iter().for_each(|observation| {
            seen.fact(format!("observation {:?}", observation.record), observation);
        }),
        Err(fault) => seen.alarms.push(format!("observations: {fault}")),
    }
    match vault.audit() {
        Ok(entries) => audit(&entries, seen),
        Err(fault) => seen.alarms.push(format!("audit: {fault}")),
    }
}

/// What was found wrong is said in the log too, which moves what comes after it.
fn audit(entries: &[(u64, AuditEntry)], seen: &mut Seen) {
    let is_finding = |entry: &AuditEntry| entry.act == AuditAct::StoreFinding;
    let mut order = String::new();
    for (number, entry) in entries.iter().filter(|(_, entry)| !is_finding(entry)) {
        let mut entry = entry.clone();
        // What the reading did depends on what it could do.
        let shown = [AuditAct::ChartOpened, AuditAct::TrendRead].contains(&entry.act);
        let is_readings = entry.at >= at(READS_AT / 2).wall || shown;
        if is_readings {
            entry = AuditEntry { at: Timestamp::UNIX_EPOCH, since_boot: None, ..entry };
        }
        let text = serde_json::to_string(&entry).unwrap();
        order.push_str(&format!("{number} {text}\n"));
        if !is_readings {
            seen.text(format!("audit {text}"), String::new());
        }
    }
    seen.text("~audit", order);
}
