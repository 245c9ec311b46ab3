//! The frames that the decoders of profiles are tested and fuzzed with.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::PathBuf;

use wardkeep_model::vitals::Characteristic;
use wardkeep_model::vitals::gatt;

/// Every seed of the fuzzer, one frame of each kind at least: characteristic, then frame, in their order.
pub fn seeds() -> Vec<(Characteristic, Vec<u8>)> {
    let own = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs the tests"));
    let folder = own.parent().expect("inside the workspace").join("fuzz/seeds/gatt_frame");
    let entries = fs::read_dir(folder).expect("the seeds");
    let mut seeds: Vec<_> = entries
        .map(|entry| fs::read(entry.expect("a readable folder").path()).expect("a seed"))
        .map(|seed| match seed.as_slice() {
            [low, high, _quirks, frame @ ..] => {
                (Characteristic(u16::from_le_bytes([*low, *high])), frame.to_vec())
            }
            _ => panic!("a seed of {} bytes", seed.len()),
        })
        .collect();
    seeds.sort();
    seeds
}

/// The frames that chart something, each with the codes of it.
pub fn charting() -> Vec<(Characteristic, Vec<u8>, BTreeSet<u32>)> {
    let read = seeds().into_iter().filter_map(|(characteristic, frame)| {
        let decoded = gatt::decode(characteristic, &frame).ok()?;
        let codes: BTreeSet<u32> = decoded.observations.iter().map(|one| one.code.0).collect();
        Some((characteristic, frame, codes))
    });
    read.filter(|(.., codes)| !codes.is_empty()).collect()
}
