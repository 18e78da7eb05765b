//! An object that is written piece by piece and has its name when it is whole.

use std::fs;
use std::io::{BufWriter, IntoInnerError, Write};
use std::path::PathBuf;

use super::super::hashed::Hashed;
use super::{BUFFER_BYTES, ObjectError, Objects, Stored, disk};

/// An object on its way into the store. Nothing is left of one that is dropped.
#[derive(Debug)]
pub struct ObjectWriter<'s> {
    objects: &'s Objects,
    temporary: PathBuf,
    /// None when it is stored.
    file: Option<BufWriter<Hashed>>,
    length: u64,
    max: u64,
}

impl<'s> ObjectWriter<'s> {
    pub(super) fn begin(
        objects: &'s Objects,
        temporary: PathBuf,
        max: u64,
    ) -> Result<Self, ObjectError> {
        let file = Hashed::new(disk::private().create_new(true).open(&temporary)?);
        Ok(Self {
            objects,
            temporary,
            file: Some(BufWriter::with_capacity(BUFFER_BYTES, file)),
            length: 0,
            max,
        })
    }

    /// Adds bytes at the end.
    ///
    /// # Errors
    /// [`ObjectError::TooLarge`], [`ObjectError::Io`].
    pub fn put(&mut self, bytes: &[u8]) -> Result<(), ObjectError> {
        self.length += bytes.len() as u64;
        if self.length > self.max {
            return Err(ObjectError::TooLarge { limit: self.max });
        }
        if let Some(file) = &mut self.file {
            file.write_all(bytes)?;
        }
        Ok(())
    }

    /// Bytes put so far.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Stores what was put; the digest is known when it is on the disk.
    ///
    /// # Errors
    /// [`ObjectError::Io`].
    pub fn store(mut self) -> Result<Stored, ObjectError> {
        let written = self.file.take().map(BufWriter::into_inner).transpose();
        let written = written.map_err(IntoInnerError::into_error)?;
        let Some((file, digest, length)) = written.map(Hashed::done) else {
            return Err(std::io::Error::other("stored already").into());
        };
        file.sync_all()?;
        let stored = Stored { digest, length };
        self.objects.settle(&self.temporary, stored)?;
        Ok(stored)
    }
}

impl Drop for ObjectWriter<'_> {
    /// After it was stored there is nothing under the name; and what stays is cleared at the next start.
    fn drop(&mut self) {
        drop(self.file.take().map(BufWriter::into_parts));
        let _ = fs::remove_file(&self.temporary);
    }
}
