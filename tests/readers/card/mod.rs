//! The smart-card driver against a real pcscd with virtual readers and pretended cards, honest and hostile.
//!
//! Each test has its own pcscd in its own namespaces. What the cards say is in [`kit::readers::piv_model`].

mod bench;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::channel as steps;
use std::thread;
use std::time::Duration;

use wardkeep_model::access::factor::CardPeer;
use wardkeep_model::moment::Moment;
use wardkeep_model::ports::{CardRefusal, Event, FactorEvent, ReaderHealth, ReaderKind};

use self::bench::{Bench, Card, QUIET, SOON, insert, with_stack, word};
use kit::readers::pcscd::{PORTS, Pcscd};
use kit::readers::piv_model::{PIN, Site};
use kit::readers::vpcd::{Script, VirtualBadge};

/// Longer than pcscd takes between two looks at a reader. It learns of a card that is pulled from under
/// an order at our reset, and then misses one that comes before its next look.
const LOOK: Duration = Duration::from_millis(1_200);
/// A silent card is given up after two seconds, any other after six; pcscd and a loaded machine may add to
/// the two.
const GIVEN_UP: Duration = Duration::from_millis(5_500);
const A: u16 = PORTS[0];
const B: u16 = PORTS[1];

#[test]
fn a_card_is_read_enrolled_and_proved() {
    with_stack("a_card_is_read_enrolled_and_proved", || {
        let _pcscd = Pcscd::start();
        let mut site = Site::new();
        let (card, mut bench) = (Card::of(&mut site), Bench::new(&site));
        let resets = Arc::new(AtomicU32::new(0));
        let inserted = card.insert_counted(A, &resets);
        let seen = bench.presented();
        assert!(!card.model().saw_a_pin(), "the look needs no PIN");
        let enrolment = bench.enrol(seen.card);
        assert_eq!((enrolment.card, &enrolment.subject), (seen.card, &seen.subject));
        let mut shortest = Duration::MAX;
        for _ in 0..3 {
            bench.prove(seen.card, &enrolment.peer, &[1, 2, 3, 4, 5, 7]);
            bench.expect(&bench.refused(CardRefusal::WrongPin { tries_left: 2 }));
            let resets_before = resets.load(Ordering::Relaxed);
            let started = Moment::read().boot;
            bench.prove(seen.card, &enrolment.peer, &PIN);
            match bench.next(SOON) {
                Some(Event::Factor(FactorEvent::CardProved(_, proof))) => {
                    assert_eq!(proof.0.expose(), enrolment.secret.expose());
                }
                other => panic!("no proof but {other:?}"),
            }
            shortest = shortest.min(Moment::read().boot.since(started));
            assert!(!card.model().verified, "the PIN was taken back");
            assert!(resets.load(Ordering::Relaxed) > resets_before, "the card was reset");
        }
        // The best one: a busy machine delays any single one.
        assert!(shortest < Duration::from_secs(2), "{shortest:?}");
        card.model().tries = 1;
        bench.prove(seen.card, &enrolment.peer, &PIN);
        bench.expect(&bench.refused(CardRefusal::LastTry));
        bench.expect_nothing();
        inserted.lift();
        bench.expect("CardRemoved");
        bench.prove(seen.card, &enrolment.peer, &PIN);
        bench.expect(&bench.refused(CardRefusal::Gone));
        bench.expect_nothing();
    });
}

