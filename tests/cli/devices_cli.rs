//! `wardkeepctl devices` as IT runs it, on a real store.

use std::path::Path;
use std::process::Command;

use jiff::Timestamp;
use jiff::civil::date;
use serde_json::{Value as Json, json};
use tokio::sync::mpsc;
use wardkeep_model::access::Role;
use wardkeep_model::access::factor::{Badge, ReaderFamily};
use wardkeep_model::confidential::Phi;
use wardkeep_model::keeping::inventory::{BatteryDay, ClockCheck};
use wardkeep_model::keeping::{
    CartState, Command as StoreCommand, InventoryEntry, NewOperator, Outcome,
};
use wardkeep_model::moment::Moment;
use wardkeep_model::vitals::{DeviceId, DeviceKind};
use wardkeep_store::{self as store, Options};

const METER: DeviceId = DeviceId([0xC0, 0x26, 0xDA, 0, 0, 5]);

/// A store whose cart knows this device; it stays open until the handle is dropped.
fn with_cart(state: &Path, entry: InventoryEntry) -> (store::StoreHandle, impl FnOnce()) {
    let (sender, mut outcomes) = mpsc::channel(16);
    let (handle, thread) =
        store::spawn(Options::new(state).on_any_disk(), sender).expect("a store");
    let badge = Badge::new(ReaderFamily::PcscUid, &[4, 0xA1, 0xB2, 0xC3]).expect("a number");
    let first = NewOperator {
        initials: "QZ".into(),
        name: Phi::new("Quintilia Zephyrin".into()),
        role: Role::It,
        badge,
        pin: "281564".bytes().map(|byte| byte - b'0').collect(),
    };
    let now = Moment::read();
    handle.try_send(StoreCommand::Initialise(Box::new(first), now)).expect("room");
    while !matches!(outcomes.blocking_recv().expect("an answer"), Outcome::Initialised(_)) {}
    let cart = CartState { inventory: vec![entry], ..CartState::default() };
    handle.try_send(StoreCommand::SaveCart(Box::new(cart))).expect("room");
    // It answers what comes after once the cart is durable.
    handle.try_send(StoreCommand::Retry).expect("room");
    while !matches!(outcomes.blocking_recv().expect("an answer"), Outcome::Found(_)) {}
    let end = move || {
        while outcomes.blocking_recv().is_some() {}
        thread.join().expect("the store ends");
    };
    (handle, end)
}

fn devices(state: &Path, args: &[&str]) -> (i32, Json, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wardkeepctl"));
    command.arg("devices").args(args).arg("--state").arg(state);
    let output = command.output().expect("the program runs");
    let json = serde_json::from_slice(&output.stdout).unwrap_or(Json::Null);
    let said = String::from_utf8(output.stderr).expect("UTF-8");
    (output.status.code().expect("it ended by itself"), json, said)
}

#[test]
fn the_devices_of_a_cart_are_listed_while_its_kiosk_runs() {
    let dir = tempfile::tempdir().expect("a directory");
    let state = dir.path().join("state");
    let (code, _, said) = devices(&state, &["--json"]);
    assert_eq!(code, 1);
    assert!(said.contains("There is no store in"), "{said}");

    let at: Timestamp = "2026-11-22T14:32:00Z".parse().expect("a time");
    let mut entry = InventoryEntry::new(METER, DeviceKind::GlucoseMeter, "Guide", at);
    entry.label = "Glucose meter 04".into();
    entry.identity.serial = "90551726".into();
    entry.battery = vec![BatteryDay { day: date(2026, 11, 22), percent: 12 }];
    entry.clock = Some(ClockCheck { at, ahead_s: -3_600, is_set: false });
    entry.calibration_due = Some(date(2020, 1, 31));
    let (handle, end) = with_cart(&state, entry);
    let (code, told, said) = devices(&state, &["--json"]);
    drop(handle);
    end();
    assert_eq!((code, said.as_str()), (0, ""));
    let device = &told["devices"][0];
    assert_eq!(device["address"], "C0:26:DA:00:00:05");
    assert_eq!(device["label"], "Glucose meter 04");
    assert_eq!(device["kind"], "glucose-meter");
    assert_eq!(device["serial"], "90551726");
    assert_eq!(device["battery"]["percent"], 12);
    assert_eq!(device["clock"], json!({ "ahead_s": -3600, "read": at.to_string(), "set": false }));
    let tasks = device["tasks"].as_array().expect("a list");
    let words: Vec<&str> = tasks.iter().filter_map(|task| task["task"].as_str()).collect();
    assert_eq!(words[..3], ["calibration-over", "clock-wrong", "battery-ends"]);
    assert_eq!(tasks[0]["detail"]["due"], "2020-01-31");

    // On another machine's disk nothing is told.
    let secret = state.join("device-secret");
    std::fs::write(&secret, [7; 64]).expect("another secret");
    let (code, told, said) = devices(&state, &[]);
    assert_eq!((code, told), (1, Json::Null));
    assert!(!said.is_empty());
}

#[test]
fn a_report_needs_an_address_and_bluetooth() {
    let run = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wardkeepctl"));
        command.args(["devices", "report"]).args(args);
        command.env("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus");
        let output = command.output().expect("the program runs");
        let said = String::from_utf8(output.stderr).expect("UTF-8");
        (output.status.code(), said)
    };
    let (code, said) = run(&["C0:26"]);
    assert_eq!(code, Some(2));
    assert!(said.contains("six hexadecimal bytes"), "{said}");
    let (code, said) = run(&["C0:26:DA:00:00:05"]);
    assert_eq!(code, Some(1));
    assert!(said.contains("Bluetooth does not answer"), "{said}");
}
