//! The D-Bus objects: Adapter1 and Device1, as btleplug sees them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;
use wardkeep_model::vitals::DeviceId;
use zbus::message::Header;
use zbus::object_server::SignalEmitter;
use zbus::{Connection, ObjectPath, OwnedObjectPath, OwnedVariant, fdo, interface};

use super::gatt::{drop_link, resolve};
use super::pairing;
use super::world::{AdapterState, Bond, DeviceState, Mute, World};
use crate::namespace::say;

/// The controller's path.
pub const ADAPTER: &str = "/org/bluez/hci0";
/// The other controller's.
pub const OTHER_ADAPTER: &str = "/org/bluez/hci1";
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
    NotPermitted(String),
    AlreadyExists(String),
    DoesNotExist(String),
    AuthenticationFailed(String),
    AuthenticationRejected(String),
    AuthenticationCanceled(String),
    AuthenticationTimeout(String),
}

/// The path of a device's object.
pub fn device_path(device: DeviceId) -> String {
    format!("{ADAPTER}/dev_{}", device.to_string().replace(':', "_"))
}

/// A path as D-Bus carries it.
pub fn owned(path: &str) -> OwnedObjectPath {
    ObjectPath::try_from(path.to_owned()).expect("paths are made of known parts").into()
}

pub struct AdapterObject {
    pub world: Arc<World>,
    /// It is the other one, which hears nobody.
    pub is_other: bool,
}

impl AdapterObject {
    fn state<T>(&self, with: impl FnOnce(&mut AdapterState) -> T) -> Option<T> {
        let mut state = self.world.lock();
        let it = if self.is_other { &mut state.other_adapter } else { &mut state.adapter };
        it.as_mut().map(with)
    }
}

#[interface(name = "org.bluez.Adapter1")]
impl AdapterObject {
    async fn start_discovery(
        &self,
        #[zbus(header)] header: Header<'_>,
        #[zbus(signal_emitter)] emitter: SignalEmitter<'_>,
    ) -> Result<(), BluezError> {
        let scanner = header.sender().map(ToString::to_string).unwrap_or_default();
        let before = {
            let mut state = self.world.lock();
            state.discoveries += 1;
            if state.mute != Mute::Client(scanner.clone()) {
                state.mute = Mute::Nothing;
            }
            std::mem::replace(&mut state.scanner, scanner.clone())
        };
        let started = self.state(|adapter| {
            if !adapter.powered {
                return Err(BluezError::NotReady("Resource Not Ready".into()));
            }
            // Each client has a discovery of its own.
            if std::mem::replace(&mut adapter.discovering, true) && before == scanner {
                return Err(BluezError::InProgress("Operation already in progress".into()));
            }
            Ok(())
        });
        started.unwrap_or_else(|| Err(BluezError::NotReady("Resource Not Ready".into())))?;
        Ok(self.discovering_changed(&emitter).await?)
    }

    async fn stop_discovery(
        &self,
        #[zbus(signal_emitter)] emitter: SignalEmitter<'_>,
    ) -> Result<(), BluezError> {
        let was = self.state(|adapter| std::mem::replace(&mut adapter.discovering, false));
        if was != Some(true) {
            return Err(BluezError::Failed("No discovery started".into()));
        }
        Ok(self.discovering_changed(&emitter).await?)
    }

    /// Forgets a device with its bond; one that is connected is disconnected first.
    async fn remove_device(
        &self,
        device: OwnedObjectPath,
        #[zbus(connection)] connection: &Connection,
    ) -> Result<(), BluezError> {
        let id = {
            let state = self.world.lock();
            let mut shown = state.devices.values().filter(|it| it.on_bus);
            shown.find(|it| device_path(it.spec.device) == device.as_str()).map(|it| it.spec.device)
        };
        let Some(id) = id else {
            return Err(BluezError::DoesNotExist("Does Not Exist".into()));
        };
        if self.world.device(id, |it| it.connected) == Some(true) {
            drop_link(connection, &self.world, id).await?;
        }
        self.world.device(id, |it| {
            (it.bond, it.trusted, it.on_bus, it.heard) = (Bond::None, false, false, false);
            it.nameless = false;
        });
        connection.object_server().remove::<DeviceObject, _>(&device).await?;
        Ok(())
    }

    fn set_discovery_filter(&self, filter: HashMap<String, OwnedVariant>) {
        assert!(filter.contains_key("UUIDs"), "an unfiltered scan sees every gadget in the house");
    }

    #[zbus(property)]
    fn address(&self) -> &str {
        if self.is_other { "00:11:22:33:44:66" } else { "00:11:22:33:44:55" }
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
        self.state(|adapter| adapter.powered).unwrap_or_default()
    }
    #[zbus(property)]
    fn set_powered(&self, on: bool) -> Result<(), BluezError> {
        {
            let mut state = self.world.lock();
            if on && state.busy > 0 {
                state.busy -= 1;
                // The real daemon's message is empty as well.
                return Err(BluezError::Busy(String::new()));
            }
        }
        self.state(|adapter| adapter.powered = on);
        Ok(())
    }
    #[zbus(property)]
    fn discovering(&self) -> bool {
        self.state(|adapter| adapter.discovering).unwrap_or_default()
    }
}

pub struct DeviceObject {
    pub world: Arc<World>,
    pub device: DeviceId,
}

