//! `wardkeepctl alarm replay`: the kiosk's own alarm system, from outside.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value as Json, json};

/// Exit status, lines of the picture, the log, what was said.
fn replay(words: &[&str], input: impl AsRef<[u8]>) -> (i32, Vec<Json>, Vec<Json>, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_wardkeepctl"))
        .args(["alarm", "replay"])
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    child.stdin.take().expect("a pipe").write_all(input.as_ref()).expect("it reads to the end");
    let output = child.wait_with_output().expect("it ends");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let lines = text.lines().map(|line| serde_json::from_str::<Json>(line).expect("JSON"));
    let (mut pictures, mut log) = (vec![], vec![]);
    for line in lines {
        match line.get("log").and_then(Json::as_array) {
            Some(rows) => log = rows.clone(),
            None => pictures.push(line),
        }
    }
    let said = String::from_utf8(output.stderr).expect("UTF-8");
    (output.status.code().expect("by itself"), pictures, log, said)
}

fn lines(happenings: &[Json]) -> String {
    happenings.iter().map(|line| format!("{line}\n")).collect()
}

fn value(t: f64, value: &str) -> Json {
    json!({"t": t, "value": {"device": "A", "mdc": 150_456, "value": value, "unit": "%"}})
}

/// An oximeter that gives these saturations, one a second.
fn saturations(values: &[&str]) -> Vec<Json> {
    let begin = [
        json!({"t": 0, "assign": {"device": "A", "kind": "oximeter"}}),
        json!({"t": 0, "link": {"device": "A", "state": "live"}}),
    ];
    let measured = values.iter().enumerate().map(|(t, text)| value(t as f64 + 1.0, text));
    begin.into_iter().chain(measured).collect()
}

fn condition<'a>(picture: &'a Json, id: &str) -> Option<&'a Json> {
    picture["conditions"].as_array()?.iter().find(|one| one["id"] == id)
}

#[test]
fn r1_a_lost_value_keeps_its_alarm_until_it_was_seen() {
    let mut told = saturations(&["97", "97", "70", "70", "70", "70", "70"]);
    told.push(json!({"t": 9, "absent": {"device": "A", "mdc": 150_456, "reason": "sensor-off"}}));
    told.push(json!({"t": 40, "act": "acknowledge", "condition": "low:spo2"}));
    told.push(json!({"t": 42}));
    let (code, pictures, log, said) = replay(&[], lines(&told));
    assert_eq!((code, said.as_str()), (0, ""));
    let low: Vec<(f64, Json)> = pictures
        .iter()
        .filter_map(|picture| {
            Some((picture["t"].as_f64()?, condition(picture, "low:spo2")?.clone()))
        })
        .collect();
    let (begin, first) = low.first().expect("an alarm");
    assert!((5.0..=7.5).contains(begin), "{begin}");
    assert_eq!((&first["priority"], &first["kind"]), (&json!("high"), &json!("physiological")));
    let at_30 = pictures.iter().rfind(|picture| picture["t"].as_f64() < Some(40.0)).expect("one");
    assert_eq!(condition(at_30, "low:spo2").map(|one| &one["state"]), Some(&json!("value-lost")));
    assert_eq!((&at_30["strip"], &at_30["sounding"]), (&json!("low:spo2"), &json!("high")));
    let words: Vec<&str> = log
        .iter()
        .filter(|row| row["id"] == "low:spo2")
        .filter_map(|row| row["change"].as_str())
        .collect();
    assert_eq!(words.first(), Some(&"began"));
    assert!(words.contains(&"acknowledged"), "{words:?}");
}

#[test]
fn r2_and_r3_neither_a_clock_nor_a_day_ends_an_alarm() {
    let mut told = saturations(&["97"]);
    told.push(json!({"t": 2, "wall": "2026-11-29T10:00:00Z"}));
    told.extend((3..9).map(|t| value(f64::from(t), "70")));
    told.push(json!({"t": 9, "wall": "2026-11-29T09:00:00Z"}));
    // A day and an hour later, still measured and still low.
    told.extend((10..90_000).step_by(3).map(|t| value(f64::from(t), "70")));
    let (code, pictures, _, said) = replay(&[], lines(&told));
    assert_eq!((code, said.as_str()), (0, ""));
    let began = pictures.iter().position(|picture| condition(picture, "low:spo2").is_some());
    let after = &pictures[began.expect("an alarm")..];
    assert!(after.iter().all(|picture| condition(picture, "low:spo2").is_some()));
}

#[test]
fn r4_an_acknowledgement_is_of_one_condition() {
    let mut told = saturations(&["97", "70", "70", "70", "70", "70"]);
    told.push(json!({"t": 8, "lost-records": 3}));
    told.push(json!({"t": 9, "act": "acknowledge", "condition": "low:spo2"}));
    told.push(value(10.0, "70"));
    let (_, pictures, _, _) = replay(&[], lines(&told));
    let last = pictures.last().expect("a picture");
    let seen = |id: &str| condition(last, id).map(|one| one["acknowledged"].clone());
    assert_eq!(seen("low:spo2"), Some(json!(true)));
    let others = last["conditions"].as_array().expect("a list");
    assert!(others.iter().any(|one| one["acknowledged"] == json!(false)), "{last}");
}

#[test]
fn the_limits_of_a_neonate_are_others() {
    let begin = [
        json!({"t": 0, "assign": {"device": "B", "kind": "heart-rate"}}),
        json!({"t": 0, "link": {"device": "B", "state": "live"}}),
    ];
    let rate = |t| json!({"t": t, "value": {"device": "B", "mdc": 147_842, "value": "150", "unit": "/min"}});
    let told: Vec<Json> = begin.into_iter().chain((1..30).map(rate)).collect();
    let has_high = |set: &str| {
        let (_, pictures, _, _) = replay(&["--limits", set], lines(&told));
        pictures.iter().any(|picture| condition(picture, "high:heart-rate").is_some())
    };
    assert_eq!((has_high("adult"), has_high("neonate")), (true, false));
}

#[test]
fn a_line_that_is_not_understood_ends_it_with_its_number_after_what_came_before() {
    let good = lines(&saturations(&["97", "70", "70", "70", "70", "70"]));
    for (bad, why) in [
        ("{\"t\":3}", "falls"),
        ("not json", ""),
        ("{\"t\":20,\"value\":{\"device\":\"A\"}}", ""),
        ("{\"t\":20,\"act\":\"dance\"}", "dance"),
        ("{\"t\":\"x\"}", ""),
    ] {
        for ends in ["\n", "\r\n", "\r"] {
            let input = format!("\u{feff}{good}{bad}\n{{\"t\":99}}\n").replace('\n', ends);
            let (code, pictures, _, said) = replay(&[], input);
            assert_eq!(code, 1, "{bad}");
            assert!(said.starts_with("Line 9: ") && said.contains(why), "{bad}: {said}");
            assert!(pictures.iter().any(|one| condition(one, "low:spo2").is_some()), "{bad}");
            assert!(pictures.iter().all(|one| one["t"].as_f64() < Some(99.0)));
        }
    }
}
