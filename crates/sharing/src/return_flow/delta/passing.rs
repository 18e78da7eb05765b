//! Two parts compared, and a difference applied, while their rows pass by.

use std::cmp::Ordering;
use std::collections::{BTreeMap, VecDeque};

use identity::Digest;

use super::super::table::MAX_ROW_BYTES;
use super::{Change, DeltaError, Section, Writer};

/// Most keys kept to tell an update from a deleted and an inserted row; beyond, those before are told apart no more.
const MAX_KEYS: usize = 100_000;

/// A row that is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its place in the order, from its key.
    pub order: u64,
    /// The row.
    pub row: String,
    /// Its field by which it is the same row after a change.
    pub name: Vec<u8>,
}

impl Line {
    fn rank(&self) -> (u64, &str) {
        (self.order, &self.row)
    }
}

/// Rows of a part, one at a time, that must stand in tree order.
struct Ordered<F> {
    next: F,
    line: Option<Line>,
}

impl<F> Ordered<F> {
    /// Goes to the next row; false when it does not stand behind the one before.
    fn advance<E>(&mut self) -> Result<bool, E>
    where
        F: FnMut() -> Result<Option<Line>, E>,
    {
        let next = (self.next)()?;
        let ordered = match (&self.line, &next) {
            (Some(last), Some(next)) => last.rank() <= next.rank(),
            (_, None) | (None, _) => true,
        };
        self.line = next;
        Ok(ordered)
    }
}

/// Compares the rows of two parts under one header and hands on the sections of the difference; false where their rows do not stand in
/// one order: what was handed on is none then. `named` says whether rows have names.
///
/// # Errors
/// What reading and handing on give.
pub fn compare<E>(
    (base, whole): (Digest, Digest),
    old: impl FnMut() -> Result<Option<Line>, E>,
    new: impl FnMut() -> Result<Option<Line>, E>,
    named: bool,
    mut section: impl FnMut(Vec<u8>) -> Result<(), E>,
) -> Result<bool, E> {
    let mut writer = Writer::new(base, whole);
    let mut names = named.then(Names::default);
    let (mut old, mut new) = (
        Ordered {
            next: old,
            line: None,
        },
        Ordered {
            next: new,
            line: None,
        },
    );
    if !(old.advance()? && new.advance()?) {
        return Ok(false);
    }
    let mut at = 0u64;
    loop {
        let order = match (&old.line, &new.line) {
            (None, None) => break,
            (Some(gone), Some(came)) => gone.rank().cmp(&came.rank()),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
        };
        let (leaves, comes) = (order.is_le(), order.is_ge());
        let gone = old.line.as_ref().filter(|_| !comes).map(|gone| {
            match names.as_mut().is_some_and(|names| names.gone(&gone.name)) {
                true => Change::Replace { at },
                false => Change::Delete { at },
            }
        });
        let came = new.line.as_ref().filter(|_| !leaves).map(|came| {
            let row = came.row.clone();
            match names.as_mut().is_some_and(|names| names.came(&came.name)) {
                true => Change::Update { at, row },
                false => Change::Insert { at, row },
            }
        });
        if let Some(change) = gone.or(came)
            && let Some(full) = writer.put(change)
        {
            section(full)?;
        }
        at += u64::from(leaves);
        if (leaves && !old.advance()?) || (comes && !new.advance()?) {
            return Ok(false);
        }
    }
    section(writer.end())?;
    Ok(true)
}

/// Hands on the rows to which a difference leads, from those of its base; its sections come one by one, without what stands before them.
///
/// # Errors
/// [`DeltaError`] when it does not build on the base, and what reading and handing on give. Whether the rows are the whole part its digest says.
pub fn apply<E: From<DeltaError>>(
    parts: (Digest, Digest),
    sections: impl FnMut() -> Result<Option<Vec<u8>>, E>,
    mut base: impl FnMut() -> Result<Option<String>, E>,
    mut line: impl FnMut(&str) -> Result<(), E>,
) -> Result<(), E> {
    let mut changes = Reader {
        parts,
        sections,
        changes: VecDeque::new(),
    };
    for at in 0u64.. {
        while let Some(row) = changes
            .peek()?
            .filter(|it| it.at() == at)
            .and_then(Change::row)
        {
            if row.len() > MAX_ROW_BYTES {
                return Err(DeltaError::RowTooLong.into());
            }
            line(row)?;
            changes.changes.pop_front();
        }
        let next = changes.peek()?.map(Change::at);
        let Some(row) = base()? else {
            return match next {
                Some(at) => Err(DeltaError::Row(at).into()),
                None => Ok(()),
            };
        };
        if next == Some(at) {
            changes.changes.pop_front();
        } else {
            line(&row)?;
        }
    }
    Ok(())
}

/// The changes of a difference as its sections come.
struct Reader<S> {
    parts: (Digest, Digest),
    sections: S,
    changes: VecDeque<Change>,
}

impl<S> Reader<S> {
    fn peek<E: From<DeltaError>>(&mut self) -> Result<Option<&Change>, E>
    where
        S: FnMut() -> Result<Option<Vec<u8>>, E>,
    {
        while self.changes.is_empty() {
            let Some(bytes) = (self.sections)()? else {
                return Ok(None);
            };
            let section = Section::decode(&bytes)?;
            let ((expected, expected_whole), (found, whole)) =
                ((section.base, section.whole), self.parts);
            if expected != found {
                return Err(DeltaError::OtherBase { expected, found }.into());
            }
            if expected_whole != whole {
                let (expected, found) = (whole, expected_whole);
                return Err(DeltaError::OtherWhole { expected, found }.into());
            }
            self.changes.extend(section.changes);
        }
        Ok(self.changes.front())
    }
}

/// Names of rows that went or came and were not met again.
#[derive(Default)]
struct Names {
    gone: BTreeMap<Vec<u8>, u64>,
    came: BTreeMap<Vec<u8>, u64>,
}

impl Names {
    /// Whether a row of this name came before.
    fn gone(&mut self, name: &[u8]) -> bool {
        take(&mut self.came, name) || keep(&mut self.gone, name)
    }

    /// Whether a row of this name went before.
    fn came(&mut self, name: &[u8]) -> bool {
        take(&mut self.gone, name) || keep(&mut self.came, name)
    }
}

fn take(names: &mut BTreeMap<Vec<u8>, u64>, name: &[u8]) -> bool {
    let Some(count) = names.get_mut(name) else {
        return false;
    };
    *count -= 1;
    if *count == 0 {
        names.remove(name);
    }
    true
}

/// Keeps a name, and is false.
fn keep(names: &mut BTreeMap<Vec<u8>, u64>, name: &[u8]) -> bool {
    if names.len() >= MAX_KEYS {
        names.clear();
    }
    *names.entry(name.to_vec()).or_default() += 1;
    false
}
