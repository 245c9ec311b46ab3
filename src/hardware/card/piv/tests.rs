//! The client's commands and its reading of answers, one exchange at a time.

use proptest::prelude::*;

use super::*;

type Wire = Fault<&'static str>;
type Answered<A> = (Result<A, PivFault<&'static str>>, Vec<Vec<u8>>);

/// What the client makes of a card that gives these answers in turn and then falls silent, SELECT not
/// counted; and what it sent.
fn with<A>(
    answers: &[&[u8]],
    act: impl FnOnce(
        &mut Piv<&mut dyn FnMut(&[u8]) -> Raw<&'static str>>,
    ) -> Result<A, PivFault<&'static str>>,
) -> Answered<A> {
    let mut asked = Vec::new();
    let mut left = answers.iter();
    let mut card = |command: &[u8]| {
        asked.push(command.to_vec());
        left.next().map(|answer| Zeroizing::new(answer.to_vec())).ok_or("silent")
    };
    let result = act(&mut Piv(&mut card));
    (result, asked)
}

fn pin(digits: &[u8]) -> Pin {
    let mut pin = Pin::default();
    digits.iter().for_each(|digit| pin.push(*digit));
    pin
}

fn broken<A>() -> Result<A, PivFault<&'static str>> {
    Err(Fault::Malformed.into())
}

/// `bytes` and `9000`.
fn done(bytes: &[u8]) -> Vec<u8> {
    [bytes, &[0x90, 0x00]].concat()
}

fn select(answers: &[&[u8]]) -> (Result<(), PivFault<&'static str>>, Vec<Vec<u8>>) {
    let mut asked = Vec::new();
    let mut left = answers.iter();
    let selected = Piv::select(|command: &[u8]| {
        asked.push(command.to_vec());
        left.next().map(|answer| Zeroizing::new(answer.to_vec())).ok_or("silent")
    });
    (selected.map(|_| ()), asked)
}

/// SP 800-73-4 part 2, table 3, with the name in both customs.
const PROPERTIES: [&[u8]; 3] = [
    &[0x61, 0x11, 0x4F, 0x06, 0, 0, 0x10, 0, 1, 0, 0x79, 0x07, 0x4F, 0x05, 0xA0, 0, 0, 3, 8],
    &[0x61, 0x0D, 0x4F, 0x0B, 0xA0, 0, 0, 3, 8, 0, 0, 0x10, 0, 1, 0],
    &[0x61, 0x07, 0x4F, 0x05, 0xA0, 0, 0, 3, 8],
];

#[test]
fn the_application_is_selected_by_any_of_its_names() {
    for properties in PROPERTIES {
        let (selected, asked) = select(&[&done(properties)]);
        assert_eq!(selected, Ok(()));
        let first = [&[0x00, 0xA4, 0x04, 0x00, 0x0B][..], &APPLICATION, &[0x00]].concat();
        assert_eq!(asked, [first]);
    }
    let missing = &[0x6A, 0x82][..];
    let (selected, asked) = select(&[missing, missing, &done(PROPERTIES[0])]);
    assert_eq!(selected, Ok(()));
    assert_eq!(asked[2], [0x00, 0xA4, 0x04, 0x00, 0x05, 0xA0, 0x00, 0x00, 0x03, 0x08, 0x00]);
}

#[test]
fn other_cards_are_told_from_piv() {
    for answers in [
        &[&[0x6A, 0x82][..]; 3][..],
        &[&[0x6D, 0x00]],
        &[&[0x6A, 0x81]],
        &[&[0x90, 0x00]],
        &[&[0x61, 0x02, 0x4F, 0x00, 0x90, 0x00]],
        // Somebody else's name, and garbage behind the template.
        &[&[0x61, 0x07, 0x4F, 0x05, 0xA0, 0, 0, 3, 9, 0x90, 0x00]],
        &[&[0x61, 0x00, 0x00, 0x90, 0x00]],
    ] {
        assert_eq!(select(answers).0, Err(PivFault::NotPiv), "{answers:02X?}");
    }
    assert_eq!(select(&[]).0, Err(Fault::Transmit("silent").into()));
    assert_eq!(select(&[&[0x90]]).0, Err(Fault::Malformed.into()));
}

