//! Stops about the store: progress, findings, not recording, trouble, the checkpoint.

use jiff::civil::{DateTime, date};
use jiff::tz::TimeZone;

use wardkeep_core::alarms::AlarmText;
use wardkeep_core::kiosk::view::access::{Audit, AuditLine};
use wardkeep_core::kiosk::view::records::{
    Checkpoint, FindingGroup, FindingLine, FindingNotice, OpenFindingLine, TakingOver, Trouble,
    Watch,
};
use wardkeep_core::kiosk::view::time::LocalTime;
use wardkeep_core::kiosk::view::{
    Bedside, DeviceRow, DeviceState, Owner, Screen, Tile, TileState, View,
};
use wardkeep_model::alarm::Priority;
use wardkeep_model::confidential::Phi;
use wardkeep_model::keeping::{AuditAct, AuditResult, FindingKind, Rekeying, StoreFault, Unfit};
use wardkeep_model::notice::Notice;
use wardkeep_model::ports::RadioHealth;
use wardkeep_model::vitals::DeviceKind;
use wardkeep_model::vitals::parameter::Parameter;

use crate::tour::samples::staff::{audit, open_it, people};
use crate::tour::samples::{
    alarm, bedside, concealed, device, long_name, low_oxygen, missing, open, patients, tile,
};
use crate::tour::stop::{Stop, stop};

/// A signed checkpoint as a cart makes it; the key and the tree are invented.
pub const CHECKPOINT: &str = "wardkeep/cart/5d1f0c3ab2944e7d8a61c0ffee5512aa\n3120\n\
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\
    \u{2014} wardkeep/cart/5d1f0c3ab2944e7d8a61c0ffee5512aa \
    Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n";

/// All of them.
pub fn all() -> Vec<Stop> {
    let mut stops = progress();
    stops.extend(findings());
    stops.extend(not_recording());
    stops.extend(troubles());
    stops.extend(checkpoints());
    stops
}

fn with(view: View, far: Option<TakingOver>, finding: Option<FindingNotice>) -> View {
    let open = view.open.map(|mut open| {
        (open.taking_over, open.finding) = (far, finding);
        open
    });
    View { open, ..view }
}

/// Somebody was taken away, and the page still shows them.
fn encrypting() -> View {
    let view = open_it(Screen::People(people()));
    let open = view.open.map(|mut open| {
        open.encrypting = Some(Rekeying { done: 412_000_000, total: 1_037_000_000 });
        open
    });
    View { open, ..view }
}

fn progress() -> Vec<Stop> {
    let far = Some(TakingOver { done: 41_000, total: 129_600 });
    let mut long = open(Screen::Bedside(bedside()));
    if let Some(open) = &mut long.open {
        open.patient = Some(long_name());
    }
    vec![
        stop("taking-over", with(open(Screen::Bedside(bedside())), far, None)),
        stop("encrypting-anew", encrypting()),
        stop("taking-over-patients", with(open(Screen::Patients(patients())), far, None)),
        stop(
            "taking-over-crowded",
            View {
                simulated: true,
                alarm: Some(alarm(Priority::High, low_oxygen("79"))),
                ..with(long, far, Some(finding(FindingGroup::Missing, 17)))
            },
        ),
    ]
}

/// Of an hour in the night.
pub fn finding(group: FindingGroup, count: u64) -> FindingNotice {
    FindingNotice { group, count, span: Some(night()) }
}

fn night() -> (LocalTime, LocalTime) {
    (local(date(2026, 11, 22).at(2, 10, 0, 0)), local(date(2026, 11, 22).at(2, 13, 40, 0)))
}

fn local(at: DateTime) -> LocalTime {
    let instant = TimeZone::UTC.to_timestamp(at).unwrap_or_default();
    LocalTime::of(instant, &TimeZone::UTC)
}

