//! The pairing window: what BlueZ's agent may be asked, and when.
//!
//! Pure. A window is open for one device, because a person who is signed in opened it. Outside it, and
//! for any other device, every question is refused; inside it, pairing without a question (*Just Works*)
//! is what that person wants.

use wardkeep_model::ports::{PairingAnswer, PairingStep, Passkey};

/// What BlueZ asks of its agent about one device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Question {
    /// Whether this number is the device's.
    Confirm(Passkey),
    /// Which number the device shows.
    Passkey,
    /// To show this number; so many digits have been typed on the device.
    Show(Passkey, u8),
    /// Whether it may be paired without any number.
    Authorize,
}

/// What becomes of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// No.
    Refuse,
    /// Yes.
    Accept,
    /// Yes, and people are shown this, unless they see it already.
    Show(Option<PairingStep>),
    /// A person answers.
    Put(PairingStep),
}

/// What becomes of a person's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// Yes.
    Yes,
    /// The number.
    Passkey(Passkey),
    /// No.
    No,
    /// The window closes.
    Close,
    /// It answers no question that is open.
    Ignored,
}

/// What has happened in a window, to tell why a pairing failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Course {
    /// BlueZ asked something: the device had agreed to pair.
    pub(super) was_asked: bool,
    /// A number was typed, here or on the device.
    pub(super) with_passkey: bool,
    /// A person said that the numbers differ.
    pub(super) said_no: bool,
}

/// A window for one device.
#[derive(Debug, Default)]
pub(super) struct Window {
    /// The device's object; none until BlueZ is about to pair it.
    device: Option<String>,
    /// What a person is asked.
    put: Option<Question>,
    /// What people are shown.
    shown: Option<(Passkey, u8)>,
    course: Course,
}

impl Window {
    /// Questions about the device at this path are allowed from now on.
    pub(super) fn admit(&mut self, path: &str) {
        self.device = Some(path.to_owned());
    }

    /// What has happened so far.
    pub(super) fn course(&self) -> Course {
        self.course
    }

    /// BlueZ asks about the device at `path`.
    pub(super) fn ask(&mut self, path: &str, question: Question) -> Verdict {
        if self.device.as_deref() != Some(path) {
            return Verdict::Refuse;
        }
        self.course.was_asked = true;
        match question {
            Question::Authorize => Verdict::Accept,
            Question::Confirm(passkey) => {
                self.put = Some(question);
                Verdict::Put(PairingStep::CompareNumber(passkey))
            }
            Question::Passkey => {
                self.put = Some(question);
                self.course.with_passkey = true;
                Verdict::Put(PairingStep::TypePasskey)
            }
            Question::Show(passkey, entered) => {
                self.course.with_passkey = true;
                // Each is a message of its own, and a late one does not take digits back.
                let is_late =
                    self.shown.is_some_and(|(same, more)| same == passkey && more >= entered);
                if is_late {
                    return Verdict::Show(None);
                }
                self.shown = Some((passkey, entered));
                Verdict::Show(Some(PairingStep::ShowPasskey { passkey, entered }))
            }
        }
    }

    /// BlueZ takes back what it asked or had shown; true if people see any of it.
    pub(super) fn take_back(&mut self) -> bool {
        let (put, shown) = (self.put.take(), self.shown.take());
        put.is_some() || shown.is_some()
    }