#[test]
fn certificates_are_read_strictly() {
    let plain = [0x53, 0x09, 0x70, 0x02, 0xC0, 0xDE, 0x71, 0x01, 0x00, 0xFE, 0x00];
    for (object, expected) in [
        (&plain[..], Ok(vec![0xC0, 0xDE])),
        (&[0x53, 0x07, 0x70, 0x02, 0xC0, 0xDE, 0x71, 0x01, 0x00], Ok(vec![0xC0, 0xDE])),
        (&[0x53, 0x07, 0x70, 0x02, 0xC0, 0xDE, 0x71, 0x01, 0x01], Err(PivFault::Compressed)),
        (&[0x53, 0x07, 0x70, 0x02, 0xC0, 0xDE, 0x71, 0x01, 0x80], Err(PivFault::Compressed)),
        (&[0x53, 0x00], Err(PivFault::Absent)),
        (&[0x53, 0x05, 0x70, 0x00, 0x71, 0x01, 0x00], Err(PivFault::Absent)),
        // No information byte, no certificate, one of them twice, something unknown, garbage behind.
        (&[0x53, 0x04, 0x70, 0x02, 0xC0, 0xDE], broken()),
        (&[0x53, 0x03, 0x71, 0x01, 0x00], broken()),
        (&[0x53, 0x06, 0x70, 0x01, 0xAA, 0x70, 0x01, 0xAA], broken()),
        (&[0x53, 0x05, 0x55, 0x00, 0x70, 0x01, 0xAA], broken()),
        (&[&plain[..], &[0x00]].concat(), broken()),
        (&plain[..10], broken()),
        (&[0x54, 0x00], broken()),
        (&[], broken()),
    ] {
        let (read, asked) =
            with(&[&done(object)], |piv| piv.certificate(Container::Authentication));
        assert_eq!(read, expected, "{object:02X?}");
        assert_eq!(asked, [[0x00, 0xCB, 0x3F, 0xFF, 5, 0x5C, 0x03, 0x5F, 0xC1, 0x05, 0x00]]);
    }
    let (read, asked) = with(&[&[0x6A, 0x82]], |piv| piv.certificate(Container::KeyManagement));
    assert_eq!(read, Err(PivFault::Absent));
    assert_eq!(asked[0][9], 0x0B);
}

#[test]
fn the_counter_is_asked_without_spending_a_try() {
    let query = vec![0x00, 0x20, 0x00, 0x80];
    let forget = vec![0x00, 0x20, 0xFF, 0x80];
    for (answers, expected, sent) in [
        (&[&[0x63, 0xC3][..]][..], Tries::Left(3), vec![&query]),
        (&[&[0x63, 0xC1]], Tries::Left(1), vec![&query]),
        (&[&[0x63, 0xCF]], Tries::Left(15), vec![&query]),
        (&[&[0x63, 0xC0]], Tries::Blocked, vec![&query]),
        (&[&[0x69, 0x83]], Tries::Blocked, vec![&query]),
        (&[&[0x67, 0x00]], Tries::Untold, vec![&query]),
        // Somebody left the PIN verified: it is taken back first.
        (
            &[&[0x90, 0x00], &[0x90, 0x00], &[0x63, 0xC2]],
            Tries::Left(2),
            vec![&query, &forget, &query],
        ),
        (&[&[0x90, 0x00][..]; 9], Tries::Untold, vec![&query, &forget, &query, &forget]),
    ] {
        let (tries, asked) = with(answers, |piv| piv.tries());
        assert_eq!(tries, Ok(expected), "{answers:02X?}");
        assert_eq!(asked.iter().collect::<Vec<_>>(), sent);
    }
    assert_eq!(with(&[], |piv| piv.tries()).0, Err(Fault::Transmit("silent").into()));
}

#[test]
fn a_pin_is_padded_and_sent_once() {
    let six = pin(&[4, 7, 1, 1, 2, 0]);
    let sent = vec![0, 0x20, 0, 0x80, 8, b'4', b'7', b'1', b'1', b'2', b'0', 0xFF, 0xFF];
    for (answer, expected) in [
        (&[0x90, 0x00][..], Ok(PinAnswer::Accepted)),
        (&[0x63, 0xC2], Ok(PinAnswer::Wrong(2))),
        (&[0x63, 0xC0], Ok(PinAnswer::Blocked)),
        (&[0x69, 0x83], Ok(PinAnswer::Blocked)),
        (&[0x6A, 0x80], Ok(PinAnswer::Unfit)),
        (&[0x63, 0x00], Err(Wire::Refused(0x6300).into())),
        (&[0x69, 0x82], Err(Wire::Refused(0x6982).into())),
        (&[0x6C, 0x08], broken()),
        (&[0xAA, 0x90, 0x00], Err(Wire::TooLong.into())),
    ] {
        let (verified, asked) = with(&[answer, &[0x90, 0x00]], |piv| piv.verify(&six));
        assert_eq!(verified, expected, "{answer:02X?}");
        assert_eq!(asked, std::slice::from_ref(&sent));
    }
    let (verified, asked) = with(&[], |piv| piv.verify(&pin(&[1, 2, 3, 4, 5])));
    assert_eq!((verified, asked.len()), (Ok(PinAnswer::Unfit), 0), "too short for any card");
}

