//! Why the store cannot do its work, and what the system said of it.

use std::cell::Cell;
use std::fmt;
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
    /// The store would be lost where it lies, or somebody else could exchange it.
    #[error("{0}")]
    Unfit(Unfit),
    /// The device secret does not open the cart compartment (another machine's disk, or a lost key).
    #[error("store belongs to another cart, or this cart's secret was replaced")]
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

impl StoreFault {
    /// This fault, for an operation of a library that gives no number: the log gets the operation's name. What the
    /// library says of it may quote a value, and goes nowhere.
    pub fn because<E>(self, operation: &'static str) -> impl FnOnce(E) -> Self {
        move |_| {
            tracing::warn!(operation, fault = %self, "an operation failed");
            Cause::note(None);
            self
        }
    }
}

/// Why no store may lie in a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// The state directory, or something of the store, belongs to another account.
    #[error("state directory belongs to another account")]
    ForeignOwner,
    /// Any account may rename what lies in a directory above it.
    #[error("a directory above the state directory lets every account exchange it")]
    OpenParent,
    /// The file system is in memory: nothing is there after a restart.
    #[error("state directory is on a file system in memory")]
    Volatile,
    /// The file system promises nothing of what is synced or locked.
    #[error("state directory is on a network file system")]
    Network,
}

impl From<io::Error> for StoreFault {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the system's enum, open to additions")]
    fn from(error: io::Error) -> Self {
        // What the system said is of no use to the operator, and all that IT has to go by. It names no file.
        tracing::warn!(errno = error.raw_os_error(), kind = ?error.kind(), "a file operation failed");
        Cause::note(error.raw_os_error().map(Cause::System));
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreFault::Full,
            io::ErrorKind::ReadOnlyFilesystem
            | io::ErrorKind::PermissionDenied
            | io::ErrorKind::NotADirectory => StoreFault::ReadOnly,
            _ => StoreFault::Io,
        }
    }
}

/// What is behind a fault, for IT: numbers of the system or of the database, never a name or a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// An error number of the system.
    System(i32),
    /// An extended result code of SQLite.
    Database(i32),
}

thread_local! {
    /// The store's faults are small and copied everywhere; what is behind the last one stays with the
    /// thread that met it.
    static LAST: Cell<Option<Cause>> = const { Cell::new(None) };
}

impl Cause {
    /// This is behind the fault that this thread reports next.
    pub fn note(cause: Option<Cause>) {
        LAST.set(cause);
    }

    /// What is behind the fault that this thread met last, if nobody has asked yet.
    pub fn take() -> Option<Cause> {
        LAST.take()
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::System(number) => write!(f, "{}", io::Error::from_raw_os_error(*number)),
            Cause::Database(code) => write!(f, "SQLite code {code}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_behind_a_fault_is_kept_for_whoever_asks_first() {
        assert_eq!(StoreFault::from(io::Error::from_raw_os_error(28)), StoreFault::Full);
        let said = Cause::take().map(|cause| cause.to_string());
        assert_eq!(said.as_deref(), Some("No space left on device (os error 28)"));
        assert_eq!(Cause::take(), None);
        Cause::note(Some(Cause::Database(779)));
        assert_eq!(
            Cause::take().map(|cause| cause.to_string()).as_deref(),
            Some("SQLite code 779")
        );
        // What the system did not number hides no number of before.
        Cause::note(Some(Cause::System(5)));
        assert_eq!(StoreFault::from(io::Error::other("x")), StoreFault::Io);
        assert_eq!(Cause::take(), None);
        Cause::note(Some(Cause::System(5)));
        assert_eq!(StoreFault::Full.because("a test")("what it said"), StoreFault::Full);
        assert_eq!(Cause::take(), None);
    }
}
