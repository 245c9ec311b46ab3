//! What the screen says of the store: progress, findings, trouble, the audit log's checkpoint.
//!
//! S-1: live values shown without a session are in a model of their own that every other screen
//! empties; progress and findings are an open session's.

use std::rc::Rc;

use jiff::civil::{Date, DateTime};
use jiff::{RoundMode, ToSpan, Unit};
use slint::{ComponentHandle, Image, ModelRc, SharedString, VecModel};

use crate::bridge::vocabulary::{self, records};
use crate::bridge::window::Inner;
use crate::bridge::{lines, qr};
use wardkeep_core::config::Language;
use wardkeep_core::kiosk::intent::Intent;
use wardkeep_core::kiosk::view::records::{
    Checkpoint, FindingLine, FindingNotice, TakingOver, Trouble, Watch,
};
use wardkeep_core::kiosk::view::{Clock, View};
use wardkeep_ui::{self as ui, AppWindow};

/// Rows of the trouble screen.
#[derive(Default)]
pub struct Models {
    /// Live values of a bed, or of an unknown patient.
    pub vitals: Rc<VecModel<ui::VitalLine>>,
    /// Devices that can be watched.
    pub devices: Rc<VecModel<ui::DeviceLine>>,
}

impl Models {
    /// Gives the screen its rows.
    pub fn hand_to(&self, window: &AppWindow) {
        let global = window.global::<ui::Trouble>();
        global.set_vitals(ModelRc::from(Rc::clone(&self.vitals)));
        global.set_rows(ModelRc::from(Rc::clone(&self.devices)));
    }
}

/// Shows what is wrong, and what is monitored meanwhile.
pub fn show_trouble(inner: &Inner, window: &AppWindow, trouble: &Trouble) {
    let global = window.global::<ui::Trouble>();
    global.set_fault(vocabulary::fault(trouble.fault));
    global.set_watch(records::watch(&trouble.watch));
    global.set_records(trouble.records);
    let models = &inner.models.records;
    let (tiles, rows) = match &trouble.watch {
        Watch::Nothing { offered } => {
            global.set_offered(*offered);
            (&[][..], &[][..])
        }
        Watch::Bed(tiles) => (&tiles[..], &[][..]),
        Watch::Unknown { tiles, rows, radio } => {
            global.set_radio(vocabulary::radio(*radio));
            (&tiles[..], &rows[..])
        }
    };
    lines::sync(&models.vitals, tiles.iter().map(lines::tile).collect());
    let rows = lines::steady(&models.devices, rows.iter().map(lines::device).collect());
    lines::sync(&models.devices, rows);
}

/// Forgets the live values that were shown without a session.
pub fn leave_trouble(inner: &Inner) {
    lines::sync(&inner.models.records.vitals, Vec::new());
    lines::sync(&inner.models.records.devices, Vec::new());
}

/// Shows progress and findings to whoever is logged in; empties both without a session.
pub fn frame(window: &AppWindow, view: &View) {
    let global = window.global::<ui::Frame>();
    let progress = view.open.as_ref().and_then(|open| open.taking_over);
    global.set_taking_over(progress.map(|far| taking_over(far, view.language)).unwrap_or_default());
    let finding = view.open.as_ref().and_then(|open| open.finding);
    global.set_finding(finding.map(|finding| notice(&finding, view.clock)).unwrap_or_default());
}

/// Shows the checkpoint, or that it is being made.
pub fn show_checkpoint(window: &AppWindow, checkpoint: &Checkpoint) {
    let global = window.global::<ui::Audit>();
    global.set_checkpoint(records::checkpoint(checkpoint));
    match checkpoint {
        Checkpoint::Shown(text) if global.get_signed() != text.as_str() => {
            let theme = window.global::<ui::Theme>();
            global.set_code(qr::draw(text, theme.get_qr_ink(), theme.get_qr_ground()));
            global.set_signed(text.into());
        }
        Checkpoint::Shown(_) => {}
        Checkpoint::Hidden | Checkpoint::Asked => leave_checkpoint(window),
    }
}

/// Forgets the checkpoint.
pub fn leave_checkpoint(window: &AppWindow) {
    let global = window.global::<ui::Audit>();
    global.set_signed(SharedString::default());
    global.set_code(Image::default());
}

/// Connects the controls.
pub fn connect(inner: &Rc<Inner>, window: &AppWindow) {
    let send = |intent: Intent| {
        let inner = Rc::clone(inner);
        move || inner.send(intent.clone())
    };
    window.global::<ui::Frame>().on_dismiss_finding(send(Intent::DismissFinding));
    window.global::<ui::Audit>().on_show_checkpoint(send(Intent::ShowCheckpoint));
    let trouble = window.global::<ui::Trouble>();
    trouble.on_begin_watch(send(Intent::BeginWatch));
    trouble.on_end_watch(send(Intent::EndWatch));
}

