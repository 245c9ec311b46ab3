//! What the bytes of a frame are read as.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::vitals::Characteristic;
use crate::vitals::gatt::{self, DecodeError, Decoded, Quirks};
use crate::vitals::vendor::{self, Device, Protocol};

/// What the bytes of a frame are read as. Written down it is a profile's number or a protocol's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Format {
    /// A characteristic of a profile.
    Profile(Characteristic),
    /// A vendor's own protocol.
    Vendor(Protocol),
}

impl Format {
    /// Decodes a frame from `device`, with what its model is known to do differently.
    ///
    /// # Errors
    /// As [`gatt::decode`] and [`vendor::decode`]: then nothing of it may be charted.
    pub fn decode(self, device: &Device, frame: &[u8]) -> Result<Decoded, DecodeError> {
        match self {
            Format::Profile(characteristic) => {
                let quirks = Quirks::of(None, device.model.as_deref());
                gatt::decode_with_quirks(characteristic, frame, quirks)
            }
            Format::Vendor(protocol) => vendor::decode(protocol, device, frame),
        }
    }

    /// It, as bytes that no other one has.
    pub fn tag(self) -> Vec<u8> {
        match self {
            Format::Profile(Characteristic(number)) => number.to_be_bytes().to_vec(),
            // No name is as short as a number.
            Format::Vendor(protocol) => protocol.word().as_bytes().to_vec(),
        }
    }
}

/// As people who look into frames know it: a profile's number, or a protocol's name.
impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Format::Profile(Characteristic(number)) => write!(f, "{number:04X}"),
            Format::Vendor(protocol) => f.write_str(protocol.word()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_format_is_written_down_as_itself() {
        let numbers = (0..=u16::MAX).map(|number| Format::Profile(Characteristic(number)));
        let formats = Protocol::ALL.into_iter().map(Format::Vendor).chain(numbers);
        let mut tags = BTreeSet::new();
        for format in formats {
            assert!(tags.insert(format.tag()), "{format:?}");
            let text = serde_json::to_string(&format).expect("plain");
            assert_eq!(serde_json::from_str::<Format>(&text).ok(), Some(format), "{text}");
        }
        // As readings were written down before vendors' devices sent any.
        let old = serde_json::from_str::<Format>("10805").ok();
        assert_eq!(old, Some(Format::Profile(Characteristic(0x2A35))));
        assert!(serde_json::from_str::<Format>("\"telepathy\"").is_err());
    }
}
