//! What `wardkeepctl doctor` says of each factor's reader, and of the issuers that smart cards need.
//!
//! A reader that is not fitted is no fault: which ones a cart has is the site's choice. What is
//! plugged in or configured and does not work is one.

use std::path::PathBuf;
use std::time::Duration;

use crate::ctl::doctor::{Check, fails, works};

/// What a slot takes where the site lets nothing be read.
pub(super) const NOT_ALLOWED: &str = "not-allowed";

/// What the reader service said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readers {
    /// pcscd does not answer.
    ServiceDown,
    /// pcscd answers, but not this account.
    Refused,
    /// The readers that are plugged in, possibly none.
    Listed(Vec<String>),
}

/// What the machine was asked about readers on USB, cards and fingers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Factors {
    /// Badge readers on USB, by name, and whether this account may open them.
    pub usb_badges: Vec<(String, bool)>,
    /// The USB number that the site gives for a keyboard-like badge reader, if none of them is it.
    pub missing_keyboard: Option<(u16, u16)>,
    /// The kernel's NFC driver holds a reader that pcscd needs.
    pub pn533_holds: bool,
    /// PC/SC readers that take cards with contacts, or whose names do not tell.
    pub card_readers: Vec<String>,
    /// The fingerprint reader.
    pub finger: Finger,
    /// Something that the system's list knows as a fingerprint reader is plugged in.
    pub finger_plugged: bool,
    /// The trust directory.
    pub trust: Issuers,
}

/// What libfprint said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Finger {
    /// It is not installed.
    NoLibrary,
    /// It knows no reader here.
    #[default]
    NotFitted,
    /// It knows one, with this driver, that cannot be opened.
    Refused(String),
    /// This reader works.
    Ready(String),
}

/// What smart cards are judged by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Issuers {
    /// The trust directory.
    pub directory: PathBuf,
    /// Issuers trusted by themselves.
    pub roots: usize,
    /// Issuers below them.
    pub intermediates: usize,
    /// Revocation lists.
    pub lists: usize,
    /// Age of the newest and of the oldest list.
    pub ages: Option<(Duration, Duration)>,
    /// Files that are not used, and why.
    pub faults: Vec<String>,
    /// The oldest list about cards that counts.
    pub age_max: Duration,
    /// A card without a list is refused.
    pub lists_required: bool,
}

/// The lines about them.
pub(super) fn checks(factors: &Factors) -> Vec<Check> {
    vec![usb_badge(factors), card_reader(factors), finger(factors), issuers(factors)]
}

fn usb_badge(factors: &Factors) -> Check {
    let name = "usb-badge";
    if let Some((reader, _)) = factors.usb_badges.iter().find(|(_, may_open)| !may_open) {
        return fails(
            name,
            format!("{reader} may not be opened"),
            "The device belongs to another account, so the reader could type into the screen.",
            "Give it to the kiosk's account by a udev rule (SUBSYSTEM==\"usb\", its vendor and product, GROUP).",
        );
    }
    if let Some((vendor, product)) = factors.missing_keyboard {
        return fails(
            name,
            format!("{vendor:04x}:{product:04x} is not plugged in"),
            "The configuration names this badge reader in `readers.keyboard_badge`.",
            "Plug it in, or correct the number (see `lsusb`).",
        );
    }
    match factors.usb_badges.as_slice() {
        [] => works(name, "none fitted"),
        readers => {
            let names: Vec<&str> = readers.iter().map(|(reader, _)| reader.as_str()).collect();
            works(name, names.join(", "))
        }
    }
}

fn card_reader(factors: &Factors) -> Check {
    let name = "card-reader";
    match (factors.card_readers.is_empty(), factors.trust.roots) {
        (false, _) => works(name, factors.card_readers.join(", ")),
        (true, 0) => works(name, "none fitted, and no issuer is trusted"),
        (true, _) => fails(
            name,
            "no reader for cards with contacts",
            "Issuers of smart cards are trusted here, but no reader takes such a card.",
            "Plug one in; pcscd needs its driver (package libccid).",
        ),
    }
}

fn finger(factors: &Factors) -> Check {
    let name = "fingerprint";
    match (&factors.finger, factors.finger_plugged) {
        (Finger::Ready(reader), _) => works(name, reader.as_str()),
        (Finger::NoLibrary, false) => works(name, "none fitted; libfprint is not installed"),
        (Finger::NotFitted, false) => works(name, "none fitted"),
        (Finger::NoLibrary, true) => fails(
            name,
            "a reader is plugged in, libfprint is not installed",
            "The library that drives fingerprint readers is missing or too old.",
            "Install the package libfprint-2-2.",
        ),
        (Finger::NotFitted, true) => fails(
            name,
            "a reader is plugged in, libfprint does not take it",
            "This account may not open the device, or this version of libfprint does not know it.",
            "Give it to the kiosk's account by a udev rule (SUBSYSTEM==\"usb\", its vendor and product, GROUP).",
        ),
        (Finger::Refused(driver), _) => fails(
            name,
            format!("the reader ({driver}) cannot be opened"),
            "The device belongs to another account, or the service fprintd holds it.",
            "Run `systemctl mask --now fprintd`, and give it to the kiosk's account by a udev rule.",
        ),
    }
}

fn issuers(factors: &Factors) -> Check {
    let name = "trusted-issuers";
    let trust = &factors.trust;
    let detail = summary(trust);
    if !trust.faults.is_empty() {
        return fails(
            name,
            trust.faults.join("; "),
            "Files in the trust directory are not used.",
            "Put issuers into roots/ and intermediates/ and lists into crls/, as PEM or DER.",
        );
    }
    if trust.roots == 0 {
        let wanted = trust.intermediates + trust.lists > 0;
        return if wanted {
            fails(
                name,
                detail,
                "No issuer is trusted by itself, so that no smart card is.",
                "Put the certificate of the cards' root into the directory roots/ there.",
            )
        } else {
            works(name, format!("none, smart cards are not used ({})", trust.directory.display()))
        };
    }
    let Some((newest, oldest)) = trust.ages else {
        return if trust.lists_required {
            fails(
                name,
                detail,
                "There is no revocation list, and the site wants one (`cards.crl`).",
                "Put the issuers' lists into crls/ there, and renew them by a timer.",
            )
        } else {
            works(name, detail)
        };
    };
    // With issuers below a root, the oldest list may be the root's, which is renewed rarely.
    let counts = if trust.intermediates == 0 { oldest } else { newest };
    if counts > trust.age_max {
        return fails(
            name,
            detail,
            "The revocation lists are older than the site allows (`cards.crl_days`).",
            "Fetch the issuers' current lists into crls/ there, and look at what should renew them.",
        );
    }
    works(name, detail)
}

fn summary(trust: &Issuers) -> String {
    let Issuers { roots, intermediates, lists, ages, .. } = trust;
    let ages = match ages {
        Some((newest, oldest)) => format!(" ({} to {} old)", days(*newest), days(*oldest)),
        None => String::new(),
    };
    let counts = format!("roots: {roots}, intermediates: {intermediates}, lists: {lists}{ages}");
    format!("{counts}, in {}", trust.directory.display())
}

fn days(age: Duration) -> String {
    match age.as_secs() / (24 * 3600) {
        0 => format!("{} h", age.as_secs() / 3600),
        days => format!("{days} d"),
    }
}
