//! Batches as they stand in the ledger's files, carried elsewhere byte for byte: for backups, and read back from one.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

use super::frame::{self, CHECKSUM_BYTES, Checksum, FrameError, HEADER_BYTES, Header};
use super::scan::{self, file_names};
use super::{JournalError, VERSION, file_path};

/// Why bytes that are read are no ledger.
#[derive(Debug, thiserror::Error)]
pub enum FramesError {
    /// They cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Another version of the program wrote them.
    #[error("账本格式为 {0}，本版本读写格式 {VERSION} (written by another version)")]
    AnotherVersion(u16),
    /// They are no whole batches.
    #[error("第 {batch} 批应在此处：{what} (no whole batch)")]
    Broken {
        /// The batch that should stand there.
        batch: u64,
        /// What does not fit.
        what: String,
    },
}

/// How far a ledger has been read: it is one chain, and the next batch must be its next link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chained {
    /// Number of the last batch; 0 at the beginning.
    pub batches: u64,
    /// Records so far.
    pub records: u64,
    /// Checksum of the last batch; zero at the beginning.
    pub checksum: [u8; CHECKSUM_BYTES],
}

impl Chained {
    /// Before the first batch.
    pub const BEGINNING: Self = Self {
        batches: 0,
        records: 0,
        checksum: [0; CHECKSUM_BYTES],
    };

    /// Reads whole batches to the end of `source`, each checked and each the next, and gives every one to `each`, whose word ends it.
    ///
    /// # Errors
    /// [`FramesError`], or what `each` fails with; `self` stands at the last batch that was whole and taken.
    pub fn follow<E: From<FramesError>>(
        &mut self,
        source: &mut dyn Read,
        mut each: impl FnMut(u64, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        while let Some(batch) = self.read(source)? {
            let (header, checksum, bytes) = batch;
            let broken = |what: &str| FramesError::Broken {
                batch: self.batches + 1,
                what: what.to_owned(),
            };
            if header.batch != self.batches + 1 || header.first_record != self.records {
                return Err(broken("another batch stands there").into());
            }
            if header.previous != self.checksum {
                return Err(broken("it does not follow the one before it").into());
            }
            each(header.batch, &bytes)?;
            self.batches = header.batch;
            self.records += u64::from(header.records);
            self.checksum = checksum;
        }
        Ok(())
    }

    fn read(
        &self,
        source: &mut dyn Read,
    ) -> Result<Option<(Header, Checksum, Vec<u8>)>, FramesError> {
        read_frame(source, self.batches + 1)
    }
}

/// Reads one whole batch; none at the end.
fn read_frame(
    source: &mut dyn Read,
    batch: u64,
) -> Result<Option<(Header, Checksum, Vec<u8>)>, FramesError> {
    let broken = |what: String| FramesError::Broken { batch, what };
    let mut first = [0; 1];
    let mut head = [0; HEADER_BYTES];
    if source.read(&mut first)? == 0 {
        return Ok(None);
    }
    head[0] = first[0];
    source.read_exact(&mut head[1..])?;
    let header = match Header::decode(&head) {
        Ok(header) => header,
        Err(FrameError::Version(found)) => return Err(FramesError::AnotherVersion(found)),
        Err(error) => return Err(broken(error.to_string())),
    };
    let mut bytes = head.to_vec();
    let rest = header.frame_bytes() - HEADER_BYTES as u64;
    let read = source.take(rest).read_to_end(&mut bytes)?;
    if read as u64 != rest {
        return Err(broken("it ends in the middle".to_owned()));
    }
    let checksum = frame::decode(header, &bytes)
        .map_err(|error| broken(error.to_string()))?
        .checksum;
    Ok(Some((header, checksum, bytes)))
}

/// Which batches each file of a ledger holds, up to batch `until`: first, last, and whether the file is closed.
///
/// # Errors
/// [`JournalError`] when the folder cannot be read.
pub fn files(dir: &Path, until: u64) -> Result<Vec<(u64, u64, bool)>, JournalError> {
    let names = file_names(dir)?;
    let ends = names.iter().skip(1).map(|next| (next - 1, true));
    let ends = ends.chain(std::iter::once((until, false)));
    Ok(names
        .iter()
        .zip(ends)
        .filter(|(first, _)| **first <= until)
        .map(|(first, (last, closed))| (*first, last.min(until), closed && last <= until))
        .collect())
}

/// Copies the batches from `from` to `until` out of the file whose first batch is `name`, while another process may be appending to it; gives
/// to `check` the number, the checksum before and the checksum of each.
///
/// # Errors
/// [`FramesError`] when one is missing or not whole, or what `check` fails with.
pub fn copy<E: From<FramesError>>(
    dir: &Path,
    (name, from, until): (u64, u64, u64),
    out: &mut dyn Write,
    mut check: impl FnMut(u64, [u8; CHECKSUM_BYTES], [u8; CHECKSUM_BYTES]) -> Result<(), E>,
) -> Result<[u8; CHECKSUM_BYTES], E> {
    let file = File::open(file_path(dir, name)).map_err(FramesError::Io)?;
    let mut source = BufReader::new(file);
    let (mut next, mut last) = (name, [0; CHECKSUM_BYTES]);
    while next <= until {
        let broken = |what: &str| FramesError::Broken {
            batch: next,
            what: what.to_owned(),
        };
        let Some((header, checksum, bytes)) = read_frame(&mut source, next)? else {
            return Err(broken("the file ends before it").into());
        };
        if header.batch != next {
            return Err(broken("another batch stands there").into());
        }
        if next >= from {
            check(next, header.previous, checksum)?;
            out.write_all(&bytes).map_err(FramesError::Io)?;
            last = checksum;
        }
        next += 1;
    }
    Ok(last)
}

/// The last whole batch of a ledger that nobody is writing, and it is on the disk then. A torn end is passed over and left as it is.
///
/// # Errors
/// [`JournalError`] when it is not whole otherwise.
pub fn last_whole(dir: &Path) -> Result<u64, JournalError> {
    if !dir.is_dir() {
        return Ok(0);
    }
    let scanned = scan::scan(dir)?;
    let path = file_path(dir, scanned.name);
    if path.exists() {
        let synced = File::open(&path).and_then(|file| file.sync_data());
        synced.map_err(|source| JournalError::Io { file: path, source })?;
    }
    Ok(scanned.next_batch - 1)
}
