//! The table of profiles and devices in the README: what each gives, and whether the kiosk links to it.
//!
//! What a profile gives is what its decoder charts of its test frames; what a vendor's device gives is what its
//! script gives, which `tests/ble/vendors.rs` lets through the driver and the core. *Works* is what the driver
//! links: the same test passes each through to a value. `WARDKEEP_WRITE_TABLE=1` writes the table.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::path::PathBuf;

use jiff::civil::date;
use kit::frames::charting;
use kit::vendors::script;
use wardkeep_hardware::ble;
use wardkeep_model::vitals::vendor::{KNOWN, Protocol};

const BEGIN: &str = "<!-- devices: written by tests/decode/support.rs -->\n";
const END: &str = "<!-- devices: end -->\n";

/// What the codes mean, in the order that they are told.
const WORDS: &[(&str, &[u32])] = &[
    ("heart rate", &[147_842]),
    ("RR intervals", &[147_240]),
    ("oxygen saturation", &[150_456]),
    ("blood pressure", &[150_021, 150_022]),
    ("mean pressure", &[150_023]),
    ("pulse rate", &[149_530, 149_546]),
    ("perfusion index", &[150_488]),
    ("respiration", &[151_562]),
    (
        "body temperature",
        &[150_364, 150_392, 188_420, 188_424, 188_428, 188_432, 188_448, 188_452, 188_456],
    ),
    (
        "glucose",
        &[160_020, 160_184, 160_188, 160_192, 160_196, 160_200, 160_204, 160_212, 160_364, 160_368],
    ),
    ("weight", &[188_736]),
    ("height", &[188_740]),
    ("body mass index", &[188_752]),
    ("body fat", &[188_748]),
    ("masses without fat, of lean tissue and of water", &[188_756, 188_760, 188_764]),
];

/// The characteristics that chart something.
const NAMES: &[(u16, &str)] = &[
    (0x2A18, "Glucose Measurement"),
    (0x2A1C, "Temperature Measurement"),
    (0x2A1E, "Intermediate Temperature"),
    (0x2A35, "Blood Pressure Measurement"),
    (0x2A37, "Heart Rate Measurement"),
    (0x2A5E, "PLX Spot-Check Measurement"),
    (0x2A5F, "PLX Continuous Measurement"),
    (0x2A9C, "Body Composition Measurement"),
    (0x2A9D, "Weight Measurement"),
    (0x2AA7, "CGM Measurement"),
    (0x2B34, "Enhanced Blood Pressure Measurement"),
    (0x2B8B, "Live Health Observations"),
    (0x2BDD, "Stored Health Observations"),
];

/// How people call these codes; one word for several that are told together.
fn words(codes: &BTreeSet<u32>) -> String {
    let known: BTreeSet<u32> = WORDS.iter().flat_map(|(_, codes)| codes.iter().copied()).collect();
    let unknown: Vec<&u32> = codes.difference(&known).collect();
    assert!(unknown.is_empty(), "WORDS has no word for {unknown:?}");
    let told = WORDS.iter().filter(|(_, of)| of.iter().any(|code| codes.contains(code)));
    let told: Vec<&str> = told.map(|(word, _)| *word).collect();
    if told.is_empty() { "nothing that is charted".to_owned() } else { told.join(", ") }
}

/// A row: who, what, and whether the kiosk links to it.
type Row = (String, String, bool);

fn profiles() -> Vec<Row> {
    let mut charted: BTreeMap<u16, BTreeSet<u32>> = BTreeMap::new();
    for (characteristic, _, codes) in charting() {
        charted.entry(characteristic.0).or_default().extend(codes);
    }
    let linked: BTreeSet<u16> =
        ble::profiles().flat_map(|(.., numbers)| numbers.iter().copied()).collect();
    let row = |(number, codes): (u16, BTreeSet<u32>)| {
        let name = NAMES.iter().find(|(of, _)| *of == number).map(|(_, name)| *name);
        let name = name.unwrap_or_else(|| panic!("NAMES has no name for {number:04x}"));
        (format!("{name} ({number:04X})"), words(&codes), linked.contains(&number))
    };
    charted.into_iter().map(row).collect()
}

fn vendors() -> Vec<Row> {
    let at = date(2026, 11, 22).at(14, 32, 0, 0);
    let mut rows = Vec::new();
    let mut works: BTreeMap<&str, BTreeSet<u32>> = BTreeMap::new();
    for known in KNOWN {
        let codes: BTreeSet<u32> = script(known, at).gives.iter().map(|(code, _)| *code).collect();
        rows.push((known.device.to_owned(), words(&codes), true));
        works.entry(known.protocol.word()).or_default().extend(codes);
    }
    for protocol in Protocol::ALL {
        let measures = protocol.measures().iter().map(|code| code.0).collect();
        match works.get(protocol.word()) {
            None => rows.push((protocol.device().to_owned(), words(&measures), false)),
            // What its linked devices do not give.
            Some(given) if !measures.is_subset(given) => {
                let rest = measures.difference(given).copied().collect();
                rows.push((
                    format!("{}: what is not above", protocol.device()),
                    words(&rest),
                    false,
                ));
            }
            Some(_) => {}
        }
    }
    rows
}

fn table() -> String {
    let line = |(who, what, works): Row| {
        let state = if works { "works" } else { "decodes only" };
        format!("| {who} | {what} | {state} |\n")
    };
    // What works stands above what does not.
    let sorted = |mut rows: Vec<Row>| {
        rows.sort_by_key(|(.., works)| !works);
        rows.into_iter().map(line).collect::<String>()
    };
    let head = |what: &str| format!("| {what} | gives | |\n|---|---|---|\n");
    format!(
        "{}{}\n{}{}",
        head("characteristic of a profile"),
        sorted(profiles()),
        head("vendor's own protocol"),
        sorted(vendors())
    )
}

#[test]
fn the_readme_has_the_table_of_profiles_and_devices() {
    let own = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs the tests"));
    let path = own.parent().expect("inside the workspace").join("README.md");
    let readme = fs::read_to_string(&path).expect("the README");
    let (before, rest) = readme.split_once(BEGIN).expect("the beginning of the table");
    let (shown, after) = rest.split_once(END).expect("the end of the table");
    let table = table();
    if env::var_os("WARDKEEP_WRITE_TABLE").is_some() {
        fs::write(&path, [before, BEGIN, &table, END, after].concat()).expect("written");
    } else {
        assert!(
            shown == table,
            "the table of the README is not that of the decoders and the driver; \
             WARDKEEP_WRITE_TABLE=1 cargo test -p wardkeep-tests --test decode support \
             writes it:\n{table}"
        );
    }
}
