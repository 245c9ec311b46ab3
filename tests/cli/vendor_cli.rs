//! Vendors' protocols through `wardkeepctl decode`, as a person or a script asks for them.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use crate::decode_cli::{batch, run};

/// An advert that was recorded with its key (`oliexdev/openScale`, S400DecryptorTest.kt).
const ADVERT: &str = "4859d53b2d3314943c58b133638c7457a4000000c3e670dc";
const MAC: &str = "84:46:93:64:A5:E6";
const KEY: &str = "58305740b64e4b425e518aa1f4e51339";

/// What a line of a batch about this frame must give: values, reasons, events, time, error.
#[derive(Clone, Copy)]
struct Case {
    protocol: &'static str,
    value: &'static str,
    model: Option<&'static str>,
    charted: &'static [(u32, &'static str, &'static str)],
    withheld: &'static [(u32, &'static str)],
    time: Option<&'static str>,
    error: Option<(&'static str, &'static str)>,
}

impl Case {
    const fn of(protocol: &'static str, value: &'static str) -> Self {
        Self { protocol, value, model: None, charted: &[], withheld: &[], time: None, error: None }
    }
}

const CASES: &[Case] = &[
    Case {
        charted: &[(150_456, "97", "%"), (149_530, "72", "/min"), (150_488, "4.35", "%")],
        ..Case::of("nonin-3230", "0a541d01b3002a610048")
    },
    Case {
        withheld: &[(150_456, "not-on-user"), (149_530, "not-on-user"), (150_488, "not-on-user")],
        ..Case::of("nonin-3230", "0a401d01b3002a610048")
    },
    Case {
        charted: &[(150_456, "98", "%"), (149_530, "66", "/min"), (150_488, "1.0", "%")],
        ..Case::of("o2ring", "5500ff00000d0062420000000000 6100920a01002f")
    },
    Case { error: Some(("malformed", "value")), ..Case::of("o2ring", "5500f") },
    Case { error: Some(("crc", "crc")), ..Case::of("pc60fw", "aa550f080160 3f002d00388d") },
    Case {
        withheld: &[(150_456, "not-on-user"), (149_530, "not-on-user")],
        ..Case::of("bci", "8732154862")
    },
    Case {
        charted: &[(150_456, "99", "%"), (149_530, "83", "/min")],
        ..Case::of("contec-cms50d", "eb010653637f0027")
    },
    Case {
        model: Some("TD-4216"),
        withheld: &[(160_208, "control-solution")],
        ..Case::of("taidoc", "51267800 12c0a566")
    },
    Case { error: Some(("missing", "device.model")), ..Case::of("taidoc", "5126780012c0a566") },
    Case {
        model: Some("HEM-7142T2_JAZ"),
        charted: &[(150_021, "126", "mm[Hg]"), (150_022, "88", "mm[Hg]"), (149_546, "84", "/min")],
        time: Some("2026-06-17T19:35:30"),
        ..Case::of("omron-record", "6558541a331ade1800004c00ba00")
    },
    Case {
        model: Some("HEM-0000T"),
        error: Some(("unsupported", "device.model")),
        ..Case::of("omron-record", "6558541a331ade1800004c00ba00")
    },
    Case {
        model: Some("HEM-7382T1"),
        time: Some("2026-07-15T17:59:19"),
        ..Case::of("omron-clock", "c6a40100000000001a070f113b13fa00")
    },
    Case { error: Some(("crc", "crc")), ..Case::of("omron-packet", "0880000000100099") },
    Case {
        model: Some("VIVA"),
        charted: &[(188_736, "72.40", "kg"), (188_748, "23.5", "%"), (188_752, "23.7", "kg/m2")],
        time: Some("2024-03-17T07:45:12"),
        ..Case::of("omron-hbf", "00003ac85f024e183b6d223389cc0000000000000000000000005a8000000000")
    },
    Case {
        charted: &[(150_021, "131", "mm[Hg]"), (150_022, "103", "mm[Hg]"), (149_546, "81", "/min")],
        time: Some("2024-11-25T19:18:00"),
        ..Case::of("yonker-bp", "818367510000190b18131200000000")
    },
    Case {
        error: Some(("truncated", "end")),
        ..Case::of("yonker-bp", "818367510000190b181312000000")
    },
    Case {
        time: Some("2000-01-01T00:00:02"),
        ..Case::of("polar-pmd", "000094357700000000000280ff028000")
    },
    Case { withheld: &[(188_736, "unavailable")], ..Case::of("mgb-scale", "ac0226b60000ceaa") },
    Case { error: Some(("missing", "device.mac")), ..Case::of("xiaomi-s400", ADVERT) },
    Case {
        charted: &[(160_212, "204", "mg/dL")],
        ..Case::of("dexcom-g6", "3100680a00008a715700cc0006ffc42a")
    },
    Case {
        withheld: &[(160_212, "questionable")],
        ..Case::of("dexcom-g7", "4e000ec10d00c00b00010000680006fe63001f")
    },
    Case { error: Some(("unsupported", "protocol")), ..Case::of("accu-chek", "00") },
];

