//! The drivers of one run: real readers and radio, or the simulated bedside.

use tokio::runtime::Handle;
use tokio::sync::mpsc;

use wardkeep_core::config::Config;
use wardkeep_hardware::trust::Trust;
use wardkeep_model::alarm::Sound;
use wardkeep_model::ports::{Command, Event};

use crate::app::{Outlet, Refused, readers};

/// Driver handles; dropping them stops the drivers.
pub struct Drivers {
    /// The way to command them.
    pub commands: Outlet<Command>,
    /// The alarm sound: what is to be heard from now on.
    pub sound: Box<dyn FnMut(Option<Sound>) + Send>,
    /// The simulator, for its bench window.
    #[cfg(feature = "sim")]
    pub simulator: Option<wardkeep_sim::SimHandle>,
}

impl Drivers {
    /// Starts the real drivers.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn real(
        runtime: &Handle,
        events: mpsc::Sender<Event>,
        site: &Config,
    ) -> std::io::Result<Self> {
        let (radio, _task) = wardkeep_hardware::ble::spawn(
            runtime,
            events.clone(),
            wardkeep_hardware::ble::Timing::default(),
            site.adapter,
        );
        let (pcsc, pcsc_inbox) = mpsc::channel(readers::WAITING_MAX);
        let (usb, usb_inbox) = mpsc::channel(readers::WAITING_MAX);
        let reader =
            wardkeep_hardware::pcsc::spawn(pcsc, Trust::load(&site.cards), site.readers.clone())?;
        let usb_reader = wardkeep_hardware::usb_badge::spawn(
            usb,
            wardkeep_hardware::usb_badge::Site {
                keyboard_badge: site.keyboard_badge,
                allowed: site.readers.clone(),
            },
        )?;
        runtime.spawn(readers::relay(pcsc_inbox, usb_inbox, events.clone()));
        let fingers = wardkeep_hardware::fingerprint::spawn(events.clone())?;
        let sound = speaker(events)?;
        let commands: Outlet<Command> = Box::new(move |command| {
            // It takes no commands; it lives as long as the others do.
            let _alive = &usb_reader;
            match command {
                Command::Card(order) => reader.try_send(order).map_err(|_| Refused),
                Command::Finger(order) => fingers.try_send(order).map_err(|_| Refused),
                Command::Connect(..)
                | Command::Disconnect(_)
                | Command::Pair(_)
                | Command::AnswerPairing(..)
                | Command::Forget(_)
                | Command::Write(..) => radio.try_send(command).map_err(|_| Refused),
            }
        });
        Ok(Self {
            commands,
            sound,
            #[cfg(feature = "sim")]
            simulator: None,
        })
    }

    /// Starts the simulated bedside.
    ///
    /// # Errors
    /// The system gives no thread.
    #[cfg(feature = "sim")]
    pub fn simulated(runtime: &Handle, events: mpsc::Sender<Event>) -> std::io::Result<Self> {
        let (simulator, _task) = wardkeep_sim::spawn(runtime, events.clone());
        let sound = speaker(events)?;
        let commanded = simulator.clone();
        Ok(Self {
            commands: Box::new(move |command| commanded.try_send(command).map_err(|_| Refused)),
            sound,
            simulator: Some(simulator),
        })
    }
}

/// Starts the speaker; it lives as long as the closure.
fn speaker(events: mpsc::Sender<Event>) -> std::io::Result<Box<dyn FnMut(Option<Sound>) + Send>> {
    let speaker = wardkeep_hardware::speaker::spawn(events)?;
    Ok(Box::new(move |sound| speaker.set(sound)))
}
