//! BlueZ over D-Bus for what btleplug has no call for: bonds, the whole table of a device, and writes
//! whose refusal has a name.
//!
//! It has a connection of its own. The agent lives on the same one, because BlueZ asks the agent of
//! whoever called `Pair`.

use std::collections::HashMap;
use std::fmt;

use btleplug::platform::Adapter;
use serde::Serialize;
use tokio::sync::watch;
use uuid::Uuid;
use zbus::fdo::ManagedObjects;
use zbus::names::OwnedUniqueName;
use zbus::{
    Connection, DBusError, DynamicType, Message, ObjectPath, OwnedObjectPath, OwnedVariant, Variant,
};

use crate::ble::bus::BLUEZ;
use crate::ble::table::Table;
use crate::ble::watchdog::Levels;
use wardkeep_model::vitals::DeviceId;

const ADAPTER: &str = "org.bluez.Adapter1";
const DEVICE: &str = "org.bluez.Device1";
const CHARACTERISTIC: &str = "org.bluez.GattCharacteristic1";
const AGENTS: &str = "org.bluez.AgentManager1";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";

/// BlueZ, or the bus, did not do what it was asked.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("refused: {name} {text}")]
pub(super) struct Refusal {
    /// The D-Bus name, e.g. `org.bluez.Error.AuthenticationFailed`; empty where the call itself failed.
    pub(super) name: String,
    /// What BlueZ says beside; often nothing.
    pub(super) text: String,
}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.name, self.text)
    }
}

impl From<zbus::Error> for Refusal {
    fn from(error: zbus::Error) -> Self {
        if let zbus::Error::MethodError(name, text, _) = &error {
            return Self { name: name.to_string(), text: text.clone().unwrap_or_default() };
        }
        if let zbus::Error::FDO(error) = &error {
            let text = error.description().unwrap_or_default().to_owned();
            return Self { name: error.name().to_string(), text };
        }
        Self { name: String::new(), text: error.to_string() }
    }
}

/// A controller that is on and scans, by btleplug and by D-Bus.
#[derive(Clone, Debug)]
pub(super) struct Controller {
    pub(super) adapter: Adapter,
    /// Its object, e.g. `/org/bluez/hci0`.
    pub(super) path: String,
    pub(super) daemon: Daemon,
}

/// Ends when the controller cannot be used any more.
pub(super) async fn gone(controller: &mut watch::Receiver<Option<Controller>>) {
    if controller.wait_for(Option::is_none).await.is_err() {
        tracing::trace!("the bluetooth life is over");
    }
}

/// A device that BlueZ knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) path: OwnedObjectPath,
    /// Its identity once it is bonded; until then maybe a private address.
    pub(super) address: DeviceId,
    /// BlueZ keeps keys for it.
    pub(super) is_bonded: bool,
}

/// A device as it was heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Heard {
    pub(super) path: String,
    /// Services that it says it has.
    pub(super) advertised: Vec<Uuid>,
    /// Company identifiers, each with how many bytes of data.
    pub(super) companies: Vec<(u16, usize)>,
    pub(super) was_connected: bool,
}

/// A service or a characteristic of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Object {
    /// Below the device, as in `service000a/char000c`.
    pub(super) place: String,
    pub(super) uuid: Uuid,
    pub(super) flags: Vec<String>,
}

/// The Bluetooth daemon.
#[derive(Clone, Debug)]
pub(super) struct Daemon {
    connection: Connection,
    /// Who it is: nobody else may call the agent.
    owner: OwnedUniqueName,
}

impl Daemon {
    /// Connects to the system bus and looks the daemon up.
    pub(super) async fn open() -> Result<Self, Refusal> {
        let connection = Connection::system().await?;
        let bus = "org.freedesktop.DBus";
        let path = "/org/freedesktop/DBus";
        let owner = connection.call_method(Some(bus), path, Some(bus), "GetNameOwner", &BLUEZ);
        let owner = owner.await?.body().deserialize::<OwnedUniqueName>()?;
        Ok(Self { connection, owner })
    }

    /// The connection, for the agent.
    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The daemon's name on the bus.
    pub(super) fn owner(&self) -> &OwnedUniqueName {
        &self.owner
    }

    async fn call<B: Serialize + DynamicType>(
        &self,
        path: &str,
        interface: &str,
        method: &str,
        body: &B,
    ) -> Result<Message, Refusal> {
        Ok(self.connection.call_method(Some(BLUEZ), path, Some(interface), method, body).await?)
    }

    async fn objects(&self) -> Result<ManagedObjects, Refusal> {
        let answer = self.call("/", "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", &());
        Ok(answer.await?.body().deserialize::<ManagedObjects>()?)
    }

    /// Makes the agent at `path` the one that is asked, whoever pairs.
    pub(super) async fn register_agent(&self, path: &ObjectPath<'_>) -> Result<(), Refusal> {
        let agent = (path, "KeyboardDisplay");
        match self.call("/org/bluez", AGENTS, "RegisterAgent", &agent).await {
            Ok(_) => {}
            Err(refusal) if refusal.name == "org.bluez.Error.AlreadyExists" => {}
            Err(refusal) => return Err(refusal),
        }
        self.call("/org/bluez", AGENTS, "RequestDefaultAgent", &(path,)).await?;
        Ok(())
    }

