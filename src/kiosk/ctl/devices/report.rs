//! `wardkeepctl devices report`: what a device offers and how it speaks, to be handed to whoever writes its decoder.

use std::time::Duration;

use clap::Args;
use serde_json::{Map, Value as Json, json};

use crate::ctl::failure::{Answer, Failure};
use crate::ctl::progress;
use wardkeep_hardware::ble::{
    DeviceReport, ReportOrder, ReportedCharacteristic, ReportedService, Spoken, report,
};
use wardkeep_model::vitals::DeviceId;

/// Lines below the help.
pub const EXAMPLES: &str = "\
Examples:
  wardkeepctl devices report C0:26:DA:00:12:34 > unknown-oximeter.json
  wardkeepctl devices report C0:26:DA:00:12:34 --seconds 60 --frames

`bluetoothctl devices` lists addresses. Address, serial number and names are left out, and so is
what the device sends, unless --frames asks for it: measure yourself then, and nobody else.";

/// What to report.
#[derive(Args, Clone, Debug)]
pub struct Report {
    /// The device's Bluetooth address
    #[arg(value_parser = address)]
    address: DeviceId,
    /// How long to listen to it
    #[arg(long, value_name = "SECONDS", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// Keep the first frames of everything that it sends; they may say what was measured, and when
    #[arg(long)]
    frames: bool,
}

fn address(text: &str) -> Result<DeviceId, &'static str> {
    text.parse().map_err(|_| "is six hexadecimal bytes, as C0:26:DA:00:12:34")
}

impl Report {
    pub(super) fn run(self) -> Result<Answer, Failure> {
        progress::begins("Listening to the device");
        let order = ReportOrder {
            device: self.address,
            listens: Duration::from_secs(self.seconds),
            with_frames: self.frames,
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(Failure::NoRuntime)?;
        let report = runtime.block_on(report(order))?;
        Ok(report_json(&report).into())
    }
}

fn report_json(report: &DeviceReport) -> Json {
    let about: Map<String, Json> =
        report.about.iter().map(|(name, text)| ((*name).to_owned(), json!(text))).collect();
    let company = |(company, bytes): &(u16, usize)| json!({ "company": company, "bytes": bytes });
    let companies: Vec<Json> = report.companies.iter().map(company).collect();
    json!({
        "about": about,
        "advertised": report.advertised.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "companies": companies,
        "services": report.services.iter().map(service_json).collect::<Vec<_>>(),
    })
}

fn service_json(service: &ReportedService) -> Json {
    let characteristics: Vec<Json> =
        service.characteristics.iter().map(characteristic_json).collect();
    json!({
        "uuid": service.uuid.to_string(),
        "place": service.place,
        "characteristics": characteristics,
    })
}

fn characteristic_json(one: &ReportedCharacteristic) -> Json {
    json!({
        "uuid": one.uuid.to_string(),
        "place": one.place,
        "flags": one.flags,
        "sent": one.spoken.as_ref().map(spoken_json),
    })
}

fn spoken_json(spoken: &Spoken) -> Json {
    let lengths: Map<String, Json> =
        spoken.lengths.iter().map(|(length, times)| (length.to_string(), json!(times))).collect();
    let hexadecimal = |frame: &Vec<u8>| frame.iter().map(|byte| format!("{byte:02x}")).collect();
    let frames: Vec<String> = spoken.kept.iter().map(hexadecimal).collect();
    let over_ms = u64::try_from(spoken.over.as_millis()).unwrap_or(u64::MAX);
    json!({ "frames": spoken.frames, "lengths": lengths, "over_ms": over_ms, "kept": frames })
}