#[test]
fn s1_a_card_pulled_at_any_step_is_gone() {
    with_stack("s1_a_card_pulled_at_any_step_is_gone", || {
        let _pcscd = Pcscd::start();
        let mut site = Site::new();
        let (card, mut bench) = (Card::of(&mut site), Bench::new(&site));
        let inserted = card.insert(A);
        let seen = bench.presented();
        let enrolment = bench.enrol(seen.card);
        card.model().asked.clear();
        bench.prove(seen.card, &enrolment.peer, &PIN);
        bench.expect("proved");
        let steps_of_a_proof = card.model().asked.len();
        inserted.lift();
        bench.expect("CardRemoved");
        for step in 0..steps_of_a_proof {
            let (reached, at_step) = steps();
            let (model, mut left) = (card.clone(), usize::MAX);
            let inserted = insert(A, move |command| {
                // SELECT begins every work; the first is the look.
                if command[1] == 0xA4 {
                    left = if left == usize::MAX { usize::MAX - 1 } else { step };
                }
                if left == 0 {
                    reached.send(()).expect("the test waits");
                    return None;
                }
                left -= usize::from(left < usize::MAX - 1);
                Some(model.model().answer(command))
            });
            bench.presented();
            bench.prove(seen.card, &enrolment.peer, &PIN);
            at_step.recv_timeout(SOON).expect("the step is reached");
            inserted.lift();
            bench.expect(&bench.refused(CardRefusal::Gone));
            bench.expect("CardRemoved");
            card.model().tries = 3;
            thread::sleep(LOOK);
        }
        bench.expect_nothing();
    });
}

#[test]
fn a_card_that_is_swapped_or_changes_is_noticed() {
    with_stack("a_card_that_is_swapped_or_changes_is_noticed", || {
        let _pcscd = Pcscd::start();
        let mut site = Site::new();
        let (card, other) = (Card::of(&mut site), Card::of(&mut site));
        let mut bench = Bench::new(&site);
        let inserted = card.insert(A);
        let seen = bench.presented();
        let enrolment = bench.enrol(seen.card);
        card.model().asked.clear();
        // Between two digits of the PIN, in sight of pcscd.
        inserted.lift();
        let inserted = other.insert(A);
        bench.expect("CardRemoved");
        let swapped = bench.presented();
        assert_ne!(swapped.card, seen.card);
        bench.prove(seen.card, &enrolment.peer, &PIN);
        bench.expect(&bench.refused(CardRefusal::Changed));
        // And behind its back: the card in the reader becomes another one.
        std::mem::swap(&mut *other.model(), &mut *card.model());
        bench.prove(swapped.card, &enrolment.peer, &PIN);
        bench.expect(&bench.refused(CardRefusal::Changed));
        std::mem::swap(&mut *other.model(), &mut *card.model());
        site.certify_again(&mut other.model());
        bench.prove(swapped.card, &enrolment.peer, &PIN);
        bench.expect(&bench.refused(CardRefusal::Broken));
        assert!(!other.model().saw_a_pin() && !card.model().saw_a_pin());
        drop(inserted);
        bench.expect("CardRemoved");
    });
}

#[test]
fn the_first_of_two_cards_counts() {
    with_stack("the_first_of_two_cards_counts", || {
        let _pcscd = Pcscd::start();
        let mut site = Site::new();
        let (first, second) = (Card::of(&mut site), Card::of(&mut site));
        let mut bench = Bench::new(&site);
        let in_a = first.insert(A);
        let seen = bench.presented();
        let in_b = second.insert(B);
        bench.expect_nothing();
        assert_eq!(bench.enrol(seen.card).card, seen.card);
        in_a.lift();
        bench.expect("CardRemoved");
        bench.expect_nothing();
        in_b.lift();
        bench.expect_nothing();
        let in_b = second.insert(B);
        assert_ne!(bench.presented().card, seen.card);
        in_b.lift();
        bench.expect("CardRemoved");
    });
}

