//! A sum tree that grows row by row in tree order, and keeps of what is finished only the nodes that are asked for: the divisions, and the
//! townships and villages beside which an area lies whose proof is to be given. What it holds depends on the tree, never on the rows.

use std::collections::{BTreeMap, BTreeSet};

use identity::{Digest, Domain};

use super::SumNode;
use super::area::LEVELS;
use super::divisions::Divisions;
use super::manifest::above;
use super::sum_tree::{Summed, Top, Tree, salt_below, salts, sum};
use super::table::RowCode;
use crate::ledger::merkle::Frontier;

/// Of which divisions and townships the nodes right below are kept.
#[derive(Debug, Clone)]
pub(super) enum Keep {
    /// Of all.
    All,
    /// Of those that stand above an area.
    Above(BTreeSet<(usize, Option<RowCode>)>),
}

impl Keep {
    /// What proofs of these areas need.
    pub(super) fn above(tops: impl IntoIterator<Item = Top>, divisions: &Divisions) -> Self {
        let mut kept = BTreeSet::new();
        for top in tops {
            let mut child = top;
            while let Some(parent) = above(&child, divisions) {
                kept.insert((parent.place, parent.area));
                child = parent;
            }
        }
        Self::Above(kept)
    }

    fn below(&self, place: usize, area: Option<RowCode>) -> bool {
        match self {
            Self::All => true,
            Self::Above(kept) => kept.contains(&(place, area)),
        }
    }
}

/// A township or village whose rows still come.
#[derive(Debug, Clone)]
struct Open {
    area: RowCode,
    own: Frontier,
}

/// A tree that is not whole yet.
#[derive(Debug, Clone)]
pub(super) struct Growth<'d> {
    divisions: &'d Divisions,
    top: Top,
    keep: Keep,
    salts: Vec<[u8; 32]>,
    /// The salt of the last row, and whose it was.
    salted: Option<(usize, RowCode, [u8; 32])>,
    place: usize,
    own: Frontier,
    township: Option<Open>,
    village: Option<Open>,
    summed: Vec<Summed>,
    areas: BTreeMap<(usize, RowCode), Summed>,
}

impl<'d> Growth<'d> {
    /// A tree without rows below a top, whose salt opens what lies below.
    pub(super) fn new(divisions: &'d Divisions, top: Top, salt: [u8; 32], keep: Keep) -> Self {
        let salts = match top.area {
            None => salts(divisions, top.place, salt),
            Some(_) => vec![salt],
        };
        Self {
            divisions,
            top,
            keep,
            salts,
            salted: None,
            place: top.place,
            own: Frontier::default(),
            township: None,
            village: None,
            summed: Vec::new(),
            areas: BTreeMap::new(),
        }
    }

    /// The salted digest of a row.
    pub(super) fn digest(&mut self, place: usize, code: RowCode, row: &str) -> Digest {
        let salt = match self.salted {
            Some((at, of, salt)) if (at, of) == (place, code) => salt,
            Some(_) | None => {
                let salt = self.salt(place, code);
                self.salted = Some((place, code, salt));
                salt
            }
        };
        Digest::of_parts(Domain::Row, &[&salt, row.as_bytes()])
    }

    fn salt(&self, place: usize, code: RowCode) -> [u8; 32] {
        let first = self.salts.first().copied().unwrap_or_default();
        let at = place.checked_sub(self.top.place);
        let above = at.and_then(|at| self.salts.get(at)).copied();
        let above = above.unwrap_or(first);
        if place >= self.divisions.len() || code.len() <= LEVELS[0] {
            return above;
        }
        let (area, from) = (Some(code), self.top.area);
        salt_below(
            self.divisions,
            &Top { place, area: from },
            &above,
            &Top { place, area },
        )
        .unwrap_or(above)
    }

