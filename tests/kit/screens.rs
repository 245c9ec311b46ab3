//! A kiosk window on a test's own thread, and hands and eyes for it.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use i_slint_backend_testing::testing_backend::TestingWindow;
use i_slint_backend_testing::{
    AccessibleRole, ElementHandle, ElementQuery, TestingBackend, TestingBackendOptions,
    mock_elapsed_time,
};
use i_slint_core::InternalToken;
use i_slint_core::window::WindowInner;
use slint::platform::{PointerEventButton, WindowEvent};
use slint::{ComponentHandle, PhysicalSize, Rgba8Pixel, SharedPixelBuffer};
use tokio::sync::{mpsc, watch};
use wardkeep::bridge::{AppWindow, Bridge, Pump, WaveChunk, open_window};
use wardkeep::tour::samples;
use wardkeep_core::kiosk::frame;
use wardkeep_core::kiosk::intent::Intent;
use wardkeep_core::kiosk::view::{Screen, View};

/// A screen that lies.
pub const LANDSCAPE: (u32, u32) = (1280, 800);
/// A screen that stands.
pub const PORTRAIT: (u32, u32) = (800, 1280);

/// A window and who sits before it.
pub struct Desk {
    /// The window.
    pub window: AppWindow,
    /// What puts views on it.
    pub bridge: Bridge,
    /// Waveforms for it.
    pub waves: mpsc::Sender<WaveChunk>,
    intents: mpsc::Receiver<Intent>,
    _views: watch::Sender<Arc<View>>,
    _pump: Pump,
}

impl Desk {
    /// Opens the window on a screen of this size; one for each thread.
    pub fn new(size: (u32, u32)) -> Self {
        let backend = TestingBackend::new(TestingBackendOptions {
            mock_time: true,
            threading: false,
            renderer_name: Some("software".into()),
        });
        slint::platform::set_platform(Box::new(backend)).unwrap();
        let (send, intents) = mpsc::channel(32);
        let (window, bridge) = open_window(send).unwrap();
        let (views, watched) = watch::channel(Arc::new(samples::concealed(Screen::Starting)));
        let (waves, samples) = mpsc::channel(16);
        let pump = bridge.connect(watched, samples);
        window.window().set_size(PhysicalSize::new(size.0, size.1));
        window.show().unwrap();
        Self { window, bridge, waves, intents, _views: views, _pump: pump }
    }

    /// Shows a view, and lets it come to rest.
    pub fn show(&self, view: &View) {
        self.bridge.apply(view);
        self.settle();
    }

    /// Lets what moves come to rest.
    pub fn settle(&self) {
        mock_elapsed_time(Duration::from_millis(600));
    }

    /// Turns the screen.
    pub fn turn(&self, (width, height): (u32, u32)) {
        self.window.window().set_size(PhysicalSize::new(width, height));
        self.settle();
    }

    /// Everything on the screen.
    pub fn all(&self) -> Vec<ElementHandle> {
        ElementQuery::from_root(&self.window).match_descendants().find_all()
    }

    /// Everything with this accessible label.
    pub fn labelled(&self, label: &str) -> Vec<ElementHandle> {
        ElementHandle::find_by_accessible_label(&self.window, label).collect()
    }

    /// The one element that assistive technology knows by this label.
    pub fn the(&self, label: &str) -> ElementHandle {
        let mut found = self.labelled(label);
        found.retain(|element| element.accessible_role() != Some(AccessibleRole::None));
        assert_eq!(found.len(), 1, "{} elements are called {label:?}", found.len());
        found.remove(0)
    }

    /// A finger on the middle of the control.
    pub fn tap(&self, label: &str) {
        self.the(label).mock_single_click(PointerEventButton::Left);
        self.settle();
    }

    /// A finger that stays on the middle of the control for this long.
    pub fn hold(&self, label: &str, time: Duration) {
        let control = self.the(label);
        let (at, size) = (control.absolute_position(), control.size());
        let position =
            slint::LogicalPosition::new(at.x + size.width / 2.0, at.y + size.height / 2.0);
        let button = PointerEventButton::Left;
        let window = self.window.window();
        window.dispatch_event(WindowEvent::PointerMoved { position });
        window.dispatch_event(WindowEvent::PointerPressed { position, button });
        let mut left = time;
        while !left.is_zero() {
            let step = left.min(Duration::from_millis(50));
            mock_elapsed_time(step);
            left -= step;
        }
        window.dispatch_event(WindowEvent::PointerReleased { position, button });
        self.settle();
    }

    /// Everything that a person, or a program in their place, can touch.
    pub fn controls(&self) -> Vec<ElementHandle> {
        let touchable = [AccessibleRole::Button, AccessibleRole::Tab, AccessibleRole::TextInput];
        let all = self.all().into_iter();
        all.filter(|e| e.accessible_role().is_some_and(|role| touchable.contains(&role))).collect()
    }

    /// Every text that assistive technology could read.
    pub fn spoken(&self) -> String {
        let mut spoken = String::new();
        for element in self.all() {
            let texts = [
                element.accessible_label(),
                element.accessible_value(),
                element.accessible_description(),
                element.accessible_placeholder_text(),
            ];
            for text in texts.into_iter().flatten() {
                spoken.push_str(&text);
                spoken.push('\n');
            }
        }
        spoken
    }

    /// What was sent, without the reports that somebody is there.
    pub fn sent(&mut self) -> Vec<Intent> {
        let mut sent = Vec::new();
        while let Ok(intent) = self.intents.try_recv() {
            if intent != Intent::Frame(frame::Intent::Activity) {
                sent.push(intent);
            }
        }
        sent
    }

    /// What was sent, reports that somebody is there included.
    pub fn everything_sent(&mut self) -> Vec<Intent> {
        std::iter::from_fn(|| self.intents.try_recv().ok()).collect()
    }

    /// The backend for tests keeps what an input method was told, which a real one does not.
    pub fn forget_input_method_requests(&self) {
        let adapter = WindowInner::from_pub(self.window.window()).window_adapter();
        let internal = adapter.internal(InternalToken).unwrap();
        (internal as &dyn Any).downcast_ref::<TestingWindow>().unwrap().clear_ime_requests();
    }

    /// The screen's pixels.
    pub fn picture(&self) -> SharedPixelBuffer<Rgba8Pixel> {
        self.window.window().take_snapshot().unwrap()
    }
}
