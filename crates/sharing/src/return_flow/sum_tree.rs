//! The Merkle sum tree itself: nodes, salts, and how a proof folds up to the root. [`super::manifest`] says what it is for.

use std::collections::BTreeMap;

use identity::planted::{self, Bug};
use identity::{Digest, Domain, codec};

use super::area::LEVELS;
use super::divisions::Divisions;
use super::growth::{Growth, Keep, summed};
use super::table::{Row, RowCode};
use super::{Proof, SumNode};
use crate::ledger::merkle::Frontier;

/// A row as the tree sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Leaf {
    /// The division's place, or the remainder's.
    pub(super) place: usize,
    pub(super) code: RowCode,
    /// Of the row, salted.
    pub(super) digest: Digest,
}

/// Where a subtree begins: at a division, or at a township or village of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Top {
    pub(super) place: usize,
    /// The township or village; none for the division itself.
    pub(super) area: Option<RowCode>,
}

impl Top {
    /// The top's code.
    pub(super) fn code(&self, divisions: &Divisions) -> String {
        match self.area {
            Some(area) => area.text(),
            None => divisions.code(self.place),
        }
    }
}

/// Sum nodes of a subtree: of the divisions, and of the townships and villages that have rows.
#[derive(Debug, Clone)]
pub(super) struct Tree {
    top: Top,
    /// Of consecutive places.
    divisions: Vec<Summed>,
    areas: BTreeMap<(usize, RowCode), Summed>,
}

/// A node, and the part of it that its own rows are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Summed {
    pub(super) own: SumNode,
    pub(super) node: SumNode,
}

