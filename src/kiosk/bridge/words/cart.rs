//! How the cart is set up, and what that means.

use slint::SharedString;

use wardkeep_model::keeping::Protection;

use crate::bridge::words::{Said, Words, tr, trn};

/// How the device secret is kept.
pub(in crate::bridge) fn protection(words: &Words, protection: Option<Protection>) -> Said {
    let (fact, advice) = match protection {
        None => {
            return Said { fact: words.say(tr("Not known yet")), advice: SharedString::default() };
        }
        Some(Protection::Full) => (
            tr("Full protection"),
            tr("The cart's own key is kept by the system. A copied disk opens nothing."),
        ),
        Some(Protection::Reduced) => (
            tr("Reduced protection"),
            tr(
                "The cart's own key is a file on the disk. Whoever copies the whole disk can try PINs elsewhere without end: use cards, or install a system credential.",
            ),
        ),
    };
    Said { fact: words.say(fact), advice: words.say(advice) }
}

/// How long a full login makes the next ones easier; zero: not at all.
pub(in crate::bridge) fn shift(words: &Words, minutes: u64) -> Said {
    let on = tr(
        "Badge or card and a finger reopen quickly. The price: a part of the key stays in the cart's memory until the shift ends.",
    );
    let off = tr(
        "Every login takes both factors. Nothing that opens the data stays in the cart's memory.",
    );
    let (fact, advice) = match minutes {
        0 => (words.say(tr("Off")), off),
        _ if minutes.is_multiple_of(60) => {
            let hours = (minutes / 60).to_string();
            (words.fill(tr("On, {} h after a full login"), &[&hours]), on)
        }
        _ => (words.fill(tr("On, {} min after a full login"), &[&minutes.to_string()]), on),
    };
    Said { fact, advice: words.say(advice) }
}

/// Whether the emergency view is offered.
pub(in crate::bridge) fn emergency(words: &Words, is_offered: bool) -> Said {
    let (fact, advice) = if is_offered {
        (
            tr("Offered"),
            tr(
                "The price: whoever has one enrolled badge can see one patient for 15 minutes. It is recorded.",
            ),
        )
    } else {
        (tr("Off"), tr("Without both factors nobody sees a patient here."))
    };
    Said { fact: words.say(fact), advice: words.say(advice) }
}

/// How many IT people make another one.
pub(in crate::bridge) fn two_person(words: &Words, two: bool) -> SharedString {
    words.say(if two { tr("Takes two IT people") } else { tr("Takes one IT person") })
}

/// How long a revocation list counts; zero: none is asked for.
pub(in crate::bridge) fn revocation_list(words: &Words, days: u64) -> SharedString {
    match days {
        0 => words.say(tr("Not asked for")),
        _ => words.count(trn("Counts for {n} day", "Counts for {n} days"), days, &[]),
    }
}

/// The fingerprint reader.
pub(in crate::bridge) fn sensor(words: &Words, name: &str) -> SharedString {
    if name.is_empty() { words.say(tr("None connected")) } else { name.into() }
}

/// Until when a shift goes on, and what that means.
pub(in crate::bridge) fn shift_until(words: &Words, until: Option<SharedString>) -> Said {
    match until {
        None => Said {
            fact: words.say(tr("None")),
            advice: words.say(tr("The next login takes both factors.")),
        },
        Some(until) => Said {
            fact: words.fill(tr("Until {}"), &[&until]),
            advice: words.say(tr("Until then a badge or card and a finger are enough here.")),
        },
    }
}
