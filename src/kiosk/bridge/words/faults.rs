//! What is said while the store cannot be used: what is wrong, what to do, and what IT has to do.

use slint::SharedString;

use wardkeep_model::keeping::{StoreFault, Unfit};

use crate::bridge::words::{Said, Sentence, Words, tr};

/// What is wrong with the store, and what to do at the bed.
pub(in crate::bridge) fn fault(words: &Words, fault: StoreFault) -> Said {
    let (fact, advice, _) = sentences(fault);
    Said { fact: words.say(fact), advice: words.say(advice) }
}

/// What IT has to do; for whoever knows the command line.
pub(in crate::bridge) fn remedy(words: &Words, fault: StoreFault) -> SharedString {
    let (_, _, remedy) = sentences(fault);
    words.say(remedy)
}

fn sentences(fault: StoreFault) -> (Sentence, Sentence, Sentence) {
    match fault {
        StoreFault::InUse => (
            tr("Wardkeep is already running on this cart."),
            tr("Use the other window, or restart the cart."),
            tr("IT: end the other one, or restart the cart."),
        ),
        StoreFault::ReadOnly => (
            tr("The disk of this cart cannot be written."),
            tr("Use another cart and call IT."),
            tr("IT: let the kiosk's account write its data folder."),
        ),
        StoreFault::Foreign => (
            tr("The data folder belongs to another program."),
            tr("Call IT: another folder has to be chosen."),
            tr(
                "IT: run `wardkeepctl store check`, then `store aside`, or give the kiosk a folder of its own.",
            ),
        ),
        StoreFault::WrongDeviceSecret => (
            tr("This store belongs to another cart, or this cart's secret was replaced."),
            tr("Use another cart and call IT: the cart needs its own secret or a backup."),
            tr("IT: put the cart's device secret back, or run `wardkeepctl store restore`."),
        ),
        StoreFault::Unfit(unfit) => place(unfit),
        StoreFault::Damaged => (
            tr("The cart's records cannot be opened: they are damaged."),
            tr("Use another cart and call IT: there may be a backup."),
            tr("IT: run `wardkeepctl store check`, then `store restore` or `store aside`."),
        ),
        StoreFault::Later => (
            tr("A newer program wrote the records of this cart."),
            tr("Use another cart and call IT: the newer program has to come back."),
            tr("IT: install the newer program again. Nothing is lost."),
        ),
        StoreFault::Full => (
            tr("The disk of this cart is full."),
            tr("Use another cart and call IT to free space."),
            tr("IT: free space on the disk. The cart goes on by itself."),
        ),
        StoreFault::Io => (
            tr("The disk of this cart does not answer."),
            tr("Use another cart and call IT."),
            tr("IT: check the disk, then run `wardkeepctl store check`."),
        ),
        StoreFault::NoCipher => (
            tr("This program was built without encryption."),
            tr("Call IT: the full program has to be installed."),
            tr("IT: install the full program."),
        ),
    }
}

/// No store may lie in this place.
fn place(unfit: Unfit) -> (Sentence, Sentence, Sentence) {
    let advice = tr("Use another cart and call IT.");
    match unfit {
        Unfit::ForeignOwner => (
            tr("The data folder of this cart belongs to another account."),
            advice,
            tr("IT: give the folder and all in it to the kiosk's account (`chown -R`)."),
        ),
        Unfit::OpenParent => (
            tr("Any program on this cart could exchange its data folder."),
            advice,
            tr("IT: take the right to write from others on the folders above (`chmod o-w`)."),
        ),
        Unfit::Volatile => (
            tr("The data folder of this cart is in memory: a restart would lose everything."),
            advice,
            tr("IT: put the data folder on a disk, or name another one with `--state`."),
        ),
        Unfit::Network => (
            tr("The data folder of this cart is on a network: records could be lost unseen."),
            advice,
            tr(
                "IT: put the data folder on a disk of the cart, or name another one with `--state`.",
            ),
        ),
    }
}
