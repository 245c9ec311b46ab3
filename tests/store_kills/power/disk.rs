//! What a disk may hold after a power cut: everything that a sync made durable, and of the rest
//! whatever the disk and the file system had got round to.
//!
//! Two file systems are played. *Journal* (as ext4): changes of names are kept in the order in which
//! they were made, and any sync makes all of them durable that came before. *Strict* (what POSIX
//! promises): a new name, a rename or a removal is durable once its own directory was synced.
//! Data is durable once its own file was synced; until then each write may be whole, lost, or torn
//! between sectors of 512 bytes, with garbage in one of them. Sectors that are not being written keep
//! their content, bytes of a sector beside those that are written too.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;

use super::recording::{Node, Op, ROOT, Recording};
use kit::store::tree::Tree;

const SECTOR: u64 = 512;

/// Numbers that look random and are the same for the same seed (SplitMix64).
#[derive(Clone, Debug)]
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }
}

/// How a file system keeps names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    Journal,
    Strict,
}

/// What becomes of what is not durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Kept,
    Lost,
    /// Names: the first few of them are kept. Data: some, torn.
    Partly,
    /// Data: the first sector of each write is garbage.
    Garbled,
}

/// One way in which the power goes.
#[derive(Clone, Copy, Debug)]
pub struct Cut {
    /// After so many changes.
    pub after: usize,
    pub system: System,
    pub names: Fate,
    pub data: Fate,
    pub seed: u64,
}

impl Cut {
    /// The n-th way for the power to go at this place. The first ones are the corners, the others are
    /// random.
    pub fn nth(after: usize, number: u64) -> Self {
        use Fate::{Garbled, Kept, Lost, Partly};
        use System::{Journal, Strict};
        let corners = [
            (Journal, Kept, Kept),
            (Strict, Lost, Lost),
            (Journal, Kept, Lost),
            (Journal, Kept, Partly),
            (Strict, Lost, Kept),
            (Journal, Kept, Garbled),
            (Journal, Lost, Lost),
            (Strict, Partly, Partly),
            (Journal, Partly, Partly),
        ];
        let corner = usize::try_from(number).ok().and_then(|number| corners.get(number));
        let seed = (after as u64) << 32 | number;
        let mut dice = Dice(seed);
        let random = [(Journal, Partly, Partly), (Strict, Partly, Partly)];
        let (system, names, data) = *corner.unwrap_or(&random[dice.roll(2) as usize]);
        Self { after, system, names, data, seed: dice.roll(u64::MAX) }
    }
}

/// A recording, with what is made durable when.
pub struct Disk {
    pub recording: Recording,
    /// For each change, the sync that makes it durable.
    durable: [Vec<usize>; 2],
}

const NEVER: usize = usize::MAX;

impl Disk {
    pub fn new(recording: Recording) -> Self {
        let ops = &recording.ops;
        let mut durable = [vec![NEVER; ops.len()], vec![NEVER; ops.len()]];
        let mut synced: BTreeMap<Node, usize> = BTreeMap::new();
        let mut last = NEVER;
        for (index, op) in ops.iter().enumerate().rev() {
            let of = |node: &Node| synced.get(node).copied().unwrap_or(NEVER);
            let (journal, strict) = match op {
                Op::Sync(node) => {
                    last = index;
                    synced.insert(*node, index);
                    (index, index)
                }
                Op::Enter { at, .. } | Op::Leave { at, .. } => (last, of(&at.0)),
                Op::Move { from, to, .. } => (last, of(&from.0).min(of(&to.0))),
                Op::Write { file, .. } | Op::Resize { file, .. } => (of(file), of(file)),
            };
            durable[0][index] = journal;
            durable[1][index] = strict;
        }
        Self { recording, durable }
    }

