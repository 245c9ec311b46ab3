//! What `wardkeepctl doctor` says of keeping records: how long, how much room, and what guards them.

use std::time::Duration;

use crate::ctl::doctor::{Check, fails, works};
use wardkeep_model::keeping::Retention;
use wardkeep_store::MemoryFacts;

const MIB: u64 = 1024 * 1024;
const GIB: u64 = 1024 * MIB;
/// Below this the store gives waveforms up; it has to be told before.
const ROOM_MIN: u64 = 512 * MIB;

/// What the counter outside the disk says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counter {
    /// It answers.
    Works,
    /// The machine has none that this account may use.
    Missing,
    /// It is there and does not answer.
    Silent,
}

/// What was found about keeping records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keeping {
    /// How long what was recorded is kept.
    pub retention: Retention,
    /// Bytes that are free where the store lies; `None` where nobody can tell.
    pub free: Option<u64>,
    /// How this process's memory is protected; the kiosk's as well, if it is run alike.
    pub memory: MemoryFacts,
    /// The counter outside the disk.
    pub counter: Counter,
    /// A witness is named (`store.witness`).
    pub has_witness: bool,
}

pub(super) fn checks(keeping: &Keeping) -> [Check; 3] {
    [room(keeping), memory(keeping.memory), counter(keeping.counter, keeping.has_witness)]
}

fn room(keeping: &Keeping) -> Check {
    let name = "retention";
    let Retention { waveforms, numerics, minutes } = keeping.retention;
    let (hours, days) = (|of: Duration| of.as_secs() / 3600, |of: Duration| of.as_secs() / 86_400);
    let kept = format!(
        "waveforms {} h, values {} d, minutes {} d",
        hours(waveforms),
        days(numerics),
        days(minutes)
    );
    let Some(free) = keeping.free else {
        return fails(
            name,
            format!("{kept}; room not known"),
            "The file system does not say how much room is left.",
            "See the line about the state directory.",
        );
    };
    let detail = format!("{kept}; {} free", size(free));
    if free < ROOM_MIN {
        return fails(
            name,
            detail,
            "The disk is nearly full: waveforms are given up first, then nothing is recorded.",
            "Make room on the file system of the state directory.",
        );
    }
    works(name, detail)
}

fn size(bytes: u64) -> String {
    if bytes >= GIB {
        let tenths = bytes.saturating_mul(10) / GIB;
        format!("{}.{} GiB", tenths / 10, tenths % 10)
    } else {
        format!("{} MiB", bytes / MIB)
    }
}

fn memory(facts: MemoryFacts) -> Check {
    let name = "memory";
    if !facts.undumpable {
        return fails(
            name,
            "core images are possible",
            "The system does not let this account forbid core images of its programs.",
            "Set LimitCORE=0 in the service, and kernel.core_pattern to nothing.",
        );
    }
    if facts.may_be_swapped() {
        return fails(
            name,
            "may be swapped out",
            "There is swap, and the service may not lock its memory.",
            "Set LimitMEMLOCK=infinity in the service, or switch swap off.",
        );
    }
    works(name, if facts.swap { "locked" } else { "no swap, no core images" })
}

fn counter(counter: Counter, has_witness: bool) -> Check {
    let name = "tpm-counter";
    match counter {
        Counter::Works => works(
            name,
            "an older store that is put back is noticed: tries and changes of keys at once, records after 60 s; \
             ten years are 356,000 writes of each of 16 counters",
        ),
        Counter::Missing if has_witness => works(name, "none; the witness counts instead"),
        Counter::Missing => fails(
            name,
            "none",
            "All files that changed since some moment, put back together, make the store of that moment: its PIN \
             tries and the people revoked since are back, and nobody notices. Fewer files are noticed.",
            "Switch the TPM on and let the kiosk's account into the group tss, or name a witness that is not on \
             this disk (`store.witness`).",
        ),
        Counter::Silent => fails(
            name,
            "does not answer",
            "The TPM refuses the counter, or is busy.",
            "Look into `journalctl -u wardkeep`; clear the TPM only if nothing else needs it.",
        ),
    }
}
