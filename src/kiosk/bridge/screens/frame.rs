//! The frame around every page: banner, rail, alarm strip, notices, language; and the touch keyboard.
//!
//! S-1: without an open session it names nobody.

use std::cell::Cell;
use std::rc::Rc;

use slint::platform::{Key, WindowEvent};
use slint::{ComponentHandle, Image, ModelRc, SharedString, VecModel};

use wardkeep_core::alarms::Shown;
use wardkeep_core::config::Language;
use wardkeep_core::kiosk::intent::Intent;
use wardkeep_core::kiosk::page::Page;
use wardkeep_core::kiosk::pages::readings as pages_of;
use wardkeep_core::kiosk::view::records::TakingOver;
use wardkeep_core::kiosk::view::time::TimeOfDay;
use wardkeep_core::kiosk::view::{AlarmStrip, OperatorChip, Screen, View};
use wardkeep_core::kiosk::{alarm, frame};
use wardkeep_model::access::policy::Permission;
use wardkeep_model::keeping::Rekeying;
use wardkeep_model::moment::ClockState;
use wardkeep_model::notice::Level;
use wardkeep_model::vitals::RecordId;
use wardkeep_ui::{self as ui, AppWindow};

use crate::bridge::port::Port;
use crate::bridge::words::{
    Words, bedside, calendar, factors, findings, languages, notices, pages, people, readings,
};
use crate::bridge::{lines, times};
use crate::glyphs;