    /// What lies on the disk when the power is back.
    pub fn state(&self, cut: Cut) -> Tree {
        let system = match cut.system {
            System::Journal => 0,
            System::Strict => 1,
        };
        let is_durable = |index: usize| self.durable[system][index] < cut.after;
        let ops = || self.recording.ops.iter().enumerate().take(cut.after);
        let mut dice = Dice(cut.seed);

        let open = ops().filter(|(index, op)| op.is_name() && !is_durable(*index)).count() as u64;
        let mut keep = match cut.names {
            Fate::Kept | Fate::Garbled => open,
            Fate::Lost => 0,
            Fate::Partly => dice.roll(open + 1),
        };
        let mut names = self.recording.names.clone();
        let mut content = self.recording.content.clone();
        for (index, op) in ops() {
            if op.is_name() {
                let is_kept = is_durable(index) || keep > 0;
                if !is_durable(index) {
                    keep = keep.saturating_sub(1);
                }
                if is_kept {
                    rename(&mut names, op);
                }
            } else {
                let fate = if is_durable(index) { Fate::Kept } else { cut.data };
                change(&mut content, op, fate, &mut dice);
            }
        }
        self.tree(&names, content)
    }

    fn tree(&self, names: &BTreeMap<(Node, String), Node>, mut content: Vec<Vec<u8>>) -> Tree {
        let mut tree = Tree::new();
        let mut dirs = vec![(ROOT, PathBuf::new())];
        while let Some((dir, path)) = dirs.pop() {
            let within = names.range((dir, String::new())..(dir + 1, String::new()));
            for ((_, name), node) in within {
                let path = path.join(name);
                if self.recording.is_dir[*node] {
                    tree.insert(path.clone(), None);
                    dirs.push((*node, path));
                } else {
                    tree.insert(path, Some(std::mem::take(&mut content[*node])));
                }
            }
        }
        tree
    }
}

impl Op {
    fn is_name(&self) -> bool {
        match self {
            Op::Enter { .. } | Op::Leave { .. } | Op::Move { .. } => true,
            Op::Write { .. } | Op::Resize { .. } | Op::Sync(_) => false,
        }
    }
}

fn rename(names: &mut BTreeMap<(Node, String), Node>, op: &Op) {
    let forget = |names: &mut BTreeMap<_, _>, at, node: &Node| {
        if names.get(at) == Some(node) {
            names.remove(at);
        }
    };
    match op {
        Op::Enter { at, node } => {
            names.insert(at.clone(), *node);
        }
        Op::Leave { at, node } => forget(names, at, node),
        Op::Move { from, to, node } => {
            forget(names, from, node);
            names.insert(to.clone(), *node);
        }
        Op::Write { .. } | Op::Resize { .. } | Op::Sync(_) => {}
    }
}

fn change(content: &mut [Vec<u8>], op: &Op, fate: Fate, dice: &mut Dice) {
    match op {
        Op::Resize { file, len } => {
            let is_kept = match fate {
                Fate::Kept | Fate::Garbled => true,
                Fate::Lost => false,
                Fate::Partly => dice.roll(2) == 0,
            };
            if is_kept {
                content[*file].resize(*len as usize, 0);
            }
        }
        Op::Write { file, at, bytes } => match fate {
            Fate::Lost => {}
            Fate::Kept => put(&mut content[*file], *at, bytes),
            Fate::Partly => match dice.roll(3) {
                0 => {}
                1 => put(&mut content[*file], *at, bytes),
                _ => tear(&mut content[*file], *at, bytes, dice),
            },
            Fate::Garbled => {
                put(&mut content[*file], *at, bytes);
                let sector = SECTOR - *at % SECTOR;
                let first = &bytes[..bytes.len().min(sector as usize)];
                let noise: Vec<u8> = first.iter().map(|_| dice.roll(256) as u8).collect();
                put(&mut content[*file], *at, &noise);
            }
        },
        Op::Enter { .. } | Op::Leave { .. } | Op::Move { .. } | Op::Sync(_) => {}
    }
}

