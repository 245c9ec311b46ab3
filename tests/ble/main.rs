//! The Bluetooth driver as it runs: the real btleplug and libdbus against a pretended BlueZ.

mod ending;
mod hostile;
mod pairing;
mod resilience;
mod stack;
mod vendors;
mod writing;
