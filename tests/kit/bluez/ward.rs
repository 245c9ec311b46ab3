//! A Bluetooth driver, a pretended BlueZ around it, and everything the driver said.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};
use wardkeep_hardware::ble::{self, BleHandle, Timing};
use wardkeep_model::moment::Moment;
use wardkeep_model::ports::{Command, Event, Link, PairingStep, RadioHealth, Want, WriteFault};
use wardkeep_model::vitals::{DeviceId, DeviceKind};

use super::{DeviceSpec, FakeBluez};

/// Longest wait for anything in these tests; reached only by a driver that is dead.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Seconds that this machine has slept, as far as anybody can tell.
static SLEPT_S: AtomicU64 = AtomicU64::new(0);

/// The clocks of a machine that has slept.
pub fn clock() -> Moment {
    let Moment { boot, wall } = Moment::read();
    let slept = Duration::from_secs(SLEPT_S.load(Ordering::Relaxed));
    Moment { boot: boot + slept, wall: wall + slept }
}

/// The machine was suspended for so long.
pub fn suspend(seconds: u64) {
    SLEPT_S.fetch_add(seconds, Ordering::Relaxed);
}

/// The driver's times. Those that it lets pass are short enough for a test; those after which it gives
/// up on an answer are long enough for a loaded machine.
pub fn short() -> Timing {
    let ms = Duration::from_millis;
    Timing {
        seen_every: ms(200),
        gone_after: ms(900),
        silence: ms(500),
        question: ms(5_000),
        connect: ms(20_000),
        setup: ms(10_000),
        release: ms(5_000),
        retry_first: ms(60),
        retry_max: ms(300),
        full_retry: ms(3_000),
        idle: ms(400),
        idle_unused: ms(60_000),
        rest_first: ms(60_000),
        rest_max: ms(60_000),
        window: ms(60_000),
        reach: ms(2_000),
        hand_over: ms(400),
        write: ms(10_000),
        answer: ms(200),
        scan_watchdog: ms(700),
        tick: ms(50),
        clock,
    }
}

/// The driver under test.
pub struct Ward {
    /// The pretended daemon, if there is one: it lives as long as the driver.
    pub fake: Option<Arc<FakeBluez>>,
    /// What the driver is told by.
    pub driver: BleHandle,
    /// Its task, to see it end.
    pub task: JoinHandle<()>,
    events: mpsc::Receiver<Event>,
    /// Everything received, oldest first.
    pub log: VecDeque<Event>,
}

impl Ward {
    /// Starts the driver with short times and a roomy queue.
    pub fn start(fake: Arc<FakeBluez>) -> Self {
        Self::with_queue(fake, 4096)
    }

    /// Starts it with short times and room for so many events.
    pub fn with_queue(fake: Arc<FakeBluez>, queue: usize) -> Self {
        Self::with(fake, queue, short())
    }

    /// Starts it with these times.
    pub fn with(fake: Arc<FakeBluez>, queue: usize, timing: Timing) -> Self {
        Self::at(fake, queue, timing, None)
    }

    /// Starts it with these times at one controller.
    pub fn at(
        fake: Arc<FakeBluez>,
        queue: usize,
        timing: Timing,
        adapter: Option<DeviceId>,
    ) -> Self {
        Self { fake: Some(fake), ..Self::on_this_bus(queue, timing, adapter) }
    }

    /// Starts it with these times, whoever is BlueZ on the bus of this process.
    pub fn on_this_bus(queue: usize, timing: Timing, adapter: Option<DeviceId>) -> Self {
        let (sender, events) = mpsc::channel(queue);
        let (driver, task) = ble::spawn(&Handle::current(), sender, timing, adapter);
        Self { fake: None, driver, task, events, log: VecDeque::new() }
    }

    /// Ends the driver and waits until it has.
    pub async fn end(self) {
        drop(self.driver);
        let ended = tokio::time::timeout(PATIENCE, self.task).await;
        ended.expect("it ends").expect("without a panic");
    }

    /// Waits for an event; returns how long that took.
    pub async fn expect(&mut self, what: &str, wanted: impl Fn(&Event) -> bool) -> Duration {
        let start = Instant::now();
        loop {
            // Not for each event: a device goes on being seen for as long as it is near.
            let event = timeout_at(start + PATIENCE, self.events.recv()).await;
            let Ok(Some(event)) = event else {
                panic!("waited for {what}; got {:#?}", self.log);
            };
            let found = wanted(&event);
            self.log.push_back(event);
            if found {
                return start.elapsed();
            }
        }
    }

    /// The next event as it comes, and when.
    pub async fn next(&mut self) -> (Instant, Event) {
        let event = self.events.recv().await.expect("the driver runs");
        (Instant::now(), event)
    }