    /// Takes the next row's digest; nothing when the rows are too many, or the row does not stand behind the one before.
    pub(super) fn push(&mut self, place: usize, code: RowCode, digest: Digest) -> Option<()> {
        while self.place < place {
            self.close_place()?;
        }
        if self.place > place {
            return None;
        }
        // What no division claims lies in no area either.
        let deep = place < self.divisions.len() && code.len() > LEVELS[0];
        if !deep {
            return self.own.push(digest).ok();
        }
        let township = code.within(LEVELS[1])?;
        if self.township.as_ref().is_none_or(|it| it.area != township) {
            self.close_township()?;
            self.township = Some(Open::at(township));
        }
        if code.len() <= LEVELS[1] {
            return self.township.as_mut()?.own.push(digest).ok();
        }
        if self.village.as_ref().is_none_or(|it| it.area != code) {
            self.close_village()?;
            self.village = Some(Open::at(code));
        }
        self.village.as_mut()?.own.push(digest).ok()
    }

    fn close_village(&mut self) -> Option<()> {
        let Some(Open { area, own }) = self.village.take() else {
            return Some(());
        };
        let own = summed(&own);
        let node = sum(&area.text(), own, &[])?;
        self.areas.insert((self.place, area), Summed { own, node });
        Some(())
    }

    fn close_township(&mut self) -> Option<()> {
        self.close_village()?;
        let Some(Open { area, own }) = self.township.take() else {
            return Some(());
        };
        let own = summed(&own);
        let villages = Tree::areas_in(&self.areas, self.place, Some(area));
        let node = sum(&area.text(), own, &villages)?;
        if !self.keep.below(self.place, Some(area)) {
            self.forget(self.place, LEVELS[2]);
        }
        self.areas.insert((self.place, area), Summed { own, node });
        Some(())
    }

    fn close_place(&mut self) -> Option<()> {
        self.close_township()?;
        let own = summed(&std::mem::take(&mut self.own));
        let mut node = own;
        // A division without divisions below is finished; the others are when the last below them is.
        if self.divisions.children(self.place).next().is_none() {
            let areas = Tree::areas_in(&self.areas, self.place, None);
            node = sum(&self.divisions.code(self.place), own, &areas)?;
            if !self.keep.below(self.place, None) && self.top.area.is_none() {
                self.forget(self.place, LEVELS[1]);
            }
        }
        self.summed.push(Summed { own, node });
        self.place += 1;
        Some(())
    }

    /// Lets go of a division's areas of so many digits; of villages, where those of another township are kept, only of the last.
    fn forget(&mut self, place: usize, digits: usize) {
        let from = (place, RowCode::parse(b""));
        let kept = &self.keep;
        let gone: Vec<_> = self
            .areas
            .range(from..)
            .map(|(key, _)| *key)
            .take_while(|(at, _)| *at == place)
            .filter(|(_, code)| code.len() == digits)
            .filter(|(_, code)| digits == LEVELS[1] || !kept.below(place, code.within(LEVELS[1])))
            .filter(|(_, code)| Some(*code) != self.top.area)
            .collect();
        for key in gone {
            self.areas.remove(&key);
        }
    }

    /// The tree, when all its rows came; nothing when a count overflows.
    pub(super) fn whole(mut self) -> Option<Tree> {
        if self.top.area.is_some() {
            self.close_township()?;
            return Some(Tree::new(self.top, Vec::new(), self.areas));
        }
        let places = self.top.place..self.divisions.end(self.top.place);
        while self.place < places.end {
            self.close_place()?;
        }
        let mut tree = Tree::new(self.top, self.summed, self.areas);
        // Children stand after their parents, so backwards they are ready first.
        for place in places.rev() {
            if self.divisions.children(place).next().is_some() {
                tree.join(self.divisions, place)?;
            }
        }
        Some(tree)
    }
}

impl Open {
    fn at(area: RowCode) -> Self {
        let own = Frontier::default();
        Self { area, own }
    }
}

/// Count of an area's own rows and the root over their salted digests.
pub(super) fn summed(own: &Frontier) -> SumNode {
    SumNode {
        rows: own.size(),
        digest: own.root(),
    }
}
