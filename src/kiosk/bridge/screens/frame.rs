//! The frame around every page: banner, rail, alarm strip, notices, language; and the touch keyboard.
//!
//! S-1: without an open session it names nobody.

use std::rc::Rc;

use slint::platform::{Key, WindowEvent};
use slint::{ComponentHandle, ModelRc, SharedString, VecModel};

use wardkeep_core::config::Language;
use wardkeep_core::kiosk::intent::Intent;
use wardkeep_core::kiosk::view::records::{FindingNotice, TakingOver};
use wardkeep_core::kiosk::view::{Clock, View};
use wardkeep_core::kiosk::{alarm, frame};
use wardkeep_model::notice::{Level, Notice};
use wardkeep_ui::{self as ui, AppWindow};

use crate::bridge::port::Port;
use crate::bridge::vocabulary::{self, records};
use crate::bridge::words::{Words, notices};
use crate::bridge::{lines, spans};

/// What the frame remembers.
pub(super) struct Frame {
    /// Pages of the rail.
    pages: Rc<VecModel<ui::PageName>>,
}

impl Frame {
    /// Connects the frame's controls and the keyboard.
    pub(super) fn connect(port: &Rc<Port>, window: &AppWindow) -> Self {
        let frame = window.global::<ui::Frame>();
        let pages = Rc::new(VecModel::default());
        frame.set_pages(ModelRc::from(Rc::clone(&pages)));
        let send = |intent: Intent| {
            let port = Rc::clone(port);
            move || port.send(intent.clone())
        };
        frame.on_lock(send(frame::Intent::Lock.into()));
        frame.on_acknowledge(send(alarm::Intent::Acknowledge.into()));
        frame.on_pause_sound(send(alarm::Intent::PauseAudio.into()));
        frame.on_dismiss_notice(send(frame::Intent::DismissNotice.into()));
        frame.on_dismiss_finding(send(frame::Intent::DismissFinding.into()));
        frame.on_cancel(send(frame::Intent::Cancel.into()));
        let here = Rc::clone(port);
        frame.on_activity(move || here.activity());
        let here = Rc::clone(port);
        frame.on_open_page(move |page| here.send(frame::Intent::Open(vocabulary::page(page))));
        let here = Rc::clone(port);
        frame.on_speak_german(move |german| {
            let language = if german { Language::German } else { Language::English };
            here.send(frame::Intent::SetLanguage(language));
        });
        keyboard(port, window);
        Self { pages }
    }

    /// Shows the frame of `view` around this kind of screen.
    pub(super) fn show(
        &self,
        window: &AppWindow,
        view: &View,
        kind: ui::ScreenKind,
        words: &Words,
    ) {
        let frame = window.global::<ui::Frame>();
        frame.set_german(view.language == Language::German);
        frame.set_screen(kind);
        frame.set_open(view.open.is_some());
        let open = view.open.as_ref();
        frame.set_operator(open.map(|open| lines::operator(&open.operator)).unwrap_or_default());
        let pages =
            open.map(|open| open.pages.iter().map(|page| vocabulary::place(*page)).collect());
        lines::sync(&self.pages, pages.unwrap_or_default());
        let enrolling = open.and_then(|open| open.enrolling.as_ref());
        frame.set_enrolling(enrolling.map(|name| name.reveal().into()).unwrap_or_default());
        let patient = open.and_then(|open| open.patient.as_ref());
        frame.set_patient(patient.map(lines::patient).unwrap_or_default());
        frame.set_time(lines::time_of_day(view.clock.hour, view.clock.minute));
        frame.set_weekday(i32::from(view.clock.weekday));
        frame.set_day(i32::from(view.clock.day));
        frame.set_month(i32::from(view.clock.month));
        frame.set_bed((&view.bed).into());
        frame.set_ward((&view.ward).into());
        frame.set_simulated(view.simulated);
        frame.set_alarm(lines::alarm(view.alarm.as_ref(), words));
        let told = view.notice.map(|notice| notices::notice(words, notice)).unwrap_or_default();
        frame.set_notice(told.fact);
        frame.set_notice_level(view.notice.map_or(ui::NoticeLevel::Hint, level));
        frame.set_notice_advice(told.advice);
        // Progress and findings are for whoever is logged in.
        let progress = open.and_then(|open| open.taking_over);
        let progress = progress.map(|far| taking_over(far, view.language));
        frame.set_taking_over(progress.unwrap_or_default());
        let finding = open.and_then(|open| open.finding);
        let finding = finding.map(|finding| notice(&finding, view.clock));
        frame.set_finding(finding.unwrap_or_default());
    }

    /// S-1: names nobody any more.
    pub(super) fn conceal(window: &AppWindow) {
        let frame = window.global::<ui::Frame>();
        frame.set_patient(ui::PatientLine::default());
        frame.set_operator(ui::OperatorLine::default());
        frame.set_enrolling(SharedString::default());
    }
}

fn level(notice: Notice) -> ui::NoticeLevel {
    match notice.row().level {
        Level::Done => ui::NoticeLevel::Done,
        Level::Hint => ui::NoticeLevel::Hint,
        Level::Fault => ui::NoticeLevel::Fault,
    }
}

/// The touch keyboard types into whatever field has the focus, as a keyboard would.
fn keyboard(port: &Rc<Port>, window: &AppWindow) {
    let global = window.global::<ui::Keyboard>();
    let here = Rc::clone(port);
    let strike = move |text: SharedString| {
        let Some(window) = here.window() else { return };
        for event in
            [WindowEvent::KeyPressed { text: text.clone() }, WindowEvent::KeyReleased { text }]
        {
            if let Err(error) = window.window().dispatch_event_with_result(event) {
                tracing::error!(%error, "a key was not taken");
            }
        }
    };
    let erase = strike.clone();
    global.on_erase(move || erase(Key::Backspace.into()));
    global.on_strike(strike);
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
    let (from, to) = finding.span.map(|span| spans::words(span, Some(clock))).unwrap_or_default();
    ui::FindingLine {
        group: records::group(finding.group),
        count: i32::try_from(finding.count).unwrap_or(i32::MAX),
        from,
        to,
    }
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
    fn progress_never_runs_over_its_end() {
        for (done, total, share) in [(0, 0, 0.0), (1, 2, 0.5), (5, 4, 1.0), (u64::MAX, 1, 1.0)] {
            let line = taking_over(TakingOver { done, total }, Language::English);
            assert!((line.share - share).abs() < 0.001, "{done} of {total}");
        }
    }
}
