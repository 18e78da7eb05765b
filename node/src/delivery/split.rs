//! Splitting a table by administrative division at its source, and a part at whoever passes its own rows on (R24).

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::OnceLock;

use federation::core::{SplitFor, SplitPart, SplitTable};
use identity::{Digest, Domain};
use sharing::act::{ActId, ObjectRef};
use sharing::return_flow::delta::DeltaError;
use sharing::return_flow::leaves::LEAF_BYTES;
use sharing::return_flow::table::TableError;
use sharing::return_flow::workflow::MAX_MANIFEST_BYTES;
use sharing::return_flow::{
    Area, Assembly, AssignError, BuildError, Certificate, Committed, Divisions, Intake, Manifest,
    PartError, PartNotice, PartVerdict, Reception, RowKey, Sorting, Span,
};

use self::merge::merge;
use self::parts::write_parts;
use self::pieces::Pieces;
use self::runs::Run;
use self::scratch::{Begun, Scratch};
use self::table::OpenTable;
use crate::data::DataError;
use crate::storage::objects::{ObjectError, Objects};

pub(super) mod difference;
pub mod merge;
mod parts;
mod pieces;
pub mod runs;
pub mod scratch;
pub mod table;

pub use self::parts::Stored;

/// The administrative divisions of the nation, the tree that every split and every check uses.
const DIVISIONS: &str = include_str!("../../../topology/data/divisions.csv");
/// Codes that were once divisions.
const RETIRED: &str = include_str!("../../../topology/data/retired.csv");

/// A table to be split, as the core asks.
#[derive(Debug, Clone)]
pub struct SplitTask {
    /// The act that returns it.
    pub act: ActId,
    /// The manifest with everything but the split's own results.
    pub manifest: Manifest,
    /// The snapshot.
    pub table: ObjectRef,
    /// From which all salts derive.
    pub secret: [u8; 32],
    /// The column by which a row is the same row after a change.
    pub key_column: Option<String>,
    /// Who gets a part.
    pub subscribers: Vec<SplitFor>,
}

/// The divisions, read once.
///
/// # Errors
/// When a table in this program is damaged, which its tests exclude.
pub(crate) fn divisions() -> Result<&'static Divisions, String> {
    static READ: OnceLock<Result<Divisions, String>> = OnceLock::new();
    READ.get_or_init(|| {
        Divisions::from_csv(DIVISIONS.as_bytes())
            .and_then(|divisions| divisions.with_retired(RETIRED.as_bytes()))
            .map_err(|error| error.to_string())
    })
    .as_ref()
    .map_err(Clone::clone)
}

