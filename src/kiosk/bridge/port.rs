//! What every screen stands on: the way to the window, and the queue of what people do.
//!
//! S-11: a full queue drops the touch and says so.

use std::time::Duration;

use slint::{Timer, TimerMode, Weak};
use tokio::sync::mpsc;

use wardkeep_core::kiosk::frame;
use wardkeep_core::kiosk::intent::Intent;
use wardkeep_ui::AppWindow;

/// Touches are reported as activity at most this often.
const ACTIVITY_EVERY: Duration = Duration::from_millis(500);

/// It holds the window weakly: the window's callbacks hold the port.
pub(super) struct Port {
    window: Weak<AppWindow>,
    intents: mpsc::Sender<Intent>,
    quiet: Timer,
}

impl Port {
    /// A port between this window and this queue.
    pub(super) fn new(window: Weak<AppWindow>, intents: mpsc::Sender<Intent>) -> Self {
        Self { window, intents, quiet: Timer::default() }
    }

    /// The window, while there is one.
    pub(super) fn window(&self) -> Option<AppWindow> {
        self.window.upgrade()
    }

    /// The window, for another thread.
    pub(super) fn handle(&self) -> Weak<AppWindow> {
        self.window.clone()
    }

    /// Passes an intent on. S-11: if the queue is full the tap is ignored, with a line in the log for
    /// each.
    pub(super) fn send(&self, intent: impl Into<Intent>) {
        match self.intents.try_send(intent.into()) {
            Ok(()) => {}
            Err(mpsc::error::TrySendError::Full(_)) => {
                tracing::warn!("a touch was ignored: the intent queue is full");
            }
            Err(mpsc::error::TrySendError::Closed(_)) => {
                tracing::info!("a touch was ignored: the program is ending");
            }
        }
    }

    /// Somebody touched the screen or typed.
    pub(super) fn activity(&self) {
        if self.quiet.running() {
            return;
        }
        self.quiet.start(TimerMode::SingleShot, ACTIVITY_EVERY, || {});
        self.send(frame::Intent::Activity);
    }
}