    /// The device of this address at this controller, if BlueZ knows it. Of two objects for one device
    /// the bonded one.
    pub(super) async fn find(
        &self,
        adapter: &str,
        device: DeviceId,
    ) -> Result<Option<Known>, Refusal> {
        let below = format!("{adapter}/");
        let mut found: Option<Known> = None;
        for (path, interfaces) in self.objects().await? {
            if !path.as_str().starts_with(&below) {
                continue;
            }
            let of_device = |name: &str| {
                let device = interfaces.iter().find(|(interface, _)| interface.as_str() == DEVICE);
                device.and_then(|(_, properties)| properties.get(name))
            };
            let Some(known) = known(path.clone(), of_device).filter(|it| it.address == device)
            else {
                continue;
            };
            if found.as_ref().is_none_or(|other| !other.is_bonded) {
                found = Some(known);
            }
        }
        Ok(found)
    }

    /// Whom this controller hears, and how well.
    pub(super) async fn levels(&self, adapter: &str) -> Result<Levels, Refusal> {
        let below = format!("{adapter}/");
        let ours = |path: &OwnedObjectPath| path.as_str().starts_with(&below);
        let objects = self.objects().await?.into_iter().filter(|(path, _)| ours(path));
        let levels = objects.filter_map(|(path, interfaces)| {
            let device = interfaces.iter().find(|(interface, _)| interface.as_str() == DEVICE);
            let level = device.and_then(|(_, properties)| properties.get("RSSI"))?;
            Some((path.as_str().to_owned(), i16::try_from(level).ok()?))
        });
        Ok(levels.collect())
    }

    /// What BlueZ knows of the device at `path`.
    pub(super) async fn known(&self, path: &str) -> Result<Known, Refusal> {
        let answer = self.call(path, PROPERTIES, "GetAll", &(DEVICE,)).await?;
        let properties = answer.body().deserialize::<HashMap<String, OwnedVariant>>()?;
        let path = OwnedObjectPath::try_from(path)?;
        let no_address = || Refusal { name: String::new(), text: "no address".to_owned() };
        known(path, |name| properties.get(name)).ok_or_else(no_address)
    }

    /// Pairs; returns when the device is bonded and its services are known, which may take as long as
    /// people need.
    pub(super) async fn pair(&self, path: &str) -> Result<(), Refusal> {
        self.call(path, DEVICE, "Pair", &()).await.map(drop)
    }

    /// Ends a `Pair` that is under way. Without one BlueZ would drop the bond.
    pub(super) async fn cancel_pairing(&self, path: &str) -> Result<(), Refusal> {
        self.call(path, DEVICE, "CancelPairing", &()).await.map(drop)
    }

    /// Disconnects.
    pub(super) async fn disconnect(&self, path: &str) -> Result<(), Refusal> {
        self.call(path, DEVICE, "Disconnect", &()).await.map(drop)
    }

    /// Lets BlueZ take the device's connections and services without asking.
    pub(super) async fn trust(&self, path: &str) -> Result<(), Refusal> {
        let body = (DEVICE, "Trusted", Variant::from(true));
        self.call(path, PROPERTIES, "Set", &body).await.map(drop)
    }

    /// Drops the device at `path` with its bond.
    pub(super) async fn forget(&self, path: &str) -> Result<(), Refusal> {
        let (adapter, _) = path.rsplit_once('/').unwrap_or_default();
        let device = OwnedObjectPath::try_from(path)?;
        self.call(adapter, ADAPTER, "RemoveDevice", &(device,)).await.map(drop)
    }

    /// What the connected device at `path` offers.
    pub(super) async fn table(&self, path: &str) -> Result<Table, Refusal> {
        let below = format!("{path}/");
        let mut table = Table::default();
        for (object, interfaces) in self.objects().await? {
            let Some(place) = object.as_str().strip_prefix(&below) else { continue };
            for (interface, properties) in &interfaces {
                let is_gatt = matches!(
                    interface.as_str(),
                    "org.bluez.GattService1" | "org.bluez.GattCharacteristic1"
                );
                let uuid = properties.get("UUID").and_then(text).and_then(|it| it.parse().ok());
                if let Some(uuid) = uuid.filter(|_| is_gatt) {
                    table.add(place, uuid);
                }
            }
        }
        Ok(table)
    }

