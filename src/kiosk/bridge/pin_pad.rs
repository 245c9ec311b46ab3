//! The digits behind the PIN pad. They live here, on the main thread, and nowhere else until they are
//! submitted; the screen is told only how many there are.
//!
//! S-10: the buffer is wiped when the prompt changes, when it is submitted and when the pad leaves the
//! screen.

use wardkeep_core::kiosk::view::PinPrompt;
use wardkeep_model::access::factor::Pin;

/// Buffer of one PIN prompt, and how often the pad has to shake.
#[derive(Default)]
pub(super) struct PinPad {
    pin: Pin,
    shown: Option<PinPrompt>,
    shakes: i32,
}

impl PinPad {
    /// Takes over what the core says about the prompt; a new prompt begins empty.
    pub(super) fn show(&mut self, prompt: PinPrompt) {
        let same = self.shown.is_some_and(|shown| shown.prompt == prompt.prompt);
        if !same {
            self.pin = Pin::default();
        }
        let told = same && self.shown.is_some_and(|shown| shown.refused);
        if prompt.refused && !told {
            self.shakes = self.shakes.wrapping_add(1);
        }
        self.shown = Some(prompt);
    }

    /// The pad left the screen.
    pub(super) fn leave(&mut self) {
        self.pin = Pin::default();
        self.shown = None;
    }

    /// A digit key was touched. Ignored while no PIN may be tried.
    pub(super) fn push(&mut self, digit: i32) {
        if self.accepts()
            && let Ok(digit) = u8::try_from(digit)
        {
            self.pin.push(digit);
        }
    }

    /// The delete key was touched.
    pub(super) fn erase(&mut self) {
        self.pin.pop();
    }

    /// Hands out the digits if there are enough, and keeps none.
    pub(super) fn submit(&mut self) -> Option<Pin> {
        (self.accepts() && self.pin.is_complete()).then(|| std::mem::take(&mut self.pin))
    }

    /// How many digits were typed.
    pub(super) fn entered(&self) -> usize {
        self.pin.len()
    }

    /// Enough digits to be tried.
    pub(super) fn is_complete(&self) -> bool {
        self.pin.is_complete()
    }

    /// Counts refusals; the screen shakes once for each.
    pub(super) fn shakes(&self) -> i32 {
        self.shakes
    }

    fn accepts(&self) -> bool {
        self.shown.is_some_and(|shown| !shown.busy && shown.wait_s.is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wardkeep_core::kiosk::view::PinPurpose;
    use wardkeep_model::access::factor::TokenKind;

    fn prompt(number: u64, refused: bool) -> PinPrompt {
        PinPrompt {
            purpose: PinPurpose::Unlock,
            token: TokenKind::Badge,
            finger: None,
            prompt: number,
            refused,
            tries_left: None,
            wait_s: None,
            busy: false,
        }
    }

    fn typed(pad: &mut PinPad, digits: &[i32]) {
        for digit in digits {
            pad.push(*digit);
        }
    }

    #[test]
    fn s10_buffer_is_wiped_on_submit_on_a_new_prompt_and_on_leaving() {
        let mut pad = PinPad::default();
        pad.show(prompt(1, false));
        typed(&mut pad, &[4, 7, 1, 1, 0, 8]);
        assert_eq!(pad.submit(), Some([4, 7, 1, 1, 0, 8].into_iter().collect()));
        assert_eq!((pad.entered(), pad.submit()), (0, None));
        typed(&mut pad, &[1, 2]);
        pad.show(prompt(1, false));
        assert_eq!(pad.entered(), 2, "the same prompt keeps its digits");
        pad.show(prompt(2, false));
        assert_eq!(pad.entered(), 0);
        typed(&mut pad, &[1, 2]);
        pad.leave();
        assert_eq!(pad.entered(), 0);
    }

    #[test]
    fn each_refusal_shakes_once() {
        let mut pad = PinPad::default();
        for (shown, shakes) in [
            (prompt(1, false), 0),
            (prompt(2, true), 1),
            (prompt(2, true), 1),
            (prompt(3, true), 2),
            (prompt(4, false), 2),
            (prompt(4, true), 3),
        ] {
            pad.show(shown);
            assert_eq!(pad.shakes(), shakes, "{shown:?}");
        }
    }

    #[test]
    fn no_digit_is_taken_while_waiting_or_busy_or_without_a_prompt() {
        let mut pad = PinPad::default();
        typed(&mut pad, &[1]);
        assert_eq!(pad.entered(), 0);
        pad.show(PinPrompt { wait_s: Some(30), ..prompt(1, true) });
        typed(&mut pad, &[1]);
        assert_eq!(pad.entered(), 0);
        pad.show(PinPrompt { busy: true, ..prompt(1, true) });
        typed(&mut pad, &[1, 10, -1]);
        assert_eq!(pad.entered(), 0);
    }
}
