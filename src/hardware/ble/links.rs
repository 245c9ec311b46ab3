//! The set of links: one task for each wanted device, no more, and none that died unnoticed.

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{sleep, timeout};

use crate::ble::outbox::Outbox;
use wardkeep_model::ports::{Link, Want};
use wardkeep_model::vitals::DeviceId;

/// What the core wants, newest value wins.
#[derive(Clone, Debug, Default)]
pub(super) struct Orders {
    /// The devices to keep a link to.
    pub(super) wanted: BTreeMap<DeviceId, Wanted>,
    /// The driver is to end.
    pub(super) stop: bool,
}

/// One wanted link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    /// What is wanted of it.
    pub(super) what: Want,
    /// Differs each time the device is wanted anew, so that giving a link up and wanting it again is
    /// never mistaken for wanting it all the time.
    pub(super) generation: u64,
}

#[derive(Debug)]
struct Running {
    want: Wanted,
    task: Id,
    /// `None` once released.
    release: Option<oneshot::Sender<()>>,
}

/// Starts, releases and restarts link tasks.
pub(super) struct Links<S> {
    tasks: JoinSet<()>,
    running: BTreeMap<DeviceId, Running>,
    outbox: Outbox,
    /// Wait before a task that died is started again.
    revive_after: Duration,
    start: S,
}

impl<S, F> Links<S>
where
    S: Fn(DeviceId, Want, oneshot::Receiver<()>) -> F,
    F: Future<Output = ()> + Send + 'static,
{
    /// `start` makes the future that keeps one link until its receiver fires.
    pub(super) fn new(outbox: Outbox, revive_after: Duration, start: S) -> Self {
        Self { tasks: JoinSet::new(), running: BTreeMap::new(), outbox, revive_after, start }
    }

    /// Follows the orders until they say stop.
    pub(super) async fn follow(&mut self, orders: &mut watch::Receiver<Orders>) {
        loop {
            let current = orders.borrow_and_update().clone();
            if current.stop {
                return;
            }
            self.reconcile(&current);
            tokio::select! {
                changed = orders.changed() => if changed.is_err() { return },
                Some(ended) = self.tasks.join_next_with_id() => self.note_end(ended),
            }
        }
    }

    fn reconcile(&mut self, orders: &Orders) {
        for (device, running) in &mut self.running {
            let wanted = orders.wanted.get(device);
            if wanted.is_none_or(|it| it.generation != running.want.generation) {
                release(running);
            }
        }
        // Given up while there was no life to let it go.
        for device in self.outbox.open_links() {
            if !orders.wanted.contains_key(&device) && !self.running.contains_key(&device) {
                self.outbox.link(device, Link::Down);
            }
        }
        for (device, want) in &orders.wanted {
            if !self.running.contains_key(device) {
                self.outbox.link(*device, Link::Connecting);
                self.launch(*device, *want, Duration::ZERO);
            }
        }
    }

    fn launch(&mut self, device: DeviceId, want: Wanted, delay: Duration) {
        let (release, released) = oneshot::channel();
        let link = (self.start)(device, want.what, released);
        let task = self.tasks.spawn(async move {
            sleep(delay).await;
            link.await;
        });
        let running = Running { want, task: task.id(), release: Some(release) };
        self.running.insert(device, running);
    }

    fn note_end(&mut self, ended: Result<(Id, ()), JoinError>) {
        let (id, panicked) = match ended {
            Ok((id, ())) => (id, false),
            Err(error) => (error.id(), error.is_panic()),
        };
        let Some(device) = self.running.iter().find(|(_, r)| r.task == id).map(|(d, _)| *d) else {
            return;
        };
        let Some(ended) = self.running.remove(&device) else { return };
        if ended.release.is_none() {
            self.outbox.link(device, Link::Down);
            return;
        }
        if panicked {
            tracing::error!(?device, "a bluetooth link task panicked; it is started again");
        }
        self.outbox.link(device, Link::Lost);
        self.launch(device, ended.want, self.revive_after);
    }

    /// Gives every link up, waiting at most `limit` for the devices to be disconnected.
    pub(super) async fn release_all(&mut self, limit: Duration) {
        self.running.values_mut().for_each(release);
        let all = async { while self.tasks.join_next().await.is_some() {} };
        if timeout(limit, all).await.is_err() {
            tracing::warn!("bluetooth links were not released in time");
        }
        self.tasks.shutdown().await;
        for device in std::mem::take(&mut self.running).into_keys() {
            self.outbox.link(device, Link::Down);
        }
    }

    /// Ends every task without asking BlueZ, because it is gone.
    pub(super) async fn abandon(&mut self) {
        self.tasks.shutdown().await;
        for (device, running) in std::mem::take(&mut self.running) {
            let link = if running.release.is_some() { Link::Lost } else { Link::Down };
            self.outbox.link(device, link);
        }
    }
}

