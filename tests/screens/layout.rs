//! Everything can be reached with a gloved finger and nothing is cut off.

use i_slint_backend_testing::{AccessibleRole, ElementHandle, ElementQuery};
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

const TARGET_PX: f32 = 56.0;
/// Stops whose lists are longer than the screen: the rest is a swipe away.
const SCROLLS: [&str; 2] = ["patients-many", "people-many"];

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

fn same(a: &Frame, b: &Frame) -> bool {
    [a.left - b.left, a.top - b.top, a.right - b.right, a.bottom - b.bottom] == [0.0; 4]
}

fn apart(a: &Frame, b: &Frame) -> bool {
    a.right <= b.left + 0.5
        || b.right <= a.left + 0.5
        || a.bottom <= b.top + 0.5
        || b.bottom <= a.top + 0.5
}

#[test]
fn every_control_is_large_enough_on_the_screen_and_apart_from_the_others() {
    let desk = Desk::new(LANDSCAPE);
    let mut seen = 0;
    for (width, height) in [LANDSCAPE, PORTRAIT] {
        desk.turn((width, height));
        let screen = Frame { left: 0.0, top: 0.0, right: width as f32, bottom: height as f32 };
        for stop in stops::all() {
            // The panel covers what is below.
            if SCROLLS.contains(&stop.name) || stop.name == "bedside-full-name" {
                continue;
            }
            for language in [Language::English, Language::German] {
                desk.show(&samples::concealed(Screen::Starting));
                desk.show(&View { language, ..stop.view.clone() });
                (stop.touch)(&desk.window);
                desk.settle();
                // Where they are is asked once: it walks to the root every time.
                let controls: Vec<(ElementHandle, Frame)> =
                    desk.controls().into_iter().map(|one| (one.clone(), frame(&one))).collect();
                for (place, (control, own)) in controls.iter().enumerate() {
                    let label = control.accessible_label().unwrap_or_default();
                    let what = format!("{label:?} of {} {language:?} {width}", stop.name);
                    assert!(!label.is_empty(), "{what}");
                    assert!(
                        own.right - own.left >= TARGET_PX,
                        "{what}: {} px wide",
                        own.right - own.left
                    );
                    assert!(
                        own.bottom - own.top >= TARGET_PX,
                        "{what}: {} px high",
                        own.bottom - own.top
                    );
                    assert!(inside(own, &screen), "{what} is off the screen");
                    for (other, there) in &controls[place + 1..] {
                        if same(own, there) {
                            continue; // The query lists an element once for each of its bases.
                        }
                        let name = other.accessible_label().unwrap_or_default();
                        assert!(apart(own, there), "{what} overlaps {name:?}");
                    }
                    seen += 1;
                }
            }
        }
    }
    assert!(seen > 1000, "{seen} controls");
}

#[test]
fn no_text_leaves_the_screen() {
    let desk = Desk::new(LANDSCAPE);
    let mut seen = 0;
    for (width, height) in [LANDSCAPE, PORTRAIT] {
        desk.turn((width, height));
        let screen = Frame { left: 0.0, top: 0.0, right: width as f32, bottom: height as f32 };
        for stop in stops::all().into_iter().filter(|stop| !SCROLLS.contains(&stop.name)) {
            for language in [Language::English, Language::German] {
                desk.show(&samples::concealed(Screen::Starting));
                desk.show(&View { language, ..stop.view.clone() });
                (stop.touch)(&desk.window);
                desk.settle();
                for text in texts(&desk) {
                    let own = frame(&text);
                    assert!(
                        inside(&own, &screen),
                        "{:?} of {} {language:?} {width}: {} to {}, {} to {}",
                        text.id(),
                        stop.name,
                        own.left,
                        own.right,
                        own.top,
                        own.bottom
                    );
                    seen += 1;
                }
            }
        }
    }
    assert!(seen > 2000, "{seen} texts");
}

fn texts(desk: &Desk) -> Vec<ElementHandle> {
    let texts = ElementQuery::from_root(&desk.window).match_descendants().match_inherits("Text");
    texts.find_all().into_iter().filter(|text| text.computed_opacity() > 0.0).collect()
}

/// Words that leave their button or row are cut off by it, or lie on the next one.
#[test]
fn no_word_leaves_its_button_or_row() {
    let desk = Desk::new(LANDSCAPE);
    let mut seen = 0;
    for size in [LANDSCAPE, PORTRAIT] {
        desk.turn(size);
        for stop in stops::all().into_iter().filter(|stop| !SCROLLS.contains(&stop.name)) {
            desk.show(&samples::concealed(Screen::Starting));
            desk.show(&View { language: Language::German, ..stop.view.clone() });
            (stop.touch)(&desk.window);
            desk.settle();
            let holders = [AccessibleRole::Button, AccessibleRole::Tab, AccessibleRole::ListItem];
            let all = desk.all().into_iter();
            for holder in all.filter(|e| e.accessible_role().is_some_and(|r| holders.contains(&r)))
            {
                let outer = frame(&holder);
                for text in holder.query_descendants().match_inherits("Text").find_all() {
                    if text.computed_opacity() == 0.0 {
                        continue;
                    }
                    let (label, own) = (text.accessible_label().unwrap_or_default(), frame(&text));
                    let what = holder.accessible_label().unwrap_or_default();
                    assert!(
                        inside(&own, &outer),
                        "{label:?} leaves {what:?} of {} {size:?}",
                        stop.name
                    );
                    seen += 1;
                }
            }
        }
    }
    assert!(seen > 2000, "{seen} words");
}

/// A value that does not fit reads as another value: "118/76" was once seen as "118/7".
#[test]
fn s7_the_widest_values_fit_their_tiles_beside_the_limits() {
    let desk = Desk::new(LANDSCAPE);
    for size in [LANDSCAPE, PORTRAIT] {
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
        assert_eq!(tile.right - digits.right, tiles[0].right - first.right);
    }
    let cut: Vec<_> = walk(desk.window.window())
        .faults
        .into_iter()
        .filter(|fault| fault.what.chars().all(|letter| letter.is_ascii_digit()))
        .collect();
    assert!(cut.is_empty(), "{size:?}: {cut:?}");
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
