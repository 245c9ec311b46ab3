//! A pcProx in software: it answers as the protocol's description says, and burns nothing unnoticed.

use std::cell::RefCell;

use super::*;
use wardkeep_model::access::factor::Badge;

/// What the last report has put the reader into.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Awaits {
    #[default]
    Nothing,
    /// The answer to this question was not fetched yet, or a page is written.
    Answer(u8),
}

#[derive(Debug, Default)]
struct Reader {
    settings: [u8; 8],
    bits: [u8; 8],
    count: u8,
    /// The badge that is laid on between the two questions about its bits.
    swap: Option<[u8; 8]>,
    awaits: Awaits,
    /// A change of settings was begun and not ended: it reads no badge.
    changing: bool,
    /// Pages that were burned.
    burned: u8,
    deaf: bool,
}

/// The reader did not answer.
#[derive(Debug, PartialEq)]
struct Deaf;

struct Virtual(RefCell<Reader>);

impl Feature for Virtual {
    type Error = Deaf;

    fn put(&self, report: &Report) -> Result<(), Deaf> {
        let mut reader = self.0.borrow_mut();
        if reader.deaf {
            return Err(Deaf);
        }
        match (reader.awaits, **report) {
            (Awaits::Answer(0x80), page) if page[0] < 0x80 => {
                reader.settings = page;
                reader.changing = true;
                reader.awaits = Awaits::Nothing;
            }
            (_, [0x90, pages, ..]) => {
                reader.burned |= pages;
                reader.changing = false;
                reader.awaits = Awaits::Nothing;
            }
            (_, [code @ (0x80 | 0x8a | 0x8e | 0x8f), 0, 0, 0, 0, 0, 0, 0]) => {
                reader.awaits = Awaits::Answer(code);
            }
            (_, unknown) => panic!("the driver sent {unknown:02x?}"),
        }
        Ok(())
    }

    fn get(&self) -> Result<Report, Deaf> {
        let mut reader = self.0.borrow_mut();
        let answer = match reader.awaits {
            Awaits::Answer(0x80) => reader.settings,
            Awaits::Answer(0x8a) => [0, 0, 0x30, 7, 0, 1, 0, 0],
            Awaits::Answer(_) if reader.changing => [0; 8],
            Awaits::Answer(0x8f) => {
                let bits = reader.bits;
                reader.bits = reader.swap.take().unwrap_or(bits);
                bits
            }
            Awaits::Answer(_) => [reader.count, reader.count, 0, 0, 0, 0, 0, 0],
            Awaits::Nothing => panic!("an answer was read that was not asked for"),
        };
        // The settings stay selected, so that they can be written.
        if reader.awaits != Awaits::Answer(0x80) {
            reader.awaits = Awaits::Nothing;
        }
        Ok(Report::new(answer))
    }
}

fn reader(settings: [u8; 8]) -> Virtual {
    Virtual(RefCell::new(Reader { settings, ..Reader::default() }))
}

const TYPING: [u8; 8] = [3, 5, 0x11, 0x10, 0x1a, 0x36, 0x28, 0x26];
const CARD: [u8; 8] = [0x39, 0x30, 0x7b, 0, 0, 0, 0, 0];

#[test]
fn it_is_silenced_in_memory_and_reads_on() {
    let reader = reader(TYPING);
    assert_eq!(silence(&reader), Ok(true));
    {
        let mut state = reader.0.borrow_mut();
        assert_eq!(state.settings, [3, 5, 0x11, 0x10, 0x1a, 0x36, 0x28, 0xa6]);
        assert_eq!((state.burned, state.changing), (0, false));
        (state.bits, state.count) = (CARD, 24);
    }
    let Ok(Look::Badge(badge)) = read(&reader) else { panic!("a badge lies there") };
    assert_eq!(badge.uid(), [24, 0x7b, 0x30, 0x39]);
    assert_eq!(silence(&reader), Ok(true), "again, as after every plugging in");
}

#[test]
fn a_reader_without_settings_is_left_as_it_is() {
    let reader = reader([0; 8]);
    assert_eq!(silence(&reader), Ok(false));
    assert_eq!(reader.0.borrow().settings, [0; 8]);
}

#[test]
fn a_badge_that_is_swapped_between_the_questions_is_no_badge() {
    let reader = reader(TYPING);
    assert_eq!(read(&reader), Ok(Look::Empty));
    {
        let mut state = reader.0.borrow_mut();
        (state.bits, state.count) = (CARD, 24);
        state.swap = Some([0x40, 0x30, 0x7b, 0, 0, 0, 0, 0]);
    }
    assert_eq!(read(&reader), Ok(Look::Garbled));
    assert!(matches!(read(&reader), Ok(Look::Badge(_))));
    reader.0.borrow_mut().deaf = true;
    assert_eq!(read(&reader), Err(Deaf));
}

#[test]
fn a_typed_number_comes_and_leaves() {
    let mut field = Field::default();
    let mut events = Vec::new();
    let badge = Badge::new(wardkeep_model::access::factor::ReaderFamily::Keyboard, b"0012345678");
    tap(Typed::Badge(badge.expect("a number")), (Slot(0), "reader"), &mut field, &mut events);
    tap(Typed::Unreadable, (Slot(0), "reader"), &mut field, &mut events);
    let told: Vec<String> = events.iter().map(|event| format!("{event:?}")).collect();
    let [presented, removed, unreadable, gone] = &told[..] else { panic!("{told:?}") };
    assert!(presented.starts_with("BadgePresented"), "{presented}");
    assert_eq!(
        [removed.as_str(), unreadable.as_str(), gone.as_str()],
        ["BadgeRemoved", "BadgeUnreadable(Unreadable)", "BadgeRemoved"]
    );
}

#[test]
fn the_site_has_the_last_word_on_what_a_reader_is() {
    let other = (0x16c0, 0x27db);
    for (id, keyboard, model) in [
        (pcprox::USB_ID, None, Some(Model::PcProx)),
        (pcprox::USB_ID, Some(other), Some(Model::PcProx)),
        (pcprox::USB_ID, Some(pcprox::USB_ID), Some(Model::Keyboard)),
        (other, Some(other), Some(Model::Keyboard)),
        (other, None, None),
    ] {
        assert_eq!(Model::of(id, keyboard), model, "{id:04x?} {keyboard:04x?}");
    }
}
