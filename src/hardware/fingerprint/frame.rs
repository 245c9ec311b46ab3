//! The frame in which a template is kept, so that libfprint never sees a damaged one.
//!
//! libfprint ends the whole process when it is given a truncated print. Templates come out of the
//! vault, whose pages are authenticated; the frame catches what the vault cannot: a bug of ours that
//! cuts or mixes bytes up. It is a check of integrity, **not** of authenticity: whoever can write a
//! template can also write its frame.
//!
//! ```text
//!  "WKFP" 01 | length of the print, u32 big endian | SHA-256 of all the rest | print
//! ```

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// What the bytes are, and the version of this layout.
const TAG: [u8; 5] = *b"WKFP\x01";
const HEAD_BYTES: usize = TAG.len() + size_of::<u32>();
const DIGEST_BYTES: usize = 32;
/// libfprint's largest prints, of image sensors, have some ten kilobytes.
const PRINT_BYTES_MAX: usize = 1 << 20;

/// Why bytes are no intact template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum FrameError {
    /// They do not begin as a template does.
    #[error("no template, or of an unknown version")]
    Tag,
    /// More or fewer bytes than the frame announces, or more than any print has.
    #[error("template has the wrong length")]
    Length,
    /// Something was changed.
    #[error("template is damaged")]
    Digest,
}

/// A print that came out of an intact frame: the only kind that may be given to libfprint.
#[derive(Clone, Copy)]
pub(super) struct Intact<'a>(&'a [u8]);

impl<'a> Intact<'a> {
    /// The print.
    pub(super) fn bytes(self) -> &'a [u8] {
        self.0
    }
}

/// Puts a print into its frame.
///
/// # Errors
/// [`FrameError::Length`] when it is empty or larger than any print.
pub(super) fn seal(print: &[u8]) -> Result<Zeroizing<Vec<u8>>, FrameError> {
    let length = u32::try_from(print.len()).map_err(|_| FrameError::Length)?;
    if print.is_empty() || print.len() > PRINT_BYTES_MAX {
        return Err(FrameError::Length);
    }
    let mut frame = Zeroizing::new(Vec::with_capacity(HEAD_BYTES + DIGEST_BYTES + print.len()));
    frame.extend_from_slice(&TAG);
    frame.extend_from_slice(&length.to_be_bytes());
    let digest = digest(&frame, print);
    frame.extend_from_slice(&digest);
    frame.extend_from_slice(print);
    Ok(frame)
}

/// Takes a print out of its frame.
///
/// # Errors
/// When the bytes are not exactly what [`seal`] made.
pub(super) fn open(frame: &[u8]) -> Result<Intact<'_>, FrameError> {
    let rest = frame.strip_prefix(&TAG).ok_or(FrameError::Tag)?;
    let (length, rest) = rest.split_first_chunk().ok_or(FrameError::Length)?;
    let (told, print) = rest.split_first_chunk::<DIGEST_BYTES>().ok_or(FrameError::Length)?;
    let fits = u32::try_from(print.len()).is_ok_and(|found| found == u32::from_be_bytes(*length));
    if !fits || print.is_empty() || print.len() > PRINT_BYTES_MAX {
        return Err(FrameError::Length);
    }
    let head = frame.get(..HEAD_BYTES).ok_or(FrameError::Length)?;
    if digest(head, print) == *told { Ok(Intact(print)) } else { Err(FrameError::Digest) }
}

fn digest(head: &[u8], print: &[u8]) -> [u8; DIGEST_BYTES] {
    Sha256::new().chain_update(head).chain_update(print).finalize().into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_print_comes_out_as_it_went_in() {
        let frame = seal(b"FP3 and more").expect("a print");
        assert_eq!(frame.len(), 9 + 32 + 12);
        assert_eq!(open(&frame).expect("intact").bytes(), b"FP3 and more");
        assert_eq!(seal(b"").map(|_| ()), Err(FrameError::Length));
        assert_eq!(seal(&vec![0; PRINT_BYTES_MAX + 1]).map(|_| ()), Err(FrameError::Length));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let frame = seal(b"FP3 and more").expect("a print");
        let mut other_version = frame.to_vec();
        other_version[4] = 2;
        let mut flipped = frame.to_vec();
        flipped[50] ^= 1;
        let longer = [&frame[..], &[0]].concat();
        for (bytes, error) in [
            (&b""[..], FrameError::Tag),
            (b"FP3 and more", FrameError::Tag),
            (&other_version, FrameError::Tag),
            (&frame[..8], FrameError::Length),
            (&frame[..40], FrameError::Length),
            (&frame[..41], FrameError::Length),
            (&longer, FrameError::Length),
            (&flipped, FrameError::Digest),
        ] {
            assert_eq!(open(bytes).map(|_| ()), Err(error), "{} bytes", bytes.len());
        }
    }

    proptest! {
        /// Whatever is cut off or changed, libfprint does not see it.
        #[test]
        fn no_damaged_template_is_intact(
            print in prop::collection::vec(any::<u8>(), 1..200),
            cut in any::<prop::sample::Index>(),
            bit in 0_u8..8,
        ) {
            let frame = seal(&print).expect("a print");
            let at = cut.index(frame.len());
            prop_assert!(open(&frame[..at]).is_err());
            let mut flipped = frame.to_vec();
            flipped[at] ^= 1 << bit;
            prop_assert!(open(&flipped).is_err());
        }

        #[test]
        fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(open(&bytes).is_err());
        }
    }
}
