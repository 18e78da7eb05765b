//! Splitting a table by administrative division at its source (R24).

use std::sync::OnceLock;

use federation::core::{SplitPart, SplitTable};
use identity::Code;
use sharing::act::{ActId, ObjectRef};
use sharing::docket::DocketId;
use sharing::return_flow::Manifest;
use sharing::return_flow::divisions::Divisions;
use sharing::return_flow::manifest::{Built, build};
use sharing::return_flow::table::Table;

use super::MAX_TABLE_BYTES;
use super::fetch::read_whole;
use crate::storage::objects::Objects;

/// The administrative divisions of the nation, the tree that every split and every check uses.
const DIVISIONS: &str = include_str!("../../../topology/data/divisions.csv");

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
    /// Who gets a part.
    pub subscribers: Vec<(DocketId, Code)>,
}

/// The divisions, read once.
///
/// # Errors
/// When the table in this program is damaged, which its tests exclude.
pub(crate) fn divisions() -> Result<&'static Divisions, String> {
    static READ: OnceLock<Result<Divisions, String>> = OnceLock::new();
    READ.get_or_init(|| {
        Divisions::from_csv(DIVISIONS.as_bytes()).map_err(|error| error.to_string())
    })
    .as_ref()
    .map_err(Clone::clone)
}

/// Splits, stores the parts and gives the manifest to be signed. The reason of a failure is for people.
pub(super) fn split(objects: &Objects, task: SplitTask) -> Result<SplitTable, String> {
    let bytes = read_whole(objects, &task.table)?;
    let table =
        Table::parse(&bytes, &task.manifest.division_column).map_err(|error| error.to_string())?;
    let (delivery, dataset) = (task.manifest.delivery, task.manifest.dataset.clone());
    let built = build(table, divisions()?, task.manifest, &task.secret)
        .map_err(|error| error.to_string())?;
    let parts = task.subscribers.into_iter().map(|(docket, division)| {
        let name = format!("{}-{division}-{delivery}.csv", dataset.as_str());
        store_part(objects, &built, docket, division, name)
    });
    let parts = parts.collect::<Result<Vec<SplitPart>, String>>()?;
    Ok(SplitTable {
        manifest: built.manifest().clone(),
        parts,
    })
}

fn store_part(
    objects: &Objects,
    built: &Built<'_>,
    docket: DocketId,
    division: Code,
    name: String,
) -> Result<SplitPart, String> {
    let part = built
        .part(division.as_str())
        .ok_or_else(|| format!("{division} is no division of the table's tree"))?;
    let stored = objects
        .put_reader(part.bytes.as_slice(), MAX_TABLE_BYTES)
        .map_err(|error| error.to_string())?;
    let object = ObjectRef {
        digest: stored.digest,
        length: stored.length,
        name,
    };
    Ok(SplitPart {
        docket,
        division,
        part: object,
        proof: part.proof,
        salt: part.salt,
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
