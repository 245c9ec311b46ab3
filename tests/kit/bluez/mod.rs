//! A pretended `org.bluez` on a private D-Bus, driven through Rust calls.
//!
//! The real btleplug, libdbus and dbus-daemon talk to it, so the driver is tested as it runs. It
//! imitates what the real daemon does beyond its documentation: cached devices without RSSI, ten RSSI
//! updates a second, a service list that grows after connecting, an empty Busy while switching on.
//! Run each test inside [`private_bus::isolated`].

mod bonds;
mod gatt;
mod objects;
mod pairing;
pub mod private_bus;
pub mod ward;
mod world;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;
use tokio::time::{interval, sleep};
use wardkeep_model::vitals::DeviceId;
use zbus::{Connection, OwnedObjectPath, fdo};

use crate::namespace::say;

use gatt::{CharacteristicObject, drop_link, hide, hide_battery};
use objects::{ADAPTER, AdapterObject, DeviceObject, OTHER_ADAPTER, device_path, owned};
use pairing::AgentManager;
use world::{AdapterState, Mute, World};
pub use world::{
    AgentState, Bond, CharacteristicSpec, DeviceSpec, Refuses, ServiceSpec, Style, characteristic,
};

/// How often an advertising device is heard; with DuplicateData BlueZ passes every one on.
const ADVERTISING: Duration = Duration::from_millis(100);

/// The pretended daemon with its controller and the peripherals around it.
#[derive(Debug)]
pub struct FakeBluez {
    world: Arc<World>,
    running: Mutex<Option<Running>>,
}

/// A daemon on a thread of its own, so that it can hang and die like a process.
#[derive(Debug)]
struct Running {
    connection: Connection,
    runtime: Option<Runtime>,
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Notifies readings until dropped.
#[derive(Debug)]
pub struct Stream(JoinHandle<()>);

impl Drop for Stream {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl FakeBluez {
    /// A daemon with one controller, switched off, and nobody around.
    pub async fn start() -> Arc<Self> {
        let fake = Self::without_adapter().await;
        fake.plug_adapter().await;
        fake
    }

    /// A daemon that finds no controller.
    pub async fn without_adapter() -> Arc<Self> {
        let fake = Arc::new(Self { world: Arc::default(), running: Mutex::default() });
        fake.start_daemon().await;
        fake
    }

    /// Puts the daemon on the bus.
    pub async fn start_daemon(&self) {
        let mut builder = zbus::connection::Builder::system()
            .serve_at("/", fdo::ObjectManager)
            .serve_at("/org/bluez", AgentManager(self.world.clone()))
            .name("org.bluez");
        for (path, is_other) in [(ADAPTER, false), (OTHER_ADAPTER, true)] {
            let state = self.world.lock();
            let it = if is_other { state.other_adapter } else { state.adapter };
            if it.is_some() {
                let world = self.world.clone();
                builder = builder.serve_at(path, AdapterObject { world, is_other });
            }
        }
        let mut runtime = Builder::new_multi_thread();
        runtime.worker_threads(1).thread_name("bluetoothd").enable_all();
        let runtime = runtime.build().expect("a runtime");
        let built = runtime.spawn(async move { builder.build().await }).await;
        let connection = built.expect("no panic").expect("a private bus is there");
        runtime.spawn(advertise(connection.clone(), self.world.clone()));
        let running = Running { connection, runtime: Some(runtime) };
        *self.running.lock().expect("not poisoned") = Some(running);
    }

    /// Ends the daemon as a crash does: its name and all its objects are gone at once.
    pub async fn stop_daemon(&self) {
        let running = self.running.lock().expect("not poisoned").take();
        let Some(running) = running else { return };
        running.connection.clone().close().await.expect("the bus is there");
        drop(running);
        self.world.lock().daemon_died();
    }

    /// Forgets a daemon whose bus died under it.
    pub fn crash_daemon(&self) {
        drop(self.running.lock().expect("not poisoned").take());
        self.world.lock().daemon_died();
    }

    /// Lets the daemon hang: it keeps its name and answers nothing for a while.
    pub fn hang(&self, time: Duration) {
        let running = self.running.lock().expect("not poisoned");
        let runtime = running.as_ref().and_then(|it| it.runtime.as_ref());
        runtime.expect("the daemon runs").spawn(async move { std::thread::sleep(time) });
    }

    fn bus_if_running(&self) -> Option<Connection> {
        let running = self.running.lock().expect("not poisoned");
        running.as_ref().map(|it| it.connection.clone())
    }

    fn bus(&self) -> Connection {
        self.bus_if_running().expect("the daemon runs")
    }

    /// Plugs a controller in, switched off.
    pub async fn plug_adapter(&self) {
        self.world.lock().adapter = Some(AdapterState::default());
        let object = AdapterObject { world: self.world.clone(), is_other: false };
        self.bus().object_server().at(ADAPTER, object).await.expect("the bus is there");
    }

