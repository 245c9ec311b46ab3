//! Records that a device has stored: asked for once at each connection, one request at a time (Glucose Profile 1.0,
//! 5.4: the meter is silent until it is asked).
//!
//! S-8: nothing is ever deleted on a device. What it hands over again is known by its number and bytes, so a
//! download that was cut off is begun again wherever it stopped, and every record is kept once.

use std::time::Duration;

use wardkeep_model::moment::BootTime;
use wardkeep_model::ports::Command;
use wardkeep_model::vitals::gatt::racp::{Records, Request, Span};
use wardkeep_model::vitals::{Characteristic, DeviceId};

use crate::effect::Effect;

/// Record Access Control Point.
pub(super) const RECORD_ACCESS: Characteristic = Characteristic(0x2A52);

/// Writes a request for records.
pub(super) fn asked(id: DeviceId, request: Vec<u8>) -> Effect {
    Effect::Hardware(Command::Write(id, RECORD_ACCESS, request))
}

/// Silence after which a transfer has stopped; every record begins it anew.
const SILENCE: Duration = Duration::from_secs(10);
/// Between two requests.
const PAUSE: Duration = Duration::from_secs(5);
/// Requests of one connection.
const TRIES_MAX: u8 = 4;

/// How far the transfer of one connection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The device was asked and sends; it is given up on at this time.
    Sending { until: BootTime },
    /// It is asked again then.
    Pausing { until: BootTime },
    /// Everything was sent, or it will not be asked again at this connection.
    Over { is_complete: bool },
}

/// What a device answered to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answered {
    /// It has sent everything, or has nothing.
    Complete,
    /// It does not know this kind of request.
    Unknown,
    /// It was not done.
    Failed,
}

impl Answered {
    /// What the decoder's word for it means here.
    pub(super) fn of(word: &str) -> Self {
        match word {
            "success" | "no-records-found" => Self::Complete,
            "opcode-not-supported"
            | "invalid-operator"
            | "operator-not-supported"
            | "invalid-operand"
            | "operand-not-supported" => Self::Unknown,
            _ => Self::Failed,
        }
    }
}

/// The transfer of a device's records.
#[derive(Clone, Debug)]
pub(super) struct Transfer {
    stage: Stage,
    tries: u8,
    /// The highest number that it has sent since the program started.
    last: Option<u16>,
    /// It does not know requests by number.
    only_all: bool,
}

impl Transfer {
    /// A transfer at a new connection, and what is written to the device. One that went before says what the device
    /// has sent.
    pub(super) fn begin(now: BootTime, before: Option<&Self>) -> (Self, Vec<u8>) {
        let mut transfer = Self {
            stage: Stage::Over { is_complete: false },
            tries: 0,
            last: before.filter(|one| one.is_complete()).and_then(|one| one.last),
            only_all: before.is_some_and(|one| one.only_all),
        };
        let request = transfer.ask(now);
        (transfer, request)
    }

    fn ask(&mut self, now: BootTime) -> Vec<u8> {
        self.tries += 1;
        self.stage = Stage::Sending { until: now + SILENCE };
        // From the last one on and not behind it: that one says that the device still counts as before.
        let records = match self.last.filter(|_| !self.only_all) {
            Some(last) => Records::Sequence(Span::From(last)),
            None => Records::All,
        };
        Request::Report(records).encode()
    }

    /// A record came.
    pub(super) fn record(&mut self, now: BootTime, sequence: u16) {
        if let Stage::Sending { until } = &mut self.stage {
            *until = now + SILENCE;
        }
        self.last = self.last.max(Some(sequence));
    }

    /// The device answered. A device that was asked from the last number on and has none any more has begun to
    /// count anew.
    pub(super) fn answered(&mut self, now: BootTime, what: Answered, has_none: bool) {
        if !matches!(self.stage, Stage::Sending { .. }) {
            return;
        }
        let began_anew = has_none && self.last.is_some() && !self.only_all;
        if began_anew {
            self.last = None;
        }
        self.only_all |= what == Answered::Unknown;
        self.stage = match what {
            Answered::Complete if !began_anew => Stage::Over { is_complete: true },
            Answered::Complete | Answered::Unknown | Answered::Failed => self.again(now),
        };
    }

