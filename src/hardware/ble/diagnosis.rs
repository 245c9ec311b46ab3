//! What it means when a link is refused: the controller is full, a bond is missing or lost, or nothing.
//!
//! Pure. BlueZ says most of it in the text of an error. It answers *abort by local* to nearly every
//! connection that fails, also to one that the controller had no place for and to one whose encryption
//! failed, so that is a reason only when a device that is near fails again and again.

/// Tries of a device that is near that have to fail before there is a reason.
const ABORTED_MIN: u32 = 3;

/// What BlueZ's refusal says by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// The controller, or BlueZ, carries no more links.
    Full,
    /// The device does not do it without a bond.
    NotPaired,
    /// One of the two has lost its key.
    KeyMissing,
    /// The connection did not come about.
    Aborted,
    /// Nothing of use.
    Unsaid,
}

/// Reads the debug form of an error of btleplug, which is the only one that has BlueZ's whole answer.
pub(super) fn cause(error: &str) -> Cause {
    // BlueZ's src/error.h and src/gatt-client.c.
    for (text, cause) in [
        ("concurrent-connection-limit", Cause::Full),
        ("le-connection-memory-allocation", Cause::Full),
        ("Not paired", Cause::NotPaired),
        ("org.bluez.Error.NotAuthorized", Cause::NotPaired),
        ("connection-key-missing", Cause::KeyMissing),
        ("le-connection-abort-by-local", Cause::Aborted),
    ] {
        if error.contains(text) {
            return cause;
        }
    }
    Cause::Unsaid
}

/// What to do about a link that could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Try again: it may be out of reach.
    Again,
    /// Wait for a place.
    NoRoom,
    /// Its bond does not hold any more.
    LostBond,
    /// It may be that its bond does not hold any more: told, and tried again.
    MaybeLostBond,
    /// It has to be paired.
    NotPaired,
}

/// What is known beside the refusal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Around {
    /// The device was bonded.
    pub(super) is_bonded: bool,
    /// It was heard lately.
    pub(super) is_near: bool,
    /// Links to other devices that are live.
    pub(super) others: usize,
}

/// The tries of one link since it was live last.
#[derive(Debug, Default)]
pub(super) struct Tries {
    aborted: u32,
}

impl Tries {
    /// Judges one more try that failed.
    pub(super) fn failed(&mut self, cause: Cause, around: Around) -> Verdict {
        let Around { is_bonded, is_near, others } = around;
        match (cause, is_bonded) {
            (Cause::Full, _) => Verdict::NoRoom,
            (Cause::NotPaired | Cause::KeyMissing, true) => Verdict::LostBond,
            (Cause::NotPaired, false) => Verdict::NotPaired,
            (Cause::KeyMissing | Cause::Unsaid, _) => Verdict::Again,
            (Cause::Aborted, _) => {
                self.aborted = if is_near { self.aborted.saturating_add(1) } else { 0 };
                match (self.aborted >= ABORTED_MIN, others, is_bonded) {
                    (false, ..) | (true, 0, false) => Verdict::Again,
                    (true, 0, true) => Verdict::MaybeLostBond,
                    (true, ..) => Verdict::NoRoom,
                }
            }
        }
    }

    /// It was live.
    pub(super) fn worked(&mut self) {
        self.aborted = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALONE: Around = Around { is_bonded: false, is_near: true, others: 0 };

    #[test]
    fn bluez_says_it_in_words() {
        for (error, expected) in [
            ("D-Bus error: le-connection-concurrent-connection-limit", Cause::Full),
            ("Operation failed: le-connection-memory-allocation", Cause::Full),
            ("D-Bus error: Not paired (org.bluez.Error.NotPermitted)", Cause::NotPaired),
            ("le-connection-key-missing (org.bluez.Error.Failed)", Cause::KeyMissing),
            ("le-connection-abort-by-local (org.bluez.Error.Failed)", Cause::Aborted),
            ("le-connection-abort-by-remote (org.bluez.Error.Failed)", Cause::Unsaid),
            ("Service discovery timed out", Cause::Unsaid),
        ] {
            assert_eq!(cause(error), expected, "{error}");
        }
    }

    #[test]
    fn what_is_said_plainly_counts_at_once() {
        let bonded = Around { is_bonded: true, ..ALONE };
        for (cause, around, verdict) in [
            (Cause::Full, ALONE, Verdict::NoRoom),
            (Cause::Full, bonded, Verdict::NoRoom),
            (Cause::NotPaired, ALONE, Verdict::NotPaired),
            (Cause::NotPaired, bonded, Verdict::LostBond),
            (Cause::KeyMissing, bonded, Verdict::LostBond),
            (Cause::KeyMissing, ALONE, Verdict::Again),
            (Cause::Unsaid, bonded, Verdict::Again),
        ] {
            assert_eq!(Tries::default().failed(cause, around), verdict, "{cause:?} {around:?}");
        }
    }

    #[test]
    fn an_abort_is_a_reason_only_when_a_device_that_is_near_fails_again_and_again() {
        let bonded = Around { is_bonded: true, ..ALONE };
        let beside = Around { others: 4, ..bonded };
        for (around, third) in [
            (ALONE, Verdict::Again),
            (bonded, Verdict::MaybeLostBond),
            (beside, Verdict::NoRoom),
            (Around { is_near: false, ..bonded }, Verdict::Again),
            (Around { is_near: false, ..beside }, Verdict::Again),
        ] {
            let mut tries = Tries::default();
            let verdicts = [(); 3].map(|()| tries.failed(Cause::Aborted, around));
            assert_eq!(verdicts, [Verdict::Again, Verdict::Again, third], "{around:?}");
            tries.worked();
            assert_eq!(tries.failed(Cause::Aborted, around), Verdict::Again);
        }
    }
}
