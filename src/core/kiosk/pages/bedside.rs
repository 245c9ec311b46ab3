//! Live values. S-7: a tile takes its number only from
//! [`Live::current`](wardkeep_model::vitals::live::Live::current).

use wardkeep_model::confidential::Phi;
use wardkeep_model::ports::Link;
use wardkeep_model::vitals::decimal::Decimal;
use wardkeep_model::vitals::live::Numeric;
use wardkeep_model::vitals::parameter::Parameter;

use crate::kiosk::desk::Scene;
use crate::kiosk::view::{Bedside, OneOf, Tile, TileState};
use crate::pairing::{Device, Why};

/// The page.
pub(in crate::kiosk) fn view(scene: Scene<'_>) -> Bedside {
    Bedside {
        tiles: tiles(scene),
        waves: scene.monitor.waves(scene.now.boot),
        has_patient: scene.monitor.subject().is_some(),
        has_device: scene.monitor.has_assignment()
            || Parameter::all().any(|parameter| scene.monitor.live().last(parameter).is_some()),
    }
}

/// A tile for each parameter; the emergency view and the trouble screen have them, too.
pub(in crate::kiosk) fn tiles(scene: Scene<'_>) -> Vec<Tile> {
    let is_shown = |parameter: &Parameter| {
        let is_measured = scene.monitor.source_of(*parameter).is_some();
        parameter.row().is_basic || is_measured || scene.monitor.live().last(*parameter).is_some()
    };
    Parameter::all().filter(is_shown).map(|parameter| tile(scene, parameter)).collect()
}

fn tile(scene: Scene<'_>, parameter: Parameter) -> Tile {
    let Scene { now, monitor, .. } = scene;
    let row = parameter.row();
    let current = monitor.live().current(now.boot, parameter);
    let last = monitor.live().last(parameter);
    // Who measured once need not stay.
    let spot = last.filter(|last| last.is_spot);
    let source = match spot {
        Some(spot) => monitor.device(spot.device).map(|device| (spot.device, device)),
        None => monitor.source_of(parameter),
    };
    let bed = monitor.limits();
    let limit = row.limits.map(|key| *bed.limits.of(key)).unwrap_or_default();
    let unit = current.or(last).map_or(row.unit, |numeric| numeric.unit);
    // As the value beside them is.
    let bound = |limit: Option<Decimal>| Some(row.unit.reckon(limit?, unit)?.to_string());
    let digits = |value: Option<&Numeric>| value.map(|n| Phi::new(n.value.to_string()));
    Tile {
        parameter,
        value: digits(current),
        unit: unit.symbol(),
        limit_low: bound(limit.low),
        limit_high: bound(limit.high),
        source: source.map(|(id, _)| monitor.name(id)).unwrap_or_default(),
        one_of: source.filter(|_| spot.is_none()).and_then(|(_, one)| one_of(scene, one)),
        age: current.or(last).map(|numeric| numeric.measured.age(now.boot)),
        last: if current.is_none() { digits(last) } else { None },
        state: match source {
            _ if current.is_some() => TileState::Current,
            _ if spot.is_some() => TileState::Stale,
            None => TileState::NoDevice,
            Some((_, device)) => silent(scene, parameter, device),
        },
        weak_signal: current
            .is_some_and(|numeric| numeric.status.iter().any(|status| status.is_weak_signal())),
        alarm: scene.alarms.on(parameter),
        is_seen: scene.alarms.is_seen_on(parameter),
    }
}

/// Why it is this one of several.
fn one_of(scene: Scene<'_>, device: &Device) -> Option<OneOf> {
    Some(match scene.monitor.why(device.kind)? {
        Why::First => OneOf::First,
        Why::Chosen => OneOf::Chosen,
        Why::Instead => OneOf::Instead,
    })
}

fn silent(scene: Scene<'_>, parameter: Parameter, device: &Device) -> TileState {
    match device.link {
        Link::Live if scene.monitor.live().is_withheld(scene.now.boot, parameter) => {
            TileState::NoValue
        }
        Link::Live => TileState::Stale,
        Link::Connecting if !device.was_live => TileState::Connecting,
        Link::Connecting | Link::Lost | Link::Down => TileState::LinkLost,
    }
}
