//! One command's work with a fingerprint reader, from claiming it to letting it go.

use std::time::Duration;

use crate::fingerprint::frame;
use crate::fingerprint::libfprint::{Cancel, Failure, Open, Print, Progress};
use crate::fingerprint::mailbox::Mailbox;
use crate::fingerprint::reader::Reader;
use crate::outlet::Closed;
use wardkeep_model::access::factor::{Attempt, Finger, Template, TemplateId};
use wardkeep_model::confidential::Secret;
use wardkeep_model::ports::{FingerAdvice, FingerEvent, FingerFault};

/// Failures in a row after which a reader is given up.
const ERRORS_MAX: u32 = 5;
/// Between two touches: no reader, however broken, can flood the core.
const PACE: Duration = Duration::from_millis(200);
/// Longest wait after a failure.
const ERROR_WAIT_MAX: Duration = Duration::from_secs(8);

/// How the work ended.
pub(super) enum Outcome {
    /// This is the answer.
    Answer(FingerEvent),
    /// A newer command waits, or the driver ends.
    CalledOff,
    /// The reader is gone.
    Unplugged,
}

/// What a touch was.
enum Touch {
    /// The finger of this template.
    Match(usize),
    /// None of the templates'.
    Stranger,
    /// Not the one that was compared; the next touch is compared with the next one.
    Another,
}

/// Waits for one of the fingers.
pub(super) fn identify(
    mailbox: &mut Mailbox,
    reader: &Reader,
    error_wait: Duration,
    (attempt, templates): (Attempt, Vec<Template>),
) -> Result<Outcome, Closed> {
    let failed = |fault| Ok(Outcome::Answer(FingerEvent::Failed(attempt, fault)));
    if !templates.iter().any(|template| template.sensor == reader.sensor) {
        return failed(FingerFault::OtherSensor);
    }
    let (ids, prints) = load(reader, &templates);
    // From here on only libfprint's form of them is needed.
    drop(templates);
    if prints.is_empty() {
        return failed(FingerFault::Broken);
    }
    let mut comparison = Comparison { prints, turn: 0, at_once: reader.device.can_identify() };
    let mut wait = error_wait;
    let mut errors = 0;
    let mut claim: Option<Open<'_>> = None;
    loop {
        if mailbox.settle()? {
            return Ok(Outcome::CalledOff);
        }
        let Some(cancel) = mailbox.arm(&reader.library) else { return Ok(Outcome::CalledOff) };
        let open = match claim.take() {
            Some(open) => Ok(open),
            None => Open::claim(&reader.device),
        };
        let touch = open.and_then(|open| comparison.compare(claim.insert(open), &cancel));
        mailbox.disarm();
        if mailbox.is_called_off() {
            return Ok(Outcome::CalledOff);
        }
        let told = match touch {
            Ok(Touch::Match(place)) => match ids.get(place) {
                Some(id) => return Ok(Outcome::Answer(FingerEvent::Matched(attempt, *id))),
                None => return failed(FingerFault::Broken),
            },
            Ok(Touch::Stranger) => FingerEvent::NotMatched(attempt),
            Ok(Touch::Another) => FingerEvent::Retry(attempt, FingerAdvice::Again),
            Err(Failure::Retry(advice)) => FingerEvent::Retry(attempt, advice),
            Err(Failure::Removed) => return Ok(Outcome::Unplugged),
            Err(Failure::Cancelled | Failure::Duplicate | Failure::Device(_)) => {
                claim = None;
                errors += 1;
                if errors == ERRORS_MAX {
                    return failed(FingerFault::Broken);
                }
                if mailbox.pause(wait) {
                    return Ok(Outcome::CalledOff);
                }
                wait = (wait * 2).min(ERROR_WAIT_MAX);
                continue;
            }
        };
        (errors, wait) = (0, error_wait);
        mailbox.tell(told)?;
        if mailbox.pause(PACE) {
            return Ok(Outcome::CalledOff);
        }
    }
}

