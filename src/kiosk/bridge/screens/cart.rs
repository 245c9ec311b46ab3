//! How the cart is set up. There is nothing about a person in it.

use std::rc::Rc;

use slint::{ComponentHandle, ModelRc, SharedString, VecModel};

use wardkeep_core::kiosk::view::Screen;
use wardkeep_ui::{self as ui, AppWindow};

use crate::bridge::lines;
use crate::bridge::screens::Adapter;
use crate::bridge::words::{Words, cart as said, factors};

/// Rows of the page.
#[derive(Default)]
pub(super) struct Cart {
    /// Pairs that open here.
    pairs: Rc<VecModel<SharedString>>,
}

impl Cart {
    /// Gives the page its rows.
    pub(super) fn connect(window: &AppWindow) -> Self {
        let page = Self::default();
        window.global::<ui::Cart>().set_pairs(ModelRc::from(Rc::clone(&page.pairs)));
        page
    }
}

impl Adapter for Cart {
    fn show(&self, window: &AppWindow, screen: &Screen, words: &Words) -> bool {
        let Screen::Cart(cart) = screen else { return false };
        let global = window.global::<ui::Cart>();
        global.set_protection(lines::fact(said::protection(words, cart.protection)));
        global.set_shift(lines::fact(said::shift(words, cart.shift_min)));
        global.set_emergency(lines::fact(said::emergency(words, cart.emergency)));
        global.set_two_person(said::two_person(words, cart.two_person));
        global.set_revocation_list(said::revocation_list(words, cart.crl_days));
        global.set_sensor(said::sensor(words, &cart.sensor));
        let pairs = cart.pairs.iter().map(|pair| factors::pair(words, *pair));
        lines::sync(&self.pairs, pairs.collect());
        true
    }

    /// It is about nobody.
    fn leave(&self, _: &AppWindow) {}
}
