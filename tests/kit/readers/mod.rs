//! Card and badge readers: the real services with virtual badges and cards, and those who issue cards.

pub mod issuers;
pub mod pcscd;
pub mod piv_card;
pub mod piv_model;
pub mod umockdev;
pub mod vpcd;
