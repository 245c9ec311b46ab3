//! Files that survive a kill: the state directory, its lock, and writes that leave old or new.
//!
//! What lies there is in [`crate::disk::layout`]. Directories are 0700, files 0600.
//!
//! S-8: [`replace`] writes a temporary file in the same directory, syncs it, renames it and syncs
//! the directory, so at any kill the name shows the whole old or the whole new content.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::disk::layout::{self, DAMAGED, EXPECTED, LOCK, STORE, TEMPORARY, UNFINISHED};
use crate::disk::place;
use wardkeep_model::keeping::StoreFault;

/// How often, and how soon again, a lock that somebody holds is tried: two seconds in all.
const LOCK_TRIES: u32 = 100;
const LOCK_TRY_EVERY: Duration = Duration::from_millis(20);

/// The state directory, held by this process alone.
#[derive(Debug)]
pub struct StateDir {
    path: PathBuf,
    _lock: File,
    /// Files of the store that other accounts could reach until it was taken.
    was_open: u64,
}

impl StateDir {
    /// Makes the directory if it is not there, checks it, locks it, and closes it to everybody else.
    pub fn take(path: &Path) -> Result<Self, StoreFault> {
        // Before anything is made where somebody else could exchange it.
        place::owned(path)?;
        make_dir(path)?;
        refuse_foreign(path)?;
        let lock = private().read(true).write(true).create(true).open(path.join(LOCK))?;
        hold(&lock)?;
        let was_open = place::close(path)?;
        Ok(Self { path: path.to_owned(), _lock: lock, was_open })
    }

    /// How many files of the store other accounts could reach until it was taken.
    pub fn was_open(&self) -> u64 {
        self.was_open
    }

    /// The live store.
    pub fn store(&self) -> PathBuf {
        layout::store(&self.path)
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Starts a store that is not live until [`StateDir::finish`]; removes an unfinished one.
    pub fn begin(&self) -> Result<PathBuf, StoreFault> {
        let unfinished = self.path.join(UNFINISHED);
        remove_dir(&unfinished)?;
        make_dir(&unfinished)?;
        Ok(unfinished)
    }

    /// Removes the store that [`StateDir::begin`] started.
    pub fn abandon(&self) -> Result<(), StoreFault> {
        remove_dir(&self.path.join(UNFINISHED))
    }

    /// Makes the store that [`StateDir::begin`] started the live one, in one rename.
    pub fn finish(&self) -> Result<(), StoreFault> {
        sync_dir(&self.path.join(UNFINISHED))?;
        fs::rename(self.path.join(UNFINISHED), self.store())?;
        sync_dir(&self.path)
    }
}

#[cfg(test)]
impl StateDir {
    /// Takes a directory that was just let go. A process that another test is starting has a copy of
    /// every lock until it runs, so this waits.
    pub fn take_again(path: &Path) -> Result<Self, StoreFault> {
        for _ in 0..60_000 {
            match Self::take(path) {
                Err(StoreFault::InUse) => std::thread::sleep(Duration::from_millis(1)),
                taken => return taken,
            }
        }
        Err(StoreFault::InUse)
    }
}

/// Locks the file. Whoever has just let go may leave a copy of the lock for a moment: a program that it is starting
/// has one until it runs.
fn hold(lock: &File) -> Result<(), StoreFault> {
    for _ in 0..LOCK_TRIES {
        match lock.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_TRY_EVERY),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
    }
    Err(StoreFault::InUse)
}

