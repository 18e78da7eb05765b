//! The parts of a delivery, written while its rows pass by in tree order: areas that hold one another are open together, so that there are never
//! more files open than the tree is deep. A thread of their own hashes, seals and writes them. None has its name before all are on the disk.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use sharing::act::ObjectRef;
use sharing::return_flow::leaves::LEAF_BYTES;
use sharing::return_flow::{Area, Divisions, RowKey, Span};

use super::SplitError;
use crate::delivery::MAX_OBJECT_BYTES;
use crate::storage::objects::{ObjectWriter, Objects, Whole};

/// Bytes of rows that are handed on together.
const BLOCK_BYTES: usize = 256 << 10;
/// Steps that wait for the thread that writes.
const STEPS_AHEAD: usize = 4;

/// The two objects of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The rows.
    pub part: ObjectRef,
    /// Their leaves.
    pub leaves: ObjectRef,
}

/// What the thread that writes is told, in the order of the rows.
enum Step<'o> {
    /// A part begins, within those that are open.
    Begin(&'o Area),
    /// Rows of all parts that are open, each with its line end, and their leaves.
    Rows(Vec<u8>, Vec<u8>),
    /// The part that was begun last has all its rows.
    End,
    /// All rows came, and nothing was wrong.
    Whole,
}

/// The parts, to whoever has the rows.
pub(super) struct Parts<'o> {
    /// The areas that are not begun, the next one last.
    coming: Vec<(Span, &'o Area)>,
    /// Where those that are open end.
    open: Vec<u64>,
    rows: Vec<u8>,
    leaves: Vec<u8>,
    steps: SyncSender<Step<'o>>,
}

/// Lets `rows` pass the rows of a table by, and gives the stored parts of the areas. An area that is none of the tree's has no part. What is
/// written of a delivery that does not come to its end is removed.
///
/// # Errors
/// What `rows` gives, and [`SplitError`] when a part cannot be stored.
pub(super) fn write_parts<'o, T>(
    objects: &'o Objects,
    (header, stem): (&'o str, &str),
    areas: &'o BTreeSet<Area>,
    divisions: &Divisions,
    rows: impl FnOnce(&mut Parts<'o>) -> Result<T, SplitError>,
) -> Result<(T, BTreeMap<Area, Stored>), SplitError> {
    let spans = areas
        .iter()
        .filter_map(|area| Span::of(area, divisions).map(|span| (span, area)));
    let mut coming: Vec<_> = spans.collect();
    // An area before those that it holds; the last is taken first.
    coming.sort_by_key(|(span, _)| (std::cmp::Reverse(span.from), span.to));
    let (steps, told) = sync_channel(STEPS_AHEAD);
    std::thread::scope(|scope| {
        let writing = scope.spawn(move || write(objects, (header, stem), &told));
        let mut parts = Parts {
            coming,
            open: Vec::new(),
            rows: Vec::new(),
            leaves: Vec::new(),
            steps,
        };
        let passed = rows(&mut parts).and_then(|passed| {
            parts.advance(u64::MAX)?;
            parts.tell(Step::Whole)?;
            Ok(passed)
        });
        drop(parts);
        let stored = writing.join().map_err(|_| SplitError::Stopped)?;
        match (passed, stored) {
            (Err(SplitError::Stopped), Err(why)) => Err(why),
            (Err(why), _) => Err(why),
            (Ok(passed), stored) => Ok((passed, stored?)),
        }
    })
}

impl<'o> Parts<'o> {
    /// Takes the next row and its leaf.
    pub(super) fn row(
        &mut self,
        key: RowKey,
        row: &str,
        leaf: &[u8; LEAF_BYTES],
    ) -> Result<(), SplitError> {
        self.advance(key.order())?;
        if self.open.is_empty() {
            return Ok(());
        }
        self.rows.extend_from_slice(row.as_bytes());
        self.rows.push(b'\n');
        self.leaves.extend_from_slice(leaf);
        if self.rows.len() >= BLOCK_BYTES {
            self.hand_on()?;
        }
        Ok(())
    }

    /// Ends the parts whose rows all came and begins those whose first row may come now.
    fn advance(&mut self, order: u64) -> Result<(), SplitError> {
        loop {
            // What holds the others ends last.
            while self.open.pop_if(|to| *to <= order).is_some() {
                self.hand_on()?;
                self.tell(Step::End)?;
            }
            let Some((span, area)) = self.coming.pop_if(|(span, _)| span.from <= order) else {
                return Ok(());
            };
            self.hand_on()?;
            self.tell(Step::Begin(area))?;
            self.open.push(span.to);
        }
    }

    fn hand_on(&mut self) -> Result<(), SplitError> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let fresh = || Vec::with_capacity(BLOCK_BYTES);
        let rows = std::mem::replace(&mut self.rows, fresh());
        let leaves = std::mem::replace(&mut self.leaves, fresh());
        self.tell(Step::Rows(rows, leaves))
    }

    fn tell(&self, step: Step<'o>) -> Result<(), SplitError> {
        self.steps.send(step).map_err(|_| SplitError::Stopped)
    }
}

/// A part whose rows still come.
struct Open<'o> {
    area: &'o Area,
    part: ObjectWriter<'o>,
    leaves: ObjectWriter<'o>,
}

/// Writes parts as it is told, and stores all of them when all are whole.
fn write<'o>(
    objects: &'o Objects,
    (header, stem): (&str, &str),
    steps: &Receiver<Step<'o>>,
) -> Result<BTreeMap<Area, Stored>, SplitError> {
    let mut open: Vec<Open<'o>> = Vec::new();
    let (mut stored, mut files) = (BTreeMap::new(), Vec::new());
    for step in steps {
        match step {
            Step::Begin(area) => {
                let mut part = objects.writer(MAX_OBJECT_BYTES)?;
                part.put(header.as_bytes())?;
                part.put(b"\n")?;
                let leaves = objects.writer(MAX_OBJECT_BYTES)?;
                open.push(Open { area, part, leaves });
            }
            Step::Rows(rows, leaves) => {
                for part in &mut open {
                    part.part.put(&rows)?;
                    part.leaves.put(&leaves)?;
                }
            }
            Step::End => {
                if let Some(Open { area, part, leaves }) = open.pop() {
                    let name = |kind: &str| stem.replace("{area}", area.as_str()) + kind;
                    let [part, leaves] = [part.whole()?, leaves.whole()?];
                    let both = Stored {
                        part: object(&part, name(".csv")),
                        leaves: object(&leaves, name(".leaves")),
                    };
                    stored.insert(area.clone(), both);
                    files.extend([part, leaves]);
                }
            }
            Step::Whole => {
                objects.keep(files)?;
                return Ok(stored);
            }
        }
    }
    // Whoever has the rows stopped, and says why.
    Err(SplitError::Stopped)
}

fn object(whole: &Whole, name: String) -> ObjectRef {
    let stored = whole.stored();
    ObjectRef {
        digest: stored.digest,
        length: stored.length,
        name,
    }
}
