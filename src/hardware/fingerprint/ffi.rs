//! libfprint behind types that cannot be misused.
//!
//! - Everything lives on one thread: GLib's objects here belong to its default main context, which
//!   only one thread may drive. [`Library`] exists once in a process, and neither it nor anything
//!   made from it can be sent to another thread. The one exception is [`Cancel`], whose C functions
//!   are thread-safe.
//! - Only an [`Open`] reader scans, and it closes itself.
//! - Only an [`Intact`] template becomes a [`Print`]: libfprint aborts on truncated bytes.
//! - Retry codes and device errors share numbers; [`Failure`] is decided by the error's domain.
#![expect(unsafe_code, reason = "binds and calls a C library")]

mod scan;
mod symbols;

use std::ffi::{CStr, c_char, c_int, c_void};
use std::path::Path;
use std::ptr::{NonNull, null_mut};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::fingerprint::frame::Intact;
use wardkeep_model::ports::FingerAdvice;

pub use scan::Progress;
pub use symbols::NoLibrary;
use symbols::{GError, Raw, Symbols, symbols};

/// `FP_DEVICE_FEATURE_IDENTIFY`.
const IDENTIFY: u32 = 1 << 1;
/// `FP_DEVICE_ERROR_DATA_DUPLICATE`.
const DATA_DUPLICATE: c_int = 9;
/// `FP_DEVICE_ERROR_REMOVED`.
const REMOVED: c_int = 0x100;
/// `G_IO_ERROR_CANCELLED`.
const IO_CANCELLED: c_int = 19;

/// Why libfprint did not do what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The finger was not read well.
    #[error("finger not read well")]
    Retry(FingerAdvice),
    /// Somebody cancelled it.
    #[error("cancelled")]
    Cancelled,
    /// The reader was unplugged; nothing works on it any more.
    #[error("reader was unplugged")]
    Removed,
    /// The reader has this finger already.
    #[error("finger is enrolled already")]
    Duplicate,
    /// Anything else, with libfprint's number if it is one of its own.
    #[error("reader failed (code {0:?})")]
    Device(Option<c_int>),
}

/// libfprint, loaded. Only one thread of a process can have it.
#[derive(Clone)]
pub struct Library {
    symbols: &'static Symbols,
    claim: Rc<Claim>,
}

/// The right to be the thread that uses libfprint.
struct Claim;

static CLAIMED: AtomicBool = AtomicBool::new(false);

impl Drop for Claim {
    fn drop(&mut self) {
        CLAIMED.store(false, Ordering::Release);
    }
}

/// Why the library cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
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
    pub fn load(directory: Option<&Path>) -> Result<Self, LoadError> {
        let symbols = symbols(directory)?;
        if CLAIMED.swap(true, Ordering::Acquire) {
            return Err(LoadError::InUse);
        }
        Ok(Self { symbols, claim: Rc::new(Claim) })
    }

    /// Looks for readers.
    pub fn context(&self) -> Context {
        // SAFETY: takes nothing; the result is ours (transfer full).
        let raw = unsafe { (self.symbols.fp_context_new)() };
        Context(self.own(raw).expect("GLib ends the process rather than return no object"))
    }

    /// Something to cancel an operation with.
    pub fn cancel(&self) -> Cancel {
        // SAFETY: takes nothing; the result is ours (transfer full).
        let raw = unsafe { (self.symbols.g_cancellable_new)() };
        let raw = NonNull::new(raw).expect("GLib ends the process rather than return no object");
        Cancel { raw, symbols: self.symbols }
    }

    /// Makes a print of an intact template.
    ///
    /// # Errors
    /// When it is no print of this version of libfprint.
    pub fn print(&self, template: Intact<'_>) -> Result<Print, Failure> {
        let bytes = template.bytes();
        let mut error = null_mut();
        // SAFETY: pointer and length are those of a slice, which libfprint copies.
        let raw = unsafe {
            (self.symbols.fp_print_deserialize)(bytes.as_ptr(), bytes.len(), &raw mut error)
        };
        self.own(raw).map(Print).ok_or_else(|| failure(self.symbols, error))
    }

    /// Takes over a reference.
    fn own(&self, raw: Raw) -> Option<Object> {
        let raw = NonNull::new(raw)?;
        Some(Object { raw, symbols: self.symbols, claim: Rc::clone(&self.claim) })
    }
}

/// A counted reference to a GLib object, on the thread that made it.
struct Object {
    raw: NonNull<c_void>,
    symbols: &'static Symbols,
    claim: Rc<Claim>,
}

impl Object {
    fn raw(&self) -> Raw {
        self.raw.as_ptr()
    }

    /// Takes over a reference to another object.
    fn own(&self, raw: Raw) -> Option<Object> {
        let raw = NonNull::new(raw)?;
        Some(Object { raw, symbols: self.symbols, claim: Rc::clone(&self.claim) })
    }

    /// A text that this object keeps.
    fn text(&self, ask: unsafe extern "C" fn(Raw) -> *const c_char) -> String {
        // SAFETY: `ask` is a getter of this object's class, by the callers below.
        let text = unsafe { ask(self.raw()) };
        if text.is_null() {
            return String::new();
        }
        // SAFETY: a zero-terminated text that the object keeps (transfer none); it is copied here.
        unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
    }
}

