//! What is said of spot readings: what a value is, when it was measured, why it waits.

use std::time::Duration;

use slint::SharedString;

use wardkeep_core::kiosk::view::readings::{
    AskedReading, Because, JustFiled, SpotLine, SpotRemark, SpotTime, SpotWhat, TrayLine,
};
use wardkeep_model::vitals::spot::Meal;

use crate::bridge::words::{Said, Words, bedside, joined, tr};
use crate::bridge::{lines, times};
use crate::glyphs;

/// What a value is.
pub(in crate::bridge) fn what(words: &Words, what: SpotWhat) -> SharedString {
    words.say(match what {
        SpotWhat::BloodPressure => tr("Blood pressure"),
        SpotWhat::MeanPressure => tr("Mean pressure"),
        SpotWhat::Pulse => tr("Pulse"),
        SpotWhat::Saturation => tr("SpO₂"),
        SpotWhat::Temperature => tr("Temperature"),
        SpotWhat::Glucose => tr("Glucose"),
        SpotWhat::Weight => tr("Weight"),
        SpotWhat::Height => tr("Height"),
        SpotWhat::MassIndex => tr("Body mass index"),
        SpotWhat::BodyFat => tr("Body fat"),
        SpotWhat::Other => tr("Other value"),
    })
}

/// Value and unit of a line.
pub(in crate::bridge) fn short(line: &SpotLine) -> SharedString {
    slint::format!("{} {}", line.digits.reveal(), line.unit)
}

/// Everything but the first value, and what the device says of it.
pub(in crate::bridge) fn also(words: &Words, row: &TrayLine) -> SharedString {
    let rest = row.lines.iter().skip(1);
    let rest = rest.map(|line| slint::format!("{} {}", what(words, line.what), short(line)));
    let said = row.remarks.iter().map(|one| remark(words, *one));
    joined(&rest.chain(said).collect::<Vec<SharedString>>())
}

/// What its device says of a reading.
pub(in crate::bridge) fn remarks(words: &Words, remarks: &[SpotRemark]) -> SharedString {
    let told: Vec<SharedString> = remarks.iter().map(|one| remark(words, *one)).collect();
    if told.is_empty() {
        return SharedString::default();
    }
    words.fill(tr("The device says: {}"), &[&joined(&told)])
}

fn remark(words: &Words, remark: SpotRemark) -> SharedString {
    words.say(match remark {
        SpotRemark::IrregularPulse => tr("irregular pulse"),
        SpotRemark::Moved => tr("the patient moved"),
        SpotRemark::CuffLoose => tr("cuff too loose"),
        SpotRemark::ArmHeldWrongly => tr("arm held wrongly"),
        SpotRemark::PulseBeyond => tr("pulse beyond the device's range"),
        SpotRemark::WeakSignal => tr("weak signal"),
        SpotRemark::Estimate => tr("an early estimate"),
        SpotRemark::DeviceAlert => tr("the device shows an alert"),
        SpotRemark::AlternateSite => tr("not from a finger"),
        SpotRemark::Meal(Meal::Preprandial) => tr("before a meal"),
        SpotRemark::Meal(Meal::Postprandial) => tr("after a meal"),
        SpotRemark::Meal(Meal::Fasting) => tr("fasting"),
        SpotRemark::Meal(Meal::Casual) => tr("between meals"),
        SpotRemark::Meal(Meal::Bedtime) => tr("at bedtime"),
        SpotRemark::User(user) => {
            return words.fill(tr("user {} of the device"), &[&user.to_string()]);
        }
    })
}

/// When it was measured, how long ago, and how sure that is, with its bars.
pub(in crate::bridge) fn time(
    words: &Words,
    time: SpotTime,
) -> (SharedString, SharedString, SharedString, i32) {
    match time {
        SpotTime::Live(at, ago) => {
            let trust = words.say(tr("as it came"));
            (times::of_day(at), bedside::since(words, ago), trust, 3)
        }
        SpotTime::Sure(at, ago) => {
            let trust = words.say(tr("by its clock, compared with ours"));
            (times::of_day(at), bedside::since(words, ago), trust, 3)
        }
        SpotTime::Earlier(at) => {
            let trust = words.say(tr("by its clock, compared with ours"));
            (times::on_day(at), SharedString::default(), trust, 3)
        }
        SpotTime::Unknown(came) => (
            words.say(tr("no time")),
            words.fill(tr("came at {}"), &[&times::of_day(came)]),
            words.say(tr("its clock is not to be trusted")),
            0,
        ),
    }
}

/// What else the device is.
pub(in crate::bridge) fn device_facts(words: &Words, asked: &AskedReading) -> SharedString {
    if asked.has_twins {
        words.say(tr("Another one of its kind is near: compare the label."))
    } else {
        super::devices::kind(words, asked.kind)
    }
}

/// The patient's last one of the same kind.
pub(in crate::bridge) fn before(words: &Words, asked: &AskedReading) -> SharedString {
    let Some((values, when)) = &asked.before else { return SharedString::default() };
    let values: Vec<SharedString> = values.iter().map(short).collect();
    let (at, ..) = time(words, *when);
    words.fill(tr("Last time: {} · {}"), &[&joined(&values), &at])
}

/// How many others wait.
pub(in crate::bridge) fn others(words: &Words, count: usize) -> SharedString {
    match count {
        0 => SharedString::default(),
        1 => words.say(tr("1 other reading waits.")),
        many => words.fill(tr("{} other readings wait."), &[&many.to_string()]),
    }
}

/// Why a reading is in the tray.
pub(in crate::bridge) fn because(words: &Words, because: &Because) -> SharedString {
    match because {
        Because::Unasked => words.say(tr("Nobody has said whose it is")),
        Because::Refused(name) if name.reveal().is_empty() => {
            words.say(tr("Not that of the patient who was here"))
        }
        Because::Refused(name) => {
            words.fill(tr("“Not this patient”: {}"), &[&glyphs::drawable(name.reveal())])
        }
        Because::NoTime => words.say(tr("Its device does not know when it was")),
        Because::Before => words.say(tr("From before this patient was here")),
        Because::Filed => words.say(tr("Filed to this patient")),
    }
}

/// How long it stays.
pub(in crate::bridge) fn left(words: &Words, left: Duration) -> SharedString {
    let minutes = left.as_secs().div_ceil(60);
    let (hours, rest) = ((minutes / 60).to_string(), (minutes % 60).to_string());
    if minutes < 60 {
        words.fill(tr("{} min left"), &[&rest])
    } else {
        words.fill(tr("{} h {} min left"), &[&hours, &rest])
    }
}

/// How many wait.
pub(in crate::bridge) fn waiting(words: &Words, count: usize) -> SharedString {
    match count {
        0 => SharedString::default(),
        1 => words.say(tr("1 waits here; it is in nobody's record.")),
        many => words.fill(tr("{} wait here; none is in anybody's record."), &[&many.to_string()]),
    }
}

/// A reading was filed, and can be put back for a moment.
pub(in crate::bridge) fn just_filed(words: &Words, filed: &JustFiled) -> Said {
    let patient = lines::patient(&filed.patient, words);
    Said {
        fact: words.fill(tr("Filed for {}."), &[&patient.name]),
        advice: words.fill(tr("You can undo it for {} s."), &[&filed.seconds_left.to_string()]),
    }
}
