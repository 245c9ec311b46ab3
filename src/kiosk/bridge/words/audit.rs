//! What the audit log says.

use slint::SharedString;

use wardkeep_core::kiosk::view::access::AuditLine;
use wardkeep_core::kiosk::view::records::FindingLine;
use wardkeep_model::access::refusal::{Distrust, ReaderRefusal};
use wardkeep_model::keeping::{AuditAct, AuditResult, FindingKind};

use crate::bridge::times;
use crate::bridge::words::{Sentence, Words, emergency, factors, joined, tr};

/// What was done, and how it ended unless it was done.
pub(in crate::bridge) fn act(words: &Words, line: &AuditLine) -> SharedString {
    let act = done(words, line.act);
    let outcome = match line.result {
        AuditResult::Done => return act,
        // It says so itself.
        AuditResult::Refused if line.act == AuditAct::ReaderRefused => return act,
        AuditResult::Refused => tr("not allowed"),
        AuditResult::Failed => tr("could not be done"),
    };
    slint::format!("{act}: {}", words.say(outcome))
}

fn done(words: &Words, act: AuditAct) -> SharedString {
    words.say(match act {
        AuditAct::Unlocked => tr("Logged in"),
        AuditAct::Locked => tr("Locked"),
        AuditAct::UnlockRefused => tr("Login refused"),
        AuditAct::PatientCreated => tr("Patient added"),
        AuditAct::PatientsListed => tr("The patients of this cart were shown"),
        AuditAct::ChartOpened => tr("The patient at this bed was shown"),
        AuditAct::HistoryRead => tr("A patient's alarm log was shown"),
        AuditAct::TrendRead => tr("A patient's trend was shown"),
        AuditAct::ValuesThinned => tr("A device sent more values than are recorded"),
        AuditAct::PatientChosen => tr("Patient put at this bed"),
        AuditAct::DeviceAssigned => tr("Device assigned"),
        AuditAct::DeviceReleased => tr("Device released"),
        AuditAct::PatientDischarged => tr("Patient left this bed"),
        AuditAct::CartMoved => tr("Cart moved to another bed"),
        AuditAct::DeviceDescribed => tr("Label or calibration of a device changed"),
        AuditAct::DeviceShown => tr("Device chosen for the screen"),
        AuditAct::DevicePairing => tr("Pairing of a device begun"),
        AuditAct::DeviceForgotten => tr("Bond with a device dropped"),
        AuditAct::DeviceClockSet => tr("Clock of a device set"),
        AuditAct::ReadingFiled => tr("Reading filed to a patient"),
        AuditAct::ReadingMoved => tr("Reading moved to another patient"),
        AuditAct::ReadingRefused => tr("Reading is not this patient's"),
        AuditAct::ReadingPutBack => tr("Reading put back, filed by mistake"),
        AuditAct::ReadingDiscarded => tr("Reading discarded"),
        AuditAct::ReadingExpired => tr("Reading without an owner expired"),
        AuditAct::AlarmAcknowledged => tr("Alarm acknowledged"),
        AuditAct::AudioPaused => tr("Alarm sound paused"),
        AuditAct::AlarmEscalated => tr("Somebody else was called to an alarm"),
        AuditAct::LimitsChanged => tr("Alarm limits changed"),
        AuditAct::MonitoringInterrupted => tr("Monitoring was interrupted"),
        AuditAct::ClockStepped => tr("The clock was set"),
        AuditAct::StoreCreated => tr("Cart set up"),
        AuditAct::StoreFinding => tr("Something stored here was missing or altered"),
        AuditAct::FindingsAcknowledged => tr("What was found wrong here was looked into"),
        AuditAct::StoreAccepted => tr("A suspected store was accepted with the recovery words"),
        AuditAct::PatientShredded => tr("A patient's data was destroyed"),
        AuditAct::BackupWritten => tr("A backup was written"),
        AuditAct::BackupRestored => tr("The store was made from a backup"),
        AuditAct::StoreSalvaged => tr("The store was made of what could be read of a damaged one"),
        AuditAct::CheckpointExported => tr("A signed checkpoint of this log left the cart"),
        AuditAct::PersonAdded => tr("Person added"),
        AuditAct::PersonRevoked => tr("Person taken away"),
        AuditAct::BadgeEnrolled => tr("Badge enrolled"),
        AuditAct::CardEnrolled => tr("Card enrolled"),
        AuditAct::FingerEnrolled => tr("Finger enrolled"),
        AuditAct::FactorRevoked => tr("Factor taken away"),
        AuditAct::PinSet => tr("New PIN chosen"),
        AuditAct::CodeIssued => tr("One-time code given out"),
        AuditAct::KeysRotated => tr("Keys changed"),
        AuditAct::Vouched => tr("Vouched for a new IT person"),
        AuditAct::EmergencyOpened => tr("Emergency view opened"),
        AuditAct::EmergencyRefused => tr("Emergency view refused"),
        AuditAct::EmergencyEnded => tr("Emergency view closed"),
        AuditAct::RecoveryUsed => tr("Opened with the recovery words"),
        AuditAct::AccessRefused => tr("Something was asked that the role does not allow"),
        AuditAct::ReaderRefused => tr("Refused at a reader"),
    })
}

