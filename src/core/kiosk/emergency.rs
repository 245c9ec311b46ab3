//! The emergency view: what the emergency card holds about the patient at this bed, and live values of
//! this bed, for a bounded time. No page opens from here and nothing is assigned (the gate wants a
//! session for that).

use std::collections::BTreeMap;

use jiff::Timestamp;

use wardkeep_model::confidential::Phi;
use wardkeep_model::keeping::emergency::{EmergencyCard, EmergencyReason, PastNumeric};
use wardkeep_model::ports::ReaderKind;
use wardkeep_model::vitals::nomenclature::{HEART_RATE, PULSE_RATE_OXIMETER, SPO2};

use crate::kiosk::desk::Scene;
use crate::kiosk::pad::ceil_seconds;
use crate::kiosk::pages::{bedside, patients};
use crate::kiosk::view::access::{Emergency as Page, EmergencyPage, PastRow};
use crate::session::Emergency;

/// The step that waits, or what is shown while it is open.
pub(super) fn view(scene: Scene<'_>, step: &Emergency, card: Option<&EmergencyCard>) -> Page {
    match step {
        Emergency::Token { .. } => Page::Token {
            badge_reader: scene.health.reader(ReaderKind::Badge),
            card_reader: scene.health.reader(ReaderKind::SmartCard),
        },
        Emergency::Reason { .. } => reasons(false),
        Emergency::Opening { .. } => reasons(true),
        Emergency::Open { until, .. } => match card {
            Some(card) => {
                let seconds_left = ceil_seconds(until.since(scene.now.boot));
                Page::Open(Box::new(opened(scene, card, seconds_left)))
            }
            // Unreachable by the order of events; without a card there is nothing to show.
            None => reasons(true),
        },
    }
}

fn reasons(busy: bool) -> Page {
    Page::Reason { reasons: EmergencyReason::ALL.to_vec(), busy }
}

fn opened(scene: Scene<'_>, card: &EmergencyCard, seconds_left: u64) -> EmergencyPage {
    EmergencyPage {
        patient: patients::banner(scene, &card.patient),
        allergies: card.patient.allergies.clone(),
        tiles: bedside::tiles(scene),
        past: past(scene, &card.numerics),
        seconds_left,
    }
}

/// One row a minute, newest first. A pulse stands in where no strap gave a heart rate.
fn past(scene: Scene<'_>, numerics: &[PastNumeric]) -> Vec<PastRow> {
    let mut minutes: BTreeMap<i64, [Option<String>; 3]> = BTreeMap::new();
    for numeric in numerics {
        let place = match numeric.mdc {
            HEART_RATE => 0,
            PULSE_RATE_OXIMETER => 1,
            SPO2 => 2,
            _ => continue,
        };
        let minute = numeric.at.as_second().div_euclid(60);
        let row = minutes.entry(minute).or_default();
        if let Some(digits) = row.get_mut(place) {
            *digits = Some(numeric.value.reveal().to_string());
        }
    }
    let rows = minutes.into_iter().rev().filter_map(|(minute, [heart, pulse, spo2])| {
        let at = Timestamp::from_second(minute * 60).ok()?;
        Some(PastRow {
            at: scene.site.time_of_day(at),
            rate: Phi::new(heart.or(pulse).unwrap_or_default()),
            spo2: Phi::new(spo2.unwrap_or_default()),
        })
    });
    rows.collect()
}
