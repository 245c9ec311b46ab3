//! A type is read in one place: its methods stand in few files of one room.

use std::collections::{BTreeMap, BTreeSet};

use crate::sources::{files, none};

/// In how many files the inherent `impl` blocks of one type may stand, tests aside.
const FILES_MAX: usize = 3;

/// The type that a line begins an inherent `impl` of.
fn implemented(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("unsafe impl").or_else(|| line.strip_prefix("impl"))?;
    let rest = match rest.strip_prefix('<') {
        Some(generics) => generics.split_once("> ")?.1,
        None => rest.strip_prefix(' ')?,
    };
    let name = rest.split(|c: char| !c.is_alphanumeric() && c != '_').next()?;
    (!rest.contains(" for ") && name.starts_with(char::is_uppercase)).then_some(name)
}

#[test]
fn a_type_has_its_methods_in_few_files_of_one_room() {
    // By floor: two floors may have a type of the same name.
    let mut homes: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for source in files(&["src"], "rs") {
        let floor = source.path.split('/').take(2).collect::<Vec<_>>().join("/");
        for (_, line) in source.product_code() {
            if let Some(name) = implemented(line) {
                let home = homes.entry((floor.clone(), name.to_owned())).or_default();
                home.insert(source.path.clone());
            }
        }
    }
    assert!(homes.len() > 200, "the types were not found");
    let mut violations = Vec::new();
    for ((floor, name), home) in &homes {
        if home.len() > FILES_MAX {
            violations.push(format!("{name} of {floor} has methods in {} files", home.len()));
        }
    }
    none(violations, "a type is read in one place");
}

#[test]
fn the_guard_on_types_sees_impl_blocks() {
    for (line, name) in [
        ("impl Kiosk {", Some("Kiosk")),
        ("impl<T: Zeroize> Secret<T> {", Some("Secret")),
        ("impl<'a> Cursor<'a> {", Some("Cursor")),
        ("impl fmt::Debug for Secret {", None),
        ("impl<T> From<T> for Secret {", None),
        ("fn impl_it() {", None),
    ] {
        assert_eq!(implemented(line), name, "{line}");
    }
}
