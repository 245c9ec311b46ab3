//! How the readers, the radio and the speaker are.

use std::collections::BTreeMap;

use crate::kiosk::refusals::Refusals;
use wardkeep_model::access::factor::Sensor;
use wardkeep_model::ports::{RadioHealth, ReaderHealth, ReaderKind, SpeakerHealth};

/// As their drivers told last.
pub(super) struct Health {
    readers: BTreeMap<ReaderKind, ReaderHealth>,
    /// The fingerprint reader's name; empty without one.
    pub(super) sensor: String,
    pub(super) radio: RadioHealth,
    pub(super) speaker: SpeakerHealth,
    pub(super) refusals: Refusals,
}

impl Default for Health {
    fn default() -> Self {
        let readers = [ReaderKind::Badge, ReaderKind::SmartCard, ReaderKind::Finger];
        Self {
            readers: readers.into_iter().map(|kind| (kind, ReaderHealth::NotFitted)).collect(),
            sensor: String::new(),
            radio: RadioHealth::ServiceDown,
            speaker: SpeakerHealth::Ready,
            refusals: Refusals::default(),
        }
    }
}

impl Health {
    pub(super) fn reader(&self, kind: ReaderKind) -> ReaderHealth {
        self.readers.get(&kind).copied().unwrap_or(ReaderHealth::NotFitted)
    }

    /// Each of them, in the order badge, card, finger.
    pub(super) fn readers(&self) -> Vec<(ReaderKind, ReaderHealth)> {
        self.readers.iter().map(|(kind, health)| (*kind, *health)).collect()
    }

    pub(super) fn set_reader(&mut self, kind: ReaderKind, health: ReaderHealth) {
        self.readers.insert(kind, health);
    }

    pub(super) fn set_sensor(&mut self, sensor: Option<&Sensor>) {
        let name = |sensor: &Sensor| format!("{} {}", sensor.driver, sensor.serial);
        self.sensor = sensor.map(name).unwrap_or_default().trim().to_owned();
    }
}
