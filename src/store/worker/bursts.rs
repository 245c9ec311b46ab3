//! Bursts: what repeats itself within a minute is written as a count, so that nobody fills the audit log by trying
//! badge after badge.
//!
//! The first [`WRITTEN_MAX`] refusals of a kind within a minute are written one by one. Those after them become
//! one entry with the first and the last time and how many they are, when the minute is over, at a lock and at the
//! end. A kind is the act, how it ended, who it concerns and by which factors; there are at most
//! [`KINDS_MAX`] of them at once, and what is beyond counts as one more.

use std::time::Duration;

use wardkeep_model::access::OperatorId;
use wardkeep_model::access::policy::Pair;
use wardkeep_model::keeping::{AuditAct, AuditEntry, AuditResult};
use wardkeep_model::moment::{BootTime, Moment};

/// One by one so many of a kind within [`WITHIN`].
const WRITTEN_MAX: u64 = 16;
const WITHIN: Duration = Duration::from_secs(60);
const KINDS_MAX: usize = 32;

/// Which refusals are of one kind; `None` stands for all others.
type Kind = Option<(AuditAct, AuditResult, Option<OperatorId>, Option<Pair>)>;

/// One kind within its minute.
#[derive(Debug)]
struct Burst {
    kind: Kind,
    since: BootTime,
    seen: u64,
    /// What was not written: the last of it, with the time of the first and how many.
    more: Option<AuditEntry>,
}

/// The kinds of the present minutes.
#[derive(Debug, Default)]
pub struct Bursts(Vec<Burst>);

impl Bursts {
    /// The entry, if it is to be written by itself; otherwise it is counted.
    pub fn take(&mut self, entry: AuditEntry, now: Moment) -> Option<AuditEntry> {
        let repeats =
            [AuditAct::UnlockRefused, AuditAct::EmergencyRefused, AuditAct::AccessRefused];
        if !repeats.contains(&entry.act) {
            return Some(entry);
        }
        let kind = Some((entry.act, entry.result, entry.person, entry.pair));
        let is_known = self.0.iter().any(|burst| burst.kind == kind);
        let kind = if is_known || self.0.len() < KINDS_MAX { kind } else { None };
        let place = match self.0.iter().position(|burst| burst.kind == kind) {
            Some(place) => place,
            None => {
                self.0.push(Burst { kind, since: now.boot, seen: 0, more: None });
                self.0.len() - 1
            }
        };
        let Some(burst) = self.0.get_mut(place) else { return Some(entry) };
        burst.seen += 1;
        if burst.seen <= WRITTEN_MAX {
            return Some(entry);
        }
        burst.more = Some(match burst.more.take() {
            None => AuditEntry { times: Some(1), since: Some(entry.at), ..entry },
            Some(before) => {
                let times = before.times.map(|times| times.saturating_add(1));
                AuditEntry { times, since: before.since, ..entry }
            }
        });
        None
    }

    /// What the minutes that are over have left to write; all of it if `everything`.
    pub fn over(&mut self, now: Moment, everything: bool) -> Vec<AuditEntry> {
        let mut entries = Vec::new();
        self.0.retain_mut(|burst| {
            let is_over = everything || now.boot.since(burst.since) >= WITHIN;
            if is_over {
                entries.extend(burst.more.take());
            }
            !is_over
        });
        entries
    }

    /// When something will be over.
    pub fn due(&self) -> Option<BootTime> {
        self.0.iter().map(|burst| burst.since + WITHIN).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    fn at(second: u64) -> Moment {
        let wall = Timestamp::from_second(second.cast_signed()).unwrap();
        Moment { boot: BootTime(Duration::from_secs(second)), wall }
    }

    fn refused(second: u64, person: Option<u128>) -> AuditEntry {
        let entry = AuditEntry::of(AuditAct::UnlockRefused, at(second).wall);
        AuditEntry { person: person.map(OperatorId), ..entry }
    }

    #[test]
    fn three_thousand_refusals_in_a_minute_are_sixteen_and_one_with_their_count() {
        let mut bursts = Bursts::default();
        let mut written = 0;
        for number in 0..3_000 {
            let second = number / 60;
            written += u32::from(bursts.take(refused(second, None), at(second)).is_some());
            assert_eq!(bursts.over(at(second), false), []);
        }
        assert_eq!(written, 16);
        // Somebody else's are not among them.
        assert!(bursts.take(refused(50, Some(7)), at(50)).is_some());
        assert_eq!(bursts.due(), Some(at(60).boot));
        let [summary] = &bursts.over(at(60), false)[..] else { panic!("one summary") };
        assert_eq!(summary.times, Some(2_984));
        assert_eq!((summary.since, summary.at), (Some(at(0).wall), at(49).wall));
        assert_eq!(bursts.over(at(61), true), [], "once");
        assert!(bursts.take(refused(70, None), at(70)).is_some(), "and then anew");
    }

    #[test]
    fn whatever_else_is_written_as_it_comes_and_many_kinds_are_bounded() {
        let mut bursts = Bursts::default();
        for second in 0..50 {
            let entry = AuditEntry::of(AuditAct::Unlocked, at(second).wall);
            assert!(bursts.take(entry, at(second)).is_some());
        }
        let mut written = 0;
        for person in 0..10_000 {
            written += u32::from(bursts.take(refused(1, Some(person)), at(1)).is_some());
        }
        assert_eq!(written, 32 + 16, "one of each kind, and some of all others");
        let counted: u64 = bursts.over(at(2), true).iter().filter_map(|entry| entry.times).sum();
        assert_eq!(counted + u64::from(written), 10_000, "none is forgotten");
    }
}
