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

/// How a device is linked, or why it is not.
pub(crate) fn signal(words: &Words, device: &Device) -> SharedString {
    words.say(match device.link() {
        Link::Live => tr("linked"),
        Link::Lost => tr("link lost"),
        Link::Connecting => tr("connecting"),
        Link::Down if device.battery_percent == 0 => tr("battery empty"),
        Link::Down if device.near => tr("not linked"),
        Link::Down => tr("out of reach"),
    })
}
