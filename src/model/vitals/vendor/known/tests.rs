//! What holds of every row, and which devices are known by it.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::vitals::gatt::testing::bytes;
use crate::vitals::vendor::{Device, decode};

fn heard(name: &str, services: &[&str]) -> Option<&'static str> {
    Known::heard(name, |uuid| services.contains(&uuid)).map(|known| known.device)
}

const UART: &str = "6e400001-b5a3-f393-e0a9-e50e24dcca9e";
const TAIDOC: &str = "00001523-1212-efde-1523-785feabcd123";
const NONIN: &str = "46a970e0-0d5f-11e2-8b5e-0002a5d5c51b";

#[test]
fn a_device_is_known_by_its_service_and_where_others_share_it_by_its_name() {
    assert_eq!(heard("", &[NONIN]), Some("Nonin 3230"));
    assert_eq!(heard("Nonin3230_501900083", &[]), None);
    let clip = Some("Viatom PC-60FW, Wellue OxySmart");
    assert_eq!(heard("PC-60F_SN090123", &[UART]), clip);
    assert_eq!(heard("oxysmart\0\0", &[UART]), clip);
    for name in ["", "PC-60", "My PC-60FW", "Nordic_UART", "\u{1F493}\u{1F493}\u{1F493}"] {
        assert_eq!(heard(name, &[UART]), None, "{name}");
    }
    assert_eq!(heard("TAIDOC TD3128", &[TAIDOC]), Some("TaiDoc TD-3128"));
    assert_eq!(heard("TAIDOC TD2555", &[TAIDOC]), None, "a scale is not asked as others are");
    assert_eq!(heard("LEGO Hub", &[TAIDOC]), None);
}

#[test]
fn a_row_is_heard_and_linked_as_itself() {
    let mut devices = BTreeSet::new();
    for known in KNOWN {
        assert!(devices.insert(known.device), "{}", known.device);
        let service = known.endpoint().service;
        let names = if known.names.is_empty() { &[""][..] } else { known.names };
        for name in names {
            assert_eq!(Known::heard(name, |uuid| uuid == service), Some(known), "{name}");
        }
        assert_eq!(Known::linked(known.kind, |one| one.endpoint().service == service), Some(known));
        assert!(!known.endpoint().notify.is_empty(), "{}", known.device);
        let is_asked = !known.asks.questions.is_empty();
        assert!(!is_asked || known.endpoint().write.len() == 1, "{}", known.device);
        assert!(is_asked || known.asks.again.is_none(), "{}", known.device);
        assert!(known.protocol.needs().iter().all(|field| *field == "model"), "{}", known.device);
    }
}

/// Two rows that share a service are told apart by names, and of one kind there is one protocol on it.
#[test]
fn a_shared_service_has_names_and_one_protocol_a_kind() {
    let mut rows: BTreeMap<&str, Vec<&Known>> = BTreeMap::new();
    for known in KNOWN {
        rows.entry(known.endpoint().service).or_default().push(known);
    }
    for shared in rows.values().filter(|shared| shared.len() > 1) {
        assert!(shared.iter().all(|known| !known.names.is_empty()));
        let kinds: BTreeSet<DeviceKind> = shared.iter().map(|known| known.kind).collect();
        assert_eq!(kinds.len(), shared.len(), "{shared:?}");
    }
}

/// A meter's record does not say what it is of: its advertised name does, and its row says the same.
#[test]
fn s7_the_name_of_a_meter_says_the_kind_that_its_row_says() {
    let record = bytes("51 25 cf 30 1b 11 a5 46 51 26 78 00 50 00 a5 e4");
    for known in KNOWN.iter().filter(|known| known.asks.questions == taidoc::NEWEST) {
        for name in known.names {
            let device = Device { model: Some((*name).to_owned()), ..Device::default() };
            let decoded = decode(known.protocol, &device, &record).expect("a record of a kind");
            let charted = decoded.observations.iter().map(|one| one.code);
            let codes = charted.chain(decoded.withheld.iter().map(|one| one.code));
            let expected = match known.kind {
                DeviceKind::Cuff => 150_021,
                DeviceKind::Thermometer => 150_364,
                DeviceKind::GlucoseMeter => 160_184,
                DeviceKind::HeartRate
                | DeviceKind::PulseOximeter
                | DeviceKind::GlucoseSensor
                | DeviceKind::Scale
                | DeviceKind::Patch => 0,
            };
            assert_eq!(codes.map(|code| code.0).next(), Some(expected), "{name}");
        }
    }
}
