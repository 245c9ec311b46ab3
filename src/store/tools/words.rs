//! What was found wrong in a store, each kind in a sentence of its own, and the way out of it. English, for the
//! command line; the screen has its own words.

use jiff::Timestamp;

use wardkeep_model::keeping::{Finding, FindingKind};

/// The store is of no use as it is.
pub const RESTORE: &str = "Set the store aside (`wardkeepctl store aside`); then `wardkeepctl store salvage` saves what can be \
     read, or `wardkeepctl store restore` brings the last backup back.";
/// It mends itself.
pub const REPORTED: &str =
    "Nothing to mend: the next start mends and reports it. Find out who had the disk.";

const DISK: &str = "What is there goes on being used, and what is gone is in the audit log. Find out who had the disk.";
const TPM: &str = "Find out whether the security chip was cleared, exchanged or switched off, and who had the disk: \
     without it nobody can tell whether this is the latest store.";

/// A finding as a sentence, with its numbers and times, and nothing secret.
pub fn sentence(finding: &Finding) -> String {
    let said = said(finding.kind, finding.count);
    let numbers = match (finding.found, finding.expected) {
        (Some(found), Some(expected)) => format!(" (number {found} where {expected} was expected)"),
        (Some(found), None) => format!(" (number {found})"),
        (None, Some(expected)) => format!(" (number {expected} was expected)"),
        (None, None) => String::new(),
    };
    let second = |time: Timestamp| time.strftime("%F %T UTC").to_string();
    let span = finding.span.map(|(from, until)| (second(from), second(until)));
    let span = match span {
        Some((from, until)) if from == until => format!(", at {from}"),
        Some((from, until)) => format!(", between {from} and {until}"),
        None => String::new(),
    };
    format!("{said}{numbers}{span}")
}

fn said(kind: FindingKind, count: u64) -> String {
    let is = counted(count);
    match kind {
        FindingKind::RecordsMissing => {
            format!("{} that {} acknowledged {} gone", is("record", "records"), was(count), be(count))
        }
        FindingKind::RecordsForged => {
            format!("{} {} altered or made up", is("sealed record", "sealed records"), be(count))
        }
        FindingKind::RecordsRepeated => format!("{} {} there twice", is("record", "records"), be(count)),
        FindingKind::RecordsMoved => {
            format!("{} {} out of order", is("record", "records"), be(count))
        }
        FindingKind::WaveformsGivenUp => {
            format!("{} given up because the disk was nearly full", is("stretch of a waveform was", "stretches of waveforms were"))
        }
        FindingKind::BacklogRestarted => {
            "the inbox began a new chain without the vault: how many records were lost before it nobody can know"
                .to_owned()
        }
        FindingKind::VaultOlder => format!(
            "the vault is an older one, or its log was cut: {} gone",
            is("acknowledged row is", "acknowledged rows are")
        ),
        FindingKind::PagesReplaced => format!(
            "{} of the vault {} an older version or not this store's",
            is("page", "pages"),
            be(count)
        ),
        FindingKind::HeadOlder => {
            "the vault's head, or its table of pages, is older than the vault, or gone".to_owned()
        }
        FindingKind::SlotOlder => format!("{} put back", is("key slot was", "key slots were")),
        FindingKind::CartOlder => "the cart compartment was put back".to_owned(),
        FindingKind::KeyringOlder => "the keyring was put back".to_owned(),
        FindingKind::InboxOlder => "the head of the inbox was put back".to_owned(),
        FindingKind::StoreOlder => {
            "the whole store was put back: the security chip knows a later one".to_owned()
        }
        FindingKind::AnchorReset => "the counter of the security chip began anew".to_owned(),
        FindingKind::AnchorSilent => {
            "the counter of the security chip is gone or does not answer".to_owned()
        }
        FindingKind::CopyUsed => format!(
            "{} damaged or gone, and the second copy was used",
            is("file was", "files were")
        ),
        FindingKind::MemoryOlder => format!(
            "{} in which the parts of the store remember each other {} put back, or {} gone",
            is("file", "files"),
            was(count),
            be(count)
        ),
        FindingKind::RecipientReplaced => format!(
            "{} that records are sealed to {} not the vault's",
            is("public key", "public keys"),
            was(count)
        ),
        FindingKind::OpenToOthers => format!(
            "the state directory was open to other accounts, which could read or exchange {}",
            is("file", "files")
        ),
    }
}

