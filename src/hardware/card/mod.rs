//! Smart cards and badges as bytes: commands, their answers, what they mean. No reader and no thread here.

pub mod apdu;
pub mod exchange;
pub mod piv;
pub mod proof;
mod tlv;
