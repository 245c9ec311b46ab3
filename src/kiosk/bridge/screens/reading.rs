//! A spot reading that has come in, and the tray of those that are nobody's.
//!
//! S-6: a touch sends which reading the screen showed and for whom, not which one is the first by now.
//! S-1: both leave every property and model when the page is left and at lock.

use std::cell::Cell;
use std::rc::Rc;

use slint::{ComponentHandle, ModelRc, SharedString, VecModel};

use wardkeep_core::kiosk::pages::readings::Intent;
use wardkeep_core::kiosk::view::Screen;
use wardkeep_core::kiosk::view::readings::{Because, SpotLine, SpotTime, TrayLine};
use wardkeep_model::encounter::SubjectId;
use wardkeep_model::vitals::RecordId;
use wardkeep_ui::{self as ui, AppWindow};

use crate::bridge::lines;
use crate::bridge::port::Port;
use crate::bridge::screens::Adapter;
use crate::bridge::words::{Words, readings as said};
use crate::glyphs;

/// What the screen asks about: a reading, and whose it may be.
type Shown = Rc<Cell<Option<(RecordId, Option<SubjectId>)>>>;

/// The question.
pub(super) struct Reading {
    values: Rc<VecModel<ui::ReadingValue>>,
    shown: Shown,
}

impl Reading {
    /// Connects the page.
    pub(super) fn connect(port: &Rc<Port>, window: &AppWindow) -> Self {
        let global = window.global::<ui::Reading>();
        let page = Self { values: Rc::default(), shown: Rc::default() };
        global.set_values(ModelRc::from(Rc::clone(&page.values)));
        global.on_file(on_shown(port, &page.shown, filed));
        global.on_refuse(on_shown(port, &page.shown, |(record, _)| Some(Intent::Refuse(record))));
        global.on_later(on_shown(port, &page.shown, |(record, _)| Some(Intent::Later(record))));
        page
    }
}

fn filed((record, subject): (RecordId, Option<SubjectId>)) -> Option<Intent> {
    subject.map(|subject| Intent::File(record, subject))
}

/// Sends what a touch means of the reading that is shown, if it is the one that was touched.
fn on_shown(
    port: &Rc<Port>,
    shown: &Shown,
    intent: fn((RecordId, Option<SubjectId>)) -> Option<Intent>,
) -> impl Fn(SharedString) + use<> {
    let (port, shown) = (Rc::clone(port), Rc::clone(shown));
    move |touched| {
        let shown = shown.get().filter(|(record, _)| id(*record) == touched);
        if let Some(intent) = shown.and_then(intent) {
            port.send(intent);
        }
    }
}

fn id(record: RecordId) -> SharedString {
    slint::format!("{:x}-{:x}", record.run, record.seq)
}

impl Adapter for Reading {
    fn show(&self, window: &AppWindow, screen: &Screen, words: &Words) -> bool {
        let Screen::Reading(asked) = screen else { return false };
        let (global, icons) = (window.global::<ui::Reading>(), window.global::<ui::Icons>());
        self.shown.set(Some((asked.record, Some(asked.subject))));
        let patient = lines::patient(&asked.patient, words);
        global.set_id(id(asked.record));
        global.set_patient(patient.name);
        global.set_patient_facts(patient.facts);
        let value = |line: &SpotLine, main| {
            let (coloured, family) = colour(line);
            ui::ReadingValue {
                name: said::what(words, line.what),
                digits: line.digits.reveal().into(),
                unit: line.unit.into(),
                coloured,
                family,
                main,
            }
        };
        let first = asked.lines.first().map(|line| value(line, true));
        global.set_main(first.unwrap_or_default());
        let rest = asked.lines.iter().skip(1).map(|line| value(line, false)).collect();
        lines::sync(&self.values, rest);
        global.set_icon(lines::picture(asked.kind, &icons));
        global.set_device(glyphs::drawable(&asked.device));
        global.set_device_facts(said::device_facts(words, asked));
        global.set_time(time(words, asked.time));
        global.set_remarks(said::remarks(words, &asked.remarks));
        global.set_before(said::before(words, asked));
        global.set_others(said::others(words, asked.others));
        global.set_resting(asked.is_resting);
        true
    }

