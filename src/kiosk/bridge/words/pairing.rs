//! What is said while a device is paired: what to do now, and why it did not work.

use slint::SharedString;

use wardkeep_core::kiosk::view::pairing::PairingStage;
use wardkeep_model::ports::PairingFault;

use crate::bridge::words::{Said, Words, tr};

/// What to do now.
pub(in crate::bridge) fn stage(words: &Words, stage: &PairingStage) -> Said {
    let (fact, advice) = match stage {
        PairingStage::Waiting => (
            tr("Make the device ready to be paired"),
            tr("Hold its Bluetooth button until the sign flashes, and keep it beside this cart."),
        ),
        PairingStage::Compare(_) => (
            tr("Does the device show the same six digits?"),
            tr("Not sure, or no number there? Choose No. Nothing is paired then."),
        ),
        PairingStage::Show(..) => (
            tr("Type this number on the device"),
            tr("It is taken as soon as the sixth digit is typed."),
        ),
        PairingStage::Type { is_sent: true, .. } => {
            (tr("The number is being tried"), tr("Keep the device beside this cart."))
        }
        PairingStage::Type { tries_left: Some(1), .. } => (
            tr("Type the six digits that the device shows"),
            tr("The last number was wrong; the device shows a new one. One try is left."),
        ),
        PairingStage::Type { tries_left: Some(_), .. } => (
            tr("Type the six digits that the device shows"),
            tr("The last number was wrong; the device shows a new one."),
        ),
        PairingStage::Type { tries_left: None, .. } => (
            tr("Type the six digits that the device shows"),
            tr("No number? Press its button once."),
        ),
        PairingStage::Done => (
            tr("The device is paired with this cart."),
            tr("Its readings come over an encrypted link from now on."),
        ),
        PairingStage::Failed(fault) => return failed(words, *fault),
    };
    Said { fact: words.say(fact), advice: words.say(advice) }
}

/// Why it did not work, and the next step.
pub(in crate::bridge) fn failed(words: &Words, fault: PairingFault) -> Said {
    let (fact, advice) = match fault {
        PairingFault::WrongPasskey => (
            tr("That was not the number that the device shows."),
            tr("Try again: the device shows a new number."),
        ),
        PairingFault::NumbersDiffer => (
            tr("You said that the numbers differ: nothing was paired."),
            tr("Another device may have answered. Hold yours beside the cart and try again."),
        ),
        PairingFault::AuthenticationFailed => (
            tr("The device and this cart could not agree on keys."),
            tr("Switch the device off and on, then try again."),
        ),
        PairingFault::Rejected => (
            tr("The device refused."),
            tr("Make it ready to be paired (its manual says how), then try again."),
        ),
        PairingFault::Left => (
            tr("The connection to the device ended before it was paired."),
            tr("Keep it switched on beside this cart, then try again."),
        ),
        PairingFault::BondedElsewhere => (
            tr("The device refused at once: it may be paired with something else."),
            tr("Remove it there, or reset the device as its manual says, then try again."),
        ),
        PairingFault::TimedOut => (
            tr("Nobody answered within a minute."),
            tr("Make the device ready first, then try again."),
        ),
        PairingFault::OutOfReach => (
            tr("The device was not heard."),
            tr("Switch it on and hold it beside this cart, then try again."),
        ),
        PairingFault::AdapterBusy => {
            (tr("Bluetooth is busy with another device."), tr("Wait a moment, then try again."))
        }
        PairingFault::NoAdapter => {
            (tr("Bluetooth does not work on this cart."), tr("Plug an adapter in, or call IT."))
        }
        PairingFault::Cancelled => (tr("Pairing was stopped."), tr("Nothing was paired.")),
        PairingFault::LostBond => (
            tr("The device has forgotten this cart, or it is not the one that was paired."),
            tr("If it is yours, pair it again: the old pairing is dropped first."),
        ),
        PairingFault::Unexplained => (
            tr("It did not work, and Bluetooth did not say why."),
            tr("Try again. IT: the log has the reason."),
        ),
    };
    Said { fact: words.say(fact), advice: words.say(advice) }
}

/// `482 917`.
pub(in crate::bridge) fn grouped(digits: &str) -> SharedString {
    match digits.split_at_checked(3) {
        Some((first, last)) => slint::format!("{first} {last}"),
        None => digits.into(),
    }
}
