//! One way to state what a vendor's frame must give, for the fixtures of every protocol.

use crate::confidential::Secret;
use crate::vitals::gatt::testing::{Expect, assert_eq_words, bytes};
use crate::vitals::vendor::{Device, Protocol, decode};

/// What is told about the device that sends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told {
    pub model: Option<&'static str>,
    pub mac: Option<&'static str>,
    pub bind_key: Option<&'static str>,
}

impl Told {
    pub(super) const NOTHING: Self = Self { model: None, mac: None, bind_key: None };

    pub(super) const fn model(model: &'static str) -> Self {
        Self { model: Some(model), ..Self::NOTHING }
    }

    pub(super) fn device(self) -> Device {
        Device {
            model: self.model.map(str::to_owned),
            mac: self.mac.map(|mac| mac.parse().expect("an address")),
            bind_key: self
                .bind_key
                .map(|key| Secret::new(bytes(key).try_into().expect("a key of sixteen bytes"))),
        }
    }
}

/// A frame, who sent it, and what it must give.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fixture {
    pub frame: &'static str,
    pub told: Told,
    pub expect: Expect,
}

/// A frame of a device of which nothing has to be told.
pub(super) const fn frame(frame: &'static str, expect: Expect) -> Fixture {
    Fixture { frame, told: Told::NOTHING, expect }
}

/// A frame of a device of this model.
pub(super) const fn of(model: &'static str, frame: &'static str, expect: Expect) -> Fixture {
    Fixture { frame, told: Told::model(model), expect }
}

/// Decodes each frame and compares every part of the answer.
pub(super) fn assert_decodes(protocol: Protocol, fixtures: &[Fixture]) {
    for fixture in fixtures {
        let answer = decode(protocol, &fixture.told.device(), &bytes(fixture.frame));
        assert_eq_words(fixture.frame, answer, &fixture.expect);
    }
}
