//! The audit log, and its checkpoint for a witness.
//!
//! S-1: names of staff leave every property and model when the page is left and at lock.

use std::rc::Rc;

use slint::{ComponentHandle, Image, ModelRc, SharedString, VecModel};

use wardkeep_core::kiosk::pages::audit;
use wardkeep_core::kiosk::view::Screen;
use wardkeep_core::kiosk::view::access::AuditLine;
use wardkeep_core::kiosk::view::records::Checkpoint;
use wardkeep_ui::{self as ui, AppWindow};

use crate::bridge::port::Port;
use crate::bridge::screens::Adapter;
use crate::bridge::words::{Words, audit as said, findings};
use crate::bridge::{lines, qr, times, untrusted};

/// Rows of the audit log.
#[derive(Default)]
pub(super) struct Audit {
    /// Newest first.
    rows: Rc<VecModel<ui::AuditEntry>>,
    /// What was found and nobody has acknowledged.
    open: Rc<VecModel<ui::FactLine>>,
    made: lines::Made<AuditLine>,
}

impl Audit {
    /// Connects the page.
    pub(super) fn connect(port: &Rc<Port>, window: &AppWindow) -> Self {
        let (global, page) = (window.global::<ui::Audit>(), Self::default());
        global.set_rows(ModelRc::from(Rc::clone(&page.rows)));
        global.set_open(ModelRc::from(Rc::clone(&page.open)));
        let here = Rc::clone(port);
        global.on_acknowledge(move || here.send(audit::Intent::AcknowledgeFindings));
        let here = Rc::clone(port);
        global.on_show_checkpoint(move || here.send(audit::Intent::ShowCheckpoint));
        page
    }
}

impl Adapter for Audit {
    fn show(&self, window: &AppWindow, screen: &Screen, words: &Words) -> bool {
        let Screen::Audit(audit) = screen else { return false };
        window.global::<ui::Audit>().set_loading(audit.loading);
        window.global::<ui::Audit>().set_acknowledging(audit.acknowledging);
        show_checkpoint(window, &audit.checkpoint);
        let open = audit.open.iter().map(|line| lines::fact(findings::open(words, line)));
        lines::sync(&self.open, open.collect());
        if self.made.is_out_of_date(&audit.rows, words) {
            lines::sync(&self.rows, audit.rows.iter().map(|line| entry(line, words)).collect());
        }
        true
    }

    /// Forgets who did what, and the checkpoint.
    fn leave(&self, window: &AppWindow) {
        show_checkpoint(window, &Checkpoint::Hidden);
        self.made.forget();
        lines::sync(&self.open, Vec::new());
        lines::sync(&self.rows, Vec::new());
    }
}

/// Shows the checkpoint, or that it is being made.
fn show_checkpoint(window: &AppWindow, checkpoint: &Checkpoint) {
    let global = window.global::<ui::Audit>();
    global.set_signing(*checkpoint == Checkpoint::Asked);
    match checkpoint {
        Checkpoint::Shown(text) if global.get_signed() != text.as_str() => {
            let theme = window.global::<ui::Theme>();
            global.set_code(qr::draw(text, theme.get_qr_ink(), theme.get_qr_ground()));
            global.set_signed(text.into());
        }
        Checkpoint::Shown(_) => {}
        Checkpoint::Hidden | Checkpoint::Asked => {
            global.set_signed(SharedString::default());
            global.set_code(Image::default());
        }
    }
}

fn entry(line: &AuditLine, words: &Words) -> ui::AuditEntry {
    let finding = line.finding.as_ref().map(|finding| said::finding(words, finding));
    ui::AuditEntry {
        day: (&line.day).into(),
        at: times::of_day(line.at),
        act: said::act(words, line),
        particulars: said::particulars(words, line),
        finding: finding.unwrap_or_default(),
        detail: untrusted::shown(line.detail.reveal()),
    }
}
