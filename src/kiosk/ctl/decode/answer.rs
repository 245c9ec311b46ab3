//! One answer as one line of JSON, its fields in the order that the command line promises.

use serde::Serialize;
use serde_json::Value as Json;

use wardkeep_model::vitals::gatt::{Charted, Decoded, Withheld};

/// Why a line or a frame was rejected whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Rejection {
    /// The kind of error, a stable word.
    pub kind: &'static str,
    /// What is at fault.
    pub field: &'static str,
}

/// The answer to one frame.
#[derive(Debug, Serialize)]
pub struct Answer {
    id: Json,
    observations: Vec<Observation>,
    withheld: Vec<Held>,
    events: Vec<String>,
    time: Option<String>,
    error: Option<Rejection>,
}

/// A value that may be charted; the absence stays null, what has one is withheld.
#[derive(Debug, Serialize)]
struct Observation {
    mdc: u32,
    loinc: Option<&'static str>,
    value: String,
    unit: &'static str,
    absent: Option<&'static str>,
    status: Vec<&'static str>,
}

#[derive(Debug, Serialize)]
struct Held {
    mdc: u32,
    reason: &'static str,
}

impl Answer {
    /// Answers the question `id`. With an error nothing is charted (S-7).
    pub fn new(id: Json, outcome: Result<Decoded, Rejection>) -> Self {
        let (decoded, error) = match outcome {
            Ok(decoded) => (decoded, None),
            Err(rejection) => (Decoded::default(), Some(rejection)),
        };
        Self {
            id,
            observations: decoded.observations.iter().map(Observation::from).collect(),
            withheld: decoded.withheld.iter().map(Held::from).collect(),
            events: decoded.events.iter().map(ToString::to_string).collect(),
            time: decoded.time.map(|time| time.to_string()),
            error,
        }
    }

    /// The line, without its end.
    pub fn line(&self) -> String {
        serde_json::to_string(self).expect("texts, numbers and text-keyed maps always serialise")
    }
}

impl From<&Charted> for Observation {
    fn from(charted: &Charted) -> Self {
        Self {
            mdc: charted.code.0,
            loinc: charted.code.loinc(charted.unit).map(|loinc| loinc.0),
            value: charted.value.to_string(),
            unit: charted.unit.ucum(),
            absent: None,
            status: charted.status.iter().map(|status| status.word()).collect(),
        }
    }
}

impl From<&Withheld> for Held {
    fn from(withheld: &Withheld) -> Self {
        Self { mdc: withheld.code.0, reason: withheld.reason.word() }
    }
}
