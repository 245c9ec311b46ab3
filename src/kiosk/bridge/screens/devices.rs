//! Devices near this bed: linked, assigned, released.

use std::rc::Rc;
use std::str::FromStr;

use slint::{ComponentHandle, ModelRc, SharedString, VecModel};

use wardkeep_core::kiosk::intent::Intent;
use wardkeep_core::kiosk::pages::{devices, inventory, pairing};
use wardkeep_core::kiosk::view::Screen;
use wardkeep_model::vitals::DeviceId;
use wardkeep_ui::{self as ui, AppWindow};

use crate::bridge::lines;
use crate::bridge::port::Port;
use crate::bridge::screens::Adapter;
use crate::bridge::words::{Words, devices as said};

/// Rows of the devices page.
#[derive(Default)]
pub(super) struct Devices {
    rows: Rc<VecModel<ui::DeviceLine>>,
}

impl Devices {
    /// Connects the page.
    pub(super) fn connect(port: &Rc<Port>, window: &AppWindow) -> Self {
        let (global, page) = (window.global::<ui::Devices>(), Self::default());
        global.set_rows(ModelRc::from(Rc::clone(&page.rows)));
        global.on_link(on_device(port, devices::Intent::Connect));
        global.on_pair(on_device(port, pairing::Intent::Start));
        global.on_assign(on_device(port, devices::Intent::Assign));
        global.on_prefer(on_device(port, devices::Intent::Show));
        global.on_open(on_device(port, inventory::Intent::Open));
        global.on_release(on_device(port, devices::Intent::Release));
        page
    }
}

impl Adapter for Devices {
    fn show(&self, window: &AppWindow, screen: &Screen, words: &Words) -> bool {
        let Screen::Devices(devices) = screen else { return false };
        let (global, icons) = (window.global::<ui::Devices>(), window.global::<ui::Icons>());
        let radio = said::radio_trouble(words, devices.radio);
        global.set_radio(radio.fact);
        global.set_radio_advice(radio.advice);
        global.set_has_patient(devices.has_patient);
        global.set_note(said::note(words, devices.is_crowded));
        global.set_waiting(said::waiting(words, devices.waiting, devices.has_readings));
        let rows = devices.rows.iter().map(|row| lines::device(row, words, &icons)).collect();
        lines::sync(&self.rows, lines::steady(&self.rows, rows));
        true
    }

    /// Forgets the devices and their readings.
    fn leave(&self, _: &AppWindow) {
        lines::sync(&self.rows, Vec::new());
    }
}

/// Sends what a touch on a device's row means.
pub(super) fn on_device<I: Into<Intent>>(
    port: &Rc<Port>,
    intent: fn(DeviceId) -> I,
) -> impl Fn(SharedString) + use<I> {
    let port = Rc::clone(port);
    move |id| match DeviceId::from_str(&id) {
        Ok(device) => port.send(intent(device)),
        Err(error) => tracing::error!(%error, "a device row without an address"),
    }
}
