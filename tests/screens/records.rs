//! What the screen says of the store: readable, bounded, and gone when it has to be.

use slint::{ComponentHandle, Model};
use wardkeep::tour::samples::{self, concealed, open, staff};
use wardkeep::tour::stops::records::{CHECKPOINT, finding, meddled, trouble, unknown};
use wardkeep_core::kiosk::intent::Intent;
use wardkeep_core::kiosk::pages::audit;
use wardkeep_core::kiosk::view::access::Audit;
use wardkeep_core::kiosk::view::records::{
    Checkpoint, FindingGroup, FindingNotice, TakingOver, Watch,
};
use wardkeep_core::kiosk::view::{Screen, View};
use wardkeep_core::kiosk::{frame, trouble};
use wardkeep_model::keeping::StoreFault;
use wardkeep_ui as ui;

use kit::screens::{Desk, LANDSCAPE, PORTRAIT};

fn with(far: Option<TakingOver>, finding: Option<FindingNotice>) -> View {
    let mut view = open(Screen::Bedside(samples::bedside()));
    if let Some(open) = &mut view.open {
        (open.taking_over, open.finding) = (far, finding);
    }
    view
}

#[test]
fn progress_is_told_in_numbers_and_never_covers_a_value() {
    let desk = Desk::new(LANDSCAPE);
    let label = "Records from the locked time";
    for size in [LANDSCAPE, PORTRAIT] {
        desk.turn(size);
        desk.show(&with(Some(TakingOver { done: 41_000, total: 129_600 }), None));
        let line = desk.the(label);
        assert_eq!(
            line.accessible_value().unwrap(),
            "Taking over records from the locked time: 41,000 of 129,600"
        );
        for tile in ["Heart rate", "SpO2", "Pulse rate"] {
            let tile = desk.the(tile);
            let end = tile.absolute_position().y + tile.size().height;
            assert!(end <= line.absolute_position().y + 0.5, "{size:?}");
        }
        desk.show(&with(None, None));
        assert!(desk.labelled(label).is_empty());
    }
}

#[test]
fn a_finding_says_how_many_when_and_what_to_do_until_it_is_read() {
    let mut desk = Desk::new(PORTRAIT);
    desk.show(&with(None, Some(finding(FindingGroup::Missing, 17))));
    let told = desk.the("Found in the store").accessible_value().unwrap();
    assert_eq!(
        told,
        "17 records between 02:10 and 02:14 are missing. Tell IT. New values are recorded."
    );
    desk.tap("Dismiss finding");
    assert_eq!(desk.sent(), [Intent::Frame(frame::Intent::DismissFinding)]);
    desk.show(&with(None, Some(finding(FindingGroup::Missing, 1))));
    let told = desk.the("Found in the store").accessible_value().unwrap();
    assert!(told.starts_with("1 record between 02:10 and 02:14 is missing."), "{told}");
}

#[test]
fn every_line_of_the_log_says_both_numbers_the_time_and_how_it_ended() {
    let desk = Desk::new(LANDSCAPE);
    desk.show(&staff::open_it(Screen::Audit(meddled())));
    let rows: Vec<ui::AuditEntry> = desk.window.global::<ui::Audit>().get_rows().iter().collect();
    let found = "Older database, rows gone: 57 · found no. 1041 · expected no. 1098";
    assert!(rows[0].finding.starts_with(found), "{}", rows[0].finding);
    let spoken = desk.spoken();
    assert!(spoken.contains(found));
    assert!(spoken.contains("2026-11-22 02:10 to 2026-11-22 02:14"));
    assert!(spoken.contains("A backup was written: could not be done"));
    // Text from outside pretends to be nothing else: one line, bounded, nothing turned around.
    let detail = rows[2].detail.as_str();
    assert!(detail.starts_with("Oxi\\u{202e}meter\\u{a}14:31 Logged in"), "{detail}");
    assert!(detail.chars().count() < 200 && !detail.contains(['\n', '\u{202E}']));
}

#[test]
fn the_checkpoint_is_a_code_with_its_text_and_is_asked_for_by_touch() {
    let mut desk = Desk::new(LANDSCAPE);
    desk.show(&staff::open_it(Screen::Audit(meddled())));
    desk.tap("Show checkpoint");
    assert_eq!(desk.sent(), [Intent::Audit(audit::Intent::ShowCheckpoint)]);
    for size in [LANDSCAPE, PORTRAIT] {
        desk.turn(size);
        let shown = Audit { checkpoint: Checkpoint::Shown(CHECKPOINT.into()), ..meddled() };
        desk.show(&staff::open_it(Screen::Audit(shown)));
        assert_eq!(desk.the("Checkpoint").accessible_value().unwrap(), CHECKPOINT);
        let code = desk.the("Checkpoint as QR code").size();
        let modules = desk.window.global::<ui::Audit>().get_code().size().width as f32;
        assert!(modules > 20.0 && code.width / modules >= 4.0, "{} px a module", code.width);
        assert_eq!(code.width % modules, 0.0, "whole pixels to the module");
        desk.tap("Close");
        assert_eq!(desk.sent(), [Intent::Frame(frame::Intent::Cancel)]);
    }
}

#[test]
fn s1_values_shown_without_a_session_are_gone_with_their_screen() {
    let desk = Desk::new(LANDSCAPE);
    for watch in [unknown(), Watch::Bed(samples::bedside().tiles)] {
        for next in [
            concealed(Screen::Lock(samples::lock())),
            concealed(Screen::Starting),
            trouble(StoreFault::Damaged, Watch::Nothing { offered: true }),
            View { open: with(None, None).open, ..trouble(StoreFault::Damaged, unknown()) },
        ] {
            desk.show(&trouble(StoreFault::Damaged, watch.clone()));
            assert_eq!(desk.the("SpO2").accessible_value().unwrap(), "97 %");
            desk.show(&next);
            let global = desk.window.global::<ui::Trouble>();
            assert_eq!(global.get_vitals().row_count(), 0, "{:?}", next.screen);
            assert_eq!(global.get_rows().row_count(), 0, "{:?}", next.screen);
        }
    }
}

#[test]
fn trouble_says_what_it_must_do_and_offers_one_next_step() {
    let mut desk = Desk::new(PORTRAIT);
    desk.show(&trouble(StoreFault::Damaged, Watch::Nothing { offered: true }));
    assert!(desk.spoken().contains("wardkeepctl store check"));
    desk.tap("Monitor without records");
    assert_eq!(desk.sent(), [Intent::Trouble(trouble::Intent::BeginWatch)]);
    desk.show(&trouble(StoreFault::InUse, Watch::Nothing { offered: false }));
    assert!(desk.labelled("Monitor without records").is_empty());
    desk.show(&trouble(StoreFault::Damaged, unknown()));
    assert!(desk.the("Trouble").accessible_value().unwrap().starts_with("Unknown patient"));
    desk.tap("Connect Heart strap 07");
    desk.hold("Stop monitoring", std::time::Duration::from_millis(1200));
    let sent = desk.sent();
    assert!(
        matches!(
            sent.as_slice(),
            [
                Intent::Trouble(trouble::Intent::Connect(_)),
                Intent::Trouble(trouble::Intent::EndWatch)
            ]
        ),
        "{sent:?}"
    );
}
