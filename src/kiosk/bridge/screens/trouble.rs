//! The screen while the store cannot be used: what is wrong, and what is monitored meanwhile.
//!
//! S-1: live values shown without a session are in a model of their own that every other screen empties.

use std::rc::Rc;

use slint::{ComponentHandle, ModelRc, VecModel};

use wardkeep_core::kiosk::trouble;
use wardkeep_core::kiosk::view;
use wardkeep_core::kiosk::view::records::Watch;
use wardkeep_ui::{self as ui, AppWindow};

use crate::bridge::lines;
use crate::bridge::port::Port;
use crate::bridge::screens::devices::on_device;
use crate::bridge::vocabulary::{self, records};
use crate::bridge::words::{Words, faults};

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

    /// Shows what is wrong, and what is monitored meanwhile.
    pub(super) fn show(&self, window: &AppWindow, trouble: &view::records::Trouble, words: &Words) {
        let global = window.global::<ui::Trouble>();
        let wrong = faults::fault(words, trouble.fault);
        global.set_fact(wrong.fact);
        global.set_advice(wrong.advice);
        global.set_remedy(faults::remedy(words, trouble.fault));
        global.set_watch(records::watch(&trouble.watch));
        global.set_records(trouble.records);
        let (tiles, rows) = match &trouble.watch {
            Watch::Nothing { offered } => {
                global.set_offered(*offered);
                (&[][..], &[][..])
            }
            Watch::Bed(tiles) => (&tiles[..], &[][..]),
            Watch::Unknown { tiles, rows, radio } => {
                global.set_radio(vocabulary::radio(*radio));
                (&tiles[..], &rows[..])
            }
        };
        lines::sync(&self.vitals, tiles.iter().map(|tile| lines::tile(tile, words)).collect());
        let rows = lines::steady(
            &self.devices,
            rows.iter().map(|row| lines::device(row, words)).collect(),
        );
        lines::sync(&self.devices, rows);
    }

    /// Forgets the live values that were shown without a session.
    pub(super) fn leave(&self) {
        lines::sync(&self.vitals, Vec::new());
        lines::sync(&self.devices, Vec::new());
    }
}
