//! The controller's places for links: who has one, who waits for one and in which order, and who could
//! give theirs up.
//!
//! How many there are is not told by BlueZ; it is found out when one more is refused. A place is taken
//! from when a device is connected until it has really been let go, and one that is given up goes to
//! whoever is next: to a device that nobody may take a place from, and among those to the one that has
//! waited longest.

use std::collections::BTreeMap;

use tokio::sync::watch;

use wardkeep_model::moment::BootTime;
use wardkeep_model::vitals::DeviceId;

/// When a link began to wait, in the order of all that did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Arrival(u64);

#[derive(Debug, Default)]
struct State {
    /// Connected devices, each with when it was of use last.
    held: BTreeMap<DeviceId, BootTime>,
    /// Who waits.
    queue: BTreeMap<Arrival, DeviceId>,
    arrivals: u64,
    /// Places that were given up since somebody waits, and that nobody has taken.
    free: usize,
}

impl State {
    /// Whose turn it is.
    fn first(&self, is_firm: impl Fn(DeviceId) -> bool) -> Option<Arrival> {
        let firm = self.queue.iter().find(|(_, device)| is_firm(**device));
        firm.or(self.queue.iter().next()).map(|(arrival, _)| *arrival)
    }

    fn leave(&mut self, arrival: Arrival) {
        self.queue.remove(&arrival);
        self.free = self.free.min(self.queue.len());
    }
}

/// Who has a place and who waits for one. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Places(watch::Sender<State>);

/// A connected device's place until this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Places,
    device: DeviceId,
}

/// A link waits for as long as it has this.
#[derive(Debug)]
pub(super) struct Ticket {
    places: Places,
    /// When it began to wait.
    pub(super) arrival: Arrival,
}

impl Places {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(State::default()))
    }

    /// A device is connected.
    pub(super) fn take(&self, device: DeviceId, now: BootTime) -> Place {
        self.0.send_modify(|state| {
            state.held.insert(device, now);
        });
        Place { places: self.clone(), device }
    }

    /// A link was of use: the device measured, or something was written to it.
    pub(super) fn used(&self, device: DeviceId, now: BootTime) {
        // Nobody waits for this.
        self.0.send_if_modified(|state| {
            state.held.entry(device).and_modify(|used| *used = now);
            false
        });
    }

    /// When the link was of use last, or was made.
    pub(super) fn last_used(&self, device: DeviceId) -> Option<BootTime> {
        self.0.borrow().held.get(&device).copied()
    }

    /// Devices that are connected.
    pub(super) fn taken(&self) -> usize {
        self.0.borrow().held.len()
    }

    /// The link that was of no use for longest, of those that may be given up.
    pub(super) fn least_used(&self, yields: impl Fn(DeviceId) -> bool) -> Option<DeviceId> {
        let state = self.0.borrow();
        let could = state.held.iter().filter(|(device, _)| yields(**device));
        could.min_by_key(|(_, used)| **used).map(|(device, _)| *device)
    }

    /// Somebody waits who goes before this device.
    pub(super) fn is_behind(&self, device: DeviceId, is_firm: impl Fn(DeviceId) -> bool) -> bool {
        let state = self.0.borrow();
        let mut waiting = state.queue.values().filter(|one| **one != device);
        waiting.any(|one| !is_firm(device) || is_firm(*one))
    }

    /// Begins to wait, or waits on where it began to wait before.
    pub(super) fn queue(&self, device: DeviceId, before: Option<Arrival>) -> Ticket {
        let mut arrival = before.unwrap_or(Arrival(0));
        self.0.send_modify(|state| {
            if before.is_none() {
                state.arrivals += 1;
                arrival = Arrival(state.arrivals);
            }
            state.queue.insert(arrival, device);
        });
        Ticket { places: self.clone(), arrival }
    }

    /// It turned out that there is room: whoever is next may try.
    pub(super) fn has_room(&self) {
        self.0.send_modify(|state| state.free = (state.free + 1).min(state.queue.len()));
    }
}

impl Ticket {
    /// Whether a place was given up and it is this one's turn; that turn is over then.
    pub(super) fn is_due(&self, is_firm: impl Fn(DeviceId) -> bool) -> bool {
        self.places.0.send_if_modified(|state| {
            let is_due = state.free > 0 && state.first(&is_firm) == Some(self.arrival);
            if is_due {
                state.free -= 1;
                state.queue.remove(&self.arrival);
            }
            is_due
        })
    }

