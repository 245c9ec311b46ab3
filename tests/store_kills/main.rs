//! A store whose process or power ends at any instant.

mod load;
mod login;
mod power;
mod rotation;
