//! The emergency view: what the emergency card holds about the patient at this bed, and live values of
//! this bed, for a bounded time. No page opens from here and nothing is assigned (the gate wants a
//! session for that).

use std::collections::BTreeMap;

use wardkeep_model::access::factor::Attempt;
use wardkeep_model::confidential::Phi;
use wardkeep_model::keeping::emergency::{EmergencyCard, EmergencyReason, PastNumeric};
use wardkeep_model::keeping::{AuditAct, EmergencyRefusal};
use wardkeep_model::moment::Moment;
use wardkeep_model::ports::ReaderKind;
use wardkeep_model::vitals::nomenclature::{HEART_RATE, PULSE_RATE_OXIMETER, SPO2};

use crate::kiosk::project::ceil_seconds;
use crate::kiosk::view::access::{EmergencyPage, PastRow};
use crate::kiosk::{Effect, Kiosk, view};
use crate::session::{self, Emergency};

impl Kiosk {
    /// The store's answer. S-6: a card of another patient than the one at this bed is never shown.
    pub(super) fn emergency_answered(
        &mut self,
        now: Moment,
        attempt: Attempt,
        answer: Result<Box<EmergencyCard>, EmergencyRefusal>,
    ) -> Vec<Effect> {
        let event = match answer {
            Ok(card) if self.session.awaits(attempt) && Some(card.patient.id) == self.subject => {
                self.emergency = Some(card);
                session::Event::EmergencyOpened(attempt)
            }
            Ok(_) => {
                let nothing = EmergencyRefusal::Nothing;
                let refused = session::Event::EmergencyRefused(attempt, nothing);
                let mut effects = self.in_session(now, refused);
                // The log says that it was opened; it has to say as well that nobody sees it.
                effects.push(self.audit(now, AuditAct::EmergencyEnded, None));
                return effects;
            }
            Err(refusal) => session::Event::EmergencyRefused(attempt, refusal),
        };
        self.in_session(now, event)
    }

    pub(super) fn emergency_page(&self, now: Moment, emergency: &Emergency) -> view::Screen {
        let page = match emergency {
            Emergency::Token { .. } => view::access::Emergency::Token {
                badge_reader: self.reader(ReaderKind::Badge),
                card_reader: self.reader(ReaderKind::SmartCard),
            },
            Emergency::Reason { .. } => reasons(false),
            Emergency::Opening { .. } => reasons(true),
            Emergency::Open { until, .. } => match &self.emergency {
                Some(card) => {
                    let seconds_left = ceil_seconds(until.since(now.boot));
                    let page = self.emergency_open(now, card, seconds_left);
                    view::access::Emergency::Open(Box::new(page))
                }
                // Unreachable by the order of events; without a card there is nothing to show.
                None => reasons(true),
            },
        };
        view::Screen::Emergency(page)
    }

    fn emergency_open(
        &self,
        now: Moment,
        card: &EmergencyCard,
        seconds_left: u64,
    ) -> EmergencyPage {
        EmergencyPage {
            patient: self.banner(now, &card.patient),
            allergies: card.patient.allergies.clone(),
            tiles: self.tiles(now),
            past: self.past(&card.numerics),
            seconds_left,
        }
    }

    /// One row a minute, newest first. A pulse stands in where no strap gave a heart rate.
    fn past(&self, numerics: &[PastNumeric]) -> Vec<PastRow> {
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
            let at = jiff::Timestamp::from_second(minute * 60).ok()?;
            Some(PastRow {
                at: self.hour_minute(at),
                rate: Phi::new(heart.or(pulse).unwrap_or_default()),
                spo2: Phi::new(spo2.unwrap_or_default()),
            })
        });
        rows.collect()
    }
}

fn reasons(busy: bool) -> view::access::Emergency {
    let reasons = EmergencyReason::ALL.to_vec();
    view::access::Emergency::Reason { reasons, busy }
}
