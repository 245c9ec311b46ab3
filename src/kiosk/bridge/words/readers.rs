//! What is said of the readers, and what to hold to them.

use slint::SharedString;

use wardkeep_model::ports::{ReaderHealth, ReaderKind};

use crate::bridge::words::{Said, Sentence, Words, tr};

/// Name of a reader.
pub(in crate::bridge) fn name(words: &Words, reader: ReaderKind) -> SharedString {
    words.say(match reader {
        ReaderKind::Badge => tr("Badge"),
        ReaderKind::SmartCard => tr("Smart card"),
        ReaderKind::Finger => tr("Finger"),
    })
}

/// How a reader stands.
pub(in crate::bridge) fn health(words: &Words, health: ReaderHealth) -> SharedString {
    words.say(match health {
        ReaderHealth::Ready => tr("ready"),
        ReaderHealth::NotFitted => tr("not connected"),
        ReaderHealth::ServiceDown => tr("not answering"),
        ReaderHealth::Refused => tr("not permitted"),
        ReaderHealth::NoLibrary => tr("not installed"),
    })
}

/// What to hold to a reader, or why nothing can be, and what else there is or what to do.
pub(in crate::bridge) fn wanted(words: &Words, badge: ReaderHealth, card: bool) -> Said {
    let is_ready = badge == ReaderHealth::Ready;
    let state = || words.fill(tr("Badge reader {}"), &[&health(words, badge)]);
    let (fact, advice) = match (is_ready, card) {
        (true, true) => (words.say(tr("Tap your badge")), words.say(tr("or insert your card"))),
        (true, false) => (words.say(tr("Tap your badge")), SharedString::default()),
        (false, true) => (words.say(tr("Insert your card")), state()),
        (false, false) => (state(), advice(words, badge)),
    };
    Said { fact, advice }
}

/// Why a badge reader cannot be used and what to do; empty when it can.
pub(in crate::bridge) fn badge_trouble(words: &Words, reader: ReaderHealth) -> SharedString {
    with_advice(words, tr("Badge reader {}."), reader)
}

/// The same of any reader.
pub(in crate::bridge) fn trouble(words: &Words, reader: ReaderHealth) -> SharedString {
    with_advice(words, tr("Reader {}."), reader)
}

fn with_advice(words: &Words, state: Sentence, reader: ReaderHealth) -> SharedString {
    if reader == ReaderHealth::Ready {
        return SharedString::default();
    }
    let state = words.fill(state, &[&health(words, reader)]);
    slint::format!("{state} {}", advice(words, reader))
}

/// Why nothing can be enrolled at a reader; empty when something can.
pub(in crate::bridge) fn obstacle(words: &Words, reader: ReaderHealth) -> SharedString {
    if reader == ReaderHealth::Ready {
        return SharedString::default();
    }
    words.fill(tr("Reader {}"), &[&health(words, reader)])
}

/// What to do about a reader; empty where nothing has to be done.
fn advice(words: &Words, reader: ReaderHealth) -> SharedString {
    words.say(match reader {
        ReaderHealth::Ready => return SharedString::default(),
        ReaderHealth::NotFitted => tr("Plug the reader in. It is found by itself."),
        ReaderHealth::ServiceDown => tr("Wait a moment. If it stays like this, call IT."),
        ReaderHealth::Refused => tr("Call IT: this account may not use the reader."),
        ReaderHealth::NoLibrary => tr("Call IT: the reader's software is not installed."),
    })
}
