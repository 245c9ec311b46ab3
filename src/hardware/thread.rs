//! A driver's thread, and how it is ended: signalled, waited for, and left behind when a library or a
//! device holds it.
//!
//! ```text
//!  drop --signal--> thread has ended? --yes--> joined
//!            ^               | no
//!            '---every 10 ms-+--limit is over--> left behind; its name is logged
//! ```
//!
//! Ending the program must not depend on a sound server, a card or a finger, so no end waits longer
//! than its limit. The signal is repeated, because what some libraries are told just before they begin
//! to wait is lost (`SCardCancel`).

use std::fmt;
use std::io;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use wardkeep_model::moment::Moment;

/// How often a thread that should end is looked at and signalled again.
const TICK: Duration = Duration::from_millis(10);

/// How the end of a thread went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// It has returned.
    Returned,
    /// It has panicked.
    Panicked,
    /// It still runs.
    LeftBehind,
}

/// A named thread that ends when this is dropped, or is left behind after its limit.
///
/// What the thread waits on, such as the sender of a queue, may be dropped by the signal, or by being
/// a field that stands before this one.
pub(crate) struct StoppableThread {
    name: &'static str,
    /// `None` only once it has been waited for.
    thread: Option<JoinHandle<()>>,
    limit: Duration,
    signal: Box<dyn FnMut() + Send + Sync>,
}

impl StoppableThread {
    /// Starts `work` on a thread of its own. `signal` is what makes it return: called at the end,
    /// again and again, for at most `limit`. It must not block.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(crate) fn spawn(
        name: &'static str,
        limit: Duration,
        signal: impl FnMut() + Send + Sync + 'static,
        work: impl FnOnce() + Send + 'static,
    ) -> io::Result<Self> {
        let thread = thread::Builder::new().name(name.into()).spawn(work)?;
        Ok(Self { name, thread: Some(thread), limit, signal: Box::new(signal) })
    }

    /// Lets a thread that has parked itself go on.
    pub(crate) fn unpark(&self) {
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
    }

    fn end(&mut self) -> Ending {
        let Some(thread) = self.thread.take() else { return Ending::Returned };
        let since = Moment::read().boot;
        (self.signal)();
        thread.thread().unpark();
        while !thread.is_finished() {
            if Moment::read().boot.since(since) >= self.limit {
                return Ending::LeftBehind;
            }
            thread::sleep(TICK);
            (self.signal)();
            thread.thread().unpark();
        }
        if thread.join().is_err() { Ending::Panicked } else { Ending::Returned }
    }
}

impl Drop for StoppableThread {
    fn drop(&mut self) {
        let name = self.name;
        match self.end() {
            Ending::Returned => {}
            Ending::Panicked => tracing::error!(name, "a driver's thread panicked"),
            Ending::LeftBehind => {
                tracing::error!(name, "a driver's thread is held by its device; left behind");
            }
        }
    }
}

impl fmt::Debug for StoppableThread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StoppableThread").field(&self.name).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::mpsc::sync_channel;

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    /// A thread that ends when it has been signalled `signals` times.
    fn counting(limit: Duration, signals: u32) -> StoppableThread {
        let told = Arc::new(AtomicU32::new(0));
        let heard = told.clone();
        let signal = move || {
            told.fetch_add(1, Ordering::Release);
        };
        let work = move || {
            while heard.load(Ordering::Acquire) < signals {
                thread::yield_now();
            }
        };
        StoppableThread::spawn("counting", limit, signal, work).expect("a thread")
    }

    #[test]
    fn a_thread_ends_with_its_signal_and_is_waited_for() {
        let (stop, stopped) = sync_channel::<()>(1);
        let (ended, told) = sync_channel(1);
        let mut stop = Some(stop);
        let work = move || {
            assert!(stopped.recv().is_err());
            ended.send(thread::current().name().map(str::to_owned)).expect("somebody listens");
        };
        let thread = StoppableThread::spawn("named", LONG, move || drop(stop.take()), work);
        drop(thread.expect("a thread"));
        assert_eq!(told.try_recv(), Ok(Some("named".to_owned())));
    }

    #[test]
    fn a_signal_that_is_lost_is_repeated() {
        assert_eq!(counting(LONG, 3).end(), Ending::Returned);
    }

    #[test]
    fn a_parked_thread_goes_on_when_it_is_to_end() {
        let (stop, stopped) = sync_channel::<()>(1);
        let mut stop = Some(stop);
        let work = move || {
            while stopped.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
                thread::park();
            }
        };
        let thread = StoppableThread::spawn("parked", LONG, move || drop(stop.take()), work);
        assert_eq!(thread.expect("a thread").end(), Ending::Returned);
    }

    #[test]
    fn a_thread_that_does_not_end_is_left_behind_after_its_limit() {
        let limit = Duration::from_millis(30);
        let (release, released) = sync_channel::<()>(1);
        let held = move || assert!(released.recv().is_err());
        let mut thread = StoppableThread::spawn("held", limit, || {}, held).expect("a thread");
        let since = Moment::read().boot;
        assert_eq!(thread.end(), Ending::LeftBehind);
        assert!(Moment::read().boot.since(since) >= limit);
        assert_eq!(thread.end(), Ending::Returned, "nothing is left to wait for");
        drop(release);
    }

    #[test]
    fn a_panic_is_told_and_goes_no_further() {
        let work = || panic!("a bug of the driver");
        let mut thread = StoppableThread::spawn("broken", LONG, || {}, work).expect("a thread");
        assert_eq!(thread.end(), Ending::Panicked);
    }
}