    /// Pulls the controller out, with every device object.
    pub async fn unplug_adapter(&self) {
        self.world.lock().adapter = None;
        let devices: Vec<DeviceId> = self.world.lock().devices.keys().copied().collect();
        for device in devices {
            self.remove_object(device).await;
        }
        let bus = self.bus();
        let server = bus.object_server();
        server.remove::<AdapterObject, _>(ADAPTER).await.expect("the bus is there");
    }

    /// Switches the controller off or on behind everybody's back.
    pub async fn power(&self, on: bool) {
        if let Some(adapter) = self.world.lock().adapter.as_mut() {
            *adapter = AdapterState { powered: on, discovering: false };
        }
        let bus = self.bus();
        let linked: Vec<DeviceId> = {
            let mut state = self.world.lock();
            let devices = state.devices.values_mut();
            let linked = devices.filter_map(|it| {
                it.heard = false;
                (it.on_bus && it.connected).then_some(it.spec.device)
            });
            linked.collect()
        };
        for device in linked {
            drop_link(&bus, &self.world, device).await.expect("the bus is there");
        }
        let object = bus.object_server().interface::<_, AdapterObject>(ADAPTER).await;
        let object = object.expect("there is a controller");
        let shown = object.get().await;
        shown.powered_changed(object.signal_emitter()).await.expect("the bus is there");
        shown.discovering_changed(object.signal_emitter()).await.expect("the bus is there");
    }

    /// Whether the controller is on and scanning.
    pub fn is_scanning(&self) -> bool {
        let adapter = self.world.adapter();
        adapter.powered && adapter.discovering
    }

    /// How often a scan was started.
    pub fn scans_started(&self) -> u32 {
        self.world.lock().discoveries
    }

    /// Refuses the next `times` requests to switch on with `org.bluez.Error.Busy`.
    pub fn busy_on_power(&self, times: u32) {
        self.world.lock().busy = times;
    }

    /// Refusals of Busy still to come.
    pub fn busy_left(&self) -> u32 {
        self.world.lock().busy
    }

    /// How long Disconnect takes.
    pub fn disconnect_takes(&self, time: Duration) {
        self.world.lock().disconnect_takes = time;
    }

    /// Switches a peripheral on nearby: it advertises whenever it is not connected.
    pub fn add_device(&self, spec: DeviceSpec) {
        self.world.lock().add(spec, true);
    }

    /// Makes BlueZ remember a peripheral that is not there.
    pub async fn remember_device(&self, spec: DeviceSpec) {
        let device = spec.device;
        self.world.lock().add(spec, false);
        show_device(&self.bus(), &self.world, device).await.expect("the bus is there");
    }

    /// Adds a peripheral whose link an earlier program left behind.
    pub async fn left_connected(&self, spec: DeviceSpec) {
        let device = spec.device;
        self.remember_device(spec).await;
        self.world.device(device, |it| {
            it.advertising = true;
            it.connected = true;
        });
        gatt::resolve(&self.bus(), &self.world, device).await.expect("the bus is there");
    }

    /// Lets links last so much longer than their Disconnect.
    pub fn lingers(&self, time: Duration) {
        self.world.lock().lingers = time;
    }

    /// Ends the scan without a word: nobody is heard until another is started.
    pub fn stop_hearing(&self) {
        self.world.lock().mute = Mute::Scan;
    }

    /// Tells whoever scans nothing of what it hears, for as long as they use this connection.
    pub fn stop_telling(&self) {
        let mut state = self.world.lock();
        state.mute = Mute::Client(state.scanner.clone());
    }

    /// Starts or stops a peripheral's advertising.
    pub fn advertising(&self, device: DeviceId, on: bool) {
        self.world.device(device, |it| it.advertising = on).expect("known device");
    }

    /// Lets a peripheral connect without its services ever being resolved, or ends that.
    pub fn never_resolves(&self, device: DeviceId, never: bool) {
        self.world.device(device, |it| it.never_resolves = never).expect("known device");
    }

    /// Breaks a link the way BlueZ reports it.
    pub async fn drop_link(&self, device: DeviceId) {
        drop_link(&self.bus(), &self.world, device).await.expect("the bus is there");
    }

    /// That an earlier connection ended is heard while the next one is made.
    pub fn tells_late(&self) {
        self.world.lock().tells_late = true;
    }

    /// A connected device has no battery to show any more.
    pub async fn lose_battery(&self, device: DeviceId) {
        hide_battery(&self.bus(), device).await.expect("it had one");
    }

    /// Breaks a link without any signal: only who asks learns of it.
    pub async fn vanish(&self, device: DeviceId) {
        let gatt = self.world.device(device, |it| {
            it.advertising = false;
            it.end_link()
        });
        drop(gatt);
    }

