//! Real frames in other shapes, said by a certified neighbour: no node falls, and nothing that was not signed is believed.

use federation::core::query;
use guantong_tests::Chance;

use crate::stage::{code, conditional, demo, provider};

/// Mutations in one run; more by hand with other seeds.
const MUTATIONS: u64 = 1_500;

/// A byte changed, an end cut off, a piece doubled, or two frames spliced.
fn mutate(chance: &mut Chance, frame: &[u8], other: &[u8]) -> Vec<u8> {
    let mut bytes = frame.to_vec();
    let at = usize::try_from(chance.below(bytes.len().max(1) as u64)).expect("small");
    match chance.below(4) {
        0 if !bytes.is_empty() => bytes[at] ^= 1 << chance.below(8),
        1 => bytes.truncate(at),
        2 => {
            let piece = bytes[at..].to_vec();
            bytes.extend(piece);
        }
        _ => {
            bytes.truncate(at);
            bytes.extend(other.iter().skip(at));
        }
    }
    bytes
}

#[test]
fn no_frame_brings_a_node_down_or_changes_what_others_signed() {
    let mut world = demo(60);
    let (department, entry) = provider(&mut world, "440106", conditional());
    world.settle();
    let frames = world.captured.clone();
    assert!(frames.len() > 100, "the federation talked");
    let before =
        query::published_entry(world.read(code("100000")), department.node, &entry.id).unwrap();
    let mut chance = Chance::new(60);
    for _ in 0..MUTATIONS {
        let mut pick =
            || &frames[usize::try_from(chance.below(frames.len() as u64)).expect("small")];
        let (frame, other) = (pick().clone(), pick().clone());
        let bytes = mutate(&mut chance, &frame, &other);
        let (from, to) = if chance.once_in(2) {
            ("440106", "440100")
        } else {
            ("440100", "440106")
        };
        if !world.linked(code(from), code(to)) {
            world.settle();
        }
        world.inject(code(from), code(to), bytes);
    }
    world.settle();
    let after =
        query::published_entry(world.read(code("100000")), department.node, &entry.id).unwrap();
    assert!(before.is_some());
    assert_eq!(before, after);
    assert_eq!(
        query::node(world.read(code("100000"))).unwrap().catalogue,
        1,
        "nothing appeared that nobody published"
    );
}
