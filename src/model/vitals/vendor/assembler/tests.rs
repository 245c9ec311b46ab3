//! What an assembler makes of the fixtures, however they are cut, altered or never finished.

use std::slice::from_ref;

use proptest::prelude::*;

use super::*;
use crate::vitals::gatt::testing::bytes;
use crate::vitals::vendor::tests::fixtures;
use crate::vitals::vendor::{Device, decode};

/// Protocols whose frames are cut out of what comes.
const CUT: &[Protocol] =
    &[Protocol::O2ring, Protocol::Pc60fw, Protocol::ContecCms50d, Protocol::Taidoc];

const NUMBERS: &str = "eb 01 06 53 63 7f 00 27";
const RING: &str = "55 00 ff 00 00 0d 00 62 42 00 00 00 00 00 61 00 92 0a 01 00 2f";

fn at(millis: u64) -> BootTime {
    BootTime(Duration::from_secs(100) + Duration::from_millis(millis))
}

/// What comes of notifications that follow each other at once.
fn whole(protocol: Protocol, notifications: &[&[u8]]) -> Vec<Vec<u8>> {
    let mut assembler = Assembler::new(protocol);
    let times = (0..).map(at);
    notifications.iter().zip(times).flat_map(|(one, now)| assembler.take(now, one)).collect()
}

#[test]
fn a_frame_in_several_notifications_is_one_and_several_in_one_are_each() {
    let ring = bytes(RING);
    for len in 0..=ring.len() {
        let (head, tail) = ring.split_at(len);
        assert_eq!(whole(Protocol::O2ring, &[head, tail]), from_ref(&ring), "{len}");
    }
    let twice = [ring.clone(), ring.clone()].concat();
    assert_eq!(whole(Protocol::O2ring, &[&twice]), [ring.clone(), ring.clone()]);
    let singles: Vec<&[u8]> = ring.chunks(1).collect();
    assert_eq!(whole(Protocol::O2ring, &singles), [ring]);
    // A notification is a frame of its own where the protocol has no other bound.
    assert_eq!(whole(Protocol::Nonin3230, &[&[1], &[2, 3]]), [vec![1], vec![2, 3]]);
    assert!(whole(Protocol::Nonin3230, &[&[]]).is_empty());
}

#[test]
fn what_is_sampled_is_read_as_one_as_far_as_it_came_together() {
    let numbers = bytes(NUMBERS);
    let twice = [numbers.clone(), numbers.clone()].concat();
    assert_eq!(whole(Protocol::ContecCms50d, &[&twice]), from_ref(&twice));
    let (head, tail) = twice.split_at(11);
    assert_eq!(
        whole(Protocol::ContecCms50d, &[head, tail]),
        [numbers.clone(), numbers],
        "the second is whole only with the second notification"
    );
}

#[test]
fn s11_of_a_hundred_packets_a_second_the_newest_of_a_second_is_given() {
    let mut assembler = Assembler::new(Protocol::Bci);
    let mut given = Vec::new();
    for sample in 0_u8..250 {
        // Cut wherever the radio cuts.
        let packet = [0x87, sample & 0x7F, 0x05, 0x48, 0x62];
        let (head, tail) = packet.split_at(usize::from(sample % 5));
        let now = at(u64::from(sample) * 10);
        given.extend(assembler.take(now, head));
        given.extend(assembler.take(now, tail));
    }
    let samples: Vec<u8> = given.iter().map(|frame| frame[1]).collect();
    assert_eq!(samples, [0, 100, 200 & 0x7F]);
    assert!(given.iter().all(|frame| frame.len() == 5));
}

#[test]
fn s7_a_wrong_byte_costs_its_frame_and_not_the_next() {
    let good = bytes(RING);
    for spoilt in 0..good.len() {
        let mut bad = good.clone();
        bad[spoilt] ^= 0x11;
        let mut assembler = Assembler::new(Protocol::O2ring);
        let mut frames = assembler.take(at(0), &bad);
        // A beginning that promises more is given up when nothing follows.
        frames.extend(assembler.take(at(1_000), &good));
        assert_eq!(frames, from_ref(&good), "{spoilt}");
    }
}