    /// Makes BlueZ forget a device, as it does with unbonded ones it has not heard for 30 s.
    pub async fn remove_object(&self, device: DeviceId) {
        let (on_bus, gatt) = self
            .world
            .device(device, |it| {
                it.heard = false;
                (std::mem::take(&mut it.on_bus), it.end_link())
            })
            .expect("known device");
        if on_bus {
            let bus = self.bus();
            hide(&bus, gatt).await.expect("the bus is there");
            let server = bus.object_server();
            let removed = server.remove::<DeviceObject, _>(device_path(device)).await;
            removed.expect("the bus is there");
        }
    }

    /// Whether BlueZ holds a link to the device.
    pub fn is_connected(&self, device: DeviceId) -> bool {
        self.world.device(device, |it| it.connected).unwrap_or_default()
    }

    /// How often the device was connected.
    pub fn connects(&self, device: DeviceId) -> u32 {
        self.world.device(device, |it| it.connects).unwrap_or_default()
    }

    /// How often the device was not connected for want of a slot.
    pub fn slotless(&self, device: DeviceId) -> u32 {
        self.world.device(device, |it| it.slotless).unwrap_or_default()
    }

    /// Whether somebody is subscribed to anything of the device.
    pub fn is_subscribed(&self, device: DeviceId) -> bool {
        self.world.device(device, |it| !it.notifying.is_empty()).unwrap_or_default()
    }

    /// Sends a notification. False if nobody is subscribed.
    pub async fn notify(&self, device: DeviceId, number: u16, value: &[u8]) -> bool {
        notify(&self.bus(), &self.world, device, number, value).await
    }

    /// Sends `readings` in turn, one every `every`, whenever somebody is subscribed.
    pub fn stream(
        self: &Arc<Self>,
        device: DeviceId,
        number: u16,
        every: Duration,
        readings: Vec<Vec<u8>>,
    ) -> Stream {
        let fake = self.clone();
        Stream(tokio::spawn(async move {
            for reading in readings.iter().cycle() {
                sleep(every).await;
                if let Some(bus) = fake.bus_if_running() {
                    notify(&bus, &fake.world, device, number, reading).await;
                }
            }
        }))
    }
}

async fn notify(
    bus: &Connection,
    world: &World,
    device: DeviceId,
    number: u16,
    value: &[u8],
) -> bool {
    let subscribed: Vec<String> = world
        .device(device, |it| it.notifying.iter().cloned().collect::<Vec<_>>())
        .unwrap_or_default();
    for path in subscribed {
        let object = bus.object_server().interface::<_, CharacteristicObject>(path.as_str()).await;
        let Ok(object) = object else { continue };
        let shown = object.get().await;
        if shown.spec.number != number {
            continue;
        }
        world.device(device, |it| it.values.insert(path.clone(), value.to_vec()));
        if matches!(world.lock().mute, Mute::Client(_)) {
            return true;
        }
        return shown.value_changed(object.signal_emitter()).await.is_ok();
    }
    false
}

/// Lets everybody who advertises be heard while the controller scans.
async fn advertise(bus: Connection, world: Arc<World>) {
    let mut ticks = interval(ADVERTISING);
    loop {
        ticks.tick().await;
        let adapter = world.adapter();
        if !adapter.powered || !adapter.discovering || world.lock().mute == Mute::Scan {
            continue;
        }
        let heard: Vec<DeviceId> = {
            let state = world.lock();
            let devices = state.devices.values();
            devices.filter(|it| it.advertising && !it.connected).map(|it| it.spec.device).collect()
        };
        for device in heard {
            world.device(device, |it| (it.heard, it.adverts) = (true, it.adverts.wrapping_add(1)));
            if let Err(error) = be_heard(&bus, &world, device).await {
                say(&format!("fake org.bluez: not advertised: {error}"));
            }
        }
    }
}

async fn be_heard(bus: &Connection, world: &Arc<World>, device: DeviceId) -> zbus::Result<()> {
    if show_device(bus, world, device).await? || matches!(world.lock().mute, Mute::Client(_)) {
        return Ok(());
    }
    let object = bus.object_server().interface::<_, DeviceObject>(device_path(device)).await?;
    object.get().await.r_s_s_i_changed(object.signal_emitter()).await
}

/// Makes the device's object, unless there is one.
async fn show_device(bus: &Connection, world: &Arc<World>, device: DeviceId) -> zbus::Result<bool> {
    let was_there = world.device(device, |it| std::mem::replace(&mut it.on_bus, true));
    if was_there != Some(false) {
        return Ok(false);
    }
    let object = DeviceObject { world: world.clone(), device };
    bus.object_server().at(device_path(device), object).await?;
    Ok(true)
}
