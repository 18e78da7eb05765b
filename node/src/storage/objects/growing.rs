//! The tree of an object that grows while the object is written: every group is hashed once, for the digest and for the tree.

use std::io::{self, Write};

use blake3::hazmat::{
    ChainingValue, HasherExt, Mode, merge_subtrees_non_root, merge_subtrees_root,
};
use identity::Digest;

use super::sealed::{Hears, SealedWriter};
use super::writer::Temporary;
use super::{GROUP_BYTES, Objects};

/// A tree in post-order, as [`bao_tree`] reads it: of what is finished only the nodes wait that have no sibling yet.
pub(super) struct Growing<'s> {
    objects: &'s Objects,
    groups: u64,
    waiting: Vec<ChainingValue>,
    /// None before there are two groups.
    file: Option<(Temporary, SealedWriter<'s>)>,
    root: Option<Digest>,
}

impl<'s> Growing<'s> {
    /// A tree of nothing.
    pub(super) fn new(objects: &'s Objects) -> Self {
        Self {
            objects,
            groups: 0,
            waiting: Vec::new(),
            file: None,
            root: None,
        }
    }

    /// The digest, and the tree of an object of more than one group; after the last group.
    pub(super) fn whole(self) -> io::Result<(Digest, Option<(Temporary, SealedWriter<'s>)>)> {
        let unfinished = || io::Error::other("the last group did not come");
        Ok((self.root.ok_or_else(unfinished)?, self.file))
    }

    fn join(&mut self, left: &ChainingValue, right: &ChainingValue) -> io::Result<()> {
        if self.file.is_none() {
            let temporary = self.objects.temporary();
            let writer = SealedWriter::create(temporary.path(), &self.objects.storage)?;
            self.file = Some((temporary, writer));
        }
        self.file.iter_mut().try_for_each(|(_, writer)| {
            writer.write_all(left)?;
            writer.write_all(right)
        })
    }
}

impl Hears for Growing<'_> {
    fn chunk(&mut self, clear: &[u8], last: bool) -> io::Result<()> {
        if last && self.groups == 0 {
            self.root = Some(Digest::object(clear));
            return Ok(());
        }
        let mut hasher = blake3::Hasher::new();
        hasher
            .set_input_offset(self.groups * GROUP_BYTES)
            .update(clear);
        let mut node = hasher.finalize_non_root();
        self.groups += 1;
        // Left subtrees are full; what is on the right edge is joined when it is known to be the edge.
        let joins = match last {
            true => self.waiting.len(),
            false => self.groups.trailing_zeros() as usize,
        };
        for left in (0..joins).rev() {
            let Some(sibling) = self.waiting.pop() else {
                return Err(io::Error::other("a node of the tree has no sibling"));
            };
            self.join(&sibling, &node)?;
            if last && left == 0 {
                let root = merge_subtrees_root(&sibling, &node, Mode::Hash);
                self.root = Some(Digest::from_bytes(*root.as_bytes()));
            } else {
                node = merge_subtrees_non_root(&sibling, &node, Mode::Hash);
            }
        }
        self.waiting.push(node);
        Ok(())
    }
}
