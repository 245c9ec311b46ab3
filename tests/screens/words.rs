//! Every sentence exists in German, under the right component and with its placeholders.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use wardkeep::tour::samples::{self, concealed, open};
use wardkeep_core::config::Language;
use wardkeep_core::kiosk::view::{Screen, View};

use kit::screens::{Desk, LANDSCAPE};

/// Component, sentence, plural.
type Sentence = (String, String, Option<String>);

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|end| end == "slint") {
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

/// What is compiled by itself with a catalogue of its own: the folder, and those inside it that are not
/// part of it.
struct Part {
    folder: &'static str,
    without: Option<&'static str>,
    catalogue: &'static str,
}

const PARTS: [Part; 2] = [
    Part { folder: "ui", without: Some("ui/bench"), catalogue: "wardkeep-ui.po" },
    Part { folder: "ui/bench", without: None, catalogue: "wardkeep-bench.po" },
];

fn at(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

fn sentences(part: &Part) -> Vec<Sentence> {
    let mut found = Vec::new();
    let without = part.without.map(at);
    let inside = |file: &PathBuf| without.as_ref().is_none_or(|folder| !file.starts_with(folder));
    for file in files(&at(part.folder)).into_iter().filter(inside) {
        let source = std::fs::read_to_string(file).unwrap();
        let mut component = String::new();
        let code: String = source
            .lines()
            .map(|line| line.split("//").next().unwrap_or("").to_owned() + "\n")
            .collect();
        for (at, _) in code.char_indices().filter(|(at, _)| {
            *at == 0 || code.as_bytes()[at - 1] == b'\n' || code[*at..].starts_with("@tr(")
        }) {
            let here = &code[at..];
            let head = here.strip_prefix("export ").unwrap_or(here);
            if let Some(name) =
                head.strip_prefix("component ").or_else(|| head.strip_prefix("global "))
            {
                component = name.split_whitespace().next().unwrap().to_owned();
            } else if let Some(call) = here.strip_prefix("@tr(") {
                let (singular, rest) = literal(call).unwrap();
                let plural =
                    rest.trim_start().strip_prefix('|').and_then(literal).map(|(text, _)| text);
                found.push((component.clone(), singular, plural));
            }
        }
    }
    found
}

fn german(part: &Part) -> BTreeMap<(String, String), Vec<String>> {
    let path = at(part.folder).join("lang/de/LC_MESSAGES").join(part.catalogue);
    let source = std::fs::read_to_string(path).unwrap();
    let mut entries = BTreeMap::new();
    for entry in source.split("\n\n") {
        let field = |name: &str| {
            let line = entry.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(literal).map(|(text, _)| text)
        };
        let (Some(context), Some(id)) = (field("msgctxt "), field("msgid ")) else { continue };
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
    for (part, least) in PARTS.iter().zip([200, 50]) {
        let (sentences, german) = (sentences(part), german(part));
        assert!(sentences.len() > least, "{}: {} sentences", part.folder, sentences.len());
        for (component, singular, plural) in &sentences {
            let told = german
                .get(&(component.clone(), singular.clone()))
                .unwrap_or_else(|| panic!("no German for {singular:?} in {component}"));
            assert_eq!(told.len(), if plural.is_some() { 2 } else { 1 }, "{singular:?}");
            for text in told {
                assert!(!text.is_empty(), "{singular:?} in {component} is empty");
                let (there, here) = (placeholders(text), placeholders(singular));
                assert_eq!(there, here, "{singular:?} in {component}");
            }
        }
    }
}

#[test]
fn no_translation_is_left_over() {
    for part in &PARTS {
        let said = sentences(part).into_iter().map(|(context, id, _)| (context, id));
        let said: Vec<_> = said.collect();
        for key in german(part).into_keys() {
            assert!(said.contains(&key), "{key:?} is not said anywhere in {}", part.folder);
        }
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
