//! The core: pure machines. Events and the time go in, effects come out.
//!
//! | room | what belongs there |
//! |---|---|
//! | [`kiosk`] | composes the machines, routes events to them, projects the view; a file for each page and what people do there |
//! | [`kiosk::view`] | what the screen shows, as plain values |
//! | [`kiosk::page`] | the pages of an open session |
//! | [`session`] | who may see patient data on this screen, and for how long; enrolment and first start |
//! | `pairing` | which devices are linked and whose values they send |
//! | `monitor` | links, frames, waveforms: what is shown, recorded and stated as alarm facts, whoever is logged in |
//! | [`inventory`] | what is known of each device for those who look after it, and what they have to do |
//! | `effect` | what the core wants done |
//! | [`alarms`] | which conditions hold, what is signalled, what was acknowledged or paused |
//! | [`config`] | the site's settings |
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

#![warn(clippy::indexing_slicing, unreachable_pub)]

pub mod alarms;
pub mod config;
mod effect;
pub mod inventory;
pub mod kiosk;
mod monitor;
mod pairing;
pub mod session;
