//! Tests of which devices are linked, and on whose behalf.

use super::*;

const STRAP: DeviceId = DeviceId([0xC0, 0, 0, 0, 0, 1]);
const OTHER: DeviceId = DeviceId([0xC0, 0, 0, 0, 0, 2]);
const ADA: SubjectId = SubjectId(7);

fn at(second: i64) -> Moment {
    Moment {
        boot: BootTime(Duration::from_secs(second.unsigned_abs())),
        wall: Timestamp::from_second(1_800_000_000 + second).expect("in range"),
    }
}

fn linked() -> Pairing {
    let mut pairing = Pairing::default();
    for id in [STRAP, OTHER] {
        let name = "HR strap";
        let heard = Advertisement { name, kind: DeviceKind::HeartRate, rssi: -60 };
        pairing.seen(at(0).boot, id, heard);
        assert!(pairing.connect(id).is_some());
        pairing.link(id, Link::Live);
    }
    pairing
}

fn later(second: u64) -> BootTime {
    BootTime(Duration::from_secs(second))
}

#[test]
fn s6_a_value_has_an_owner_only_inside_the_assignment() {
    let mut pairing = linked();
    assert_eq!(pairing.owner(STRAP, later(5)), None);
    assert_eq!(pairing.assign(STRAP, ADA, at(10), Duration::from_secs(60)), Ok(()));
    for (second, owner) in [(9, None), (10, Some(ADA)), (69, Some(ADA)), (70, None)] {
        assert_eq!(pairing.owner(STRAP, later(second)), owner, "second {second}");
    }
    assert_eq!(pairing.owner(OTHER, later(20)), None);
    assert!(pairing.release(STRAP).is_some_and(|(_, assigned)| assigned));
    assert_eq!(pairing.owner(STRAP, later(20)), None);
}

#[test]
fn s6_of_two_devices_of_a_kind_one_is_shown_until_it_has_no_value() {
    const GRACE: Duration = Duration::from_secs(4);
    const KIND: DeviceKind = DeviceKind::HeartRate;
    let mut pairing = linked();
    // The later one has the lower address.
    for (id, second) in [(OTHER, 1), (STRAP, 2)] {
        assert_eq!(pairing.assign(id, ADA, at(second), Duration::from_secs(60)), Ok(()));
    }
    let shown = |pairing: &Pairing| (pairing.source(KIND).map(|(id, _)| id), pairing.why(KIND));
    assert_eq!(shown(&pairing), (Some(OTHER), Some(Why::First)));
    pairing.has_value((STRAP, later(3)), GRACE, |_| false);
    assert_eq!(shown(&pairing).0, Some(OTHER), "it was just assigned");
    pairing.has_value((STRAP, later(6)), GRACE, |id| id == OTHER);
    assert_eq!(shown(&pairing).0, Some(OTHER));
    pairing.has_value((STRAP, later(6)), GRACE, |_| false);
    assert_eq!(shown(&pairing), (Some(STRAP), Some(Why::Instead)));
    pairing.has_value((OTHER, later(7)), GRACE, |_| true);
    assert_eq!(shown(&pairing).0, Some(STRAP), "nothing goes back by itself");
    pairing.has_value((OTHER, later(7)), GRACE, |id| id == OTHER);
    assert_eq!(shown(&pairing).0, Some(STRAP), "nor within a moment");
    assert!(pairing.show(OTHER, later(8)) && !pairing.show(OTHER, later(8)));
    assert_eq!(shown(&pairing), (Some(OTHER), Some(Why::Chosen)));
    assert!(pairing.release(OTHER).is_some());
    assert_eq!(shown(&pairing), (Some(STRAP), None), "there is no other");
    assert!(!pairing.show(OTHER, later(9)) && !pairing.show(STRAP, later(9)));
}

#[test]
fn no_more_devices_of_a_kind_are_assigned_than_people_can_follow() {
    let mut pairing = Pairing::default();
    let assigned: Vec<_> = (1..=4_u8)
        .map(|last| {
            let (id, kind) = (DeviceId([0xC0, 0, 0, 0, 0, last]), DeviceKind::HeartRate);
            pairing.seen(at(0).boot, id, Advertisement { name: "HR", kind, rssi: -60 });
            assert!(pairing.connect(id).is_some());
            pairing.assign(id, ADA, at(1), Duration::from_secs(60))
        })
        .collect();
    assert_eq!(assigned, [Ok(()), Ok(()), Ok(()), Err(AssignError::TooMany)]);
    let again = pairing.assign(DeviceId([0xC0, 0, 0, 0, 0, 1]), ADA, at(2), Duration::from_secs(9));
    assert_eq!(again, Ok(()), "one that is assigned goes on");
}

