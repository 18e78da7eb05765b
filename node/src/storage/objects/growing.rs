//! The tree of an object, written while its content comes: nothing is read a second time for it.
//!
//! ```text
//! from content (what is stored here)     groups ─► digests ─► pairs, each once both halves below it are known
//! from pairs   (what is fetched whole)   root ─► … ─► pairs, verified on their way down, each kept until all below it has come
//! ```
//!
//! Either way the file has the pairs in the order of their completion, which is the post-order that a tree is read in.

use std::io;

use blake3::hazmat::{
    ChainingValue, HasherExt, Mode, merge_subtrees_non_root, merge_subtrees_root,
};
use identity::Digest;

use super::sealed::SealedWriter;
use super::writer::Temporary;
use super::{GROUP_BYTES, ObjectError, Objects, Stored, tree};

/// Two digests side by side: what a node of the tree has below it.
pub(super) type Pair = [u8; 64];

/// The file of a tree under way; nothing is left of it unless it is kept.
pub(super) struct TreeFile<'o> {
    objects: &'o Objects,
    begun: Option<(Temporary, SealedWriter<'o>)>,
    pairs: u64,
}

impl<'o> TreeFile<'o> {
    /// Nothing yet, and no file either: small objects have no tree.
    pub(super) const fn new(objects: &'o Objects) -> Self {
        Self {
            objects,
            begun: None,
            pairs: 0,
        }
    }

    fn put(&mut self, pair: &Pair) -> io::Result<()> {
        let (_, out) = match &mut self.begun {
            Some(begun) => begun,
            none => {
                let temporary = self.objects.temporary();
                let out = SealedWriter::create(temporary.path(), &self.objects.storage)?;
                none.insert((temporary, out))
            }
        };
        self.pairs += 1;
        io::Write::write_all(out, pair)
    }

    /// The tree, whole under the object's name and not synced yet; none of a small object.
    ///
    /// # Errors
    /// [`ObjectError::Damaged`] when it has not exactly the pairs that an object of this length has; [`ObjectError::Io`].
    pub(super) fn whole(self, stored: Stored) -> Result<Option<Temporary>, ObjectError> {
        if self.pairs != stored.length.div_ceil(GROUP_BYTES).saturating_sub(1) {
            return Err(ObjectError::Damaged {
                digest: stored.digest,
                what: "its tree is not whole".to_owned(),
            });
        }
        let Some((temporary, out)) = self.begun else {
            return Ok(None);
        };
        out.end(&tree(&stored.digest))?;
        Ok(Some(temporary))
    }
}

/// The tree and the digest of content as it comes.
pub(super) struct FromContent<'o> {
    file: TreeFile<'o>,
    /// The group that is being filled. The first one is not hashed before another follows: alone, it is the root.
    group: Vec<u8>,
    groups: u64,
    /// Subtrees whose right half has not come, the largest first.
    open: Vec<ChainingValue>,
}

impl<'o> FromContent<'o> {
    pub(super) fn new(objects: &'o Objects) -> Self {
        Self {
            file: TreeFile::new(objects),
            group: Vec::with_capacity(GROUP_BYTES as usize),
            groups: 0,
            open: Vec::new(),
        }
    }

    /// Takes the next bytes.
    pub(super) fn update(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        let whole = GROUP_BYTES as usize;
        while !bytes.is_empty() {
            if self.group.len() == whole {
                self.close_group()?;
            }
            if self.group.is_empty() && bytes.len() > whole {
                let (group, rest) = bytes.split_at(whole);
                self.add(group)?;
                bytes = rest;
                continue;
            }
            let taken = bytes.len().min(whole - self.group.len());
            self.group.extend_from_slice(&bytes[..taken]);
            bytes = &bytes[taken..];
        }
        Ok(())
    }

    fn close_group(&mut self) -> io::Result<()> {
        let mut group = std::mem::take(&mut self.group);
        let added = self.add(&group);
        group.clear();
        self.group = group;
        added
    }

    fn add(&mut self, group: &[u8]) -> io::Result<()> {
        // As blake3 does: as many subtrees stay open as the number of groups so far has ones.
        self.join_to(self.groups.count_ones() as usize)?;
        let mut hasher = blake3::Hasher::new();
        hasher.set_input_offset(self.groups * GROUP_BYTES);
        self.open.push(hasher.update(group).finalize_non_root());
        self.groups += 1;
        Ok(())
    }

    fn join_to(&mut self, open: usize) -> io::Result<()> {
        while self.open.len() > open {
            let Some((left, right)) = self.last_two()? else {
                break;
            };
            let joined = merge_subtrees_non_root(&left, &right, Mode::Hash);
            self.open.push(joined);
        }
        Ok(())
    }

    /// Takes the two smallest open subtrees and puts their pair on file.
    fn last_two(&mut self) -> io::Result<Option<(ChainingValue, ChainingValue)>> {
        let Some([left, right]) = self.open.last_chunk::<2>().copied() else {
            return Ok(None);
        };
        self.open.truncate(self.open.len() - 2);
        self.file.put(&side_by_side(&left, &right))?;
        Ok(Some((left, right)))
    }

