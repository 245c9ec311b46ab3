//! Whatever people, devices and the store do, in any order, and however the wall clock is set: the promises
//! hold after every step.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::SignedDuration;
use kit::kiosk::{
    Bedside, OXIMETER, PIN, STRAP, WRONG, badge, heart_rate, oximetry, sensor, template,
};
use proptest::prelude::*;
use wardkeep_core::kiosk::page::Page;
use wardkeep_core::kiosk::pages::{devices, patients};
use wardkeep_core::kiosk::view::access::Emergency;
use wardkeep_core::kiosk::view::{Owner, Screen, View};
use wardkeep_core::kiosk::{frame, login};
use wardkeep_core::session::FingerPrompt;
use wardkeep_model::access::Role;
use wardkeep_model::access::policy::{Permission, Policy};
use wardkeep_model::confidential::Phi;
use wardkeep_model::encounter::PatientForm;
use wardkeep_model::keeping::emergency::EMERGENCY_MAX;
use wardkeep_model::keeping::{Assignment, AuditAct, Shift};
use wardkeep_model::moment::BootTime;
use wardkeep_model::ports::{Event, FactorEvent, Link, ReaderHealth, ReaderKind};
use wardkeep_model::vitals::{DeviceId, DeviceKind};

/// Everything that can happen at a bedside.
#[derive(Clone, Debug)]
enum Op {
    Login(Login),
    Care(Care),
    /// The wall clock is set by so many seconds.
    SetWall(i64),
}

/// What concerns who may see what.
#[derive(Clone, Debug)]
enum Login {
    Lay(u8),
    Lift,
    Insert(u8),
    Pull,
    CardReaderLost,
    CardStalls,
    CardAnswers,
    Pin(bool),
    Touch(bool),
    Sensor(u8),
    Shift(u8),
    Code(bool),
    Role(u8),
    Emergency,
    Reason,
    Cancel,
    Lock,
    Wait(u32),
    StoreStalls,
    StoreAnswers,
}

/// What concerns the patient and the devices.
#[derive(Clone, Debug)]
enum Care {
    Open(u8),
    Draft,
    Choose,
    Connect(bool),
    Assign(bool),
    Release(bool),
    Link(bool, u8),
    Heart(Vec<u8>),
    Oximetry(Vec<u8>),
    Acknowledge,
}

fn any_op() -> impl Strategy<Value = Op> {
    prop_oneof![
        20 => login_op().prop_map(Op::Login),
        10 => care_op().prop_map(Op::Care),
        1 => wall_step().prop_map(Op::SetWall),
    ]
}

/// Minutes, hours or days, forwards or back.
fn wall_step() -> impl Strategy<Value = i64> {
    prop_oneof![-3_600_i64..3_600, -86_400_i64..86_400, -2_600_000_i64..2_600_000]
}

fn login_op() -> impl Strategy<Value = Login> {
    prop_oneof![
        4 => (1_u8..4).prop_map(Login::Lay),
        2 => Just(Login::Lift),
        4 => (1_u8..4).prop_map(Login::Insert),
        1 => Just(Login::Pull),
        1 => Just(Login::CardReaderLost),
        1 => Just(Login::CardStalls),
        1 => Just(Login::CardAnswers),
        6 => any::<bool>().prop_map(Login::Pin),
        4 => any::<bool>().prop_map(Login::Touch),
        1 => (0_u8..3).prop_map(Login::Sensor),
        1 => (0_u8..3).prop_map(Login::Shift),
        1 => any::<bool>().prop_map(Login::Code),
        1 => (0_u8..4).prop_map(Login::Role),
        2 => Just(Login::Emergency),
        3 => Just(Login::Reason),
        1 => Just(Login::Cancel),
        1 => Just(Login::Lock),
        3 => prop_oneof![0_u32..9_000, 100_000_u32..1_000_000].prop_map(Login::Wait),
        1 => Just(Login::StoreStalls),
        1 => Just(Login::StoreAnswers),
    ]
}

