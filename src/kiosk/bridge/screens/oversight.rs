//! The audit log, the cart's set-up and the logged-in person's own page: shown and forgotten.
//!
//! S-1: names of staff leave every property and model when their page is left and at lock.

use std::rc::Rc;

use slint::{ComponentHandle, Image, ModelRc, SharedString, VecModel};

use wardkeep_core::kiosk::pages::{account, audit};
use wardkeep_core::kiosk::view::access::{self as view, AuditLine};
use wardkeep_core::kiosk::view::records::{Checkpoint, FindingLine};
use wardkeep_ui::{self as ui, AppWindow};

use crate::bridge::port::Port;
use crate::bridge::vocabulary::{self, access, records};
use crate::bridge::{lines, qr, spans, untrusted};

/// Rows of these pages.
#[derive(Default)]
pub(super) struct Oversight {
    /// Newest first.
    audit: Rc<VecModel<ui::AuditEntry>>,
    /// Pairs that open here.
    pairs: Rc<VecModel<ui::PairWord>>,
}

impl Oversight {
    /// Connects the pages.
    pub(super) fn connect(port: &Rc<Port>, window: &AppWindow) -> Self {
        let (audit, rows) = (window.global::<ui::Audit>(), Self::default());
        audit.set_rows(ModelRc::from(Rc::clone(&rows.audit)));
        window.global::<ui::Cart>().set_pairs(ModelRc::from(Rc::clone(&rows.pairs)));
        let here = Rc::clone(port);
        audit.on_show_checkpoint(move || here.send(audit::Intent::ShowCheckpoint));
        let here = Rc::clone(port);
        window.global::<ui::Account>().on_change_pin(move || here.send(account::Intent::ChangePin));
        rows
    }

    /// Shows the audit log.
    pub(super) fn show_audit(&self, window: &AppWindow, audit: &view::Audit) {
        window.global::<ui::Audit>().set_loading(audit.loading);
        show_checkpoint(window, &audit.checkpoint);
        lines::sync(&self.audit, audit.rows.iter().map(entry).collect());
    }

    /// Forgets the audit log.
    pub(super) fn leave_audit(&self, window: &AppWindow) {
        show_checkpoint(window, &Checkpoint::Hidden);
        lines::sync(&self.audit, Vec::new());
    }

    /// Shows how the cart is set up. There is nothing about a person in it.
    pub(super) fn show_cart(&self, window: &AppWindow, cart: &view::Cart) {
        let global = window.global::<ui::Cart>();
        global.set_protection(access::protection(cart.protection));
        global.set_shift_min(whole(cart.shift_min));
        global.set_emergency(cart.emergency);
        global.set_two_person(cart.two_person);
        global.set_crl_days(whole(cart.crl_days));
        global.set_sensor((&cart.sensor).into());
        let pairs = cart.pairs.iter().map(|pair| access::pair(*pair));
        lines::sync(&self.pairs, pairs.collect());
    }
}

/// Shows the logged-in person's own page.
pub(super) fn show_account(window: &AppWindow, account: &view::Account) {
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
pub(super) fn leave_account(window: &AppWindow) {
    let global = window.global::<ui::Account>();
    global.set_name(SharedString::default());
    global.set_since(SharedString::default());
    global.set_shift_until(SharedString::default());
}

/// Shows the checkpoint, or that it is being made.
fn show_checkpoint(window: &AppWindow, checkpoint: &Checkpoint) {
    let global = window.global::<ui::Audit>();
    global.set_checkpoint(records::checkpoint(checkpoint));
    match checkpoint {
        Checkpoint::Shown(text) if global.get_signed() != text.as_str() => {
            let theme = window.global::<ui::Theme>();
            global.set_code(qr::draw(text, theme.get_qr_ink(), theme.get_qr_ground()));
            global.set_signed(text.into());
        }
        Checkpoint::Shown(_) => {}
        Checkpoint::Hidden | Checkpoint::Asked => leave_checkpoint(window),
    }
}

/// Forgets the checkpoint.
fn leave_checkpoint(window: &AppWindow) {
    let global = window.global::<ui::Audit>();
    global.set_signed(SharedString::default());
    global.set_code(Image::default());
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
        result: records::result(line.result),
        detail: untrusted::shown(line.detail.reveal()),
        ..ui::AuditEntry::default()
    };
    in_audit(entry, line.finding.as_ref())
}

/// Fills a finding into a line of the audit log.
fn in_audit(entry: ui::AuditEntry, finding: Option<&FindingLine>) -> ui::AuditEntry {
    let Some(finding) = finding else { return entry };
    let number = |seq: Option<u64>| seq.map(|seq| slint::format!("{seq}")).unwrap_or_default();
    let (from, to) = finding.span.map(|span| spans::words(span, None)).unwrap_or_default();
    ui::AuditEntry {
        finding: records::found(finding.kind),
        amount: i32::try_from(finding.count).unwrap_or(i32::MAX),
        found: number(finding.found),
        expected: number(finding.expected),
        from,
        to,
        ..entry
    }
}

fn whole(amount: u64) -> i32 {
    i32::try_from(amount).unwrap_or(i32::MAX)
}
