//! Asks the machine what `wardkeepctl doctor` reports. Every question has a bound in time or in size.

use std::fs;
use std::path::{Path, PathBuf};

use crate::ctl::doctor::factor_probe;
use crate::ctl::doctor::factors::{Factors, NOT_ALLOWED, Readers};
use crate::ctl::doctor::keeping::{Counter, Keeping};
#[cfg(feature = "gui")]
use crate::glyphs;
use wardkeep_core::config::Config;
use wardkeep_hardware::pcsc::SlotFacts;
use wardkeep_model::access::readers::AllowedReaders;
use wardkeep_model::keeping::Protection;
use wardkeep_model::keeping::{Cause, StoreFault, Unfit};
use wardkeep_model::moment::Moment;
use wardkeep_model::untrusted;
use wardkeep_store as store;

/// Where systemd's time client says that it runs, and that it has set the clock.
const TIMESYNC: &str = "/run/systemd/timesync";
const SYNCHRONISED: &str = "/run/systemd/timesync/synchronized";
/// Folders below a font folder that are searched.
const FONT_DEPTH_MAX: usize = 4;
/// Longest name of a reader (`MAX_READERNAME` of pcsc-lite).
const READER_CHARS_MAX: usize = 128;

/// What the Bluetooth service said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bluetooth {
    /// The system bus does not answer.
    NoBus,
    /// `bluetoothd` is not on the bus.
    NoDaemon,
    /// It is, but does not answer this account.
    Refused,
    /// Its controllers: name, and whether they are powered.
    Adapters(Vec<(String, bool)>),
}

/// What can be told of a store without opening it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreFacts {
    /// A store was made here.
    pub exists: bool,
    /// The service manager gives the device secret, instead of a file beside the store.
    pub sealed_secret: bool,
    /// Key slots, one per person and pair of factors.
    pub slots: usize,
    /// Bytes that wait for somebody to unlock.
    pub inbox_bytes: u64,
    /// Versions of SQLite and SQLCipher.
    pub cipher: String,
}

/// Why the state directory cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DirFault {
    /// Nothing is there.
    Missing,
    /// Something else has that name.
    NotADirectory,
    /// This account may not write there.
    ReadOnly,
    /// No store may lie there.
    Unfit(Unfit),
    /// Other accounts may look into it.
    OpenToOthers,
}