    /// A person answers.
    pub(super) fn answer(&mut self, answer: PairingAnswer) -> Reply {
        match (answer, self.put) {
            (PairingAnswer::Cancel, _) => Reply::Close,
            (PairingAnswer::Confirm(same), Some(Question::Confirm(_))) => {
                self.put = None;
                self.course.said_no = !same;
                if same { Reply::Yes } else { Reply::No }
            }
            (PairingAnswer::Passkey(passkey), Some(Question::Passkey)) => {
                self.put = None;
                Reply::Passkey(passkey)
            }
            (PairingAnswer::Confirm(_) | PairingAnswer::Passkey(_), _) => Reply::Ignored,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OURS: &str = "/org/bluez/hci0/dev_AA_BB_CC_00_00_01";
    const OTHER: &str = "/org/bluez/hci0/dev_AA_BB_CC_00_00_02";

    fn passkey(number: u32) -> Passkey {
        Passkey::new(number).expect("six digits")
    }

    fn open() -> Window {
        let mut window = Window::default();
        window.admit(OURS);
        window
    }

    fn any_question() -> impl Strategy<Value = Question> {
        (0..=Passkey::MAX, 0..=6_u8).prop_flat_map(|(number, entered)| {
            prop::sample::select(vec![
                Question::Confirm(passkey(number)),
                Question::Passkey,
                Question::Show(passkey(number), entered),
                Question::Authorize,
            ])
        })
    }

    fn any_answer() -> impl Strategy<Value = PairingAnswer> {
        (0..=Passkey::MAX).prop_flat_map(|number| {
            prop::sample::select(vec![
                PairingAnswer::Confirm(true),
                PairingAnswer::Confirm(false),
                PairingAnswer::Passkey(passkey(number)),
                PairingAnswer::Cancel,
            ])
        })
    }

    proptest! {
        /// Nothing is accepted for a device without a window of its own, whatever was asked and answered.
        #[test]
        fn outside_a_window_everything_is_refused(
            admits in any::<bool>(),
            steps in prop::collection::vec((any_question(), any::<bool>(), any_answer()), 0..20),
        ) {
            let mut window = Window::default();
            if admits {
                window.admit(OURS);
            }
            for (question, is_ours, answer) in steps {
                let path = if is_ours { OURS } else { OTHER };
                let verdict = window.ask(path, question);
                prop_assert_eq!(verdict == Verdict::Refuse, !(admits && is_ours));
                let reply = window.answer(answer);
                let fits = admits && matches!(
                    (reply, answer),
                    (Reply::Yes, PairingAnswer::Confirm(true))
                        | (Reply::No, PairingAnswer::Confirm(false))
                        | (Reply::Passkey(_), PairingAnswer::Passkey(_))
                );
                let is_idle = matches!(reply, Reply::Ignored | Reply::Close);
                prop_assert!(fits || is_idle, "{:?} to {:?}", reply, answer);
            }
        }
    }

    #[test]
    fn a_person_answers_what_was_asked_and_once() {
        let mut window = open();
        let number = passkey(123_456);
        let put = Verdict::Put(PairingStep::CompareNumber(number));
        assert_eq!(window.ask(OURS, Question::Confirm(number)), put);
        assert_eq!(window.answer(PairingAnswer::Passkey(number)), Reply::Ignored);
        assert_eq!(window.answer(PairingAnswer::Confirm(true)), Reply::Yes);
        assert_eq!(window.answer(PairingAnswer::Confirm(true)), Reply::Ignored);

        assert_eq!(window.ask(OURS, Question::Passkey), Verdict::Put(PairingStep::TypePasskey));
        assert_eq!(window.answer(PairingAnswer::Confirm(true)), Reply::Ignored);
        assert_eq!(window.answer(PairingAnswer::Passkey(number)), Reply::Passkey(number));

        window.ask(OURS, Question::Confirm(number));
        assert!(window.take_back() && !window.take_back());
        assert_eq!(window.answer(PairingAnswer::Confirm(true)), Reply::Ignored);
        let course = Course { was_asked: true, with_passkey: true, said_no: false };
        assert_eq!(window.course(), course);
        window.ask(OURS, Question::Confirm(number));
        assert_eq!(window.answer(PairingAnswer::Confirm(false)), Reply::No);
        assert!(window.course().said_no);
    }

    #[test]
    fn typed_digits_are_shown_as_they_come_and_never_taken_back() {
        let mut window = open();
        let number = passkey(7);
        let mut shown = Vec::new();
        for entered in [0, 1, 3, 2, 3, 6] {
            let Verdict::Show(step) = window.ask(OURS, Question::Show(number, entered)) else {
                panic!("shown");
            };
            shown.extend(step);
        }
        let step = |entered| PairingStep::ShowPasskey { passkey: number, entered };
        assert_eq!(shown, [0, 1, 3, 6].map(step));
        assert!(window.take_back(), "it is on the screen");
        let again = passkey(8);
        let first = PairingStep::ShowPasskey { passkey: again, entered: 0 };
        assert_eq!(window.ask(OURS, Question::Show(again, 0)), Verdict::Show(Some(first)));
    }

    #[test]
    fn just_works_needs_no_answer_inside_the_window() {
        let mut window = open();
        assert_eq!(window.ask(OURS, Question::Authorize), Verdict::Accept);
        assert_eq!(window.ask(OTHER, Question::Authorize), Verdict::Refuse);
    }
}
