//! The bedside: tiles of live values, and the lane of the waveform.

use std::rc::Rc;

use slint::{ComponentHandle, ModelRc, VecModel};

use wardkeep_core::kiosk::view::Screen;
use wardkeep_ui::{self as ui, AppWindow};

use crate::bridge::lane::Lane;
use crate::bridge::lines;
use crate::bridge::screens::Adapter;
use crate::bridge::words::{Words, bedside as words_of};

/// Tiles and lane.
pub(super) struct Bedside {
    vitals: Rc<VecModel<ui::VitalLine>>,
    waves: Rc<VecModel<ui::WaveLine>>,
    lane: Rc<Lane>,
}

impl Bedside {
    /// Gives the screen its tiles and this lane.
    pub(super) fn connect(window: &AppWindow, lane: &Rc<Lane>) -> Self {
        let (global, wave) = (window.global::<ui::Bedside>(), window.global::<ui::Wave>());
        let (vitals, waves) = (Rc::new(VecModel::default()), Rc::new(VecModel::default()));
        global.set_vitals(ModelRc::from(Rc::clone(&vitals)));
        global.set_waves(ModelRc::from(Rc::clone(&waves)));
        let sized = Rc::downgrade(lane);
        wave.on_resized(move |width, height| {
            if let Some(lane) = sized.upgrade() {
                lane.resize(pixels(width), u32::try_from(pixels(height)).unwrap_or(0));
            }
        });
        Self { vitals, waves, lane: Rc::clone(lane) }
    }

    fn hide_lane(&self) {
        lines::sync(&self.waves, Vec::new());
        self.lane.hide();
    }
}

impl Adapter for Bedside {
    fn show(&self, window: &AppWindow, screen: &Screen, words: &Words) -> bool {
        let Screen::Bedside(bedside) = screen else { return false };
        let global = window.global::<ui::Bedside>();
        global.set_has_patient(bedside.has_patient);
        global.set_has_device(bedside.has_device);
        lines::sync(
            &self.vitals,
            bedside.tiles.iter().map(|tile| lines::tile(tile, words)).collect(),
        );
        if bedside.wave && bedside.has_patient && bedside.has_device {
            self.lane.show();
            let strips = ModelRc::from(self.lane.strips());
            let (name, family) = (words_of::pleth(words), ui::Family::Oxygen);
            lines::sync(&self.waves, vec![ui::WaveLine { name, family, strips }]);
        } else {
            self.hide_lane();
        }
        true
    }

    /// Forgets the values and the trace.
    fn leave(&self, _: &AppWindow) {
        lines::sync(&self.vitals, Vec::new());
        self.hide_lane();
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a length on a screen, never negative")]
fn pixels(length: f32) -> usize {
    length.max(0.0) as usize
}
