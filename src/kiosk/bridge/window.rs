//! The kiosk's window on the main thread, and everything that stands behind it there.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use slint::{CloseRequestResponse, ComponentHandle};
use tokio::sync::{mpsc, watch};

use wardkeep_core::kiosk::intent::Intent;
use wardkeep_core::kiosk::view::View;
use wardkeep_ui::{self as ui, AppWindow};

use crate::bridge::port::Port;
use crate::bridge::pump::Pump;
use crate::bridge::screens::{Screens, ink};
use crate::bridge::wave::WaveChunk;
use crate::bridge::words::Words;

/// Opens the window and connects its controls to `intents`. Full: the tap is dropped with a warning.
///
/// # Errors
/// There is no display to open a window on.
pub fn open_window(
    intents: mpsc::Sender<Intent>,
) -> Result<(AppWindow, Bridge), slint::PlatformError> {
    let window = AppWindow::new()?;
    let port = Rc::new(Port::new(window.as_weak(), intents));
    let screens = Rc::new(Screens::connect(&port, &window, Words::install()?));
    Ok((window, Bridge { port, screens }))
}

/// The main thread's half of the screen. Keep it as long as the window.
pub struct Bridge {
    port: Rc<Port>,
    screens: Rc<Screens>,
}

impl Bridge {
    /// From now on nobody closes the window from outside: monitoring does not end because a window manager,
    /// or a key that it knows, asks for it (S-2).
    pub fn keep_open(&self) {
        if let Some(window) = self.port.window() {
            window.window().on_close_requested(|| {
                tracing::warn!("somebody asked the window to close; monitoring goes on");
                CloseRequestResponse::KeepWindowShown
            });
        }
    }

    /// Takes views and waveforms from now on. The returned half belongs on the runtime.
    pub fn connect(
        &self,
        views: watch::Receiver<Arc<View>>,
        waves: mpsc::Receiver<WaveChunk>,
    ) -> Pump {
        self.screens.lanes().connect(waves);
        let pump = Pump::new(views.clone(), self.port.handle());
        let (screens, pending) = (Rc::downgrade(&self.screens), pump.pending());
        let port = Rc::downgrade(&self.port);
        if let Some(window) = self.port.window() {
            window.global::<ui::Frame>().on_refresh(move || {
                // Cleared first: a view that arrives from here on posts the next refresh.
                pending.store(false, Ordering::SeqCst);
                let window = port.upgrade().and_then(|port| port.window());
                if let Some((screens, window)) = screens.upgrade().zip(window) {
                    // Not under the lock, which the shell waits for.
                    let view = Arc::clone(&views.borrow());
                    screens.show(&window, &view);
                }
            });
        }
        pump
    }

    /// Shows `view` at once. For callers on the main thread.
    pub fn apply(&self, view: &View) {
        if let Some(window) = self.port.window() {
            self.screens.show(&window, view);
        }
    }

    /// The words of this window, for another one beside it.
    #[cfg(feature = "sim")]
    pub fn words(&self) -> Words {
        self.screens.words()
    }

    /// Covers the whole screen, as a kiosk does.
    pub fn go_full_screen(&self) {
        if let Some(window) = self.port.window() {
            window.window().set_fullscreen(true);
        }
    }

    /// Shows every text in this size, in percent.
    pub fn set_text_percent(&self, percent: i64) {
        if let (Some(window), Ok(percent)) = (self.port.window(), u16::try_from(percent)) {
            window.global::<ui::Theme>().set_text_size(f32::from(percent) / 100.0);
        }
    }

    /// Changes between the day and the night theme.
    pub fn set_day(&self, day: bool) {
        if let Some(window) = self.port.window() {
            window.global::<ui::Theme>().set_day(day);
            let wave = window.global::<ui::Wave>();
            self.screens.lanes().recolour(|kind| ink(kind, &wave), wave.get_paper());
        }
    }

    /// Advances the bedside's lanes by one frame without their timers. For pictures and tests.
    pub fn sweep_one_frame(&self) {
        self.screens.lanes().iter().for_each(|lane| lane.tick());
    }

    /// No lane of the bedside moves or holds a trace.
    pub fn lane_is_at_rest(&self) -> bool {
        self.screens.lanes().iter().all(|lane| lane.is_at_rest())
    }
}
