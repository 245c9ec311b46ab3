//! Everything can be reached with a gloved finger and nothing is cut off.

use i_slint_backend_testing::ElementHandle;
use slint::ComponentHandle;
use wardkeep::tour::samples::{self, open};
use wardkeep::tour::stops;
use wardkeep_core::config::Language;
use wardkeep_core::kiosk::view::access::{Emergency, EmergencyPage};
use wardkeep_core::kiosk::view::{Bedside, Screen, Tile, View};
use wardkeep_model::alarm::Priority;
use wardkeep_model::confidential::Phi;
use wardkeep_model::vitals::parameter::Parameter;

use kit::screens::{Desk, LANDSCAPE, PORTRAIT};
use kit::walk::walk;

/// The smallest screen, the usual one lying and standing, and a large one.
const SIZES: [(u32, u32); 4] = [(1024, 600), LANDSCAPE, PORTRAIT, (1920, 1080)];
const TEXT_PERCENT: [i64; 2] = [100, 200];

struct Frame {
    left: f32,
    top: f32,
    right: f32,
    bottom: f32,
}

fn frame(element: &ElementHandle) -> Frame {
    let (at, size) = (element.absolute_position(), element.size());
    Frame { left: at.x, top: at.y, right: at.x + size.width, bottom: at.y + size.height }
}

fn inside(inner: &Frame, outer: &Frame) -> bool {
    let slack = 0.5;
    inner.left >= outer.left - slack
        && inner.top >= outer.top - slack
        && inner.right <= outer.right + slack
        && inner.bottom <= outer.bottom + slack
}

#[test]
fn everything_is_whole_on_a_small_screen() {
    assert_whole_everywhere(SIZES[0]);
}

#[test]
fn everything_is_whole_on_a_screen_that_lies() {
    assert_whole_everywhere(SIZES[1]);
}

#[test]
fn everything_is_whole_on_a_screen_that_stands() {
    assert_whole_everywhere(SIZES[2]);
}

#[test]
fn everything_is_whole_on_a_large_screen() {
    assert_whole_everywhere(SIZES[3]);
}

/// Every stop of the tour in both languages, with usual and with large text. Where there is no room for
/// everything, it scrolls; nothing is cut, too small or on something else. Nothing is drawn either.
fn assert_whole_everywhere(size: (u32, u32)) {
    let desk = Desk::new(size);
    let stops = stops::all();
    let (mut texts, mut controls, mut faults) = (0, 0, Vec::new());
    for percent in TEXT_PERCENT {
        desk.bridge.set_text_percent(percent);
        for (stop, language) in stops.iter().flat_map(|stop| Language::ALL.map(|one| (stop, one))) {
            desk.bridge.apply(&samples::concealed(Screen::Starting));
            desk.bridge.apply(&View { language, ..stop.view.clone() });
            (stop.touch)(&desk.window);
            let seen = walk(desk.window.window());
            (texts, controls) = (texts + seen.texts, controls + seen.controls);
            let place = format!("{} {size:?} text {percent} {}", stop.name, language.tag());
            faults.extend(seen.faults.iter().map(|fault| format!("{place}: {fault}")));
        }
    }
    assert!(faults.is_empty(), "{} faults\n  {}", faults.len(), faults.join("\n  "));
    assert!(texts > 10_000 && controls > 5_000, "{texts} texts, {controls} controls");
}

/// screen-3: the pages that everybody has to pass, where the screen is a small panel or has large pixels, with
/// an alarm.
#[test]
fn screen_3_whoever_logs_in_reaches_everything_on_a_panel_of_800_by_480() {
    let desk = Desk::new((800, 480));
    let passed =
        |name: &str| ["lock", "pin", "first-start"].iter().any(|page| name.starts_with(page));
    let stops: Vec<_> = stops::all().into_iter().filter(|stop| passed(stop.name)).collect();
    let alarm = samples::alarm(Priority::High, samples::low_oxygen("79"));
    let mut faults = Vec::new();
    for (stop, language) in stops.iter().flat_map(|stop| Language::ALL.map(|one| (stop, one))) {
        desk.bridge.apply(&samples::concealed(Screen::Starting));
        let alarm = stop.view.alarm.clone().or(Some(alarm.clone()));
        desk.bridge.apply(&View { language, alarm, ..stop.view.clone() });
        (stop.touch)(&desk.window);
        let seen = walk(desk.window.window());
        faults.extend(seen.faults.iter().map(|fault| format!("{} {fault}", stop.name)));
    }
    assert!(stops.len() > 30 && faults.is_empty(), "{}\n  {}", stops.len(), faults.join("\n  "));
}

/// A value that does not fit reads as another value: "118/76" was once seen as "118/7".
#[test]
fn s7_the_widest_values_fit_their_tiles_beside_the_limits() {
    let desk = Desk::new(LANDSCAPE);
    for size in SIZES {
        desk.turn(size);
        for (rate, oxygen) in [("300", "100"), ("188", "99"), ("7", "0")] {
            let wide = |parameter, value| Tile {
                limit_high: Some("250".into()),
                alarm: Some(Priority::High),
                ..samples::tile(parameter, value)
            };
            let tiles = vec![
                wide(Parameter::HeartRate, rate),
                wide(Parameter::SpO2, oxygen),
                wide(Parameter::PulseRate, rate),
            ];
            let crowded = EmergencyPage { tiles: tiles.clone(), ..crowded_page() };
            let emergency = Screen::Emergency(Emergency::Open(Box::new(crowded)));
            for view in [
                open(Screen::Bedside(Bedside { tiles, ..samples::bedside() })),
                View {
                    alarm: Some(samples::alarm(Priority::High, samples::low_oxygen("79"))),
                    simulated: true,
                    ..samples::concealed(emergency)
                },
            ] {
                desk.show(&view);
                assert_tiles_fit(&desk, rate, size);
            }
        }
    }
}

