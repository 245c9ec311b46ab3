//! The one way of writing an audit entry: a line of JSON, its fields in this order, nothing but ASCII.
//!
//! ```text
//!  {"seq":17,"at":"2026-11-23T00:53:50.25Z","boot":"6c..","since_boot_ns":41000000,"act":"unlocked",
//!   "result":"done","operator":"00..07","pair":"badge-pin"}
//! ```
//!
//! What is not known is left out. The line is what the tree hashes, so it has to come out the same each
//! time: a line that does not read back into itself is none. Text from outside stands in `detail` alone,
//! bounded, with every control character, direction mark and letter beyond ASCII escaped: a terminal
//! that shows the line shows what is there. People, patients and devices are opaque identities.

use std::io::{self, Write};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::ser::{CompactFormatter, Formatter, Serializer};

use wardkeep_model::access::OperatorId;
use wardkeep_model::access::lockout::BootId;
use wardkeep_model::access::policy::Pair;
use wardkeep_model::access::refusal::ReaderRefusal;
use wardkeep_model::encounter::SubjectId;
use wardkeep_model::keeping::Finding;
use wardkeep_model::keeping::emergency::EmergencyReason;
use wardkeep_model::keeping::{AuditAct, AuditEntry, AuditResult};
use wardkeep_model::moment::BootTime;
use wardkeep_model::vitals::DeviceId;

/// Longest text from outside; what is longer loses its end.
pub const DETAIL_CHARS_MAX: usize = 256;
/// Longer than any line: every letter of `detail` may take twelve.
pub const LINE_LEN_MAX: usize = 8 * 1024;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    seq: u64,
    at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    boot: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    since_boot_ns: Option<u64>,
    act: AuditAct,
    result: AuditResult,
    #[serde(skip_serializing_if = "Option::is_none")]
    operator: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pair: Option<Pair>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    person: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<EmergencyReason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    finding: Option<Finding>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<ReaderRefusal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    times: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

/// Writes an entry.
pub fn write(seq: u64, entry: &AuditEntry) -> String {
    let digits = |id: u128| format!("{id:032x}");
    let line = Line {
        seq,
        at: entry.at,
        boot: entry.boot.map(|boot| digits(boot.0)),
        since_boot_ns: entry
            .since_boot
            .map(|since| u64::try_from(since.0.as_nanos()).unwrap_or(u64::MAX)),
        act: entry.act,
        result: entry.result,
        operator: entry.operator.map(|id| digits(id.0)),
        pair: entry.pair,
        subject: entry.subject.map(|id| digits(id.0)),
        device: entry.device.map(|id| id.to_string()),
        person: entry.person.map(|id| digits(id.0)),
        reason: entry.reason,
        finding: entry.finding,
        refusal: entry.refusal,
        times: entry.times,
        since: entry.since,
        detail: entry.detail.as_ref().map(|text| text.chars().take(DETAIL_CHARS_MAX).collect()),
    };
    ascii(&line)
}

fn ascii(line: &Line) -> String {
    let mut text = Vec::with_capacity(512);
    line.serialize(&mut Serializer::with_formatter(&mut text, Ascii))
        .expect("writing into memory does not fail, and every field can be written");
    String::from_utf8(text).expect("nothing but ASCII was written")
}

/// Reads a line; `None` unless it is written as [`write()`] writes it.
pub fn read(text: &str) -> Option<(u64, AuditEntry)> {
    if text.len() > LINE_LEN_MAX {
        return None;
    }
    let line: Line = serde_json::from_str(text).ok()?;
    let number = |digits: &Option<String>| match digits {
        Some(digits) => u128::from_str_radix(digits, 16).map(Some),
        None => Ok(None),
    };
    let device = line.device.as_deref().map(str::parse::<DeviceId>).transpose().ok()?;
    let entry = AuditEntry {
        act: line.act,
        operator: number(&line.operator).ok()?.map(OperatorId),
        subject: number(&line.subject).ok()?.map(SubjectId),
        device,
        person: number(&line.person).ok()?.map(OperatorId),
        pair: line.pair,
        reason: line.reason,
        result: line.result,
        finding: line.finding,
        refusal: line.refusal,
        times: line.times,
        since: line.since,
        boot: number(&line.boot).ok()?.map(BootId),
        since_boot: line.since_boot_ns.map(|ns| BootTime(Duration::from_nanos(ns))),
        at: line.at,
        detail: line.detail,
    };
    (write(line.seq, &entry) == text).then_some((line.seq, entry))
}

/// JSON in one line that any terminal can show.
struct Ascii;

impl Formatter for Ascii {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let plain = |letter: char| matches!(letter, ' '..='~');
        let mut rest = fragment;
        while let Some(at) = rest.find(|letter| !plain(letter)) {
            let (before, from) = rest.split_at(at);
            CompactFormatter.write_string_fragment(writer, before)?;
            let mut letters = from.chars();
            if let Some(letter) = letters.next() {
                for unit in letter.encode_utf16(&mut [0; 2]) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            }
            rest = letters.as_str();
        }
        CompactFormatter.write_string_fragment(writer, rest)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use wardkeep_model::access::refusal::Distrust;
    use wardkeep_model::keeping::FindingKind;