    fn leave(&self, window: &AppWindow) {
        if self.shown.take().is_none() {
            return;
        }
        let global = window.global::<ui::Reading>();
        lines::sync(&self.values, Vec::new());
        global.set_main(ui::ReadingValue::default());
        global.set_time(ui::ReadingTime::default());
        for forget in [
            ui::Reading::set_id,
            ui::Reading::set_patient,
            ui::Reading::set_patient_facts,
            ui::Reading::set_device,
            ui::Reading::set_device_facts,
            ui::Reading::set_remarks,
            ui::Reading::set_before,
            ui::Reading::set_others,
        ] {
            forget(&global, SharedString::default());
        }
    }
}

/// The tray.
pub(super) struct Tray {
    rows: Rc<VecModel<ui::ReadingLine>>,
    /// Those that the screen shows, in its order.
    records: Rc<std::cell::RefCell<Vec<RecordId>>>,
    chosen: Shown,
}

impl Tray {
    /// Connects the page.
    pub(super) fn connect(port: &Rc<Port>, window: &AppWindow) -> Self {
        let global = window.global::<ui::Tray>();
        let page = Self { rows: Rc::default(), records: Rc::default(), chosen: Rc::default() };
        global.set_rows(ModelRc::from(Rc::clone(&page.rows)));
        let (here, records) = (Rc::clone(port), Rc::clone(&page.records));
        global.on_choose(move |touched| {
            let found = records.borrow().iter().copied().find(|record| id(*record) == touched);
            if let Some(record) = found {
                here.send(Intent::Choose(record));
            }
        });
        global.on_file(on_shown(port, &page.chosen, filed));
        let discard = |(record, _)| Some(Intent::Discard(record));
        global.on_discard(on_shown(port, &page.chosen, discard));
        let take_back = |(record, _)| Some(Intent::TakeBack(record));
        global.on_take_back(on_shown(port, &page.chosen, take_back));
        page
    }
}

impl Adapter for Tray {
    fn show(&self, window: &AppWindow, screen: &Screen, words: &Words) -> bool {
        let Screen::Tray(tray) = screen else { return false };
        let (global, icons) = (window.global::<ui::Tray>(), window.global::<ui::Icons>());
        let subject = tray.patient.as_ref().map(|(subject, _)| *subject);
        self.chosen.set(tray.chosen.map(|record| (record, subject)));
        self.records.replace(tray.rows.iter().map(|row| row.record).collect());
        let made: Vec<_> = tray.rows.iter().map(|row| line(row, words, &icons)).collect();
        let chosen = tray.rows.iter().position(|row| Some(row.record) == tray.chosen);
        let chosen = chosen.and_then(|place| made.get(place).cloned());
        global.set_chosen(chosen.unwrap_or_default());
        lines::sync(&self.rows, made);
        let waiting = tray.rows.iter().filter(|row| row.because != Because::Filed);
        global.set_waiting(said::waiting(words, waiting.count()));
        let patient = tray.patient.as_ref().map(|(_, patient)| lines::patient(patient, words).name);
        global.set_patient(patient.unwrap_or_default());
        global.set_may_file(tray.may_file);
        true
    }

    fn leave(&self, window: &AppWindow) {
        lines::sync(&self.rows, Vec::new());
        self.records.borrow_mut().clear();
        if self.chosen.take().is_some() {
            let global = window.global::<ui::Tray>();
            global.set_chosen(ui::ReadingLine::default());
            global.set_patient(SharedString::default());
        }
    }
}

fn line(row: &TrayLine, words: &Words, icons: &ui::Icons<'_>) -> ui::ReadingLine {
    let first = row.lines.first();
    let (coloured, family) = first.map(colour).unwrap_or_default();
    ui::ReadingLine {
        id: id(row.record),
        digits: first.map(|line| line.digits.reveal().into()).unwrap_or_default(),
        unit: first.map(|line| line.unit.into()).unwrap_or_default(),
        coloured,
        family,
        also: said::also(words, row),
        icon: lines::picture(row.kind, icons),
        device: glyphs::drawable(&row.device),
        because: said::because(words, &row.because),
        time: time(words, row.time),
        filed: row.because == Because::Filed,
        left: if row.left.is_zero() { "".into() } else { said::left(words, row.left) },
        share: f32::from(row.left_percent) / 100.0,
    }
}

fn colour(line: &SpotLine) -> (bool, ui::Family) {
    let family = line.family.map(lines::family);
    (family.is_some(), family.unwrap_or_default())
}

fn time(words: &Words, told: SpotTime) -> ui::ReadingTime {
    let (at, ago, trust, bars) = said::time(words, told);
    ui::ReadingTime { at, ago, trust, bars }
}