/// What the frame remembers.
#[derive(Default)]
pub(super) struct Frame {
    /// Pages of the rail.
    pages: Rc<VecModel<ui::PlaceLine>>,
    /// Letters of the touch keyboard, from top to bottom.
    keys: [Rc<VecModel<SharedString>>; 3],
    /// Whose letters they are.
    language: Cell<Option<Language>>,
    /// The condition that a touch acknowledges: the one that the screen shows, and nothing that came since.
    unseen: Rc<Cell<Option<Shown>>>,
    /// The reading whose filing a touch takes back.
    filed: Rc<Cell<Option<RecordId>>>,
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
        frame.on_lock(send(frame::Intent::Lock.into()));
        let (here, unseen) = (Rc::clone(port), Rc::clone(&rows.unseen));
        frame.on_acknowledge(move || {
            if let Some(shown) = unseen.get() {
                here.send(alarm::Intent::Acknowledge(shown));
            }
        });
        let here = Rc::clone(port);
        frame.on_list_alarms(move |wanted| here.send(alarm::Intent::List(wanted)));
        frame.on_pause_sound(send(alarm::Intent::PauseAudio.into()));
        frame.on_test_sound(send(alarm::Intent::TestSound.into()));
        frame.on_dismiss_notice(send(frame::Intent::DismissNotice.into()));
        frame.on_dismiss_finding(send(frame::Intent::DismissFinding.into()));
        let (here, filed) = (Rc::clone(port), Rc::clone(&rows.filed));
        frame.on_undo_filing(move || {
            if let Some(record) = filed.get() {
                here.send(pages_of::Intent::Undo(record));
            }
        });
        frame.on_cancel(send(frame::Intent::Cancel.into()));
        let here = Rc::clone(port);
        frame.on_activity(move || here.activity());
        let here = Rc::clone(port);
        frame.on_open_page(move |page| here.send(frame::Intent::Open(chosen_page(page))));
        let here = Rc::clone(port);
        frame.on_speak(move |place| {
            if let Some(language) = lines::at(&Language::ALL, place) {
                here.send(frame::Intent::SetLanguage(language));
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
        let operator = open.map(|open| operator(&open.operator, words));
        frame.set_operator(operator.unwrap_or_default());
        let (icons, here) = (window.global::<ui::Icons>(), page_of(&view.screen));
        let waiting = open.map_or(0, |open| open.waiting);
        let place = |page: &Page| {
            let line = place(*page, here, words, &icons);
            if *page == Page::Devices && waiting > 0 {
                ui::PlaceLine { text: slint::format!("{} ({waiting})", line.text), ..line }
            } else {
                line
            }
        };
        let pages = open.map(|open| open.pages.iter().map(place).collect());
        lines::sync(&self.pages, pages.unwrap_or_default());
        let enrolling = open.and_then(|open| open.enrolling.as_ref());
        frame.set_enrolling(
            enrolling.map(|name| glyphs::drawable(name.reveal())).unwrap_or_default(),
        );
        let patient = open.and_then(|open| open.patient.as_ref());
        let patient = patient.map(|patient| lines::patient(patient, words));
        frame.set_patient(patient.unwrap_or_default());
        // A clock that was never set says nothing that anybody could take for the time.
        let (time, date) = match view.clock_state {
            ClockState::NeverSet => ("--:--".into(), calendar::never_set(words)),
            ClockState::Set | ClockState::Stepped | ClockState::Slewing => {
                let time = times::of_day(TimeOfDay::at(view.clock.hour, view.clock.minute));
                (time, calendar::date(words, view.clock))
            }
        };
        frame.set_time(time);
        frame.set_date(date);
        frame.set_bed((&view.bed).into());
        frame.set_ward((&view.ward).into());
        frame.set_simulated(view.simulated);
        let unseen = view.alarm.as_ref().and_then(|strip| strip.unseen.as_ref());
        self.unseen.set(unseen.map(|unseen| unseen.shown));
        let listable = view.open.is_some() || matches!(view.screen, Screen::Lock(_));
        let mut strip = alarm(view.alarm.as_ref(), listable, words);
        if matches!(view.screen, Screen::Alarms(_)) {
            // They stand below.
            strip.others = 0;
        }
        frame.set_alarm(strip);
        let told = view.notice.map(|notice| notices::notice(words, notice)).unwrap_or_default();
        frame.set_notice(told.fact);
        frame.set_notice_advice(told.advice);
        let level = view.notice.map(|notice| notice.row().level);
        frame.set_notice_icon(level.map(|level| sign(level, &icons)).unwrap_or_default());
        // Progress and findings are for whoever is logged in.
        let line = open.and_then(|open| {
            let taking_over = open.taking_over.map(|far| taking_over(far, words));
            taking_over.or_else(|| open.encrypting.map(|far| encrypting(far, words)))
        });
        frame.set_taking_over(line.unwrap_or_default());
        let finding = open.and_then(|open| open.finding);
        let finding = finding.map(|finding| findings::finding(words, &finding, view.clock));
        let finding = finding.unwrap_or_default();
        frame.set_finding(finding.fact);
        frame.set_finding_advice(finding.advice);
        let filed = open.and_then(|open| open.just_filed.as_ref());
        self.filed.set(filed.map(|filed| filed.record));
        let filed = filed.map(|filed| readings::just_filed(words, filed)).unwrap_or_default();
        frame.set_filed(filed.fact);
        frame.set_filed_advice(filed.advice);
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
}

/// The picture beside a notice.
fn sign(level: Level, icons: &ui::Icons<'_>) -> Image {
    match level {
        Level::Done => icons.get_tick(),
        Level::Hint => icons.get_note(),
        Level::Fault => icons.get_wrench(),
    }
}

/// The strip along the top edge.
fn alarm(strip: Option<&AlarmStrip>, listable: bool, words: &Words) -> ui::AlarmLine {
    let Some(strip) = strip else { return ui::AlarmLine::default() };
    // What is shown first was seen, and something lesser was not: that is named beside it.
    let also = strip.unseen.as_ref().filter(|_| strip.acknowledged).map(|unseen| {
        let marks = lines::marks(unseen.priority);
        slint::format!("{marks} {}", bedside::alarm(words, &unseen.text))
    });
    ui::AlarmLine {
        present: true,
        priority: lines::priority(Some(strip.priority)),
        marks: lines::marks(strip.priority),
        text: bedside::alarm(words, &strip.text),
        since: times::of_day(strip.since),
        acknowledged: strip.acknowledged,
        unseen: strip.unseen.is_some(),
        also: also.unwrap_or_default(),
        others: lines::count(strip.others),
        called: strip.escalated,
        listable,
        paused: strip.audio_paused_s.map(times::countdown).unwrap_or_default(),
    }
}

/// The operator chip.
fn operator(chip: &OperatorChip, words: &Words) -> ui::OperatorLine {
    ui::OperatorLine {
        initials: (&chip.initials).into(),
        role: people::role(words, chip.role),
        level: factors::level(words, chip.level),
        since: times::of_day(chip.since),
        minutes: i32::try_from(chip.minutes_left).unwrap_or(i32::MAX),
        sees_patients: chip.role.may(Permission::SeePatients),
    }
}

/// A page's place on the rail.
fn place(page: Page, here: Option<Page>, words: &Words, icons: &ui::Icons<'_>) -> ui::PlaceLine {
    let (name, icon) = match page {
        Page::Bedside => (ui::PageName::Bedside, icons.get_bedside()),
        Page::Alarms => (ui::PageName::Alarms, icons.get_bell()),
        Page::Limits => (ui::PageName::Limits, icons.get_bell()),
        Page::Devices => (ui::PageName::Devices, icons.get_devices()),
        Page::Inventory => (ui::PageName::Inventory, icons.get_devices()),
        Page::Readings => (ui::PageName::Readings, icons.get_devices()),
        Page::Patients => (ui::PageName::Patients, icons.get_patients()),
        Page::People => (ui::PageName::People, icons.get_people()),
        Page::Audit => (ui::PageName::Audit, icons.get_audit()),
        Page::Cart => (ui::PageName::Cart, icons.get_cart()),
        Page::Account => (ui::PageName::Account, icons.get_key()),
    };
    ui::PlaceLine { page: name, text: pages::name(words, page), icon, here: here == Some(page) }
}

/// The page that a place on the rail, or a button elsewhere, leads to.
fn chosen_page(page: ui::PageName) -> Page {
    match page {
        ui::PageName::Bedside => Page::Bedside,
        ui::PageName::Alarms => Page::Alarms,
        ui::PageName::Limits => Page::Limits,
        ui::PageName::Devices => Page::Devices,
        ui::PageName::Inventory => Page::Inventory,
        ui::PageName::Readings => Page::Readings,
        ui::PageName::Patients => Page::Patients,
        ui::PageName::People => Page::People,
        ui::PageName::Audit => Page::Audit,
        ui::PageName::Cart => Page::Cart,
        ui::PageName::Account => Page::Account,
    }
}

/// The page that a screen belongs to.
fn page_of(screen: &Screen) -> Option<Page> {
    match screen {
        Screen::Bedside(_) | Screen::Reading(_) => Some(Page::Bedside),
        Screen::Alarms(_) | Screen::Limits(_) => Some(Page::Alarms),
        Screen::Devices(_)
        | Screen::Inventory(_)
        | Screen::Device(_)
        | Screen::Tray(_)
        | Screen::Pairing(_) => Some(Page::Devices),
        Screen::Patients(_) => Some(Page::Patients),
        Screen::People(_) | Screen::Person(_) | Screen::Enrolment(_) => Some(Page::People),
        Screen::Audit(_) => Some(Page::Audit),
        Screen::Cart(_) => Some(Page::Cart),
        Screen::Account(_) => Some(Page::Account),
        Screen::Starting
        | Screen::FirstStart(_)
        | Screen::Lock(_)
        | Screen::Pin(_)
        | Screen::Emergency(_)
        | Screen::Trouble(_) => None,
    }
}

fn taking_over(far: TakingOver, words: &Words) -> ui::ProgressLine {
    line((far.done, far.total), findings::progress(words, far))
}

fn encrypting(far: Rekeying, words: &Words) -> ui::ProgressLine {
    line((far.done, far.total), findings::encrypting(words, far))
}

fn line((done, total): (u64, u64), text: SharedString) -> ui::ProgressLine {
    // Thousandths are finer than a pixel.
    let thousandths = done.saturating_mul(1000).checked_div(total).unwrap_or_default().min(1000);
    ui::ProgressLine {
        shown: true,
        text,
        share: f32::from(u16::try_from(thousandths).unwrap_or(1000)) / 1000.0,
    }
}

/// The touch keyboard types into whatever field has the focus, as a keyboard would.
fn keyboard(port: &Rc<Port>, window: &AppWindow) {
    let global = window.global::<ui::Keyboard>();
    let variants = Rc::new(VecModel::<SharedString>::default());
    global.set_variants(ModelRc::from(Rc::clone(&variants)));
    let here = Rc::clone(port);
    let strike = move |text: SharedString| {
        let forms = languages::variants(text.chars().next().unwrap_or_default());
        lines::sync(&variants, forms.into_iter().map(|form| slint::format!("{form}")).collect());
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_never_runs_over_its_end() {
        for (done, total, share) in [(0, 0, 0.0), (1, 2, 0.5), (5, 4, 1.0), (u64::MAX, 1, 1.0)] {
            let lines = [
                taking_over(TakingOver { done, total }, &Words::default()),
                encrypting(Rekeying { done, total }, &Words::default()),
            ];
            for line in lines {
                assert!((line.share - share).abs() < 0.001, "{done} of {total}");
            }
        }
    }
}
