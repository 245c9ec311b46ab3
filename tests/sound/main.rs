//! Alarm sounds: what they are (IEC 60601-1-8), and that they reach a sound device.

mod burst;
mod measure;
#[path = "../support/namespace.rs"]
mod namespace;
mod speaker;
