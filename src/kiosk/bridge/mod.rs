//! The screen's side of the program. What the core projects comes in; everything that names a
//! generated UI type lives in this folder and nowhere else.
//!
//! ```text
//!  shell task --View--> watch --> Pump (tokio) --refresh--> Bridge (main thread) --> .slint
//!             <--Intent-- [32] <----------- port <-------- screens
//!  driver ----WaveChunk-- [n] -----------------------------> Lane (timer, 30 a second)
//! ```
//!
//! S-1: without an open session no patient text or sample, and no name of staff, is left in any
//! property or model; the emergency view's own page is the one exception. Values without a name are
//! shown while nobody can log in ([`wardkeep_core::kiosk::view::records::Watch`]).
//! S-10: a PIN stays in `pin_pad` on the main thread until it is submitted, and is wiped there.
//! S-11: a full intent queue drops the tap and says so; a view that is not shown in time is replaced.

#![warn(unreachable_pub)]

#[cfg(feature = "gui")]
mod lane;
#[cfg(feature = "gui")]
mod lines;
#[cfg(feature = "gui")]
mod pin_pad;
#[cfg(feature = "gui")]
mod places;
#[cfg(feature = "gui")]
mod port;
#[cfg(feature = "gui")]
mod pump;
#[cfg(feature = "gui")]
mod qr;
#[cfg(feature = "sim")]
pub mod samples;
#[cfg(feature = "gui")]
mod screens;
#[cfg(feature = "gui")]
mod sweep;
#[cfg(feature = "gui")]
mod times;
#[cfg(feature = "gui")]
mod untrusted;
mod wave;
#[cfg(feature = "gui")]
mod window;
#[cfg(feature = "gui")]
pub(crate) mod words;

#[cfg(feature = "gui")]
pub use wardkeep_ui::AppWindow;

#[cfg(feature = "gui")]
pub use self::pump::Pump;
pub use self::wave::WaveChunk;
#[cfg(feature = "gui")]
pub use self::window::{Bridge, open_window};
#[cfg(feature = "gui")]
pub use self::words::Words;
#[cfg(feature = "sim")]
pub use self::words::speak;
