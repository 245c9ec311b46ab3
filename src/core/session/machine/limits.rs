//! How long things may take, and how often: the session's numbers.

use std::time::Duration;

use wardkeep_model::access::policy::SHIFT_MAX;

/// A prompt that nobody touches ends after this.
pub const PARTIAL_IDLE_MAX: Duration = Duration::from_secs(30);
/// A prompt ends after this even if somebody keeps touching it.
pub const PARTIAL_MAX: Duration = Duration::from_secs(120);
/// The store has this long to answer. A slow disk or a busy machine takes some seconds for the derivation of a key;
/// whoever does not want to wait can cancel.
pub const UNLOCKING_MAX: Duration = Duration::from_secs(30);
/// The card has this long to prove itself.
pub const PROVING_MAX: Duration = Duration::from_secs(10);
/// Presenting the same token again within this time is one tap.
pub const REPEAT_TAP_MAX: Duration = Duration::from_secs(3);
/// A badge that stays in the field this long was laid down, not tapped: taking it away locks.
pub const PLACED_AFTER: Duration = Duration::from_secs(3);
/// Default time without a touch until an open session locks.
pub const IDLE_DEFAULT: Duration = Duration::from_secs(120);
/// A session ends after this even if somebody keeps touching it (SP 800-63B: 12 h over all).
pub const SESSION_MAX: Duration = SHIFT_MAX;
/// Fingers in a row that match nobody, until the finger counts no more (SP 800-63B: 5).
pub const FINGER_MISSES_MAX: u8 = 5;
/// A token for the emergency view has to be presented within this time.
pub(super) const TOKEN_MAX: Duration = Duration::from_secs(30);
