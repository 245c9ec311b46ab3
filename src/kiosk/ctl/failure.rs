//! Why a verb that works on the store did nothing, as a sentence with the next step; and how it ends.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::Value as Json;

use crate::ctl::terminal;
use crate::text::FileError;
use wardkeep_hardware::ble::ReportFault;
use wardkeep_model::keeping::{AdministrationFault, Cause, StoreFault, Unfit};
use wardkeep_store::{AcceptFault, BackupFault, CheckFault, SalvageFault};

const IN_USE: &str = "The kiosk on this cart is running and holds the store. Stop it first \
                      (systemctl stop wardkeep), or do this at its screen.";

/// What was done, as JSON.
pub struct Answer {
    /// For standard output.
    pub json: Json,
    /// Nothing was left undone, and nothing was found wrong.
    pub whole: bool,
}

impl From<Json> for Answer {
    fn from(json: Json) -> Self {
        Self { json, whole: true }
    }
}

/// Prints the answer or says why there is none. Exit code 0 when everything was done, 1 when not.
pub fn end(done: Result<Answer, Failure>) -> ExitCode {
    match done {
        Ok(Answer { json, whole }) => {
            let printed = terminal::print(&format!("{json}\n"));
            if whole { printed } else { ExitCode::FAILURE }
        }
        Err(failure) => {
            terminal::complain(&failure.to_string());
            ExitCode::FAILURE
        }
    }
}

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Standard input ended, or is not what was asked for.
    #[error(transparent)]
    Input(#[from] terminal::InputError),
    /// The settings were not read.
    #[error("{} cannot be read: {}. Correct it, or name another file with --config.", .0.display(), .1)]
    Settings(PathBuf, String),
    /// A file cannot be read.
    #[error("{} cannot be read: {}.", .0.display(), .1)]
    File(PathBuf, FileError),
    /// A file cannot be made or written to.
    #[error("{} cannot be written: {}.", .0.display(), .1)]
    Unwritable(PathBuf, io::Error),
    /// There is no store.
    #[error("There is no store in {}. Start the kiosk once and follow its first steps.", .0.display())]
    NoStore(PathBuf),
    /// The store cannot be used.
    #[error("{}", store_sentence(*.0))]
    Store(#[from] StoreFault),
    /// The backup was not written or not read.
    #[error("{}", backup_sentence(*.0))]
    Backup(#[from] BackupFault),
    /// Nothing was salvaged.
    #[error("{}", salvage_sentence(*.0))]
    Salvage(#[from] SalvageFault),
    /// The store did not do it.
    #[error("{}", administration_sentence(*.0))]
    NotDone(#[from] AdministrationFault),
    /// A device does not tell what it offers.
    #[error("There is no report: {0}.")]
    NoReport(#[from] ReportFault),
    /// The machine gives no threads.
    #[error("This machine does not let the command run: {0}.")]
    NoRuntime(io::Error),
    /// Other words.
    #[error("These are not the recovery words of this store.")]
    Words,
    /// No such person.
    #[error("Nobody here is called {0}. `wardkeepctl users list` shows everybody.")]
    Nobody(String),
    /// Several such people.
    #[error("More than one person is called {0}. Use the identity that `users list` shows.")]
    Several(String),
    /// What was typed to confirm it differs.
    #[error("Not confirmed. Nothing was done.")]
    NotConfirmed,
    /// The person may not do this.
    #[error("Your role does not allow it.")]
    NotAllowed,
    /// An answer to another question.
    #[error("The store answered something else.")]
    Unexpected,
    /// A reader failed, or nothing was presented.
    #[error(transparent)]
    Reader(#[from] crate::ctl::factors::readers::ReaderError),
    /// The store could not be started.
    #[error("The store does not start: {0}.")]
    Start(io::Error),
    /// It did not answer.
    #[error("The store did not answer.")]
    Silent,
    /// The factors were refused.
    #[error("{0}")]
    Refused(&'static str),
    /// What IT gave cannot be used.
    #[error(transparent)]
    People(#[from] crate::ctl::people::error::PeopleError),
}

impl From<AcceptFault> for Failure {
    fn from(fault: AcceptFault) -> Self {
        match fault {
            AcceptFault::Words => Failure::Words,
            AcceptFault::NotAllowed => Failure::NotAllowed,
            AcceptFault::Store(fault) => Failure::Store(fault),
        }
    }
}

impl From<CheckFault> for Failure {
    fn from(fault: CheckFault) -> Self {
        match fault {
            CheckFault::Words => Failure::Words,
            CheckFault::Store(fault) => Failure::Store(fault),
            CheckFault::Refused(refusal) => crate::ctl::factors::refused(refusal),
            CheckFault::NotAllowed => Failure::NotAllowed,
        }
    }
}

fn store_sentence(fault: StoreFault) -> String {
    match fault {
        StoreFault::InUse => IN_USE.to_owned(),
        StoreFault::Full => "The disk is full. Make room and try again.".to_owned(),
        StoreFault::Damaged => "The store is damaged. `wardkeepctl store check --recovery` says \
                                where; `store aside` and `store restore` replace it."
            .to_owned(),
        StoreFault::Later => {
            "A later program wrote this store. Install that program again; nothing is \
                              lost."
                .to_owned()
        }
        StoreFault::WrongDeviceSecret => "This store belongs to another cart, or this cart's secret was \
                                          replaced. Put the device secret back, or restore the last \
                                          backup with the recovery words (`store aside`, then `store \
                                          restore`)."
            .to_owned(),
        StoreFault::Unfit(Unfit::ForeignOwner) => "The state directory, or something in it, belongs to \
                                                   another account. Do this as the kiosk's account \
                                                   (`sudo -u ACCOUNT wardkeepctl ..`), or give it to \
                                                   that account (`chown -R`)."
            .to_owned(),
        StoreFault::Unfit(Unfit::OpenParent) => "Any account could exchange the state directory. Take \
                                                 the right to write from others on the directories \
                                                 above it (`chmod o-w`)."
            .to_owned(),
        StoreFault::ReadOnly
        | StoreFault::Foreign
        | StoreFault::Unfit(Unfit::Volatile | Unfit::Network)
        | StoreFault::Io
        | StoreFault::NoCipher => match Cause::take() {
            Some(cause) => format!("The store cannot be used: {fault} ({cause})."),
            None => format!("The store cannot be used: {fault}."),
        },
    }
}

fn salvage_sentence(fault: SalvageFault) -> String {
    match fault {
        SalvageFault::NoSource => {
            "There is no store in what --from names: give a state directory, or \
                                   a store that was set aside in one (damaged-DAY-N)."
                .to_owned()
        }
        SalvageFault::Words => Failure::Words.to_string(),
        SalvageFault::NoKeyring => {
            "Neither copy of the keyring can be read, so nothing of this store \
                                    opens any more. Restore the last backup."
                .to_owned()
        }
        SalvageFault::StoreExists => {
            "There is a store in --out already. Name another directory, or \
                                      move it out of the way with `wardkeepctl store aside`."
                .to_owned()
        }
        SalvageFault::Store(fault) => store_sentence(fault),
    }
}

fn backup_sentence(fault: BackupFault) -> String {
    match fault {
        BackupFault::Store(fault) => store_sentence(fault),
        BackupFault::StoreExists => "There is a store already. `wardkeepctl store aside` moves it \
                                     out of the way."
            .to_owned(),
        BackupFault::NotForYou => {
            "These are not the recovery words that this backup is sealed to.".to_owned()
        }
        BackupFault::Foreign
        | BackupFault::Version(_)
        | BackupFault::Damaged
        | BackupFault::Exists => format!("Nothing was written: {fault}."),
    }
}

fn administration_sentence(fault: AdministrationFault) -> String {
    if let AdministrationFault::Store(fault) = fault {
        return store_sentence(fault);
    }
    format!("It was not done: {fault}.")
}
