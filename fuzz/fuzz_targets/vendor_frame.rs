//! Any bytes of any vendor's protocol: one byte of its number, one of the model, the rest is the frame, which also
//! comes in packets.
//!
//! S-7 is checked on every input: nothing is charted that is implausible, that the protocol does not promise
//! or that is withheld as well, and nothing panics. Run with `cargo +stable fuzz run vendor_frame
//! fuzz/corpus/vendor_frame fuzz/seeds/vendor_frame` and `RUSTC_BOOTSTRAP=1`.
#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use wardkeep_model::confidential::Secret;
use wardkeep_model::moment::BootTime;
use wardkeep_model::vitals::DeviceId;
use wardkeep_model::vitals::gatt::FRAME_LEN_MAX;
use wardkeep_model::vitals::plausible;
use wardkeep_model::vitals::vendor::{Assembler, Device, Protocol, decode};

/// Models of every layout and kind.
const MODELS: &[&str] = &[
    "", "TD-3128", "TD-4216", "TD-8255", "TD-1261", "HEM-7142T2", "HEM-7155T", "HEM-7320T", "HEM-7322T",
    "HEM-7530T", "HEM-6401T", "HEM-6410T", "HEM-9601T", "HBF-702T", "HBF-227T", "VIVA",
];

/// A scale whose adverts were recorded with its key, so that seeds are authentic.
const MAC: [u8; 6] = [0x84, 0x46, 0x93, 0x64, 0xA5, 0xE6];
const KEY: [u8; 16] = [
    0x58, 0x30, 0x57, 0x40, 0xB6, 0x4E, 0x4B, 0x42, 0x5E, 0x51, 0x8A, 0xA1, 0xF4, 0xE5, 0x13, 0x39,
];

fuzz_target!(|input: &[u8]| {
    let [protocol, model, frame @ ..] = input else { return };
    let Some(protocol) = Protocol::ALL.get(usize::from(*protocol)).copied() else { return };
    let device = Device {
        model: MODELS.get(usize::from(*model)).map(|model| (*model).to_owned()),
        mac: Some(DeviceId(MAC)),
        bind_key: Some(Secret::new(KEY)),
    };
    let mut assembler = Assembler::new(protocol);
    for (packet, millis) in frame.chunks(20).zip(0..) {
        let now = BootTime(Duration::from_millis(millis));
        assert!(assembler.take(now, packet).iter().all(|whole| whole.len() <= FRAME_LEN_MAX));
    }
    let Ok(decoded) = decode(protocol, &device, frame) else { return };
    for charted in &decoded.observations {
        assert!(plausible::is_plausible(charted.code, charted.unit, charted.value));
        assert!(protocol.measures().contains(&charted.code));
        assert!(decoded.withheld.iter().all(|held| held.code != charted.code));
    }
    for event in &decoded.events {
        assert!(event.to_string().starts_with(event.word()));
    }
});