fn counted(count: u64) -> impl Fn(&str, &str) -> String {
    move |one, many| format!("{count} {}", if count == 1 { one } else { many })
}

fn be(count: u64) -> &'static str {
    if count == 1 { "is" } else { "are" }
}

fn was(count: u64) -> &'static str {
    if count == 1 { "was" } else { "were" }
}

/// What IT can do about a finding.
pub fn way_out(kind: FindingKind) -> &'static str {
    match kind {
        FindingKind::RecordsMissing | FindingKind::VaultOlder | FindingKind::BacklogRestarted => {
            "Compare with the last backup (`wardkeepctl store check --backup FILE`): what it has and the store has \
             not can be restored from it. Find out who had the disk."
        }
        FindingKind::RecordsForged => {
            "The next unlock keeps the file beside the inbox (`.bad`) and takes nothing of it over. Find out who had \
             the disk."
        }
        FindingKind::RecordsRepeated | FindingKind::RecordsMoved => {
            "Nothing is missing: the next unlock takes each over once. Find out who had the disk."
        }
        FindingKind::WaveformsGivenUp => {
            "Make room on the disk, or keep waveforms for a shorter time."
        }
        FindingKind::PagesReplaced => RESTORE,
        FindingKind::HeadOlder
        | FindingKind::CartOlder
        | FindingKind::KeyringOlder
        | FindingKind::InboxOlder
        | FindingKind::MemoryOlder => DISK,
        FindingKind::RecipientReplaced => {
            "The vault's own keys are used again. Whoever put the other key there can read what was recorded with \
             it: treat it as disclosed, and find out who had the disk and the device secret."
        }
        FindingKind::SlotOlder => {
            "A key slot that was put back opens nothing: somebody who was revoked may have tried. Find out who had the \
             disk."
        }
        FindingKind::StoreOlder => {
            "Everything since then is gone from this disk. Restore the last backup if it is later, and find out who had \
             the disk."
        }
        FindingKind::AnchorReset | FindingKind::AnchorSilent => TPM,
        FindingKind::CopyUsed => REPORTED,
        FindingKind::OpenToOthers => {
            "It was closed. If the device secret lies there as a file, somebody may have copied both: give every \
             badge another PIN, and keep the secret as a systemd credential."
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const ALL: [FindingKind; 20] = [
        FindingKind::RecordsMissing,
        FindingKind::RecordsForged,
        FindingKind::RecordsRepeated,
        FindingKind::RecordsMoved,
        FindingKind::WaveformsGivenUp,
        FindingKind::BacklogRestarted,
        FindingKind::VaultOlder,
        FindingKind::PagesReplaced,
        FindingKind::HeadOlder,
        FindingKind::SlotOlder,
        FindingKind::CartOlder,
        FindingKind::KeyringOlder,
        FindingKind::InboxOlder,
        FindingKind::StoreOlder,
        FindingKind::AnchorReset,
        FindingKind::AnchorSilent,
        FindingKind::CopyUsed,
        FindingKind::MemoryOlder,
        FindingKind::RecipientReplaced,
        FindingKind::OpenToOthers,
    ];

    #[test]
    fn every_kind_says_something_of_its_own_with_numbers_and_times() {
        let (from, until) = ("2027-03-01T10:00:00Z", "2027-03-01T10:05:00Z");
        let span = Some((from.parse().unwrap(), until.parse().unwrap()));
        let mut said = BTreeSet::new();
        for kind in ALL {
            let finding =
                Finding { found: Some(7), expected: Some(9), span, ..Finding::of(kind, 3) };
            let text = sentence(&finding);
            let word = serde_json::to_value(kind).unwrap();
            assert!(!text.contains(word.as_str().unwrap()) && text.contains(' '), "{text}");
            let numbers = "(number 7 where 9 was expected)";
            let times = "between 2027-03-01 10:00:00 UTC and 2027-03-01 10:05:00 UTC";
            assert!(text.contains(numbers) && text.contains(times), "{text}");
            assert!(said.insert(text) && way_out(kind).ends_with('.'));
        }
        let one = Finding { expected: Some(5), ..Finding::of(FindingKind::RecordsMissing, 1) };
        let expected = "1 record that was acknowledged is gone (number 5 was expected)";
        assert_eq!(sentence(&one), expected);
    }
}
