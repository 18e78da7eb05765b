//! The ledger on disk: batches in order, each durable before anyone hears of it.
//!
//! Files are named by the number of their first batch and begun anew at [`ROLL_BYTES`]. A batch is written with one `write` and one
//! `fdatasync`. What `open` finds decides:
//!
//! - the last batch is incomplete or torn: no one was told of it. Its bytes are put aside and cut off, and [`Recovery`] says so;
//! - anything else does not fit (a flipped bit, a missing file, a number out of order): [`JournalError`] names the file and the place,
//!   the node does not start, and nothing is overwritten.
//!
//! After a failed `fdatasync` the journal takes no more batches until it is opened again. Linux reports the failure once, marks the pages
//! clean and drops them when it likes, so that a second `fdatasync` succeeds although the bytes never reached the disk; only reading
//! the file anew tells what is there. A failed *write* is different: the file is cut back to its last good length and the
//! journal goes on, so a full disk is survived by freeing space.

mod bodies;
mod frame;
pub mod frames;
mod reader;
mod scan;

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use federation::store::Batch;
use identity::Digest;

use self::frame::{Checksum, FrameError};
use super::disk;

pub use self::bodies::Bodies;
pub use self::frame::{MAX_PAYLOAD_BYTES, VERSION};
pub use self::scan::{Recovery, TornTail};

/// A file is closed and a new one begun when a batch would make it longer: small enough to copy and to search, large enough that three
/// years of a hub's ledger are some hundreds of files.
pub const ROLL_BYTES: u64 = 64 << 20;

/// Where a body lies in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Location {
    /// Number of the first batch of the file.
    pub file: u64,
    /// Bytes from the start of the file.
    pub offset: u64,
    /// Bytes of the body.
    pub length: u32,
}

/// Where a batch went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Positions {
    /// Its number, from 1.
    pub batch: u64,
    /// Index of its first record among all records, from 0: the leaf of the ledger.
    pub first_record: u64,
    /// Its checksum.
    pub checksum: [u8; 32],
    /// Where its bodies are, in its order.
    pub bodies: Vec<(Digest, Location)>,
}

/// One batch read back.
#[derive(Debug)]
pub struct Replayed<'a> {
    /// Its number, from 1.
    pub batch: u64,
    /// Index of its first record.
    pub first_record: u64,
    /// Its checksum.
    pub checksum: [u8; 32],
    /// Its records in order.
    pub records: Vec<&'a [u8]>,
    /// Its bodies.
    pub bodies: Vec<(Digest, Location)>,
}

/// What goes wrong with the ledger.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// A batch that is not the last does not read back as it was written.
    #[error("账本损坏：{} 第 {offset} 字节处：{what}。未作任何改动，请从副本恢复此文件 (the ledger is damaged; nothing was changed; restore this file from a copy)", .file.display())]
    Damaged {
        /// Which file.
        file: PathBuf,
        /// Where the batch starts.
        offset: u64,
        /// What does not fit.
        what: String,
    },
    /// Another version of the program wrote it. Nothing was read, cut off or changed.
    #[error("账本由另一版本写成：{} 第 {offset} 字节处为格式 {found}，本版本读写格式 {VERSION}，未作任何改动 (the ledger was written by another version; nothing was changed)", .file.display())]
    AnotherVersion {
        /// Which file.
        file: PathBuf,
        /// Where the batch starts.
        offset: u64,
        /// The format found.
        found: u16,
    },
    /// Batches are missing.
    #[error("账本缺失：{} 第 {offset} 字节处应为 {expected}，实为 {found}，请恢复缺失的文件 (the ledger has a gap; restore the missing files)", .file.display())]
    Gap {
        /// Which file.
        file: PathBuf,
        /// Where.
        offset: u64,
        /// What should stand there.
        expected: String,
        /// What does.
        found: String,
    },
    /// The disk refused; nothing of the batch is left and the next may be tried.
    #[error(
        "账本无法写入（{source}），本次未受理任何事项 (the ledger could not be written; nothing was accepted)"
    )]
    NotWritten {
        /// What the system said.
        source: io::Error,
    },
    /// The disk failed in a way after which nothing it says can be believed.
    #[error(
        "账本停止写入，请排除磁盘故障后重新启动节点：{0} (the ledger takes no more until the node is started again)"
    )]
    Poisoned(String),
    /// More than one batch may hold.
    #[error("单批超过 {MAX_PAYLOAD_BYTES} 字节 (a batch is too large)")]
    TooLarge,
    /// A body's bytes do not have its digest.
    #[error("正文 {digest} 与 {} 第 {offset} 字节处的内容不符 (a body does not match its digest)", .file.display())]
    BodyDamaged {
        /// Which body.
        digest: Digest,
        /// In which file.
        file: PathBuf,
        /// Where.
        offset: u64,
    },
    /// A file cannot be read.
    #[error("无法读取 {}：{source} (cannot be read)", .file.display())]
    Io {
        /// Which.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// The append-only ledger of one node. The data folder's lock must be held.
pub struct Journal {
    dir: PathBuf,
    tail: Tail,
    readers: Arc<Bodies>,
    poison: Option<String>,
}

/// Where the next batch goes.
struct Tail {
    file: Box<dyn Medium>,
    /// First batch of the file.
    name: u64,
    length: u64,
    next_batch: u64,
    next_record: u64,
    previous: Checksum,
    /// Bytes in all files before this one.
    earlier_bytes: u64,
}

/// What an append needs of a file, so that a test can let it fail.
pub(super) trait Medium: Send {
    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()>;
    fn sync(&mut self) -> io::Result<()>;
    fn cut(&mut self, length: u64) -> io::Result<()>;
}

impl Medium for File {
    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.write_all_at(bytes, offset)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }
}

