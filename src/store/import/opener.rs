//! Opens sealed segments on a thread of its own, some segments ahead of the vault that takes them.
//!
//! Opening a record costs more than writing it, and the store's thread has commands to answer. The
//! thread has the keys of the inbox and nothing else of the vault, runs at a lower priority than the
//! screen, never has more than a few opened segments in hand, and has wiped its keys when
//! [`SegmentOpener`] is dropped (S-3).

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use jiff::Timestamp;
use tokio::sync::mpsc;

use crate::crypto::batch::Opener;
use crate::crypto::{Key, hash, open_with, wipe_deep_stack};
use crate::disk::durable;
use crate::disk::state_file::Unread;
use crate::inbox::chain::Walk;
use crate::inbox::ends::Ends;
use crate::inbox::segment::{
    BATCH_INFO, HEADER_LEN, Header, INFO, Lane, Piece, Record, SEGMENT_LEN_MAX, Sealing,
    open_segment, pieces,
};
use crate::keys::vault_keys::{InboxKeys, VaultKeys};
use crate::record::codec::Unreadable;
use crate::record::entry::Entry;
use wardkeep_model::keeping::StoreFault;

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
    /// What is in it; `None` if its header is not ours.
    pub body: Option<Body>,
}

/// An authentic segment.
pub struct Body {
    /// Its header.
    pub header: Header,
    /// It lies under another name than the one it was written under.
    pub(super) is_misnamed: bool,
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
    /// A record that authenticates, and whose entry only a later program can read.
    Later,
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
    pub(super) headers: Key,
    /// Opens records.
    pub keys: InboxKeys,
    /// Where the lanes end.
    pub ends: Ends,
}

