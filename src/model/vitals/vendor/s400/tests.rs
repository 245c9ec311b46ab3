//! Adverts of two S400, recorded with their keys (`oliexdev/openScale`, S400DecryptorTest.kt), and sealed
//! ones that were made with another implementation of AES-CCM.

use aes::Aes128;
use ccm::Ccm;
use ccm::aead::consts::{U4, U12};
use ccm::aead::{AeadInOut, KeyInit};
use proptest::prelude::*;

use crate::vitals::gatt::testing::{Expect, bytes};
use crate::vitals::vendor::testing::{Fixture, Told, assert_decodes};
use crate::vitals::vendor::{Protocol, decode};

const FIRST: Told = Told {
    model: None,
    mac: Some("84:46:93:64:A5:E6"),
    bind_key: Some("58305740b64e4b425e518aa1f4e51339"),
};
const SECOND: Told = Told {
    model: None,
    mac: Some("8C:D0:B2:F6:BE:EF"),
    bind_key: Some("0728974d657a4b60964c1b1677f35f7c"),
};

const WHOLE: &str = "48 59 d5 3b 2d 33 14 94 3c 58 b1 33 63 8c 74 57 a4 00 00 00 c3 e6 70 dc";

const fn advert(told: Told, frame: &'static str, expect: Expect) -> Fixture {
    Fixture { frame, told, expect }
}

pub(in crate::vitals::vendor) const FIXTURES: &[Fixture] = &[
    advert(
        FIRST,
        WHOLE,
        Expect {
            charted: &["188736 74.2 kg", "149546 52 /min"],
            events: &["high-impedance 400.9 Ohm", "user 1", "seconds-since-1970 1751914873"],
            ..Expect::NOTHING
        },
    ),
    // With the service's own number in front.
    advert(
        FIRST,
        "95 fe 48 59 d5 3b 3b de 6b c8 d0 5b 51 c0 cd fd 90 21 c9 00 00 00 92 5c 50 39",
        Expect {
            charted: &["188736 73.2 kg", "149546 75 /min"],
            events: &["high-impedance 414.3 Ohm", "user 1", "seconds-since-1970 1752500249"],
            ..Expect::NOTHING
        },
    ),
    // In shoes: neither a pulse nor an impedance.
    advert(
        FIRST,
        "95 fe 48 59 d5 3b 4d 6f 35 9c e5 6f 1f 7e 7e 0a dd dc 26 00 00 00 0c 13 d3 c4",
        Expect {
            charted: &["188736 73.3 kg"],
            events: &["user 1", "seconds-since-1970 1752586470"],
            ..Expect::NOTHING
        },
    ),
    advert(
        FIRST,
        "95 fe 48 59 d5 3b 63 bb 58 79 50 e1 04 2c ac 1c 5f 18 f6 00 00 00 db e9 70 34",
        Expect {
            charted: &["188736 75.2 kg"],
            events: &["user 1", "seconds-since-1970 1752677949"],
            ..Expect::NOTHING
        },
    ),
    // The two adverts of one weighing.
    advert(
        SECOND,
        "48 59 d5 3b 0a bc 07 8f f2 34 8c 84 41 38 e9 30 22 00 00 00 9e 53 85 99",
        Expect {
            charted: &["188736 69.9 kg", "149546 92 /min"],
            events: &["high-impedance 543.2 Ohm", "user 1", "seconds-since-1970 1744250605"],
            ..Expect::NOTHING
        },
    ),
    advert(
        SECOND,
        "48 59 d5 3b 0b d6 ef 0b 25 db 72 78 5e 7e 2f 46 d6 00 00 00 d8 64 2d f6 00",
        Expect {
            events: &[
                "low-impedance 497.6 Ohm",
                "user 1",
                "seconds-since-1970 1744250605",
                "trailing-bytes",
            ],
            ..Expect::NOTHING
        },
    ),
    // An advert that only says that the scale is there; it needs no key.
    advert(
        Told::NOTHING,
        "10 59 d5 3b 06 e6 a5 64 93 46 84",
        Expect { events: &["no-measurement"], ..Expect::NOTHING },
    ),
    advert(
        FIRST,
        "48 59 d5 3b 01 ed 0e 7c fd 95 23 fd bb 0d b8 c1 fa 00 00 00 07 1a 45 af",
        Expect { events: &["no-measurement", "user 1", "seconds-since-1970 0"], ..Expect::NOTHING },
    ),
];

