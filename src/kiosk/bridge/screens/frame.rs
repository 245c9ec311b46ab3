//! The frame around every page: banner, rail, alarm strip, notices, language; and the touch keyboard.
//!
//! S-1: without an open session it names nobody.

use std::cell::Cell;
use std::rc::Rc;

use slint::platform::{Key, WindowEvent};
use slint::{ComponentHandle, ModelRc, SharedString, VecModel};

use wardkeep_core::config::Language;
use wardkeep_core::kiosk::intent::Intent;
use wardkeep_core::kiosk::view::records::{FindingNotice, TakingOver};
use wardkeep_core::kiosk::view::{Clock, View};
use wardkeep_ui::{self as ui, AppWindow};

use crate::bridge::port::Port;
use crate::bridge::vocabulary::{self, records};
use crate::bridge::words::{Words, languages, notices};
use crate::bridge::{lines, spans};

/// What the frame remembers.
#[derive(Default)]
pub(super) struct Frame {
    /// Pages of the rail.
    pages: Rc<VecModel<ui::PageName>>,
    /// Letters of the touch keyboard, from top to bottom.
    keys: [Rc<VecModel<SharedString>>; 3],
    /// Whose letters they are.
    language: Cell<Option<Language>>,
}

impl Frame {
    /// Connects the frame's controls and the keyboard.
    pub(super) fn connect(port: &Rc<Port>, window: &AppWindow) -> Self {
        let (frame, rows) = (window.global::<ui::Frame>(), Self::default());
        frame.set_pages(ModelRc::from(Rc::clone(&rows.pages)));
        let names = Language::ALL.map(|language| languages::row(language).name.into());
        frame.set_languages(ModelRc::new(VecModel::from(names.to_vec())));
        let send = |intent: Intent| {
            let port = Rc::clone(port);
            move || port.send(intent.clone())
        };
        frame.on_lock(send(Intent::Lock));
        frame.on_acknowledge(send(Intent::AcknowledgeAlarms));
        frame.on_pause_sound(send(Intent::PauseAudio));
        frame.on_dismiss_notice(send(Intent::DismissNotice));
        frame.on_dismiss_finding(send(Intent::DismissFinding));
        frame.on_cancel(send(Intent::Cancel));
        let here = Rc::clone(port);
        frame.on_activity(move || here.activity());
        let here = Rc::clone(port);
        frame.on_open_page(move |page| here.send(Intent::Open(vocabulary::page(page))));
        let here = Rc::clone(port);
        frame.on_speak(move |place| {
            if let Some(language) = lines::at(&Language::ALL, place) {
                here.send(Intent::SetLanguage(language));
            }
        });
        keyboard(port, window);
        let [top, middle, bottom] = rows.keys.each_ref().map(|row| ModelRc::from(Rc::clone(row)));
        let keyboard = window.global::<ui::Keyboard>();
        keyboard.set_top(top);
        keyboard.set_middle(middle);
        keyboard.set_bottom(bottom);
        rows
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
        self.show_language(&frame, view.language);
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
        frame.set_notice_advice(told.advice);
        // Progress and findings are for whoever is logged in.
        let progress = open.and_then(|open| open.taking_over);
        let progress = progress.map(|far| taking_over(far, view.language));
        frame.set_taking_over(progress.unwrap_or_default());
        let finding = open.and_then(|open| open.finding);
        let finding = finding.map(|finding| notice(&finding, view.clock));
        frame.set_finding(finding.unwrap_or_default());
    }

    /// Marks the language that is spoken, and lays out its letters.
    fn show_language(&self, frame: &ui::Frame<'_>, language: Language) {
        if self.language.replace(Some(language)) == Some(language) {
            return;
        }
        frame.set_language(lines::place(&Language::ALL, language));
        for (keys, letters) in self.keys.iter().zip(languages::row(language).keys) {
            lines::sync(keys, letters.chars().map(|letter| slint::format!("{letter}")).collect());
        }
    }

    /// S-1: names nobody any more.
    pub(super) fn conceal(window: &AppWindow) {
        let frame = window.global::<ui::Frame>();
        frame.set_patient(ui::PatientLine::default());
        frame.set_operator(ui::OperatorLine::default());
        frame.set_enrolling(SharedString::default());
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
    let digits = amount.to_string();
    let mut text = SharedString::default();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push_str(languages::row(language).thousands);
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
