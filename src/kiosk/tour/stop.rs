//! One stop of the tour.

use i_slint_backend_testing::ElementHandle;

use wardkeep_core::kiosk::view::View;

use crate::bridge::AppWindow;

/// One picture: a view, and what somebody touches before it is taken.
pub struct Stop {
    /// File name without orientation.
    pub name: &'static str,
    /// What the core says.
    pub view: View,
    /// In the day theme.
    pub day: bool,
    /// Touches.
    pub touch: fn(&AppWindow),
}

/// A stop at night that nobody touches.
pub(super) fn stop(name: &'static str, view: View) -> Stop {
    Stop { name, view, day: false, touch: |_| {} }
}

/// Touches the control with this English or German label.
pub(super) fn touch(window: &AppWindow, labels: &[&str]) {
    for label in labels {
        for element in ElementHandle::find_by_accessible_label(window, label) {
            element.invoke_accessible_default_action();
        }
    }
}
