//! A file whose content has its digest as soon as it is written.

use std::fs::File;
use std::io::{self, Write};

use identity::Digest;

/// A file, the digest of what was written to it, and how much that was. Hashing is fast when writes are large: put a buffer before it.
#[derive(Debug)]
pub(crate) struct Hashed {
    file: File,
    hasher: blake3::Hasher,
    bytes: u64,
}

impl Hashed {
    /// A file to which nothing was written.
    pub(crate) fn new(file: File) -> Self {
        Self {
            file,
            hasher: blake3::Hasher::new(),
            bytes: 0,
        }
    }

    /// The file, the digest and the bytes.
    pub(crate) fn done(self) -> (File, Digest, u64) {
        let digest = Digest::from_bytes(*self.hasher.finalize().as_bytes());
        (self.file, digest, self.bytes)
    }
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hasher.update(bytes.get(..written).unwrap_or_default());
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
