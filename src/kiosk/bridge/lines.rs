//! Rows and lines that several screens show, made from the view's plain values.

use std::cell::RefCell;
use std::sync::Arc;

use slint::{Image, Model, SharedString, VecModel};

use wardkeep_core::config::Language;
use wardkeep_core::kiosk::view::access::{PersonLine, PersonState};
use wardkeep_core::kiosk::view::{DeviceRow, DeviceState, Owner, PatientBanner, Tile};
use wardkeep_model::alarm::Priority;
use wardkeep_model::ports::ReaderHealth;
use wardkeep_model::vitals::DeviceKind;
use wardkeep_model::vitals::parameter::Family;
use wardkeep_ui as ui;

use crate::bridge::words::{
    Said, Words, bedside, devices, inventory, patient as patients, people, readers,
};
use crate::glyphs;

/// Brings a model to `rows`, touching only the rows that differ, so that only they are painted again.
pub(super) fn sync<T: Clone + PartialEq + 'static>(model: &VecModel<T>, rows: Vec<T>) {
    while model.row_count() > rows.len() {
        model.remove(model.row_count() - 1);
    }
    for (place, line) in rows.into_iter().enumerate() {
        match model.row_data(place) {
            None => model.push(line),
            Some(shown) if shown != line => model.set_row_data(place, line),
            Some(_) => {}
        }
    }
}

/// Which lines of the core a list was made of, and in which language: while they are the same ones, nothing
/// of it is made again.
pub(super) struct Made<T>(RefCell<Option<(Arc<[T]>, Language)>>);

impl<T> Default for Made<T> {
    fn default() -> Self {
        Self(RefCell::new(None))
    }
}

impl<T> Made<T> {
    /// Whether the list has to be made of these lines, which it then is.
    pub(super) fn is_out_of_date(&self, lines: &Arc<[T]>, words: &Words) -> bool {
        let language = words.language();
        let made = self.0.replace(Some((Arc::clone(lines), language)));
        made.is_none_or(|(of, spoken)| !Arc::ptr_eq(&of, lines) || spoken != language)
    }

    /// S-1: the lines are not held any more.
    pub(super) fn forget(&self) {
        self.0.take();
    }
}

/// The rows in the order already shown, newcomers last: a list that sorts itself under a finger makes
/// the finger land on the wrong line.
pub(super) fn steady(
    shown: &VecModel<ui::DeviceLine>,
    mut rows: Vec<ui::DeviceLine>,
) -> Vec<ui::DeviceLine> {
    let order: Vec<SharedString> = shown.iter().map(|line| line.id).collect();
    rows.sort_by_key(|line| order.iter().position(|id| *id == line.id).unwrap_or(usize::MAX));
    rows
}

/// A patient: family name in capitals first, as on a wristband.
pub(super) fn patient(banner: &PatientBanner, words: &Words) -> ui::PatientLine {
    let family = in_capitals(banner.family.reveal());
    let given = banner.given.reveal();
    let name = if given.is_empty() { family } else { format!("{family}, {given}") };
    ui::PatientLine {
        present: true,
        name: glyphs::drawable(&name),
        facts: patients::facts(words, banner),
    }
}

/// One person who may log in.
pub(super) fn person(line: &PersonLine, words: &Words) -> ui::PersonEntry {
    let standing = people::standing(words, line.state);
    ui::PersonEntry {
        id: slint::format!("{:032x}", line.id.0),
        name: glyphs::drawable(line.name.reveal()),
        initials: glyphs::drawable(&line.initials),
        facts: people::facts(words, line),
        factors: people::factors(words, line),
        ready: line.state == PersonState::Ready,
        state: standing.fact,
        advice: standing.advice,
    }
}

/// One tile. S-7: no value, no digits, only the last one with its age.
pub(super) fn tile(tile: &Tile, words: &Words) -> ui::VitalLine {
    ui::VitalLine {
        name: bedside::parameter_name(words, tile.parameter),
        spoken: bedside::spoken_name(words, tile.parameter),
        family: family(tile.parameter.row().family),
        value: tile.value.as_ref().map(|value| value.reveal().into()).unwrap_or_default(),
        unit: tile.unit.into(),
        limit_low: tile.limit_low.as_ref().map(SharedString::from).unwrap_or_default(),
        limit_high: tile.limit_high.as_ref().map(SharedString::from).unwrap_or_default(),
        beneath: bedside::beneath(words, tile),
        earlier: bedside::earlier(words, tile),
        alarm: priority(tile.alarm),
        marks: tile.alarm.map(marks).unwrap_or_default(),
        flashes: tile.alarm.is_some() && !tile.is_seen,
    }
}