/// Fills a finding into a line of the audit log.
pub fn in_audit(entry: ui::AuditEntry, finding: Option<&FindingLine>) -> ui::AuditEntry {
    let Some(finding) = finding else { return entry };
    let number = |seq: Option<u64>| seq.map(|seq| slint::format!("{seq}")).unwrap_or_default();
    let (from, to) = finding.span.map(|span| span_words(span, None)).unwrap_or_default();
    ui::AuditEntry {
        finding: records::found(finding.kind),
        amount: i32::try_from(finding.count).unwrap_or(i32::MAX),
        found: number(finding.found),
        expected: number(finding.expected),
        from,
        to,
        ..entry
    }
}

fn taking_over(far: TakingOver, language: Language) -> ui::ProgressLine {
    let TakingOver { done, total } = far;
    // Thousandths are finer than a pixel.
    let thousandths = done.saturating_mul(1000).checked_div(total).unwrap_or_default().min(1000);
    ui::ProgressLine {
        shown: true,
        done: grouped(done, language),
        total: grouped(total, language),
        share: f32::from(u16::try_from(thousandths).unwrap_or(1000)) / 1000.0,
    }
}

fn notice(finding: &FindingNotice, clock: Clock) -> ui::FindingLine {
    let (from, to) = finding.span.map(|span| span_words(span, Some(clock))).unwrap_or_default();
    ui::FindingLine {
        group: records::group(finding.group),
        count: i32::try_from(finding.count).unwrap_or(i32::MAX),
        from,
        to,
    }
}

/// Both ends in whole minutes, the second one rounded up; without the day where everything is of today.
fn span_words(
    (from, to): (DateTime, DateTime),
    today: Option<Clock>,
) -> (SharedString, SharedString) {
    let whole = |at: DateTime, mode| {
        let rounded = at.round(jiff::civil::DateTimeRound::new().smallest(Unit::Minute).mode(mode));
        rounded.unwrap_or(at)
    };
    let from = whole(from, RoundMode::Trunc);
    let mut to = whole(to, RoundMode::Ceil);
    if to <= from {
        to = from.checked_add(1.minute()).unwrap_or(from);
    }
    let is_today =
        |day: Date| today.is_some_and(|clock| (day.day(), day.month()) == (clock.day, clock.month));
    let words = |at: DateTime| {
        let time = lines::time_of_day(at.hour(), at.minute());
        if is_today(from.date()) && is_today(to.date()) {
            time
        } else {
            slint::format!("{} {time}", at.date())
        }
    };
    (words(from), words(to))
}

/// `129,600`, or `129.600` in German.
fn grouped(amount: u64, language: Language) -> SharedString {
    let mark = match language {
        Language::English => ",",
        Language::German => ".",
    };
    let digits = amount.to_string();
    let mut text = SharedString::default();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push_str(mark);
        }
        text.push_str(digit.encode_utf8(&mut [0; 4]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart_as_the_language_does_it() {
        for (amount, english, german) in [
            (0, "0", "0"),
            (999, "999", "999"),
            (1000, "1,000", "1.000"),
            (129_600, "129,600", "129.600"),
            (u64::MAX, "18,446,744,073,709,551,615", "18.446.744.073.709.551.615"),
        ] {
            assert_eq!(grouped(amount, Language::English), english);
            assert_eq!(grouped(amount, Language::German), german);
        }
    }

    #[test]
    fn a_span_is_told_in_minutes_and_with_its_day_where_that_is_not_today() {
        let today = Clock { day: 22, month: 11, ..Clock::default() };
        let at = |text: &str| text.parse::<DateTime>().unwrap();
        for (from, to, told) in [
            ("2026-11-22T02:10:59", "2026-11-22T02:13:01", ("02:10", "02:14")),
            ("2026-11-22T02:10:00", "2026-11-22T02:10:00", ("02:10", "02:11")),
            (
                "2026-11-21T23:50:00",
                "2026-11-22T00:10:00",
                ("2026-11-21 23:50", "2026-11-22 00:10"),
            ),
        ] {
            let (from, to) = span_words((at(from), at(to)), Some(today));
            assert_eq!((from.as_str(), to.as_str()), told);
        }
        let (from, _) = span_words((at("2026-11-22T02:10:00"), at("2026-11-22T02:11:00")), None);
        assert_eq!(from, "2026-11-22 02:10", "the log always says the day");
    }

    #[test]
    fn progress_never_runs_over_its_end() {
        for (done, total, share) in [(0, 0, 0.0), (1, 2, 0.5), (5, 4, 1.0), (u64::MAX, 1, 1.0)] {
            let line = taking_over(TakingOver { done, total }, Language::English);
            assert!((line.share - share).abs() < 0.001, "{done} of {total}");
        }
    }
}