fn care_op() -> impl Strategy<Value = Care> {
    let bytes = || {
        prop_oneof![
            (30_u8..200).prop_map(heart_rate),
            (60_u8..101, 30_u8..200).prop_map(|(s, p)| oximetry(s, p)),
            prop::collection::vec(any::<u8>(), 0..24),
        ]
    };
    prop_oneof![
        2 => (0_u8..7).prop_map(Care::Open),
        1 => Just(Care::Draft),
        2 => Just(Care::Choose),
        2 => any::<bool>().prop_map(Care::Connect),
        2 => any::<bool>().prop_map(Care::Assign),
        1 => any::<bool>().prop_map(Care::Release),
        2 => (any::<bool>(), 0_u8..3).prop_map(|(d, l)| Care::Link(d, l)),
        3 => bytes().prop_map(Care::Heart),
        3 => bytes().prop_map(Care::Oximetry),
        1 => Just(Care::Acknowledge),
    ]
}

fn any_policy() -> impl Strategy<Value = Policy> {
    let flags = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    flags.prop_map(|(badge_pin, finger, tap_alone, emergency, grace)| Policy {
        // Without badges most of what follows would be refusals.
        badge_pin: badge_pin || finger,
        finger,
        tap_alone,
        emergency,
        shift: Duration::from_secs(if grace { 4 * 3600 } else { 0 }),
        ..Policy::default()
    })
}

fn device(strap: bool) -> DeviceId {
    if strap { STRAP } else { OXIMETER }
}

fn log_in(bedside: &mut Bedside, op: Login) {
    match op {
        Login::Lay(n) => bedside.hardware(Event::BadgePresented(badge(n))),
        Login::Lift => bedside.hardware(Event::BadgeRemoved),
        Login::Insert(n) => bedside.insert(n),
        Login::Pull => bedside.pull(),
        Login::CardReaderLost => {
            bedside.hardware(Event::Reader(ReaderKind::SmartCard, ReaderHealth::ServiceDown));
        }
        Login::CardStalls => bedside.prompt_card = false,
        Login::CardAnswers => {
            bedside.prompt_card = true;
            bedside.card_answers();
        }
        Login::Pin(right) => bedside.type_pin(if right { PIN } else { WRONG }),
        Login::Touch(matching) => bedside.touch(matching),
        Login::Sensor(which) => {
            let plugged = match which {
                0 => None,
                1 => Some(sensor("A")),
                _ => Some(sensor("B")),
            };
            bedside.factor(FactorEvent::Sensor(plugged));
        }
        Login::Shift(kind) => {
            let templates = vec![template(1, "A"), template(2, "A")];
            bedside.store.shift = (kind > 0).then_some(Shift { templates, tap: kind == 2 });
        }
        Login::Code(is_code) => bedside.store.is_code = is_code,
        Login::Role(which) => {
            let roles = [Role::Nurse, Role::Caregiver, Role::It, Role::Auditor];
            bedside.store.role = roles[usize::from(which)];
        }
        Login::Emergency => {
            if bedside.store.emergency.is_err() {
                bedside.store.write_emergency_card(bedside.now().wall);
            }
            bedside.intent(login::Intent::BeginEmergency);
        }
        Login::Reason => bedside.choose_reason(),
        Login::Cancel => bedside.intent(frame::Intent::Cancel),
        Login::Lock => bedside.intent(frame::Intent::Lock),
        Login::Wait(ms) => bedside.wait(Duration::from_millis(ms.into())),
        Login::StoreStalls => bedside.prompt_store = false,
        Login::StoreAnswers => {
            bedside.prompt_store = true;
            bedside.deliver();
        }
    }
}

