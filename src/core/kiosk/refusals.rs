//! What readers refused, for the audit log: the first at once, what repeats itself as a count.

use std::collections::BTreeMap;
use std::time::Duration;

use wardkeep_model::access::refusal::ReaderRefusal;
use wardkeep_model::keeping::{AuditAct, AuditEntry, AuditResult, Command};
use wardkeep_model::moment::{BootTime, Moment};

/// So long the same refusal at the same reader is counted before the count is written.
const COUNTED_FOR: Duration = Duration::from_secs(600);
/// Kinds of refusals that are counted at a time; what is beyond is counted without the reader's name.
const KINDS_MAX: usize = 64;

/// What was refused, and how often since it was written last.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    counted: BTreeMap<(ReaderRefusal, String), Repeats>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Repeats {
    /// When it was written last; `None` before it was.
    written: Option<BootTime>,
    times: u64,
}

impl Refusals {
    /// Takes in a refusal.
    pub(super) fn refused(&mut self, reader: String, what: ReaderRefusal) {
        let mut kind = (what, reader);
        if self.counted.len() >= KINDS_MAX && !self.counted.contains_key(&kind) {
            kind.1.clear();
        }
        let repeats = self.counted.entry(kind).or_default();
        repeats.times = repeats.times.saturating_add(1);
    }

    /// What is to be written: the first of its kind, and counts that are due. A kind that did not come
    /// again is forgotten.
    pub(super) fn due(&mut self, now: Moment) -> Vec<Command> {
        self.written(now, |written| {
            written.is_none_or(|written| now.boot.since(written) >= COUNTED_FOR)
        })
    }

    /// All counts: the program ends.
    pub(super) fn end(&mut self, now: Moment) -> Vec<Command> {
        self.written(now, |_| true)
    }

    fn written(&mut self, now: Moment, is_due: impl Fn(Option<BootTime>) -> bool) -> Vec<Command> {
        let mut commands = Vec::new();
        self.counted.retain(|kind, repeats| {
            if !is_due(repeats.written) {
                return true;
            }
            let times = std::mem::take(&mut repeats.times);
            repeats.written = Some(now.boot);
            if times > 0 {
                commands.push(entry(now, kind, Some(times).filter(|times| *times > 1)));
            }
            times > 0
        });
        commands
    }
}

fn entry(now: Moment, (what, reader): &(ReaderRefusal, String), times: Option<u64>) -> Command {
    let entry = AuditEntry::of(AuditAct::ReaderRefused, now.wall);
    Command::Audit(Box::new(AuditEntry {
        result: AuditResult::Refused,
        refusal: Some(*what),
        times,
        detail: Some(reader.clone()).filter(|name| !name.is_empty()),
        ..entry
    }))
}
