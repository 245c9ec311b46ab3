//! Pairing as bluetoothd does it: who is asked what, and by which names it fails.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::time::sleep;
use wardkeep_model::vitals::DeviceId;
use zbus::object_server::SignalEmitter;
use zbus::{Connection, DynamicType, Message, OwnedObjectPath, interface};

use super::gatt::drop_link;
use super::objects::{BluezError, DeviceObject, device_path, owned};
use super::world::{AgentState, Bond, Refuses, Style, World};
use crate::namespace::say;

/// A device that is paired and not heard is given up after this, unless the test says otherwise.
const REACH: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(10);

/// `/org/bluez`: where agents are registered.
pub struct AgentManager(pub Arc<World>);

#[interface(name = "org.bluez.AgentManager1")]
impl AgentManager {
    fn register_agent(
        &self,
        #[zbus(header)] header: zbus::message::Header<'_>,
        agent: OwnedObjectPath,
        capability: String,
    ) -> Result<(), BluezError> {
        let owner = header.sender().map(ToString::to_string).unwrap_or_default();
        let mut state = self.0.lock();
        if state.refuses_agents {
            return Err(BluezError::NotPermitted("Not permitted".into()));
        }
        if state.agents.iter().any(|it| it.owner == owner) {
            return Err(BluezError::AlreadyExists("Already Exists".into()));
        }
        let path = agent.as_str().to_owned();
        state.agents.push(AgentState { owner, path, capability, is_default: false });
        Ok(())
    }

    fn unregister_agent(
        &self,
        #[zbus(header)] header: zbus::message::Header<'_>,
        agent: OwnedObjectPath,
    ) {
        let owner = header.sender().map(ToString::to_string).unwrap_or_default();
        self.0.lock().agents.retain(|it| it.owner != owner || it.path != agent.as_str());
    }

    fn request_default_agent(
        &self,
        #[zbus(header)] header: zbus::message::Header<'_>,
        agent: OwnedObjectPath,
    ) -> Result<(), BluezError> {
        let owner = header.sender().map(ToString::to_string).unwrap_or_default();
        let mut state = self.0.lock();
        let ours = |it: &AgentState| it.owner == owner && it.path == agent.as_str();
        if !state.agents.iter().any(ours) {
            return Err(BluezError::DoesNotExist("Does Not Exist".into()));
        }
        for it in &mut state.agents {
            it.is_default = ours(it);
        }
        Ok(())
    }
}

/// Calls an agent.
pub async fn ask<B: Serialize + DynamicType>(
    connection: &Connection,
    agent: &AgentState,
    method: &str,
    body: &B,
) -> zbus::Result<Message> {
    let interface = Some("org.bluez.Agent1");
    let owner = Some(agent.owner.as_str());
    connection.call_method(owner, agent.path.as_str(), interface, method, body).await
}

/// `Device1.Pair`.
pub async fn pair(
    device: &DeviceObject,
    caller: &str,
    emitter: &SignalEmitter<'_>,
    connection: &Connection,
) -> Result<(), BluezError> {
    let busy = device.read(|it| match &mut it.refuses {
        Some(Refuses::Busy(times)) if *times > 0 => {
            *times -= 1;
            true
        }
        _ => it.pairing,
    });
    if busy {
        return Err(BluezError::InProgress("In Progress".into()));
    }
    if device.read(|it| it.is_paired()) {
        return Err(BluezError::AlreadyExists("Already Exists".into()));
    }
    device.read(|it| (it.pairing, it.cancelled) = (true, false));
    let agent = agent_of(&device.world, caller);
    let lasts = device.world.lock().pairing_lasts;
    let lasts = async {
        match lasts {
            Some(limit) => sleep(limit).await,
            None => std::future::pending().await,
        }
    };
    let canceled = || BluezError::AuthenticationCanceled("Authentication Canceled".into());
    let agreed = tokio::select! {
        agreed = agree(device, agent.as_ref(), emitter, connection) => Some(agreed),
        () = cancelled(device) => None,
        () = left(device) => None,
        () = lasts => {
            cancel(connection, agent.as_ref()).await;
            let late = "Authentication Timeout".to_owned();
            Some(Err(BluezError::AuthenticationTimeout(late)))
        }
    };
    let paired = match agreed {
        Some(agreed) => agreed,
        None => {
            cancel(connection, agent.as_ref()).await;
            Err(canceled())
        }
    };
    device.read(|it| it.pairing = false);
    match paired {
        Ok(()) => {
            device.read(|it| it.bond = Bond::Kept);
            device.address_changed(emitter).await?;
            device.paired_changed(emitter).await?;
            device.bonded_changed(emitter).await?;
            resolved(device).await;
            Ok(())
        }
        Err(error) => {
            device.read(|it| it.nameless = it.connected);
            if device.read(|it| it.connected) {
                drop_link(connection, &device.world, device.device).await?;
            }
            Err(error)
        }
    }
}

