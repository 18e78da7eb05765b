//! The Merkle sum tree itself: nodes, salts, and how a proof folds up to the root. [`super::manifest`] says what it is for.

use identity::{Digest, Domain, codec};

use super::divisions::Divisions;
use super::table::Row;
use super::{Proof, SumNode};
use crate::ledger::merkle::Frontier;

/// Sum nodes of consecutive places of the tree; those of the whole tree or of one subtree.
#[derive(Debug, Clone)]
pub(super) struct Tree {
    from: usize,
    own: Vec<SumNode>,
    nodes: Vec<SumNode>,
}

/// The root that a node and its proof lead to; nothing when counts overflow.
pub(super) fn fold(node: SumNode, division: &str, proof: &Proof) -> Option<SumNode> {
    let mut below = (division.to_owned(), node);
    for step in &proof.steps {
        let children: Vec<_> = step
            .before
            .iter()
            .chain([&below])
            .chain(&step.after)
            .cloned()
            .collect();
        below = (
            step.division.clone(),
            sum(&step.division, step.own, &children)?,
        );
    }
    Some(below.1)
}

/// A division's node over its own rows and its children; nothing when the count overflows.
pub(super) fn sum(code: &str, own: SumNode, children: &[(String, SumNode)]) -> Option<SumNode> {
    let rows = children
        .iter()
        .try_fold(own.rows, |total, (_, child)| total.checked_add(child.rows))?;
    let digest = Digest::of(Domain::RowNode, &codec::encode(&(code, own, children)));
    Some(SumNode { rows, digest })
}

pub(super) fn derive(parent: &[u8; 32], code: &str) -> [u8; 32] {
    *Digest::of_parts(
        Domain::Commitment,
        &[b"return flow salt", parent, code.as_bytes()],
    )
    .as_bytes()
}

/// Salts of all places of a subtree, in order, from that of its top.
pub(super) fn salts(divisions: &Divisions, top: usize, salt: [u8; 32]) -> Vec<[u8; 32]> {
    let mut salts = vec![salt];
    for place in top + 1..divisions.end(top) {
        // The remainder has no place of its own and hangs on the top of the tree. A parent always stands before its children.
        let parent = divisions.parent(place).unwrap_or(0);
        let parent = salts
            .get(parent.saturating_sub(top))
            .copied()
            .unwrap_or(salt);
        salts.push(derive(&parent, &divisions.code(place)));
    }
    salts
}

impl Tree {
    /// Computes the nodes of a subtree from its rows in tree order; nothing when a count overflows.
    pub(super) fn grow(
        divisions: &Divisions,
        top: usize,
        rows: &[(usize, Row<'_>)],
        salts: &[[u8; 32]],
    ) -> Option<Self> {
        let places = top..divisions.end(top);
        let mut own = Vec::with_capacity(places.len());
        let mut rest = rows;
        for (place, salt) in places.clone().zip(salts) {
            let here = rest.partition_point(|(owner, _)| *owner <= place);
            let (mine, others) = rest.split_at(here);
            own.push(own_node(mine, salt)?);
            rest = others;
        }
        let mut tree = Self {
            from: top,
            nodes: own.clone(),
            own,
        };
        // Children stand after their parents, so backwards they are ready first.
        for place in places.rev() {
            let children: Vec<_> = divisions
                .children(place)
                .map(|it| (divisions.code(it), tree.node(it)))
                .collect();
            let node = sum(&divisions.code(place), tree.own(place), &children)?;
            *tree.nodes.get_mut(place - top)? = node;
        }
        Some(tree)
    }

    /// The node of a place of this tree.
    pub(super) fn node(&self, place: usize) -> SumNode {
        self.nodes[place - self.from]
    }

    /// The own rows of a place of this tree.
    pub(super) fn own(&self, place: usize) -> SumNode {
        self.own[place - self.from]
    }
}

/// Count of a division's own rows and the root over their salted digests.
fn own_node(rows: &[(usize, Row<'_>)], salt: &[u8; 32]) -> Option<SumNode> {
    let mut frontier = Frontier::default();
    for (_, row) in rows {
        let digest = Digest::of_parts(Domain::Row, &[salt, row.bytes.as_bytes()]);
        frontier.append(digest).ok()?;
    }
    Some(SumNode {
        rows: rows.len() as u64,
        digest: frontier.root(),
    })
}