fn care(bedside: &mut Bedside, op: Care) {
    match op {
        Care::Open(which) => {
            let pages = [
                Page::Bedside,
                Page::Devices,
                Page::Patients,
                Page::People,
                Page::Audit,
                Page::Cart,
                Page::Account,
            ];
            bedside.intent(frame::Intent::Open(pages[usize::from(which)]));
        }
        Care::Draft => {
            let family = Phi::new("Aydin".into());
            bedside
                .intent(patients::Intent::Draft(PatientForm { family, ..PatientForm::default() }));
        }
        Care::Choose => {
            if let Screen::Patients(page) = bedside.view().screen
                && let Some(row) = page.rows.first()
            {
                bedside.intent(patients::Intent::Choose(row.id));
            }
        }
        Care::Connect(strap) => {
            let kind = if strap { DeviceKind::HeartRate } else { DeviceKind::PulseOximeter };
            bedside.advertise(device(strap), kind);
            bedside.intent(devices::Intent::Connect(device(strap)));
        }
        Care::Assign(strap) => bedside.intent(devices::Intent::Assign(device(strap))),
        Care::Release(strap) => bedside.intent(devices::Intent::Release(device(strap))),
        Care::Link(strap, state) => {
            let link = match state {
                0 => Link::Connecting,
                1 => Link::Live,
                _ => Link::Lost,
            };
            bedside.hardware(Event::Link(device(strap), link));
        }
        Care::Heart(bytes) => bedside.frame(STRAP, bytes),
        Care::Oximetry(bytes) => bedside.frame(OXIMETER, bytes),
        Care::Acknowledge => bedside.acknowledge(),
    }
}

/// Something of a patient is on the screen.
fn shows_patient(view: &View) -> bool {
    let on_page = match &view.screen {
        Screen::Bedside(_)
        | Screen::Patients(_)
        | Screen::Alarms(_)
        | Screen::Limits(_)
        | Screen::Reading(_)
        | Screen::Tray(_)
        | Screen::Emergency(Emergency::Open(_)) => true,
        Screen::Device(page) => {
            matches!(page.owner, Owner::ThisPatient(_)) && !page.frames.is_empty()
        }
        Screen::Devices(page) => page.rows.iter().any(|row| !row.reading.reveal().is_empty()),
        Screen::Starting
        | Screen::FirstStart(_)
        | Screen::Lock(_)
        | Screen::Pin(_)
        | Screen::Emergency(_)
        | Screen::People(_)
        | Screen::Person(_)
        | Screen::Enrolment(_)
        | Screen::Audit(_)
        | Screen::Cart(_)
        | Screen::Inventory(_)
        | Screen::Pairing(_)
        | Screen::Account(_)
        | Screen::Trouble(_) => false,
    };
    on_page || view.open.as_ref().is_some_and(|open| open.patient.is_some())
}

/// Who presented a token last, and how long the emergency view has been open.
#[derive(Default)]
struct Model {
    last: u8,
    emergency_since: Option<BootTime>,
    /// Assignments as the cart has them, and when each was made by the clock that nobody can set.
    assigned: BTreeMap<DeviceId, (Assignment, BootTime)>,
}

impl Model {
    fn observe(&mut self, op: &Op) {
        if let Op::Login(Login::Lay(n) | Login::Insert(n)) = op {
            self.last = *n;
        }
    }

    fn remember_assignments(&mut self, bedside: &Bedside) {
        let cart = bedside.store.cart.clone().unwrap_or_default();
        for device in cart.devices {
            let held = self.assigned.get(&device.id).map(|(assignment, _)| *assignment);
            match device.assignment {
                Some(assignment) if held == Some(assignment) => {}
                Some(assignment) => {
                    self.assigned.insert(device.id, (assignment, bedside.now().boot));
                }
                None => {
                    self.assigned.remove(&device.id);
                }
            }
        }
    }

    /// S-6: it was made less than a day before.
    fn is_in_force(&self, device: DeviceId, now: BootTime) -> bool {
        let made = self.assigned.get(&device).map(|(_, made)| *made);
        made.is_some_and(|made| now.since(made) < Duration::from_secs(24 * 3600))
    }

