//! What the core wants done.

use wardkeep_model::keeping::Command as StoreCommand;
use wardkeep_model::ports::Command as HardwareCommand;
use wardkeep_model::vitals::wave::WaveKind;

/// Everything the core can want.
#[must_use]
#[derive(Clone, Debug)]
pub enum Effect {
    /// Ask the store.
    Store(StoreCommand),
    /// Ask the drivers.
    Hardware(HardwareCommand),
    /// Draw these samples.
    Wave {
        /// Of what.
        kind: WaveKind,
        /// Samples per second.
        rate_hz: u16,
        /// 0.0..=1.0, oldest first.
        samples: Vec<f32>,
    },
}
