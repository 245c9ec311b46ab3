//! All devices of this cart, and the page of one.
//!
//! S-1: what a device sent last leaves every model when its page is left and at lock.

use std::cell::Cell;
use std::rc::Rc;
use std::str::FromStr;

use slint::{ComponentHandle, ModelRc, SharedString, VecModel};

use wardkeep_core::inventory::Task;
use wardkeep_core::kiosk::pages::inventory::{DeviceForm, Intent};
use wardkeep_core::kiosk::pages::{devices, pairing};
use wardkeep_core::kiosk::view::Screen;
use wardkeep_core::kiosk::view::inventory::{
    DevicePage, FrameLine, Inventory as Page, InventoryRow, TaskLine,
};
use wardkeep_model::vitals::DeviceId;
use wardkeep_ui::{self as ui, AppWindow};

use crate::bridge::lines;
use crate::bridge::port::Port;
use crate::bridge::screens::Adapter;
use crate::bridge::screens::devices::on_device;
use crate::bridge::words::{Said, Words, devices as devices_said, inventory as said};
use crate::glyphs;

/// The list.
#[derive(Default)]
pub(super) struct Inventory {
    rows: Rc<VecModel<ui::InventoryLine>>,
    tasks: Rc<VecModel<ui::TaskEntry>>,
}

impl Inventory {
    /// Connects the page.
    pub(super) fn connect(port: &Rc<Port>, window: &AppWindow) -> Self {
        let (global, page) = (window.global::<ui::Inventory>(), Self::default());
        global.set_rows(ModelRc::from(Rc::clone(&page.rows)));
        global.set_tasks(ModelRc::from(Rc::clone(&page.tasks)));
        global.on_open(on_device(port, Intent::Open));
        let (here, window) = (Rc::clone(port), window.as_weak());
        global.on_find(move |scanned| {
            here.send(Intent::Find(scanned.to_string()));
            // The next label is scanned into an empty field.
            if let Some(window) = window.upgrade() {
                window.global::<ui::Inventory>().set_search(SharedString::default());
            }
        });
        page
    }
}

impl Adapter for Inventory {
    fn show(&self, window: &AppWindow, screen: &Screen, words: &Words) -> bool {
        let Screen::Inventory(page) = screen else { return false };
        let (global, icons) = (window.global::<ui::Inventory>(), window.global::<ui::Icons>());
        let row = |one: &InventoryRow| line(one, page, words, &icons);
        lines::sync(&self.rows, page.rows.iter().map(row).collect());
        lines::sync(&self.tasks, page.tasks.iter().map(|one| task(one, words)).collect());
        global.set_total(said::total(words, page));
        global.set_in_order(said::in_order(words, page));
        true
    }

    fn leave(&self, window: &AppWindow) {
        lines::sync(&self.rows, Vec::new());
        lines::sync(&self.tasks, Vec::new());
        window.global::<ui::Inventory>().set_search(SharedString::default());
    }
}

fn task(line: &TaskLine, words: &Words) -> ui::TaskEntry {
    let Said { fact, advice } = said::task(words, &line.task);
    ui::TaskEntry {
        number: slint::format!("{}", line.number),
        id: slint::format!("{}", line.id),
        name: glyphs::drawable(&line.name),
        text: fact,
        who: advice,
    }
}

