//! Alarm limits of the patient at this bed.
//!
//! S-1: the patient's limits and values leave every property and model when the page is left and at lock.

use std::cell::RefCell;
use std::rc::Rc;

use slint::{ComponentHandle, ModelRc, SharedString, VecModel};

use wardkeep_core::alarms::limits::Side;
use wardkeep_core::kiosk::pages::limits::Intent;
use wardkeep_core::kiosk::view::Screen;
use wardkeep_core::kiosk::view::alarms::{
    LimitRow, Limits as Page, RehearsalView, Rehearsed, Stepper,
};
use wardkeep_model::alarm::LimitReason;
use wardkeep_model::vitals::parameter::LimitKey;
use wardkeep_ui::{self as ui, AppWindow};

use crate::bridge::port::Port;
use crate::bridge::screens::Adapter;
use crate::bridge::words::{Words, alarms as said, bedside};
use crate::bridge::{lines, times};

/// Lines of each list of the rehearsal.
const TOLD_MAX: usize = 4;

/// Rows of the page.
#[derive(Default)]
pub(super) struct Limits {
    rows: Rc<VecModel<ui::LimitLine>>,
    rehearsal: Rc<VecModel<ui::RehearsalLine>>,
    reasons: Rc<VecModel<SharedString>>,
    keys: Rc<RefCell<Vec<LimitKey>>>,
}

impl Limits {
    /// Connects the page.
    pub(super) fn connect(port: &Rc<Port>, window: &AppWindow) -> Self {
        let (global, page) = (window.global::<ui::Limits>(), Self::default());
        global.set_rows(ModelRc::from(Rc::clone(&page.rows)));
        global.set_lines(ModelRc::from(Rc::clone(&page.rehearsal)));
        global.set_reasons(ModelRc::from(Rc::clone(&page.reasons)));
        let (here, keys) = (Rc::clone(port), Rc::clone(&page.keys));
        global.on_step(move |place, high, up| {
            if let Some(key) = lines::at(&keys.borrow(), place) {
                let side = if high { Side::High } else { Side::Low };
                here.send(Intent::Step(key, side, up));
            }
        });
        let send = |intent: Intent| {
            let port = Rc::clone(port);
            move || port.send(intent)
        };
        global.on_suggest(send(Intent::Suggest));
        global.on_ward(send(Intent::Ward));
        global.on_keep(send(Intent::Keep));
        global.on_use(send(Intent::Use));
        let here = Rc::clone(port);
        global.on_because(move |place| {
            if let Some(why) = lines::at(&LimitReason::ALL, place) {
                here.send(Intent::Because(why));
            }
        });
        page
    }
}

impl Adapter for Limits {
    fn show(&self, window: &AppWindow, screen: &Screen, words: &Words) -> bool {
        let Screen::Limits(page) = screen else { return false };
        let Page { rows, is_drafted, asks_why, rehearsal, can_suggest } = &**page;
        let global = window.global::<ui::Limits>();
        global.set_drafted(*is_drafted);
        global.set_asks_why(*asks_why);
        global.set_can_suggest(*can_suggest);
        global.set_extremes(said::extremes(words));
        self.keys.replace(rows.iter().map(|row| row.key).collect());
        let line = |(place, row)| line(place, row, words);
        lines::sync(&self.rows, rows.iter().enumerate().map(line).collect());
        let (reasons, told) = if *asks_why {
            (LimitReason::ALL.map(|why| said::reason(words, why)).to_vec(), vec![])
        } else {
            (vec![], rehearsed(rehearsal, words))
        };
        lines::sync(&self.reasons, reasons);
        lines::sync(&self.rehearsal, told);
        true
    }

    /// Forgets the patient's limits.
    fn leave(&self, _: &AppWindow) {
        self.keys.take();
        lines::sync(&self.rows, Vec::new());
        lines::sync(&self.rehearsal, Vec::new());
        lines::sync(&self.reasons, Vec::new());
    }
}

fn line(place: usize, row: &LimitRow, words: &Words) -> ui::LimitLine {
    let name = said::limited(words, row.key, row.parameter);
    let stepper = |side, stepper: Option<&Stepper>| {
        let Some(stepper) = stepper else {
            return ui::StepperLine {
                less: said::step(words, &name, side, false),
                more: said::step(words, &name, side, true),
                ..ui::StepperLine::default()
            };
        };
        ui::StepperLine {
            present: true,
            value: (&stepper.value).into(),
            drafted: stepper.in_force.is_some(),
            bounds: said::bounds(words, stepper),
            can_less: stepper.can_less,
            can_more: stepper.can_more,
            less: said::step(words, &name, side, false),
            more: said::step(words, &name, side, true),
        }
    };
    let both = [&row.low, &row.high].into_iter().flatten();
    let drafted: Vec<_> =
        both.filter_map(|one| Some((one.in_force.as_deref()?, one.value.as_str()))).collect();
    ui::LimitLine {
        place: lines::count(place),
        family: lines::family(row.parameter.row().family),
        now: said::now(words, row.now.reveal()),
        low: stepper(Side::Low, row.low.as_ref()),
        high: stepper(Side::High, row.high.as_ref()),
        changed: said::changed(words, row.changed.as_ref(), &drafted),
        name,
    }
}

/// What would have sounded, as lines of three columns.
fn rehearsed(view: &RehearsalView, words: &Words) -> Vec<ui::RehearsalLine> {
    let line = |first: SharedString, second: SharedString, third: SharedString, bold| {
        ui::RehearsalLine { first, second, third, bold }
    };
    let alone = |text| line(text, SharedString::default(), SharedString::default(), false);
    if view.loading {
        return vec![alone(said::rehearsing(words))];
    }
    if view.lines.is_empty() {
        return vec![alone(said::nothing_rehearsed(words))];
    }
    let [in_force, new] = said::in_force(words);
    let mut lines = vec![line(SharedString::default(), in_force, new, false)];
    lines.extend(view.lines.iter().map(|(parameter, before, after)| {
        let name = bedside::parameter_name(words, *parameter);
        line(name, said::load(words, *before), said::load(words, *after), false)
    }));
    let (before, after) = view.whole;
    let whole = (said::load(words, before), said::load(words, after));
    lines.push(line(said::together(words), whole.0, whole.1, true));
    for (heading, told) in [(said::silent(words), &view.silent), (said::later(words), &view.later)]
    {
        if told.is_empty() {
            continue;
        }
        lines.push(line(heading, SharedString::default(), SharedString::default(), true));
        lines.extend(told.iter().take(TOLD_MAX).map(
            |Rehearsed { at, parameter, value, length }| {
                let name = bedside::parameter_name(words, *parameter);
                let first = slint::format!("{} {name}", times::of_day(*at));
                line(first, value.reveal().into(), bedside::lasting(words, *length), false)
            },
        ));
    }
    lines
}
