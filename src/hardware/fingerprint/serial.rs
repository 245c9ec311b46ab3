//! Which USB device libfprint has opened, for its serial number.
//!
//! libfprint does not tell. But it opens the device's node, so the node that this process holds after
//! the opening and did not hold before is the reader's. Nodes of keyboards and badge readers (class
//! HID), which another driver may open at the same moment, are not counted.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use wardkeep_model::untrusted::is_deceptive;

/// Where the kernel keeps one node per USB device.
const NODES: &str = "/dev/bus/usb/";
/// Where it describes them.
const DEVICES: &str = "/sys/bus/usb/devices";
/// `bInterfaceClass` of keyboards and of badge readers.
const HID: &str = "03";
/// Longest serial number that is taken; USB allows 126 characters.
const SERIAL_CHARS_MAX: usize = 126;

/// The USB nodes that this process holds open.
pub(super) fn held() -> BTreeSet<PathBuf> {
    let Ok(descriptors) = fs::read_dir("/proc/self/fd") else { return BTreeSet::new() };
    descriptors
        .filter_map(|entry| fs::read_link(entry.ok()?.path()).ok())
        .filter(|path| path.starts_with(NODES))
        .collect()
}

/// Serial number of the reader that was opened between the two looks; empty if it tells none or if
/// it cannot be said which one it is.
pub(super) fn of_opened(before: &BTreeSet<PathBuf>, after: &BTreeSet<PathBuf>) -> String {
    among(Path::new(DEVICES), after.difference(before).map(PathBuf::as_path))
}

fn among<'a>(devices: &Path, nodes: impl Iterator<Item = &'a Path>) -> String {
    let mut readers = nodes.filter_map(|node| directory(devices, node)).filter(|at| !is_hid(at));
    match (readers.next(), readers.next()) {
        (Some(reader), None) => {
            let serial = attribute(&reader, "serial").unwrap_or_default();
            serial.chars().filter(|letter| !is_deceptive(*letter)).take(SERIAL_CHARS_MAX).collect()
        }
        (None | Some(_), _) => String::new(),
    }
}

/// The description of the device with this node, `/dev/bus/usb/BUS/DEVICE`.
fn directory(devices: &Path, node: &Path) -> Option<PathBuf> {
    let number = |text: &std::ffi::OsStr| text.to_str()?.parse::<u16>().ok();
    let wanted = (number(node.parent()?.file_name()?)?, number(node.file_name()?)?);
    let entries = fs::read_dir(devices).ok()?;
    entries.filter_map(|entry| Some(entry.ok()?.path())).find(|at| {
        let told = |name| attribute(at, name).and_then(|text| text.parse::<u16>().ok());
        told("busnum").zip(told("devnum")) == Some(wanted)
    })
}

/// Its first interface is a human interface device.
fn is_hid(device: &Path) -> bool {
    let Some(name) = device.file_name().and_then(|name| name.to_str()) else { return false };
    let Ok(entries) = fs::read_dir(device) else { return false };
    let interfaces = entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|at| {
        let below = at.file_name().and_then(|below| below.to_str());
        below.is_some_and(|below| below.starts_with(name) && below.ends_with(".0"))
    });
    interfaces
        .filter_map(|interface| attribute(&interface, "bInterfaceClass"))
        .any(|class| class == HID)
}

fn attribute(device: &Path, name: &str) -> Option<String> {
    fs::read_to_string(device.join(name)).ok().map(|text| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A device below `root`: name, bus, number, class of its interface, serial number.
    fn plug(root: &Path, device: (&str, u16, u16, &str, Option<&str>)) {
        let (name, bus, number, class, serial) = device;
        let at = root.join(name);
        let interface = at.join(format!("{name}:1.0"));
        fs::create_dir_all(&interface).expect("writable");
        fs::write(at.join("busnum"), format!("{bus}\n")).expect("writable");
        fs::write(at.join("devnum"), format!("{number}\n")).expect("writable");
        fs::write(interface.join("bInterfaceClass"), format!("{class}\n")).expect("writable");
        if let Some(serial) = serial {
            fs::write(at.join("serial"), format!("{serial}\n")).expect("writable");
        }
    }

    #[test]
    fn the_one_reader_that_was_opened_tells_its_serial_number() {
        let root = tempfile::tempdir().expect("a temporary directory");
        plug(root.path(), ("1-2", 1, 5, "ff", Some("b00b1e5\u{7}\u{202E}")));
        plug(root.path(), ("1-3", 1, 6, "03", Some("keyboard")));
        plug(root.path(), ("2-1", 2, 5, "ff", None));
        for (nodes, serial) in [
            (&["/dev/bus/usb/001/005"][..], "b00b1e5"),
            (&["/dev/bus/usb/001/005", "/dev/bus/usb/001/006"], "b00b1e5"),
            (&["/dev/bus/usb/001/006"], ""),
            (&["/dev/bus/usb/002/005"], ""),
            (&["/dev/bus/usb/001/005", "/dev/bus/usb/002/005"], ""),
            (&["/dev/bus/usb/003/001"], ""),
            (&["/dev/bus/usb/x"], ""),
            (&[], ""),
        ] {
            assert_eq!(among(root.path(), nodes.iter().map(Path::new)), serial, "{nodes:?}");
        }
        assert_eq!(
            among(Path::new("/nowhere"), [Path::new("/dev/bus/usb/001/005")].into_iter()),
            ""
        );
    }

    #[test]
    fn only_what_was_opened_in_between_counts() {
        let node = PathBuf::from("/dev/bus/usb/255/255");
        let held = BTreeSet::from([node]);
        assert_eq!(of_opened(&held, &held), "");
        assert!(super::held().iter().all(|path| path.starts_with(NODES)));
    }
}
