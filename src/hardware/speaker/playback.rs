//! One burst on its way through the default sound device.
//!
//! A [`Playback`] opens the device, feeds it, and ends when the last sample was heard, when the
//! device is gone, or when it asks for no more samples: a device that opens but does not play is as good
//! as none (S-9).

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::{self, Thread};
use std::time::Duration;

use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use cpal::{BufferSize, ErrorKind, FromSample, SampleFormat, SizedSample, SupportedStreamConfig};

use wardkeep_model::alarm::Priority;
use wardkeep_model::moment::BootTime;

use crate::speaker::feed::{Burst, Feed, Orders};
use crate::speaker::sound;

/// Portions handed over each second, two of which the device holds: 83 ms each. Long enough for a busy
/// cart, short enough to cut a burst in its pause.
const PERIODS_PER_SECOND: u32 = 12;
/// How often the sound card's thread looks at a device that says nothing.
const POLL: Duration = Duration::from_millis(500);
/// A device that asks for no samples for so long does not play.
pub(super) const STALL: Duration = Duration::from_secs(1);
/// Why an alarm cannot be heard.
#[derive(Debug, thiserror::Error)]
pub(super) enum SpeakerError {
    /// The system has no sound at all, or no output device.
    #[error("no sound device")]
    NoDevice,
    /// The sound system refused or failed.
    #[error("sound device: {0}")]
    Device(#[from] cpal::Error),
    /// The device takes none of the sample formats that every sound card has one of.
    #[error("sound device asks for samples as {0}")]
    Format(SampleFormat),
    /// The device was opened but does not play.
    #[error("sound device takes no samples")]
    Stalled,
    /// The sound system's library panicked.
    #[error("sound system panicked")]
    Panicked,
}

/// Whether the default sound device can be opened; plays nothing.
///
/// # Errors
/// Why no alarm can be heard.
pub(super) fn probe() -> Result<(), SpeakerError> {
    contained(|| default_device().map(drop))
}

/// A burst that is being played. Dropping it stops the sound.
pub(super) struct Playback {
    #[expect(dead_code, reason = "the sound stops when the stream is dropped")]
    stream: cpal::Stream,
    orders: Orders,
    rate_hz: u32,
    signal: Signal,
    /// What the device's calls were when looked at last, and since when.
    calls: u64,
    moved: BootTime,
}

impl Playback {
    /// Opens the default device and starts the burst of `priority`. The calling thread is unparked
    /// when there is an outcome.
    pub(super) fn start(now: BootTime, priority: Priority) -> Result<Self, SpeakerError> {
        contained(|| {
            let (device, config) = default_device()?;
            let rate_hz = config.sample_rate();
            let orders = Orders::default();
            let feed = Feed::new(rate_hz, priority, orders.clone());
            let (calls, outcome) = (Arc::default(), Arc::default());
            let signal = Signal { calls, outcome, waiting: thread::current() };
            let stream = open(&device, &config, &feed, &signal)?;
            stream.play()?;
            Ok(Self { stream, orders, rate_hz, signal, calls: 0, moved: now })
        })
    }

    /// Lets the burst end at the first place where it may, or not after all.
    pub(super) fn cut(&self, cut: bool) {
        self.orders.cut.store(cut, Ordering::Relaxed);
    }

    /// Lets a burst of this priority follow at once, in the same stream. Only the first follower
    /// counts, and it is played even if it is no longer wanted when its turn comes.
    pub(super) fn follow(&self, priority: Priority) {
        self.orders.follower.get_or_init(|| Arc::new(Burst::new(self.rate_hz, priority)));
    }

    /// The priority of the follower, once it has begun.
    pub(super) fn followed(&self) -> Option<Priority> {
        let follower = self.orders.follower.get()?;
        self.orders.followed.load(Ordering::Acquire).then_some(follower.priority)
    }

