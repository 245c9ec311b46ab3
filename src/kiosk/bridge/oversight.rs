//! The audit log, the cart's set-up and the logged-in person's own page: shown and forgotten.
//!
//! S-1: names of staff leave every property and model when their page is left and at lock.

use std::rc::Rc;

use slint::{ComponentHandle, ModelRc, SharedString, VecModel};

use crate::bridge::vocabulary::{self, access};
use crate::bridge::window::Inner;
use crate::bridge::{lines, records, untrusted};
use wardkeep_core::kiosk::intent::Intent;
use wardkeep_core::kiosk::view::access::{Account, Audit, AuditLine, Cart};
use wardkeep_core::kiosk::view::records::Checkpoint;
use wardkeep_ui::{self as ui, AppWindow};

/// Rows of these pages.
#[derive(Default)]
pub struct Models {
    /// Newest first.
    pub audit: Rc<VecModel<ui::AuditEntry>>,
    /// Pairs that open here.
    pub pairs: Rc<VecModel<ui::PairWord>>,
}

impl Models {
    /// Gives the screens their rows.
    pub fn hand_to(&self, window: &AppWindow) {
        window.global::<ui::Audit>().set_rows(ModelRc::from(Rc::clone(&self.audit)));
        window.global::<ui::Cart>().set_pairs(ModelRc::from(Rc::clone(&self.pairs)));
    }
}

/// Shows the audit log.
pub fn show_audit(inner: &Inner, window: &AppWindow, audit: &Audit) {
    window.global::<ui::Audit>().set_loading(audit.loading);
    records::show_checkpoint(window, &audit.checkpoint);
    lines::sync(&inner.models.oversight.audit, audit.rows.iter().map(entry).collect());
}

/// Forgets the audit log.
pub fn leave_audit(inner: &Inner, window: &AppWindow) {
    records::show_checkpoint(window, &Checkpoint::Hidden);
    lines::sync(&inner.models.oversight.audit, Vec::new());
}

/// Shows how the cart is set up. There is nothing about a person in it.
pub fn show_cart(inner: &Inner, window: &AppWindow, cart: &Cart) {
    let global = window.global::<ui::Cart>();
    global.set_protection(access::protection(cart.protection));
    global.set_shift_min(whole(cart.shift_min));
    global.set_emergency(cart.emergency);
    global.set_two_person(cart.two_person);
    global.set_crl_days(whole(cart.crl_days));
    global.set_sensor((&cart.sensor).into());
    let pairs = cart.pairs.iter().map(|pair| access::pair(*pair));
    lines::sync(&inner.models.oversight.pairs, pairs.collect());
}

/// Shows the logged-in person's own page.
pub fn show_account(window: &AppWindow, account: &Account) {
    let global = window.global::<ui::Account>();
    global.set_name(account.name.reveal().into());
    global.set_role(vocabulary::role(account.role));
    global.set_pair(access::pair(account.pair));
    global.set_level(access::level(account.level));
    global.set_since(lines::time_of_day(account.since.0, account.since.1));
    let until = account.shift_until.map(|(hour, minute)| lines::time_of_day(hour, minute));
    global.set_shift_until(until.unwrap_or_default());
    global.set_can_change_pin(account.can_change_pin);
}

/// Forgets the logged-in person.
pub fn leave_account(window: &AppWindow) {
    let global = window.global::<ui::Account>();
    global.set_name(SharedString::default());
    global.set_since(SharedString::default());
    global.set_shift_until(SharedString::default());
}

/// Connects the own page.
pub fn connect(inner: &Rc<Inner>, window: &AppWindow) {
    let here = Rc::clone(inner);
    window.global::<ui::Account>().on_change_pin(move || here.send(Intent::ChangeOwnPin));
}

fn entry(line: &AuditLine) -> ui::AuditEntry {
    let entry = ui::AuditEntry {
        day: (&line.day).into(),
        at: lines::time_of_day(line.at.0, line.at.1),
        act: access::act(line.act),
        operator: line.operator.reveal().into(),
        person: line.person.reveal().into(),
        pair: line.pair.map_or(ui::PairWord::None, access::pair),
        reason: line.reason.map_or(ui::ReasonWord::None, access::reason),
        result: vocabulary::records::result(line.result),
        detail: untrusted::shown(line.detail.reveal()),
        ..ui::AuditEntry::default()
    };
    records::in_audit(entry, line.finding.as_ref())
}

fn whole(amount: u64) -> i32 {
    i32::try_from(amount).unwrap_or(i32::MAX)
}
