//! A store whose disk fails, lies, is filled, copied or put back.

mod attack;
mod bypass;
mod faults;
mod flips;
mod inbox;
mod rekeying;
mod replay;
mod rotation;
mod tries;
mod twins;
