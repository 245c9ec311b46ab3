//! What the bench window says of who and what lies on it.

use slint::SharedString;

use wardkeep_model::access::Role;
use wardkeep_model::ports::Link;
use wardkeep_sim::device::Device;
use wardkeep_sim::ward::Holder;

use crate::bridge::words::{Words, people, tr};

/// What somebody on the bench does here.
pub(crate) fn holder(words: &Words, holder: Holder) -> SharedString {
    match holder {
        Holder::It => people::role(words, Role::It),
        Holder::Nurse => people::role(words, Role::Nurse),
        Holder::Caregiver => people::role(words, Role::Caregiver),
        Holder::Stranger => words.say(tr("Stranger")),
    }
}

/// How a device is linked, or why it is not; or what it shows.
pub(crate) fn signal(words: &Words, device: &Device) -> SharedString {
    if let Some(number) = device.shown_number() {
        return words.fill(tr("shows {}"), &[&format!("{number:06}")]);
    }
    if device.is_blinking() {
        return words.say(tr("blinks"));
    }
    let sleeps = device.spot.as_ref().is_some_and(|spot| !spot.is_in_use());
    words.say(match device.link() {
        Link::Down | Link::Connecting if device.near && sleeps && device.battery_percent > 0 => {
            tr("asleep")
        }
        Link::Live => tr("linked"),
        Link::Lost => tr("link lost"),
        Link::Connecting => tr("connecting"),
        Link::Down if device.battery_percent == 0 => tr("battery empty"),
        Link::Down if device.near => tr("not linked"),
        Link::Down => tr("out of reach"),
    })
}
