//! What was acknowledged is kept: an envelope of which a neighbour was told that it has arrived is in that node's ledger; an act that was
//! accepted is known to its node whatever crashes afterwards.

use std::collections::{BTreeMap, BTreeSet};

use federation::core::{Record, query};
use federation::store::Table;
use federation::wire::EnvelopeId;
use guantong_tests::Trouble;
use guantong_tests::scene::Scene;
use identity::Code;

use super::Seen;

/// Most rows of a table that are looked at.
const MOST_ROWS: usize = 100_000;

/// Who has which envelope.
#[derive(Debug, Default, Clone)]
pub struct Acknowledged {
    taken: BTreeMap<Code, BTreeSet<EnvelopeId>>,
    forgot: BTreeSet<Code>,
}

impl Acknowledged {
    pub fn note(&mut self, node: Code, record: &Record) {
        if let Record::Taken { envelope, .. } = record {
            self.taken.entry(node).or_default().insert(*envelope);
        }
    }

    pub fn forget(&mut self, node: Code) {
        self.forgot.insert(node);
    }

    pub fn hold(&self, seen: &Seen<'_>) {
        let Record::Passed {
            envelope,
            neighbour,
        } = seen.record
        else {
            return;
        };
        let lied = seen.world.happened.contains_key(&Trouble::ReceiptLied);
        let taken = self.taken.get(neighbour);
        assert!(
            lied || self.forgot.contains(neighbour)
                || taken.is_some_and(|it| it.contains(envelope)),
            "seed {}: {neighbour} acknowledged {envelope:?} to {} and does not have it",
            seen.seed,
            seen.node
        );
    }
}

pub fn at_rest(seed: u64, scene: &Scene) {
    let mut known: BTreeMap<Code, BTreeSet<Vec<u8>>> = BTreeMap::new();
    for (node, answer) in &scene.accepted {
        let store = scene.world.read(*node);
        let known = known.entry(*node).or_insert_with(|| {
            let rows = store.scan(Table::Seen, b"", None, MOST_ROWS);
            let keys = rows.expect("memory").into_iter().map(|(key, _)| key);
            // A key is a letter for its kind and the digest.
            keys.map(|key| key.get(1..).unwrap_or_default().to_vec())
                .collect()
        });
        if let Some(act) = answer.act {
            assert!(
                known.contains(act.0.as_bytes().as_slice()),
                "seed {seed}: {node} accepted {act:?} and does not know it"
            );
        }
        let Some(docket) = answer.docket else {
            continue;
        };
        // What goes elsewhere is known here until it comes back, as a draft or on its way.
        let held = query::docket(store, docket).expect("memory").is_some();
        assert!(
            held || answer.act.is_some(),
            "seed {seed}: {node} accepted {docket} and does not have it"
        );
    }
}
