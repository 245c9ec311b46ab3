//! The bond with one device: how far its pairing has come, and whether it is still the device that was
//! paired.

use wardkeep_model::keeping::KnownBond;
use wardkeep_model::ports::{PairingFault, PairingStep, TableDigest};
use wardkeep_model::vitals::DeviceId;

const LOST: PairingStep = PairingStep::Failed(PairingFault::LostBond);

/// What is known of a device's bond.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bonding {
    step: Option<PairingStep>,
    /// It was paired.
    is_bonded: bool,
    /// What it offered when it was linked first, or first after it was paired.
    table: Option<TableDigest>,
    /// It was bonded, and offers something else since.
    is_changed: bool,
    /// The driver was told to end the pairing.
    is_cancelled: bool,
    /// Its address before it was paired, where that was another.
    first_known: Option<DeviceId>,
}

impl Bonding {
    /// As the cart remembers it.
    pub(crate) fn resumed(bond: Option<KnownBond>) -> Self {
        let Some(bond) = bond else { return Self::default() };
        let KnownBond { table, is_changed, first_known } = bond;
        let table = table.map(TableDigest);
        Self { is_bonded: true, table, is_changed, first_known, ..Self::default() }
    }

    /// What the cart has to remember.
    pub(crate) fn remembered(&self) -> Option<KnownBond> {
        let table = self.table.map(|TableDigest(table)| table);
        let (is_changed, first_known) = (self.is_changed, self.first_known);
        self.is_bonded.then_some(KnownBond { table, is_changed, first_known })
    }

    /// How far the last pairing has come, or that its bond was lost.
    pub(crate) fn step(&self) -> Option<PairingStep> {
        self.step
    }

    /// It was paired, and nobody has forgotten it.
    pub(crate) fn is_bonded(&self) -> bool {
        self.is_bonded
    }

    /// It was bonded, and offers something else since.
    pub(crate) fn is_changed(&self) -> bool {
        self.is_changed
    }

    /// Its address before it was paired, where that was another.
    pub(crate) fn first_known(&self) -> Option<DeviceId> {
        self.first_known
    }

    /// It was paired by this address and has another from now on; by that one it was known before, or was not.
    pub(super) fn moves(&mut self, from: DeviceId, known: Option<Bonding>) {
        let before = self.first_known.unwrap_or(from);
        self.first_known = known.map_or(Some(before), |known| known.first_known);
    }

    /// It is what was paired, or was never paired: what it measures counts.
    pub(crate) fn is_sound(&self) -> bool {
        !self.is_changed && self.step != Some(LOST)
    }

    /// A driver tells how far it has come.
    pub(crate) fn told(&mut self, step: PairingStep) {
        (self.step, self.is_cancelled) = (Some(step), false);
        match step {
            PairingStep::Bonded(_) => {
                (self.is_bonded, self.is_changed, self.table) = (true, false, None);
            }
            PairingStep::Forgotten => {
                (self.is_bonded, self.is_changed, self.table) = (false, false, None);
                self.first_known = None;
            }
            PairingStep::Started
            | PairingStep::CompareNumber(_)
            | PairingStep::ShowPasskey { .. }
            | PairingStep::TypePasskey
            | PairingStep::Needed
            | PairingStep::Failed(_) => {}
        }
    }

    /// Its link is live: over its bond, if it has one, so that is not lost after all.
    pub(crate) fn is_linked(&mut self) {
        if self.step == Some(LOST) {
            self.step = None;
        }
    }

    /// It was linked and offers this.
    pub(crate) fn offers(&mut self, table: TableDigest) {
        let before = *self.table.get_or_insert(table);
        self.is_changed |= self.is_bonded && before != table;
    }

    /// Ends the pairing that is under way; true if there is one and nobody has ended it.
    pub(crate) fn cancel(&mut self) -> bool {
        let is_under_way = match self.step {
            Some(
                PairingStep::Started
                | PairingStep::CompareNumber(_)
                | PairingStep::ShowPasskey { .. }
                | PairingStep::TypePasskey,
            ) => true,
            Some(
                PairingStep::Bonded(_)
                | PairingStep::Forgotten
                | PairingStep::Needed
                | PairingStep::Failed(_),
            )
            | None => false,
        };
        is_under_way && !std::mem::replace(&mut self.is_cancelled, true)
    }
}

#[cfg(test)]
mod tests {
    use wardkeep_model::ports::Passkey;

    use super::*;

    const ID: DeviceId = DeviceId([1; 6]);
    fn table(first: u8) -> TableDigest {
        TableDigest([first; 32])
    }

    #[test]
    fn a_bonded_device_that_offers_something_else_is_not_sound_until_it_is_paired_again() {
        let mut bonding = Bonding::default();
        bonding.offers(table(1));
        bonding.offers(table(2));
        assert!(bonding.is_sound(), "nobody vouched for a device that was never paired");
        bonding.told(PairingStep::Bonded(ID));
        bonding.offers(table(3));
        bonding.offers(table(3));
        assert!(bonding.is_sound());
        bonding.offers(table(4));
        bonding.offers(table(3));
        assert!(!bonding.is_sound() && bonding.is_changed(), "once is enough");
        bonding.told(PairingStep::Started);
        assert!(!bonding.is_sound(), "not before it is done");
        bonding.told(PairingStep::Bonded(ID));
        bonding.offers(table(4));
        assert!(bonding.is_sound() && bonding.is_bonded());
    }

    #[test]
    fn a_lost_bond_is_mended_by_pairing() {
        let mut bonding = Bonding::default();
        bonding.told(PairingStep::Bonded(ID));
        bonding.told(LOST);
        assert!(!bonding.is_sound() && bonding.is_bonded() && bonding.step() == Some(LOST));
        bonding.told(PairingStep::Bonded(ID));
        assert!(bonding.is_sound());
        bonding.told(PairingStep::Forgotten);
        assert!(!bonding.is_bonded() && bonding.is_sound());
    }

    #[test]
    fn a_bond_that_may_be_lost_is_not_once_it_holds() {
        let mut bonding = Bonding::default();
        bonding.told(PairingStep::Bonded(ID));
        bonding.offers(table(1));
        bonding.told(LOST);
        bonding.is_linked();
        assert!(bonding.is_sound());
        bonding.offers(table(2));
        bonding.is_linked();
        assert!(!bonding.is_sound(), "a link says nothing of what is at its other end");
    }

    #[test]
    fn what_is_under_way_is_cancelled_once() {
        let number = Passkey::new(1).expect("six digits");
        for step in [
            PairingStep::Started,
            PairingStep::CompareNumber(number),
            PairingStep::ShowPasskey { passkey: number, entered: 0 },
            PairingStep::TypePasskey,
        ] {
            let mut bonding = Bonding::default();
            assert!(!bonding.cancel());
            bonding.told(step);
            assert!(bonding.cancel() && !bonding.cancel(), "{step:?}");
            bonding.told(step);
            assert!(bonding.cancel(), "the driver is still at it: {step:?}");
        }
        for step in [PairingStep::Bonded(ID), PairingStep::Needed, LOST, PairingStep::Forgotten] {
            let mut bonding = Bonding::default();
            bonding.told(step);
            assert!(!bonding.cancel(), "{step:?}");
        }
    }
}
