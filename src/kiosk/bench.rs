//! The bench window: the simulator's own bridge between its scene and what a person turns.
//!
//! Ten times a second the window asks for the newest [`Scene`] and changes only the rows that
//! differ; every control becomes one [`Knob`]. It knows nothing of the kiosk and the kiosk nothing
//! of it: both meet in the simulator, as hand and instrument do at a bedside.

#![warn(unreachable_pub)]

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::rc::Rc;

use slint::{ComponentHandle, Model, ModelRc, VecModel, Weak};

use wardkeep_bench as ui;
pub use wardkeep_bench::BenchWindow;
use wardkeep_model::vitals::{DeviceId, DeviceKind};
use wardkeep_sim::device::Device;
use wardkeep_sim::factors::{CARDS, FINGERS};
use wardkeep_sim::frames::whole;
use wardkeep_sim::physiology::State;
use wardkeep_sim::spot::Spot;
use wardkeep_sim::ward::{
    BADGES, BenchBadge, CAREGIVER_BADGE, IT_BADGE, Knob, NURSE_BADGE, STRANGER_BADGE, Scene,
};
use wardkeep_sim::{SimError, SimHandle};

use crate::bridge::words::{self, Words};

/// The people of the bench from top to bottom, as places in [`BADGES`]: a newcomer begins with the nurse.
const PEOPLE: [usize; 4] = [NURSE_BADGE, CAREGIVER_BADGE, IT_BADGE, STRANGER_BADGE];

/// Devices of the first page; the others follow on the second.
const FIRST_PAGE: usize = 3;

/// What the bench does to the program itself.
pub struct Acts {
    /// Ends the program without a farewell.
    pub cut_power: Box<dyn Fn()>,
    /// Begins anew: with the first start if true, else on a ready ward.
    pub start_over: Box<dyn Fn(bool)>,
}

/// Opens the bench window beside the kiosk, which it shares its language with. `empty` says that nobody was
/// enrolled at the start.
///
/// # Errors
/// The windowing system gave no window.
pub fn open(
    handle: SimHandle,
    words: Words,
    empty: bool,
    acts: Acts,
) -> Result<BenchWindow, slint::PlatformError> {
    let window = BenchWindow::new()?;
    let rows = Rows::new(&window, words, empty);
    rows.apply(&window, &handle.scene());
    let hand = Hand { handle, window: window.as_weak() };
    connect_refresh(&window, &hand, rows);
    connect_people(&window, &hand);
    connect_devices(&window, &hand);
    connect_bedside(&window, &hand);
    let bench = window.global::<ui::Bench>();
    bench.on_cut_power(acts.cut_power);
    bench.on_start_over(acts.start_over);
    window.show()?;
    Ok(window)
}

/// The person's hand: turns knobs and says so when nothing turns any more.
#[derive(Clone)]
struct Hand {
    handle: SimHandle,
    window: Weak<BenchWindow>,
}

impl Hand {
    fn turn(&self, knob: Knob) {
        match self.handle.turn(knob) {
            Ok(()) => {}
            Err(SimError::Busy) => tracing::warn!("the simulator is busy: a knob did not turn"),
            Err(SimError::Stopped) => self.say_stopped(),
        }
    }

    fn say_stopped(&self) {
        if let Some(window) = self.window.upgrade() {
            window.global::<ui::Bench>().set_stopped(true);
        }
    }

    /// Turns a knob of the device in row `index`.
    fn turn_device(&self, index: i32, knob: impl FnOnce(DeviceId) -> Knob) {
        let scene = self.handle.scene();
        if let Some(device) = usize::try_from(index).ok().and_then(|at| scene.devices.get(at)) {
            self.turn(knob(device.id));
        }
    }
}

fn connect_refresh(window: &BenchWindow, hand: &Hand, rows: Rows) {
    let hand = hand.clone();
    window.global::<ui::Bench>().on_refresh(move || {
        if hand.handle.is_stopped() {
            hand.say_stopped();
        } else if let Some(window) = hand.window.upgrade() {
            rows.apply(&window, &hand.handle.scene());
        }
    });
}

/// What somebody on the bench has in the pocket, and on the hand.
#[derive(Clone, Copy)]
struct Person {
    badge: usize,
    card: Option<usize>,
    finger: Option<usize>,
}

impl Person {
    fn at(row: usize) -> Option<(Self, &'static BenchBadge)> {
        let badge = *PEOPLE.get(row)?;
        let printed = BADGES.get(badge)?;
        let card = CARDS.iter().position(|card| card.name == printed.name);
        let finger = FINGERS.iter().position(|owner| *owner == printed.name);
        Some((Self { badge, card, finger }, printed))
    }
}

