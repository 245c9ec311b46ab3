//! The simulated bedside: its patient, its devices and its window.

mod bench;
mod decode;
mod driver;
mod frames;
mod physiology;
mod spots;
mod ward;
