//! Kinds of device by their services, and what is read of each, subscribed to and written: characteristics by their
//! numbers.

use std::collections::BTreeSet;

use uuid::Uuid;

use wardkeep_model::vitals::vendor::{KNOWN, Known};
use wardkeep_model::vitals::{Characteristic, DeviceKind};

/// Battery Service and Battery Level.
pub(super) const BATTERY: (u16, u16) = (0x180F, 0x2A19);
/// Current Time Service and Current Time: without it nobody knows what a device's stamps mean.
pub(super) const CLOCK: (u16, u16) = (0x1805, 0x2A2B);
/// Device Information: model, serial number, firmware, manufacturer, PnP identity.
const INFORMATION: [(u16, u16); 5] =
    [(0x180A, 0x2A24), (0x180A, 0x2A25), (0x180A, 0x2A26), (0x180A, 0x2A29), (0x180A, 0x2A50)];
/// Immediate Alert Service: what has it shows itself when it is asked to.
const ALERT: u16 = 0x1802;
/// Record Access Control Point and CGM Specific Ops Control Point: what they answer is indicated.
const CONTROL_POINTS: [u16; 2] = [0x2A52, 0x2AAC];

/// What carries a kind's measurements: a service, and its characteristics.
type Measuring = (u16, &'static [u16]);

/// What carries a kind's measurements, by each service that it may have.
pub(super) fn measurements(kind: DeviceKind) -> &'static [Measuring] {
    match kind {
        // Heart Rate Measurement.
        DeviceKind::HeartRate => &[(0x180D, &[0x2A37])],
        // PLX Continuous and PLX Spot-Check Measurement.
        DeviceKind::PulseOximeter => &[(0x1822, &[0x2A5F, 0x2A5E])],
        // Blood Pressure Measurement, or the enhanced form of it; the pressure of a cuff that still inflates is none.
        DeviceKind::Cuff => &[(0x1810, &[0x2A35, 0x2B34])],
        // Temperature Measurement; an intermediate one is none.
        DeviceKind::Thermometer => &[(0x1809, &[0x2A1C])],
        // Glucose Measurement, and its context.
        DeviceKind::GlucoseMeter => &[(0x1808, &[0x2A18, 0x2A34])],
        // CGM Measurement.
        DeviceKind::GlucoseSensor => &[(0x181F, &[0x2AA7])],
        // Weight Measurement; Body Composition Measurement.
        DeviceKind::Scale => &[(0x181D, &[0x2A9D]), (0x181B, &[0x2A9C])],
        DeviceKind::Patch => &[],
    }
}

/// The same one by one, as UUIDs.
pub(super) fn measuring(kind: DeviceKind) -> impl Iterator<Item = (Uuid, Uuid)> {
    let each = |(service, numbers): &Measuring| {
        let service = sig(*service);
        numbers.iter().map(move |number| (service, sig(*number)))
    };
    measurements(kind).iter().flat_map(each)
}

/// What says the same and more, and is listened to instead where a device has both: otherwise every measurement would
/// come twice (Blood Pressure Profile 1.1, 5.3.1).
pub(super) fn better(uuid: Uuid) -> Option<Uuid> {
    (uuid == sig(0x2A35)).then(|| sig(0x2B34))
}

/// The services that make a device one of this kind.
pub(super) fn services_of(kind: DeviceKind) -> impl Iterator<Item = Uuid> {
    measurements(kind).iter().map(|(service, _)| sig(*service))
}

/// What a device measures by the services it advertises; the oximeter wins, because it also counts
/// the pulse. Without a profile's service it may be a vendor's device, by its service and name.
pub(super) fn kind_of(services: &[Uuid], name: &str) -> Option<DeviceKind> {
    let has = |kind: DeviceKind| services_of(kind).any(|one| services.contains(&one));
    let mut kinds = [
        DeviceKind::PulseOximeter,
        DeviceKind::HeartRate,
        DeviceKind::Cuff,
        DeviceKind::Thermometer,
        DeviceKind::GlucoseMeter,
        DeviceKind::GlucoseSensor,
        DeviceKind::Scale,
    ]
    .into_iter();
    kinds.find(|kind| has(*kind)).or_else(|| {
        let advertises = |service: &str| uuid(service).is_some_and(|one| services.contains(&one));
        Known::heard(name, advertises).map(|known| known.kind)
    })
}