fn connect_people(window: &BenchWindow, hand: &Hand) {
    let bench = window.global::<ui::Bench>();
    let act = |hand: &Hand, knob: fn(Person) -> Option<Knob>| {
        let hand = hand.clone();
        move |row: i32| {
            let person = usize::try_from(row).ok().and_then(Person::at);
            if let Some(knob) = person.and_then(|(person, _)| knob(person)) {
                hand.turn(knob);
            }
        }
    };
    bench.on_tap_badge(act(hand, |person| Some(Knob::TapBadge(person.badge))));
    bench.on_lay_badge(act(hand, |person| Some(Knob::HoldBadge(person.badge))));
    bench.on_insert_card(act(hand, |person| person.card.map(Knob::InsertCard)));
    bench.on_touch_finger(act(hand, |person| person.finger.map(Knob::TouchFinger)));
    let taker = hand.clone();
    bench.on_take_badge(move || taker.turn(Knob::PullBadge));
    let puller = hand.clone();
    bench.on_pull_card(move || puller.turn(Knob::PullCard));
}

fn connect_devices(window: &BenchWindow, hand: &Hand) {
    let bench = window.global::<ui::Bench>();
    let switch = |hand: &Hand, knob: fn(DeviceId, bool) -> Knob| {
        let hand = hand.clone();
        move |index: i32, on: bool| hand.turn_device(index, |id| knob(id, on))
    };
    let slide = |hand: &Hand, knob: fn(DeviceId, u8) -> Knob| {
        let hand = hand.clone();
        move |index: i32, percent: i32| {
            let percent = u8::try_from(percent.clamp(0, 100)).unwrap_or(100);
            hand.turn_device(index, |id| knob(id, percent));
        }
    };
    bench.on_carry(switch(
        hand,
        |id, near| {
            if near { Knob::MoveNear(id) } else { Knob::MoveFar(id) }
        },
    ));
    bench.on_wear(switch(hand, Knob::SetWorn));
    bench.on_malform(switch(hand, Knob::Malformed));
    bench.on_fail(switch(hand, Knob::Fails));
    bench.on_lose_clock(switch(hand, Knob::LoseClock));
    let measuring = hand.clone();
    bench.on_measure(move |index| measuring.turn_device(index, Knob::Measure));
    bench.on_charge(slide(hand, Knob::SetBattery));
    bench.on_weaken(slide(hand, Knob::SetSignal));
}

fn connect_bedside(window: &BenchWindow, hand: &Hand) {
    let bench = window.global::<ui::Bench>();
    let chooser = hand.clone();
    bench.on_choose_state(move |state| {
        chooser.turn(Knob::SetState(match state {
            ui::BenchState::Calm => State::Calm,
            ui::BenchState::Fever => State::Fever,
            ui::BenchState::Desaturation => State::Desaturation,
            ui::BenchState::Arrest => State::Arrest,
        }));
    });
    let plug = hand.clone();
    bench.on_unplug_reader(move |unplugged| plug.turn(Knob::ReaderUnplugged(unplugged)));
    let radio = hand.clone();
    bench.on_switch_bluetooth_off(move |off| radio.turn(Knob::BluetoothOff(off)));
}

/// The rows on the bench; they change in place.
struct Rows {
    people: Rc<VecModel<ui::BenchPerson>>,
    devices: Rc<VecModel<ui::BenchDevice>>,
    /// Those of the second page.
    others: Rc<VecModel<ui::BenchDevice>>,
    words: Words,
    empty: bool,
}

impl Rows {
    fn new(window: &BenchWindow, words: Words, empty: bool) -> Self {
        let (people, devices, others) = <_>::default();
        let rows = Self { people, devices, others, words, empty };
        let bench = window.global::<ui::Bench>();
        bench.set_people(ModelRc::from(rows.people.clone()));
        bench.set_devices(ModelRc::from(rows.devices.clone()));
        bench.set_others(ModelRc::from(rows.others.clone()));
        bench.set_empty(empty);
        rows
    }

    fn apply(&self, window: &BenchWindow, scene: &Scene) {
        let people = (0..PEOPLE.len()).filter_map(Person::at);
        lay_out(&self.people, people.map(|(person, badge)| self.person_row(person, badge, scene)));
        let row = |device| device_row(&self.words, device);
        lay_out(&self.devices, scene.devices.iter().take(FIRST_PAGE).map(row));
        lay_out(&self.others, scene.devices.iter().skip(FIRST_PAGE).map(row));

        let bench = window.global::<ui::Bench>();
        let truth = scene.truth;
        bench.set_truth(ui::BenchTruth {
            heart_rate: slint::format!("{}", whole(truth.heart_rate_per_min)),
            oxygen: slint::format!("{}", whole(truth.spo2_percent)),
            breaths: slint::format!("{}", whole(truth.breaths_per_min)),
            temperature: slint::format!("{:.1}", truth.temperature_celsius),
        });
        bench.set_state(match scene.state {
            State::Calm => ui::BenchState::Calm,
            State::Fever => ui::BenchState::Fever,
            State::Desaturation => ui::BenchState::Desaturation,
            State::Arrest => ui::BenchState::Arrest,
        });
        bench.set_finger_wanted(scene.finger_wanted);
        bench.set_reader_unplugged(scene.reader_unplugged);
        bench.set_bluetooth_off(scene.bluetooth_off);
    }