/// Who did it, to whom, with which factors and why.
pub(in crate::bridge) fn particulars(words: &Words, line: &AuditLine) -> SharedString {
    let operator = match line.operator.reveal().as_str() {
        "" => words.say(tr("nobody logged in")),
        operator => operator.into(),
    };
    let person = match line.person.reveal().as_str() {
        "" => SharedString::default(),
        person => words.fill(tr("concerns {}"), &[person]),
    };
    let pair = line.pair.map(|pair| factors::pair(words, pair)).unwrap_or_default();
    let reason = line.reason.map(|reason| emergency::reason(words, reason).fact);
    if let Some(what) = line.refusal {
        return joined(&[refusal(words, what), times(words, line.times)]);
    }
    joined(&[operator, person, pair, reason.unwrap_or_default()])
}

fn times(words: &Words, times: Option<u64>) -> SharedString {
    let Some(times) = times else { return SharedString::default() };
    words.fill(tr("{} times"), &[&times.to_string()])
}

fn refusal(words: &Words, what: ReaderRefusal) -> SharedString {
    words.say(match what {
        ReaderRefusal::NoNumber => tr("no badge number: another kind of badge, or broken"),
        ReaderRefusal::TwoBadges => tr("two badges at once"),
        ReaderRefusal::NotPiv => tr("not a PIV card"),
        ReaderRefusal::CardUnreadable => tr("a card that cannot be read"),
        ReaderRefusal::WrongCardPin => tr("wrong PIN of a card"),
        ReaderRefusal::LastCardTry => tr("a card with one try left"),
        ReaderRefusal::CardBlocked => tr("a card that is blocked"),
        ReaderRefusal::NoCardKey => tr("a card without the key that is needed"),
        ReaderRefusal::CardChanged => tr("another card than before"),
        ReaderRefusal::NoProof => tr("a card that did not prove itself"),
        ReaderRefusal::NotTrusted(why) => distrust(why),
        ReaderRefusal::ReaderNotAllowed => tr("the settings allow other readers only"),
        ReaderRefusal::ReaderTypes => tr("the reader types and cannot be silenced"),
        ReaderRefusal::ReaderNotOurs => tr("the reader may not be opened"),
    })
}

fn distrust(why: Distrust) -> Sentence {
    match why {
        Distrust::NoIssuers => tr("certificate: no issuer is trusted here"),
        Distrust::UnknownIssuer => tr("certificate: issuer not trusted"),
        Distrust::Expired => tr("certificate: expired"),
        Distrust::NotYetValid => tr("certificate: not valid yet"),
        Distrust::Revoked => tr("certificate: revoked"),
        Distrust::ListMissing => tr("certificate: revocation list missing"),
        Distrust::ListStale => tr("certificate: revocation list too old"),
        Distrust::WrongPurpose => tr("certificate: not for logging in"),
        Distrust::WrongPolicy => tr("certificate: without a policy that is wanted"),
        Distrust::Malformed => tr("certificate: malformed"),
    }
}

/// What was found wrong, with both numbers and the time.
pub(in crate::bridge) fn finding(words: &Words, finding: &FindingLine) -> SharedString {
    let kind = words.say(match finding.kind {
        FindingKind::RecordsMissing => tr("Records missing"),
        FindingKind::RecordsForged => tr("Records altered or made up"),
        FindingKind::RecordsRepeated => tr("Records there twice"),
        FindingKind::RecordsMoved => tr("Records out of order"),
        FindingKind::BacklogRestarted => tr("Sealed records began a new chain"),
        FindingKind::VaultOlder => tr("Older database, rows gone"),
        FindingKind::PagesReplaced => tr("Pages of the database replaced"),
        FindingKind::HeadOlder => tr("Head file older or gone"),
        FindingKind::SlotOlder => tr("Key slot put back"),
        FindingKind::CartOlder => tr("Cart compartment put back"),
        FindingKind::KeyringOlder => tr("Keyring put back"),
        FindingKind::InboxOlder => tr("Head of the sealed records put back"),
        FindingKind::StoreOlder => tr("Whole store put back"),
        FindingKind::WaveformsGivenUp => tr("Stretches of waveforms given up for lack of room"),
        FindingKind::AnchorReset => tr("Counter of the security chip began anew"),
        FindingKind::AnchorSilent => tr("Counter of the security chip gone or silent"),
        FindingKind::CopyUsed => tr("Second copy used"),
        FindingKind::MemoryOlder => tr("What the store's parts remember of each other put back"),
        FindingKind::RecipientReplaced => tr("Key that records are sealed to replaced"),
        FindingKind::OpenToOthers => tr("Files that other accounts could read"),
    });
    let number = |sentence, number: Option<u64>| {
        number.map(|number| words.fill(sentence, &[&number.to_string()])).unwrap_or_default()
    };
    let span = finding.span.map(|span| times::span(span, None));
    let span = span.map(|(from, to)| words.fill(tr("{0} to {1}"), &[&from, &to]));
    joined(&[
        slint::format!("{kind}: {}", finding.count),
        number(tr("found no. {}"), finding.found),
        number(tr("expected no. {}"), finding.expected),
        span.unwrap_or_default(),
    ])
}
