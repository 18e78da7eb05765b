//! Rows in tree order in memory that does not grow with them: sorted runs on the disk, which [`mod@super::merge`] merges when all rows came.
//!
//! ```text
//! rows ──► filling ──full──► sorted by a second thread ──► run-00000, run-00001, …      (how far it reads, then rows in tree order; sealed)
//! run-00000 ─┐
//! run-00001 ─┼─ merged ──► blocks of rows in tree order
//! ```
//!
//! A division needs no file of its own, and one that has nine rows of ten is as cheap as any. A run stands under its name only when it is whole
//! and synced, and says how much of the table it ends, so that a split that was killed goes on behind the last one. It lies sealed under the
//! node's storage key, as every object does: no row is in clear on the disk, not even while the table is split (R36).

use std::cmp::Ordering;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use identity::Digest;
use sharing::return_flow::RowKey;
use sharing::return_flow::intake::PIECE_BYTES;
use sharing::return_flow::table::MAX_ROW_BYTES;

use super::SplitError;
use super::scratch::{Scratch, gone};
use crate::storage::objects::{ObjectError, ObjectReader, Objects, SealedWriter};

/// Bytes before each row of a run: its key and its length.
pub(super) const ROW_HEAD: usize = 12;
/// Bytes before the rows of a run: rows in it, rows and bytes of the table that end with it.
pub(super) const RUN_HEAD: usize = 24;
/// Bytes checked at once.
const BUFFER_BYTES: usize = 1 << 20;
/// Most runs of one table: merged with a chunk of each in memory, they take 256 MiB. The largest table makes so many of 4 MiB.
const MAX_RUNS: usize = 16_384;

/// How far a table is read: rows and bytes, as its reader counts them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Rows that came.
    pub rows: u64,
    /// Bytes of the table, for a reader that goes on by bytes.
    pub bytes: u64,
}

/// A row in memory: what sorts it, and where its bytes are.
#[derive(Debug, Clone, Copy)]
struct Entry {
    key: RowKey,
    /// The first bytes after the code when the row begins with its code, else the first bytes.
    prefix: (u64, u64),
    at: u32,
    /// Its length, and [`CODE_FIRST`] when it begins with its code.
    length: u32,
}

/// Set beside the length of a row that begins with its code.
const CODE_FIRST: u32 = 1 << 31;
const _: () = assert!(MAX_ROW_BYTES < CODE_FIRST as usize);

impl Entry {
    fn length(&self) -> u32 {
        self.length & !CODE_FIRST
    }

    fn begins_with_code(&self) -> bool {
        self.length & CODE_FIRST != 0
    }
}

/// Rows that are kept until they are sorted and written.
#[derive(Debug)]
pub struct Filling {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
    limit: usize,
}

impl Filling {
    fn new(limit: usize) -> Self {
        // What is never touched takes no memory, and nothing is ever moved: a piece, of rows of two bytes at least, has room above the limit.
        Self {
            bytes: Vec::with_capacity(limit + PIECE_BYTES),
            entries: Vec::with_capacity(limit / size_of::<Entry>() + PIECE_BYTES / 2),
            limit,
        }
    }

    /// Takes a row, by its key and its field of the division.
    pub fn push(&mut self, key: RowKey, field: &[u8], row: &str) {
        let row = row.as_bytes();
        let begins_with_code = !field.is_empty() && row.starts_with(field);
        let from = if begins_with_code { field.len() + 1 } else { 0 };
        self.entries.push(Entry {
            key,
            prefix: prefix(row.get(from..).unwrap_or_default()),
            // A filling is smaller than 4 GiB by its limit.
            at: self.bytes.len() as u32,
            length: row.len() as u32 | if begins_with_code { CODE_FIRST } else { 0 },
        });
        self.bytes.extend_from_slice(row);
    }

    /// Whether it should be written.
    pub fn is_full(&self) -> bool {
        self.bytes.len() + self.entries.len() * size_of::<Entry>() >= self.limit
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.entries.clear();
    }