    fn person_row(&self, person: Person, badge: &BenchBadge, scene: &Scene) -> ui::BenchPerson {
        let at_reader = scene.badge == Some(person.badge);
        let pin = badge.pin.filter(|_| !self.empty);
        ui::BenchPerson {
            name: badge.name.into(),
            role: words::bench::holder(&self.words, badge.holder),
            pin: pin.unwrap_or_default().into(),
            card_pin: person
                .card
                .and_then(|card| CARDS.get(card))
                .map_or("", |card| card.pin)
                .into(),
            at_reader,
            rests: at_reader && scene.badge_rests,
            has_finger: person.finger.is_some(),
            inserted: person.card.is_some() && scene.card == person.card,
        }
    }
}

/// Makes `model` hold `rows`, touching only what differs.
fn lay_out<T: Clone + PartialEq + 'static>(model: &VecModel<T>, rows: impl Iterator<Item = T>) {
    for (index, row) in rows.enumerate() {
        match model.row_data(index) {
            Some(shown) if shown == row => {}
            Some(_) => model.set_row_data(index, row),
            None => model.push(row),
        }
    }
}

fn device_row(words: &Words, device: &Device) -> ui::BenchDevice {
    let DeviceId([.., fifth, sixth]) = device.id;
    ui::BenchDevice {
        name: device.name.into(),
        tag: slint::format!("{fifth:02X}:{sixth:02X}"),
        kind: kind(device.kind),
        spot: device.spot.is_some(),
        measuring: device.spot.as_ref().is_some_and(Spot::is_measuring),
        fails: device.spot.as_ref().is_some_and(|spot| spot.fails),
        clock_lost: device.spot.as_ref().is_some_and(Spot::has_lost_clock),
        near: device.near,
        worn: device.worn,
        battery_percent: device.battery_percent.into(),
        signal_percent: device.signal_percent.into(),
        malformed: device.malformed,
        signal: words::bench::signal(words, device),
    }
}

fn kind(kind: DeviceKind) -> ui::BenchKind {
    match kind {
        DeviceKind::HeartRate => ui::BenchKind::Strap,
        DeviceKind::PulseOximeter => ui::BenchKind::Oximeter,
        DeviceKind::Cuff => ui::BenchKind::Cuff,
        DeviceKind::Thermometer => ui::BenchKind::Thermometer,
        DeviceKind::GlucoseMeter => ui::BenchKind::Meter,
        DeviceKind::GlucoseSensor => ui::BenchKind::Sensor,
        DeviceKind::Scale => ui::BenchKind::Scale,
        DeviceKind::Patch => ui::BenchKind::Patch,
    }
}

/// Why no picture of the bench could be made.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// The screen could not be built or drawn.
    #[error("the bench could not be drawn")]
    Draw(#[from] slint::PlatformError),
    /// The file could not be created.
    #[error("the picture's file could not be created")]
    Create(#[from] std::io::Error),
    /// The picture could not be written.
    #[error("the picture could not be written")]
    Write(#[from] png::EncodingError),
}

/// What a picture of the bench shows.
#[derive(Clone, Copy, Debug)]
pub struct Drawn<'a> {
    /// The bedside.
    pub scene: &'a Scene,
    /// Nobody was enrolled at the start.
    pub empty: bool,
    /// The page of what can go wrong with devices.
    pub faults: bool,
    /// The page of the other devices.
    pub others: bool,
}

/// Draws the bench into the PNG file `out`, in physical pixels. A headless platform
/// with a renderer must be set on this thread.
///
/// # Errors
/// The bench could not be drawn or the file not written.
pub fn render_bench(
    out: &Path,
    words: Words,
    drawn: &Drawn<'_>,
    size: (u32, u32),
) -> Result<(), RenderError> {
    let window = BenchWindow::new()?;
    Rows::new(&window, words, drawn.empty).apply(&window, drawn.scene);
    window.global::<ui::Bench>().set_faults(drawn.faults);
    window.global::<ui::Bench>().set_more(drawn.others);
    window.window().set_size(slint::PhysicalSize::new(size.0, size.1));
    window.show()?;
    let picture = window.window().take_snapshot()?;
    window.hide()?;

    let file = BufWriter::new(File::create(out)?);
    let mut encoder = png::Encoder::new(file, picture.width(), picture.height());
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(picture.as_bytes())?;
    Ok(writer.finish()?)
}
