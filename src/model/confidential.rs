//! Values that cannot be printed: keys, PINs and badge numbers ([`Secret`]), patient data ([`Phi`]).
//!
//! S-10: `{:?}` of either gives a placeholder, and neither has `Display`, so a log line, a panic
//! message or a file name cannot carry the content by accident. `expose` and `reveal` are the two
//! words to look for in review.

use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// A key, PIN or badge number: not printable, wiped on drop.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    /// Takes ownership of secret material.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The material itself; keep the borrow short.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// Patient data: not printable. Serialises as its content, because only the encrypted store and the
/// AEAD files are ever handed a serialiser.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Phi<T>(T);

impl<T> Phi<T> {
    /// Marks a value as patient data.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value, for the screen and the store.
    pub fn reveal(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Phi<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[phi]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s10_debug_shows_no_content() {
        let name = Phi::new(String::from("Okonkwo"));
        let pin = Secret::new(vec![4_u8, 7, 1, 1]);
        assert_eq!(format!("{name:?} {pin:?}"), "[phi] [secret]");
        assert_eq!(format!("{:?}", Some(&name)), "Some([phi])");
    }
}