fn refuse_foreign(path: &Path) -> Result<(), StoreFault> {
    let mut store = false;
    let mut foreign = false;
    for entry in fs::read_dir(path)? {
        let name = entry?.file_name();
        let name = name.to_string_lossy();
        store |= name == STORE;
        let ours = [TEMPORARY, DAMAGED].iter().any(|front| name.starts_with(front));
        foreign |= !EXPECTED.contains(&name.as_ref()) && !ours;
    }
    // Beside a live store strangers do no harm; without one this may be somebody's home directory.
    if foreign && !store { Err(StoreFault::Foreign) } else { Ok(()) }
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

/// Makes a directory for its owner alone; a directory that exists is left as it is.
pub fn make_dir(path: &Path) -> Result<(), StoreFault> {
    steps::step()?;
    Ok(DirBuilder::new().recursive(true).mode(0o700).create(path)?)
}

/// Makes a file that was not there, for its owner alone.
pub fn create_new(path: &Path) -> Result<File, StoreFault> {
    steps::step()?;
    Ok(private().write(true).create_new(true).open(path)?)
}

/// Gives a file room for `len` bytes, which read as zeros. On a file system that cannot, room is found
/// missing only when it is written.
pub fn allocate(file: &File, len: u64) -> Result<(), StoreFault> {
    steps::step()?;
    match rustix::fs::fallocate(file, rustix::fs::FallocateFlags::empty(), 0, len) {
        Err(rustix::io::Errno::OPNOTSUPP) => Ok(()),
        other => Ok(other.map_err(io::Error::from)?),
    }
}

/// Writes within a file; durable after [`sync_data`].
pub fn write_at(file: &File, content: &[u8], offset: u64) -> Result<(), StoreFault> {
    steps::step()?;
    Ok(file.write_all_at(content, offset)?)
}

/// Makes what was written within a file's length durable. After an error nobody knows what is on the
/// disk, and asking again would not tell (fsync reports a failure once).
pub fn sync_data(file: &File) -> Result<(), StoreFault> {
    steps::step()?;
    Ok(file.sync_data()?)
}

/// Makes a file end here, durably.
pub fn cut(path: &Path, len: u64) -> Result<(), StoreFault> {
    steps::step()?;
    let file = File::options().write(true).open(path)?;
    file.set_len(len)?;
    Ok(file.sync_all()?)
}

/// Replaces a file's content: at any kill the old or the new, whole.
pub fn replace(dir: &Path, name: &str, content: &[u8]) -> Result<(), StoreFault> {
    steps::step()?;
    let temporary = dir.join(layout::temporary(name.as_ref()));
    let mut file = private().write(true).create(true).truncate(true).open(&temporary)?;
    steps::step()?;
    file.write_all(content)?;
    file.sync_all()?;
    rename(&temporary, &dir.join(name))?;
    sync_dir(dir)
}

/// Writes over a file in place, or makes it; durable when it returns. A kill leaves any mixture of old
/// and new: it is for files that are of use only once something else names what they hold.
pub fn overwrite(path: &Path, content: &[u8]) -> Result<(), StoreFault> {
    let is_new = !path.try_exists()?;
    steps::step()?;
    let file = private().write(true).create(true).truncate(false).open(path)?;
    file.set_len(content.len() as u64)?;
    steps::step()?;
    file.write_all_at(content, 0)?;
    file.sync_all()?;
    match path.parent() {
        Some(dir) if is_new => sync_dir(dir),
        Some(_) | None => Ok(()),
    }
}

/// Opens a file of ours for reading and for [`overwrite_at`]; `None` if there is none.
pub fn open_existing(path: &Path) -> Result<Option<File>, StoreFault> {
    match private().read(true).write(true).open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Writes over a part of a file whose length does not change; durable when it returns.
pub fn overwrite_at(file: &File, content: &[u8], at: u64) -> Result<(), StoreFault> {
    write_at(file, content, at)?;
    sync_data(file)
}

/// Makes renames and new names in a directory durable.
pub fn sync_dir(dir: &Path) -> Result<(), StoreFault> {
    steps::step()?;
    Ok(File::open(dir)?.sync_all()?)
}

/// Makes what was written into a file by other means durable.
pub fn sync_file(path: &Path) -> Result<(), StoreFault> {
    steps::step()?;
    Ok(File::open(path)?.sync_all()?)
}

/// Moves a file within the state directory; durable once the directories are synced.
pub fn rename(from: &Path, to: &Path) -> Result<(), StoreFault> {
    steps::step()?;
    Ok(fs::rename(from, to)?)
}

/// Removes a file, if it is there.
pub fn remove(path: &Path) -> Result<(), StoreFault> {
    steps::step()?;
    absent_is_fine(fs::remove_file(path))
}

/// Removes a directory with everything in it, if it is there.
pub fn remove_dir(path: &Path) -> Result<(), StoreFault> {
    steps::step()?;
    absent_is_fine(fs::remove_dir_all(path))
}

fn absent_is_fine(removed: std::io::Result<()>) -> Result<(), StoreFault> {
    match removed {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => Ok(other?),
    }
}

/// Nothing comes between two changes of the disk.
#[cfg(not(test))]
mod steps {
    use super::StoreFault;

    #[expect(clippy::unnecessary_wraps, reason = "a test's step may fail")]
    pub fn step() -> Result<(), StoreFault> {
        Ok(())
    }
}

/// What a test puts before every change of the disk in its own thread: a look at it, or a fault.
#[cfg(test)]
pub mod steps {
    use std::cell::RefCell;

    use super::StoreFault;

    type Watch = Box<dyn FnMut() -> Result<(), StoreFault>>;

    thread_local! {
        static WATCH: RefCell<Option<Watch>> = const { RefCell::new(None) };
    }

    /// Calls `watch` before every change from here on; its fault is the change's.
    pub fn watch(watch: impl FnMut() -> Result<(), StoreFault> + 'static) {
        WATCH.set(Some(Box::new(watch)));
    }

    /// Calls nothing any more.
    pub fn end() {
        WATCH.set(None);
    }

    pub(crate) fn step() -> Result<(), StoreFault> {
        WATCH.with_borrow_mut(|watch| watch.as_mut().map_or(Ok(()), |watch| watch()))
    }
}

/// Reads a whole file of at most `max` bytes; `None` if there is none, `Damaged` if it is longer.
pub fn read(path: &Path, max: u64) -> Result<Option<Vec<u8>>, StoreFault> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let mut content = Vec::new();
    file.take(max + 1).read_to_end(&mut content)?;
    if content.len() as u64 > max { Err(StoreFault::Damaged) } else { Ok(Some(content)) }
}

/// Reads at most `len` bytes from a file's start; none if it is not there.
pub fn read_start(path: &Path, len: usize) -> Result<Vec<u8>, StoreFault> {
    let mut start = Vec::new();
    match File::open(path) {
        Ok(file) => file.take(len as u64).read_to_end(&mut start)?,
        Err(error) if error.kind() == ErrorKind::NotFound => 0,
        Err(error) => return Err(error.into()),
    };
    Ok(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leftover_of_a_killed_write_is_ignored_and_replaced() {
        let dir = tempfile::tempdir().unwrap();
        replace(dir.path(), "cart", b"old").unwrap();
        fs::write(dir.path().join(".tmp-cart"), b"half of the n").unwrap();
        assert_eq!(read(&dir.path().join("cart"), 10).unwrap().unwrap(), b"old");
        replace(dir.path(), "cart", b"new").unwrap();
        assert_eq!(read(&dir.path().join("cart"), 10).unwrap().unwrap(), b"new");
        assert!(!dir.path().join(".tmp-cart").exists());
        assert_eq!(read(&dir.path().join("cart"), 2), Err(StoreFault::Damaged));
        assert_eq!(read(&dir.path().join("none"), 2), Ok(None));
    }

    #[test]
    fn a_lock_that_is_being_let_go_is_waited_for_and_one_that_is_held_is_not_taken() {
        let dir = tempfile::tempdir().unwrap();
        let held = StateDir::take(dir.path()).unwrap();
        assert_eq!(StateDir::take(dir.path()).map(drop), Err(StoreFault::InUse));
        let letting_go = std::thread::spawn(move || {
            std::thread::sleep(LOCK_TRY_EVERY * 5);
            drop(held);
        });
        assert_eq!(StateDir::take(dir.path()).map(drop), Ok(()));
        letting_go.join().unwrap();
    }

    #[test]
    fn files_are_for_their_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("deep").join("state");
        let held = StateDir::take(&state).unwrap();
        replace(&held.path, "cart", b"x").unwrap();
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&state), 0o700);
        assert_eq!(mode(&state.join("cart")), 0o600);
        assert_eq!(mode(&state.join(LOCK)), 0o600);
    }
}
