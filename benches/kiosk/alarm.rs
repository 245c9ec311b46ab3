//! How long an alarm takes to the screen beyond its delay: an extreme heart rate on D-Bus to the first red pixel of
//! the strip.

use std::sync::Arc;
use std::time::Duration;

use wardkeep_model::moment::Moment;
use wardkeep_model::vitals::parameter::Parameter;

use crate::meter::Screen;
use crate::report;
use kit::house::House;

/// `alarm-high` as the frame buffer holds it: B, G, R.
const HIGH: [u8; 3] = [0x3B, 0x3B, 0xFF];
/// Rows of the strip.
const STRIP: usize = 72;
const ROUNDS: usize = 8;
/// A strap sends as often as this, or oftener.
const BEAT: Duration = Duration::from_millis(500);

/// Somebody is logged in, and the strap is on the patient.
pub fn measure(house: &House) {
    let screen = Screen::open(&house.frame_buffer());
    let is_red = |screen: &Screen| {
        screen.rows(0, STRIP).chunks_exact(4).any(|pixel| pixel.starts_with(&HIGH))
    };
    let delay = Parameter::HeartRate.row().extreme_delay;
    let mut times = vec![];
    for _ in 0..ROUNDS {
        let calm = send(house, 72);
        screen.time(Moment::read(), |screen| !is_red(screen));
        calm.abort();
        let since = Moment::read();
        let extreme = send(house, 190);
        times.push(screen.time(since, is_red).saturating_sub(delay));
        extreme.abort();
    }
    report("an extreme heart rate to the alarm strip, beyond its delay", &mut times);
}

/// Goes on sending this rate.
fn send(house: &House, rate: u8) -> tokio::task::JoinHandle<()> {
    let (bluez, strap) = (Arc::clone(&house.bluez), house.strap.device);
    house.runtime.spawn(async move {
        loop {
            assert!(bluez.notify(strap, 0x2A37, &[0x06, rate]).await);
            tokio::time::sleep(BEAT).await;
        }
    })
}
