//! The screen's side of the program. `view` is what the core projects; everything that names a
//! generated UI type lives in this folder and nowhere else.
//!
//! ```text
//!  shell task --View--> watch --> Pump (tokio) --refresh--> Bridge (main thread) --> .slint
//!             <--Intent-- [32] <-------------------------- connect
//!  driver ----WaveChunk-- [n] -----------------------------> Lane (timer, 30 a second)
//! ```
//!
//! S-1: without an open session no patient text or sample, and no name of staff, is left in any
//! property or model; the emergency view's own page is the one exception. Values without a name are
//! shown while nobody can log in ([`view::records::Watch`]).
//! S-10: a PIN stays in [`pin_pad`] on the main thread until it is submitted, and is wiped there.
//! S-11: a full intent queue drops the tap and says so; a view that is not shown in time is replaced.

pub mod pin_pad;
pub mod sweep;

#[cfg(feature = "gui")]
mod connect;
#[cfg(feature = "gui")]
mod emergency;
#[cfg(feature = "gui")]
mod enrolment;
#[cfg(feature = "gui")]
mod lane;
#[cfg(feature = "gui")]
mod lines;
#[cfg(feature = "gui")]
mod oversight;
#[cfg(feature = "gui")]
mod people;
#[cfg(feature = "gui")]
mod projection;
#[cfg(feature = "gui")]
mod pump;
#[cfg(feature = "gui")]
mod qr;
#[cfg(feature = "gui")]
mod records;
#[cfg(feature = "gui")]
mod untrusted;
#[cfg(feature = "gui")]
mod vocabulary;
#[cfg(feature = "gui")]
mod window;

#[cfg(feature = "gui")]
pub use pump::Pump;
#[cfg(feature = "gui")]
pub use wardkeep_ui::AppWindow;
#[cfg(feature = "gui")]
pub use window::{Bridge, open_window};

/// Waveform samples of one device for the bedside lane. Patient data: it has no `Debug`.
#[derive(Clone, PartialEq)]
pub struct WaveChunk {
    /// Samples per second.
    pub rate_hz: u16,
    /// The samples in 0.0..=1.0, oldest first.
    pub samples: Vec<f32>,
}
