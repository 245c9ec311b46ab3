//! What is told of the store to whoever is logged in: how far it has come, and what it found wrong.

use slint::SharedString;

use wardkeep_core::kiosk::view::Clock;
use wardkeep_core::kiosk::view::records::{
    FindingGroup, FindingNotice, OpenFindingLine, TakingOver,
};

use wardkeep_model::keeping::Rekeying;

use crate::bridge::times;
use crate::bridge::words::{Said, Words, audit, tr, trn};

/// How far the records of the locked time have been taken over.
pub(in crate::bridge) fn progress(words: &Words, far: TakingOver) -> SharedString {
    let (done, total) = (words.grouped(far.done), words.grouped(far.total));
    words.fill(tr("Taking over records from the locked time: {0} of {1}"), &[&done, &total])
}

/// What nobody has acknowledged yet: what it is, and when and how often it was found.
pub(in crate::bridge) fn open(words: &Words, line: &OpenFindingLine) -> Said {
    let (from, to) = times::span(line.when, None);
    let advice = match line.times {
        0 | 1 => words.fill(tr("Found {}"), &[&from]),
        times => words.count(
            trn("Found {n} time, {0} to {1}", "Found {n} times, {0} to {1}"),
            times,
            &[&from, &to],
        ),
    };
    Said { fact: audit::finding(words, &line.finding), advice }
}

/// How far the vault is written anew.
pub(in crate::bridge) fn encrypting(words: &Words, far: Rekeying) -> SharedString {
    let megabytes = |bytes: u64| words.grouped(bytes.div_ceil(1_000_000));
    let (done, total) = (megabytes(far.done), megabytes(far.total));
    words.fill(tr("Encrypting the records anew: {0} of {1} MB"), &[&done, &total])
}

/// What was found, when it happened, and what to do.
pub(in crate::bridge) fn finding(words: &Words, finding: &FindingNotice, today: Clock) -> Said {
    let span = finding.span.map(|span| times::span(span, Some(today)));
    let fact = match span {
        None => general(words, finding),
        Some((from, to)) if finding.group == FindingGroup::Missing => words.count(
            trn(
                "{n} record between {0} and {1} is missing.",
                "{n} records between {0} and {1} are missing.",
            ),
            finding.count,
            &[&from, &to],
        ),
        Some((from, to)) => {
            let when = words.fill(tr("({0} to {1})"), &[&from, &to]);
            slint::format!("{} {when}", general(words, finding))
        }
    };
    Said { fact, advice: advice(words, finding.group) }
}

/// What was found, whenever it happened.
fn general(words: &Words, finding: &FindingNotice) -> SharedString {
    let count = |told| words.count(told, finding.count, &[]);
    match finding.group {
        FindingGroup::Missing => count(trn("{n} record is missing.", "{n} records are missing.")),
        FindingGroup::Older => count(trn(
            "An older copy of this cart's records was put back: {n} record is gone.",
            "An older copy of this cart's records was put back: {n} records are gone.",
        )),
        FindingGroup::OlderStore => {
            words.say(tr("An older copy of everything on this cart was put back."))
        }
        FindingGroup::Replaced => words.say(tr("Parts of this cart's records were replaced.")),
        FindingGroup::Altered => count(trn(
            "{n} record was altered and not taken over.",
            "{n} records were altered and not taken over.",
        )),
        FindingGroup::Restarted => {
            words.say(tr("Recording while locked began anew: how much was lost is not known."))
        }
        FindingGroup::OlderFiles => count(trn(
            "{n} file of this cart was replaced by an older one.",
            "{n} files of this cart were replaced by older ones.",
        )),
        FindingGroup::Misplaced => count(trn(
            "{n} record was there twice or out of order.",
            "{n} records were there twice or out of order.",
        )),
        FindingGroup::WavesGivenUp => {
            words.say(tr("Some waveforms were not kept: the disk is nearly full."))
        }
        FindingGroup::CounterReset => {
            words.say(tr("The counter in this cart's security chip began anew."))
        }
        FindingGroup::CounterSilent => {
            words.say(tr("The counter in this cart's security chip does not answer."))
        }
        FindingGroup::Mended => words.say(tr("A damaged file was mended from its second copy.")),
        FindingGroup::ForeignKeys => {
            words.say(tr("Keys that records are sealed to were not this cart's."))
        }
        FindingGroup::OpenToOthers => {
            words.say(tr("Other programs on this cart could read its files. They are closed now."))
        }
    }
}

fn advice(words: &Words, group: FindingGroup) -> SharedString {
    words.say(match group {
        FindingGroup::Missing | FindingGroup::Older | FindingGroup::Restarted => {
            tr("Tell IT. New values are recorded.")
        }
        FindingGroup::OlderStore => tr("What was recorded since then is gone. Tell IT."),
        FindingGroup::Replaced => tr("Do not rely on earlier values. Tell IT."),
        FindingGroup::Altered | FindingGroup::OlderFiles => {
            tr("Tell IT: somebody may have changed the disk.")
        }
        FindingGroup::Misplaced => tr("Nothing is missing. Tell IT."),
        FindingGroup::WavesGivenUp => tr("Values are recorded. Ask IT to free space."),
        FindingGroup::CounterReset => {
            tr("Tell IT: the chip was cleared, or the disk is in another machine.")
        }
        FindingGroup::CounterSilent => {
            tr("Tell IT: whether these records are the latest cannot be told without it.")
        }
        FindingGroup::Mended => tr("Nothing is missing. Tell IT: the disk may be failing."),
        FindingGroup::ForeignKeys => {
            tr("The right ones are in use again. Tell IT: somebody has changed the disk.")
        }
        FindingGroup::OpenToOthers => tr("Tell IT: somebody may have copied them."),
    })
}
