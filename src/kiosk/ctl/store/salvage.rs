//! `wardkeepctl store salvage`: a new store of whatever can be read of a damaged one. As after a restore nobody's
//! factors are known there, so it asks for the recovery words always and has no option for it.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value as Json, json};

use crate::ctl::access::{identity, recovery_words};
use crate::ctl::failure::{Answer, Failure};
use crate::ctl::progress::Progress;
use crate::ctl::terminal;
use wardkeep_model::access::Role;
use wardkeep_model::moment::Moment;
use wardkeep_store::{self as store, Options, RestoredPerson, Salvaged, Waiting};

/// Lines below the help.
pub const EXAMPLES: &str = "\
Examples:
  wardkeepctl store salvage --from /var/lib/wardkeep --out /srv/salvaged
  wardkeepctl store salvage --from /var/lib/wardkeep/damaged-2027-03-01-1 --out /var/lib/wardkeep

The source is only read. What could not be read is listed on standard output.
Exit status: 0 everything was read, 1 something is gone or nothing was done.";

/// Of what, and where to.
#[derive(Args, Clone, Debug)]
pub struct Salvage {
    /// The damaged store: its state directory, or a store that was set aside
    #[arg(long, value_name = "DIR")]
    from: PathBuf,
    /// The state directory of the new store; there is no store in it yet
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

impl Salvage {
    pub(super) fn run(self) -> Result<Answer, Failure> {
        let options = Options::new(&self.out).on_any_disk();
        let words = recovery_words()?;
        let mut told = Progress::begin("Reading what can be read");
        let mut progress = |read: u32, pages: u32| {
            let percent = u64::from(read) * 100 / u64::from(pages.max(1));
            told.tell(|| format!("{} %.", percent.min(100)));
        };
        let from = (self.from.as_path(), Moment::read());
        let done = store::salvage_with_recovery(&options, &words, from, &mut progress)?;
        say(&done);
        Ok(Answer { whole: done.is_whole(), json: answer(&done) })
    }
}

fn say(done: &Salvaged) {
    let lost: u64 = done.rows.tables.iter().map(|table| table.lost + table.unopened).sum();
    let (damaged, pages) = (done.rows.pages.len(), done.rows.page_count);
    let mut said = vec![format!("{damaged} of {pages} pages were damaged; {lost} rows are gone.")];
    if !done.rows.log_is_whole {
        said.push(
            "The audit log is not whole: lines that are gone are marked, and it is signed anew."
                .into(),
        );
    }
    if !done.cart_is_there {
        said.push("Who may do what and which devices were known is gone: add people anew.".into());
    }
    if let Some(fault) = done.waiting.fault {
        let bytes = done.waiting.unread_bytes;
        said.push(format!("What waited to be unlocked was not read ({bytes} bytes): {fault}."));
    }
    said.push(format!("Nobody has a badge there yet. Next: {}", next(&done.people)));
    said.iter().for_each(|line| terminal::complain(line));
}

fn next(people: &[RestoredPerson]) -> String {
    match people.iter().find(|person| person.part.role == Role::It) {
        Some(it) => format!("wardkeepctl enroll \"{}\" badge --recovery", it.name.reveal()),
        None => "wardkeepctl users add NAME it --recovery".to_owned(),
    }
}

fn answer(done: &Salvaged) -> Json {
    let Waiting { imported, findings, unread_bytes, fault } = &done.waiting;
    let person = |person: &RestoredPerson| {
        json!({
            "id": identity(person.part.id),
            "name": person.name.reveal(),
            "initials": person.part.initials,
            "role": person.part.role,
        })
    };
    json!({
        "salvaged": {
            "of": format!("{:032x}", u128::from_be_bytes(done.device)),
            "whole": done.is_whole(),
            "pages": done.rows.page_count,
            "damaged_pages": done.rows.pages,
            "tables": done.rows.tables,
            "audit_log_whole": done.rows.log_is_whole,
            "waiting": {
                "imported": imported,
                "findings": findings.iter().map(store::finding_sentence).collect::<Vec<_>>(),
                "unread_bytes": unread_bytes,
                "problem": fault.map(|fault| fault.to_string()),
            },
            "people": done.people.iter().map(person).collect::<Vec<_>>(),
            "people_without_role": done.people_unknown,
            "cart": done.cart_is_there,
        },
        "next": next(&done.people),
    })
}