/// Tells a task to let its device go, once.
fn release(running: &mut Running) {
    if let Some(release) = running.release.take()
        && release.send(()).is_err()
    {
        tracing::debug!("a bluetooth link task had ended already");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::mpsc;

    use super::*;
    use wardkeep_model::ports::Event;
    use wardkeep_model::vitals::DeviceKind;

    const ONE: DeviceId = DeviceId([0, 0, 0, 0, 0, 1]);

    fn orders(generation: Option<u64>) -> Orders {
        let want = generation
            .map(|generation| Wanted { what: Want::of(DeviceKind::HeartRate), generation });
        Orders { wanted: want.into_iter().map(|want| (ONE, want)).collect(), stop: false }
    }

    async fn next(events: &mut mpsc::Receiver<Event>) -> String {
        format!("{:?}", events.recv().await)
    }

    #[tokio::test]
    async fn a_panicking_link_is_started_again_and_harms_nothing_else() {
        let (sender, mut events) = mpsc::channel(16);
        let outbox = Outbox::new(sender);
        let (order, mut followed) = watch::channel(orders(Some(1)));
        let starts = Arc::new(AtomicUsize::new(0));
        let (counted, live) = (starts.clone(), outbox.clone());
        let mut links = Links::new(outbox, Duration::ZERO, move |device, _, release| {
            let (counted, live) = (counted.clone(), live.clone());
            async move {
                live.link(device, Link::Live);
                assert!(counted.fetch_add(1, Ordering::SeqCst) > 0, "the first task dies");
                assert!(release.await.is_ok());
            }
        });
        let script = async {
            for link in ["Connecting", "Live", "Lost", "Live"] {
                assert_eq!(next(&mut events).await, format!("Some(Link(device-0001, {link}))"));
            }
            order.send_replace(orders(None));
            assert_eq!(next(&mut events).await, "Some(Link(device-0001, Down))");
            order.send_replace(Orders { stop: true, ..Orders::default() });
        };
        tokio::join!(links.follow(&mut followed), script);
        assert_eq!(starts.load(Ordering::SeqCst), 2);
        assert!(links.tasks.is_empty() && links.running.is_empty());
    }

    #[tokio::test]
    async fn a_link_given_up_between_two_lives_goes_down() {
        let (sender, mut events) = mpsc::channel(16);
        let outbox = Outbox::new(sender);
        outbox.link(ONE, Link::Connecting);
        let (order, mut followed) = watch::channel(orders(None));
        let mut links = Links::new(outbox, Duration::ZERO, |_, _, _| async {});
        let script = async {
            for link in ["Connecting", "Down"] {
                assert_eq!(next(&mut events).await, format!("Some(Link(device-0001, {link}))"));
            }
            order.send_replace(Orders { stop: true, ..Orders::default() });
        };
        tokio::join!(links.follow(&mut followed), script);
    }

    #[tokio::test]
    async fn giving_up_and_wanting_again_is_seen_even_when_both_come_at_once() {
        let (sender, mut events) = mpsc::channel(16);
        let (order, mut followed) = watch::channel(orders(Some(1)));
        let outbox = Outbox::new(sender);
        let mut links = Links::new(outbox, Duration::ZERO, |_, _, release| async move {
            assert!(release.await.is_ok());
        });
        let script = async {
            assert_eq!(next(&mut events).await, "Some(Link(device-0001, Connecting))");
            order.send_replace(orders(None));
            order.send_replace(orders(Some(2)));
            assert_eq!(next(&mut events).await, "Some(Link(device-0001, Down))");
            assert_eq!(next(&mut events).await, "Some(Link(device-0001, Connecting))");
            order.send_replace(Orders { stop: true, ..Orders::default() });
        };
        tokio::join!(links.follow(&mut followed), script);
        links.release_all(Duration::from_secs(1)).await;
        assert_eq!(next(&mut events).await, "Some(Link(device-0001, Down))");
    }
}
