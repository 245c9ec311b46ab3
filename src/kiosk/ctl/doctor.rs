//! `wardkeepctl doctor`: what works on this machine, and what to do about what does not.
//!
//! `probe` asks the machine and returns [`Facts`]; [`Report::of`] turns facts into lines. Only the
//! second half decides anything, so every line is tested without the machine being in that state.
//! S-10: nothing here opens the store; the device secret is read only to tell whether the store was made with
//! it. Paths, versions and counts are all that is shown.

mod factor_probe;
mod factors;
mod keeping;
mod probe;
mod store;

use factors::NOT_ALLOWED;
pub use factors::Readers;
pub use factors::{Factors, Finger, Issuers};
pub use keeping::{Counter, Keeping};
pub use probe::{Bluetooth, DirFault, Facts, StoreFacts};

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use crate::ctl::args::Places;
use crate::ctl::terminal;
use wardkeep_hardware::pcsc::SlotFacts;
use wardkeep_model::moment::{ClockState, Moment};

/// A clock that shows a year outside this range was never set.
const YEARS: std::ops::RangeInclusive<i16> = 2026..=2099;

/// Lines below the help.
pub const EXAMPLES: &str = "\
Examples:
  wardkeepctl doctor
  wardkeepctl doctor --state /srv/ward/state --config /srv/ward/config.toml
  wardkeepctl doctor --json | jq '.checks[] | select(.ok | not)'";

/// What to look at beside the machine.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Doctor {
    /// Print JSON alone, without the sentences
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    places: Places,
}

impl Doctor {
    /// JSON goes to standard output, sentences to standard error. Exit code 0: everything works; 1:
    /// something does not.
    pub fn run(&self) -> ExitCode {
        let report =
            Report::of(&probe::facts(&self.places.state(), self.places.config().as_deref()));
        if !self.json {
            terminal::complain(report.sentences().trim_end());
        }
        let json = serde_json::to_string(&report).expect("a report has only strings and booleans");
        let printed = terminal::print(&format!("{json}\n"));
        if report.ok { printed } else { ExitCode::FAILURE }
    }
}

/// One line of the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Stable name.
    pub name: &'static str,
    /// It works.
    pub ok: bool,
    /// What was found.
    pub detail: String,
    /// Why it does not work.
    pub cause: Option<&'static str>,
    /// What to do about it.
    pub remedy: Option<&'static str>,
}

/// The whole report, as printed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Everything works.
    pub ok: bool,
    /// One line per part.
    pub checks: Vec<Check>,
    /// Every slot of every PC/SC reader.
    pub slots: Vec<Slot>,
    /// How the clock stands.
    pub clock: Clock,
    /// Whether there is a font, by script.
    pub fonts: BTreeMap<&'static str, bool>,
    /// What the kiosk does with the file of settings.
    pub settings: Settings,
}

/// A slot of a reader.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Slot {
    name: String,
    takes: &'static str,
    holds: &'static str,
    answer_to_reset: Option<String>,
}

/// How the clock stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Clock {
    /// `never-set` or `set`.
    state: &'static str,
    wall: String,
    up_s: u64,
    /// By a time server; null if none is known of.
    synchronised: Option<bool>,
}

/// What the kiosk does with the file of settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Settings {
    file: Option<PathBuf>,
    used: Vec<String>,
    ignored: Vec<String>,
}

impl Report {
    /// Judges the facts.
    pub fn of(facts: &Facts) -> Self {
        let mut checks = vec![badge_reader(&facts.readers, &facts.factors), slots(&facts.slots)];
        checks.extend(factors::checks(&facts.factors));
        checks.extend([
            bluetooth(&facts.bluetooth),
            tpm(facts.tpm),
            store::store(&facts.store),
            store::state_directory(&facts.state),
            store::device_secret(&facts.store),
        ]);
        checks.extend(keeping::checks(&facts.keeping));
        checks.extend([
            configuration(&facts.used, &facts.ignored),
            clock(facts.now),
            sound(&facts.sound),
            fonts(facts.font.as_ref()),
            scripts(&facts.scripts),
            display(facts.display.as_deref()),
        ]);
        let state = if ClockState::is_possible(facts.now.wall) {
            ClockState::Set
        } else {
            ClockState::NeverSet
        };
        Self {
            ok: checks.iter().all(|check| check.ok),
            checks,
            slots: facts.slots.iter().map(Slot::of).collect(),
            clock: Clock {
                state: state.word(),
                wall: facts.now.wall.to_string(),
                up_s: facts.now.boot.0.as_secs(),
                synchronised: facts.is_synchronised,
            },
            fonts: facts.scripts.iter().copied().collect(),
            settings: Settings {
                file: facts.settings_file.clone(),
                used: facts.used.clone(),
                ignored: facts.ignored.clone(),
            },
        }
    }

