//! What a link waits for before it is tried again, and what it says meanwhile.

use std::time::Duration;

use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, sleep, timeout};

use crate::ble::backoff::Backoff;
use crate::ble::diagnosis::{Around, Cause, Tries, Verdict, cause};
use crate::ble::link::{LinkError, LinkTask};
use crate::ble::places::{Arrival, Places};
use crate::ble::shared::Tiding;
use crate::ble::timing::Timing;
use wardkeep_model::ports::{PairingFault, PairingStep};
use wardkeep_model::vitals::DeviceId;

/// Why a link that waited for a place is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// A place was given up.
    Given,
    /// It has waited for long; who knows.
    Tried,
}

/// What has gone wrong so far, and how long to wait after it.
#[derive(Debug)]
pub(super) struct Waits {
    again: Backoff,
    rest: Backoff,
    tries: Tries,
    /// Another link was asked to give way.
    has_asked_for_room: bool,
    /// When it began to wait for a place, if it has had none since.
    arrival: Option<Arrival>,
    /// The next try is out of turn, or it is this one's turn.
    turn: Option<Turn>,
    /// It was said that the bond may be lost.
    has_told_lost_bond: bool,
}

impl Waits {
    pub(super) fn new(timing: &Timing) -> Self {
        Self {
            again: Backoff::new(timing),
            rest: Backoff::between(timing.rest_first, timing.rest_max),
            tries: Tries::default(),
            has_asked_for_room: false,
            arrival: None,
            turn: None,
            has_told_lost_bond: false,
        }
    }

    /// The link is live.
    pub(super) fn worked(&mut self, places: &Places) {
        self.again.worked();
        self.tries.worked();
        (self.has_asked_for_room, self.has_told_lost_bond) = (false, false);
        self.arrival = None;
        // Where there was one place that nobody gave up, there may be another.
        if self.turn.take() == Some(Turn::Tried) {
            places.has_room();
        }
    }

    /// The device had something to say over it.
    pub(super) fn was_of_use(&mut self) {
        self.rest.worked();
    }
}

/// What a wait ended with.
enum Heard {
    /// The device advertised.
    Device,
    /// It was paired.
    Bonded,
    /// The life is ending, and so is this task.
    Over,
}

impl LinkTask {
    /// Waits for what has to happen before the next try.
    pub(super) async fn wait_after(&mut self, error: &LinkError, waits: &mut Waits) {
        // What was told during the try.
        while let Ok(tiding) = self.tidings.try_recv() {
            self.note(tiding);
        }
        match error {
            // The pairing window has to close first, and that is waited for anyway.
            LinkError::Paired => self.pass_turn_on(waits),
            LinkError::Idle => self.rest(waits.rest.failed()).await,
            LinkError::GaveWay => self.wait_for_room(waits).await,
            LinkError::LostBond => {
                self.pass_turn_on(waits);
                self.wait_for_bond().await;
            }
            LinkError::NotKnown => {
                self.pass_turn_on(waits);
                self.pause(waits.again.failed(), true).await;
            }
            LinkError::TookTooLong(_)
            | LinkError::NothingToMeasure
            | LinkError::NotPaired
            | LinkError::Dropped
            | LinkError::Silent
            | LinkError::NoAdapter
            | LinkError::Bluetooth(_)
            | LinkError::Daemon(_) => self.wait_by_judgement(error, waits).await,
        }
    }

    async fn wait_by_judgement(&mut self, error: &LinkError, waits: &mut Waits) {
        let said = if self.failed_encryption {
            Cause::KeyMissing
        } else if let LinkError::Bluetooth(error) = error {
            cause(&format!("{error:?}"))
        } else if matches!(error, LinkError::NotPaired) {
            Cause::NotPaired
        } else {
            Cause::Unsaid
        };
        let around = Around {
            is_bonded: self.is_bonded(),
            is_near: self.is_near(),
            others: self.shared.places.taken(),
        };
        let verdict = waits.tries.failed(said, around);
        if verdict != Verdict::NoRoom {
            self.pass_turn_on(waits);
        }
        match verdict {
            Verdict::Again => self.pause(waits.again.failed(), false).await,
            Verdict::NoRoom => self.wait_for_room(waits).await,
            Verdict::LostBond => self.wait_for_bond().await,
            Verdict::MaybeLostBond => {
                if !waits.has_told_lost_bond {
                    waits.has_told_lost_bond = true;
                    self.tell_lost_bond();
                }
                self.pause(waits.again.failed(), false).await;
            }
            Verdict::NotPaired => {
                self.shared.outbox.pairing(self.device, PairingStep::Needed);
                let patience = self.timing().full_retry;
                if timeout(patience, self.until_bonded()).await.is_err() {
                    tracing::debug!(device = ?self.device, "tried again without a bond");
                }
            }
        }
    }

    /// The place that it was given and did not use is the next one's.
    fn pass_turn_on(&self, waits: &mut Waits) {
        if waits.turn.take() == Some(Turn::Given) {
            self.shared.places.has_room();
        }
    }

    fn tell_lost_bond(&self) {
        let lost = PairingStep::Failed(PairingFault::LostBond);
        self.shared.outbox.pairing(self.device, lost);
    }

    /// Says that the bond is lost, and does nothing until there is another.
    async fn wait_for_bond(&mut self) {
        self.tell_lost_bond();
        self.until_bonded().await;
        self.failed_encryption = false;
    }

