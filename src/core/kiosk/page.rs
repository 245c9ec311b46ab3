//! The pages of an open session.

/// A page that an open session can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Page {
    /// Live values of the patient at this bed.
    Bedside,
    /// Every alarm condition, and those of the last day.
    Alarms,
    /// Alarm limits of the patient at this bed.
    Limits,
    /// Devices near this bed.
    Devices,
    /// All devices of this cart.
    Inventory,
    /// Spot readings that are nobody's.
    Readings,
    /// Choose or add the patient at this bed.
    Patients,
    /// Everybody who may log in.
    People,
    /// The audit log.
    Audit,
    /// How this cart is set up and protected.
    Cart,
    /// The logged-in person's own page.
    Account,
}