/// The caller's own agent, or else the default one.
fn agent_of(world: &World, caller: &str) -> Option<AgentState> {
    let state = world.lock();
    let own = state.agents.iter().find(|it| it.owner == caller);
    own.or_else(|| state.agents.iter().find(|it| it.is_default)).cloned()
}

/// What the agent was asked is void. As the real daemon, this does not wait for an answer.
async fn cancel(connection: &Connection, agent: Option<&AgentState>) {
    if let Some(agent) = agent
        && let Err(error) = ask(connection, agent, "Cancel", &()).await
    {
        say(&format!("fake org.bluez: the agent takes no Cancel: {error}"));
    }
}

/// Ends when the device was connected and is no more: the real daemon takes that for the end of its pairing.
async fn left(device: &DeviceObject) {
    let ours = device.read(|it| it.connects + u32::from(!it.connected));
    while device.read(|it| it.connects < ours || (it.connects == ours && it.connected)) {
        sleep(POLL).await;
    }
}

/// What the kernel does for whoever wants something that the device gives only over a bond.
pub async fn pair_unasked(world: &World, device: DeviceId, connection: &Connection) {
    let agent = world.lock().agents.iter().find(|it| it.is_default).cloned();
    if let Some(agent) = agent {
        let path = (owned(&device_path(device)),);
        world.device(device, |it| it.asked += 1);
        if ask(connection, &agent, "RequestAuthorization", &path).await.is_ok() {
            world.device(device, |it| it.bond = Bond::Kept);
            return;
        }
    }
    // ATT transactions end after 30 s.
    sleep(Duration::from_secs(30)).await;
}

async fn cancelled(device: &DeviceObject) {
    while !device.read(|it| it.cancelled) {
        sleep(POLL).await;
    }
}

/// Waits, as the real daemon does, until the services are known.
async fn resolved(device: &DeviceObject) {
    while device.read(|it| it.connected && !it.resolved && !it.never_resolves) {
        sleep(POLL).await;
    }
}

async fn agree(
    device: &DeviceObject,
    agent: Option<&AgentState>,
    emitter: &SignalEmitter<'_>,
    connection: &Connection,
) -> Result<(), BluezError> {
    if !device.read(|it| it.connected) {
        let reaches = device.world.lock().pair_reaches;
        let limit = if reaches.is_zero() { REACH } else { reaches };
        let aborted = |_| BluezError::Failed("Software caused connection abort".into());
        device.reach(limit).await.map_err(aborted)?;
        device.come_up(emitter, connection).await?;
    }
    match device.read(|it| it.refuses) {
        Some(Refuses::AtOnce) => {
            return Err(BluezError::AuthenticationRejected("Authentication Rejected".into()));
        }
        Some(Refuses::ByHangingUp) => {
            return Err(BluezError::AuthenticationCanceled("Authentication Canceled".into()));
        }
        Some(Refuses::Busy(_)) | None => {}
    }
    let takes = device.world.lock().pairing_takes;
    sleep(takes).await;
    let failed = || BluezError::AuthenticationFailed("Authentication Failed".into());
    let agent = agent.ok_or_else(failed)?;
    let path = owned(&device_path(device.device));
    let style = device.world.device(device.device, |it| it.spec.style);
    match style.unwrap_or(Style::JustWorks) {
        Style::JustWorks => Ok(()),
        Style::Authorize => {
            ask(connection, agent, "RequestAuthorization", &(path,)).await.map_err(|_| failed())?;
            Ok(())
        }
        Style::Compare(number) => {
            let asked = ask(connection, agent, "RequestConfirmation", &(path, number)).await;
            let rejected = |_| BluezError::AuthenticationRejected("Authentication Rejected".into());
            asked.map(drop).map_err(rejected)
        }
        Style::TypeHere(number) => {
            let typed = ask(connection, agent, "RequestPasskey", &(path,)).await;
            let typed = typed.map_err(|_| failed())?.body().deserialize::<u32>()?;
            if typed == number { Ok(()) } else { Err(failed()) }
        }
        Style::TypeThere(number, rightly) => {
            let takes = device.world.lock().digit_takes.max(POLL);
            for entered in 0..=6_u16 {
                let body = (&path, number, entered);
                let shown = ask(connection, agent, "DisplayPasskey", &body).await;
                shown.map_err(|_| failed())?;
                sleep(takes).await;
            }
            if rightly { Ok(()) } else { Err(failed()) }
        }
    }
}
