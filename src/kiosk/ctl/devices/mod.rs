//! `wardkeepctl devices`: what is known of the devices of this cart, and what somebody has to do about them.
//!
//! It reads what the kiosk has written down, also while the kiosk runs, and holds no patient data: nobody has to
//! log in.

mod report;

use clap::{Args, Subcommand};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Value as Json, json};

use crate::ctl::access::settings;
use crate::ctl::args::{Places, Words, word_of};
use crate::ctl::failure::{Answer, Failure};
use wardkeep_core::inventory::{Task, UpkeepRules, tasks};
use wardkeep_model::keeping::{CartState, InventoryEntry};
use wardkeep_model::moment::Moment;
use wardkeep_model::vitals::DeviceKind;
use wardkeep_store as store;

/// Lines below the help.
pub const EXAMPLES: &str = "\
Examples:
  wardkeepctl devices --json
  wardkeepctl devices | jq -r '.devices[] | select(.tasks != []) | [.label, .serial, .tasks[].task] | @tsv'
  wardkeepctl devices report C0:26:DA:00:12:34

The list also works while the kiosk runs. No patient data is in it.";

/// Kinds of device by their words.
const KINDS: Words<DeviceKind> = &[
    ("heart-rate", DeviceKind::HeartRate),
    ("pulse-oximeter", DeviceKind::PulseOximeter),
    ("cuff", DeviceKind::Cuff),
    ("thermometer", DeviceKind::Thermometer),
    ("glucose-meter", DeviceKind::GlucoseMeter),
    ("glucose-sensor", DeviceKind::GlucoseSensor),
    ("scale", DeviceKind::Scale),
    ("patch", DeviceKind::Patch),
];

/// `devices`.
#[derive(Args, Clone, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Devices {
    #[command(subcommand)]
    verb: Option<DevicesVerb>,
    /// Print JSON, which is what is printed in any case
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    places: Places,
}

/// Verbs after `devices`.
#[derive(Subcommand, Clone, Debug)]
enum DevicesVerb {
    /// Tell what a device offers that nobody has a decoder for, without what says whose it is
    #[command(after_help = report::EXAMPLES)]
    Report(report::Report),
}

impl Devices {
    /// Does it.
    ///
    /// # Errors
    /// There is no store, it is another machine's, or the device does not answer.
    pub fn run(self) -> Result<Answer, Failure> {
        if let Some(DevicesVerb::Report(report)) = self.verb {
            return report.run();
        }
        let config = settings(&self.places)?;
        let state = self.places.state();
        let cart = store::cart_state(&state)?.ok_or(Failure::NoStore(state))?;
        let device = |entry: &InventoryEntry| device_json(entry, &cart, &config.upkeep);
        let devices: Vec<Json> = cart.inventory.iter().map(device).collect();
        Ok(json!({ "bed": config.bed, "devices": devices }).into())
    }
}

fn device_json(entry: &InventoryEntry, cart: &CartState, rules: &UpkeepRules) -> Json {
    let (now, zone) = (Moment::read(), TimeZone::system());
    let today: Date = now.wall.to_zoned(zone.clone()).date();
    let linked = cart.devices.iter().find(|device| device.id == entry.id);
    let battery = entry.battery.last().map(|last| {
        json!({
            "percent": last.percent,
            "read": last.day.to_string(),
            "days_left": entry.battery_days(today),
        })
    });
    let clock = entry.clock.map(|clock| {
        json!({ "ahead_s": clock.ahead_s, "read": clock.at.to_string(), "set": clock.is_set })
    });
    let check = entry.check.map(|check| {
        json!({ "at": check.at.to_string(), "fault": check.fault.map(|fault| fault.word()) })
    });
    let to_do: Vec<Json> = tasks(entry, rules, now, &zone).iter().map(task_json).collect();
    json!({
        "address": entry.id.to_string(),
        "label": entry.label,
        "name": entry.name,
        "kind": word_of(KINDS, entry.kind),
        "maker": entry.identity.maker,
        "model": entry.identity.model,
        "serial": entry.identity.serial,
        "firmware": entry.identity.firmware,
        "linked": linked.is_some(),
        "bonded": linked.is_some_and(|device| device.bond.is_some()),
        "since": entry.since.to_string(),
        "seen": entry.seen.to_string(),
        "battery": battery,
        "clock": clock,
        "self_check": check,
        "calibration_due": entry.calibration_due.map(|due| due.to_string()),
        "frames": entry.counts.frames,
        "frames_unreadable": entry.counts.unreadable,
        "measurements_failed": entry.counts.failed,
        "link_cuts": entry.counts.cuts,
        "longest_cut_s": entry.counts.longest_cut_s,
        "tasks": to_do,
    })
}

fn task_json(task: &Task) -> Json {
    let detail = match task {
        Task::Broken(fault) => json!({ "fault": fault.word() }),
        Task::CalibrationOver(due) | Task::CalibrationDue(due) => json!({ "due": due.to_string() }),
        Task::ClockWrong(ahead_s) => json!({ "ahead_s": ahead_s }),
        Task::BatteryEnds { days, percent } => json!({ "days": days, "percent": percent }),
        Task::FirmwareOld(least) => json!({ "least": least }),
        Task::Unseen(days) => json!({ "days": days }),
    };
    json!({ "task": task.word(), "detail": detail })
}
