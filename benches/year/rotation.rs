//! A badge is revoked on a store of a year: how long the change of keys takes while recording goes on, how soon a
//! lock gets the vault back in the middle of it, and what the next session has left to do.

#![expect(clippy::wildcard_enum_match_arm, reason = "any other outcome is passed over")]

use std::time::{Duration, Instant};

use wardkeep_model::access::factor::Attempt;
use wardkeep_model::access::{OperatorId, Role};
use wardkeep_model::confidential::Phi;
use wardkeep_model::keeping::{Administered, Administration, Command, NewPerson, NewPin, Outcome};
use wardkeep_model::moment::Moment;

use crate::desk::{Desk, Waits, badge, pin};
use crate::length;
use crate::make::{self, Made};

/// Somewhere in the middle of the copy.
const LOCK_AT: f64 = 0.5;

pub fn measure(millions: u64) -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let made = Made::new(dir.path(), millions * 1_000_000, true)?;
    let mib = length(&made.dir.join("store/vault.db")) >> 20;
    let mut second = made.seqs + 10_000;

    let (mut desk, _) = Desk::start(made.options())?;
    desk.unlock()?;
    desk.ask_until_idle()?;
    let person = employ(&mut desk, 5)?;
    let (took, waits, sealed) = revoke(&mut desk, person, (&made, &mut second))?;
    println!(
        "revoke on {mib} MiB: {took:.1} s; meanwhile {sealed} values sealed, longest wait for an answer {} ms",
        waits.longest()
    );

    let person = employ(&mut desk, 6)?;
    let begun = Instant::now();
    desk.administer(Administration::RevokePerson(person));
    desk.until(|outcome| match outcome {
        Outcome::Rekeying(Some(now)) => now.done as f64 >= LOCK_AT * now.total as f64,
        _ => false,
    })?;
    let before = begun.elapsed().as_secs_f64();
    let lock = desk.lock()?;
    println!("locked {before:.1} s after a second revocation: lock {lock:.1} ms");
    let unlock = desk.unlock()?;
    let begun = Instant::now();
    desk.until(|outcome| matches!(outcome, Outcome::Rekeying(None)))?;
    println!(
        "the next session: unlock {unlock:.1} ms, the rest of the change {:.1} s",
        begun.elapsed().as_secs_f64()
    );
    desk.lock()?;
    desk.end()
}

/// A nurse with a badge.
fn employ(desk: &mut Desk, number: u8) -> anyhow::Result<OperatorId> {
    let new = NewPerson {
        name: Phi::new(format!("Nurse {number}")),
        initials: "NN".into(),
        role: Role::Nurse,
        valid_until: None,
    };
    let Administered::Added(person) = desk.administered(Administration::AddPerson(new, None))?
    else {
        anyhow::bail!("nobody was added")
    };
    let token = Administration::EnrolBadge(person, badge(number)?, NewPin::Chosen(pin()));
    desk.administered(token)?;
    Ok(person)
}

/// Three values every 50 ms, twenty times what a bed sends, and a question after each.
fn revoke(
    desk: &mut Desk,
    person: OperatorId,
    (made, second): (&Made, &mut u64),
) -> anyhow::Result<(f64, Waits, u64)> {
    let begun = Instant::now();
    let (mut waits, mut sealed) = (Waits::default(), 0);
    desk.administer(Administration::RevokePerson(person));
    loop {
        *second += 1;
        for one in make::second(*second, made.end_s + second.cast_signed()) {
            desk.send(&Command::Record(Box::new(one)));
            sealed += 1;
        }
        let (wait, is_done) = desk.ask_or_done()?;
        waits.add(wait);
        if is_done {
            return Ok((begun.elapsed().as_secs_f64(), waits, sealed));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

impl Desk {
    /// Asks something of the open vault, and does not wait for it.
    fn administer(&self, what: Administration) {
        self.send(&Command::Administer(Attempt(3), Box::new(what), Moment::read()));
    }

    fn administered(&mut self, what: Administration) -> anyhow::Result<Administered> {
        self.administer(what);
        match self.until(|outcome| matches!(outcome, Outcome::Administered(..)))? {
            Outcome::Administered(_, Ok(done)) => Ok(done),
            other => anyhow::bail!("{other:?}"),
        }
    }

    /// Asks what touches no vault; how long it took in milliseconds, and whether the revocation is done.
    fn ask_or_done(&mut self) -> anyhow::Result<(f64, bool)> {
        let begun = Instant::now();
        self.ask_identify()?;
        let mut is_done = false;
        loop {
            match self.until(|_| true)? {
                Outcome::Administered(_, done) => is_done = done.map(|_| true)?,
                Outcome::Identified(..) => {
                    return Ok((crate::milliseconds(begun.elapsed()), is_done));
                }
                _ => {}
            }
        }
    }
}