/// The templates that were taken on this reader, as libfprint takes them, and whose they are.
fn load(reader: &Reader, templates: &[Template]) -> (Vec<TemplateId>, Vec<Print>) {
    let of_reader = templates.iter().filter(|template| template.sensor == reader.sensor);
    of_reader
        .filter_map(|template| {
            let intact = match frame::open(template.print.expose()) {
                Ok(intact) => intact,
                Err(error) => {
                    tracing::error!(%error, "a fingerprint template was not used");
                    return None;
                }
            };
            match Print::new(&reader.library, intact) {
                Ok(print) => Some((template.id, print)),
                Err(error) => {
                    tracing::error!(%error, "a fingerprint template was refused by libfprint");
                    None
                }
            }
        })
        .unzip()
}

/// The prints that a touch is compared with: all at once where the reader can, else one per touch.
struct Comparison {
    prints: Vec<Print>,
    /// Which one is next.
    turn: usize,
    at_once: bool,
}

impl Comparison {
    fn compare(&mut self, open: &Open<'_>, cancel: &Cancel) -> Result<Touch, Failure> {
        if self.at_once {
            let place = open.identify(&self.prints, cancel)?;
            return Ok(place.map_or(Touch::Stranger, Touch::Match));
        }
        let Some(print) = self.prints.get(self.turn) else { return Err(Failure::Device(None)) };
        if open.verify(print, cancel)? {
            return Ok(Touch::Match(self.turn));
        }
        self.turn = (self.turn + 1) % self.prints.len();
        Ok(if self.turn == 0 { Touch::Stranger } else { Touch::Another })
    }
}

/// Takes a new template. A failing reader ends it: the person is there and can begin again.
pub(super) fn enrol(
    mailbox: &mut Mailbox,
    reader: &Reader,
    attempt: Attempt,
    finger: Finger,
) -> Result<Outcome, Closed> {
    let failed = |fault| Ok(Outcome::Answer(FingerEvent::Failed(attempt, fault)));
    if mailbox.settle()? {
        return Ok(Outcome::CalledOff);
    }
    let Some(cancel) = mailbox.arm(&reader.library) else { return Ok(Outcome::CalledOff) };
    let mut heard = Ok(());
    let tell = |progress| {
        let event = match progress {
            Progress::Stage(done, stages) => FingerEvent::Stage(attempt, done, stages),
            Progress::Advice(advice) => FingerEvent::Retry(attempt, advice),
        };
        heard = heard.and(mailbox.tell(event));
    };
    let print = Open::claim(&reader.device).and_then(|open| open.enrol(&cancel, tell));
    heard?;
    mailbox.disarm();
    match print {
        Ok(print) => match template(reader, finger, &print) {
            Some(template) => Ok(Outcome::Answer(FingerEvent::Enrolled(attempt, template))),
            None => failed(FingerFault::Broken),
        },
        Err(Failure::Removed) => Ok(Outcome::Unplugged),
        Err(Failure::Duplicate) => failed(FingerFault::Duplicate),
        Err(Failure::Cancelled) if mailbox.is_called_off() => Ok(Outcome::CalledOff),
        Err(Failure::Cancelled | Failure::Retry(_) | Failure::Device(_)) => {
            failed(FingerFault::Broken)
        }
    }
}

fn template(reader: &Reader, finger: Finger, print: &[u8]) -> Option<Template> {
    let mut id = [0; size_of::<u128>()];
    if let Err(error) = getrandom::fill(&mut id) {
        tracing::error!(%error, "the system gives no random numbers");
        return None;
    }
    let mut frame = frame::seal(print)
        .inspect_err(|error| tracing::error!(%error, "libfprint gave an impossible print"))
        .ok()?;
    Some(Template {
        id: TemplateId(u128::from_be_bytes(id)),
        finger,
        sensor: reader.sensor.clone(),
        print: Secret::new(std::mem::take(&mut *frame)),
    })
}
