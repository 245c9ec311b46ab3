//! Rules of this code base that the compiler cannot state: layering, vocabulary, sizes, promises.
//!
//! Every rule reads the source files below the package and names the file and line that breaks it.

mod floors;
mod paths;
mod sources;
mod types;

use std::collections::BTreeSet;

use sources::{Source, files, none, read, rust_files};

use wardkeep_model::access::Role;
use wardkeep_model::access::policy::Permission;

/// Modules that take events and the time and return effects, and do nothing else.
const PURE: [&str; 9] = [
    "src/core",
    "src/model",
    "src/hardware/card/apdu.rs",
    "src/hardware/card/exchange.rs",
    "src/hardware/card/piv",
    "src/hardware/card/tlv.rs",
    "src/hardware/presence",
    "src/hardware/usb_badge/keyboard_badge.rs",
    "src/hardware/usb_badge/pcprox.rs",
];
/// The one file of the model that reads the clocks, and the one that starts the log.
const CLOCKS_AND_LOG: [&str; 2] = ["src/model/moment.rs", "src/model/telemetry.rs"];

/// The outside: what a pure module must not mention.
const OUTSIDE: [&str; 15] = [
    "tokio::",
    "slint::",
    "btleplug::",
    "rusqlite::",
    "pcsc::",
    "zbus::",
    "cpal::",
    "std::fs",
    "std::net",
    "std::thread",
    "std::process",
    "std::env",
    "Instant::now",
    "SystemTime",
    "Moment::read",
];

/// Where types generated from `ui/` may be named: the bridge, the simulator's own window, and the tour.
const UI_TYPES: [&str; 3] = ["src/kiosk/bridge/", "src/kiosk/bench.rs", "src/kiosk/tour"];
/// The files whose module of generated code follows its generator's style.
const GENERATED: [&str; 2] = ["ui/lib.rs", "ui/bench/lib.rs"];
/// A longer file is asked what two things it does.
const LINES_MAX: usize = 500;
const PROMISES: u32 = 11;

#[test]
fn pure_modules_do_no_io() {
    let mut violations = Vec::new();
    for source in files(&PURE, "rs") {
        if source.below(&CLOCKS_AND_LOG) {
            continue;
        }
        for (number, line) in source.product_code() {
            for word in OUTSIDE.iter().filter(|word| line.contains(*word)) {
                violations.push(format!("{}:{number} mentions {word}", source.path));
            }
        }
    }
    none(violations, "the core takes events and the time, and returns effects");
}

/// S-2 by construction: what monitors has no word for who is logged in, nor for more of a patient than an
/// opaque identity. Which rooms of the core it may import says the table of floors.
#[test]
fn s2_monitoring_cannot_name_a_session_or_a_patient() {
    let mut violations = Vec::new();
    for source in files(&["src/core/monitor"], "rs") {
        for (number, line) in source.product_code() {
            for word in ["access", "Operator", "Session", "Patient", "Role", "Permission"] {
                if line.contains(word) {
                    violations.push(format!("{}:{number} mentions {word}", source.path));
                }
            }
        }
    }
    none(violations, "locking cannot stop what does not know that there is a lock");
}

#[test]
fn nothing_is_thrown_away_unseen() {
    let mut violations = Vec::new();
    for source in rust_files() {
        for (number, line) in source.code() {
            if discards(line) {
                violations.push(format!("{}:{number} {}", source.path, line.trim()));
            }
        }
    }
    none(violations, "a result is used, or a sentence says why not");
}

/// `let _ = ..`, and `_ = ..` unless it is a branch of `select!`.
fn discards(line: &str) -> bool {
    let bare = |at: usize| {
        let before = &line[..at];
        before.ends_with("let ")
            || !line.contains("=>")
                && !before.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '"')
    };
    line.match_indices("_ = ").any(|(at, _)| bare(at))
}

#[test]
fn only_the_bridge_names_generated_types() {
    let mut violations = Vec::new();
    for source in rust_files().iter().filter(|source| source.path.starts_with("src/")) {
        for (number, line) in source.code() {
            let names = ["wardkeep_ui", "wardkeep_bench", "include_modules!"]
                .iter()
                .any(|word| line.contains(word));
            if names && !source.below(&UI_TYPES) {
                violations.push(format!("{}:{number} {}", source.path, line.trim()));
            }
        }
    }
    none(violations, "the screen is a projection, and src/kiosk/bridge makes it");
}

#[test]
fn every_file_says_what_it_is() {
    let rust = rust_files().into_iter().filter(|source| !source.text.starts_with("//! "));
    let slint = files(&["ui"], "slint").into_iter().filter(|source| !source.text.starts_with("//"));
    none(rust.chain(slint).map(|source| source.path).collect(), "the first line says what it is");
}

