//! libfprint, loaded once, and the readers that it knows of.

use std::path::Path;
use std::ptr::null_mut;

use crate::fingerprint::libfprint::object::{Cancel, Claim, Object, Owner};
use crate::fingerprint::libfprint::symbols::{NoLibrary, symbols};

/// `FP_DEVICE_FEATURE_IDENTIFY`.
const IDENTIFY: u32 = 1 << 1;

/// libfprint, loaded. Only one thread of a process can have it.
#[derive(Clone)]
pub(crate) struct Library {
    owner: Owner,
}

/// Why the library cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    /// It is not installed.
    #[error(transparent)]
    NoLibrary(#[from] NoLibrary),
    /// Another thread of this process uses it.
    #[error("libfprint is in use")]
    InUse,
}

impl Library {
    /// Loads libfprint from `directory`, or from where the system keeps it.
    ///
    /// # Errors
    /// See [`LoadError`]; trying again later may help.
    pub(crate) fn load(directory: Option<&Path>) -> Result<Self, LoadError> {
        let symbols = symbols(directory)?;
        let claim = Claim::take().ok_or(LoadError::InUse)?;
        Ok(Self { owner: Owner::new(symbols, claim) })
    }

    /// Looks for readers.
    pub(crate) fn context(&self) -> Context {
        // SAFETY: takes nothing; the result is ours (transfer full).
        let raw = unsafe { (self.owner.symbols.fp_context_new)() };
        Context(self.owner.own(raw).expect("GLib ends the process rather than return no object"))
    }

    /// Something to cancel an operation with.
    pub(crate) fn cancel(&self) -> Cancel {
        Cancel::new(self.owner.symbols)
    }

    pub(super) fn owner(&self) -> &Owner {
        &self.owner
    }
}

/// The readers that libfprint knows of.
pub(crate) struct Context(Object);

impl Context {
    /// The first reader, if there is one. The first call looks for them.
    pub(crate) fn reader(&self) -> Option<Device> {
        // SAFETY: a live context, which keeps the array (transfer none).
        let devices = unsafe { (self.0.symbols().fp_context_get_devices)(self.0.raw()) };
        // SAFETY: null or a live array, which nothing changes between these two lines.
        let devices = unsafe { devices.as_ref() }?;
        if devices.length == 0 || devices.items.is_null() {
            return None;
        }
        // SAFETY: there is a first entry, a live device; the reference taken is ours.
        let device = unsafe { (self.0.symbols().g_object_ref)(*devices.items) };
        self.0.own(device).map(Device)
    }

    /// Takes in what the system reported since the last call, an unplugging for instance.
    pub(crate) fn attend(&self) {
        // Bounded: a source that is always ready must not hold the thread.
        for _ in 0..64 {
            // SAFETY: null is the default main context, which only this thread drives.
            if unsafe { (self.0.symbols().g_main_context_iteration)(null_mut(), 0) } == 0 {
                return;
            }
        }
    }
}

/// A reader, closed.
pub(crate) struct Device(Object);

impl PartialEq for Device {
    fn eq(&self, other: &Self) -> bool {
        self.0.raw() == other.0.raw()
    }
}

impl Device {
    /// libfprint's name of its driver.
    pub(crate) fn driver(&self) -> String {
        self.0.text(self.0.symbols().fp_device_get_driver)
    }

    /// libfprint's identity of it; of some drivers the serial number.
    pub(crate) fn identity(&self) -> String {
        self.0.text(self.0.symbols().fp_device_get_device_id)
    }

    /// It compares a finger with many templates at once.
    pub(crate) fn can_identify(&self) -> bool {
        // SAFETY: a live device.
        unsafe { (self.0.symbols().fp_device_get_features)(self.0.raw()) & IDENTIFY != 0 }
    }

    pub(super) fn object(&self) -> &Object {
        &self.0
    }
}
