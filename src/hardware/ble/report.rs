//! A device that nobody has a decoder for: what it offers and how it speaks, to be handed on.
//!
//! What tells one device, or whoever it was worn by, from another is left out: its address, its serial number, its
//! names, and what it sends, unless that is asked for. Everything comes over D-Bus from a device that BlueZ has
//! heard; nothing is written to it but that it is to notify.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use futures_util::StreamExt;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use uuid::Uuid;
use zbus::message::Type;
use zbus::{MatchRule, MessageStream, OwnedVariant};

use crate::ble::bluez::{Daemon, Heard, Object, Refusal};
use crate::ble::bus::{BLUEZ, SIGNALS_MAX};
use crate::ble::profile::sig;
use wardkeep_model::untrusted;
use wardkeep_model::vitals::DeviceId;

/// A device may take so long until its services are known.
const RESOLVES: Duration = Duration::from_secs(30);
/// Answers of one attribute.
const ANSWER: Duration = Duration::from_secs(10);
/// How often it is looked whether they are.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Frames that are kept of a characteristic.
const FRAMES_MAX: usize = 16;
/// Longest text that a device says of itself.
const TEXT_MAX: usize = 40;
/// Device Information: what says which kind of device it is, and not which one.
const ABOUT: [(&str, u16); 4] =
    [("maker", 0x2A29), ("model", 0x2A24), ("firmware", 0x2A26), ("hardware", 0x2A27)];

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum ReportFault {
    /// There is no Bluetooth daemon, or it has no controller.
    #[error("Bluetooth does not answer: {0}")]
    NoBluetooth(String),
    /// No device of that address was heard.
    #[error("no device of this address was heard; switch it on and hold it beside this machine")]
    NotHeard,
    /// It did not connect, or its services were never known.
    #[error("the device does not connect: {0}")]
    NotConnected(String),
}

/// What is asked of a device.
#[derive(Clone, Copy, Debug)]
pub struct ReportOrder {
    /// Which device.
    pub device: DeviceId,
    /// How long it is listened to.
    pub listens: Duration,
    /// Frames are kept as they come: they may say what was measured, and when.
    pub with_frames: bool,
}

/// What a characteristic sent while it was listened to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spoken {
    /// How many frames.
    pub frames: u64,
    /// Their lengths in bytes, each with how often it came.
    pub lengths: BTreeMap<usize, u64>,
    /// The first and the last came so long apart.
    pub over: Duration,
    /// The first of them, if they are wanted.
    pub kept: Vec<Vec<u8>>,
}

/// A characteristic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportedCharacteristic {
    /// Its number.
    pub uuid: Uuid,
    /// Where it stands in the table.
    pub place: String,
    /// What may be done with it, as BlueZ says it: `notify`, `write`, ...
    pub flags: Vec<String>,
    /// What it sent; `None` where it does not notify, or did not let itself be asked to.
    pub spoken: Option<Spoken>,
}

/// A service with its characteristics, in the order of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportedService {
    /// Its number.
    pub uuid: Uuid,
    /// Where it stands in the table.
    pub place: String,
    /// What it has.
    pub characteristics: Vec<ReportedCharacteristic>,
}

/// What a device offers and how it speaks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceReport {
    /// Services that it says it has before anybody links to it.
    pub advertised: Vec<Uuid>,
    /// Companies whose data it advertises (Bluetooth SIG company identifiers), with how many bytes.
    pub companies: Vec<(u16, usize)>,
    /// What it says of its kind.
    pub about: Vec<(&'static str, String)>,
    /// Its table.
    pub services: Vec<ReportedService>,
}

/// Connects to a device, lists what it has, and listens to it.
///
/// # Errors
/// Bluetooth does not work, the device was not heard, or does not connect.
pub async fn report(order: ReportOrder) -> Result<DeviceReport, ReportFault> {
    let daemon = Daemon::open().await.map_err(no_bluetooth)?;
    let heard = daemon.heard(order.device).await.map_err(no_bluetooth)?;
    let Heard { path, advertised, companies, was_connected } =
        heard.ok_or(ReportFault::NotHeard)?;
    let made = async {
        connect(&daemon, &path).await?;
        let mut report = DeviceReport { advertised, companies, ..DeviceReport::default() };
        report.services = tree(daemon.objects_of(&path).await.map_err(not_connected)?);
        report.about = about(&daemon, &path, &report.services).await;
        listen(&daemon, &path, &mut report.services, order).await.map_err(not_connected)?;
        Ok(report)
    }
    .await;
    // Whoever was linked before stays so.
    if !was_connected && let Err(refusal) = daemon.disconnect(&path).await {
        tracing::debug!(?refusal, "the device was not let go");
    }
    made
}

