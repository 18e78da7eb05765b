//! What is to be done so that the node's own entries are those of the platform: a comparison, without effect.
//!
//! ```text
//! there, not held            ──► compile version 1
//! there, held otherwise      ──► compile the next version (the same one, while it is a draft)
//! there, held the same       ──► what is left of its way: approve, submit, review; nothing when it stands published
//! not there, stands published ──► withdraw
//! not there, never published ──► left alone: a draft that nobody approves
//! ```

use std::collections::BTreeSet;

use federation::core::view::OwnEntry;
use identity::CreditCode;
use sharing::catalogue::{Entry, EntryId, EntryState, EntryVersion};

use super::translation::Translation;

/// What is to be done.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Entries that are new: version 1.
    pub new: Vec<Entry>,
    /// Entries that changed, with their next version.
    pub changed: Vec<Entry>,
    /// Drafts that await the department's head.
    pub approve: Vec<EntryVersion>,
    /// Approved versions that await submission.
    pub submit: Vec<EntryVersion>,
    /// Submitted versions that await the authority.
    pub review: Vec<EntryVersion>,
    /// Entries that stand published and are gone from the platform.
    pub withdraw: Vec<EntryId>,
    /// Drafts that the authority returned, with its reasons: they wait until the platform or the mapping changes.
    pub returned: Vec<(EntryId, String)>,
    /// Drafts of what is gone from the platform and does not stand published.
    pub left: Vec<EntryId>,
    /// Entries that stand as they are.
    pub unchanged: usize,
    /// Entries of another department under the platform's prefix: nothing is done to them.
    pub foreign: BTreeSet<EntryId>,
}

/// Why nothing may be planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The platform gave nothing where entries stand.
    #[error(
        "平台没有给出任何条目，而本节点现有 {held} 条 / the platform gave nothing where {held} entries stand"
    )]
    Empty {
        /// How many stand.
        held: usize,
    },
}

/// Compares what was found with what is held under the prefix.
///
/// # Errors
/// [`PlanError::Empty`] when nothing was found, something is held, and an empty platform was not said to be right.
pub fn plan(
    found: &Translation,
    held: &[OwnEntry],
    provider: CreditCode,
    allow_empty: bool,
) -> Result<Plan, PlanError> {
    let standing = held
        .iter()
        .filter(|own| own.entry.provider == provider && own.state != EntryState::Withdrawn)
        .count();
    let nothing = found.present.is_empty() && found.without_key == 0;
    if nothing && standing > 0 && !allow_empty {
        return Err(PlanError::Empty { held: standing });
    }
    let mut plan = Plan::default();
    let mut known = BTreeSet::new();
    for own in held {
        let id = &own.entry.id;
        known.insert(id);
        if own.entry.provider != provider {
            plan.foreign.insert(id.clone());
            continue;
        }
        match found.entries.get(id) {
            Some(entry) => plan.there(entry, own),
            None if found.present.contains(id) => {}
            None => plan.gone(own),
        }
    }
    plan.new = found
        .entries
        .values()
        .filter(|entry| !known.contains(&entry.id))
        .cloned()
        .collect();
    Ok(plan)
}

impl Plan {
    fn there(&mut self, entry: &Entry, own: &OwnEntry) {
        let mut entry = entry.clone();
        entry.version = own.entry.version;
        let same = entry == own.entry;
        match own.state {
            EntryState::Draft | EntryState::Approved if !same => self.changed.push(entry),
            EntryState::Submitted | EntryState::Published if !same => self.next(entry),
            // What comes back is a new version, whatever it says.
            EntryState::Withdrawn => self.next(entry),
            EntryState::Draft => match &own.returned {
                Some(why) => self.returned.push((entry.id, why.clone())),
                None => self.approve.push(own.entry.version_ref()),
            },
            EntryState::Approved => self.submit.push(own.entry.version_ref()),
            EntryState::Submitted => self.review.push(own.entry.version_ref()),
            EntryState::Published => self.unchanged += 1,
        }
    }

    fn next(&mut self, mut entry: Entry) {
        entry.version = entry.version.saturating_add(1);
        self.changed.push(entry);
    }

