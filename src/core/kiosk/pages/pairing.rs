//! Pairing a device: a window of a minute that a signed-in person opens for one device, and what they compare or
//! type in it.
//!
//! S-10: the numbers are secrets, and are dropped with the page. Leaving the page and locking end the pairing.

use std::time::Duration;

use wardkeep_model::access::policy::Permission;
use wardkeep_model::confidential::Secret;
use wardkeep_model::keeping::AuditAct;
use wardkeep_model::moment::BootTime;
use wardkeep_model::ports::{Command, PairingAnswer, PairingFault, PairingStep, Passkey};
use wardkeep_model::vitals::DeviceId;

use crate::kiosk::Effect;
use crate::kiosk::desk::{Desk, Scene};
use crate::kiosk::gate::Need;
use crate::kiosk::open::Open;
use crate::kiosk::pad::ceil_seconds;
use crate::kiosk::pages::Front;
use crate::kiosk::view::pairing::{PairingPage, PairingStage};

/// How long the driver keeps the window open.
const WINDOW: Duration = Duration::from_secs(60);
/// Digits of a passkey.
const DIGITS: usize = 6;
/// Wrong numbers before the page stops offering another try.
const TRIES_MAX: u8 = 3;

/// What people do while a device is paired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    /// Pair this device; an old bond is dropped first.
    Start(DeviceId),
    /// Both numbers are the same, or they are not.
    Confirm(bool),
    /// A digit of what the device shows.
    Digit(u8),
    /// Take the last one back.
    Erase,
    /// That is the number.
    Submit,
    /// Not after all.
    Stop,
    /// Drop the bond with this device, and what is known of it.
    Forget(DeviceId),
}

pub(in crate::kiosk) fn need(intent: &Intent) -> Need {
    match intent {
        Intent::Start(_)
        | Intent::Confirm(_)
        | Intent::Digit(_)
        | Intent::Erase
        | Intent::Submit
        | Intent::Stop => Need::Role(Permission::ConnectDevices),
        Intent::Forget(_) => Need::Role(Permission::MaintainDevices),
    }
}

/// What the page holds.
pub(in crate::kiosk) struct Window {
    device: DeviceId,
    opened: BootTime,
    digits: Vec<u8>,
    is_sent: bool,
    wrong: u8,
}

impl Window {
    fn new(device: DeviceId, opened: BootTime, wrong: u8) -> Self {
        Self { device, opened, digits: Vec::with_capacity(DIGITS), is_sent: false, wrong }
    }

    /// Which device.
    pub(in crate::kiosk) fn device(&self) -> DeviceId {
        self.device
    }

    /// A device has another address from now on.
    pub(in crate::kiosk) fn moves(&mut self, from: DeviceId, to: DeviceId) {
        if self.device == from {
            self.device = to;
        }
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        self.digits.fill(0);
    }
}

pub(in crate::kiosk) fn handle(
    open: &mut Open,
    desk: &mut Desk<'_>,
    intent: Intent,
) -> Vec<Effect> {
    match intent {
        Intent::Start(device) => return start(open, desk, device),
        Intent::Forget(device) => {
            // Whose values would be filed to nobody is let go first.
            if desk.monitor.device(device).is_some_and(|one| one.assignment.is_some()) {
                return vec![];
            }
            let mut effects: Vec<Effect> = desk.monitor.forget(device).into_iter().collect();
            effects.push(Effect::Hardware(Command::Forget(device)));
            effects.extend([desk.save_cart(), desk.audit(AuditAct::DeviceForgotten, Some(device))]);
            return effects;
        }
        Intent::Confirm(_) | Intent::Digit(_) | Intent::Erase | Intent::Submit | Intent::Stop => {}
    }
    let Front::Pairing(window) = &mut open.front else { return vec![] };
    let step = desk.monitor.device(window.device).and_then(|device| device.bonding.step());
    let answer = match (intent, step) {
        (Intent::Confirm(same), Some(PairingStep::CompareNumber(_))) if !window.is_sent => {
            window.is_sent = true;
            PairingAnswer::Confirm(same)
        }
        (Intent::Digit(digit), Some(PairingStep::TypePasskey))
            if digit < 10 && !window.is_sent && window.digits.len() < DIGITS =>
        {
            window.digits.push(digit);
            return vec![];
        }
        (Intent::Erase, _) if !window.is_sent => {
            window.digits.pop();
            return vec![];
        }
        (Intent::Submit, Some(PairingStep::TypePasskey)) if !window.is_sent => {
            let Some(passkey) = typed(&window.digits) else { return vec![] };
            window.is_sent = true;
            PairingAnswer::Passkey(passkey)
        }
        (Intent::Stop, _) => {
            let device = window.device;
            open.front = Front::Devices;
            return desk.monitor.cancel_pairing(device).into_iter().collect();
        }
        _ => return vec![],
    };
    vec![Effect::Hardware(Command::AnswerPairing(window.device, answer))]
}

