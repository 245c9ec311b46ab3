//! Names of the pages.

use slint::SharedString;

use wardkeep_core::kiosk::page::Page;

use crate::bridge::words::{Words, tr};

/// What a page is called on the rail.
pub(in crate::bridge) fn name(words: &Words, page: Page) -> SharedString {
    words.say(match page {
        Page::Bedside => tr("Bedside"),
        Page::Alarms => tr("Alarms"),
        Page::Limits => tr("Alarm limits"),
        Page::Devices => tr("Devices"),
        Page::Inventory => tr("Devices of this cart"),
        Page::Readings => tr("Readings"),
        Page::Patients => tr("Patients"),
        Page::People => tr("People"),
        Page::Audit => tr("Audit"),
        Page::Cart => tr("Cart"),
        Page::Account => tr("Account"),
    })
}
