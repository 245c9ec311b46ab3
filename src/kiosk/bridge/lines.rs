//! Rows and lines of the screen, made from the view's plain values.

use slint::{Model, SharedString, VecModel};

use wardkeep_core::kiosk::view::{
    AlarmStrip, DeviceRow, OperatorChip, Owner, PatientBanner, PatientRow, Tile,
};
use wardkeep_ui as ui;

use crate::bridge::vocabulary;
use crate::bridge::words::{Words, bedside};

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

/// The strip along the top edge.
pub(super) fn alarm(strip: Option<&AlarmStrip>, words: &Words) -> ui::AlarmLine {
    let Some(strip) = strip else { return ui::AlarmLine::default() };
    ui::AlarmLine {
        present: true,
        priority: vocabulary::priority(Some(strip.priority)),
        text: bedside::alarm(words, &strip.text),
        since: time_of_day(strip.since.0, strip.since.1),
        acknowledged: strip.acknowledged,
        others: count(strip.others),
        paused: strip.audio_paused_s.map(countdown).unwrap_or_default(),
    }
}

/// The operator chip.
pub(super) fn operator(chip: &OperatorChip) -> ui::OperatorLine {
    ui::OperatorLine {
        initials: (&chip.initials).into(),
        role: vocabulary::role(chip.role),
        level: vocabulary::access::level(chip.level),
        since: time_of_day(chip.since.0, chip.since.1),
        minutes: i32::try_from(chip.minutes_left).unwrap_or(i32::MAX),
    }
}

/// A patient: family name in capitals first, as on a wristband.
pub(super) fn patient(banner: &PatientBanner) -> ui::PatientLine {
    let family = in_capitals(banner.family.reveal());
    let given = banner.given.reveal();
    let name = if given.is_empty() { family } else { format!("{family}, {given}") };
    ui::PatientLine {
        present: true,
        name: name.into(),
        years: banner.age_years.as_ref().map_or(-1, |years| i32::from(*years.reveal())),
        sex: vocabulary::sex(*banner.sex.reveal()),
        born: banner.born.as_ref().map(|born| born.reveal().into()).unwrap_or_default(),
        mrn: banner.mrn.reveal().into(),
    }
}

/// One patient to choose.
pub(super) fn choice(line: &PatientRow) -> ui::PatientChoice {
    ui::PatientChoice {
        id: slint::format!("{:032x}", line.id.0),
        patient: patient(&line.banner),
        here: line.here,
    }
}

/// One tile. S-7: no value, no digits, only the last one with its age.
pub(super) fn tile(tile: &Tile, words: &Words) -> ui::VitalLine {
    ui::VitalLine {
        name: bedside::parameter_name(words, tile.parameter),
        spoken: bedside::spoken_name(words, tile.parameter),
        family: vocabulary::family(tile.parameter.row().family),
        value: tile.value.as_ref().map(|value| value.reveal().into()).unwrap_or_default(),
        unit: tile.unit.into(),
        limit_low: tile.limit_low.as_ref().map(SharedString::from).unwrap_or_default(),
        limit_high: tile.limit_high.as_ref().map(SharedString::from).unwrap_or_default(),
        beneath: bedside::beneath(words, tile),
        earlier: bedside::earlier(words, tile),
        alarm: vocabulary::priority(tile.alarm),
    }
}

/// One device.
pub(super) fn device(line: &DeviceRow, words: &Words) -> ui::DeviceLine {
    ui::DeviceLine {
        id: slint::format!("{}", line.id),
        name: (&line.name).into(),
        kind: bedside::kind_name(words, line.kind),
        icon: vocabulary::icon(line.kind),
        state: vocabulary::link(line.state),
        owner: vocabulary::owner(line.owner),
        since: match line.owner {
            Owner::ThisPatient(hour, minute) => time_of_day(hour, minute),
            Owner::Nobody | Owner::AnotherPatient | Owner::Unknown => SharedString::default(),
        },
        reading: line.reading.reveal().into(),
        battery: line.battery_percent.map_or(-1, i32::from),
        can_connect: line.can_connect,
        can_assign: line.can_assign,
        can_release: line.can_release,
    }
}

/// What stands at a place that was touched.
pub(super) fn at<T: Copy>(all: &[T], place: i32) -> Option<T> {
    all.get(usize::try_from(place).ok()?).copied()
}

/// Where it stands among all of them.
pub(super) fn place<T: PartialEq>(all: &[T], wanted: T) -> i32 {
    all.iter().position(|one| *one == wanted).map_or(-1, count)
}

/// `14:05`.
pub(super) fn time_of_day(hour: i8, minute: i8) -> SharedString {
    slint::format!("{hour:02}:{minute:02}")
}

/// `1:58`.
pub(super) fn countdown(seconds: u64) -> SharedString {
    slint::format!("{}:{:02}", seconds / 60, seconds % 60)
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
