//! Any answers of a pcProx and any reports of a keyboard reader.
//!
//! The first byte says how many of the rest are three answers of a pcProx; what follows is reports of
//! 8 bytes, each after a byte of time in 4 ms. Nothing panics, a badge has a number of its family's
//! length, and the reports that silence a reader burn nothing. Run with
//! `cargo +stable fuzz run hid_report fuzz/corpus/hid_report fuzz/seeds/hid_report` and
//! `RUSTC_BOOTSTRAP=1`.
#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use wardkeep_hardware::usb_badge::keyboard_badge::{Typed, Typing};
use wardkeep_hardware::usb_badge::pcprox::{self, Change, Hold, Look, Report};
use wardkeep_model::moment::BootTime;

fuzz_target!(|input: &[u8]| {
    let [looks, rest @ ..] = input else { return };
    let split = rest.len().min(24 * usize::from(*looks));
    let (answers, reports) = rest.split_at(split);
    let mut hold = Hold::default();
    for three in answers.chunks_exact(24) {
        let [bits, count, again] = [0, 8, 16].map(|at| {
            let mut report = Report::default();
            report.copy_from_slice(&three[at..at + 8]);
            report
        });
        let look = pcprox::look(&bits, &count, &again);
        if let Look::Badge(badge) = &look {
            assert!((3..=9).contains(&badge.uid().len()) && *bits == *again);
        }
        if let Change::Laid(badge) = hold.observe(look) {
            assert_eq!(badge.uid().first(), count.first());
        }
        if let Some([_, _, end]) = pcprox::silence(&bits) {
            assert_eq!(*end, [0x90, 0, 0, 0, 0, 0, 0, 0]);
        }
        assert!(pcprox::firmware(&bits).is_none_or(|text| text.is_ascii()));
    }
    let mut typing = Typing::default();
    let mut now = Duration::ZERO;
    for timed in reports.chunks(9) {
        let [gap, report @ ..] = timed else { continue };
        now += Duration::from_millis(4 * u64::from(*gap));
        if let Some(Typed::Badge(badge)) = typing.report(BootTime(now), report) {
            assert!((4..=32).contains(&badge.uid().len()));
        }
    }
});
