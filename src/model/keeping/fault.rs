//! Why the store cannot do its work.

use std::io;

/// What keeps the store from working.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreFault {
    /// Another instance holds the state directory.
    #[error("state directory is in use by another instance")]
    InUse,
    /// The state directory cannot be written.
    #[error("state directory is not writable")]
    ReadOnly,
    /// The directory holds something that is not a Wardkeep store.
    #[error("state directory holds foreign files")]
    Foreign,
    /// The device secret does not open the cart compartment (another machine's disk, or a lost key).
    #[error("device secret does not fit this store")]
    WrongDeviceSecret,
    /// The vault or a compartment does not authenticate or parse.
    #[error("store is damaged")]
    Damaged,
    /// A later program wrote it: nothing is wrong with it, and this one must not touch it.
    #[error("store was written by a later program")]
    Later,
    /// No space is left.
    #[error("disk is full")]
    Full,
    /// The system refused a read or a write.
    #[error("input or output failed")]
    Io,
    /// The program was built without SQLCipher.
    #[error("cipher is missing")]
    NoCipher,
}

impl From<io::Error> for StoreFault {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the system's enum, open to additions")]
    fn from(error: io::Error) -> Self {
        // What the system said is of no use to the operator, and all that IT has to go by. It names no file.
        tracing::warn!(errno = error.raw_os_error(), kind = ?error.kind(), "a file operation failed");
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreFault::Full,
            io::ErrorKind::ReadOnlyFilesystem
            | io::ErrorKind::PermissionDenied
            | io::ErrorKind::NotADirectory => StoreFault::ReadOnly,
            _ => StoreFault::Io,
        }
    }
}
