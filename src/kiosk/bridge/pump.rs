//! The runtime's half of the screen: waits for views and tells the main thread when to look.
//!
//! The newest view wins: the main thread reads it at the moment it paints, so a busy screen skips
//! views and never queues them. What a person waits for is shown after at most one frame; a view in
//! which only the time of day went on waits a little longer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use slint::{ComponentHandle, Weak};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use wardkeep_core::kiosk::view::View;
use wardkeep_ui::{self as ui, AppWindow};

/// Shortest time between two views.
const FRAME: Duration = Duration::from_millis(33);
/// Shortest time between two views that differ in the clock alone: ten a second.
const CALM: Duration = Duration::from_millis(100);

/// Feeds the window until it is closed or the shell ends.
pub struct Pump {
    views: watch::Receiver<Arc<View>>,
    window: Weak<AppWindow>,
    pending: Arc<AtomicBool>,
}

impl Pump {
    /// A pump between this channel and this window.
    pub(super) fn new(views: watch::Receiver<Arc<View>>, window: Weak<AppWindow>) -> Self {
        Self { views, window, pending: Arc::new(AtomicBool::new(false)) }
    }

    /// Whether a refresh was posted that the main thread has not begun.
    pub(super) fn pending(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.pending)
    }

    /// Runs until the window or the shell is gone.
    pub async fn run(mut self) {
        let mut shown = Arc::clone(&self.views.borrow_and_update());
        let mut last = Instant::now();
        if !self.post() {
            return;
        }
        while self.views.changed().await.is_ok() {
            loop {
                let rest = rest(&shown, &self.views.borrow_and_update());
                tokio::select! {
                    () = sleep_until(last + rest) => break,
                    changed = self.views.changed() => if changed.is_err() { break },
                }
            }
            shown = Arc::clone(&self.views.borrow());
            last = Instant::now();
            if !self.post() {
                return;
            }
        }
    }

    /// Asks the main thread to look, unless it is about to. `false` once the event loop has ended.
    fn post(&self) -> bool {
        if self.pending.swap(true, Ordering::SeqCst) {
            return true;
        }
        self.window
            .upgrade_in_event_loop(|window| window.global::<ui::Frame>().invoke_refresh())
            .is_ok()
    }
}

/// How long the last view has to have stood before `next` may follow.
fn rest(shown: &View, next: &View) -> Duration {
    let conceals = shown.open.is_some() && next.open.is_none();
    if conceals {
        return Duration::ZERO;
    }
    if shown.is_but_for_the_clock(next) { CALM } else { FRAME }
}