    fn full() -> AuditEntry {
        AuditEntry {
            act: AuditAct::EmergencyOpened,
            operator: Some(OperatorId(7)),
            subject: Some(SubjectId(u128::MAX)),
            device: Some(DeviceId([1, 2, 3, 0xA, 0xB, 0xC])),
            person: Some(OperatorId(8)),
            pair: Some(Pair::BadgePin),
            reason: Some(EmergencyReason::FactorFailed),
            result: AuditResult::Refused,
            finding: Some(Finding::of(FindingKind::RecordsMissing, 3)),
            refusal: Some(ReaderRefusal::NotTrusted(Distrust::Revoked)),
            times: Some(4000),
            since: Some("2026-11-23T00:52:51Z".parse().unwrap()),
            detail: Some("a\"\\\n\u{7f}\u{202e}ä😀".into()),
            boot: Some(BootId(5)),
            since_boot: Some(BootTime(Duration::from_nanos(1_500_000_001))),
            at: "2026-11-23T00:53:50.25Z".parse().unwrap(),
        }
    }

    #[test]
    fn a_line_is_written_in_this_way_and_no_other() {
        let line = write(17, &full());
        assert_eq!(
            line,
            concat!(
                r#"{"seq":17,"at":"2026-11-23T00:53:50.25Z","boot":"00000000000000000000000000000005","#,
                r#""since_boot_ns":1500000001,"act":"emergency-opened","result":"refused","#,
                r#""operator":"00000000000000000000000000000007","pair":"badge-pin","#,
                r#""subject":"ffffffffffffffffffffffffffffffff","device":"01:02:03:0A:0B:0C","#,
                r#""person":"00000000000000000000000000000008","reason":"factor-failed","#,
                r#""finding":{"kind":"records-missing","count":3,"found":null,"expected":null,"#,
                r#""span":null},"refusal":{"not-trusted":"revoked"},"times":4000,"since":"2026-11-23T00:52:51Z","detail":"a\"\\\n\u007f\u202e\u00e4\ud83d\ude00"}"#,
            )
        );
        assert_eq!(read(&line), Some((17, full())));
        let bare = AuditEntry::of(AuditAct::Locked, "2026-11-23T00:53:50Z".parse().unwrap());
        let line = write(1, &bare);
        assert_eq!(line, r#"{"seq":1,"at":"2026-11-23T00:53:50Z","act":"locked","result":"done"}"#);
        for other in [
            r#"{"seq":1, "at":"2026-11-23T00:53:50Z","act":"locked","result":"done"}"#,
            r#"{"seq":01,"at":"2026-11-23T00:53:50Z","act":"locked","result":"done"}"#,
            r#"{"at":"2026-11-23T00:53:50Z","seq":1,"act":"locked","result":"done"}"#,
            r#"{"seq":1,"at":"2026-11-23T00:53:50.0Z","act":"locked","result":"done"}"#,
            r#"{"seq":1,"at":"2026-11-23T01:53:50+01:00","act":"locked","result":"done"}"#,
            r#"{"seq":1,"at":"2026-11-23T00:53:50Z","act":"locked","result":"done","pair":null}"#,
            r#"{"seq":1,"at":"2026-11-23T00:53:50Z","act":"locked","result":"done","more":1}"#,
            r#"{"seq":1,"at":"2026-11-23T00:53:50Z","act":"cart-rolled-back","result":"done"}"#,
            r#"{"seq":1,"at":"2026-11-23T00:53:50Z","act":"locked","result":"done","detail":"\u0041"}"#,
            r#"{"seq":1,"at":"2026-11-23T00:53:50Z","act":"locked","result":"done","operator":"7"}"#,
        ] {
            assert_eq!(read(other), None, "{other}");
        }
    }

    #[test]
    fn a_long_text_from_outside_loses_its_end() {
        let detail = Some("😀".repeat(10_000));
        let entry = AuditEntry { detail, ..full() };
        let line = write(1, &entry);
        assert!(line.len() <= LINE_LEN_MAX, "{}", line.len());
        let kept = read(&line).unwrap().1.detail.unwrap();
        assert_eq!(kept.chars().count(), DETAIL_CHARS_MAX);
    }

    proptest! {
        #[test]
        fn any_text_reads_back_and_shows_only_ascii(text in "\\PC{0,40}|.{0,40}", seq in any::<u64>()) {
            let entry = AuditEntry { detail: Some(text.clone()), ..full() };
            let line = write(seq, &entry);
            prop_assert!(line.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{}", line);
            let (again, entry) = read(&line).unwrap();
            prop_assert_eq!((again, entry.detail), (seq, Some(text)));
        }

        #[test]
        fn any_bytes_are_a_line_or_none(text in "\\{\"seq\":[0-9]{1,20},.{0,80}\\}|.{0,80}") {
            if let Some((seq, entry)) = read(&text) {
                prop_assert_eq!(write(seq, &entry), text);
            }
        }
    }
}