/// Why a table was not split. The core tells people in these words.
#[derive(Debug, thiserror::Error)]
pub enum SplitError {
    /// The table cannot be read.
    #[error("{0}")]
    Table(#[from] TableError),
    /// The table's file cannot be read.
    #[error("{0}")]
    Data(#[from] DataError),
    /// The rows are no delivery.
    #[error("{0}")]
    Build(#[from] BuildError),
    /// What the source assigned cannot be.
    #[error("{0}")]
    Assigned(#[from] AssignError),
    /// The part that was received does not hold.
    #[error("{0}")]
    Part(#[from] PartError),
    /// An area is not in the tree.
    #[error("{0} is no division of the table's tree")]
    NoDivision(Area),
    /// A difference does not fit.
    #[error("{0}")]
    Delta(#[from] DeltaError),
    /// The object store failed.
    #[error("{0}")]
    Object(#[from] ObjectError),
    /// The disk failed.
    #[error("拆分数据表时磁盘读写失败：{0} (disk)")]
    Io(#[from] io::Error),
    /// A run is not what was written.
    #[error("拆分中间文件已损坏，请重新回流该数据表 (a run of the split is damaged)")]
    Damaged,
    /// The memory is too small for the table.
    #[error("数据表过大，内存上限不足以拆分 (too many runs: more memory is needed)")]
    TooManyRuns,
    /// This program is damaged, or a thread of the split ended without a word.
    #[error("拆分中断 (the split stopped)")]
    Stopped,
    /// The divisions in this program are damaged.
    #[error("{0}")]
    Divisions(String),
}

/// What identifies a snapshot and how it is split: another table, column, assignment or tree of divisions is another snapshot.
fn snapshot(table: &ObjectRef, manifest: &Manifest) -> Digest {
    let (digest, column) = (table.digest, &manifest.division_column);
    let stated = identity::codec::encode(&(digest, column, &manifest.assigned));
    let tree = [DIVISIONS.as_bytes(), RETIRED.as_bytes()];
    Digest::of_parts(Domain::Id, &[b"split", &stated, tree[0], tree[1]])
}

/// Splits, stores the parts and gives the manifest to be signed; `memory` bounds the rows that are held at a time. What was done before a
/// kill is not done again.
///
/// # Errors
/// [`SplitError`].
pub fn split(objects: &Objects, task: SplitTask, memory: usize) -> Result<SplitTable, SplitError> {
    let divisions = divisions().map_err(SplitError::Divisions)?;
    let snapshot = snapshot(&task.table, &task.manifest);
    let (scratch, begun) = Scratch::open(objects, &task.manifest.dataset, &snapshot)?;
    let outcome = split_in(objects, task, memory, divisions, (&scratch, begun));
    match &outcome {
        // Of what failed by the disk a later try makes use.
        Err(SplitError::Io(_) | SplitError::Object(_) | SplitError::Stopped) => {}
        Ok(_) | Err(_) => scratch.remove()?,
    }
    outcome
}

fn split_in(
    objects: &Objects,
    task: SplitTask,
    memory: usize,
    divisions: &'static Divisions,
    (scratch, begun): (&Scratch<'_>, Begun),
) -> Result<SplitTable, SplitError> {
    let dataset = task.manifest.dataset.as_str();
    let found = match begun {
        Begun::New => Vec::new(),
        Begun::Resumed(runs) => {
            tracing::info!(
                dataset,
                runs = runs.len(),
                "the split goes on behind the runs on the disk"
            );
            runs
        }
        Begun::Changed => {
            tracing::warn!(
                dataset,
                "the snapshot changed since the split began: it starts again"
            );
            Vec::new()
        }
    };
    let table = OpenTable::open(objects, &task.table, &task.manifest.division_column)?;
    let draft = Manifest {
        header: table.header.clone(),
        ..task.manifest
    };
    let sorting = Sorting::new(divisions, &draft.assigned)?;
    let runs = table.scatter(scratch, found, memory, &sorting)?;
    let areas = areas(&task.subscribers, divisions)?;
    let assembly = Assembly::new(draft, divisions, &task.secret, &areas)?;
    let (committed, stored) = assemble(objects, runs, memory, assembly, &areas)?;
    let key = task.key_column.as_deref();
    Ok(SplitTable {
        manifest: committed.manifest().clone(),
        parts: parcels(objects, &committed, &stored, task.subscribers, key)?,
    })
}

/// Merges runs into a delivery and its parts.
///
/// # Errors
/// [`SplitError`].
pub fn assemble<'d>(
    objects: &Objects,
    runs: Vec<Run>,
    memory: usize,
    mut assembly: Assembly<'d>,
    areas: &BTreeSet<Area>,
) -> Result<(Committed<'d>, BTreeMap<Area, Stored>), SplitError> {
    let draft = assembly.draft().clone();
    let stem = stem(&draft);
    let head = (draft.header.as_str(), stem.as_str());
    let divisions = assembly.divisions();
    let (committed, stored) = write_parts(objects, head, areas, divisions, |parts| {
        merge(objects, runs, memory, |key, row| {
            let leaf = assembly.push(key, row)?;
            parts.row(key, row, &leaf)
        })?;
        Ok(assembly.whole()?)
    })?;
    Ok((committed, stored))
}

/// Splits a part that was received for those who subscribe to rows of it here.
///
/// # Errors
/// [`SplitError`] when it does not hold, or cannot be read or stored.
pub(super) fn split_part(
    objects: &Objects,
    notice: &PartNotice,
    subscribers: Vec<SplitFor>,
) -> Result<Vec<SplitPart>, SplitError> {
    // The core checked the signature before the part was fetched.
    let manifest = notice.manifest.claimed(MAX_MANIFEST_BYTES);
    let manifest = manifest.map_err(|error| SplitError::Divisions(error.to_string()))?;
    let divisions = divisions().map_err(SplitError::Divisions)?;
    let areas = areas(&subscribers, divisions)?;
    let (proved, area) = ((&notice.proof, &notice.salt), &notice.area);
    let reception = Reception::new(&manifest, area, proved, divisions, &areas)?;
    let stem = stem(&manifest);
    let head = (manifest.header.as_str(), stem.as_str());
    let (received, stored) = write_parts(objects, head, &areas, divisions, |parts| {
        receive(objects, &notice.part, reception, |key, row, leaf| {
            parts.row(key, row, leaf)
        })
    })?;
    let (_, committed) = received;
    parcels(objects, &committed, &stored, subscribers, None)
}

/// Reads a part against its manifest, and hands on the rows that may be its.
///
/// # Errors
/// [`SplitError::Part`] when it does not hold; what `each` gives.
pub(super) fn receive<'d>(
    objects: &Objects,
    part: &ObjectRef,
    mut reception: Reception<'d>,
    mut each: impl FnMut(RowKey, &str, &[u8; LEAF_BYTES]) -> Result<(), SplitError>,
) -> Result<(PartVerdict, Committed<'d>), SplitError> {
    let of_part = |error| match error {
        SplitError::Table(error) => SplitError::Part(PartError::Table(error)),
        other => other,
    };
    let intake = Intake::new(reception.division_column());
    let mut pieces = Pieces::open(objects, &part.digest, intake)?;
    reception.header(pieces.begin().map_err(of_part)?);
    let mut taken = Ok(());
    loop {
        let more = pieces.read(|field, _, row| {
            if let (Some((key, leaf)), Ok(())) = (reception.row(field, row), &taken) {
                taken = each(key, row, &leaf);
            }
        });
        taken?;
        taken = Ok(());
        if !more.map_err(of_part)? {
            return Ok(reception.whole()?);
        }
    }
}

/// The areas of those who get a part.
fn areas(subscribers: &[SplitFor], divisions: &Divisions) -> Result<BTreeSet<Area>, SplitError> {
    let areas: BTreeSet<Area> = subscribers.iter().map(|it| it.area.clone()).collect();
    match areas
        .iter()
        .find(|area| Span::of(area, divisions).is_none())
    {
        Some(nowhere) => Err(SplitError::NoDivision(nowhere.clone())),
        None => Ok(areas),
    }
}

fn stem(manifest: &Manifest) -> String {
    format!(
        "{}-{{area}}-{}",
        manifest.dataset.as_str(),
        manifest.delivery
    )
}

/// What every subscriber is told of its part.
fn parcels(
    objects: &Objects,
    committed: &Committed<'_>,
    stored: &BTreeMap<Area, Stored>,
    subscribers: Vec<SplitFor>,
    key: Option<&str>,
) -> Result<Vec<SplitPart>, SplitError> {
    let manifest = committed.manifest();
    let sorting = Sorting::new(committed.divisions(), &manifest.assigned)?;
    let columns = (manifest.division_column.as_str(), key);
    // An earlier part that is not here any more, or cannot be read, is none.
    let leads = |base: &ObjectRef, part: &ObjectRef| {
        difference::between(objects, (base, part), columns, &sorting)
            .inspect_err(|error| tracing::info!(%error, "the whole part is sent"))
            .ok()?
    };
    let parts = subscribers
        .into_iter()
        .map(|SplitFor { docket, area, base }| {
            let nowhere = || SplitError::NoDivision(area.clone());
            let Stored { part, leaves } = stored.get(&area).ok_or_else(nowhere)?.clone();
            let Certificate { rows, proof, salt } =
                committed.certificate(&area).ok_or_else(nowhere)?;
            Ok(SplitPart {
                docket,
                rows,
                difference: base.and_then(|base| leads(&base, &part)),
                part,
                leaves,
                proof,
                salt,
                area,
            })
        });
    parts.collect()
}

#[cfg(test)]
mod tests;