/// Every service that a device of use advertises.
pub(super) fn services() -> Vec<Uuid> {
    let profiles = DeviceKind::ALL.into_iter().flat_map(services_of);
    let vendors = KNOWN.iter().filter_map(|known| uuid(known.endpoint().service));
    let services: BTreeSet<Uuid> = profiles.chain(vendors).collect();
    services.into_iter().collect()
}

/// A vendor's UUID, as their table has it.
pub(super) fn uuid(text: &str) -> Option<Uuid> {
    Uuid::parse_str(text).ok()
}

/// A 16-bit number of the Bluetooth SIG as a full UUID (Core Specification Vol 3 Part B 2.5.1).
pub(super) const fn sig(number: u16) -> Uuid {
    let base = 0x0000_0000_0000_1000_8000_0080_5F9B_34FB_u128;
    Uuid::from_u128(base | ((number as u128) << 96))
}

/// How a device is listened to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// By its profile.
    Profile,
    /// By its vendor's own protocol.
    Vendor(&'static Known),
}

/// How a device of this kind is listened to that has these characteristics, each of a service: by the profile if
/// it follows it.
pub(super) fn way(kind: DeviceKind, has: impl Fn(Uuid, Uuid) -> bool) -> Option<Way> {
    if measuring(kind).any(|(service, number)| has(service, number)) {
        return Some(Way::Profile);
    }
    let notifies = |known: &Known| vendor_notifies(known).any(|(service, one)| has(service, one));
    Known::linked(kind, notifies).map(Way::Vendor)
}

/// What a vendor's device notifies, each with its service.
pub(super) fn vendor_notifies(known: &Known) -> impl Iterator<Item = (Uuid, Uuid)> {
    let service = uuid(known.endpoint().service);
    known.endpoint().notify.iter().filter_map(move |one| service.zip(uuid(one)))
}

/// A notification is of a vendor's protocol.
pub(super) fn is_of(known: &Known, service: Uuid, uuid: Uuid) -> bool {
    vendor_notifies(known).any(|one| one == (service, uuid))
}

/// What is subscribed to beside the measurements, where the device has it, and before them: a device may
/// send what it has stored as soon as it can.
pub(super) fn control_points() -> impl Iterator<Item = u16> {
    CONTROL_POINTS.into_iter()
}

/// What has to be known before the first measurement: the device's clock, and which fields it sends.
pub(super) fn read_first(kind: DeviceKind) -> Vec<(Uuid, u16)> {
    // PLX Features, Blood Pressure Feature, Glucose Feature, Weight Scale Feature, Body Composition Feature.
    let features: &[(u16, u16)] = match kind {
        DeviceKind::PulseOximeter => &[(0x1822, 0x2A60)],
        DeviceKind::Cuff => &[(0x1810, 0x2A49)],
        DeviceKind::GlucoseMeter => &[(0x1808, 0x2A51)],
        // What kind of sample, and whether its frames end in a checksum.
        DeviceKind::GlucoseSensor => &[(0x181F, 0x2AA8)],
        DeviceKind::Scale => &[(0x181D, 0x2A9E), (0x181B, 0x2A9B)],
        DeviceKind::HeartRate | DeviceKind::Thermometer | DeviceKind::Patch => &[],
    };
    [CLOCK].iter().chain(features).map(|(service, number)| (sig(*service), *number)).collect()
}

/// What is read once while measurements come already.
pub(super) fn read_later() -> impl Iterator<Item = (Uuid, u16)> {
    [BATTERY].into_iter().chain(INFORMATION).map(|(service, number)| (sig(service), number))
}

/// The services that may be written to.
pub(super) fn writable(kind: DeviceKind) -> Vec<Uuid> {
    services_of(kind).chain([CLOCK.0, ALERT].map(sig)).collect()
}

