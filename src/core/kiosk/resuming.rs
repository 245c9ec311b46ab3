//! What the store found when it looked at its directory: monitoring takes up where its cart compartment left off.

use wardkeep_model::keeping::{AuditAct, CartState, Found, KnownDevice};
use wardkeep_model::moment::Moment;
use wardkeep_model::notice::Notice;

use crate::config::Language;
use crate::kiosk::{Effect, Kiosk, desk};

/// The store looked at its directory.
pub(super) fn found(kiosk: &mut Kiosk, now: Moment, found: Found) -> Vec<Effect> {
    match found {
        // Whoever is monitored goes on being monitored.
        Found::Nothing => {
            let effects = leave_watch(kiosk);
            kiosk.clerk.missing();
            effects
        }
        Found::Store(cart) => {
            let was_broken = kiosk.clerk.is_broken();
            let mut effects = leave_watch(kiosk);
            if kiosk.clerk.unusable().is_some() {
                kiosk.notices.tell(now, Notice::StoreBack);
            }
            kiosk.clerk.opened();
            if !was_broken || !kiosk.monitor.agrees_with(&cart) {
                effects.extend(resume(kiosk, now, &cart));
            }
            effects
        }
        Found::Broken(fault, cart) => {
            let goes_on = kiosk.clerk.is_broken() && kiosk.monitor.agrees_with(&cart);
            kiosk.clerk.broke(now, fault);
            if goes_on {
                return vec![];
            }
            let mut effects = leave_watch(kiosk);
            effects.extend(resume(kiosk, now, &cart));
            effects
        }
    }
}

/// Monitoring without records ends because the store is back: whoever was watched is not any more,
/// which has to be seen.
fn leave_watch(kiosk: &mut Kiosk) -> Vec<Effect> {
    if kiosk.monitor.watches_any() {
        kiosk.clerk.watch_ended();
    }
    kiosk.monitor.end_watch()
}

/// Takes up links, assignments and language where the cart compartment left off.
fn resume(kiosk: &mut Kiosk, now: Moment, cart: &CartState) -> Vec<Effect> {
    if !cart.language.is_empty() {
        kiosk.language = Language::from_tag(&cart.language);
    }
    if !cart.bed.is_empty() && cart.bed != kiosk.monitor.bed() {
        return moved(kiosk, now, cart);
    }
    let mut effects = kiosk.monitor.resume(now, cart);
    effects.extend(kiosk.alarms.resume(now, &kiosk.monitor, cart.alive));
    effects
}

/// The cart stands at another bed: nobody whom it knows of is here, and no device measures them (S-6). That it
/// measured somebody has to be seen.
fn moved(kiosk: &mut Kiosk, now: Moment, cart: &CartState) -> Vec<Effect> {
    let let_go = |device: &KnownDevice| KnownDevice { assignment: None, ..device.clone() };
    let devices = cart.devices.iter().map(let_go).collect();
    let here = CartState { subject: None, limits: None, alive: None, devices, ..cart.clone() };
    if cart.devices.iter().any(|device| device.assignment.is_some()) {
        kiosk.clerk.watch_ended();
    }
    let mut effects = kiosk.monitor.resume(now, &here);
    effects.extend(kiosk.alarms.resume(now, &kiosk.monitor, None));
    effects.push(desk::save_cart(now, &kiosk.monitor, kiosk.language));
    let from = Some(cart.bed.clone());
    effects.push(desk::audit_of_machine(now, &kiosk.monitor, AuditAct::CartMoved, from));
    effects
}