    /// Whether the burst was heard to its end; `None` while it goes on. To be asked every [`STALL`] or
    /// more often.
    pub(super) fn outcome(&mut self, now: BootTime) -> Option<Result<(), SpeakerError>> {
        let calls = self.signal.calls.load(Ordering::Relaxed);
        if calls != self.calls {
            (self.calls, self.moved) = (calls, now);
        }
        match self.signal.outcome.get() {
            Some(Ok(())) => Some(Ok(())),
            Some(Err(error)) => Some(Err(error.clone().into())),
            None if now.since(self.moved) >= STALL => Some(Err(SpeakerError::Stalled)),
            None => None,
        }
    }
}

/// Turns a panic of the sound system's library into an error: the driver has to live on.
fn contained<T>(attempt: impl FnOnce() -> Result<T, SpeakerError>) -> Result<T, SpeakerError> {
    catch_unwind(AssertUnwindSafe(attempt)).unwrap_or(Err(SpeakerError::Panicked))
}

/// The sound system is asked anew each time, because its configuration and its cards may change.
fn default_device() -> Result<(cpal::Device, SupportedStreamConfig), SpeakerError> {
    let host = cpal::available_hosts().into_iter().next().ok_or(SpeakerError::NoDevice)?;
    let host = cpal::host_from_id(host)?;
    let device = host.default_output_device().ok_or(SpeakerError::NoDevice)?;
    let config = device.default_output_config()?;
    Ok((device, config))
}

/// Opens a stream with short periods, or with the device's own where it cannot have them.
fn open(
    device: &cpal::Device,
    config: &SupportedStreamConfig,
    feed: &Feed,
    signal: &Signal,
) -> Result<cpal::Stream, SpeakerError> {
    let short = BufferSize::Fixed(config.sample_rate() / PERIODS_PER_SECOND);
    let attempt = |buffer_size| {
        let line = Line { feed: feed.clone(), signal: signal.clone() };
        let stream_config = cpal::StreamConfig { buffer_size, ..config.config() };
        line.build_as(device, stream_config, config.sample_format())
    };
    attempt(short).or_else(|_| attempt(BufferSize::Default))
}

/// Both things that the sound card's thread holds.
struct Line {
    feed: Feed,
    signal: Signal,
}

impl Line {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the library's list of formats may grow")]
    fn build_as(
        self,
        device: &cpal::Device,
        config: cpal::StreamConfig,
        format: SampleFormat,
    ) -> Result<cpal::Stream, SpeakerError> {
        let stream = match format {
            SampleFormat::F32 => self.build::<f32>(device, config),
            SampleFormat::I32 => self.build::<i32>(device, config),
            SampleFormat::I24 => self.build::<cpal::I24>(device, config),
            SampleFormat::I16 => self.build::<i16>(device, config),
            other => return Err(SpeakerError::Format(other)),
        };
        Ok(stream?)
    }

    fn build<T: SizedSample + FromSample<f32>>(
        self,
        device: &cpal::Device,
        config: cpal::StreamConfig,
    ) -> Result<cpal::Stream, cpal::Error> {
        let Line { mut feed, signal } = self;
        let failure = signal.clone();
        let channels = usize::from(config.channels.max(1));
        let fill = move |out: &mut [T], info: &cpal::OutputCallbackInfo| {
            let at = info.timestamp();
            let delay = at.playback.saturating_duration_since(at.callback);
            if feed.is_heard(sound::length(config.sample_rate, delay), config.sample_rate) {
                feed.ended = true;
                signal.give(Ok(()));
            }
            signal.calls.fetch_add(1, Ordering::Relaxed);
            for frame in out.chunks_mut(channels) {
                frame.fill(T::from_sample(feed.next()));
            }
        };
        let fail = move |error: cpal::Error| {
            // The library goes on after every other error, and sound servers do report some that
            // pass (gaps, no timing yet). One that does not pass shows as a stall.
            if error.kind() == ErrorKind::DeviceNotAvailable {
                failure.give(Err(error));
            }
        };
        device.build_output_stream(config, fill, fail, Some(POLL))
    }
}

/// How the sound card's thread tells the driver's thread; the first word counts.
#[derive(Clone)]
struct Signal {
    /// How often the device asked for samples.
    calls: Arc<AtomicU64>,
    outcome: Arc<OnceLock<Result<(), cpal::Error>>>,
    waiting: Thread,
}

impl Signal {
    fn give(&self, outcome: Result<(), cpal::Error>) {
        self.outcome.get_or_init(|| outcome);
        self.waiting.unpark();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_of_the_sound_system_is_an_error() {
        let outcome = contained(|| -> Result<(), SpeakerError> { panic!("a bug of the library") });
        assert!(matches!(outcome, Err(SpeakerError::Panicked)));
    }
}