/// Everything the machine was asked.
#[derive(Clone, Debug)]
pub struct Facts {
    /// PC/SC readers.
    pub readers: Readers,
    /// Readers on USB, cards and fingers.
    pub factors: Factors,
    /// Bluetooth controllers.
    pub bluetooth: Bluetooth,
    /// The kernel offers a TPM 2.0.
    pub tpm: bool,
    /// The store, or why it cannot be used with what the system said of it.
    pub store: Result<StoreFacts, (StoreFault, Option<Cause>)>,
    /// The state directory, and what is wrong with it.
    pub state: (PathBuf, Option<DirFault>),
    /// Retention, room, memory and the counter outside the disk.
    pub keeping: Keeping,
    /// Every slot of every reader.
    pub slots: Vec<SlotFacts>,
    /// The file of settings, if there is one.
    pub settings_file: Option<PathBuf>,
    /// Keys of the settings that are used.
    pub used: Vec<String>,
    /// Settings that were not used, and why.
    pub ignored: Vec<String>,
    /// Both clocks.
    pub now: Moment,
    /// ALSA playback devices.
    pub sound: Vec<String>,
    /// Where Noto Sans lies.
    pub font: Option<PathBuf>,
    /// Scripts that names are written in, and whether there is a font for each.
    pub scripts: Vec<(&'static str, bool)>,
    /// A time server has set the clock since the machine started; `None` if nobody says.
    pub is_synchronised: Option<bool>,
    /// The display server in the environment.
    pub display: Option<String>,
}

/// Asks everything.
pub fn facts(state: &Path, config: Option<&Path>) -> Facts {
    let (site, ignored) = settings(config);
    let readers = readers();
    Facts {
        factors: factor_probe::factors(&site, &readers),
        readers,
        bluetooth: bluetooth(),
        tpm: ["/dev/tpmrm0", "/dev/tpm0"].iter().any(|node| Path::new(node).exists()),
        store: store(state).map_err(|fault| (fault, Cause::take())),
        state: (state.to_owned(), directory_fault(state)),
        keeping: keeping(state, &site),
        slots: pcsc_slots(&site.readers),
        settings_file: config.map(Path::to_owned),
        used: crate::settings::used(config),
        ignored,
        now: Moment::read(),
        is_synchronised: Path::new(TIMESYNC).exists().then(|| Path::new(SYNCHRONISED).exists()),
        sound: playback(&fs::read_to_string("/proc/asound/pcm").unwrap_or_default()),
        font: font_folders().iter().find_map(|folder| noto_sans(folder, FONT_DEPTH_MAX)),
        scripts: scripts(),
        display: display(),
    }
}

fn keeping(state: &Path, site: &Config) -> Keeping {
    let room = rustix::fs::statvfs(state).ok();
    let counter = match store::anchor_of_this_machine().read() {
        Ok(Some(_)) => Counter::Works,
        Ok(None) => Counter::Missing,
        Err(_) => Counter::Silent,
    };
    Keeping {
        retention: site.retention,
        free: room.map(|room| room.f_bavail.saturating_mul(room.f_frsize)),
        memory: store::memory_facts(),
        counter,
        has_witness: site.witness.is_some(),
    }
}

fn store(state: &Path) -> Result<StoreFacts, StoreFault> {
    let cipher = store::cipher_facts()?;
    let facts = store::inspect(state)?;
    if facts.exists {
        store::belongs_here(state)?;
    }
    Ok(StoreFacts {
        exists: facts.exists,
        sealed_secret: facts.protection == Protection::Full,
        slots: facts.slots,
        inbox_bytes: facts.inbox_bytes,
        cipher: format!("SQLite {}, SQLCipher {}", cipher.sqlite_version, cipher.cipher_version),
    })
}

/// The settings, and what the kiosk does not use of them.
fn settings(config: Option<&Path>) -> (Config, Vec<String>) {
    let (site, ignored) = crate::settings::read(config);
    (site, ignored.iter().map(ToString::to_string).collect())
}

/// Creates and removes a file: permission bits do not tell what a read-only mount or a policy allows.
fn directory_fault(state: &Path) -> Option<DirFault> {
    match fs::metadata(state) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Some(DirFault::Missing),
        Err(_) => Some(DirFault::ReadOnly),
        Ok(found) if !found.is_dir() => Some(DirFault::NotADirectory),
        Ok(_) => {
            let probe = state.join(format!(".doctor-{}", std::process::id()));
            let written = fs::File::create_new(&probe).and_then(|_| fs::remove_file(&probe));
            if written.is_err() {
                return Some(DirFault::ReadOnly);
            }
            let store::Place { unfit, is_open } = store::look_at_place(state);
            unfit.map(DirFault::Unfit).or(is_open.then_some(DirFault::OpenToOthers))
        }
    }
}

/// Names of the playback devices in `/proc/asound/pcm`, one a line: `00-00: id : name : playback 1`.
pub fn playback(table: &str) -> Vec<String> {
    let lines = table.lines().filter(|line| line.contains(": playback"));
    lines.filter_map(|line| line.split(" : ").nth(1)).map(str::to_owned).collect()
}

fn font_folders() -> Vec<PathBuf> {
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    vec![
        "/usr/share/fonts".into(),
        "/usr/local/share/fonts".into(),
        home.join(".local/share/fonts"),
        home.join(".fonts"),
    ]
}

fn noto_sans(folder: &Path, depth: usize) -> Option<PathBuf> {
    let entries = fs::read_dir(folder).ok()?.filter_map(Result::ok);
    let (folders, files): (Vec<_>, Vec<_>) =
        entries.map(|entry| entry.path()).partition(|path| path.is_dir());
    let is_noto = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("NotoSans-Regular.") || name.starts_with("NotoSans[")
    };
    let deeper = || folders.iter().find_map(|folder| noto_sans(folder, depth - 1));
    files.into_iter().find(is_noto).or_else(|| (depth > 0).then(deeper).flatten())
}

