//! A table on its way from the object store to its runs: CSV by its bytes, Parquet by its batches.

use std::io::{Read, Seek, SeekFrom};

use sharing::act::ObjectRef;
use sharing::return_flow::table::{MAX_ROW_BYTES, MAX_ROWS, TableError};
use sharing::return_flow::{Intake, Sorting};

use super::SplitError;
use super::pieces::Pieces;
use super::runs::{Progress, Run, Spill, spill};
use super::scratch::Scratch;
use crate::data::columns::{names, position};
use crate::data::parquet::ParquetSource;
use crate::data::{Source, rows};
use crate::storage::objects::{ObjectError, ObjectReader, Objects};

/// What a Parquet file begins and ends with.
const PARQUET_MARK: &[u8; 4] = b"PAR1";

/// A table whose header is read.
pub enum Opened {
    /// A CSV file, and what was read of it.
    Csv(Box<ObjectReader>, Intake),
    /// A Parquet file, and the place of the column with the division.
    Parquet(Box<ParquetSource>, usize),
}

/// A table, its header line, and its rows where the file says how many it has.
pub struct OpenTable {
    /// Where its rows come from.
    pub rows: Opened,
    /// The header line.
    pub header: String,
}

impl OpenTable {
    /// Opens a table in the object store.
    ///
    /// # Errors
    /// [`SplitError`] when it is not here or has no such column.
    pub fn open(objects: &Objects, table: &ObjectRef, column: &str) -> Result<Self, SplitError> {
        let mut file = objects.get(&table.digest)?;
        if is_parquet(&mut file)? {
            return Self::parquet(file, &table.name, column);
        }
        file.seek(SeekFrom::Start(0))?;
        let mut pieces = Pieces::of(file.again()?, Intake::new(column));
        let header = pieces.begin()?.to_owned();
        Ok(Self {
            rows: Opened::Csv(Box::new(file), pieces.intake().clone()),
            header,
        })
    }

    fn parquet(file: ObjectReader, name: &str, column: &str) -> Result<Self, SplitError> {
        let source = ParquetSource::object(file, name)?;
        let header = rows::header(source.schema());
        let at = position(&names(source.schema()), column)?;
        Ok(Self {
            rows: Opened::Parquet(Box::new(source), at),
            header,
        })
    }

    /// Puts the rows that the found runs do not hold into more runs, and gives all of them.
    ///
    /// # Errors
    /// [`SplitError`] when a row cannot be read, or a run not be written.
    pub fn scatter(
        self,
        scratch: &Scratch<'_>,
        found: Vec<Run>,
        memory: usize,
        sorting: &Sorting<'_>,
    ) -> Result<Vec<Run>, SplitError> {
        let done = found.last().map(|run| run.ends).unwrap_or_default();
        spill(scratch, found, memory, |spill| match self.rows {
            Opened::Csv(file, intake) => csv(*file, intake, done, sorting, spill),
            Opened::Parquet(source, at) => parquet(*source, at, done, sorting, spill),
        })
    }
}

fn is_parquet(file: &mut ObjectReader) -> Result<bool, ObjectError> {
    let mut marks = [[0; 4]; 2];
    if file.length() < 2 * PARQUET_MARK.len() as u64 {
        return Ok(false);
    }
    file.read_exact(&mut marks[0])?;
    file.seek(SeekFrom::End(-(PARQUET_MARK.len() as i64)))?;
    file.read_exact(&mut marks[1])?;
    Ok(marks == [*PARQUET_MARK; 2])
}

fn csv(
    mut file: ObjectReader,
    intake: Intake,
    done: Progress,
    sorting: &Sorting<'_>,
    spill: &mut Spill,
) -> Result<Progress, SplitError> {
    let begun = if done == Progress::default() {
        intake.offset()
    } else {
        done.bytes
    };
    file.seek(SeekFrom::Start(begun))?;
    let mut pieces = Pieces::of(file, intake.resumed(done.rows, begun));
    loop {
        let filling = spill.filling()?;
        let more = pieces.read(|field, _, row| filling.push(sorting.key(field), field, row))?;
        let ends = Progress {
            rows: pieces.intake().rows(),
            bytes: pieces.intake().offset(),
        };
        if !more {
            return Ok(ends);
        }
        spill.settle(ends)?;
    }
}

fn parquet(
    mut source: ParquetSource,
    at: usize,
    done: Progress,
    sorting: &Sorting<'_>,
    spill: &mut Spill,
) -> Result<Progress, SplitError> {
    let mut came = 0u64;
    while let Some(batch) = source.next()? {
        let before = came;
        came += batch.num_rows() as u64;
        if came > MAX_ROWS {
            return Err(TableError::TooManyRows(MAX_ROWS).into());
        }
        // Runs end with a batch, and batches come alike every time.
        if came <= done.rows {
            continue;
        }
        let filling = spill.filling()?;
        let mut number = before;
        rows::each(&batch, at, |field, row| {
            number += 1;
            if row.len() > MAX_ROW_BYTES {
                return Err(SplitError::from(TableError::RowTooLong { row: number }));
            }
            filling.push(sorting.key(field), field, row);
            Ok(())
        })?;
        let ends = Progress {
            rows: came,
            bytes: 0,
        };
        spill.settle(ends)?;
    }
    Ok(Progress {
        rows: came,
        bytes: 0,
    })
}
