//! Packets as they travel; opening, reading and closing are of `userx14/omblepy` (README), the answers are
//! built by its layout.

use crate::vitals::gatt::testing::Expect;
use crate::vitals::vendor::Protocol;
use crate::vitals::vendor::testing::{Fixture, assert_decodes, frame};

const fn said(events: &'static [&'static str]) -> Expect {
    Expect { events, ..Expect::NOTHING }
}

pub(in crate::vitals::vendor) const FIXTURES: &[Fixture] = &[
    frame("08 0000 0000 10 00 18", said(&["type open", "address 0"])),
    frame("08 8000 0000 10 00 98", said(&["type opened", "address 0"])),
    frame("08 0f00 0000 00 00 07", said(&["type close", "address 0"])),
    frame("08 8f00 0000 00 00 87", said(&["type closed", "address 0"])),
    frame("08 8f00 0000 00 02 85", said(&["type closed", "address 0", "result 2"])),
    frame("08 0100 0260 26 00 4d", said(&["type read", "address 608"])),
    frame("0a 01c0 0260 02 aabb 00 ba", said(&["type write", "address 608"])),
    frame("08 81c0 0260 08 00 23", said(&["type written", "address 608"])),
    frame(
        "18 8100 02c0 10 6558541a331ade1800004c00ba000000 00 21",
        said(&["type memory", "address 704", "data-bytes 16"]),
    ),
    frame("08 8f00 0000 00 00 87 ff", said(&["type closed", "address 0", "trailing-bytes"])),
];

/// S-7: memory that was erased, or announced and not sent, is empty and no row of zeros.
#[test]
fn s7_memory_that_is_not_there_is_empty() {
    let empty = said(&["type memory", "address 704", "empty-slot"]);
    assert_decodes(
        Protocol::OmronPacket,
        &[
            frame("10 8100 02c0 20 0000000000000000 00 73", empty),
            frame("10 8100 02c0 08 ffffffffffffffff 00 5b", empty),
        ],
    );
}

#[test]
fn a_packet_that_does_not_fit_is_rejected() {
    for (hex, error) in [
        ("08 8f00 0000 00 00 88", "crc crc"),
        ("18 8100 02c0 10 6558541a331ade1800004c00ba000001 00 21", "crc crc"),
        ("07 8f00 0000 00 00 88", "size length"),
        ("00", "size length"),
        ("08 9900 0000 00 00 91", "unsupported type"),
        ("18 8100 02c0 10 6558541a331ade18", "truncated data"),
    ] {
        let expect = Expect { error: Some(error), ..Expect::NOTHING };
        assert_decodes(Protocol::OmronPacket, &[frame(hex, expect)]);
    }
}
