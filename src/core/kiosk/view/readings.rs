//! Spot readings on the screen: the one that is asked about, and the tray of those that are nobody's.

use std::time::Duration;

use wardkeep_model::confidential::Phi;
use wardkeep_model::encounter::SubjectId;
use wardkeep_model::vitals::parameter::Family;
use wardkeep_model::vitals::spot::Meal;
use wardkeep_model::vitals::{DeviceKind, RecordId};

use crate::kiosk::view::PatientBanner;
use crate::kiosk::view::time::{LocalTime, TimeOfDay};

/// What a value is, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpotWhat {
    /// Systolic over diastolic pressure.
    BloodPressure,
    /// Mean pressure.
    MeanPressure,
    /// Beats per minute.
    Pulse,
    /// Oxygen saturation.
    Saturation,
    /// Of the body.
    Temperature,
    /// Glucose in blood or tissue.
    Glucose,
    /// Of the body.
    Weight,
    /// Of the body.
    Height,
    /// Weight by the square of height.
    MassIndex,
    /// Part of the body that is fat.
    BodyFat,
    /// Whatever else a device measures.
    Other,
}

/// One value, or a pair that belongs together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpotLine {
    /// What.
    pub what: SpotWhat,
    /// Whose colour it has; none of its own where there is no tile.
    pub family: Option<Family>,
    /// `118/76`, in the device's digits.
    pub digits: Phi<String>,
    /// Its unit, as people write it.
    pub unit: &'static str,
}

/// When it was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpotTime {
    /// As it came.
    Live(TimeOfDay, Duration),
    /// By its device's clock, which was compared with ours.
    Sure(TimeOfDay, Duration),
    /// On an earlier day, by the same.
    Earlier(LocalTime),
    /// Nobody knows; it came then.
    Unknown(TimeOfDay),
}

/// What a device says of a reading that whoever files it should know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpotRemark {
    /// The pulse was irregular while it was measured.
    IrregularPulse,
    /// The patient moved.
    Moved,
    /// The cuff was too loose.
    CuffLoose,
    /// The arm was held wrongly.
    ArmHeldWrongly,
    /// The pulse was faster or slower than the device can tell.
    PulseBeyond,
    /// The signal was weak.
    WeakSignal,
    /// An early estimate.
    Estimate,
    /// The device shows an alert of its own.
    DeviceAlert,
    /// Not from a finger.
    AlternateSite,
    /// What the sample has to do with a meal.
    Meal(Meal),
    /// Which of its users it measured, by its own number.
    User(u8),
}

/// A reading that somebody is asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedReading {
    /// Which.
    pub record: RecordId,
    /// The patient it is offered to.
    pub subject: SubjectId,
    /// The same, for people.
    pub patient: PatientBanner,
    /// What it says; the first one is what the device is for.
    pub lines: Vec<SpotLine>,
    /// What its device says of it.
    pub remarks: Vec<SpotRemark>,
    /// What its device is.
    pub kind: DeviceKind,
    /// What people call it.
    pub device: String,
    /// Others of its name are near.
    pub has_twins: bool,
    /// When.
    pub time: SpotTime,
    /// The patient's last one of the same kind.
    pub before: Option<(Vec<SpotLine>, SpotTime)>,
    /// So many others wait.
    pub others: usize,
    /// The answer to another one is so fresh that a finger may still be on the way down.
    pub is_resting: bool,
}

/// Why a reading waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Because {
    /// Nobody has said whose it is.
    Unasked,
    /// Somebody has said that it is not that of the patient who was there.
    Refused(Phi<String>),
    /// Its device does not know when it was.
    NoTime,
    /// It was measured before this patient was at this bed.
    Before,
    /// It does not wait: it was filed to whoever is at this bed.
    Filed,
}

/// A reading in the tray, or one that was filed lately.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrayLine {
    /// Which.
    pub record: RecordId,
    /// What it says.
    pub lines: Vec<SpotLine>,
    /// What its device says of it.
    pub remarks: Vec<SpotRemark>,
    /// What its device is.
    pub kind: DeviceKind,
    /// What people call it.
    pub device: String,
    /// Why it is here.
    pub because: Because,
    /// When it was measured.
    pub time: SpotTime,
    /// How long it stays; none of one that was filed.
    pub left: Duration,
    /// Of the time that it may stay, this part is left: 0 to 100.
    pub left_percent: u8,
}

/// The tray.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tray {
    /// Those that wait, oldest first; then what was filed to whoever is at this bed, newest first.
    pub rows: Vec<TrayLine>,
    /// The chosen one.
    pub chosen: Option<RecordId>,
    /// Who is at this bed and can be said to be theirs.
    pub patient: Option<(SubjectId, PatientBanner)>,
    /// This role may say whose a reading is.
    pub may_file: bool,
}

/// A reading that was just filed, and can be put back for a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JustFiled {
    /// Which.
    pub record: RecordId,
    /// To whom.
    pub patient: PatientBanner,
    /// So long.
    pub seconds_left: u64,
}
