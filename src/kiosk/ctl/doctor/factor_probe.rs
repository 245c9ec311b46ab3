//! Asks the machine about readers on USB, fingerprint readers and the trust directory.

use std::fs;
use std::path::Path;

use crate::ctl::doctor::factors::{Factors, Finger, Issuers, Readers};
use wardkeep_core::config::Config;
use wardkeep_hardware::{fingerprint, pcsc, trust, usb_badge};
use wardkeep_model::moment::Moment;

/// Where the kernel says which devices its NFC driver holds.
const PN533: &str = "/sys/bus/usb/drivers/pn533_usb";
/// Where it describes USB devices.
const USB: &str = "/sys/bus/usb/devices";
/// systemd's list of the fingerprint readers that libfprint knows, there with or without libfprint.
const KNOWN_FINGERS: [&str; 2] = [
    "/lib/udev/hwdb.d/60-autosuspend-fingerprint-reader.hwdb",
    "/lib/udev/hwdb.d/60-autosuspend-libfprint-2.hwdb",
];

/// Asks everything.
pub(super) fn factors(site: &Config, readers: &Readers) -> Factors {
    let usb = usb_badge::probe(site.keyboard_badge);
    let is_plugged = |id| usb.iter().any(|found| found.id == id);
    let names = match readers {
        Readers::Listed(names) => names.as_slice(),
        Readers::ServiceDown | Readers::Refused => &[],
    };
    let takes_cards = |name: &&String| pcsc::takes_cards(name).unwrap_or(true);
    Factors {
        missing_keyboard: site.keyboard_badge.filter(|id| !is_plugged(*id)),
        usb_badges: usb
            .iter()
            .map(|found| {
                let (vendor, product) = found.id;
                (format!("{} {vendor:04x}:{product:04x}", found.name), found.may_open)
            })
            .collect(),
        pn533_holds: holds(Path::new(PN533)),
        card_readers: names.iter().filter(takes_cards).cloned().collect(),
        finger: finger(),
        finger_plugged: finger_plugged(Path::new(USB)),
        trust: issuers(site),
    }
}

/// A driver's folder has an entry for each interface it is bound to, such as `1-2:1.0`.
fn holds(driver: &Path) -> bool {
    let Ok(entries) = fs::read_dir(driver) else { return false };
    entries.filter_map(Result::ok).any(|entry| entry.file_name().to_string_lossy().contains(':'))
}

fn finger() -> Finger {
    match fingerprint::probe() {
        fingerprint::Found::NoLibrary => Finger::NoLibrary,
        fingerprint::Found::NotFitted => Finger::NotFitted,
        fingerprint::Found::Refused(driver) => Finger::Refused(driver),
        fingerprint::Found::Ready(sensor) => Finger::Ready(sensor.driver),
    }
}

fn finger_plugged(devices: &Path) -> bool {
    let known: Vec<String> =
        KNOWN_FINGERS.iter().filter_map(|file| fs::read_to_string(file).ok()).collect();
    let Ok(entries) = fs::read_dir(devices) else { return false };
    entries.filter_map(Result::ok).any(|entry| {
        let number = |name| fs::read_to_string(entry.path().join(name)).ok();
        let Some(vendor) = number("idVendor") else { return false };
        let Some(product) = number("idProduct") else { return false };
        known.iter().any(|list| is_known(list, vendor.trim(), product.trim()))
    })
}

/// The list has a line for this device: `usb:v08FFp1600*`.
pub(super) fn is_known(list: &str, vendor: &str, product: &str) -> bool {
    let line = format!("usb:v{}p{}*", vendor.to_uppercase(), product.to_uppercase());
    list.lines().any(|known| known == line)
}

fn issuers(site: &Config) -> Issuers {
    let trust = trust::Trust::load(&site.cards);
    let facts = trust.facts(Moment::read().wall);
    Issuers {
        directory: site.cards.trust.clone(),
        roots: facts.roots,
        intermediates: facts.intermediates,
        lists: facts.lists,
        ages: facts.newest_list.zip(facts.oldest_list),
        faults: trust.faults().iter().map(ToString::to_string).collect(),
        age_max: site.cards.crl_age,
        lists_required: site.cards.crl_required,
    }
}
