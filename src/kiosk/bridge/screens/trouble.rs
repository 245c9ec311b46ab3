//! The screen while the store cannot be used: what is wrong, and what is monitored meanwhile.
//!
//! S-1: live values shown without a session are in a model of their own that every other screen empties.

use std::rc::Rc;

use slint::{ComponentHandle, ModelRc, VecModel};

use wardkeep_core::kiosk::trouble;
use wardkeep_core::kiosk::view::Screen;
use wardkeep_core::kiosk::view::records::Watch;
use wardkeep_ui::{self as ui, AppWindow};

use crate::bridge::lines;
use crate::bridge::port::Port;
use crate::bridge::screens::Adapter;
use crate::bridge::screens::devices::on_device;
use crate::bridge::words::{Words, devices, faults};

/// Rows of the trouble screen.
#[derive(Default)]
pub(super) struct Trouble {
    /// Live values of a bed, or of an unknown patient.
    vitals: Rc<VecModel<ui::VitalLine>>,
    /// Devices that can be watched.
    devices: Rc<VecModel<ui::DeviceLine>>,
}

impl Trouble {
    /// Connects the screen.
    pub(super) fn connect(port: &Rc<Port>, window: &AppWindow) -> Self {
        let (global, rows) = (window.global::<ui::Trouble>(), Self::default());
        global.set_vitals(ModelRc::from(Rc::clone(&rows.vitals)));
        global.set_rows(ModelRc::from(Rc::clone(&rows.devices)));
        let here = Rc::clone(port);
        global.on_begin_watch(move || here.send(trouble::Intent::BeginWatch));
        let here = Rc::clone(port);
        global.on_end_watch(move || here.send(trouble::Intent::EndWatch));
        global.on_link(on_device(port, trouble::Intent::Connect));
        global.on_release(on_device(port, trouble::Intent::Release));
        rows
    }
}

impl Adapter for Trouble {
    fn show(&self, window: &AppWindow, screen: &Screen, words: &Words) -> bool {
        let Screen::Trouble(trouble) = screen else { return false };
        let (global, icons) = (window.global::<ui::Trouble>(), window.global::<ui::Icons>());
        let wrong = faults::fault(words, trouble.fault);
        global.set_fact(wrong.fact);
        global.set_advice(wrong.advice);
        global.set_remedy(faults::remedy(words, trouble.fault));
        global.set_records(trouble.records);
        let (watched, tiles, rows) = match &trouble.watch {
            Watch::Nothing { offered } => {
                global.set_offered(*offered);
                (ui::Watched::Nothing, &[][..], &[][..])
            }
            Watch::Bed(tiles) => (ui::Watched::Bed, &tiles[..], &[][..]),
            Watch::Unknown { tiles, rows, radio } => {
                let radio = devices::radio_trouble(words, *radio);
                global.set_radio(radio.fact);
                global.set_radio_advice(radio.advice);
                (ui::Watched::Unknown, &tiles[..], &rows[..])
            }
        };
        global.set_watched(watched);
        lines::sync(&self.vitals, tiles.iter().map(|tile| lines::tile(tile, words)).collect());
        let rows = rows.iter().map(|row| lines::device(row, words, &icons)).collect();
        lines::sync(&self.devices, lines::steady(&self.devices, rows));
        true
    }

    /// Forgets the live values that were shown without a session.
    fn leave(&self, _: &AppWindow) {
        lines::sync(&self.vitals, Vec::new());
        lines::sync(&self.devices, Vec::new());
    }
}