    /// Receives everything for a while.
    pub async fn listen(&mut self, time: Duration) {
        let until = Instant::now() + time;
        while let Ok(Some(event)) = timeout_at(until, self.events.recv()).await {
            self.log.push_back(event);
        }
    }

    /// The queue has no room for another event.
    pub fn is_full(&self) -> bool {
        self.events.len() == self.events.max_capacity()
    }

    /// Drops the receiving end, as a core that died would.
    pub fn stop_listening(self) -> (BleHandle, JoinHandle<()>) {
        (self.driver, self.task)
    }

    /// Waits until the radio is told to be like this; returns how long that took.
    pub async fn radio(&mut self, health: RadioHealth) -> Duration {
        let what = format!("radio {health:?}");
        self.expect(&what, |event| matches!(event, Event::Radio(it) if *it == health)).await
    }

    /// Waits until a link is told to be like this; returns how long that took.
    pub async fn link(&mut self, device: DeviceId, link: Link) -> Duration {
        let what = format!("{device:?} {link:?}");
        let wanted =
            |event: &Event| matches!(event, Event::Link(d, l) if *d == device && *l == link);
        self.expect(&what, wanted).await
    }

    /// Waits until a device is seen; returns how long that took.
    pub async fn seen(&mut self, device: DeviceId) -> Duration {
        let wanted = |event: &Event| matches!(event, Event::Seen { device: d, .. } if *d == device);
        self.expect(&format!("{device:?} seen"), wanted).await
    }

    /// Waits for a frame of this characteristic and returns its bytes.
    pub async fn frame(&mut self, from: DeviceId, number: u16) -> Vec<u8> {
        let ours = |event: &Event| is_frame(event, from, number);
        self.expect(&format!("a frame {number:04x} of {from:?}"), ours).await;
        match self.log.back() {
            Some(Event::Frame { payload, .. }) => payload.clone(),
            other => panic!("not a frame: {other:?}"),
        }
    }

    /// Orders a link.
    pub fn connect(&self, device: DeviceId, kind: DeviceKind) {
        self.want(device, Want { releases: false, ..Want::of(kind) });
    }

    /// Orders a link of which this is wanted.
    pub fn want(&self, device: DeviceId, want: Want) {
        self.order(Command::Connect(device, want));
    }

    /// Gives an order.
    pub fn order(&self, command: Command) {
        assert_eq!(self.driver.try_send(command), Ok(()));
    }

    /// Waits for the next step of a pairing.
    pub async fn step(&mut self, device: DeviceId) -> PairingStep {
        let ours = |event: &Event| matches!(event, Event::Pairing(of, _) if *of == device);
        self.expect(&format!("a step of pairing {device:?}"), ours).await;
        match self.log.back() {
            Some(Event::Pairing(_, step)) => *step,
            other => panic!("not a step: {other:?}"),
        }
    }

    /// Waits for the answer to a write.
    pub async fn wrote(&mut self, device: DeviceId, number: u16) -> Result<(), WriteFault> {
        let ours = |event: &Event| matches!(event, Event::Wrote(of, what, _) if *of == device && what.0 == number);
        self.expect(&format!("the answer to a write of {number:04x}"), ours).await;
        match self.log.back() {
            Some(Event::Wrote(.., written)) => *written,
            other => panic!("not an answer: {other:?}"),
        }
    }

    /// Orders the end of a link.
    pub fn disconnect(&self, device: DeviceId) {
        assert_eq!(self.driver.try_send(Command::Disconnect(device)), Ok(()));
    }

    /// Connects and waits until the link is live.
    pub async fn go_live(&mut self, device: DeviceId, kind: DeviceKind) {
        self.connect(device, kind);
        self.link(device, Link::Connecting).await;
        self.link(device, Link::Live).await;
    }

    /// The states of a link so far, oldest first.
    pub fn links(&self, device: DeviceId) -> Vec<Link> {
        let links = self.log.iter().filter_map(|event| {
            let Event::Link(of, link) = event else { return None };
            (*of == device).then_some(*link)
        });
        links.collect()
    }

    /// How many events fit.
    pub fn count(&self, wanted: impl Fn(&Event) -> bool) -> usize {
        self.log.iter().filter(|event| wanted(event)).count()
    }
}

/// Adds an advertising heart rate strap.
pub fn strap(fake: &FakeBluez) -> DeviceId {
    let strap = DeviceSpec::heart_rate(1, "Strap");
    let device = strap.device;
    fake.add_device(strap);
    device
}

/// Whether an event is a frame of this characteristic.
pub fn is_frame(event: &Event, from: DeviceId, number: u16) -> bool {
    matches!(event, Event::Frame { device, characteristic, .. }
        if *device == from && characteristic.0 == number)
}

/// Waits until something outside the driver's events is true.
pub async fn until(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "waited for {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
