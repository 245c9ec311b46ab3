//! Two frames that are one answer: a glucose measurement and its context, a body composition in two packets.
//!
//! What was decoded of one device is taken in the order in which it came, and what is whole is given back. Nothing
//! is lost for want of its other half: what is never completed is given when its time is over, and the oldest when
//! too much waits.

use std::collections::VecDeque;

use crate::vitals::gatt::decoded::Decoded;
use crate::vitals::gatt::event::{Counter, Event, Note};
use crate::vitals::{Characteristic, Format};

/// Measurements that wait for their context. A meter sends it next.
const WAITING_MAX: usize = 8;

const GLUCOSE_MEASUREMENT: Format = Format::Profile(Characteristic(0x2A18));
const GLUCOSE_CONTEXT: Format = Format::Profile(Characteristic(0x2A34));
const BODY_COMPOSITION: Format = Format::Profile(Characteristic(0x2A9C));

/// One answer of a device: what it says, and what its frame was, or both frames.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whole<T> {
    /// What it says.
    pub decoded: Decoded,
    /// The frame that measured.
    pub first: T,
    /// The one that completes it.
    pub second: Option<T>,
}

impl<T> Whole<T> {
    fn of((decoded, first): (Decoded, T)) -> Self {
        Self { decoded, first, second: None }
    }
}

/// The frames of one device that wait for their other halves.
#[derive(Clone, Debug)]
pub struct Joins<T> {
    /// Glucose Measurements (2A18), joined with their contexts (2A34) by sequence number.
    measurements: VecDeque<(Decoded, T)>,
    /// A body composition (2A9C) of which a second packet follows.
    packet: Option<(Decoded, T)>,
}

impl<T> Default for Joins<T> {
    fn default() -> Self {
        Self { measurements: VecDeque::new(), packet: None }
    }
}

impl<T> Joins<T> {
    /// A frame of this format may be half of an answer.
    pub fn concerns(format: Format) -> bool {
        [GLUCOSE_MEASUREMENT, GLUCOSE_CONTEXT, BODY_COMPOSITION].contains(&format)
    }

    /// Takes what a frame says, and gives back what is whole now, the oldest first.
    #[must_use]
    pub fn take(&mut self, format: Format, decoded: Decoded, frame: T) -> Vec<Whole<T>> {
        let half = (decoded, frame);
        match format {
            GLUCOSE_MEASUREMENT => self.measurement(half).map(Whole::of).into_iter().collect(),
            GLUCOSE_CONTEXT => vec![self.context(half)],
            BODY_COMPOSITION => self.packet(half),
            Format::Profile(_) | Format::Vendor(_) => vec![Whole::of(half)],
        }
    }

    /// Gives back what has waited too long, as it is.
    #[must_use]
    pub fn due(&mut self, is_over: impl Fn(&T) -> bool) -> Vec<Whole<T>> {
        let mut over = Vec::new();
        while let Some(half) = self.measurements.pop_front_if(|(_, frame)| is_over(frame)) {
            over.push(Whole::of(half));
        }
        over.extend(self.packet.take_if(|(_, frame)| is_over(frame)).map(Whole::of));
        over
    }

    /// The frames that wait.
    pub fn waiting(&self) -> impl Iterator<Item = &T> {
        self.measurements.iter().chain(&self.packet).map(|(_, frame)| frame)
    }

    /// A measurement waits if it says that its context follows; given back is what waits no more.
    fn measurement(&mut self, half: (Decoded, T)) -> Option<(Decoded, T)> {
        if !half.0.events.contains(&Event::Note(Note::ContextFollows)) {
            return Some(half);
        }
        self.measurements.push_back(half);
        if self.measurements.len() > WAITING_MAX { self.measurements.pop_front() } else { None }
    }

    /// A context is given back with its measurement; alone, if no measurement waits for it.
    fn context(&mut self, (context, frame): (Decoded, T)) -> Whole<T> {
        let number = sequence(&context);
        let of_it = |(waiting, _): &(Decoded, T)| number.is_some() && sequence(waiting) == number;
        let place = self.measurements.iter().rposition(of_it);
        let Some((mut decoded, first)) = place.and_then(|place| self.measurements.remove(place))
        else {
            return Whole::of((context, frame));
        };
        decoded.events.retain(|event| *event != Event::Note(Note::ContextFollows));
        add_events(&mut decoded, context.events);
        Whole { decoded, first, second: Some(frame) }
    }

