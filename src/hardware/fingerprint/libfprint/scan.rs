//! A claimed fingerprint reader and what it does: identify, verify, enrol.
//!
//! Each call waits for a finger and ends early only by its [`Cancel`].

use std::any::Any;
use std::ffi::c_int;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr::null_mut;

use zeroize::{Zeroize, Zeroizing};

use crate::fingerprint::frame::Intact;
use crate::fingerprint::libfprint::library::{Device, Library};
use crate::fingerprint::libfprint::object::{Cancel, Failure, Object, failure, judge};
use crate::fingerprint::libfprint::symbols::{GError, GPtrArray, Raw, Symbols};
use wardkeep_model::ports::FingerAdvice;

/// What is known while a finger is enrolled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// So many stages are done, of so many.
    Stage(u8, u8),
    /// The last touch did not count.
    Advice(FingerAdvice),
}

/// A print for comparison.
pub(crate) struct Print(Object);

impl Print {
    /// Makes a print of an intact template.
    ///
    /// # Errors
    /// When it is no print of this version of libfprint.
    pub(crate) fn new(library: &Library, template: Intact<'_>) -> Result<Self, Failure> {
        let (bytes, owner) = (template.bytes(), library.owner());
        let mut error = null_mut();
        // SAFETY: pointer and length are those of a slice, which libfprint copies.
        let raw = unsafe {
            (owner.symbols.fp_print_deserialize)(bytes.as_ptr(), bytes.len(), &raw mut error)
        };
        owner.own(raw).map(Self).ok_or_else(|| failure(owner.symbols, error))
    }
}

/// A reader, claimed until it is dropped.
pub(crate) struct Open<'a>(&'a Object);

impl<'a> Open<'a> {
    /// Claims a reader.
    ///
    /// # Errors
    /// When it is not there any more, is in use, or may not be opened.
    pub(crate) fn claim(device: &'a Device) -> Result<Self, Failure> {
        let device = device.object();
        let mut error = null_mut();
        // SAFETY: a live device, no cancellable, a place for an error.
        let done = unsafe {
            (device.symbols().fp_device_open_sync)(device.raw(), null_mut(), &raw mut error)
        };
        if done == 0 { Err(failure(device.symbols(), error)) } else { Ok(Self(device)) }
    }

    /// Waits for a finger; returns which of the prints it is.
    ///
    /// # Errors
    /// See [`Failure`].
    pub(crate) fn identify(
        &self,
        prints: &[Print],
        cancel: &Cancel,
    ) -> Result<Option<usize>, Failure> {
        let device = self.0;
        let gallery = PrintArray::new(device, prints);
        let (mut found, mut scanned, mut error) = (null_mut(), null_mut(), null_mut());
        // SAFETY: live objects; no callback; places for two prints and an error.
        let done = unsafe {
            (device.symbols().fp_device_identify_sync)(
                device.raw(),
                gallery.raw,
                cancel.raw(),
                None,
                null_mut(),
                &raw mut found,
                &raw mut scanned,
                &raw mut error,
            )
        };
        // Both are ours (transfer full), whatever the result.
        let (found, _scanned) = (device.own(found), device.own(scanned));
        if done == 0 {
            return Err(failure(device.symbols(), error));
        }
        let Some(found) = found else { return Ok(None) };
        // Fail closed: a match that is none of the given prints is no match.
        let place = prints.iter().position(|print| print.0.raw() == found.raw());
        place.map(Some).ok_or(Failure::Device(None))
    }

    /// Waits for a finger; returns whether it is this one.
    ///
    /// # Errors
    /// See [`Failure`].
    pub(crate) fn verify(&self, print: &Print, cancel: &Cancel) -> Result<bool, Failure> {
        let device = self.0;
        let (mut matched, mut scanned, mut error) = (0, null_mut(), null_mut());
        // SAFETY: live objects; no callback; places for a number, a print and an error.
        let done = unsafe {
            (device.symbols().fp_device_verify_sync)(
                device.raw(),
                print.0.raw(),
                cancel.raw(),
                None,
                null_mut(),
                &raw mut matched,
                &raw mut scanned,
                &raw mut error,
            )
        };
        drop(device.own(scanned));
        if done == 0 { Err(failure(device.symbols(), error)) } else { Ok(matched != 0) }
    }

