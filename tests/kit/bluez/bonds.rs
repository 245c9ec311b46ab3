//! What tests do to bonds, agents and slots of the pretended BlueZ, and ask of them.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use wardkeep_model::vitals::DeviceId;
use zbus::{Connection, DynamicType};

use super::objects::{AdapterObject, OTHER_ADAPTER, device_path};
use super::pairing::ask;
use super::world::{AdapterState, AgentState, Bond, DeviceSpec, Refuses};
use super::{FakeBluez, OwnedObjectPath, owned};
use crate::vendors::Script;

impl FakeBluez {
    /// The agent that is asked by default.
    pub fn agent(&self) -> Option<AgentState> {
        self.world.lock().agents.iter().find(|agent| agent.is_default).cloned()
    }

    /// Lets nobody register an agent, and drops those that there are.
    pub fn refuse_agents(&self) {
        let mut state = self.world.lock();
        state.refuses_agents = true;
        state.agents.clear();
    }

    /// Asks the default agent as bluetoothd does when somebody else wants to pair. The name of its error.
    pub async fn ask_agent<B: Serialize + DynamicType>(
        &self,
        method: &str,
        body: B,
    ) -> Result<(), String> {
        let agent = self.agent().expect("an agent is registered");
        asked(&self.bus(), &agent, method, &body).await
    }

    /// Asks it as any other program could. The name of its error.
    pub async fn ask_agent_as_a_stranger<B: Serialize + DynamicType>(
        &self,
        method: &str,
        body: B,
    ) -> Result<(), String> {
        let agent = self.agent().expect("an agent is registered");
        let stranger = Connection::system().await.expect("the private bus");
        asked(&stranger, &agent, method, &body).await
    }

    /// A device's object.
    pub fn path(&self, device: DeviceId) -> OwnedObjectPath {
        owned(&device_path(device))
    }

    /// What there is of a bond.
    pub fn bond(&self, device: DeviceId) -> Bond {
        self.world.device(device, |it| it.bond).unwrap_or_default()
    }

    /// Makes or breaks a bond behind everybody's back.
    pub fn set_bond(&self, device: DeviceId, bond: Bond) {
        self.world.device(device, |it| it.bond = bond).expect("known device");
    }

    /// Whether BlueZ was told to trust it.
    pub fn is_trusted(&self, device: DeviceId) -> bool {
        self.world.device(device, |it| it.trusted).unwrap_or_default()
    }

    /// How often the kernel wanted to pair it by itself.
    pub fn asked(&self, device: DeviceId) -> u32 {
        self.world.device(device, |it| it.asked).unwrap_or_default()
    }

    /// Whether `Pair` is under way.
    pub fn is_pairing(&self, device: DeviceId) -> bool {
        self.world.device(device, |it| it.pairing).unwrap_or_default()
    }

    /// Lets a device refuse to be paired.
    pub fn refuses_pairing(&self, device: DeviceId, how: Option<Refuses>) {
        self.world.device(device, |it| it.refuses = how).expect("known device");
    }

    /// How long `Pair` looks for a device before it gives up.
    pub fn pair_reaches(&self, time: Duration) {
        self.world.lock().pair_reaches = time;
    }

    /// How long a device takes over its keys before it asks, and a person over each digit on it.
    pub fn pairing_takes(&self, before: Duration, digit: Duration) {
        let mut state = self.world.lock();
        (state.pairing_takes, state.digit_takes) = (before, digit);
    }

    /// Lets pairings time out after this.
    pub fn pairing_lasts(&self, time: Option<Duration>) {
        self.world.lock().pairing_lasts = time;
    }

    /// Connections that the controller carries, and what it says to one more.
    pub fn limit_slots(&self, slots: usize, says: &'static str) {
        self.world.lock().slots = Some((slots, says));
    }

    /// Changes a device's GATT table, as new firmware does.
    pub fn drop_last_service(&self, device: DeviceId) {
        self.world.device(device, |it| it.spec.services.pop()).expect("known device");
    }

    /// A vendor's device answers by this script from now on.
    pub fn answers(&self, device: DeviceId, script: &Script) {
        let answers = DeviceSpec::vendor(0, script).answers;
        self.world.device(device, |it| it.spec.answers = answers).expect("known device");
    }

    /// What was written to a device so far.
    pub fn written(&self, device: DeviceId) -> Vec<(u16, Vec<u8>)> {
        self.world.device(device, |it| it.written.clone()).unwrap_or_default()
    }

    /// Plugs another controller in, with a higher number; it hears nobody.
    pub async fn plug_other_adapter(&self) {
        self.world.lock().other_adapter = Some(AdapterState::default());
        let object = AdapterObject { world: Arc::clone(&self.world), is_other: true };
        let bus = self.bus();
        bus.object_server().at(OTHER_ADAPTER, object).await.expect("the bus is there");
    }

    /// Whether the other controller is on and scanning.
    pub fn is_other_scanning(&self) -> bool {
        let adapter = self.world.lock().other_adapter.unwrap_or_default();
        adapter.powered && adapter.discovering
    }
}

async fn asked<B: Serialize + DynamicType>(
    connection: &Connection,
    agent: &AgentState,
    method: &str,
    body: &B,
) -> Result<(), String> {
    match ask(connection, agent, method, body).await {
        Ok(_) => Ok(()),
        Err(zbus::Error::MethodError(name, ..)) => Err(name.to_string()),
        Err(other) => Err(other.to_string()),
    }
}
