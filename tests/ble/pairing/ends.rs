//! Pairings that end before there is a bond, in the middle of each kind: the person stops, the device goes,
//! or time runs out. Each ends with its word, and nothing of it is left.

use std::time::Duration;

use wardkeep_model::ports::{Command, PairingAnswer, PairingFault, PairingStep};
use wardkeep_model::vitals::DeviceId;

use kit::bluez::private_bus::isolated;
use kit::bluez::ward::{Ward, until};
use kit::bluez::{Bond, FakeBluez, Style};

use super::{NUMBER, answer, can_be_paired, failed, open, passkey, ward_with};

const STYLES: [Style; 5] = [
    Style::JustWorks,
    Style::Authorize,
    Style::Compare(NUMBER),
    Style::TypeHere(NUMBER),
    Style::TypeThere(NUMBER, true),
];

/// Opens a window and waits until the pairing is in its middle; true if people see a number or are asked for one.
async fn halfway(ward: &mut Ward, fake: &FakeBluez, device: DeviceId, style: Style) -> bool {
    open(ward, device).await;
    let asked = match style {
        Style::JustWorks | Style::Authorize => {
            until("the pairing", || fake.is_pairing(device) && fake.is_connected(device)).await;
            return false;
        }
        Style::Compare(_) => PairingStep::CompareNumber(passkey(NUMBER)),
        Style::TypeHere(_) => PairingStep::TypePasskey,
        Style::TypeThere(..) => {
            // Two digits have been typed.
            while !matches!(ward.step(device).await, PairingStep::ShowPasskey { entered: 2, .. }) {}
            return true;
        }
    };
    assert_eq!(ward.step(device).await, asked);
    true
}

/// Slow enough to be stopped in the middle.
fn slow(fake: &FakeBluez, style: Style) {
    let is_silent = matches!(style, Style::JustWorks | Style::Authorize);
    let before = if is_silent { Duration::from_secs(60) } else { Duration::ZERO };
    fake.pairing_takes(before, Duration::from_millis(300));
}

/// The last step; what is shown before it must be nothing that could be answered.
async fn end(ward: &mut Ward, device: DeviceId) -> PairingStep {
    loop {
        let step = ward.step(device).await;
        // Digits may have been on their way.
        if !matches!(step, PairingStep::Started | PairingStep::ShowPasskey { .. }) {
            break step;
        }
    }
}

/// Everything is as it was before.
async fn nothing_is_left(ward: &mut Ward, fake: &FakeBluez, device: DeviceId) {
    until("it to be let go", || !fake.is_connected(device) && !fake.is_pairing(device)).await;
    assert_eq!(fake.bond(device), Bond::None);
    for late in [PairingAnswer::Confirm(true), PairingAnswer::Passkey(passkey(NUMBER))] {
        answer(ward, device, late);
    }
    fake.pairing_takes(Duration::ZERO, Duration::ZERO);
    fake.advertising(device, true);
    can_be_paired(ward, fake, device).await;
    ward.order(Command::Forget(device));
    assert_eq!(ward.step(device).await, PairingStep::Forgotten);
}

async fn stop(ward: Ward, fake: &FakeBluez) {
    let (driver, task) = ward.stop_listening();
    drop(driver);
    task.await.expect("no panic");
    fake.stop_daemon().await;
}

#[test]
fn a_person_may_stop_in_the_middle_of_each_kind() {
    isolated("pairing::ends::a_person_may_stop_in_the_middle_of_each_kind", |mut bus| async move {
        bus.start();
        for style in STYLES {
            let (fake, mut ward, device) = ward_with(style).await;
            slow(&fake, style);
            halfway(&mut ward, &fake, device, style).await;
            answer(&ward, device, PairingAnswer::Cancel);
            assert_eq!(end(&mut ward, device).await, failed(PairingFault::Cancelled), "{style:?}");
            nothing_is_left(&mut ward, &fake, device).await;
            stop(ward, &fake).await;
        }
    });
}

#[test]
fn a_device_that_goes_away_in_the_middle_ends_each_kind() {
    let name = "pairing::ends::a_device_that_goes_away_in_the_middle_ends_each_kind";
    isolated(name, |mut bus| async move {
        bus.start();
        for style in STYLES {
            let (fake, mut ward, device) = ward_with(style).await;
            slow(&fake, style);
            let is_asked = halfway(&mut ward, &fake, device, style).await;
            fake.advertising(device, false);
            fake.drop_link(device).await;
            // Of a device that was never asked anything BlueZ says the same as of one that refuses.
            let fault = if is_asked { PairingFault::Left } else { PairingFault::BondedElsewhere };
            assert_eq!(end(&mut ward, device).await, failed(fault), "{style:?}");
            nothing_is_left(&mut ward, &fake, device).await;
            stop(ward, &fake).await;
        }
    });
}

#[test]
fn a_pairing_that_takes_too_long_for_the_device_ends_each_kind() {
    let name = "pairing::ends::a_pairing_that_takes_too_long_for_the_device_ends_each_kind";
    isolated(name, |mut bus| async move {
        bus.start();
        for style in STYLES {
            let (fake, mut ward, device) = ward_with(style).await;
            slow(&fake, style);
            fake.pairing_lasts(Some(Duration::from_millis(900)));
            halfway(&mut ward, &fake, device, style).await;
            let fault = end(&mut ward, device).await;
            assert_eq!(fault, failed(PairingFault::TimedOut), "{style:?}");
            fake.pairing_lasts(None);
            nothing_is_left(&mut ward, &fake, device).await;
            stop(ward, &fake).await;
        }
    });
}

#[test]
fn what_bluez_takes_back_is_off_the_screen_although_it_never_says_why() {
    let name = "pairing::ends::what_bluez_takes_back_is_off_the_screen_although_it_never_says_why";
    isolated(name, |mut bus| async move {
        bus.start();
        let style = Style::TypeThere(NUMBER, true);
        let fake = FakeBluez::start().await;
        fake.pairing_takes(Duration::ZERO, Duration::from_secs(60));
        let device = super::clip(&fake, style);
        let release = Duration::from_millis(500);
        let timing = wardkeep_hardware::ble::Timing { release, ..kit::bluez::ward::short() };
        let mut ward = Ward::with(fake.clone(), 4096, timing);
        ward.seen(device).await;
        open(&mut ward, device).await;
        let shown = PairingStep::ShowPasskey { passkey: passkey(NUMBER), entered: 0 };
        assert_eq!(ward.step(device).await, shown);
        fake.ask_agent("Cancel", ()).await.expect("answered");
        assert_eq!(ward.step(device).await, PairingStep::Started, "nothing stands there any more");
        assert_eq!(ward.step(device).await, failed(PairingFault::Left));
        nothing_is_left(&mut ward, &fake, device).await;
    });
}
