//! `wardkeepctl store shred`: destroys the data key of one patient.

use std::path::{Path, PathBuf};

use clap::Args;
use jiff::Timestamp;
use serde_json::{Value as Json, json};

use crate::ctl::access::{self, Access};
use crate::ctl::args::{Entrance, Places};
use crate::ctl::failure::{Answer, Failure};
use crate::ctl::{progress, terminal};
use wardkeep_model::confidential::Phi;
use wardkeep_model::encounter::SubjectId;
use wardkeep_model::keeping::{
    Administered, Administration, AdministrationFault, AuditAct, AuditResult, AuditRow,
};
use wardkeep_model::moment::Moment;
use wardkeep_store::{self as store, Remains, Shredded};

/// Entries of the audit log, the newest first, that are searched for backups.
const ENTRIES_MAX: u32 = 200_000;

/// Lines below the help.
pub const EXAMPLES: &str = "\
Examples:
  wardkeepctl store shred --mrn 4711-0815
  wardkeepctl store shred --mrn 4711-0815 --recovery

The number is asked for again. With --recovery stores that were set aside here lose the patient too. What remains
elsewhere is said.";

/// Whose.
#[derive(Args, Clone, Debug)]
pub struct Shred {
    /// The patient's number
    #[arg(long, value_name = "NUMBER", value_parser = number)]
    mrn: Phi<String>,
    #[command(flatten)]
    entrance: Entrance,
    #[command(flatten)]
    places: Places,
}

fn number(text: &str) -> Result<Phi<String>, &'static str> {
    if text.trim().is_empty() { Err("is a number") } else { Ok(Phi::new(text.to_owned())) }
}

impl Shred {
    pub(super) fn run(self) -> Result<Answer, Failure> {
        let state = self.places.state();
        // Before the number is asked for: there may be nothing to destroy.
        if !store::inspect(&state)?.exists {
            return Err(Failure::NoStore(state));
        }
        confirm(&self.mrn)?;
        let (done, backups, aside) =
            access::with(&self.places, self.entrance, |access| self.destroy(access))?;
        let left = store::remains(&state)?;
        let told = Told { backups: &backups, aside: aside.as_deref(), left: &left };
        told.sentences().iter().for_each(|line| terminal::complain(line));
        let shredded = done.map(|subject| format!("{:032x}", subject.0));
        Ok(json!({ "shredded": shredded, "remains": told.json() }).into())
    }

    /// In the store, and where the recovery words open them in those that were set aside.
    fn destroy(&self, access: &mut Access) -> Result<Destroyed, Failure> {
        let done = progress::lasting("Destroying the patient's key", || {
            access.administer(Administration::Shred(self.mrn.clone()))
        });
        let aside = match access {
            Access::Words(words) => {
                let (phrase, options, _) = words.as_ref();
                Some(store::shred_set_aside(options, phrase, &self.mrn, Moment::read())?)
            }
            Access::Factors(_) => None,
        };
        let was_aside = aside
            .iter()
            .flatten()
            .any(|(_, done)| matches!(done, Shredded::Done | Shredded::ButWaiting(_)));
        let done = match done {
            Ok(Administered::Shredded(subject)) => Some(subject),
            Ok(_) => return Err(Failure::Unexpected),
            // Destroyed before, while the store that was set aside still had them.
            Err(Failure::NotDone(AdministrationFault::NoPatient)) if was_aside => None,
            Err(failure) => return Err(failure),
        };
        let Administered::Audit(rows) =
            access.administer(Administration::ReadAudit(ENTRIES_MAX))?
        else {
            return Err(Failure::Unexpected);
        };
        let is_backup = |row: &&AuditRow| {
            row.entry.act == AuditAct::BackupWritten && row.entry.result == AuditResult::Done
        };
        let backups = rows.iter().filter(is_backup).map(|row| row.entry.at).collect();
        Ok((done, backups, aside))
    }
}

/// The patient, when backups were written, and what became of the stores that were set aside.
type Destroyed = (Option<SubjectId>, Vec<Timestamp>, Option<Vec<(PathBuf, Shredded)>>);