fn typed(digits: &[u8]) -> Option<Passkey> {
    let number = digits.iter().fold(0, |number: u32, digit| number * 10 + u32::from(*digit));
    Passkey::new(number).filter(|_| digits.len() == DIGITS)
}

fn start(open: &mut Open, desk: &mut Desk<'_>, device: DeviceId) -> Vec<Effect> {
    let wrong = match (&open.front, failed(desk, device)) {
        (Front::Pairing(window), Some(PairingFault::WrongPasskey)) if window.device == device => {
            window.wrong + 1
        }
        _ => 0,
    };
    if wrong >= TRIES_MAX || desk.monitor.device(device).is_none() {
        return vec![];
    }
    let mut effects: Vec<Effect> = open.leave_pairing(desk).into_iter().collect();
    open.front = Front::Pairing(Window::new(device, desk.now.boot, wrong));
    effects.extend(desk.monitor.connect(device));
    effects.push(desk.monitor.pair(device));
    effects.push(desk.save_cart());
    effects.push(desk.audit(AuditAct::DevicePairing, Some(device)));
    effects
}

fn failed(desk: &Desk<'_>, device: DeviceId) -> Option<PairingFault> {
    match desk.monitor.device(device)?.bonding.step()? {
        PairingStep::Failed(fault) => Some(fault),
        PairingStep::Started
        | PairingStep::CompareNumber(_)
        | PairingStep::ShowPasskey { .. }
        | PairingStep::TypePasskey
        | PairingStep::Bonded(_)
        | PairingStep::Forgotten
        | PairingStep::Needed => None,
    }
}

impl Window {
    /// The page; `None` where the device is gone.
    pub(in crate::kiosk) fn view(&self, scene: Scene<'_>) -> Option<PairingPage> {
        let device = scene.monitor.device(self.device)?;
        let secret = |passkey: Passkey| Secret::new(passkey.digits());
        let stage = match device.bonding.step() {
            None | Some(PairingStep::Started | PairingStep::Needed | PairingStep::Forgotten) => {
                PairingStage::Waiting
            }
            Some(PairingStep::CompareNumber(_)) if self.is_sent => PairingStage::Waiting,
            Some(PairingStep::CompareNumber(passkey)) => PairingStage::Compare(secret(passkey)),
            Some(PairingStep::ShowPasskey { passkey, entered }) => {
                PairingStage::Show(secret(passkey), entered)
            }
            Some(PairingStep::TypePasskey) => PairingStage::Type {
                digits: Secret::new(
                    self.digits.iter().map(|digit| char::from(b'0' + digit)).collect(),
                ),
                is_sent: self.is_sent,
                tries_left: (self.wrong > 0).then(|| TRIES_MAX.saturating_sub(self.wrong)),
            },
            Some(PairingStep::Bonded(_)) => PairingStage::Done,
            Some(PairingStep::Failed(fault)) => PairingStage::Failed(fault),
        };
        let is_over = matches!(stage, PairingStage::Done | PairingStage::Failed(_));
        let left = (self.opened + WINDOW).since(scene.now.boot);
        Some(PairingPage {
            id: self.device,
            name: scene.monitor.name(self.device),
            kind: device.kind,
            is_near: device.heard.is_some(),
            stage,
            seconds_left: (!is_over).then(|| ceil_seconds(left)),
        })
    }
}
