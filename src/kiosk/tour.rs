//! `wardkeep tour`: every screen and its telling states as pictures, without a display.
//!
//! The pictures are for people to look at: can it be read at two metres, what is the one next step,
//! whose data is this, what if the name has forty letters or the language is German?

#![warn(unreachable_pub)]

pub mod samples;
pub mod stop;
pub mod stops;

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use i_slint_backend_testing::{TestingBackend, TestingBackendOptions, mock_elapsed_time};
use slint::{ComponentHandle, PhysicalSize, Rgba8Pixel, SharedPixelBuffer};
use tokio::sync::{mpsc, watch};

use wardkeep_core::config::Language;
use wardkeep_core::kiosk::view::{Screen, View};
use wardkeep_model::vitals::wave::WaveKind;

use crate::bridge::{AppWindow, Bridge, WaveChunk, open_window};
use crate::tour::stop::Stop;

/// Usual sizes of the screen, in px, and how their pictures are called.
const SIZES: [(&str, (u32, u32)); 2] = [("landscape", (1280, 800)), ("portrait", (800, 1280))];
const WAVE_HZ: u16 = 75;

/// How the kiosk is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// Size of the text in percent.
    pub text_percent: i64,
    /// Sizes of the screen, in px.
    pub sizes: Vec<(u32, u32)>,
}

impl Default for Look {
    fn default() -> Self {
        Self { text_percent: 100, sizes: SIZES.map(|(_, size)| size).to_vec() }
    }
}

impl Look {
    /// What a picture of this size is called behind the screen's name.
    fn tag(&self, (width, height): (u32, u32)) -> String {
        let usual = SIZES.iter().find(|(_, size)| *size == (width, height));
        let size = usual.map_or(format!("{width}x{height}"), |(name, _)| (*name).to_owned());
        let percent = self.text_percent;
        if percent == 100 { size } else { format!("{size}-text{percent}") }
    }
}

/// Renders every stop of the tour whose name contains `only` into `out`, and returns how many pictures
/// were written.
///
/// # Errors
/// No stop is called like that, the folder cannot be written, or this thread has a screen backend already.
pub fn run(out: &Path, only: &str, look: &Look) -> anyhow::Result<usize> {
    std::fs::create_dir_all(out).with_context(|| format!("making {}", out.display()))?;
    let wanted = named(only)?;
    let stage = Stage::new()?;
    stage.bridge.set_text_percent(look.text_percent);
    let mut written = 0;
    for stop in wanted {
        for size in &look.sizes {
            for language in Language::ALL {
                let is_default = language == Language::default();
                let tag = if is_default { String::new() } else { format!("-{}", language.tag()) };
                let file = out.join(format!("{}{tag}-{}.png", stop.name, look.tag(*size)));
                let picture = stage.picture(&stop, language, *size)?;
                save(&file, &picture).with_context(|| format!("writing {}", file.display()))?;
                written += 1;
            }
        }
    }
    Ok(written)
}

/// Shows the first stop whose name contains `word` in a window, until that is closed. A build that interprets
/// the screens shows each change of their files at once.
///
/// # Errors
/// No stop is called like that, or there is no display.
pub fn show(word: &str, look: &Look) -> anyhow::Result<()> {
    let stop = named(word)?.swap_remove(0);
    let (intents, _taken) = mpsc::channel(32);
    let (window, bridge) = open_window(intents)?;
    bridge.set_text_percent(look.text_percent);
    bridge.set_day(stop.day);
    bridge.apply(&stop.view);
    if let Some((width, height)) = look.sizes.first() {
        window.window().set_size(PhysicalSize::new(*width, *height));
    }
    (stop.touch)(&window);
    Ok(window.run()?)
}

/// The stops whose name contains `word`: at least one.
fn named(word: &str) -> anyhow::Result<Vec<Stop>> {
    let (wanted, others): (Vec<Stop>, Vec<Stop>) =
        stops::all().into_iter().partition(|stop| stop.name.contains(word));
    if wanted.is_empty() {
        let names: Vec<String> = others.iter().map(|stop| stop.name.to_string()).collect();
        anyhow::bail!("no screen is called {word:?}; there are: {}", names.join(" "));
    }
    Ok(wanted)
}

struct Stage {
    window: AppWindow,
    bridge: Bridge,
    waves: mpsc::Sender<WaveChunk>,
    // Held so that touches of the tour have somewhere to go.
    _intents: mpsc::Receiver<wardkeep_core::kiosk::intent::Intent>,
}

impl Stage {
    fn new() -> anyhow::Result<Self> {
        let backend = TestingBackend::new(TestingBackendOptions {
            mock_time: true,
            threading: false,
            renderer_name: Some("software".into()),
        });
        slint::platform::set_platform(Box::new(backend))
            .map_err(|error| anyhow::anyhow!("no headless screen: {error}"))?;
        let (intents, taken) = mpsc::channel(32);
        let (window, bridge) = open_window(intents)?;
        let (_, views) = watch::channel(Arc::new(samples::concealed(Screen::Starting)));
        let (waves, samples) = mpsc::channel(64);
        drop(bridge.connect(views, samples));
        window.show()?;
        Ok(Self { window, bridge, waves, _intents: taken })
    }

    fn picture(
        &self,
        stop: &Stop,
        language: Language,
        (width, height): (u32, u32),
    ) -> anyhow::Result<SharedPixelBuffer<Rgba8Pixel>> {
        // Through the starting screen: each stop begins with nothing left of the one before.
        self.bridge.apply(&samples::concealed(Screen::Starting));
        self.bridge.set_day(stop.day);
        self.window.window().set_size(PhysicalSize::new(width, height));
        let view = View { language, ..stop.view.clone() };
        self.bridge.apply(&view);
        mock_elapsed_time(Duration::from_millis(20));
        (stop.touch)(&self.window);
        mock_elapsed_time(Duration::from_millis(600));
        self.sweep(&view)?;
        Ok(self.window.window().take_snapshot()?)
    }

    /// Ten seconds of a wave: a whole sweep and a part of the next one.
    fn sweep(&self, view: &View) -> anyhow::Result<()> {
        let Screen::Bedside(bedside) = &view.screen else { return Ok(()) };
        if bedside.waves.is_empty() {
            return Ok(());
        }
        let (pleth, ecg) = (samples::pleth(WAVE_HZ, 72.0), samples::ecg(WAVE_HZ, 72.0));
        for _ in 0..2 {
            // A quarter of a second at a time, as a device would send it.
            for (pleth, ecg) in pleth.chunks(19).zip(ecg.chunks(19)) {
                for kind in &bedside.waves {
                    let samples = match kind {
                        WaveKind::Ecg => ecg.to_vec(),
                        WaveKind::Pleth => pleth.to_vec(),
                    };
                    self.waves.try_send(WaveChunk { kind: *kind, rate_hz: WAVE_HZ, samples })?;
                }
                for _ in 0..8 {
                    self.bridge.sweep_one_frame();
                }
            }
        }
        Ok(())
    }
}

fn save(file: &Path, picture: &SharedPixelBuffer<Rgba8Pixel>) -> anyhow::Result<()> {
    let mut encoder =
        png::Encoder::new(BufWriter::new(File::create(file)?), picture.width(), picture.height());
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.write_header()?.write_image_data(picture.as_bytes())?;
    Ok(())
}
