//! One health of badge readers out of two drivers.
//!
//! A badge can be tapped on a PC/SC reader or on a USB reader, and the lock screen has one line for
//! both. [`relay`] passes on what the two drivers say, in order, and says of badge readers what is
//! best for the person in front of them: one reader that works is enough. What the other driver lacks
//! is in `wardkeepctl doctor`, which has a line for each.

use tokio::sync::mpsc::{Receiver, Sender};

use wardkeep_model::ports::{Event, ReaderHealth, ReaderKind};

/// Events of a driver that wait to be passed on. Few, because a tap grows old only before it comes
/// here: the driver drops what waited for its way out.
pub const WAITING_MAX: usize = 4;

/// A driver of badge readers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Through pcscd.
    Pcsc,
    /// Claimed on USB.
    Usb,
}

/// What each driver has said of its badge readers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BadgeReaders {
    pcsc: Option<ReaderHealth>,
    usb: Option<ReaderHealth>,
}

impl BadgeReaders {
    /// Takes in an event of a driver and returns what the core is to be told.
    pub fn merge(&mut self, source: Source, event: Event) -> Event {
        let Event::Reader(ReaderKind::Badge, health) = event else { return event };
        let place = match source {
            Source::Pcsc => &mut self.pcsc,
            Source::Usb => &mut self.usb,
        };
        *place = Some(health);
        let told = [self.pcsc, self.usb].into_iter().flatten();
        Event::Reader(ReaderKind::Badge, told.max_by_key(|told| worth(*told)).unwrap_or(health))
    }
}

/// A reader that works, else a reason that somebody can remove, else that there is none.
fn worth(health: ReaderHealth) -> u8 {
    match health {
        ReaderHealth::Ready => 4,
        ReaderHealth::Refused => 3,
        ReaderHealth::ServiceDown => 2,
        ReaderHealth::NoLibrary => 1,
        ReaderHealth::NotFitted => 0,
    }
}

/// Passes on what both drivers say until both have ended or nobody listens. It waits for room, so
/// that what cannot be passed on is counted by the driver it comes from (S-11).
pub async fn relay(mut pcsc: Receiver<Event>, mut usb: Receiver<Event>, core: Sender<Event>) {
    let mut readers = BadgeReaders::default();
    loop {
        let (source, event) = tokio::select! {
            Some(event) = pcsc.recv() => (Source::Pcsc, event),
            Some(event) = usb.recv() => (Source::Usb, event),
            else => return,
        };
        if core.send(readers.merge(source, event)).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc::channel;

    use super::*;
    use ReaderHealth::{NotFitted, Ready, Refused, ServiceDown};

    fn badge(health: ReaderHealth) -> Event {
        Event::Reader(ReaderKind::Badge, health)
    }

    #[test]
    fn the_best_of_both_is_told() {
        let mut readers = BadgeReaders::default();
        for (source, said, told) in [
            (Source::Pcsc, NotFitted, NotFitted),
            (Source::Usb, NotFitted, NotFitted),
            (Source::Usb, Ready, Ready),
            (Source::Pcsc, ServiceDown, Ready),
            // The USB reader is pulled: what remains is what keeps the other from working.
            (Source::Usb, NotFitted, ServiceDown),
            (Source::Usb, Refused, Refused),
            (Source::Pcsc, Ready, Ready),
            (Source::Pcsc, NotFitted, Refused),
            (Source::Usb, NotFitted, NotFitted),
        ] {
            let merged = readers.merge(source, badge(said));
            assert_eq!(format!("{merged:?}"), format!("{:?}", badge(told)), "{source:?} {said:?}");
        }
    }

    #[tokio::test]
    async fn everything_else_passes_in_order() {
        let (pcsc, pcsc_inbox) = channel(WAITING_MAX);
        let (usb, usb_inbox) = channel(WAITING_MAX);
        let (core, mut told) = channel(9);
        let relay = tokio::spawn(relay(pcsc_inbox, usb_inbox, core));
        pcsc.send(Event::Reader(ReaderKind::SmartCard, Ready)).await.expect("open");
        pcsc.send(Event::BadgeRemoved).await.expect("open");
        drop(pcsc);
        for expected in ["Reader(SmartCard, Ready)", "BadgeRemoved"] {
            let event = told.recv().await.expect("open");
            assert_eq!(format!("{event:?}"), expected);
        }
        // One driver has ended, the other goes on.
        usb.send(badge(Ready)).await.expect("open");
        let event = told.recv().await.expect("open");
        assert_eq!(format!("{event:?}"), "Reader(Badge, Ready)");
        drop(usb);
        assert!(told.recv().await.is_none());
        relay.await.expect("no panic");
    }
}