/// A letter of each script that the screen may have to show.
#[cfg(feature = "gui")]
fn scripts() -> Vec<(&'static str, bool)> {
    let letters = [
        ("Latin", 'A'),
        ("Vietnamese", '\u{1ec5}'),
        ("Greek", '\u{3b1}'),
        ("Cyrillic", '\u{436}'),
        ("Armenian", '\u{561}'),
        ("Georgian", '\u{10d0}'),
        ("Hebrew", '\u{5d0}'),
        ("Arabic", '\u{645}'),
        ("Devanagari", '\u{915}'),
        ("Bengali", '\u{995}'),
        ("Tamil", '\u{b95}'),
        ("Thai", '\u{e01}'),
        ("Han", '\u{738b}'),
        ("Hiragana", '\u{3042}'),
        ("Katakana", '\u{30a2}'),
        ("Hangul", '\u{ac00}'),
        ("Ethiopic", '\u{1200}'),
    ];
    letters.map(|(script, letter)| (script, glyphs::has_glyph(letter))).to_vec()
}

#[cfg(not(feature = "gui"))]
fn scripts() -> Vec<(&'static str, bool)> {
    vec![]
}

fn pcsc_slots(allowed: &AllowedReaders) -> Vec<SlotFacts> {
    let clean = |slot: SlotFacts| SlotFacts {
        takes: if allowed.allows(&slot.name) { slot.takes } else { NOT_ALLOWED },
        name: untrusted::clean(&slot.name, READER_CHARS_MAX),
        ..slot
    };
    // That pcscd does not answer is said by the line about badge readers.
    wardkeep_hardware::pcsc::slots().unwrap_or_default().into_iter().map(clean).collect()
}

fn display() -> Option<String> {
    ["WAYLAND_DISPLAY", "DISPLAY"].iter().find_map(|name| {
        let value = std::env::var_os(name).filter(|value| !value.is_empty())?;
        Some(format!("{name}={}", value.display()))
    })
}

fn readers() -> Readers {
    use pcsc::{Context, Error, Scope};
    let names = Context::establish(Scope::System).and_then(|context| context.list_readers_owned());
    match names {
        Ok(names) => {
            let shown = names.iter().map(|name| name.to_string_lossy());
            Readers::Listed(shown.map(|name| untrusted::clean(&name, READER_CHARS_MAX)).collect())
        }
        Err(Error::SecurityViolation | Error::NoAccess) => Readers::Refused,
        Err(_) => Readers::ServiceDown,
    }
}

fn bluetooth() -> Bluetooth {
    let clock = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let Ok(clock) = clock else { return Bluetooth::NoBus };
    // A hanging service is a finding, not a reason to hang.
    let patience = std::time::Duration::from_secs(3);
    let answer = clock.block_on(async { tokio::time::timeout(patience, bluez::adapters()).await });
    answer.unwrap_or(Bluetooth::Refused)
}

mod bluez {
    use std::collections::HashMap;

    use zbus::{OwnedObjectPath, OwnedVariant};

    use super::Bluetooth;

    const SERVICE: &str = "org.bluez";
    const ADAPTER: &str = "org.bluez.Adapter1";

    /// What `GetManagedObjects` returns: path, interface, property, value.
    type Objects = HashMap<OwnedObjectPath, HashMap<String, HashMap<String, OwnedVariant>>>;

    pub(super) async fn adapters() -> Bluetooth {
        let Ok(bus) = zbus::Connection::system().await else { return Bluetooth::NoBus };
        match is_running(&bus).await {
            Ok(true) => objects(&bus).await.map_or(Bluetooth::Refused, |objects| list(&objects)),
            Ok(false) => Bluetooth::NoDaemon,
            Err(_) => Bluetooth::NoBus,
        }
    }

    async fn is_running(bus: &zbus::Connection) -> zbus::Result<bool> {
        let (name, path) = ("org.freedesktop.DBus", "/org/freedesktop/DBus");
        let answer = bus.call_method(Some(name), path, Some(name), "NameHasOwner", &SERVICE);
        answer.await?.body().deserialize()
    }

    async fn objects(bus: &zbus::Connection) -> zbus::Result<Objects> {
        let interface = "org.freedesktop.DBus.ObjectManager";
        let answer = bus.call_method(Some(SERVICE), "/", Some(interface), "GetManagedObjects", &());
        answer.await?.body().deserialize()
    }

    fn list(objects: &Objects) -> Bluetooth {
        let adapters = objects.iter().filter_map(|(path, interfaces)| {
            let powered = interfaces.get(ADAPTER)?.get("Powered")?;
            let name = path.as_str().rsplit('/').next()?;
            Some((name.to_owned(), bool::try_from(powered).unwrap_or(false)))
        });
        let mut adapters: Vec<_> = adapters.collect();
        adapters.sort();
        Bluetooth::Adapters(adapters)
    }
}
