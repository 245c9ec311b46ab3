//! A card that leaves, that never ends an answer, or that says too much, at every step of every work.

use wardkeep_hardware::card::exchange::EXCHANGES_MAX;
use wardkeep_hardware::card::proof::look;
use wardkeep_model::access::factor::CardPeer;
use zeroize::Zeroizing;

use super::{Bench, Raw, Refused, Unplugged, honest};
use kit::readers::piv_model::{PIN, pin};

/// A work with the card, and what came of it in one word.
fn works(bench: &Bench, peer: &CardPeer, mut card: impl FnMut(&[u8]) -> Raw) -> [String; 3] {
    let looked = match look(&mut card) {
        Ok(_) => "done".to_owned(),
        Err(ended) => format!("{ended:?}"),
    };
    let proved = bench.prove_by(&pin(&PIN), peer, &mut card);
    let enrolled = bench.enrol_by(&pin(&PIN), &mut card);
    [looked, word(proved), word(enrolled)]
}

fn word<A>(result: Result<A, Refused>) -> String {
    result.map_or_else(|ended| format!("{ended:?}"), |_| "done".to_owned())
}

#[test]
fn a_reader_lost_at_any_step_ends_the_work_there() {
    let mut bench = Bench::new();
    bench.card.chunk = 100;
    let peer = bench.enrolled().peer;
    let whole = bench.with_card(|bench, card| {
        assert_eq!(works(bench, &peer, honest(card)), ["done"; 3]);
        card.asked.len()
    });
    assert!(whole > 20, "{whole} exchanges");
    for lost_at in 0..whole {
        bench.card.tries = 3;
        let mut sent = 0;
        bench.with_card(|bench, card| {
            let mut lossy = |command: &[u8]| {
                sent += 1;
                if sent == lost_at + 1 { Err(Unplugged) } else { honest(card)(command) }
            };
            let words = works(bench, &peer, &mut lossy);
            let lost = words.iter().filter(|word| *word == "Lost(Unplugged)").count();
            assert_eq!(lost, 1, "at {lost_at}: {words:?}");
            assert_eq!(words.iter().filter(|word| *word == "done").count(), 2, "at {lost_at}");
        });
    }
}

#[test]
fn s11_a_card_that_never_ends_an_answer_is_given_up() {
    let mut bench = Bench::new();
    let peer = bench.enrolled().peer;
    for endless in [&[0x61, 0x00][..], &[0x61, 0x01], &[0xAA, 0x61, 0x00], &[0x6C, 0x10]] {
        for step in 0..12 {
            bench.card.tries = 3;
            let (words, most) = bench.with_card(|bench, card| {
                let (mut commands, mut in_a_row, mut most) = (0, 0, 0);
                let words = works(bench, &peer, |command| {
                    let goes_on = command[1] == 0xC0 || (in_a_row > 0 && endless[0] == 0x6C);
                    commands += usize::from(!goes_on);
                    if commands > step {
                        in_a_row = if goes_on { in_a_row + 1 } else { 1 };
                        most = most.max(in_a_row);
                        return Ok(Zeroizing::new(endless.to_vec()));
                    }
                    honest(card)(command)
                });
                (words, most)
            });
            assert!(words.iter().any(|word| word != "done"), "{endless:02X?} from {step}");
            assert!(most <= 3 * EXCHANGES_MAX, "{most} exchanges, {endless:02X?} from {step}");
        }
    }
}

#[test]
fn answers_of_any_length_are_taken() {
    let mut bench = Bench::new();
    let peer = bench.enrolled().peer;
    for length in [0, 1, 2, 3, 255, 256, 257, 258, 259, 260, 4_096, 65_535, 65_536, 65_548] {
        for (step, filling) in (0..12).flat_map(|step| [(step, 0x00), (step, 0x7C), (step, 0x90)]) {
            bench.card.tries = 3;
            bench.with_card(|bench, card| {
                let mut commands = 0;
                let words = works(bench, &peer, |command| {
                    commands += 1;
                    let answer = card.answer(command);
                    if commands != step + 1 {
                        return Ok(Zeroizing::new(answer));
                    }
                    let mut odd = vec![filling; length];
                    odd.iter_mut().rev().zip([0x00, 0x90]).for_each(|(byte, word)| *byte = word);
                    Ok(Zeroizing::new(odd))
                });
                assert!(commands < 200, "{words:?}");
            });
        }
    }
}
