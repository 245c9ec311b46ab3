//! A counter in the non-volatile memory of a TPM 2.0: it only ever goes up, and no copy of the disk
//! brings an earlier count back.
//!
//! Such memory wears out: data sheets give 100,000 to 500,000 writes. So the count is the sum of [`BANK`] counters
//! that move in turns. A move a minute, day and night for ten years, and 120 logins a day, are 5.7 million
//! moves, 356,000 of each.
//!
//! Four commands of the TPM 2.0 Library, Part 3: `NV_ReadPublic` (31.6), `NV_DefineSpace` (31.3),
//! `NV_Increment` (31.8) and `NV_Read` (31.13), over the kernel's resource manager. The index asks for no
//! secret: whoever may talk to the TPM could move the counter on, which raises a false alarm and hides
//! nothing. It takes no part in the dictionary lockout (`TPMA_NV_NO_DA`).
//!
//! Every answer is untrusted: parsing is total and bounded by [`ANSWER_MAX`].

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::Duration;

/// The kernel's resource manager.
pub const DEVICE: &str = "/dev/tpmrm0";
/// The first of ours in the range that the owner gives out (0x01800000 to 0x01BFFFFF).
pub const INDEX: u32 = 0x0180_574b;
/// Counters that take turns; a TPM with less room has fewer.
pub const BANK: u32 = 16;
/// Longest answer that is read.
pub const ANSWER_MAX: usize = 4096;

const NO_SESSIONS: u16 = 0x8001;
const SESSIONS: u16 = 0x8002;
const NV_DEFINE_SPACE: u32 = 0x0000_012a;
const NV_INCREMENT: u32 = 0x0000_0134;
const NV_READ: u32 = 0x0000_014e;
const NV_READ_PUBLIC: u32 = 0x0000_0169;
const OWNER: u32 = 0x4000_0001;
const PASSWORD: u32 = 0x4000_0009;
const SHA256: u16 = 0x000b;
/// `TPM_NT_COUNTER`, written and read with the index's own (empty) authorisation, `TPMA_NV_NO_DA`.
const ATTRIBUTES: u32 = (1 << 4) | (1 << 2) | (1 << 18) | (1 << 25);
const SUCCESS: u32 = 0;
/// `TPM_RC_HANDLE` for the first handle: there is no such index.
const NO_INDEX: u32 = 0x18b;
/// `TPM_RC_NV_UNINITIALIZED`: never incremented.
const NEVER_WRITTEN: u32 = 0x14a;
/// `TPM_RC_YIELDED`, `TESTING`, `NV_RATE`, `RETRY`: the same again, a little later.
const LATER: [u32; 4] = [0x908, 0x90a, 0x920, 0x922];
const RETRIES: u32 = 20;
const RETRY_AFTER: Duration = Duration::from_millis(25);
const COUNTER_LEN: u16 = 8;

/// Why there is no count.
#[derive(Debug, thiserror::Error)]
pub enum TpmFault {
    /// The device did not answer.
    #[error("TPM does not answer")]
    Io(#[from] io::Error),
    /// An answer is not one of a TPM.
    #[error("TPM answered nonsense")]
    Nonsense,
    /// The TPM refused.
    #[error("TPM refused with response code {0:#x}")]
    Refused(u32),
    /// Something else has the index.
    #[error("NV index {INDEX:#x} and those after it are not counters of ours")]
    Taken,
}

/// Something that takes one whole command and gives one whole answer.
pub trait Transport {
    /// Sends a command and waits for its answer.
    ///
    /// # Errors
    /// As the device.
    fn exchange(&mut self, command: &[u8]) -> io::Result<Vec<u8>>;
}

/// A character device, or a simulator's stream that carries bare commands.
#[derive(Debug)]
pub struct Stream<S>(pub S);

impl<S: Read + Write> Transport for Stream<S> {
    fn exchange(&mut self, command: &[u8]) -> io::Result<Vec<u8>> {
        self.0.write_all(command)?;
        let mut answer = vec![0; ANSWER_MAX];
        let mut len = 0;
        loop {
            let room = answer.get_mut(len..).unwrap_or_default();
            let read = self.0.read(room)?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            len += read;
            let wanted = answer.get(2..6).and_then(|size| <[u8; 4]>::try_from(size).ok());
            let wanted = wanted.map(|size| u32::from_be_bytes(size) as usize);
            let whole = len >= 10 && wanted.is_some_and(|wanted| len >= wanted);
            if whole || len == ANSWER_MAX {
                answer.truncate(len);
                return Ok(answer);
            }
        }
    }
}

/// The counter of one TPM.
#[derive(Debug)]
pub struct TpmCounter<T> {
    transport: T,
    /// The counters that there are, and where each of them stands; empty until they were read.
    bank: Vec<(u32, u64)>,
}

impl TpmCounter<Stream<File>> {
    /// The counter behind this device.
    ///
    /// # Errors
    /// There is no such device, or this user may not use it.
    pub fn open(device: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).open(device)?;
        Ok(Self::new(Stream(file)))
    }
}

