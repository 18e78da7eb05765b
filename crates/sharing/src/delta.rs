//! Deltas (增量) of a table: by key, between two snapshots that are sorted by it, and by watermark, the rows that are newer than the last.
//!
//! Both read their rows once and hold two of them at a time, however large the table is. A delta by key knows deletions; a watermark cannot.

use std::cmp::Ordering;
use std::iter::Peekable;

/// How a row changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change<K, R> {
    /// It is new.
    Insert(K, R),
    /// It stands under the same key with other values, which are these.
    Update(K, R),
    /// It is gone; these were its values.
    Delete(K, R),
}

/// Why there is no delta.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeltaError<E> {
    /// Rows do not come sorted by their key, so a deletion could not be told from a row that comes late.
    #[error("row {row} is not sorted by its key")]
    Unsorted {
        /// Which row, from 1, of its snapshot.
        row: u64,
    },
    /// Two rows of one snapshot have the same key.
    #[error("row {row} has the key of the row before it")]
    KeyTwice {
        /// Which row, from 1, of its snapshot.
        row: u64,
    },
    /// A snapshot could not be read on.
    #[error(transparent)]
    Source(E),
}

/// A snapshot that is checked to be sorted while it is read.
struct Sorted<K, I: Iterator> {
    rows: Peekable<I>,
    last: Option<K>,
    row: u64,
}

impl<K: Ord + Clone, R, E, I: Iterator<Item = Result<(K, R), E>>> Sorted<K, I> {
    fn new(rows: I) -> Self {
        Self {
            rows: rows.peekable(),
            last: None,
            row: 0,
        }
    }

    fn next(&mut self) -> Result<Option<(K, R)>, DeltaError<E>> {
        let Some(next) = self.rows.next() else {
            return Ok(None);
        };
        let (key, row) = next.map_err(DeltaError::Source)?;
        self.row += 1;
        match self.last.as_ref().map(|last| key.cmp(last)) {
            Some(Ordering::Less) => return Err(DeltaError::Unsorted { row: self.row }),
            Some(Ordering::Equal) => return Err(DeltaError::KeyTwice { row: self.row }),
            Some(Ordering::Greater) | None => self.last = Some(key.clone()),
        }
        Ok(Some((key, row)))
    }

    /// The key that comes next; a fault ahead is met by `next`.
    fn key<'s>(&'s mut self) -> Option<Result<&'s K, ()>>
    where
        R: 's,
        E: 's,
    {
        self.rows
            .peek()
            .map(|next| next.as_ref().map(|(key, _)| key).map_err(|_| ()))
    }
}

/// The changes from one snapshot to a later one, in the order of keys. After an error there are no more.
pub struct Changes<K, O: Iterator, N: Iterator> {
    old: Sorted<K, O>,
    new: Sorted<K, N>,
    over: bool,
}

/// What leads from the old snapshot to the new one. Both must be sorted by key, each key once.
pub fn changes<K, R, E, O, N>(old: O, new: N) -> Changes<K, O::IntoIter, N::IntoIter>
where
    K: Ord + Clone,
    R: PartialEq,
    O: IntoIterator<Item = Result<(K, R), E>>,
    N: IntoIterator<Item = Result<(K, R), E>>,
{
    Changes {
        old: Sorted::new(old.into_iter()),
        new: Sorted::new(new.into_iter()),
        over: false,
    }
}

impl<K, R, E, O, N> Changes<K, O, N>
where
    K: Ord + Clone,
    R: PartialEq,
    O: Iterator<Item = Result<(K, R), E>>,
    N: Iterator<Item = Result<(K, R), E>>,
{
    fn step(&mut self) -> Result<Option<Change<K, R>>, DeltaError<E>> {
        loop {
            let order = match (self.old.key(), self.new.key()) {
                (None, None) => return Ok(None),
                (Some(_), None) | (Some(Err(())), _) => Ordering::Less,
                (None, Some(_)) | (_, Some(Err(()))) => Ordering::Greater,
                (Some(Ok(old)), Some(Ok(new))) => old.cmp(new),
            };
            if order == Ordering::Less {
                return Ok(self.old.next()?.map(|(key, row)| Change::Delete(key, row)));
            }
            if order == Ordering::Greater {
                return Ok(self.new.next()?.map(|(key, row)| Change::Insert(key, row)));
            }
            let (before, after) = (self.old.next()?, self.new.next()?);
            if let (Some((_, before)), Some((key, after))) = (before, after)
                && before != after
            {
                return Ok(Some(Change::Update(key, after)));
            }
        }
    }
}

impl<K, R, E, O, N> Iterator for Changes<K, O, N>
where
    K: Ord + Clone,
    R: PartialEq,
    O: Iterator<Item = Result<(K, R), E>>,
    N: Iterator<Item = Result<(K, R), E>>,
{
    type Item = Result<Change<K, R>, DeltaError<E>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let step = self.step();
        self.over = !matches!(step, Ok(Some(_)));
        step.transpose()
    }
}

