//! Who hears a dispute (R28): the code against a table written by hand, and against the plainest reading of the topology file there is, for
//! every pair of the demo's places and thousands of the nation's.

use std::collections::{BTreeMap, BTreeSet};

use federation::topology::Topology;
use guantong_tests::{Chance, credit_code};
use identity::{Code, Path};
use sharing::dispute::{Hearer, Party, hearing_place};

const DEMO: &str = include_str!("../../topology/demo.toml");
const NATION: &str = include_str!("../../topology/nation.toml");
const TABLE: &str = include_str!("superiors.csv");
/// Pairs of the nation's places, each with its four variants of who the parties are.
const PAIRS: u64 = 6_000;
const SEED: u64 = 28;

/// A side of a case: a department hosted at a place, or the place's own competent authority.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Side<'a> {
    place: &'a str,
    is_authority: bool,
}

/// What the topology file says of one place, read line by line and by nothing of ours.
#[derive(Debug, Default)]
struct Place<'a> {
    name: &'a str,
    parent: Option<&'a str>,
}

type Tree<'a> = BTreeMap<&'a str, Place<'a>>;

fn read(file: &str) -> Tree<'_> {
    let mut tree = Tree::new();
    let mut at = "";
    for line in file.lines() {
        let Some((key, value)) = line.split_once(" = \"") else {
            continue;
        };
        let value = value.trim_end_matches('"');
        match key {
            "code" => {
                at = value;
                tree.insert(at, Place::default());
            }
            "name" if !at.is_empty() => tree.get_mut(at).expect("its code").name = value,
            "parent" => tree.get_mut(at).expect("its code").parent = Some(value),
            _ => {}
        }
    }
    tree
}

/// The place and all above it, up to the hub.
fn line<'a>(tree: &Tree<'a>, place: &'a str) -> Vec<&'a str> {
    let mut line = vec![place];
    while let Some(above) = tree[line[line.len() - 1]].parent {
        line.push(above);
    }
    line
}

/// The reference: the first place that stands in both lines, is a division and is no party; `None` is the State Council.
fn heard_by<'a>(tree: &Tree<'a>, a: Side<'a>, b: Side<'a>) -> Option<&'a str> {
    let (of_a, of_b) = (line(tree, a.place), line(tree, b.place));
    let is_party = |place: &str| {
        [a, b]
            .iter()
            .any(|side| side.is_authority && side.place == place)
    };
    let is_division = |place: &str| place.chars().all(|digit| digit.is_ascii_digit());
    of_a.into_iter()
        .find(|place| of_b.contains(place) && is_division(place) && !is_party(place))
}

fn code(text: &str) -> Code {
    text.parse().expect("a code")
}

/// What the code says, told of the parties as a node is.
fn found(topology: &Topology, a: Side<'_>, b: Side<'_>) -> Option<Code> {
    let party = |side: Side<'_>, number| Party {
        department: credit_code(side.place, if side.is_authority { 1 } else { number }),
        node: topology.path(code(side.place)).expect("a place"),
    };
    let is_party = |place: &Path| {
        [a, b]
            .iter()
            .any(|side| side.is_authority && place.code() == code(side.place))
    };
    let hearing = hearing_place(&party(a, 100), &party(b, 101), is_party);
    match hearing.hearer {
        Hearer::Authority => Some(hearing.place.code()),
        Hearer::StateCouncil => {
            assert_eq!(hearing.place, Path::hub(), "the State Council's seat");
            None
        }
    }
}

/// Both sides as departments, and as authorities where their place has one; a ministry has none of its own (R16).
fn variants<'a>(a: &'a str, b: &'a str) -> impl Iterator<Item = (Side<'a>, Side<'a>)> {
    [(false, false), (false, true), (true, false), (true, true)]
        .into_iter()
        .map(move |(first, second)| {
            let side = |place, is_authority| Side {
                place,
                is_authority,
            };
            (side(a, first), side(b, second))
        })
        .filter(|(a, b)| {
            [a, b]
                .iter()
                .all(|side| !side.is_authority || code(side.place).is_division())
        })
}

/// The code agrees with the reference, from both sides, and no party hears its own case.
fn agrees(topology: &Topology, tree: &Tree<'_>, a: &str, b: &str) {
    for (a, b) in variants(a, b) {
        let heard = found(topology, a, b);
        assert_eq!(heard, heard_by(tree, a, b).map(code), "{a:?} against {b:?}");
        assert_eq!(heard, found(topology, b, a), "{b:?} against {a:?}");
        for side in [a, b] {
            assert!(
                !side.is_authority || heard != Some(code(side.place)),
                "{side:?} hears its own case"
            );
        }
    }
}

#[test]
fn every_pair_of_the_demos_places_comes_before_the_first_common_superior_that_is_no_party() {
    let (topology, tree) = (Topology::parse(DEMO).expect("the demo"), read(DEMO));
    assert_eq!(topology.nodes().len(), tree.len());
    for a in tree.keys() {
        for b in tree.keys() {
            agrees(&topology, &tree, a, b);
        }
    }
}

#[test]
fn thousands_of_the_nations_pairs_come_before_the_first_common_superior_that_is_no_party() {
    let (topology, tree) = (Topology::parse(NATION).expect("the nation"), read(NATION));
    assert_eq!(topology.nodes().len(), tree.len());
    let places: Vec<&str> = tree.keys().copied().collect();
    // Two levels above a place: among strangers nearly all pairs would come before the hub, so half of them are relations.
    let grandparent = |place| {
        let line = line(&tree, place);
        line[line.len().min(3) - 1]
    };
    let mut relations: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for place in &places {
        for above in line(&tree, place) {
            relations.entry(above).or_default().push(place);
        }
    }
    let mut chance = Chance::new(SEED);
    let mut draw = |from: &[&'static str]| from[chance.below(from.len() as u64) as usize];
    for _ in 0..PAIRS {
        let a = draw(&places);
        agrees(&topology, &tree, a, draw(&relations[grandparent(a)]));
        agrees(&topology, &tree, a, draw(&places));
    }
}

/// A row of the table: the two sides, and who hears them.
fn row(row: &'static str) -> (Side<'static>, Side<'static>, Option<&'static str>) {
    let cells: Vec<&str> = row.split(',').collect();
    assert_eq!(cells.len(), 9, "{row}");
    let side = |place, party| Side {
        place,
        is_authority: match party {
            "authority" => true,
            "department" => false,
            other => panic!("{other} is no kind of party"),
        },
    };
    let hearer = Some(cells[6]).filter(|hearer| *hearer != "council");
    (side(cells[0], cells[2]), side(cells[3], cells[5]), hearer)
}

#[test]
fn the_agreed_table_of_common_superiors_holds() {
    let (topology, tree) = (Topology::parse(NATION).expect("the nation"), read(NATION));
    let mut seen = BTreeSet::new();
    for text in TABLE.lines().skip(1) {
        let (a, b, hearer) = row(text);
        assert_eq!(found(&topology, a, b), hearer.map(code), "{text}");
        assert_eq!(found(&topology, b, a), hearer.map(code), "{text}");
        // The names are there for whoever agrees to the table: they must be those of the places.
        let cells: Vec<&str> = text.split(',').collect();
        for (place, name) in [(0, 1), (3, 4), (6, 7)] {
            let known = tree.get(cells[place]).map_or("国务院", |place| place.name);
            assert_eq!(known, cells[name], "{text}");
        }
        assert!(
            seen.insert((cells[0], cells[2], cells[3], cells[5])),
            "twice: {text}"
        );
    }
    assert!(seen.len() >= 40, "{} rows", seen.len());
}
