//! The fingerprint driver against the real libfprint and its virtual readers.

use std::time::Duration;

use tokio::sync::mpsc::{Receiver, channel};
use wardkeep_hardware::fingerprint::{FingerprintHandle, Setup, spawn_with};
use wardkeep_model::access::factor::{Attempt, Finger, Sensor, Template};
use wardkeep_model::confidential::Secret;
use wardkeep_model::ports::FingerAdvice::{Again, Centre, Lift, Longer};
use wardkeep_model::ports::{
    Event, FactorEvent, FingerAdvice, FingerCommand, FingerEvent, FingerFault, ReaderHealth,
    ReaderKind,
};

use kit::fingers::{
    Model, claim, fail, instruct, is_claimed, wait_until_claimed, wait_until_claimed_anew,
    with_reader,
};
use kit::memory_scan::Needle;
use kit::namespace::{say, skipped};

/// Longest wait for an event that must come; reached only by a driver that is dead.
const SOON: Duration = Duration::from_secs(60);
/// How long it stays quiet when nothing is to come.
const QUIET: Duration = Duration::from_millis(400);

/// The driver under test and what it says.
struct Bench {
    driver: FingerprintHandle,
    events: Receiver<Event>,
    clock: tokio::runtime::Runtime,
    attempts: u64,
}

impl Bench {
    /// The driver, which has not said anything yet.
    fn with(setup: Setup) -> Self {
        let clock = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let (sender, events) = channel(256);
        let driver = spawn_with(sender, setup).expect("a thread");
        Self { driver, events, clock: clock.expect("a runtime"), attempts: 0 }
    }

    /// The driver with its reader; `None` where libfprint is not installed.
    fn ready(test: &str) -> Option<(Self, Sensor)> {
        let mut bench = Self::with(quick());
        match bench.next(SOON) {
            Some(Event::Factor(FactorEvent::Sensor(Some(sensor)))) => {
                bench.expect_health(ReaderHealth::Ready);
                Some((bench, sensor))
            }
            Some(Event::Reader(ReaderKind::Finger, ReaderHealth::NoLibrary)) => {
                skipped(test, "libfprint-2-2 is not installed");
                None
            }
            other => panic!("a reader was expected, not {other:?}"),
        }
    }

    fn next(&mut self, patience: Duration) -> Option<Event> {
        let next = async { tokio::time::timeout(patience, self.events.recv()).await };
        self.clock.block_on(next).ok().flatten()
    }

    fn expect_health(&mut self, health: ReaderHealth) {
        let next = self.next(SOON);
        let told =
            matches!(&next, Some(Event::Reader(ReaderKind::Finger, told)) if *told == health);
        assert!(told, "{health:?} was expected, not {next:?}");
    }

    fn expect_sensor(&mut self, sensor: Option<Sensor>) {
        match self.next(SOON) {
            Some(Event::Factor(FactorEvent::Sensor(told))) => assert_eq!(told, sensor),
            other => panic!("a reader's coming or going was expected, not {other:?}"),
        }
    }

    fn finger(&mut self) -> FingerEvent {
        match self.next(SOON) {
            Some(Event::Factor(FactorEvent::Finger(event))) => event,
            other => panic!("a word about a finger was expected, not {other:?}"),
        }
    }

    fn expect(&mut self, expected: FingerEvent) {
        assert_eq!(self.finger(), expected);
    }

    fn expect_nothing(&mut self) {
        let next = self.next(QUIET);
        assert!(next.is_none(), "{next:?}");
    }

    fn attempt(&mut self) -> Attempt {
        self.attempts += 1;
        Attempt(self.attempts)
    }

    fn send(&self, command: FingerCommand) {
        self.driver.try_send(command).expect("room");
    }

    fn identify(&mut self, templates: &[Template]) -> Attempt {
        let attempt = self.attempt();
        self.send(FingerCommand::Identify { attempt, templates: templates.to_vec() });
        attempt
    }

