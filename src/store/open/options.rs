//! How a store is run: where it lies, what ties it to this machine, and what the site decides.

use std::path::{Path, PathBuf};

use crate::crypto::KdfCost;
use crate::disk::place;
use crate::machine::anchor::{Anchor, NoAnchor, SharedAnchor};
use crate::machine::device_secret::{DeviceSecret, from_environment};
use wardkeep_model::access::policy::Policy;
use wardkeep_model::keeping::{Retention, StoreFault};

/// How a store is run.
#[derive(Debug)]
pub struct Options {
    state_dir: PathBuf,
    device_secret: Box<dyn DeviceSecret>,
    pub(super) cost: KdfCost,
    pub(super) policy: Policy,
    retention: Retention,
    anchor: SharedAnchor,
    witness: Option<PathBuf>,
    any_disk: bool,
}

impl Options {
    /// A store in this directory, with the device secret that the service manager gave or, without
    /// one, a file beside the store.
    pub fn new(state_dir: impl Into<PathBuf>) -> Self {
        let state_dir = state_dir.into();
        let device_secret = from_environment(&state_dir);
        let (cost, policy) = (KdfCost::FULL, Policy::default());
        let (anchor, witness) = (SharedAnchor::new(Box::new(NoAnchor)), None);
        let retention = Retention::default();
        let any_disk = false;
        Self { state_dir, device_secret, cost, policy, anchor, witness, retention, any_disk }
    }

    /// Where the store lies.
    pub fn state_dir(&self) -> &Path {
        &self.state_dir
    }

    /// Where the device secret comes from.
    pub(crate) fn device_secret(&self) -> &dyn DeviceSecret {
        self.device_secret.as_ref()
    }

    /// Cost of the PIN's key derivation.
    pub(crate) fn cost(&self) -> KdfCost {
        self.cost
    }

    /// For how long the site keeps what was recorded.
    pub(crate) fn retention(&self) -> &Retention {
        &self.retention
    }

    /// The counter outside the disk.
    pub(super) fn anchor(&self) -> SharedAnchor {
        self.anchor.clone()
    }

    /// The file that a witness keeps.
    pub(super) fn witness(&self) -> Option<&Path> {
        self.witness.as_deref()
    }

    /// Whether a kiosk may keep its store where it lies.
    ///
    /// # Errors
    /// `Unfit` on a file system that forgets, or that promises nothing.
    pub(crate) fn fit(&self) -> Result<(), StoreFault> {
        if self.any_disk { Ok(()) } else { place::lasting(&self.state_dir) }
    }

    /// The same wherever it lies, in memory or on a network too: **for tests and the simulated bedside**, where
    /// nothing is to last, and for commands that somebody gives at a terminal.
    #[must_use]
    pub fn on_any_disk(self) -> Self {
        Self { any_disk: true, ..self }
    }

    /// The same with another source of the device secret.
    #[must_use]
    pub fn with_device_secret(self, source: impl DeviceSecret + 'static) -> Self {
        Self { device_secret: Box::new(source), ..self }
    }

    /// The same with a counter outside the disk.
    #[must_use]
    pub fn with_anchor(self, anchor: Box<dyn Anchor>) -> Self {
        Self { anchor: SharedAnchor::new(anchor), ..self }
    }

    /// The same with a witness: a file on another disk, or that somebody else keeps.
    #[must_use]
    pub fn with_witness(self, path: Option<PathBuf>) -> Self {
        Self { witness: path, ..self }
    }

    /// The same under another policy of the site; the store enforces it by itself.
    #[must_use]
    pub fn with_policy(self, policy: Policy) -> Self {
        Self { policy, ..self }
    }

    /// The same with other times for which the site keeps what was recorded.
    #[must_use]
    pub fn with_retention(self, retention: Retention) -> Self {
        Self { retention, ..self }
    }

    /// The same with a key derivation that is fast and protects nothing. **Only for tests and the
    /// simulated bedside**: a store made with it opens only with it. It may lie anywhere.
    #[doc(hidden)]
    #[must_use]
    pub fn with_cost_for_tests(self) -> Self {
        Self { cost: KdfCost::FOR_TESTS, any_disk: true, ..self }
    }
}