    /// S-1 of what the screen shows.
    fn check_screen(&mut self, bedside: &Bedside) -> Result<(), TestCaseError> {
        let view = bedside.view();
        let is_emergency = matches!(&view.screen, Screen::Emergency(Emergency::Open(_)));
        prop_assert_eq!(view.open.is_some(), bedside.kiosk.is_open());
        let role = view.open.as_ref().map(|open| open.operator.role);
        let sees = role.is_some_and(|role| role.may(Permission::SeePatients));
        prop_assert!(!shows_patient(&view) || sees || is_emergency);
        // An answer to an abandoned attempt finds the vault closed already.
        prop_assert!(view.open.is_none() || bedside.store.vault_open);
        let closed =
            matches!(&view.screen, Screen::Lock(_) | Screen::Pin(_) | Screen::Emergency(_));
        prop_assert_eq!(view.open.is_none(), closed);
        if let Some(open) = &view.open {
            let expected = if self.last == 1 { "AK" } else { "BL" };
            prop_assert_eq!(&open.operator.initials, expected, "whose token came last");
        }
        self.emergency_since = match self.emergency_since {
            _ if !is_emergency => None,
            None => Some(bedside.now().boot),
            since => since,
        };
        if let Some(since) = self.emergency_since {
            prop_assert!(bedside.now().boot.since(since) < EMERGENCY_MAX);
            prop_assert!(!bedside.store.vault_open);
        }
        // A reader waits for a finger only beside a pad that says so.
        let waits = matches!(&view.screen, Screen::Pin(prompt)
            if prompt.finger.is_some_and(|shown| shown != FingerPrompt::Off));
        prop_assert_eq!(bedside.asked_finger.is_some(), waits);
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// S-1, S-6 and S-7 after every step of any shift.
    #[test]
    fn s1_s6_s7_hold_whatever_happens(
        policy in any_policy(),
        ops in prop::collection::vec(any_op(), 1..80),
    ) {
        let mut bedside = Bedside::monitoring_under(policy);
        let mut model = Model { last: 1, ..Model::default() };
        model.remember_assignments(&bedside);
        for op in ops {
            model.observe(&op);
            let recorded = bedside.store.records.len();
            let began = bedside.now().boot;
            let known = bedside.store.cart.clone().unwrap_or_default();
            match op {
                Op::Login(op) => log_in(&mut bedside, op),
                Op::Care(op) => care(&mut bedside, op),
                Op::SetWall(seconds) => bedside.set_wall(SignedDuration::from_secs(seconds)),
            }
            let view = bedside.view();
            model.check_screen(&bedside)?;
            // S-6: whoever a value is filed to was assigned that device before the step began.
            for record in &bedside.store.records[recorded..] {
                if let Some(subject) = record.subject {
                    let assigned = known.devices.iter().any(|d| {
                        d.id == record.device
                            && d.assignment.is_some_and(|a| a.subject == subject)
                            && model.is_in_force(d.id, began)
                    });
                    prop_assert!(assigned, "{:?} was not assigned", record.device);
                }
            }
            model.remember_assignments(&bedside);
            // S-7: a number on the screen is young, and its device is assigned.
            if let Screen::Bedside(page) = &view.screen {
                for tile in &page.tiles {
                    if tile.value.is_some() {
                        prop_assert!(tile.age.is_some_and(|age| age < Duration::from_secs(4)));
                        prop_assert!(!tile.source.is_empty());
                    }
                }
            }
            // Deadlines never lie in the past, so the shell never spins.
            prop_assert!(bedside.kiosk.next_deadline(bedside.now()) > bedside.now().boot);
        }
        // S-4: every session of the log was opened by a pair that the site allows.
        for entry in bedside.store.audit.iter().filter(|entry| entry.act == AuditAct::Unlocked) {
            prop_assert!(entry.pair.is_some_and(|pair| policy.allows(pair)));
            prop_assert!(entry.operator.is_some());
        }
    }
}
