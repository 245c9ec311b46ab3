//! The D-Bus objects: Adapter1, Device1, GattService1, GattCharacteristic1, as btleplug sees them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;
use wardkeep::hardware::DeviceId;
use zbus::object_server::SignalEmitter;
use zbus::{Connection, ObjectPath, OwnedObjectPath, OwnedVariant, fdo, interface};

use super::world::{CharacteristicSpec, ServiceSpec, World, uuid};

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

fn owned(path: &str) -> OwnedObjectPath {
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
                    eprintln!("fake org.bluez: services not resolved: {error}");
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

/// Shows the GATT objects and says that the services are resolved.
async fn resolve(bus: &Connection, world: &Arc<World>, device: DeviceId) -> zbus::Result<()> {
    let services = world.device(device, |it| it.spec.services.clone()).unwrap_or_default();
    let server = bus.object_server();
    let mut handle = 0x000A_u16;
    for service in services {
        let path = format!("{}/service{handle:04x}", device_path(device));
        show(world, device, &path, None);
        server.at(path.as_str(), ServiceObject { service: service.clone(), device }).await?;
        for spec in service.characteristics {
            handle += 2;
            let char_path = format!("{path}/char{handle:04x}");
            show(world, device, &char_path, Some(spec.value.clone()));
            let object = CharacteristicObject {
                world: world.clone(),
                device,
                service: path.clone(),
                path: char_path.clone(),
                spec,
            };
            server.at(char_path.as_str(), object).await?;
        }
        handle += 4;
    }
    let still_connected = world.device(device, |it| {
        it.resolved = it.connected;
        it.connected
    });
    if still_connected == Some(true) {
        let object = server.interface::<_, DeviceObject>(device_path(device)).await?;
        let shown = object.get().await;
        shown.u_u_i_ds_changed(object.signal_emitter()).await?;
        shown.services_resolved_changed(object.signal_emitter()).await?;
    }
    Ok(())
}

fn show(world: &World, device: DeviceId, path: &str, value: Option<Vec<u8>>) {
    world.device(device, |it| {
        it.gatt.push(path.to_owned());
        if let Some(value) = value {
            it.values.insert(path.to_owned(), value);
        }
    });
}

/// Ends a link as the real daemon tells it: Connected first, then the GATT objects go.
pub async fn drop_link(bus: &Connection, world: &World, device: DeviceId) -> zbus::Result<()> {
    let gatt = world.device(device, |it| it.end_link()).unwrap_or_default();
    let object = bus.object_server().interface::<_, DeviceObject>(device_path(device)).await?;
    let shown = object.get().await;
    shown.services_resolved_changed(object.signal_emitter()).await?;
    shown.connected_changed(object.signal_emitter()).await?;
    hide(bus, gatt).await
}

/// Removes GATT objects.
pub async fn hide(bus: &Connection, gatt: Vec<String>) -> zbus::Result<()> {
    for path in gatt {
        if path.contains("/char") {
            bus.object_server().remove::<CharacteristicObject, _>(path).await?;
        } else {
            bus.object_server().remove::<ServiceObject, _>(path).await?;
        }
    }
    Ok(())
}

pub struct ServiceObject {
    service: ServiceSpec,
    device: DeviceId,
}

#[interface(name = "org.bluez.GattService1")]
impl ServiceObject {
    #[zbus(property, name = "UUID")]
    fn uuid(&self) -> String {
        uuid(self.service.number)
    }
    #[zbus(property)]
    fn primary(&self) -> bool {
        true
    }
    #[zbus(property)]
    fn device(&self) -> OwnedObjectPath {
        owned(&device_path(self.device))
    }
}

pub struct CharacteristicObject {
    world: Arc<World>,
    device: DeviceId,
    service: String,
    path: String,
    pub spec: CharacteristicSpec,
}

#[interface(name = "org.bluez.GattCharacteristic1")]
impl CharacteristicObject {
    fn start_notify(&self) -> Result<(), BluezError> {
        let path = self.path.clone();
        let subscribed = self
            .world
            .device(self.device, |it| it.connected.then(|| it.notifying.insert(path)).is_some());
        if subscribed == Some(true) {
            Ok(())
        } else {
            Err(BluezError::Failed("Not connected".into()))
        }
    }

    fn stop_notify(&self) {
        self.world.device(self.device, |it| it.notifying.remove(&self.path));
    }

    fn read_value(&self, options: HashMap<String, OwnedVariant>) -> Result<Vec<u8>, BluezError> {
        drop(options);
        if self.spec.flags.contains(&"read") {
            Ok(self.value())
        } else {
            Err(BluezError::Failed("Read not permitted".into()))
        }
    }

    #[zbus(property, name = "UUID")]
    fn uuid(&self) -> String {
        uuid(self.spec.number)
    }
    #[zbus(property)]
    fn service(&self) -> OwnedObjectPath {
        owned(&self.service)
    }
    #[zbus(property)]
    fn value(&self) -> Vec<u8> {
        let value = self.world.device(self.device, |it| it.values.get(&self.path).cloned());
        value.flatten().unwrap_or_default()
    }
    #[zbus(property)]
    fn notifying(&self) -> bool {
        self.world.device(self.device, |it| it.notifying.contains(&self.path)).unwrap_or_default()
    }
    #[zbus(property)]
    fn flags(&self) -> Vec<String> {
        self.spec.flags.iter().map(|flag| (*flag).to_owned()).collect()
    }
    #[zbus(property, name = "MTU")]
    fn mtu(&self) -> u16 {
        185
    }
}
