//! Two frames that are one answer: a glucose measurement and its context, a body composition in two packets.
//!
//! Each join takes what was decoded of one device in the order in which it came, and gives back what is
//! whole. Nothing is lost for want of its other half: what is never completed is given at the end, and the
//! oldest when too much waits.

use std::collections::VecDeque;

use crate::vitals::gatt::decoded::Decoded;
use crate::vitals::gatt::event::{Counter, Event, Note};

/// Measurements that wait for their context. A meter sends it next.
const WAITING_MAX: usize = 8;

/// Joins Glucose Measurements (2A18) with their contexts (2A34), by sequence number.
#[derive(Clone, Debug, Default)]
pub struct ContextJoin {
    waiting: VecDeque<Decoded>,
}

impl ContextJoin {
    /// Takes a measurement. It waits if it says that its context follows; given back is what waits no more.
    #[must_use]
    pub fn measurement(&mut self, measurement: Decoded) -> Option<Decoded> {
        if !measurement.events.contains(&Event::Note(Note::ContextFollows)) {
            return Some(measurement);
        }
        self.waiting.push_back(measurement);
        if self.waiting.len() > WAITING_MAX { self.waiting.pop_front() } else { None }
    }

    /// Takes a context, and gives it back with its measurement; alone, if no measurement waits for it.
    #[must_use]
    pub fn context(&mut self, context: Decoded) -> Decoded {
        let number = sequence(&context);
        let of_it = |waiting: &Decoded| number.is_some() && sequence(waiting) == number;
        let place = self.waiting.iter().rposition(of_it);
        let Some(mut whole) = place.and_then(|place| self.waiting.remove(place)) else {
            return context;
        };
        whole.events.retain(|event| *event != Event::Note(Note::ContextFollows));
        add_events(&mut whole, context.events);
        whole
    }

    /// The transfer has ended: what waits is given as it is.
    #[must_use]
    pub fn end(&mut self) -> Vec<Decoded> {
        self.waiting.drain(..).collect()
    }
}

/// Joins a body composition (2A9C) that was sent in two packets.
#[derive(Clone, Debug, Default)]
pub struct PacketJoin {
    first: Option<Decoded>,
}

impl PacketJoin {
    /// Takes a packet. A first one waits; given back is what is whole, and before it a first one that another
    /// measurement has followed.
    #[must_use]
    pub fn take(&mut self, packet: Decoded) -> Vec<Decoded> {
        let is_part = packet.events.contains(&Event::Note(Note::MultiplePackets));
        match (self.first.take(), is_part) {
            (None, true) => {
                self.first = Some(packet);
                vec![]
            }
            (None, false) => vec![packet],
            (Some(first), true) if are_of_one(&first, &packet) => vec![joined(first, packet)],
            (Some(first), true) => {
                self.first = Some(packet);
                vec![first]
            }
            (Some(first), false) => vec![first, packet],
        }
    }

    /// The link has ended: a first packet that waits is given as it is.
    #[must_use]
    pub fn end(&mut self) -> Option<Decoded> {
        self.first.take()
    }
}

/// Neither says another time, user or value than the other.
fn are_of_one(first: &Decoded, second: &Decoded) -> bool {
    let user = |decoded: &Decoded| count(decoded, Counter::User);
    let agree =
        |one: Option<u32>, other: Option<u32>| one.is_none() || other.is_none() || one == other;
    let times = first.time.is_none() || second.time.is_none() || first.time == second.time;
    let withheld = |decoded: &Decoded, code| decoded.withheld.iter().any(|held| held.code == code);
    let charted_alike = second.observations.iter().all(|new| {
        let old = first.observations.iter().find(|old| old.code == new.code);
        old.is_none_or(|old| old == new) && !withheld(first, new.code)
    });
    let withheld_alike =
        second.withheld.iter().all(|new| first.observations.iter().all(|old| old.code != new.code));
    times && agree(user(first), user(second)) && charted_alike && withheld_alike
}

fn joined(mut whole: Decoded, second: Decoded) -> Decoded {
    for charted in second.observations {
        if !whole.observations.contains(&charted) {
            whole.observations.push(charted);
        }
    }
    for withheld in second.withheld {
        if !whole.withheld.contains(&withheld) {
            whole.withheld.push(withheld);
        }
    }
    whole.time = whole.time.or(second.time);
    add_events(&mut whole, second.events);
    whole.events.retain(|event| *event != Event::Note(Note::MultiplePackets));
    whole
}

fn add_events(whole: &mut Decoded, events: Vec<Event>) {
    for event in events {
        if !whole.events.contains(&event) {
            whole.events.push(event);
        }
    }
}

