//! What smart cards are taken through, with an honest model of a card and with hostile ones.
//!
//! No reader: the card is a closure. The same on a real reader service is in `readers::card`.

mod bounds;
mod random;

use wardkeep_hardware::card::proof::{Claim, Ended, Look, enrol, look, prove};
use wardkeep_hardware::trust::{Trust, Trusted};
use wardkeep_model::access::factor::CardEnrolment;
use wardkeep_model::access::factor::{CardPeer, Pin};
use wardkeep_model::access::refusal::Distrust;
use wardkeep_model::moment::Moment;
use wardkeep_model::ports::{CardRefusal, Proof};
use zeroize::Zeroizing;

use kit::readers::piv_model::{Model, PIN, Site, object, pin};

/// The reader is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Unplugged;

type Raw = Result<Zeroizing<Vec<u8>>, Unplugged>;
type Refused = Ended<Unplugged, CardRefusal>;

fn judged<A>(refusal: CardRefusal) -> Result<A, Refused> {
    Err(Ended::Judged(refusal))
}

/// Lets a card speak for itself.
fn honest(card: &mut Model) -> impl FnMut(&[u8]) -> Raw + '_ {
    |command| Ok(Zeroizing::new(card.answer(command)))
}

fn look_at(card: &mut Model) -> Look {
    look(honest(card)).expect("an honest card")
}

/// A site, a card of it, what that card agreed on at its enrolment, and how often a command was sent.
struct Bench {
    site: Site,
    card: Model,
    look: Look,
    trust: Trust,
}

impl Bench {
    fn new() -> Self {
        let mut site = Site::new();
        let mut card = site.issue();
        let look = look_at(&mut card);
        card.asked.clear();
        Self { trust: site.trust(), site, card, look }
    }

    fn judge(&self) -> impl Fn(&[u8]) -> Result<Trusted, Distrust> + use<'_> {
        |certificate| self.trust.judge(certificate, Moment::read().wall)
    }

    fn enrol_by(
        &self,
        pin: &Pin,
        card: impl FnMut(&[u8]) -> Raw,
    ) -> Result<CardEnrolment, Refused> {
        enrol(card, &Claim { look: &self.look, pin, judge: &self.judge() })
    }

    fn prove_by(
        &self,
        pin: &Pin,
        peer: &CardPeer,
        card: impl FnMut(&[u8]) -> Raw,
    ) -> Result<Proof, Refused> {
        prove(card, &Claim { look: &self.look, pin, judge: &self.judge() }, peer)
    }

    /// With the card aside, so that the bench can be asked meanwhile.
    fn with_card<A>(&mut self, act: impl FnOnce(&Self, &mut Model) -> A) -> A {
        let mut card = std::mem::replace(&mut self.card, self.site.issue());
        let done = act(self, &mut card);
        self.card = card;
        done
    }

    fn enrol(&mut self) -> Result<CardEnrolment, Refused> {
        self.with_card(|bench, card| bench.enrol_by(&pin(&PIN), honest(card)))
    }

    fn prove(&mut self, digits: &[u8], peer: &CardPeer) -> Result<Proof, Refused> {
        self.with_card(|bench, card| bench.prove_by(&pin(digits), peer, honest(card)))
    }

    fn enrolled(&mut self) -> CardEnrolment {
        let enrolment = self.enrol().expect("an honest card");
        self.card.asked.clear();
        enrolment
    }
}

#[test]
fn an_honest_card_agrees_on_the_same_secret_again() {
    for (chunk, corrects, known_as, larger, share) in [
        (256, false, 11, false, 32),
        (256, true, 9, false, 32),
        (17, false, 5, false, 32),
        (8, true, 11, true, 48),
        (128, false, 5, true, 48),
    ] {
        let mut bench = Bench::new();
        bench.card.chunk = chunk;
        bench.card.corrects = corrects;
        bench.card.known_as = known_as;
        bench.with_card(|_, _| ());
        if larger {
            bench.site.give_agreement(&mut bench.card, true);
        }
        let enrolment = bench.enrolled();
        assert_eq!(enrolment.card, bench.look.seen.card);
        assert_eq!(enrolment.subject, bench.look.seen.subject);
        assert_eq!(enrolment.secret.expose().len(), share);
        let proof = bench.prove(&PIN, &enrolment.peer).expect("the right PIN");
        assert_eq!(proof.0.expose(), enrolment.secret.expose());
        assert!(!bench.card.verified, "the PIN was taken back");
        let again = bench.enrolled();
        assert_ne!(again.peer, enrolment.peer, "a new peer for every slot");
    }
}

