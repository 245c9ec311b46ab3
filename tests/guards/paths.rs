//! Which modules a source file names: every path that begins with `crate` or `super`, whether in a `use`
//! or in the middle of an expression.

use crate::sources::Source;

/// A module's path below its crate, e.g. `["session", "machine"]`.
pub type Module = Vec<String>;

/// The module that a file below `floor` holds; `None` for the crate's root and for programs.
pub fn module_of(path: &str, floor: &str) -> Option<Module> {
    let inside = path.strip_prefix(floor)?.strip_prefix('/')?.strip_suffix(".rs")?;
    let mut module: Module = inside.split('/').map(str::to_owned).collect();
    if module.first().is_some_and(|first| first == "bin") {
        return None;
    }
    if module.last().is_some_and(|last| last == "mod" || last == "lib") {
        module.pop();
    }
    (!module.is_empty()).then_some(module)
}

/// Every path that the product code of `source` names, with its line, from the crate's root.
pub fn named(source: &Source, module: &[String]) -> Vec<(usize, Module)> {
    let mut found = Vec::new();
    let code: Vec<(usize, &str)> = source.product_code().collect();
    let text: String = code.iter().map(|(_, line)| format!("{line}\n")).collect();
    let lines: Vec<usize> = code.iter().map(|(number, _)| *number).collect();
    for root in ["crate", "super"] {
        for (at, _) in text.match_indices(&format!("{root}::")) {
            let before = text[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | ':' | '$')) {
                continue;
            }
            let line = lines[text[..at].matches('\n').count()];
            let mut paths = Vec::new();
            tree(&text[at..], &mut Vec::new(), &mut paths);
            found.extend(paths.iter().filter_map(|path| Some((line, absolute(path, module)?))));
        }
    }
    found
}

/// `crate::a` is `a`; `super::a` in module `b::c` is `b::a`.
fn absolute(path: &[String], module: &[String]) -> Option<Module> {
    let ups = path.iter().take_while(|segment| *segment == "super").count();
    let base = if ups > 0 { module.get(..module.len().checked_sub(ups)?)? } else { &[] };
    let rest = path.get(ups.max(1)..)?;
    Some(base.iter().chain(rest).cloned().collect())
}

/// Reads one tree of a `use`, or one path of an expression, and returns how much of the text it took.
fn tree(text: &str, prefix: &mut Module, paths: &mut Vec<Module>) -> usize {
    let outer = prefix.len();
    let mut at = 0;
    loop {
        at += blank(&text[at..]);
        let word = text[at..].find(|c: char| !c.is_alphanumeric() && c != '_');
        let word = &text[at..at + word.unwrap_or(text.len() - at)];
        if word.is_empty() {
            at += branches(&text[at..], prefix, paths);
            break;
        }
        at += word.len();
        if word != "self" {
            prefix.push(word.to_owned());
        }
        if !text[at..].starts_with("::") {
            paths.push(prefix.clone());
            break;
        }
        at += 2;
    }
    prefix.truncate(outer);
    at
}

/// `{a, b::c}`, or what else may stand at the end of a path.
fn branches(text: &str, prefix: &mut Module, paths: &mut Vec<Module>) -> usize {
    if !text.starts_with('{') {
        paths.push(prefix.clone());
        return usize::from(text.starts_with('*'));
    }
    let mut at = 1;
    while at < text.len() {
        at += blank(&text[at..]);
        match text[at..].chars().next() {
            Some('}') => return at + 1,
            Some(',') => at += 1,
            Some(_) => {
                let took = tree(&text[at..], prefix, paths);
                // An alias, or something that is no tree at all: on to the next branch.
                let end = text[at + took..].find([',', '}']).unwrap_or(text.len() - at - took);
                at += took + end;
            }
            None => break,
        }
    }
    at
}

fn blank(text: &str) -> usize {
    text.len() - text.trim_start().len()
}

#[test]
fn paths_are_read_as_the_compiler_does() {
    let source = Source {
        path: "src/example/b/c.rs".into(),
        text: "use crate::{a::{self, B}, d};\nuse super::e::F as G;\n// crate::no\n\
               fn f() { crate::h::i(); pub_crate::no(); }\nuse super::super::j::*;\n"
            .into(),
    };
    let module = module_of(&source.path, "src/example").expect("a module");
    assert_eq!(module, ["b", "c"]);
    let mut found: Vec<String> = named(&source, &module)
        .into_iter()
        .map(|(line, path)| format!("{line} {}", path.join("::")))
        .collect();
    found.sort();
    assert_eq!(found, ["1 a", "1 a::B", "1 d", "2 b::e::F", "4 h::i", "5 j"]);
    assert_eq!(module_of("src/example/lib.rs", "src/example"), None);
    assert_eq!(module_of("src/example/bin/x.rs", "src/example"), None);
}