    fn row(&self, entry: &Entry) -> &[u8] {
        let at = entry.at as usize;
        let end = at + entry.length() as usize;
        self.bytes.get(at..end).unwrap_or_default()
    }

    fn compare(&self, a: &Entry, b: &Entry) -> Ordering {
        let by_bytes = || self.row(a).cmp(self.row(b));
        let by_prefix = || match a.begins_with_code() == b.begins_with_code() {
            true => a.prefix.cmp(&b.prefix),
            false => Ordering::Equal,
        };
        let by_order = a.key.order().cmp(&b.key.order());
        by_order.then_with(by_prefix).then_with(by_bytes)
    }

    /// Sorts the rows: into their divisions first, then each division. `room` is where they are put meanwhile.
    fn sort(&mut self, room: &mut Vec<Entry>) {
        let Some(first) = self.entries.first() else {
            return;
        };
        room.clear();
        room.resize(self.entries.len(), *first);
        let mut ends = divided(&self.entries);
        for entry in self.entries.iter().rev() {
            if let Some(end) = ends.get_mut(entry.key.place()) {
                *end -= 1;
                if let Some(place) = room.get_mut(*end) {
                    *place = *entry;
                }
            }
        }
        // What was the end of each division is its beginning now.
        let begins = ends;
        let mut rest = room.as_mut_slice();
        for (from, to) in begins.iter().zip(begins.iter().skip(1)) {
            let (division, after) = rest.split_at_mut(to - from);
            division.sort_unstable_by(|a, b| self.compare(a, b));
            rest = after;
        }
        rest.sort_unstable_by(|a, b| self.compare(a, b));
        std::mem::swap(&mut self.entries, room);
    }
}

/// Where the entries of each place end, when they are put together by place.
fn divided(entries: &[Entry]) -> Vec<usize> {
    let mut ends = Vec::new();
    for entry in entries {
        let place = entry.key.place();
        if place >= ends.len() {
            ends.resize(place + 1, 0);
        }
        if let Some(count) = ends.get_mut(place) {
            *count += 1;
        }
    }
    let mut end = 0;
    for count in &mut ends {
        end += *count;
        *count = end;
    }
    ends
}

/// Sixteen bytes as two numbers that compare as they do; what is absent counts 0.
fn prefix(bytes: &[u8]) -> (u64, u64) {
    let word = |from: usize| {
        let rest = bytes.get(from..).unwrap_or_default();
        if let Some(whole) = rest.first_chunk() {
            return u64::from_be_bytes(*whole);
        }
        let mut word = [0; 8];
        word.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        u64::from_be_bytes(word)
    };
    (word(0), word(8))
}

/// A run on the disk, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    path: PathBuf,
    /// Under which it is sealed.
    name: Digest,
    rows: u64,
    /// Bytes in clear, from its head on.
    pub(super) bytes: u64,
    /// How much of the table ends with it.
    pub ends: Progress,
}

impl Run {
    /// The run of this number, of which nothing is known yet.
    fn numbered(scratch: &Scratch<'_>, number: usize) -> Self {
        Self {
            path: scratch.folder().join(format!("run-{number:05}")),
            name: scratch.name(number),
            rows: 0,
            bytes: 0,
            ends: Progress::default(),
        }
    }

    /// Sorts and writes rows as the run of this number.
    fn write(
        scratch: &Scratch<'_>,
        number: usize,
        (rows, room): (&mut Filling, &mut Vec<Entry>),
        ends: Progress,
    ) -> Result<Self, SplitError> {
        rows.sort(room);
        let run = Self {
            rows: rows.entries.len() as u64,
            bytes: (RUN_HEAD + rows.entries.len() * ROW_HEAD + rows.bytes.len()) as u64,
            ends,
            ..Self::numbered(scratch, number)
        };
        let partial = scratch.folder().join("partial");
        gone(fs::remove_file(&partial))?;
        scratch
            .objects()
            .seal_run(&partial, &run.name, |out| run.put(rows, out))?;
        fs::rename(&partial, &run.path)?;
        File::open(scratch.folder())?.sync_all()?;
        Ok(run)
    }

