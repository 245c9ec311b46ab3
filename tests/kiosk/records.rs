//! What the store says by itself: progress, findings, no room, not working.

use std::time::Duration;

use kit::kiosk::{Bedside, OXIMETER, oximetry};
use wardkeep_core::alarms::AlarmText;
use wardkeep_core::kiosk::frame;
use wardkeep_core::kiosk::page::Page;
use wardkeep_core::kiosk::pages::audit;
use wardkeep_core::kiosk::view::Screen;
use wardkeep_core::kiosk::view::access::Audit;
use wardkeep_core::kiosk::view::records::{Checkpoint, FindingGroup, FindingNotice, TakingOver};
use wardkeep_model::access::Role;
use wardkeep_model::alarm::{Priority, Sound};
use wardkeep_model::confidential::Phi;
use wardkeep_model::keeping::{
    AdministrationFault, AuditAct, AuditEntry, AuditResult, AuditRow, Finding, FindingKind, Import,
    Outcome, Refusal, Rekeying, Space, StoreFault,
};
use wardkeep_model::notice::Notice;

const SECOND: Duration = Duration::from_secs(1);

fn importing(imported: u64, total: u64) -> Outcome {
    Outcome::Importing(Import { imported, total })
}

fn taking_over(bedside: &Bedside) -> Option<TakingOver> {
    bedside.view().open.and_then(|open| open.taking_over)
}

fn finding(bedside: &Bedside) -> Option<FindingNotice> {
    bedside.view().open.and_then(|open| open.finding)
}

fn alarm(bedside: &Bedside) -> Option<(Priority, AlarmText)> {
    bedside.view().alarm.map(|strip| (strip.priority, strip.text))
}

fn sounds(bedside: &Bedside) -> Option<Priority> {
    bedside.kiosk.sound(bedside.now()).map(|Sound { priority, .. }| priority)
}

#[test]
fn progress_is_shown_only_when_it_takes_a_while_and_goes_when_it_is_done() {
    let mut bedside = Bedside::monitoring();
    bedside.told(importing(256, 129_600));
    bedside.wait(Duration::from_millis(900));
    bedside.told(importing(20_000, 129_600));
    assert_eq!(taking_over(&bedside), None, "a short import shows nothing");
    bedside.wait(Duration::from_millis(100));
    assert_eq!(taking_over(&bedside), Some(TakingOver { done: 20_000, total: 129_600 }));
    bedside.told(importing(41_000, 129_600));
    assert_eq!(taking_over(&bedside), Some(TakingOver { done: 41_000, total: 129_600 }));
    bedside.told(importing(130_000, 129_600));
    assert_eq!(taking_over(&bedside), Some(TakingOver { done: 129_600, total: 129_600 }));
    bedside.told(Outcome::Imported(Import { imported: 129_600, total: 129_600 }));
    assert_eq!(taking_over(&bedside), None);
    bedside.wait(5 * SECOND);
    assert_eq!(taking_over(&bedside), None);
}

#[test]
fn how_far_the_records_are_encrypted_anew_is_shown_while_it_lasts_and_to_nobody_else() {
    let mut bedside = Bedside::at_the_desk();
    let encrypting = |bedside: &Bedside| bedside.view().open.and_then(|open| open.encrypting);
    let far = |done| Some(Rekeying { done, total: 1_000 });
    bedside.told(Outcome::Rekeying(far(1)));
    bedside.wait(Duration::from_millis(900));
    assert_eq!(encrypting(&bedside), None, "a short one shows nothing");
    bedside.wait(Duration::from_millis(100));
    assert_eq!(encrypting(&bedside), far(1));
    bedside.told(Outcome::Rekeying(far(1_001)));
    assert_eq!(encrypting(&bedside), far(1_000));
    bedside.told(Outcome::Rekeying(None));
    assert_eq!(encrypting(&bedside), None);
    bedside.told(Outcome::Rekeying(far(1)));
    bedside.wait(2 * SECOND);
    assert!(encrypting(&bedside).is_some());
    bedside.intent(frame::Intent::Lock);
    bedside.unlock();
    assert_eq!(encrypting(&bedside), None);
}

