//! The shell: one task that owns the core, waits for events or the next deadline, performs effects
//! and publishes the view. Everything that reads a clock for the core does it here.
//!
//! ```text
//!  intents [32] --.                         .--> store      [1024]
//!  outcomes [64] --> shell --> Kiosk::handle --> drivers    [64]
//!  hardware [256]-'      (biased: a tap on   '--> view watch, wave samples [8]
//!                         "lock" goes first)
//! ```
//!
//! S-11: every channel is bounded. Records that the store's queue cannot take are counted and raise a
//! technical alarm; commands that must not be lost (`Close` above all) wait in a short backlog.

#![warn(unreachable_pub)]

pub mod drivers;
pub mod readers;
#[cfg(feature = "gui")]
pub mod start;

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use wardkeep_core::kiosk::intent::Intent;
use wardkeep_core::kiosk::view::View;
use wardkeep_core::kiosk::{Effect, Event, Kiosk};
use wardkeep_model::alarm::Sound;
use wardkeep_model::keeping::{Command as StoreCommand, Outcome};
use wardkeep_model::moment::Moment;
use wardkeep_model::ports;
use wardkeep_model::vitals::DeviceId;

use crate::bridge::WaveChunk;

/// Room for what people do; a full queue drops the tap.
pub const INTENTS_MAX: usize = 32;
/// Room for what drivers see.
pub const HARDWARE_MAX: usize = 256;
/// Room for what the store answers.
pub const OUTCOMES_MAX: usize = 64;
/// Room for waveform chunks on their way to the screen; a full queue drops the chunk (a gap shows).
pub const WAVES_MAX: usize = 8;
/// Store commands that wait for room in the store's queue.
const BACKLOG_MAX: usize = 64;

/// A queue had no room, or its other end is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("queue is full or closed")]
pub struct Refused;

/// Where events come from.
pub struct Inputs {
    /// The screen.
    pub intents: mpsc::Receiver<Intent>,
    /// The store.
    pub outcomes: mpsc::Receiver<Outcome>,
    /// Drivers, or the simulator.
    pub hardware: mpsc::Receiver<ports::Event>,
}

/// Hands over one command without waiting.
pub type Outlet<T> = Box<dyn FnMut(T) -> Result<(), Refused> + Send>;

/// Where effects go.
pub struct Outputs {
    /// The store.
    pub store: Outlet<StoreCommand>,
    /// Drivers, or the simulator.
    pub hardware: Outlet<ports::Command>,
    /// The alarm sound from now on.
    pub sound: Box<dyn FnMut(Option<Sound>) + Send>,
    /// The screen; whoever shows a view shares it.
    pub views: watch::Sender<Arc<View>>,
    /// The waveform lane.
    pub waves: mpsc::Sender<WaveChunk>,
}

/// Runs until the screen is closed (its end of the intent queue is dropped).
pub async fn run(mut kiosk: Kiosk, mut inputs: Inputs, outputs: Outputs) {
    let mut performer = Performer {
        outputs,
        backlog: VecDeque::new(),
        orders: Orders::default(),
        lost: 0,
        heard: None,
    };
    let mut open = (true, true);
    loop {
        let now = Moment::read();
        let wait = kiosk.next_deadline(now).since(now.boot);
        let event = tokio::select! {
            biased;
            intent = inputs.intents.recv() => match intent {
                Some(intent) => Event::Intent(intent),
                None => return performer.perform(kiosk.end(Moment::read())),
            },
            outcome = inputs.outcomes.recv(), if open.0 => match outcome {
                Some(outcome) => Event::Store(outcome),
                None => { open.0 = false; Event::Tick }
            },
            event = inputs.hardware.recv(), if open.1 => match event {
                Some(event) => Event::Hardware(event),
                None => { open.1 = false; Event::Tick }
            },
            () = tokio::time::sleep(wait) => Event::Tick,
        };
        let now = Moment::read();
        let mut effects = kiosk.handle(now, event);
        performer.perform(effects);
        if performer.lost > 0 {
            effects = kiosk.handle(now, Event::RecordsLost(std::mem::take(&mut performer.lost)));
            performer.perform(effects);
        }
        for (device, is_refused) in performer.orders.news() {
            let news = ports::Event::Refused(device, is_refused);
            effects = kiosk.handle(now, Event::Hardware(news));
            performer.perform(effects);
        }
        performer.sound(kiosk.sound(now));
        let view = kiosk.view(now);
        performer.outputs.views.send_if_modified(|shown| {
            let changed = **shown != view;
            if changed {
                *shown = Arc::new(view);
            }
            changed
        });
    }
}

struct Performer {
    outputs: Outputs,
    /// Commands in order that the store had no room for; never records.
    backlog: VecDeque<StoreCommand>,
    orders: Orders,
    lost: u64,
    heard: Option<Sound>,
}

impl Performer {
    fn sound(&mut self, wanted: Option<Sound>) {
        if self.heard != wanted {
            (self.outputs.sound)(wanted);
            self.heard = wanted;
        }
    }

