//! D-Bus beside btleplug: whether bluetoothd is there, and what it removed.
//!
//! btleplug neither notices that the daemon died nor that an adapter or device was removed, so the
//! driver listens to the bus itself.

use std::num::NonZeroUsize;

use futures_util::StreamExt;
use zbus::message::Type;
use zbus::names::OwnedUniqueName;

use zbus::{Connection, MatchRule, MessageStream, OwnedObjectPath};

pub(super) const BLUEZ: &str = "org.bluez";
const DAEMON: &str = "org.freedesktop.DBus";
const DAEMON_PATH: &str = "/org/freedesktop/DBus";
const OBJECTS: &str = "org.freedesktop.DBus.ObjectManager";
/// An object without these is gone. With each connection a device gains and loses others, e.g. its battery.
const WHOLE: [&str; 2] = ["org.bluez.Device1", "org.bluez.Adapter1"];
const AUTHENTICATION: &str = "org.bluez.Reason.Authentication";
/// Signals that may wait; zbus stops reading the socket when they are not taken.
pub(super) const SIGNALS_MAX: NonZeroUsize = NonZeroUsize::new(256).expect("not zero");

/// The bus ended or refused.
#[derive(Debug, thiserror::Error)]
pub(super) enum BusError {
    /// No system bus, or it did not answer.
    #[error("system bus failure")]
    Bus(#[from] zbus::Error),
    /// The bus closed the connection.
    #[error("system bus closed")]
    Closed,
}

/// Something that happened to bluetoothd.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum News {
    /// The daemon ended or was replaced: everything known of it is void.
    DaemonGone,
    /// An object appeared.
    Added,
    /// A device or a controller disappeared.
    Removed(String),
    /// The connection to the device at this path ended because its encryption failed.
    AuthenticationFailed(String),
}

/// A private connection to the system bus.
#[derive(Debug)]
pub(super) struct Bus {
    connection: Connection,
    owner: MessageStream,
    added: MessageStream,
    removed: MessageStream,
    disconnected: MessageStream,
}

impl Bus {
    /// Connects and starts to listen.
    pub(super) async fn open() -> Result<Self, BusError> {
        let connection = Connection::system().await?;
        let owner = MatchRule::builder()
            .msg_type(Type::Signal)
            .sender(DAEMON)
            .interface(DAEMON)
            .member("NameOwnerChanged")
            .add_arg(BLUEZ)
            .build()?;
        let owner = listen(owner, &connection).await?;
        let added = listen(object_rule("InterfacesAdded")?, &connection).await?;
        let removed = listen(object_rule("InterfacesRemoved")?, &connection).await?;
        // BlueZ has this signal since 5.83; before that a lost bond is only guessed (`diagnosis`).
        let disconnected = MatchRule::builder().msg_type(Type::Signal).sender(BLUEZ);
        let disconnected = disconnected.interface("org.bluez.Device1").member("Disconnected");
        let disconnected = listen(disconnected.build()?, &connection).await?;
        Ok(Self { connection, owner, added, removed, disconnected })
    }

    /// Whether bluetoothd is on the bus. Does not start it: that is systemd's business.
    pub(super) async fn daemon_is_up(&self) -> Result<bool, BusError> {
        let call = self.connection.call_method(
            Some(DAEMON),
            DAEMON_PATH,
            Some(DAEMON),
            "NameHasOwner",
            &BLUEZ,
        );
        Ok(call.await?.body().deserialize::<bool>()?)
    }

    /// Waits until bluetoothd is on the bus.
    pub(super) async fn daemon_came_up(&mut self) -> Result<(), BusError> {
        while !self.daemon_is_up().await? {
            self.owner.next().await.ok_or(BusError::Closed)??;
        }
        Ok(())
    }

    /// Waits for the next thing that happens to bluetoothd.
    pub(super) async fn next(&mut self) -> Result<News, BusError> {
        loop {
            tokio::select! {
                message = self.owner.next() => {
                    let message = message.ok_or(BusError::Closed)??;
                    let body = message.body();
                    let (_, old, _): (String, String, String) = body.deserialize()?;
                    // An owner that changes directly into another is a restart as well.
                    if OwnedUniqueName::try_from(old).is_ok() {
                        return Ok(News::DaemonGone);
                    }
                }
                message = self.added.next() => {
                    message.ok_or(BusError::Closed)??;
                    return Ok(News::Added);
                }
                message = self.removed.next() => {
                    let message = message.ok_or(BusError::Closed)??;
                    let body = message.body();
                    let (path, parts): (OwnedObjectPath, Vec<String>) = body.deserialize()?;
                    if parts.iter().any(|part| WHOLE.contains(&part.as_str())) {
                        return Ok(News::Removed(path.as_str().to_owned()));
                    }
                }
                message = self.disconnected.next() => {
                    let message = message.ok_or(BusError::Closed)??;
                    let body = message.body();
                    let (reason, _): (String, String) = body.deserialize()?;
                    let header = message.header();
                    if let Some(path) = header.path().filter(|_| reason == AUTHENTICATION) {
                        return Ok(News::AuthenticationFailed(path.as_str().to_owned()));
                    }
                }
            }
        }
    }
}

fn object_rule(member: &'static str) -> Result<MatchRule<'static>, zbus::Error> {
    let rule = MatchRule::builder().msg_type(Type::Signal).sender(BLUEZ);
    rule.interface(OBJECTS).member(member).path("/").build()
}

async fn listen(rule: MatchRule<'_>, bus: &Connection) -> Result<MessageStream, zbus::Error> {
    MessageStream::for_match_rule(rule.to_owned(), bus, Some(SIGNALS_MAX)).await
}
