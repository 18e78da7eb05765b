//! Runs merged: their rows in tree order, handed on while a second thread reads and merges ahead.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::io::{Read, Seek, SeekFrom};
use std::sync::mpsc::{SyncSender, sync_channel};

use sharing::return_flow::RowKey;

use super::SplitError;
use super::runs::{ROW_HEAD, RUN_HEAD, Run};
use crate::storage::objects::{GROUP_BYTES, ObjectError, Objects};

/// Bytes of rows that are handed on together.
const BLOCK_BYTES: usize = 256 << 10;
/// Blocks between the thread that merges and the one that takes.
const BLOCKS_AHEAD: usize = 4;
/// Least and most bytes read ahead of one run: a chunk as it is sealed, at least.
const READ_AHEAD: (usize, usize) = (GROUP_BYTES as usize, 512 << 10);

/// Rows in tree order.
#[derive(Debug, Default)]
pub struct Block {
    bytes: Vec<u8>,
    rows: Vec<(RowKey, u32)>,
}

impl Block {
    /// The rows.
    pub fn rows(&self) -> impl Iterator<Item = (RowKey, &[u8])> {
        let mut rest = self.bytes.as_slice();
        self.rows.iter().map(move |(key, length)| {
            let (row, after) = rest
                .split_at_checked(*length as usize)
                .unwrap_or((rest, b""));
            rest = after;
            (*key, row)
        })
    }
}

/// A run that is read; its file is open only while more of it is fetched, so that many runs are merged with few files open.
struct Reading<'o> {
    objects: &'o Objects,
    run: Run,
    buffer: Vec<u8>,
    at: usize,
    /// Bytes of the run that are in the buffer or before it.
    fetched: u64,
    ahead: usize,
}

impl Reading<'_> {
    /// The next row; none at the end.
    fn next(&mut self, row: &mut Vec<u8>) -> Result<Option<RowKey>, SplitError> {
        let Some(head) = self
            .take(ROW_HEAD)?
            .and_then(|it| it.first_chunk::<ROW_HEAD>())
        else {
            return Ok(None);
        };
        let [k @ .., a, b, c, d] = *head;
        let key = RowKey::unpacked(u64::from_le_bytes(k)).ok_or(SplitError::Damaged)?;
        let length = u32::from_le_bytes([a, b, c, d]) as usize;
        let bytes = self.take(length)?.ok_or(SplitError::Damaged)?;
        row.clear();
        row.extend_from_slice(bytes);
        Ok(Some(key))
    }

    fn take(&mut self, length: usize) -> Result<Option<&[u8]>, SplitError> {
        if self.at + length > self.buffer.len() {
            self.fetch(length)?;
        }
        let from = self.at;
        let found = self.buffer.get(from..from + length);
        if found.is_some() {
            self.at += length;
        }
        Ok(found)
    }

    fn fetch(&mut self, length: usize) -> Result<(), SplitError> {
        let begun = self.buffer.len() - self.at;
        self.buffer.copy_within(self.at.., 0);
        self.at = 0;
        // Whole chunks, so that none is opened twice.
        let wanted = self.fetched + self.ahead.max(length) as u64;
        let ends = wanted.next_multiple_of(GROUP_BYTES).min(self.run.bytes);
        let more = ends.saturating_sub(self.fetched) as usize;
        self.buffer.resize(begun + more, 0);
        let into = self.buffer.get_mut(begun..).unwrap_or_default();
        let mut file = self.run.open(self.objects)?;
        file.seek(SeekFrom::Start(self.fetched))?;
        file.read_exact(into).map_err(ObjectError::from)?;
        self.fetched += more as u64;
        Ok(())
    }
}

/// The next row of a run.
struct Head<'o> {
    order: u64,
    row: Vec<u8>,
    key: RowKey,
    of: Box<Reading<'o>>,
}

impl Head<'_> {
    fn rank(&self) -> (u64, &[u8]) {
        (self.order, &self.row)
    }
}

impl PartialEq for Head<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.rank() == other.rank()
    }
}

impl Eq for Head<'_> {}

impl PartialOrd for Head<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Head<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank().cmp(&other.rank())
    }
}

/// Merges runs and hands every row to `take`, in tree order; a second thread reads and merges ahead.
///
/// # Errors
/// What `take` gives, and [`SplitError`] when a run cannot be read.
pub fn merge(
    objects: &Objects,
    runs: Vec<Run>,
    memory: usize,
    mut take: impl FnMut(RowKey, &str) -> Result<(), SplitError>,
) -> Result<(), SplitError> {
    let ahead = (memory / 2 / runs.len().max(1)).clamp(READ_AHEAD.0, READ_AHEAD.1);
    let (merged, blocks) = sync_channel::<Block>(BLOCKS_AHEAD);
    std::thread::scope(|scope| {
        let merging = scope.spawn(move || merge_into(objects, runs, ahead, &merged));
        let taken = blocks.into_iter().try_for_each(|block| {
            block.rows().try_for_each(|(key, row)| {
                take(
                    key,
                    std::str::from_utf8(row).map_err(|_| SplitError::Damaged)?,
                )
            })
        });
        let merged = merging.join().map_err(|_| SplitError::Stopped)?;
        taken.and(merged)
    })
}

fn merge_into(
    objects: &Objects,
    runs: Vec<Run>,
    ahead: usize,
    merged: &SyncSender<Block>,
) -> Result<(), SplitError> {
    let mut heads = BinaryHeap::with_capacity(runs.len());
    for run in runs {
        let mut of = Box::new(Reading {
            objects,
            run,
            buffer: Vec::new(),
            at: 0,
            fetched: RUN_HEAD as u64,
            ahead,
        });
        let mut row = Vec::new();
        if let Some(key) = of.next(&mut row)? {
            let order = key.order();
            heads.push(Reverse(Head {
                order,
                row,
                key,
                of,
            }));
        }
    }
    let mut block = Block::default();
    while let Some(mut least) = heads.peek_mut() {
        let Reverse(head) = &mut *least;
        block.bytes.extend_from_slice(&head.row);
        block.rows.push((head.key, head.row.len() as u32));
        let mut row = std::mem::take(&mut head.row);
        match head.of.next(&mut row)? {
            Some(key) => (head.order, head.key, head.row) = (key.order(), key, row),
            None => drop(PeekMut::pop(least)),
        }
        if block.bytes.len() >= BLOCK_BYTES {
            // Whoever took them has stopped, and says why.
            if merged.send(std::mem::take(&mut block)).is_err() {
                return Ok(());
            }
        }
    }
    let _ = merged.send(block);
    Ok(())
}
