//! Reading at a place of a file, whole.

use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;

use wardkeep_model::keeping::StoreFault;

/// Reads until the buffer is full or the file ends; how much it was.
///
/// # Errors
/// As reading a file.
pub fn read_at(file: &File, buffer: &mut [u8], at: u64) -> Result<usize, StoreFault> {
    let mut read = 0;
    while let Some(rest) = buffer.get_mut(read..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, at + read as u64) {
            Ok(0) => break,
            Ok(more) => read += more,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(read)
}
