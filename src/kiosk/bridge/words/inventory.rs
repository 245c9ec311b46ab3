//! What is said of the devices of this cart: how each stands, and what somebody has to do about it.

use jiff::civil::Date;
use slint::SharedString;

use wardkeep_core::inventory::Task;
use wardkeep_core::kiosk::view::Owner;
use wardkeep_core::kiosk::view::inventory::{
    DeviceClock, DeviceFacts, DevicePage, FrameLine, Inventory, LastSeen,
};
use wardkeep_model::keeping::inventory::{Counts, Identity};
use wardkeep_model::ports::{PairingFault, PairingStep};
use wardkeep_model::vitals::DeviceKind;
use wardkeep_model::vitals::nomenclature::Absent;

use crate::bridge::times;
use crate::bridge::words::{Said, Words, bedside, devices, joined, tr};
use crate::glyphs;

/// A clock that is off by so many seconds was never set since its battery was changed.
const NEVER_SET_S: u64 = 2 * 86_400;

/// How many there are.
pub(in crate::bridge) fn total(words: &Words, page: &Inventory) -> SharedString {
    match page.rows.len() {
        1 => words.say(tr("1 device")),
        many => words.fill(tr("{} devices"), &[&many.to_string()]),
    }
}

/// How many of them need nobody.
pub(in crate::bridge) fn in_order(words: &Words, page: &Inventory) -> SharedString {
    match page.rows.iter().filter(|row| row.tasks.is_empty()).count() {
        0 => SharedString::default(),
        1 => words.say(tr("1 device is in order.")),
        many => words.fill(tr("{} devices are in order."), &[&many.to_string()]),
    }
}

/// Model, by the maker's name where it says one.
pub(in crate::bridge) fn model(identity: &Identity) -> SharedString {
    let maker = glyphs::drawable(&identity.maker);
    let model = glyphs::drawable(&identity.model);
    match (maker.is_empty(), model.starts_with(maker.as_str())) {
        (true, _) | (false, true) => model,
        (false, false) => slint::format!("{maker} {model}"),
    }
}

/// Model and serial number of a device; what it measures where it does not say its model.
pub(in crate::bridge) fn model_and_serial(
    words: &Words,
    identity: &Identity,
    kind: DeviceKind,
) -> SharedString {
    let model = model(identity);
    let model = if model.is_empty() { devices::kind(words, kind) } else { model };
    joined(&[model, glyphs::drawable(&identity.serial)])
}

/// Its firmware, if it says that.
pub(in crate::bridge) fn firmware(words: &Words, identity: &Identity) -> SharedString {
    let firmware = glyphs::drawable(&identity.firmware);
    said(words.fill(tr("firmware {}"), &[&firmware]), &firmware)
}

/// Kind, model, serial number and firmware, as far as they are known.
pub(in crate::bridge) fn about(words: &Words, facts: &DeviceFacts) -> SharedString {
    let serial = &facts.identity.serial;
    let serial = said(words.fill(tr("serial {}"), &[&glyphs::drawable(serial)]), serial);
    let firmware = firmware(words, &facts.identity);
    joined(&[devices::kind(words, facts.kind), model(&facts.identity), serial, firmware])
}

fn said(text: SharedString, of: &str) -> SharedString {
    if of.is_empty() { SharedString::default() } else { text }
}

/// What is left of the battery.
pub(in crate::bridge) fn battery(facts: &DeviceFacts) -> SharedString {
    facts.battery.map(|(percent, _)| slint::format!("{percent} %")).unwrap_or_default()
}

/// For how long.
pub(in crate::bridge) fn lasts(words: &Words, facts: &DeviceFacts) -> SharedString {
    let days = facts.battery.and_then(|(_, days)| days);
    days.map(|days| span(words, days)).unwrap_or_default()
}

/// Days, weeks or months, as exactly as a forecast is.
fn span(words: &Words, days: u32) -> SharedString {
    match days {
        0 => words.say(tr("today")),
        1 => words.say(tr("1 day")),
        2..=20 => words.fill(tr("{} days"), &[&days.to_string()]),
        21..=90 => words.fill(tr("{} weeks"), &[&(days / 7).to_string()]),
        91.. => words.fill(tr("{} months"), &[&(days / 30).to_string()]),
    }
}

