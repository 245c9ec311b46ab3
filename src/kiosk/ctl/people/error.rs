//! What IT gives of people and factors, and why it cannot be used.

use crate::ctl::people::roster;

/// Why people or factors that IT gave cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PeopleError {
    /// A list that is not used.
    #[error("Nothing was imported: {0}.")]
    List(#[from] roster::ListError),
    /// A person who is not added.
    #[error("Nothing was added: {0}.")]
    Person(#[from] roster::RowError),
    /// A factor of somebody else, or of nobody.
    #[error("This person has no such factor. `wardkeepctl users list` shows them.")]
    NoFactor,
    /// Not one badge, or one that has another number each time.
    #[error("The two taps gave different numbers. Nothing was enrolled.")]
    BadgesDiffer,
    /// The two entries differ.
    #[error("The two PINs differ. Nothing was changed.")]
    PinsDiffer,
}
