//! `wardkeepctl decode` as a person or a script runs it: the built program, its output, its exit status.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use serde_json::Value as Json;

fn wardkeepctl(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wardkeepctl"));
    command.args(args);
    command
}

pub fn run(args: &[&str]) -> (i32, String, String) {
    finish(wardkeepctl(args).stdin(Stdio::null()).output().expect("the program runs"))
}

fn finish(output: Output) -> (i32, String, String) {
    (
        output.status.code().expect("it ended by itself"),
        String::from_utf8(output.stdout).expect("UTF-8"),
        String::from_utf8(output.stderr).expect("UTF-8"),
    )
}

pub fn batch(input: impl AsRef<[u8]>) -> (i32, Vec<Json>, String) {
    let mut child = wardkeepctl(&["decode", "--batch"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let mut stdin = child.stdin.take().expect("a pipe");
    let input = input.as_ref().to_vec();
    // A writer of its own: the program answers while it still reads.
    let writer = std::thread::Builder::new()
        .name("stdin".into())
        .spawn(move || stdin.write_all(&input).expect("the program reads to the end"))
        .expect("a thread");
    let (code, stdout, stderr) = finish(child.wait_with_output().expect("the program ends"));
    writer.join().expect("the writer ends");
    let answers =
        stdout.lines().map(|line| serde_json::from_str(line).expect("a JSON line")).collect();
    (code, answers, stderr)
}

#[test]
fn a_frame_gives_one_line_with_its_fields_in_order() {
    let (code, stdout, stderr) = run(&["decode", "2a5f", "00 61 00 48 00"]);
    assert_eq!(
        stdout,
        concat!(
            r#"{"id":null,"observations":["#,
            r#"{"mdc":150456,"loinc":"59408-5","value":"97","unit":"%","absent":null,"status":[]},"#,
            r#"{"mdc":149530,"loinc":"8889-8","value":"72","unit":"/min","absent":null,"status":[]}],"#,
            r#""withheld":[],"events":[],"time":null,"error":null}"#,
            "\n"
        )
    );
    assert_eq!((code, stderr.as_str()), (0, ""));
}

#[test]
fn s7_a_rejected_frame_prints_its_error_charts_nothing_and_exits_1() {
    for (args, error) in [
        (["decode", "2a5f", "00 61 00 48"], r#"{"kind":"truncated","field":"pulse rate"}"#),
        (["decode", "2a5f", ""], r#"{"kind":"truncated","field":"flags"}"#),
        (["decode", "2aa7", "08 00 78 00 23 00 00 00"], r#"{"kind":"crc","field":"crc"}"#),
        (["decode", "2aa7", "07 00 78 00 23 00 00"], r#"{"kind":"size","field":"record"}"#),
        (["decode", "2a00", "00"], r#"{"kind":"unsupported","field":"characteristic"}"#),
        (
            ["decode", "fb005c82-02e7-f387-1cad-8acd2d8df0c8", "00"],
            r#"{"kind":"unsupported","field":"characteristic"}"#,
        ),
    ] {
        let (code, stdout, stderr) = run(&args);
        let expected = format!(
            "{{\"id\":null,\"observations\":[],\"withheld\":[],\"events\":[],\"time\":null,\"error\":{error}}}\n"
        );
        assert_eq!((code, stdout, stderr.as_str()), (1, expected, ""), "{args:?}");
    }
}

#[test]
fn bytes_split_by_the_shell_are_one_frame() {
    let whole = run(&["decode", "2a37", "06 48"]);
    assert_eq!(run(&["decode", "2a37", "06", "48"]), whole);
    assert_eq!(run(&["decode", "00002a37-0000-1000-8000-00805f9b34fb", "0648"]), whole);
    assert_eq!(whole.0, 0);
}

#[test]
fn usage_errors_are_sentences_and_exit_2() {
    let (code, stdout, stderr) = run(&[]);
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(stderr.contains("Usage: wardkeepctl"), "{stderr:?}");
    for args in [
        &["frobnicate"] as &[&str],
        &["--frobnicate"],
        &["decode"],
        &["decode", "--name", "BM85"],
        &["decode", "2a5f"],
        &["decode", "heart", "00"],
        &["decode", "2a5f", "zz"],
        &["decode", "--frobnicate"],
        &["decode", "--name"],
        &["decode", "--batch", "2a5f", "00"],
        &["decode", "--batch=yes"],
        &["decode", "--limits", "2a5f"],
        &["decode", "--protocols", "--limits"],
        &["decode", "--batch", "--protocols"],
        &["decode", "--batch", "--bind-key", "00112233445566778899aabbccddeeff"],
        &["decode", "--protocols", "--protocol", "bci"],
        &["decode", "vendor", "00", "--protocol", "o3ring"],
        &["decode", "vendor", "00", "--mac", "84"],
        &["decode", "vendor", "00", "--bind-key", "00"],
    ] {
        let (code, stdout, stderr) = run(args);
        assert_eq!((code, stdout.as_str()), (2, ""), "{args:?}");
        assert!(stderr.contains(". ") && stderr.ends_with(".\n"), "{args:?} says {stderr:?}");
    }
}

#[test]
fn help_and_version_exit_0() {
    for args in [&["--help"] as &[&str], &["-h"], &["decode", "--help"]] {
        let (code, stdout, _) = run(args);
        assert!(code == 0 && stdout.contains("Usage: wardkeepctl"), "{args:?}");
    }
    let (code, stdout, _) = run(&["--version"]);
    assert_eq!((code, stdout), (0, format!("wardkeepctl {}\n", env!("CARGO_PKG_VERSION"))));
}

/// S-7's limits are there for anybody to read.
#[test]
fn s7_the_table_of_plausible_values_is_published() {
    let (code, stdout, _) = run(&["decode", "--limits"]);
    assert_eq!(code, 0);
    let rows: Vec<Json> =
        stdout.lines().map(|line| serde_json::from_str(line).expect("a JSON line")).collect();
    assert!(rows.iter().any(|row| row["mdc"] == serde_json::json!([150_456])
        && row["unit"] == "%"
        && row["max"] == "100"));
    assert!(rows.iter().all(|row| row["source"].as_str().is_some_and(|text| !text.is_empty())));
}

#[test]
fn every_line_of_a_batch_is_answered_in_order() {
    let lines = [
        r#"{"id":1,"characteristic":"2a37","value":"06 48"}"#,
        "not json",
        "",
        r#"{"id":"two","characteristic":"2a37","value":"06"}"#,
        r#"{"id":{"n":3},"characteristic":"00002A19-0000-1000-8000-00805F9B34FB","value":"55"}"#,
        r#"{"id":4,"characteristic":"2a35","value":"566a0047000000ea07080b121f00003f000000","device":{"name":"BM85"}}"#,
        r#"{"id":5}"#,
    ];
    let (code, answers, stderr) = batch(lines.join("\n"));
    assert_eq!((code, stderr.as_str()), (0, ""));
    let part = |pointer: &str| -> Vec<Json> {
        answers.iter().map(|answer| answer.pointer(pointer).cloned().unwrap_or_default()).collect()
    };
    assert_eq!(Json::from(part("/id")), serde_json::json!([1, null, null, "two", {"n": 3}, 4, 5]));
    assert_eq!(
        Json::from(part("/error/kind")),
        serde_json::json!([null, "malformed", "malformed", "truncated", null, null, "malformed"])
    );
    assert_eq!(answers[0]["observations"][0]["value"], "72");
    assert_eq!(answers[0]["observations"][0]["status"], serde_json::json!(["contact-detected"]));
    assert_eq!(answers[4]["events"], serde_json::json!(["battery-level 85 %"]));
    assert_eq!(answers[5]["observations"][2]["value"], "63");
    assert_eq!(answers[5]["time"], "2026-08-11T18:31:00");
}

#[test]
fn long_lines_and_long_frames_are_answered_and_the_batch_goes_on() {
    let good = r#"{"id":9,"characteristic":"2a37","value":"00 48"}"#;
    let long_frame =
        format!(r#"{{"id":8,"characteristic":"2a37","value":"{}"}}"#, "00".repeat(513));
    let mut longest = good.to_owned();
    longest.extend(std::iter::repeat_n(' ', 64 * 1024 - good.len()));
    let too_long = format!("{longest} ");
    let huge = "x".repeat(1_000_000);
    let input = [&*too_long, &long_frame, &huge, &longest, good].join("\n");
    let (code, answers, _) = batch(input);
    assert_eq!(code, 0);
    let errors: Vec<_> = answers.iter().map(|answer| answer["error"].clone()).collect();
    let line = serde_json::json!({"kind": "size", "field": "line"});
    let frame = serde_json::json!({"kind": "size", "field": "frame"});
    assert_eq!(errors, [line.clone(), frame, line, Json::Null, Json::Null]);
    assert_eq!(answers[1]["id"], 8);
}

#[test]
fn line_ends_and_odd_bytes_do_not_stop_a_batch() {
    let good = r#"{"id":1,"characteristic":"2a37","value":"00 48"}"#;
    let mut input = format!("{good}\r\n").into_bytes();
    input.extend(b"\xFF\xFE\x00\n");
    input.extend("[".repeat(60_000).as_bytes());
    input.extend(format!("\n{good}").as_bytes());
    let (code, answers, _) = batch(input);
    let errors: Vec<bool> = answers.iter().map(|answer| answer["error"].is_null()).collect();
    assert_eq!((code, errors), (0, vec![true, false, false, true]));
    assert_eq!(batch("").1, Vec::<Json>::new());
}

/// The case files of frames as people and programs write them.
#[test]
fn cli_1_a_mark_in_front_and_carriage_returns_change_no_answer() {
    let lines = "{\"id\":1,\"characteristic\":\"2a37\",\"value\":\"00 48\"}\n{\"id\":2,\"characteristic\":\"2a37\",\"value\":\"00 49\"}\n";
    let (code, plain, _) = batch(lines);
    assert_eq!((code, plain.len()), (0, 2));
    for ends in ["\r\n", "\r"] {
        let (code, answers, said) = batch(format!("\u{feff}{}", lines.replace('\n', ends)));
        assert_eq!((code, said.as_str()), (0, ""));
        assert_eq!(answers, plain, "{ends:?}");
    }
}

#[test]
fn cli_2_what_a_bluetooth_logger_shows_is_decoded() {
    let (_, expected, _) = run(&["decode", "2a37", "16480004"]);
    assert!(expected.contains("\"value\":\"72\""), "{expected}");
    for words in [
        ["decode", "2a37", "(0x) 16-48-00-04"],
        ["decode", "0X2A37", "16480004"],
        ["decode", "{00002a37-0000-1000-8000-00805f9b34fb}", "16480004"],
    ] {
        assert_eq!(run(&words), (0, expected.clone(), String::new()), "{words:?}");
    }
}

#[test]
fn gatt_1_and_2_what_is_good_is_charted_and_what_is_none_is_not() {
    let frames = [
        ("2a37", "16 48", &["72"][..], 0),
        ("2a37", "16 48 00 04", &["72", "1000"], 0),
        ("2a37", "00 ff", &[], 1),
        ("2a5f", "00 7f 00 ff 00", &[], 2),
        ("2a37", "01 fa 00", &["250"], 0),
    ];
    for (characteristic, hex, values, withheld) in frames {
        let (code, line, _) = run(&["decode", characteristic, hex]);
        let answer: Json = serde_json::from_str(&line).expect("a JSON line");
        let charted = answer["observations"].as_array().expect("a list");
        let charted: Vec<&str> =
            charted.iter().map(|one| one["value"].as_str().expect("digits")).collect();
        assert_eq!((code, charted.as_slice()), (0, values), "{hex}");
        assert_eq!(answer["withheld"].as_array().map(Vec::len), Some(withheld), "{hex}");
        assert_eq!(answer["error"], Json::Null, "{hex}");
    }
}
