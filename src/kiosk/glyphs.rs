//! Letters that no font on this machine has a glyph for. The screen draws nothing for them, only their width:
//! a name would lose a letter unseen. So they are shown as boxes, and IT is told which scripts are missing.
//!
//! Fonts are asked for as the screen's renderer asks for them (`fontique`).

use std::cell::RefCell;
use std::collections::BTreeMap;

use fontique::{
    Attributes, Collection, FallbackKey, GenericFamily, QueryFamily, QueryStatus, Script,
    SourceCache,
};
use slint::SharedString;
use unicode_script::{Script as Property, UnicodeScript};

/// The family that everything is laid out for (`ui/app_window.slint`).
const FAMILY: &str = "Noto Sans";
/// What stands for a letter that cannot be drawn; Noto Sans has it.
const BOX: char = '\u{FFFD}';
/// Letters that are remembered: more than any ward's names have.
const REMEMBERED_MAX: usize = 4096;

thread_local! {
    /// Each letter that was asked about, and whether it has a glyph.
    static ASKED: RefCell<BTreeMap<char, bool>> = const { RefCell::new(BTreeMap::new()) };
    /// The fonts of this machine, and those that were opened.
    static FONTS: RefCell<(Collection, SourceCache)> = RefCell::default();
}

/// The text, with a box for every letter that would be drawn as nothing.
pub(crate) fn drawable(text: &str) -> SharedString {
    if text.is_ascii() {
        return text.into();
    }
    let letter = |letter: char| if has_glyph(letter) { letter } else { BOX };
    text.chars().map(letter).collect::<String>().into()
}

/// Some font on this machine has a glyph for the letter.
pub(crate) fn has_glyph(letter: char) -> bool {
    if letter.is_ascii() || letter.is_whitespace() || letter == BOX {
        return true;
    }
    if let Some(known) = ASKED.with_borrow(|asked| asked.get(&letter).copied()) {
        return known;
    }
    let found = FONTS.with_borrow_mut(|(fonts, opened)| ask(fonts, opened, letter));
    ASKED.with_borrow_mut(|asked| {
        if asked.len() >= REMEMBERED_MAX {
            asked.clear();
        }
        asked.insert(letter, found);
    });
    found
}

fn ask(fonts: &mut Collection, opened: &mut SourceCache, letter: char) -> bool {
    let mut query = fonts.query(opened);
    query.set_families([
        QueryFamily::Named(FAMILY),
        QueryFamily::Generic(GenericFamily::SansSerif),
        QueryFamily::Generic(GenericFamily::SystemUi),
    ]);
    query.set_attributes(Attributes::default());
    let script = letter.script();
    let has_own = !matches!(script, Property::Common | Property::Inherited | Property::Unknown);
    if has_own && let Ok(tag) = <[u8; 4]>::try_from(script.short_name().as_bytes()) {
        query.set_fallbacks(FallbackKey::new(Script::from_bytes(tag), None));
    }
    let mut found = false;
    query.matches_with(|font| {
        let glyph = font.charmap().and_then(|map| map.map(u32::from(letter)));
        found = glyph.is_some_and(|glyph| glyph != 0);
        if found { QueryStatus::Stop } else { QueryStatus::Continue }
    });
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// screen-2: whatever fonts there are, no letter of a name is lost.
    #[test]
    fn screen_2_no_letter_of_a_name_is_drawn_as_nothing() {
        for name in [
            "Ada Kern",
            "\u{738b}\u{79c0}\u{82f1}",
            "\u{645}\u{62d}\u{645}\u{62f}",
            "Nguy\u{1ec5}n Th\u{1ecb} \u{c1}nh",
        ] {
            let shown = drawable(name);
            assert_eq!(shown.chars().count(), name.chars().count());
            assert!(shown.chars().all(has_glyph), "{shown}");
        }
        assert_eq!(drawable("A\u{10fffd}B").as_str(), "A\u{fffd}B", "nobody has this one");
        assert_eq!(drawable("Dvo\u{159}\u{e1}k").as_str(), "Dvo\u{159}\u{e1}k");
    }
}