#[test]
fn no_file_is_long() {
    let mut violations = Vec::new();
    let guards = files(&["tests/guards.rs"], "rs");
    for source in rust_files().into_iter().chain(guards).chain(files(&["ui"], "slint")) {
        let lines = source.text.lines().count();
        if lines > LINES_MAX {
            violations.push(format!("{} has {lines} lines", source.path));
        }
    }
    none(violations, "a file is read in one sitting");
}

#[test]
fn every_promise_is_kept_somewhere_and_tested() {
    let sources = rust_files();
    let library = read("src/core/lib.rs");
    let mut violations = Vec::new();
    for number in 1..=PROMISES {
        let id = format!("S-{number}");
        let says = |text: &str| {
            text.match_indices(&id).any(|(at, _)| {
                !text[at + id.len()..].starts_with(|next: char| next.is_ascii_digit())
            })
        };
        let documented = |source: &Source| {
            source.path.starts_with("src/")
                && source.path != "src/core/lib.rs"
                && source.text.lines().any(|line| line.starts_with("//!") && says(line))
        };
        let tested = format!("fn s{number}_");
        if !library.lines().any(|line| line.starts_with("//! |") && says(line)) {
            violations.push(format!("{id} is not in the table of src/core/lib.rs"));
        }
        if !sources.iter().any(documented) {
            violations.push(format!("{id} is in no module's doc"));
        }
        if !sources.iter().any(|source| source.text.contains(&tested)) {
            violations.push(format!("{id} has no test named s{number}_.."));
        }
    }
    none(violations, "a promise has a place and a test");
}

#[test]
fn no_unwrap_outside_tests() {
    let mut violations = Vec::new();
    for source in rust_files() {
        for (number, line) in source.product_code() {
            if line.contains(".unwrap()") {
                violations.push(format!("{}:{number} {}", source.path, line.trim()));
            }
        }
    }
    none(violations, "an expectation gives its reason");
}

#[test]
fn no_lint_is_switched_off() {
    let mut violations = Vec::new();
    for source in rust_files() {
        let found: Vec<_> = source.code().filter(|(_, line)| switches_off(line)).collect();
        let most = if GENERATED.contains(&source.path.as_str()) { 1 } else { 0 };
        if found.len() > most {
            for (number, line) in found {
                violations.push(format!("{}:{number} {}", source.path, line.trim()));
            }
        }
    }
    none(violations, "an #[expect] with its reason fails when it is needed no more");
}

fn switches_off(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("#[allow(") || line.starts_with("#![allow(") || line.contains(", allow(")
}

#[test]
fn every_dependency_says_what_it_is_for() {
    let manifest = read("Cargo.toml");
    let mut violations = Vec::new();
    let (mut in_dependencies, mut explained) = (false, false);
    for (index, line) in manifest.lines().enumerate() {
        if line.starts_with('[') {
            in_dependencies = line == "[workspace.dependencies]";
            explained = false;
        } else if line.starts_with('#') {
            explained = true;
        } else if line.is_empty() {
            explained = false;
        } else if in_dependencies && !explained {
            violations.push(format!("Cargo.toml:{} {line}", index + 1));
        }
    }
    none(violations, "a crate enters with a comment above its group");
}

#[test]
fn colours_are_named_in_the_theme_alone() {
    let mut violations = Vec::new();
    for source in files(&["ui"], "slint").iter().chain(&files(&["src"], "rs")) {
        if source.path == "ui/theme.slint" {
            continue;
        }
        for (number, line) in source.product_code().filter(|(_, line)| has_colour(line)) {
            violations.push(format!("{}:{number} {}", source.path, line.trim()));
        }
    }
    none(violations, "red, yellow and cyan belong to alarms: only ui/theme.slint picks colours");
}

/// `#` and three, four, six or eight hexadecimal digits.
fn has_colour(line: &str) -> bool {
    line.match_indices('#').any(|(at, _)| {
        let word = line[at + 1..].split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or("");
        matches!(word.len(), 3 | 4 | 6 | 8) && word.chars().all(|c| c.is_ascii_hexdigit())
    })
}

#[test]
fn lengths_are_named_in_the_theme_alone() {
    let mut violations = Vec::new();
    for source in files(&["ui"], "slint") {
        // The bench is a workbench beside the kiosk, for a desktop's screen.
        if source.path == "ui/theme.slint" || source.path.starts_with("ui/bench/") {
            continue;
        }
        for (number, line) in source.code().filter(|(_, line)| has_length(line)) {
            violations.push(format!("{}:{number} {}", source.path, line.trim()));
        }
    }
    none(
        violations,
        "a length follows the size of the text and of the screen: it is a token of ui/theme.slint",
    );
}

/// A number of px that is more than a hairline.
fn has_length(line: &str) -> bool {
    let code = line.split("//").next().unwrap_or_default();
    code.match_indices("px").any(|(at, _)| {
        let before = &code[..at];
        let digits = before.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
        let px: Option<f32> = before[digits.len()..].parse().ok();
        let is_word = digits.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        !is_word && px.is_some_and(|px| px > 2.0)
    })
}

