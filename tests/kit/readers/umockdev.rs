//! USB devices out of a recording: umockdev answers libusb in the place of the kernel.
//!
//! A recording is written by the test, as usbmon would have captured it. umockdev gives each transfer
//! of the program the next matching answer, in order; when there is none left, the program waits for
//! ever. The test runs in a process of its own, started below `umockdev-run`.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use crate::namespace::skipped;
use crate::process::{arguments, is_inner, run};

/// Where the device hangs in the pretended system.
const PLACE: &str = "/devices/pci0000:00/0000:00:14.0/usb1/1-2";
/// The head of a capture file, and usbmon's link type.
const PCAP: [u32; 6] = [0xa1b2_c3d4, 0x0004_0002, 0, 0, 65_535, 220];
/// `xfer_type` of usbmon.
const INTERRUPT: u8 = 1;
const CONTROL: u8 = 2;

/// A HID reader with one interface and one interrupt endpoint, and what it will answer.
pub struct Recording {
    id: (u16, u16),
    packets: Vec<u8>,
    transfers: u64,
}

/// One half of a transfer.
struct Half<'a> {
    event: u8,
    kind: u8,
    endpoint: u8,
    setup: Option<[u8; 8]>,
    length: usize,
    data: &'a [u8],
}

impl Recording {
    /// A device with this vendor and product number that says nothing.
    pub fn of(id: (u16, u16)) -> Self {
        let head = PCAP.iter().flat_map(|word| word.to_le_bytes()).collect();
        Self { id, packets: head, transfers: 0 }
    }

    /// A request with an answer.
    pub fn answers(&mut self, setup: [u8; 8], answer: &[u8]) {
        self.transfers += 1;
        let (kind, endpoint, setup) = (CONTROL, 0x80, Some(setup));
        self.half(&Half { event: b'S', kind, endpoint, setup, length: answer.len(), data: &[] });
        self.half(&Half {
            event: b'C',
            kind,
            endpoint,
            setup: None,
            length: answer.len(),
            data: answer,
        });
    }

    /// A request that brings data.
    pub fn takes(&mut self, setup: [u8; 8], data: &[u8]) {
        self.transfers += 1;
        let (kind, endpoint, setup) = (CONTROL, 0x00, Some(setup));
        self.half(&Half { event: b'S', kind, endpoint, setup, length: data.len(), data });
        self.half(&Half {
            event: b'C',
            kind,
            endpoint,
            setup: None,
            length: data.len(),
            data: &[],
        });
    }

    /// A report of 8 bytes by the interrupt endpoint.
    pub fn reports(&mut self, report: &[u8; 8]) {
        self.transfers += 1;
        let (kind, endpoint, setup) = (INTERRUPT, 0x81, None);
        self.half(&Half { event: b'S', kind, endpoint, setup, length: 8, data: &[] });
        self.half(&Half { event: b'C', kind, endpoint, setup, length: 8, data: report });
    }

    /// Linux's `struct mon_bin_hdr` (Documentation/usb/usbmon), little endian.
    fn half(&mut self, half: &Half<'_>) {
        let time = u32::try_from(self.transfers).expect("few transfers");
        let captured = u32::try_from(half.data.len()).expect("short");
        let mut head = Vec::new();
        head.extend(self.transfers.to_le_bytes());
        head.extend([half.event, half.kind, half.endpoint, 5, 1, 0]);
        head.push(if half.setup.is_some() { 0 } else { b'-' });
        head.push(if half.data.is_empty() { b'<' } else { 0 });
        head.extend(u64::from(time).to_le_bytes());
        head.extend([0; 8]); // Microseconds and status.
        head.extend(u32::try_from(half.length).expect("short").to_le_bytes());
        head.extend(captured.to_le_bytes());
        head.extend(half.setup.unwrap_or_default());
        head.extend([0; 16]); // Of isochronous transfers.
        assert_eq!(head.len(), 64);
        let length = 64 + captured;
        for word in [time, 0, length, length] {
            self.packets.extend(word.to_le_bytes());
        }
        self.packets.extend(head);
        self.packets.extend(half.data);
    }

    /// What the kernel would tell of the device.
    fn description(&self) -> String {
        let (vendor, product) = self.id;
        let ids = [vendor.to_le_bytes(), product.to_le_bytes()].concat();
        let device = [&[18, 1, 0x10, 1, 0, 0, 0, 8][..], &ids, &[0, 1, 0, 0, 0, 1]].concat();
        let configuration = [
            &[9, 2, 34, 0, 1, 1, 0, 0xa0, 50][..],
            &[9, 4, 0, 0, 1, 3, 1, 1, 0],
            &[9, 0x21, 0x10, 1, 0, 1, 0x22, 63, 0],
            &[7, 5, 0x81, 3, 8, 0, 10],
        ]
        .concat();
        let mut hex = String::new();
        for byte in [device, configuration].concat() {
            write!(hex, "{byte:02X}").expect("a string takes everything");
        }
        format!(
            "P: {PLACE}\nN: bus/usb/001/005={hex}\nE: DEVNAME=/dev/bus/usb/001/005\n\
             E: DEVTYPE=usb_device\nE: DRIVER=usb\nE: BUSNUM=001\nE: DEVNUM=005\nE: MAJOR=189\n\
             E: MINOR=4\nE: SUBSYSTEM=usb\nA: bConfigurationValue=1\\n\nA: busnum=1\\n\n\
             A: devnum=5\\n\nA: idVendor={vendor:04x}\\n\nA: idProduct={product:04x}\\n\n\
             A: speed=12\\n\nA: version= 1.10\\n\nH: descriptors={hex}\n\n"
        )
    }
}

/// Runs `body` in a process of its own that sees no USB device but the recorded ones. `test` is the
/// calling test's full name.
pub fn with_devices(test: &str, recordings: &[Recording], body: impl FnOnce()) {
    if is_inner(test) {
        return body();
    }
    if Command::new("umockdev-run").arg("--version").output().is_err() {
        return skipped(test, "umockdev is not installed");
    }
    let folder = tempfile::tempdir().expect("a temporary directory");
    let mut inner = Command::new("umockdev-run");
    for (index, recording) in recordings.iter().enumerate() {
        let file = |ending: &str| folder.path().join(format!("{index}.{ending}"));
        write(&file("umockdev"), recording.description().as_bytes());
        write(&file("pcap"), &recording.packets);
        inner.arg("--device").arg(file("umockdev"));
        inner.arg("--pcap").arg(format!("/sys{PLACE}={}", file("pcap").display()));
    }
    let binary = std::env::current_exe().expect("a test knows its own binary");
    inner.arg("--").arg(binary).args(arguments(test));
    run(test, &mut inner);
}

fn write(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).expect("a temporary directory is writable");
}
