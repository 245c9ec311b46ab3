//! The Bluetooth driver as it runs: the real btleplug and libdbus against a pretended BlueZ.

mod ending;
mod resilience;
mod stack;
