//! What the core holds between two events, one file for each concern. Data and its own rules only:
//! nothing here knows the kiosk.

mod arrival;
mod drafts;
mod people;
mod records;
mod watch;
mod waves;

pub(crate) use self::arrival::Arrival;
pub(crate) use self::drafts::Drafts;
pub(crate) use self::people::{People, Revocation, WIZARD_FROM};
pub(crate) use self::records::Records;
pub(crate) use self::watch::Watch;
pub(crate) use self::waves::{Stretch, WaveSource, Waves};
