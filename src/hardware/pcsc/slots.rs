//! What IT is told of every slot of every reader: a look at them that changes nothing.

use std::time::Duration;

use pcsc::{Context, Error, ReaderState, Scope, State};

use crate::card::apdu;
use crate::pcsc::class::{Class, class};

/// One slot of a reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotFacts {
    /// Its name in PC/SC, from the reader.
    pub name: String,
    /// What it is taken for: `badges`, `cards`, `module`, or `either` where its name does not tell.
    pub takes: &'static str,
    /// What is there: `nothing`, `badge`, `card`, or `no-badge` for what can be nobody's.
    pub holds: &'static str,
    /// Answer to reset of what is there (ISO/IEC 7816-3).
    pub answer_to_reset: Vec<u8>,
}

/// Every slot of every reader that pcscd has.
///
/// # Errors
/// pcscd does not answer, or not this account.
pub fn slots() -> Result<Vec<SlotFacts>, Error> {
    let context = Context::establish(Scope::System)?;
    let names = context.list_readers_owned()?;
    let mut states: Vec<ReaderState> =
        names.into_iter().map(|name| ReaderState::new(name, State::UNAWARE)).collect();
    if states.is_empty() {
        return Ok(vec![]);
    }
    match context.get_status_change(Duration::ZERO, &mut states) {
        Ok(()) | Err(Error::Timeout) => {}
        Err(error) => return Err(error),
    }
    Ok(states.iter().map(facts).collect())
}

fn facts(state: &ReaderState) -> SlotFacts {
    let name = state.name().to_string_lossy().into_owned();
    let kind = class(&name);
    let is_contactless = apdu::is_contactless(state.atr());
    let holds = match (state.event_state().contains(State::PRESENT), kind) {
        (false, _) => "nothing",
        (true, Class::Internal) => "no-badge",
        (true, Class::Contactless) if is_contactless || state.atr().is_empty() => "badge",
        (true, Class::Contactless) => "no-badge",
        (true, Class::Contact) => "card",
        (true, Class::Unknown) => {
            if is_contactless {
                "badge"
            } else {
                "card"
            }
        }
    };
    let takes = match kind {
        Class::Contactless => "badges",
        Class::Contact => "cards",
        Class::Internal => "module",
        Class::Unknown => "either",
    };
    SlotFacts { name, takes, holds, answer_to_reset: state.atr().to_vec() }
}
