//! The first start: name, badge, PIN, and the recovery key as words and as a code.

use std::rc::Rc;

use slint::{ComponentHandle, Image, Model, ModelRc, SharedString, VecModel};

use wardkeep_core::kiosk::first_start;
use wardkeep_core::kiosk::view::{self, Screen};
use wardkeep_model::confidential::Phi;
use wardkeep_ui::{self as ui, AppWindow};

use crate::bridge::port::Port;
use crate::bridge::screens::{Adapter, people};
use crate::bridge::words::{Words, readers};
use crate::bridge::{lines, qr};

/// Rows of the first start.
#[derive(Default)]
pub(super) struct FirstStart {
    /// The recovery key.
    words: Rc<VecModel<ui::RecoveryWord>>,
}

impl FirstStart {
    /// Connects the wizard.
    pub(super) fn connect(port: &Rc<Port>, window: &AppWindow) -> Self {
        let (global, rows) = (window.global::<ui::FirstStart>(), Self::default());
        global.set_words(ModelRc::from(Rc::clone(&rows.words)));
        let here = Rc::clone(port);
        global.on_begin(move || here.send(first_start::Intent::Begin));
        let here = Rc::clone(port);
        global.on_written(move || here.send(first_start::Intent::RecoveryWritten));
        let here = Rc::clone(port);
        global.on_name_admin(move |name, initials| {
            let (name, initials) = (name.trim(), initials.trim());
            here.send(first_start::Intent::NameAdmin {
                name: Phi::new(name.to_owned()),
                initials: initials.to_uppercase(),
            });
        });
        global.on_acceptable(|name, initials| people::acceptable(&name, &initials));
        global.on_initials_of(|name| people::initials_of(&name));
        rows
    }

    /// Shows the recovery key.
    fn show_key(&self, window: &AppWindow, phrase: &str) {
        if self.words.row_count() == 0 {
            let theme = window.global::<ui::Theme>();
            let code = qr::draw(phrase, theme.get_qr_ink(), theme.get_qr_ground());
            window.global::<ui::FirstStart>().set_code(code);
        }
        let numbered = (1..).zip(phrase.split_whitespace());
        let words = numbered.map(|(number, word)| ui::RecoveryWord { number, word: word.into() });
        lines::sync(&self.words, words.collect());
    }

    /// Forgets it.
    fn forget_key(&self, window: &AppWindow) {
        if self.words.row_count() > 0 {
            window.global::<ui::FirstStart>().set_code(Image::default());
            lines::sync(&self.words, Vec::new());
        }
    }
}

impl Adapter for FirstStart {
    fn show(&self, window: &AppWindow, screen: &Screen, words: &Words) -> bool {
        let Screen::FirstStart(step) = screen else { return false };
        match step {
            view::FirstStart::Recovery(phrase) => self.show_key(window, phrase.expose()),
            view::FirstStart::Welcome { badge_reader }
            | view::FirstStart::Badge { badge_reader } => {
                self.forget_key(window);
                let trouble = readers::badge_trouble(words, *badge_reader);
                window.global::<ui::FirstStart>().set_trouble(trouble);
            }
            view::FirstStart::Name | view::FirstStart::Pin(_) | view::FirstStart::Working => {
                self.forget_key(window);
            }
        }
        true
    }

    /// Forgets the recovery key and what was typed.
    fn leave(&self, window: &AppWindow) {
        self.forget_key(window);
        let global = window.global::<ui::FirstStart>();
        global.set_name(SharedString::default());
        global.set_initials(SharedString::default());
    }
}
