//! The lock screen: which readers there are, and the way to the emergency view.

use std::rc::Rc;

use slint::{ComponentHandle, Image, ModelRc, VecModel};

use wardkeep_core::kiosk::login;
use wardkeep_core::kiosk::view::Screen;
use wardkeep_model::ports::{RadioHealth, ReaderHealth, ReaderKind};
use wardkeep_ui::{self as ui, AppWindow};

use crate::bridge::lines;
use crate::bridge::port::Port;
use crate::bridge::screens::Adapter;
use crate::bridge::words::{Words, devices, readers};

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
}

impl Adapter for Lock {
    fn show(&self, window: &AppWindow, screen: &Screen, words: &Words) -> bool {
        let Screen::Lock(lock) = screen else { return false };
        let (global, icons) = (window.global::<ui::Lock>(), window.global::<ui::Icons>());
        let health =
            |kind| lock.readers.iter().find(|(is, _)| *is == kind).map(|(_, health)| *health);
        let badge = health(ReaderKind::Badge).unwrap_or(ReaderHealth::NotFitted);
        global.set_wanted(lines::wanted(badge, lock.ways.card, words));
        global.set_emergency_offered(lock.ways.emergency);
        global.set_radio(devices::radio(words, lock.radio));
        global.set_radio_usable(lock.radio == RadioHealth::Ready);
        global.set_devices_live(lines::count(lock.devices_live));
        global.set_devices_known(lines::count(lock.devices_known));
        let readers = lock.readers.iter().map(|(reader, health)| ui::ReaderLine {
            name: readers::name(words, *reader),
            state: readers::health(words, *health),
            usable: *health == ReaderHealth::Ready,
            icon: picture(*reader, &icons),
        });
        lines::sync(&self.readers, readers.collect());
        true
    }

    /// It is about nobody.
    fn leave(&self, _: &AppWindow) {}
}

fn picture(reader: ReaderKind, icons: &ui::Icons<'_>) -> Image {
    match reader {
        ReaderKind::Badge => icons.get_badge(),
        ReaderKind::SmartCard => icons.get_card(),
        ReaderKind::Finger => icons.get_finger(),
    }
}
