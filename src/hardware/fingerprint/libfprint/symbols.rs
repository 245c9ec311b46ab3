//! The part of libfprint's and GLib's C interface that Wardkeep calls, bound at run time.
//!
//! Written after libfprint's `fp-context.h`, `fp-device.h` and `fp-print.h` (1.94). One handle is
//! enough: a symbol is looked for in the library and in everything it is linked with, and libfprint
//! is linked with GLib, GObject and GIO.

use std::ffi::{c_char, c_int, c_uint, c_void};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};

/// The library by the name that its ABI has.
const FILE: &str = "libfprint-2.so.2";

/// An object of the library.
pub(super) type Raw = *mut c_void;
/// `FpEnrollProgress`: device, stages done, print, user data, error.
pub(super) type OnStage = unsafe extern "C" fn(Raw, c_int, Raw, Raw, *mut GError);
/// `FpMatchCb`: device, match, print, user data, error. Never used.
pub(super) type OnMatch = unsafe extern "C" fn(Raw, Raw, Raw, Raw, *mut GError);

/// `GError`.
#[repr(C)]
pub(super) struct GError {
    pub(super) domain: c_uint,
    pub(super) code: c_int,
    pub(super) message: *const c_char,
}

/// The public head of `GPtrArray`.
#[repr(C)]
pub(super) struct GPtrArray {
    pub(super) items: *mut Raw,
    pub(super) length: c_uint,
}

/// libfprint is not installed, or is too old to have all that is needed.
#[derive(Debug, thiserror::Error)]
#[error("libfprint cannot be loaded")]
pub(crate) struct NoLibrary(#[source] libloading::Error);

macro_rules! symbols {
    ($($name:ident: fn($($argument:ty),*) $(-> $result:ty)?;)*) => {
        /// The functions.
        pub(super) struct Symbols {
            $(pub(super) $name: unsafe extern "C" fn($($argument),*) $(-> $result)?,)*
        }

        impl Symbols {
            fn bind(library: &Library) -> Result<Self, libloading::Error> {
                Ok(Self {
                    // SAFETY: the declared type is that of the C header, and the library is never
                    // unloaded (see `symbols`), so the pointer stays good.
                    $($name: unsafe { *library.get(concat!(stringify!($name), "\0"))? },)*
                })
            }
        }
    };
}

symbols! {
    fp_context_new: fn() -> Raw;
    fp_context_get_devices: fn(Raw) -> *mut GPtrArray;
    fp_device_get_driver: fn(Raw) -> *const c_char;
    fp_device_get_device_id: fn(Raw) -> *const c_char;
    fp_device_get_features: fn(Raw) -> c_uint;
    fp_device_get_nr_enroll_stages: fn(Raw) -> c_int;
    fp_device_open_sync: fn(Raw, Raw, *mut *mut GError) -> c_int;
    fp_device_close_sync: fn(Raw, Raw, *mut *mut GError) -> c_int;
    fp_device_enroll_sync: fn(Raw, Raw, Raw, Option<OnStage>, Raw, *mut *mut GError) -> Raw;
    fp_device_identify_sync:
        fn(Raw, *mut GPtrArray, Raw, Option<OnMatch>, Raw, *mut Raw, *mut Raw, *mut *mut GError) -> c_int;
    fp_device_verify_sync:
        fn(Raw, Raw, Raw, Option<OnMatch>, Raw, *mut c_int, *mut Raw, *mut *mut GError) -> c_int;
    fp_device_error_quark: fn() -> c_uint;
    fp_device_retry_quark: fn() -> c_uint;
    fp_print_new: fn(Raw) -> Raw;
    fp_print_serialize: fn(Raw, *mut *mut u8, *mut usize, *mut *mut GError) -> c_int;
    fp_print_deserialize: fn(*const u8, usize, *mut *mut GError) -> Raw;
    g_cancellable_cancel: fn(Raw);
    g_cancellable_new: fn() -> Raw;
    g_error_free: fn(*mut GError);
    g_free: fn(Raw);
    g_io_error_quark: fn() -> c_uint;
    g_main_context_iteration: fn(Raw, c_int) -> c_int;
    g_object_ref: fn(Raw) -> Raw;
    g_object_ref_sink: fn(Raw) -> Raw;
    g_object_unref: fn(Raw);
    g_ptr_array_add: fn(*mut GPtrArray, Raw);
    g_ptr_array_new_with_free_func: fn(Option<unsafe extern "C" fn(Raw)>) -> *mut GPtrArray;
    g_ptr_array_unref: fn(*mut GPtrArray);
}

/// Loads the library from `directory`, or from where the system keeps it; a library that was loaded
/// before is used again, because GLib's type system cannot forget one.
///
/// # Errors
/// [`NoLibrary`]; it may be asked for again later.
pub(super) fn symbols(directory: Option<&Path>) -> Result<&'static Symbols, NoLibrary> {
    static SYMBOLS: OnceLock<Symbols> = OnceLock::new();
    if let Some(symbols) = SYMBOLS.get() {
        return Ok(symbols);
    }
    let file = directory.map_or_else(|| PathBuf::from(FILE), |directory| directory.join(FILE));
    // SAFETY: loading runs the initialisers of libfprint and of what it is linked with; they set up
    // tables of their own and have no conditions.
    let library = unsafe { Library::open(Some(file), RTLD_NOW | RTLD_LOCAL) }.map_err(NoLibrary)?;
    let symbols = Symbols::bind(&library).map_err(NoLibrary);
    // Kept for the life of the process even if it does not fit: its initialisers have run.
    std::mem::forget(library);
    let symbols = symbols?;
    Ok(SYMBOLS.get_or_init(|| symbols))
}
