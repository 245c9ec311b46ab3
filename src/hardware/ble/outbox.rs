//! The driver's end of the event queue: what happens when the queue is full (S-11).
//!
//! Readings and sightings that find no room are counted and reported as one `Overrun` as soon as there
//! is room. The state of the radio, of each link with its device's table, and of each pairing is never
//! lost: its newest value waits and is delivered first. So a core that was busy for a moment knows both
//! that it missed readings and which links are up.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, mpsc};

use wardkeep_model::ports::{Event, Link, PairingFault, PairingStep, RadioHealth, TableDigest};
use wardkeep_model::vitals::DeviceId;

/// Devices whose pairing the core has yet to hear of; it knows no more than this many.
const PAIRINGS_MAX: usize = 64;
/// The name of this driver's queue in `Event::Overrun`.
pub(super) const SOURCE: &str = "bluetooth";

/// Posts events without waiting. Clones share one backlog.
#[derive(Clone, Debug)]
pub(super) struct Outbox {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    events: mpsc::Sender<Event>,
    backlog: Mutex<Backlog>,
    waiting: Notify,
}

/// What was last said, and what could not be said yet.
#[derive(Debug, Default)]
struct Backlog {
    lost: u64,
    radio: Option<RadioHealth>,
    radio_waits: bool,
    /// Each link that is not down, or that the core has yet to hear of.
    links: BTreeMap<DeviceId, Told>,
    /// The newest step of each pairing that the core has yet to hear of.
    pairings: BTreeMap<DeviceId, PairingStep>,
    /// The device whose pairing has begun and not ended.
    paired: Option<DeviceId>,
}

/// What was said of a link.
#[derive(Debug)]
struct Told {
    link: Link,
    link_waits: bool,
    /// It waits for a place.
    no_room: bool,
    no_room_waits: bool,
    /// What the device offers, if the core has yet to hear of it.
    table: Option<TableDigest>,
}

impl Default for Told {
    fn default() -> Self {
        Self {
            link: Link::Down,
            link_waits: false,
            no_room: false,
            no_room_waits: false,
            table: None,
        }
    }
}

impl Told {
    fn waits(&self) -> bool {
        self.link_waits || self.no_room_waits || self.table.is_some()
    }
}

impl Backlog {
    fn is_clear(&self) -> bool {
        let links = self.links.values().any(Told::waits);
        self.lost == 0 && !self.radio_waits && !links && self.pairings.is_empty()
    }

    /// Takes the most important thing that waits.
    fn take(&mut self) -> Option<Event> {
        if self.radio_waits {
            self.radio_waits = false;
            return self.radio.map(Event::Radio);
        }
        if let Some((device, step)) = self.pairings.pop_first() {
            return Some(Event::Pairing(device, step));
        }
        let Some((&device, told)) = self.links.iter_mut().find(|(_, told)| told.waits()) else {
            let lost = std::mem::take(&mut self.lost);
            return (lost > 0).then_some(Event::Overrun { source: SOURCE, lost });
        };
        // Before the link: whoever hears that it is live knows what is at its other end.
        if let Some(table) = told.table.take() {
            return Some(Event::Table(device, table));
        }
        if std::mem::take(&mut told.no_room_waits) {
            return Some(Event::NoRoom(device, told.no_room));
        }
        let link = told.link;
        told.link_waits = false;
        if link == Link::Down {
            self.links.remove(&device);
        }
        Some(Event::Link(device, link))
    }

    /// Puts back what found no room.
    fn keep(&mut self, event: Event) {
        match event {
            Event::Overrun { lost, .. } => self.lost = self.lost.saturating_add(lost),
            Event::Radio(health) => {
                self.radio = Some(health);
                self.radio_waits = true;
            }
            Event::Link(device, link) => {
                let told = self.links.entry(device).or_default();
                (told.link, told.link_waits) = (link, true);
            }
            Event::NoRoom(device, no_room) => {
                let told = self.links.entry(device).or_default();
                (told.no_room, told.no_room_waits) = (no_room, true);
            }
            Event::Table(device, table) => {
                self.links.entry(device).or_default().table = Some(table);
            }
            Event::Pairing(device, step) => {
                let is_known = self.pairings.contains_key(&device);
                if is_known || self.pairings.len() < PAIRINGS_MAX {
                    self.pairings.insert(device, step);
                } else {
                    self.lost = self.lost.saturating_add(1);
                }
            }
            Event::Seen { .. }
            | Event::Gone(_)
            | Event::Frame { .. }
            | Event::VendorFrame { .. }
            | Event::Measured { .. }
            | Event::Refused(..)
            | Event::Crowded
            | Event::Wrote(..)
            | Event::Wave { .. }
            | Event::Reader(..)
            | Event::BadgePresented(_)
            | Event::BadgeUnreadable(_)
            | Event::BadgeRemoved
            | Event::ReaderRefused { .. }
            | Event::Factor(_)
            | Event::Speaker(_) => self.lost = self.lost.saturating_add(1),
        }
    }