fn sequence(decoded: &Decoded) -> Option<u32> {
    count(decoded, Counter::Sequence)
}

fn count(decoded: &Decoded, wanted: Counter) -> Option<u32> {
    decoded.events.iter().find_map(|event| match event {
        Event::Count { what, number } if *what == wanted => Some(*number),
        Event::Count { .. }
        | Event::Note(_)
        | Event::Quantity { .. }
        | Event::Label { .. }
        | Event::Vendor(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vitals::Characteristic;
    use crate::vitals::gatt::decode;
    use crate::vitals::gatt::testing::{Expect, assert_eq_words, bytes};

    fn decoded(characteristic: u16, frame: &str) -> Decoded {
        decode(Characteristic(characteristic), &bytes(frame)).expect("a sound frame")
    }

    /// 120 mg/dL, capillary blood, finger; its context follows.
    fn measurement(number: u8) -> Decoded {
        decoded(0x2A18, &format!("12 {number:02x} 00 e8 07 06 0f 11 11 1b 78 b0 11"))
    }

    fn context(number: u8) -> Decoded {
        decoded(0x2A34, &format!("02 {number:02x} 00 03"))
    }

    #[test]
    fn a_measurement_and_its_context_are_one() {
        let mut join = ContextJoin::default();
        let plain = decoded(0x2A18, "02 05 00 e8 07 06 0f 11 11 1b 78 b0 11");
        assert_eq!(join.measurement(plain.clone()), Some(plain));
        assert_eq!(join.measurement(measurement(6)), None);
        assert_eq!(join.measurement(measurement(7)), None);
        assert_eq_words(
            "7",
            Ok(join.context(context(7))),
            &Expect {
                charted: &["160184 120 mg/dL finger"],
                events: &["sequence 7", "meal fasting"],
                time: Some("2024-06-15T17:17:27"),
                ..Expect::NOTHING
            },
        );
        assert_eq!(join.context(context(7)), context(7), "its measurement waits no more");
        assert_eq!(join.end(), [measurement(6)]);
        assert_eq!(join.end(), []);
    }

    #[test]
    fn what_waits_too_long_is_given_without_its_context() {
        let mut join = ContextJoin::default();
        let full = u8::try_from(WAITING_MAX).expect("a few");
        for number in 0..full {
            assert_eq!(join.measurement(measurement(number)), None);
        }
        assert_eq!(join.measurement(measurement(full)), Some(measurement(0)));
        assert_eq!(join.context(context(0)), context(0));
        assert_eq!(join.end().len(), WAITING_MAX);
    }

    /// Body fat, user 1 and basal metabolism; body fat, user and weight.
    const FIRST: &str = "0c 10 d7 00 01 58 1b";
    const SECOND: &str = "04 14 d7 00 01 b0 36";

    #[test]
    fn two_packets_are_one_body_composition() {
        let mut join = PacketJoin::default();
        assert_eq!(join.take(decoded(0x2A9C, FIRST)), []);
        let whole = join.take(decoded(0x2A9C, SECOND)).pop().expect("both are here");
        assert_eq_words(
            "both",
            Ok(whole),
            &Expect {
                charted: &["188748 21.5 %", "188736 70.000 kg"],
                events: &["user 1", "basal-metabolism 7000 kJ"],
                ..Expect::NOTHING
            },
        );
        assert_eq!(join.end(), None);
        let plain = decoded(0x2A9C, "00 00 d7 00");
        assert_eq!(join.take(plain.clone()), [plain]);
    }

    /// S-7: what does not agree is of two measurements.
    #[test]
    fn s7_packets_that_disagree_are_not_joined() {
        for second in [
            "04 14 d7 00 02 b0 36", // of another user
            "04 14 d8 00 01 b0 36", // another body fat
            "04 14 ff ff 01 b0 36", // failed
            "04 14 e9 03 01 b0 36", // withheld as implausible
            "00 04 d7 00 b0 36",    // a measurement of its own
        ] {
            let mut join = PacketJoin::default();
            assert_eq!(join.take(decoded(0x2A9C, FIRST)), []);
            let mut given = join.take(decoded(0x2A9C, second));
            given.extend(join.end());
            assert_eq!(given, [decoded(0x2A9C, FIRST), decoded(0x2A9C, second)], "{second}");
        }
        let timed =
            |second: &str| decoded(0x2A9C, &format!("02 10 d7 00 e8 07 06 0f 11 11 {second}"));
        let mut join = PacketJoin::default();
        assert_eq!(join.take(timed("1b")), []);
        assert_eq!(join.take(timed("1c")), [timed("1b")]);
        assert_eq!(join.take(timed("1c")).len(), 1);
    }
}
