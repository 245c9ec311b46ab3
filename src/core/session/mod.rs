//! Operator session: who may see patient data on this screen, and for how long.
//!
//! The machine is pure. It reads no clock, opens no reader and touches no widget: the kiosk feeds it
//! an [`Event`] with the time it happened and performs every [`Effect`] it returns, in order.
//!
//! ```text
//!            .------------------ wrong PIN, shift over ------------------.
//!            v                                                           |
//!  Locked --token--> Partial --PIN of a card--> Proving --proof--> Unlocking --> Open
//!    |  ^               |                                            ^   |       ^
//!    |  |               '-- PIN of a badge, finger, or a tap alone --'   |       |
//!    |  |                                     one-time code: ChoosingPin-'-------'
//!    |  '-- lock, cancel, token taken away, too late, any fault: from every state
//!    '--asked for--> Emergency: token, reason, 15 minutes
//! ```
//!
//! S-1: patient data is visible only in `Open`, and of one patient in the last step of `Emergency`.
//! Anything unexpected lands in `Locked`.
//! Locking hides data; it never stops acquisition or alarms (S-2): this machine knows nothing of them.

mod card;
pub mod enrolment;
mod machine;
pub(crate) mod setup;

pub use self::machine::{
    Choosing, Effect, Emergency, Event, FINGER_MISSES_MAX, FingerPrompt, IDLE_DEFAULT,
    PARTIAL_IDLE_MAX, PARTIAL_MAX, PLACED_AFTER, PROVING_MAX, Prompt, REPEAT_TAP_MAX, SESSION_MAX,
    Session, State, UNLOCKING_MAX, Watch,
};