fn line(
    row: &InventoryRow,
    page: &Page,
    words: &Words,
    icons: &ui::Icons<'_>,
) -> ui::InventoryLine {
    let facts = &row.facts;
    let theirs = || page.tasks.iter().filter(|line| line.id == facts.id).map(|line| &line.task);
    let todo: Vec<SharedString> = theirs().map(|task| said::task(words, task).fact).collect();
    let wrong = |is_it: fn(&Task) -> bool| theirs().any(is_it);
    let clock = said::clock(words, facts);
    ui::InventoryLine {
        id: slint::format!("{}", facts.id),
        name: glyphs::drawable(&facts.name),
        model: said::model_and_serial(words, &facts.identity, facts.kind),
        icon: lines::picture(facts.kind, icons),
        number: row.tasks.first().map(|number| slint::format!("{number}")).unwrap_or_default(),
        facts: said::facts(words, facts),
        todo: todo.join(" ").into(),
        firmware: said::firmware(words, &facts.identity),
        battery: said::battery(facts),
        lasts: said::lasts(words, facts),
        seen: said::seen(words, facts),
        clock: clock.fact,
        clock_note: clock.advice,
        calibration: said::calibration(facts.calibration_due),
        check: said::check(words, facts.check),
        firmware_wrong: wrong(|task| matches!(task, Task::FirmwareOld(_))),
        battery_wrong: wrong(|task| matches!(task, Task::BatteryEnds { .. })),
        seen_wrong: wrong(|task| matches!(task, Task::Unseen(_))),
        clock_wrong: wrong(|task| matches!(task, Task::ClockWrong(_))),
        calibration_wrong: wrong(is_calibration),
        check_wrong: wrong(|task| matches!(task, Task::Broken(_))),
    }
}

fn is_calibration(task: &Task) -> bool {
    matches!(task, Task::CalibrationOver(_) | Task::CalibrationDue(_))
}

/// One device.
#[derive(Default)]
pub(super) struct Device {
    facts: Rc<VecModel<ui::NamedFact>>,
    todo: Rc<VecModel<SharedString>>,
    battery: Rc<VecModel<f32>>,
    frames: Rc<VecModel<ui::FrameEntry>>,
    /// Which device is shown, and how often its form was written.
    shown: Cell<Option<(DeviceId, u64)>>,
    /// What a form begins with.
    form: Rc<std::cell::RefCell<(SharedString, SharedString)>>,
}

impl Device {
    /// Connects the page.
    pub(super) fn connect(port: &Rc<Port>, window: &AppWindow) -> Self {
        let (global, page) = (window.global::<ui::Device>(), Self::default());
        global.set_facts(ModelRc::from(Rc::clone(&page.facts)));
        global.set_todo(ModelRc::from(Rc::clone(&page.todo)));
        global.set_battery(ModelRc::from(Rc::clone(&page.battery)));
        global.set_frames(ModelRc::from(Rc::clone(&page.frames)));
        global.on_blink(on_device(port, Intent::Blink));
        global.on_pair(on_device(port, pairing::Intent::Start));
        global.on_release(on_device(port, devices::Intent::Release));
        global.on_forget(on_device(port, pairing::Intent::Forget));
        let (here, form) = (window.as_weak(), Rc::clone(&page.form));
        global.on_write(move || {
            let Some(window) = here.upgrade() else { return };
            let (global, form) = (window.global::<ui::Device>(), form.borrow());
            global.set_label(form.0.clone());
            global.set_calibration(form.1.clone());
            global.set_writing(true);
        });
        let here = window.as_weak();
        global.on_leave_form(move || {
            if let Some(window) = here.upgrade() {
                close(&window.global::<ui::Device>());
            }
        });
        let (port, here) = (Rc::clone(port), window.as_weak());
        global.on_save(move |id| {
            let Some(window) = here.upgrade() else { return };
            let global = window.global::<ui::Device>();
            let form = DeviceForm {
                label: global.get_label().to_string(),
                calibration_due: global.get_calibration().to_string(),
            };
            match DeviceId::from_str(&id) {
                Ok(id) => port.send(Intent::Describe(id, form)),
                Err(error) => tracing::error!(%error, "a device's page without an address"),
            }
        });
        page
    }
}

/// The form is closed, and forgets what was typed.
fn close(global: &ui::Device<'_>) {
    global.set_writing(false);
    global.set_label(SharedString::default());
    global.set_calibration(SharedString::default());
}

