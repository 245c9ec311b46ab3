//! The readers' drivers as they run: real pcscd, libusb and libfprint with virtual badges, cards and fingers.

mod badge;
mod card;
mod fingerprint;
mod hid;
mod hostile;
mod piv;
mod trust;
