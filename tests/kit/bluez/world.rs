//! What the pretended controller and peripherals are and do; no D-Bus in here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use wardkeep_model::vitals::DeviceId;

use crate::vendors::Script;

/// A 16-bit number of the Bluetooth SIG as the text BlueZ uses.
pub fn uuid(number: u16) -> String {
    format!("0000{number:04x}-0000-1000-8000-00805f9b34fb")
}

/// A characteristic of a pretended peripheral.
#[derive(Clone, Debug)]
pub struct CharacteristicSpec {
    /// 16-bit number.
    pub number: u16,
    /// BlueZ flags, e.g. `read`, `notify`.
    pub flags: Vec<&'static str>,
    /// Value before the first notification.
    pub value: Vec<u8>,
}

/// A service of a pretended peripheral.
#[derive(Clone, Debug)]
pub struct ServiceSpec {
    /// 16-bit number.
    pub number: u16,
    /// Its characteristics, in handle order.
    pub characteristics: Vec<CharacteristicSpec>,
}

/// How a peripheral is paired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Without a question.
    JustWorks,
    /// Without a number, but BlueZ asks whether it may.
    Authorize,
    /// It shows this number, and so does whoever pairs it.
    Compare(u32),
    /// It shows this number, which is typed by whoever pairs it.
    TypeHere(u32),
    /// This number is shown by whoever pairs it, and typed on the device: rightly or not.
    TypeThere(u32, bool),
}

/// How a peripheral refuses to be paired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refuses {
    /// At once: it keeps one bond and has it.
    AtOnce,
    /// By ending the connection.
    ByHangingUp,
    /// It is busy with something else for so many times.
    Busy(u32),
}

/// What has become of a bond.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Bond {
    /// There is none.
    #[default]
    None,
    /// Both sides keep it.
    Kept,
    /// BlueZ keeps it and the device has lost it: encryption fails.
    LostByDevice,
    /// The same, with a daemon that does not say so: the connection is just not made.
    LostUnsaid,
}

/// What the daemon keeps to itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Mute {
    /// Nothing.
    #[default]
    Nothing,
    /// Its scan has ended without a word: nobody is heard until another is started.
    Scan,
    /// It goes on as ever, and whoever scans by this connection is told no signal strength and no value.
    Client(String),
}

/// A pretended peripheral.
#[derive(Clone, Debug)]
pub struct DeviceSpec {
    /// Its address.
    pub device: DeviceId,
    /// Advertised name.
    pub name: String,
    /// Signal strength in dBm.
    pub rssi: i16,
    /// Services it advertises, by 16-bit number.
    pub advertised: Vec<u16>,
    /// Its GATT table.
    pub services: Vec<ServiceSpec>,
    /// Values it sends as soon as the characteristic is subscribed to.
    pub stored: Vec<(u16, Vec<u8>)>,
    /// How it is paired.
    pub style: Style,
    /// It gives and takes nothing without a bond.
    pub needs_bond: bool,
    /// To get it all the same, the kernel pairs by itself: it asks the default agent, and goes on waiting
    /// after a no.
    pub pairs_unasked: bool,
    /// Its address once it is bonded, if it advertises a private one.
    pub identity: Option<DeviceId>,
    /// The ATT error that a write to a characteristic is answered with.
    pub refused_writes: Vec<(u16, u8)>,
    /// Characteristics that keep their value, whatever is written to them.
    pub stubborn: Vec<u16>,
    /// UUIDs that are no numbers of the Bluetooth SIG: the first is 0xFF00 here, and so on.
    pub vendor: Vec<&'static str>,
    /// What a write is answered with: notifications of a characteristic.
    pub answers: Vec<(Vec<u8>, u16, Vec<Vec<u8>>)>,
}

/// The number of a vendor's first UUID.
const VENDOR: u16 = 0xFF00;

