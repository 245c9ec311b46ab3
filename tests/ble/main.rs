//! The Bluetooth driver as it runs: the real btleplug and libdbus against a pretended BlueZ.

mod ending;
mod hostile;
mod pairing;
mod report;
mod resilience;
mod stack;
mod vendors;
mod writing;