/// Little room for the tiles: a long name and long allergies above them.
fn crowded_page() -> EmergencyPage {
    let allergies =
        "Penicillin, latex, nuts, contrast media, pollen of birch and hazel, bee venom, ";
    EmergencyPage {
        patient: samples::long_name(),
        allergies: Phi::new(allergies.repeat(2)),
        ..samples::staff::emergency_page()
    }
}

fn assert_tiles_fit(desk: &Desk, rate: &str, size: (u32, u32)) {
    let find = |id| -> Vec<Frame> {
        ElementHandle::find_by_element_id(&desk.window, id).map(|e| frame(&e)).collect()
    };
    let tiles: Vec<Frame> =
        ["Heart rate", "SpO2", "Pulse rate"].iter().map(|name| frame(&desk.the(name))).collect();
    let (digits, limits) = (find("VitalTile::digits"), find("VitalTile::limits"));
    let names = find("VitalTile::name");
    assert_eq!((digits.len(), limits.len(), names.len()), (3, 3, 3));
    let first = &digits[0];
    for (((tile, digits), limits), name) in tiles.iter().zip(&digits).zip(&limits).zip(&names) {
        assert!(inside(digits, tile) && inside(limits, tile), "{rate} {size:?}");
        assert!(digits.right <= limits.left + 0.5, "{rate} runs into its limits {size:?}");
        assert!(name.bottom <= digits.top + 0.5, "{rate} runs into its name {size:?}");
        // So that numbers in tiles one above the other end on one line.
        let ends = [tile.right - digits.right, tiles[0].right - first.right];
        assert!((ends[0] - ends[1]).abs() < 0.5, "{rate} {size:?}: {ends:?}");
    }
    let cut: Vec<_> = walk(desk.window.window())
        .faults
        .into_iter()
        .filter(|fault| fault.what.chars().all(|letter| letter.is_ascii_digit()))
        .collect();
    assert!(cut.is_empty(), "{size:?}: {cut:?}");
}

#[test]
fn what_is_typed_into_is_seen_above_the_keyboard() {
    let desk = Desk::new(SIZES[0]);
    desk.bridge.set_text_percent(200);
    desk.show(&open(Screen::Patients(samples::patients())));
    desk.tap("New patient");
    for label in ["Family name", "Date of birth", "Patient number", "Allergies"] {
        desk.the(label).invoke_accessible_default_action();
        desk.settle();
        let (field, keyboard) = (frame(&desk.the(label)), frame(&desk.the("Keyboard")));
        assert!(field.bottom <= keyboard.top + 0.5, "{label} is behind the keyboard");
        assert!(field.top >= frame(&desk.the("Patient")).bottom - 0.5, "{label} is above its page");
    }
}

#[test]
fn the_alarm_strip_never_covers_the_banner_nor_the_banner_the_values() {
    let desk = Desk::new(LANDSCAPE);
    let alarm = Some(samples::alarm(Priority::High, samples::low_oxygen("79")));
    for size in [LANDSCAPE, PORTRAIT] {
        desk.turn(size);
        let mut view = open(Screen::Bedside(samples::bedside()));
        (view.alarm, view.simulated) = (alarm.clone(), true);
        if let Some(open) = &mut view.open {
            open.patient = Some(samples::long_name());
        }
        desk.show(&view);
        let band = frame(&desk.the("SIMULATED"));
        let strip = frame(&desk.the("Alarm"));
        let banner = frame(&desk.the("Patient"));
        let tile = frame(&desk.the("Heart rate"));
        assert_eq!(band.top, 0.0);
        assert!(
            band.bottom <= strip.top && strip.bottom <= banner.top && banner.bottom <= tile.top
        );
    }
}

#[test]
fn a_forty_letter_name_is_whole_in_the_banner_and_one_touch_shows_it_large() {
    let desk = Desk::new(PORTRAIT);
    let mut view = open(Screen::Bedside(samples::bedside()));
    if let Some(open) = &mut view.open {
        open.patient = Some(samples::long_name());
    }
    desk.show(&view);
    let name = "WOLFESCHLEGELSTEINHAUSEN-BERGERDORFF, Maximiliane Theodora";
    assert_eq!(desk.the("Patient").accessible_value().unwrap(), name);
    desk.tap("Patient");
    assert_eq!(desk.the("Full name").accessible_value().unwrap(), name);
    desk.tap("Close");
    assert!(desk.labelled("Full name").is_empty());
}

#[test]
fn portrait_has_a_bar_at_the_bottom_and_landscape_a_rail_at_the_left() {
    let desk = Desk::new(LANDSCAPE);
    desk.show(&open(Screen::Bedside(samples::bedside())));
    let places = ["Bedside", "Devices", "Patients"];
    for place in places {
        assert!(frame(&desk.the(place)).right <= 104.0);
    }
    desk.turn(PORTRAIT);
    for place in places {
        assert!(frame(&desk.the(place)).top >= 1280.0 - 96.0);
    }
}