    /// A first packet waits; given back is what is whole, and before it a first one that another measurement has
    /// followed.
    fn packet(&mut self, half: (Decoded, T)) -> Vec<Whole<T>> {
        let is_part = half.0.events.contains(&Event::Note(Note::MultiplePackets));
        match (self.packet.take(), is_part) {
            (None, true) => {
                self.packet = Some(half);
                vec![]
            }
            (None, false) => vec![Whole::of(half)],
            (Some((first, frame)), true) if are_of_one(&first, &half.0) => {
                let decoded = joined(first, half.0);
                vec![Whole { decoded, first: frame, second: Some(half.1) }]
            }
            (Some(first), true) => {
                self.packet = Some(half);
                vec![Whole::of(first)]
            }
            (Some(first), false) => vec![Whole::of(first), Whole::of(half)],
        }
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

    /// Frames are named by letters.
    fn words(whole: &[Whole<char>]) -> String {
        let word = |one: &Whole<char>| match one.second {
            Some(second) => format!("{}{second}", one.first),
            None => one.first.to_string(),
        };
        whole.iter().map(word).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_measurement_and_its_context_are_one() {
        let mut joins = Joins::default();
        let plain = decoded(0x2A18, "02 05 00 e8 07 06 0f 11 11 1b 78 b0 11");
        assert_eq!(words(&joins.take(GLUCOSE_MEASUREMENT, plain, 'a')), "a");
        assert_eq!(joins.take(GLUCOSE_MEASUREMENT, measurement(6), 'b'), []);
        assert_eq!(joins.take(GLUCOSE_MEASUREMENT, measurement(7), 'c'), []);
        let mut whole = joins.take(GLUCOSE_CONTEXT, context(7), 'd');
        assert_eq!(words(&whole), "cd");
        assert_eq_words(
            "7",
            Ok(whole.remove(0).decoded),
            &Expect {
                charted: &["160184 120 mg/dL finger"],
                events: &["sequence 7", "meal fasting"],
                time: Some("2024-06-15T17:17:27"),
                ..Expect::NOTHING
            },
        );
        let again = joins.take(GLUCOSE_CONTEXT, context(7), 'e');
        assert_eq!(words(&again), "e", "its measurement waits no more");
        assert_eq!(joins.waiting().collect::<String>(), "b");
        assert_eq!(joins.due(|frame| *frame == 'a'), []);
        assert_eq!(words(&joins.due(|_| true)), "b");
        assert_eq!(joins.due(|_| true), []);
    }

    #[test]
    fn what_waits_too_long_is_given_without_its_context() {
        let mut joins = Joins::default();
        let full = u8::try_from(WAITING_MAX).expect("a few");
        for number in 0..full {
            assert_eq!(joins.take(GLUCOSE_MEASUREMENT, measurement(number), number), []);
        }
        let given = joins.take(GLUCOSE_MEASUREMENT, measurement(full), full);
        assert!(matches!(&given[..], [Whole { first: 0, second: None, .. }]), "{given:?}");
        let alone = joins.take(GLUCOSE_CONTEXT, context(0), 100);
        assert!(matches!(&alone[..], [Whole { first: 100, second: None, .. }]), "{alone:?}");
        assert_eq!(joins.due(|_| true).len(), WAITING_MAX);
    }

    /// Body fat, user 1 and basal metabolism; body fat, user and weight.
    const FIRST: &str = "0c 10 d7 00 01 58 1b";
    const SECOND: &str = "04 14 d7 00 01 b0 36";

    #[test]
    fn two_packets_are_one_body_composition() {
        let mut joins = Joins::default();
        let mut take = |frame, name| joins.take(BODY_COMPOSITION, decoded(0x2A9C, frame), name);
        assert_eq!(take(FIRST, 'a'), []);
        let mut whole = take(SECOND, 'b');
        assert_eq!(words(&whole), "ab");
        assert_eq_words(
            "both",
            Ok(whole.remove(0).decoded),
            &Expect {
                charted: &["188748 21.5 %", "188736 70.000 kg"],
                events: &["user 1", "basal-metabolism 7000 kJ"],
                ..Expect::NOTHING
            },
        );
        assert_eq!(words(&take("00 00 d7 00", 'c')), "c");
        assert_eq!(joins.due(|_| true), []);
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
            let mut joins = Joins::default();
            assert_eq!(joins.take(BODY_COMPOSITION, decoded(0x2A9C, FIRST), 'a'), []);
            let mut given = joins.take(BODY_COMPOSITION, decoded(0x2A9C, second), 'b');
            given.extend(joins.due(|_| true));
            assert_eq!(words(&given), "a b", "{second}");
        }
        let timed =
            |second: &str| decoded(0x2A9C, &format!("02 10 d7 00 e8 07 06 0f 11 11 {second}"));
        let mut joins = Joins::default();
        assert_eq!(joins.take(BODY_COMPOSITION, timed("1b"), 'a'), []);
        assert_eq!(words(&joins.take(BODY_COMPOSITION, timed("1c"), 'b')), "a");
        assert_eq!(words(&joins.take(BODY_COMPOSITION, timed("1c"), 'c')), "bc");
    }
}