    /// A device of this address, at whatever controller, as it was heard.
    pub(super) async fn heard(&self, device: DeviceId) -> Result<Option<Heard>, Refusal> {
        for (path, interfaces) in self.objects().await? {
            let of_device = interfaces.iter().find(|(name, _)| name.as_str() == DEVICE);
            let Some((_, properties)) = of_device else { continue };
            let address = properties.get("Address").and_then(text).and_then(|it| it.parse().ok());
            if address != Some(device) {
                continue;
            }
            let listed = properties.get("UUIDs").cloned();
            let listed = listed.and_then(|it| Vec::<String>::try_from(it).ok());
            let advertised = listed.unwrap_or_default();
            let data = properties.get("ManufacturerData").cloned();
            let data = data.and_then(|it| HashMap::<u16, OwnedVariant>::try_from(it).ok());
            let mut companies: Vec<(u16, usize)> = data
                .unwrap_or_default()
                .into_iter()
                .map(|(company, bytes)| {
                    (company, Vec::<u8>::try_from(bytes).map_or(0, |it| it.len()))
                })
                .collect();
            companies.sort_unstable();
            let connected = properties.get("Connected").and_then(|it| bool::try_from(it).ok());
            return Ok(Some(Heard {
                path: path.as_str().to_owned(),
                advertised: advertised.iter().filter_map(|uuid| uuid.parse().ok()).collect(),
                companies,
                was_connected: connected.unwrap_or_default(),
            }));
        }
        Ok(None)
    }

    /// Connects; returns when BlueZ has a link.
    pub(super) async fn connect(&self, path: &str) -> Result<(), Refusal> {
        self.call(path, DEVICE, "Connect", &()).await.map(drop)
    }

    /// Whether the services of the device at `path` are known.
    pub(super) async fn is_resolved(&self, path: &str) -> Result<bool, Refusal> {
        let answer = self.call(path, PROPERTIES, "Get", &(DEVICE, "ServicesResolved")).await?;
        let value = answer.body().deserialize::<OwnedVariant>()?;
        Ok(bool::try_from(&value).unwrap_or_default())
    }

    /// Services and characteristics of the connected device at `path`, in the order of its table.
    pub(super) async fn objects_of(&self, path: &str) -> Result<Vec<Object>, Refusal> {
        let below = format!("{path}/");
        let mut found = Vec::new();
        for (object, interfaces) in self.objects().await? {
            let Some(place) = object.as_str().strip_prefix(&below) else { continue };
            for (interface, properties) in &interfaces {
                let is_gatt = matches!(
                    interface.as_str(),
                    "org.bluez.GattService1" | "org.bluez.GattCharacteristic1"
                );
                let uuid = properties.get("UUID").and_then(text).and_then(|it| it.parse().ok());
                let Some(uuid) = uuid.filter(|_| is_gatt) else { continue };
                let flags = properties.get("Flags").cloned();
                let flags = flags.and_then(|it| Vec::<String>::try_from(it).ok());
                let (place, flags) = (place.to_owned(), flags.unwrap_or_default());
                found.push(Object { place, uuid, flags });
            }
        }
        found.sort_by(|one, other| one.place.cmp(&other.place));
        Ok(found)
    }

    /// Reads the characteristic at `path`.
    pub(super) async fn read(&self, path: &str) -> Result<Vec<u8>, Refusal> {
        let options: HashMap<&str, Variant<'_>> = HashMap::new();
        let answer = self.call(path, CHARACTERISTIC, "ReadValue", &(options,)).await?;
        Ok(answer.body().deserialize::<Vec<u8>>()?)
    }

    /// Asks the characteristic at `path` to notify.
    pub(super) async fn start_notify(&self, path: &str) -> Result<(), Refusal> {
        self.call(path, CHARACTERISTIC, "StartNotify", &()).await.map(drop)
    }

    /// Writes with response to the characteristic at `path`.
    pub(super) async fn write(&self, path: &str, bytes: &[u8]) -> Result<(), Refusal> {
        let options = HashMap::from([("type", Variant::from("request"))]);
        let body = (bytes, options);
        self.call(path, CHARACTERISTIC, "WriteValue", &body).await.map(drop)
    }
}

fn known<'a>(
    path: OwnedObjectPath,
    property: impl Fn(&str) -> Option<&'a OwnedVariant>,
) -> Option<Known> {
    let flag = |name| property(name).and_then(|it| bool::try_from(it).ok());
    let address = property("Address").and_then(text)?.parse().ok()?;
    // BlueZ before 5.65 has no `Bonded`.
    let is_bonded = flag("Bonded").or_else(|| flag("Paired")).unwrap_or_default();
    Some(Known { path, address, is_bonded })
}

fn text(value: &OwnedVariant) -> Option<&str> {
    <&str>::try_from(value).ok()
}

/// The device that a D-Bus path ending in `dev_XX_XX_XX_XX_XX_XX` belongs to; none for paths below it.
/// Of a device that was paired by a private address it says that one.
pub(super) fn device_of(path: &str) -> Option<DeviceId> {
    let (_, address) = path.rsplit_once("/dev_")?;
    address.replace('_', ":").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn device_paths_are_read_and_others_are_not() {
        let device = Some(DeviceId([0xAA, 0xBB, 0xCC, 0, 0, 2]));
        for (path, expected) in [
            ("hci0/dev_AA_BB_CC_00_00_02", device),
            ("/org/bluez/hci1/dev_AA_BB_CC_00_00_02", device),
            ("/org/bluez/hci0/dev_AA_BB_CC_00_00_02/service000a", None),
            ("/org/bluez/hci0/dev_AA_BB_CC_00_00_0", None),
            ("/org/bluez/hci0", None),
            ("", None),
        ] {
            assert_eq!(device_of(path), expected, "{path}");
        }
    }
}
