//! A subtree whose nodes are known, with the way from it up to the root: what every proof is cut from. The rows themselves are not needed.

use super::area::Area;
use super::divisions::Divisions;
use super::manifest::{above, top_of};
use super::sum_tree::{Summed, Top, Tree, is_area, salt_below};
use super::{Manifest, Proof, ProofStep, SumNode};

/// A delivery as its source committed to it, or a part of it as its recipient verified it.
#[derive(Debug, Clone)]
pub struct Committed<'d> {
    pub(super) manifest: Manifest,
    pub(super) divisions: &'d Divisions,
    pub(super) top: Top,
    pub(super) salt: [u8; 32],
    pub(super) tree: Tree,
    /// From the top up to the root of the snapshot.
    pub(super) above: Proof,
}

/// What goes with the rows of an area.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// How many rows it has, with everything below it.
    pub rows: u64,
    /// Ties them to the manifest's root.
    pub proof: Proof,
    /// Opens the digests of the area's rows.
    pub salt: [u8; 32],
}

impl<'d> Committed<'d> {
    /// The tree by which it is split.
    pub fn divisions(&self) -> &'d Divisions {
        self.divisions
    }

    /// The completed manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// What goes with the rows of an area; nothing when it does not lie in what is held. It must be among those whose proofs were to be given.
    pub fn certificate(&self, area: &Area) -> Option<Certificate> {
        let top = top_of(area, self.divisions)?;
        let salt = self.salt(&top)?;
        Some(Certificate {
            rows: self.node(&top)?.rows,
            proof: self.proof(&top)?,
            salt,
        })
    }

    /// The secret from which the salts below a top derive; nothing when it does not lie in what is held.
    pub(super) fn salt(&self, top: &Top) -> Option<[u8; 32]> {
        salt_below(self.divisions, &self.top, &self.salt, top)
    }

    fn node(&self, top: &Top) -> Option<SumNode> {
        match top.area {
            Some(area) => self.tree.area(top.place, area).map(|it| it.node),
            None => Some(self.tree.at(top.place).node),
        }
    }

    fn proof(&self, top: &Top) -> Option<Proof> {
        let mut steps = Vec::new();
        let mut child = *top;
        while child != self.top {
            let parent = above(&child, self.divisions)?;
            let (summed, children) = match parent.area {
                Some(area) => (
                    self.tree.area(parent.place, area)?,
                    self.tree.villages(parent.place, area),
                ),
                None => (
                    self.tree.at(parent.place),
                    self.tree.children(self.divisions, parent.place),
                ),
            };
            steps.push(step(&parent, &child, summed, children, self.divisions));
            child = parent;
        }
        steps.extend(self.above.steps.iter().cloned());
        Some(Proof { steps })
    }
}

/// The step of a proof from a child to its parent.
fn step(
    parent: &Top,
    child: &Top,
    summed: Summed,
    children: Vec<(String, SumNode)>,
    divisions: &Divisions,
) -> ProofStep {
    let code = child.code(divisions);
    let found = children.iter().position(|(it, _)| *it == code);
    // A township without rows is not among them; its place is before the next.
    let next = || {
        children
            .iter()
            .position(|(it, _)| is_area(it) && *it > code)
    };
    let at = found.or_else(next).unwrap_or(children.len());
    let (before, after) = children.split_at(at);
    let after = after.get(usize::from(found.is_some())..);
    ProofStep {
        division: parent.code(divisions),
        own: summed.own,
        before: before.to_vec(),
        after: after.unwrap_or_default().to_vec(),
    }
}
