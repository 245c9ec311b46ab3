//! What each vendor's device that can be linked sends by itself, answers when asked, and measures: the scripts
//! of pretended ones.

use jiff::civil::DateTime;
use wardkeep_model::vitals::DeviceKind;
use wardkeep_model::vitals::vendor::{Known, Protocol};

/// How one device behaves.
#[derive(Clone, Debug)]
pub struct Script {
    /// Its row.
    pub known: &'static Known,
    /// What it advertises as its name.
    pub name: &'static str,
    /// Notifications that it sends by itself, in turn.
    pub sends: Vec<Vec<u8>>,
    /// What it is asked, and the notifications that it answers with.
    pub answers: Vec<(Vec<u8>, Vec<Vec<u8>>)>,
    /// Codes and digits of what it measures: all of it.
    pub gives: &'static [(u32, &'static str)],
}

const OXYGEN: &[(u32, &str)] = &[(150_456, "97"), (149_530, "72")];
const INDEX: u32 = 150_488;

/// The script of a row, for a device whose clock shows `at`.
///
/// # Panics
/// There is no script: the row would claim in the table of support what no test shows.
pub fn script(known: &'static Known, at: DateTime) -> Script {
    let first = known.names.first().copied();
    let by_itself = |name, frames: &[&str], gives| Script {
        known,
        name: first.unwrap_or(name),
        sends: frames.iter().map(|frame| bytes(frame)).collect(),
        answers: vec![],
        gives,
    };
    match (known.protocol, known.kind) {
        (Protocol::Nonin3230, _) => {
            let gives = &[(150_456, "97"), (149_530, "72"), (INDEX, "4.35")];
            by_itself("Nonin3230_501900083", &["0a 54 1d 01 b3 00 2a 61 00 48"], gives)
        }
        // A frame and a half in each packet.
        (Protocol::Pc60fw, _) => by_itself(
            "",
            &["aa 55 0f 08 01 61 48 00 2d 00 38 87 aa 55 0f 07 02", "3b 38 35 32 2f bd"],
            &[(150_456, "97"), (149_530, "72"), (INDEX, "4.5")],
        ),
        // Cut inside a packet of five bytes.
        (Protocol::Bci, _) => {
            by_itself("", &["85 3a 07 48 61 85 34 06 48", "61 85 2f 05 48 61"], OXYGEN)
        }
        (Protocol::YonkerBp, DeviceKind::Cuff) => {
            let [day, month, hour, minute] = [at.day(), at.month(), at.hour(), at.minute()];
            let stamp = [day, month, year(at).cast_signed(), hour, minute].map(i8::cast_unsigned);
            let frame = [&[0x81, 118, 76, 66, 0, 0], stamp.as_slice(), &[0; 4]].concat();
            // While it inflates it sends frames of another kind.
            let sends = vec![bytes("80 00 42"), frame];
            let gives = &[(150_021, "118"), (150_022, "76"), (149_546, "66")];
            Script { sends, ..by_itself("", &[], gives) }
        }
        (Protocol::O2ring, _) => {
            // Longer than a packet.
            let answer = bytes("55 00 ff 00 00 0d 00 61 48 00 00 00 00 00 61 00 02 0a 01 00 9e");
            let (head, tail) = answer.split_at(20);
            let answers =
                vec![(bytes("aa 17 e8 00 00 00 00 1b"), vec![head.to_vec(), tail.to_vec()])];
            let gives = &[(150_456, "97"), (149_530, "72"), (INDEX, "1.0")];
            Script { answers, ..by_itself("O2Ring 1234", &[], gives) }
        }
        (Protocol::ContecCms50d, _) => {
            let stream = bytes("eb 00 03 48 09 3f eb 01 06 48 61 7f 00 1a");
            let answers = vec![(bytes("9b 01 1c"), vec![stream])];
            Script { answers, ..by_itself("", &[], OXYGEN) }
        }
        (Protocol::Taidoc, DeviceKind::PulseOximeter) => {
            let live = vec![bytes("51 49 61 00 00 48 a5 e8")];
            let answers = vec![(bytes("51 49 00 00 00 00 a3 3d"), live)];
            Script { answers, ..by_itself("", &[], OXYGEN) }
        }
        (Protocol::Taidoc, DeviceKind::Cuff) => {
            let gives = &[(150_021, "118"), (150_022, "76"), (149_546, "66")];
            Script { answers: meter(at, [118, 0, 76, 66]), ..by_itself("", &[], gives) }
        }
        (Protocol::Taidoc, DeviceKind::Thermometer) => {
            let gives = &[(150_364, "36.5")];
            Script { answers: meter(at, [0x6D, 0x01, 0xFA, 0x00]), ..by_itself("", &[], gives) }
        }
        (Protocol::Taidoc, DeviceKind::GlucoseMeter) => {
            let gives = &[(160_184, "120")];
            Script { answers: meter(at, [120, 0, 0, 0]), ..by_itself("", &[], gives) }
        }
        _ => panic!("{} has no script, and no test shows that it works", known.device),
    }
}

/// What a TaiDoc meter answers whose clock shows `at` and whose newest record is of that time.
fn meter(at: DateTime, record: [u8; 4]) -> Vec<(Vec<u8>, Vec<Vec<u8>>)> {
    let [month, day] = [at.month(), at.day()].map(i8::cast_unsigned);
    let [minute, hour] = [at.minute(), at.hour()].map(i8::cast_unsigned);
    let stamp = [(month & 7) << 5 | day, year(at) << 1 | month >> 3, minute, hour];
    let frame = |command, data: [u8; 4], end| {
        let mut frame = [&[0x51, command], data.as_slice(), &[end]].concat();
        frame.push(frame.iter().fold(0, |sum: u8, byte| sum.wrapping_add(*byte)));
        frame
    };
    [(0x23, stamp), (0x25, stamp), (0x26, record)]
        .map(|(command, data)| (frame(command, [0; 4], 0xA3), vec![frame(command, data, 0xA5)]))
        .into()
}

fn year(at: DateTime) -> u8 {
    u8::try_from(at.year() - 2000).expect("a year of this century")
}

/// Bytes from hexadecimal digits.
///
/// # Panics
/// They are none.
pub fn bytes(hex: &str) -> Vec<u8> {
    let byte = |text| u8::from_str_radix(text, 16).expect("hexadecimal");
    hex.split_whitespace().map(byte).collect()
}
