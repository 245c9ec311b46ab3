//! Frames that wait for the other half of their answer: for a moment, because a device sends it next.

use std::collections::BTreeMap;
use std::time::Duration;

use wardkeep_model::confidential::Phi;
use wardkeep_model::moment::{BootTime, Moment};
use wardkeep_model::vitals::gatt::Decoded;
use wardkeep_model::vitals::gatt::join::{Joins, Whole};
use wardkeep_model::vitals::spot::SpotFrame;
use wardkeep_model::vitals::{DeviceId, Format};

/// The other half has come by then, or does not come.
const COMES_WITHIN: Duration = Duration::from_secs(3);

/// A frame, and when it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Half {
    pub(super) frame: Phi<SpotFrame>,
    pub(super) received: Moment,
}

impl Half {
    pub(super) fn bytes(&self) -> (Format, &[u8]) {
        let SpotFrame { format, payload } = self.frame.reveal();
        (*format, payload)
    }

    fn until(&self) -> BootTime {
        self.received.boot + COMES_WITHIN
    }
}

/// Those of every device.
#[derive(Debug, Default)]
pub(super) struct Halves(BTreeMap<DeviceId, Joins<Half>>);

impl Halves {
    /// Takes what a frame says that may be half of an answer; gives back what is whole.
    pub(super) fn take(
        &mut self,
        device: DeviceId,
        (format, payload): (Format, &[u8]),
        decoded: Decoded,
        received: Moment,
    ) -> Vec<Whole<Half>> {
        let frame = Phi::new(SpotFrame { format, payload: payload.to_vec() });
        self.0.entry(device).or_default().take(format, decoded, Half { frame, received })
    }

    /// What has waited long enough.
    pub(super) fn due(&mut self, now: BootTime) -> Vec<(DeviceId, Whole<Half>)> {
        self.given(|_, half| now >= half.until())
    }

    /// What waits of a device that has sent everything.
    pub(super) fn end(&mut self, device: DeviceId) -> Vec<(DeviceId, Whole<Half>)> {
        self.given(|of, _| of == device)
    }

    /// What waits, of every device: the program ends.
    pub(super) fn end_all(&mut self) -> Vec<(DeviceId, Whole<Half>)> {
        self.given(|_, _| true)
    }

    fn given(&mut self, is_over: impl Fn(DeviceId, &Half) -> bool) -> Vec<(DeviceId, Whole<Half>)> {
        let mut given = Vec::new();
        self.0.retain(|device, joins| {
            let whole = joins.due(|half| is_over(*device, half));
            given.extend(whole.into_iter().map(|one| (*device, one)));
            joins.waiting().next().is_some()
        });
        given
    }

    /// When [`Halves::due`] has something.
    pub(super) fn next_deadline(&self) -> Option<BootTime> {
        self.0.values().flat_map(Joins::waiting).map(Half::until).min()
    }

    /// A device has another address from now on.
    pub(super) fn moves(&mut self, from: DeviceId, to: DeviceId) {
        if let Some(joins) = self.0.remove(&from) {
            self.0.insert(to, joins);
        }
    }
}