impl Journal {
    /// Opens the ledger in `dir`, reading and checking every byte of it, and cuts off a torn last batch.
    ///
    /// # Errors
    /// [`JournalError::Damaged`] and [`JournalError::Gap`] when it is not whole; [`JournalError::Io`] when it cannot be read.
    pub fn open(dir: &Path) -> Result<(Self, Recovery), JournalError> {
        let io_at = |file: &Path| {
            let file = file.to_path_buf();
            move |source| JournalError::Io { file, source }
        };
        disk::make_folder(dir).map_err(io_at(dir))?;
        let scanned = scan::scan(dir)?;
        let recovery = scan::cut_torn_tail(dir, &scanned)?;
        let path = file_path(dir, scanned.name);
        let file = disk::private()
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(io_at(&path))?;
        // A batch that was written but not yet synced when the process died reads back whole from the page cache. It counts from here
        // on, so it must be on the disk first.
        file.sync_data().map_err(io_at(&path))?;
        disk::sync_folder(dir).map_err(io_at(dir))?;
        let tail = Tail {
            file: Box::new(file),
            name: scanned.name,
            length: scanned.good_length,
            next_batch: scanned.next_batch,
            next_record: scanned.next_record,
            previous: scanned.previous,
            earlier_bytes: scanned.earlier_bytes,
        };
        let readers = Arc::new(Bodies::new(dir));
        Ok((
            Self {
                dir: dir.to_path_buf(),
                tail,
                readers,
                poison: None,
            },
            recovery,
        ))
    }

    /// Number of the last batch; 0 when there is none.
    pub fn last_batch(&self) -> u64 {
        self.tail.next_batch - 1
    }

    /// How many records the ledger holds.
    pub fn records(&self) -> u64 {
        self.tail.next_record
    }

    /// Bytes of all files.
    pub fn bytes(&self) -> u64 {
        self.tail.earlier_bytes + self.tail.length
    }

    /// Why no batch is taken any more, if so.
    pub fn poison(&self) -> Option<&str> {
        self.poison.as_deref()
    }

    /// A handle that reads bodies beside the writer.
    pub fn bodies(&self) -> Arc<Bodies> {
        Arc::clone(&self.readers)
    }

    /// Appends the records and bodies of a batch and returns when they are on the disk.
    ///
    /// # Errors
    /// [`JournalError::NotWritten`] when the disk is full or refuses: nothing is left of the batch. [`JournalError::Poisoned`] when it
    /// cannot be known what the disk holds. [`JournalError::TooLarge`] above [`MAX_PAYLOAD_BYTES`].
    pub fn append(&mut self, batch: &Batch) -> Result<Positions, JournalError> {
        let bodies: Vec<(Digest, &[u8])> = batch
            .bodies
            .iter()
            .map(|(digest, bytes)| (*digest, bytes.as_slice()))
            .collect();
        self.append_parts(&batch.records, &bodies)
    }

