//! The tree over the audit log's lines (RFC 6962, 2.1), as far as appending and its root need it.
//!
//! Only the right edge is kept: one hash for each complete subtree, so that a log of any length costs
//! as many hashes as its size has binary ones.

use crate::crypto::hash;

/// A node's hash: SHA-256.
pub type Hash = [u8; 32];

/// The hash of a line.
pub fn leaf(line: &[u8]) -> Hash {
    hash(&[&[0], line])
}

fn node(left: &Hash, right: &Hash) -> Hash {
    hash(&[&[1], left, right])
}

/// The right edge of a tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    // Roots of the complete subtrees, the largest first.
    peaks: Vec<Hash>,
}

impl Frontier {
    /// An edge as [`Frontier::peaks`] wrote it; `None` if it is not one of a tree of this size.
    pub fn restored(size: u64, peaks: &[u8]) -> Option<Self> {
        let (peaks, rest) = peaks.as_chunks::<32>();
        let whole = rest.is_empty() && u32::try_from(peaks.len()) == Ok(size.count_ones());
        whole.then(|| Self { size, peaks: peaks.to_vec() })
    }

    /// How many leaves the tree has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Its hashes, the largest subtree's first.
    pub fn peaks(&self) -> Vec<u8> {
        self.peaks.concat()
    }

    /// Adds a leaf at the end.
    pub fn push(&mut self, leaf: Hash) {
        let mut root = leaf;
        // Each one at the end of the size is a subtree that the new leaf completes.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                root = node(&left, &root);
            }
        }
        self.peaks.push(root);
        self.size += 1;
    }

    /// The tree's root.
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        let Some(last) = peaks.next() else { return hash(&[]) };
        peaks.fold(*last, |right, left| node(left, &right))
    }
}

#[cfg(test)]
mod tests {
    use ct_merkle::mem_backed_tree::MemoryBackedTree;
    use proptest::prelude::*;

    use super::*;

    fn tree(leaves: &[Vec<u8>]) -> Frontier {
        let mut tree = Frontier::default();
        leaves.iter().for_each(|line| tree.push(leaf(line)));
        tree
    }

    fn hex(hash: Hash) -> String {
        hash.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The leaves and roots that implementations of Certificate Transparency test themselves with.
    #[test]
    fn roots_match_the_known_answers_of_certificate_transparency() {
        let leaves: [&[u8]; 8] = [
            b"",
            b"\x00",
            b"\x10",
            b"\x20\x21",
            b"\x30\x31",
            b"\x40\x41\x42\x43",
            b"\x50\x51\x52\x53\x54\x55\x56\x57",
            b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
        ];
        let roots = [
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        let mut tree = Frontier::default();
        assert_eq!(hex(tree.root()), roots[0]);
        for (line, root) in leaves.into_iter().zip(&roots[1..]) {
            tree.push(leaf(line));
            assert_eq!(hex(tree.root()), **root, "{} leaves", tree.size());
        }
    }

    #[test]
    fn an_edge_is_restored_only_for_its_own_size() {
        let lines: Vec<Vec<u8>> = (0..21).map(|n: u8| vec![n]).collect();
        let tree = tree(&lines);
        assert_eq!(Frontier::restored(21, &tree.peaks()), Some(tree.clone()));
        assert_eq!(Frontier::restored(23, &tree.peaks()), None);
        assert_eq!(Frontier::restored(21, &tree.peaks()[1..]), None);
        assert_eq!(Frontier::restored(0, &[]), Some(Frontier::default()));
    }

    proptest! {
        #[test]
        fn roots_are_those_of_another_implementation(
            lines in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..70)
        ) {
            let mut peer = MemoryBackedTree::<sha2::Sha256, Vec<u8>>::new();
            let mut tree = Frontier::default();
            for line in lines {
                tree.push(leaf(&line));
                peer.push(line);
                let theirs = peer.root();
                prop_assert_eq!(&tree.root()[..], &theirs.as_bytes()[..]);
            }
        }

        #[test]
        fn any_changed_leaf_changes_the_root(
            lines in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..9), 1..40),
            at in any::<prop::sample::Index>(),
        ) {
            let mut changed = lines.clone();
            changed[at.index(lines.len())].push(0);
            prop_assert_ne!(tree(&lines).root(), tree(&changed).root());
        }
    }
}
