//! Puts kiosk and bench side by side, smaller where the screen is small: a newcomer sees both at once.

use slint::platform::WindowEvent;
use slint::{PhysicalPosition, PhysicalSize, Window};
use x11rb::connection::Connection;

/// Sizes of kiosk and bench, in logical px.
const KIOSK: (f32, f32) = (1280.0, 800.0);
const BENCH: (f32, f32) = (620.0, 800.0);
/// Between the two, and what panels and title bars of a desktop take.
const GAP: f32 = 4.0;
const AROUND: f32 = 40.0;
/// Smaller than this nobody reads.
const FACTOR_MIN: f32 = 0.6;

/// How many physical px a logical one gets, and where the bench begins.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Plan {
    factor: f32,
    bench_x: f32,
}

/// Both windows side by side on a screen of this size whose own factor is `factor`.
fn plan((width, height): (f32, f32), factor: f32) -> Plan {
    let wide = width / (KIOSK.0 + GAP + BENCH.0);
    let high = (height - AROUND) / KIOSK.1;
    let factor = factor.min(wide).min(high).max(FACTOR_MIN);
    let bench_x = ((KIOSK.0 + GAP) * factor).min(width - BENCH.0 * factor).max(0.0);
    Plan { factor, bench_x }
}

/// Size of the X screen. Where there is none, windows stay where the desktop puts them.
fn screen() -> Option<(f32, f32)> {
    let (connection, number) = x11rb::connect(None).ok()?;
    let screen = connection.setup().roots.get(number)?;
    Some((f32::from(screen.width_in_pixels), f32::from(screen.height_in_pixels)))
}

/// Arranges both windows once they are on the screen.
pub fn arrange(kiosk: &Window, bench: &Window) {
    let Some(size) = screen() else { return };
    let plan = plan(size, kiosk.scale_factor());
    for (window, x, (width, height)) in [(kiosk, 0.0, KIOSK), (bench, plan.bench_x, BENCH)] {
        if (window.scale_factor() - plan.factor).abs() > f32::EPSILON {
            window.dispatch_event(WindowEvent::ScaleFactorChanged { scale_factor: plan.factor });
        }
        window.set_size(PhysicalSize::new(whole(width * plan.factor), whole(height * plan.factor)));
        window.set_position(PhysicalPosition::new(whole(x).cast_signed(), 0));
    }
}

#[expect(clippy::cast_possible_truncation, reason = "px of a screen")]
fn whole(px: f32) -> u32 {
    px.max(0.0).floor() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_windows_fit_beside_each_other() {
        for (size, factor) in [
            ((1280.0, 800.0), 1.0),
            ((1366.0, 768.0), 1.0),
            ((1920.0, 1080.0), 1.0),
            ((3840.0, 2160.0), 2.0),
        ] {
            let plan = plan(size, factor);
            assert!(plan.factor <= factor && plan.factor >= FACTOR_MIN, "{size:?}: {plan:?}");
            assert!(plan.bench_x >= KIOSK.0 * plan.factor, "{size:?}: the bench covers the kiosk");
            assert!(plan.bench_x + BENCH.0 * plan.factor <= size.0, "{size:?}: {plan:?}");
            assert!(KIOSK.1 * plan.factor <= size.1, "{size:?}: {plan:?}");
        }
        assert_eq!(plan((1920.0, 1080.0), 1.0).factor, 1.0);
        // Nothing is lost where they cannot: the bench stays on the screen.
        let narrow = plan((800.0, 600.0), 1.0);
        assert!(narrow.bench_x + BENCH.0 * narrow.factor <= 800.0);
    }
}
