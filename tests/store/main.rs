//! A real store in its ordinary life: people, shifts, patients, values, copies and the checks of all that.

mod anchor;
mod backup;
mod canary;
mod check;
mod emergency;
mod flow;
mod lockout;
mod migrations;
mod model;
mod people;
mod place;
mod released;
mod salvage;
mod shift;
mod space;
mod trends;
mod witness;