/// When it was linked last.
pub(in crate::bridge) fn seen(words: &Words, facts: &DeviceFacts) -> SharedString {
    match facts.seen {
        LastSeen::Now => words.say(tr("now")),
        LastSeen::Ago(ago) => bedside::since(words, ago),
    }
}

/// How its clock stands, and what was done about it.
pub(in crate::bridge) fn clock(words: &Words, facts: &DeviceFacts) -> Said {
    match facts.clock {
        DeviceClock::Unread => Said { fact: words.say(tr("no clock")), ..Said::default() },
        DeviceClock::Ahead(seconds) => Said { fact: off(words, seconds), ..Said::default() },
        DeviceClock::Set(seconds) => {
            Said { fact: off(words, seconds), advice: words.say(tr("put right")) }
        }
    }
}

/// `+2 s`, or in the unit that says it.
fn off(words: &Words, seconds: i64) -> SharedString {
    let sign = if seconds < 0 { "\u{2212}" } else { "+" };
    let length = seconds.unsigned_abs();
    match length {
        0 => "0 s".into(),
        1..=119 => slint::format!("{sign}{length} s"),
        120..=7_199 => slint::format!("{sign}{} min", length / 60),
        7_200..NEVER_SET_S => slint::format!("{sign}{} h", length / 3_600),
        // Nobody set it since its battery was changed.
        NEVER_SET_S.. => words.say(tr("not set")),
    }
}

/// By when it has to be calibrated.
pub(in crate::bridge) fn calibration(due: Option<Date>) -> SharedString {
    due.map(|due| slint::format!("{due}")).unwrap_or_default()
}

/// Whether it was in order when it measured last.
pub(in crate::bridge) fn check(words: &Words, check: Option<Option<Absent>>) -> SharedString {
    match check {
        None => SharedString::default(),
        Some(None) => words.say(tr("in order")),
        Some(Some(fault)) => words.say(broken(fault)),
    }
}

fn broken(fault: Absent) -> super::Sentence {
    if fault == Absent::SensorMalfunction {
        tr("its sensor is broken")
    } else {
        tr("it says it is broken")
    }
}

/// Everything of a row in one line.
pub(in crate::bridge) fn facts(words: &Words, facts: &DeviceFacts) -> SharedString {
    let lasts = lasts(words, facts);
    let battery = joined(&[battery(facts), lasts]);
    let seen = words.fill(tr("seen {}"), &[&seen(words, facts)]);
    let clock = match facts.clock {
        DeviceClock::Unread => SharedString::default(),
        DeviceClock::Ahead(_) | DeviceClock::Set(_) => {
            words.fill(tr("clock {}"), &[&clock(words, facts).fact])
        }
    };
    let due = facts.calibration_due;
    let due = due.map(|due| words.fill(tr("calibration {}"), &[&due.to_string()]));
    joined(&[battery, seen, clock, due.unwrap_or_default()])
}

