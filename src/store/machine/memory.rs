//! This process's memory, as others could get at it: core images, debuggers of the same account, swap.
//!
//! S-3, S-10: both programs call [`protect_memory`] before anything else. Core images are forbidden
//! and the process is not dumpable, which also closes `/proc/PID/mem` to its own account. Memory is
//! locked only where the limit allows all of it: below an unlimited one a lock would take until the
//! first large allocation and then fail that. Where it cannot be locked and there is swap, what an open
//! vault shows may be written to it; `wardkeepctl doctor` says so.

use rustix::mm::{MlockAllFlags, mlockall};
use rustix::process::{
    DumpableBehavior, Resource, Rlimit, dumpable_behavior, getrlimit, set_dumpable_behavior,
    setrlimit,
};

/// How this process's memory is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryFacts {
    /// No core image of this process is written, and no debugger of its account may read it.
    pub undumpable: bool,
    /// Bytes that a process started like this one may lock; `None` without a limit. Only then is all
    /// of it locked.
    pub lock_limit: Option<u64>,
    /// Something is there that memory is swapped out to.
    pub swap: bool,
}

impl MemoryFacts {
    /// Whether memory with patient data or keys in it may be written to a disk.
    pub fn may_be_swapped(self) -> bool {
        self.swap && self.lock_limit.is_some()
    }
}

/// Forbids core images and debuggers, and keeps all memory out of swap where the limit allows it.
pub fn protect_memory() -> MemoryFacts {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    let limited = setrlimit(Resource::Core, none);
    let hidden = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    if let Err(error) = limited.and(hidden) {
        tracing::warn!(%error, "core images of this process could not be forbidden");
    }
    let facts = memory_facts();
    if facts.lock_limit.is_none() {
        // On fault: or every thread would take its whole stack at once.
        let all = MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT;
        if let Err(error) = mlockall(all) {
            tracing::warn!(%error, "memory could not be locked");
        }
    }
    facts
}

/// How this process's memory is protected.
pub fn memory_facts() -> MemoryFacts {
    let hidden = dumpable_behavior().is_ok_and(|now| now == DumpableBehavior::NotDumpable);
    // Its first line is a heading. Where it cannot be read, the worse is assumed.
    let swap = std::fs::read_to_string("/proc/swaps").map_or(true, |text| text.lines().count() > 1);
    MemoryFacts {
        undumpable: hidden && getrlimit(Resource::Core).current == Some(0),
        lock_limit: getrlimit(Resource::Memlock).current,
        swap,
    }
}