#[test]
fn what_the_card_says_of_its_pin_is_passed_on() {
    let peer = Bench::new().enrolled().peer;
    let wrong = [1, 2, 3, 4, 5, 7];
    for (tries, tells, digits, expected, left, pin_sent) in [
        (3, true, wrong, CardRefusal::WrongPin { tries_left: 2 }, 2, true),
        (2, true, wrong, CardRefusal::WrongPin { tries_left: 1 }, 1, true),
        (1, true, wrong, CardRefusal::LastTry, 1, false),
        (1, true, PIN, CardRefusal::LastTry, 1, false),
        (0, true, PIN, CardRefusal::Blocked, 0, false),
        // A card that does not tell: its last try cannot be known.
        (1, false, wrong, CardRefusal::Blocked, 0, true),
        (0, false, PIN, CardRefusal::Blocked, 0, true),
    ] {
        let mut bench = Bench::new();
        (bench.card.tries, bench.card.tells_tries) = (tries, tells);
        assert_eq!(bench.prove(&digits, &peer), judged(expected), "{tries} {tells}");
        assert_eq!(bench.card.tries, left, "{tries} {tells}");
        assert_eq!(bench.card.saw_a_pin(), pin_sent, "{tries} {tells}");
    }
}

#[test]
fn a_pin_that_somebody_left_verified_does_not_hide_the_counter() {
    let mut bench = Bench::new();
    let peer = bench.enrolled().peer;
    let commands = |card: &mut Model, command: &[u8]| {
        let answer = card.answer(command);
        // Left by another program before the PIN is asked for.
        card.verified |= command[1] == 0xCB;
        Ok(Zeroizing::new(answer))
    };
    bench.card.tries = 1;
    let proved = bench.with_card(|bench, card| {
        bench.prove_by(&pin(&PIN), &peer, |command| commands(card, command))
    });
    assert_eq!(proved, judged(CardRefusal::LastTry));
    assert!(!bench.card.saw_a_pin());
}

#[test]
fn s4_no_pin_is_shown_to_another_card() {
    let mut bench = Bench::new();
    let peer = bench.enrolled().peer;
    let honest_card = std::mem::replace(&mut bench.card, bench.site.issue());
    assert_eq!(bench.prove(&PIN, &peer), judged(CardRefusal::Changed));
    assert!(!bench.card.saw_a_pin(), "swapped between two digits");

    // The same key, but another certificate than at insertion: another length, other contents.
    bench.card = honest_card;
    bench.site.certify_again(&mut bench.card);
    assert_eq!(bench.prove(&PIN, &peer), judged(CardRefusal::Broken));
    assert_eq!(bench.enrol(), judged(CardRefusal::Broken));
    assert!(!bench.card.saw_a_pin());

    for (objects, refusal) in [
        ([vec![], vec![]], CardRefusal::Changed),
        ([object(&[0x30, 0x00]), vec![]], CardRefusal::Broken),
        ([vec![0x53, 0x01, 0x00], vec![]], CardRefusal::Broken),
    ] {
        bench.card.objects = objects;
        assert_eq!(bench.prove(&PIN, &peer), judged(refusal));
        assert!(!bench.card.saw_a_pin());
    }
}

#[test]
fn s4_no_pin_is_shown_to_a_card_that_is_not_trusted() {
    let mut bench = Bench::new();
    let peer = bench.enrolled().peer;
    bench.trust = Site::new().trust();
    let refusal = CardRefusal::NotTrusted(Distrust::UnknownIssuer);
    assert_eq!(bench.prove(&PIN, &peer), judged(refusal));
    assert_eq!(bench.enrol(), judged(refusal));
    assert!(!bench.card.saw_a_pin());
}