impl DeviceSpec {
    /// A chest strap: Heart Rate and Battery.
    pub fn heart_rate(last: u8, name: &str) -> Self {
        let measurement = characteristic(0x2A37, &["notify"], &[]);
        let location = characteristic(0x2A38, &["read"], &[1]);
        Self::new(
            last,
            name,
            ServiceSpec { number: 0x180D, characteristics: vec![measurement, location] },
        )
    }

    /// A pulse oximeter: PLX and Battery.
    pub fn oximeter(last: u8, name: &str) -> Self {
        let spot_check = characteristic(0x2A5E, &["indicate"], &[]);
        let continuous = characteristic(0x2A5F, &["notify"], &[]);
        let features = characteristic(0x2A60, &["read"], &[0, 0]);
        Self::new(
            last,
            name,
            ServiceSpec { number: 0x1822, characteristics: vec![spot_check, continuous, features] },
        )
    }

    /// A glucose meter with a memory, paired without a question.
    pub fn meter(last: u8, name: &str) -> Self {
        let characteristics = vec![
            characteristic(0x2A18, &["notify"], &[]),
            characteristic(0x2A34, &["notify"], &[]),
            characteristic(0x2A51, &["read"], &[0, 0]),
            characteristic(0x2A52, &["write", "indicate"], &[]),
        ];
        Self::new(last, name, ServiceSpec { number: 0x1808, characteristics })
    }

    /// A blood pressure cuff with a memory and a clock.
    pub fn cuff(last: u8, name: &str) -> Self {
        let measurement = characteristic(0x2A35, &["indicate"], &[]);
        let feature = characteristic(0x2A49, &["read"], &[0x04, 0]);
        let control = characteristic(0x2A52, &["write", "indicate"], &[]);
        let characteristics = vec![measurement, feature, control];
        let mut cuff = Self::new(last, name, ServiceSpec { number: 0x1810, characteristics });
        let clock = characteristic(0x2A2B, &["read", "write"], &[0xEA, 7, 6, 1, 8, 30, 0, 1, 0, 0]);
        cuff.services.push(ServiceSpec { number: 0x1805, characteristics: vec![clock] });
        let text = |number, text: &str| characteristic(number, &["read"], text.as_bytes());
        let information = vec![
            text(0x2A29, "Ward & Sons"),
            text(0x2A24, "BP-7"),
            text(0x2A25, "0042"),
            text(0x2A26, "1.3"),
            characteristic(0x2A50, &["read"], &[1, 0x0F, 0, 2, 0, 3, 0]),
        ];
        cuff.services.push(ServiceSpec { number: 0x180A, characteristics: information });
        cuff
    }

    fn new(last: u8, name: &str, service: ServiceSpec) -> Self {
        let level = characteristic(0x2A19, &["read", "notify"], &[87]);
        let battery = ServiceSpec { number: 0x180F, characteristics: vec![level] };
        Self {
            device: DeviceId([0xAA, 0xBB, 0xCC, 0, 0, last]),
            name: name.to_owned(),
            rssi: -55,
            advertised: vec![service.number],
            services: vec![service, battery],
            stored: Vec::new(),
            style: Style::JustWorks,
            needs_bond: false,
            pairs_unasked: false,
            identity: None,
            refused_writes: Vec::new(),
            stubborn: Vec::new(),
            vendor: Vec::new(),
            answers: Vec::new(),
        }
    }

    /// A device that speaks its vendor's protocol, as its script says.
    pub fn vendor(last: u8, script: &Script) -> Self {
        let endpoint = script.known.endpoint();
        let mut vendor = vec![endpoint.service];
        for one in endpoint.notify.iter().chain(endpoint.write) {
            if !vendor.contains(one) {
                vendor.push(one);
            }
        }
        let numbered = (VENDOR..).zip(&vendor).skip(1);
        let characteristics = numbered.map(|(number, one)| {
            let is = |list: &[&str]| list.contains(one);
            let flags: &[&'static str] = match (is(endpoint.notify), is(endpoint.write)) {
                (true, true) => &["notify", "write"],
                (true, false) => &["notify"],
                // Some take a question and confirm nothing.
                (false, _) => &["write-without-response"],
            };
            characteristic(number, flags, &[])
        });
        let service = ServiceSpec { number: VENDOR, characteristics: characteristics.collect() };
        let answers = script.answers.iter();
        let answers = answers.map(|(asked, said)| (asked.clone(), Self::SAYS, said.clone()));
        let answers = answers.collect();
        Self { vendor, answers, ..Self::new(last, script.name, service) }
    }