    fn begin_enrolment(&mut self, finger: Finger) -> Attempt {
        let attempt = self.attempt();
        self.send(FingerCommand::Enrol { attempt, finger });
        attempt
    }

    /// Enrols the finger that the reader knows as `name`, in five touches.
    fn enrol(&mut self, finger: Finger, name: &str) -> Template {
        let attempt = self.begin_enrolment(finger);
        for stage in 1..=5 {
            instruct(&format!("SCAN {name}"));
            self.expect(FingerEvent::Stage(attempt, stage, 5));
        }
        self.enrolled(attempt)
    }

    fn enrolled(&mut self, attempt: Attempt) -> Template {
        let event = self.finger();
        let FingerEvent::Enrolled(of, template) = event else {
            panic!("a template was expected, not {event:?}");
        };
        assert_eq!(of, attempt);
        template
    }
}

/// Waits that do not slow a test.
fn quick() -> Setup {
    let short = Duration::from_millis(20);
    Setup { look: Duration::from_millis(300), error_wait: short, ..Setup::default() }
}

#[test]
fn a_finger_is_enrolled_with_guidance_and_known_again() {
    let test = "fingerprint::a_finger_is_enrolled_with_guidance_and_known_again";
    with_reader(test, Model::Identifies, || {
        let Some((mut bench, sensor)) = Bench::ready(test) else { return };
        assert_eq!(sensor.driver, "virtual_device_storage");
        let attempt = bench.begin_enrolment(Finger::RightIndex);
        instruct("SCAN right");
        bench.expect(FingerEvent::Stage(attempt, 1, 5));
        instruct("RETRY 1");
        bench.expect(FingerEvent::Retry(attempt, Longer));
        // Another finger in the middle does not count either.
        instruct("SCAN left");
        bench.expect(FingerEvent::Retry(attempt, Again));
        for stage in 2..=5 {
            instruct("SCAN right");
            bench.expect(FingerEvent::Stage(attempt, stage, 5));
        }
        let right = bench.enrolled(attempt);
        assert_eq!((right.finger, &right.sensor), (Finger::RightIndex, &sensor));
        let left = bench.enrol(Finger::LeftIndex, "left");
        assert_ne!(right.id, left.id);
        assert!(!is_claimed(), "claimed only while a command runs");

        for (finger, id) in [("left", left.id), ("right", right.id)] {
            let attempt = bench.identify(&[right.clone(), left.clone()]);
            instruct(&format!("SCAN {finger}"));
            bench.expect(FingerEvent::Matched(attempt, id));
        }
        let again = bench.begin_enrolment(Finger::RightThumb);
        instruct("SCAN left");
        bench.expect(FingerEvent::Failed(again, FingerFault::Duplicate));
    });
}

#[test]
fn a_stranger_and_bad_touches_are_told_and_the_reader_waits_on() {
    let test = "fingerprint::a_stranger_and_bad_touches_are_told_and_the_reader_waits_on";
    with_reader(test, Model::Identifies, || {
        let Some((mut bench, _)) = Bench::ready(test) else { return };
        let mine = bench.enrol(Finger::RightIndex, "mine");
        let other = bench.enrol(Finger::RightIndex, "other");
        let attempt = bench.identify(std::slice::from_ref(&mine));
        let advice: [(u8, FingerAdvice); 5] =
            [(0, Again), (1, Longer), (2, Centre), (3, Lift), (77, Again)];
        for (code, advice) in advice {
            instruct(&format!("RETRY {code}"));
            bench.expect(FingerEvent::Retry(attempt, advice));
            instruct("SCAN nobody");
            bench.expect(FingerEvent::NotMatched(attempt));
        }
        // Enrolled in the reader, but not this person's.
        instruct("SCAN other");
        bench.expect(FingerEvent::NotMatched(attempt));
        instruct("SCAN mine");
        bench.expect(FingerEvent::Matched(attempt, mine.id));
        bench.expect_nothing();
        drop(other);
    });
}

