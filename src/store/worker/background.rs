//! Work that nobody waits for and that fails: told once, tried again later and later, and told as mended only once it
//! was done.
//!
//! Recording goes on meanwhile and says nothing of it: that a value was kept does not mean that the import works.

use std::time::Duration;

use wardkeep_model::keeping::StoreFault;
use wardkeep_model::moment::BootTime;

const AGAIN_MIN: Duration = Duration::from_secs(2);
const AGAIN_MAX: Duration = Duration::from_secs(300);

/// What failed last, and when it is tried again.
#[derive(Debug, Default)]
pub struct Background {
    failed: Option<(StoreFault, BootTime, Duration)>,
}

impl Background {
    /// Whether it may be tried now.
    pub fn may(&self, now: BootTime) -> bool {
        self.failed.is_none_or(|(_, again, _)| now >= again)
    }

    /// When it may be tried, if it has to wait.
    pub fn again(&self) -> Option<BootTime> {
        self.failed.map(|(_, again, _)| again)
    }

    /// It failed; whether that is news.
    pub fn fail(&mut self, fault: StoreFault, now: BootTime) -> bool {
        let (before, wait) = match self.failed {
            Some((before, _, wait)) => (Some(before), (wait * 2).min(AGAIN_MAX)),
            None => (None, AGAIN_MIN),
        };
        self.failed = Some((fault, now + wait, wait));
        before != Some(fault)
    }

    /// It was done; whether that is news.
    pub fn done(&mut self) -> bool {
        self.failed.take().is_some()
    }

    /// Whether it does not work at present.
    pub fn is_failing(&self) -> bool {
        self.failed.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_always_fails_is_told_once_and_tried_less_and_less_often() {
        let (mut background, mut told, mut tried) = (Background::default(), 0, 0);
        for second in 0..3_600 {
            let now = BootTime(Duration::from_secs(second));
            if background.may(now) {
                tried += 1;
                told += u32::from(background.fail(StoreFault::Io, now));
            }
        }
        assert_eq!(told, 1);
        assert!((10..40).contains(&tried), "{tried} tries in an hour");
        assert!(background.fail(StoreFault::Damaged, BootTime::default()), "another fault is news");
        assert!(background.is_failing() && background.done() && !background.done());
        assert!(background.may(BootTime::default()));
    }
}