    /// [`Journal::append`] with the bodies chosen by the caller.
    pub(super) fn append_parts(
        &mut self,
        records: &[Vec<u8>],
        bodies: &[(Digest, &[u8])],
    ) -> Result<Positions, JournalError> {
        if let Some(reason) = &self.poison {
            return Err(JournalError::Poisoned(reason.clone()));
        }
        let (number, first_record) = (self.tail.next_batch, self.tail.next_record);
        let (bytes, checksum, spans) =
            match frame::encode(number, first_record, self.tail.previous, records, bodies) {
                Ok(encoded) => encoded,
                Err(FrameError::TooLarge) => return Err(JournalError::TooLarge),
                Err(other) => {
                    return Err(JournalError::NotWritten {
                        source: io::Error::other(other),
                    });
                }
            };
        if self.tail.length > 0 && self.tail.length + bytes.len() as u64 > ROLL_BYTES {
            self.roll()?;
        }
        let start = self.tail.length;
        self.write_durably(&bytes)?;
        self.tail.length += bytes.len() as u64;
        self.tail.next_batch += 1;
        self.tail.next_record += records.len() as u64;
        self.tail.previous = checksum;
        let located = bodies
            .iter()
            .zip(spans)
            .map(|((digest, _), span)| {
                (
                    *digest,
                    Location {
                        file: self.tail.name,
                        offset: start + span.start as u64,
                        length: span.length,
                    },
                )
            })
            .collect();
        Ok(Positions {
            batch: number,
            first_record,
            checksum,
            bodies: located,
        })
    }

    /// One write and one fdatasync, or nothing.
    fn write_durably(&mut self, bytes: &[u8]) -> Result<(), JournalError> {
        let good = self.tail.length;
        if let Err(source) = self.tail.file.write_at(bytes, good) {
            return match self.tail.file.cut(good) {
                Ok(()) => Err(JournalError::NotWritten { source }),
                Err(cut) => Err(self.poisoned(format!(
                    "a write failed ({source}) and could not be undone ({cut})"
                ))),
            };
        }
        if let Err(source) = self.tail.file.sync() {
            // Best effort: the caller hears that nothing was accepted, so nothing should come back at the next start.
            let undone = self.tail.file.cut(good);
            let left = if undone.is_ok() {
                "was cut off"
            } else {
                "may still be there"
            };
            return Err(self.poisoned(format!(
                "the disk did not confirm a batch ({source}); it {left}"
            )));
        }
        Ok(())
    }

    fn poisoned(&mut self, reason: String) -> JournalError {
        self.poison = Some(reason.clone());
        JournalError::Poisoned(reason)
    }

    /// Begins the next file.
    fn roll(&mut self) -> Result<(), JournalError> {
        let not_written = |source| JournalError::NotWritten { source };
        let name = self.tail.next_batch;
        let path = file_path(&self.dir, name);
        // It may exist from an attempt that failed before its first batch; then it is empty.
        let file = disk::private()
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(not_written)?;
        if file.metadata().map_err(not_written)?.len() != 0 {
            return Err(self.poisoned(format!(
                "a file named {name} exists already and is not empty"
            )));
        }
        disk::sync_folder(&self.dir).map_err(not_written)?;
        self.tail.earlier_bytes += self.tail.length;
        self.tail.file = Box::new(file);
        self.tail.name = name;
        self.tail.length = 0;
        Ok(())
    }

    /// Reads batches from `from` on, in order, each checked again.
    ///
    /// # Errors
    /// [`JournalError`] when a batch does not read back, or whatever `visit` returns.
    pub fn replay<E: From<JournalError>>(
        &self,
        from: u64,
        mut visit: impl FnMut(Replayed<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        scan::replay(&self.dir, from, self.tail.next_batch, &mut visit)
    }

    #[cfg(test)]
    pub(super) fn replace_medium(&mut self, wrap: impl FnOnce(Box<dyn Medium>) -> Box<dyn Medium>) {
        struct Gone;
        impl Medium for Gone {
            fn write_at(&mut self, _: &[u8], _: u64) -> io::Result<()> {
                Err(io::Error::other("gone"))
            }
            fn sync(&mut self) -> io::Result<()> {
                Err(io::Error::other("gone"))
            }
            fn cut(&mut self, _: u64) -> io::Result<()> {
                Err(io::Error::other("gone"))
            }
        }
        let file = std::mem::replace(&mut self.tail.file, Box::new(Gone));
        self.tail.file = wrap(file);
    }
}

/// The file whose first batch is `name`.
pub(super) fn file_path(dir: &Path, name: u64) -> PathBuf {
    dir.join(format!("{name:020}.log"))
}

#[cfg(test)]
mod tests;