#[test]
fn a_failing_reader_is_tried_again_and_given_up_after_five_failures() {
    let test = "fingerprint::a_failing_reader_is_tried_again_and_given_up_after_five_failures";
    with_reader(test, Model::Identifies, || {
        let Some((mut bench, _)) = Bench::ready(test) else { return };
        let mine = bench.enrol(Finger::RightIndex, "mine");
        let attempt = bench.identify(std::slice::from_ref(&mine));
        (0..4).for_each(|_| fail());
        instruct("SCAN nobody");
        bench.expect(FingerEvent::NotMatched(attempt));
        (0..4).for_each(|_| fail());
        instruct("SCAN mine");
        bench.expect(FingerEvent::Matched(attempt, mine.id));
        let attempt = bench.identify(std::slice::from_ref(&mine));
        (0..4).for_each(|_| fail());
        instruct("ERROR 0");
        bench.expect(FingerEvent::Failed(attempt, FingerFault::Broken));
        let attempt = bench.begin_enrolment(Finger::LeftIndex);
        instruct("ERROR 0");
        bench.expect(FingerEvent::Failed(attempt, FingerFault::Broken));
    });
}

#[test]
fn a_waiting_reader_is_let_go_at_once() {
    let test = "fingerprint::a_waiting_reader_is_let_go_at_once";
    with_reader(test, Model::Identifies, || {
        let Some((mut bench, _)) = Bench::ready(test) else { return };
        let mine = bench.enrol(Finger::RightIndex, "mine");
        let stopped = bench.identify(std::slice::from_ref(&mine));
        wait_until_claimed(true);
        // Nobody lays a finger on it: whoever waited for one would wait for ever.
        bench.send(FingerCommand::Stop);
        wait_until_claimed(false);
        bench.expect_nothing();

        // A newer command does the same; the older one is not answered any more.
        let replaced = bench.identify(&[]);
        bench.expect(FingerEvent::Failed(replaced, FingerFault::OtherSensor));
        let replaced = bench.begin_enrolment(Finger::LeftIndex);
        instruct("SCAN left");
        bench.expect(FingerEvent::Stage(replaced, 1, 5));
        let before = claim();
        let attempt = bench.identify(std::slice::from_ref(&mine));
        // The claim passes from one to the other.
        wait_until_claimed_anew(&before);
        bench.expect_nothing();
        instruct("SCAN mine");
        bench.expect(FingerEvent::Matched(attempt, mine.id));
        assert!(stopped < replaced && replaced < attempt);

        bench.identify(std::slice::from_ref(&mine));
        wait_until_claimed(true);
        drop(bench.driver);
        assert!(!is_claimed());
    });
}

#[test]
fn a_reader_may_be_unplugged_at_any_time() {
    let test = "fingerprint::a_reader_may_be_unplugged_at_any_time";
    with_reader(test, Model::Identifies, || {
        let Some((mut bench, sensor)) = Bench::ready(test) else { return };
        let mine = bench.enrol(Finger::RightIndex, "mine");
        let attempt = bench.identify(std::slice::from_ref(&mine));
        wait_until_claimed(true);
        instruct("UNPLUG");
        bench.expect(FingerEvent::Failed(attempt, FingerFault::Broken));
        bench.expect_sensor(None);
        bench.expect_health(ReaderHealth::NotFitted);
        bench.expect_sensor(Some(sensor.clone()));
        bench.expect_health(ReaderHealth::Ready);

        let attempt = bench.begin_enrolment(Finger::LeftIndex);
        instruct("SCAN left");
        bench.expect(FingerEvent::Stage(attempt, 1, 5));
        instruct("UNPLUG");
        bench.expect(FingerEvent::Failed(attempt, FingerFault::Broken));
        bench.expect_sensor(None);
        bench.expect_health(ReaderHealth::NotFitted);
        bench.expect_sensor(Some(sensor));
        bench.expect_health(ReaderHealth::Ready);
        // This reader forgets what is enrolled when it is unplugged.
        let mine = bench.enrol(Finger::RightIndex, "mine");
        let attempt = bench.identify(std::slice::from_ref(&mine));
        instruct("SCAN mine");
        bench.expect(FingerEvent::Matched(attempt, mine.id));
    });
}