    /// Takes a new print, in several touches, and returns its bytes.
    ///
    /// # Errors
    /// See [`Failure`]; a bad touch is no failure but an advice.
    pub(crate) fn enrol<F: FnMut(Progress)>(
        &self,
        cancel: &Cancel,
        tell: F,
    ) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let device = self.0;
        // SAFETY: a live device.
        let stages = unsafe { (device.symbols().fp_device_get_nr_enroll_stages)(device.raw()) };
        let mut listener = Listener {
            symbols: device.symbols(),
            stages: u8::try_from(stages).unwrap_or(u8::MAX),
            tell,
            panic: None,
        };
        // SAFETY: a live device; the floating result becomes a reference of ours.
        let blank = unsafe {
            (device.symbols().g_object_ref_sink)((device.symbols().fp_print_new)(device.raw()))
        };
        let blank = device.own(blank).ok_or(Failure::Device(None))?;
        let mut error = null_mut();
        // SAFETY: live objects; `listener` outlives the call, and only within it, on this thread, is
        // the callback used with it.
        let print = unsafe {
            (device.symbols().fp_device_enroll_sync)(
                device.raw(),
                blank.raw(),
                cancel.raw(),
                Some(on_stage::<F>),
                (&raw mut listener).cast(),
                &raw mut error,
            )
        };
        let print = device.own(print);
        if let Some(panic) = listener.panic {
            resume_unwind(panic);
        }
        serialize(&print.ok_or_else(|| failure(device.symbols(), error))?)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        let symbols = self.0.symbols();
        let mut error = null_mut();
        // SAFETY: a live device, no cancellable, a place for an error.
        let done =
            unsafe { (symbols.fp_device_close_sync)(self.0.raw(), null_mut(), &raw mut error) };
        if done == 0 {
            let error = failure(symbols, error);
            tracing::debug!(%error, "fingerprint reader was not closed cleanly");
        }
    }
}

/// Prints in the form in which libfprint wants them.
struct PrintArray<'a> {
    raw: *mut GPtrArray,
    symbols: &'static Symbols,
    prints: PhantomData<&'a [Print]>,
}

impl<'a> PrintArray<'a> {
    fn new(device: &Object, prints: &'a [Print]) -> Self {
        let symbols = device.symbols();
        // SAFETY: the array drops one reference per entry, and one is taken for each.
        let raw = unsafe { (symbols.g_ptr_array_new_with_free_func)(Some(symbols.g_object_unref)) };
        for print in prints {
            // SAFETY: as above; both are live.
            unsafe { (symbols.g_ptr_array_add)(raw, (symbols.g_object_ref)(print.0.raw())) }
        }
        Self { raw, symbols, prints: PhantomData }
    }
}

impl Drop for PrintArray<'_> {
    fn drop(&mut self) {
        // SAFETY: this value owns one reference.
        unsafe { (self.symbols.g_ptr_array_unref)(self.raw) }
    }
}

/// What the callback of an enrolment needs.
struct Listener<F> {
    symbols: &'static Symbols,
    stages: u8,
    tell: F,
    panic: Option<Box<dyn Any + Send>>,
}

/// `FpEnrollProgress`.
unsafe extern "C" fn on_stage<F: FnMut(Progress)>(
    _device: Raw,
    done: c_int,
    _print: Raw,
    listener: Raw,
    error: *mut GError,
) {
    // SAFETY: the pointer that `enrol` gave, during its call; nothing else uses it meanwhile.
    let Some(listener) = (unsafe { listener.cast::<Listener<F>>().as_mut() }) else { return };
    // SAFETY: null, or an error that the caller keeps.
    let progress = match unsafe { error.as_ref() } {
        Some(error) => match judge(listener.symbols, error) {
            Failure::Retry(advice) => Progress::Advice(advice),
            // The operation fails with the same error.
            Failure::Cancelled | Failure::Removed | Failure::Duplicate | Failure::Device(_) => {
                return;
            }
        },
        None => Progress::Stage(u8::try_from(done).unwrap_or(u8::MAX), listener.stages),
    };
    // A panic must not cross into C; it goes on when C has returned.
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| (listener.tell)(progress))) {
        listener.panic = Some(panic);
    }
}

/// The bytes of a print; libfprint's own copy of them is wiped.
fn serialize(print: &Object) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let (mut bytes, mut length, mut error) = (null_mut::<u8>(), 0, null_mut());
    // SAFETY: a live print; places for a buffer, its length and an error.
    let done = unsafe {
        (print.symbols().fp_print_serialize)(
            print.raw(),
            &raw mut bytes,
            &raw mut length,
            &raw mut error,
        )
    };
    if done == 0 || bytes.is_null() {
        return Err(failure(print.symbols(), error));
    }
    // SAFETY: a buffer of that length, which is ours alone until it is freed below.
    let buffer = unsafe { std::slice::from_raw_parts_mut(bytes, length) };
    let copy = Zeroizing::new(buffer.to_vec());
    buffer.zeroize();
    // SAFETY: allocated by GLib for us (transfer full), and not used any more.
    unsafe { (print.symbols().g_free)(bytes.cast()) };
    Ok(copy)
}
