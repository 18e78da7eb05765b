//! What the node's delivery does over circuits, here in memory: the same checks of the same core, without the wire.

use std::sync::Arc;

use federation::core::{
    FetchedPart, Input, Shelf, SplitFor, SplitPart, SplitTable, authorise_circuit,
};
use federation::wire::ObjectRequest;
use identity::{Chain, Code, Digest};
use sharing::act::ObjectRef;
use sharing::docket::DocketId;
use sharing::return_flow::workflow::MAX_MANIFEST_BYTES;
use sharing::return_flow::{
    Built, Delta, Difference, Leaves, Manifest, PartError, PartNotice, Table, build, pass_on,
    verify_part,
};

use crate::world::World;

impl World {
    /// Fetches an object from its home when every hop is up; nothing happens when one is not (the core asks again).
    pub(crate) fn fetch(
        &mut self,
        at: Code,
        from: &Chain,
        docket: DocketId,
        (object, shelf): (ObjectRef, Shelf),
        part: Option<&PartNotice>,
    ) -> Option<Vec<(Code, Input)>> {
        let source = from.claimed().ok()?.place;
        if !self.reachable(at, source.code()) {
            return None;
        }
        let here = self.place(at);
        let request = ObjectRequest {
            docket,
            object: object.digest,
            offset: 0,
        };
        let granted =
            authorise_circuit(self.read(source.code()), &here, &request, self.now).ok()?;
        let failed = |reason: String| {
            Some(vec![(
                at,
                Input::Fetched {
                    docket,
                    object: object.clone(),
                    outcome: Err(reason),
                },
            )])
        };
        if let Err(refusal) = granted {
            return failed(refusal.to_string());
        }
        let difference = part.and_then(|notice| notice.difference.as_ref());
        let changed = difference.and_then(|difference| self.changed(at, source.code(), difference));
        let moved = changed.as_ref().map(|(moved, _)| *moved);
        let whole = || {
            let held = &self.nodes[&source.code()];
            let kept = match shelf {
                Shelf::Objects => &held.objects,
                Shelf::Vault => &held.vault,
            };
            kept.get(&object.digest).cloned()
        };
        let Some(bytes) = changed.map(|(_, whole)| whole).or_else(whole) else {
            return failed("the source does not hold the object".into());
        };
        assert_eq!(
            Digest::object(&bytes),
            object.digest,
            "an object's name is its content"
        );
        let outcome = match part {
            None if shelf == Shelf::Vault => FetchedPart::Content,
            None => FetchedPart::File,
            Some(notice) => self.check_part(source.code(), notice, &bytes),
        };
        let moved = moved.unwrap_or(bytes.len());
        let node = self.nodes.get_mut(&at)?;
        match shelf {
            Shelf::Objects => node.objects.insert(object.digest, bytes),
            Shelf::Vault => node.vault.insert(object.digest, bytes),
        };
        node.fetched_bytes += moved;
        Some(vec![
            (
                at,
                Input::Fetched {
                    docket,
                    object: object.clone(),
                    outcome: Ok(outcome),
                },
            ),
            (
                source.code(),
                Input::Served {
                    docket,
                    object,
                    to: here,
                },
            ),
        ])
    }

    /// What a difference leads to, and how many bytes it moved; none where the part it builds on is not here.
    fn changed(&self, at: Code, from: Code, difference: &Difference) -> Option<(usize, Vec<u8>)> {
        let base = self.object(at, &difference.base)?;
        let delta = self.object(from, &difference.delta.digest)?;
        let whole = Delta::decode(delta).ok()?.apply(base).ok()?;
        Some((delta.len(), whole))
    }

    /// A part against its manifest, whose signature the core has checked; the leaves at the source name what is wrong.
    fn check_part(&self, source: Code, notice: &PartNotice, part: &[u8]) -> FetchedPart {
        let manifest = notice
            .manifest
            .claimed(MAX_MANIFEST_BYTES)
            .expect("the core checked the manifest");
        let (area, proof, salt) = (&notice.area, &notice.proof, &notice.salt);
        let verdict = verify_part(&manifest, area, part, proof, salt, &self.divisions);
        let named = |finding: PartError| {
            let leaves = self.object(source, &notice.leaves.digest);
            let leaves = leaves.and_then(Leaves::decode)?;
            let faults = leaves.compare(&manifest, area, part, (proof, salt), &self.divisions);
            Some(faults.map_or(finding.to_string(), |faults| faults.to_string()))
        };
        FetchedPart::Part {
            delivery: manifest.delivery,
            rows: verdict
                .map(|verdict| verdict.rows)
                .map_err(|finding| named(finding.clone()).unwrap_or(finding.to_string())),
        }
    }

    /// Splits a table for its subscribers.
    pub(crate) fn split(
        &mut self,
        at: Code,
        manifest: Manifest,
        (table, secret): (&ObjectRef, &[u8; 32]),
        key: Option<&str>,
        subscribers: &[SplitFor],
    ) -> Result<SplitTable, String> {
        let bytes = self
            .object(at, &table.digest)
            .map(<[u8]>::to_vec)
            .ok_or("the table is not in the object store")?;
        let divisions = Arc::clone(&self.divisions);
        let table =
            Table::parse(&bytes, &manifest.division_column).map_err(|error| error.to_string())?;
        let built =
            build(table, &divisions, manifest, secret).map_err(|error| error.to_string())?;
        let manifest = built.manifest().clone();
        let parts = self.store_parts(at, &built, key, subscribers);
        Ok(SplitTable { manifest, parts })
    }

    /// Splits a part for the level below.
    pub(crate) fn pass_on(
        &mut self,
        at: Code,
        notice: &PartNotice,
        subscribers: &[SplitFor],
    ) -> Result<Vec<SplitPart>, String> {
        let bytes = self
            .object(at, &notice.part.digest)
            .map(<[u8]>::to_vec)
            .ok_or("the part is not in the object store")?;
        let manifest = notice
            .manifest
            .claimed(MAX_MANIFEST_BYTES)
            .map_err(|error| error.to_string())?;
        let divisions = Arc::clone(&self.divisions);
        let held = pass_on(
            &manifest,
            &notice.area,
            &bytes,
            &notice.proof,
            &notice.salt,
            &divisions,
        )
        .map_err(|error| error.to_string())?;
        Ok(self.store_parts(at, &held, None, subscribers))
    }

    fn store_parts(
        &mut self,
        at: Code,
        built: &Built<'_>,
        key: Option<&str>,
        subscribers: &[SplitFor],
    ) -> Vec<SplitPart> {
        let mut parts = Vec::new();
        for SplitFor { docket, area, base } in subscribers {
            let base = base.as_ref().and_then(|base| self.object(at, &base.digest));
            let held = base.map(Digest::object);
            let Some(parcel) = built.parcel(area, base, key) else {
                continue;
            };
            let delta = parcel.delta.map(|it| self.upload(at, "delta", &it));
            parts.push(SplitPart {
                docket: *docket,
                area: area.clone(),
                rows: parcel.part.rows,
                part: self.upload(at, &format!("{area}.csv"), &parcel.part.bytes),
                difference: held
                    .zip(delta)
                    .map(|(base, delta)| Difference { base, delta }),
                leaves: self.upload(at, "leaves", &parcel.leaves),
                proof: parcel.part.proof,
                salt: parcel.part.salt,
            });
        }
        parts
    }
}