fn put(content: &mut Vec<u8>, at: u64, bytes: &[u8]) {
    let (from, to) = (at as usize, at as usize + bytes.len());
    if content.len() < to {
        content.resize(to, 0);
    }
    content[from..to].copy_from_slice(bytes);
}

/// Writes some of the sectors, or those up to one, and garbage into one that was not written.
fn tear(content: &mut Vec<u8>, at: u64, bytes: &[u8], dice: &mut Dice) {
    let end = at + bytes.len() as u64;
    let (first, last) = (at / SECTOR, (end - 1) / SECTOR);
    let up_to = (dice.roll(2) == 0).then(|| first + dice.roll(last - first + 1));
    let garbage = (dice.roll(2) == 0).then(|| first + dice.roll(last - first + 1));
    for sector in first..=last {
        let (from, to) = ((sector * SECTOR).max(at), ((sector + 1) * SECTOR).min(end));
        let piece = &bytes[(from - at) as usize..(to - at) as usize];
        let is_written = up_to.map_or_else(|| dice.roll(2) == 0, |up_to| sector < up_to);
        if garbage == Some(sector) {
            let noise: Vec<u8> = piece.iter().map(|_| dice.roll(256) as u8).collect();
            put(content, from, &noise);
        } else if is_written {
            put(content, from, piece);
        }
    }
}

/// Tells trees apart.
pub fn fingerprint(tree: &Tree) -> u64 {
    let mut hasher = DefaultHasher::new();
    tree.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `tmp` is written, synced and renamed to `file`, and the directory is synced.
    fn replaced(is_synced: bool) -> Disk {
        let bytes = b"new".to_vec();
        let (tmp, file) = ((ROOT, "tmp".to_owned()), (ROOT, "file".to_owned()));
        let mut ops = vec![
            Op::Enter { at: tmp.clone(), node: 2 },
            Op::Write { file: 2, at: 0, bytes },
            Op::Sync(2),
            Op::Move { from: tmp, to: file.clone(), node: 2 },
            Op::Sync(ROOT),
        ];
        if !is_synced {
            ops.remove(2);
        }
        Disk::new(Recording {
            content: vec![vec![], b"old".to_vec(), vec![]],
            is_dir: vec![true, false, false],
            names: BTreeMap::from([(file, 1)]),
            ops,
            said: vec![],
        })
    }

    fn seen(disk: &Disk) -> Vec<Vec<u8>> {
        let cuts =
            (0..=disk.recording.ops.len()).flat_map(|after| (0..40).map(move |n| (after, n)));
        let files = cuts.map(|(after, n)| disk.state(Cut::nth(after, n)));
        let mut seen: Vec<_> =
            files.map(|tree| tree[&PathBuf::from("file")].clone().unwrap()).collect();
        seen.sort();
        seen.dedup();
        seen
    }

    #[test]
    fn a_file_that_is_synced_before_its_rename_is_old_or_new() {
        assert_eq!(seen(&replaced(true)), [b"new".to_vec(), b"old".to_vec()]);
    }

    #[test]
    fn a_file_that_is_not_synced_may_be_empty_or_garbage() {
        let seen = seen(&replaced(false));
        assert!(seen.contains(&vec![]) && seen.len() > 3, "{seen:?}");
    }

    #[test]
    fn what_a_sync_covers_is_there_after_every_cut() {
        let disk = replaced(true);
        let all = disk.recording.ops.len();
        for number in 0..100 {
            let tree = disk.state(Cut::nth(all, number));
            assert_eq!(tree[&PathBuf::from("file")], Some(b"new".to_vec()));
            assert!(!tree.contains_key(&PathBuf::from("tmp")));
        }
        let lost = Cut { names: Fate::Lost, ..Cut::nth(all - 1, 0) };
        let tree = disk.state(Cut { system: System::Strict, ..lost });
        assert_eq!(tree[&PathBuf::from("file")], Some(b"old".to_vec()));
    }
}
