//! The loudspeaker: plays the burst of the highest unsilenced priority for as long as it is wanted.
//!
//! One thread owns the `Cadence` and opens the default sound device for each burst, so that a
//! device that was unplugged, replaced or taken over by another server is found again. Between
//! bursts no stream is open. The sound card's callback only copies samples; it talks to the thread
//! through atomics and never waits.
//!
//! S-9: a wanted burst begins in the step in which the core asks for it, or right after the running
//! medium or low one. When it cannot be heard, the core is told ([`SpeakerHealth::NoDevice`]) and the
//! burst stays due until a device takes it. Where the mixer is closed, that is told ([`SpeakerHealth::Muted`])
//! and the burst is played all the same.

mod feed;
mod mixer;
mod playback;
pub mod sound;

use std::thread;
use std::time::Duration;

use tokio::sync::mpsc::Sender;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::watch;

use crate::speaker::sound::Cadence;
use crate::thread::StoppableThread;
use wardkeep_model::alarm::Sound;
use wardkeep_model::moment::{BootTime, Moment};
use wardkeep_model::ports::{Event, SpeakerHealth};

use playback::{Playback, STALL, SpeakerError, probe};

/// How soon a device that failed is tried again.
const RETRY: Duration = Duration::from_secs(3);
/// How often an idle device is looked at, so that a silent failure is known before the next alarm.
const PROBE: Duration = Duration::from_secs(10);
/// How soon a health report is repeated that found the core's queue full.
const REPORT_RETRY: Duration = Duration::from_millis(200);
/// How long dropping the handle waits for the thread.
const END_MAX: Duration = Duration::from_secs(2);

/// The running driver. Dropping it silences the loudspeaker and ends the thread.
#[derive(Debug)]
pub struct SpeakerHandle {
    // Dropped first: its end is what the thread ends with.
    wanted: watch::Sender<Option<Sound>>,
    thread: StoppableThread,
}

impl SpeakerHandle {
    /// States what has to be heard; `None` is silence. The latest wins; saying the same again changes
    /// nothing. Never blocks.
    ///
    /// From silence to any sound is an onset, due at once, and so is another number of an onset, also
    /// at a priority that is sounding already.
    pub fn set(&self, sound: Option<Sound>) {
        let changed = self.wanted.send_if_modified(|wanted| {
            let changed = *wanted != sound;
            *wanted = sound;
            changed
        });
        if changed {
            self.thread.unpark();
        }
    }
}

/// Starts the driver. It reports [`Event::Speaker`] once at the start and whenever it changes.
///
/// # Errors
/// When the system gives no thread.
pub fn spawn(events: Sender<Event>) -> std::io::Result<SpeakerHandle> {
    let (wanted, wishes) = watch::channel(None);
    let driver = SpeakerDriver::new(wishes, events);
    let thread = StoppableThread::spawn("speaker", END_MAX, || {}, move || driver.run())?;
    Ok(SpeakerHandle { wanted, thread })
}

/// The thread's work: what is wanted, what plays, and when to look again.
struct SpeakerDriver {
    wishes: watch::Receiver<Option<Sound>>,
    events: Sender<Event>,
    cadence: Cadence,
    playing: Option<Playback>,
    /// The cadence knows that the follower of the running burst has begun.
    following: bool,
    /// A device that failed is left alone until then.
    retry_at: BootTime,
    /// An idle device is looked at then.
    probe_at: BootTime,
    /// What the cadence knows of.
    heard: Option<Sound>,
    /// The reminder that was played.
    reminded: Option<u64>,
    health: Option<SpeakerHealth>,
    reported: Option<SpeakerHealth>,
}

impl SpeakerDriver {
    fn new(wishes: watch::Receiver<Option<Sound>>, events: Sender<Event>) -> Self {
        Self {
            wishes,
            events,
            cadence: Cadence::default(),
            playing: None,
            following: false,
            retry_at: BootTime::default(),
            probe_at: BootTime::default(),
            heard: None,
            reminded: None,
            health: None,
            reported: None,
        }
    }

    fn run(mut self) {
        // An error means that the handle was dropped.
        while self.wishes.has_changed().is_ok() {
            let now = Moment::read().boot;
            self.listen(now);
            let wake_at = match self.playing.take() {
                Some(playback) => self.attend(now, playback),
                None => self.idle(now),
            };
            let wake_at = if self.report() { wake_at } else { wake_at.min(now + REPORT_RETRY) };
            // The handle and the sound card's callback unpark; a token given meanwhile is not lost.
            thread::park_timeout(wake_at.since(Moment::read().boot));
        }
    }

