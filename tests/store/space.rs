//! A disk that fills up while the cart is locked: waveforms go first, values last, and recording goes
//! on by itself.

use std::fs;

use kit::namespace::isolated;
use kit::store::disk::Disk;
use kit::store::*;
use wardkeep_model::confidential::Phi;
use wardkeep_model::keeping::{AuditAct, Command, FindingKind, Outcome, Space, StoreFault};
use wardkeep_model::vitals::nomenclature::HEART_RATE;
use wardkeep_model::vitals::wave::WaveSegment;
use wardkeep_model::vitals::{Provenance, RecordId};

/// Ten seconds at 250 Hz.
fn wave(seq: u64) -> Command {
    Command::RecordWave(Box::new(WaveSegment {
        record: RecordId { run: 7, seq },
        code: HEART_RATE,
        rate_hz: 250,
        start: at(seq).wall,
        samples: Phi::new(vec![40_000; 2500]),
        device: DEVICE,
        subject: None,
        provenance: Provenance::Device,
    }))
}

#[test]
fn s8_on_a_full_disk_waveforms_go_first_values_last_and_all_comes_back_by_itself() {
    isolated(
        "space::s8_on_a_full_disk_waveforms_go_first_values_last_and_all_comes_back_by_itself",
        || {
            let disk = Disk::mount(24 * 1024);
            let (mut rig, phrase) = Rig::first_start(&disk.path().join("state"));
            (1..=20).for_each(|seq| rig.send(wave(seq)));
            rig.record(1, 1..=10);
            rig.close();
            let reserve = disk.path().join("state/store/inbox/reserve");
            assert!(reserve.exists(), "a reserve is held back");

            // Short of room: no waveforms any more, values go on.
            disk.leave("first", 1024 * 1024);
            rig.record(1, 11..=11);
            rig.wait_for(Space::NoWaveforms);
            (21..=30).for_each(|seq| rig.send(wave(seq)));
            rig.record(1, 12..=500);
            rig.close();
            assert_eq!(rig.faults, vec![]);

            // Less and less: the last room is for values.
            let mut seq = 500;
            while rig.space != Space::Full {
                disk.leave("second", 0);
                rig.record(1, seq + 1..=seq + 50);
                seq += 50;
                rig.close();
                assert!(seq < 4000, "values never stopped");
            }
            assert!(!reserve.exists(), "the reserve was released to values");
            assert!(seq > 600, "values went on until {seq} where no room was left at 500");
            assert_eq!(rig.faults.last(), Some(&StoreFault::Full), "the alarm: not recording");

            // Nobody does anything.
            fs::remove_file(disk.path().join("second")).unwrap();
            fs::remove_file(disk.path().join("first")).unwrap();
            rig.wait_for(Space::Enough);
            assert!(reserve.exists(), "a reserve is held back again");
            rig.send(wave(31));
            rig.record(1, seq + 1..=seq + 5);
            rig.close();
            let given_up = rig.found(&[FindingKind::WaveformsGivenUp]);
            let (_, import) = rig.unlock(at(1));
            assert_eq!((rig.lost, import.missing, import.forged), (0, 0, 0));
            rig.stop();
            let vault = contents(&disk.path().join("state"), &phrase);
            let mut kept = seqs(&vault);
            kept.sort_unstable();
            assert_eq!(kept, (1..=seq + 5).collect::<Vec<_>>());
            // Ten that were not taken, and the twenty that made room for values.
            assert_eq!(given_up, 30);
            let entries = vault.audit().unwrap().into_iter().map(|(_, entry)| entry);
            let said = entries.filter(|entry| entry.act == AuditAct::StoreFinding);
            let said: Vec<_> = said.map(|entry| entry.finding.map(|found| found.count)).collect();
            assert_eq!(said.len(), 2, "{said:?}");
        },
    );
}

#[test]
fn s8_a_start_without_room_for_waveforms_says_so() {
    isolated("space::s8_a_start_without_room_for_waveforms_says_so", || {
        let disk = Disk::mount(24 * 1024);
        let state = disk.path().join("state");
        let (rig, _) = Rig::first_start(&state);
        rig.stop();
        disk.leave("filler", 512 * 1024);
        let mut rig = Rig::restart(&state);
        rig.wait_for(Space::NoWaveforms);
        let unheard = rig.stop();
        assert!(!unheard.iter().any(|outcome| matches!(outcome, Outcome::Fault(_))));
    });
}
