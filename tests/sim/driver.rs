//! The simulator as a driver: it obeys, it answers, it counts what it could not deliver, and it ends
//! when nobody is left.

use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::time::timeout;
use wardkeep_model::ports::{Command, Event, Link, Want};
use wardkeep_model::vitals::DeviceKind;
use wardkeep_sim::physiology::State;
use wardkeep_sim::ward::{Knob, OXIMETER_B, STRAP};
use wardkeep_sim::{SimError, spawn};

/// Far longer than anything here takes; reached only by a failure.
const PATIENCE: Duration = Duration::from_secs(60);

async fn await_event(events: &mut mpsc::Receiver<Event>, wanted: impl Fn(&Event) -> bool) -> Event {
    timeout(PATIENCE, async {
        loop {
            let event = events.recv().await.expect("the simulator runs");
            if wanted(&event) {
                return event;
            }
        }
    })
    .await
    .expect("the event comes")
}

#[tokio::test]
async fn it_obeys_commands_and_knobs_and_shows_the_scene() {
    let (sender, mut events) = mpsc::channel(256);
    let (handle, task) = spawn(&Handle::current(), sender);
    handle
        .try_send(Command::Connect(STRAP, Want::of(DeviceKind::HeartRate)))
        .expect("room for a command");
    handle.turn(Knob::TapBadge(1)).expect("room for a knob");
    handle.turn(Knob::MoveNear(OXIMETER_B)).expect("room for a knob");
    handle.turn(Knob::SetState(State::Fever)).expect("room for a knob");
    await_event(&mut events, |event| matches!(event, Event::BadgePresented(_))).await;
    await_event(&mut events, |event| matches!(event, Event::BadgeRemoved)).await;
    let live = |event: &Event| matches!(event, Event::Link(id, Link::Live) if *id == STRAP);
    await_event(&mut events, live).await;
    let frame = |event: &Event| {
        matches!(event, Event::Frame { device, characteristic, .. }
            if *device == STRAP && characteristic.0 == 0x2A37)
    };
    await_event(&mut events, frame).await;
    let scene = handle.scene();
    assert_eq!(scene.state, State::Fever);
    assert!(scene.devices.iter().any(|device| device.id == OXIMETER_B && device.near));
    drop(handle);
    timeout(PATIENCE, task).await.expect("it ends with its last handle").expect("without a panic");
}

#[tokio::test]
async fn s11_what_finds_no_room_is_counted_and_reported() {
    let (sender, mut events) = mpsc::channel(2);
    let (handle, _task) = spawn(&Handle::current(), sender);
    // Two events fit; the other two of the first report and all advertisements do not.
    while handle.scene().devices.iter().all(|device| !device.is_heard()) {
        tokio::task::yield_now().await;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let overrun = |event: &Event| matches!(event, Event::Overrun { .. });
    let Event::Overrun { source, lost } = await_event(&mut events, overrun).await else {
        panic!("an overrun was awaited")
    };
    assert_eq!(source, "sim");
    assert!(lost >= 4, "{lost}");
    drop(handle);
}

#[tokio::test]
async fn it_refuses_instead_of_waiting_and_ends_when_the_shell_is_gone() {
    let (sender, events) = mpsc::channel(256);
    let (handle, task) = spawn(&Handle::current(), sender);
    // The task cannot run before the first await, so the queue fills.
    let refused = (0..33).map(|_| handle.turn(Knob::PullBadge)).filter_map(Result::err).next();
    assert_eq!(refused, Some(SimError::Busy));
    drop(events);
    timeout(PATIENCE, task).await.expect("it ends with the shell").expect("without a panic");
    assert_eq!(handle.turn(Knob::PullBadge), Err(SimError::Stopped));
    assert_eq!(handle.try_send(Command::Disconnect(STRAP)), Err(SimError::Stopped));
}