#[test]
fn s7_a_batch_of_vendors_frames_charts_what_each_stands_by() {
    let lines: Vec<String> = CASES
        .iter()
        .enumerate()
        .map(|(id, case)| {
            json!({
                "id": id, "characteristic": "vendor", "protocol": case.protocol, "value": case.value,
                "device": { "model": case.model },
            })
            .to_string()
        })
        .collect();
    let (code, answers, said) = batch(lines.join("\n"));
    assert_eq!((code, said.as_str(), answers.len()), (0, "", CASES.len()));
    for (id, (case, answer)) in CASES.iter().zip(&answers).enumerate() {
        let charted: Vec<Json> = answer["observations"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|one| json!([one["mdc"], one["value"], one["unit"]]))
            .collect();
        let withheld: Vec<Json> = answer["withheld"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|one| json!([one["mdc"], one["reason"]]))
            .collect();
        let error = case.error.map(|(kind, field)| json!({"kind": kind, "field": field}));
        let whole = format!("{} {}", case.protocol, case.value);
        assert_eq!(answer["id"], id, "{whole}");
        assert_eq!(answer["error"], json!(error), "{whole}");
        assert_eq!(json!(charted), json!(case.charted), "{whole}");
        assert_eq!(json!(withheld), json!(case.withheld), "{whole}");
        assert_eq!(answer["time"], json!(case.time), "{whole}");
    }
    let asked: BTreeSet<&str> = CASES.iter().map(|case| case.protocol).collect();
    for row in table() {
        let protocol = row["protocol"].as_str().expect("a word");
        assert!(asked.contains(protocol), "{protocol} is not asked for");
    }
}

fn table() -> Vec<Json> {
    let (code, stdout, said) = run(&["decode", "--protocols"]);
    assert_eq!((code, said.as_str()), (0, ""));
    stdout.lines().map(|line| serde_json::from_str(line).expect("a JSON line")).collect()
}

