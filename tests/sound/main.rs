//! Alarm sounds: what they are (IEC 60601-1-8), and that they reach a sound device.

mod burst;
mod measure;
mod speaker;
