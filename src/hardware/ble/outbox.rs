//! The driver's end of the event queue: what happens when the queue is full (S-11).
//!
//! Readings and sightings that find no room are counted and reported as one `Overrun` as soon as there
//! is room. The state of the radio and of each link is never lost: its newest value waits and is
//! delivered first. So a core that was busy for a moment knows both that it missed readings and which
//! links are up.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, mpsc};

use wardkeep_model::ports::{Event, Link, RadioHealth};
use wardkeep_model::vitals::DeviceId;

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
    /// State of each link that is not down, and whether the core has yet to hear of it.
    links: BTreeMap<DeviceId, (Link, bool)>,
}

impl Backlog {
    fn is_clear(&self) -> bool {
        self.lost == 0 && !self.radio_waits && !self.links.values().any(|(_, waits)| *waits)
    }

    /// Takes the most important thing that waits.
    fn take(&mut self) -> Option<Event> {
        if self.radio_waits {
            self.radio_waits = false;
            return self.radio.map(Event::Radio);
        }
        let Some((&device, entry)) = self.links.iter_mut().find(|(_, (_, waits))| *waits) else {
            let lost = std::mem::take(&mut self.lost);
            return (lost > 0).then_some(Event::Overrun { source: SOURCE, lost });
        };
        let link = entry.0;
        entry.1 = false;
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
                self.links.insert(device, (link, true));
            }
            Event::Seen { .. }
            | Event::Gone(_)
            | Event::Frame { .. }
            | Event::Measured { .. }
            | Event::Refused(..)
            | Event::Crowded
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
        let last = backlog.links.get(&device).map_or(Link::Down, |(last, _)| *last);
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
            backlog.links.insert(device, (link, false));
        }
        self.post_locked(&mut backlog, Event::Link(device, link));
    }

    /// The state last posted for this link; `Down` for one that is not wanted.
    pub(super) fn last(&self, device: DeviceId) -> Link {
        self.backlog().links.get(&device).map_or(Link::Down, |(link, _)| *link)
    }

    /// Every link that is not down.
    pub(super) fn open_links(&self) -> Vec<DeviceId> {
        let backlog = self.backlog();
        let open = backlog.links.iter().filter(|(_, (link, _))| *link != Link::Down);
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