impl<T: Transport> TpmCounter<T> {
    /// The counter behind this transport.
    pub fn new(transport: T) -> Self {
        Self { transport, bank: Vec::new() }
    }

    /// The present count; `None` if it was never made.
    ///
    /// # Errors
    /// As the TPM.
    pub fn read(&mut self) -> Result<Option<u64>, TpmFault> {
        self.bank.clear();
        let (mut bank, mut taken) = (Vec::new(), false);
        for index in bank_of() {
            match self.is_defined(index) {
                Ok(true) => bank.push((index, self.count_of(index)?)),
                Ok(false) => {}
                Err(TpmFault::Taken) => taken = true,
                Err(fault) => return Err(fault),
            }
        }
        if bank.is_empty() && taken {
            return Err(TpmFault::Taken);
        }
        self.bank = bank;
        Ok(self.sum())
    }

    /// Moves the counter up by one, and makes it first where there is none; the new count.
    ///
    /// # Errors
    /// As the TPM; whether the counter moved then is known by reading it.
    pub fn advance(&mut self) -> Result<u64, TpmFault> {
        if self.bank.is_empty() && self.read()?.is_none() {
            self.make()?;
        }
        let moved = self.advance_next();
        if moved.is_err() {
            self.bank.clear();
        }
        moved
    }

    /// Makes as many counters as there is room for, where they are not there; the count then. Counters that are
    /// made begin above every count that this TPM ever had, so this may be done only by whoever
    /// remembers no count yet.
    ///
    /// # Errors
    /// As the TPM.
    pub fn make(&mut self) -> Result<u64, TpmFault> {
        let mut any = false;
        for index in bank_of() {
            match self.is_defined(index) {
                Ok(true) => any = true,
                Ok(false) => match self.define(index) {
                    // Never read before it was moved once.
                    Ok(()) => {
                        self.ask(NV_INCREMENT, &[index, index], &[])?;
                        any = true;
                    }
                    Err(TpmFault::Refused(_)) if any => break,
                    Err(fault) => return Err(fault),
                },
                Err(TpmFault::Taken) => {}
                Err(fault) => return Err(fault),
            }
        }
        self.read()?.ok_or(TpmFault::Taken)
    }

    fn sum(&self) -> Option<u64> {
        let counts = self.bank.iter().map(|(_, count)| *count);
        (!self.bank.is_empty()).then(|| counts.fold(0, u64::saturating_add))
    }

    /// Each move is of the next counter, because the count is one more each time.
    fn advance_next(&mut self) -> Result<u64, TpmFault> {
        let (sum, len) = (self.sum().ok_or(TpmFault::Nonsense)?, self.bank.len());
        let turn = usize::try_from(sum % len as u64).unwrap_or(0);
        let index = self.bank.get(turn).ok_or(TpmFault::Nonsense)?.0;
        self.ask(NV_INCREMENT, &[index, index], &[])?;
        let count = self.count_of(index)?;
        if let Some(counter) = self.bank.get_mut(turn) {
            counter.1 = count;
        }
        self.sum().ok_or(TpmFault::Nonsense)
    }

    /// Where one counter stands; zero if it was never moved.
    fn count_of(&mut self, index: u32) -> Result<u64, TpmFault> {
        let mut parameters = Vec::new();
        parameters.extend(COUNTER_LEN.to_be_bytes());
        parameters.extend(0_u16.to_be_bytes());
        match self.ask(NV_READ, &[index, index], &parameters) {
            Err(TpmFault::Refused(NEVER_WRITTEN)) => Ok(0),
            answer => count(&answer?).ok_or(TpmFault::Nonsense),
        }
    }

    fn is_defined(&mut self, index: u32) -> Result<bool, TpmFault> {
        let command = framed(NO_SESSIONS, NV_READ_PUBLIC, &index.to_be_bytes());
        let answer = match self.exchange(&command) {
            Err(TpmFault::Refused(NO_INDEX)) => return Ok(false),
            other => other?,
        };
        let is_ours = is_ours(&answer, index).ok_or(TpmFault::Nonsense)?;
        if is_ours { Ok(true) } else { Err(TpmFault::Taken) }
    }

    fn define(&mut self, index: u32) -> Result<(), TpmFault> {
        let mut public = Vec::new();
        public.extend(index.to_be_bytes());
        public.extend(SHA256.to_be_bytes());
        public.extend(ATTRIBUTES.to_be_bytes());
        public.extend(0_u16.to_be_bytes());
        public.extend(COUNTER_LEN.to_be_bytes());
        let mut parameters = Vec::new();
        parameters.extend(0_u16.to_be_bytes());
        parameters.extend(u16::try_from(public.len()).unwrap_or(u16::MAX).to_be_bytes());
        parameters.extend(public);
        self.ask(NV_DEFINE_SPACE, &[OWNER], &parameters).map(|_| ())
    }