/// What is said of what remains.
struct Told<'a> {
    backups: &'a [Timestamp],
    /// None where nobody tried: two factors open the live store alone.
    aside: Option<&'a [(PathBuf, Shredded)]>,
    left: &'a Remains,
}

impl Told<'_> {
    fn sentences(&self) -> Vec<String> {
        let mut said = Vec::new();
        match self.backups {
            [] => said.push("The audit log knows of no backup that was written here.".to_owned()),
            [newest, ..] => said.push(format!(
                "{} backups were written here, the last one at {}. Each may still hold this patient: destroy them.",
                self.backups.len(),
                newest.strftime("%F %T UTC")
            )),
        }
        match self.aside {
            Some(aside) => said.extend(aside.iter().map(|(place, done)| aside_sentence(place, *done))),
            None => said.extend(self.left.set_aside.iter().map(|place| {
                format!(
                    "{} may still hold this patient: run `wardkeepctl store shred` with --recovery, or \
                     destroy it.",
                    place.display()
                )
            })),
        }
        for (count, what) in [
            (self.left.damaged_files, "damaged files lie in `damaged/`"),
            (
                self.left.evidence,
                "segments with something forged in them lie in the inbox (`.bad`)",
            ),
            (self.left.older_logs, "older logs of the vault lie beside it (`-wal.older`)"),
        ] {
            if count > 0 {
                said.push(format!("{count} {what} and may still hold something of this patient."));
            }
        }
        said.push(
            "Copies that others made of this disk, exports and printouts are known to nobody here."
                .to_owned(),
        );
        said
    }

    fn json(&self) -> Json {
        let aside: Vec<Json> = match self.aside {
            Some(aside) => aside
                .iter()
                .map(|(place, done)| json!({ "place": place, "patient": word(*done) }))
                .collect(),
            None => self
                .left
                .set_aside
                .iter()
                .map(|place| json!({ "place": place, "patient": "not-tried" }))
                .collect(),
        };
        json!({
            "backups": self.backups.iter().map(Timestamp::to_string).collect::<Vec<_>>(),
            "set_aside": aside,
            "damaged_files": self.left.damaged_files,
            "evidence": self.left.evidence,
            "older_logs": self.left.older_logs,
        })
    }
}

fn word(done: Shredded) -> &'static str {
    match done {
        Shredded::Done => "destroyed",
        Shredded::ButWaiting(_) => "destroyed-but-what-waited",
        Shredded::NotThere => "not-there",
        Shredded::Several => "several",
        Shredded::OtherWords => "other-words",
        Shredded::NotOpened(_) => "not-opened",
    }
}

fn aside_sentence(place: &Path, done: Shredded) -> String {
    let place = place.display();
    match done {
        Shredded::Done => format!("{place}: destroyed there too."),
        Shredded::ButWaiting(bytes) => format!(
            "{place}: destroyed there too, but {bytes} bytes that waited to be unlocked could not be read and may \
             hold this patient. Destroy the directory."
        ),
        Shredded::NotThere => format!("{place}: this patient is not in it."),
        Shredded::Several => format!(
            "{place}: more than one patient has this number there; nothing was destroyed. Destroy the directory."
        ),
        Shredded::OtherWords => format!(
            "{place}: other recovery words open it, and it may hold this patient. Run this verb with those, or \
             destroy the directory."
        ),
        Shredded::NotOpened(fault) => format!(
            "{place}: it does not open ({fault}) and may hold this patient. Salvage what is needed of it, then \
             destroy the directory."
        ),
    }
}

/// The patient's number once more: a slip of a finger must not destroy another one.
fn confirm(mrn: &Phi<String>) -> Result<(), Failure> {
    terminal::complain(
        "Everything that was recorded of this patient on this cart will be unreadable for ever.",
    );
    if terminal::typed("Type the patient's number again: ")? == mrn.reveal().trim() {
        Ok(())
    } else {
        Err(Failure::NotConfirmed)
    }
}
