//! Flash rates and duties measured on rendered frames (IEC 60601-1-8, table 2): high 1.4 to 2.8 Hz, medium 0.4
//! to 0.8 Hz, both lit for 20 to 60 % of the time; low and what was seen do not flash.

use std::time::Duration;

use i_slint_backend_testing::mock_elapsed_time;
use slint::Rgba8Pixel;
use wardkeep::tour::samples::{self, open};
use wardkeep_core::kiosk::view::{Screen, View};
use wardkeep_model::alarm::Priority;
use wardkeep_model::vitals::parameter::Parameter;

use kit::screens::Desk;

/// One frame.
const STEP: Duration = Duration::from_millis(25);
/// Ten seconds: five flashes of the slowest.
const FRAMES: u32 = 400;
/// Small, because every frame is drawn.
const SIZE: (u32, u32) = (800, 480);

/// A pixel's luminance.
fn luminance(pixel: Rgba8Pixel) -> u32 {
    (u32::from(pixel.r) * 30 + u32::from(pixel.g) * 59 + u32::from(pixel.b) * 11) / 100
}

/// A place on the screen in whole pixels.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is on the screen")]
fn pixels(place: f32) -> u32 {
    place as u32
}

/// What the left edge of this part of the screen is like, frame by frame: its luminance.
fn timeline(desk: &Desk, label: &str) -> Vec<u32> {
    let element = desk.the(label);
    let (at, size) = (element.absolute_position(), element.size());
    // Left of the words and right of the frame.
    let (x, y) = (pixels(at.x + 6.0), pixels(at.y + size.height / 2.0));
    let look = |_| {
        mock_elapsed_time(STEP);
        let picture = desk.picture();
        let place = usize::try_from(y * picture.width() + x).expect("small");
        luminance(picture.as_slice()[place])
    };
    (0..FRAMES).map(look).collect()
}

/// Flashes a second, and the part of the time that is lit.
fn measured(timeline: &[u32]) -> (f64, f64) {
    let (dark, lit) =
        timeline.iter().fold((u32::MAX, 0), |(low, high), one| (low.min(*one), high.max(*one)));
    if lit - dark < 10 {
        return (0.0, 1.0);
    }
    let middle = (dark + lit) / 2;
    let is_lit: Vec<bool> = timeline.iter().map(|luminance| *luminance > middle).collect();
    let rises: Vec<usize> =
        (1..is_lit.len()).filter(|at| is_lit[*at] && !is_lit[*at - 1]).collect();
    // Whole flashes, from the first rise to the last.
    let (first, last) = (rises[0], rises[rises.len() - 1]);
    let number = |count: usize| f64::from(u32::try_from(count).expect("few"));
    let frames = number(last - first);
    let lit_frames = number(is_lit[first..last].iter().filter(|lit| **lit).count());
    (number(rises.len() - 1) / (frames * STEP.as_secs_f64()), lit_frames / frames)
}

fn with_alarm(priority: Priority, acknowledged: bool) -> View {
    let mut alarm = samples::alarm(priority, samples::low_oxygen("79"));
    alarm.acknowledged = acknowledged;
    View { alarm: Some(alarm), ..open(Screen::Bedside(samples::bedside())) }
}

#[test]
fn s9_flashes_have_the_rate_and_the_duty_of_their_priority() {
    let desk = Desk::new(SIZE);
    for (priority, hertz) in [(Priority::High, 1.4..=2.8), (Priority::Medium, 0.4..=0.8)] {
        desk.show(&with_alarm(priority, false));
        let (rate, duty) = measured(&timeline(&desk, "Alarm"));
        assert!(hertz.contains(&rate), "{priority:?}: {rate} Hz");
        assert!((0.2..=0.6).contains(&duty), "{priority:?}: lit {duty}");
    }
    for (priority, acknowledged) in [(Priority::Low, false), (Priority::High, true)] {
        desk.show(&with_alarm(priority, acknowledged));
        assert_eq!(measured(&timeline(&desk, "Alarm")).0, 0.0, "{priority:?}");
    }
}

/// The number in a tile is read while its background flashes.
#[test]
fn s7_digits_stay_while_their_tile_flashes() {
    let desk = Desk::new(SIZE);
    let mut bedside = samples::bedside();
    for tile in bedside.tiles.iter_mut().filter(|tile| tile.parameter == Parameter::HeartRate) {
        (tile.alarm, tile.is_seen) = (Some(Priority::High), false);
    }
    let alarm = Some(samples::alarm(Priority::High, samples::low_oxygen("79")));
    desk.show(&View { alarm, ..open(Screen::Bedside(bedside)) });
    let element = desk.the("Heart rate");
    let (at, size) = (element.absolute_position(), element.size());
    for _ in 0..40 {
        mock_elapsed_time(STEP);
        let picture = desk.picture();
        let contrast = |part: u8| {
            let y = pixels(at.y + size.height * (f32::from(part) + 0.5) / 20.0);
            let place = |x: f32| usize::try_from(y * picture.width() + pixels(x)).expect("small");
            let row = &picture.as_slice()[place(at.x)..place(at.x + size.width)];
            let seen = row.iter().map(|pixel| luminance(*pixel));
            seen.clone().max().unwrap_or_default() - seen.min().unwrap_or_default()
        };
        let best = (0..20).map(contrast).max();
        assert!(best > Some(90), "{best:?}");
    }
}