/// Which characteristic of interest a notification belongs to.
pub(super) fn notified(kind: DeviceKind, service: Uuid, uuid: Uuid) -> Option<Characteristic> {
    if (service, uuid) == (sig(BATTERY.0), sig(BATTERY.1)) {
        return Some(Characteristic(BATTERY.1));
    }
    let (_, numbers) = measurements(kind).iter().find(|(of, _)| service == sig(*of))?;
    let mut wanted = numbers.iter().copied().chain(control_points());
    wanted.find(|number| uuid == sig(*number)).map(Characteristic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vendor_s_device_is_listened_to_by_its_profile_if_it_follows_one() {
        for known in KNOWN {
            let kind = known.kind;
            let own: Vec<(Uuid, Uuid)> = vendor_notifies(known).collect();
            let by = |has: &[(Uuid, Uuid)]| way(kind, |a, b| has.contains(&(a, b)));
            assert_eq!(by(&own), Some(Way::Vendor(known)), "{}", known.device);
            let profile = measuring(kind).next().expect("a profile's service");
            let service = profile.0;
            assert_eq!(by(&[own[0], profile]), Some(Way::Profile), "{}", known.device);
            // A profile's service without what it measures, and a vendor's without what it notifies.
            assert_eq!(by(&[(service, sig(0x2A00))]), None, "{}", known.device);
            assert_eq!(by(&[(own[0].0, sig(0x2A00))]), None, "{}", known.device);
            assert!(is_of(known, own[0].0, own[0].1) && !is_of(known, service, own[0].1));
        }
    }

    #[test]
    fn only_the_profile_s_own_characteristics_are_passed_on() {
        for (kind, service, number, passed) in [
            (DeviceKind::HeartRate, 0x180D, 0x2A37, true),
            (DeviceKind::HeartRate, 0x180D, 0x2A38, false),
            (DeviceKind::HeartRate, 0x1822, 0x2A37, false),
            (DeviceKind::HeartRate, 0x1822, 0x2A5F, false),
            (DeviceKind::HeartRate, 0x180F, 0x2A19, true),
            (DeviceKind::PulseOximeter, 0x1822, 0x2A5F, true),
            (DeviceKind::PulseOximeter, 0x1822, 0x2A5E, true),
            (DeviceKind::PulseOximeter, 0x1822, 0x2A52, true),
            (DeviceKind::PulseOximeter, 0x1808, 0x2A52, false),
            (DeviceKind::PulseOximeter, 0x180D, 0x2A37, false),
            (DeviceKind::PulseOximeter, 0x180F, 0x2A19, true),
            (DeviceKind::Cuff, 0x1810, 0x2A35, true),
            (DeviceKind::Cuff, 0x1810, 0x2A36, false),
            (DeviceKind::Thermometer, 0x1809, 0x2A1C, true),
            (DeviceKind::GlucoseMeter, 0x1808, 0x2A18, true),
            (DeviceKind::GlucoseMeter, 0x1808, 0x2A52, true),
            (DeviceKind::GlucoseSensor, 0x181F, 0x2AA7, true),
            (DeviceKind::GlucoseSensor, 0x1808, 0x2AA7, false),
            (DeviceKind::Cuff, 0x1810, 0x2B34, true),
            (DeviceKind::Scale, 0x181D, 0x2A9D, true),
            (DeviceKind::Scale, 0x181B, 0x2A9C, true),
            (DeviceKind::Scale, 0x181D, 0x2A9C, false),
            (DeviceKind::Scale, 0x181B, 0x2A9D, false),
            (DeviceKind::Patch, 0x180D, 0x2A37, false),
        ] {
            let expected = passed.then_some(Characteristic(number));
            let found = notified(kind, sig(service), sig(number));
            assert_eq!(found, expected, "{kind:?} {number:04x}");
        }
    }

    #[test]
    fn kind_comes_from_the_services() {
        for (services, kind) in [
            (&[][..], None),
            (&[sig(0x180F)][..], None),
            (&[sig(0x180D)][..], Some(DeviceKind::HeartRate)),
            (&[sig(0x180F), sig(0x1822)][..], Some(DeviceKind::PulseOximeter)),
            (&[sig(0x180D), sig(0x1822)][..], Some(DeviceKind::PulseOximeter)),
            (&[sig(0x1810)][..], Some(DeviceKind::Cuff)),
            (&[sig(0x1809)][..], Some(DeviceKind::Thermometer)),
            (&[sig(0x181F)][..], Some(DeviceKind::GlucoseSensor)),
            (&[sig(0x181D)][..], Some(DeviceKind::Scale)),
            (&[sig(0x181B)][..], Some(DeviceKind::Scale)),
        ] {
            assert_eq!(kind_of(services, ""), kind, "{services:?}");
        }
        for known in KNOWN {
            let service = uuid(known.endpoint().service).expect("a UUID");
            let name = known.names.first().copied().unwrap_or_default();
            assert_eq!(kind_of(&[service], name), Some(known.kind), "{}", known.device);
            assert_eq!(kind_of(&[], name), None, "{}", known.device);
            assert!(services().contains(&service), "{}", known.device);
            // What follows a profile is linked by it.
            let both = [service, sig(0x180D)];
            assert_eq!(kind_of(&both, name), Some(DeviceKind::HeartRate), "{}", known.device);
        }
        assert_eq!(sig(0x2A37).to_string(), "00002a37-0000-1000-8000-00805f9b34fb");
    }
}
