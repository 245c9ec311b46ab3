//! The screen's side of the program. `view` is what the core projects; everything that names a
//! generated UI type lives in this folder and nowhere else.

pub mod intent;
pub mod view;