/// The thread as the import holds it.
pub struct SegmentOpener {
    results: mpsc::Receiver<Delivery>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl SegmentOpener {
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
            // The system keeps the stacks of threads that have ended.
            wipe_deep_stack();
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

    /// The next result, if it is there.
    pub(super) fn next_ready(&mut self) -> Option<Delivery> {
        self.results.try_recv().ok()
    }

    /// The next result, waiting for it on this thread.
    pub(super) fn next_blocking(&mut self) -> Delivery {
        self.results.blocking_recv().unwrap_or(Delivery::Fault(StoreFault::Io))
    }
}

impl Drop for SegmentOpener {
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
        // Room that was not used may come back after a power cut: it is not part of what was imported.
        let used = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        let [a, b, c, d, e, f, g, h, ..] = hash(&[bytes.get(..used).unwrap_or_default()]);
        let fingerprint = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
        let path = planned.path.clone();
        let (header, records) = match open_segment(&self.source.headers, &bytes) {
            Ok(opened) => opened,
            // It waits for the program that wrote it.
            Err(Unread::Later(_)) => return Err(StoreFault::Later),
            Err(Unread::Missing | Unread::Damaged | Unread::Disk(_)) => {
                return Ok(Some(OpenedSegment { path, fingerprint, body: None }));
            }
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
            pieces: open_pieces(&self.source.keys, (&header, records), (cut, walk), self.stopped),
            header,
        };
        if body.pieces.iter().any(|piece| matches!(piece, OpenedPiece::Later)) {
            return Err(StoreFault::Later);
        }
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
}

/// Opens the records of a segment, in the order in which they lie there.
///
/// From `cut` on they come again in the next segment, because a write failed; or they are missing there.
fn open_pieces(
    keys: &InboxKeys,
    (header, bytes): (&Header, &[u8]),
    (cut, walk): (Option<u64>, &mut Option<Walk>),
    stopped: &AtomicBool,
) -> Vec<OpenedPiece> {
    let comes_again = |seq: Option<u64>| cut.is_some_and(|cut| seq.is_none_or(|seq| seq >= cut));
    // What has its tag, and what is forged: `None` where the number is not known.
    let mut tagged: Vec<Result<Record<'_>, Option<u64>>> = Vec::new();
    for (piece, _) in pieces(bytes, header.first_seq) {
        match piece {
            Piece::Record(record) if comes_again(Some(record.front.seq)) => {}
            Piece::Record(record) if is_tagged(keys, header, &record, walk) => {
                tagged.push(Ok(record));
            }
            Piece::Record(record) => tagged.push(Err(Some(record.front.seq))),
            Piece::Junk(seq) if comes_again(seq) => {}
            // What a forged record's wrong length left over is part of it.
            Piece::Junk(_) if matches!(tagged.last(), Some(Err(_))) => {}
            Piece::Junk(seq) => tagged.push(Err(seq)),
        }
    }
    let open_all = |part: &[Result<Record<'_>, Option<u64>>]| -> Vec<OpenedPiece> {
        let part = part.iter().take_while(|_| !stopped.load(Ordering::Relaxed));
        let mut opener = Opener::new(keys.secret(), BATCH_INFO);
        part.map(|tagged| match tagged {
            Ok(record) => open_record((keys, &mut opener), header, record),
            Err(seq) => OpenedPiece::Forged(*seq),
        })
        .collect()
    };
    // Opening is by far the longest part, and one record does not need another: the second half on a
    // second core.
    let (first, second) = tagged.split_at(tagged.len() / 2);
    thread::scope(|scope| {
        let helper = thread::Builder::new().name("inbox-opener-2".into());
        let helper = helper.spawn_scoped(scope, || {
            let opened = open_all(second);
            // The system keeps the stacks of threads that have ended.
            wipe_deep_stack();
            opened
        });
        let mut opened = open_all(first);
        match helper.map(thread::ScopedJoinHandle::join) {
            Ok(Ok(rest)) => opened.extend(rest),
            // There can be no second thread, or it panicked: a panic here comes again.
            Ok(Err(_)) | Err(_) => opened.extend(open_all(second)),
        }
        opened
    })
}

fn is_tagged(
    keys: &InboxKeys,
    header: &Header,
    record: &Record<'_>,
    walk: &mut Option<Walk>,
) -> bool {
    let key = Walk::along(walk, header, keys).and_then(|walk| walk.key(record.front.seq));
    key.is_some_and(|key| record.is_tagged(key))
}

fn open_record(
    (keys, batch): (&InboxKeys, &mut Opener<'_>),
    header: &Header,
    record: &Record<'_>,
) -> OpenedPiece {
    let (seq, wall, prev) = (record.front.seq, record.front.wall, record.front.prev);
    let context = record.context(&header.device);
    let plain = match header.sealing {
        Sealing::Alone => open_with(keys.secret(), INFO, &context, record.sealed),
        Sealing::Batch => batch.open(seq, &context, record.sealed),
    };
    match plain.map(|plain| Entry::decode(&plain)) {
        Some(Ok(entry)) if Lane::of(&entry) == header.lane => {
            let hash = hash(&[record.body]);
            OpenedPiece::Authentic(Authentic { seq, wall, prev, hash, entry })
        }
        Some(Err(Unreadable::Later)) => OpenedPiece::Later,
        Some(Ok(_) | Err(Unreadable::Damaged)) | None => OpenedPiece::Forged(Some(seq)),
    }
}

/// How many records of a file are authentic, under keys that nobody has: for fuzzing. Whatever the
/// bytes are, there are none; `headed` puts an authentic header in front of them.
pub fn authentic_records(bytes: &[u8], headed: bool) -> usize {
    let vault = VaultKeys::for_fuzzing();
    let (headers, keys) = (Key::from_slice(&[5; 32]), vault.inbox_keys());
    let Some(headers) = headers else { return 0 };
    let header = Header {
        sealing: Sealing::Batch,
        lane: Lane::Values,
        after_fault: false,
        device: [1; 16],
        segment: 1,
        chain: [2; 16],
        chain_first_seq: 1,
        first_seq: 1,
        since: Timestamp::UNIX_EPOCH,
        orphan: None,
    };
    let front = if headed { header.encode(&headers) } else { Vec::new() };
    let file = [&front[..], bytes].concat();
    let Ok((header, records)) = open_segment(&headers, &file) else { return 0 };
    let opened = open_pieces(&keys, (&header, records), (None, &mut None), &AtomicBool::new(false));
    opened.iter().filter(|piece| matches!(piece, OpenedPiece::Authentic(_))).count()
}

/// All segments in the order in which they were written, values first; last what is not ours.
fn plan(dir: &Path, headers: &Key) -> Result<Vec<Planned>, StoreFault> {
    let mut plan = Vec::new();
    for lane in Lane::ALL {
        for (name, path) in lane.segments(dir)? {
            let front = durable::read_start(&path, HEADER_LEN)?;
            let header = match open_segment(headers, &front) {
                Ok((header, _)) => Some(header),
                Err(Unread::Later(_)) => return Err(StoreFault::Later),
                Err(Unread::Missing | Unread::Damaged | Unread::Disk(_)) => None,
            };
            plan.push(Planned { path, name, lane, header });
        }
    }
    plan.sort_by_key(|planned| {
        let header = planned.header.as_ref();
        let place = header.map(|header| {
            let is_misnamed = header.segment != planned.name || header.lane != planned.lane;
            // The copy of a segment is what lies under another name.
            (header.lane, header.segment, is_misnamed)
        });
        (header.is_none(), place, planned.name)
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