fn no_bluetooth(refusal: Refusal) -> ReportFault {
    ReportFault::NoBluetooth(format!("{refusal:?}"))
}

fn not_connected(refusal: Refusal) -> ReportFault {
    ReportFault::NotConnected(format!("{refusal:?}"))
}

async fn connect(daemon: &Daemon, path: &str) -> Result<(), ReportFault> {
    let late = |_| ReportFault::NotConnected("it did not answer in time".to_owned());
    timeout(RESOLVES, daemon.connect(path)).await.map_err(late)?.map_err(not_connected)?;
    let until = Instant::now() + RESOLVES;
    while !daemon.is_resolved(path).await.map_err(not_connected)? {
        if Instant::now() >= until {
            let why = "its services were never known".to_owned();
            return Err(ReportFault::NotConnected(why));
        }
        sleep(LOOK_EVERY).await;
    }
    Ok(())
}

/// Services and characteristics by where they stand.
fn tree(objects: Vec<Object>) -> Vec<ReportedService> {
    let mut services: Vec<ReportedService> = Vec::new();
    for Object { place, uuid, flags } in objects {
        if !place.contains('/') {
            services.push(ReportedService { uuid, place, characteristics: vec![] });
        } else if let Some(service) = services.last_mut()
            && place.strip_prefix(&service.place).is_some_and(|rest| rest.starts_with('/'))
        {
            let one = ReportedCharacteristic { uuid, place, flags, spoken: None };
            service.characteristics.push(one);
        }
    }
    services
}

/// What says which kind of device it is.
async fn about(
    daemon: &Daemon,
    path: &str,
    services: &[ReportedService],
) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    let all = || services.iter().flat_map(|service| &service.characteristics);
    for (name, number) in ABOUT {
        let Some(one) = all().find(|one| one.uuid == sig(number)) else { continue };
        let place = format!("{path}/{}", one.place);
        if let Ok(Ok(bytes)) = timeout(ANSWER, daemon.read(&place)).await {
            let text = String::from_utf8_lossy(&bytes);
            let text = untrusted::clean(text.trim_end_matches('\0'), TEXT_MAX);
            found.push((name, text.trim().to_owned()));
        }
    }
    found
}

/// Asks everything that notifies to do so, and listens.
async fn listen(
    daemon: &Daemon,
    path: &str,
    services: &mut [ReportedService],
    order: ReportOrder,
) -> Result<(), Refusal> {
    let rule = MatchRule::builder().msg_type(Type::Signal).sender(BLUEZ);
    let rule = rule.interface("org.freedesktop.DBus.Properties").member("PropertiesChanged");
    let rule = rule.path_namespace(path).build()?;
    let connection = daemon.connection();
    let mut signals = MessageStream::for_match_rule(rule, connection, Some(SIGNALS_MAX)).await?;
    for one in services.iter_mut().flat_map(|service| &mut service.characteristics) {
        let speaks = one.flags.iter().any(|flag| flag == "notify" || flag == "indicate");
        let place = format!("{path}/{}", one.place);
        if speaks && let Ok(Ok(())) = timeout(ANSWER, daemon.start_notify(&place)).await {
            one.spoken = Some(Spoken::default());
        }
    }
    let (begun, until) = (Instant::now(), Instant::now() + order.listens);
    let mut first: HashMap<String, Duration> = HashMap::new();
    while let Ok(Some(signal)) = timeout_at(until, signals.next()).await {
        let signal = signal?;
        let header = signal.header();
        let Some(place) = header.path().and_then(|at| at.strip_prefix(path)) else { continue };
        let place = place.trim_start_matches('/').to_owned();
        let body = signal.body();
        let (_, changed, _): (String, HashMap<String, OwnedVariant>, Vec<String>) =
            body.deserialize()?;
        let Some(bytes) =
            changed.get("Value").and_then(|value| Vec::<u8>::try_from(value.clone()).ok())
        else {
            continue;
        };
        let at = begun.elapsed();
        let since = *first.entry(place.clone()).or_insert(at);
        let all = services.iter_mut().flat_map(|service| &mut service.characteristics);
        let spoken = all.filter(|one| one.place == place).find_map(|one| one.spoken.as_mut());
        if let Some(spoken) = spoken {
            spoken.frames += 1;
            *spoken.lengths.entry(bytes.len()).or_default() += 1;
            spoken.over = at.saturating_sub(since);
            if order.with_frames && spoken.kept.len() < FRAMES_MAX {
                spoken.kept.push(bytes);
            }
        }
    }
    Ok(())
}
