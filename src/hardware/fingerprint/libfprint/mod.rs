//! libfprint behind types that cannot be misused.
//!
//! - Everything lives on one thread: GLib's objects here belong to its default main context, which
//!   only one thread may drive. [`Library`] exists once in a process, and neither it nor anything
//!   made from it can be sent to another thread. The one exception is [`Cancel`], whose C functions
//!   are thread-safe.
//! - Only an [`Open`] reader scans, and it closes itself.
//! - Only an intact template ([`frame`](crate::fingerprint::frame)) becomes a [`Print`]: libfprint
//!   aborts on truncated bytes.
//! - Retry codes and device errors share numbers; [`Failure`] is decided by the error's domain.
#![expect(unsafe_code, reason = "binds and calls a C library")]

mod library;
mod object;
mod scan;
mod symbols;

pub(super) use library::{Context, Device, Library, LoadError};
pub(super) use object::{Cancel, Failure};
pub(super) use scan::{Open, Print, Progress};