    fn put(&self, rows: &Filling, out: &mut SealedWriter<'_>) -> io::Result<()> {
        for number in [self.rows, self.ends.rows, self.ends.bytes] {
            out.write_all(&number.to_le_bytes())?;
        }
        for entry in &rows.entries {
            out.write_all(&entry.key.packed().to_le_bytes())?;
            out.write_all(&entry.length().to_le_bytes())?;
            out.write_all(rows.row(entry))?;
        }
        Ok(())
    }

    /// Its bytes in clear.
    pub(super) fn open(&self, objects: &Objects) -> Result<ObjectReader, ObjectError> {
        objects.run(&self.path, &self.name)
    }

    /// The runs that an earlier attempt left whole, in order; what is not whole, and what comes after it, is removed.
    ///
    /// # Errors
    /// [`SplitError::Io`].
    pub fn found(scratch: &Scratch<'_>) -> Result<Vec<Self>, SplitError> {
        let mut runs = Vec::new();
        loop {
            let run = Self::numbered(scratch, runs.len());
            match run.read(scratch.objects()) {
                Ok(run) => runs.push(run),
                Err(ObjectError::Missing(_) | ObjectError::Seal { .. }) => break,
                Err(error) => return Err(error.into()),
            }
        }
        for number in runs.len().. {
            match fs::remove_file(Self::numbered(scratch, number).path) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => break,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(runs)
    }

    /// What it says of itself, when all of it opens.
    fn read(self, objects: &Objects) -> Result<Self, ObjectError> {
        let mut file = self.open(objects)?;
        let mut numbers = [[0; 8]; RUN_HEAD / 8];
        for number in &mut numbers {
            file.read_exact(number)?;
        }
        let [rows, ends, read] = numbers.map(u64::from_le_bytes);
        let mut buffer = vec![0; BUFFER_BYTES];
        while file.read(&mut buffer)? > 0 {}
        Ok(Self {
            rows,
            bytes: file.length(),
            ends: Progress {
                rows: ends,
                bytes: read,
            },
            ..self
        })
    }
}

/// Where rows are put until all came.
pub struct Spill {
    filling: Option<Filling>,
    full: SyncSender<(Filling, Progress)>,
    empty: Receiver<Filling>,
}

impl Spill {
    /// Where the next row goes.
    pub fn filling(&mut self) -> Result<&mut Filling, SplitError> {
        if self.filling.is_none() {
            self.filling = Some(self.empty.recv().map_err(|_| SplitError::Stopped)?);
        }
        self.filling.as_mut().ok_or(SplitError::Stopped)
    }

