//! A USB badge reader that is claimed, through libusb.

use std::time::Duration;

use rusb::{
    Context, Device, DeviceHandle, Direction, Error, InterfaceDescriptor, Recipient, RequestType,
    TransferType, request_type,
};
use zeroize::Zeroizing;

use crate::usb_badge::pcprox::{Feature, REPORT_BYTES, Report};

/// USB vendor and product number.
pub type UsbId = (u16, u16);

/// `bInterfaceClass` of human interface devices.
const HID: u8 = 3;
/// `bInterfaceSubClass`: it knows the boot protocol.
const BOOT: u8 = 1;
/// `bInterfaceProtocol` of a keyboard.
const KEYBOARD: u8 = 1;
/// HID 1.11, section 7.2.
const GET_REPORT: u8 = 0x01;
const SET_REPORT: u8 = 0x09;
const SET_PROTOCOL: u8 = 0x0b;
/// A feature report, number 0.
const FEATURE: u16 = 0x0300;
/// Most bytes that an interrupt report is read with: those of a low- or full-speed endpoint.
const INTERRUPT_BYTES_MAX: u16 = 64;
/// How long a reader may take for an answer.
const ANSWER_MAX: Duration = Duration::from_millis(500);

/// Why a reader cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum UsbError {
    /// It was unplugged.
    #[error("reader is gone")]
    Gone,
    /// This account may not open it, or something else holds it.
    #[error("reader may not be claimed")]
    Refused,
    /// It does not answer as it should.
    #[error("reader does not answer")]
    Fault(#[source] Error),
}

impl From<Error> for UsbError {
    fn from(error: Error) -> Self {
        match error {
            // Which of these a reader that is pulled gives depends on the moment.
            Error::NoDevice | Error::Io | Error::NotFound => UsbError::Gone,
            Error::Access | Error::Busy => UsbError::Refused,
            Error::InvalidParam
            | Error::Timeout
            | Error::Overflow
            | Error::Pipe
            | Error::Interrupted
            | Error::NoMem
            | Error::NotSupported
            | Error::BadDescriptor
            | Error::Other => UsbError::Fault(error),
        }
    }
}

/// The interface that reports come from.
struct Source {
    interface: u8,
    endpoint: u8,
    bytes: u16,
    knows_boot: bool,
    is_keyboard: bool,
}

impl Source {
    fn of(interface: &InterfaceDescriptor<'_>) -> Option<Self> {
        let endpoint = interface.endpoint_descriptors().find(|endpoint| {
            endpoint.direction() == Direction::In
                && endpoint.transfer_type() == TransferType::Interrupt
        })?;
        let knows_boot = interface.sub_class_code() == BOOT;
        Some(Self {
            interface: interface.interface_number(),
            endpoint: endpoint.address(),
            bytes: endpoint.max_packet_size().clamp(1, INTERRUPT_BYTES_MAX),
            knows_boot,
            is_keyboard: knows_boot && interface.protocol_code() == KEYBOARD,
        })
    }
}

/// A reader whose HID interfaces are all ours, until it is dropped.
pub(super) struct Claimed {
    handle: DeviceHandle<Context>,
    source: Source,
}

impl Claimed {
    /// Claims every HID interface, away from the kernel's drivers.
    pub(super) fn claim(device: &Device<Context>) -> Result<Self, UsbError> {
        let configuration =
            device.active_config_descriptor().or_else(|_| device.config_descriptor(0))?;
        let interfaces = configuration.interfaces().filter_map(|one| one.descriptors().next());
        let hid: Vec<_> = interfaces.filter(|one| one.class_code() == HID).collect();
        let sources = hid.iter().filter_map(Source::of);
        let source = sources.max_by_key(|source| source.is_keyboard);
        let source = source.ok_or(UsbError::Fault(Error::BadDescriptor))?;
        let handle = device.open()?;
        for interface in &hid {
            take(&handle, interface.interface_number())?;
        }
        Ok(Self { handle, source })
    }

    /// Switches a keyboard to reports of the boot form, which need no descriptor to be understood.
    pub(super) fn use_boot_reports(&self) -> Result<(), UsbError> {
        if !self.source.knows_boot {
            return Ok(());
        }
        let to = request_type(Direction::Out, RequestType::Class, Recipient::Interface);
        let number = u16::from(self.source.interface);
        match self.handle.write_control(to, SET_PROTOCOL, 0, number, &[], ANSWER_MAX) {
            // Many readers know only the boot form and refuse to be asked for it.
            Ok(_) | Err(Error::Pipe) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Waits for a report.
    pub(super) fn interrupt(
        &self,
        patience: Duration,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, UsbError> {
        let mut report = Zeroizing::new(vec![0; usize::from(self.source.bytes)]);
        match self.handle.read_interrupt(self.source.endpoint, &mut report, patience) {
            Ok(length) => {
                report.truncate(length);
                Ok(Some(report))
            }
            Err(Error::Timeout | Error::Interrupted) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

fn take(handle: &DeviceHandle<Context>, interface: u8) -> Result<(), Error> {
    let by_itself = handle.set_auto_detach_kernel_driver(true);
    let claimed = by_itself.and_then(|()| handle.claim_interface(interface));
    match claimed {
        // Some systems cannot say which driver holds an interface; without asking it may work.
        Err(Error::Other | Error::NotSupported) => {
            match handle.set_auto_detach_kernel_driver(false) {
                Ok(()) | Err(Error::NotSupported) => {}
                Err(error) => return Err(error),
            }
            handle.claim_interface(interface)
        }
        claimed => claimed,
    }
}

impl Feature for Claimed {
    type Error = UsbError;

    fn put(&self, report: &Report) -> Result<(), UsbError> {
        let to = request_type(Direction::Out, RequestType::Class, Recipient::Interface);
        let number = u16::from(self.source.interface);
        let bytes = report.as_slice();
        let sent = self.handle.write_control(to, SET_REPORT, FEATURE, number, bytes, ANSWER_MAX)?;
        if sent == REPORT_BYTES { Ok(()) } else { Err(UsbError::Fault(Error::Other)) }
    }

    fn get(&self) -> Result<Report, UsbError> {
        let from = request_type(Direction::In, RequestType::Class, Recipient::Interface);
        let number = u16::from(self.source.interface);
        let mut report = Report::default();
        let into = report.as_mut_slice();
        let got = self.handle.read_control(from, GET_REPORT, FEATURE, number, into, ANSWER_MAX)?;
        // A short answer leaves zeros, which say that nothing is there.
        if got == REPORT_BYTES { Ok(report) } else { Err(UsbError::Fault(Error::Overflow)) }
    }
}
