//! The sources that the rules are checked on.

use std::fs;
use std::path::{Path, PathBuf};

/// A source file, with its path from the package's root.
pub struct Source {
    pub path: String,
    pub text: String,
}

impl Source {
    /// Numbered lines that are code: no comments.
    pub fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().enumerate().map(|(index, line)| (index + 1, line));
        lines.filter(|(_, line)| !line.trim_start().starts_with("//"))
    }

    /// The same, without the tests at the end of the file or in a file of their own.
    pub fn product_code(&self) -> impl Iterator<Item = (usize, &str)> {
        let is_test = self.path.starts_with("tests/")
            || self.path.contains("/tests/")
            || self.path.ends_with("/tests.rs");
        let end = if is_test { 0 } else { self.tests_begin() };
        self.code().take_while(move |(number, _)| *number < end)
    }

    /// Line of the test module, or one past the last line.
    pub fn tests_begin(&self) -> usize {
        let lines: Vec<&str> = self.text.lines().map(str::trim).collect();
        let is_start =
            |pair: &[&str]| pair[0].starts_with("#[cfg(test)]") && pair[1].starts_with("mod ");
        lines.windows(2).position(is_start).map_or(usize::MAX, |index| index + 1)
    }

    pub fn below(&self, places: &[&str]) -> bool {
        places.iter().any(|place| self.path.starts_with(place))
    }
}

pub fn root() -> PathBuf {
    // Set anew by cargo for each run, unlike the path baked in at compile time.
    let own = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs the tests"));
    own.parent().expect("inside the workspace").to_owned()
}

pub fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// All files with this ending below these places; a place that does not exist holds none.
pub fn files(places: &[&str], ending: &str) -> Vec<Source> {
    let mut paths = Vec::new();
    places.iter().for_each(|place| walk(&root().join(place), &mut paths));
    let mut sources: Vec<Source> = paths
        .iter()
        .filter(|path| path.extension().is_some_and(|found| found == ending))
        .map(|path| {
            let path = path.strip_prefix(root()).expect("below the root").display().to_string();
            Source { text: read(&path), path }
        })
        .collect();
    sources.sort_by(|one, other| one.path.cmp(&other.path));
    sources
}

fn walk(place: &Path, paths: &mut Vec<PathBuf>) {
    if place.is_file() {
        paths.push(place.to_owned());
    }
    let Ok(entries) = fs::read_dir(place) else { return };
    for entry in entries {
        walk(&entry.expect("a readable folder").path(), paths);
    }
}

/// Every Rust file of the package but this one, which has to name what it forbids.
pub fn rust_files() -> Vec<Source> {
    let mut sources = files(&["src", "ui", "tests", "benches", "fuzz/fuzz_targets"], "rs");
    sources.retain(|source| !source.path.starts_with("tests/guards/"));
    assert!(sources.len() > 20, "the sources were not found");
    sources
}

/// Fails with all violations at once.
pub fn none(violations: Vec<String>, rule: &str) {
    assert!(violations.is_empty(), "{rule}:\n  {}", violations.join("\n  "));
}
