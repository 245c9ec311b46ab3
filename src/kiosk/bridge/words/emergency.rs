//! Why somebody may want the emergency view.

use wardkeep_model::keeping::emergency::EmergencyReason;

use crate::bridge::words::{Said, Words, tr};

/// A reason, and when it is one.
pub(in crate::bridge) fn reason(words: &Words, reason: EmergencyReason) -> Said {
    let (fact, advice) = match reason {
        EmergencyReason::LifeThreatening => {
            (tr("A life is in danger"), tr("Resuscitation, or the patient is getting worse fast."))
        }
        EmergencyReason::FactorFailed => (
            tr("My PIN, card or reader does not work"),
            tr("PIN forgotten, or the second factor cannot be read."),
        ),
        EmergencyReason::NobodyAvailable => (
            tr("Nobody who may log in can come"),
            tr("Everybody with access is away or busy elsewhere."),
        ),
    };
    Said { fact: words.say(fact), advice: words.say(advice) }
}
