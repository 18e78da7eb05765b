use std::collections::BTreeMap;
use std::convert::Infallible;

use proptest::prelude::*;

use super::frontier::RawFrontier;
use super::*;

#[derive(Default)]
struct Map(BTreeMap<(u8, u64), Digest>);

impl Nodes for Map {
    type Error = Infallible;
    fn node(&self, level: u8, index: u64) -> Result<Option<Digest>, Infallible> {
        Ok(self.0.get(&(level, index)).copied())
    }
}

fn leaves(n: u64) -> Vec<Digest> {
    (0..n).map(|i| leaf(&i.to_le_bytes())).collect()
}

fn tree(leaves: &[Digest]) -> Map {
    let mut map = Map::default();
    for (size, leaf) in leaves.iter().enumerate() {
        for (level, index, digest) in append(size as u64, *leaf, &map).unwrap() {
            assert!(
                map.0.insert((level, index), digest).is_none(),
                "a complete node never changes"
            );
        }
    }
    map
}

/// RFC 9162, 2.1.1, by the letter.
fn naive_root(leaves: &[Digest]) -> Digest {
    match leaves {
        [] => empty_root(),
        [one] => *one,
        many => {
            let mut k = 1;
            while k * 2 < many.len() {
                k *= 2;
            }
            join(&naive_root(&many[..k]), &naive_root(&many[k..]))
        }
    }
}

fn naive_path(m: usize, leaves: &[Digest]) -> Vec<Digest> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let k = split_point(leaves.len() as u64) as usize;
    let (mut path, sibling) = if m < k {
        (naive_path(m, &leaves[..k]), naive_root(&leaves[k..]))
    } else {
        (naive_path(m - k, &leaves[k..]), naive_root(&leaves[..k]))
    };
    path.push(sibling);
    path
}

#[test]
fn leaf_and_node_of_the_same_bytes_differ() {
    let two = leaves(2);
    let bytes: Vec<u8> = two.iter().flat_map(|d| d.as_bytes().to_vec()).collect();
    assert_ne!(leaf(&bytes), join(&two[0], &two[1]));
}

#[test]
fn every_root_up_to_300_is_that_of_the_definition() {
    let all = leaves(300);
    let map = tree(&all);
    let mut frontier = Frontier::default();
    assert_eq!(frontier.root(), empty_root());
    for n in 1..=300usize {
        let new = frontier.append(all[n - 1]).unwrap();
        assert!(
            new.iter()
                .all(|(level, index, digest)| map.0.get(&(*level, *index)) == Some(digest))
        );
        let expected = naive_root(&all[..n]);
        assert_eq!(frontier.root(), expected);
        assert_eq!(root(n as u64, &map).unwrap(), expected);
        assert_eq!(Frontier::load(n as u64, &map).unwrap(), frontier);
    }
}

#[test]
fn a_missing_node_is_named() {
    let mut map = tree(&leaves(8));
    map.0.remove(&(2, 1));
    assert_eq!(
        inclusion(0, 8, &map),
        Err(MerkleError::Missing { level: 2, index: 1 })
    );
}

#[test]
fn places_outside_the_tree_are_refused() {
    let map = tree(&leaves(5));
    assert_eq!(
        inclusion(5, 5, &map),
        Err(MerkleError::Outside { index: 5, size: 5 })
    );
    assert_eq!(
        consistency(6, 5, &map),
        Err(MerkleError::Reversed { old: 6, new: 5 })
    );
    assert_eq!(
        verify_inclusion(leaf(b"x"), 5, 5, &[], &empty_root()),
        Err(ProofError::Outside)
    );
    assert_eq!(
        verify_inclusion(leaf(b"x"), u64::MAX - 1, u64::MAX, &[], &empty_root()),
        Err(ProofError::Outside)
    );
    assert_eq!(append(MAX_LEAVES, leaf(b"x"), &map), Err(MerkleError::Full));
}

#[test]
fn a_frontier_with_the_wrong_number_of_peaks_is_refused() {
    let raw = RawFrontier {
        size: 3,
        peaks: leaves(1),
    };
    assert_eq!(
        Frontier::try_from(raw),
        Err(FrontierError { size: 3, peaks: 1 })
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn inclusion_is_the_definition_and_verifies_only_for_its_leaf(size in 1u64..=300, at in 0u64..300, flip in 0usize..16) {
        let index = at % size;
        let all = leaves(size);
        let map = tree(&all);
        let proof = inclusion(index, size, &map).unwrap();
        prop_assert_eq!(&proof, &naive_path(index as usize, &all));
        prop_assert!(proof.len() <= MAX_INCLUSION);
        let root = naive_root(&all);
        prop_assert_eq!(verify_inclusion(all[index as usize], index, size, &proof, &root), Ok(()));
        prop_assert_eq!(verify_inclusion(leaf(b"other"), index, size, &proof, &root), Err(ProofError::Root));
        let mut long = proof.clone();
        long.push(root);
        prop_assert_eq!(verify_inclusion(all[index as usize], index, size, &long, &root), Err(ProofError::Length));
        if !proof.is_empty() {
            let short = &proof[..proof.len() - 1];
            prop_assert_eq!(verify_inclusion(all[index as usize], index, size, short, &root), Err(ProofError::Length));
            let mut bad = proof.clone();
            let at = flip % bad.len();
            bad[at] = leaf(b"bad");
            prop_assert_eq!(verify_inclusion(all[index as usize], index, size, &bad, &root), Err(ProofError::Root));
        }
        if size > 1 {
            let other = (index + 1) % size;
            prop_assert!(verify_inclusion(all[index as usize], other, size, &proof, &root).is_err());
        }
    }

    #[test]
    fn consistency_holds_for_a_prefix_and_for_nothing_else(new in 0u64..=300, at in 0u64..=300, flip in 0usize..16) {
        let old = at % (new + 1);
        let all = leaves(new);
        let map = tree(&all);
        let proof = consistency(old, new, &map).unwrap();
        prop_assert!(proof.len() <= MAX_CONSISTENCY);
        let old_head = TreeHead { size: old, root: naive_root(&all[..old as usize]) };
        let new_head = TreeHead { size: new, root: naive_root(&all) };
        prop_assert_eq!(verify_consistency(old_head, new_head, &proof), Ok(()));
        let forged = TreeHead { size: old, root: leaf(b"forged") };
        prop_assert!(verify_consistency(forged, new_head, &proof).is_err());
        let mut long = proof.clone();
        long.push(leaf(b"more"));
        prop_assert!(verify_consistency(old_head, new_head, &long).is_err());
        if !proof.is_empty() {
            prop_assert!(verify_consistency(old_head, new_head, &proof[..proof.len() - 1]).is_err());
            let mut bad = proof.clone();
            let at = flip % bad.len();
            bad[at] = leaf(b"bad");
            prop_assert!(verify_consistency(old_head, new_head, &bad).is_err());
            let wrong = TreeHead { size: new, root: leaf(b"forged") };
            prop_assert!(verify_consistency(old_head, wrong, &proof).is_err());
        }
    }
}
