//! Wardkeep: a bedside vitals kiosk that locks behind two hardware factors.
//!
//! The core is pure: events and the time go in, effects come out. [`kiosk`] composes it, `app` (the
//! shell) performs the effects, [`hardware`] drivers and the simulator send events, [`store`] keeps
//! every observation, and the screen is a projection ([`bridge::view::View`]).
//!
//! # Safety properties
//!
//! | id | property |
//! |---|---|
//! | S-1 | Patient data is visible only while a session is open. Anything unexpected lands in `Locked`. |
//! | S-2 | Locking hides data; it never stops acquisition, alarms or recording. |
//! | S-3 | A locked cart holds no key that can open what it has stored. |
//! | S-4 | Two factors of different kinds derive the key of the vault; nothing on disk verifies a PIN. |
//! | S-5 | No restart, clock change, kill or file restore gives extra PIN tries. |
//! | S-6 | No observation is filed to a patient without an explicit, unexpired assignment. |
//! | S-7 | No failed, demo, control-solution, implausible or stale value is shown or charted as current. |
//! | S-8 | A record that was acknowledged is never lost silently. |
//! | S-9 | Every alarm condition is signalled within 1 s; nothing can be paused without bound. |
//! | S-10 | PINs, keys, badge numbers and patient data never reach a log, panic, file name or clipboard. |
//! | S-11 | Every queue has a bound and a stated policy; losing something raises a technical alarm. |

#![warn(clippy::indexing_slicing)]

pub mod app;
#[cfg(feature = "sim")]
pub mod bench;
pub mod bridge;
pub mod ctl;
#[cfg(feature = "sim")]
pub mod ready_ward;
#[cfg(feature = "sim")]
pub mod simulated;
#[cfg(feature = "sim")]
pub mod tour;