impl DeviceObject {
    /// Is connected from now on; the services follow.
    pub async fn come_up(
        &self,
        emitter: &SignalEmitter<'_>,
        connection: &Connection,
    ) -> Result<(), BluezError> {
        let (connects, resolves) = self.read(|device| {
            device.connected = true;
            device.connects += 1;
            (device.connects, !device.never_resolves)
        });
        self.connected_changed(emitter).await?;
        if resolves {
            let (connection, world) = (connection.clone(), self.world.clone());
            let device = self.device;
            tokio::spawn(async move {
                sleep(RESOLVE).await;
                let is_same = |it: &mut DeviceState| it.connected && it.connects == connects;
                if world.device(device, is_same) != Some(true) {
                    return;
                }
                if let Err(error) = resolve(&connection, &world, device).await {
                    say(&format!("fake org.bluez: services not resolved: {error}"));
                }
            });
        }
        Ok(())
    }

    pub fn read<T: Default>(&self, read: impl FnOnce(&mut DeviceState) -> T) -> T {
        self.world.device(self.device, read).unwrap_or_default()
    }

    /// Waits, as BlueZ does, until the device answers, the call is cancelled or time is up.
    pub async fn reach(&self, limit: Duration) -> Result<(), BluezError> {
        let mut waited = Duration::ZERO;
        self.read(|device| device.cancelled = false);
        while waited < limit {
            if !self.world.adapter().powered {
                return Err(BluezError::NotReady("Resource Not Ready".into()));
            }
            if self.read(|device| device.cancelled) {
                return Err(BluezError::Failed("Operation canceled".into()));
            }
            if self.read(|device| device.advertising) {
                let full = self.world.lock().is_full();
                self.read(|device| device.slotless += u32::from(full.is_some()));
                return full.map_or(Ok(()), |says| Err(BluezError::Failed(says.into())));
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
        if self.read(|device| device.pairing) {
            return Err(BluezError::InProgress("In Progress".into()));
        }
        // The real daemon is content with a connection that is there.
        if self.read(|device| device.connected) {
            return Ok(());
        }
        self.reach(CONNECT_GIVES_UP).await?;
        let bond = self.read(|device| device.bond);
        if matches!(bond, Bond::LostByDevice | Bond::LostUnsaid) {
            self.read(|device| device.connects += 1);
            if bond == Bond::LostByDevice {
                let reason = ("org.bluez.Reason.Authentication", "authentication failure");
                emitter.emit("org.bluez.Device1", "Disconnected", &reason).await?;
            }
            return Err(BluezError::Failed("le-connection-abort-by-local".into()));
        }
        if self.world.lock().tells_late {
            self.connected_changed(&emitter).await?;
        }
        self.come_up(&emitter, connection).await
    }

    /// Pairs, asking the caller's agent.
    async fn pair(
        &self,
        #[zbus(header)] header: Header<'_>,
        #[zbus(signal_emitter)] emitter: SignalEmitter<'_>,
        #[zbus(connection)] connection: &Connection,
    ) -> Result<(), BluezError> {
        let caller = header.sender().map(ToString::to_string).unwrap_or_default();
        pairing::pair(self, &caller, &emitter, connection).await
    }

    async fn cancel_pairing(&self) -> Result<(), BluezError> {
        if self.read(|device| device.pairing) {
            self.read(|device| device.cancelled = true);
            while self.read(|device| device.pairing) {
                sleep(Duration::from_millis(5)).await;
            }
            return Ok(());
        }
        // As the real daemon does.
        self.read(|device| device.bond = Bond::None);
        Err(BluezError::DoesNotExist("Does Not Exist".into()))
    }

    async fn disconnect(
        &self,
        #[zbus(connection)] connection: &Connection,
    ) -> Result<(), BluezError> {
        let (delay, lingers) = {
            let state = self.world.lock();
            (state.disconnect_takes, state.lingers)
        };
        self.read(|device| device.cancelled = true);
        if !self.read(|device| device.connected) {
            return Err(BluezError::NotConnected("Not Connected".into()));
        }
        sleep(delay).await;
        let (connection, world) = (connection.clone(), self.world.clone());
        let device = self.device;
        let dropped = async move {
            sleep(lingers).await;
            drop_link(&connection, &world, device).await
        };
        if lingers.is_zero() {
            return Ok(dropped.await?);
        }
        tokio::spawn(async move {
            if let Err(error) = dropped.await {
                say(&format!("fake org.bluez: not disconnected: {error}"));
            }
        });
        Ok(())
    }

    #[zbus(property)]
    fn address(&self) -> String {
        let address = self.world.device(self.device, |device| device.address());
        address.unwrap_or(self.device).to_string()
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
            if device.nameless && !device.connected {
                return Vec::new();
            }
            let mut numbers = device.spec.advertised.clone();
            if device.connects > 0 {
                // The list grows by what discovery found.
                numbers.extend([0x1800, 0x1801]);
                numbers.extend(device.spec.services.iter().map(|service| service.number));
                numbers.sort_unstable();
                numbers.dedup();
            }
            numbers.into_iter().map(|number| device.spec.uuid(number)).collect()
        })
    }
    #[zbus(property, name = "RSSI")]
    fn rssi(&self) -> fdo::Result<i16> {
        // It is never quite the same twice.
        let level = |it: &DeviceState| it.spec.rssi - i16::from(it.adverts.is_multiple_of(2));
        let rssi = self.read(|device| device.heard.then(|| level(device)));
        rssi.ok_or_else(|| fdo::Error::Failed("only remembered".into()))
    }
    #[zbus(property)]
    fn paired(&self) -> bool {
        self.read(|device| device.is_paired())
    }
    #[zbus(property)]
    fn bonded(&self) -> bool {
        self.read(|device| device.is_paired())
    }
    #[zbus(property)]
    fn trusted(&self) -> bool {
        self.read(|device| device.trusted)
    }
    #[zbus(property)]
    fn set_trusted(&self, trusted: bool) {
        self.read(|device| device.trusted = trusted);
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
