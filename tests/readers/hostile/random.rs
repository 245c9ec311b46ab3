//! Random answers to everything a card is asked.
//!
//! Every work meets an honest card some of whose answers are made up: wholly random, cut, lengthened,
//! with a bit turned over, or with another status word. Nothing panics, every work ends within its
//! bounds, and what comes out is what an honest card would have given, or a refusal.
//! `WARDKEEP_RANDOM_ANSWERS` sets how many answers are made up, 1,000,000 for the published figure.

use std::io::Write;
use std::time::Duration;

use wardkeep_hardware::card::exchange::{EXCHANGES_MAX, OBJECT_MAX};
use wardkeep_hardware::card::proof::look;
use wardkeep_hardware::trust::Trusted;
use wardkeep_model::moment::Moment;
use zeroize::Zeroizing;

use super::{Bench, Claim, Raw, enrol, prove};
use kit::readers::piv_model::{Model, PIN, pin};

/// Made-up answers by default: a few seconds' worth.
const DEFAULT: u64 = 50_000;
/// Commands of one work, chains and parts not counted.
const COMMANDS_MAX: usize = 12;
/// No work with a card that answers at once may take more of the processor.
const WORK_MAX: Duration = Duration::from_secs(2);

/// A small generator (xorshift64*), so that a seed tells the whole run.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// Below this number.
    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() >> 33).expect("31 bits") % end
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.next().to_be_bytes()[0]).collect()
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// Something else than the honest answer; now and then the same by chance.
    fn bend(&mut self, answer: &[u8]) -> Vec<u8> {
        let mut bent = answer.to_vec();
        match self.below(8) {
            0 => {
                let length = self.pick(&[0, 1, 2, 3, 7, 40, 255, 256, 258, 259, 1_000]);
                bent = self.bytes(length);
            }
            1 => bent = [self.bytes(30), self.status().to_vec()].concat(),
            2 => bent.truncate(self.below(answer.len() + 1)),
            3 => {
                let at = self.below(answer.len() + 1);
                bent.insert(at, self.next().to_be_bytes()[0]);
            }
            4 | 5 => {
                let at = self.below(answer.len().max(1));
                if let Some(byte) = bent.get_mut(at) {
                    *byte ^= 1 << self.below(8);
                }
            }
            6 => {
                bent.truncate(answer.len().saturating_sub(2));
                bent.extend_from_slice(&self.status());
            }
            _ => bent = self.status().to_vec(),
        }
        bent
    }

    fn status(&mut self) -> [u8; 2] {
        let low = self.next().to_be_bytes()[0];
        let high = self.pick(&[0x61, 0x6C, 0x63, 0x69, 0x6A, 0x90, 0x67, low]);
        [high, if high == 0x90 { 0 } else { low }]
    }
}

/// A card of which some answers are made up.
struct Liar<'a> {
    card: &'a mut Model,
    dice: &'a mut Dice,
    /// Honest answers before the first made-up one.
    honest_for: usize,
    /// Of so many answers after that, one is made up.
    one_in: usize,
    /// Every made-up answer announces more.
    endless: bool,
    made_up: u64,
    sent: usize,
    /// The last answer about a signature was not the card's own.
    forged: bool,
}

impl Liar<'_> {
    fn answer(&mut self, command: &[u8]) -> Raw {
        self.sent += 1;
        // The card is asked in any case, so that its state goes on.
        let answer = self.card.answer(command);
        let begins = self.sent == self.honest_for + 1;
        let goes_on = self.sent > self.honest_for && self.dice.below(self.one_in) == 0;
        let is_signature = command.get(1) == Some(&0x87) && command.get(3) == Some(&0x9A);
        if !begins && !goes_on {
            self.forged &= !is_signature;
            return Ok(Zeroizing::new(answer));
        }
        self.made_up += 1;
        let mut bent = self.dice.bend(&answer);
        if self.endless {
            bent.truncate(200);
            bent.extend_from_slice(&[0x61, self.dice.next().to_be_bytes()[0]]);
        }
        if is_signature {
            // The same signature may come in parts, or on being asked again.
            let signature =
                |answer: &[u8]| answer.split_last_chunk::<2>().map(|(it, _)| it.to_vec());
            self.forged = signature(&bent) != signature(&answer);
        }
        Ok(Zeroizing::new(bent))
    }
}

/// How long this thread has run: a busy machine does not lengthen it.
fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).expect("a time since the thread began")
}

/// Honest answers before the first made-up one. What comes after the PIN is computed at length, so
/// it is reached by one work in thirty.
fn honest_answers(dice: &mut Dice) -> usize {
    let late = dice.below(30) == 0;
    if late { 5 + dice.below(5) } else { dice.below(5) }
}

#[test]
fn s4_random_answers_prove_nothing_and_end() {
    let wanted = std::env::var("WARDKEEP_RANDOM_ANSWERS")
        .map_or(DEFAULT, |number| number.parse().expect("a number of answers"));
    let mut dice = Dice(0x05EE_D0FC_A4D5);
    let mut bench = Bench::new();
    let enrolment = bench.enrolled();
    let certificate = bench.card.certificate();
    // Judged once: the judgement has its own tests, and would take most of the time.
    let trusted = bench.trust.judge(&certificate, Moment::read().wall).expect("its own card");
    let judge = |_: &[u8]| -> Result<Trusted, _> { Ok(trusted.clone()) };
    let six = pin(&PIN);
    let claim = Claim { look: &bench.look, pin: &six, judge: &judge };
    let (mut made_up, mut works, mut most, mut proofs) = (0, 0_u64, 0, 0_u64);
    let mut longest = Duration::ZERO;
    while made_up < wanted {
        bench.card.reset();
        let mut liar = Liar {
            honest_for: honest_answers(&mut dice),
            one_in: dice.pick(&[1, 2, 8]),
            endless: dice.below(200) == 0,
            card: &mut bench.card,
            dice: &mut dice,
            made_up: 0,
            sent: 0,
            forged: false,
        };
        let began = processor_time();
        match works % 8 {
            0 => drop(look(|command: &[u8]| liar.answer(command))),
            1..6 => {
                let proved = prove(|command: &[u8]| liar.answer(command), &claim, &enrolment.peer);
                proofs += u64::from(proved.is_ok());
                assert!(proved.is_err() || !liar.forged, "work {works}");
                let length = proved.map_or(32, |proof| proof.0.expose().len());
                assert_eq!(length, 32);
            }
            _ => {
                let enrolled = enrol(|command: &[u8]| liar.answer(command), &claim);
                if let Ok(enrolled) = enrolled {
                    proofs += 1;
                    assert!(!liar.forged, "work {works}");
                    let share = liar.card.share(&enrolled.peer.0).expect("a point on the curve");
                    assert_eq!(*enrolled.secret.expose(), share, "work {works}");
                }
            }
        }
        longest = longest.max(processor_time().saturating_sub(began));
        (made_up, most) = (made_up + liar.made_up, most.max(liar.sent));
        works += 1;
    }
    let figure = format!(
        "{made_up} made-up answers in {works} works, {proofs} proofs in spite of them; at most {most} \
         exchanges and {longest:?} in one, {OBJECT_MAX} bytes kept at most\n"
    );
    std::io::stderr().write_all(figure.as_bytes()).expect("standard error is open");
    assert!(most <= COMMANDS_MAX * EXCHANGES_MAX);
    assert!(longest < WORK_MAX, "{longest:?}");
}
