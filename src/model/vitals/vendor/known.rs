//! The vendors' devices that a link can be made to: how each is known on air, and what it has to be asked.
//!
//! A row a device. What is not here is decoded only: its maker's app, a secret of its own or a person's data
//! has to come before it measures, or it is not known what does.

use std::time::Duration;

use crate::vitals::DeviceKind;
use crate::vitals::vendor::about::Endpoint;
use crate::vitals::vendor::protocol::Protocol;
use crate::vitals::vendor::{contec, o2ring, taidoc};

/// A vendor's device.
#[derive(Debug, PartialEq, Eq)]
pub struct Known {
    /// What it is sold as.
    pub device: &'static str,
    /// What it speaks.
    pub protocol: Protocol,
    /// What it measures.
    pub kind: DeviceKind,
    /// How its name begins, in any case; nothing where its service is its own alone.
    pub names: &'static [&'static str],
    /// What it has to be asked.
    pub asks: Asks,
}

/// What makes a device send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asks {
    /// Questions, each written when the one before it was answered, or was not for a while.
    pub questions: &'static [&'static [u8]],
    /// When all of them are asked again, for as long as the link lasts; never again if there is none.
    pub again: Option<Duration>,
}

impl Asks {
    /// It sends by itself.
    const NOTHING: Self = Self { questions: &[], again: None };

    const fn once(questions: &'static [&'static [u8]]) -> Self {
        Self { questions, again: None }
    }

    const fn every(seconds: u64, questions: &'static [&'static [u8]]) -> Self {
        Self { questions, again: Some(Duration::from_secs(seconds)) }
    }
}

/// The rows. Names: `viatom-dev/VTO2Lib` (VTDevice.m), `viatomEcho/LepuBle`, `atick-faisal/berry-oximeter`,
/// `advmeds-service/advmeds-bluetooth-lib` (BaseBtDeviceFactory.java), `derdilla/blood-pressure-monitor-fl`.
pub const KNOWN: &[Known] = &[
    Known {
        device: "Nonin 3230",
        protocol: Protocol::Nonin3230,
        kind: DeviceKind::PulseOximeter,
        names: &[],
        asks: Asks::NOTHING,
    },
    Known {
        device: "Viatom and Wellue O2Ring, KidsO2, OxyLink, SleepU, Checkme O2",
        protocol: Protocol::O2ring,
        kind: DeviceKind::PulseOximeter,
        names: &[],
        asks: Asks::every(1, &[o2ring::LIVE]),
    },
    Known {
        device: "Viatom PC-60FW, Wellue OxySmart",
        protocol: Protocol::Pc60fw,
        kind: DeviceKind::PulseOximeter,
        names: &["PC-60F", "OxySmart"],
        asks: Asks::NOTHING,
    },
    Known {
        device: "BerryMed BM1000",
        protocol: Protocol::Bci,
        kind: DeviceKind::PulseOximeter,
        names: &["BerryMed"],
        asks: Asks::NOTHING,
    },
    Known {
        device: "Contec CMS50D-BT",
        protocol: Protocol::ContecCms50d,
        kind: DeviceKind::PulseOximeter,
        names: &["SpO2", "CMS50D"],
        // It falls silent when it was not told for a minute.
        asks: Asks::every(20, &[contec::STREAM]),
    },
    Known {
        device: "TaiDoc TD-8201, TD-8255",
        protocol: Protocol::Taidoc,
        kind: DeviceKind::PulseOximeter,
        names: &["TAIDOC TD8201", "TAIDOC TD8255"],
        asks: Asks::every(1, &[taidoc::LIVE]),
    },
    Known {
        device: "TaiDoc TD-3128",
        protocol: Protocol::Taidoc,
        kind: DeviceKind::Cuff,
        names: &["TAIDOC TD3128"],
        asks: Asks::once(taidoc::NEWEST),
    },
    Known {
        device: "TaiDoc TD-1035, TD-1241, TD-1261, FORA IR40, IR42",
        protocol: Protocol::Taidoc,
        kind: DeviceKind::Thermometer,
        names: &["TAIDOC TD1035", "TAIDOC TD1241", "TAIDOC TD1261", "FORA IR40", "FORA IR42"],
        asks: Asks::once(taidoc::NEWEST),
    },
    Known {
        device: "TaiDoc TD-4257, FORA GD40",
        protocol: Protocol::Taidoc,
        kind: DeviceKind::GlucoseMeter,
        names: &["TAIDOC TD4257", "FORA GD40"],
        asks: Asks::once(taidoc::NEWEST),
    },
    Known {
        device: "Yonker YK-IBPA1, YK-BPW5",
        protocol: Protocol::YonkerBp,
        kind: DeviceKind::Cuff,
        names: &["YK-IBPA", "YK-BPW"],
        asks: Asks::NOTHING,
    },
];

impl Known {
    /// Where it is heard and spoken to.
    pub fn endpoint(&self) -> &'static Endpoint {
        self.protocol.endpoint()
    }

    /// The device that advertises this name and these services, which are asked for by their UUIDs, whole and in
    /// lower case.
    pub fn heard(name: &str, advertises: impl Fn(&str) -> bool) -> Option<&'static Self> {
        // Some end their name with zeros.
        let name = name.trim_matches(['\0', ' ']);
        let begins = |beginning: &&str| {
            name.get(..beginning.len()).is_some_and(|head| head.eq_ignore_ascii_case(beginning))
        };
        KNOWN.iter().find(|known| {
            advertises(known.endpoint().service)
                && (known.names.is_empty() || known.names.iter().any(begins))
        })
    }

    /// How a device of this kind is spoken to that offers what a row needs.
    pub fn linked(kind: DeviceKind, offers: impl Fn(&Self) -> bool) -> Option<&'static Self> {
        KNOWN.iter().find(|known| known.kind == kind && offers(known))
    }
}

#[cfg(test)]
mod tests;
