//! Giving and taking an object group by group, each verified against the digest.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Write};

use bao_tree::io::outboard::PostOrderOutboard;
use bao_tree::io::sync::{DecodeResponseIter, encode_ranges_validated};
use bao_tree::io::{BaoContentItem, DecodeError, EncodeError, Leaf, Parent};
use bao_tree::{BaoTree, ChunkNum, ChunkRanges};
use identity::Digest;

use super::growing::FromPairs;
use super::sealed::Begun;
use super::{GROUP, GROUP_BYTES, ObjectError, ObjectReader, Objects, Stored, content, tree};
use crate::storage::disk;

/// Bytes of a chunk of blake3.
const CHUNK_BYTES: u64 = 1 << 10;

impl Objects {
    /// Writes the object from byte `offset` on, interleaved with the hashes that prove each group against the digest. Returns the bytes
    /// of content given. Every group is verified before it leaves. `writer` hears many short pieces: it has a buffer of its own.
    ///
    /// # Errors
    /// [`ObjectError::Offset`] when `offset` is no multiple of [`GROUP_BYTES`] or not below the length (0 is good for the empty object);
    /// [`ObjectError::Seal`] and [`ObjectError::Damaged`] when the disk gives other bytes than were stored; [`ObjectError::Io`] when `writer`
    /// fails.
    pub fn encode_from(
        &self,
        digest: &Digest,
        offset: u64,
        mut writer: impl Write,
    ) -> Result<u64, ObjectError> {
        let data = self.get(digest)?;
        let length = data.length();
        if !offset.is_multiple_of(GROUP_BYTES) || (offset >= length && offset != 0) {
            return Err(ObjectError::Offset { offset, length });
        }
        let tree = BaoTree::new(length, GROUP);
        let root = blake3::Hash::from_bytes(*digest.as_bytes());
        let ranges = from_offset(offset);
        let outcome = if length > GROUP_BYTES {
            let outboard = PostOrderOutboard {
                root,
                tree,
                data: self.tree_file(digest, length)?,
            };
            encode_ranges_validated(&data, outboard, &ranges, &mut writer)
        } else {
            let outboard = PostOrderOutboard {
                root,
                tree,
                data: Vec::<u8>::new(),
            };
            encode_ranges_validated(&data, outboard, &ranges, &mut writer)
        };
        outcome.map_err(|error| encode_error(*digest, error))?;
        writer.flush()?;
        Ok(length - offset)
    }

    /// An object's tree, computed anew when it is gone.
    fn tree_file(&self, digest: &Digest, length: u64) -> Result<ObjectReader, ObjectError> {
        let path = self.tree_path(digest);
        match self.reader(&path, tree(digest)) {
            Err(ObjectError::Missing(_)) => {
                let stored = Stored {
                    digest: *digest,
                    length,
                };
                let computed = self.read_tree(&self.path(digest), stored)?;
                self.keep_tree(stored, computed)?;
                self.reader(&path, tree(digest))
            }
            other => other,
        }
    }

    /// From which byte a fetch of this object goes on: the whole groups it has so far.
    ///
    /// # Errors
    /// [`ObjectError::Io`].
    pub fn resume_offset(&self, digest: &Digest, length: u64) -> Result<u64, ObjectError> {
        match File::open(self.partial_path(digest)) {
            Ok(file) => Ok(self.resume(&file, digest, length)?.map_or(0, |(_, at)| at)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
            Err(error) => Err(error.into()),
        }
    }

    /// What has come of a fetch, when it goes on, and from where.
    fn resume<'f>(
        &self,
        file: &'f File,
        digest: &Digest,
        length: u64,
    ) -> Result<Option<(Begun<'f>, u64)>, ObjectError> {
        let resumed = Begun::resume(file, &content(digest), length, &self.storage)?;
        // At least the last group is fetched again, so that there is always something to ask for.
        let last_group = length.saturating_sub(1) / GROUP_BYTES;
        Ok(resumed
            .map(|(begun, whole)| (begun, whole.min(last_group) * GROUP_BYTES))
            .filter(|(_, at)| *at > 0))
    }

