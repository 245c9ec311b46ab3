//! The D-Bus objects: Adapter1 and Device1, as btleplug sees them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;
use wardkeep_model::vitals::DeviceId;
use zbus::object_server::SignalEmitter;
use zbus::{Connection, ObjectPath, OwnedObjectPath, OwnedVariant, fdo, interface};

use super::gatt::{drop_link, resolve};
use super::world::{World, uuid};
use crate::namespace::say;

/// The controller's path.
pub const ADAPTER: &str = "/org/bluez/hci0";
/// BlueZ resolves services within some tens of milliseconds once they are cached.
const RESOLVE: Duration = Duration::from_millis(20);
/// How long BlueZ tries to connect to a device that does not answer.
const CONNECT_GIVES_UP: Duration = Duration::from_secs(20);

/// BlueZ's refusals by their D-Bus names.
#[derive(Debug, zbus::DBusError)]
#[zbus(prefix = "org.bluez.Error")]
pub enum BluezError {
    #[zbus(error)]
    ZBus(zbus::Error),
    Busy(String),
    Failed(String),
    InProgress(String),
    AlreadyConnected(String),
    NotConnected(String),
    NotReady(String),
}

/// The path of a device's object.
pub fn device_path(device: DeviceId) -> String {
    format!("{ADAPTER}/dev_{}", device.to_string().replace(':', "_"))
}

/// A path as D-Bus carries it.
pub fn owned(path: &str) -> OwnedObjectPath {
    ObjectPath::try_from(path.to_owned()).expect("paths are made of known parts").into()
}

pub struct AdapterObject(pub Arc<World>);

#[interface(name = "org.bluez.Adapter1")]
impl AdapterObject {
    async fn start_discovery(
        &self,
        #[zbus(signal_emitter)] emitter: SignalEmitter<'_>,
    ) -> Result<(), BluezError> {
        {
            let mut state = self.0.lock();
            state.discoveries += 1;
            let Some(adapter) = state.adapter.as_mut() else {
                return Err(BluezError::NotReady("Resource Not Ready".into()));
            };
            if !adapter.powered {
                return Err(BluezError::NotReady("Resource Not Ready".into()));
            }
            if adapter.discovering {
                return Err(BluezError::InProgress("Operation already in progress".into()));
            }
            adapter.discovering = true;
        }
        Ok(self.discovering_changed(&emitter).await?)
    }

    async fn stop_discovery(
        &self,
        #[zbus(signal_emitter)] emitter: SignalEmitter<'_>,
    ) -> Result<(), BluezError> {
        {
            let mut state = self.0.lock();
            match state.adapter.as_mut() {
                Some(adapter) if adapter.discovering => adapter.discovering = false,
                Some(_) | None => return Err(BluezError::Failed("No discovery started".into())),
            }
        }
        Ok(self.discovering_changed(&emitter).await?)
    }

    fn set_discovery_filter(&self, filter: HashMap<String, OwnedVariant>) {
        assert!(filter.contains_key("UUIDs"), "an unfiltered scan sees every gadget in the house");
    }

    #[zbus(property)]
    fn address(&self) -> &str {
        "00:11:22:33:44:55"
    }
    #[zbus(property)]
    fn address_type(&self) -> &str {
        "public"
    }
    #[zbus(property)]
    fn name(&self) -> &str {
        "ward"
    }
    #[zbus(property)]
    fn alias(&self) -> &str {
        "ward"
    }
    #[zbus(property)]
    fn modalias(&self) -> &str {
        "usb:v1D6Bp0246d0542"
    }
    #[zbus(property)]
    fn powered(&self) -> bool {
        self.0.adapter().powered
    }
    #[zbus(property)]
    fn set_powered(&self, on: bool) -> Result<(), BluezError> {
        let mut state = self.0.lock();
        if on && state.busy > 0 {
            state.busy -= 1;
            // The real daemon's message is empty as well.
            return Err(BluezError::Busy(String::new()));
        }
        if let Some(adapter) = state.adapter.as_mut() {
            adapter.powered = on;
        }
        Ok(())
    }
    #[zbus(property)]
    fn discovering(&self) -> bool {
        self.0.adapter().discovering
    }
}

pub struct DeviceObject {
    pub world: Arc<World>,
    pub device: DeviceId,
}