    /// Takes over what is wanted.
    fn listen(&mut self, now: BootTime) {
        let wanted = *self.wishes.borrow_and_update();
        let number = |sound: Option<Sound>| sound.map(|one| (one.onset, one.is_reminder));
        if number(wanted) != number(self.heard) {
            self.cadence.want(now, None);
        }
        self.heard = wanted;
        // A reminder is one burst.
        let is_over = |sound: &Sound| sound.is_reminder && self.reminded == Some(sound.onset);
        let wanted = wanted.filter(|sound| !is_over(sound));
        self.cadence.want(now, wanted.map(|sound| sound.priority));
    }

    /// Looks after the running burst; returns when to look again.
    fn attend(&mut self, now: BootTime, mut playback: Playback) -> BootTime {
        let outcome = playback.outcome(now);
        if let Some(priority) = playback.followed().filter(|_| !self.following) {
            self.following = true;
            self.cadence.end(now);
            self.cadence.begin(priority);
        }
        match outcome {
            None => {
                playback.cut(self.cadence.may_cut());
                if let Some(priority) = self.cadence.follower() {
                    playback.follow(priority);
                }
                self.playing = Some(playback);
                now + STALL / 4
            }
            Some(Ok(())) => {
                drop(playback);
                self.cadence.end(Moment::read().boot);
                self.works(now);
                now
            }
            Some(Err(error)) => {
                drop(playback);
                self.cadence.fail(now);
                self.fails(now, &error);
                self.retry_at
            }
        }
    }

    /// Starts the burst that is due or looks whether a device is there; returns when to look again.
    fn idle(&mut self, now: BootTime) -> BootTime {
        match self.cadence.next() {
            Some((_, due)) if due > now => due,
            Some(_) if self.retry_at > now => self.retry_at,
            Some((priority, _)) => match Playback::start(now, priority) {
                Ok(playback) => {
                    self.cadence.begin(priority);
                    self.following = false;
                    let reminder = self.heard.filter(|sound| sound.is_reminder);
                    self.reminded = reminder.map(|sound| sound.onset).or(self.reminded);
                    self.playing = Some(playback);
                    now + STALL / 4
                }
                Err(error) => {
                    self.fails(now, &error);
                    self.retry_at
                }
            },
            None if self.probe_at > now => self.probe_at,
            None => {
                match probe() {
                    Ok(()) => self.works(now),
                    Err(error) => self.fails(now, &error),
                }
                self.probe_at
            }
        }
    }

    /// The device takes what is played; whether it is heard the mixer says.
    fn works(&mut self, now: BootTime) {
        self.probe_at = now + PROBE;
        let health = if mixer::is_muted() { SpeakerHealth::Muted } else { SpeakerHealth::Ready };
        if health == SpeakerHealth::Muted && self.health != Some(health) {
            tracing::warn!("the machine's sound is turned off: alarms cannot be heard");
        }
        self.health = Some(health);
    }

    fn fails(&mut self, now: BootTime, error: &SpeakerError) {
        self.retry_at = now + RETRY;
        self.probe_at = now + RETRY;
        if self.health != Some(SpeakerHealth::NoDevice) {
            tracing::warn!(%error, "alarms cannot be heard");
        }
        self.health = Some(SpeakerHealth::NoDevice);
    }

    /// Tells the core about a change of health; false when its queue is full.
    fn report(&mut self) -> bool {
        let Some(health) = self.health.filter(|_| self.health != self.reported) else {
            return true;
        };
        match self.events.try_send(Event::Speaker(health)) {
            // With nobody left to tell, the alarm still sounds until the handle is dropped.
            Ok(()) | Err(TrySendError::Closed(_)) => {
                self.reported = Some(health);
                true
            }
            Err(TrySendError::Full(_)) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc::channel;

    use super::*;

    #[test]
    fn s11_a_change_of_health_survives_a_full_queue_and_is_told_once() {
        let (events, mut inbox) = channel(1);
        events.try_send(Event::BadgeRemoved).unwrap();
        let (_wanted, wishes) = watch::channel(None);
        let mut driver = SpeakerDriver::new(wishes, events);
        assert!(driver.report(), "nothing to tell");
        driver.fails(BootTime::default(), &SpeakerError::NoDevice);
        assert!(!driver.report());
        assert!(matches!(inbox.try_recv(), Ok(Event::BadgeRemoved)));
        assert!(driver.report());
        assert!(driver.report());
        assert!(matches!(inbox.try_recv(), Ok(Event::Speaker(SpeakerHealth::NoDevice))));
        assert!(inbox.try_recv().is_err());
        driver.works(BootTime::default());
        drop(inbox);
        assert!(driver.report(), "nobody listens, the alarm goes on");
    }
}