    /// For people.
    pub fn sentences(&self) -> String {
        let mut text = String::new();
        for Check { name, ok, detail, cause, remedy } in &self.checks {
            text += &format!("{:<4} {name:<16} {detail}\n", if *ok { "ok" } else { "FAIL" });
            for sentence in [cause, remedy].into_iter().flatten() {
                text += &format!("{:<22}{sentence}\n", "");
            }
        }
        text
    }
}

/// A line about something that works.
fn works(name: &'static str, detail: impl Into<String>) -> Check {
    Check { name, ok: true, detail: detail.into(), cause: None, remedy: None }
}

/// A line about something that does not.
fn fails(
    name: &'static str,
    detail: impl Into<String>,
    cause: &'static str,
    remedy: &'static str,
) -> Check {
    Check { name, ok: false, detail: detail.into(), cause: Some(cause), remedy: Some(remedy) }
}

fn badge_reader(readers: &Readers, factors: &Factors) -> Check {
    let name = "badge-reader";
    let none = matches!(readers, Readers::Listed(names) if names.is_empty());
    if none && factors.pn533_holds {
        return fails(
            name,
            "no reader",
            "The kernel module pn533_usb holds the reader, so that pcscd cannot (an ACR122U).",
            "Write `blacklist pn533_usb` into /etc/modprobe.d/wardkeep.conf and run `modprobe -r pn533_usb`.",
        );
    }
    if none && factors.usb_badges.iter().any(|(_, usable)| *usable) {
        return works(name, "none by PC/SC; badges are read on USB");
    }
    match readers {
        Readers::ServiceDown => fails(
            name,
            "pcscd does not answer",
            "The reader service is not installed or not running.",
            "Install the package pcscd and run `systemctl enable --now pcscd.socket`.",
        ),
        Readers::Refused => fails(
            name,
            "pcscd refuses this account",
            "The polkit rules do not let this account use readers and cards.",
            "Allow org.debian.pcsc-lite.access_pcsc and access_card for the kiosk's account.",
        ),
        Readers::Listed(names) if names.is_empty() => fails(
            name,
            "no reader",
            "No reader is plugged in, or another driver holds it.",
            "Plug the reader in. For an ACR122U, keep the kernel module pn533_usb from loading.",
        ),
        Readers::Listed(names) => works(name, names.join(", ")),
    }
}

impl Slot {
    fn of(slot: &SlotFacts) -> Self {
        let hexadecimal = slot.answer_to_reset.iter().map(|byte| format!("{byte:02x}")).collect();
        let answer_to_reset = (!slot.answer_to_reset.is_empty()).then_some(hexadecimal);
        Self { name: slot.name.clone(), takes: slot.takes, holds: slot.holds, answer_to_reset }
    }
}

fn slots(slots: &[SlotFacts]) -> Check {
    let name = "reader-slots";
    if slots.is_empty() {
        return works(name, "none");
    }
    let barred = |slot: &SlotFacts| slot.takes == NOT_ALLOWED;
    let holds = |slot: &SlotFacts| if barred(slot) { "not in `readers.only`" } else { slot.holds };
    let said = |slot: &SlotFacts| format!("{}: {}", slot.name, holds(slot));
    let all: Vec<String> = slots.iter().map(said).collect();
    let strangers = slots.iter().any(|slot| slot.holds == "no-badge");
    Check {
        cause: strangers.then_some("A slot that always holds what is no badge is left alone."),
        ..works(name, all.join("; "))
    }
}

