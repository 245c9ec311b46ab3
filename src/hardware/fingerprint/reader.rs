//! The fingerprint reader that is plugged in: whether there is one, and which.

use std::path::Path;

use crate::fingerprint::libfprint::{Context, Device, Failure, Library, LoadError, Open};
use crate::fingerprint::serial;
use wardkeep_model::access::factor::Sensor;
use wardkeep_model::ports::ReaderHealth;

/// What one look at the machine finds, for `wardkeepctl doctor`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// libfprint is not installed.
    NoLibrary,
    /// It knows no reader here.
    NotFitted,
    /// There is one, with this driver, that this account may not open, or that something else holds.
    Refused(String),
    /// There is one that works.
    Ready(Sensor),
}

/// Looks for a reader, and whether it can be opened. Takes as long as the reader takes to wake.
pub fn probe() -> Found {
    let Ok(library) = Library::load(None) else { return Found::NoLibrary };
    let context = library.context();
    let Some(device) = context.reader() else { return Found::NotFitted };
    let driver = device.driver();
    match Reader::plugged(library, context, device) {
        Ok(Reader { sensor, .. }) => Found::Ready(sensor),
        Err(Failure::Removed) => Found::NotFitted,
        Err(Failure::Retry(_) | Failure::Cancelled | Failure::Duplicate | Failure::Device(_)) => {
            Found::Refused(driver)
        }
    }
}

/// The reader that is plugged in.
pub(super) struct Reader {
    // Dropped in this order: nothing outlives what it was made from.
    pub(super) device: Device,
    pub(super) sensor: Sensor,
    context: Context,
    pub(super) library: Library,
}

impl Reader {
    /// Opens it once to learn which one it is.
    fn plugged(library: Library, context: Context, device: Device) -> Result<Self, Failure> {
        let before = serial::held();
        let open = Open::claim(&device)?;
        let serial = serial::of_opened(&before, &serial::held());
        drop(open);
        context.attend();
        let sensor = Sensor { driver: device.driver(), device: device.identity(), serial };
        Ok(Self { device, sensor, context, library })
    }

    /// Takes in what libfprint puts off until its main loop turns, the end of a claim for instance.
    pub(super) fn attend(&self) {
        self.context.attend();
    }

    /// It is still there.
    fn is_plugged(&self) -> bool {
        self.context.attend();
        self.context.reader().as_ref() == Some(&self.device)
    }
}

/// The place where a reader may be plugged in.
#[derive(Default)]
pub(super) struct Socket {
    library: Option<Library>,
    pub(super) reader: Option<Reader>,
}

impl Socket {
    /// Looks what is plugged in; `directory` holds libfprint, or the system knows where it is.
    pub(super) fn look(&mut self, directory: Option<&Path>) -> ReaderHealth {
        if let Some(reader) = self.reader.take() {
            if !reader.is_plugged() {
                return ReaderHealth::NotFitted;
            }
            self.reader = Some(reader);
            return ReaderHealth::Ready;
        }
        let library = match &self.library {
            Some(library) => library.clone(),
            None => match Library::load(directory) {
                Ok(library) => self.library.insert(library).clone(),
                Err(LoadError::NoLibrary(error)) => {
                    tracing::debug!(%error, "no fingerprint reader can be used");
                    return ReaderHealth::NoLibrary;
                }
                Err(LoadError::InUse) => return ReaderHealth::ServiceDown,
            },
        };
        let context = library.context();
        let Some(device) = context.reader() else { return ReaderHealth::NotFitted };
        match Reader::plugged(library, context, device) {
            Ok(reader) => {
                self.reader = Some(reader);
                ReaderHealth::Ready
            }
            Err(Failure::Removed) => ReaderHealth::NotFitted,
            Err(
                Failure::Retry(_) | Failure::Cancelled | Failure::Duplicate | Failure::Device(_),
            ) => ReaderHealth::Refused,
        }
    }
}