fn findings() -> Vec<Stop> {
    let calm = || open(Screen::Bedside(Bedside { waves: vec![], ..bedside() }));
    let told = |name, finding| stop(name, with(calm(), None, Some(finding)));
    let days =
        (local(date(2026, 11, 20).at(23, 50, 0, 0)), local(date(2026, 11, 22).at(6, 0, 0, 0)));
    let older = FindingNotice { span: Some(days), ..finding(FindingGroup::Older, 57) };
    let timeless = |group, count| FindingNotice { span: None, ..finding(group, count) };
    let lost = View {
        alarm: Some(alarm(Priority::Low, AlarmText::RecordsLost { count: 17 })),
        ..with(calm(), None, Some(finding(FindingGroup::Missing, 17)))
    };
    vec![
        stop("finding-missing", lost),
        told("finding-missing-timeless", timeless(FindingGroup::Missing, 1)),
        told("finding-older", older),
        told("finding-older-store", timeless(FindingGroup::OlderStore, 1)),
        told("finding-replaced", timeless(FindingGroup::Replaced, 3)),
        told("finding-altered", finding(FindingGroup::Altered, 2)),
        told("finding-restarted", timeless(FindingGroup::Restarted, 1)),
        told("finding-older-files", timeless(FindingGroup::OlderFiles, 2)),
        told("finding-misplaced", finding(FindingGroup::Misplaced, 5)),
        told("finding-waves-given-up", finding(FindingGroup::WavesGivenUp, 40)),
        told("finding-counter-reset", timeless(FindingGroup::CounterReset, 1)),
        told("finding-counter-silent", timeless(FindingGroup::CounterSilent, 1)),
        told("finding-mended", timeless(FindingGroup::Mended, 1)),
        told("finding-foreign-keys", timeless(FindingGroup::ForeignKeys, 1)),
        told("finding-open-to-others", timeless(FindingGroup::OpenToOthers, 1)),
    ]
}

fn not_recording() -> Vec<Stop> {
    let told = |name, priority, text| {
        let alarm = Some(alarm(priority, text));
        stop(name, View { alarm, ..open(Screen::Bedside(bedside())) })
    };
    vec![
        told("not-recording", Priority::Medium, AlarmText::NotRecording),
        told("no-waveforms", Priority::Low, AlarmText::NoWaveforms),
        told("records-lost-uncounted", Priority::Low, AlarmText::RecordsLost { count: 0 }),
        told("watch-ended", Priority::Medium, AlarmText::WatchEnded),
    ]
}

/// The trouble screen, with the alarm that comes with it.
pub fn trouble(fault: StoreFault, watch: Watch) -> View {
    let alarm = Some(alarm(Priority::Medium, AlarmText::NotRecording));
    View { alarm, ..concealed(Screen::Trouble(Trouble { fault, records: false, watch })) }
}

/// The vault alone does not open.
fn recording(watch: Watch) -> View {
    let fault = StoreFault::Damaged;
    concealed(Screen::Trouble(Trouble { fault, records: true, watch }))
}

/// Live values of nobody knows whom.
pub fn unknown() -> Watch {
    let near = |last, name, kind| DeviceRow {
        can_connect: true,
        ..device(last, name, kind, DeviceState::Near)
    };
    let live = DeviceRow {
        owner: Owner::Unknown,
        reading: Phi::new("97 %".into()),
        battery_percent: Some(74),
        can_release: true,
        ..device(1, "Oximeter 21", DeviceKind::PulseOximeter, DeviceState::Live)
    };
    Watch::Unknown {
        tiles: vec![
            missing(Parameter::HeartRate, TileState::NoDevice, None),
            tile(Parameter::SpO2, "97"),
            tile(Parameter::PulseRate, "73"),
        ],
        rows: vec![live, near(2, "Heart strap 07", DeviceKind::HeartRate)],
        radio: RadioHealth::Ready,
    }
}