    fn gone(&mut self, own: &OwnEntry) {
        match (own.published, own.state) {
            (Some(_), _) => self.withdraw.push(own.entry.id.clone()),
            (None, EntryState::Withdrawn) => {}
            (
                None,
                EntryState::Draft
                | EntryState::Approved
                | EntryState::Submitted
                | EntryState::Published,
            ) => self.left.push(own.entry.id.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::translation::tests::{entry, mapping};
    use super::*;

    fn held(id: &str, state: EntryState, published: Option<u32>) -> OwnEntry {
        let entry = entry(id, "甲");
        OwnEntry {
            state,
            digest: entry.version_ref().digest,
            entry,
            published,
            returned: None,
        }
    }

    fn found(entries: &[Entry]) -> Translation {
        Translation {
            entries: entries
                .iter()
                .map(|it| (it.id.clone(), it.clone()))
                .collect(),
            present: entries.iter().map(|it| it.id.clone()).collect(),
            ..Translation::default()
        }
    }

    fn planned(entries: &[Entry], held: &[OwnEntry]) -> Plan {
        plan(&found(entries), held, mapping().provider.code, false).unwrap()
    }

    #[test]
    fn each_state_has_its_next_step_and_only_that() {
        use EntryState::{Approved, Draft, Published, Submitted, Withdrawn};
        let there = |state, name: &str| {
            let own = held("440106/MZ/1", state, None);
            let plan = planned(&[entry("440106/MZ/1", name)], std::slice::from_ref(&own));
            let versions: Vec<u32> = plan.changed.iter().map(|it| it.version).collect();
            (
                plan.new.len(),
                versions,
                plan.approve.len(),
                plan.submit.len(),
                plan.review.len(),
                plan.unchanged,
            )
        };
        for (state, same, changed) in [
            (Draft, (0, vec![], 1, 0, 0, 0), vec![1]),
            (Approved, (0, vec![], 0, 1, 0, 0), vec![1]),
            (Submitted, (0, vec![], 0, 0, 1, 0), vec![2]),
            (Published, (0, vec![], 0, 0, 0, 1), vec![2]),
            (Withdrawn, (0, vec![2], 0, 0, 0, 0), vec![2]),
        ] {
            assert_eq!(there(state, "甲"), same, "{state:?}");
            assert_eq!(there(state, "乙"), (0, changed, 0, 0, 0, 0), "{state:?}");
        }
        let fresh = planned(&[entry("440106/MZ/2", "甲")], &[]);
        assert_eq!((fresh.new.len(), fresh.unchanged), (1, 0));
    }

    #[test]
    fn what_is_gone_is_withdrawn_when_it_stands_published_and_left_when_it_never_did() {
        use EntryState::{Draft, Published, Submitted, Withdrawn};
        let others = [entry("440106/MZ/9", "甲")];
        let plan = planned(
            &others,
            &[
                held("440106/MZ/1", Published, Some(1)),
                held("440106/MZ/2", Draft, Some(1)),
                held("440106/MZ/3", Submitted, None),
                held("440106/MZ/4", Withdrawn, None),
            ],
        );
        let ids = |ids: &[EntryId]| ids.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(ids(&plan.withdraw), ["440106/MZ/1", "440106/MZ/2"]);
        assert_eq!(ids(&plan.left), ["440106/MZ/3"]);
        assert_eq!(plan.changed, []);
    }

    #[test]
    fn what_cannot_be_mapped_is_there_all_the_same() {
        let mut found = found(&[]);
        found.present.insert("440106/MZ/1".parse().unwrap());
        let own = held("440106/MZ/1", EntryState::Published, Some(1));
        let plan = plan(&found, &[own], mapping().provider.code, false).unwrap();
        assert_eq!(plan, Plan::default());
    }

    #[test]
    fn an_empty_platform_is_an_error_until_it_is_said_to_be_right() {
        let own = [held("440106/MZ/1", EntryState::Published, Some(1))];
        let (nothing, provider) = (found(&[]), mapping().provider.code);
        assert_eq!(
            plan(&nothing, &own, provider, false),
            Err(PlanError::Empty { held: 1 })
        );
        assert_eq!(
            plan(&nothing, &own, provider, true).unwrap().withdraw.len(),
            1
        );
        let withdrawn = [held("440106/MZ/1", EntryState::Withdrawn, None)];
        assert!(plan(&nothing, &withdrawn, provider, false).is_ok());
    }

    #[test]
    fn a_returned_draft_waits_for_a_change_and_another_departments_entry_is_not_touched() {
        let mut returned = held("440106/MZ/1", EntryState::Draft, None);
        returned.returned = Some("请补充摘要".into());
        let same = planned(
            &[entry("440106/MZ/1", "甲")],
            std::slice::from_ref(&returned),
        );
        assert_eq!((same.returned.len(), same.approve.len()), (1, 0));
        let other = planned(&[entry("440106/MZ/1", "乙")], &[returned]);
        assert_eq!((other.returned.len(), other.changed.len()), (0, 1));
        let mut foreign = held("440106/MZ/2", EntryState::Published, Some(1));
        foreign.entry.provider = "11440000DEM000001W".parse().unwrap();
        let plan = planned(&[entry("440106/MZ/9", "甲")], &[foreign]);
        assert_eq!((plan.foreign.len(), plan.withdraw.len()), (1, 0));
    }
}
