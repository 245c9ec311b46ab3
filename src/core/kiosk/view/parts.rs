//! Parts that several pages show: a patient, a tile, a device, the PIN pad.
//!
//! S-7: a tile without a current value carries no number, only how long ago the last one was.

use std::time::Duration;

use wardkeep_model::access::factor::TokenKind;
use wardkeep_model::alarm::Priority;
use wardkeep_model::confidential::Phi;
use wardkeep_model::encounter::Sex;
use wardkeep_model::keeping::inventory::Identity;
use wardkeep_model::ports::PairingStep;
use wardkeep_model::vitals::parameter::Parameter;
use wardkeep_model::vitals::{DeviceId, DeviceKind};

use crate::kiosk::view::time::TimeOfDay;
use crate::session::FingerPrompt;

/// The patient banner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatientBanner {
    /// Family name.
    pub family: Phi<String>,
    /// Given names.
    pub given: Phi<String>,
    /// Age in whole years.
    pub age_years: Option<Phi<i16>>,
    /// Sex.
    pub sex: Phi<Sex>,
    /// Date of birth, ISO 8601.
    pub born: Option<Phi<String>>,
    /// Patient number; may be empty.
    pub mrn: Phi<String>,
}

/// Why a PIN is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinPurpose {
    /// To unlock.
    Unlock,
    /// Choose one: at first start, at enrolment, or one's own.
    Choose,
    /// Type it again.
    Repeat,
    /// The card's PIN, for the sign test of its enrolment.
    SignTest,
    /// Another IT person vouches.
    Vouch,
}

/// The PIN pad.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PinPrompt {
    /// Why.
    pub purpose: PinPurpose,
    /// What was presented; the words differ for a card.
    pub token: TokenKind,
    /// A finger does as well.
    pub finger: Option<FingerPrompt>,
    /// Counts prompts: when it changes, the pad's buffer is wiped.
    pub prompt: u64,
    /// The last PIN of this prompt's badge was refused: shake once.
    pub refused: bool,
    /// Tries left, once there have been three failures.
    pub tries_left: Option<u8>,
    /// Seconds until a PIN may be tried.
    pub wait_s: Option<u64>,
    /// The key is being derived.
    pub busy: bool,
}

/// Why a tile has or lacks a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TileState {
    /// The number is current.
    Current,
    /// No value came for too long; the link stands.
    Stale,
    /// The link is lost; the driver reconnects.
    LinkLost,
    /// Linked, but the sensor gives no value (finger out, no contact).
    NoValue,
    /// Linking for the first time.
    Connecting,
    /// No device for this parameter is assigned.
    NoDevice,
}

/// One numeric.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tile {
    /// What.
    pub parameter: Parameter,
    /// The digits; `None` shows as dashes (S-7).
    pub value: Option<Phi<String>>,
    /// Its unit, as people write it.
    pub unit: &'static str,
    /// Lower alarm limit.
    pub limit_low: Option<String>,
    /// Upper alarm limit.
    pub limit_high: Option<String>,
    /// Name of the source device; empty without one.
    pub source: String,
    /// Why it is that one; `None` where no other of its kind is assigned.
    pub one_of: Option<OneOf>,
    /// Age of the value shown, or of the last one when `value` is `None`.
    pub age: Option<Duration>,
    /// The last value, shown muted with its age when `value` is `None`.
    pub last: Option<Phi<String>>,
    /// Why.
    pub state: TileState,
    /// The device calls the signal weak or the value low in quality.
    pub weak_signal: bool,
    /// The alarm on this parameter.
    pub alarm: Option<Priority>,
    /// Somebody has acknowledged it.
    pub is_seen: bool,
}

/// Why this one of several devices of a kind is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OneOf {
    /// It was assigned before the others.
    First,
    /// Somebody asked for it.
    Chosen,
    /// The one that was shown before had no value.
    Instead,
}

/// How a device stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceState {
    /// Advertising nearby, not linked.
    Near,
    /// Known, not heard.
    Away,
    /// Linking.
    Connecting,
    /// Live.
    Live,
    /// The link broke; reconnecting.
    Lost,
}

/// Whose a device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// Nobody's.
    Nobody,
    /// The patient at this bed, since hour and minute.
    ThisPatient(TimeOfDay),
    /// Somebody who is not at this bed any more.
    AnotherPatient,
    /// Nobody knows whose: it is watched without records.
    Unknown,
}

/// One device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceRow {
    /// Its address.
    pub id: DeviceId,
    /// Its cleaned name.
    pub name: String,
    /// What it measures.
    pub kind: DeviceKind,
    /// How it stands.
    pub state: DeviceState,
    /// Whose it is.
    pub owner: Owner,
    /// Who it is, in its own words.
    pub identity: Identity,
    /// It was linked once, and has a page of its own.
    pub has_page: bool,
    /// Its current value with unit, e.g. `97 %`; empty without one.
    pub reading: Phi<String>,
    /// Battery in percent.
    pub battery_percent: Option<u8>,
    /// How far its pairing has come, or that its bond was lost.
    pub pairing: Option<PairingStep>,
    /// It was bonded and offers something else since: nothing of it counts until it is paired again.
    pub is_changed: bool,
    /// Its link waits for a place on the controller.
    pub has_no_room: bool,
    /// Whether its values are the ones on the screen; `None` where no other of its kind is assigned.
    pub is_shown: Option<bool>,
    /// Connect is offered.
    pub can_connect: bool,
    /// Pairing is offered.
    pub can_pair: bool,
    /// Assign is offered.
    pub can_assign: bool,
    /// Showing it instead of the one that is shown is offered.
    pub can_show: bool,
    /// Release is offered.
    pub can_release: bool,
}
