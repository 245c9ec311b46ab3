//! A file that somebody ordered: it replaces nothing, is its owner's alone, and is not there before it is whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};

use crate::disk::durable;
use crate::disk::layout;
use wardkeep_model::keeping::{AdministrationFault as Fault, StoreFault};

/// A file that is being written, under another name beside its own. Removed unless it is finished.
pub struct NewFile {
    file: File,
    temporary: PathBuf,
    out: PathBuf,
}

impl NewFile {
    /// Whether the name is free.
    ///
    /// # Errors
    /// `Exists`: something is there, a link that leads nowhere too.
    pub fn is_free(out: &Path) -> Result<(), Fault> {
        if out.symlink_metadata().is_ok() { Err(Fault::Exists) } else { Ok(()) }
    }

    /// Begins a file.
    ///
    /// # Errors
    /// As making a file.
    pub fn create(out: &Path) -> Result<Self, StoreFault> {
        let name = out.file_name().ok_or(StoreFault::Io)?;
        let temporary = out.with_file_name(layout::temporary(name));
        durable::remove(&temporary)?;
        // Not followed if it is a link, not taken if somebody else has made it, and nobody else's to
        // read.
        let mut options = OpenOptions::new();
        let file = options.write(true).create_new(true).mode(0o600).open(&temporary)?;
        Ok(Self { file, temporary, out: out.to_owned() })
    }

    /// To write to.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Gives the file its name; durable when it returns. Its length in bytes.
    ///
    /// # Errors
    /// `Exists` if something has the name by now; otherwise as writing a file.
    pub fn finish(self) -> Result<u64, Fault> {
        self.file.sync_all().map_err(StoreFault::from)?;
        let bytes = self.file.metadata().map_err(StoreFault::from)?.len();
        let flags = RenameFlags::NOREPLACE;
        match renameat_with(CWD, &self.temporary, CWD, &self.out, flags).map_err(Into::into) {
            Ok(()) => {}
            Err(error) if is_not_offered(&error) => {
                Self::is_free(&self.out)?;
                fs::rename(&self.temporary, &self.out).map_err(StoreFault::from)?;
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(Fault::Exists),
            Err(error) => return Err(StoreFault::from(error).into()),
        }
        let dir = self.out.parent().filter(|dir| !dir.as_os_str().is_empty());
        durable::sync_dir(dir.unwrap_or(Path::new(".")))?;
        Ok(bytes)
    }
}

/// Some file systems rename, but not with a promise to replace nothing.
fn is_not_offered(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported)
}

impl Drop for NewFile {
    fn drop(&mut self) {
        match fs::remove_file(&self.temporary) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => {
                tracing::warn!(kind = ?error.kind(), "an unfinished file could not be removed");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_file_is_there_whole_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("log.txt");
        let left = || fs::read_dir(dir.path()).unwrap().count();
        let half = NewFile::create(&out).unwrap();
        half.file().write_all(b"half").unwrap();
        assert!(!out.exists());
        drop(half);
        assert_eq!(left(), 0);
        let whole = NewFile::create(&out).unwrap();
        whole.file().write_all(b"whole").unwrap();
        assert_eq!(whole.finish(), Ok(5));
        assert_eq!((fs::read(&out).unwrap(), left()), (b"whole".to_vec(), 1));
        assert_eq!(fs::metadata(&out).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_file_replaces_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("log.txt");
        assert_eq!(NewFile::is_free(&out), Ok(()));
        let late = NewFile::create(&out).unwrap();
        std::os::unix::fs::symlink("nowhere", &out).unwrap();
        assert_eq!(NewFile::is_free(&out), Err(Fault::Exists));
        assert_eq!(late.finish(), Err(Fault::Exists));
        assert_eq!(fs::read_link(&out).unwrap(), Path::new("nowhere"));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
