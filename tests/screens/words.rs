//! Every sentence exists in every language, under the right component and with its placeholders.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use wardkeep::tour::samples::{self, concealed, open};
use wardkeep_core::config::Language;
use wardkeep_core::kiosk::view::{Screen, View};

use kit::screens::{Desk, LANDSCAPE};

/// Component, sentence, plural.
type Sentence = (String, String, Option<String>);

fn files(folder: &Path, kind: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, kind));
        } else if path.extension().is_some_and(|end| end == kind) {
            found.push(path);
        }
    }
    found
}

/// The string literal at the start of `text`, and what follows it.
fn literal(text: &str) -> Option<(String, &str)> {
    let rest = text.trim_start().strip_prefix('"')?;
    let mut escaped = false;
    for (at, letter) in rest.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some((rest[..at].to_owned(), &rest[at + 1..])),
            _ => {}
        }
    }
    None
}

/// Where sentences stand that are translated, and the catalogues of each language. `ui` includes the bench.
const SCREENS: &str = "ui";
const RUST: &str = "src/kiosk/bridge/words";
const CATALOGUES: [[&str; 2]; 1] = [["ui/lang/de.po", "ui/bench/lang/de.po"]];

fn at(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// Everything that is said: `@tr` of the screens, which stands under its component or global, and `tr` and
/// `trn` of Rust, which stand under none.
fn sentences() -> Vec<Sentence> {
    let said = |folder, kind, call, between| {
        files(&at(folder), kind).into_iter().map(move |file| (file, call, between))
    };
    let screens = said(SCREENS, "slint", "@tr(", '|');
    let rust = said(RUST, "rs", "tr(", ')').chain(said(RUST, "rs", "trn(", ','));
    let mut found = Vec::new();
    for (file, call, between) in screens.chain(rust) {
        let source = std::fs::read_to_string(file).unwrap();
        let mut component = String::new();
        let product = source.split("#[cfg(test)]\nmod tests").next().unwrap();
        let code: String = product
            .lines()
            .map(|line| line.split("//").next().unwrap_or("").to_owned() + "\n")
            .collect();
        for (at, _) in code.char_indices().filter(|(at, _)| {
            let before = at.checked_sub(1).map_or(b'\n', |before| code.as_bytes()[before]);
            let is_call = code[*at..].starts_with(call) && !before.is_ascii_alphanumeric();
            before == b'\n' || is_call
        }) {
            let here = &code[at..];
            let head = here.strip_prefix("export ").unwrap_or(here);
            if let Some(name) =
                head.strip_prefix("component ").or_else(|| head.strip_prefix("global "))
            {
                component = name.split_whitespace().next().unwrap().to_owned();
            } else if let Some((singular, rest)) = here.strip_prefix(call).and_then(literal) {
                let plural =
                    rest.trim_start().strip_prefix(between).and_then(literal).map(|(text, _)| text);
                found.push((component.clone(), singular, plural));
            }
        }
    }
    found
}

fn entries(catalogues: [&str; 2]) -> BTreeMap<(String, String), Vec<String>> {
    let mut entries = BTreeMap::new();
    let sources = catalogues.map(|catalogue| std::fs::read_to_string(at(catalogue)).unwrap());
    for entry in sources.iter().flat_map(|source| source.split("\n\n")) {
        let field = |name: &str| {
            let line = entry.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(literal).map(|(text, _)| text)
        };
        let context = field("msgctxt ").unwrap_or_default();
        let Some(id) = field("msgid ").filter(|id| !id.is_empty()) else { continue };
        let told = ["msgstr ", "msgstr[0] ", "msgstr[1] "].into_iter().filter_map(field).collect();
        assert!(entries.insert((context, id), told).is_none(), "translated twice:\n{entry}");
    }
    entries
}

fn placeholders(text: &str) -> Vec<&str> {
    let mut found: Vec<&str> = text
        .split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}'))
        .map(|(name, _)| name)
        .collect();
    found.sort_unstable();
    found
}

#[test]
fn every_sentence_is_translated_with_all_its_placeholders() {
    let sentences = sentences();
    let of_rust = sentences.iter().filter(|(component, ..)| component.is_empty()).count();
    assert!(sentences.len() > 600 && of_rust > 300, "{} sentences, {of_rust}", sentences.len());
    for catalogues in CATALOGUES {
        let entries = entries(catalogues);
        for (component, singular, plural) in &sentences {
            let what = format!("{singular:?} in {component:?}, {catalogues:?}");
            let told = entries.get(&(component.clone(), singular.clone()));
            let told = told.unwrap_or_else(|| panic!("no translation of {what}"));
            assert_eq!(told.len(), if plural.is_some() { 2 } else { 1 }, "{what}");
            for text in told {
                assert!(!text.is_empty(), "{what} is empty");
                assert_eq!(placeholders(text), placeholders(singular), "{what}");
            }
        }
    }
}

#[test]
fn no_translation_is_left_over() {
    let said: Vec<_> = sentences().into_iter().map(|(context, id, _)| (context, id)).collect();
    for key in CATALOGUES.into_iter().flat_map(entries).map(|(key, _)| key) {
        assert!(said.contains(&key), "{key:?} is not said anywhere");
    }
}

#[test]
fn the_language_changes_while_the_screen_is_shown() {
    let desk = Desk::new(LANDSCAPE);
    let lock = concealed(Screen::Lock(samples::lock()));
    for (language, step, date) in [
        (Language::English, "Tap your badge", "Sunday 22 November"),
        (Language::German, "Ausweis anhalten", "Sonntag, 22. November"),
        (Language::English, "Tap your badge", "Sunday 22 November"),
    ] {
        desk.show(&View { language, ..lock.clone() });
        assert_eq!(desk.labelled(step).len(), 1);
        assert_eq!(desk.labelled(date).len(), 1);
    }
    desk.show(&View { language: Language::German, ..open(Screen::Bedside(samples::bedside())) });
    assert_eq!(desk.the("Herzfrequenz").accessible_value().unwrap(), "72 /min");
    desk.show(&View { language: Language::German, ..concealed(Screen::Pin(samples::pin())) });
    desk.tap("Ziffer 7");
    assert_eq!(desk.the("PIN").accessible_value().unwrap(), "1 Ziffer eingegeben");
}