#[test]
fn keys_are_used_as_the_standard_writes_it() {
    let (signed, asked) = with(&[&done(&[0x7C, 0x04, 0x82, 0x02, 0xAB, 0xCD])], |piv| {
        piv.sign(Algorithm::P256, &[7; 32])
    });
    assert_eq!(signed, Ok(vec![0xAB, 0xCD]));
    let head = [0x00, 0x87, 0x11, 0x9A, 0x26, 0x7C, 0x24, 0x82, 0x00, 0x81, 0x20];
    assert_eq!(asked, [[&head[..], &[7; 32], &[0x00]].concat()]);

    let point = [&[0x04][..], &[9; 64]].concat();
    let share = [&[0x7C, 0x22, 0x82, 0x20][..], &[5; 32]].concat();
    let (agreed, asked) = with(&[&done(&share)], |piv| piv.agree(Algorithm::P256, &point));
    assert!(agreed.is_ok_and(|share| *share.expose() == [5; 32]));
    let head = [0x00, 0x87, 0x11, 0x9D, 0x47, 0x7C, 0x45, 0x82, 0x00, 0x85, 0x41];
    assert_eq!(asked, [[&head[..], &point, &[0x00]].concat()]);

    // An RSA block is longer than one command: a chain of two.
    let signature = [&[0x7C, 0x82, 0x01, 0x04, 0x82, 0x82, 0x01, 0x00][..], &[1; 256]].concat();
    let (first, rest) = signature.split_at(256);
    let answers = [vec![0x90, 0x00], [first, &[0x61, 0x08]].concat(), done(rest)];
    let answers: Vec<&[u8]> = answers.iter().map(Vec::as_slice).collect();
    let (signed, asked) = with(&answers, |piv| piv.sign(Algorithm::Rsa2048, &[2; 256]));
    assert_eq!(signed, Ok(vec![1; 256]));
    assert_eq!(asked[0][..8], [0x10, 0x87, 0x07, 0x9A, 0xFF, 0x7C, 0x82, 0x01]);
    assert_eq!(asked[1][..4], [0x00, 0x87, 0x07, 0x9A]);
}

#[test]
fn shares_and_signatures_are_read_strictly() {
    let short = [&[0x7C, 0x21, 0x82, 0x1F][..], &[5; 31]].concat();
    let behind = [&[0x7C, 0x23, 0x82, 0x20][..], &[5; 32], &[0x00]].concat();
    for answer in [
        &[][..],
        &[0x7C, 0x00],
        &[0x7C, 0x02, 0x82, 0x00],
        &[0x7C, 0x04, 0x82, 0x03, 0xAA, 0xBB],
        &[0x82, 0x01, 0xAA],
        &[0x7C, 0x03, 0x81, 0x01, 0xAA],
        &short,
        &behind,
    ] {
        let (agreed, _) = with(&[&done(answer)], |piv| piv.agree(Algorithm::P256, &[4; 65]));
        assert_eq!(agreed.err(), Some(Fault::Malformed.into()), "{answer:02X?}");
    }
}

#[test]
fn s10_a_fault_shows_no_byte_of_an_answer() {
    let secret = [0x7C, 0x05, 0x82, 0x03, 0xC0, 0xFF, 0xEE, 0x90, 0x00];
    let (agreed, _) = with(&[&secret], |piv| piv.agree(Algorithm::P256, &[4; 65]));
    let shown = format!("{:?}", agreed.map(|_| ()).expect_err("three bytes are no share"));
    for byte in ["192", "255", "238", "c0", "C0"] {
        assert!(!shown.contains(byte), "{shown} shows {byte}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    /// Whatever the object is, a certificate comes only out of a whole one.
    #[test]
    fn any_object_is_read_or_refused(
        mut object in prop::collection::vec(any::<u8>(), 0..64), wrap in any::<bool>(),
    ) {
        if wrap {
            let mut whole = Vec::new();
            tlv::push(&mut whole, 0x53, &object);
            object = whole;
        }
        let (read, asked) = with(&[&done(&object)], |piv| piv.certificate(Container::KeyManagement));
        prop_assert_eq!(asked.len(), 1);
        if let Ok(certificate) = read {
            prop_assert!(!certificate.is_empty() && certificate.len() < object.len());
        }
    }
}
