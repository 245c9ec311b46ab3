//! Why a pairing or a write failed, from the names of BlueZ's errors.
//!
//! Pure. The names of a pairing are those of BlueZ's `new_authentication_return` and `pair_device`
//! (src/device.c), the texts of a write those of `create_gatt_dbus_error` (src/gatt-client.c).

use crate::ble::bluez::Refusal;
use crate::ble::bond::window::Course;
use wardkeep_model::ports::{PairingFault, WriteFault};

/// The controller is doing something else: worth another try.
pub(super) fn is_busy(refusal: &Refusal) -> bool {
    let said = refusal.text.as_str();
    let name = refusal.name.as_str();
    matches!(name, "org.bluez.Error.InProgress" | "org.bluez.Error.Busy")
        || name == "org.bluez.Error.Failed" && said == "Device or resource busy"
}

/// Why pairing failed.
pub(super) fn of_pairing(refusal: &Refusal, course: Course) -> PairingFault {
    let said_no = || course.said_no.then_some(PairingFault::NumbersDiffer);
    let refused = |once_asked| {
        let asked = course.was_asked.then_some(once_asked);
        said_no().or(asked).unwrap_or(PairingFault::BondedElsewhere)
    };
    match refusal.name.as_str() {
        // The kernel says no more than that, whatever the device's answer was. Without a question it came
        // before any key could differ.
        "org.bluez.Error.AuthenticationFailed" => {
            let typed = course.with_passkey.then_some(PairingFault::WrongPasskey);
            let asked = course.was_asked.then_some(PairingFault::AuthenticationFailed);
            said_no().or(typed).or(asked).unwrap_or(PairingFault::BondedElsewhere)
        }
        "org.bluez.Error.AuthenticationRejected" => refused(PairingFault::Rejected),
        // What BlueZ says where the connection ended.
        "org.bluez.Error.AuthenticationCanceled" => refused(PairingFault::Left),
        "org.bluez.Error.AuthenticationTimeout" => PairingFault::TimedOut,
        "org.bluez.Error.ConnectionAttemptFailed" => PairingFault::OutOfReach,
        // The object went: BlueZ has forgotten a device that it did not hear for long.
        "org.freedesktop.DBus.Error.UnknownObject" | "org.freedesktop.DBus.Error.UnknownMethod" => {
            PairingFault::OutOfReach
        }
        "org.bluez.Error.NotReady"
        | "org.bluez.Error.NoSuchAdapter"
        | "org.freedesktop.DBus.Error.ServiceUnknown"
        | "org.freedesktop.DBus.Error.NoReply"
        | "" => PairingFault::NoAdapter,
        "org.bluez.Error.Failed" if refusal.text.ends_with("abort-by-remote") => {
            refused(PairingFault::Left)
        }
        // What the connection before the pairing ended with (strerror).
        "org.bluez.Error.Failed" if is_no_answer(&refusal.text) => PairingFault::OutOfReach,
        _ if is_busy(refusal) => PairingFault::AdapterBusy,
        _ => PairingFault::Unexplained,
    }
}

fn is_no_answer(text: &str) -> bool {
    let texts = ["Software caused connection abort", "Connection timed out", "Host is down"];
    texts.contains(&text) || text.starts_with("le-connection-abort-by-local")
}

/// Why nothing was written.
pub(super) fn of_writing(refusal: &Refusal) -> WriteFault {
    match refusal.name.as_str() {
        "org.bluez.Error.InProgress" => WriteFault::Busy,
        "org.bluez.Error.NotPermitted" if refusal.text == "Not paired" => WriteFault::NotPaired,
        "org.bluez.Error.NotAuthorized" => WriteFault::NotPaired,
        "org.bluez.Error.NotPermitted" | "org.bluez.Error.NotSupported" => WriteFault::NotPermitted,
        "org.bluez.Error.NotConnected"
        | "org.freedesktop.DBus.Error.UnknownObject"
        | "org.freedesktop.DBus.Error.UnknownMethod"
        | "org.freedesktop.DBus.Error.ServiceUnknown" => WriteFault::NotLinked,
        "org.bluez.Error.Failed" if refusal.text == "Not connected" => WriteFault::NotLinked,
        "org.bluez.Error.Failed" => {
            att_error(&refusal.text).map_or(WriteFault::Failed, WriteFault::Att)
        }
        _ => WriteFault::Failed,
    }
}

