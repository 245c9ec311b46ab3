//! The D-Bus objects of a connected device: GattService1 and GattCharacteristic1, and how they come
//! and go with the link.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;
use wardkeep_model::vitals::DeviceId;
use zbus::object_server::SignalEmitter;
use zbus::{Connection, OwnedObjectPath, OwnedVariant, interface};

use super::notify;
use super::objects::{BluezError, DeviceObject, device_path, owned};
use super::pairing::pair_unasked;
use super::world::{CharacteristicSpec, ServiceSpec, World};

/// How long a device takes for each packet of an answer.
const ANSWERS: Duration = Duration::from_millis(5);

/// What BlueZ shows of a connected device's battery, at the path of the device itself.
pub struct BatteryObject;

#[interface(name = "org.bluez.Battery1")]
impl BatteryObject {
    #[zbus(property)]
    fn percentage(&self) -> u8 {
        87
    }
}

/// Takes back what was shown of a battery.
pub async fn hide_battery(bus: &Connection, device: DeviceId) -> zbus::Result<()> {
    bus.object_server().remove::<BatteryObject, _>(device_path(device)).await.map(drop)
}

/// Shows the GATT objects and says that the services are resolved.
pub async fn resolve(bus: &Connection, world: &Arc<World>, device: DeviceId) -> zbus::Result<()> {
    let services = world.device(device, |it| it.spec.services.clone()).unwrap_or_default();
    let server = bus.object_server();
    let mut handle = 0x000A_u16;
    for service in services {
        let path = format!("{}/service{handle:04x}", device_path(device));
        show(world, device, &path, None);
        server
            .at(
                path.as_str(),
                ServiceObject { world: world.clone(), service: service.clone(), device },
            )
            .await?;
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
    server.at(device_path(device), BatteryObject).await?;
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
    if bus.object_server().interface::<_, BatteryObject>(device_path(device)).await.is_ok() {
        hide_battery(bus, device).await?;
    }
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
    world: Arc<World>,
    service: ServiceSpec,
    device: DeviceId,
}

#[interface(name = "org.bluez.GattService1")]
impl ServiceObject {
    #[zbus(property, name = "UUID")]
    fn uuid(&self) -> String {
        let uuid = self.world.device(self.device, |it| it.spec.uuid(self.service.number));
        uuid.unwrap_or_default()
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

impl CharacteristicObject {
    /// Says what the device answers to this, if anything, a moment later.
    fn answer(&self, bus: &Connection, asked: &[u8]) {
        let answer = self.world.device(self.device, |it| {
            it.spec.answers.iter().find(|(question, ..)| question == asked).cloned()
        });
        let Some((_, number, said)) = answer.flatten() else { return };
        let (bus, world, device) = (bus.clone(), self.world.clone(), self.device);
        tokio::spawn(async move {
            for one in said {
                sleep(ANSWERS).await;
                notify(&bus, &world, device, number, &one).await;
            }
        });
    }
}

#[interface(name = "org.bluez.GattCharacteristic1")]
impl CharacteristicObject {
    /// Subscribes; a peripheral with something stored sends it before the call has even returned.
    async fn start_notify(
        &self,
        #[zbus(signal_emitter)] emitter: SignalEmitter<'_>,
        #[zbus(connection)] connection: &Connection,
    ) -> Result<(), BluezError> {
        if self.world.device(self.device, |it| it.is_closed() && it.spec.pairs_unasked)
            == Some(true)
        {
            pair_unasked(&self.world, self.device, connection).await;
        }
        if self.world.device(self.device, |it| it.is_closed()) == Some(true) {
            return Err(BluezError::NotPermitted("Not paired".into()));
        }
        let stored = self.world.device(self.device, |it| {
            if !it.connected {
                return None;
            }
            it.notifying.insert(self.path.clone());
            let stored = it.spec.stored.iter().find(|(number, _)| *number == self.spec.number);
            let stored = stored.map(|(_, value)| value.clone());
            if let Some(value) = stored.clone() {
                it.values.insert(self.path.clone(), value);
            }
            Some(stored)
        });
        match stored.flatten() {
            None => Err(BluezError::Failed("Not connected".into())),
            Some(None) => Ok(()),
            Some(Some(_)) => Ok(self.value_changed(&emitter).await?),
        }
    }

    fn stop_notify(&self) {
        self.world.device(self.device, |it| it.notifying.remove(&self.path));
    }

    fn read_value(&self, options: HashMap<String, OwnedVariant>) -> Result<Vec<u8>, BluezError> {
        drop(options);
        if self.world.device(self.device, |it| it.is_closed()) == Some(true) {
            return Err(BluezError::NotPermitted("Not paired".into()));
        }
        if self.spec.flags.contains(&"read") {
            Ok(self.value())
        } else {
            Err(BluezError::Failed("Read not permitted".into()))
        }
    }

    /// Writes; control points answer only whoever is subscribed to them.
    async fn write_value(
        &self,
        value: Vec<u8>,
        options: HashMap<String, OwnedVariant>,
        #[zbus(connection)] connection: &Connection,
    ) -> Result<(), BluezError> {
        let how = options.get("type").and_then(|it| <&str>::try_from(it).ok());
        let needed = match how {
            Some("request") => "write",
            Some("command") => "write-without-response",
            other => panic!("BlueZ would choose how to write: {other:?}"),
        };
        let number = self.spec.number;
        if !self.spec.flags.contains(&needed) {
            return Err(BluezError::NotPermitted("Write not permitted".into()));
        }
        let refused = self.world.device(self.device, |it| {
            if it.is_closed() {
                return Err(BluezError::NotPermitted("Not paired".into()));
            }
            let is_control = self.spec.flags.contains(&"indicate");
            let is_deaf = is_control && !it.notifying.contains(&self.path);
            let refused = it.spec.refused_writes.iter().find(|(of, _)| *of == number);
            let error = refused.map(|(_, error)| *error).or(is_deaf.then_some(0xFD));
            if let Some(error) = error {
                let text = format!("Operation failed with ATT error: 0x{error:02x}");
                return Err(BluezError::Failed(text));
            }
            it.written.push((number, value.clone()));
            if self.spec.flags.contains(&"read") && !it.spec.stubborn.contains(&number) {
                it.values.insert(self.path.clone(), value.clone());
            }
            Ok(())
        });
        refused.unwrap_or_else(|| Err(BluezError::Failed("Not connected".into())))?;
        self.answer(connection, &value);
        Ok(())
    }

    #[zbus(property, name = "UUID")]
    fn uuid(&self) -> String {
        let uuid = self.world.device(self.device, |it| it.spec.uuid(self.spec.number));
        uuid.unwrap_or_default()
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