    /// Takes what the other end wrote with [`Objects::encode_from`] at [`Objects::resume_offset`], verifying every group before it is
    /// written, and stores the object when it is whole. `reader` is asked for many short pieces: it has a buffer of its own. `progress` hears the
    /// verified bytes so far.
    ///
    /// # Errors
    /// [`ObjectError::BrokenOff`] and [`ObjectError::Forged`] keep the verified part for the next attempt; [`ObjectError::TooLarge`] when
    /// `length` is above `max`; [`ObjectError::Busy`] when another call fetches it.
    pub fn decode_to(
        &self,
        digest: &Digest,
        length: u64,
        max: u64,
        reader: impl Read,
        mut progress: impl FnMut(u64),
    ) -> Result<Stored, ObjectError> {
        if length > max {
            return Err(ObjectError::TooLarge { limit: max });
        }
        let stored = Stored {
            digest: *digest,
            length,
        };
        let partial = self.partial_path(digest);
        let file = disk::private()
            .create(true)
            .truncate(false)
            .open(&partial)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(ObjectError::Busy(*digest)),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        let (mut begun, offset) = match self.resume(&file, digest, length)? {
            Some(resumed) => resumed,
            None => {
                let begun = Begun::create(&file, &content(digest), length, &self.storage)?;
                (begun, 0)
            }
        };
        begun.keep(offset / GROUP_BYTES)?;
        let mut tree = (offset == 0).then(|| FromPairs::new(self));
        let decoded = decode(
            &mut begun,
            tree.as_mut(),
            (stored, offset),
            reader,
            &mut progress,
        );
        // What was verified stays, whatever came after it.
        begun.flush()?;
        let verified = decoded?;
        if verified != length {
            return Err(ObjectError::BrokenOff {
                digest: *digest,
                verified,
            });
        }
        file.sync_all()?;
        let tree = match tree {
            Some(tree) => Ok(tree.finish()),
            // What an earlier run wrote has to show that it reached the disk.
            None => self.read_tree(&partial, stored),
        };
        if let Err(error) = tree.and_then(|tree| self.settle(&partial, stored, tree)) {
            // It is not what the disk gives back: after a power cut, for example. Start again from nothing.
            if matches!(
                error,
                ObjectError::Damaged { .. } | ObjectError::Seal { .. }
            ) {
                fs::remove_file(&partial)?;
            }
            return Err(error);
        }
        Ok(stored)
    }
}

/// Writes verified groups into what was begun and, of a fetch from the beginning, the pairs above them into the tree; returns the verified
/// length.
fn decode(
    begun: &mut Begun<'_>,
    mut tree: Option<&mut FromPairs<'_>>,
    (stored, offset): (Stored, u64),
    reader: impl Read,
    progress: &mut dyn FnMut(u64),
) -> Result<u64, ObjectError> {
    let ranges = from_offset(offset);
    let root = blake3::Hash::from_bytes(*stored.digest.as_bytes());
    let digest = stored.digest;
    let mut verified = offset;
    if stored.length == 0 {
        begun.put(0, &[])?;
    }
    for item in DecodeResponseIter::new(root, BaoTree::new(stored.length, GROUP), reader, &ranges) {
        match item {
            Ok(BaoContentItem::Leaf(Leaf { offset, data })) => {
                begun.put(offset, &data)?;
                verified = offset + data.len() as u64;
                if let Some(tree) = &mut tree {
                    tree.group()?;
                }
                progress(verified);
            }
            Ok(BaoContentItem::Parent(Parent {
                pair: (left, right),
                ..
            })) => {
                if let Some(tree) = &mut tree {
                    tree.pair(left.as_bytes(), right.as_bytes());
                }
            }
            Err(DecodeError::ParentHashMismatch(_) | DecodeError::LeafHashMismatch(_)) => {
                return Err(ObjectError::Forged { digest, verified });
            }
            Err(
                DecodeError::ParentNotFound(_) | DecodeError::LeafNotFound(_) | DecodeError::Io(_),
            ) => {
                return Err(ObjectError::BrokenOff { digest, verified });
            }
        }
    }
    Ok(verified)
}

/// Every chunk from a byte on.
fn from_offset(offset: u64) -> ChunkRanges {
    ChunkRanges::from(ChunkNum(offset / CHUNK_BYTES)..)
}

fn encode_error(digest: Digest, error: EncodeError) -> ObjectError {
    match error {
        EncodeError::ParentHashMismatch(_) => ObjectError::Damaged {
            digest,
            what: "its tree does not match".to_owned(),
        },
        EncodeError::LeafHashMismatch(chunk) => ObjectError::Damaged {
            digest,
            what: format!("the group at byte {} does not match", chunk.0 * CHUNK_BYTES),
        },
        EncodeError::SizeMismatch => ObjectError::Damaged {
            digest,
            what: "its length does not match".to_owned(),
        },
        EncodeError::ParentWrite(_) | EncodeError::LeafWrite(_) => ObjectError::Io(io::Error::new(
            io::ErrorKind::ConnectionReset,
            "the receiver has gone",
        )),
        EncodeError::Io(error) => error.into(),
    }
}
