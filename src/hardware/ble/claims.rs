//! Who uses a device: its link, or whoever pairs it. Both at once would end each other's connection.
//!
//! A pairing goes first: the link is asked to let go, and cannot be made while the pairing lasts.

use std::collections::BTreeSet;

use tokio::sync::watch;

use wardkeep_model::vitals::DeviceId;

#[derive(Debug, Default)]
struct State {
    paired: Option<DeviceId>,
    linked: BTreeSet<DeviceId>,
}

/// Who uses which device. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Claims(watch::Sender<State>);

/// The link has the device until this is dropped.
#[derive(Debug)]
pub(super) struct LinkClaim {
    claims: Claims,
    device: DeviceId,
}

/// The pairing has the device until this is dropped.
#[derive(Debug)]
pub(super) struct PairingClaim(Claims);

impl Claims {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(State::default()))
    }

    /// Takes a device for its link, as soon as it is not paired.
    pub(super) async fn link(&self, device: DeviceId) -> LinkClaim {
        loop {
            let taken = self.0.send_if_modified(|state| {
                state.paired != Some(device) && state.linked.insert(device)
            });
            if taken {
                return LinkClaim { claims: self.clone(), device };
            }
            self.until(|state| state.paired != Some(device)).await;
        }
    }

    /// Ends when somebody wants to pair the device.
    pub(super) async fn wanted_for_pairing(&self, device: DeviceId) {
        self.until(|state| state.paired == Some(device)).await;
    }

    /// Takes a device for a pairing, as soon as its link has let it go.
    pub(super) async fn pair(&self, device: DeviceId) -> PairingClaim {
        self.0.send_modify(|state| state.paired = Some(device));
        let claim = PairingClaim(self.clone());
        self.until(|state| !state.linked.contains(&device)).await;
        claim
    }

    async fn until(&self, condition: impl Fn(&State) -> bool) {
        // It cannot be closed: this is its sender.
        if self.0.subscribe().wait_for(|state| condition(state)).await.is_err() {
            tracing::error!("claims on devices are closed");
        }
    }
}

impl Drop for LinkClaim {
    fn drop(&mut self) {
        self.claims.0.send_modify(|state| {
            state.linked.remove(&self.device);
        });
    }
}

impl Drop for PairingClaim {
    fn drop(&mut self) {
        self.0.0.send_modify(|state| state.paired = None);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    const ONE: DeviceId = DeviceId([0, 0, 0, 0, 0, 1]);
    const TWO: DeviceId = DeviceId([0, 0, 0, 0, 0, 2]);

    #[tokio::test]
    async fn a_device_is_linked_or_paired_and_never_both() {
        let claims = Claims::new();
        let link = claims.link(ONE).await;
        let other = claims.link(TWO).await;
        assert!(claims.wanted_for_pairing(ONE).now_or_never().is_none());
        let mut pairing = Box::pin(claims.pair(ONE));
        assert!(pairing.as_mut().now_or_never().is_none(), "its link has it");
        assert!(claims.wanted_for_pairing(ONE).now_or_never().is_some(), "and hears of it");
        assert!(claims.wanted_for_pairing(TWO).now_or_never().is_none());
        drop(link);
        let pairing = pairing.await;
        let mut link = Box::pin(claims.link(ONE));
        assert!(link.as_mut().now_or_never().is_none(), "the pairing has it");
        drop(other);
        assert!(claims.link(TWO).now_or_never().is_some(), "others are free");
        drop(pairing);
        link.await;
    }

    #[tokio::test]
    async fn a_pairing_given_up_while_it_waits_leaves_the_device_to_its_link() {
        let claims = Claims::new();
        let link = claims.link(ONE).await;
        assert!(claims.pair(ONE).now_or_never().is_none());
        drop(link);
        assert!(claims.link(ONE).now_or_never().is_some());
    }
}
