//! The bedside: tiles of live values, and the lane of the waveform.

use std::rc::Rc;

use slint::{ComponentHandle, ModelRc, VecModel};

use wardkeep_core::kiosk::view::Screen;
use wardkeep_ui::{self as ui, AppWindow};

use crate::bridge::lane::Lane;
use crate::bridge::lines;
use crate::bridge::screens::Adapter;
use crate::bridge::words::Words;

/// Tiles and lane.
pub(super) struct Bedside {
    vitals: Rc<VecModel<ui::VitalLine>>,
    lane: Rc<Lane>,
}

impl Bedside {
    /// Gives the screen its tiles and this lane.
    pub(super) fn connect(window: &AppWindow, lane: &Rc<Lane>) -> Self {
        let wave = window.global::<ui::Wave>();
        let vitals = Rc::new(VecModel::default());
        window.global::<ui::Bedside>().set_vitals(ModelRc::from(Rc::clone(&vitals)));
        wave.set_strips(ModelRc::from(lane.strips()));
        let sized = Rc::downgrade(lane);
        wave.on_resized(move |width, height| {
            if let Some(lane) = sized.upgrade() {
                lane.resize(pixels(width), u32::try_from(pixels(height)).unwrap_or(0));
            }
        });
        Self { vitals, lane: Rc::clone(lane) }
    }
}

impl Adapter for Bedside {
    fn show(&self, window: &AppWindow, screen: &Screen, words: &Words) -> bool {
        let Screen::Bedside(bedside) = screen else { return false };
        let global = window.global::<ui::Bedside>();
        global.set_wave(bedside.wave);
        global.set_has_patient(bedside.has_patient);
        global.set_has_device(bedside.has_device);
        lines::sync(
            &self.vitals,
            bedside.tiles.iter().map(|tile| lines::tile(tile, words)).collect(),
        );
        if bedside.wave && bedside.has_patient && bedside.has_device {
            self.lane.show();
        } else {
            self.lane.hide();
        }
        true
    }

    /// Forgets the values and the trace.
    fn leave(&self, _: &AppWindow) {
        lines::sync(&self.vitals, Vec::new());
        self.lane.hide();
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a length on a screen, never negative")]
fn pixels(length: f32) -> usize {
    length.max(0.0) as usize
}