    /// Hands the rows to be written, if they are enough; `ends` is how much of the table they end.
    pub fn settle(&mut self, ends: Progress) -> Result<(), SplitError> {
        match self.filling.take() {
            Some(filling) if filling.is_full() => self
                .full
                .send((filling, ends))
                .map_err(|_| SplitError::Stopped),
            filling => {
                self.filling = filling;
                Ok(())
            }
        }
    }
}

/// Lets `fill` put rows, which are sorted and written by a second thread; `memory` bounds both together. Gives all runs, the found ones first.
///
/// # Errors
/// What `fill` gives, and [`SplitError`] when a run cannot be written.
pub fn spill(
    scratch: &Scratch<'_>,
    mut runs: Vec<Run>,
    memory: usize,
    fill: impl FnOnce(&mut Spill) -> Result<Progress, SplitError>,
) -> Result<Vec<Run>, SplitError> {
    // Two fillings, and room in which the entries of one are sorted.
    let limit = (memory / 3).min(u32::MAX as usize / 2);
    let (full, to_write) = sync_channel::<(Filling, Progress)>(1);
    let (written, empty) = sync_channel(2);
    for _ in 0..2 {
        written
            .send(Filling::new(limit))
            .map_err(|_| SplitError::Stopped)?;
    }
    std::thread::scope(|scope| {
        let writer = scope.spawn(move || {
            let mut room = Vec::new();
            for (mut filling, ends) in to_write {
                if runs.len() >= MAX_RUNS {
                    return Err(SplitError::TooManyRuns);
                }
                runs.push(Run::write(
                    scratch,
                    runs.len(),
                    (&mut filling, &mut room),
                    ends,
                )?);
                filling.clear();
                // Nobody waits for it when it was the last.
                let _ = written.send(filling);
            }
            Ok(runs)
        });
        let mut spill = Spill {
            filling: None,
            full,
            empty,
        };
        let filled = fill(&mut spill).and_then(|ends| match spill.filling.take() {
            Some(last) if !last.entries.is_empty() => spill
                .full
                .send((last, ends))
                .map_err(|_| SplitError::Stopped),
            Some(_) | None => Ok(()),
        });
        drop(spill);
        let runs = writer.join().map_err(|_| SplitError::Stopped)?;
        // Why the writer stopped says more than that it did.
        match (filled, runs) {
            (Err(SplitError::Stopped), Err(why)) => Err(why),
            (Err(why), _) => Err(why),
            (Ok(()), runs) => runs,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::super::merge::merge;
    use super::super::scratch::Begun;
    use identity::at_rest::StorageKey;
    use sharing::return_flow::{Divisions, Sorting};

    use super::*;

    /// Rows that begin with their code, that do not, and that have it in quotation marks, in no order.
    fn rows() -> Vec<(String, String)> {
        let mut rows = Vec::new();
        let mut state = 7u64;
        for _ in 0..3_000 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let code = ["440106", "440106001", "440100", "999999", ""][(state >> 40) as usize % 5];
            let name = [
                "",
                "a",
                "ab",
                "同名同姓的人",
                "0123456789abcdef0",
                "0123456789abcdef1",
            ];
            let name = name[(state >> 50) as usize % name.len()];
            let row = match (state >> 60) % 3 {
                0 => format!("{code},{name}"),
                1 => format!("\"{code}\",{name}"),
                _ => format!("{name},{code}"),
            };
            rows.push((code.to_owned(), row));
        }
        rows
    }

    #[test]
    fn merged_runs_are_the_rows_in_tree_order() {
        let tree = Divisions::from_csv(b"code,parent\n100000,\n440100,100000\n440106,440100\n");
        let tree = tree.unwrap();
        let sorting = Sorting::new(&tree, &[]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let objects = Objects::open(folder.path(), StorageKey::from_bytes([1; 32])).unwrap();
        let dataset = "townships".parse().unwrap();
        let open = || Scratch::open(&objects, &dataset, &Digest::object(b"table")).unwrap();
        let (scratch, _) = open();
        let mut expected: Vec<(u64, String)> = Vec::new();
        let runs = spill(&scratch, vec![], 2 * 20_000, |spill| {
            let mut came = Progress::default();
            for (code, row) in rows() {
                let key = sorting.key(code.as_bytes());
                spill.filling()?.push(key, code.as_bytes(), &row);
                expected.push((key.order(), row));
                came.rows += 1;
                spill.settle(came)?;
            }
            Ok(came)
        });
        let runs = runs.unwrap();
        assert!(runs.len() > 3, "{}", runs.len());
        assert_eq!(rows_in(&runs), 3_000);
        assert_eq!(runs.last().unwrap().ends.rows, 3_000);
        assert_eq!(open().1, Begun::Resumed(runs.clone()));
        expected.sort();
        let mut found = Vec::new();
        // Less is read ahead than a row may be long.
        merge(&objects, runs, 0, |key, row| {
            found.push((key.order(), row.to_owned()));
            Ok(())
        })
        .unwrap();
        assert_eq!(found, expected);
    }

    fn rows_in(runs: &[Run]) -> u64 {
        runs.iter().map(|run| run.rows).sum()
    }
}
