//! Waveforms as they are recorded: samples of assigned devices, gathered into stretches.
//!
//! A stretch ends when it is long enough, at a gap, when its rate or its owner changes, and when the
//! program ends; never because the screen locks. A kill loses at most the stretch that is gathered.
//!
//! S-2: nothing here asks whether a session is open. S-6: a sample without an owner at its arrival is
//! not kept, and no stretch holds samples of two owners.

use wardkeep_model::confidential::Phi;
use wardkeep_model::keeping::Command as StoreCommand;
use wardkeep_model::moment::Moment;
use wardkeep_model::vitals::nomenclature::PLETH;
use wardkeep_model::vitals::wave::WaveSegment;
use wardkeep_model::vitals::{Provenance, RecordId};

use crate::kiosk::held::{Stretch, WaveSource};
use crate::kiosk::{Effect, Kiosk};

impl Kiosk {
    /// Keeps samples of an assigned device, locked or open.
    pub(super) fn gather(
        &mut self,
        now: Moment,
        source: WaveSource,
        samples: &[f32],
    ) -> Vec<Effect> {
        if source.rate_hz == 0 {
            return vec![];
        }
        let ended = self.waves.take(now, source, samples);
        self.record_waves(ended)
    }

    /// Ends every stretch that nothing will be added to.
    pub(super) fn end_waves(&mut self, now: Moment) -> Vec<Effect> {
        let pairing = &self.pairing;
        let ended = self.waves.end(now, |device| pairing.owner(device, now.wall));
        self.record_waves(ended)
    }

    /// The program ends: what was gathered is recorded.
    pub fn end(&mut self) -> Vec<Effect> {
        let ended = self.waves.end_all();
        self.record_waves(ended)
    }

    fn record_waves(&mut self, ended: Vec<Stretch>) -> Vec<Effect> {
        let simulated = self.around.simulated;
        let mut record = |Stretch { source, start, samples }| {
            self.seq += 1;
            Effect::Store(StoreCommand::RecordWave(Box::new(WaveSegment {
                record: RecordId { run: self.around.run, seq: self.seq },
                code: PLETH,
                rate_hz: source.rate_hz,
                start: start.wall,
                samples: Phi::new(samples),
                device: source.device,
                subject: Some(source.subject),
                provenance: if simulated { Provenance::Simulated } else { Provenance::Device },
            })))
        };
        ended.into_iter().map(&mut record).collect()
    }
}