/// What has one colour.
pub(super) fn family(family: Family) -> ui::Family {
    match family {
        Family::Heart => ui::Family::Heart,
        Family::Oxygen => ui::Family::Oxygen,
        Family::Breath => ui::Family::Breath,
        Family::Pressure => ui::Family::Pressure,
        Family::Warmth => ui::Family::Warmth,
        Family::Sugar => ui::Family::Sugar,
        Family::Plain => ui::Family::Plain,
    }
}

/// Priority of an alarm, or none.
pub(super) fn priority(priority: Option<Priority>) -> ui::AlarmPriority {
    match priority {
        None => ui::AlarmPriority::None,
        Some(Priority::Low) => ui::AlarmPriority::Low,
        Some(Priority::Medium) => ui::AlarmPriority::Medium,
        Some(Priority::High) => ui::AlarmPriority::High,
    }
}

/// The same for whoever sees no colours.
pub(super) fn marks(priority: Priority) -> SharedString {
    match priority {
        Priority::Low => "*".into(),
        Priority::Medium => "**".into(),
        Priority::High => "***".into(),
    }
}

/// One device.
pub(super) fn device(line: &DeviceRow, words: &Words, icons: &ui::Icons<'_>) -> ui::DeviceLine {
    ui::DeviceLine {
        id: slint::format!("{}", line.id),
        name: glyphs::drawable(&line.name),
        kind: inventory::model_and_serial(words, &line.identity, line.kind),
        icon: picture(line.kind, icons),
        quiet: line.state == DeviceState::Away || line.owner == Owner::AnotherPatient,
        owner: devices::owner(words, line.owner),
        standing: devices::standing(words, line),
        can_connect: line.can_connect,
        can_pair: line.can_pair,
        can_assign: line.can_assign,
        can_show: line.can_show,
        can_release: line.can_release,
        has_page: line.has_page,
    }
}

/// The picture of a kind of device.
pub(super) fn picture(kind: DeviceKind, icons: &ui::Icons<'_>) -> Image {
    match kind {
        DeviceKind::HeartRate => icons.get_heart(),
        DeviceKind::PulseOximeter => icons.get_oximeter(),
        DeviceKind::Cuff => icons.get_cuff(),
        DeviceKind::Thermometer => icons.get_thermometer(),
        DeviceKind::GlucoseMeter => icons.get_meter(),
        DeviceKind::GlucoseSensor => icons.get_sensor(),
        DeviceKind::Scale => icons.get_scale(),
        DeviceKind::Patch => icons.get_patch(),
    }
}

/// What somebody holds to a reader, as far as there are readers for it.
pub(super) fn wanted(badge: ReaderHealth, card: bool, words: &Words) -> ui::Wanted {
    let is_ready = badge == ReaderHealth::Ready;
    let told = readers::wanted(words, badge, card);
    ui::Wanted {
        title: told.fact,
        advice: told.advice,
        usable: is_ready || card,
        card: card && !is_ready,
    }
}

/// What is said of a property: how it stands, and what that means.
pub(super) fn fact(said: Said) -> ui::FactLine {
    ui::FactLine { state: said.fact, meaning: said.advice }
}

/// What stands at a place that was touched.
pub(super) fn at<T: Copy>(all: &[T], place: i32) -> Option<T> {
    all.get(usize::try_from(place).ok()?).copied()
}

/// Where it stands among all of them.
pub(super) fn place<T: PartialEq>(all: &[T], wanted: T) -> i32 {
    all.iter().position(|one| *one == wanted).map_or(-1, count)
}

/// A count for the screen.
pub(super) fn count(many: usize) -> i32 {
    i32::try_from(many).unwrap_or(i32::MAX)
}

/// Capitals that lose nothing: the sharp s keeps its own capital instead of becoming two letters.
fn in_capitals(name: &str) -> String {
    name.chars()
        .flat_map(|letter| {
            let capital = if letter == 'ß' { '\u{1E9E}' } else { letter };
            capital.to_uppercase()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capitals_lose_no_letter() {
        for (name, capitals) in
            [("Weiß", "WEI\u{1E9E}"), ("Okonkwo-Brandt", "OKONKWO-BRANDT"), ("Łuczak", "ŁUCZAK")]
        {
            assert_eq!(in_capitals(name), capitals);
        }
    }

    #[test]
    fn only_rows_that_differ_are_set() {
        let model = VecModel::from(vec![1, 2, 3, 4]);
        sync(&model, vec![1, 9, 3]);
        assert_eq!(model.iter().collect::<Vec<_>>(), [1, 9, 3]);
        sync(&model, vec![1, 9, 3, 5, 6]);
        assert_eq!(model.iter().collect::<Vec<_>>(), [1, 9, 3, 5, 6]);
    }
}