/// What has to be done, and by whom.
pub(in crate::bridge) fn task(words: &Words, task: &Task) -> Said {
    let (fact, who) = match task {
        Task::Broken(_) => (
            words.say(tr("It says that it or its sensor is broken. Do not use it.")),
            tr("Medical technology, now"),
        ),
        Task::CalibrationOver(due) => (
            words.fill(tr("Its calibration was due on {}."), &[&due.to_string()]),
            tr("Medical technology, now"),
        ),
        Task::ClockWrong(seconds) if seconds.unsigned_abs() >= NEVER_SET_S => (
            words
                .say(tr("Its clock was never set and does not let itself be set. Set it by hand.")),
            tr("The ward, before it is used"),
        ),
        Task::ClockWrong(seconds) => (
            words.fill(
                tr("Its clock is off by {} and does not let itself be set. Set it by hand."),
                &[&off(words, *seconds)],
            ),
            tr("The ward, before it is used"),
        ),
        Task::BatteryEnds { days: 0, percent } => (
            words.fill(tr("Its battery is at {} %. Change or charge it."), &[&percent.to_string()]),
            tr("The ward, today"),
        ),
        Task::BatteryEnds { days, .. } => (
            words.fill(tr("Its battery lasts about {} more."), &[&span(words, *days)]),
            tr("The ward, before that"),
        ),
        Task::CalibrationDue(due) => (
            words.fill(tr("Its calibration is due on {}."), &[&due.to_string()]),
            tr("Medical technology, before that"),
        ),
        Task::FirmwareOld(version) => (
            words.fill(
                tr("Its firmware is older than {}, which this site takes."),
                &[&glyphs::drawable(version)],
            ),
            tr("IT"),
        ),
        Task::Unseen(days) => (
            words.fill(tr("Nobody has used it for {}. Look for it."), &[&span(words, *days)]),
            tr("The ward"),
        ),
    };
    Said { fact, advice: words.say(who) }
}

/// How a device is bonded to this cart.
pub(in crate::bridge) fn bond(words: &Words, page: &DevicePage) -> Said {
    if page.is_changed {
        return Said {
            fact: words.say(tr("not the device that was paired")),
            advice: words.say(tr("Nothing of it counts until it is paired again.")),
        };
    }
    if page.pairing == Some(PairingStep::Failed(PairingFault::LostBond)) {
        return Said {
            fact: words.say(tr("has forgotten this cart")),
            advice: words.say(tr("Pair it again.")),
        };
    }
    let fact = if page.is_bonded { tr("paired, encrypted") } else { tr("not paired") };
    Said { fact: words.say(fact), ..Said::default() }
}

/// What each card of a device's page is.
pub(in crate::bridge) fn names(words: &Words) -> [SharedString; 7] {
    [
        tr("Connection"),
        tr("Bond"),
        tr("Self-check"),
        tr("Clock"),
        tr("Calibration due"),
        tr("Assigned to"),
        tr("What went wrong"),
    ]
    .map(|name| words.say(name))
}

/// When it was linked last, in a line of its own.
pub(in crate::bridge) fn seen_line(words: &Words, facts: &DeviceFacts) -> SharedString {
    words.fill(tr("last seen: {}"), &[&seen(words, facts)])
}

/// It has not measured yet.
pub(in crate::bridge) fn unknown(words: &Words) -> SharedString {
    words.say(tr("not known yet"))
}

/// The site has set no day.
pub(in crate::bridge) fn no_day(words: &Words) -> SharedString {
    words.say(tr("no day is set"))
}

/// Whose it is.
pub(in crate::bridge) fn owner(words: &Words, owner: Owner) -> SharedString {
    devices::owner(words, owner)
}

/// What went wrong how often, since it is here.
pub(in crate::bridge) fn counts(words: &Words, page: &DevicePage) -> Said {
    let Counts { frames, unreadable, failed, cuts, longest_cut_s } = page.counts;
    let cuts = words.fill(
        tr("{0} link cuts, the longest {1} s"),
        &[&cuts.to_string(), &longest_cut_s.to_string()],
    );
    let frames = words
        .fill(tr("{0} of {1} frames unreadable"), &[&unreadable.to_string(), &frames.to_string()]);
    let failed = words.fill(tr("{} measurements without a value"), &[&failed.to_string()]);
    let since = words.fill(tr("since {}"), &[&times::on_day(page.since)]);
    Said { fact: cuts, advice: joined(&[frames, failed, since]) }
}

/// What is left of the battery and for how long, in one line.
pub(in crate::bridge) fn battery_line(words: &Words, facts: &DeviceFacts) -> SharedString {
    joined(&[battery(facts), lasts(words, facts)])
}

/// When a frame came.
pub(in crate::bridge) fn came(frame: &FrameLine) -> SharedString {
    let at = frame.at.at;
    slint::format!("{:02}:{:02}:{:02}", at.hour(), at.minute(), at.second())
}
