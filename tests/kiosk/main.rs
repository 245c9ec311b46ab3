//! The core as a whole, with a settable clock and everything around it in memory.

mod bedside;
mod cards;
mod desk;
mod drafts;
mod emergency;
mod enrolment;
mod fingers;
mod flow;
mod login;
mod memory;
mod people;
mod properties;
mod records;
mod register;
mod roles;
mod table;
mod watch;
mod waves;