#[test]
fn s1_the_next_person_sees_no_progress_of_the_last_ones_import() {
    let mut bedside = Bedside::monitoring();
    bedside.told(importing(1, 100));
    bedside.wait(2 * SECOND);
    assert!(taking_over(&bedside).is_some());
    bedside.intent(frame::Intent::Lock);
    assert!(bedside.view().open.is_none());
    bedside.unlock();
    assert_eq!(taking_over(&bedside), None);
}

#[test]
fn s8_what_is_gone_is_an_alarm_and_everything_found_is_told_once_by_its_group() {
    let mut bedside = Bedside::unlocked();
    let span = |from: &str, to: &str| Some((from.parse().unwrap(), to.parse().unwrap()));
    bedside.told(Outcome::Findings(vec![
        Finding {
            span: span("2026-11-22T02:10:00Z", "2026-11-22T02:12:00Z"),
            ..Finding::of(FindingKind::RecordsMissing, 10)
        },
        Finding {
            span: span("2026-11-22T02:13:00Z", "2026-11-22T02:14:00Z"),
            ..Finding::of(FindingKind::RecordsMissing, 7)
        },
        Finding::of(FindingKind::VaultOlder, 57),
        Finding::of(FindingKind::SlotOlder, 1),
        Finding::of(FindingKind::KeyringOlder, 1),
        Finding::of(FindingKind::CopyUsed, 1),
    ]));
    assert_eq!(alarm(&bedside), Some((Priority::Low, AlarmText::RecordsLost { count: 74 })));
    let first = finding(&bedside).expect("a finding");
    assert_eq!((first.group, first.count), (FindingGroup::Missing, 17));
    let (from, to) = first.span.expect("its time");
    assert_eq!(
        (from.at.to_string(), to.at.to_string()),
        ("2026-11-22T02:10:00".into(), "2026-11-22T02:14:00".into())
    );
    // It stays until it was read, whoever that is, and however long it takes.
    bedside.wait(60 * SECOND);
    bedside.intent(frame::Intent::Lock);
    bedside.intent(frame::Intent::DismissFinding);
    bedside.unlock();
    assert_eq!(finding(&bedside), Some(first), "nobody reads it without a session");
    let mut told = Vec::new();
    while let Some(next) = finding(&bedside) {
        told.push((next.group, next.count));
        bedside.intent(frame::Intent::DismissFinding);
    }
    let expected = [
        (FindingGroup::Missing, 17),
        (FindingGroup::Older, 57),
        (FindingGroup::OlderFiles, 2),
        (FindingGroup::Mended, 1),
    ];
    assert_eq!(told, expected);
    bedside.acknowledge();
    assert_eq!(alarm(&bedside), None);
}

#[test]
fn s8_only_what_is_gone_is_an_alarm() {
    use FindingKind as Kind;
    for (kind, lost) in [
        (Kind::RecordsMissing, Some(3)),
        (Kind::VaultOlder, Some(3)),
        (Kind::StoreOlder, Some(0)),
        (Kind::RecordsForged, None),
        (Kind::RecordsRepeated, None),
        (Kind::RecordsMoved, None),
        (Kind::BacklogRestarted, None),
        (Kind::PagesReplaced, None),
        (Kind::HeadOlder, None),
        (Kind::SlotOlder, None),
        (Kind::CartOlder, None),
        (Kind::KeyringOlder, None),
        (Kind::InboxOlder, None),
        (Kind::WaveformsGivenUp, None),
        (Kind::AnchorReset, None),
        (Kind::AnchorSilent, None),
        (Kind::CopyUsed, None),
    ] {
        let mut bedside = Bedside::unlocked();
        bedside.told(Outcome::Findings(vec![Finding::of(kind, 3)]));
        let expected = lost.map(|count| (Priority::Low, AlarmText::RecordsLost { count }));
        assert_eq!(alarm(&bedside), expected, "{kind:?}");
        assert!(finding(&bedside).is_some_and(|told| told.count == 3), "{kind:?}");
    }
}

