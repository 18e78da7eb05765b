//! The parts of a delivery, written while its rows pass by in tree order: areas that hold one another are open together, so that there are never
//! more files open than the tree is deep.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::{SyncSender, sync_channel};

use sharing::act::ObjectRef;
use sharing::return_flow::leaves::LEAF_BYTES;
use sharing::return_flow::{Area, Divisions, RowKey, Span};

use super::SplitError;
use crate::delivery::MAX_OBJECT_BYTES;
use crate::storage::objects::{ObjectWriter, Objects};

/// Parts that are whole and wait to be put on the disk for good.
const WHOLE_AHEAD: usize = 16;

/// The two objects of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The rows.
    pub part: ObjectRef,
    /// Their leaves.
    pub leaves: ObjectRef,
}

/// A part whose rows still come.
struct Open<'o> {
    area: &'o Area,
    to: u64,
    part: ObjectWriter<'o>,
    leaves: ObjectWriter<'o>,
}

/// What is written.
pub(super) struct Parts<'o> {
    objects: &'o Objects,
    header: &'o str,
    /// The areas that are not begun, the next one last.
    coming: Vec<(Span, &'o Area)>,
    open: Vec<Open<'o>>,
    whole: SyncSender<Open<'o>>,
}

/// Lets `rows` pass the rows of a table by, and gives the stored parts of the areas; a second thread puts them on the disk. An area that is none of
/// the tree's has no part. What is written of parts that do not come to their end is removed.
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
    let (whole, to_store) = sync_channel::<Open<'o>>(WHOLE_AHEAD);
    std::thread::scope(|scope| {
        let storing = scope.spawn(move || {
            let mut stored = BTreeMap::new();
            for part in to_store {
                stored.insert(part.area.clone(), store(part, stem)?);
            }
            Ok::<_, SplitError>(stored)
        });
        let mut parts = Parts {
            objects,
            header,
            coming,
            open: Vec::new(),
            whole,
        };
        let passed = rows(&mut parts).and_then(|passed| {
            parts.advance(u64::MAX)?;
            Ok(passed)
        });
        drop(parts);
        let stored = storing.join().map_err(|_| SplitError::Stopped)?;
        match (passed, stored) {
            (Err(SplitError::Stopped), Err(why)) => Err(why),
            (Err(why), _) => Err(why),
            (Ok(passed), stored) => Ok((passed, stored?)),
        }
    })
}

fn store(open: Open<'_>, stem: &str) -> Result<Stored, SplitError> {
    let name = |kind: &str| stem.replace("{area}", open.area.as_str()) + kind;
    let object = |writer: ObjectWriter<'_>, name: String| {
        let stored = writer.store()?;
        Ok::<_, SplitError>(ObjectRef {
            digest: stored.digest,
            length: stored.length,
            name,
        })
    };
    let (part, leaves) = (name(".csv"), name(".leaves"));
    Ok(Stored {
        part: object(open.part, part)?,
        leaves: object(open.leaves, leaves)?,
    })
}

impl Parts<'_> {
    /// Takes the next row and its leaf.
    pub(super) fn row(
        &mut self,
        key: RowKey,
        row: &str,
        leaf: &[u8; LEAF_BYTES],
    ) -> Result<(), SplitError> {
        self.advance(key.order())?;
        for open in &mut self.open {
            open.part.put(row.as_bytes())?;
            open.part.put(b"\n")?;
            open.leaves.put(leaf)?;
        }
        Ok(())
    }

    /// Ends the parts whose rows all came and begins those whose first row may come now.
    fn advance(&mut self, order: u64) -> Result<(), SplitError> {
        loop {
            // What holds the others ends last.
            while let Some(open) = self.open.pop_if(|open| open.to <= order) {
                self.whole.send(open).map_err(|_| SplitError::Stopped)?;
            }
            let Some((span, area)) = self.coming.pop_if(|(span, _)| span.from <= order) else {
                return Ok(());
            };
            let mut part = self.objects.writer(MAX_OBJECT_BYTES)?;
            part.put(self.header.as_bytes())?;
            part.put(b"\n")?;
            self.open.push(Open {
                area,
                to: span.to,
                part,
                leaves: self.objects.writer(MAX_OBJECT_BYTES)?,
            });
        }
    }
}
