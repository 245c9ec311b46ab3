//! The copy that a check works on. What no look at a store changes is not copied but linked: the vault's file is
//! written only when its log is folded back, which a check never does, and of the segments of an inbox only the
//! last of a lane is.

use std::fs;
use std::path::Path;

use crate::disk::durable;
use crate::disk::layout::{self, INBOX, VALUES, VAULT, WAVES};
use wardkeep_model::keeping::StoreFault;

/// Copies a store.
///
/// # Errors
/// As reading and writing files.
pub fn copy(store: &Path, to: &Path) -> Result<(), StoreFault> {
    durable::make_dir(to)?;
    for entry in fs::read_dir(store)? {
        let entry = entry?;
        let (from, target) = (entry.path(), to.join(entry.file_name()));
        if entry.file_name() == VAULT {
            link(&from, &target)?;
        } else if entry.file_name() == INBOX {
            copy_inbox(&from, &target)?;
        } else if entry.file_type()?.is_dir() {
            copy(&from, &target)?;
        } else {
            fs::copy(&from, &target)?;
        }
    }
    Ok(())
}

fn copy_inbox(inbox: &Path, to: &Path) -> Result<(), StoreFault> {
    durable::make_dir(to)?;
    let mut last = Vec::new();
    for lane in [VALUES, WAVES] {
        let paths = fs::read_dir(inbox)?.map(|entry| entry.map(|entry| entry.path()));
        let paths: Vec<_> = paths.collect::<Result<_, _>>()?;
        let of_lane = paths.into_iter().filter_map(|path| layout::segment_number(lane, &path));
        last.extend(of_lane.max().map(|number| layout::segment(lane, number)));
    }
    for entry in fs::read_dir(inbox)? {
        let entry = entry?;
        let (from, target) = (entry.path(), to.join(entry.file_name()));
        let number = |lane| layout::segment_number(lane, &from);
        let is_segment = [VALUES, WAVES].into_iter().any(|lane| number(lane).is_some());
        let is_last = last.iter().any(|last| entry.file_name() == last.as_str());
        if is_segment && !is_last {
            link(&from, &target)?;
        } else {
            fs::copy(&from, &target)?;
        }
    }
    Ok(())
}

/// The same file under another name; a copy where the file system has no such thing.
fn link(from: &Path, to: &Path) -> Result<(), StoreFault> {
    if fs::hard_link(from, to).is_err() {
        fs::copy(from, to)?;
    }
    Ok(())
}