/// The ATT error in `Operation failed with ATT error: 0x80`.
fn att_error(text: &str) -> Option<u8> {
    let (_, digits) = text.rsplit_once("0x")?;
    u8::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(name: &str, text: &str) -> Refusal {
        Refusal { name: name.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn pairing_fails_for_a_reason_that_a_person_can_act_on() {
        let none = Course::default();
        let asked = Course { was_asked: true, ..none };
        let typed = Course { with_passkey: true, ..asked };
        let no = Course { said_no: true, ..asked };
        for (name, text, course, fault) in [
            ("AuthenticationFailed", "", none, PairingFault::BondedElsewhere),
            ("AuthenticationFailed", "", asked, PairingFault::AuthenticationFailed),
            ("AuthenticationFailed", "", typed, PairingFault::WrongPasskey),
            ("AuthenticationFailed", "", no, PairingFault::NumbersDiffer),
            ("AuthenticationRejected", "", none, PairingFault::BondedElsewhere),
            ("AuthenticationRejected", "", asked, PairingFault::Rejected),
            ("AuthenticationRejected", "", no, PairingFault::NumbersDiffer),
            ("AuthenticationCanceled", "", none, PairingFault::BondedElsewhere),
            ("AuthenticationCanceled", "", typed, PairingFault::Left),
            ("AuthenticationCanceled", "", no, PairingFault::NumbersDiffer),
            ("AuthenticationTimeout", "", asked, PairingFault::TimedOut),
            ("ConnectionAttemptFailed", "Page Timeout", none, PairingFault::OutOfReach),
            ("Failed", "Software caused connection abort", none, PairingFault::OutOfReach),
            ("Failed", "le-connection-abort-by-remote", none, PairingFault::BondedElsewhere),
            ("Failed", "le-connection-abort-by-remote", typed, PairingFault::Left),
            ("Failed", "Device or resource busy", none, PairingFault::AdapterBusy),
            ("Failed", "Protocol error", none, PairingFault::Unexplained),
            ("InProgress", "", none, PairingFault::AdapterBusy),
            ("Busy", "", none, PairingFault::AdapterBusy),
            ("NotReady", "", none, PairingFault::NoAdapter),
            ("Blocked", "", none, PairingFault::Unexplained),
        ] {
            let refusal = refusal(&format!("org.bluez.Error.{name}"), text);
            assert_eq!(of_pairing(&refusal, course), fault, "{refusal:?} {course:?}");
        }
        for (name, fault) in [
            ("org.freedesktop.DBus.Error.UnknownObject", PairingFault::OutOfReach),
            ("org.freedesktop.DBus.Error.NoReply", PairingFault::NoAdapter),
            ("", PairingFault::NoAdapter),
        ] {
            assert_eq!(of_pairing(&refusal(name, ""), none), fault, "{name}");
        }
    }

    #[test]
    fn what_a_device_answers_to_a_write_is_told_apart() {
        for (name, text, fault) in [
            ("Failed", "Operation failed with ATT error: 0x80", WriteFault::Att(0x80)),
            ("Failed", "Operation failed with ATT error: 0xfd", WriteFault::Att(0xFD)),
            ("Failed", "Operation failed with ATT error: 0xfe", WriteFault::Att(0xFE)),
            ("Failed", "Operation failed with ATT error: 0x1ff", WriteFault::Failed),
            ("Failed", "Operation failed", WriteFault::Failed),
            ("Failed", "Not connected", WriteFault::NotLinked),
            ("NotPermitted", "Not paired", WriteFault::NotPaired),
            ("NotPermitted", "Write not permitted", WriteFault::NotPermitted),
            ("NotAuthorized", "", WriteFault::NotPaired),
            ("NotSupported", "", WriteFault::NotPermitted),
            ("InProgress", "", WriteFault::Busy),
            ("InvalidArguments", "Invalid Length", WriteFault::Failed),
        ] {
            let refusal = refusal(&format!("org.bluez.Error.{name}"), text);
            assert_eq!(of_writing(&refusal), fault, "{refusal:?}");
        }
    }
}