    /// What was written was not taken.
    pub(super) fn not_taken(&mut self, now: BootTime) {
        if matches!(self.stage, Stage::Sending { .. }) {
            self.stage = self.again(now);
        }
    }

    fn again(&self, now: BootTime) -> Stage {
        if self.tries >= TRIES_MAX {
            return Stage::Over { is_complete: false };
        }
        Stage::Pausing { until: now + PAUSE }
    }

    /// What is to be written now, if anything: the next request, or the end of one that has stopped.
    pub(super) fn tick(&mut self, now: BootTime) -> Option<Vec<u8>> {
        match self.stage {
            Stage::Sending { until } if now >= until => {
                self.stage = self.again(now);
                Some(Request::Abort.encode())
            }
            Stage::Pausing { until } if now >= until => Some(self.ask(now)),
            Stage::Sending { .. } | Stage::Pausing { .. } | Stage::Over { .. } => None,
        }
    }

    /// When [`Transfer::tick`] is due.
    pub(super) fn due(&self) -> Option<BootTime> {
        match self.stage {
            Stage::Sending { until } | Stage::Pausing { until } => Some(until),
            Stage::Over { .. } => None,
        }
    }

    /// Everything was sent.
    pub(super) fn is_complete(&self) -> bool {
        self.stage == Stage::Over { is_complete: true }
    }

    /// It is under way.
    pub(super) fn is_running(&self) -> bool {
        !matches!(self.stage, Stage::Over { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: u64) -> BootTime {
        BootTime(Duration::from_secs(second))
    }

    const ALL: [u8; 2] = [1, 1];
    const ABORT: [u8; 2] = [3, 0];

    #[test]
    fn every_record_begins_the_silence_anew() {
        let (mut transfer, request) = Transfer::begin(at(0), None);
        assert_eq!(request, ALL);
        for second in 1..60 {
            transfer.record(at(second * 9), u16::try_from(second).expect("few"));
            assert_eq!(transfer.tick(at(second * 9 + 8)), None);
        }
        assert_eq!(transfer.tick(at(59 * 9 + 10)), Some(ABORT.to_vec()));
        assert!(transfer.is_running());
        let due = transfer.due().expect("it is asked again");
        assert_eq!(transfer.tick(due), Some(vec![1, 3, 1, 59, 0]), "from the last one on");
        transfer.answered(due, Answered::Complete, false);
        assert!(transfer.is_complete() && transfer.due().is_none());
    }

    #[test]
    fn after_a_cut_all_are_asked_for_and_after_a_whole_transfer_the_new_ones() {
        let (mut transfer, _) = Transfer::begin(at(0), None);
        transfer.record(at(1), 17);
        let (mut again, request) = Transfer::begin(at(20), Some(&transfer));
        assert_eq!(request, ALL, "the first one was cut off: nobody knows what is missing");
        again.record(at(21), 50);
        again.answered(at(22), Answered::Complete, false);
        let (mut third, request) = Transfer::begin(at(40), Some(&again));
        assert_eq!(request, [1, 3, 1, 50, 0]);
        // Its battery was changed, and it counts from 1.
        third.answered(at(41), Answered::Complete, true);
        assert!(!third.is_complete());
        assert_eq!(third.tick(at(46)), Some(ALL.to_vec()));
        third.answered(at(47), Answered::Complete, true);
        assert!(third.is_complete(), "now it really has none");
    }

    #[test]
    fn a_device_that_only_knows_all_is_asked_for_all_and_never_for_ever() {
        let (mut first, _) = Transfer::begin(at(0), None);
        first.record(at(1), 9);
        first.answered(at(2), Answered::of("success"), false);
        let (mut transfer, request) = Transfer::begin(at(10), Some(&first));
        assert_eq!(request, [1, 3, 1, 9, 0]);
        transfer.answered(at(11), Answered::of("operator-not-supported"), false);
        assert_eq!(transfer.tick(at(16)), Some(ALL.to_vec()));
        let mut now = 16;
        let mut asked = 0;
        while let Some(due) = transfer.due() {
            assert!(due >= at(now));
            now = due.0.as_secs();
            asked += u32::from(transfer.tick(due) == Some(ALL.to_vec()));
            transfer.answered(due, Answered::of("procedure-not-completed"), false);
            transfer.not_taken(due);
        }
        assert!(asked < 5 && !transfer.is_complete(), "{asked}");
    }
}
