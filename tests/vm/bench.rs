//! What a scenario has beside the driver: the devices' other side, the daemon, and what BlueZ says.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use kit::bluez::ward::{PATIENCE, Ward};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use wardkeep_hardware::ble::Timing;
use wardkeep_model::vitals::DeviceId;
use zbus::OwnedVariant;

const DAEMON: &str = "/usr/libexec/bluetooth/bluetoothd";
const ADAPTER: &str = "/org/bluez/hci0";
const POLL: Duration = Duration::from_millis(50);

/// What a device is like at the moment.
#[derive(Debug, Deserialize)]
pub struct Toy {
    /// How often it was connected.
    pub connections: u32,
    pub connected: bool,
    /// Its link is encrypted.
    pub encrypted: bool,
    /// How often it was bonded.
    pub bonds: u32,
    /// The number on its display.
    pub shows: Option<u32>,
}

/// The devices' other side, the daemon, and the bus.
pub struct Bench {
    line: Mutex<BufReader<File>>,
    out: PathBuf,
    daemon: Mutex<Option<Child>>,
    bus: zbus::Connection,
}

impl Bench {
    /// Starts the daemon and waits for its controller. `line` is the port to `world.py`, `out` where logs go.
    pub async fn start(line: &str, out: &Path) -> Self {
        let line = OpenOptions::new().read(true).write(true).open(line).expect("a port");
        let bench = Self {
            line: Mutex::new(BufReader::new(line)),
            out: out.to_owned(),
            daemon: Mutex::new(None),
            bus: zbus::Connection::system().await.expect("a system bus"),
        };
        bench.start_daemon();
        bench
            .until("a controller", async || {
                bench.property(ADAPTER, "Adapter1", "Powered").await.is_some()
            })
            .await;
        bench
    }

    /// A driver with its real times, which starts anew.
    pub fn ward(&self) -> Ward {
        Ward::on_this_bus(4096, Timing::default(), None)
    }

    /// Starts bluetoothd.
    pub fn start_daemon(&self) {
        let log =
            OpenOptions::new().create(true).append(true).open(self.out.join("bluetoothd.log"));
        let log = log.expect("the directory is ours");
        let daemon = Command::new(DAEMON)
            .args(["--nodetach", "--debug"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("bluetoothd is installed");
        *self.daemon.lock().expect("no panic while it is held") = Some(daemon);
    }

    /// Ends bluetoothd as a crash does.
    pub fn kill_daemon(&self) {
        let daemon = self.daemon.lock().expect("no panic while it is held").take();
        let mut daemon = daemon.expect("it runs");
        daemon.kill().expect("our own child");
        daemon.wait().expect("our own child");
    }

    /// Waits until something outside the driver's events is true.
    pub async fn until(&self, what: &str, mut condition: impl AsyncFnMut() -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !condition().await {
            assert!(Instant::now() < deadline, "waited for {what}");
            sleep(POLL).await;
        }
    }

    /// BlueZ keeps keys for the device, and trusts it.
    pub async fn is_bonded(&self, device: DeviceId) -> bool {
        let path = format!("{ADAPTER}/dev_{}", device.to_string().replace(':', "_"));
        let flag = async |name| {
            let value = self.property(&path, "Device1", name).await?;
            bool::try_from(&value).ok()
        };
        let flags = [flag("Paired").await, flag("Bonded").await, flag("Trusted").await];
        assert!(flags[0] == flags[1] || flags[1] == Some(false), "{device:?} {flags:?}");
        flags == [Some(true); 3]
    }

    /// BlueZ has no keys for the device.
    pub async fn is_unknown(&self, device: DeviceId) -> bool {
        let path = format!("{ADAPTER}/dev_{}", device.to_string().replace(':', "_"));
        let paired = self.property(&path, "Device1", "Paired").await;
        paired.is_none_or(|value| bool::try_from(&value) == Ok(false))
    }

    /// Somebody else makes BlueZ forget a device.
    pub async fn remove(&self, device: DeviceId) {
        let path = format!("{ADAPTER}/dev_{}", device.to_string().replace(':', "_"));
        let path = (zbus::OwnedObjectPath::try_from(path).expect("of known parts"),);
        let adapter = Some("org.bluez.Adapter1");
        let removed =
            self.bus.call_method(Some("org.bluez"), ADAPTER, adapter, "RemoveDevice", &path);
        removed.await.expect("it is known");
    }

    async fn property(&self, path: &str, interface: &str, name: &str) -> Option<OwnedVariant> {
        let body = (format!("org.bluez.{interface}"), name);
        let properties = Some("org.freedesktop.DBus.Properties");
        let answer = self.bus.call_method(Some("org.bluez"), path, properties, "Get", &body).await;
        answer.ok()?.body().deserialize::<OwnedVariant>().ok()
    }

    /// What a device is like.
    pub fn toy(&self, device: DeviceId) -> Toy {
        self.ask(device, "state", json!({}))
    }

    /// Lets a device send a value; false if nobody is subscribed to it.
    pub fn send(&self, device: DeviceId, characteristic: u16, value: &[u8]) -> bool {
        let value: String = value.iter().map(|byte| format!("{byte:02x}")).collect();
        self.ask(device, "send", json!({ "characteristic": characteristic, "value": value }))
    }

    /// The device ends its connection.
    pub fn hang_up(&self, device: DeviceId) {
        self.ask::<()>(device, "hang_up", json!({}));
    }

    /// The device does not want to be paired, or does again.
    pub fn refuse(&self, device: DeviceId, refuses: bool) {
        self.ask::<()>(device, "refuse", json!({ "refuses": refuses }));
    }

    /// A person types a number on the device.
    pub fn type_there(&self, device: DeviceId, number: u32) {
        self.ask::<()>(device, "type", json!({ "number": number }));
    }

    fn ask<T: DeserializeOwned>(&self, device: DeviceId, what: &str, mut order: Value) -> T {
        order["device"] = device.to_string().into();
        order["do"] = what.into();
        let mut answer = String::new();
        let mut line = self.line.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // An answer takes no longer than the confirmation of an indication does.
        tokio::task::block_in_place(|| {
            writeln!(line.get_mut(), "{order}").expect("the host listens");
            line.read_line(&mut answer).expect("the host answers");
        });
        drop(line);
        let mut answer: Value = serde_json::from_str(&answer).expect("an object");
        assert_eq!(answer.get("error"), None, "{what} of {device:?}");
        serde_json::from_value(answer["ok"].take()).expect("what was asked")
    }
}
