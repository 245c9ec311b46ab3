//! The devices that `world.py` plays.

use wardkeep_model::vitals::DeviceId;

/// A strap, which is not paired.
pub const STRAP: DeviceId = device(1);
/// A thermometer, paired without a question: it has neither buttons nor a display.
pub const EAR: DeviceId = device(2);
/// A cuff, paired by comparing numbers.
pub const CUFF: DeviceId = device(3);
/// An oximeter, paired by typing here what it shows.
pub const CLIP: DeviceId = device(4);
/// A scale, paired by typing there what is shown here.
pub const SCALE: DeviceId = device(5);

const fn device(last: u8) -> DeviceId {
    DeviceId([0xF0, 0xF1, 0xF2, 0xF3, 0xF4, last])
}
