//! Every device of the table of support through the real driver into the real core: from the advertisement to a number on a tile, or
//! to the question whose reading it is; and what comes of those that do not speak as they should.
//!
//! Every row of the table of known devices is here: what it claims is shown, or there is no such row.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::{DateTime, date};
use tokio::time::Instant;
use wardkeep_core::kiosk::frame;
use wardkeep_core::kiosk::page::Page;
use wardkeep_core::kiosk::pages::{devices, readings};
use wardkeep_core::kiosk::view::{DeviceState, Screen};
use wardkeep_hardware::ble;
use wardkeep_model::ports::{Command, Event, Link};
use wardkeep_model::vitals::vendor::{KNOWN, Protocol};
use wardkeep_model::vitals::{Characteristic, DeviceId, DeviceKind, Value};

use kit::bluez::private_bus::isolated;
use kit::bluez::ward::{PATIENCE, Ward, until};
use kit::bluez::{DeviceSpec, FakeBluez, Stream};
use kit::frames::charting;
use kit::kiosk::{Bedside, OXIMETER, STRAP, numbers};
use kit::vendors::{Script, script};

/// What the bed's clock shows.
fn now() -> DateTime {
    date(2026, 11, 22).at(14, 32, 0, 0)
}

/// A bed with a patient and nothing else, and the driver beside it.
struct Cart {
    bedside: Bedside,
    ward: Ward,
    told: usize,
    /// The bed's clock runs so many times as fast.
    hurry: u32,
}

impl Cart {
    fn new(fake: &Arc<FakeBluez>) -> Self {
        let mut bedside = Bedside::monitoring();
        for device in [STRAP, OXIMETER] {
            bedside.intent(devices::Intent::Release(device));
        }
        let told = bedside.radio.len();
        Self { bedside, ward: Ward::start(fake.clone()), told, hurry: 1 }
    }

    /// Everything that was said for a while is heard at both ends.
    async fn listen(&mut self, time: Duration) {
        self.ward.listen(time).await;
        self.bedside.wait(time * self.hurry);
        let heard: Vec<Event> = self.ward.log.drain(..).collect();
        for mut event in heard {
            // The bed has a clock of its own.
            if let Event::Frame { received, .. } | Event::VendorFrame { received, .. } = &mut event
            {
                *received = self.bedside.now();
            }
            self.bedside.hardware(event);
        }
        for command in &self.bedside.radio[self.told..] {
            self.ward.order(command.clone());
        }
        self.told = self.bedside.radio.len();
    }

    async fn until(&mut self, what: &str, condition: impl Fn(&Bedside) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !condition(&self.bedside) {
            assert!(Instant::now() < deadline, "waited for {what}");
            self.listen(Duration::from_millis(30)).await;
        }
    }

    /// Somebody finds the device under Nearby, connects it, and assigns it if it is worn.
    async fn connect(&mut self, device: DeviceId, kind: DeviceKind) {
        self.bedside.intent(frame::Intent::Open(Page::Devices));
        let row = |bedside: &Bedside| {
            let Screen::Devices(page) = bedside.view().screen else { panic!("no devices") };
            page.rows.into_iter().find(|row| row.id == device)
        };
        self.until("the device under Nearby", |it| row(it).is_some()).await;
        assert_eq!(row(&self.bedside).map(|row| row.kind), Some(kind));
        self.bedside.intent(devices::Intent::Connect(device));
        self.until("a live link", |it| row(it).is_some_and(|row| row.state == DeviceState::Live))
            .await;
        if kind.is_continuous() {
            self.bedside.intent(devices::Intent::Assign(device));
        }
        self.bedside.intent(frame::Intent::Open(Page::Bedside));
    }
}

/// Codes and digits of everything that was measured, in the store.
fn values(bedside: &Bedside, device: DeviceId) -> Vec<(u32, String)> {
    let of_device = bedside.store.records.iter().filter(|one| one.device == device);
    let recorded = of_device.filter_map(|one| match one.value.reveal() {
        Value::Measured(value) => Some((one.code.0, value.to_string())),
        Value::Absent(_) => None,
    });
    let spots = bedside.store.spots.iter().filter(|one| one.reading.device == device);
    let spots = spots.flat_map(|one| {
        let values = one.reading.values.reveal().iter();
        values.map(|one| (one.code.0, one.value.to_string())).collect::<Vec<_>>()
    });
    recorded.chain(spots).collect()
}

/// The device of a script is switched on, and sends what it sends by itself.
fn switch_on(fake: &Arc<FakeBluez>, last: u8, script: &Script) -> (DeviceId, Option<Stream>) {
    let spec = DeviceSpec::vendor(last, script);
    let device = spec.device;
    fake.add_device(spec);
    (device, stream(fake, device, script.sends.clone()))
}

fn stream(fake: &Arc<FakeBluez>, device: DeviceId, sends: Vec<Vec<u8>>) -> Option<Stream> {
    let every = Duration::from_millis(40);
    (!sends.is_empty()).then(|| fake.stream(device, DeviceSpec::SAYS, every, sends))
}