    /// A device with nothing but a profile's service and these characteristics of it.
    pub fn profile(last: u8, name: &str, (service, numbers): (u16, &[u16])) -> Self {
        let characteristics =
            numbers.iter().map(|number| characteristic(*number, &["notify"], &[]));
        let characteristics = characteristics.collect();
        Self::new(last, name, ServiceSpec { number: service, characteristics })
    }

    /// Where a vendor's device notifies.
    pub const SAYS: u16 = VENDOR + 1;

    /// The text that BlueZ has for a number.
    pub fn uuid(&self, number: u16) -> String {
        let place = number.checked_sub(VENDOR).map(usize::from);
        let vendor = place.and_then(|place| self.vendor.get(place));
        vendor.map_or_else(|| uuid(number), |it| (*it).to_owned())
    }
}

/// Describes a characteristic.
pub fn characteristic(number: u16, flags: &[&'static str], value: &[u8]) -> CharacteristicSpec {
    CharacteristicSpec { number, flags: flags.to_vec(), value: value.to_vec() }
}

/// State of the controller.
#[derive(Clone, Copy, Debug, Default)]
pub struct AdapterState {
    pub powered: bool,
    pub discovering: bool,
}

/// State of one peripheral as BlueZ would know it.
#[derive(Debug)]
pub struct DeviceState {
    pub spec: DeviceSpec,
    /// Whether BlueZ has an object for it.
    pub on_bus: bool,
    /// Whether it was heard in this scan; a device that BlueZ only remembers has no RSSI.
    pub heard: bool,
    pub advertising: bool,
    pub never_resolves: bool,
    pub connected: bool,
    pub resolved: bool,
    /// Set to end a pending Connect.
    pub cancelled: bool,
    /// How often it was connected.
    pub connects: u32,
    /// How often it was not, for want of a slot.
    pub slotless: u32,
    /// How often it was heard.
    pub adverts: u32,
    /// Object paths of characteristics that are subscribed to.
    pub notifying: BTreeSet<String>,
    /// Current values by object path.
    pub values: BTreeMap<String, Vec<u8>>,
    /// Object paths of its GATT objects, in the order they were made.
    pub gatt: Vec<String>,
    /// Its bond.
    pub bond: Bond,
    /// How it refuses to be paired.
    pub refuses: Option<Refuses>,
    pub trusted: bool,
    /// `Pair` is under way.
    pub pairing: bool,
    /// How often the kernel wanted to pair it by itself.
    pub asked: u32,
    /// A pairing failed while its services were being discovered: BlueZ takes it for one that has none, for
    /// as long as it keeps the object.
    pub nameless: bool,
    /// What was written to it: characteristic and bytes.
    pub written: Vec<(u16, Vec<u8>)>,
}

/// An agent that somebody registered.
#[derive(Clone, Debug)]
pub struct AgentState {
    /// Whose connection it is on.
    pub owner: String,
    /// Its object.
    pub path: String,
    /// What it can show and take.
    pub capability: String,
    /// It is asked when whoever pairs has none.
    pub is_default: bool,
}

/// Everything the fake knows.
#[derive(Debug, Default)]
pub struct State {
    /// The controller, if one is plugged in.
    pub adapter: Option<AdapterState>,
    /// Another controller, which hears nobody.
    pub other_adapter: Option<AdapterState>,
    /// Registered agents.
    pub agents: Vec<AgentState>,
    /// Nobody may register an agent.
    pub refuses_agents: bool,
    /// Connections that the controller carries, if that is limited, and what it says to one more.
    pub slots: Option<(usize, &'static str)>,
    /// How long `Pair` looks for a device.
    pub pair_reaches: Duration,
    /// How many more times switching on is refused with Busy.
    pub busy: u32,
    /// How often StartDiscovery was called.
    pub discoveries: u32,
    /// Who called it last.
    pub scanner: String,
    /// What nobody is told.
    pub mute: Mute,
    /// How long Disconnect takes; the real daemon needs 2 s.
    pub disconnect_takes: Duration,
    /// How much longer the link lasts than its Disconnect.
    pub lingers: Duration,
    /// How long a device takes over its keys before it asks, or says yes.
    pub pairing_takes: Duration,
    /// How long it takes a person to type a digit on a device.
    pub digit_takes: Duration,
    /// A pairing takes no longer than this, if that is limited; SMP has 30 s.
    pub pairing_lasts: Option<Duration>,
    /// That an earlier connection ended is heard while the next one is made: btleplug asks something for each
    /// advertisement before it tells what came after.
    pub tells_late: bool,
    pub devices: BTreeMap<DeviceId, DeviceState>,
}

/// The shared state.
#[derive(Debug, Default)]
pub struct World(Mutex<State>);

impl World {
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no test panics while it holds the world")
    }

    /// Reads something of a device, if there is such a device.
    pub fn device<T>(&self, id: DeviceId, read: impl FnOnce(&mut DeviceState) -> T) -> Option<T> {
        self.lock().devices.get_mut(&id).map(read)
    }

    pub fn adapter(&self) -> AdapterState {
        self.lock().adapter.unwrap_or_default()
    }
}

impl State {
    pub fn add(&mut self, spec: DeviceSpec, advertising: bool) {
        let state = DeviceState {
            on_bus: false,
            heard: false,
            advertising,
            never_resolves: false,
            connected: false,
            resolved: false,
            cancelled: false,
            connects: 0,
            slotless: 0,
            adverts: 0,
            notifying: BTreeSet::new(),
            values: BTreeMap::new(),
            gatt: Vec::new(),
            bond: Bond::None,
            refuses: None,
            trusted: false,
            pairing: false,
            asked: 0,
            nameless: false,
            written: Vec::new(),
            spec,
        };
        self.devices.insert(state.spec.device, state);
    }

    /// Forgets what dies with the daemon; the controller comes back switched off.
    pub fn daemon_died(&mut self) {
        self.adapter = self.adapter.map(|_| AdapterState::default());
        self.other_adapter = self.other_adapter.map(|_| AdapterState::default());
        self.agents.clear();
        self.mute = Mute::Nothing;
        for device in self.devices.values_mut() {
            device.on_bus = false;
            device.heard = false;
            device.pairing = false;
            device.nameless = false;
            device.end_link();
        }
    }

    /// The controller carries no more connections; what it says then.
    pub fn is_full(&self) -> Option<&'static str> {
        let (slots, says) = self.slots?;
        let connected = self.devices.values().filter(|device| device.connected).count();
        (connected >= slots).then_some(says)
    }
}

impl DeviceState {
    /// BlueZ keeps keys for it.
    pub fn is_paired(&self) -> bool {
        self.bond != Bond::None
    }

    /// Its address, as BlueZ knows it.
    pub fn address(&self) -> DeviceId {
        let identity = self.spec.identity.filter(|_| self.is_paired());
        identity.unwrap_or(self.spec.device)
    }

    /// It gives and takes nothing without a bond, and has none.
    pub fn is_closed(&self) -> bool {
        self.spec.needs_bond && !self.is_paired()
    }

    /// The link is gone; returns the GATT objects that go with it, last made first.
    pub fn end_link(&mut self) -> Vec<String> {
        self.connected = false;
        self.resolved = false;
        self.notifying.clear();
        let mut gatt = std::mem::take(&mut self.gatt);
        gatt.reverse();
        gatt
    }
}
