//! The core as a whole, with a settable clock and everything around it in memory.

mod alarms;
mod alike;
mod bonds;
mod cards;
mod clocks;
mod desk;
mod device_clocks;
mod drafts;
mod emergency;
mod enrolment;
mod fingers;
mod flow;
mod inventory;
mod life;
mod login;
mod pairing;
mod people;
mod properties;
mod readers;
mod records;
mod roles;
mod signalled;
mod spots;
mod table;
mod watch;
mod waves;
