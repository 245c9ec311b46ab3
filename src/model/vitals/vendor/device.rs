//! What has to be told about a device before some protocols can be read.

use crate::confidential::Secret;
use crate::vitals::DeviceId;

/// What is known of the device that sent a frame; each protocol says what it needs of it.
#[derive(Clone, Debug, Default)]
pub struct Device {
    /// The model number, as Device Information has it.
    pub model: Option<String>,
    /// The Bluetooth address.
    pub mac: Option<DeviceId>,
    /// The key that it was bound with.
    pub bind_key: Option<Secret<[u8; 16]>>,
}