#[test]
fn s7_what_is_not_authentic_says_nothing() {
    let refused = |told: Told, frame: &str| {
        let error =
            decode(Protocol::XiaomiS400, &told.device(), &bytes(frame)).expect_err("refused");
        format!("{} {}", error.kind(), error.field())
    };
    let other_key = Told { bind_key: SECOND.bind_key, ..FIRST };
    let other_mac = Told { mac: SECOND.mac, ..FIRST };
    assert_eq!(refused(other_key, WHOLE), "authentication bind_key");
    assert_eq!(refused(other_mac, WHOLE), "authentication bind_key");
    assert_eq!(refused(Told { mac: None, ..FIRST }, WHOLE), "missing device.mac");
    assert_eq!(refused(Told { bind_key: None, ..FIRST }, WHOLE), "missing device.bind_key");
    // Every byte from the product on is under the seal.
    let whole = bytes(WHOLE);
    for at in 2..whole.len() {
        let mut altered = whole.clone();
        *altered.get_mut(at).expect("inside") ^= 0x10;
        let error = decode(Protocol::XiaomiS400, &FIRST.device(), &altered).expect_err("altered");
        assert_eq!(error.kind(), "authentication", "byte {at}");
    }
}

#[test]
fn what_is_sealed_has_to_be_a_measurement() {
    assert_decodes(
        Protocol::XiaomiS400,
        &[
            // Another length inside the seal.
            advert(
                FIRST,
                "48 59 d5 3b 02 ed 6a d8 0f 4d f9 e4 00 0d 3d 85 50 00 00 00 d3 41 2d fa",
                Expect { error: Some("invalid object length"), ..Expect::NOTHING },
            ),
            // An object that is not sealed.
            advert(
                FIRST,
                "40 59 d5 3b 2d 16 6e 09 01 e6 12 a4 3e 79 19 6c 68 00 00 00 c3 e6 70 dc",
                Expect { error: Some("unsupported frame control"), ..Expect::NOTHING },
            ),
        ],
    );
}

/// What the first scale would advertise of these bits.
fn seal(counter: u8, measurement: u32) -> Vec<u8> {
    let device = FIRST.device();
    let (mac, key) = (device.mac.expect("told").0, device.bind_key.expect("told"));
    let mut nonce: Vec<u8> = mac.iter().rev().copied().collect();
    nonce.extend([0xD5, 0x3B, counter, 0, 0, 0]);
    let nonce: [u8; 12] = nonce.try_into().expect("twelve");
    let mut object = vec![0x16, 0x6E, 9, 1];
    object.extend(measurement.to_le_bytes());
    object.extend([0; 4]);
    let cipher: Ccm<Aes128, U4, U12> = Ccm::new(key.expose().into());
    let sealed = object.as_mut_slice().into();
    let tag = cipher.encrypt_inout_detached(&nonce.into(), &[0x11], sealed).expect("short");
    let mut frame = vec![0x48, 0x59, 0xD5, 0x3B, counter];
    frame.extend(object);
    frame.extend([0, 0, 0]);
    frame.extend(tag);
    frame
}

proptest! {
    /// S-7: of any sealed bits only a weight and a pulse that can be are charted, with the digits sent.
    #[test]
    fn s7_what_was_sealed_comes_back(
        counter: u8,
        weight in 0_u32..1 << 11,
        pulse in 0_u32..1 << 7,
        impedance in 0_u32..1 << 14,
    ) {
        let frame = seal(counter, weight | pulse << 11 | impedance << 18);
        let decoded = decode(Protocol::XiaomiS400, &FIRST.device(), &frame).expect("authentic");
        let charted: Vec<(u32, String)> =
            decoded.observations.iter().map(|one| (one.code.0, one.value.to_string())).collect();
        let mut expected = Vec::new();
        // The lightest that is plausible of anybody is 0.2 kg.
        if weight >= 2 {
            expected.push((188_736, format!("{}.{}", weight / 10, weight % 10)));
        }
        if (1..127).contains(&pulse) {
            expected.push((149_546, (pulse + 50).to_string()));
        }
        prop_assert_eq!(charted, expected);
        let said = decoded.events.iter().any(|event| {
            event.to_string().ends_with(&format!("impedance {}.{} Ohm", impedance / 10, impedance % 10))
        });
        prop_assert_eq!(said, impedance != 0);
    }
}
