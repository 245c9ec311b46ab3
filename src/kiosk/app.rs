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

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use wardkeep_core::alarms::Sound;
use wardkeep_core::kiosk::intent::Intent;
use wardkeep_core::kiosk::view::View;
use wardkeep_core::kiosk::{Effect, Event, Kiosk};
use wardkeep_model::alarm::Priority;
use wardkeep_model::keeping::{Command as StoreCommand, Outcome};
use wardkeep_model::moment::Moment;
use wardkeep_model::ports;

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
    pub sound: Box<dyn FnMut(Option<Priority>) + Send>,
    /// The screen; whoever shows a view shares it.
    pub views: watch::Sender<Arc<View>>,
    /// The waveform lane.
    pub waves: mpsc::Sender<WaveChunk>,
}

/// Runs until the screen is closed (its end of the intent queue is dropped).
pub async fn run(mut kiosk: Kiosk, mut inputs: Inputs, outputs: Outputs) {
    let mut performer = Performer { outputs, backlog: VecDeque::new(), lost: 0, heard: None };
    let mut open = (true, true);
    loop {
        let now = Moment::read();
        let wait = kiosk.next_deadline(now).since(now.boot);
        let event = tokio::select! {
            biased;
            intent = inputs.intents.recv() => match intent {
                Some(intent) => Event::Intent(intent),
                None => return performer.perform(kiosk.end()),
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
    lost: u64,
    heard: Option<Sound>,
}

impl Performer {
    /// A condition that begins is heard at once, also at a priority that is sounding already.
    fn sound(&mut self, wanted: Option<Sound>) {
        if self.heard == wanted {
            return;
        }
        let same = self.heard.map(|sound| sound.priority) == wanted.map(|sound| sound.priority);
        if same {
            (self.outputs.sound)(None);
        }
        (self.outputs.sound)(wanted.map(|sound| sound.priority));
        self.heard = wanted;
    }

    fn perform(&mut self, effects: Vec<Effect>) {
        while let Some(command) = self.backlog.pop_front() {
            if (self.outputs.store)(command.clone()).is_err() {
                self.backlog.push_front(command);
                break;
            }
        }
        for effect in effects {
            match effect {
                Effect::Store(command) => self.store(command),
                Effect::Hardware(command) => {
                    if (self.outputs.hardware)(command).is_err() {
                        tracing::error!("a driver's queue is full");
                        self.lost += 1;
                    }
                }
                Effect::Wave { rate_hz, samples } => {
                    if self.outputs.waves.try_send(WaveChunk { rate_hz, samples }).is_err() {
                        tracing::trace!("the waveform lane is behind");
                    }
                }
            }
        }
    }

    fn store(&mut self, command: StoreCommand) {
        let is_record = matches!(
            command,
            StoreCommand::Record(_) | StoreCommand::RecordWave(_) | StoreCommand::Audit(_)
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
