//! Splitting a table by administrative division at its source, and a part at whoever passes its own rows on (R24).

use std::sync::OnceLock;

use federation::core::{SplitFor, SplitPart, SplitTable};
use identity::Digest;
use sharing::act::{ActId, ObjectRef};
use sharing::return_flow::divisions::Divisions;
use sharing::return_flow::manifest::{Built, build, pass_on};
use sharing::return_flow::table::Table;
use sharing::return_flow::workflow::MAX_MANIFEST_BYTES;
use sharing::return_flow::{Difference, Manifest, PartNotice};

use super::MAX_TABLE_BYTES;
use super::fetch::read_whole;
use crate::storage::objects::Objects;

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

/// Splits, stores the parts and gives the manifest to be signed. The reason of a failure is for people.
pub(super) fn split(objects: &Objects, task: SplitTask) -> Result<SplitTable, String> {
    let bytes = read_whole(objects, &task.table)?;
    let table =
        Table::parse(&bytes, &task.manifest.division_column).map_err(|error| error.to_string())?;
    let built = build(table, divisions()?, task.manifest, &task.secret)
        .map_err(|error| error.to_string())?;
    Ok(SplitTable {
        manifest: built.manifest().clone(),
        parts: store_parts(
            objects,
            &built,
            task.subscribers,
            task.key_column.as_deref(),
        )?,
    })
}

/// Splits a part that was received for those who subscribe to rows of it here.
pub(super) fn split_part(
    objects: &Objects,
    notice: &PartNotice,
    subscribers: Vec<SplitFor>,
) -> Result<Vec<SplitPart>, String> {
    // The core checked the signature before the part was fetched.
    let manifest = notice
        .manifest
        .claimed(MAX_MANIFEST_BYTES)
        .map_err(|error| error.to_string())?;
    let bytes = read_whole(objects, &notice.part)?;
    let held = pass_on(
        &manifest,
        &notice.area,
        &bytes,
        &notice.proof,
        &notice.salt,
        divisions()?,
    )
    .map_err(|error| error.to_string())?;
    store_parts(objects, &held, subscribers, None)
}

fn store_parts(
    objects: &Objects,
    built: &Built<'_>,
    subscribers: Vec<SplitFor>,
    key: Option<&str>,
) -> Result<Vec<SplitPart>, String> {
    let parts = subscribers
        .into_iter()
        .map(|subscriber| store_part(objects, built, subscriber, key));
    parts.collect()
}

fn store_part(
    objects: &Objects,
    built: &Built<'_>,
    SplitFor { docket, area, base }: SplitFor,
    key: Option<&str>,
) -> Result<SplitPart, String> {
    // Without the earlier part the whole one is sent, as it is the first time.
    let held = base.and_then(|base| read_whole(objects, &base).ok());
    let parcel = built
        .parcel(&area, held.as_deref(), key)
        .ok_or_else(|| format!("{area} is no division of the table's tree"))?;
    let manifest = built.manifest();
    let stem = format!("{}-{area}-{}", manifest.dataset.as_str(), manifest.delivery);
    let store = |bytes: &[u8], kind: &str| {
        let stored = objects
            .put_reader(bytes, MAX_TABLE_BYTES)
            .map_err(|error| error.to_string())?;
        Ok::<_, String>(ObjectRef {
            digest: stored.digest,
            length: stored.length,
            name: format!("{stem}.{kind}"),
        })
    };
    let delta = parcel.delta.map(|delta| store(&delta, "delta"));
    let difference = held.zip(delta).map(|(base, delta)| {
        Ok::<_, String>(Difference {
            base: Digest::object(&base),
            delta: delta?,
        })
    });
    Ok(SplitPart {
        docket,
        rows: parcel.part.rows,
        part: store(&parcel.part.bytes, "csv")?,
        difference: difference.transpose()?,
        leaves: store(&parcel.leaves, "leaves")?,
        proof: parcel.part.proof,
        salt: parcel.part.salt,
        area,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nations_divisions_are_read() {
        let divisions = divisions().unwrap();
        assert_eq!(divisions.top(), "100000");
        assert!(divisions.contains("440106"));
        assert_eq!(
            divisions.parent_of("469005").as_deref(),
            Some("460000"),
            "文昌市 stands directly under its province"
        );
    }
}
