//! A state directory as a value: read, kept, changed and written again.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// Everything below a directory: the content of files, `None` for directories.
pub type Tree = BTreeMap<PathBuf, Option<Vec<u8>>>;

/// Reads a tree.
pub fn tree(dir: &Path) -> Tree {
    fn read(below: &Path, dir: &Path, tree: &mut Tree) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(below).unwrap().to_owned();
            if path.is_dir() {
                tree.insert(name, None);
                read(below, &path, tree);
            } else {
                tree.insert(name, Some(std::fs::read(&path).unwrap()));
            }
        }
    }
    let mut tree = Tree::new();
    read(dir, dir, &mut tree);
    tree
}

/// Reads a tree that a running store may still be writing, as it was at one instant: twice the same.
pub fn at_one_instant(dir: &Path) -> Tree {
    let mut before = tree(dir);
    for _ in 0..1_000 {
        let after = tree(dir);
        if after == before {
            return after;
        }
        before = after;
    }
    panic!("{} is written without end", dir.display());
}

/// Writes a tree into an empty directory, for its owner alone, as a store's directories are.
pub fn write(tree: &Tree, dir: &Path) {
    std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o700)).unwrap();
    for (name, content) in tree {
        let path = dir.join(name);
        match content {
            None => std::fs::create_dir(&path).unwrap(),
            Some(content) => std::fs::write(&path, content).unwrap(),
        }
    }
}

/// A directory in memory where there is one: what is tried in it needs no real disk.
pub fn scratch() -> TempDir {
    let memory = Path::new("/dev/shm");
    let mut named = tempfile::Builder::new();
    named.prefix("wardkeep-test-");
    if memory.is_dir() { named.tempdir_in(memory) } else { named.tempdir() }.unwrap()
}