    /// Sends what waits while there is room.
    fn drain_into(&mut self, events: &mpsc::Sender<Event>) {
        while !self.is_clear() {
            let Ok(permit) = events.try_reserve() else { return };
            if let Some(event) = self.take() {
                permit.send(event);
            }
        }
    }
}

impl Outbox {
    pub(super) fn new(events: mpsc::Sender<Event>) -> Self {
        let backlog = Mutex::new(Backlog::default());
        Self { shared: Arc::new(Shared { events, backlog, waiting: Notify::new() }) }
    }

    fn backlog(&self) -> MutexGuard<'_, Backlog> {
        // Every change leaves the backlog whole, so a panic elsewhere does not make it unusable.
        self.shared.backlog.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Posts a sighting or a frame, or counts it as lost.
    pub(super) fn post(&self, event: Event) {
        self.post_locked(&mut self.backlog(), event);
    }

    fn post_locked(&self, backlog: &mut Backlog, event: Event) {
        backlog.drain_into(&self.shared.events);
        if backlog.is_clear() {
            match self.shared.events.try_send(event) {
                Ok(()) => return,
                Err(mpsc::error::TrySendError::Full(event)) => backlog.keep(event),
                // The core is gone; the supervisor notices and ends the driver.
                Err(mpsc::error::TrySendError::Closed(_)) => return,
            }
        } else {
            backlog.keep(event);
        }
        self.shared.waiting.notify_one();
    }

    /// Posts the controller's health if it changed.
    pub(super) fn radio(&self, health: RadioHealth) {
        let mut backlog = self.backlog();
        if backlog.radio != Some(health) {
            tracing::info!(?health, "bluetooth radio");
            backlog.radio = Some(health);
            self.post_locked(&mut backlog, Event::Radio(health));
        }
    }

    /// Posts a link's state if it says something new: a link that never lived cannot be lost.
    pub(super) fn link(&self, device: DeviceId, link: Link) {
        let mut backlog = self.backlog();
        let last = backlog.links.get(&device).map_or(Link::Down, |told| told.link);
        let news = match link {
            Link::Connecting => last == Link::Down,
            Link::Live | Link::Down => last != link,
            Link::Lost => last == Link::Live,
        };
        if !news {
            return;
        }
        tracing::info!(?device, ?link, "bluetooth link");
        if link == Link::Down {
            backlog.links.remove(&device);
        } else {
            backlog.links.entry(device).or_default().link = link;
        }
        self.post_locked(&mut backlog, Event::Link(device, link));
    }

    /// Posts that a wanted link has no place, or has one, if it says something new.
    pub(super) fn no_room(&self, device: DeviceId, no_room: bool) {
        let mut backlog = self.backlog();
        let Some(told) = backlog.links.get_mut(&device).filter(|told| told.no_room != no_room)
        else {
            return;
        };
        told.no_room = no_room;
        self.post_locked(&mut backlog, Event::NoRoom(device, no_room));
    }

    /// Posts a step of a pairing.
    pub(super) fn pairing(&self, device: DeviceId, step: PairingStep) {
        let mut backlog = self.backlog();
        match step {
            PairingStep::Started => backlog.paired = Some(device),
            PairingStep::Bonded(_) | PairingStep::Failed(_) if backlog.paired == Some(device) => {
                backlog.paired = None;
            }
            PairingStep::Bonded(_)
            | PairingStep::Failed(_)
            | PairingStep::Forgotten
            | PairingStep::Needed
            | PairingStep::CompareNumber(_)
            | PairingStep::ShowPasskey { .. }
            | PairingStep::TypePasskey => {}
        }
        self.post_locked(&mut backlog, Event::Pairing(device, step));
    }

    /// A pairing that is under way has nobody left to end it.
    pub(super) fn end_pairing(&self) {
        let paired = self.backlog().paired;
        if let Some(device) = paired {
            self.pairing(device, PairingStep::Failed(PairingFault::NoAdapter));
        }
    }

    /// The state last posted for this link; `Down` for one that is not wanted.
    pub(super) fn last(&self, device: DeviceId) -> Link {
        self.backlog().links.get(&device).map_or(Link::Down, |told| told.link)
    }

    /// Every link that is not down.
    pub(super) fn open_links(&self) -> Vec<DeviceId> {
        let backlog = self.backlog();
        let open = backlog.links.iter().filter(|(_, told)| told.link != Link::Down);
        open.map(|(device, _)| *device).collect()
    }

    /// Whether the radio worked last.
    pub(super) fn was_ready(&self) -> bool {
        self.backlog().radio == Some(RadioHealth::Ready)
    }

    /// Ends when the core has dropped its receiver.
    pub(super) async fn closed(&self) {
        self.shared.events.closed().await;
    }

