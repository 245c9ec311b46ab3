//! The recovery key: 24 words that open the vault when every badge, or the machine itself, is lost.
//!
//! 32 random bytes, written as BIP 39 words with their checksum, are the seed of one more recipient
//! of the vault's master key. They are shown once at first start and stored nowhere.

use bip39::Mnemonic;
use zeroize::{Zeroize, Zeroizing};

use crate::crypto::{Key, PublicKey, derive, key_pair};
use wardkeep_model::confidential::Secret;
use wardkeep_model::keeping::{RecoveryPhrase, StoreFault};

/// The words do not form a recovery key: a word is unknown, missing, or the checksum is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a recovery key")]
pub struct NotARecoveryKey;

/// Makes a recovery key: its words and its public key.
pub fn generate() -> Result<(RecoveryPhrase, PublicKey), StoreFault> {
    let entropy = Key::random()?;
    let words = Mnemonic::from_entropy(entropy.as_slice())
        .map_err(StoreFault::Io.because("making recovery words"))?;
    let (_, public) = key_pair(&seed(&entropy));
    Ok((Secret::new(words.to_string()), public))
}

/// The private key of typed words; case and spacing do not matter.
///
/// # Errors
/// The words are not the 24 of a recovery key.
pub fn private_key(phrase: &RecoveryPhrase) -> Result<Key, NotARecoveryKey> {
    pair(phrase).map(|(private, _)| private)
}

/// The key pair of typed words, without asking a file for its public half.
///
/// # Errors
/// As [`private_key`].
pub fn pair(phrase: &RecoveryPhrase) -> Result<(Key, PublicKey), NotARecoveryKey> {
    let mut typed = Zeroizing::new(phrase.expose().to_lowercase());
    let words: Zeroizing<String> =
        Zeroizing::new(typed.split_whitespace().collect::<Vec<_>>().join(" "));
    typed.zeroize();
    let mnemonic = Mnemonic::parse_normalized(&words).map_err(|_| NotARecoveryKey)?;
    let entropy = Zeroizing::new(mnemonic.to_entropy());
    let entropy = Key::from_slice(&entropy).ok_or(NotARecoveryKey)?;
    Ok(key_pair(&seed(&entropy)))
}

fn seed(entropy: &Key) -> Key {
    derive(b"", entropy.as_slice(), &[b"recovery v1"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typed_words_give_the_key_back() {
        let (phrase, public) = generate().unwrap();
        assert_eq!(phrase.expose().split(' ').count(), 24);
        let sloppy =
            Secret::new(format!("  {}\n", phrase.expose().to_uppercase().replace(' ', "  ")));
        for words in [phrase, sloppy] {
            let secret = private_key(&words).unwrap();
            let sealed = crate::crypto::seal_to(&public, b"", b"", b"x").unwrap();
            assert!(crate::crypto::open_with(&secret, b"", b"", &sealed).is_some());
        }
    }

    #[test]
    fn wrong_words_are_refused() {
        let (phrase, _) = generate().unwrap();
        let words: Vec<&str> = phrase.expose().split(' ').collect();
        let short = words[..23].join(" ");
        let twelve = "abandon abandon abandon abandon abandon abandon abandon abandon abandon \
                      abandon abandon about";
        for wrong in [short.as_str(), twelve, "", "wardkeep"] {
            assert_eq!(private_key(&Secret::new(wrong.into())), Err(NotARecoveryKey));
        }
    }
}
