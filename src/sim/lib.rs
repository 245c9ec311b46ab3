//! The simulated bedside (feature `sim`): a ward without a ward.
//!
//! Two minutes for a newcomer. Start `wardkeep --simulate`: the kiosk opens on a ready ward, and beside
//! it a bench. On the bench lie four badges with their PINs, a heart-rate strap and two pulse
//! oximeters that look the same; behind them a cuff, a thermometer, a meter, a scale and a chest patch. Tap a badge and the kiosk reacts as if a person stood before it; carry
//! an oximeter to the cart and it appears in the kiosk's device list; let the patient's oxygen fall and
//! watch the alarm come up; pull the finger out, empty a battery, switch Bluetooth off or unplug the reader, and
//! see that the kiosk says what is wrong and never shows an old number as a live one.
//!
//! ```text
//!   bench window --Knob[32]--> +-----------------------------+ --Event[..]--> shell
//!                 <--Scene---- | driver: 50 ms tick          |
//!                    watch(1)  |   ward: badges and devices  | <--Command[32]-- shell
//!                              |     physiology: one patient |
//!                              +-----------------------------+
//! ```
//!
//! The kiosk cannot tell: the simulator sends the same [`Event`]s as the real drivers, measurements
//! as bytes, and obeys the same [`Command`]s. [`physiology`], [`frames`], [`device`] and [`ward`]
//! are pure; only the driver in this file reads a clock.
//!
//! A full disk and a wrong clock are not among the knobs: they happen to the machine, and pretending
//! them here would prove nothing.
//!
//! S-11: commands and knobs are bounded; an event the shell has no room for is counted and reported
//! as [`Event::Overrun`].

#![warn(clippy::indexing_slicing)]

pub mod device;
pub mod factors;
pub mod frames;
pub mod physiology;
pub mod spot;
pub mod ward;

use std::time::Duration;

use jiff::tz::TimeZone;
use tokio::runtime;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use ward::{Knob, Scene, Ward};
use wardkeep_model::moment::Moment;
use wardkeep_model::ports::{Command, Event};

/// How often the ward lives on.
const TICK: Duration = Duration::from_millis(50);
/// Commands and knobs that may wait for the next tick.
const QUEUE_MAX: usize = 32;
/// Every demonstration tells the same story.
const SEED: u64 = 0x5EED_0B3D;
/// Name of this driver in an overrun report.
const SOURCE: &str = "sim";

/// Why the simulator did not take a command or a knob.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SimError {
    /// Its queue is full.
    #[error("the simulator is busy")]
    Busy,
    /// It has ended.
    #[error("the simulator has stopped")]
    Stopped,
}

impl<T> From<TrySendError<T>> for SimError {
    fn from(error: TrySendError<T>) -> Self {
        match error {
            TrySendError::Full(_) => SimError::Busy,
            TrySendError::Closed(_) => SimError::Stopped,
        }
    }
}

/// The shell's and the bench's hold on the simulator. Dropping every clone ends it.
#[derive(Clone, Debug)]
pub struct SimHandle {
    commands: mpsc::Sender<Command>,
    knobs: mpsc::Sender<Knob>,
    scenes: watch::Receiver<Scene>,
}

impl SimHandle {
    /// Passes a command of the core on without waiting.
    ///
    /// # Errors
    /// The queue is full or the simulator has ended.
    pub fn try_send(&self, command: Command) -> Result<(), SimError> {
        Ok(self.commands.try_send(command)?)
    }

    /// Does something at the bench without waiting.
    ///
    /// # Errors
    /// The queue is full or the simulator has ended.
    pub fn turn(&self, knob: Knob) -> Result<(), SimError> {
        Ok(self.knobs.try_send(knob)?)
    }

    /// The simulator has ended.
    pub fn is_stopped(&self) -> bool {
        self.knobs.is_closed()
    }

    /// What the bench shows, not older than one tick.
    pub fn scene(&self) -> Scene {
        self.scenes.borrow().clone()
    }
}

/// Starts the simulator as a task of `runtime`. It ends when every handle or the receiver of
/// `events` is gone.
pub fn spawn(
    runtime: &runtime::Handle,
    events: mpsc::Sender<Event>,
) -> (SimHandle, JoinHandle<()>) {
    let ward = Ward::in_zone(SEED, TimeZone::system());
    let (commands, command_inbox) = mpsc::channel(QUEUE_MAX);
    let (knobs, knob_inbox) = mpsc::channel(QUEUE_MAX);
    let (scene, scenes) = watch::channel(ward.scene());
    let driver =
        Driver { ward, commands: command_inbox, knobs: knob_inbox, scene, events, lost: 0 };
    (SimHandle { commands, knobs, scenes }, runtime.spawn(driver.run()))
}

struct Driver {
    ward: Ward,
    commands: mpsc::Receiver<Command>,
    knobs: mpsc::Receiver<Knob>,
    scene: watch::Sender<Scene>,
    events: mpsc::Sender<Event>,
    lost: u64,
}

/// The shell has gone; there is nobody to simulate for.
struct ShellGone;

impl Driver {
    async fn run(mut self) {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            tokio::select! {
                command = self.commands.recv() => match command {
                    Some(command) => self.ward.handle(command),
                    None => return,
                },
                knob = self.knobs.recv() => match knob {
                    Some(knob) => self.ward.turn(Moment::read(), knob),
                    None => return,
                },
                _ = ticks.tick() => {
                    if self.tick(Moment::read()).is_err() {
                        return;
                    }
                }
            }
        }
    }

    fn tick(&mut self, now: Moment) -> Result<(), ShellGone> {
        for event in self.ward.step(now) {
            self.report(event)?;
        }
        self.scene.send_replace(self.ward.scene());
        Ok(())
    }

    /// Sends without waiting. What does not fit is counted, and the count goes first once there is
    /// room again, so that the core learns of the gap before it sees what follows it.
    fn report(&mut self, event: Event) -> Result<(), ShellGone> {
        if self.lost > 0 {
            let overrun = Event::Overrun { source: SOURCE, lost: self.lost };
            match self.events.try_send(overrun) {
                Ok(()) => self.lost = 0,
                Err(TrySendError::Full(_)) => {
                    self.lost += 1;
                    return Ok(());
                }
                Err(TrySendError::Closed(_)) => return Err(ShellGone),
            }
        }
        match self.events.try_send(event) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(_)) => {
                self.lost += 1;
                Ok(())
            }
            Err(TrySendError::Closed(_)) => Err(ShellGone),
        }
    }
}
