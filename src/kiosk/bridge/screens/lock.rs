//! The lock screen: which readers there are, and the way to the emergency view.

use std::rc::Rc;

use slint::{ComponentHandle, ModelRc, VecModel};

use wardkeep_core::kiosk::login;
use wardkeep_core::kiosk::view;
use wardkeep_model::ports::{ReaderHealth, ReaderKind};
use wardkeep_ui::{self as ui, AppWindow};

use crate::bridge::port::Port;
use crate::bridge::{lines, vocabulary};

/// Rows of the lock screen.
#[derive(Default)]
pub(super) struct Lock {
    readers: Rc<VecModel<ui::ReaderLine>>,
}

impl Lock {
    /// Connects the screen.
    pub(super) fn connect(port: &Rc<Port>, window: &AppWindow) -> Self {
        let (global, rows) = (window.global::<ui::Lock>(), Self::default());
        global.set_readers(ModelRc::from(Rc::clone(&rows.readers)));
        let here = Rc::clone(port);
        global.on_begin_emergency(move || here.send(login::Intent::BeginEmergency));
        rows
    }

    /// Shows it.
    pub(super) fn show(&self, window: &AppWindow, lock: &view::Lock) {
        let global = window.global::<ui::Lock>();
        let health =
            |kind| lock.readers.iter().find(|(is, _)| *is == kind).map(|(_, health)| *health);
        let badge = health(ReaderKind::Badge).unwrap_or(ReaderHealth::NotFitted);
        global.set_badge_reader(vocabulary::health(badge));
        global.set_card_offered(lock.ways.card);
        global.set_emergency_offered(lock.ways.emergency);
        global.set_radio(vocabulary::radio(lock.radio));
        global.set_devices_live(lines::count(lock.devices_live));
        global.set_devices_known(lines::count(lock.devices_known));
        let readers = lock.readers.iter().map(|(reader, health)| ui::ReaderLine {
            reader: vocabulary::reader(*reader),
            health: vocabulary::health(*health),
        });
        lines::sync(&self.readers, readers.collect());
    }
}
