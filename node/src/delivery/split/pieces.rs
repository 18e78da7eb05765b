//! The rows of a part in the object store, one at a time.

use std::collections::VecDeque;
use std::io::Read;

use identity::Digest;
use sharing::return_flow::Intake;
use sharing::return_flow::intake::PIECE_BYTES;

use super::SplitError;
use crate::storage::objects::{ObjectError, ObjectReader, Objects};

/// A CSV file of which a piece is read at a time.
pub struct Pieces {
    file: ObjectReader,
    intake: Intake,
    piece: Vec<u8>,
    last: bool,
}

impl Pieces {
    /// An object and how it is to be read.
    ///
    /// # Errors
    /// [`SplitError::Object`] when it is not here.
    pub fn open(objects: &Objects, digest: &Digest, intake: Intake) -> Result<Self, SplitError> {
        Ok(Self::of(objects.get(digest)?, intake))
    }

    /// A file from where it stands, and how it is to be read.
    pub fn of(file: ObjectReader, intake: Intake) -> Self {
        Self {
            file,
            intake,
            piece: Vec::with_capacity(PIECE_BYTES),
            last: false,
        }
    }

    /// What was read.
    pub fn intake(&self) -> &Intake {
        &self.intake
    }

    fn fetch(&mut self) -> Result<(), SplitError> {
        let wanted = (PIECE_BYTES - self.piece.len()) as u64;
        let read = self
            .file
            .by_ref()
            .take(wanted)
            .read_to_end(&mut self.piece)
            .map_err(ObjectError::from)?;
        self.last = (read as u64) < wanted;
        Ok(())
    }

    /// Reads the header; the rows come after it.
    ///
    /// # Errors
    /// [`SplitError::Table`] when there is none.
    pub fn begin(&mut self) -> Result<&str, SplitError> {
        self.fetch()?;
        let begun = self.intake.begin(&self.piece, self.last)?;
        self.piece.drain(..begun);
        Ok(self.intake.header().unwrap_or_default())
    }

    /// Reads a piece more and hands on its whole rows, each with its field of the division and its name; false after the last.
    ///
    /// # Errors
    /// [`SplitError::Table`] names the row that cannot be read.
    pub fn read(&mut self, row: impl FnMut(&[u8], &[u8], &str)) -> Result<bool, SplitError> {
        if self.last && self.piece.is_empty() {
            return Ok(false);
        }
        if !self.last {
            self.fetch()?;
        }
        let used = self.intake.read_named(&self.piece, self.last, row)?;
        self.piece.drain(..used);
        Ok(true)
    }
}

/// The rows of a part as a row at a time is wanted.
pub struct Rows<T> {
    pieces: Pieces,
    rows: VecDeque<T>,
}

impl<T> Rows<T> {
    /// The rows whose header was read.
    pub fn of(pieces: Pieces) -> Self {
        let rows = VecDeque::new();
        Self { pieces, rows }
    }

    /// The next row, as `made` of its field of the division, its name and itself.
    ///
    /// # Errors
    /// As [`Pieces::read`].
    pub fn next(
        &mut self,
        made: impl Fn(&[u8], &[u8], &str) -> T,
    ) -> Result<Option<T>, SplitError> {
        while self.rows.is_empty() {
            let rows = &mut self.rows;
            if !self
                .pieces
                .read(|field, name, row| rows.push_back(made(field, name, row)))?
            {
                return Ok(None);
            }
        }
        Ok(self.rows.pop_front())
    }
}
