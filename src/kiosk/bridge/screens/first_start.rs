//! The first start: name, badge, PIN, and the recovery key as words and as a code.

use std::rc::Rc;

use slint::{ComponentHandle, Image, Model, ModelRc, SharedString, VecModel};

use wardkeep_core::kiosk::first_start;
use wardkeep_core::kiosk::view::{self, Screen};
use wardkeep_model::confidential::Phi;
use wardkeep_ui::{self as ui, AppWindow};

use crate::bridge::port::Port;
use crate::bridge::screens::people;
use crate::bridge::{lines, qr, vocabulary};

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

    /// Shows a step, and forgets what no step shows any more.
    pub(super) fn show(&self, window: &AppWindow, screen: &Screen) {
        let global = window.global::<ui::FirstStart>();
        if let Screen::FirstStart(
            view::FirstStart::Welcome { badge_reader } | view::FirstStart::Badge { badge_reader },
        ) = screen
        {
            global.set_badge_reader(vocabulary::health(*badge_reader));
        }
        let shown = self.words.row_count() > 0;
        if let Screen::FirstStart(view::FirstStart::Recovery(phrase)) = screen {
            if !shown {
                let theme = window.global::<ui::Theme>();
                let (ink, ground) = (theme.get_qr_ink(), theme.get_qr_ground());
                global.set_code(qr::draw(phrase.expose(), ink, ground));
            }
            let numbered = (1..).zip(phrase.expose().split_whitespace());
            let words =
                numbered.map(|(number, word)| ui::RecoveryWord { number, word: word.into() });
            lines::sync(&self.words, words.collect());
        } else if shown {
            global.set_code(Image::default());
            lines::sync(&self.words, Vec::new());
        }
        if !matches!(screen, Screen::FirstStart(_)) {
            global.set_name(SharedString::default());
            global.set_initials(SharedString::default());
        }
    }
}