/// S-1: a template counts on the reader it was taken on, and nowhere else.
#[test]
fn s1_another_reader_cannot_speak_for_a_person() {
    let test = "fingerprint::s1_another_reader_cannot_speak_for_a_person";
    with_reader(test, Model::Identifies, || {
        let Some((mut bench, sensor)) = Bench::ready(test) else { return };
        let mine = bench.enrol(Finger::RightIndex, "mine");
        let here = bench.enrol(Finger::LeftIndex, "here");
        let elsewhere: Vec<Template> = [
            Sensor { driver: "synaptics".into(), ..sensor.clone() },
            Sensor { device: "1".into(), ..sensor.clone() },
            Sensor { serial: "b00b1e5".into(), ..sensor },
        ]
        .into_iter()
        .map(|sensor| Template { sensor, ..mine.clone() })
        .collect();
        for template in &elsewhere {
            let attempt = bench.identify(std::slice::from_ref(template));
            bench.expect(FingerEvent::Failed(attempt, FingerFault::OtherSensor));
        }
        let attempt = bench.identify(&[&elsewhere[..], std::slice::from_ref(&here)].concat());
        instruct("SCAN mine");
        bench.expect(FingerEvent::NotMatched(attempt));
        instruct("SCAN here");
        bench.expect(FingerEvent::Matched(attempt, here.id));
    });
}

/// A truncated print would end the process inside libfprint.
#[test]
fn a_damaged_template_never_reaches_libfprint() {
    let test = "fingerprint::a_damaged_template_never_reaches_libfprint";
    with_reader(test, Model::Identifies, || {
        let Some((mut bench, _)) = Bench::ready(test) else { return };
        let mine = bench.enrol(Finger::RightIndex, "mine");
        let bytes = mine.print.expose();
        let mut flipped = bytes.clone();
        *flipped.last_mut().expect("not empty") ^= 1;
        let damaged: Vec<Template> = [bytes[..bytes.len() - 5].to_vec(), flipped, Vec::new()]
            .into_iter()
            .map(|bytes| Template { print: Secret::new(bytes), ..mine.clone() })
            .collect();
        let attempt = bench.identify(&damaged);
        bench.expect(FingerEvent::Failed(attempt, FingerFault::Broken));
        let attempt = bench.identify(&[&damaged[..], std::slice::from_ref(&mine)].concat());
        instruct("SCAN mine");
        bench.expect(FingerEvent::Matched(attempt, mine.id));
    });
}

#[test]
fn a_reader_without_identification_compares_one_template_per_touch() {
    let test = "fingerprint::a_reader_without_identification_compares_one_template_per_touch";
    with_reader(test, Model::VerifiesOnly, || {
        let Some((mut bench, sensor)) = Bench::ready(test) else { return };
        assert_eq!(sensor.driver, "virtual_device");
        let right = bench.enrol(Finger::RightIndex, "right");
        let left = bench.enrol(Finger::LeftIndex, "left");
        let attempt = bench.identify(&[right.clone(), left.clone()]);
        instruct("SCAN left");
        bench.expect(FingerEvent::Retry(attempt, Again));
        instruct("SCAN left");
        bench.expect(FingerEvent::Matched(attempt, left.id));
        let attempt = bench.identify(&[right, left.clone()]);
        instruct("SCAN nobody");
        bench.expect(FingerEvent::Retry(attempt, Again));
        instruct("SCAN nobody");
        bench.expect(FingerEvent::NotMatched(attempt));
        let attempt = bench.identify(std::slice::from_ref(&left));
        instruct("SCAN nobody");
        bench.expect(FingerEvent::NotMatched(attempt));
        bench.send(FingerCommand::Stop);
        wait_until_claimed(false);
    });
}

