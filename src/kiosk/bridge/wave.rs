//! A waveform on its way to the screen.

use wardkeep_model::vitals::wave::WaveKind;

/// Waveform samples of one device for a bedside lane. Patient data: it has no `Debug`.
#[derive(Clone, PartialEq)]
pub struct WaveChunk {
    /// Of what.
    pub kind: WaveKind,
    /// Samples per second.
    pub rate_hz: u16,
    /// The samples in 0.0..=1.0, oldest first.
    pub samples: Vec<f32>,
}
