//! Which of several devices of one kind is shown.
//!
//! The one that was assigned first is, until it has no value while another one has: then that one is, until
//! the same befalls it or somebody asks for another. A tile never alternates between two sources: nothing goes
//! back by itself (S-6, S-7). What the others measure is recorded all the same.

use std::collections::BTreeMap;
use std::time::Duration;

use wardkeep_model::moment::BootTime;
use wardkeep_model::vitals::{DeviceId, DeviceKind};

use crate::pairing::{Device, Pairing};

/// Most devices of a kind that are assigned at once.
pub(crate) const ALIKE_MAX: usize = 3;

/// Why it is this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// It was assigned before the others.
    First,
    /// Somebody asked for it.
    Chosen,
    /// The one that was shown before had no value.
    Instead,
}

/// One that is shown, and is not the first.
#[derive(Clone, Copy, Debug)]
struct Speaker {
    id: DeviceId,
    why: Why,
    since: BootTime,
}

/// Of each kind, unless it is the first.
#[derive(Debug, Default)]
pub(super) struct Speakers(BTreeMap<DeviceKind, Speaker>);

impl Speakers {
    /// A device has another address from now on.
    pub(super) fn moves(&mut self, from: DeviceId, to: DeviceId) {
        for speaker in self.0.values_mut().filter(|speaker| speaker.id == from) {
            speaker.id = to;
        }
    }
}

impl Pairing {
    /// Every assigned device of a kind, the first one first.
    pub(crate) fn assigned(&self, kind: DeviceKind) -> Vec<(DeviceId, &Device)> {
        let alike = self.iter().filter(|(_, one)| one.kind == kind && one.assignment.is_some());
        let mut alike: Vec<_> = alike.collect();
        alike.sort_by_key(|(id, one)| (one.assignment.map(|held| held.since), *id));
        alike
    }

    /// The device whose values stand for `kind` at this bed.
    pub(crate) fn source(&self, kind: DeviceKind) -> Option<(DeviceId, &Device)> {
        let (alike, speaker) = (self.assigned(kind), self.speakers.0.get(&kind));
        let is_speaker = |(id, _): &&(DeviceId, &Device)| speaker.is_some_and(|one| one.id == *id);
        alike.iter().find(is_speaker).or(alike.first()).copied()
    }

    /// Why it is that one; `None` where there is no other.
    pub(crate) fn why(&self, kind: DeviceKind) -> Option<Why> {
        let (alike, (shown, _)) = (self.assigned(kind), self.source(kind)?);
        let speaker = self.speakers.0.get(&kind).filter(|one| one.id == shown);
        (alike.len() > 1).then(|| speaker.map_or(Why::First, |one| one.why))
    }

    /// A device has a value. It is shown from now on if the one that is shown has none, and had `grace` to have one.
    pub(crate) fn has_value(
        &mut self,
        (id, now): (DeviceId, BootTime),
        grace: Duration,
        is_valued: impl Fn(DeviceId) -> bool,
    ) {
        let Some(device) = self.get(id).filter(|one| one.assignment.is_some()) else { return };
        let kind = device.kind;
        let Some((shown, silent)) = self.source(kind).filter(|(shown, _)| *shown != id) else {
            return;
        };
        let chosen = self.speakers.0.get(&kind).filter(|one| one.id == shown);
        let since = chosen.map_or(silent.term.0, |one| one.since);
        if !is_valued(shown) && now.since(since) >= grace {
            self.speakers.0.insert(kind, Speaker { id, why: Why::Instead, since: now });
        }
    }

    /// Shows this one of several; false where it is shown already, or is not assigned.
    pub(crate) fn show(&mut self, id: DeviceId, now: BootTime) -> bool {
        let Some(device) = self.get(id).filter(|one| one.assignment.is_some()) else {
            return false;
        };
        let kind = device.kind;
        if self.source(kind).is_none_or(|(shown, _)| shown == id) {
            return false;
        }
        self.speakers.0.insert(kind, Speaker { id, why: Why::Chosen, since: now });
        true
    }
}
