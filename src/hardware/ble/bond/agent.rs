//! BlueZ's agent: the D-Bus object that bluetoothd asks when a device is paired.
//!
//! It decides nothing. Each question goes to whoever keeps the pairing window and is refused where
//! nobody does. What only old devices need, and services that others would open here, are refused
//! always; so is whoever is not bluetoothd. S-10: passkeys pass through unprinted.

use tokio::sync::{mpsc, oneshot};
use zbus::message::Header;
use zbus::names::OwnedUniqueName;
use zbus::{ObjectPath, OwnedObjectPath, interface};

use crate::ble::bluez::device_of;
use crate::ble::bond::window::Question;
use wardkeep_model::ports::Passkey;

/// Where the agent stands on the driver's own connection.
pub(super) const PATH: ObjectPath<'static> =
    ObjectPath::from_static_str_unchecked("/org/wardkeep/agent");

/// What BlueZ understands as a no.
#[derive(Debug, zbus::DBusError)]
#[zbus(prefix = "org.bluez.Error")]
enum No {
    #[zbus(error)]
    ZBus(zbus::Error),
    Rejected(String),
}

/// Yes, with the number if one was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Yes {
    Accepted,
    Typed(Passkey),
}

/// Something that BlueZ said to its agent.
#[derive(Debug)]
pub(super) enum Said {
    /// A question about the device at this path. Dropping the answer refuses.
    Asked { path: String, question: Question, answer: oneshot::Sender<Yes> },
    /// What was asked is void.
    TookBack,
}

/// The agent.
pub(super) struct Agent {
    said: mpsc::Sender<Said>,
    bluez: OwnedUniqueName,
}

impl Agent {
    /// An agent that only `bluez` may ask.
    pub(super) fn new(said: mpsc::Sender<Said>, bluez: OwnedUniqueName) -> Self {
        Self { said, bluez }
    }

    fn is_bluez(&self, header: &Header<'_>) -> bool {
        let is_bluez = header.sender().is_some_and(|sender| *sender == *self.bluez);
        if !is_bluez {
            tracing::warn!("somebody else than BlueZ asked its agent");
        }
        is_bluez
    }

    async fn ask(
        &self,
        header: &Header<'_>,
        device: &OwnedObjectPath,
        question: Option<Question>,
    ) -> Result<Yes, No> {
        let refused = || No::Rejected("not now".to_owned());
        let Some(question) = question.filter(|_| self.is_bluez(header)) else {
            return Err(refused());
        };
        let (answer, answered) = oneshot::channel();
        let asked = Said::Asked { path: device.as_str().to_owned(), question, answer };
        self.said.try_send(asked).map_err(|_| refused())?;
        answered.await.map_err(|_| refused())
    }
}

#[interface(name = "org.bluez.Agent1")]
impl Agent {
    /// BlueZ has let the agent go; it is registered again for the next window.
    fn release(&self) {
        tracing::info!("the bluetooth agent was released");
    }

    fn request_pin_code(&self, device: OwnedObjectPath) -> Result<String, No> {
        let device = device_of(device.as_str());
        tracing::info!(?device, "asks for the PIN of an old device: refused");
        Err(No::Rejected("no legacy pairing".to_owned()))
    }

    fn display_pin_code(&self, device: OwnedObjectPath, pincode: &str) -> Result<(), No> {
        let (device, length) = (device_of(device.as_str()), pincode.len());
        tracing::info!(?device, length, "shows a PIN for an old device: refused");
        Err(No::Rejected("no legacy pairing".to_owned()))
    }

    async fn request_passkey(
        &self,
        #[zbus(header)] header: Header<'_>,
        device: OwnedObjectPath,
    ) -> Result<u32, No> {
        match self.ask(&header, &device, Some(Question::Passkey)).await? {
            Yes::Typed(passkey) => Ok(passkey.number()),
            Yes::Accepted => Err(No::Rejected("no passkey".to_owned())),
        }
    }

    async fn display_passkey(
        &self,
        #[zbus(header)] header: Header<'_>,
        device: OwnedObjectPath,
        passkey: u32,
        entered: u16,
    ) -> Result<(), No> {
        let entered = u8::try_from(entered).map_or(6, |digits| digits.min(6));
        let question = Passkey::new(passkey).map(|passkey| Question::Show(passkey, entered));
        self.ask(&header, &device, question).await.map(drop)
    }

    async fn request_confirmation(
        &self,
        #[zbus(header)] header: Header<'_>,
        device: OwnedObjectPath,
        passkey: u32,
    ) -> Result<(), No> {
        let question = Passkey::new(passkey).map(Question::Confirm);
        self.ask(&header, &device, question).await.map(drop)
    }

    async fn request_authorization(
        &self,
        #[zbus(header)] header: Header<'_>,
        device: OwnedObjectPath,
    ) -> Result<(), No> {
        self.ask(&header, &device, Some(Question::Authorize)).await.map(drop)
    }

    fn authorize_service(&self, device: OwnedObjectPath, uuid: &str) -> Result<(), No> {
        let (device, length) = (device_of(device.as_str()), uuid.len());
        tracing::info!(?device, length, "wants to use a service of this machine: refused");
        Err(No::Rejected("no service".to_owned()))
    }

    fn cancel(&self, #[zbus(header)] header: Header<'_>) {
        if self.is_bluez(&header) && self.said.try_send(Said::TookBack).is_err() {
            tracing::debug!("nobody was asked");
        }
    }
}