impl Adapter for Device {
    fn show(&self, window: &AppWindow, screen: &Screen, words: &Words) -> bool {
        let Screen::Device(page) = screen else { return false };
        let (global, icons) = (window.global::<ui::Device>(), window.global::<ui::Icons>());
        let facts = &page.facts;
        let shown = (facts.id, page.written);
        if self.shown.replace(Some(shown)) != Some(shown) {
            close(&global);
        }
        let label: SharedString = (&page.label).into();
        self.form.replace((label, said::calibration(facts.calibration_due)));
        global.set_id(slint::format!("{}", facts.id));
        global.set_name(glyphs::drawable(&facts.name));
        global.set_icon(lines::picture(facts.kind, &icons));
        global.set_about(said::about(words, facts));
        let todo = page.tasks.iter().map(|task| {
            let Said { fact, advice } = said::task(words, task);
            slint::format!("{fact} {advice}.")
        });
        lines::sync(&self.todo, todo.collect());
        let mut cards = named(page, words);
        global.set_counts(cards.pop().unwrap_or_default());
        lines::sync(&self.facts, cards);
        let level = |percent: u8| f32::from(percent) / 100.0;
        lines::sync(&self.battery, page.battery.iter().map(|one| level(one.percent)).collect());
        global.set_battery_text(said::battery_line(words, facts));
        lines::sync(&self.frames, page.frames.iter().map(frame).collect());
        global.set_can_blink(page.can_blink);
        global.set_can_pair(page.can_pair);
        global.set_can_release(page.can_release);
        global.set_can_forget(page.can_forget);
        global.set_may_maintain(page.may_maintain);
        true
    }

    fn leave(&self, window: &AppWindow) {
        if self.shown.take().is_none() {
            return;
        }
        let global = window.global::<ui::Device>();
        close(&global);
        self.form.take();
        global.set_counts(ui::NamedFact::default());
        lines::sync(&self.facts, Vec::new());
        lines::sync(&self.todo, Vec::new());
        lines::sync(&self.battery, Vec::new());
        lines::sync(&self.frames, Vec::new());
        for forget in [
            ui::Device::set_id,
            ui::Device::set_name,
            ui::Device::set_about,
            ui::Device::set_battery_text,
        ] {
            forget(&global, SharedString::default());
        }
    }
}

/// How it stands, one card each; what went wrong last.
fn named(page: &DevicePage, words: &Words) -> Vec<ui::NamedFact> {
    let facts = &page.facts;
    let marked = |is_it: fn(&Task) -> bool| page.tasks.iter().any(is_it);
    let fact = |name: SharedString, said: Said, marked| ui::NamedFact {
        name,
        state: said.fact,
        meaning: said.advice,
        marked,
    };
    let plain = |fact: SharedString| Said { fact, ..Said::default() };
    let names = said::names(words);
    let [link, bond, check, clock, calibration, owner, counts] = names;
    let seen =
        Said { fact: devices_said::link(words, page.state), advice: said::seen_line(words, facts) };
    let order = said::check(words, facts.check);
    let order = if order.is_empty() { said::unknown(words) } else { order };
    let due = said::calibration(facts.calibration_due);
    let due = if due.is_empty() { said::no_day(words) } else { due };
    let is_changed = page.is_changed;
    vec![
        fact(link, seen, false),
        fact(bond, said::bond(words, page), is_changed),
        fact(check, plain(order), marked(|task| matches!(task, Task::Broken(_)))),
        fact(clock, said::clock(words, facts), marked(|task| matches!(task, Task::ClockWrong(_)))),
        fact(calibration, plain(due), marked(is_calibration)),
        fact(owner, plain(said::owner(words, page.owner)), false),
        fact(counts, said::counts(words, page), false),
    ]
}

fn frame(frame: &FrameLine) -> ui::FrameEntry {
    ui::FrameEntry {
        at: said::came(frame),
        what: slint::format!("{}", frame.what),
        bytes: frame.bytes.reveal().into(),
        read: frame.read.reveal().into(),
    }
}
