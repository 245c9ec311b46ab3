//! A waveform on its way to the screen.

/// Waveform samples of one device for the bedside lane. Patient data: it has no `Debug`.
#[derive(Clone, PartialEq)]
pub struct WaveChunk {
    /// Samples per second.
    pub rate_hz: u16,
    /// The samples in 0.0..=1.0, oldest first.
    pub samples: Vec<f32>,
}
