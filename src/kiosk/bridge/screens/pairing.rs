//! The pairing of a device.
//!
//! S-10: its numbers leave every property and model when the page is left and at lock.

use std::cell::Cell;
use std::rc::Rc;

use slint::{ComponentHandle, ModelRc, SharedString, VecModel};

use wardkeep_core::kiosk::intent::Intent as Any;
use wardkeep_core::kiosk::pages::pairing::Intent;
use wardkeep_core::kiosk::view::Screen;
use wardkeep_core::kiosk::view::pairing::PairingStage;
use wardkeep_model::ports::PairingFault;
use wardkeep_model::vitals::DeviceId;
use wardkeep_ui::{self as ui, AppWindow};

use crate::bridge::port::Port;
use crate::bridge::screens::Adapter;
use crate::bridge::words::{Words, devices, pairing as said};
use crate::bridge::{lines, times};
use crate::glyphs;

/// Digits of a number.
const DIGITS: usize = 6;

/// The page.
pub(super) struct Pairing {
    boxes: Rc<VecModel<SharedString>>,
    device: Rc<Cell<Option<DeviceId>>>,
}

impl Pairing {
    /// Connects the page.
    pub(super) fn connect(port: &Rc<Port>, window: &AppWindow) -> Self {
        let global = window.global::<ui::Pairing>();
        let page = Self { boxes: Rc::default(), device: Rc::default() };
        global.set_boxes(ModelRc::from(Rc::clone(&page.boxes)));
        let send = |intent: Intent| {
            let port = Rc::clone(port);
            move || port.send(Any::from(intent))
        };
        let here = Rc::clone(port);
        global.on_confirm(move |same| here.send(Intent::Confirm(same)));
        let here = Rc::clone(port);
        global.on_digit(move |value| {
            if let Ok(digit) = u8::try_from(value) {
                here.send(Intent::Digit(digit));
            }
        });
        global.on_erase(send(Intent::Erase));
        global.on_submit(send(Intent::Submit));
        global.on_stop(send(Intent::Stop));
        let (here, device) = (Rc::clone(port), Rc::clone(&page.device));
        global.on_again(move || {
            if let Some(device) = device.get() {
                here.send(Intent::Start(device));
            }
        });
        page
    }
}

impl Adapter for Pairing {
    fn show(&self, window: &AppWindow, screen: &Screen, words: &Words) -> bool {
        let Screen::Pairing(page) = screen else { return false };
        let (global, icons) = (window.global::<ui::Pairing>(), window.global::<ui::Icons>());
        self.device.set(Some(page.id));
        global.set_title(glyphs::drawable(&page.name));
        global.set_facts(devices::kind(words, page.kind));
        global.set_icon(lines::picture(page.kind, &icons));
        global.set_stage(kind(&page.stage));
        let told = said::stage(words, &page.stage);
        global.set_fact(told.fact);
        global.set_advice(told.advice);
        global.set_left(page.seconds_left.map(times::countdown).unwrap_or_default());
        let number = match &page.stage {
            PairingStage::Compare(number) | PairingStage::Show(number, _) => {
                said::grouped(number.expose())
            }
            PairingStage::Waiting
            | PairingStage::Type { .. }
            | PairingStage::Done
            | PairingStage::Failed(_) => SharedString::default(),
        };
        global.set_number(number);
        let (digits, waits) = match &page.stage {
            PairingStage::Type { digits, is_sent, .. } => (digits.expose().as_str(), *is_sent),
            PairingStage::Waiting
            | PairingStage::Compare(_)
            | PairingStage::Show(..)
            | PairingStage::Done
            | PairingStage::Failed(_) => ("", false),
        };
        let mut boxes: Vec<SharedString> =
            digits.chars().map(|digit| slint::format!("{digit}")).collect();
        global.set_entered(lines::count(boxes.len()));
        global.set_complete(boxes.len() == DIGITS);
        global.set_waits(waits);
        boxes.resize(DIGITS, SharedString::default());
        lines::sync(&self.boxes, boxes);
        let is_no_use = |fault| matches!(fault, PairingFault::NoAdapter);
        global.set_can_retry(match page.stage {
            PairingStage::Failed(fault) => !is_no_use(fault),
            PairingStage::Waiting
            | PairingStage::Compare(_)
            | PairingStage::Show(..)
            | PairingStage::Type { .. }
            | PairingStage::Done => false,
        });
        true
    }

    fn leave(&self, window: &AppWindow) {
        if self.device.take().is_none() {
            return;
        }
        let global = window.global::<ui::Pairing>();
        lines::sync(&self.boxes, Vec::new());
        global.set_entered(0);
        global.set_number(SharedString::default());
        global.set_title(SharedString::default());
    }
}

fn kind(stage: &PairingStage) -> ui::PairingStage {
    match stage {
        PairingStage::Waiting => ui::PairingStage::Waiting,
        PairingStage::Compare(_) => ui::PairingStage::Compare,
        PairingStage::Show(..) => ui::PairingStage::Show,
        PairingStage::Type { .. } => ui::PairingStage::Typing,
        PairingStage::Done => ui::PairingStage::Done,
        PairingStage::Failed(_) => ui::PairingStage::Failed,
    }
}