    /// The digest of all that came, and the tree, to be kept once the content is.
    pub(super) fn finish(mut self) -> io::Result<(Digest, TreeFile<'o>)> {
        if self.groups == 0 {
            return Ok((Digest::object(&self.group), self.file));
        }
        self.close_group()?;
        self.join_to(2)?;
        let (left, right) = self
            .last_two()?
            .ok_or_else(|| io::Error::other("a tree without a root"))?;
        let root = merge_subtrees_root(&left, &right, Mode::Hash);
        Ok((Digest::from_bytes(*root.as_bytes()), self.file))
    }
}

/// The tree of an object that comes whole from its beginning, its pairs verified before the groups below them.
pub(super) struct FromPairs<'o> {
    file: TreeFile<'o>,
    /// Pairs that wait, and how many of the two halves below each have not come whole.
    waiting: Vec<(Pair, u8)>,
}

impl<'o> FromPairs<'o> {
    pub(super) const fn new(objects: &'o Objects) -> Self {
        Self {
            file: TreeFile::new(objects),
            waiting: Vec::new(),
        }
    }

    /// Takes the pair that came next.
    pub(super) fn pair(&mut self, left: &ChainingValue, right: &ChainingValue) {
        self.waiting.push((side_by_side(left, right), 2));
    }

    /// A group came, and with it perhaps the last of what is below some pairs.
    pub(super) fn group(&mut self) -> io::Result<()> {
        while let Some((pair, missing)) = self.waiting.last_mut() {
            *missing -= 1;
            if *missing > 0 {
                break;
            }
            self.file.put(pair)?;
            self.waiting.pop();
        }
        Ok(())
    }

    /// The tree, to be kept once the content is.
    pub(super) fn finish(self) -> TreeFile<'o> {
        self.file
    }
}

fn side_by_side(left: &ChainingValue, right: &ChainingValue) -> Pair {
    let mut pair = [0; 64];
    pair[..32].copy_from_slice(left);
    pair[32..].copy_from_slice(right);
    pair
}

#[cfg(test)]
mod tests {
    use bao_tree::BaoTree;
    use bao_tree::io::sync::outboard_post_order;
    use identity::at_rest::StorageKey;

    use super::super::{GROUP, tests::content};
    use std::fs;

    use super::*;

    /// Groups whose numbers have every pattern of ones that a small tree can have, and the bytes around their edges.
    fn lengths() -> impl Iterator<Item = usize> {
        let group = GROUP_BYTES as usize;
        (0..40).flat_map(move |groups| {
            let whole = groups * group;
            [whole.saturating_sub(1), whole, whole + 1, whole + 5_000]
        })
    }

    #[test]
    fn digest_and_tree_are_those_that_a_second_reading_computes_however_the_bytes_come() {
        let dir = tempfile::tempdir().unwrap();
        let objects = Objects::open(dir.path(), StorageKey::from_bytes([1; 32])).unwrap();
        for (number, length) in lengths().enumerate() {
            let bytes = content(length);
            let mut expected = Vec::new();
            let root = outboard_post_order(
                &bytes[..],
                BaoTree::new(length as u64, GROUP),
                &mut expected,
            )
            .unwrap();
            let mut growing = FromContent::new(&objects);
            for piece in bytes.chunks([1000, 16_384, 50_000, 262_144][number % 4]) {
                growing.update(piece).unwrap();
            }
            let (digest, file) = growing.finish().unwrap();
            assert_eq!(digest.as_bytes(), root.as_bytes(), "{length}");
            let stored = Stored {
                digest,
                length: length as u64,
            };
            fs::create_dir_all(objects.shelf(&digest)).unwrap();
            objects.keep_tree(stored, file).unwrap();
            let path = objects.tree_path(&digest);
            assert_eq!(path.exists(), !expected.is_empty());
            if !expected.is_empty() {
                let mut found = Vec::new();
                let mut reader = objects.reader(&path, tree(&digest)).unwrap();
                io::Read::read_to_end(&mut reader, &mut found).unwrap();
                assert!(found == expected, "{length}");
            }
        }
    }

    #[test]
    fn a_tree_that_is_not_whole_is_not_kept_and_nothing_is_left_of_it() {
        let dir = tempfile::tempdir().unwrap();
        let objects = Objects::open(dir.path(), StorageKey::from_bytes([1; 32])).unwrap();
        let mut growing = FromContent::new(&objects);
        growing.update(&content(100_000)).unwrap();
        let (digest, file) = growing.finish().unwrap();
        let longer = Stored {
            digest,
            length: 200_000,
        };
        assert!(matches!(
            objects.keep_tree(longer, file),
            Err(ObjectError::Damaged { .. })
        ));
        let left = fs::read_dir(dir.path().join(super::super::TMP_FOLDER)).unwrap();
        assert_eq!(left.count(), 0);
    }
}