#[test]
fn keys_that_cannot_agree_are_named() {
    let mut bench = Bench::new();
    for peer in [vec![], vec![4; 64], vec![3; 65], vec![4; 66]] {
        assert_eq!(bench.prove(&PIN, &CardPeer(peer)), judged(CardRefusal::NoKey));
    }
    // Not on the curve: the card refuses it.
    assert_eq!(bench.prove(&PIN, &CardPeer(vec![4; 65])), judged(CardRefusal::NoKey));
    bench.card.objects[1] = vec![];
    assert_eq!(bench.enrol(), judged(CardRefusal::NoKey));
    bench.card.objects[1] = object(&[0x30, 0x00]);
    assert_eq!(bench.enrol(), judged(CardRefusal::NoKey));
    let signing = bench.card.objects[0].clone();
    bench.card.objects[1] = signing;
    assert_eq!(bench.enrol(), judged(CardRefusal::Broken), "a key that 9D does not hold");
}

/// A card that says `9000` to every PIN and cannot sign, whatever else it answers.
#[test]
fn s4_an_accepted_pin_is_no_proof() {
    let mut bench = Bench::new();
    let peer = bench.enrolled().peer;
    let share = [&[0x7C, 0x22, 0x82, 0x20][..], &[5; 32], &[0x90, 0x00]].concat();
    for answer in
        [&[0x90, 0x00][..], &[0x69, 0x82], &[0x7C, 0x04, 0x82, 0x02, 1, 2, 0x90, 0], &share]
    {
        let liar = |card: &mut Model, command: &[u8]| {
            Ok(Zeroizing::new(match command[1] {
                0x20 => vec![0x90, 0x00],
                0x87 => answer.to_vec(),
                _ => card.answer(command),
            }))
        };
        let (proved, enrolled) = bench.with_card(|bench, card| {
            let proved = bench.prove_by(&pin(&PIN), &peer, |command| liar(card, command));
            (proved, bench.enrol_by(&pin(&PIN), |command| liar(card, command)))
        });
        assert_eq!(proved, judged(CardRefusal::Broken));
        assert_eq!(enrolled, judged(CardRefusal::Broken));
    }
}

/// A card that signs for another key, replays an old signature, or agrees on something else.
#[test]
fn s4_signatures_are_fresh_and_agreements_are_checked() {
    let mut bench = Bench::new();
    let mut stranger = bench.site.issue();
    assert!(stranger.answer(&[0, 0x20, 0, 0x80, 8, 52, 55, 49, 49, 50, 48, 255, 255]) == [0x90, 0]);
    let mut recorded = None;
    let peer = bench.enrolled().peer;
    let first = bench.with_card(|bench, card| {
        bench.prove_by(&pin(&PIN), &peer, |command| {
            let answer = card.answer(command);
            if command[1] == 0x87 && command[3] == 0x9A {
                recorded = Some(answer.clone());
            }
            Ok(Zeroizing::new(answer))
        })
    });
    assert!(first.is_ok());
    let recorded = recorded.expect("a signature");
    let replayed = bench.with_card(|bench, card| {
        bench.prove_by(&pin(&PIN), &peer, |command| {
            let is_sign = command[1] == 0x87 && command[3] == 0x9A;
            let answer = card.answer(command);
            Ok(Zeroizing::new(if is_sign { recorded.clone() } else { answer }))
        })
    });
    assert_eq!(replayed, judged(CardRefusal::Broken));
    for (key, enrolled) in
        [(0x9A, judged(CardRefusal::Broken)), (0x9D, judged(CardRefusal::Broken))]
    {
        let with_stranger = bench.with_card(|bench, card| {
            bench.enrol_by(&pin(&PIN), |command| {
                let is_stranger = command[1] == 0x87 && command[3] == key;
                let speaker = if is_stranger { &mut stranger } else { &mut *card };
                Ok(Zeroizing::new(speaker.answer(command)))
            })
        });
        assert_eq!(with_stranger, enrolled, "{key:X}");
    }
}