#[test]
fn s8_a_finding_without_a_time_makes_its_group_timeless() {
    let mut bedside = Bedside::unlocked();
    let at = "2026-11-22T02:10:00Z".parse().unwrap();
    let timed = Finding { span: Some((at, at)), ..Finding::of(FindingKind::RecordsMissing, 1) };
    let timeless = Finding::of(FindingKind::RecordsMissing, u64::MAX);
    bedside.told(Outcome::Findings(vec![timed, timeless]));
    let told = finding(&bedside).expect("a finding");
    assert_eq!((told.count, told.span), (u64::MAX, None));
}

/// Something that the store says, and what it says once that is over.
type Trouble = (fn() -> Outcome, fn() -> Outcome);

#[test]
fn s9_not_recording_is_seen_and_heard_locked_and_open_and_ends_by_itself() {
    let troubles: [Trouble; 3] = [
        (|| Outcome::Fault(StoreFault::Full), || Outcome::Recovered),
        (|| Outcome::Fault(StoreFault::Io), || Outcome::Recovered),
        (|| Outcome::Space(Space::Full), || Outcome::Space(Space::Enough)),
    ];
    for (begins, ends) in troubles {
        for open in [true, false] {
            let mut bedside = Bedside::monitoring();
            if !open {
                bedside.intent(frame::Intent::Lock);
            }
            bedside.frame(OXIMETER, oximetry(97, 71));
            bedside.told(begins());
            let what = format!("{:?}, open: {open}", begins());
            assert_eq!(
                alarm(&bedside),
                Some((Priority::Medium, AlarmText::NotRecording)),
                "{what}"
            );
            assert_eq!(sounds(&bedside), Some(Priority::Medium), "{what}");
            // It holds across a lock or a login, acknowledged or not.
            if open {
                bedside.intent(frame::Intent::Lock);
            } else {
                bedside.unlock();
            }
            assert_eq!(sounds(&bedside), Some(Priority::Medium), "{what}");
            bedside.acknowledge();
            assert_eq!(sounds(&bedside), None, "{what}");
            assert!(bedside.view().alarm.is_some_and(|strip| strip.acknowledged), "{what}");
            bedside.told(ends());
            assert_eq!(alarm(&bedside), None, "{what}");
            bedside.told(begins());
            assert_eq!(sounds(&bedside), Some(Priority::Medium), "it is a new one: {what}");
        }
    }
}

#[test]
fn s9_waveforms_that_are_given_up_are_a_low_alarm_of_their_own() {
    let mut bedside = Bedside::monitoring();
    bedside.told(Outcome::Space(Space::NoWaveforms));
    assert_eq!(alarm(&bedside), Some((Priority::Low, AlarmText::NoWaveforms)));
    assert_eq!(sounds(&bedside), Some(Priority::Low));
    bedside.told(Outcome::Space(Space::Full));
    let strip = bedside.view().alarm.expect("an alarm");
    assert_eq!((strip.text, strip.others), (AlarmText::NotRecording, 0), "one says it all");
    bedside.told(Outcome::Space(Space::NoWaveforms));
    assert_eq!(alarm(&bedside), Some((Priority::Low, AlarmText::NoWaveforms)));
    bedside.told(Outcome::Space(Space::Enough));
    assert_eq!(alarm(&bedside), None);
}

#[test]
fn a_vault_that_does_not_open_is_told_from_wrong_factors() {
    let mut bedside = Bedside::locked();
    bedside.store.refusal = Some(Refusal::Damaged(StoreFault::Damaged));
    bedside.unlock();
    assert!(bedside.is_lock_screen());
    assert_eq!(bedside.notice(), Some(Notice::VaultDamaged));
    assert_eq!(alarm(&bedside), None, "recording goes on");
}