    /// Whether it is the first of those that wait.
    pub(super) fn is_first(&self, is_firm: impl Fn(DeviceId) -> bool) -> bool {
        self.places.0.borrow().first(is_firm) == Some(self.arrival)
    }

    /// Ends when somebody came, went or gave a place up since `seen` was taken.
    pub(super) fn changes(&self) -> Changes {
        Changes(self.places.0.subscribe())
    }
}

/// What becomes of places.
#[derive(Debug)]
pub(super) struct Changes(watch::Receiver<State>);

impl Changes {
    /// Ends at the next change.
    pub(super) async fn next(&mut self) {
        // It cannot be closed: whoever waits has its sender.
        if self.0.changed().await.is_err() {
            tracing::error!("places of the controller are closed");
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.0.send_modify(|state| {
            state.held.remove(&self.device);
            state.free = (state.free + 1).min(state.queue.len());
        });
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.places.0.send_modify(|state| state.leave(self.arrival));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::FutureExt;

    use super::*;

    fn at(second: u64) -> BootTime {
        BootTime(Duration::from_secs(second))
    }

    fn device(last: u8) -> DeviceId {
        DeviceId([0, 0, 0, 0, 0, last])
    }

    #[test]
    fn the_longest_unused_gives_way_and_only_if_it_may() {
        let places = Places::new();
        let held = [1, 2, 3].map(|last| places.take(device(last), at(u64::from(last))));
        assert_eq!(places.least_used(|_| true), Some(device(1)));
        assert_eq!(places.least_used(|one| one != device(1)), Some(device(2)));
        assert_eq!(places.least_used(|_| false), None, "what is assigned stays");
        places.used(device(1), at(9));
        places.used(device(4), at(9));
        assert_eq!(places.least_used(|_| true), Some(device(2)));
        assert_eq!((places.taken(), places.last_used(device(1))), (3, Some(at(9))));
        drop(held);
        assert_eq!(places.taken(), 0);
    }

    #[test]
    fn a_place_goes_to_whoever_waits_longest_and_first_to_what_is_assigned() {
        let places = Places::new();
        let mut held: Vec<_> = (1..=4).map(|last| places.take(device(last), at(1))).collect();
        let is_firm = |one: DeviceId| one == device(13);
        let [first, second, assigned] = [11, 12, 13].map(|last| places.queue(device(last), None));
        let due = |ticket: &Ticket| ticket.is_due(is_firm);
        assert!(!due(&assigned), "nobody has given a place up");
        drop(held.pop());
        assert!(!due(&first) && !due(&second) && due(&assigned) && !due(&assigned));
        assert!(first.is_first(is_firm) && !second.is_first(is_firm));
        drop(held.pop());
        assert!(!due(&second) && due(&first));
        // It was refused after all, and is before whoever came later.
        let again = places.queue(device(11), Some(first.arrival));
        drop(held.pop());
        assert!(!due(&second) && due(&again));
        places.has_room();
        assert!(due(&second));
    }

    #[test]
    fn who_leaves_the_queue_leaves_its_turn_to_the_next_and_nothing_to_nobody() {
        let places = Places::new();
        let held = [1, 2].map(|last| places.take(device(last), at(1)));
        let (gone, next) = (places.queue(device(11), None), places.queue(device(12), None));
        drop(held);
        drop(gone);
        assert!(next.is_due(|_| false));
        let late = places.queue(device(13), None);
        assert!(!late.is_due(|_| false), "who came later does not get what nobody waited for");
    }

    #[test]
    fn who_comes_is_behind_those_that_wait_unless_it_is_assigned_and_they_are_not() {
        let places = Places::new();
        let is_firm = |one: DeviceId| one.0[5] <= 10;
        assert!(!places.is_behind(device(11), is_firm));
        let waits = places.queue(device(12), None);
        assert!(places.is_behind(device(11), is_firm) && !places.is_behind(device(1), is_firm));
        assert!(!places.is_behind(device(12), is_firm), "not behind itself");
        let assigned = places.queue(device(2), None);
        assert!(places.is_behind(device(1), is_firm));
        drop((waits, assigned));
        assert!(!places.is_behind(device(1), is_firm));
    }

    #[test]
    fn a_change_is_noticed_and_use_is_none() {
        let places = Places::new();
        let held = places.take(device(1), at(1));
        let ticket = places.queue(device(11), None);
        let mut changes = ticket.changes();
        places.used(device(1), at(2));
        assert!(changes.next().now_or_never().is_none());
        drop(held);
        assert!(changes.next().now_or_never().is_some());
    }
}
