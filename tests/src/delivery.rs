//! What the node's delivery does over circuits, here in memory: the same checks of the same core, without the wire.

use federation::core::{FetchedPart, Input, Shelf, SplitPart, SplitTable, authorise_circuit};
use federation::wire::ObjectRequest;
use identity::{Chain, Code, Digest};
use sharing::act::ObjectRef;
use sharing::docket::DocketId;
use sharing::return_flow::{Manifest, PartNotice, Table, build, verify_part};

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
        let held = &self.nodes[&source.code()];
        let kept = match shelf {
            Shelf::Objects => &held.objects,
            Shelf::Vault => &held.vault,
        };
        let Some(bytes) = kept.get(&object.digest).cloned() else {
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
            Some(notice) => {
                let source_key = self.nodes[&source.code()].me.signing.verify_key();
                let manifest = notice
                    .manifest
                    .verify(identity::Domain::Manifest, &source_key, 1 << 20)
                    .expect("the core checked the manifest");
                let verdict = verify_part(
                    &manifest,
                    notice.division.as_str(),
                    &bytes,
                    &notice.proof,
                    &notice.salt,
                    &self.divisions,
                );
                FetchedPart::Part {
                    delivery: manifest.delivery,
                    rows: verdict
                        .map(|verdict| verdict.rows)
                        .map_err(|error| error.to_string()),
                }
            }
        };
        let node = self.nodes.get_mut(&at)?;
        match shelf {
            Shelf::Objects => node.objects.insert(object.digest, bytes),
            Shelf::Vault => node.vault.insert(object.digest, bytes),
        };
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

    /// Splits a table for its subscribers.
    pub(crate) fn split(
        &mut self,
        at: Code,
        manifest: Manifest,
        table: &ObjectRef,
        secret: &[u8; 32],
        subscribers: &[(DocketId, Code)],
    ) -> Result<SplitTable, String> {
        let bytes = self
            .object(at, &table.digest)
            .map(<[u8]>::to_vec)
            .ok_or("the table is not in the object store")?;
        let divisions = self.divisions.clone();
        let table =
            Table::parse(&bytes, &manifest.division_column).map_err(|error| error.to_string())?;
        let built =
            build(table, &divisions, manifest, secret).map_err(|error| error.to_string())?;
        let mut parts = Vec::new();
        for (docket, division) in subscribers {
            if let Some(part) = built.part(division.as_str()) {
                let object = self.upload(at, &format!("{division}.csv"), &part.bytes);
                parts.push(SplitPart {
                    docket: *docket,
                    division: *division,
                    part: object,
                    proof: part.proof,
                    salt: part.salt,
                });
            }
        }
        Ok(SplitTable {
            manifest: built.manifest().clone(),
            parts,
        })
    }
}
