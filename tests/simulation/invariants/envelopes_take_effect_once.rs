//! Each envelope takes effect exactly once: a node takes none twice, whatever is repeated, said again or lost on the way back.

use std::collections::{BTreeMap, BTreeSet};

use federation::core::Record;
use federation::wire::EnvelopeId;
use identity::Code;

use super::Seen;

/// What each node has taken.
#[derive(Debug, Default, Clone)]
pub struct Envelopes {
    taken: BTreeMap<Code, BTreeSet<EnvelopeId>>,
    queued: BTreeMap<(Code, Code), u64>,
}

impl Envelopes {
    pub fn hold(&mut self, seen: &Seen<'_>) {
        let (seed, node) = (seen.seed, seen.node);
        match seen.record {
            Record::Taken { envelope, .. } => {
                let first = self.taken.entry(node).or_default().insert(*envelope);
                assert!(first, "seed {seed}: {node} took {envelope:?} twice");
            }
            Record::Queued { to, order, .. } => {
                let before = self.queued.insert((node, *to), *order).unwrap_or(0);
                assert_eq!(
                    *order,
                    before + 1,
                    "seed {seed}: what {node} sends to {to} is numbered in order"
                );
            }
            _ => {}
        }
    }

    pub fn forget(&mut self, node: Code) {
        self.taken.remove(&node);
        self.queued.retain(|(from, _), _| *from != node);
    }
}
