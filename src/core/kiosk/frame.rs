//! The frame around every screen: pages, lock, language, notices.

use crate::config::Language;
use crate::kiosk::gate::{self, Need};
use crate::kiosk::page::Page;

/// What people do on the frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    /// Touched anything: keeps the session or the PIN prompt open.
    Activity,
    /// Left the prompt, form or wizard in front without doing anything.
    Cancel,
    /// Pressed lock.
    Lock,
    /// Chose a page.
    Open(Page),
    /// Chose the language.
    SetLanguage(Language),
    /// Dismissed the notice.
    DismissNotice,
    /// Read what was found wrong with the store.
    DismissFinding,
}

pub(super) fn need(intent: &Intent) -> Need {
    match intent {
        Intent::Activity
        | Intent::Cancel
        | Intent::Lock
        | Intent::SetLanguage(_)
        | Intent::DismissNotice => Need::Nothing,
        Intent::Open(page) => gate::of_page(*page),
        Intent::DismissFinding => Need::Session,
    }
}
