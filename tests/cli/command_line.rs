//! What holds for every verb of `wardkeepctl`: help, refusals, completions, manual pages, settings. The verbs
//! are found in the definition, so a verb that is added is checked too.

#![expect(clippy::unwrap_used, reason = "a failed step of a test has to end it")]

use std::fs;
use std::path::Path;
use std::process::{Command as Program, Stdio};

use clap::{Command, CommandFactory};
use serde_json::Value as Json;
use wardkeep::ctl::Cli;
use wardkeep::ctl::kiosk_args::KioskCli;

/// Every verb with its words, `wardkeepctl` itself first.
fn verbs() -> Vec<(Vec<String>, Command)> {
    fn walk(path: &[String], command: &Command, verbs: &mut Vec<(Vec<String>, Command)>) {
        verbs.push((path.to_vec(), command.clone()));
        for verb in command.get_subcommands().filter(|verb| verb.get_name() != "help") {
            walk(&[path, &[verb.get_name().to_owned()]].concat(), verb, verbs);
        }
    }
    let mut verbs = Vec::new();
    walk(&[], &Cli::command(), &mut verbs);
    assert!(verbs.len() > 10, "{verbs:?}");
    verbs
}

fn run(words: &[impl AsRef<std::ffi::OsStr>]) -> (i32, String, String) {
    let done = Program::new(env!("CARGO_BIN_EXE_wardkeepctl"))
        .args(words)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (done.status.code().unwrap(), text(done.stdout), text(done.stderr))
}

#[test]
fn the_definitions_hold_together() {
    Cli::command().debug_assert();
    KioskCli::command().debug_assert();
}

#[test]
fn every_verb_s_help_exits_0_with_examples_on_standard_output() {
    for (path, _) in verbs() {
        let after = [&path[..], &["--help".to_owned()]].concat();
        let (code, help, said) = run(&after);
        assert_eq!((code, said.as_str()), (0, ""), "{after:?}");
        assert!(help.contains("Usage: wardkeepctl") && help.contains("Examples:\n"), "{help}");
        let mut shown = help.lines().filter(|line| line.starts_with("  wardkeepctl "));
        let has_all = |line: &str| path.iter().all(|word| line.split(' ').any(|one| one == word));
        assert!(shown.any(has_all), "{path:?} has no example of its own: {help}");
        let before = [&["help".to_owned()], &path[..]].concat();
        let (code, page, _) = run(&before);
        assert!(code == 0 && page.contains("Examples:\n"), "{before:?}: {page}");
        let (code, short, _) = run(&[&path[..], &["-h".to_owned()]].concat());
        assert!(code == 0 && short.contains("Usage: wardkeepctl"), "{path:?}: {short}");
    }
}

#[test]
fn a_verb_that_needs_words_shows_its_usage_on_standard_error_and_exits_2() {
    for (path, command) in verbs() {
        let needs = command.is_subcommand_required_set()
            || command.get_arguments().any(clap::Arg::is_required_set);
        if !needs {
            continue;
        }
        let (code, answer, said) = run(&path);
        assert_eq!((code, answer.as_str()), (2, ""), "{path:?}");
        assert!(
            said.contains("Usage: wardkeepctl") || said.contains("--help` shows how."),
            "{said}"
        );
    }
}

#[test]
fn recovery_words_are_an_option_where_they_open_something() {
    let takes = |command: &Command| {
        command.get_arguments().any(|argument| argument.get_long() == Some("recovery"))
    };
    let mut taking: Vec<String> = verbs()
        .into_iter()
        .filter(|(_, command)| takes(command))
        .map(|(path, _)| path.join(" "))
        .collect();
    taking.sort();
    let opened = [
        "audit checkpoint",
        "audit export",
        "audit key",
        "enroll badge",
        "store backup",
        "store check",
        "store shred",
        "users code",
        "users list",
    ];
    assert_eq!(taking, opened);
}

/// An option of another verb is refused before anything is opened, whatever the verb.
#[test]
fn what_belongs_to_another_verb_is_refused_by_each() {
    for (path, command) in verbs() {
        if command.get_subcommands().next().is_some() || path.is_empty() {
            continue;
        }
        for option in ["recovery", "yes", "code", "limits"] {
            if command.get_arguments().any(|argument| argument.get_long() == Some(option)) {
                continue;
            }
            let mut words = path.clone();
            words.push(format!("--{option}"));
            let (code, answer, said) = run(&words);
            assert_eq!((code, answer.as_str()), (2, ""), "{words:?}: {said}");
            assert!(said.starts_with(&format!("--{option} does not belong here.")), "{said}");
        }
    }
}