fn troubles() -> Vec<Stop> {
    let nothing = |offered| Watch::Nothing { offered };
    let at = |name, fault, watch| stop(name, trouble(fault, watch));
    let racing = Tile {
        alarm: Some(Priority::High),
        source: "Pulse oximeter of ward 4B 0021 spare".into(),
        ..tile(Parameter::SpO2, "79")
    };
    let crowded = Watch::Bed(vec![
        tile(Parameter::HeartRate, "188"),
        racing,
        missing(Parameter::PulseRate, TileState::LinkLost, Some(("116", 42))),
    ]);
    let none_yet = match unknown() {
        Watch::Unknown { rows, radio, .. } => {
            let rows = rows.into_iter().filter(|row| row.can_connect).collect();
            Watch::Unknown { tiles: vec![], rows, radio }
        }
        other @ (Watch::Nothing { .. } | Watch::Bed(_)) => other,
    };
    let radio_off = Watch::Unknown { tiles: vec![], rows: vec![], radio: RadioHealth::Off };
    let bed = || Watch::Bed(bedside().tiles);
    let alarmed = View {
        simulated: true,
        alarm: Some(alarm(Priority::High, low_oxygen("79"))),
        notice: Some(Notice::StoreBroken),
        ..trouble(StoreFault::Foreign, crowded)
    };
    vec![
        at("trouble-full", StoreFault::Full, nothing(true)),
        at("trouble-wrong-device-secret", StoreFault::WrongDeviceSecret, nothing(true)),
        at("trouble-damaged", StoreFault::Damaged, nothing(true)),
        at("trouble-later", StoreFault::Later, nothing(true)),
        at("trouble-foreign", StoreFault::Foreign, nothing(true)),
        at("trouble-no-cipher", StoreFault::NoCipher, nothing(true)),
        at("trouble-foreign-owner", StoreFault::Unfit(Unfit::ForeignOwner), nothing(true)),
        at("trouble-open-parent", StoreFault::Unfit(Unfit::OpenParent), nothing(true)),
        at("trouble-volatile", StoreFault::Unfit(Unfit::Volatile), nothing(true)),
        at("trouble-network", StoreFault::Unfit(Unfit::Network), nothing(true)),
        at("trouble-in-use", StoreFault::InUse, nothing(false)),
        at("trouble-bed", StoreFault::Damaged, bed()),
        Stop { day: true, ..at("trouble-bed-day", StoreFault::Damaged, bed()) },
        stop("trouble-bed-recording", recording(bed())),
        stop("trouble-bed-crowded", alarmed),
        at("trouble-watch", StoreFault::Damaged, unknown()),
        at("trouble-watch-none-yet", StoreFault::WrongDeviceSecret, none_yet),
        at("trouble-watch-radio-off", StoreFault::Damaged, radio_off),
        stop(
            "trouble-told",
            View {
                notice: Some(Notice::StoreBroken),
                ..trouble(StoreFault::Damaged, nothing(true))
            },
        ),
    ]
}

/// The log of a cart whose disk was meddled with.
pub fn meddled() -> Audit {
    let calm = audit();
    let Some(line) = calm.rows.first().cloned() else { return calm };
    let line = AuditLine { operator: Phi::default(), person: Phi::default(), pair: None, ..line };
    let found = |seq, kind, count, numbers: Option<(u64, u64)>| AuditLine {
        seq,
        act: AuditAct::StoreFinding,
        finding: Some(FindingLine {
            kind,
            count,
            found: numbers.map(|(found, _)| found),
            expected: numbers.map(|(_, expected)| expected),
            span: Some(night()),
        }),
        ..line.clone()
    };
    let mut rows = vec![
        found(34, FindingKind::VaultOlder, 57, Some((1041, 1098))),
        found(33, FindingKind::RecordsMissing, 17, Some((20_511, 20_528))),
        AuditLine {
            seq: 32,
            act: AuditAct::DeviceAssigned,
            operator: Phi::new("Adaeze Kirchner".into()),
            detail: Phi::new("Oxi\u{202E}meter\n14:31 Logged in Dewi Tan ".repeat(9)),
            ..line.clone()
        },
        AuditLine {
            seq: 31,
            act: AuditAct::BackupWritten,
            result: AuditResult::Failed,
            operator: Phi::new("Dewi Tan".into()),
            ..line
        },
    ];
    let open = rows.iter().filter_map(|row| row.finding).zip([1, 3]).map(|(finding, times)| {
        let days = finding.span.unwrap_or(night());
        OpenFindingLine { finding, when: days, times }
    });
    let open = open.collect();
    rows.extend(calm.rows.iter().take(3).cloned());
    Audit { rows: rows.into(), open, ..audit() }
}

fn checkpoints() -> Vec<Stop> {
    let shown = Audit { checkpoint: Checkpoint::Shown(CHECKPOINT.into()), ..meddled() };
    let asked = Audit { checkpoint: Checkpoint::Asked, ..audit() };
    vec![
        stop("audit-findings", open_it(Screen::Audit(meddled()))),
        stop("audit-signing", open_it(Screen::Audit(asked))),
        stop("audit-checkpoint", open_it(Screen::Audit(shown))),
    ]
}
