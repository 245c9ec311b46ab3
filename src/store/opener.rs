//! Opens sealed segments on a thread of its own, some segments ahead of the vault that takes them.
//!
//! Opening a record costs more than writing it, and the store's thread has commands to answer. The
//! thread has the keys of the inbox and nothing else of the vault, runs at a lower priority than the
//! screen, never has more than a few opened segments in hand, and has wiped its keys when
//! [`Opener`] is dropped (S-3).

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use jiff::Timestamp;
use tokio::sync::mpsc;

use super::chain::Walk;
use super::inbox::Ends;
use super::keyring::InboxKeys;
use super::primitives::{Key, hash, open_with};
use super::segment::{
    Entry, HEADER_LEN, Header, INFO, Lane, Piece, Record, SEGMENT_LEN_MAX, open_segment, pieces,
};
use super::{StoreFault, durable};

/// Delivery segments that may wait for the vault.
const AHEAD_MAX: usize = 4;
/// Added to the thread's nice value.
const NICE: i32 = 5;

/// What the thread says, in this order.
pub enum Delivery {
    /// About so many records wait.
    Planned(u64),
    /// The next segment.
    Segment(Box<OpenedSegment>),
    /// A segment could not be read; the thread has ended.
    Fault(StoreFault),
    /// There are no more segments; the thread has ended.
    Done,
}

/// A segment file.
pub struct OpenedSegment {
    /// Where it lies.
    pub path: PathBuf,
    /// Of all its bytes.
    pub fingerprint: u64,
    /// What is in it; `None` if its header is not ours or of another version.
    pub body: Option<Body>,
}

/// An authentic segment.
pub struct Body {
    /// Its header.
    pub header: Header,
    /// It lies under another name than the one it was written under.
    pub is_misnamed: bool,
    /// Number of the first record after it, as far as that is known.
    pub end: Option<u64>,
    /// Nothing was recorded after it in its lane.
    pub is_last: bool,
    /// When the segment after it was made.
    pub until: Option<Timestamp>,
    /// Its records in the order in which they lie there.
    pub pieces: Vec<OpenedPiece>,
}

/// A piece of a segment.
pub enum OpenedPiece {
    /// A record that authenticates and opens.
    Authentic(Authentic),
    /// Something else; the number that stands where a record's would.
    Forged(Option<u64>),
}

/// An opened record.
pub struct Authentic {
    /// Its number.
    pub seq: u64,
    /// When it was made.
    pub wall: Timestamp,
    /// Hash of the record before it.
    pub prev: [u8; 32],
    /// Its own hash.
    pub hash: [u8; 32],
    /// The entry.
    pub entry: Entry,
}

/// What the thread works with.
pub struct Source {
    /// The inbox's directory.
    pub dir: PathBuf,
    /// Authenticates headers.
    pub headers: Key,
    /// Opens records.
    pub keys: InboxKeys,
    /// Where the lanes end.
    pub ends: Ends,
}

/// The thread as the import holds it.
pub struct Opener {
    results: mpsc::Receiver<Delivery>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Opener {
    /// Starts on all segments, none of which may be written any more.
    ///
    /// # Errors
    /// `Io` if there can be no thread.
    pub fn start(source: Source) -> Result<Self, StoreFault> {
        let (sender, results) = mpsc::channel(AHEAD_MAX);
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let run = move || {
            lower_priority();
            let ended = Run { source, sender: &sender, stopped: &stopped }.all();
            let last = match ended {
                Ok(()) => Delivery::Done,
                Err(fault) => Delivery::Fault(fault),
            };
            if sender.blocking_send(last).is_err() {
                tracing::debug!("an import ended before its last segment");
            }
        };
        let thread = thread::Builder::new().name("inbox-opener".into()).spawn(run);
        let thread = Some(thread.map_err(|error: io::Error| StoreFault::from(error))?);
        Ok(Self { results, stop, thread })
    }

    /// The next result, for a task.
    pub async fn next(&mut self) -> Delivery {
        self.results.recv().await.unwrap_or(Delivery::Fault(StoreFault::Io))
    }

    /// The next result, waiting for it on this thread.
    pub fn next_blocking(&mut self) -> Delivery {
        self.results.blocking_recv().unwrap_or(Delivery::Fault(StoreFault::Io))
    }
}

impl Drop for Opener {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.results.close();
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that opens the inbox panicked");
        }
    }
}

fn lower_priority() {
    if let Err(error) = rustix::process::nice(NICE) {
        tracing::debug!(kind = ?error.kind(), "the inbox is opened at ordinary priority");
    }
}

struct Run<'a> {
    source: Source,
    sender: &'a mpsc::Sender<Delivery>,
    stopped: &'a AtomicBool,
}

/// A file of the inbox before it is read.
struct Planned {
    path: PathBuf,
    name: u64,
    lane: Lane,
    header: Option<Header>,
}

