//! A driver's way out: a bounded queue to the core that never blocks the driver and never loses silently.
//!
//! S-11: when the core's queue is full, up to [`WAITING_MAX`] events wait here in order. What does not
//! fit, and a tap that waited so long that nobody expects it to count any more, is counted and
//! reported as [`Event::Overrun`]; the health of every reader is then sent again, so that the core's
//! picture is right even if a change was among what was lost.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use tokio::sync::mpsc::Sender;
use tokio::sync::mpsc::error::TrySendError;

use wardkeep_model::moment::BootTime;
use wardkeep_model::ports::{Event, ReaderHealth, ReaderKind};

/// Events that wait for room in the core's queue.
pub(crate) const WAITING_MAX: usize = 32;
/// A tap older than this is not acted on: the person has gone on, or tapped again.
pub(crate) const TAP_AGE_MAX: Duration = Duration::from_secs(2);

/// The core has gone: the driver should end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nobody receives events")]
pub(crate) struct Closed;

/// The sending end a driver owns.
#[derive(Debug)]
pub(crate) struct Outlet {
    source: &'static str,
    events: Sender<Event>,
    waiting: VecDeque<(BootTime, Event)>,
    lost: u64,
    health: BTreeMap<ReaderKind, ReaderHealth>,
}

impl Outlet {
    /// An outlet of the driver `source` (its name in [`Event::Overrun`]).
    pub(crate) fn new(source: &'static str, events: Sender<Event>) -> Self {
        Self { source, events, waiting: VecDeque::new(), lost: 0, health: BTreeMap::new() }
    }

    /// Some events still wait, or a loss is not reported yet: call [`Outlet::flush`] again soon.
    pub(crate) fn is_behind(&self) -> bool {
        !self.waiting.is_empty() || self.lost > 0
    }

    /// Sends events, in order, behind those that wait.
    ///
    /// # Errors
    /// [`Closed`] when the receiver was dropped.
    pub(crate) fn send(&mut self, now: BootTime, events: Vec<Event>) -> Result<(), Closed> {
        for event in events {
            if self.waiting.len() == WAITING_MAX && self.waiting.pop_front().is_some() {
                self.lost += 1;
            }
            self.waiting.push_back((now, event));
        }
        self.flush(now)
    }

    /// Sends the health of a class of readers if it has changed.
    ///
    /// # Errors
    /// [`Closed`] when the receiver was dropped.
    pub(crate) fn health(
        &mut self,
        now: BootTime,
        kind: ReaderKind,
        health: ReaderHealth,
    ) -> Result<(), Closed> {
        if self.health.insert(kind, health) == Some(health) {
            return Ok(());
        }
        self.send(now, vec![Event::Reader(kind, health)])
    }

    /// Sends what waits, as far as there is room.
    ///
    /// # Errors
    /// [`Closed`] when the receiver was dropped.
    pub(crate) fn flush(&mut self, now: BootTime) -> Result<(), Closed> {
        self.forget_stale_taps(now);
        if self.lost > 0 && self.report_loss()? {
            for (&kind, &health) in &self.health {
                self.waiting.push_back((now, Event::Reader(kind, health)));
            }
        }
        while let Some((since, event)) = self.waiting.pop_front() {
            match self.events.try_send(event) {
                Ok(()) => {}
                Err(TrySendError::Full(event)) => {
                    self.waiting.push_front((since, event));
                    return Ok(());
                }
                Err(TrySendError::Closed(_)) => return Err(Closed),
            }
        }
        Ok(())
    }

    fn forget_stale_taps(&mut self, now: BootTime) {
        let before = self.waiting.len();
        self.waiting.retain(|(since, event)| {
            !matches!(event, Event::BadgePresented(_)) || now.since(*since) <= TAP_AGE_MAX
        });
        self.lost += u64::try_from(before - self.waiting.len()).unwrap_or(u64::MAX);
    }

