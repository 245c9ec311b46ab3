//! The bedside: tiles of live values, and the lanes of the waveforms.

use std::rc::Rc;

use slint::{ComponentHandle, ModelRc, VecModel};

use wardkeep_core::kiosk::view::Screen;
use wardkeep_model::vitals::wave::WaveKind;
use wardkeep_ui::{self as ui, AppWindow};

use crate::bridge::lane::Lanes;
use crate::bridge::lines;
use crate::bridge::screens::Adapter;
use crate::bridge::words::{Words, bedside as words_of};

/// Tiles and lanes.
pub(super) struct Bedside {
    vitals: Rc<VecModel<ui::VitalLine>>,
    waves: Rc<VecModel<ui::WaveLine>>,
    lanes: Rc<Lanes>,
}

impl Bedside {
    /// Gives the screen its tiles and these lanes.
    pub(super) fn connect(window: &AppWindow, lanes: &Rc<Lanes>) -> Self {
        let (global, wave) = (window.global::<ui::Bedside>(), window.global::<ui::Wave>());
        let (vitals, waves) = (Rc::new(VecModel::default()), Rc::new(VecModel::default()));
        global.set_vitals(ModelRc::from(Rc::clone(&vitals)));
        global.set_waves(ModelRc::from(Rc::clone(&waves)));
        let sized = Rc::downgrade(lanes);
        wave.on_resized(move |width, height| {
            let Some(lanes) = sized.upgrade() else { return };
            for lane in lanes.iter() {
                lane.resize(pixels(width), u32::try_from(pixels(height)).unwrap_or(0));
            }
        });
        Self { vitals, waves, lanes: Rc::clone(lanes) }
    }

    fn hide_lanes(&self) {
        lines::sync(&self.waves, Vec::new());
        self.lanes.iter().for_each(|lane| lane.hide());
    }

    /// Shows these lanes, and hides the others.
    fn show_lanes(&self, shown: &[WaveKind], words: &Words) {
        for kind in WaveKind::ALL.into_iter().filter(|kind| !shown.contains(kind)) {
            self.lanes.of(kind).into_iter().for_each(|lane| lane.hide());
        }
        let line = |kind: &WaveKind| {
            let lane = self.lanes.of(*kind)?;
            lane.show();
            let strips = ModelRc::from(lane.strips());
            let (name, family) = match kind {
                WaveKind::Ecg => (words_of::ecg(words), ui::Family::Heart),
                WaveKind::Pleth => (words_of::pleth(words), ui::Family::Oxygen),
            };
            Some(ui::WaveLine { name, family, strips })
        };
        lines::sync(&self.waves, shown.iter().filter_map(line).collect());
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
        if bedside.has_patient && bedside.has_device {
            self.show_lanes(&bedside.waves, words);
        } else {
            self.hide_lanes();
        }
        true
    }

    /// Forgets the values and the trace.
    fn leave(&self, _: &AppWindow) {
        lines::sync(&self.vitals, Vec::new());
        self.hide_lanes();
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a length on a screen, never negative")]
fn pixels(length: f32) -> usize {
    length.max(0.0) as usize
}