    async fn until_bonded(&mut self) {
        loop {
            match self.hear().await {
                Heard::Bonded | Heard::Over => return,
                Heard::Device => {}
            }
        }
    }

    /// Whether it may be tried: nobody who waits for a place goes before it, or its turn has come.
    pub(super) fn has_turn(&self, waits: &Waits) -> bool {
        waits.turn.is_some() || !self.shared.places.is_behind(self.device, |one| self.is_firm(one))
    }

    /// It is wanted, and nobody may take its place.
    fn is_firm(&self, device: DeviceId) -> bool {
        self.shared.wanted(device).is_some_and(|want| !want.yields)
    }

    /// Says that the controller is full, asks once for the place of a link that measures nobody, and
    /// waits for its turn.
    pub(super) async fn wait_for_room(&mut self, waits: &mut Waits) {
        waits.turn = None;
        let ticket = self.shared.places.queue(self.device, waits.arrival);
        waits.arrival = Some(ticket.arrival);
        self.shared.outbox.no_room(self.device, true);
        let (mut changes, mut orders) = (ticket.changes(), self.shared.orders.clone());
        let (began, full_retry) = (Instant::now(), self.timing().full_retry);
        let patience = sleep(full_retry);
        tokio::pin!(patience);
        loop {
            if ticket.is_due(|one| self.is_firm(one)) {
                // Whoever has just come was not listened for yet.
                if self.is_near() || began.elapsed() < self.timing().gone_after {
                    waits.turn = Some(Turn::Given);
                } else {
                    // It may not be there: others are not kept waiting by it.
                    drop(ticket);
                    self.shared.places.has_room();
                    self.pause(waits.again.failed(), true).await;
                }
                return;
            }
            if !waits.has_asked_for_room {
                waits.has_asked_for_room = self.ask_for_room();
            }
            tokio::select! {
                () = changes.next() => {}
                // What is assigned, and so goes first, may have changed.
                changed = orders.changed() => if changed.is_err() { return },
                heard = self.hear() => match heard {
                    Heard::Over => return,
                    Heard::Device | Heard::Bonded => {}
                },
                () = &mut patience => {
                    if ticket.is_first(|one| self.is_firm(one)) {
                        waits.turn = Some(Turn::Tried);
                        return;
                    }
                    patience.as_mut().reset(Instant::now() + full_retry);
                }
            }
        }
    }

    /// Asks for the place of another link; true if there is one.
    fn ask_for_room(&self) -> bool {
        // Whoever may give way itself takes nobody's place.
        if !self.is_firm(self.device) {
            return false;
        }
        let yields = |one| self.shared.wanted(one).is_some_and(|want| want.yields);
        let Some(other) = self.shared.places.least_used(yields) else { return false };
        tracing::info!(device = ?self.device, ?other, "takes the place of another link");
        self.shared.tell(Tiding::GiveWay(other));
        true
    }

    fn is_near(&self) -> bool {
        self.heard.is_some_and(|heard| heard.elapsed() < self.timing().gone_after)
    }

    /// Leaves a device alone that has measured, so that it can sleep. One that falls silent and is heard
    /// again was woken by somebody; one that never falls silent is tried again after a rest.
    async fn rest(&mut self, rest: Duration) {
        let rested = Instant::now() + rest;
        let silent_for = self.timing().gone_after;
        let mut heard = Instant::now();
        loop {
            match self.hear().await {
                Heard::Device => {
                    let was_silent = heard.elapsed() >= silent_for;
                    heard = Instant::now();
                    if was_silent || heard >= rested {
                        return;
                    }
                }
                Heard::Over => return,
                Heard::Bonded => {}
            }
        }
    }

    /// Waits before the next try; an advertisement ends the wait early, but never makes tries follow
    /// each other without any pause, unless nothing was tried.
    async fn pause(&mut self, wait: Duration, at_once: bool) {
        let floor = if at_once { Duration::ZERO } else { self.timing().retry_first / 2 };
        sleep(floor.min(wait)).await;
        if timeout(wait.saturating_sub(floor), self.hear()).await.is_err() {
            tracing::trace!("tried again after a while");
        }
    }

    /// Waits for something that concerns this link.
    async fn hear(&mut self) -> Heard {
        loop {
            let tiding = match self.tidings.recv().await {
                Ok(tiding) => tiding,
                Err(RecvError::Lagged(_)) => continue,
                Err(RecvError::Closed) => return Heard::Over,
            };
            self.note(tiding);
            match tiding {
                Tiding::Heard(device) if self.is_ours(device) => return Heard::Device,
                Tiding::Bonded(device) if self.is_ours(device) => return Heard::Bonded,
                Tiding::Heard(_)
                | Tiding::Bonded(_)
                | Tiding::Refused(_)
                | Tiding::Dropped(_)
                | Tiding::AuthenticationFailed(_)
                | Tiding::GiveWay(_) => {}
            }
        }
    }

    fn note(&mut self, tiding: Tiding) {
        match tiding {
            Tiding::Heard(device) if self.is_ours(device) => self.heard = Some(Instant::now()),
            Tiding::AuthenticationFailed(device) => self.failed_encryption |= self.is_ours(device),
            Tiding::Heard(_)
            | Tiding::Dropped(_)
            | Tiding::Refused(_)
            | Tiding::Bonded(_)
            | Tiding::GiveWay(_) => {}
        }
    }
}