#[test]
fn s11_a_silent_card_holds_nobody_up() {
    with_stack("s11_a_silent_card_holds_nobody_up", || {
        let _pcscd = Pcscd::start();
        let mut site = Site::new();
        let (card, mut bench) = (Card::of(&mut site), Bench::new(&site));
        // Silent from the beginning: the other reader works meanwhile, before the card is given up.
        let silent = insert(A, |_| None);
        let badge = VirtualBadge::lay(B, Script::Uid(vec![1, 2, 3, 4]));
        bench.expect("badge");
        assert_eq!(
            bench.next(GIVEN_UP).map(|event| word(&event)).as_deref(),
            Some("CardUnreadable(Unreadable)")
        );
        badge.lift();
        bench.expect("BadgeRemoved");
        let honest = card.insert(B);
        let seen = bench.presented();
        let enrolment = bench.enrol(seen.card);
        honest.lift();
        bench.expect("CardRemoved");
        silent.lift();
        bench.expect_nothing();
        // Silent from its PIN on.
        let model = card.clone();
        let falls_silent =
            insert(A, move |command| (command[1] != 0x20).then(|| model.model().answer(command)));
        bench.presented();
        bench.prove(seen.card, &enrolment.peer, &PIN);
        let answer = bench.next(GIVEN_UP).map(|event| word(&event));
        assert_eq!(answer, Some(bench.refused(CardRefusal::Broken)));
        // Asked again, the same thread still waits for it.
        bench.prove(seen.card, &enrolment.peer, &PIN);
        let answer = bench.next(GIVEN_UP).map(|event| word(&event));
        assert_eq!(answer, Some(bench.refused(CardRefusal::Broken)));
        falls_silent.lift();
        bench.expect("CardRemoved");
        thread::sleep(LOOK);
        let again = card.insert(A);
        assert_eq!(bench.presented().card, seen.card);
        drop(again);
    });
}

#[test]
fn cards_that_make_no_sense_are_named() {
    with_stack("cards_that_make_no_sense_are_named", || {
        let _pcscd = Pcscd::start();
        let site = Site::new();
        let mut bench = Bench::new(&site);
        for (answer, fault) in [
            (vec![0x6A, 0x82], "NotPiv"),
            (vec![0x90, 0x00], "NotPiv"),
            (vec![0x61, 0x00], "Unreadable"),
            (vec![0x6C, 0x00], "Unreadable"),
            (vec![0x90], "Unreadable"),
            (vec![0x61; 300], "Unreadable"),
            (vec![0x90; 65_535], "Unreadable"),
        ] {
            let inserted = insert(A, move |_| Some(answer.clone()));
            bench.expect(&format!("CardUnreadable({fault})"));
            inserted.lift();
            bench.expect("CardRemoved");
        }
        // Every answer comes soon, but there is always one more: given up after six seconds, long before
        // three hundred answers have come.
        let inserted = insert(A, |_| {
            thread::sleep(Duration::from_millis(100));
            Some(vec![0xAA, 0x61, 0x01])
        });
        let started = Moment::read().boot;
        bench.expect("CardUnreadable(Unreadable)");
        assert!(Moment::read().boot.since(started) < Duration::from_secs(20));
        inserted.lift();
        bench.expect("CardRemoved");
        bench.expect_nothing();
    });
}

#[test]
fn s1_a_dead_pcscd_ends_the_presence_of_a_card() {
    with_stack("s1_a_dead_pcscd_ends_the_presence_of_a_card", || {
        let mut pcscd = Pcscd::start();
        let mut site = Site::new();
        let (card, mut bench) = (Card::of(&mut site), Bench::new(&site));
        let model = card.clone();
        let (reached, at_pin) = steps();
        let inserted = insert(A, move |command| {
            if command[1] == 0x20 {
                reached.send(()).expect("the test waits");
                return None;
            }
            Some(model.model().answer(command))
        });
        let seen = bench.presented();
        bench.prove(seen.card, &CardPeer([&[4][..], &[7; 64]].concat()), &PIN);
        at_pin.recv_timeout(SOON).expect("the PIN is asked for");
        pcscd.kill();
        bench.expect(&bench.refused(CardRefusal::Gone));
        bench.expect("CardRemoved");
        let down = |kind| word(&Event::Reader(kind, ReaderHealth::ServiceDown));
        bench.expect(&down(ReaderKind::Badge));
        bench.expect(&down(ReaderKind::SmartCard));
        drop(inserted);
        pcscd.restart();
        thread::sleep(QUIET);
        let inserted = card.insert(A);
        assert_eq!(bench.presented().card, seen.card);
        drop(inserted);
    });
}
