//! Counted references to libfprint's objects, what cancels an operation, and its errors.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr::NonNull;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::fingerprint::libfprint::symbols::{GError, Raw, Symbols};
use wardkeep_model::ports::FingerAdvice;

/// `FP_DEVICE_ERROR_DATA_DUPLICATE`.
const DATA_DUPLICATE: c_int = 9;
/// `FP_DEVICE_ERROR_REMOVED`.
const REMOVED: c_int = 0x100;
/// `G_IO_ERROR_CANCELLED`.
const IO_CANCELLED: c_int = 19;

/// Why libfprint did not do what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
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

/// The right to be the thread that uses libfprint. Only one value exists at a time.
pub(super) struct Claim;

static CLAIMED: AtomicBool = AtomicBool::new(false);

impl Claim {
    /// Takes the right, if nobody has it.
    pub(super) fn take() -> Option<Self> {
        (!CLAIMED.swap(true, Ordering::Acquire)).then_some(Self)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        CLAIMED.store(false, Ordering::Release);
    }
}

/// Who owns references: the library, on the thread that claimed it.
#[derive(Clone)]
pub(super) struct Owner {
    pub(super) symbols: &'static Symbols,
    /// Keeps the library this thread's for as long as anything of it is left.
    #[expect(dead_code, reason = "given back when the last owner is dropped")]
    claim: Rc<Claim>,
}

impl Owner {
    pub(super) fn new(symbols: &'static Symbols, claim: Claim) -> Self {
        Self { symbols, claim: Rc::new(claim) }
    }

    /// Takes over a reference; `None` for null.
    pub(super) fn own(&self, raw: Raw) -> Option<Object> {
        Some(Object { raw: NonNull::new(raw)?, owner: self.clone() })
    }
}

/// A counted reference to a GLib object, on the thread that made it.
pub(super) struct Object {
    raw: NonNull<c_void>,
    owner: Owner,
}

impl Object {
    pub(super) fn raw(&self) -> Raw {
        self.raw.as_ptr()
    }

    pub(super) fn symbols(&self) -> &'static Symbols {
        self.owner.symbols
    }

    /// Takes over a reference to another object.
    pub(super) fn own(&self, raw: Raw) -> Option<Object> {
        self.owner.own(raw)
    }

    /// A text that this object keeps. `ask` has to be a getter of this object's class.
    pub(super) fn text(&self, ask: unsafe extern "C" fn(Raw) -> *const c_char) -> String {
        // SAFETY: `ask` is a getter of this object's class, by the callers.
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
        unsafe { (self.symbols().g_object_unref)(self.raw()) }
    }
}

/// Cancels an operation, from any thread.
pub(crate) struct Cancel {
    raw: NonNull<c_void>,
    symbols: &'static Symbols,
}

// SAFETY: GCancellable is documented as thread-safe, and reference counts are atomic.
unsafe impl Send for Cancel {}
// SAFETY: as above.
unsafe impl Sync for Cancel {}

impl Cancel {
    pub(super) fn new(symbols: &'static Symbols) -> Self {
        // SAFETY: takes nothing; the result is ours (transfer full).
        let raw = unsafe { (symbols.g_cancellable_new)() };
        let raw = NonNull::new(raw).expect("GLib ends the process rather than return no object");
        Self { raw, symbols }
    }

    pub(super) fn raw(&self) -> Raw {
        self.raw.as_ptr()
    }

    /// Ends the operation it was given to, now or as soon as it begins.
    pub(crate) fn cancel(&self) {
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

/// Takes over an error of libfprint.
pub(super) fn failure(symbols: &Symbols, error: *mut GError) -> Failure {
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

pub(super) fn judge(symbols: &Symbols, error: &GError) -> Failure {
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