fn has_all(bedside: &Bedside, device: DeviceId, script: &Script) -> bool {
    let values = values(bedside, device);
    script.gives.iter().all(|(code, digits)| values.contains(&(*code, (*digits).to_owned())))
}

#[test]
fn every_known_device_goes_from_its_advertisement_to_a_value() {
    let name = "vendors::every_known_device_goes_from_its_advertisement_to_a_value";
    isolated(name, |mut bus| async move {
        bus.start();
        let fake = FakeBluez::start().await;
        for (last, known) in (1..).zip(KNOWN) {
            let script = script(known, now());
            let mut cart = Cart::new(&fake);
            let (device, sending) = switch_on(&fake, last, &script);
            cart.connect(device, known.kind).await;
            cart.until(known.device, |bedside| has_all(bedside, device, &script)).await;
            let codes: BTreeSet<u32> =
                values(&cart.bedside, device).iter().map(|(code, _)| *code).collect();
            assert_eq!(
                codes,
                script.gives.iter().map(|(code, _)| *code).collect(),
                "{}",
                known.device
            );
            if known.kind.is_continuous() {
                let digits =
                    script.gives.iter().take(2).map(|(_, digits)| Some((*digits).to_owned()));
                let expected: Vec<Option<String>> = digits.collect();
                let shown = |bedside: &Bedside| numbers(&bedside.tiles())[1..] == expected;
                cart.until(&format!("{} on the tiles", known.device), shown).await;
            } else {
                let Screen::Reading(asked) = cart.bedside.view().screen else {
                    panic!("nobody is asked whose the reading of {} is", known.device);
                };
                cart.bedside.intent(readings::Intent::File(asked.record, asked.subject));
                let spots = &cart.bedside.store.spots;
                assert_eq!(spots.len(), 1, "{} measured once", known.device);
                assert!(spots[0].filed.is_some_and(|(whose, _)| whose == asked.subject));
                assert!(spots[0].reading.times.effective.is_some(), "{}", known.device);
            }
            drop(sending);
            cart.ward.order(Command::Disconnect(device));
            cart.ward.link(device, Link::Down).await;
            fake.advertising(device, false);
        }
    });
}

/// What devices that follow a profile send, by the frames that the decoders are tested with.
#[test]
fn every_profile_that_is_linked_goes_from_its_advertisement_to_a_value() {
    let name = "vendors::every_profile_that_is_linked_goes_from_its_advertisement_to_a_value";
    isolated(name, |mut bus| async move {
        bus.start();
        let fake = FakeBluez::start().await;
        let each = ble::profiles().flat_map(|(kind, service, numbers)| {
            numbers.iter().map(move |number| (kind, service, std::slice::from_ref(number)))
        });
        for (last, (kind, service, numbers)) in (1..).zip(each) {
            let spec = DeviceSpec::profile(last, "Device", (service, numbers));
            let device = spec.device;
            fake.add_device(spec);
            let mut cart = Cart::new(&fake);
            cart.connect(device, kind).await;
            // A frame whose other half does not come is taken after 3 s; the link does not wait for that.
            cart.hurry = 100;
            let of_kind = charting().into_iter().filter(|(of, ..)| numbers.contains(&of.0));
            for (Characteristic(number), frame, codes) in of_kind {
                let what = format!("{number:04x} of {kind:?}");
                let has = |bedside: &Bedside| {
                    let values = values(bedside, device);
                    codes.iter().all(|code| values.iter().any(|(of, _)| of == code))
                };
                assert!(fake.notify(device, number, &frame).await, "{what}");
                cart.until(&what, has).await;
            }
            cart.ward.order(Command::Disconnect(device));
            cart.ward.link(device, Link::Down).await;
            fake.advertising(device, false);
        }
    });
}

/// A cuff that has both forms of its measurement would send each twice.
#[test]
fn a_cuff_with_the_enhanced_form_is_listened_to_by_that_alone() {
    let name = "vendors::a_cuff_with_the_enhanced_form_is_listened_to_by_that_alone";
    isolated(name, |mut bus| async move {
        bus.start();
        let fake = FakeBluez::start().await;
        let spec = DeviceSpec::profile(1, "Cuff", (0x1810, &[0x2A35, 0x2B34]));
        let device = spec.device;
        fake.add_device(spec);
        let mut cart = Cart::new(&fake);
        cart.connect(device, DeviceKind::Cuff).await;
        let plain = [0x00, 118, 0, 76, 0, 90, 0];
        assert!(!fake.notify(device, 0x2A35, &plain).await, "nobody listens to it");
        let enhanced = [0x00, 119, 0, 77, 0, 91, 0];
        assert!(fake.notify(device, 0x2B34, &enhanced).await);
        let systolic = |bedside: &Bedside| values(bedside, device).into_iter().next();
        cart.until("a reading", |it| systolic(it).is_some()).await;
        assert_eq!(systolic(&cart.bedside).map(|(_, digits)| digits).as_deref(), Some("119"));
        assert_eq!(cart.bedside.store.spots.len(), 1);
    });
}

