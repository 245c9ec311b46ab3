//! How urgent an alarm is: the one word of alarms that drivers share with the core.

/// Alarm priority (IEC 60601-1-8). Ordered: low < medium < high.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// Cyan, one mark.
    Low,
    /// Yellow, two marks.
    Medium,
    /// Red, three marks.
    High,
}