    /// A command whose first handle is authorised by the empty password; the answer's parameters.
    fn ask(&mut self, code: u32, handles: &[u32], parameters: &[u8]) -> Result<Vec<u8>, TpmFault> {
        let mut body = Vec::new();
        for handle in handles {
            body.extend(handle.to_be_bytes());
        }
        // TPMS_AUTH_COMMAND: the password session, no nonce, no attributes, an empty password.
        body.extend(9_u32.to_be_bytes());
        body.extend(PASSWORD.to_be_bytes());
        body.extend([0; 5]);
        body.extend(parameters);
        self.exchange(&framed(SESSIONS, code, &body))
    }

    fn exchange(&mut self, command: &[u8]) -> Result<Vec<u8>, TpmFault> {
        for _ in 0..RETRIES {
            let answer = self.transport.exchange(command)?;
            let (code, body) = split(&answer).ok_or(TpmFault::Nonsense)?;
            if code == SUCCESS {
                return Ok(body.to_vec());
            }
            if !LATER.contains(&code) {
                return Err(TpmFault::Refused(code));
            }
            std::thread::sleep(RETRY_AFTER);
        }
        Err(io::Error::from(io::ErrorKind::TimedOut).into())
    }
}

fn framed(tag: u16, code: u32, body: &[u8]) -> Vec<u8> {
    let size = u32::try_from(10 + body.len()).unwrap_or(u32::MAX);
    [&tag.to_be_bytes()[..], &size.to_be_bytes(), &code.to_be_bytes(), body].concat()
}

/// An answer's response code and what follows; `None` if its size is not what it says.
fn split(answer: &[u8]) -> Option<(u32, &[u8])> {
    let (tag, rest) = answer.split_first_chunk()?;
    let (size, rest) = rest.split_first_chunk()?;
    let (code, body) = rest.split_first_chunk()?;
    let known = [NO_SESSIONS, SESSIONS].contains(&u16::from_be_bytes(*tag));
    let whole = usize::try_from(u32::from_be_bytes(*size)) == Ok(answer.len());
    (known && whole).then(|| (u32::from_be_bytes(*code), body))
}

fn bank_of() -> std::ops::Range<u32> {
    INDEX..INDEX + BANK
}

/// Whether `NV_ReadPublic` answered with a counter that can be used as ours is.
fn is_ours(answer: &[u8], wanted: u32) -> Option<bool> {
    let (_, public) = answer.split_first_chunk::<2>()?;
    let (index, rest) = public.split_first_chunk()?;
    let (_, rest) = rest.split_first_chunk::<2>()?;
    let (attributes, rest) = rest.split_first_chunk()?;
    let (policy, rest) = rest.split_first_chunk()?;
    let rest = rest.get(usize::from(u16::from_be_bytes(*policy))..)?;
    let (len, _) = rest.split_first_chunk()?;
    let kind = u32::from_be_bytes(*attributes) & (ATTRIBUTES | 0xf0);
    Some(
        u32::from_be_bytes(*index) == wanted
            && kind == ATTRIBUTES
            && u16::from_be_bytes(*len) == COUNTER_LEN,
    )
}

/// The count in the parameters of an answer to `NV_Read`.
fn count(answer: &[u8]) -> Option<u64> {
    let (_, rest) = answer.split_first_chunk::<4>()?;
    let (len, rest) = rest.split_first_chunk()?;
    let (count, _) = rest.split_first_chunk()?;
    (u16::from_be_bytes(*len) == COUNTER_LEN).then(|| u64::from_be_bytes(*count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Answers every command with the same bytes.
    struct Always(Vec<u8>);

    impl Transport for Always {
        fn exchange(&mut self, _: &[u8]) -> io::Result<Vec<u8>> {
            Ok(self.0.clone())
        }
    }

    #[test]
    fn a_refusal_names_its_code() {
        let refused = framed(NO_SESSIONS, 0x0000_0921, &[]);
        let fault = TpmCounter::new(Always(refused)).advance().unwrap_err();
        assert!(matches!(fault, TpmFault::Refused(0x921)), "{fault}");
    }

    #[test]
    fn an_index_of_somebody_else_is_left_alone() {
        let mut public = vec![0, 14];
        public.extend(INDEX.to_be_bytes());
        public.extend(SHA256.to_be_bytes());
        public.extend((ATTRIBUTES & !0xf0).to_be_bytes());
        public.extend([0, 0, 0, 8]);
        let answer = framed(NO_SESSIONS, SUCCESS, &public);
        assert!(matches!(TpmCounter::new(Always(answer)).advance(), Err(TpmFault::Taken)));
    }

    proptest! {
        #[test]
        fn any_answer_gives_a_count_or_a_fault(answer in prop::collection::vec(any::<u8>(), 0..64),
                                               sound in any::<bool>()) {
            let answer = if sound { framed(SESSIONS, SUCCESS, &answer) } else { answer };
            let looked = TpmCounter::new(Always(answer)).read();
            prop_assert!(!matches!(looked, Ok(Some(_))), "nothing here is a counter");
        }
    }
}
