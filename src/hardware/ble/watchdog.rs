//! Whether nothing is heard because nobody is there, or because something is wrong; and whether the machine
//! has slept.
//!
//! Pure. Scanning can end without a word, and so can the signals that tell of what is scanned. The first is
//! mended by scanning anew, which costs nothing where the air is only quiet. The second is known when BlueZ
//! goes on hearing devices and says nothing of it.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::ble::timing::Timing;
use wardkeep_model::moment::BootTime;

/// So often has BlueZ to hear somebody whom it says nothing of: once may be a signal on its way.
const UNTOLD_MAX: u32 = 2;
/// A scan that nobody waits for is started again so much later.
const UNHURRIED: u32 = 4;
/// The clock that counts on through suspend is ahead of the other by this much after a suspend.
const SLEPT_MIN: Duration = Duration::from_secs(1);

/// Signal strength of each device that BlueZ hears, by its path.
pub(super) type Levels = BTreeMap<String, i16>;

/// What to do about it that nothing is heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doubt {
    /// Nothing.
    None,
    /// Ask BlueZ whom it hears.
    Ask,
    /// Scan anew.
    ScanAnew,
}

/// When something was last heard, and what was done about it since.
#[derive(Debug)]
pub(super) struct Watchdog {
    heard: BootTime,
    asked: BootTime,
    scanned: BootTime,
    levels: Option<Levels>,
    untold: u32,
    /// How often the scan was started again since.
    pub(super) fruitless: u32,
}

impl Watchdog {
    /// A scan has begun.
    pub(super) fn new(now: BootTime) -> Self {
        Self { heard: now, asked: now, scanned: now, levels: None, untold: 0, fruitless: 0 }
    }

    /// An advertisement was heard.
    pub(super) fn heard(&mut self, now: BootTime) {
        *self = Self::new(now);
    }

    /// What is due; `hurried` where somebody is waited for.
    pub(super) fn due(&mut self, now: BootTime, timing: &Timing, hurried: bool) -> Doubt {
        let patience = timing.scan_watchdog * if hurried { 1 } else { UNHURRIED };
        if now.since(self.scanned) >= patience {
            self.scanned = now;
            self.fruitless = self.fruitless.saturating_add(1);
            // What is heard in one scan says nothing of the next.
            (self.levels, self.untold) = (None, 0);
            return Doubt::ScanAnew;
        }
        let is_silent = now.since(self.heard) >= timing.scan_watchdog / 2;
        if is_silent && now.since(self.asked) >= timing.scan_watchdog / 8 {
            self.asked = now;
            return Doubt::Ask;
        }
        Doubt::None
    }

    /// BlueZ hears these; true if it hears somebody again and again and has not said so.
    pub(super) fn told(&mut self, levels: Levels) -> bool {
        if let Some(before) = &self.levels {
            let is_news = |(path, level): (&String, &i16)| before.get(path) != Some(level);
            self.untold += u32::from(levels.iter().any(is_news));
        }
        self.levels = Some(levels);
        self.untold >= UNTOLD_MAX
    }
}

/// Both clocks, one of which stands still while the machine sleeps.
#[derive(Debug)]
pub(super) struct Wakefulness {
    boot: BootTime,
    awake: Instant,
}

impl Wakefulness {
    pub(super) fn new(boot: BootTime, awake: Instant) -> Self {
        Self { boot, awake }
    }

    /// How long the machine has slept since this was asked last, if it has.
    pub(super) fn slept(&mut self, boot: BootTime, awake: Instant) -> Option<Duration> {
        let before = std::mem::replace(self, Self { boot, awake });
        let slept = boot.since(before.boot).saturating_sub(awake.duration_since(before.awake));
        (slept >= SLEPT_MIN).then_some(slept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> BootTime {
        BootTime(Duration::from_millis(millis))
    }

    fn levels(of: &[(&str, i16)]) -> Levels {
        of.iter().map(|(path, level)| ((*path).to_owned(), *level)).collect()
    }

    /// What is done in the first so many seconds of silence.
    fn done(seconds: u64, hurried: bool) -> (usize, usize) {
        let timing = Timing::default();
        let mut watchdog = Watchdog::new(at(0));
        let all: Vec<Doubt> =
            (1..=seconds * 2).map(|half| watchdog.due(at(half * 500), &timing, hurried)).collect();
        let count = |doubt| all.iter().filter(|one| **one == doubt).count();
        (count(Doubt::Ask), count(Doubt::ScanAnew))
    }

    #[test]
    fn silence_is_doubted_after_a_while_and_faster_where_somebody_is_waited_for() {
        assert_eq!(done(3, true), (0, 0));
        assert_eq!(done(7, true).1, 0);
        assert!(done(7, true).0 >= 3, "{:?}", done(7, true));
        assert_eq!(done(9, true).1, 1);
        assert_eq!(done(31, false).1, 0);
        assert_eq!(done(33, false).1, 1);
    }

    #[test]
    fn what_is_heard_ends_every_doubt() {
        let timing = Timing::default();
        let mut watchdog = Watchdog::new(at(0));
        for second in 1..100 {
            watchdog.heard(at(second * 1_000));
            assert_eq!(watchdog.due(at(second * 1_000 + 900), &timing, true), Doubt::None);
        }
    }

    #[test]
    fn bluez_that_hears_and_does_not_tell_is_told_from_quiet_air() {
        let mut quiet = Watchdog::new(at(0));
        assert!(!(0..100).any(|_| quiet.told(levels(&[("a", -60), ("b", -70)]))), "out of reach");
        assert!(!(0..100).any(|_| quiet.told(levels(&[]))));
        let mut deaf = Watchdog::new(at(0));
        let told = |watchdog: &mut Watchdog, level| watchdog.told(levels(&[("a", level)]));
        assert!(!told(&mut deaf, -60) && !told(&mut deaf, -61) && told(&mut deaf, -62));
        let mut late = Watchdog::new(at(0));
        assert!(!told(&mut late, -60) && !told(&mut late, -61));
        late.heard(at(1));
        assert!(!told(&mut late, -62) && !told(&mut late, -63), "it was on its way");
        let mut appears = Watchdog::new(at(0));
        assert!(!appears.told(levels(&[])) && !told(&mut appears, -60) && told(&mut appears, -61));
    }

    #[test]
    fn a_machine_that_slept_is_known_by_its_clocks() {
        let start = Instant::now();
        let mut wakefulness = Wakefulness::new(at(0), start);
        let awake = |millis| start + Duration::from_millis(millis);
        assert_eq!(wakefulness.slept(at(500), awake(500)), None);
        assert_eq!(wakefulness.slept(at(1_400), awake(1_000)), None);
        assert_eq!(wakefulness.slept(at(91_900), awake(1_500)), Some(Duration::from_secs(90)));
        assert_eq!(wakefulness.slept(at(92_400), awake(2_000)), None, "once");
        assert_eq!(wakefulness.slept(at(92_400), awake(9_000)), None);
    }
}
