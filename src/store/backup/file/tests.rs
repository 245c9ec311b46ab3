//! Every change of a backup is noticed, wherever it is made and whatever its length.

use std::io::Cursor;

use proptest::prelude::*;

use super::*;
use wardkeep_model::access::OperatorId;

const PERSON: Recipient = Recipient::Operator(OperatorId(9));

fn pair(byte: u8) -> (Key, PublicKey) {
    crate::crypto::key_pair(&Key::from_slice(&[byte; 32]).unwrap())
}

fn content(length: usize) -> Vec<u8> {
    (0..=250).cycle().take(length).collect()
}

fn written(content: &[u8]) -> Vec<u8> {
    let recipients = [(Recipient::Recovery, pair(1).1), (PERSON, pair(2).1)];
    let store = ([7; 16], Timestamp::UNIX_EPOCH);
    let mut writer = BackupWriter::begin(Vec::new(), store, &recipients).unwrap();
    // In pieces that are no multiple of anything.
    content.chunks(30_011).for_each(|piece| writer.write(piece).unwrap());
    writer.finish().unwrap()
}

fn read(file: &[u8], recipient: Recipient, key: &Key) -> Result<Vec<u8>, BackupFault> {
    let mut reader = Sealing::read(Cursor::new(file))?.open(recipient, key)?;
    let mut content = Vec::new();
    loop {
        let piece = reader.some(10_007)?;
        if piece.is_empty() {
            break;
        }
        content.extend_from_slice(piece);
    }
    reader.end()?;
    Ok(content)
}

#[test]
fn each_recipient_reads_what_was_written_whatever_its_length() {
    for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 17] {
        let content = content(length);
        let file = written(&content);
        assert_eq!(read(&file, Recipient::Recovery, &pair(1).0).unwrap(), content, "{length}");
        assert_eq!(read(&file, PERSON, &pair(2).0).unwrap(), content, "{length}");
        let header = front(Cursor::new(&file)).unwrap();
        assert_eq!(header.recipients().collect::<Vec<_>>(), [Recipient::Recovery, PERSON]);
    }
}

#[test]
fn a_file_for_others_a_later_format_and_no_backup_at_all_are_told_apart() {
    let file = written(&content(100));
    assert_eq!(read(&file, PERSON, &pair(1).0), Err(BackupFault::NotForYou));
    assert_eq!(read(&file, Recipient::Recovery, &pair(3).0), Err(BackupFault::NotForYou));
    let nobody = Recipient::Operator(OperatorId(8));
    assert_eq!(read(&file, nobody, &pair(2).0), Err(BackupFault::NotForYou));
    let mut later = file;
    later[19] = 2;
    assert_eq!(front(Cursor::new(&later)), Err(BackupFault::Version(2)));
    for foreign in [&b""[..], b"wardkeep-backup", b"PK\x03\x04 some archive of some sort"] {
        assert_eq!(front(Cursor::new(foreign)), Err(BackupFault::Foreign));
    }
}

/// Chunks of a file, behind its front.
fn chunks(file: &[u8]) -> (Vec<u8>, Vec<Vec<u8>>) {
    let length = u32::from_be_bytes(file[20..24].try_into().unwrap()) as usize;
    let (front, body) = file.split_at(24 + length);
    (front.to_vec(), body.chunks(CHUNK + OVERHEAD).map(<[u8]>::to_vec).collect())
}

#[test]
fn s8_chunks_that_are_moved_repeated_left_out_or_added_are_noticed() {
    let whole = content(3 * CHUNK + 5);
    let file = written(&whole);
    let (front, parts) = chunks(&file);
    assert_eq!(parts.len(), 4);
    let (other_front, other) = chunks(&written(&whole));
    let of = |order: &[usize]| {
        let body = order.iter().flat_map(|part| parts[*part].clone());
        [front.clone(), body.collect()].concat()
    };
    assert_eq!(read(&of(&[0, 1, 2, 3]), PERSON, &pair(2).0).unwrap(), whole);
    for order in [
        &[0, 1, 2][..],
        &[0, 1, 3],
        &[1, 2, 3],
        &[0, 2, 1, 3],
        &[0, 1, 2, 2, 3],
        &[0, 1, 2, 3, 3],
        &[0, 1, 2, 3, 0],
        &[3],
        &[],
    ] {
        assert_eq!(read(&of(order), PERSON, &pair(2).0), Err(BackupFault::Damaged), "{order:?}");
    }
    let mut mixed = of(&[0, 1]);
    mixed.extend(other[2..].concat());
    assert_eq!(read(&mixed, PERSON, &pair(2).0), Err(BackupFault::Damaged));
    let swapped = [other_front, parts.concat()].concat();
    assert_eq!(read(&swapped, PERSON, &pair(2).0), Err(BackupFault::Damaged));
    let longer = [&file[..], &[0]].concat();
    assert_eq!(read(&longer, PERSON, &pair(2).0), Err(BackupFault::Damaged));
}

#[test]
fn s8_every_altered_byte_and_every_cut_is_noticed() {
    let file = written(&content(500));
    for index in 0..file.len() {
        let mut flipped = file.clone();
        flipped[index] ^= 0x20;
        assert!(read(&flipped, PERSON, &pair(2).0).is_err(), "byte {index}");
        assert!(read(&file[..index], PERSON, &pair(2).0).is_err(), "cut at {index}");
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_refused_without_a_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        behind in any::<bool>(),
    ) {
        let file = if behind { [&MAGIC[..], &[0, 0, 0, 1], &bytes].concat() } else { bytes };
        prop_assert!(read(&file, PERSON, &pair(2).0).is_err());
    }
}
