//! What readers refuse: kept in the audit log with their names, and what a second badge ends.

use std::time::Duration;

use kit::kiosk::Bedside;
use wardkeep_core::kiosk::view::Screen;
use wardkeep_core::kiosk::{frame, login};
use wardkeep_model::access::refusal::{Distrust, ReaderRefusal};
use wardkeep_model::keeping::emergency::EmergencyReason;
use wardkeep_model::keeping::{AuditAct, AuditEntry};
use wardkeep_model::notice::Notice;
use wardkeep_model::ports::{BadgeFault, Event};

const MINUTE: Duration = Duration::from_secs(60);

fn refuse(bedside: &mut Bedside, reader: &str, what: ReaderRefusal) {
    bedside.hardware(Event::ReaderRefused { reader: reader.into(), what });
}

/// Reader, reason and count of every entry about a reader.
fn kept(bedside: &Bedside) -> Vec<(Option<&str>, ReaderRefusal, u64)> {
    let of = |entry: &&AuditEntry| entry.act == AuditAct::ReaderRefused;
    let entries = bedside.store.audit.iter().filter(of);
    let what = |entry: &AuditEntry| entry.refusal.expect("it says what");
    entries.map(|entry| (entry.detail.as_deref(), what(entry), entry.times.unwrap_or(1))).collect()
}

#[test]
fn every_refusal_is_kept_at_once_and_thousands_as_a_count() {
    let mut bedside = Bedside::locked();
    let revoked = ReaderRefusal::NotTrusted(Distrust::Revoked);
    refuse(&mut bedside, "ICC 0", revoked);
    refuse(&mut bedside, "PICC 0", ReaderRefusal::NoNumber);
    assert_eq!(
        kept(&bedside),
        [(Some("ICC 0"), revoked, 1), (Some("PICC 0"), ReaderRefusal::NoNumber, 1)]
    );
    for _ in 0..4000 {
        refuse(&mut bedside, "PICC 0", ReaderRefusal::NoNumber);
    }
    assert_eq!(kept(&bedside).len(), 2);
    bedside.wait(11 * MINUTE);
    assert_eq!(kept(&bedside)[2..], [(Some("PICC 0"), ReaderRefusal::NoNumber, 4000)]);
    // A kind that did not come again is written at once when it does.
    bedside.wait(11 * MINUTE);
    refuse(&mut bedside, "PICC 0", ReaderRefusal::NoNumber);
    refuse(&mut bedside, "ICC 0", revoked);
    assert_eq!(kept(&bedside).len(), 5);
}

#[test]
fn s11_readers_with_ever_new_names_fill_no_memory() {
    let mut bedside = Bedside::locked();
    for number in 0..1000 {
        refuse(&mut bedside, &format!("reader {number}"), ReaderRefusal::NoNumber);
    }
    let named = kept(&bedside).iter().filter(|(name, ..)| name.is_some()).count();
    assert_eq!((named, kept(&bedside).len()), (64, 65));
    bedside.wait(11 * MINUTE);
    assert_eq!(kept(&bedside)[65..], [(None, ReaderRefusal::NoNumber, 935)]);
}

/// What came before there was a store to keep it in, and what was counted when the program ends.
#[test]
fn no_refusal_is_lost_at_either_end() {
    let mut bedside = Bedside::on_a_new_machine();
    refuse(&mut bedside, "PICC 0", ReaderRefusal::ReaderNotAllowed);
    assert_eq!(kept(&bedside), []);
    let mut bedside = Bedside::locked();
    for _ in 0..3 {
        refuse(&mut bedside, "PICC 0", ReaderRefusal::NoNumber);
    }
    let now = bedside.now();
    let last = bedside.kiosk.end(now);
    assert_eq!(last.len(), 1, "{last:?}");
}

#[test]
fn a_second_badge_ends_the_prompt_of_the_first_and_no_session() {
    let second = Event::BadgeUnreadable(BadgeFault::Two);
    let mut bedside = Bedside::locked();
    bedside.tap(1);
    assert!(matches!(bedside.view().screen, Screen::Pin(_)));
    bedside.hardware(second.clone());
    assert!(bedside.is_lock_screen());
    assert_eq!(bedside.notice(), Some(Notice::TwoBadges));
    // Before the reason for the emergency view, too.
    let mut bedside = Bedside::monitoring();
    bedside.intent(frame::Intent::Lock);
    bedside.intent(login::Intent::BeginEmergency);
    bedside.tap(1);
    bedside.hardware(second.clone());
    assert!(bedside.is_lock_screen());
    bedside.intent(login::Intent::ChooseReason(EmergencyReason::LifeThreatening));
    assert!(bedside.is_lock_screen());
    // Who is logged in stays.
    let mut bedside = Bedside::unlocked();
    bedside.hardware(second);
    assert!(!bedside.is_lock_screen());
    assert!(!bedside.pairs().is_empty());
}