#[test]
fn s7_a_cut_frame_is_not_completed_by_the_next_one() {
    let good = bytes(RING);
    for len in 1..good.len() {
        let (head, _) = good.split_at(len);
        let mut assembler = Assembler::new(Protocol::O2ring);
        assert!(assembler.take(at(0), head).is_empty(), "{len}");
        // After a while nothing is left of it. At once the next may seem to belong to it, and is lost as well.
        let mut later = assembler.clone();
        assert_eq!(later.take(at(2_000), &good), from_ref(&good), "{len}");
        let at_once = assembler.take(at(20), &good);
        assert!(at_once.iter().all(|frame| *frame == good), "{len}");
        assert_eq!(assembler.take(at(2_000), &good), from_ref(&good), "{len}");
    }
}

#[test]
fn s7_a_record_counts_only_behind_the_answer_that_dates_it() {
    let (stamp, record) = (bytes("51 25 cf 30 1b 11 a5 46"), bytes("51 26 78 00 50 48 a5 2c"));
    let both = [stamp.clone(), record.clone()].concat();
    let other = bytes("51 2b 12 00 00 00 a5 33");
    assert!(whole(Protocol::Taidoc, &[&record]).is_empty());
    assert!(whole(Protocol::Taidoc, &[&stamp]).is_empty());
    assert_eq!(whole(Protocol::Taidoc, &[&stamp, &record]), from_ref(&both));
    assert_eq!(whole(Protocol::Taidoc, &[&stamp, &record, &record]), from_ref(&both), "one record");
    assert_eq!(whole(Protocol::Taidoc, &[&stamp, &other, &record]), [other, both]);
    let mut assembler = Assembler::new(Protocol::Taidoc);
    assert!(assembler.take(at(0), &stamp).is_empty());
    assert!(assembler.take(at(60_000), &record).is_empty(), "that was another record's");
}

proptest! {
    /// However bytes come, what is held is bounded, and every frame is one that was sent, in order.
    #[test]
    fn s11_what_is_held_is_bounded(
        protocol in prop::sample::select(&Protocol::ALL[..]),
        parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..600), 0..6),
    ) {
        let mut assembler = Assembler::new(protocol);
        for (part, now) in parts.iter().zip((0..).map(at)) {
            let frames = assembler.take(now, part);
            let longest = frames.iter().map(Vec::len).max().unwrap_or_default();
            prop_assert!(longest <= FRAME_LEN_MAX);
            prop_assert!(assembler.part.len() < FRAME_LEN_MAX);
        }
    }

    /// Every fixture arrives whole, wherever the packets were cut, among any others.
    #[test]
    fn frames_arrive_whole_wherever_they_are_cut(
        protocol in prop::sample::select(CUT),
        order in prop::collection::vec(any::<prop::sample::Index>(), 1..5),
        lens in prop::collection::vec(1_usize..40, 1..80),
    ) {
        // Bytes behind a frame are no part of it.
        let all: Vec<Vec<u8>> = fixtures(protocol)
            .iter()
            .filter(|fixture| !fixture.expect.events.contains(&"trailing-bytes"))
            .map(|fixture| bytes(fixture.frame))
            .collect();
        let sent: Vec<u8> = order.iter().flat_map(|index| all[index.index(all.len())].clone()).collect();
        let mut rest = sent.as_slice();
        let mut assembler = Assembler::new(protocol);
        let mut frames = Vec::new();
        for (len, now) in lens.iter().cycle().zip((0..).map(at)) {
            let (part, behind) = rest.split_at_checked(*len).unwrap_or((rest, &[]));
            frames.extend(assembler.take(now, part));
            rest = behind;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert!(assembler.part.is_empty());
        let device = Device { model: Some("TD-3128".to_owned()), ..Device::default() };
        for frame in &frames {
            prop_assert!(decode(protocol, &device, frame).is_ok(), "{frame:02x?}");
        }
        // Records without their time are left out, and only they are.
        if protocol != Protocol::Taidoc {
            prop_assert_eq!(frames.concat(), sent);
        }
    }
}