    /// Delivers what waits whenever there is room. Ends when the core has dropped its receiver.
    pub(super) async fn deliver(&self) {
        loop {
            let waiting = self.shared.waiting.notified();
            if self.backlog().is_clear() {
                tokio::select! {
                    () = waiting => continue,
                    () = self.shared.events.closed() => return,
                }
            }
            let Ok(permit) = self.shared.events.reserve().await else { return };
            if let Some(event) = self.backlog().take() {
                permit.send(event);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: DeviceId = DeviceId([0, 0, 0, 0, 0, 1]);

    fn texts(events: &mut mpsc::Receiver<Event>) -> Vec<String> {
        std::iter::from_fn(|| events.try_recv().ok()).map(|event| format!("{event:?}")).collect()
    }

    #[test]
    fn s11_a_full_queue_counts_what_is_lost_and_keeps_the_newest_states() {
        let (sender, mut events) = mpsc::channel(2);
        let outbox = Outbox::new(sender);
        outbox.radio(RadioHealth::Ready);
        outbox.link(ONE, Link::Connecting);
        for _ in 0..3 {
            outbox.post(Event::Gone(ONE));
        }
        outbox.link(ONE, Link::Live);
        outbox.link(ONE, Link::Lost);
        outbox.radio(RadioHealth::Off);
        assert_eq!(texts(&mut events), ["Radio(Ready)", "Link(device-0001, Connecting)"]);
        // The next post makes room for what waited; the post itself waits in turn.
        outbox.post(Event::Gone(ONE));
        assert_eq!(texts(&mut events), ["Radio(Off)", "Link(device-0001, Lost)"]);
        outbox.post(Event::Gone(ONE));
        assert_eq!(
            texts(&mut events),
            ["Overrun { source: \"bluetooth\", lost: 4 }", "Gone(device-0001)"]
        );
    }

    #[test]
    fn s11_states_pass_although_every_free_place_is_fought_for() {
        let (sender, mut events) = mpsc::channel(1);
        let outbox = Outbox::new(sender);
        outbox.post(Event::Gone(ONE));
        outbox.link(ONE, Link::Live);
        outbox.radio(RadioHealth::Off);
        let mut seen = Vec::new();
        for _ in 0..4 {
            seen.extend(texts(&mut events));
            outbox.post(Event::Gone(ONE));
        }
        let overrun = "Overrun { source: \"bluetooth\", lost: 2 }";
        assert_eq!(seen, ["Gone(device-0001)", "Radio(Off)", "Link(device-0001, Live)", overrun]);
    }

    #[test]
    fn a_link_is_reported_once_per_change() {
        let (sender, mut events) = mpsc::channel(16);
        let outbox = Outbox::new(sender);
        for link in [
            Link::Lost,
            Link::Connecting,
            Link::Lost,
            Link::Live,
            Link::Live,
            Link::Lost,
            Link::Connecting,
            Link::Down,
            Link::Down,
        ] {
            outbox.link(ONE, link);
        }
        let expected = ["Connecting", "Live", "Lost", "Down"];
        assert_eq!(texts(&mut events), expected.map(|link| format!("Link(device-0001, {link})")));
        assert!(outbox.open_links().is_empty());
    }

    #[test]
    fn s11_the_newest_step_of_a_pairing_and_the_table_of_a_link_are_not_lost() {
        let (sender, mut events) = mpsc::channel(1);
        let outbox = Outbox::new(sender);
        outbox.post(Event::Gone(ONE));
        outbox.link(ONE, Link::Connecting);
        outbox.no_room(ONE, true);
        outbox.no_room(ONE, true);
        outbox.post(Event::Table(ONE, TableDigest([0xAB; 32])));
        outbox.link(ONE, Link::Live);
        outbox.no_room(ONE, false);
        outbox.pairing(ONE, PairingStep::Started);
        outbox.pairing(ONE, PairingStep::TypePasskey);
        outbox.end_pairing();
        outbox.end_pairing();
        let mut seen = Vec::new();
        for _ in 0..6 {
            seen.extend(texts(&mut events));
            outbox.backlog().drain_into(&outbox.shared.events);
        }
        let failed = "Pairing(device-0001, Failed(NoAdapter))";
        let table = "Table(device-0001, table-abab)";
        let (room, live) = ("NoRoom(device-0001, false)", "Link(device-0001, Live)");
        assert_eq!(seen, ["Gone(device-0001)", failed, table, room, live]);
    }

    #[tokio::test]
    async fn s11_what_waits_is_delivered_without_another_post() {
        let (sender, mut events) = mpsc::channel(1);
        let outbox = Outbox::new(sender);
        outbox.post(Event::Gone(ONE));
        outbox.post(Event::Gone(ONE));
        outbox.link(ONE, Link::Connecting);
        outbox.link(ONE, Link::Down);
        let deliver = outbox.deliver();
        tokio::pin!(deliver);
        let mut seen = Vec::new();
        while seen.len() < 3 {
            tokio::select! {
                () = &mut deliver => break,
                Some(event) = events.recv() => seen.push(format!("{event:?}")),
            }
        }
        let overrun = "Overrun { source: \"bluetooth\", lost: 1 }";
        assert_eq!(seen, ["Gone(device-0001)", "Link(device-0001, Down)", overrun]);
        assert!(outbox.open_links().is_empty());
        drop(events);
        deliver.await;
    }
}