#[test]
fn examples_in_documentation_say_what_they_are() {
    let mut violations = Vec::new();
    for source in files(&["src"], "rs") {
        let fences = source.text.lines().enumerate().filter(|(_, line)| {
            let line = line.trim_start();
            line.starts_with("//! ```") || line.starts_with("/// ```")
        });
        for (number, opening) in fences.step_by(2) {
            if !(opening.ends_with("```rust") || opening.ends_with("```text")) {
                violations.push(format!("{}:{} {}", source.path, number + 1, opening.trim()));
            }
        }
    }
    none(violations, "packaging/dev runs examples that are marked as rust; anything else is text");
}

#[test]
fn test_names_are_unique_in_their_file() {
    let mut violations = Vec::new();
    for source in rust_files() {
        let mut seen = BTreeSet::new();
        for (number, line) in source.code() {
            if let Some(name) =
                line.trim().strip_prefix("fn s").and_then(|rest| rest.split('(').next())
                && name.starts_with(|c: char| c.is_ascii_digit())
                && !seen.insert(name.to_owned())
            {
                violations.push(format!("{}:{number} s{name}", source.path));
            }
        }
    }
    none(violations, "a test that carries a promise has a name of its own");
}

#[test]
fn the_security_page_tells_what_each_role_may() {
    let words = [
        (Permission::SeePatients, "see live values, patients and their details"),
        (Permission::Care, "put a patient at this bed, add one, assign and release devices"),
        (Permission::HandleAlarms, "acknowledge alarms and pause their sound"),
        (Permission::ConnectDevices, "connect devices to this cart"),
        (Permission::MaintainDevices, "label devices, set their calibration, forget them"),
        (Permission::ManagePeople, "enrol and revoke people and factors"),
        (Permission::SeeCart, "see how this cart is set up and protected"),
        (Permission::ReadAudit, "read the audit log"),
    ];
    assert_eq!(words.map(|(permission, _)| permission), Permission::ALL);
    let may = |permission| {
        Role::ALL.map(|role| if role.may(permission) { "yes" } else { "no" }).join(" | ")
    };
    let table = words.map(|(permission, words)| format!("| {words} | {} |", may(permission)));
    let page = read("docs/security.md");
    let section = page.split("\n## Roles\n").nth(1).unwrap_or_default();
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows: Vec<&str> = section.lines().filter(|line| line.starts_with("| ")).collect();
    assert_eq!(rows.first(), Some(&"| | nurse | caregiver | IT | auditor |"));
    assert_eq!(rows.get(1..), Some(&table.each_ref().map(String::as_str)[..]));
}

/// Where a newcomer is sent, there is something. `NAME` stands for what they are about to add.
#[test]
fn the_pages_name_files_that_exist() {
    let folders = ["src/", "ui/", "tests/", "packaging/", "docs/", "benches/", "fuzz/"];
    let mut violations = Vec::new();
    for page in files(&["README.md", "docs"], "md") {
        for (index, line) in page.text.lines().enumerate() {
            let named = line.split('`').skip(1).step_by(2).filter(|word| {
                folders.iter().any(|folder| word.starts_with(folder))
                    && !word.contains(['*', ' ', '<'])
                    && !word.contains("NAME")
            });
            for path in named.filter(|path| !sources::root().join(path).exists()) {
                violations.push(format!("{}:{} {path}", page.path, index + 1));
            }
        }
    }
    none(violations, "a page that sends people to a file that is not there");
}

#[test]
fn the_guards_see_what_they_look_for() {
    for (line, colour) in [
        ("background: #FF3B3B;", true),
        ("color: #fff;", true),
        ("#[derive(Debug)]", false),
        ("rgb: #12345;", false),
        ("r#\"raw\"#", false),
    ] {
        assert_eq!(has_colour(line), colour, "{line}");
    }
    for (line, length) in [
        ("padding: 12px;", true),
        ("x: root.width-2.5px;", true),
        ("border-width: 2px;", false),
        ("width: 100%;", false),
        ("let sp2px: 3; // 40px", false),
    ] {
        assert_eq!(has_length(line), length, "{line}");
    }
    for (line, thrown) in [
        ("let _ = send();", true),
        ("    _ = send();", true),
        ("tokio::select! { _ = stop.recv() => {} }", false),
        ("let is_ = 3;", false),
        ("_ => {}", false),
    ] {
        assert_eq!(discards(line), thrown, "{line}");
    }
    let source = Source {
        path: "src/example.rs".into(),
        text: "//! Doc.\nfn a() {}\n// note\n#[cfg(test)]\nmod tests {\n    x.unwrap()\n}\n".into(),
    };
    assert_eq!(source.product_code().map(|(number, _)| number).collect::<Vec<_>>(), [2]);
    assert_eq!(source.code().map(|(number, _)| number).collect::<Vec<_>>(), [2, 4, 5, 6, 7]);
    assert!(switches_off("    #[allow(dead_code)]") && !switches_off("// #[expect(dead_code)]"));
}
