//! What is said of devices and of the Bluetooth controller that hears them.

use slint::SharedString;

use wardkeep_core::kiosk::view::{DeviceRow, DeviceState, Owner};
use wardkeep_model::ports::{PairingFault, PairingStep, RadioHealth};
use wardkeep_model::vitals::DeviceKind;

use crate::bridge::times;
use crate::bridge::words::{Said, Words, joined, tr};

/// Name of a kind of device.
pub(in crate::bridge) fn kind(words: &Words, kind: DeviceKind) -> SharedString {
    words.say(match kind {
        DeviceKind::HeartRate => tr("Heart rate strap"),
        DeviceKind::PulseOximeter => tr("Pulse oximeter"),
        DeviceKind::Cuff => tr("Blood pressure cuff"),
        DeviceKind::Thermometer => tr("Thermometer"),
        DeviceKind::GlucoseMeter => tr("Glucose meter"),
        DeviceKind::GlucoseSensor => tr("Glucose sensor"),
        DeviceKind::Scale => tr("Scale"),
        DeviceKind::Patch => tr("Chest patch"),
    })
}

/// Whose a device is.
pub(in crate::bridge) fn owner(words: &Words, owner: Owner) -> SharedString {
    match owner {
        Owner::Nobody => words.say(tr("Not assigned")),
        Owner::ThisPatient(since) => {
            words.fill(tr("This patient since {}"), &[&times::of_day(since)])
        }
        Owner::AnotherPatient => words.say(tr("Another patient")),
        Owner::Unknown => words.say(tr("Unknown patient")),
    }
}

/// How a device's link stands.
pub(in crate::bridge) fn link(words: &Words, state: DeviceState) -> SharedString {
    words.say(match state {
        DeviceState::Near => tr("near"),
        DeviceState::Away => tr("not heard"),
        DeviceState::Connecting => tr("connecting"),
        DeviceState::Live => tr("live"),
        DeviceState::Lost => tr("out of range, reconnecting"),
    })
}

/// How a device stands: its link, what it measures, its battery.
pub(in crate::bridge) fn standing(words: &Words, device: &DeviceRow) -> SharedString {
    let link = link(words, device.state);
    let bond = if device.is_changed {
        words.say(tr("not the device that was paired"))
    } else if device.has_no_room {
        words.say(tr("waits: too many devices are linked"))
    } else {
        match device.pairing {
            Some(PairingStep::Needed) => words.say(tr("wants to be paired")),
            Some(PairingStep::Failed(PairingFault::LostBond)) => {
                words.say(tr("has forgotten this cart"))
            }
            Some(PairingStep::Bonded(_)) => words.say(tr("paired")),
            Some(
                PairingStep::Started
                | PairingStep::CompareNumber(_)
                | PairingStep::ShowPasskey { .. }
                | PairingStep::TypePasskey
                | PairingStep::Forgotten
                | PairingStep::Failed(_),
            )
            | None => SharedString::default(),
        }
    };
    let battery = device.battery_percent.map(|percent| percent.to_string());
    let battery = battery.map(|percent| words.fill(tr("battery {} %"), &[&percent]));
    let shown = match device.is_shown {
        None => SharedString::default(),
        Some(true) => words.say(tr("on the screen")),
        Some(false) => words.say(tr("recorded, not on the screen")),
    };
    joined(&[link, shown, bond, device.reading.reveal().into(), battery.unwrap_or_default()])
}

/// How the controller stands.
pub(in crate::bridge) fn radio(words: &Words, health: RadioHealth) -> SharedString {
    words.say(match health {
        RadioHealth::Ready => tr("ready"),
        RadioHealth::NoAdapter => tr("no adapter"),
        RadioHealth::Off => tr("switched off"),
        RadioHealth::ServiceDown => tr("not answering"),
    })
}

/// How a controller stands that cannot be used, and what to do; nothing of one that can.
pub(in crate::bridge) fn radio_trouble(words: &Words, health: RadioHealth) -> Said {
    let advice = match health {
        RadioHealth::Ready => return Said::default(),
        RadioHealth::NoAdapter => tr("Plug a Bluetooth adapter in, or call IT."),
        RadioHealth::Off => tr("Switch Bluetooth on, or call IT."),
        RadioHealth::ServiceDown => tr("Wait a moment. If it stays like this, call IT."),
    };
    Said { fact: radio(words, health), advice: words.say(advice) }
}

/// Why a device that is near may not be in the list.
pub(in crate::bridge) fn note(words: &Words, is_crowded: bool) -> SharedString {
    words.say(if is_crowded {
        tr("Too many devices are near: the farthest are left out. Hold yours beside the cart.")
    } else {
        tr("Not in the list? A device that does not say what it measures is not shown. Ask IT.")
    })
}

/// The way to the readings; nothing where there can be none.
pub(in crate::bridge) fn waiting(words: &Words, count: usize, has_readings: bool) -> SharedString {
    match count {
        0 if has_readings => words.say(tr("Readings")),
        0 => SharedString::default(),
        1 => words.say(tr("1 reading without an owner")),
        many => words.fill(tr("{} readings without an owner"), &[&many.to_string()]),
    }
}
