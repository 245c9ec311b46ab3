//! Every alarm condition, and those of the last day.
//!
//! S-1: what was in the last day leaves every property and model when the page is left and at lock.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use slint::{ComponentHandle, ModelRc, SharedString, VecModel};

use wardkeep_core::alarms::Shown;
use wardkeep_core::kiosk::alarm;
use wardkeep_core::kiosk::view::Screen;
use wardkeep_core::kiosk::view::alarms::{
    AlarmRow, Alarms as Page, BurdenOf, BurdenView, Past, PastAlarm,
};
use wardkeep_model::alarm::Kind;
use wardkeep_ui::{self as ui, AppWindow};

use crate::bridge::lines;
use crate::bridge::port::Port;
use crate::bridge::screens::Adapter;
use crate::bridge::words::{Words, alarms as said, bedside};

/// What the page remembers.
#[derive(Default)]
pub(super) struct Alarms {
    rows: Rc<VecModel<ui::AlarmEntry>>,
    burden: Rc<VecModel<ui::BurdenLine>>,
    tabs: Rc<VecModel<SharedString>>,
    /// The conditions as they stand on the page: what is touched is one of these.
    shown: Rc<RefCell<Vec<Shown>>>,
    /// The last day is looked at.
    looks_back: Rc<Cell<bool>>,
    /// Shown last, to be shown anew when somebody turns to the other half.
    last: Rc<RefCell<Option<Page>>>,
    words: RefCell<Option<Words>>,
}

impl Alarms {
    /// Connects the page.
    pub(super) fn connect(port: &Rc<Port>, window: &AppWindow) -> Rc<Self> {
        let (global, page) = (window.global::<ui::Alarms>(), Rc::new(Self::default()));
        global.set_rows(ModelRc::from(Rc::clone(&page.rows)));
        global.set_lines(ModelRc::from(Rc::clone(&page.burden)));
        global.set_tabs(ModelRc::from(Rc::clone(&page.tabs)));
        let (here, shown) = (Rc::clone(port), Rc::clone(&page.shown));
        global.on_acknowledge(move |place| {
            if let Some(shown) = lines::at(&shown.borrow(), place) {
                here.send(alarm::Intent::Acknowledge(shown));
            }
        });
        let (here, turned) = (Rc::clone(port), Rc::downgrade(&page));
        global.on_show_tab(move |place| {
            here.activity();
            if let Some((page, window)) = turned.upgrade().zip(here.window()) {
                page.looks_back.set(place == 1);
                page.refill(&window);
            }
        });
        page
    }

    fn refill(&self, window: &AppWindow) {
        let (last, words) = (self.last.borrow().clone(), self.words.borrow().clone());
        if let Some((page, words)) = last.zip(words) {
            self.fill(window, &page, &words);
        }
    }

    fn fill(&self, window: &AppWindow, page: &Page, words: &Words) {
        let global = window.global::<ui::Alarms>();
        let past = page.past.as_ref();
        let tabs = past.map(|_| said::tabs(words, page.now.len()).to_vec());
        lines::sync(&self.tabs, tabs.unwrap_or_default());
        let looks_back = self.looks_back.get() && past.is_some();
        global.set_tab(i32::from(looks_back));
        global.set_loading(looks_back && past.is_some_and(|past| past.loading));
        global.set_can_change(past.is_some_and(|past| past.can_change));
        self.show_burden(&global, past, words);
        self.shown.replace(page.now.iter().map(|row| row.shown).collect());
        let rows = match past.filter(|_| looks_back) {
            Some(past) => past.rows.iter().map(|row| was(row, words)).collect(),
            None => present(&page.now, words),
        };
        lines::sync(&self.rows, rows);
    }

    fn show_burden(&self, global: &ui::Alarms<'_>, past: Option<&Past>, words: &Words) {
        let burden = past.map(|past| past.burden.clone()).unwrap_or_default();
        let BurdenView { whole, late, lines, noisiest, unanswered } = burden;
        global.set_count(slint::format!("{}", whole.count));
        global.set_counted(said::counted(words, whole));
        global.set_late(said::late(words, late));
        let noisiest = noisiest.map(|limit| said::noisiest(words, &limit));
        global.set_noisiest(noisiest.unwrap_or_default());
        global.set_unanswered(said::unanswered(words, unanswered));
        let line = |of: &BurdenOf| {
            let BurdenOf { parameter, load, spans } = of;
            let marks: Vec<_> =
                spans.iter().map(|(from, to)| ui::BurdenMark { from: *from, to: *to }).collect();
            ui::BurdenLine {
                name: said::burdened(words, *parameter),
                count: slint::format!("{}", load.count),
                length: bedside::lasting(words, load.length),
                marks: ModelRc::from(Rc::new(VecModel::from(marks))),
            }
        };
        lines::sync(&self.burden, lines.iter().map(line).collect());
    }
}

impl Adapter for Rc<Alarms> {
    fn show(&self, window: &AppWindow, screen: &Screen, words: &Words) -> bool {
        let Screen::Alarms(page) = screen else { return false };
        self.words.replace(Some(words.clone()));
        self.last.replace(Some(page.clone()));
        self.fill(window, page, words);
        true
    }

    /// Forgets what was wrong with whom.
    fn leave(&self, window: &AppWindow) {
        self.looks_back.set(false);
        self.last.take();
        self.shown.take();
        let words = self.words.take().unwrap_or_default();
        self.show_burden(&window.global::<ui::Alarms>(), None, &words);
        lines::sync(&self.tabs, Vec::new());
        lines::sync(&self.rows, Vec::new());
    }
}

/// The conditions, with what stands above the first of each kind.
fn present(rows: &[AlarmRow], words: &Words) -> Vec<ui::AlarmEntry> {
    let mut before = None;
    let entry = |(place, row): (usize, &AlarmRow)| {
        let heading = if before.replace(row.kind) == Some(row.kind) {
            SharedString::default()
        } else {
            said::heading(words, row.kind)
        };
        ui::AlarmEntry {
            place: lines::count(place),
            heading,
            priority: lines::priority(Some(row.priority)),
            marks: marks(row.priority, row.kind),
            solid: row.seen.is_none(),
            title: bedside::alarm(words, &row.text),
            state: said::state(words, row),
            detail: said::since(words, row),
            advice: said::advice(words, &row.text),
            act: said::act(words, row),
            label: said::heading(words, row.kind),
        }
    };
    rows.iter().enumerate().map(entry).collect()
}

/// A condition that was: no colour of an alarm.
fn was(row: &PastAlarm, words: &Words) -> ui::AlarmEntry {
    ui::AlarmEntry {
        place: -1,
        heading: SharedString::default(),
        priority: ui::AlarmPriority::None,
        marks: marks(row.priority, row.kind),
        solid: false,
        title: said::past(words, row),
        state: said::past_state(words, row),
        detail: SharedString::default(),
        advice: SharedString::default(),
        act: SharedString::default(),
        label: said::heading(words, row.kind),
    }
}

/// Stars for the patient, exclamation marks for the equipment.
fn marks(priority: wardkeep_model::alarm::Priority, kind: Kind) -> SharedString {
    let stars = lines::marks(priority);
    match kind {
        Kind::Physiological => stars,
        Kind::Technical => stars.replace('*', "!").into(),
    }
}