/// A row without a watermark would never be delivered by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("row {row} has no watermark and would never be delivered")]
pub struct NoMark {
    /// Which row, from 1.
    pub row: u64,
}

/// Reads off which rows are newer than the last delivery, and how far this one comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watermark<M> {
    since: Option<M>,
    reached: Option<M>,
    row: u64,
}

impl<M: Ord + Clone> Watermark<M> {
    /// From where the last delivery ended; from the beginning when there was none.
    pub fn since(since: Option<M>) -> Self {
        Self {
            reached: since.clone(),
            since,
            row: 0,
        }
    }

    /// Whether a row with this mark belongs to the delivery: it is above where the last one ended.
    ///
    /// # Errors
    /// [`NoMark`] when the row has none.
    pub fn takes(&mut self, mark: Option<M>) -> Result<bool, NoMark> {
        self.row += 1;
        let mark = mark.ok_or(NoMark { row: self.row })?;
        let newer = self.since.as_ref().is_none_or(|since| mark > *since);
        if self.reached.as_ref().is_none_or(|reached| mark > *reached) {
            self.reached = Some(mark);
        }
        Ok(newer)
    }

    /// Where the next delivery begins, once this one is delivered.
    pub fn reached(&self) -> Option<&M> {
        self.reached.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    type Rows = Vec<Result<(u8, u8), &'static str>>;

    fn rows(list: &[(u8, u8)]) -> Rows {
        list.iter().copied().map(Ok).collect()
    }

    #[test]
    fn inserts_updates_and_deletes_come_in_the_order_of_keys() {
        let found: Result<Vec<_>, _> = changes(
            rows(&[(1, 1), (2, 2), (4, 4), (5, 5)]),
            rows(&[(2, 2), (3, 3), (4, 9)]),
        )
        .collect();
        assert_eq!(
            found.unwrap(),
            [
                Change::Delete(1, 1),
                Change::Insert(3, 3),
                Change::Update(4, 9),
                Change::Delete(5, 5)
            ]
        );
    }

    #[test]
    fn what_is_unsorted_doubled_or_broken_ends_the_delta_and_nothing_follows() {
        let mut found = changes(rows(&[(2, 2), (1, 1), (3, 3)]), rows(&[]));
        assert_eq!(found.next(), Some(Ok(Change::Delete(2, 2))));
        assert_eq!(found.next(), Some(Err(DeltaError::Unsorted { row: 2 })));
        assert_eq!(found.next(), None);
        let twice = changes(rows(&[]), rows(&[(1, 1), (1, 2)])).last();
        assert_eq!(twice, Some(Err(DeltaError::KeyTwice { row: 2 })));
        // The new snapshot breaks off before the key that the old one still has: nothing is said to be deleted after that.
        let broken: Rows = vec![Ok((1, 1)), Err("gone")];
        let found: Vec<_> = changes(rows(&[(1, 1), (2, 2)]), broken).collect();
        assert!(
            found
                .iter()
                .all(|step| !matches!(step, Ok(Change::Delete(..)))),
            "{found:?}"
        );
        assert_eq!(found.last(), Some(&Err(DeltaError::Source("gone"))));
    }

    proptest! {
        #[test]
        fn the_changes_lead_from_the_old_snapshot_to_the_new(
            old in proptest::collection::btree_map(any::<u8>(), 0u8..3, 0..40),
            new in proptest::collection::btree_map(any::<u8>(), 0u8..3, 0..40),
        ) {
            let list = |rows: &BTreeMap<u8, u8>| rows.iter().map(|(k, v)| Ok::<_, ()>((*k, *v))).collect::<Vec<_>>();
            let mut state = old.clone();
            for change in changes(list(&old), list(&new)) {
                match change.unwrap() {
                    Change::Insert(key, row) => prop_assert_eq!(state.insert(key, row), None),
                    Change::Update(key, row) => prop_assert!(state.insert(key, row).is_some_and(|before| before != row)),
                    Change::Delete(key, row) => prop_assert_eq!(state.remove(&key), Some(row)),
                }
            }
            prop_assert_eq!(state, new);
        }
    }

    #[test]
    fn a_watermark_takes_what_is_newer_and_says_how_far_it_came() {
        let mut mark = Watermark::since(Some(5));
        let taken: Vec<_> = [3, 7, 5, 6]
            .map(|at| mark.takes(Some(at)).unwrap())
            .to_vec();
        assert_eq!(taken, [false, true, false, true]);
        assert_eq!(mark.reached(), Some(&7));
        assert_eq!(mark.takes(None), Err(NoMark { row: 5 }));
        let mut first = Watermark::since(None);
        assert!(first.takes(Some(i32::MIN)).unwrap());
        assert_eq!(Watermark::<u8>::since(Some(4)).reached(), Some(&4));
    }
}
