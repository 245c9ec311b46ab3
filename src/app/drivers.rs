//! The drivers of one run: real readers and radio, or the simulated bedside.

use tokio::runtime::Handle;
use tokio::sync::mpsc;

#[cfg(feature = "hardware")]
use super::readers;
use super::{Outlet, Refused};
use crate::bridge::view::Priority;
use crate::config::Config;
#[cfg(feature = "hardware")]
use crate::hardware::trust::Trust;
use crate::hardware::{Command, Event};

/// Driver handles; dropping them stops the drivers.
pub struct Drivers {
    /// The way to command them.
    pub commands: Outlet<Command>,
    /// The alarm sound: what is to be heard from now on.
    pub sound: Box<dyn FnMut(Option<Priority>) + Send>,
    /// The simulator, for its bench window.
    #[cfg(feature = "sim")]
    pub simulator: Option<crate::sim::SimHandle>,
}

impl Drivers {
    /// Starts the real drivers.
    ///
    /// # Errors
    /// The system gives no thread.
    #[cfg(feature = "hardware")]
    pub fn real(
        runtime: &Handle,
        events: mpsc::Sender<Event>,
        site: &Config,
    ) -> std::io::Result<Self> {
        let (radio, _task) = crate::hardware::ble::spawn(
            runtime,
            events.clone(),
            crate::hardware::ble::Timing::default(),
        );
        let (pcsc, pcsc_inbox) = mpsc::channel(readers::WAITING_MAX);
        let (usb, usb_inbox) = mpsc::channel(readers::WAITING_MAX);
        let reader = crate::hardware::smartcard::spawn(pcsc, Trust::load(&site.cards))?;
        let usb_reader = crate::hardware::hid_reader::spawn(usb, site.keyboard_badge)?;
        runtime.spawn(readers::relay(pcsc_inbox, usb_inbox, events.clone()));
        let fingers = crate::hardware::fingerprint::spawn(events.clone())?;
        let sound = speaker(events)?;
        let commands: Outlet<Command> = Box::new(move |command| {
            // It takes no commands; it lives as long as the others do.
            let _alive = &usb_reader;
            match command {
                Command::Card(order) => reader.try_send(order).map_err(|_| Refused),
                Command::Finger(order) => fingers.try_send(order).map_err(|_| Refused),
                Command::Connect(..) | Command::Disconnect(_) => {
                    radio.try_send(command).map_err(|_| Refused)
                }
            }
        });
        Ok(Self {
            commands,
            sound,
            #[cfg(feature = "sim")]
            simulator: None,
        })
    }

    /// A build without drivers has nothing to start.
    ///
    /// # Errors
    /// Never; the signature is that of the real one.
    #[cfg(not(feature = "hardware"))]
    pub fn real(
        _runtime: &Handle,
        _events: mpsc::Sender<Event>,
        _site: &Config,
    ) -> std::io::Result<Self> {
        Ok(Self {
            commands: Box::new(|_| Err(Refused)),
            sound: Box::new(|_| {}),
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
        let (simulator, _task) = crate::sim::spawn(runtime, events.clone());
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
#[cfg(feature = "hardware")]
fn speaker(
    events: mpsc::Sender<Event>,
) -> std::io::Result<Box<dyn FnMut(Option<Priority>) + Send>> {
    let speaker = crate::hardware::speaker::spawn(events)?;
    Ok(Box::new(move |priority| speaker.set(priority)))
}

/// A build without drivers is silent.
#[cfg(all(feature = "sim", not(feature = "hardware")))]
fn speaker(
    _events: mpsc::Sender<Event>,
) -> std::io::Result<Box<dyn FnMut(Option<Priority>) + Send>> {
    Ok(Box::new(|_| {}))
}
