//! S-3 for what is recorded while locked: once it is written, nothing in memory opens it.

use super::*;
use crate::crypto::batch::Opener;
use crate::crypto::wipe_deep_stack;
use crate::disk::durable;
use crate::inbox::segment::{
    BATCH_INFO, Lane, Piece, SEGMENT_LEN_MAX, Sealing, open_segment, pieces,
};
use wardkeep_model::keeping::{AuditAct, AuditEntry};

/// Records of a second, and seconds.
const TOGETHER: usize = 3;
const SECONDS: usize = 12;

/// Prints the keys of the batches that lie in a store's inbox, masked, in a process of its own; does nothing in an
/// ordinary run.
#[test]
fn oracle_of_batch_keys() {
    let Ok(told) = std::env::var(ORACLE) else { return };
    let dir = PathBuf::from(told.split(' ').next().unwrap());
    let (keys, secret) = (Told::of(&told).vault.inbox_keys(), SecretFile::new(&dir).load());
    let headers = DeviceKeys::new(secret.unwrap().unwrap()).inbox();
    for (_, path) in Lane::Values.segments(&layout::store(&dir).join(layout::INBOX)).unwrap() {
        let bytes = durable::read(&path, SEGMENT_LEN_MAX).unwrap().unwrap();
        let (header, records) = open_segment(&headers, &bytes).unwrap();
        assert_eq!(header.sealing, Sealing::Batch);
        for (piece, _) in pieces(records, header.first_seq) {
            let Piece::Record(record) = piece else { panic!("{piece:?}") };
            let mut opener = Opener::new(keys.secret(), BATCH_INFO);
            let context = record.context(&header.device);
            assert!(opener.open(record.front.seq, &context, record.sealed).is_some());
            print(&format!("batch-of-{}", record.front.seq), opener.key().unwrap());
        }
    }
}

#[test]
fn s3_a_locked_store_holds_no_key_of_anything_that_it_has_written() {
    let _alone = alone();
    let mut kiosk = Kiosk::start(NO_GRACE);
    for _ in 0..SECONDS {
        for _ in 0..TOGETHER {
            let entry = AuditEntry::of(AuditAct::AlarmAcknowledged, Moment::read().wall);
            kiosk.send(Command::Audit(Box::new(entry)));
        }
        // As when the second is over.
        kiosk.send(Command::Retry);
        let token = Token::Badge(kiosk.factors.badge());
        kiosk.send(Command::Identify(Attempt(2), token, Moment::read()));
        kiosk.until(|outcome| matches!(outcome, Outcome::Identified(..)));
    }
    let keys = asked("tests::batches::oracle_of_batch_keys", kiosk.dir.path(), &kiosk.factors);
    assert_eq!(keys.len(), SECONDS * TOGETHER);
    let mut different: Vec<_> = keys.iter().map(|key| &key.masked).collect();
    different.dedup();
    // On a busy machine a second may end between two of its records.
    assert!((SECONDS..=2 * SECONDS).contains(&different.len()), "{} batches", different.len());
    wipe_deep_stack();
    assert_eq!(found(&keys), []);
    let shown: Vec<u8> = keys[0].masked.iter().map(|byte| byte ^ MASK).collect();
    assert!(!found(&keys).is_empty(), "the search finds what is there");
    drop(shown);
    kiosk.stop();
}