impl DeviceObject {
    fn read<T: Default>(&self, read: impl FnOnce(&mut super::world::DeviceState) -> T) -> T {
        self.world.device(self.device, read).unwrap_or_default()
    }

    /// Waits, as BlueZ does, until the device answers, the call is cancelled or time is up.
    async fn reach(&self) -> Result<(), BluezError> {
        let mut waited = Duration::ZERO;
        self.read(|device| device.cancelled = false);
        while waited < CONNECT_GIVES_UP {
            if !self.world.adapter().powered {
                return Err(BluezError::NotReady("Resource Not Ready".into()));
            }
            if self.read(|device| device.connected) {
                return Err(BluezError::AlreadyConnected("Already Connected".into()));
            }
            if self.read(|device| device.cancelled) {
                return Err(BluezError::Failed("Operation canceled".into()));
            }
            if self.read(|device| device.advertising) {
                return Ok(());
            }
            sleep(Duration::from_millis(10)).await;
            waited += Duration::from_millis(10);
        }
        Err(BluezError::Failed("le-connection-abort-by-local".into()))
    }
}

#[interface(name = "org.bluez.Device1")]
impl DeviceObject {
    async fn connect(
        &self,
        #[zbus(signal_emitter)] emitter: SignalEmitter<'_>,
        #[zbus(connection)] connection: &Connection,
    ) -> Result<(), BluezError> {
        self.reach().await?;
        let resolves = self.read(|device| {
            device.connected = true;
            device.connects += 1;
            !device.never_resolves
        });
        self.connected_changed(&emitter).await?;
        if resolves {
            let (connection, world) = (connection.clone(), self.world.clone());
            let device = self.device;
            tokio::spawn(async move {
                sleep(RESOLVE).await;
                if let Err(error) = resolve(&connection, &world, device).await {
                    say(&format!("fake org.bluez: services not resolved: {error}"));
                }
            });
        }
        Ok(())
    }

    async fn disconnect(
        &self,
        #[zbus(connection)] connection: &Connection,
    ) -> Result<(), BluezError> {
        let delay = self.world.lock().disconnect_takes;
        self.read(|device| device.cancelled = true);
        if !self.read(|device| device.connected) {
            return Err(BluezError::NotConnected("Not Connected".into()));
        }
        sleep(delay).await;
        Ok(drop_link(connection, &self.world, self.device).await?)
    }

    #[zbus(property)]
    fn address(&self) -> String {
        self.device.to_string()
    }
    #[zbus(property)]
    fn address_type(&self) -> &str {
        "random"
    }
    #[zbus(property)]
    fn adapter(&self) -> OwnedObjectPath {
        owned(ADAPTER)
    }
    #[zbus(property)]
    fn name(&self) -> String {
        self.read(|device| device.spec.name.clone())
    }
    #[zbus(property)]
    fn alias(&self) -> String {
        self.read(|device| device.spec.name.clone())
    }
    #[zbus(property, name = "UUIDs")]
    fn uuids(&self) -> Vec<String> {
        self.read(|device| {
            let mut numbers = device.spec.advertised.clone();
            if device.connects > 0 {
                // The list grows by what discovery found.
                numbers.extend([0x1800, 0x1801]);
                numbers.extend(device.spec.services.iter().map(|service| service.number));
                numbers.sort_unstable();
                numbers.dedup();
            }
            numbers.into_iter().map(uuid).collect()
        })
    }
    #[zbus(property, name = "RSSI")]
    fn rssi(&self) -> fdo::Result<i16> {
        let rssi = self.read(|device| device.heard.then_some(device.spec.rssi));
        rssi.ok_or_else(|| fdo::Error::Failed("only remembered".into()))
    }
    #[zbus(property)]
    fn paired(&self) -> bool {
        false
    }
    #[zbus(property)]
    fn bonded(&self) -> bool {
        false
    }
    #[zbus(property)]
    fn trusted(&self) -> bool {
        false
    }
    #[zbus(property)]
    fn blocked(&self) -> bool {
        false
    }
    #[zbus(property)]
    fn legacy_pairing(&self) -> bool {
        false
    }
    #[zbus(property)]
    fn connected(&self) -> bool {
        self.read(|device| device.connected)
    }
    #[zbus(property)]
    fn services_resolved(&self) -> bool {
        self.read(|device| device.resolved)
    }
}
