//! Nothing unsigned, out of order or from outside its place is accepted: of events, segments and checkpoints. Whose key must have signed is
//! known here beforehand, and is not asked of the node.

use std::collections::{BTreeMap, BTreeSet};

use federation::core::Record;
use federation::sync::MAX_HEAD_BYTES;
use identity::{Code, Digest, Domain, Signed, VerifyKey, codec};
use sharing::docket::{DocketEvent, DocketId, MAX_EVENT_BYTES};

use super::Seen;

/// How far each node is in each docket and log.
#[derive(Debug, Default, Clone)]
pub struct Places {
    dockets: BTreeMap<(Code, DocketId), u32>,
    logs: BTreeMap<(Code, Code), u64>,
    keys: BTreeMap<Code, VerifyKey>,
    verified: BTreeSet<Digest>,
}

impl Places {
    fn key(&mut self, node: Code) -> VerifyKey {
        *self
            .keys
            .entry(node)
            .or_insert_with(|| guantong_tests::key(&format!("node {node}")).verify_key())
    }

    /// Whether this was signed by this node for this purpose. What was verified once is not verified again.
    fn signed<T>(&mut self, by: Code, what: &Signed<T>, domain: Domain) -> bool {
        let digest = what.digest(domain);
        if self.verified.contains(&digest) {
            return true;
        }
        let holds = what.check(domain, &self.key(by)).is_ok();
        if holds {
            self.verified.insert(digest);
        }
        holds
    }

    pub fn hold(&mut self, seen: &Seen<'_>) {
        match seen.record {
            Record::Event {
                docket,
                sequence,
                body,
                home,
                ..
            } => self.event(seen, (*docket, *sequence), body, home.code()),
            Record::Segment { head, .. } => {
                let (seed, node) = (seen.seed, seen.node);
                let claimed = head.claimed(MAX_HEAD_BYTES).expect("a head");
                let publisher = claimed.publisher.code();
                assert!(
                    self.signed(publisher, head, Domain::Segment),
                    "seed {seed}: {node} took a segment of {publisher} that it did not sign"
                );
                let here = seen.world.place(node);
                assert!(
                    here == claimed.publisher || here.is_ancestor_of(&claimed.publisher),
                    "seed {seed}: {node} took a segment of {publisher}, which is not below it"
                );
                let known = self.logs.insert((node, publisher), claimed.last);
                assert_eq!(
                    claimed.first,
                    known.unwrap_or(0) + 1,
                    "seed {seed}: {node} took a segment of {publisher} out of order"
                );
            }
            Record::ChildCosigned { checkpoint, .. } => {
                let claimed = checkpoint
                    .claimed(MAX_HEAD_BYTES * 2)
                    .expect("a checkpoint");
                let of = claimed.node.code();
                assert!(
                    self.signed(of, checkpoint, Domain::Checkpoint),
                    "seed {}: {} cosigned what {of} did not sign",
                    seen.seed,
                    seen.node
                );
            }
            _ => {}
        }
    }

    fn event(
        &mut self,
        seen: &Seen<'_>,
        (docket, sequence): (DocketId, u32),
        body: &Digest,
        home: Code,
    ) {
        let (seed, node) = (seen.seed, seen.node);
        let next = self.dockets.entry((node, docket)).or_default();
        assert_eq!(
            sequence, *next,
            "seed {seed}: {node} has an event of {docket} out of order"
        );
        *next += 1;
        let stored = seen.world.read(node).body(body).expect("memory");
        let stored = stored.expect("what a record names is there");
        let event: Signed<DocketEvent> =
            codec::decode(&stored, MAX_EVENT_BYTES * 2).expect("a signed event");
        assert!(
            self.signed(home, &event, Domain::Event),
            "seed {seed}: {node} has an event of {docket} that {home} did not sign"
        );
        let event = event.claimed(MAX_EVENT_BYTES).expect("an event");
        assert_eq!(
            (event.docket, event.sequence, event.home.code()),
            (docket, sequence, home),
            "seed {seed}: {node} has an event of another place"
        );
    }

    pub fn forget(&mut self, node: Code) {
        self.dockets.retain(|(at, _), _| *at != node);
        self.logs.retain(|(at, _), _| *at != node);
    }
}