/// What has no font is no reason to call the cart broken: everybody else's name is right.
fn scripts(scripts: &[(&'static str, bool)]) -> Check {
    let name = "scripts";
    let missing: Vec<&str> =
        scripts.iter().filter(|(_, has_font)| !has_font).map(|(script, _)| *script).collect();
    if missing.is_empty() {
        return works(name, "a font for every script that was asked for");
    }
    Check {
        cause: Some("Letters of names in these scripts are shown as boxes."),
        remedy: Some("Install fonts for them, for instance the package fonts-noto-cjk."),
        ..works(name, format!("no font for {}", missing.join(", ")))
    }
}

fn bluetooth(bluetooth: &Bluetooth) -> Check {
    let name = "bluetooth";
    match bluetooth {
        Bluetooth::NoBus => fails(
            name,
            "no D-Bus system bus",
            "The message bus that BlueZ speaks on does not answer.",
            "Install the package dbus and start it.",
        ),
        Bluetooth::NoDaemon => fails(
            name,
            "bluetoothd is not running",
            "The Bluetooth service is not installed or not running.",
            "Install the package bluez and run `systemctl enable --now bluetooth`.",
        ),
        Bluetooth::Refused => fails(
            name,
            "bluetoothd does not answer this account",
            "The D-Bus policy keeps this account from BlueZ, or the service hangs.",
            "Allow the kiosk's account in the policy of org.bluez, or restart bluetooth.",
        ),
        Bluetooth::Adapters(adapters) if adapters.is_empty() => fails(
            name,
            "no controller",
            "The machine has no Bluetooth controller, or its firmware is missing.",
            "Plug a controller in, or install its firmware package (see `dmesg`).",
        ),
        Bluetooth::Adapters(adapters) => match adapters.iter().find(|(_, powered)| *powered) {
            Some((adapter, _)) => works(name, adapter.as_str()),
            None => fails(
                name,
                "the controller is off",
                "The controller is switched off, by software or by a switch on the machine.",
                "Run `rfkill unblock bluetooth` and `bluetoothctl power on`.",
            ),
        },
    }
}

fn tpm(present: bool) -> Check {
    if present {
        return works("tpm", "TPM 2.0");
    }
    fails(
        "tpm",
        "no TPM 2.0",
        "The machine has none, or it is off in the firmware settings.",
        "Switch it on in the firmware settings; without it the device secret is protected less.",
    )
}

fn configuration(used: &[String], ignored: &[String]) -> Check {
    if ignored.is_empty() {
        let said = format!("every setting is used ({} in the file)", used.len());
        return works("configuration", said);
    }
    fails(
        "configuration",
        ignored.join("; "),
        "What is unknown, out of range or unreadable is left at its default, by the kiosk too.",
        "Correct it in the configuration file and restart the kiosk.",
    )
}

fn clock(now: Moment) -> Check {
    let year = now.wall.to_zoned(jiff::tz::TimeZone::UTC).year();
    let detail = format!("{}, up {} s", now.wall.strftime("%F %T UTC"), now.boot.0.as_secs());
    if !YEARS.contains(&year) {
        return fails(
            "clock",
            detail,
            "The clock was never set, so records would carry a wrong time.",
            "Set it with `timedatectl`, and replace the battery of the machine's clock.",
        );
    }
    if now.boot.0.is_zero() {
        return fails(
            "clock",
            detail,
            "The kernel gives no time since boot, so deadlines cannot run.",
            "Use a kernel with CLOCK_BOOTTIME (Linux 2.6.39 or newer).",
        );
    }
    works("clock", detail)
}

fn sound(devices: &[String]) -> Check {
    if devices.is_empty() {
        return fails(
            "sound",
            "no playback device",
            "ALSA offers no sound card, so alarms would be seen but not heard.",
            "Connect or enable the sound card, and let the kiosk's account into group audio.",
        );
    }
    works("sound", devices.join(", "))
}

fn fonts(font: Option<&PathBuf>) -> Check {
    match font {
        Some(path) => works("fonts", path.display().to_string()),
        None => fails(
            "fonts",
            "Noto Sans was not found",
            "The screen is laid out for this font; another one may cut numerals off.",
            "Install the package fonts-noto-core.",
        ),
    }
}

fn display(display: Option<&str>) -> Check {
    match display {
        Some(display) => works("display", display),
        None => fails(
            "display",
            "no display server",
            "Neither WAYLAND_DISPLAY nor DISPLAY is set for this account.",
            "Run inside the kiosk's session, or start one.",
        ),
    }
}

#[cfg(test)]
mod tests;
