//! Where a store may lie: what somebody else on the machine could read or exchange, and what would be gone after a
//! restart, is refused or mended, and told.

#![expect(clippy::unwrap_used, reason = "a failed step of a test has to end it")]

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;

use kit::namespace::isolated;
use kit::store::disk::Disk;
use kit::store::*;
use wardkeep_model::keeping::{Finding, FindingKind, Found, Outcome, StoreFault, Unfit};
use wardkeep_store::machine::device_secret::SecretFile;
use wardkeep_store::{Options, check_with_recovery};

fn set(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// The fault that a start ends with.
fn fault(options: Options) -> StoreFault {
    let (mut rig, first) = Rig::start_alone(options);
    let last = if matches!(first, Outcome::Found(Found::Broken(..))) { rig.next() } else { first };
    rig.stop();
    let Outcome::Fault(fault) = last else { panic!("{last:?}") };
    fault
}

#[test]
fn s4_a_store_that_others_could_read_is_closed_and_told_once() {
    let above = tempfile::tempdir().unwrap();
    let state = above.path().join("state");
    let (rig, _) = Rig::first_start(&state);
    rig.stop();
    set(&state, 0o755);
    set(&state.join("device-secret"), 0o640);
    set(&state.join("store/cart"), 0o604);
    let findings = |state: &Path| -> Vec<Finding> {
        let mut rig = Rig::restart(state);
        rig.log_in(desk::it());
        let findings = rig.findings.clone();
        rig.stop();
        findings
    };
    assert_eq!(findings(&state), [Finding::of(FindingKind::OpenToOthers, 2)]);
    for (path, expected) in [("", 0o700), ("device-secret", 0o600), ("store/cart", 0o600)] {
        assert_eq!(mode(&state.join(path)), expected, "{path}");
    }
    assert_eq!(findings(&state), []);
}

#[test]
fn s4_a_store_that_others_could_exchange_is_refused() {
    let above = tempfile::tempdir().unwrap();
    let state = above.path().join("state");
    let (rig, _) = Rig::first_start(&state);
    rig.stop();
    let before = files(&state);
    set(above.path(), 0o777);
    assert_eq!(fault(options(&state)), StoreFault::Unfit(Unfit::OpenParent));
    // The sticky bit lets nobody rename what is another account's.
    set(above.path(), 0o1777);
    Rig::restart(&state).stop();
    set(above.path(), 0o700);
    if !rustix::process::geteuid().is_root() {
        return;
    }
    for name in ["", "store/keyring", "device-secret"] {
        chown(state.join(name), Some(4_711), None).unwrap();
        assert_eq!(fault(options(&state)), StoreFault::Unfit(Unfit::ForeignOwner), "{name}");
        chown(state.join(name), Some(0), None).unwrap();
    }
    assert_eq!(files(&state), before);
    Rig::restart(&state).stop();
}

#[test]
fn s8_no_kiosk_keeps_records_in_memory() {
    isolated("place::s8_no_kiosk_keeps_records_in_memory", || {
        let disk = Disk::mount(20_000);
        let real = || Options::new(disk.path()).with_device_secret(SecretFile::new(disk.path()));
        assert_eq!(fault(real()), StoreFault::Unfit(Unfit::Volatile));
        assert_eq!(files(disk.path()).len(), 0, "nothing was made there");
        let (rig, first) = Rig::start_alone(real().on_any_disk());
        assert!(matches!(first, Outcome::Found(Found::Nothing)), "{first:?}");
        rig.stop();
    });
}

#[test]
fn s4_another_carts_store_is_called_that() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (rig, phrase) = Rig::first_start(one.path());
    rig.stop();
    let (rig, _) = Rig::first_start(other.path());
    rig.stop();
    let secret = |dir: &Path| dir.join("device-secret");
    fs::copy(secret(other.path()), secret(one.path())).unwrap();
    assert_eq!(fault(options(one.path())), StoreFault::WrongDeviceSecret);
    let checks = check_with_recovery(&options(one.path()), &phrase, at(9), &mut |_| {}).unwrap();
    for name in ["cart", "keyring", "locked-part"] {
        let check = checks.iter().find(|check| check.name == name).unwrap();
        let said = check.problem.as_deref().unwrap();
        assert!(
            said.contains("belongs to another cart, or this cart's secret was replaced"),
            "{said}"
        );
        assert!(check.advice.unwrap().contains("device secret back"));
    }
}
