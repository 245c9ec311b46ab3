//! How this cart is set up and protected.

use wardkeep_model::access::policy::Pair;

use crate::kiosk::desk::Scene;
use crate::kiosk::view::access::Cart;

/// The page.
pub(in crate::kiosk) fn view(scene: Scene<'_>) -> Cart {
    let config = &scene.site.config;
    let policy = &config.policy;
    Cart {
        protection: scene.site.protection,
        shift_min: policy.shift.as_secs() / 60,
        pairs: Pair::ALL.into_iter().filter(|pair| policy.allows(*pair)).collect(),
        emergency: policy.emergency,
        two_person: policy.two_person,
        crl_days: config.cards.crl_age.as_secs() / (24 * 3600),
        sensor: scene.health.sensor.clone(),
    }
}
