//! Translations out of gettext's `.po` files, which are part of the program.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use wardkeep_core::config::Language;

use crate::bridge::words::languages;

/// By context, which may be empty, and by sentence: its forms, singular first.
type Entries = HashMap<String, HashMap<String, Vec<String>>>;

/// Every sentence, in the language that is spoken at the moment.
#[derive(Default)]
pub(super) struct Catalogue {
    /// Place in [`Language::ALL`].
    language: AtomicUsize,
    /// What was read of each, in the same order.
    entries: [OnceLock<Entries>; Language::ALL.len()],
}

impl Catalogue {
    /// Changes the language; whether it is another one.
    pub(super) fn speak(&self, language: Language) -> bool {
        let place = Language::ALL.iter().position(|one| *one == language).unwrap_or_default();
        self.language.swap(place, Ordering::Relaxed) != place
    }

    /// The language that is spoken.
    pub(super) fn language(&self) -> Language {
        let place = self.language.load(Ordering::Relaxed);
        Language::ALL.get(place).copied().unwrap_or_default()
    }

    fn forms(&self, context: Option<&str>, sentence: &str) -> Option<&[String]> {
        let entries = self.entries.get(self.language.load(Ordering::Relaxed))?;
        let translations = languages::row(self.language()).translations;
        let entries = entries.get_or_init(|| {
            let mut entries = Entries::new();
            translations.iter().for_each(|po| read(po, &mut entries));
            entries
        });
        let of_context = entries.get(context.unwrap_or_default())?;
        of_context.get(sentence).map(Vec::as_slice)
    }

    /// The translation of a sentence; as it is written where there is none.
    pub(super) fn find<'a>(&'a self, context: Option<&str>, sentence: &'a str) -> &'a str {
        let forms = self.forms(context, sentence);
        forms.and_then(<[String]>::first).map_or(sentence, String::as_str)
    }

    /// The same of a sentence about `n` of something.
    pub(super) fn find_counted<'a>(
        &'a self,
        context: Option<&str>,
        one: &'a str,
        many: &'a str,
        n: u64,
    ) -> &'a str {
        let form = (languages::row(self.language()).form)(n);
        let forms = self.forms(context, one);
        let written = if (languages::row(Language::English).form)(n) == 0 { one } else { many };
        forms.and_then(|forms| forms.get(form)).map_or(written, String::as_str)
    }
}

/// The catalogue as Slint asks for it.
pub(super) struct Shared(pub(super) Arc<Catalogue>);

impl tr::Translator for Shared {
    fn translate<'a>(&'a self, string: &'a str, context: Option<&'a str>) -> Cow<'a, str> {
        Cow::Borrowed(self.0.find(context, string))
    }

    fn ntranslate<'a>(
        &'a self,
        n: u64,
        singular: &'a str,
        plural: &'a str,
        context: Option<&'a str>,
    ) -> Cow<'a, str> {
        Cow::Borrowed(self.0.find_counted(context, singular, plural, n))
    }
}

/// Adds the entries of a `.po` file, which is ours: what is not understood is left out, and the test of the
/// translations misses it.
fn read(po: &str, entries: &mut Entries) {
    for entry in po.split("\n\n") {
        let mut fields: Vec<(&str, String)> = Vec::new();
        for line in entry.lines() {
            let (name, text) = line.split_at(line.find('"').unwrap_or(line.len()));
            let text = unquoted(text);
            match fields.last_mut() {
                // A text goes on in the next line.
                Some((_, begun)) if name.is_empty() => begun.push_str(&text),
                Some(_) | None => fields.push((name.trim(), text)),
            }
        }
        let field = |wanted: &str| fields.iter().find(|(name, _)| *name == wanted);
        let forms: Vec<String> = fields
            .iter()
            .filter(|(name, text)| name.starts_with("msgstr") && !text.is_empty())
            .map(|(_, text)| text.clone())
            .collect();
        let Some((_, id)) = field("msgid").filter(|(_, id)| !id.is_empty()) else { continue };
        let context = field("msgctxt").map(|(_, context)| context.clone()).unwrap_or_default();
        entries.entry(context).or_default().insert(id.clone(), forms);
    }
}

fn unquoted(text: &str) -> String {
    let inside = text.trim();
    let inside = inside.strip_prefix('"').unwrap_or(inside);
    let inside = inside.strip_suffix('"').unwrap_or(inside);
    let (mut found, mut is_escaped) = (String::new(), false);
    for letter in inside.chars() {
        match letter {
            '\\' if !is_escaped => is_escaped = true,
            'n' if is_escaped => (found, is_escaped) = (found + "\n", false),
            _ => {
                found.push(letter);
                is_escaped = false;
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const PO: &str = r#"msgid ""
msgstr ""
"Language: de\n"

msgid "A \"word\"."
msgstr ""
"Ein "
"\"Wort\"."

#. said of a month
msgctxt "month"
msgid "May"
msgstr "Mai"

msgid "{n} bed"
msgid_plural "{n} beds"
msgstr[0] "{n} Bett"
msgstr[1] "{n} Betten"

msgid "not yet"
msgstr ""
"#;

    #[test]
    fn forms_contexts_and_texts_of_several_lines_are_read() {
        let mut entries = Entries::new();
        read(PO, &mut entries);
        assert_eq!(entries[""]["A \"word\"."], ["Ein \"Wort\"."]);
        assert_eq!(entries["month"]["May"], ["Mai"]);
        assert_eq!(entries[""]["{n} bed"], ["{n} Bett", "{n} Betten"]);
        assert!(entries[""]["not yet"].is_empty());
        assert_eq!(entries.values().map(HashMap::len).sum::<usize>(), 4);
    }

    #[test]
    fn a_sentence_is_said_in_the_language_that_is_spoken() {
        use tr::Translator as _;
        let shared = Shared(Arc::new(Catalogue::default()));
        let said = |n| shared.ntranslate(n, "{} bed", "{} beds", None).into_owned();
        assert_eq!(
            (said(1).as_str(), said(0).as_str(), said(2).as_str()),
            ("{} bed", "{} beds", "{} beds")
        );
        let late = "Wait a little, then try again.";
        assert_eq!(shared.translate(late, None), late);
        assert!(shared.0.speak(Language::German) && !shared.0.speak(Language::German));
        assert_eq!(shared.translate(late, None), "Warten Sie etwas und versuchen Sie es erneut.");
        assert_eq!(shared.translate("never said", None), "never said");
        assert_eq!(said(2), "{} beds");
    }
}
