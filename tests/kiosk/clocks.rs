//! Somebody sets the wall clock while a patient is watched. What runs on boot time must not notice: the
//! same minute is lived twice, and only one of the carts has its clock set.

use std::time::Duration;

use jiff::SignedDuration;
use kit::kiosk::{Bedside, OXIMETER, STRAP, heart_rate, oximetry};
use wardkeep_model::alarm::Priority;
use wardkeep_model::ports::{Event, Link};

const SECOND: Duration = Duration::from_secs(1);
/// Seconds that are compared after the step.
const WATCHED: u32 = 60;

/// How the clock is set, in seconds.
const STEPS: [(&str, i64); 8] = [
    ("a minute back", -60),
    ("an hour back", -3_600),
    ("a day back", -86_400),
    ("a month back", -2_600_000),
    ("a minute forwards", 60),
    ("an hour forwards", 3_600),
    ("a day forwards", 86_400),
    ("a month forwards", 2_600_000),
];

/// What is promised of every second.
const PROMISES: [&str; 3] = [
    "S-6: a value of an assigned device is filed to its patient",
    "S-7: a young value is on the screen",
    "S-9: an alarm condition is signalled",
];

/// What one second came to.
#[derive(Debug, PartialEq, Eq)]
struct Second {
    unfiled: usize,
    shown: Vec<Option<String>>,
    heard: Option<Priority>,
}

/// A patient whose saturation has fallen for a second.
fn live(bedside: &mut Bedside) -> Second {
    let recorded = bedside.store.records.len();
    bedside.frame(STRAP, heart_rate(72));
    bedside.frame(OXIMETER, oximetry(70, 72));
    bedside.wait(SECOND);
    let unfiled = bedside.store.records[recorded..].iter().filter(|it| it.subject.is_none());
    let shown = bedside.numbers();
    let heard = bedside.kiosk.sound(bedside.now()).map(|sound| sound.priority);
    Second { unfiled: unfiled.count(), shown, heard }
}

#[test]
fn s6_s7_s9_hold_however_the_wall_clock_is_set() {
    let mut wrong = vec![];
    for (step, seconds) in STEPS {
        let (mut plain, mut set) = (Bedside::monitoring(), Bedside::monitoring());
        for bedside in [&mut plain, &mut set] {
            bedside.frame(STRAP, heart_rate(72));
            bedside.frame(OXIMETER, oximetry(97, 72));
            bedside.wait(SECOND);
        }
        set.set_wall(SignedDuration::from_secs(seconds));
        let mut broken = [0; PROMISES.len()];
        for _ in 0..WATCHED {
            let (expected, lived) = (live(&mut plain), live(&mut set));
            assert_eq!(expected.unfiled, 0, "nothing is set here");
            broken[0] += u32::from(lived.unfiled > 0);
            broken[1] += u32::from(lived.shown != expected.shown);
            broken[2] += u32::from(lived.heard < expected.heard);
        }
        let alarm = plain.kiosk.sound(plain.now()).map(|sound| sound.priority);
        assert_eq!(alarm, Some(Priority::High), "what is promised can be seen");
        for (promise, broken) in PROMISES.iter().zip(broken).filter(|(_, broken)| *broken > 0) {
            wrong.push(format!("{step}: {promise}: broken in {broken} of {WATCHED} seconds"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n  "));
}

#[test]
fn s1_a_cart_that_slept_wakes_locked() {
    let mut bedside = Bedside::monitoring();
    bedside.suspend(13 * 3_600 * SECOND);
    assert!(bedside.is_lock_screen() && !bedside.store.vault_open);
}

#[test]
fn both_clocks_go_on_while_time_passes_and_each_by_itself_when_it_is_stepped() {
    let mut bedside = Bedside::locked();
    let start = bedside.now();
    bedside.wait(90 * SECOND);
    assert_eq!(bedside.now(), start + 90 * SECOND);
    bedside.set_wall(SignedDuration::from_secs(-90));
    assert_eq!(bedside.now().wall, start.wall);
    assert_eq!(bedside.now().boot, start.boot + 90 * SECOND);
    bedside.clock.step_boot(30 * SECOND);
    assert_eq!(bedside.now().wall, start.wall);
    assert_eq!(bedside.now().boot.since(start.boot), 120 * SECOND);
}

#[test]
fn s7_a_number_of_before_a_suspend_is_dashes_when_the_machine_wakes() {
    let mut bedside = Bedside::monitoring();
    bedside.frame(STRAP, heart_rate(72));
    bedside.frame(OXIMETER, oximetry(97, 72));
    assert!(bedside.numbers().iter().all(Option::is_some));
    bedside.suspend(60 * SECOND);
    bedside.unlock();
    assert!(bedside.numbers().iter().all(Option::is_none), "{:?}", bedside.numbers());
    // The links are made anew, and what comes over them counts.
    for device in [STRAP, OXIMETER] {
        bedside.hardware(Event::Link(device, Link::Lost));
        bedside.hardware(Event::Link(device, Link::Live));
    }
    bedside.frame(STRAP, heart_rate(80));
    bedside.frame(OXIMETER, oximetry(96, 80));
    assert!(bedside.numbers().iter().all(Option::is_some));
}