    /// Whether the loss could be reported.
    fn report_loss(&mut self) -> Result<bool, Closed> {
        match self.events.try_send(Event::Overrun { source: self.source, lost: self.lost }) {
            Ok(()) => {
                self.lost = 0;
                Ok(true)
            }
            Err(TrySendError::Full(_)) => Ok(false),
            Err(TrySendError::Closed(_)) => Err(Closed),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc::{Receiver, channel};

    use super::*;
    use wardkeep_model::access::factor::{Badge, ReaderFamily};

    fn at(milliseconds: u64) -> BootTime {
        BootTime(Duration::from_millis(milliseconds))
    }

    fn tap(number: u8) -> Event {
        let badge = Badge::new(ReaderFamily::PcscUid, &[number; 4]).expect("a badge length");
        Event::BadgePresented(badge)
    }

    /// Everything in the queue, in short words.
    fn drain(inbox: &mut Receiver<Event>) -> Vec<String> {
        let mut words = Vec::new();
        while let Ok(event) = inbox.try_recv() {
            if let Event::BadgePresented(badge) = &event {
                words.push(format!("tap {}", badge.uid()[0]));
            } else {
                words.push(format!("{event:?}"));
            }
        }
        words
    }

    #[test]
    fn events_keep_their_order_through_a_full_queue() {
        let (events, mut inbox) = channel(2);
        let mut outlet = Outlet::new("test", events);
        for (time, number) in [(0, 1), (10, 2), (20, 3), (30, 4)] {
            outlet.send(at(time), vec![tap(number)]).expect("open");
        }
        assert!(outlet.is_behind());
        assert_eq!(drain(&mut inbox), ["tap 1", "tap 2"]);
        outlet.flush(at(40)).expect("open");
        assert!(!outlet.is_behind());
        assert_eq!(drain(&mut inbox), ["tap 3", "tap 4"]);
    }

    #[test]
    fn s11_what_does_not_fit_is_counted_and_reported_first() {
        let (events, mut inbox) = channel(1);
        let mut outlet = Outlet::new("test", events);
        outlet.health(at(0), ReaderKind::Badge, ReaderHealth::Ready).expect("open");
        for _ in 0..WAITING_MAX + 5 {
            outlet.send(at(1), vec![Event::BadgeRemoved]).expect("open");
        }
        let mut seen = Vec::new();
        while outlet.is_behind() {
            seen.extend(drain(&mut inbox));
            outlet.flush(at(2)).expect("open");
        }
        seen.extend(drain(&mut inbox));
        assert_eq!(seen[0], "Reader(Badge, Ready)");
        assert_eq!(seen[1], "Overrun { source: \"test\", lost: 5 }");
        assert_eq!(seen.iter().filter(|word| *word == "BadgeRemoved").count(), WAITING_MAX);
        assert_eq!(seen.last().map(String::as_str), Some("Reader(Badge, Ready)"), "sent again");
    }

    #[test]
    fn s1_a_tap_that_waited_too_long_is_not_acted_on() {
        let (events, mut inbox) = channel(1);
        let mut outlet = Outlet::new("test", events);
        outlet.send(at(0), vec![Event::BadgeRemoved, tap(7), Event::BadgeRemoved]).expect("open");
        assert_eq!(drain(&mut inbox), ["BadgeRemoved"]);
        outlet.flush(at(2_001)).expect("open");
        assert_eq!(drain(&mut inbox), ["Overrun { source: \"test\", lost: 1 }"]);
        outlet.flush(at(2_002)).expect("open");
        assert_eq!(drain(&mut inbox), ["BadgeRemoved"]);
        assert!(!outlet.is_behind());
    }

    #[test]
    fn health_is_sent_when_it_changes() {
        let (events, mut inbox) = channel(9);
        let mut outlet = Outlet::new("test", events);
        for health in [ReaderHealth::Ready, ReaderHealth::Ready, ReaderHealth::NotFitted] {
            outlet.health(at(0), ReaderKind::Badge, health).expect("open");
        }
        assert_eq!(drain(&mut inbox), ["Reader(Badge, Ready)", "Reader(Badge, NotFitted)"]);
    }

    #[test]
    fn a_driver_learns_that_nobody_listens() {
        let (events, inbox) = channel(1);
        drop(inbox);
        let mut outlet = Outlet::new("test", events);
        assert_eq!(outlet.send(at(0), vec![Event::BadgeRemoved]), Err(Closed));
    }
}
