//! No deadline is judged before its time, by the clock of whoever judges, and none is judged twice: at home or on a copy.

use std::collections::BTreeSet;

use federation::core::Record;
use identity::{Code, Digest, Moment, Signed, codec};
use sharing::clock::ClockEvent;
use sharing::docket::{DocketBody, DocketEvent, DocketId, MAX_EVENT_BYTES};

use super::Seen;

/// What was judged: by which node, on whose docket, which duty, and when it arose.
type Judged = (Code, DocketId, String, Moment);

/// All that was judged.
#[derive(Debug, Default, Clone)]
pub struct Deadlines {
    at_home: BTreeSet<Judged>,
    on_copies: BTreeSet<Judged>,
}

impl Deadlines {
    pub fn hold(&mut self, seen: &Seen<'_>) {
        match seen.record {
            Record::Event {
                docket, body, home, ..
            } if home.code() == seen.node => self.event(seen, *docket, body),
            Record::SeenOverdue {
                docket,
                duty,
                term,
                at,
                ..
            } => {
                let judged = (seen.node, *docket, format!("{duty:?}"), term.arises);
                assert!(
                    *at >= term.due,
                    "seed {}: {judged:?} at {at}, due {}",
                    seen.seed,
                    term.due
                );
                let first = self.on_copies.insert(judged);
                assert!(
                    first,
                    "seed {}: {} judged {duty:?} of {docket} twice",
                    seen.seed, seen.node
                );
            }
            _ => {}
        }
    }

    fn event(&mut self, seen: &Seen<'_>, docket: DocketId, body: &Digest) {
        let stored = seen.world.read(seen.node).body(body).expect("memory");
        let stored = stored.expect("what a record names is there");
        let event: Signed<DocketEvent> =
            codec::decode(&stored, MAX_EVENT_BYTES * 2).expect("a signed event");
        let event = event.claimed(MAX_EVENT_BYTES).expect("an event");
        let DocketBody::Clock(ClockEvent::Overdue {
            duty, arises, due, ..
        }) = &event.body
        else {
            return;
        };
        let judged = (seen.node, docket, format!("{duty:?}"), *arises);
        assert!(
            event.at >= *due,
            "seed {}: {judged:?} at {}, due {due}",
            seen.seed,
            event.at
        );
        assert!(
            self.at_home.insert(judged.clone()),
            "seed {}: judged twice: {judged:?}",
            seen.seed
        );
    }

    pub fn forget(&mut self, node: Code) {
        self.at_home.retain(|(at, ..)| *at != node);
        self.on_copies.retain(|(at, ..)| *at != node);
    }
}
