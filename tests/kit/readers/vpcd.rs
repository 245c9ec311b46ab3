//! A scripted badge for the vpcd driver of a real pcscd.
//!
//! vpcd is the TCP server and the card connects to it: connecting lays the badge on the reader,
//! closing takes it away. A frame is a length of two bytes, most significant first, and that many
//! bytes; one byte from vpcd is a control code, more are a command APDU.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpStream};
use std::os::linux::net::TcpStreamExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use wardkeep_model::moment::Moment;

/// vpcd asks for the answer to reset. The other codes (off, on, reset) want no answer.
const CONTROL_ATR: u8 = 4;
/// How long a free slot of vpcd may take to accept: pcscd looks every 400 ms, if it lives.
const ACCEPT_MAX: Duration = Duration::from_secs(60);

/// Answer to reset of a contactless storage card, as a reader builds it (PC/SC part 3).
pub const CONTACTLESS_ATR: [u8; 20] = [
    0x3B, 0x8F, 0x80, 0x01, 0x80, 0x4F, 0x0C, 0xA0, 0x00, 0x00, 0x03, 0x06, 0x03, 0x00, 0x01, 0x00,
    0x00, 0x00, 0x00, 0x6A,
];
/// Answer to reset of a card with contacts.
pub const CONTACT_ATR: [u8; 8] = [0x3B, 0xDA, 0x18, 0xFF, 0x81, 0xB1, 0xFE, 0x75];

/// Answers a command; `None` keeps silent. Also told of vpcd's control codes, alone and without an
/// answer: 0 is off, 1 on, 2 reset.
pub type Answer = Arc<Mutex<dyn FnMut(&[u8]) -> Option<Vec<u8>> + Send>>;

/// What the badge does when it is asked for its number.
#[derive(Clone)]
pub enum Script {
    /// Answers with this number and `9000`.
    Uid(Vec<u8>),
    /// Answers with exactly these bytes; the frame's length is cut to what two bytes can say.
    Bytes(Vec<u8>),
    /// Never answers.
    Silence,
    /// Sends half of an answer, then leaves.
    DropHalfway,
    /// Answers as a card does.
    Card(Answer),
}

/// A badge on a reader. Dropping it takes it away.
#[derive(Debug)]
pub struct VirtualBadge {
    stream: TcpStream,
    /// Its number was told.
    told: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl VirtualBadge {
    /// Lays a contactless badge on the reader that listens at `port`.
    pub fn lay(port: u16, script: Script) -> Self {
        Self::lay_card(port, &CONTACTLESS_ATR, script)
    }

    /// Lays any card on the reader that listens at `port`.
    pub fn lay_card(port: u16, atr: &'static [u8], script: Script) -> Self {
        let address = (Ipv4Addr::LOCALHOST, port).into();
        let stream = TcpStream::connect_timeout(&address, ACCEPT_MAX).expect("vpcd listens");
        stream.set_nodelay(true).expect("a TCP option");
        let card = stream.try_clone().expect("a second handle of the socket");
        let told = Arc::new(AtomicBool::new(false));
        let tell = told.clone();
        let thread = thread::Builder::new()
            .name("virtual-badge".into())
            .spawn(move || serve(card, atr, &script, &tell))
            .expect("a thread");
        Self { stream, told, thread: Some(thread) }
    }

    /// Waits until it has told its number.
    pub fn until_told(&self) {
        let started = Moment::read().boot;
        while !self.told.load(Ordering::Acquire) {
            assert!(Moment::read().boot.since(started) < ACCEPT_MAX, "nobody asks for the number");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Takes the badge away. It stays on the reader's side until pcscd looks, up to 400 ms later.
    pub fn lift(self) {}
}

impl Drop for VirtualBadge {
    fn drop(&mut self) {
        // An error means that the other side has closed already.
        if self.stream.shutdown(Shutdown::Both).is_ok()
            && let Some(thread) = self.thread.take()
        {
            assert!(thread.join().is_ok() || thread::panicking(), "the virtual badge panicked");
        }
    }
}

/// Answers until the socket closes on either side.
fn serve(mut stream: TcpStream, atr: &[u8], script: &Script, told: &AtomicBool) {
    while let Ok(frame) = receive(&mut stream) {
        let sent = match (frame.as_slice(), script) {
            ([CONTROL_ATR], _) => send(&mut stream, atr),
            ([_] | [], Script::Card(answer)) => {
                (answer.lock().expect("a card that does not panic"))(&frame);
                Ok(())
            }
            ([_] | [], _) | (_, Script::Silence) => Ok(()),
            (_, Script::Uid(uid)) => {
                let sent = send(&mut stream, &[uid.as_slice(), &[0x90, 0x00]].concat());
                told.store(true, Ordering::Release);
                sent
            }
            (_, Script::Bytes(bytes)) => send(&mut stream, bytes),
            (command, Script::Card(answer)) => {
                let answer = (answer.lock().expect("a card that does not panic"))(command);
                answer.map_or(Ok(()), |answer| send(&mut stream, &answer))
            }
            (_, Script::DropHalfway) => stream
                .write_all(&[0x00, 0x06, 0x01, 0x02])
                .and_then(|()| stream.shutdown(Shutdown::Both)),
        };
        if sent.is_err() {
            return;
        }
    }
}

fn receive(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut length = [0; 2];
    read_all(stream, &mut length)?;
    let mut frame = vec![0; usize::from(u16::from_be_bytes(length))];
    read_all(stream, &mut frame)?;
    Ok(frame)
}

/// Acknowledges at once: vpcd may send length and body apart, and a delayed acknowledgement between
/// them costs 40 ms a command. The option does not last, so it is set again after every read.
fn read_all(stream: &mut TcpStream, buffer: &mut [u8]) -> std::io::Result<()> {
    stream.set_quickack(true)?;
    stream.read_exact(buffer)?;
    stream.set_quickack(true)
}

/// One write per frame, for the same reason.
fn send(stream: &mut TcpStream, answer: &[u8]) -> std::io::Result<()> {
    let length = u16::try_from(answer.len()).unwrap_or(u16::MAX);
    stream.write_all(&[&length.to_be_bytes(), answer].concat())
}

/// Waits until something listens at `port`, without connecting to it.
pub fn wait_for_port(port: u16, patience: Duration) -> bool {
    let needle = format!(":{port:04X} 00000000:0000 0A");
    let started = Moment::read().boot;
    while Moment::read().boot.since(started) < patience {
        if std::fs::read_to_string("/proc/net/tcp").is_ok_and(|table| table.contains(&needle)) {
            return true;
        }
        thread::sleep(Duration::from_millis(5));
    }
    false
}