#[test]
fn s6_devices_of_the_same_name_are_told_apart() {
    let mut pairing = linked();
    assert_eq!(pairing.name(STRAP), "HR strap 00:01");
    assert_eq!(pairing.name(OTHER), "HR strap 00:02");
    assert!(pairing.release(OTHER).is_some());
    pairing.gone(OTHER);
    assert_eq!(pairing.name(STRAP), "HR strap");
    assert_eq!(pairing.name(OTHER), "C0:00:00:00:00:02");
}

#[test]
fn resumes_links_and_assignments_after_a_restart() {
    let mut before = linked();
    assert_eq!(before.assign(STRAP, ADA, at(1), Duration::from_secs(60)), Ok(()));
    for (second, left) in [(11, 50_u64), (59, 2), (61, 0), (-30, 0)] {
        let now = Moment { boot: later(3), wall: at(second).wall };
        let (after, commands) = Pairing::resume(&before.known(), now);
        assert_eq!(commands.len(), 2);
        let owner = |after_s| after.owner(STRAP, later(3 + after_s));
        assert_eq!(owner(left), None, "at {second}");
        assert_eq!(left > 0, owner(left.saturating_sub(1)) == Some(ADA), "at {second}");
        assert_eq!(after.patient(STRAP), Some(ADA));
        assert_eq!(after.known(), before.known());
    }
}

#[test]
fn a_device_that_was_paired_is_wanted_over_its_bond_alone() {
    let mut pairing = linked();
    let bonded = PairingStep::Bonded(STRAP);
    let want = Want { is_bonded: true, ..Want::of(DeviceKind::HeartRate) };
    assert_eq!(pairing.paired(STRAP, PairingStep::Started), None);
    assert_eq!(pairing.paired(STRAP, bonded), Some(Command::Connect(STRAP, want)));
    assert_eq!(pairing.paired(STRAP, bonded), None, "that is known");
    assert!(pairing.release(STRAP).is_some());
    assert_eq!(pairing.connect(STRAP), Some(Command::Connect(STRAP, want)));
    let unbonded = Command::Connect(STRAP, Want::of(DeviceKind::HeartRate));
    assert_eq!(pairing.paired(STRAP, PairingStep::Forgotten), Some(unbonded));
    assert_eq!(pairing.paired(DeviceId([9; 6]), bonded), None);
    assert_eq!(pairing.paired(OTHER, PairingStep::TypePasskey), None);
    let cancel = Command::AnswerPairing(OTHER, PairingAnswer::Cancel);
    assert_eq!(pairing.cancel_pairings(), [cancel]);
    assert_eq!(pairing.cancel_pairings(), []);
}

#[test]
fn names_from_the_air_are_cleaned_and_cut() {
    let hostile = format!("\u{202e}HR\u{7}\n\u{0}strap{}", "x".repeat(248));
    let name = clean(&hostile);
    let start = "\u{fffd}HR\u{fffd} \u{fffd}strapxxx";
    assert!(name.starts_with(start) && name.chars().count() == NAME_CHARS_MAX, "{name}");
    assert_eq!(clean(" \u{a0}HR\tstrap\n"), "HR strap");
}

#[test]
fn ble_1_a_device_on_the_cart_is_listed_however_many_others_there_are() {
    let mut pairing = Pairing::default();
    let heard = |rssi| Advertisement { name: "flood", kind: DeviceKind::HeartRate, rssi };
    for n in 0..300_u16 {
        let [high, low] = n.to_be_bytes();
        pairing.seen(at(1).boot, DeviceId([1, 1, 1, 1, high, low]), heard(-85));
    }
    assert!(pairing.is_crowded(at(2).boot) && !pairing.is_crowded(at(200).boot));
    pairing.seen(at(2).boot, STRAP, heard(-50));
    assert!(pairing.get(STRAP).is_some());
    for n in 0..300_u16 {
        let [high, low] = n.to_be_bytes();
        pairing.seen(at(3).boot, DeviceId([2, 1, 1, 1, high, low]), heard(-85));
    }
    assert!(pairing.get(STRAP).is_some());
}

#[test]
fn s11_a_flood_of_strangers_never_displaces_a_known_device() {
    let mut pairing = linked();
    for n in 0..1000_u16 {
        let [high, low] = n.to_be_bytes();
        let stranger = DeviceId([1, 1, 1, 1, high, low]);
        let kind = DeviceKind::PulseOximeter;
        pairing.seen(at(1).boot, stranger, Advertisement { name: "flood", kind, rssi: -90 });
    }
    assert!(pairing.iter().count() <= DEVICES_MAX);
    assert!(pairing.get(STRAP).is_some() && pairing.get(OTHER).is_some());
}
