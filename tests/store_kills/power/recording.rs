//! What a process did to a directory, as `recorder.c` noted it, resolved from paths to
//! files and directories that keep their identity while their names change.

use std::collections::BTreeMap;
use std::path::Path;

use kit::store::tree::Tree;

/// A file or a directory; the directory that was recorded is [`ROOT`].
pub type Node = usize;
pub const ROOT: Node = 0;

/// One change, or one sync.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// A new file or directory has a name.
    Enter {
        at: (Node, String),
        node: Node,
    },
    /// A file or directory has its name no more.
    Leave {
        at: (Node, String),
        node: Node,
    },
    Move {
        from: (Node, String),
        to: (Node, String),
        node: Node,
    },
    Write {
        file: Node,
        at: u64,
        bytes: Vec<u8>,
    },
    Resize {
        file: Node,
        len: u64,
    },
    Sync(Node),
}

/// A recorded run.
#[derive(Clone, Debug, Default)]
pub struct Recording {
    /// Content before the first change, per node; directories and new files have none.
    pub content: Vec<Vec<u8>>,
    pub is_dir: Vec<bool>,
    /// Names before the first change.
    pub names: BTreeMap<(Node, String), Node>,
    pub ops: Vec<Op>,
    /// What the process said, and how many changes came before.
    pub said: Vec<(usize, String)>,
}

/// Turns paths into nodes while the log is read.
struct Reader<'a> {
    below: &'a Path,
    recording: Recording,
    names: BTreeMap<(Node, String), Node>,
    len: Vec<u64>,
}

impl Recording {
    /// Reads the log of a process that began with this tree in `below`.
    pub fn read(before: &Tree, below: &Path, mut log: &[u8]) -> Self {
        let mut reader = Reader::begin(before, below);
        while !log.is_empty() {
            let (kind, rest) = log.split_first().unwrap();
            let (lengths, rest) = rest.split_at(8);
            let (numbers, rest) = rest.split_at(16);
            let lengths: [u32; 2] =
                [0, 4].map(|at| u32::from_ne_bytes(lengths[at..at + 4].try_into().unwrap()));
            let numbers: [u64; 2] =
                [0, 8].map(|at| u64::from_ne_bytes(numbers[at..at + 8].try_into().unwrap()));
            let (path, rest) = rest.split_at(lengths[0] as usize);
            let (second, rest) = rest.split_at(lengths[1] as usize);
            log = rest;
            let path = std::str::from_utf8(path).unwrap();
            reader.take(*kind, path, second, numbers);
        }
        reader.recording
    }
}

impl<'a> Reader<'a> {
    fn begin(before: &Tree, below: &'a Path) -> Self {
        let mut reader = Self {
            below,
            recording: Recording::default(),
            names: BTreeMap::new(),
            len: Vec::new(),
        };
        reader.node(true, Vec::new());
        // Parents come before what is in them.
        for (path, content) in before {
            let at = reader.place(&below.join(path));
            let node = reader.node(content.is_none(), content.clone().unwrap_or_default());
            reader.names.insert(at, node);
        }
        reader.recording.names = reader.names.clone();
        reader
    }

    fn node(&mut self, is_dir: bool, content: Vec<u8>) -> Node {
        self.len.push(content.len() as u64);
        self.recording.content.push(content);
        self.recording.is_dir.push(is_dir);
        self.recording.content.len() - 1
    }

    fn find(&self, path: &Path) -> Node {
        let parts = path.strip_prefix(self.below).unwrap();
        parts.iter().fold(ROOT, |dir, name| {
            let at = (dir, name.to_str().unwrap().to_owned());
            *self.names.get(&at).unwrap_or_else(|| panic!("{} is not known", path.display()))
        })
    }

    fn place(&self, path: &Path) -> (Node, String) {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        (self.find(path.parent().unwrap()), name)
    }

    /// The file, after it was given the length that it has now by means that were not recorded.
    fn file(&mut self, path: &Path, len: u64) -> Node {
        let file = self.find(path);
        if self.len[file] != len {
            self.resize(file, len);
        }
        file
    }

    fn resize(&mut self, file: Node, len: u64) {
        self.len[file] = len;
        self.recording.ops.push(Op::Resize { file, len });
    }

    fn take(&mut self, kind: u8, path: &str, second: &[u8], [offset, before]: [u64; 2]) {
        if kind == b'A' {
            return self.recording.said.push((self.recording.ops.len(), path.to_owned()));
        }
        let path = Path::new(path);
        match kind {
            b'C' | b'M' => {
                let at = self.place(path);
                let node = self.node(kind == b'M', Vec::new());
                self.names.insert(at.clone(), node);
                self.recording.ops.push(Op::Enter { at, node });
            }
            b'U' | b'D' => {
                let at = self.place(path);
                let node = self.names.remove(&at).unwrap();
                self.recording.ops.push(Op::Leave { at, node });
            }
            b'R' => {
                let from = self.place(path);
                let to = self.place(Path::new(std::str::from_utf8(second).unwrap()));
                let node = self.names.remove(&from).unwrap();
                self.names.insert(to.clone(), node);
                self.recording.ops.push(Op::Move { from, to, node });
            }
            b'W' => {
                let file = self.file(path, before);
                self.len[file] = before.max(offset + second.len() as u64);
                let bytes = second.to_vec();
                self.recording.ops.push(Op::Write { file, at: offset, bytes });
            }
            b'T' => {
                let file = self.file(path, before);
                self.resize(file, offset);
            }
            b'S' => {
                let mut node = self.find(path);
                if !self.recording.is_dir[node] {
                    node = self.file(path, before);
                }
                self.recording.ops.push(Op::Sync(node));
            }
            other => panic!("the recorder wrote {other}"),
        }
    }
}
