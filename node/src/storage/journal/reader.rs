//! Walking one file of the ledger, batch by batch.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::JournalError;
use super::frame::{self, Frame, FrameError, HEADER_BYTES, Header, MAGIC};

/// What stands at a place in a file.
pub(super) enum Found<'a> {
    /// A whole batch.
    Batch(Frame<'a>),
    /// Nothing: the file ends here.
    End,
    /// Something that is no whole batch, and why.
    Broken(String),
}

/// Walks one file.
pub(super) struct Reader {
    path: PathBuf,
    file: File,
    /// Where the next batch should stand.
    pub(super) offset: u64,
    /// Bytes of the file.
    pub(super) length: u64,
    buffer: Vec<u8>,
}

impl Reader {
    pub(super) fn open(path: &Path) -> Result<Self, JournalError> {
        let io_at = |source| JournalError::Io {
            file: path.to_path_buf(),
            source,
        };
        let file = File::open(path).map_err(io_at)?;
        let length = file.metadata().map_err(io_at)?.len();
        Ok(Self {
            path: path.to_path_buf(),
            file,
            offset: 0,
            length,
            buffer: Vec::new(),
        })
    }

    fn read(&self, into: &mut [u8], offset: u64) -> Result<(), JournalError> {
        self.file
            .read_exact_at(into, offset)
            .map_err(|source| JournalError::Io {
                file: self.path.clone(),
                source,
            })
    }

    fn header(&self) -> Result<Option<[u8; HEADER_BYTES]>, JournalError> {
        if self.length - self.offset < HEADER_BYTES as u64 {
            return Ok(None);
        }
        let mut bytes = [0; HEADER_BYTES];
        self.read(&mut bytes, self.offset)?;
        Ok(Some(bytes))
    }

    /// Passes over a batch numbered below `batch` by its header alone; false when the next one is not below.
    pub(super) fn skip_before(&mut self, batch: u64) -> Result<bool, JournalError> {
        let Some(bytes) = self.header()? else {
            return Ok(false);
        };
        match Header::decode(&bytes) {
            Ok(header)
                if header.batch < batch && header.frame_bytes() <= self.length - self.offset =>
            {
                self.offset += header.frame_bytes();
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// Reads what stands here, and moves past it when it is a whole batch.
    pub(super) fn next(&mut self) -> Result<Found<'_>, JournalError> {
        let left = self.length - self.offset;
        if left == 0 {
            return Ok(Found::End);
        }
        let Some(bytes) = self.header()? else {
            return Ok(Found::Broken(format!(
                "only {left} bytes are left, fewer than a header has"
            )));
        };
        let header = match Header::decode(&bytes) {
            Ok(header) => header,
            // Its check holds, so these are no torn bytes and must not be cut off.
            Err(FrameError::Version(found)) => {
                return Err(JournalError::AnotherVersion {
                    file: self.path.clone(),
                    offset: self.offset,
                    found,
                });
            }
            Err(error) => return Ok(Found::Broken(error.to_string())),
        };
        if header.frame_bytes() > left {
            return Ok(Found::Broken(format!(
                "the batch has {} bytes and only {left} are left",
                header.frame_bytes()
            )));
        }
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.resize(header.frame_bytes() as usize, 0);
        self.read(&mut buffer, self.offset)?;
        self.buffer = buffer;
        match frame::decode(header, &self.buffer) {
            Ok(batch) => {
                self.offset += header.frame_bytes();
                Ok(Found::Batch(batch))
            }
            Err(error) => Ok(Found::Broken(error.to_string())),
        }
    }

    /// Whether a batch was begun after the broken one at `offset`: at its end, when its header tells where that is, else anywhere.
    pub(super) fn a_header_follows(&self, offset: u64) -> Result<bool, JournalError> {
        const WINDOW: usize = 1 << 20;
        let good_at = |at: u64| -> Result<Option<Header>, JournalError> {
            if at + HEADER_BYTES as u64 > self.length {
                return Ok(None);
            }
            let mut bytes = [0; HEADER_BYTES];
            self.read(&mut bytes, at)?;
            Ok(Header::decode(&bytes).ok())
        };
        // A body may hold bytes that look like a header, so a whole header's word is taken before a search.
        if let Some(header) = good_at(offset)? {
            return Ok(good_at(offset + header.frame_bytes())?.is_some());
        }
        let mut buffer = vec![0; WINDOW + HEADER_BYTES - 1];
        let mut at = offset + 1;
        while at + (HEADER_BYTES as u64) <= self.length {
            let take = buffer.len().min((self.length - at) as usize);
            self.read(&mut buffer[..take], at)?;
            let is_header = |window: &[u8]| {
                window.starts_with(&MAGIC)
                    && window
                        .first_chunk::<HEADER_BYTES>()
                        .is_some_and(|bytes| Header::decode(bytes).is_ok())
            };
            if buffer[..take].windows(HEADER_BYTES).any(is_header) {
                return Ok(true);
            }
            at += WINDOW as u64;
        }
        Ok(false)
    }
}
