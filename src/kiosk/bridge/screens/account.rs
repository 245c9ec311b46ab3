//! The logged-in person's own page.
//!
//! S-1: their name leaves every property when the page is left and at lock.

use std::rc::Rc;

use slint::{ComponentHandle, SharedString};

use wardkeep_core::kiosk::pages::account;
use wardkeep_core::kiosk::view::Screen;
use wardkeep_ui::{self as ui, AppWindow};

use crate::bridge::port::Port;
use crate::bridge::screens::Adapter;
use crate::bridge::words::{Words, cart, factors, people};
use crate::bridge::{lines, times};
use crate::glyphs;

/// It remembers nothing.
pub(super) struct Account;

impl Account {
    /// Connects the page.
    pub(super) fn connect(port: &Rc<Port>, window: &AppWindow) -> Self {
        let here = Rc::clone(port);
        window.global::<ui::Account>().on_change_pin(move || here.send(account::Intent::ChangePin));
        Self
    }
}

impl Adapter for Account {
    fn show(&self, window: &AppWindow, screen: &Screen, words: &Words) -> bool {
        let Screen::Account(account) = screen else { return false };
        let global = window.global::<ui::Account>();
        global.set_name(glyphs::drawable(account.name.reveal()));
        global.set_role(people::role(words, account.role));
        global.set_pair(factors::pair(words, account.pair));
        global.set_meaning(factors::level_meaning(words, account.level));
        global.set_since(times::of_day(account.since));
        let until = account.shift_until.map(times::of_day);
        global.set_shift(lines::fact(cart::shift_until(words, until)));
        global.set_can_change_pin(account.can_change_pin);
        true
    }

    /// Forgets the person.
    fn leave(&self, window: &AppWindow) {
        let global = window.global::<ui::Account>();
        global.set_name(SharedString::default());
        global.set_since(SharedString::default());
        global.set_shift(ui::FactLine::default());
    }
}
