//! What is known of a protocol besides its frames: what it measures, and where it lives on air.

use crate::vitals::nomenclature::Mdc;

/// Where a protocol is heard and spoken to. UUIDs are whole and in lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The GATT service, or the service whose data is advertised.
    pub service: &'static str,
    /// Characteristics that notify, in the order that a long frame is spread over them; none where the
    /// frame is advertised.
    pub notify: &'static [&'static str],
    /// Characteristics that are written to, in the same order; none where nothing has to be asked.
    pub write: &'static [&'static str],
    /// What makes the device send, written once after subscribing; empty where it sends by itself.
    pub start: &'static [u8],
}

/// One row of the support table.
#[derive(Clone, Copy, Debug)]
pub(super) struct About {
    /// The protocol's stable name.
    pub word: &'static str,
    /// Who speaks it.
    pub device: &'static str,
    /// Every code that its frames can chart.
    pub measures: &'static [Mdc],
    /// What has to be told about the device, by the field's name.
    pub needs: &'static [&'static str],
    /// Where it lives on air.
    pub endpoint: Endpoint,
}