/// What a device sends, spoilt: a bit where there is a checksum, the end where there is none, and the sync bits
/// where there are those.
fn spoilt(protocol: Protocol, packets: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut packets = packets.to_vec();
    for packet in &mut packets {
        if [Protocol::Nonin3230, Protocol::YonkerBp].contains(&protocol) {
            packet.pop();
        } else if protocol == Protocol::Bci {
            packet.iter_mut().for_each(|byte| *byte &= 0x7F);
        } else {
            let middle = packet.len() / 2;
            packet[middle] ^= 0x02;
        }
    }
    packets
}

#[test]
fn s7_frames_that_are_cut_or_altered_give_no_value_and_the_next_whole_one_does() {
    let name =
        "vendors::s7_frames_that_are_cut_or_altered_give_no_value_and_the_next_whole_one_does";
    isolated(name, |mut bus| async move {
        bus.start();
        let fake = FakeBluez::start().await;
        for (last, known) in (1..).zip(KNOWN) {
            let good = script(known, now());
            let spoil = |packets: &[Vec<u8>]| spoilt(known.protocol, packets);
            let answers = good.answers.iter();
            let bad = Script {
                sends: spoil(&good.sends),
                answers: answers.map(|(asked, said)| (asked.clone(), spoil(said))).collect(),
                ..good.clone()
            };
            let mut cart = Cart::new(&fake);
            let (device, sending) = switch_on(&fake, last, &bad);
            cart.connect(device, known.kind).await;
            if !good.answers.is_empty() {
                let asked = || fake.written(device).len() >= good.answers.len();
                until("questions", asked).await;
            }
            cart.listen(Duration::from_millis(300)).await;
            assert_eq!(values(&cart.bedside, device), [], "{}", known.device);
            assert!(fake.is_connected(device), "{}", known.device);
            drop(sending);
            fake.answers(device, &good);
            let sending = stream(&fake, device, good.sends.clone());
            if known.asks.again.is_none() && !good.answers.is_empty() {
                // It is asked once a link.
                fake.drop_link(device).await;
            }
            cart.until(known.device, |bedside| has_all(bedside, device, &good)).await;
            drop(sending);
            cart.ward.order(Command::Disconnect(device));
            cart.ward.link(device, Link::Down).await;
            fake.advertising(device, false);
        }
    });
}

#[test]
fn s7_a_device_that_never_answers_is_asked_on_and_has_no_value() {
    let name = "vendors::s7_a_device_that_never_answers_is_asked_on_and_has_no_value";
    isolated(name, |mut bus| async move {
        bus.start();
        let fake = FakeBluez::start().await;
        for (last, known) in (1..).zip(KNOWN) {
            let mute = Script { sends: vec![], answers: vec![], ..script(known, now()) };
            let mut cart = Cart::new(&fake);
            let (device, _) = switch_on(&fake, last, &mute);
            cart.connect(device, known.kind).await;
            let questions = known.asks.questions;
            let rounds =
                if known.asks.again.is_some_and(|again| again.as_secs() < 5) { 2 } else { 1 };
            let asked = fake.clone();
            until(known.device, || asked.written(device).len() >= rounds * questions.len()).await;
            cart.listen(Duration::from_millis(200)).await;
            let written = fake.written(device).into_iter().map(|(_, bytes)| bytes);
            let expected = questions.iter().cycle().map(|one| one.to_vec());
            assert!(written.eq(expected.take(fake.written(device).len())), "{}", known.device);
            assert_eq!(values(&cart.bedside, device), [], "{}", known.device);
            assert!(fake.is_connected(device), "{}", known.device);
            assert_eq!(fake.connects(device), 1, "{}", known.device);
            cart.ward.order(Command::Disconnect(device));
            cart.ward.link(device, Link::Down).await;
            fake.advertising(device, false);
        }
    });
}

#[test]
fn a_stranger_on_a_shared_service_is_not_listed() {
    let name = "vendors::a_stranger_on_a_shared_service_is_not_listed";
    isolated(name, |mut bus| async move {
        bus.start();
        let fake = FakeBluez::start().await;
        let shared = KNOWN.iter().filter(|known| !known.names.is_empty());
        let mut strangers = Vec::new();
        for (last, known) in (10..).zip(shared) {
            let stranger = Script { name: "Gadget", ..script(known, now()) };
            strangers.push(switch_on(&fake, last, &stranger).0);
        }
        let own = script(&KNOWN[0], now());
        let (device, _) = switch_on(&fake, 1, &own);
        let mut ward = Ward::start(fake.clone());
        ward.seen(device).await;
        ward.listen(Duration::from_millis(400)).await;
        let seen =
            |of| ward.count(|event| matches!(event, Event::Seen { device, .. } if *device == of));
        assert!(strangers.iter().all(|stranger| seen(*stranger) == 0));
        assert!(ward.count(|event| matches!(event, Event::Seen { kind, .. } if *kind == DeviceKind::PulseOximeter)) > 0);
    });
}
