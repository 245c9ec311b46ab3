//! The pages of an open session: one file each, with what people do there (its `Intent`), what that
//! takes (`need`), what comes of it (`handle`), and what is shown (`view`).

pub mod account;
pub(super) mod alarms;
pub mod audit;
pub(super) mod bedside;
pub(super) mod cart;
pub mod devices;
pub mod inventory;
mod kept;
pub mod limits;
pub mod pairing;
pub mod patients;
pub mod people;
pub mod readings;
mod search;

pub(super) use self::readings::Known as KnownReadings;

/// The page in front, with what it holds until it is left.
pub(super) enum Front {
    Bedside,
    Alarms(alarms::Days),
    Limits(Box<limits::Draft>),
    Devices,
    Inventory(inventory::Looking),
    Readings,
    Pairing(pairing::Window),
    Patients(patients::List),
    People(people::Staff),
    Audit(audit::Log),
    Cart,
    Account,
}