impl Drop for Object {
    fn drop(&mut self) {
        // SAFETY: this value owns one reference, on the thread that uses the library.
        unsafe { (self.symbols.g_object_unref)(self.raw()) }
    }
}

/// Cancels an operation, from any thread.
pub struct Cancel {
    raw: NonNull<c_void>,
    symbols: &'static Symbols,
}

// SAFETY: GCancellable is documented as thread-safe, and reference counts are atomic.
unsafe impl Send for Cancel {}
// SAFETY: as above.
unsafe impl Sync for Cancel {}

impl Cancel {
    /// Ends the operation it was given to, now or as soon as it begins.
    pub fn cancel(&self) {
        // SAFETY: a live GCancellable.
        unsafe { (self.symbols.g_cancellable_cancel)(self.raw.as_ptr()) }
    }
}

impl Drop for Cancel {
    fn drop(&mut self) {
        // SAFETY: this value owns one reference.
        unsafe { (self.symbols.g_object_unref)(self.raw.as_ptr()) }
    }
}

/// The readers that libfprint knows of.
pub struct Context(Object);

impl Context {
    /// The first reader, if there is one. The first call looks for them.
    pub fn reader(&self) -> Option<Device> {
        // SAFETY: a live context, which keeps the array (transfer none).
        let devices = unsafe { (self.0.symbols.fp_context_get_devices)(self.0.raw()) };
        // SAFETY: null or a live array, which nothing changes between these two lines.
        let devices = unsafe { devices.as_ref() }?;
        if devices.length == 0 || devices.items.is_null() {
            return None;
        }
        // SAFETY: there is a first entry, a live device; the reference taken is ours.
        let device = unsafe { (self.0.symbols.g_object_ref)(*devices.items) };
        self.0.own(device).map(Device)
    }

    /// Takes in what the system reported since the last call, an unplugging for instance.
    pub fn attend(&self) {
        // Bounded: a source that is always ready must not hold the thread.
        for _ in 0..64 {
            // SAFETY: null is the default main context, which only this thread drives.
            if unsafe { (self.0.symbols.g_main_context_iteration)(null_mut(), 0) } == 0 {
                return;
            }
        }
    }
}

/// A reader, closed.
pub struct Device(Object);

impl PartialEq for Device {
    fn eq(&self, other: &Self) -> bool {
        self.0.raw == other.0.raw
    }
}

impl Device {
    /// libfprint's name of its driver.
    pub fn driver(&self) -> String {
        self.0.text(self.0.symbols.fp_device_get_driver)
    }

    /// libfprint's identity of it; of some drivers the serial number.
    pub fn identity(&self) -> String {
        self.0.text(self.0.symbols.fp_device_get_device_id)
    }

    /// It compares a finger with many templates at once.
    pub fn can_identify(&self) -> bool {
        // SAFETY: a live device.
        unsafe { (self.0.symbols.fp_device_get_features)(self.0.raw()) & IDENTIFY != 0 }
    }

    /// Claims it until the result is dropped.
    ///
    /// # Errors
    /// When it is not there any more, is in use, or may not be opened.
    pub fn open(&self) -> Result<Open<'_>, Failure> {
        let mut error = null_mut();
        // SAFETY: a live device, no cancellable, a place for an error.
        let done = unsafe {
            (self.0.symbols.fp_device_open_sync)(self.0.raw(), null_mut(), &raw mut error)
        };
        if done == 0 { Err(failure(self.0.symbols, error)) } else { Ok(Open(self)) }
    }
}

/// A print for comparison.
pub struct Print(Object);

/// A reader, claimed until it is dropped.
pub struct Open<'a>(&'a Device);

/// Takes over an error of libfprint.
fn failure(symbols: &Symbols, error: *mut GError) -> Failure {
    // SAFETY: null, or an error that is ours.
    let Some(told) = (unsafe { error.as_ref() }) else { return Failure::Device(None) };
    let failure = judge(symbols, told);
    if matches!(failure, Failure::Device(_)) && !told.message.is_null() {
        // SAFETY: a zero-terminated text that the error keeps.
        let message = unsafe { CStr::from_ptr(told.message) }.to_string_lossy();
        tracing::debug!(code = told.code, %message, "libfprint reports an error");
    }
    // SAFETY: ours (transfer full), and not used any more.
    unsafe { (symbols.g_error_free)(error) };
    failure
}

fn judge(symbols: &Symbols, error: &GError) -> Failure {
    // SAFETY: these take nothing and return the numbers of error domains.
    let (retry, device, io) = unsafe {
        (
            (symbols.fp_device_retry_quark)(),
            (symbols.fp_device_error_quark)(),
            (symbols.g_io_error_quark)(),
        )
    };
    match (error.domain, error.code) {
        // FpDeviceRetry: too short, centre, remove; the rest is general.
        (domain, code) if domain == retry => Failure::Retry(match code {
            1 => FingerAdvice::Longer,
            2 => FingerAdvice::Centre,
            3 => FingerAdvice::Lift,
            _ => FingerAdvice::Again,
        }),
        (domain, DATA_DUPLICATE) if domain == device => Failure::Duplicate,
        (domain, REMOVED) if domain == device => Failure::Removed,
        (domain, IO_CANCELLED) if domain == io => Failure::Cancelled,
        (domain, code) => Failure::Device((domain == device).then_some(code)),
    }
}
