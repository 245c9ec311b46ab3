//! What `wardkeepctl doctor` says of the store and of the place where it lies.

use std::path::PathBuf;

use crate::ctl::doctor::{Check, DirFault, StoreFacts, fails, works};
use wardkeep_model::keeping::{Cause, StoreFault, Unfit};

/// What a look at the store gave, or the fault with what the system said of it.
type Looked = Result<StoreFacts, (StoreFault, Option<Cause>)>;

pub(super) fn store(store: &Looked) -> Check {
    let name = "store";
    match store {
        Ok(StoreFacts { exists: false, cipher, .. }) => {
            works(name, format!("none yet, made at first start; {cipher}"))
        }
        Ok(StoreFacts { slots, inbox_bytes, cipher, .. }) => {
            let waits = format!("{inbox_bytes} bytes wait to be unlocked");
            works(name, format!("{slots} key slots, {waits}; {cipher}"))
        }
        Err((fault, said)) => {
            let (cause, remedy) = advice(*fault);
            let said = said.map(|said| format!(" ({said})")).unwrap_or_default();
            fails(name, format!("{fault}{said}"), cause, remedy)
        }
    }
}

fn advice(fault: StoreFault) -> (&'static str, &'static str) {
    match fault {
        StoreFault::InUse => {
            ("Another program holds the store.", "End it, or use another --state.")
        }
        StoreFault::ReadOnly => (
            "This account may not read or write there.",
            "Run as the kiosk's account, or correct the owner of the directory.",
        ),
        StoreFault::Foreign => (
            "The directory holds files of something else.",
            "Give the program a directory of its own.",
        ),
        StoreFault::Unfit(unfit) => unfit_place(unfit),
        StoreFault::WrongDeviceSecret => (
            "This store belongs to another cart, or this cart's secret was replaced.",
            "Put the device secret back, or run `wardkeepctl store aside` and `store restore`.",
        ),
        StoreFault::Damaged => (
            "Files were changed or lost.",
            "Keep a copy of the directory, then restore the last backup.",
        ),
        StoreFault::Later => (
            "A later program wrote the store.",
            "Install that program again, or a later one; nothing is lost.",
        ),
        StoreFault::Full => ("The disk is full.", "Make room; records wait in memory until then."),
        StoreFault::Io => (
            "The disk or its file system reports errors.",
            "Look into `dmesg`; replace the disk if it fails.",
        ),
        StoreFault::NoCipher => (
            "This program was built without SQLCipher.",
            "Install the packaged program, or build it with the feature `store`.",
        ),
    }
}

pub(super) fn state_directory((path, fault): &(PathBuf, Option<DirFault>)) -> Check {
    let name = "state-directory";
    let path = path.display().to_string();
    match fault {
        None => works(name, path),
        Some(DirFault::Missing) => fails(
            name,
            path,
            "The directory does not exist.",
            "The service makes it; by hand: `install -d -m 700 -o ACCOUNT DIRECTORY`.",
        ),
        Some(DirFault::NotADirectory) => fails(
            name,
            path,
            "Something that is not a directory has this name.",
            "Move it away, or use another --state.",
        ),
        Some(DirFault::ReadOnly) => fails(
            name,
            path,
            "This account may not write there, or the file system is read-only.",
            "Run as the kiosk's account, or correct the owner of the directory.",
        ),
        Some(DirFault::Unfit(unfit)) => {
            let (cause, remedy) = unfit_place(*unfit);
            fails(name, path, cause, remedy)
        }
        Some(DirFault::OpenToOthers) => fails(
            name,
            path,
            "Other accounts of this machine may look into the directory, or write there.",
            "Run `chmod 700` on it; the kiosk does it at its start, and reports what was open.",
        ),
    }
}

/// Why no store may lie in a place, and what to do.
fn unfit_place(unfit: Unfit) -> (&'static str, &'static str) {
    match unfit {
        Unfit::ForeignOwner => (
            "The directory, or something of the store in it, belongs to another account.",
            "Run as the kiosk's account, or give it all to that account (`chown -R`).",
        ),
        Unfit::OpenParent => (
            "Any account may exchange it: a directory above can be written by everybody.",
            "Take the right to write from others on the directories above (`chmod o-w`).",
        ),
        Unfit::Volatile => (
            "Its file system is in memory: a restart loses every record. The kiosk refuses it.",
            "Put it on a disk, or use another --state.",
        ),
        Unfit::Network => (
            "Its file system is on a network, where syncing and locks promise nothing. The kiosk refuses it.",
            "Put it on a disk of this machine, or use another --state.",
        ),
    }
}

pub(super) fn device_secret(store: &Looked) -> Check {
    let name = "device-secret";
    match store {
        Ok(StoreFacts { sealed_secret: true, .. }) => works(name, "full protection"),
        Ok(StoreFacts { sealed_secret: false, .. }) => fails(
            name,
            "reduced protection",
            "The device secret is a file beside the store, so a copied disk has it.",
            "Give it as an encrypted systemd credential named wardkeep-device-secret.",
        ),
        Err(_) => fails(
            name,
            "not known",
            "The store could not be looked at.",
            "See the line about the store.",
        ),
    }
}