#[test]
fn completions_of_three_shells_know_every_verb() {
    for shell in ["bash", "zsh", "fish"] {
        let (code, script, said) = run(&["completions", shell]);
        assert_eq!((code, said.as_str()), (0, ""), "{shell}");
        for (path, _) in verbs() {
            let known = path.last().is_none_or(|verb| script.contains(verb.as_str()));
            assert!(known, "{shell} does not know {path:?}");
        }
    }
    let (code, _, said) = run(&["completions", "tcsh"]);
    assert_eq!(code, 2);
    assert!(said.contains("bash, zsh or fish"), "{said}");
}

#[test]
fn there_is_a_manual_page_for_each_verb_and_for_the_kiosk() {
    let scratch = tempfile::tempdir().unwrap();
    let out = scratch.path().join("made/man1");
    let (code, answer, said) = run(&["man", "--out", out.to_str().unwrap()]);
    assert_eq!((code, said.as_str()), (0, ""));
    let answer: Json = serde_json::from_str(&answer).unwrap();
    let names = verbs().into_iter().map(|(path, _)| {
        let words = [&["wardkeepctl".to_owned()], &path[..]].concat();
        format!("{}.1", words.join("-"))
    });
    let mut expected: Vec<String> = names.collect();
    expected.extend(["wardkeep.1".to_owned(), "wardkeep-tour.1".to_owned()]);
    expected.sort();
    let mut said: Vec<&str> =
        answer["pages"].as_array().unwrap().iter().map(|page| page.as_str().unwrap()).collect();
    said.sort_unstable();
    assert_eq!(said, expected);
    for name in &expected {
        let page = fs::read_to_string(out.join(name)).unwrap();
        assert!(
            page.contains(".SH NAME") && page.contains(".SH EXAMPLES\n.nf\n"),
            "{name}: {page}"
        );
    }
    assert_eq!(fs::read_dir(&out).unwrap().count(), expected.len());
    let kiosk = fs::read_to_string(out.join("wardkeep.1")).unwrap();
    for option in ["config", "state", "windowed", "simulate"] {
        assert!(kiosk.contains(&format!("\\-\\-{option}")), "{option}: {kiosk}");
    }

    let file = scratch.path().join("file");
    fs::write(&file, "").unwrap();
    let (code, answer, said) = run(&["man", "--out", file.to_str().unwrap()]);
    assert_eq!((code, answer.as_str()), (1, ""));
    assert!(said.contains("cannot be written"), "{said}");
}

/// The words that each verb with settings needs.
fn with_settings(state: &Path, config: &Path) -> Vec<Vec<String>> {
    let new = state.join("new");
    let out = new.to_str().unwrap();
    let lines = [
        vec!["audit", "key", "--recovery"],
        vec!["audit", "export", "--recovery", "--out", out],
        vec!["store", "check", "--recovery"],
        vec!["store", "backup", "--recovery", "--out", out],
        vec!["store", "aside", "--yes"],
        vec!["store", "restore", "--from", "f"],
        vec!["users", "list"],
        vec!["enroll", "X", "pin"],
        vec!["revoke", "X"],
    ];
    let places = ["--state", state.to_str().unwrap(), "--config", config.to_str().unwrap()];
    let words = |line: Vec<&str>| line.into_iter().chain(places).map(str::to_owned).collect();
    lines.into_iter().map(words).collect()
}

/// Half of a file of settings is not used as if it were the whole.
#[test]
fn settings_that_are_too_large_are_refused_by_every_verb_with_the_next_step() {
    let scratch = tempfile::tempdir().unwrap();
    let config = scratch.path().join("config.toml");
    fs::write(&config, "#".repeat(64 * 1024 + 1)).unwrap();
    for words in with_settings(scratch.path(), &config) {
        let (code, answer, said) = run(&words);
        assert_eq!((code, answer.as_str()), (1, ""), "{words:?}: {said}");
        assert!(said.contains("larger than 64 KiB") && said.contains("--config"), "{said}");
    }
    let path = config.to_str().unwrap();
    let (code, report, _) = run(&["doctor", "--config", path]);
    let report: Json = serde_json::from_str(&report).unwrap();
    let checks = report["checks"].as_array().unwrap();
    let settings = checks.iter().find(|check| check["name"] == "configuration").unwrap();
    assert_eq!((code, settings["ok"].as_bool()), (1, Some(false)));
    assert!(settings["detail"].as_str().unwrap().contains("larger than 64 KiB"));

    let none = scratch.path().join("none.toml");
    for words in with_settings(scratch.path(), &none) {
        let (code, _, said) = run(&words);
        assert!(code == 1 && said.contains("none.toml cannot be read: No such file"), "{said}");
    }
    assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 1, "nothing was made");
}
