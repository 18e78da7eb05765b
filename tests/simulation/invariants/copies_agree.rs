//! After healing all copies of a docket agree with its home, and each party has one.

use std::collections::BTreeMap;

use federation::core::query;
use federation::core::view::DocketView;
use guantong_tests::World;
use identity::{Code, Path};
use sharing::docket::{DocketEvent, DocketId, MAX_EVENT_BYTES};

use super::is_member;
use crate::run::Suspects;

/// Most dockets of one node that are looked at.
const MOST_DOCKETS: usize = 10_000;

type Copy = (DocketView, Vec<DocketEvent>);

fn held(world: &World) -> BTreeMap<DocketId, BTreeMap<Code, Copy>> {
    let mut held: BTreeMap<DocketId, BTreeMap<Code, Copy>> = BTreeMap::new();
    for node in world.codes() {
        let views = query::dockets(world.read(node), None, MOST_DOCKETS).expect("memory");
        for view in views {
            let copy = query::docket_copy(world.read(node), view.id).expect("memory");
            let events = copy.map_or_else(Vec::new, |copy| copy.events);
            let events = events.iter().map(|event| event.claimed(MAX_EVENT_BYTES));
            let events = events.collect::<Result<_, _>>().expect("stored whole");
            held.entry(view.id)
                .or_default()
                .insert(node, (view, events));
        }
    }
    held
}

pub fn at_rest(seed: u64, world: &World, suspects: &Suspects) {
    for (docket, copies) in held(world) {
        let Some((home, (view, all))) = copies.iter().find(|(_, (view, _))| view.at_home) else {
            let lost = copies.values().next().map(|(view, _)| view.home.code());
            assert!(
                lost.is_none_or(|home| suspects.may_have_lost(home)),
                "seed {seed}: {docket} has no home"
            );
            continue;
        };
        for party in &view.parties {
            // What went through a node that forgot or lied may never arrive.
            let mut way = Path::route(&view.home, party).into_iter();
            if way.any(|hop| suspects.may_have_lost(hop) || !is_member(world, hop)) {
                continue;
            }
            let node = party.code();
            let copy = copies.get(&node);
            let (copy, events) = copy.unwrap_or_else(|| {
                let phase = view.state.case.phase();
                panic!("seed {seed}: {node} does not hold {docket} of {home}, {phase}")
            });
            let (known, rest) = all.split_at(events.len().min(all.len()));
            assert_eq!(
                events, known,
                "seed {seed}: {node} holds another history of {docket} than {home}"
            );
            // What is proposed is not known to others before the consent.
            let withheld = rest.first().map(|event| event.body.name());
            assert!(
                matches!(withheld, None | Some("reply-proposed")),
                "seed {seed}: {node} lacks {withheld:?} of {docket} of {home}"
            );
            assert_eq!(copy.home, view.home, "seed {seed}: {docket}");
        }
    }
}