impl Run<'_> {
    fn all(&self) -> Result<(), StoreFault> {
        let plan = plan(&self.source.dir, &self.source.headers)?;
        if !self.send(Delivery::Planned(waiting(&plan, self.source.ends))) {
            return Ok(());
        }
        let mut walk = None;
        for index in 0..plan.len() {
            let Some(segment) = self.open(&plan, index, &mut walk)? else { continue };
            let goes_on = !self.stopped.load(Ordering::Relaxed)
                && self.send(Delivery::Segment(Box::new(segment)));
            if !goes_on {
                break;
            }
        }
        Ok(())
    }

    fn send(&self, opened: Delivery) -> bool {
        self.sender.blocking_send(opened).is_ok()
    }

    fn open(
        &self,
        plan: &[Planned],
        index: usize,
        walk: &mut Option<Walk>,
    ) -> Result<Option<OpenedSegment>, StoreFault> {
        let Some(planned) = plan.get(index) else { return Ok(None) };
        let bytes = match durable::read(&planned.path, SEGMENT_LEN_MAX) {
            Ok(Some(bytes)) => bytes,
            // Taken away since the plan was made; its numbers will be missing.
            Ok(None) => return Ok(None),
            Err(StoreFault::Damaged) => Vec::new(),
            Err(fault) => return Err(fault),
        };
        let [a, b, c, d, e, f, g, h, ..] = hash(&[&bytes]);
        let fingerprint = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
        let path = planned.path.clone();
        let Some((header, records)) = open_segment(&self.source.headers, &bytes) else {
            return Ok(Some(OpenedSegment { path, fingerprint, body: None }));
        };
        let next = after(plan, index);
        let end = self.end(&header, next);
        let cut = next.filter(|next| next.after_fault && next.chain == header.chain);
        let cut = cut.map(|next| next.first_seq);
        let body = Body {
            is_misnamed: header.segment != planned.name || header.lane != planned.lane,
            end,
            is_last: next.is_none(),
            until: next.map(|next| next.since),
            pieces: self.open_pieces(&header, records, (cut, walk)),
            header,
        };
        Ok(Some(OpenedSegment { path, fingerprint, body: Some(body) }))
    }

    fn end(&self, header: &Header, next: Option<&Header>) -> Option<u64> {
        let (first, chain_first, end) = match next {
            Some(next) => (next.first_seq, next.chain_first_seq, next.orphan.is_some()),
            None => {
                let end = self.source.ends.of(header.lane);
                (end.seq, end.restarted_at.unwrap_or(0), end.restarted_at.is_some())
            }
        };
        // Where a chain that was begun without the vault comes next, nobody knows where this one ended.
        let restarted = end && chain_first > header.first_seq;
        (!restarted).then_some(first)
    }

    fn open_pieces(
        &self,
        header: &Header,
        bytes: &[u8],
        (cut, walk): (Option<u64>, &mut Option<Walk>),
    ) -> Vec<OpenedPiece> {
        let mut opened: Vec<OpenedPiece> = Vec::new();
        for (piece, _) in pieces(bytes, header.first_seq) {
            if self.stopped.load(Ordering::Relaxed) {
                break;
            }
            // After a failed write: these come again in the next segment, or are missing there.
            let comes_again =
                |seq: Option<u64>| cut.is_some_and(|cut| seq.is_none_or(|seq| seq >= cut));
            match piece {
                Piece::Record(record) => {
                    let seq = record.front.seq;
                    match self.open_record(header, &record, walk) {
                        _ if comes_again(Some(seq)) => {}
                        Some(authentic) => opened.push(OpenedPiece::Authentic(authentic)),
                        None => opened.push(OpenedPiece::Forged(Some(seq))),
                    }
                }
                Piece::Junk(seq) if comes_again(seq) => {}
                // What a forged record's wrong length left over is part of it.
                Piece::Junk(_) if matches!(opened.last(), Some(OpenedPiece::Forged(_))) => {}
                Piece::Junk(seq) => opened.push(OpenedPiece::Forged(seq)),
            }
        }
        opened
    }

    fn open_record(
        &self,
        header: &Header,
        record: &Record<'_>,
        walk: &mut Option<Walk>,
    ) -> Option<Authentic> {
        let key = Walk::along(walk, header, &self.source.keys)?.key(record.front.seq)?;
        if !record.is_tagged(key) {
            return None;
        }
        let aad = record.context(&header.device);
        let plain = open_with(self.source.keys.secret(), INFO, &aad, record.sealed)?;
        let entry = Entry::decode(&plain).filter(|entry| Lane::of(entry) == header.lane)?;
        let (seq, wall, prev) = (record.front.seq, record.front.wall, record.front.prev);
        Some(Authentic { seq, wall, prev, hash: hash(&[record.body]), entry })
    }
}

/// All segments in the order in which they were written, values first; last what is not ours.
fn plan(dir: &Path, headers: &Key) -> Result<Vec<Planned>, StoreFault> {
    let mut plan = Vec::new();
    for lane in Lane::ALL {
        for (name, path) in lane.segments(dir)? {
            let front = durable::read_start(&path, HEADER_LEN)?;
            let header = open_segment(headers, &front).map(|(header, _)| header);
            plan.push(Planned { path, name, lane, header });
        }
    }
    plan.sort_by_key(|planned| {
        let header = planned.header.as_ref();
        (header.is_none(), header.map(|header| (header.lane, header.segment)), planned.name)
    });
    Ok(plan)
}

/// The header of the segment that was written after this one in its lane.
fn after(plan: &[Planned], index: usize) -> Option<&Header> {
    let (_, rest) = plan.split_at_checked(index)?;
    let mut headers = rest.iter().filter_map(|planned| planned.header.as_ref());
    let this = headers.next()?;
    headers.find(|next| next.lane == this.lane && next.segment > this.segment)
}

/// About how many records the segments hold.
fn waiting(plan: &[Planned], ends: Ends) -> u64 {
    let of = |index: usize| {
        let header = plan.get(index).and_then(|planned| planned.header.as_ref())?;
        let next = after(plan, index);
        let end = next.map_or(ends.of(header.lane).seq, |next| next.first_seq);
        let same_chain = next.is_none_or(|next| next.orphan.is_none());
        // A chain that jumped ahead says nothing about how long the one before was.
        (same_chain && end >= header.first_seq).then(|| end - header.first_seq)
    };
    (0..plan.len()).filter_map(of).fold(0, u64::saturating_add)
}
