//! What is damaged is kept aside, never deleted: single files, or a whole store that does not open.
//!
//! A store that was set aside leaves the state directory as before a first start, so that a first start
//! or a restore can follow. Whoever has the device secret and the right factors or words may still
//! read it where it lies.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;

use crate::disk::durable::{self, StateDir};
use crate::disk::layout::{self, BACKUP_SCRATCH, CHECK_SCRATCH, DAMAGED};
use wardkeep_model::keeping::StoreFault;
use wardkeep_model::moment::Moment;

/// Single files that are kept; past that a damaged file is overwritten where it lies, so that a failing
/// disk does not fill itself.
const FILES_MAX: usize = 64;
/// Stores of one day that are kept.
const STORES_MAX: u32 = 1_000;

/// Moves the store as it is to `damaged-<day>-<n>` inside its state directory; where to.
///
/// # Errors
/// `InUse` while a kiosk runs on it, `Foreign` if there is none; otherwise as moving a file.
pub fn set_aside(state_dir: &Path) -> Result<PathBuf, StoreFault> {
    let state = StateDir::take(state_dir)?;
    if !state.store().try_exists()? {
        return Err(StoreFault::Foreign);
    }
    let day = Moment::read().wall.to_zoned(TimeZone::system()).date();
    for number in 1..=STORES_MAX {
        let place = state.path().join(layout::store_aside(day, number));
        if !place.try_exists()? {
            durable::rename(&state.store(), &place)?;
            durable::sync_dir(state.path())?;
            return Ok(place);
        }
    }
    Err(StoreFault::Full)
}

/// Moves a damaged file of the store out of the way of its other copy, which is written in its place.
///
/// # Errors
/// As moving a file.
pub fn keep_file(state: &StateDir, path: &Path, now: Moment) -> Result<(), StoreFault> {
    let dir = state.path().join(DAMAGED);
    durable::make_dir(&dir)?;
    if std::fs::read_dir(&dir)?.count() >= FILES_MAX {
        tracing::warn!("a damaged file is overwritten: as many as are kept lie aside");
        return Ok(());
    }
    let name = path.file_name().unwrap_or(OsStr::new(""));
    let stamp = now.wall.as_second();
    for number in 0..=FILES_MAX {
        let place = dir.join(layout::file_aside(stamp, number, name));
        if !place.try_exists()? {
            durable::rename(path, &place)?;
            return durable::sync_dir(&dir);
        }
    }
    Ok(())
}

/// How many damaged files and stores lie aside.
///
/// # Errors
/// As reading a directory.
pub fn kept(state_dir: &Path) -> Result<u64, StoreFault> {
    let mut kept = 0;
    for entry in std::fs::read_dir(state_dir)? {
        let entry = entry?;
        let name = entry.file_name();
        if name == DAMAGED {
            let files = std::fs::read_dir(entry.path())?.count();
            kept += u64::try_from(files).unwrap_or(u64::MAX);
        } else if name.to_string_lossy().starts_with(DAMAGED) {
            kept += 1;
        }
    }
    Ok(kept)
}

/// Removes what a killed backup or check left: it holds what may have been destroyed since.
///
/// # Errors
/// As removing a directory.
pub fn sweep(state: &StateDir) -> Result<(), StoreFault> {
    for name in [BACKUP_SCRATCH, CHECK_SCRATCH] {
        let path = state.path().join(name);
        if path.try_exists()? {
            durable::remove_dir(&path)?;
        }
    }
    Ok(())
}