#[test]
fn a_frame_on_the_command_line_is_read_by_the_protocol_that_is_named() {
    let yonker = "81 83 67 51 00 00 19 0b 18 13 12 00 00 00 00";
    let whole = run(&["decode", "vendor", yonker, "--protocol", "yonker-bp"]);
    assert_eq!(whole.0, 0);
    assert!(whole.1.contains(r#""mdc":150021,"loinc":"8480-6","value":"131""#), "{}", whole.1);
    let uuid = "cdeacd81-5235-4c07-8846-93a37ee6b86d";
    assert_eq!(run(&["decode", uuid, yonker, "--protocol", "Yonker-BP"]), whole);
    for (args, kind, field) in [
        (&["decode", "2a5f", "00 61 00 48 00", "--protocol", "bci"][..], "unsupported", "protocol"),
        (&["decode", "vendor", "00"], "unsupported", "characteristic"),
        (
            &["decode", "vendor", "81 83", "--protocol", "yonker-bp"],
            "truncated",
            "pressures and pulse",
        ),
        (
            &["decode", "vendor", "00", "--protocol", "omron-record", "--model", "HEM-1"],
            "unsupported",
            "device.model",
        ),
    ] {
        let (code, line, said) = run(args);
        let answer: Json = serde_json::from_str(&line).expect("a JSON line");
        assert_eq!((code, said.as_str()), (1, ""), "{args:?}");
        assert_eq!(answer["error"], json!({"kind": kind, "field": field}), "{args:?}");
    }
}

/// S-10: neither an answer nor a refusal shows a key, and what a wrong key opens is nothing.
#[test]
fn s10_a_key_opens_a_frame_and_is_never_printed() {
    let line = |key: &str| {
        json!({
            "id": 1, "characteristic": "vendor", "protocol": "xiaomi-s400", "value": ADVERT,
            "device": {"mac": MAC, "bind_key": key},
        })
        .to_string()
    };
    let wrong = KEY.replace('5', "6");
    let (code, answers, said) = batch([line(KEY), line(&wrong), line("5830")].join("\n"));
    assert_eq!((code, said.as_str()), (0, ""));
    let first = answers[0]["observations"].as_array().expect("a list");
    assert_eq!((&first[0]["value"], &first[0]["unit"]), (&json!("74.2"), &json!("kg")));
    assert_eq!(answers[1]["error"], json!({"kind": "authentication", "field": "bind_key"}));
    assert_eq!(answers[1]["observations"], json!([]));
    assert_eq!(answers[2]["error"], json!({"kind": "malformed", "field": "device.bind_key"}));

    let alone = |key: &str| {
        run(&[
            "decode",
            "vendor",
            ADVERT,
            "--protocol",
            "xiaomi-s400",
            "--mac",
            MAC,
            "--bind-key",
            key,
        ])
    };
    let (code, line, _) = alone(KEY);
    assert!(code == 0 && line.contains("\"74.2\""), "{line}");
    for (key, status) in [(KEY, 0), (wrong.as_str(), 1), ("58305740", 2)] {
        let (code, line, said) = alone(key);
        assert_eq!(code, status);
        assert!(!line.contains(key) && !said.contains(key), "{line}{said}");
        assert!(!line.contains("5740") && !said.contains("5740"), "{line}{said}");
    }
    let (_, help, _) = run(&["decode", "--help"]);
    assert!(help.contains("a batch\nkeeps it out of there."), "{help}");
}

#[test]
fn the_table_of_protocols_is_published() {
    let rows = table();
    let words: BTreeSet<&str> =
        rows.iter().map(|row| row["protocol"].as_str().expect("a word")).collect();
    assert_eq!((rows.len(), words.len()), (16, 16));
    let row = |word: &str| rows.iter().find(|row| row["protocol"] == word).expect(word).clone();
    assert_eq!(
        row("yonker-bp"),
        json!({
            "protocol": "yonker-bp",
            "device": "Yonker cuffs",
            "linked": ["Yonker YK-IBPA1, YK-BPW5"],
            "mdc": [150_021, 150_022, 149_546],
            "needs": [],
            "service": "cdeacd80-5235-4c07-8846-93a37ee6b86d",
            "notify": ["cdeacd81-5235-4c07-8846-93a37ee6b86d"],
            "write": [],
            "start": "",
        })
    );
    assert_eq!(row("dexcom-g6")["linked"], json!([]), "decoded only");
    assert_eq!(row("xiaomi-s400")["needs"], json!(["mac", "bind_key"]));
    assert_eq!(row("omron-packet")["start"], "0800000000100018");
}
