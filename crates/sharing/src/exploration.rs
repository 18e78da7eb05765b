//! Breadth first over all that the moves of a small model of a workflow lead to: no phase that nothing reaches, and none that is not final
//! without a way out.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Most states of a model: beyond it the states are not told apart by what matters.
const MAX_STATES: usize = 4_000;

/// A small model of a workflow.
pub(crate) struct Model<'a, S> {
    /// The states in which a docket can begin.
    pub(crate) starts: Vec<S>,
    /// Every phase, in the order of [`Model::phase`]: the function is a match without a rest, so that a new phase does not compile unlisted.
    pub(crate) phases: &'a [&'a str],
    /// The phases that need no way out.
    pub(crate) last: &'a [&'a str],
    /// The place of a state's phase among all.
    pub(crate) phase: &'a dyn Fn(&S) -> usize,
    /// What tells states apart.
    pub(crate) key: &'a dyn Fn(&S) -> String,
    /// Where every act and everything that time or another node brings about leads from here.
    pub(crate) moves: &'a dyn Fn(&S) -> Vec<S>,
}

impl<S> Model<'_, S> {
    /// Explores the whole model.
    ///
    /// # Panics
    /// When a phase is not reached, or has no way out and is not among the last.
    pub(crate) fn explore(mut self) {
        let name = |state: &S| self.phases[(self.phase)(state)];
        let mut known = BTreeSet::new();
        let mut ways: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        let mut open: VecDeque<S> = std::mem::take(&mut self.starts).into();
        known.extend(open.iter().map(|state| (self.key)(state)));
        while let Some(state) = open.pop_front() {
            let from = ways.entry(name(&state)).or_default();
            for next in (self.moves)(&state) {
                if name(&next) != name(&state) {
                    from.insert(name(&next));
                }
                if known.insert((self.key)(&next)) {
                    open.push_back(next);
                }
            }
            assert!(known.len() <= MAX_STATES, "{} states", known.len());
        }
        for phase in self.phases {
            let Some(onward) = ways.get(phase) else {
                panic!("nothing reaches {phase}: {ways:?}");
            };
            assert!(
                !onward.is_empty() || self.last.contains(phase),
                "nothing leads out of {phase}: {ways:?}"
            );
        }
    }
}