/// The root that a node and its proof lead to; nothing when counts overflow.
pub(super) fn fold(node: SumNode, code: &str, proof: &Proof) -> Option<SumNode> {
    let mut below = (code.to_owned(), node);
    for step in &proof.steps {
        // A township or village without rows has no node of its own: that nobody lists it is what says so.
        let absent = below.1.rows == 0 && is_area(&below.0);
        let here = if absent { None } else { Some(&below) };
        let children: Vec<_> = step
            .before
            .iter()
            .chain(here)
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

/// Whether a code is a township's or village's.
pub(super) fn is_area(code: &str) -> bool {
    code.bytes().all(|byte| byte.is_ascii_digit()) && code.len() > LEVELS[0]
}

/// A node over its own rows and its children; nothing when the count overflows.
pub(super) fn sum(code: &str, own: SumNode, children: &[(String, SumNode)]) -> Option<SumNode> {
    let rows = children
        .iter()
        .try_fold(own.rows, |total, (_, child)| total.checked_add(child.rows))?;
    let digest = Digest::of(Domain::RowNode, &codec::encode(&(code, own, children)));
    Some(SumNode { rows, digest })
}

pub(super) fn derive(parent: &[u8; 32], code: &str) -> [u8; 32] {
    let own = !planted::is(Bug::SaltReused);
    let code = if own { code } else { "" };
    *Digest::of_parts(
        Domain::Commitment,
        &[b"return flow salt", parent, code.as_bytes()],
    )
    .as_bytes()
}

/// Salts of all places of a division's subtree, in order, from that of its top.
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

/// The salt of a top below another, from that other's; nothing when it does not lie below.
pub(super) fn salt_below(
    divisions: &Divisions,
    from: &Top,
    salt: &[u8; 32],
    to: &Top,
) -> Option<[u8; 32]> {
    let mut codes = Vec::new();
    if let Some(area) = to.area {
        let digits = LEVELS.iter().skip(1).rev();
        codes.extend(digits.filter_map(|digits| area.within(*digits)?.text().into()));
    }
    let mut place = to.place;
    while place != from.place {
        codes.push(divisions.code(place));
        place = divisions.parent(place)?;
    }
    if let Some(area) = from.area {
        // What stands above the township from which we begin is not ours.
        let own = codes.iter().position(|code| *code == area.text())?;
        codes.truncate(own);
    }
    Some(
        codes
            .iter()
            .rev()
            .fold(*salt, |salt, code| derive(&salt, code)),
    )
}

/// The salted digests of rows in tree order.
pub(super) fn leaves(
    divisions: &Divisions,
    top: &Top,
    salt: &[u8; 32],
    rows: &[(usize, Row<'_>)],
) -> Vec<Leaf> {
    let mut growth = Growth::new(divisions, *top, *salt, Keep::All);
    let leaf = |(place, row): &(usize, Row<'_>)| Leaf {
        place: *place,
        code: row.code,
        digest: growth.digest(*place, row.code, row.bytes),
    };
    rows.iter().map(leaf).collect()
}

impl Tree {
    /// Computes the nodes of a subtree from its leaves in tree order; nothing when a count overflows or the order is another.
    pub(super) fn grow(divisions: &Divisions, top: Top, leaves: &[Leaf]) -> Option<Self> {
        let mut growth = Growth::new(divisions, top, [0; 32], Keep::All);
        for leaf in leaves {
            growth.push(leaf.place, leaf.code, leaf.digest)?;
        }
        growth.whole()
    }

    /// A tree of these nodes.
    pub(super) fn new(
        top: Top,
        divisions: Vec<Summed>,
        areas: BTreeMap<(usize, RowCode), Summed>,
    ) -> Self {
        Self {
            top,
            divisions,
            areas,
        }
    }

    /// Sums a division up whose children are.
    pub(super) fn join(&mut self, divisions: &Divisions, place: usize) -> Option<()> {
        let children = self.children(divisions, place);
        let own = self.at(place).own;
        let node = sum(&divisions.code(place), own, &children)?;
        self.divisions.get_mut(place - self.top.place)?.node = node;
        Some(())
    }

    /// The areas right under a place, or under an area of it.
    pub(super) fn areas_in(
        areas: &BTreeMap<(usize, RowCode), Summed>,
        place: usize,
        within: Option<RowCode>,
    ) -> Vec<(String, SumNode)> {
        let digits = within.map_or(LEVELS[1], |_| LEVELS[2]);
        let from = within.unwrap_or(RowCode::parse(b""));
        let inside =
            |code: &RowCode| within.is_none_or(|area| code.within(area.len()) == Some(area));
        areas
            .range((place, from)..)
            .take_while(|((at, code), _)| *at == place && inside(code))
            .filter(|((_, code), _)| code.len() == digits)
            .map(|((_, code), summed)| (code.text(), summed.node))
            .collect()
    }

    /// The children of a division in order: divisions, then the townships and streets that have rows.
    pub(super) fn children(&self, divisions: &Divisions, place: usize) -> Vec<(String, SumNode)> {
        let below = divisions.children(place);
        let mut children: Vec<_> = below
            .map(|it| (divisions.code(it), self.at(it).node))
            .collect();
        children.extend(Self::areas_in(&self.areas, place, None));
        children
    }

    /// The children of a township in order.
    pub(super) fn villages(&self, place: usize, area: RowCode) -> Vec<(String, SumNode)> {
        Self::areas_in(&self.areas, place, Some(area))
    }

    /// The nodes of a division of this tree.
    pub(super) fn at(&self, place: usize) -> Summed {
        self.divisions[place - self.top.place]
    }

    /// The nodes of a township or village; those of no rows when it has none.
    pub(super) fn area(&self, place: usize, area: RowCode) -> Option<Summed> {
        match self.areas.get(&(place, area)) {
            Some(summed) => Some(*summed),
            None => {
                let own = summed(&Frontier::default());
                let node = sum(&area.text(), own, &[])?;
                Some(Summed { own, node })
            }
        }
    }

    /// The node of the top.
    pub(super) fn root(&self) -> Option<SumNode> {
        match self.top.area {
            Some(area) => self.area(self.top.place, area).map(|it| it.node),
            None => Some(self.at(self.top.place).node),
        }
    }
}