fn checkpoint(bedside: &Bedside) -> Checkpoint {
    let Screen::Audit(Audit { checkpoint, .. }) = bedside.view().screen else {
        panic!("expected the audit log");
    };
    checkpoint
}

#[test]
fn a_checkpoint_is_shown_until_it_is_closed_left_or_locked() {
    type Leave = fn(&mut Bedside);
    let leave: [(&str, Leave); 3] = [
        ("close", |b| b.intent(frame::Intent::Cancel)),
        ("another page", |b| {
            b.intent(frame::Intent::Open(Page::Cart));
            b.intent(frame::Intent::Open(Page::Audit));
        }),
        ("lock", |b| {
            b.intent(frame::Intent::Lock);
            b.unlock();
            b.intent(frame::Intent::Open(Page::Audit));
        }),
    ];
    for (how, leave) in leave {
        let mut bedside = Bedside::unlocked_as(Role::It);
        bedside.intent(audit::Intent::ShowCheckpoint);
        assert!(!matches!(bedside.view().screen, Screen::Audit(_)));
        bedside.intent(frame::Intent::Open(Page::Audit));
        bedside.prompt_store = false;
        bedside.intent(audit::Intent::ShowCheckpoint);
        bedside.intent(audit::Intent::ShowCheckpoint);
        assert_eq!(checkpoint(&bedside), Checkpoint::Asked, "{how}");
        assert_eq!(bedside.answers.len(), 1, "one touch is enough");
        bedside.prompt_store = true;
        bedside.deliver();
        let Checkpoint::Shown(text) = checkpoint(&bedside) else { panic!("{how}") };
        assert!(text.starts_with("wardkeep/"), "{text}");
        leave(&mut bedside);
        assert_eq!(checkpoint(&bedside), Checkpoint::Hidden, "{how}");
    }
}

#[test]
fn a_checkpoint_that_is_not_made_is_said_so_and_a_late_one_is_not_shown() {
    let mut bedside = Bedside::unlocked_as(Role::It);
    bedside.intent(frame::Intent::Open(Page::Audit));
    bedside.store.administration = Some(AdministrationFault::Store(StoreFault::Full));
    bedside.intent(audit::Intent::ShowCheckpoint);
    assert_eq!(checkpoint(&bedside), Checkpoint::Hidden);
    assert_eq!(bedside.notice(), Some(Notice::NotWritten));
    bedside.store.administration = None;
    bedside.prompt_store = false;
    bedside.intent(audit::Intent::ShowCheckpoint);
    bedside.intent(frame::Intent::Cancel);
    bedside.prompt_store = true;
    bedside.deliver();
    assert_eq!(checkpoint(&bedside), Checkpoint::Hidden);
}

#[test]
fn the_audit_page_tells_how_acts_ended_and_what_was_found() {
    let mut bedside = Bedside::unlocked_as(Role::It);
    let span = Some((bedside.now().wall, bedside.now().wall));
    let found = Finding {
        found: Some(1041),
        expected: Some(1098),
        span,
        ..Finding::of(FindingKind::VaultOlder, 57)
    };
    let entry = AuditEntry {
        finding: Some(found),
        result: AuditResult::Failed,
        detail: Some("from outside".into()),
        ..AuditEntry::of(AuditAct::StoreFinding, bedside.now().wall)
    };
    let row = AuditRow { seq: 1, entry, operator: None, person: None };
    bedside.store.register.audit.push(row);
    bedside.intent(frame::Intent::Open(Page::Audit));
    let Screen::Audit(page) = bedside.view().screen else { panic!("expected the audit log") };
    let line = page.rows.first().expect("its line");
    assert_eq!(line.result, AuditResult::Failed);
    assert_eq!(line.detail, Phi::new("from outside".into()));
    let told = line.finding.expect("a finding");
    assert_eq!((told.kind, told.count), (FindingKind::VaultOlder, 57));
    assert_eq!((told.found, told.expected), (Some(1041), Some(1098)));
    assert!(told.span.is_some());
}