#[test]
fn without_libfprint_the_driver_says_so_and_lives_on() {
    let nothing = tempfile::tempdir().expect("a temporary directory");
    let mut bench = Bench::with(Setup { library: Some(nothing.path().to_owned()), ..quick() });
    bench.expect_health(ReaderHealth::NoLibrary);
    for _ in 0..2 {
        let attempt = bench.begin_enrolment(Finger::RightIndex);
        bench.expect(FingerEvent::Failed(attempt, FingerFault::NotFitted));
        bench.expect_nothing();
    }
}

#[test]
fn without_a_reader_the_driver_says_so_and_looks_on_at_no_cost() {
    let test = "fingerprint::without_a_reader_the_driver_says_so_and_looks_on_at_no_cost";
    with_reader(test, Model::None, || {
        let mut bench = Bench::with(Setup { look: Duration::from_millis(5), ..quick() });
        match bench.next(SOON) {
            Some(Event::Reader(_, ReaderHealth::NotFitted)) => {}
            Some(Event::Reader(_, ReaderHealth::NoLibrary)) => {
                return skipped(test, "libfprint-2-2 is not installed");
            }
            other => panic!("no reader was expected, not {other:?}"),
        }
        let attempt = bench.identify(&[]);
        bench.expect(FingerEvent::Failed(attempt, FingerFault::NotFitted));
        // Looks many times over; threads or descriptors that each look left behind would add up.
        bench.expect_nothing();
        let before = belongings();
        for _ in 0..5 {
            bench.expect_nothing();
        }
        // A busy machine may show none but moments in which it looks.
        let mut after = belongings();
        for _ in 0..200 {
            if after <= before {
                break;
            }
            after = after.min(belongings());
        }
        assert!(after <= before, "{before:?} {after:?}");
    });
}

/// Threads and open descriptors of this process between two looks, when they are fewest.
fn belongings() -> (usize, usize) {
    let count = |folder: &str| std::fs::read_dir(folder).expect("procfs").count();
    let samples = (0..50).map(|_| {
        std::thread::sleep(Duration::from_millis(3));
        (count("/proc/self/task"), count("/proc/self/fd"))
    });
    samples.min().expect("samples")
}

/// S-10: when nothing needs a template any more, none of the driver's copies of it is left.
#[test]
fn s10_no_copy_of_a_template_stays_in_the_driver() {
    let test = "fingerprint::s10_no_copy_of_a_template_stays_in_the_driver";
    with_reader(test, Model::Identifies, || {
        let Some((mut bench, _)) = Bench::ready(test) else { return };
        let mine = bench.enrol(Finger::RightIndex, "a finger that is looked for in memory");
        // The print begins at 41; only a whole template holds what lies across that border.
        let bytes = mine.print.expose();
        let (frame, print) = (Needle::of(&bytes[29..61]), Needle::of(&bytes[41..]));
        let attempt = bench.identify(std::slice::from_ref(&mine));
        instruct("SCAN nobody");
        bench.expect(FingerEvent::NotMatched(attempt));
        bench.send(FingerCommand::Stop);
        wait_until_claimed(false);
        assert!(frame.count() > 0 && print.count() > 0, "the search finds what is there");
        drop(mine);
        drop(bench);
        assert_eq!(frame.count(), 0, "copies that are ours");
        // libfprint does not wipe what it frees; how much is left there is told, not promised.
        say(&format!("{test}: whole prints left in libfprint's freed memory: {}", print.count()));
    });
}

#[test]
fn a_reader_that_may_not_be_opened_is_told_apart_from_none() {
    let test = "fingerprint::a_reader_that_may_not_be_opened_is_told_apart_from_none";
    with_reader(test, Model::Locked, || {
        let mut bench = Bench::with(quick());
        match bench.next(SOON) {
            Some(Event::Reader(_, ReaderHealth::Refused)) => {}
            Some(Event::Reader(_, ReaderHealth::NoLibrary)) => {
                return skipped(test, "libfprint-2-2 is not installed");
            }
            other => panic!("a refusal was expected, not {other:?}"),
        }
        let attempt = bench.identify(&[]);
        bench.expect(FingerEvent::Failed(attempt, FingerFault::Broken));
    });
}
