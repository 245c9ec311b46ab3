//! Frames a second through the decoders, one frame of each busy profile.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use wardkeep_model::vitals::Characteristic;
use wardkeep_model::vitals::gatt::decode;

const FRAMES: &[(&str, u16, &[u8])] = &[
    ("heart rate with two intervals", 0x2A37, &[0x16, 72, 0x00, 0x04, 0xA0, 0x03]),
    ("oximeter with statuses", 0x2A5F, &[0x0C, 97, 0, 72, 0, 0x20, 0x01, 0x20, 0, 0]),
    (
        "blood pressure",
        0x2A35,
        &[0x16, 124, 0, 86, 0, 97, 0, 0xE8, 7, 6, 15, 17, 17, 27, 51, 0, 0, 0],
    ),
    ("glucose sensor", 0x2AA7, &[0x06, 0, 0x78, 0, 0x23, 0]),
];

fn frames(c: &mut Criterion) {
    let mut group = c.benchmark_group("decode");
    group.throughput(Throughput::Elements(1));
    for (name, characteristic, frame) in FRAMES {
        group.bench_function(*name, |b| {
            b.iter(|| decode(Characteristic(*characteristic), black_box(frame)));
        });
    }
    group.finish();
}

criterion_group!(benches, frames);
criterion_main!(benches);