    fn perform(&mut self, effects: Vec<Effect>) {
        while let Some(command) = self.backlog.pop_front() {
            if (self.outputs.store)(command.clone()).is_err() {
                self.backlog.push_front(command);
                break;
            }
        }
        self.orders.try_again(&mut self.outputs.hardware);
        for effect in effects {
            match effect {
                Effect::Store(command) => self.store(command),
                Effect::Hardware(command) => self.orders.give(&mut self.outputs.hardware, command),
                Effect::Wave { kind, rate_hz, samples } => {
                    let chunk = WaveChunk { kind, rate_hz, samples };
                    if self.outputs.waves.try_send(chunk).is_err() {
                        tracing::trace!("the waveform lane is behind");
                    }
                }
            }
        }
    }

    fn store(&mut self, command: StoreCommand) {
        let is_record = matches!(
            command,
            StoreCommand::Record(_)
                | StoreCommand::RecordWave(_)
                | StoreCommand::Audit(_)
                | StoreCommand::RecordAlarm(_)
        );
        if is_record {
            // Records may overtake nothing: a backlog means that the queue has no room anyway.
            if !self.backlog.is_empty() || (self.outputs.store)(command).is_err() {
                self.lost += 1;
            }
            return;
        }
        let waits = !self.backlog.is_empty() || (self.outputs.store)(command.clone()).is_err();
        if !waits {
            return;
        }
        if self.backlog.len() < BACKLOG_MAX {
            self.backlog.push_back(command);
        } else {
            tracing::error!("the store takes no commands");
            self.lost += 1;
        }
    }
}

/// What a driver was told to do with a device and had no room for, in order.
#[derive(Default)]
struct Orders {
    waiting: VecDeque<ports::Command>,
    /// Of which devices the core knows that a command waits.
    told: BTreeSet<DeviceId>,
}

/// Which device it is about.
fn device_of(command: &ports::Command) -> Option<DeviceId> {
    match command {
        ports::Command::Connect(device, _)
        | ports::Command::Disconnect(device)
        | ports::Command::Pair(device)
        | ports::Command::AnswerPairing(device, _)
        | ports::Command::Forget(device)
        | ports::Command::Write(device, ..) => Some(*device),
        ports::Command::Card(_) | ports::Command::Finger(_) => None,
    }
}

impl Orders {
    /// A link that is wanted is asked for until the driver takes it: the core waits for it, and says after a
    /// while that it is missed. What is asked of a card or a finger has its own end at the screen.
    fn give(&mut self, hardware: &mut Outlet<ports::Command>, command: ports::Command) {
        let is_kept = device_of(&command).is_some();
        let waits = is_kept && !self.waiting.is_empty();
        if !waits && hardware(command.clone()).is_ok() {
            return;
        }
        tracing::error!("a driver's queue is full");
        if is_kept && self.waiting.len() < BACKLOG_MAX {
            self.waiting.push_back(command);
        }
    }

    fn try_again(&mut self, hardware: &mut Outlet<ports::Command>) {
        while let Some(command) = self.waiting.pop_front() {
            if hardware(command.clone()).is_err() {
                self.waiting.push_front(command);
                break;
            }
        }
    }

    /// Devices of which a command waits, or waits no longer, since this was asked last.
    fn news(&mut self) -> Vec<(DeviceId, bool)> {
        let waiting: BTreeSet<_> = self.waiting.iter().filter_map(device_of).collect();
        let told = std::mem::replace(&mut self.told, waiting.clone());
        let refused = waiting.difference(&told).map(|device| (*device, true));
        refused.chain(told.difference(&waiting).map(|device| (*device, false))).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use wardkeep_model::ports::{Command, FingerCommand, Want};
    use wardkeep_model::vitals::DeviceKind;

    use super::*;

    #[test]
    fn r11_a_link_that_a_driver_refused_is_asked_for_again_and_in_order() {
        let (taken, room) = (Arc::new(Mutex::new(vec![])), Arc::new(Mutex::new(0)));
        let (into, left) = (Arc::clone(&taken), Arc::clone(&room));
        let mut hardware: Outlet<Command> = Box::new(move |command| {
            let mut left = left.lock().unwrap();
            if *left == 0 {
                return Err(Refused);
            }
            *left -= 1;
            into.lock().unwrap().push(command);
            Ok(())
        });
        let (strap, oximeter) = (DeviceId([1; 6]), DeviceId([2; 6]));
        let wanted = [
            Command::Connect(strap, Want::of(DeviceKind::HeartRate)),
            Command::Disconnect(strap),
            Command::Connect(oximeter, Want::of(DeviceKind::PulseOximeter)),
        ];
        let mut orders = Orders::default();
        for command in wanted.clone() {
            orders.give(&mut hardware, command);
        }
        orders.give(&mut hardware, Command::Finger(FingerCommand::Stop));
        assert!(taken.lock().unwrap().is_empty());
        assert_eq!(orders.news(), [(strap, true), (oximeter, true)]);
        assert_eq!(orders.news(), []);
        for _ in 0..4 {
            *room.lock().unwrap() = 1;
            orders.try_again(&mut hardware);
        }
        assert_eq!(*taken.lock().unwrap(), wanted);
    }
}
